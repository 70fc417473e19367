//! `t$snapshots` and the others, compared with what Java shows.

use headwater_testkit::require_java;
use serde_json::{Value, json};

use crate::warehouse::Warehouse;

#[tokio::test]
async fn java_shows_the_same_system_tables() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id INT, dt DATE, h INT, v DOUBLE, s STRING, b BYTES, ts TIMESTAMP(3),
             PRIMARY KEY (id, dt, h) NOT ENFORCED) PARTITIONED BY (dt, h) WITH ('bucket' = '2');
         INSERT INTO t VALUES (1, '2024-01-01', 3, 2e10, 'a', X'61', '2024-01-01 00:00:00.5'),
             (2, '2024-01-01', 3, NULL, NULL, NULL, NULL);
         INSERT INTO t VALUES (3, '1969-12-31', 4, 1.5, 'it', X'', NULL);
         ALTER TABLE t DROP b; ALTER TABLE t ADD n INT;
         INSERT OVERWRITE t VALUES (5, '2024-01-01', 3, 0.1, 'z', NULL, NULL);
         CREATE TABLE u (a INT, `B` STRING, p STRING) PARTITIONED BY (p);
         INSERT INTO u VALUES (1, 'x', NULL), (2, 'y', 'a b/c=d')",
    )
    .await;
    let Some(java) = require_java("java_shows_the_same_system_tables") else { return };
    for table in ["t", "u"] {
        let dir = w.dir.path().join("warehouse/default.db").join(table);
        for system in
            ["snapshots", "schemas", "options", "files", "manifests", "partitions", "buckets"]
        {
            let lines = java.read_with(&dir, &json!({ "system": system }));
            let theirs: Vec<Value> =
                lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            let columns = w.run(&format!("DESCRIBE {table}${system}")).await;
            let columns: Vec<&str> = columns.iter().map(|c| c.split('|').next().unwrap()).collect();
            if let Some(first) = theirs.first() {
                let names: Vec<&String> = first["row"].as_object().unwrap().keys().collect();
                assert_eq!(columns, names, "{table}${system}");
            }
            let mut rows: Vec<String> = theirs.iter().map(|row| java_line(&row["row"])).collect();
            let mut ours = w.run(&format!("SELECT * FROM {table}${system}")).await;
            rows.sort();
            ours.sort();
            assert_eq!(ours, rows, "{table}${system}");
        }
    }
}

/// A time with nine digits behind the second, as one that has only milliseconds.
fn of_milliseconds(text: &str) -> String {
    let is_time = text.len() == 29 && text.get(10..11) == Some("T");
    match text.strip_suffix("000000") {
        Some(short) if is_time => short.strip_suffix(".000").unwrap_or(short).to_owned(),
        _ => text.to_owned(),
    }
}

/// A row of Java's as the test shows ours.
fn java_line(row: &Value) -> String {
    let cells = row.as_object().unwrap().values().map(|value| match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => of_milliseconds(text),
        other => other.to_string(),
    });
    cells.collect::<Vec<_>>().join("|")
}
