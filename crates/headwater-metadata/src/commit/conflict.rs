//! Rules that a commit must keep relative to what is live.
//!
//! Rules: `docs/spec/commit.md#conflicts`. Source: Paimon 1.4.2 `ConflictDetection`.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use headwater_spec::manifest::{EntryKind, ManifestEntry};
use headwater_spec::{BinaryRow, CommitKind, DataType, Datum};

/// Checks `delta` against the live files of the changed partitions; the error is the broken rule.
pub(super) fn check(
    base: &[ManifestEntry],
    delta: &[ManifestEntry],
    kind: CommitKind,
    key_types: &[DataType],
) -> Result<(), String> {
    if kind != CommitKind::Overwrite {
        same_bucket_count(base, delta)?;
    }
    let mut live: HashMap<_, &ManifestEntry> = HashMap::with_capacity(base.len());
    for entry in base {
        live.insert(entry.identity(), entry);
    }
    let mut added = HashSet::new();
    for entry in delta {
        let identity = entry.identity();
        let name = &entry.file.file_name;
        match entry.kind {
            EntryKind::Add => {
                if !added.insert(identity.clone()) || live.insert(identity, entry).is_some() {
                    return Err(format!("file {name} would be added twice"));
                }
            }
            EntryKind::Delete => {
                if live.remove(&identity).is_none() {
                    return Err(format!(
                        "file {name} is to be removed but another commit has removed it already: run the statement again"
                    ));
                }
            }
        }
    }
    if key_types.is_empty() { Ok(()) } else { no_overlap(live.into_values(), key_types) }
}

fn same_bucket_count(base: &[ManifestEntry], delta: &[ManifestEntry]) -> Result<(), String> {
    let mut counts: HashMap<&BinaryRow, i32> = HashMap::new();
    for entry in base.iter().chain(delta).filter(|e| e.total_buckets > 0) {
        let known = *counts.entry(&entry.partition).or_insert(entry.total_buckets);
        if known != entry.total_buckets {
            return Err(format!(
                "the partition has {known} buckets, this commit writes {}: rewrite it with INSERT OVERWRITE",
                entry.total_buckets
            ));
        }
    }
    Ok(())
}

/// Files of one level above 0 of a bucket must not share keys.
fn no_overlap<'a>(
    live: impl Iterator<Item = &'a ManifestEntry>,
    key_types: &[DataType],
) -> Result<(), String> {
    let mut levels: HashMap<(&BinaryRow, i32, i32), Vec<KeyRange<'_>>> = HashMap::new();
    for entry in live.filter(|e| e.file.level >= 1) {
        let key = |row: &BinaryRow| row.to_values(key_types).map_err(|e| e.to_string());
        let range =
            (key(&entry.file.min_key)?, key(&entry.file.max_key)?, entry.file.file_name.as_str());
        levels.entry((&entry.partition, entry.bucket, entry.file.level)).or_default().push(range);
    }
    for ((_, bucket, level), mut files) in levels {
        files.sort_by(|a, b| compare(&a.0, &b.0));
        for pair in files.windows(2) {
            if let [first, second] = pair
                && compare(&first.1, &second.0) != Ordering::Less
            {
                return Err(format!(
                    "files {} and {} of bucket {bucket} would overlap on level {level}",
                    first.2, second.2
                ));
            }
        }
    }
    Ok(())
}

type Key = Vec<Option<Datum>>;
/// First key, last key and name of a file.
type KeyRange<'a> = (Key, Key, &'a str);

fn compare(a: &Key, b: &Key) -> Ordering {
    for (x, y) in a.iter().zip(b) {
        let order = match (x, y) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(x), Some(y)) => x.compare(y).unwrap_or(Ordering::Equal),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests;
