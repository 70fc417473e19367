//! `merge_map` and `merge_map_with_keytime`.

use headwater_spec::DataType;

use super::json::Case;
use super::{ADD, BACK, OLD_BACK, OLDER, PUT, field};
use crate::merge_engine::function::{FunctionError, column_function};

#[test]
fn the_last_value_of_a_key_stays() {
    let case = Case::new("merge_map", "MAP<STRING NOT NULL, INT>");
    let one = (r#"{"a":1,"b":2}"#, ADD);
    assert_eq!(case.fold(&[one, ("null", ADD)]), one.0);
    assert_eq!(case.fold(&[("null", ADD), one]), one.0);
    assert_eq!(case.fold(&[("null", ADD), ("null", ADD)]), "null");
    let second = r#"{"c":3,"a":null}"#;
    assert_eq!(case.fold(&[one, (second, ADD)]), r#"{"a":null,"b":2,"c":3}"#);
    assert_eq!(case.fold(&[one, (second, OLDER)]), r#"{"c":3,"a":1,"b":2}"#);
    assert_eq!(case.fold(&[one, (second, ADD), (second, OLDER)]), r#"{"c":3,"a":null,"b":2}"#);
    assert_eq!(case.fold(&[one, ("{}", PUT), (second, ADD)]), second);
}

#[test]
fn a_retraction_removes_keys_whatever_their_values() {
    let case = Case::new("merge_map", "MAP<STRING NOT NULL, INT>");
    let one = (r#"{"a":1,"b":2,"c":3}"#, ADD);
    assert_eq!(case.fold(&[one, (r#"{"b":9,"x":1}"#, BACK)]), r#"{"a":1,"c":3}"#);
    assert_eq!(
        case.fold(&[one, (r#"{"b":9}"#, OLD_BACK), (r#"{"b":7}"#, ADD)]),
        r#"{"a":1,"c":3,"b":7}"#
    );
    assert_eq!(case.fold(&[one, ("null", BACK), ("{}", BACK)]), one.0);
    assert_eq!(case.fold(&[(one.0, BACK)]), "null");
    assert_eq!(case.fold(&[one, (one.0, BACK)]), "{}");
}

const TIMED: &str = "MAP<STRING NOT NULL, ROW<v INT, ts STRING>>";

fn timed(entries: &[(&str, i32, &str)]) -> String {
    let entry = |(key, v, ts): &(&str, i32, &str)| format!(r#""{key}":{{"v":{v},"ts":{ts}}}"#);
    format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
}

#[test]
fn the_latest_value_of_a_key_stays() {
    let case = Case::new("merge_map_with_keytime", TIMED);
    let two = timed(&[("a", 1, r#""10""#), ("b", 2, r#""20""#)]);
    let input = timed(&[("a", 3, r#""10""#), ("b", 4, r#""3""#), ("c", 5, r#""1""#)]);
    let merged = timed(&[("a", 1, r#""10""#), ("b", 4, r#""3""#), ("c", 5, r#""1""#)]);
    assert_eq!(case.fold(&[(&two, ADD), (&input, ADD)]), merged);
    assert_eq!(case.fold(&[(&two, ADD), ("null", ADD), ("null", OLDER)]), two);
    // The older map is the one that the newer has to beat.
    let reversed = timed(&[("a", 3, r#""10""#), ("b", 4, r#""3""#), ("c", 5, r#""1""#)]);
    assert_eq!(case.fold(&[(&two, ADD), (&input, OLDER)]), reversed);
}

#[test]
fn a_null_value_removes_the_key_and_one_without_time_is_dropped() {
    let case = Case::new("merge_map_with_keytime", TIMED);
    let one = timed(&[("a", 1, r#""10""#), ("b", 2, "null")]);
    assert_eq!(case.fold(&[(&one, ADD), (r#"{"a":null}"#, ADD)]), timed(&[("b", 2, "null")]));
    assert_eq!(
        case.fold(&[(&one, ADD), (&timed(&[("a", 9, "null"), ("c", 9, "null")]), ADD)]),
        one
    );
    let beaten = timed(&[("a", 1, r#""10""#), ("b", 3, r#""""#)]);
    assert_eq!(case.fold(&[(&one, ADD), (&timed(&[("b", 3, r#""""#)]), ADD)]), beaten);
    // A null of the first map stays until a value comes.
    let null = r#"{"a":null}"#;
    assert_eq!(case.fold(&[(null, ADD), ("{}", ADD)]), null);
    let value = timed(&[("a", 1, r#""1""#)]);
    assert_eq!(case.fold(&[(null, ADD), (&value, ADD)]), value);
    assert_eq!(case.fold(&[(&value, ADD), (null, ADD), (&value, ADD)]), value);
}

#[test]
fn times_compare_by_utf_16() {
    let case = Case::new("merge_map_with_keytime", TIMED);
    let high = timed(&[("a", 1, "\"\u{ff5e}\"")]);
    let pair = timed(&[("a", 2, "\"\u{1f600}\"")]);
    assert_eq!(case.fold(&[(&pair, ADD), (&high, ADD)]), high);
    assert_eq!(case.fold(&[(&high, ADD), (&pair, ADD)]), high);
}

#[test]
fn the_field_of_the_time_can_be_named() {
    let mut case =
        Case::new("merge_map_with_keytime", "MAP<STRING NOT NULL, ROW<t STRING, v INT>>");
    let check = |case: &Case| {
        let kind = case.data_type.parse::<DataType>().unwrap().kind;
        column_function(case.name, &field(&kind), &case.options).map_err(|error| error.to_string())
    };
    let error = check(&case).unwrap_err();
    assert!(error.contains("'fields.c.ts-field'") && error.contains("'v' has type INT"), "{error}");
    case.options.ts_field = Some("x".to_owned());
    let error = check(&case).unwrap_err();
    assert!(error.contains("'x'") && error.contains("t, v"), "{error}");
    case.options.ts_field = Some("t".to_owned());
    let one = (r#"{"a":{"t":"2","v":1}}"#, ADD);
    assert_eq!(case.fold(&[one, (r#"{"a":{"t":"1","v":2}}"#, ADD)]), one.0);
    case.data_type = "MAP<STRING NOT NULL, ROW<t STRING>>";
    assert!(check(&case).unwrap_err().contains("two fields"));
    case.data_type = "MAP<STRING NOT NULL, STRING>";
    assert!(check(&case).unwrap_err().contains("ROW"));
}

#[test]
fn latest_values_are_not_taken_back() {
    let mut case = Case::new("merge_map_with_keytime", TIMED);
    let one = timed(&[("a", 1, r#""1""#)]);
    let error = case.try_fold(&[(&one, ADD), (&one, BACK)]).unwrap_err();
    assert!(matches!(error, FunctionError::NoRetraction { .. }));
    case.options.ignore_retract = true;
    assert_eq!(case.fold(&[(&one, ADD), (&one, BACK)]), one);
}
