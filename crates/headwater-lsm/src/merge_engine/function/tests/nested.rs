//! `nested_update` and `nested_partial_update`.

use headwater_spec::DataType;

use super::json::Case;
use super::{ADD, BACK, OLD_BACK, OLDER, PUT, field};
use crate::merge_engine::function::{FunctionError, column_function};

const ROWS: &str = "ARRAY<ROW<k INT, v STRING>>";

fn nested(name: &'static str, key: &[&str]) -> Case {
    let mut case = Case::new(name, ROWS);
    case.options.nested_key = key.iter().map(|&name| name.to_owned()).collect();
    case
}

/// Rows as `1a,2-`: one digit, one letter; `-` is a null, `/` a null row.
fn rows(text: &str) -> String {
    let row = |row: &str| match row {
        "/" => "null".to_owned(),
        _ => {
            let (k, v) = row.split_at(1);
            let k = if k == "-" { "null" } else { k };
            let v = if v == "-" { "null".to_owned() } else { format!("\"{v}\"") };
            format!("{{\"k\":{k},\"v\":{v}}}")
        }
    };
    let rows: Vec<_> = text.split(',').filter(|row| !row.is_empty()).map(row).collect();
    format!("[{}]", rows.join(","))
}

fn fold(case: &Case, records: &[(&str, super::Step)]) -> Result<String, FunctionError> {
    let texts: Vec<_> = records
        .iter()
        .map(|(text, step)| (if *text == "null" { "null".to_owned() } else { rows(text) }, *step))
        .collect();
    case.try_fold(&texts.iter().map(|(text, step)| (text.as_str(), *step)).collect::<Vec<_>>())
}

#[test]
fn rows_without_a_key_are_appended_and_taken_back_with_all_their_equals() {
    let case = nested("nested_update", &[]);
    let is = |records: &[_], expected| assert_eq!(fold(&case, records).unwrap(), rows(expected));
    is(&[("1a,/", ADD)], "1a,/");
    is(&[("1a,/", ADD), ("null", ADD)], "1a,/");
    is(&[("1a,/", ADD), ("1a,/,2-", ADD)], "1a,1a,2-");
    is(&[("1a", ADD), ("2b", OLDER), ("3c", ADD)], "2b,1a,3c");
    is(&[("1a,2-,1a,1b", ADD), ("1a,2-,9x,/", BACK)], "1b");
    is(&[("1a", ADD), ("1a", OLD_BACK), ("1a", ADD)], "1a");
    is(&[("1a", ADD), ("null", BACK)], "1a");
    is(&[("1a", ADD), ("3c", PUT), ("2b", ADD)], "3c,2b");
    assert_eq!(fold(&case, &[("1a", BACK)]).unwrap(), "null");
}

#[test]
fn rows_with_a_key_replace_each_other() {
    let case = nested("nested_update", &["k"]);
    let is = |records: &[_], expected| assert_eq!(fold(&case, records).unwrap(), rows(expected));
    is(&[("1a,1b", ADD)], "1a,1b");
    is(&[("1a,2b", ADD), ("3c,1d,3e", ADD)], "1d,2b,3e");
    is(&[("1a,2b", ADD), ("3c,1d", OLDER)], "3c,1a,2b");
    is(&[("-a", ADD), ("-b", ADD)], "-b");
    is(&[("1a,2b,/", ADD), ("1x,/", BACK)], "2b");
    is(&[("1a,2b", ADD), ("1x", BACK), ("1c", ADD)], "2b,1c");
    let both = nested("nested_update", &["v", "k"]);
    assert_eq!(fold(&both, &[("1a,2a", ADD), ("1b,1a", ADD)]).unwrap(), rows("1a,2a,1b"));
}

#[test]
fn the_limit_holds_for_what_is_added() {
    let mut case = nested("nested_update", &[]);
    case.options.count_limit = 3;
    let is = |case: &Case, records: &[_], expected| {
        assert_eq!(fold(case, records).unwrap(), rows(expected));
    };
    is(&case, &[("1a,2b,3c,4d", ADD), ("5e", ADD)], "1a,2b,3c,4d");
    is(&case, &[("1a,/", ADD), ("2b,3c", ADD)], "1a,2b");
    is(&case, &[("1a", ADD), ("2b,/,3c,4d", ADD), ("5e", ADD)], "1a,2b,3c");
    // The older array has the say.
    is(&case, &[("1a,2b", ADD), ("3c,4d,5e", OLDER)], "3c,4d,5e");
    is(&case, &[("1a,2b", ADD), ("3c,4d", OLDER)], "3c,4d,1a");
    case.options.nested_key = vec!["k".to_owned()];
    is(&case, &[("1a", ADD), ("1b,1c,2d", ADD), ("3e", ADD)], "1c,3e");
    case.options.count_limit = 0;
    is(&case, &[("1a", ADD), ("1b", ADD)], "1a");
}

#[test]
fn fields_of_a_partial_update_stay_until_a_value_comes() {
    let case = nested("nested_partial_update", &["k"]);
    let is = |records: &[_], expected| assert_eq!(fold(&case, records).unwrap(), rows(expected));
    is(&[("1a,1-,/", ADD)], "1a,1-,/");
    is(&[("1a,/", ADD), ("null", ADD)], "1a,/");
    is(&[("1a,/,1-,2b", ADD), ("1-,2c,3-", ADD)], "1a,2c,3-");
    is(&[("1a,2-", ADD), ("2b,3c,1d", OLDER), ("3-", ADD)], "2b,3c,1a");
    is(&[("-a,--", ADD), ("--", ADD)], "-a");
    is(&[("--", ADD), ("--", ADD)], "--");
    is(&[("1a", ADD), ("1b", ADD), ("2-", PUT), ("1-", ADD)], "2-,1-");
    assert_eq!(fold(&case, &[("null", ADD), ("null", ADD)]).unwrap(), "null");
    let error = fold(&case, &[("1a", ADD), ("1a", BACK)]).unwrap_err();
    assert!(matches!(error, FunctionError::NoRetraction { .. }));
}

#[test]
fn a_partial_update_needs_a_key_and_keys_must_be_fields() {
    let check = |case: &Case, data_type: &str| {
        let kind = data_type.parse::<DataType>().unwrap().kind;
        let function = column_function(case.name, &field(&kind), &case.options);
        function.map_err(|error| error.to_string())
    };
    let error = check(&nested("nested_partial_update", &[]), ROWS).unwrap_err();
    assert!(error.contains("'fields.c.nested-key' is missing"), "{error}");
    for name in ["nested_update", "nested_partial_update"] {
        let error = check(&nested(name, &["k", "x"]), ROWS).unwrap_err();
        assert!(error.contains("names 'x'") && error.contains("k, v"), "{error}");
        let error = check(&nested(name, &["k"]), "ARRAY<INT>").unwrap_err();
        assert!(error.contains("ARRAY of ROW") && error.contains("ARRAY<INT>"), "{error}");
    }
}
