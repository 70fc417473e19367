//! Statistics in manifests: Java's check bounds them, and they equal those that Java writes.

use headwater_testkit::{TempDir, amount, require_java};
use serde_json::{Value, json};

use super::subject::{Subject, change, schema};

const FIELDS: [(&str, &str); 15] = [
    ("k", "INT NOT NULL"),
    ("s", "STRING"),
    ("c", "CHAR(20)"),
    ("b", "BYTES"),
    ("d", "DECIMAL(9, 2)"),
    ("e", "DECIMAL(38, 2)"),
    ("f", "DOUBLE"),
    ("t3", "TIMESTAMP(3)"),
    ("t6", "TIMESTAMP(6) WITH LOCAL TIME ZONE"),
    ("t9", "TIMESTAMP(9)"),
    ("day", "DATE"),
    ("a", "ARRAY<INT>"),
    ("r", "ROW<x INT, y STRING>"),
    ("o", "BOOLEAN"),
    ("p", "INT"),
];

/// Strings whose bound needs care: cut inside, no larger character, surrogates to be stepped over.
const TEXTS: [&str; 7] = [
    "short",
    "exactly 16 chars",
    "longer than sixteen characters",
    "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
    "\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}",
    "aaaaaaaaaaaaaaa\u{d7ff}bcd",
    "aaaaaaaaaaaaaaa\u{10ffff}bcd",
];

fn row(k: usize, text: Option<&str>) -> Value {
    let given = |value: Value| if k.is_multiple_of(3) { Value::Null } else { value };
    json!({
        "k": k,
        "s": text,
        "c": text.map(|t| t.chars().take(20).collect::<String>()),
        "b": given(json!("00ff")),
        "d": given(json!(format!("{k}.25"))),
        "e": given(json!(format!("-{k}000000000000000000.25"))),
        "f": given(json!(format!("{:016x}", (k as f64).to_bits()))),
        "t3": given(json!("2024-02-29T12:00:00.123000000")),
        "t6": given(json!("2024-02-29T12:00:00.123456000Z")),
        "t9": given(json!("2024-02-29T12:00:00.123456789")),
        "day": given(json!("2024-02-29")),
        "a": given(json!([1, null])),
        "r": given(json!({ "x": 1, "y": null })),
        "o": given(json!(k.is_multiple_of(2))),
    })
}

/// A partition, and so a file, for each text with others, and one with nulls only.
fn rows() -> Vec<Value> {
    let mut files: Vec<Vec<Value>> = TEXTS
        .iter()
        .enumerate()
        .map(|(n, text)| {
            vec![row(3 * n, None), row(3 * n + 1, Some(text)), row(3 * n + 2, Some("m"))]
        })
        .collect();
    files.push(vec![row(99, None)]);
    files.push(vec![row(101, Some(TEXTS[4])), row(100, Some(TEXTS[3])), row(102, Some(""))]);
    for (partition, row) in
        files.iter_mut().enumerate().flat_map(|(p, c)| c.iter_mut().map(move |r| (p, r)))
    {
        row["p"] = json!(partition);
    }
    files.concat()
}

/// What describes the files of a table, without names, sizes and times.
fn described(metadata: Vec<Value>) -> Vec<Value> {
    let entries = metadata.into_iter().filter(|m| m["what"] == "entry" || m["what"] == "manifest");
    let mut entries: Vec<Value> = entries
        .map(|mut entry| {
            let fields = entry.as_object_mut().unwrap();
            for own in ["manifest", "file", "list", "size", "created_ms"] {
                fields.remove(own);
            }
            entry
        })
        .collect();
    entries.sort_by_key(Value::to_string);
    entries
}

#[test]
fn statistics_equal_those_that_java_writes_for_the_same_rows() {
    let test = "statistics_equal_those_that_java_writes_for_the_same_rows";
    let Some(oracle) = require_java(test) else { return };
    for options in [
        json!({}),
        json!({ "metadata.stats-mode": "none" }),
        json!({ "metadata.stats-mode": "counts" }),
        json!({ "metadata.stats-mode": "full" }),
        json!({ "metadata.stats-mode": "truncate(3)" }),
        json!({ "metadata.stats-dense-store": "false" }),
        json!({ "metadata.stats-mode": "none", "metadata.stats-dense-store": "false" }),
        json!({ "metadata.stats-mode": "none", "fields.s.stats-mode": "full", "fields.d.stats-mode": "counts" }),
        json!({ "fields.s.stats-mode": "truncate(5)", "fields.k.stats-mode": "none" }),
        json!({ "metadata.stats-keep-first-n-columns": "3" }),
        json!({ "metadata.stats-keep-first-n-columns": "0" }),
        json!({ "metadata.stats-mode.per.level": "0:none,5:full" }),
        json!({ "data-file.thin-mode": "true" }),
    ] {
        for pk in [&["p", "k"][..], &["s", "k", "p"], &[]] {
            // Without a value the key cannot hold the text.
            let texts = pk.contains(&"s");
            let special = options.as_object().unwrap().keys().any(|k| k.starts_with("metadata"));
            if texts && special && amount(0, 1) == 0 {
                continue;
            }
            let mut options = options.clone();
            options["write-only"] = json!("true");
            options["bucket"] = json!(if pk.is_empty() { "-1" } else { "1" });
            let table = schema(&FIELDS, pk, &["p"], &options);
            let mut ours = Subject::new(oracle, &table);
            let java = TempDir::new();
            let java = java.join("t");
            oracle.create(&java, &table);
            let mut rows = rows();
            rows.retain(|r| !texts || !r["s"].is_null());
            ours.we_write(&rows);
            oracle.commit(&java, &rows);
            if !pk.is_empty() {
                let gone = [change("-D", &rows[0]), change("+U", &rows[1])];
                ours.we_write(&gone);
                oracle.commit(&java, &gone);
            }
            ours.agrees();
            let (ours, java) = (described(ours.metadata()), described(oracle.files(&java)));
            for (one, other) in ours.iter().zip(&java) {
                assert_eq!(one, other, "key {pk:?}, {options}: ours (left) and Java's (right)");
            }
            assert_eq!(ours.len(), java.len(), "key {pk:?}, {options}");
        }
    }
}
