use headwater_spec::manifest::{EntryKind, ManifestEntry};
use headwater_spec::{BinaryRow, CommitKind, DataFileMeta, DataType, Datum, SimpleStats, TypeKind};

use super::check;

fn key_types() -> Vec<DataType> {
    vec![DataType::not_null(TypeKind::Int)]
}

fn key(value: i32) -> BinaryRow {
    BinaryRow::from_values(&[Some(Datum::Int(value))], &key_types()).unwrap()
}

fn entry(kind: EntryKind, name: &str, level: i32, keys: (i32, i32)) -> ManifestEntry {
    ManifestEntry {
        kind,
        partition: BinaryRow::empty(),
        bucket: 0,
        total_buckets: 2,
        file: DataFileMeta {
            file_name: name.into(),
            file_size: 1,
            row_count: 1,
            min_key: key(keys.0),
            max_key: key(keys.1),
            key_stats: SimpleStats::empty(),
            value_stats: SimpleStats::empty(),
            min_sequence_number: 0,
            max_sequence_number: 0,
            schema_id: 0,
            level,
            extra_files: Vec::new(),
            creation_time_millis: None,
            delete_row_count: Some(0),
            embedded_index: None,
            file_source: None,
            value_stats_cols: None,
            external_path: None,
            first_row_id: None,
            write_cols: None,
        },
    }
}

fn add(name: &str, level: i32, keys: (i32, i32)) -> ManifestEntry {
    entry(EntryKind::Add, name, level, keys)
}

fn delete(name: &str, level: i32, keys: (i32, i32)) -> ManifestEntry {
    entry(EntryKind::Delete, name, level, keys)
}

#[test]
fn upgrade_of_a_live_file_is_no_conflict() {
    let base = [add("a", 0, (1, 5)), add("b", 5, (10, 20))];
    let delta = [delete("a", 0, (1, 5)), add("a", 5, (1, 5))];
    assert_eq!(check(&base, &delta, CommitKind::Compact, &key_types()), Ok(()));
}

#[test]
fn removal_of_a_file_that_another_commit_removed_is_a_conflict() {
    let delta = [delete("a", 0, (1, 5)), add("c", 5, (1, 5))];
    let error = check(&[], &delta, CommitKind::Compact, &key_types()).unwrap_err();
    assert!(error.contains("file a") && error.contains("removed it already"), "{error}");
}

#[test]
fn files_of_one_level_above_zero_must_not_share_keys() {
    let base = [add("a", 5, (1, 5))];
    let delta = [add("b", 5, (5, 9))];
    let error = check(&base, &delta, CommitKind::Compact, &key_types()).unwrap_err();
    assert!(error.contains("overlap on level 5"), "{error}");
    // On level 0, or after the other file goes, they may.
    assert_eq!(check(&base, &[add("b", 0, (5, 9))], CommitKind::Append, &key_types()), Ok(()));
    let delta = [delete("a", 5, (1, 5)), add("b", 5, (5, 9))];
    assert_eq!(check(&base, &delta, CommitKind::Overwrite, &key_types()), Ok(()));
}

#[test]
fn the_same_file_twice_is_a_conflict() {
    let base = [add("a", 0, (1, 5))];
    assert!(check(&base, &[add("a", 0, (1, 5))], CommitKind::Append, &key_types()).is_err());
    let twice = [add("b", 0, (1, 5)), add("b", 0, (1, 5))];
    assert!(check(&base, &twice, CommitKind::Append, &key_types()).is_err());
}

#[test]
fn another_bucket_count_needs_an_overwrite() {
    let base = [add("a", 0, (1, 5))];
    let mut other = add("b", 0, (1, 5));
    other.total_buckets = 4;
    let error =
        check(&base, std::slice::from_ref(&other), CommitKind::Append, &key_types()).unwrap_err();
    assert!(error.contains("2 buckets") && error.contains("INSERT OVERWRITE"), "{error}");
    let delta = [delete("a", 0, (1, 5)), other];
    assert_eq!(check(&base, &delta, CommitKind::Overwrite, &key_types()), Ok(()));
}
