//! Names, types and options.

use headwater_spec::{ErrorKind, TypeKind};

use super::field;
use crate::merge_engine::function::{
    FunctionOptions, can_retract, column_function, function_names,
};

fn message(name: &str, kind: &TypeKind, options: &FunctionOptions) -> String {
    let error = column_function(name, &field(kind), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error.to_string()
}

#[test]
fn names_are_in_order_and_say_whether_they_retract() {
    let names: Vec<_> = function_names().collect();
    assert!(names.is_sorted());
    let retracting: Vec<_> = names.iter().filter(|name| can_retract(name) == Some(true)).collect();
    assert!(retracting.iter().any(|name| **name == "sum"));
    assert_eq!(can_retract("max"), Some(false));
    assert_eq!(can_retract("count"), None);
}

#[test]
fn an_unknown_name_gets_the_nearest_or_the_list() {
    let options = FunctionOptions::default();
    let near = message("summ", &TypeKind::Int, &options);
    assert!(near.contains("column 'c'") && near.contains("did you mean 'sum'?"), "{near}");
    let far = message("standard_deviation", &TypeKind::Int, &options);
    assert!(far.contains("bool_and, bool_or") && far.contains("sum"), "{far}");
    assert!(message("SUM", &TypeKind::Int, &options).contains("unknown"));
}

#[test]
fn a_type_that_the_function_does_not_take_is_refused_by_name() {
    let options = FunctionOptions::default();
    for (name, kind) in [
        ("sum", TypeKind::STRING),
        ("product", TypeKind::Date),
        ("bool_and", TypeKind::Int),
        ("bool_or", TypeKind::STRING),
    ] {
        let text = message(name, &kind, &options);
        let named = text.contains(name) && text.contains("'c'");
        assert!(named && text.contains(&kind.to_string()), "{text}");
    }
}
