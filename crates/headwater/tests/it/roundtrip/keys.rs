//! Primary keys of every allowed type, and keys of several columns in an order of their own.

use headwater_testkit::require_java;
use serde_json::{Value, json};

use super::subject::{Subject, change, schema};
use super::types::key_types;

/// Changes of the rows of a few keys: each commit leaves out one key and deletes another.
fn changes(keys: &[Value], commit: usize) -> Vec<Value> {
    let rows = keys.iter().enumerate().filter(|(at, _)| keys.len() < 3 || at % 3 != commit % 3);
    rows.map(|(at, key)| {
        let row = json!({ "v": i64::try_from(100 * commit + at).unwrap(), "k": key });
        let kind = if commit > 0 && (at + commit) % 4 == 1 {
            "-D"
        } else if (at + commit).is_multiple_of(2) {
            "+I"
        } else {
            "+U"
        };
        change(kind, &row)
    })
    .collect()
}

#[test]
fn keys_of_every_type_are_sorted_hashed_and_merged_as_in_java() {
    let test = "keys_of_every_type_are_sorted_hashed_and_merged_as_in_java";
    let Some(oracle) = require_java(test) else { return };
    let dynamic = json!({ "bucket": "-1", "dynamic-bucket.target-row-num": "3" });
    let fixed = json!({ "bucket": "2" });
    let kinds = key_types();
    for ((t, values), options) in kinds.iter().flat_map(|t| [(t, &fixed), (t, &dynamic)]) {
        let keys = values.as_array().unwrap();
        let fields = [("v", "BIGINT"), ("k", *t)];
        let table = schema(&fields, &["k"], &[], options);
        let mut subject = Subject::new(oracle, &table);
        // All keys in one file first: the whole order is checked.
        let all: Vec<Value> = keys.iter().map(|k| json!({ "v": -1, "k": k })).collect();
        subject.we_write(&all).agrees();
        for commit in 0..2 {
            subject.we_write(&changes(keys, 2 * commit));
            subject.java_writes(&changes(keys, 2 * commit + 1));
        }
        subject.agrees().java_compacts();
        subject.we_write(&changes(keys, 4)).agrees();
    }
}

#[test]
fn all_key_types_together_make_one_key() {
    let Some(oracle) = require_java("all_key_types_together_make_one_key") else { return };
    let types = key_types();
    let names: Vec<String> = (0..types.len()).map(|i| format!("c{i}")).collect();
    let mut fields: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(types.iter().map(|t| t.0)).collect();
    fields.push(("v", "INT"));
    // The key's order is not that of the columns.
    let pk: Vec<&str> = names.iter().rev().map(String::as_str).collect();
    let table = schema(&fields, &pk, &[], &json!({ "bucket": "4" }));
    Subject::new(oracle, &table).takes_turns(|commit| {
        let rows = 0..8_usize;
        rows.map(|number| {
            let mut row = json!({});
            for (name, (_, values)) in names.iter().zip(&types) {
                let values = values.as_array().unwrap();
                row[name] = values[(number + commit / 2) % values.len()].clone();
            }
            row["v"] = json!(10 * commit + number);
            change(if commit > 0 && number == 3 { "-D" } else { "+I" }, &row)
        })
        .collect()
    });
}

#[test]
fn the_order_of_a_key_is_not_that_of_the_columns() {
    let Some(oracle) = require_java("the_order_of_a_key_is_not_that_of_the_columns") else {
        return;
    };
    let fields =
        [("v", "STRING"), ("c", "STRING"), ("p", "INT"), ("a", "BIGINT"), ("b", "DECIMAL(22, 2)")];
    let row = |commit: usize, number: usize| {
        json!({
            "v": format!("{commit}-{number}"),
            "c": format!("c{}", number % 5),
            "p": number % 2,
            "a": i64::try_from(number % 3).unwrap() - 1,
            "b": format!("{}.50", number % 4),
        })
    };
    for (pk, bucket_key) in [
        (["b", "p", "c", "a"], "b,c,a"),
        (["a", "b", "c", "p"], "c"),
        (["p", "c", "a", "b"], "b,a"),
    ] {
        let options = json!({ "bucket": "3", "bucket-key": bucket_key });
        let table = schema(&fields, &pk, &["p"], &options);
        Subject::new(oracle, &table).takes_turns(|commit| {
            let numbers = (0..40).filter(|n| (n + commit) % 3 != 0);
            numbers.map(|n| row(commit, n)).collect()
        });
    }
}
