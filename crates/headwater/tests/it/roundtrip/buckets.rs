//! Bucket modes: none, fixed by a bucket key, fixed by the primary key; all bucket functions.

use headwater_testkit::{amount, require_java};
use serde_json::{Value, json};

use super::subject::{Subject, change, schema};
use super::types::{Kind, key_types};

/// Rows of a bucket key of these types; a null now and then.
fn rows(types: &[Kind], commit: usize) -> Vec<Value> {
    (0..9_usize)
        .map(|number| {
            let mut row = json!({ "v": number + 10 * commit });
            for (column, (_, values)) in types.iter().enumerate() {
                let values = values.as_array().unwrap();
                let null = (number + column + commit).is_multiple_of(6);
                let value = &values[(number * (column + 1) + commit) % values.len()];
                row[format!("c{column}")] = if null { Value::Null } else { value.clone() };
            }
            row
        })
        .collect()
}

fn append_buckets(
    oracle: &'static headwater_testkit::Oracle,
    types: &[Kind],
    function: &str,
) -> Subject {
    let names: Vec<String> = (0..types.len()).map(|i| format!("c{i}")).collect();
    let mut fields = vec![("v", "INT")];
    fields.extend(names.iter().map(String::as_str).zip(types.iter().map(|t| t.0)));
    let options =
        json!({ "bucket": "5", "bucket-key": names.join(","), "bucket-function.type": function });
    Subject::new(oracle, &schema(&fields, &[], &[], &options))
}

#[test]
fn bucket_keys_of_each_type_choose_the_bucket_that_java_checks() {
    let test = "bucket_keys_of_each_type_choose_the_bucket_that_java_checks";
    let Some(oracle) = require_java(test) else { return };
    // One by one in long runs only: the key of all columns below holds every type.
    for t in key_types().into_iter().take(amount(2, usize::MAX)) {
        let types = [t];
        let mut subject = append_buckets(oracle, &types, "default");
        subject.we_write(&rows(&types, 0)).java_writes(&rows(&types, 1)).agrees();
    }
    let types = key_types();
    let mut subject = append_buckets(oracle, &types, "default");
    subject.takes_turns(|commit| rows(&types, commit));
}

#[test]
fn bucket_function_hive_agrees_for_all_its_types() {
    let Some(oracle) = require_java("bucket_function_hive_agrees_for_all_its_types") else {
        return;
    };
    let types: Vec<Kind> =
        key_types().into_iter().filter(|(t, _)| !t.starts_with("TIMESTAMP")).collect();
    for t in types.iter().take(amount(2, usize::MAX)) {
        let one = [t.clone()];
        let mut subject = append_buckets(oracle, &one, "hive");
        subject.we_write(&rows(&one, 0)).java_writes(&rows(&one, 1)).agrees();
    }
    let mut subject = append_buckets(oracle, &types, "hive");
    subject.takes_turns(|commit| rows(&types, commit));
}

#[test]
fn bucket_function_mod_agrees_for_both_integer_types() {
    let Some(oracle) = require_java("bucket_function_mod_agrees_for_both_integer_types") else {
        return;
    };
    for t in key_types().into_iter().filter(|(t, _)| ["INT", "BIGINT"].contains(t)) {
        let types = [t];
        let mut subject = append_buckets(oracle, &types, "mod");
        subject.takes_turns(|commit| rows(&types, commit));
    }
}

#[test]
fn primary_key_tables_of_one_four_and_seven_buckets_take_turns() {
    let test = "primary_key_tables_of_one_four_and_seven_buckets_take_turns";
    let Some(oracle) = require_java(test) else { return };
    let fields = [("k", "BIGINT"), ("s", "STRING"), ("v", "DOUBLE")];
    for bucket in ["1", "4", "7"] {
        let table = schema(&fields, &["k"], &[], &json!({ "bucket": bucket }));
        Subject::new(oracle, &table).takes_turns(|commit| {
            (0..50_usize)
                .filter(|n| (n + commit) % 3 != 0)
                .map(|n| {
                    let row = json!({ "k": n, "s": format!("s{commit}"), "v": null });
                    change(if commit > 0 && n % 10 == commit { "-D" } else { "+I" }, &row)
                })
                .collect()
        });
    }
}

#[test]
fn rows_without_buckets_take_turns() {
    let Some(oracle) = require_java("rows_without_buckets_take_turns") else { return };
    let table = schema(&[("v", "INT")], &[], &[], &json!({ "bucket": "-1" }));
    // Equal rows stay as many as they are.
    Subject::new(oracle, &table)
        .takes_turns(|commit| (0..20_usize).map(|n| json!({ "v": n % 4 + commit })).collect());
}
