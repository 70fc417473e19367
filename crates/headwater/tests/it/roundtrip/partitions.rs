//! Partition columns of every allowed type, their directory names, and many partitions.

use headwater_testkit::{files::list_files, require_java};
use serde_json::{Value, json};

use super::subject::{Subject, schema};

/// Types that have a stable directory name, with values.
fn partition_types() -> Vec<(&'static str, Value)> {
    vec![
        ("BOOLEAN", json!([true, false])),
        ("TINYINT", json!([-128, 127])),
        ("SMALLINT", json!([-32768, 0])),
        ("INT", json!([i32::MIN, 7])),
        ("BIGINT", json!([i64::MAX, -1])),
        ("FLOAT", json!(["3f800000", "7149f2ca", "3dcccccd"])),
        ("DOUBLE", json!(["3ff0000000000000", "7e37e43c8800759c", "bf50624dd2f1a9fc"])),
        ("DECIMAL(10, 2)", json!(["-1.50", "0.00", "12345678.99"])),
        ("DECIMAL(38, 10)", json!(["1234567890123456789012345678.0000000001", "0.0000000000"])),
        ("CHAR(4)", json!(["a", "漢字"])),
        ("VARCHAR(8)", json!(["x y", "%41"])),
        ("STRING", json!(["plain", "a/b=c:d"])),
        ("DATE", json!(["2024-02-29", "1969-12-31", "0099-01-01"])),
        ("TIME", json!(["12:34:56.000", "00:00:00.000"])),
        ("TIME(3)", json!(["12:34:56.789", "00:00:00.001"])),
        ("TIMESTAMP(0)", json!(["2024-02-29T12:00:00.000000000", "1969-12-31T23:59:59.000000000"])),
        ("TIMESTAMP(3)", json!(["2024-02-29T12:00:00.120000000", "1969-12-31T23:59:59.999000000"])),
        ("TIMESTAMP(6)", json!(["2024-02-29T12:00:00.000001000", "2024-02-29T00:00:00.000000000"])),
        ("TIMESTAMP(9)", json!(["2024-02-29T12:00:00.123456789", "1969-12-31T23:59:59.999999999"])),
        ("TIMESTAMP(3) WITH LOCAL TIME ZONE", json!(["2024-02-29T12:00:00.120000000Z"])),
        ("TIMESTAMP(6) WITH LOCAL TIME ZONE", json!(["2024-02-29T12:00:00.000001000Z"])),
    ]
}

/// Directories that hold data files.
fn directories(subject: &Subject) -> Vec<String> {
    let mut found: Vec<String> = list_files(subject.path())
        .iter()
        .filter_map(|f| f.split_once("/bucket-").map(|(partition, _)| partition.to_owned()))
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn partitions_of_every_type_get_the_directories_that_java_gives() {
    let test = "partitions_of_every_type_get_the_directories_that_java_gives";
    let Some(oracle) = require_java(test) else { return };
    for legacy in ["true", "false"] {
        for (t, values) in partition_types() {
            let options = json!({ "bucket": "-1", "partition.legacy-name": legacy });
            let table = schema(&[("v", "INT"), ("p", t)], &[], &["p"], &options);
            let mut values = values.as_array().unwrap().clone();
            values.push(Value::Null);
            let row = |v: i32| move |p: &Value| json!({ "v": v, "p": p });
            let mut subject = Subject::new(oracle, &table);
            subject.we_write(&values.iter().map(row(1)).collect::<Vec<_>>()).agrees();
            let ours = directories(&subject);
            assert_eq!(ours.len(), values.len(), "{t}: {ours:?}");
            // The same values by Java: a name of its own would be one more directory.
            subject.java_writes(&values.iter().map(row(2)).collect::<Vec<_>>()).agrees();
            assert_eq!(directories(&subject), ours, "{t}, legacy names {legacy}");
        }
    }
}

#[test]
fn several_partition_columns_take_turns() {
    let Some(oracle) = require_java("several_partition_columns_take_turns") else { return };
    let types = partition_types();
    let names: Vec<String> = (0..types.len()).map(|i| format!("p{i}")).collect();
    let mut fields = vec![("k", "INT")];
    fields.extend(names.iter().map(String::as_str).zip(types.iter().map(|t| t.0)));
    let part: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut pk = part.clone();
    pk.push("k");
    for legacy in ["true", "false"] {
        let options = json!({ "bucket": "2", "partition.legacy-name": legacy });
        let table = schema(&fields, &pk, &part, &options);
        Subject::new(oracle, &table).takes_turns(|commit| {
            (0..6_usize)
                .map(|number| {
                    let mut row = json!({ "k": number });
                    for (name, (_, values)) in names.iter().zip(&types) {
                        let values = values.as_array().unwrap();
                        row[name] = values[(number + commit) % 2 % values.len()].clone();
                    }
                    row
                })
                .collect()
        });
    }
}

#[test]
fn blank_and_special_partition_values_round_trip() {
    let Some(oracle) = require_java("blank_and_special_partition_values_round_trip") else {
        return;
    };
    let values = [
        json!(null),
        json!(""),
        json!("  "),
        json!("__DEFAULT_PARTITION__"),
        json!("a b"),
        json!("\u{1}\t\n\u{7f}"),
        json!("\"#%'*/:=?\\{}[]^"),
        json!("%2F"),
        json!(".."),
        json!("漢字😀"),
        json!("é|<>&;!"),
    ];
    for options in [
        json!({ "bucket": "-1" }),
        json!({ "bucket": "-1", "partition.default-name": "nothing/here" }),
        json!({ "bucket": "2", "bucket-key": "v", "partition.legacy-name": "false" }),
    ] {
        let fields = [("v", "INT"), ("p/=1", "STRING"), ("q", "STRING")];
        let table = schema(&fields, &[], &["p/=1", "q"], &options);
        let rows = |commit: usize| -> Vec<Value> {
            let rows = values.iter().enumerate();
            rows.map(|(at, value)| {
                let other = &values[(at + commit % 2) % values.len()];
                json!({ "v": at + 100 * commit, "p/=1": value, "q": other })
            })
            .collect()
        };
        Subject::new(oracle, &table).takes_turns(rows);
    }
}

#[test]
fn a_hundred_partitions_of_four_buckets_round_trip() {
    let Some(oracle) = require_java("a_hundred_partitions_of_four_buckets_round_trip") else {
        return;
    };
    let fields = [("k", "BIGINT"), ("p", "INT"), ("v", "STRING")];
    let table = schema(&fields, &["p", "k"], &["p"], &json!({ "bucket": "4" }));
    let row =
        |commit: usize, p: usize, k: usize| json!({ "k": k, "p": p, "v": format!("v{commit}") });
    let mut subject = Subject::new(oracle, &table);
    let all = |commit| (0..2_000).map(|n| row(commit, n % 100, n / 100)).collect::<Vec<_>>();
    subject.we_write(&all(0)).agrees();
    let buckets = subject.metadata().iter().filter(|m| m["what"] == "entry").count();
    assert_eq!(buckets, 400);
    subject.java_writes(&(0..60).map(|n| row(1, n, n % 7)).collect::<Vec<_>>()).agrees();
    subject.we_write(&(0..60).map(|n| row(2, n + 30, n % 5)).collect::<Vec<_>>());
    subject.java_writes(&(0..30).map(|n| row(3, 100 + n, n)).collect::<Vec<_>>());
    subject.we_write(&(0..30).map(|n| row(4, 110 + n, n)).collect::<Vec<_>>()).agrees();
}
