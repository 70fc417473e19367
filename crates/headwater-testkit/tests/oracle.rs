//! The driver of stock Java, tried against stock Java.

use headwater_testkit::{TempDir, expected, golden, require_java};
use serde_json::json;

#[test]
fn java_reads_a_golden_table_as_expected() {
    let Some(java) = require_java("java_reads_a_golden_table_as_expected") else { return };
    let rows = java.read(&golden("append_a").dir);
    let lines = expected("append_a", "latest.jsonl").unwrap();
    assert_eq!(rows, lines.lines().collect::<Vec<_>>());
}

#[test]
fn java_creates_upserts_compacts_and_finds_no_problem() {
    let Some(java) = require_java("java_creates_upserts_compacts_and_finds_no_problem") else {
        return;
    };
    let dir = TempDir::new();
    let table = dir.join("db.db/t");
    let fields = json!([{"name": "k", "type": "INT NOT NULL"}, {"name": "v", "type": "STRING"}]);
    java.create(&table, &json!({"fields": fields, "pk": ["k"], "options": {"bucket": "1"}}));
    assert_eq!(java.commit(&table, &[json!({"k": 1, "v": "a"}), json!({"k": 2, "v": "b"})]), 1);
    let delete = json!({"kind": "-D", "row": {"k": 2, "v": "b"}});
    java.commit(&table, &[delete, json!({"k": 1, "v": "A"})]);
    java.compact(&table, true);
    java.assert_agrees(&table, &[r#"{"kind":"+I","row":{"k":1,"v":"A"}}"#.to_owned()]);
    assert!(!java.files(&table).is_empty());
    assert!(java.snapshots(&table)["snapshots"].as_array().unwrap().len() >= 3);
}

#[test]
fn a_refused_command_says_why_and_leaves_the_driver_usable() {
    let Some(java) = require_java("a_refused_command_says_why_and_leaves_the_driver_usable") else {
        return;
    };
    let error = java.call(&json!({"op": "nonsense", "path": "/nowhere"})).unwrap_err();
    assert!(error.contains(':'), "{error}");
    assert!(java.check(&golden("append_a").dir).is_empty());
}

#[test]
fn operations_of_a_golden_table_done_again_give_the_same_rows() {
    let Some(java) = require_java("operations_of_a_golden_table_done_again_give_the_same_rows")
    else {
        return;
    };
    let dir = TempDir::new();
    let table = dir.join("db.db/t");
    for operation in golden("dedup_parquet_a").operations() {
        java.apply(&table, &operation).unwrap();
    }
    let lines = expected("dedup_parquet_a", "latest.jsonl").unwrap();
    assert_eq!(java.read(&table), lines.lines().collect::<Vec<_>>());
}
