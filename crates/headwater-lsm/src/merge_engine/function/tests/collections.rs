//! `collect`.

use super::json::Case;
use super::{ADD, BACK, OLD_BACK, OLDER, PUT};

fn collect(data_type: &'static str, distinct: bool) -> Case {
    let mut case = Case::new("collect", data_type);
    case.options.distinct = distinct;
    case
}

#[test]
fn arrays_are_appended() {
    let case = collect("ARRAY<INT>", false);
    assert_eq!(case.fold(&[("[1,null,1]", ADD)]), "[1,null,1]");
    assert_eq!(case.fold(&[("[1,null]", ADD), ("null", ADD), ("[2,1]", ADD)]), "[1,null,2,1]");
    assert_eq!(case.fold(&[("null", ADD), ("null", ADD)]), "null");
    assert_eq!(case.fold(&[("null", ADD), ("[]", ADD)]), "[]");
    // Older ones are appended as well.
    assert_eq!(case.fold(&[("[1]", ADD), ("[2]", OLDER), ("[3]", ADD)]), "[1,2,3]");
    assert_eq!(case.fold(&[("[1]", ADD), ("[2]", PUT), ("[3]", ADD)]), "[2,3]");
}

#[test]
fn a_retraction_removes_one_of_each_of_its_elements() {
    let case = collect("ARRAY<INT>", false);
    let all = ("[1,2,1,null,3,1,null]", ADD);
    assert_eq!(case.fold(&[all, ("[1,1,null,9]", BACK)]), "[2,3,1,null]");
    assert_eq!(case.fold(&[all, ("[2]", ADD), ("[2]", OLD_BACK)]), "[1,1,null,3,1,null,2]");
    assert_eq!(case.fold(&[("[1]", ADD), ("[1]", BACK), ("[4]", ADD)]), "[4]");
    assert_eq!(case.fold(&[("[1]", ADD), ("null", BACK), ("[]", BACK)]), "[1]");
    assert_eq!(case.fold(&[("[1]", BACK)]), "null");
    let texts = collect("ARRAY<STRING>", false);
    assert_eq!(texts.fold(&[(r#"["a","b"]"#, ADD), (r#"["a"]"#, BACK)]), r#"["b"]"#);
}

#[test]
fn distinct_keeps_each_value_once_in_the_order_of_arrival() {
    let case = collect("ARRAY<INT>", true);
    assert_eq!(case.fold(&[("[3,null,1,3,null]", ADD)]), "[3,null,1]");
    assert_eq!(case.fold(&[("[3,1]", ADD), ("[2,1,2,3]", ADD)]), "[3,1,2]");
    assert_eq!(case.fold(&[("[3,1]", ADD), ("[2,1]", OLDER)]), "[3,1,2]");
    assert_eq!(case.fold(&[("[3,1]", ADD), ("[1]", BACK), ("[1]", ADD)]), "[3,1]");
    assert_eq!(case.fold(&[("null", ADD), ("null", ADD)]), "null");
    // A value that was put as it is becomes distinct with the next.
    assert_eq!(case.fold(&[("[1,1]", PUT)]), "[1,1]");
    assert_eq!(case.fold(&[("[1,1]", PUT), ("null", ADD)]), "[1]");
}

#[test]
fn nested_values_and_bytes_are_equal_by_content() {
    let rows = collect("ARRAY<ROW<a INT, b ARRAY<STRING>>>", true);
    let one = r#"{"a":1,"b":["x",null]}"#;
    let two = r#"{"a":1,"b":["x"]}"#;
    let first = format!("[{one},null,{one}]");
    let second = format!("[{two},{one},null]");
    let all = format!("[{one},null,{two}]");
    assert_eq!(rows.fold(&[(&first, ADD), (&second, ADD)]), all);
    assert_eq!(rows.fold(&[(&first, ADD), (&second, ADD), (&second, BACK)]), "[]");
    // What is there already is not looked at.
    assert_eq!(rows.fold(&[(&first, PUT), (&second, ADD)]), format!("[{one},null,{one},{two}]"));
    let bytes = collect("ARRAY<BYTES>", true);
    assert_eq!(bytes.fold(&[(r#"["00","ff"]"#, ADD), (r#"["ff"]"#, ADD)]), r#"["00","ff"]"#);
}

#[test]
fn floats_are_equal_as_their_bits() {
    let case = collect("ARRAY<DOUBLE>", true);
    assert_eq!(case.fold(&[("[0.0,-0.0,0.0]", ADD)]), "[0.0,-0.0]");
}

#[test]
fn ignoring_retractions_also_puts_older_elements_first() {
    let mut case = collect("ARRAY<INT>", false);
    case.options.ignore_retract = true;
    let records = [("[1]", ADD), ("[2]", ADD), ("[2]", BACK), ("[3]", OLDER), ("[4]", ADD)];
    assert_eq!(case.fold(&records), "[3,1,2,4]");
    case.options.distinct = true;
    assert_eq!(case.fold(&[("[1]", ADD), ("[2,1]", OLDER), ("null", OLDER)]), "[2,1]");
}
