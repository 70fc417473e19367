//! `listagg`.

use headwater_spec::TypeKind;

use super::json::Case;
use super::{ADD, BACK, OLDER, PUT, field};
use crate::merge_engine::function::{FunctionError, column_function};

fn listagg(delimiter: &str, distinct: bool) -> Case {
    let mut case = Case::new("listagg", "STRING");
    case.options.list_agg_delimiter = delimiter.to_owned();
    case.options.distinct = distinct;
    case
}

const A: &str = r#""a""#;
const B: &str = r#""b""#;
const EMPTY: &str = r#""""#;

#[test]
fn texts_are_joined_and_nulls_and_empty_ones_left_out() {
    let case = listagg(",", false);
    assert_eq!(case.fold(&[(A, ADD)]), A);
    assert_eq!(
        case.fold(&[("null", ADD), (A, ADD), ("null", ADD), (B, ADD), (A, ADD)]),
        r#""a,b,a""#
    );
    assert_eq!(case.fold(&[(A, ADD), (EMPTY, ADD), (B, ADD)]), r#""a,b""#);
    assert_eq!(case.fold(&[(EMPTY, ADD), (EMPTY, ADD), (B, ADD)]), B);
    assert_eq!(case.fold(&[("null", ADD), (EMPTY, ADD)]), EMPTY);
    assert_eq!(case.fold(&[("null", ADD), ("null", OLDER)]), "null");
    assert_eq!(case.fold(&[(A, ADD), (B, PUT), (A, ADD)]), r#""b,a""#);
    assert_eq!(listagg("", false).fold(&[(A, ADD), (B, ADD)]), r#""ab""#);
}

#[test]
fn an_older_text_comes_first() {
    let case = listagg("; ", false);
    assert_eq!(case.fold(&[(A, ADD), (A, ADD), (B, OLDER), (B, ADD)]), r#""b; a; a; b""#);
    assert_eq!(case.fold(&[(A, ADD), (EMPTY, OLDER), ("null", OLDER)]), A);
    assert_eq!(case.fold(&[("null", ADD), (B, OLDER)]), B);
    let distinct = listagg(";", true);
    assert_eq!(distinct.fold(&[(r#""a;b""#, ADD), (r#""b;c""#, OLDER)]), r#""b;c;a""#);
}

#[test]
fn distinct_leaves_out_parts_that_are_there_and_the_first_text_alone() {
    let case = listagg(";", true);
    assert_eq!(case.fold(&[(r#""a;a""#, ADD), (r#""b;a;b""#, ADD)]), r#""a;a;b""#);
    assert_eq!(case.fold(&[(r#""a""#, ADD), (r#"";;a;c;""#, ADD)]), r#""a;c""#);
    assert_eq!(case.fold(&[(r#""a""#, ADD), (r#"";""#, ADD)]), A);
    let long = listagg("--", true);
    assert_eq!(long.fold(&[(r#""ä--b""#, ADD), (r#""b--ü--ä""#, ADD)]), r#""ä--b--ü""#);
    // Without a delimiter texts are taken apart at blanks and joined without.
    let none = listagg("", true);
    assert_eq!(none.fold(&[(r#""a b""#, ADD), (r#""b c""#, ADD)]), r#""a bc""#);
}

#[test]
fn texts_are_not_taken_back() {
    let mut case = listagg(",", false);
    let error = case.try_fold(&[(A, ADD), (A, BACK)]).unwrap_err();
    assert!(matches!(error, FunctionError::NoRetraction { .. }));
    case.options.ignore_retract = true;
    assert_eq!(case.fold(&[(A, ADD), (B, BACK), (B, OLDER)]), r#""b,a""#);
}

#[test]
fn only_columns_without_a_limit_are_joined() {
    for kind in [TypeKind::VarChar(10), TypeKind::Char(3), TypeKind::BYTES] {
        let error = column_function("listagg", &field(&kind), &Case::new("", "").options);
        assert!(error.unwrap_err().to_string().contains("STRING"));
    }
}
