//! Manifest lists, manifests and index manifests: rows and their Avro files.
//!
//! Format: `docs/spec/manifest.md`. Source: Paimon 1.4.2 `ManifestFileMeta`, `ManifestEntry`,
//! `IndexManifestEntry`.

pub mod avro;
mod entry;
mod index;
mod list;
mod merge;

pub use avro::{AvroWriteOptions, Codec};
pub use entry::{EntryWriter, read_entries, write_entries};
pub use index::{read_index, write_index};
pub use list::{read_list, write_list};
pub use merge::{FileIdentity, merge_entries};

use crate::data_file::DataFileMeta;
use crate::row::BinaryRow;
use crate::stats::SimpleStats;

/// Whether a manifest entry adds or removes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// The file is part of the table from this snapshot on.
    Add,
    /// The file is no longer part of the table.
    Delete,
}

/// One row of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestEntry {
    /// Add or delete.
    pub kind: EntryKind,
    /// Partition values; the empty row for tables without partitions.
    pub partition: BinaryRow,
    /// Bucket; -2 is the postpone bucket.
    pub bucket: i32,
    /// Bucket count when the file was written: N, -1 dynamic or unaware, -2 postpone.
    pub total_buckets: i32,
    /// The file.
    pub file: DataFileMeta,
}

/// One row of a manifest list: what one manifest file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestFileMeta {
    /// Bare name inside `manifest/`.
    pub file_name: String,
    /// Size in bytes.
    pub file_size: i64,
    /// ADD entries inside.
    pub num_added_files: i64,
    /// DELETE entries inside.
    pub num_deleted_files: i64,
    /// Statistics of the partition columns over all entries.
    pub partition_stats: SimpleStats,
    /// Largest schema id of the files inside.
    pub schema_id: i64,
    /// Smallest bucket inside; unknown in old lists.
    pub min_bucket: Option<i32>,
    /// Largest bucket inside.
    pub max_bucket: Option<i32>,
    /// Smallest level inside.
    pub min_level: Option<i32>,
    /// Largest level inside.
    pub max_level: Option<i32>,
    /// Smallest first row id; `None` as soon as one entry has none.
    pub min_row_id: Option<i64>,
    /// Largest row id.
    pub max_row_id: Option<i64>,
}

/// Where one data file's deletion vector lies in an index file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionVectorRange {
    /// The data file.
    pub data_file: String,
    /// Offset in the index file, in bytes.
    pub offset: i32,
    /// Length in bytes.
    pub length: i32,
    /// Deleted rows; unknown in old files.
    pub cardinality: Option<i64>,
}

/// Row range and field of a global index file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalIndexMeta {
    /// First row id covered.
    pub row_range_start: i64,
    /// Last row id covered.
    pub row_range_end: i64,
    /// Indexed field.
    pub index_field_id: i32,
    /// Further fields.
    pub extra_field_ids: Option<Vec<i32>>,
    /// Bytes of the index implementation.
    pub index_meta: Option<Vec<u8>>,
}

/// One row of an index manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexManifestEntry {
    /// Always add in stored files.
    pub kind: EntryKind,
    /// Partition values.
    pub partition: BinaryRow,
    /// Bucket.
    pub bucket: i32,
    /// `HASH`, `DELETION_VECTORS` or the name of a global index.
    pub index_type: String,
    /// Bare name inside `index/`.
    pub file_name: String,
    /// Size in bytes.
    pub file_size: i64,
    /// Hashes or deletion vectors inside.
    pub row_count: i64,
    /// Where each data file's vector lies.
    pub deletion_vectors: Option<Vec<DeletionVectorRange>>,
    /// Full path of a file outside of the table.
    pub external_path: Option<String>,
    /// Global index.
    pub global_index: Option<GlobalIndexMeta>,
}
