//! How data files are named, compressed and laid out.

use headwater_testkit::{files::list_files, require_java};
use serde_json::{Value, json};

use super::subject::{Subject, change, schema};

const FIELDS: [(&str, &str); 5] = [
    ("k", "INT"),
    ("s", "STRING"),
    ("d", "DECIMAL(20, 3)"),
    ("t", "TIMESTAMP(9)"),
    ("a", "ARRAY<STRING>"),
];

fn rows(commit: usize) -> Vec<Value> {
    (0..30_usize)
        .map(|n| {
            change(
                if commit > 0 && n % 7 == commit { "-D" } else { "+I" },
                &json!({
                    "k": n + commit,
                    "s": format!("text {commit} {}", "漢字".repeat(n)),
                    "d": format!("{n}.125"),
                    "t": "2024-02-29T12:00:00.123456789",
                    "a": ["x", null],
                }),
            )
        })
        .collect()
}

fn takes_turns(test: &str, variants: &[Value]) -> Vec<Vec<String>> {
    let Some(oracle) = require_java(test) else { return Vec::new() };
    let mut found = Vec::new();
    for variant in variants {
        let mut options = variant.clone();
        options["bucket"] = json!("2");
        let mut subject = Subject::new(oracle, &schema(&FIELDS, &["k"], &[], &options));
        subject.we_write(&rows(0)).agrees();
        found.push(list_files(subject.path()));
        subject.java_writes(&rows(1)).we_write(&rows(2)).java_compacts().agrees();
        subject.we_write(&rows(3)).agrees();
    }
    found
}

#[test]
fn every_compression_is_read_by_java() {
    let mut variants: Vec<Value> = ["zstd", "lz4", "snappy", "gzip", "none"]
        .iter()
        .map(|c| json!({ "file.compression": c }))
        .collect();
    for level in ["3", "9", "22"] {
        variants.push(json!({ "file.compression": "zstd", "file.compression.zstd-level": level }));
    }
    variants.push(json!({ "file.compression.per.level": "0:snappy,5:gzip" }));
    variants.push(json!({ "parquet.compression": "gzip" }));
    variants.push(json!({ "manifest.compression": "snappy" }));
    variants.push(json!({ "manifest.compression": "null" }));
    variants.push(json!({ "manifest.compression": "deflate" }));
    takes_turns("every_compression_is_read_by_java", &variants);
}

#[test]
fn names_and_layouts_of_files_are_found_by_java() {
    let variants = [
        json!({ "data-file.prefix": "mine-" }),
        json!({ "data-file.path-directory": "deep/data" }),
        json!({ "file.suffix.include.compression": "true", "file.compression": "snappy" }),
        json!({ "data-file.thin-mode": "true" }),
        json!({ "data-file.thin-mode": "true", "data-file.prefix": "thin-", "write-only": "true" }),
        json!({ "parquet.enable.dictionary": "false", "file.block-size": "4 kb", "parquet.page.size": "512" }),
        json!({ "target-file-size": "1 kb", "write-only": "true" }),
        json!({ "write-buffer-size": "64 kb", "page-size": "4 kb", "write-only": "true" }),
        json!({ "write-buffer-size": "64 kb", "page-size": "4 kb", "write-buffer-spillable": "false" }),
    ];
    let found = takes_turns("names_and_layouts_of_files_are_found_by_java", &variants);
    if found.is_empty() {
        return;
    }
    let has = |at: usize, part: &str| found[at].iter().any(|f: &String| f.contains(part));
    assert!(has(0, "bucket-0/mine-"), "{:?}", found[0]);
    assert!(has(1, "deep/data/bucket-0/data-"), "{:?}", found[1]);
    assert!(has(2, ".snappy.parquet"), "{:?}", found[2]);
}

#[test]
fn a_large_write_rolls_into_files_that_java_reads() {
    let Some(oracle) = require_java("a_large_write_rolls_into_files_that_java_reads") else {
        return;
    };
    let options = json!({ "bucket": "1", "target-file-size": "20 kb", "write-only": "true" });
    let fields = [("k", "INT"), ("s", "STRING")];
    for (pk, options) in [
        (vec!["k"], options),
        (vec![], json!({ "bucket": "-1", "target-file-size": "20 kb", "write-only": "true" })),
    ] {
        let mut subject = Subject::new(oracle, &schema(&fields, &pk, &[], &options));
        let rows = |count: usize, step: usize| -> Vec<Value> {
            // Texts that do not compress well.
            let text = |n: usize| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            (0..count).map(|n| json!({ "k": n * step, "s": text(n * step) })).collect()
        };
        subject.we_write(&rows(9_000, 2)).agrees();
        let entries = subject.metadata().iter().filter(|m| m["what"] == "entry").count();
        assert!(entries > 1, "{entries} files");
        subject.java_writes(&rows(1_000, 3)).agrees();
        subject.java_compacts().we_write(&rows(1_000, 5)).agrees();
    }
}
