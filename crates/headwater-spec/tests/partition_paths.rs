//! Directories of partitions that stock Java wrote.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads its fixtures, and fails when they are not as described"
)]

mod canonical;

use std::collections::BTreeSet;
use std::path::Path;

use canonical::datum;
use headwater_spec::DataType;
use headwater_spec::partition::{partition_path, unescape};
use headwater_testkit::{Golden, expected, golden_tables};
use serde_json::Value;

/// Directories of partitions of the newest rows, as this crate names them.
fn computed(table: &Golden, names: &[String]) -> BTreeSet<String> {
    let fields = table.meta["fields"].as_array().unwrap();
    let types: Vec<DataType> = names
        .iter()
        .map(|name| {
            let field = fields.iter().find(|f| f["name"] == name.as_str()).unwrap();
            DataType::parse(field["type"].as_str().unwrap()).unwrap()
        })
        .collect();
    let default = table.option("partition.default-name").unwrap_or("__DEFAULT_PARTITION__");
    let legacy = table.option("partition.legacy-name") != Some("false");
    let rows = expected(&table.name, "latest.jsonl").unwrap_or_default();
    rows.lines()
        .map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            let values: Vec<_> =
                names.iter().zip(&types).map(|(name, t)| datum(&row["row"][name], t)).collect();
            partition_path(names, &types, &values, default, legacy).unwrap()
        })
        .collect()
}

/// Partition directories below `dir`, which hold the buckets.
fn on_disk(dir: &Path, levels: usize) -> BTreeSet<String> {
    if levels == 0 {
        return BTreeSet::from([String::new()]);
    }
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.contains('=') {
            let below = on_disk(&dir.join(&name), levels - 1);
            found.extend(below.into_iter().map(|rest| format!("{name}/{rest}")));
        }
    }
    found
}

#[test]
fn partitions_of_the_golden_tables_are_in_the_directories_of_java() {
    let mut checked = 0;
    for table in golden_tables() {
        let names: Vec<String> = table.meta["partition"]
            .as_array()
            .map(|names| names.iter().map(|n| n.as_str().unwrap().to_owned()).collect())
            .unwrap_or_default();
        if names.is_empty() {
            continue;
        }
        let disk = on_disk(&table.dir, names.len());
        for path in computed(&table, &names) {
            assert!(disk.contains(&path), "{path} is not among {disk:?} of {}", table.name);
            assert!(unescape(&path).contains('='), "{path}");
            checked += 1;
        }
    }
    assert!(checked >= 20, "only {checked} partitions");
}
