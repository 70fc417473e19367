//! Names of files and directories inside a warehouse and a table, relative and '/'-separated.
//!
//! Format: `docs/spec/layout.md`. Source: Paimon 1.4.2 `FileStorePathFactory`,
//! `DataFilePathFactory`, `SnapshotManager`, `SchemaManager`.

use crate::error::SpecError;

/// Directory of schemas.
pub const SCHEMA_DIR: &str = "schema";
/// Directory of snapshots and their hints.
pub const SNAPSHOT_DIR: &str = "snapshot";
/// Directory of manifests, manifest lists and index manifests.
pub const MANIFEST_DIR: &str = "manifest";
/// Directory of index files.
pub const INDEX_DIR: &str = "index";
/// Directory of table statistics.
pub const STATISTICS_DIR: &str = "statistics";
/// Directory of changelogs that outlive their snapshots.
pub const CHANGELOG_DIR: &str = "changelog";
/// Directory of tags.
pub const TAG_DIR: &str = "tag";
/// Directory of consumers.
pub const CONSUMER_DIR: &str = "consumer";
/// Directory of branches.
pub const BRANCH_DIR: &str = "branch";
/// Hint: id of the newest snapshot, as text.
pub const LATEST_HINT: &str = "snapshot/LATEST";
/// Hint: id of the oldest snapshot, as text.
pub const EARLIEST_HINT: &str = "snapshot/EARLIEST";
/// Suffix of a database directory.
pub const DATABASE_SUFFIX: &str = ".db";
/// Bucket number of rows that a later compaction distributes.
pub const POSTPONE_BUCKET: i32 = -2;

/// Longest name that file systems take, in bytes.
const MAX_NAME: usize = 255;

/// Path of a schema: `schema/schema-3`.
#[must_use]
pub fn schema_file(id: i64) -> String {
    format!("{SCHEMA_DIR}/schema-{id}")
}

/// Path of a snapshot: `snapshot/snapshot-3`.
#[must_use]
pub fn snapshot_file(id: i64) -> String {
    format!("{SNAPSHOT_DIR}/snapshot-{id}")
}

/// Path of a changelog that outlives its snapshot: `changelog/changelog-3`.
#[must_use]
pub fn changelog_file(id: i64) -> String {
    format!("{CHANGELOG_DIR}/changelog-{id}")
}

/// Path of a tag: `tag/tag-name`.
#[must_use]
pub fn tag_file(name: &str) -> String {
    format!("{TAG_DIR}/tag-{name}")
}

/// Path of a consumer: `consumer/consumer-name`.
#[must_use]
pub fn consumer_file(name: &str) -> String {
    format!("{CONSUMER_DIR}/consumer-{name}")
}

/// Path of a branch: `branch/branch-name`.
#[must_use]
pub fn branch_dir(name: &str) -> String {
    format!("{BRANCH_DIR}/branch-{name}")
}

/// Path of a manifest, manifest list or index manifest.
#[must_use]
pub fn manifest_file(name: &str) -> String {
    format!("{MANIFEST_DIR}/{name}")
}

/// Path of an index file.
#[must_use]
pub fn index_file(name: &str) -> String {
    format!("{INDEX_DIR}/{name}")
}

/// Path of a statistics file.
#[must_use]
pub fn statistics_file(name: &str) -> String {
    format!("{STATISTICS_DIR}/{name}")
}

/// Directory of a database: `name.db`.
#[must_use]
pub fn database_dir(database: &str) -> String {
    format!("{database}{DATABASE_SUFFIX}")
}

/// Directory of a table: `database.db/table`.
#[must_use]
pub fn table_dir(database: &str, table: &str) -> String {
    format!("{database}{DATABASE_SUFFIX}/{table}")
}

/// Kinds of metadata files whose names are random and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetadataFile {
    /// `manifest-U-n`
    Manifest,
    /// `manifest-list-U-n`
    ManifestList,
    /// `index-manifest-U-n`
    IndexManifest,
    /// `index-U-n`
    Index,
    /// `stat-U-n`
    Statistics,
}

/// Bare name of a metadata file.
///
/// `uuid`: random, one per writer or committer; `counter`: from 0 for each kind.
#[must_use]
pub fn metadata_file_name(kind: MetadataFile, uuid: &str, counter: u64) -> String {
    let prefix = match kind {
        MetadataFile::Manifest => "manifest",
        MetadataFile::ManifestList => "manifest-list",
        MetadataFile::IndexManifest => "index-manifest",
        MetadataFile::Index => "index",
        MetadataFile::Statistics => "stat",
    };
    format!("{prefix}-{uuid}-{counter}")
}

/// Bare name of a data or changelog file: `data-U-3.parquet`.
///
/// `prefix`: `data-file.prefix` or `changelog-file.prefix`, with its dash; `uuid`: random, one per
/// writer of a bucket, `counter`: shared by all files of that writer.
#[must_use]
pub fn data_file_name(prefix: &str, uuid: &str, counter: u64, extension: &str) -> String {
    format!("{prefix}{uuid}-{counter}.{extension}")
}

/// Directory of a bucket inside the table.
///
/// `partition_path`: empty, or with a '/' at its end, as
/// [`partition_path`](crate::partition::partition_path) gives it.
#[must_use]
pub fn bucket_dir(partition_path: &str, bucket: i32) -> String {
    if bucket == POSTPONE_BUCKET {
        format!("{partition_path}bucket-postpone")
    } else {
        format!("{partition_path}bucket-{bucket}")
    }
}

/// The number at the end of a name such as `snapshot-12`; `None` when it is another name.
#[must_use]
pub fn number_after(name: &str, prefix: &str) -> Option<i64> {
    let digits = name.strip_prefix(prefix)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// Whether a name is one that an atomic write uses before its rename: `.name.uuid.tmp`.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".tmp")
}

/// What a user names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A database.
    Database,
    /// A table.
    Table,
    /// A branch.
    Branch,
    /// A tag.
    Tag,
}

impl ObjectKind {
    const fn noun(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Table => "table",
            Self::Branch => "branch",
            Self::Tag => "tag",
        }
    }
}

/// Refuses a name that cannot be one path component of its own, or that Paimon reads otherwise:
/// `$` in a table's name separates a system table or branch, `.db` marks a database.
///
/// # Errors
/// [`SpecError::Definition`] names the rule.
pub fn check_object_name(kind: ObjectKind, name: &str) -> Result<(), SpecError> {
    // The longest affix is that of a branch directory.
    let longest = MAX_NAME - "branch-".len();
    let reason = component_fault(name, longest).or_else(|| match kind {
        _ if name.trim().is_empty() => Some("it is blank".to_owned()),
        ObjectKind::Table if name.contains('$') => Some("it contains '$'".to_owned()),
        ObjectKind::Table | ObjectKind::Database if name.ends_with(DATABASE_SUFFIX) => {
            Some(format!("it ends with '{DATABASE_SUFFIX}'"))
        }
        _ => None,
    });
    match reason {
        None => Ok(()),
        Some(reason) => Err(SpecError::Definition {
            reason: format!("{name:?} cannot be the name of a {}: {reason}", kind.noun()),
        }),
    }
}

/// Refuses a file name, read from stored bytes, that would lead out of its directory.
///
/// # Errors
/// [`SpecError::Corrupt`] names the rule.
pub fn check_file_name(name: &str) -> Result<(), SpecError> {
    match component_fault(name, MAX_NAME) {
        None => Ok(()),
        Some(reason) => Err(SpecError::corrupt("file name", format!("{name:?}: {reason}"))),
    }
}

/// Why `name` is no path component of up to `longest` bytes.
fn component_fault(name: &str, longest: usize) -> Option<String> {
    if name.is_empty() {
        return Some("it is empty".into());
    }
    if name == "." || name == ".." {
        return Some("it is a relative directory".into());
    }
    if name.len() > longest {
        return Some(format!("it has {} bytes, more than {longest}", name.len()));
    }
    let bad = name.chars().find(|c| matches!(c, '/' | '\\') || c.is_control())?;
    Some(format!("it contains {bad:?}"))
}

#[cfg(test)]
mod tests {
    use super::{
        ObjectKind, bucket_dir, check_file_name, check_object_name, data_file_name, is_temporary,
        number_after, schema_file, snapshot_file, table_dir,
    };

    #[test]
    fn names_follow_the_layout() {
        assert_eq!(schema_file(3), "schema/schema-3");
        assert_eq!(snapshot_file(12), "snapshot/snapshot-12");
        assert_eq!(table_dir("a", "t"), "a.db/t");
        assert_eq!(data_file_name("data-", "u", 2, "parquet"), "data-u-2.parquet");
        assert_eq!(bucket_dir("dt=1/", 4), "dt=1/bucket-4");
        assert_eq!(bucket_dir("", -2), "bucket-postpone");
    }

    #[test]
    fn numbers_come_only_from_digits() {
        assert_eq!(number_after("snapshot-12", "snapshot-"), Some(12));
        for name in ["snapshot-", "snapshot-x", "snapshot--1", "snapshot-+1", "LATEST"] {
            assert_eq!(number_after(name, "snapshot-"), None, "{name}");
        }
        assert_eq!(number_after("snapshot-99999999999999999999", "snapshot-"), None);
    }

    #[test]
    fn temporary_names_are_known() {
        assert!(is_temporary(".snapshot-1.0b1c.tmp"));
        assert!(!is_temporary("snapshot-1"));
    }

    #[test]
    fn names_that_leave_their_directory_are_refused() {
        let long = "x".repeat(256);
        for name in ["", ".", "..", "a/b", "a\\b", "a\0", "a\n", "../x", &long] {
            assert!(check_file_name(name).is_err(), "{name:?}");
            assert!(check_object_name(ObjectKind::Table, name).is_err(), "{name:?}");
        }
        assert!(check_file_name("data-u-0.parquet").is_ok());
    }

    #[test]
    fn names_with_a_meaning_of_their_own_are_refused() {
        assert!(check_object_name(ObjectKind::Table, "t$snapshots").is_err());
        assert!(check_object_name(ObjectKind::Database, "a.db").is_err());
        assert!(check_object_name(ObjectKind::Table, " ").is_err());
        assert!(check_object_name(ObjectKind::Table, "Grüße 2").is_ok());
    }
}
