//! What a table knows about one of its data files.
//!
//! Format: `docs/spec/manifest.md#data-file`. Source: Paimon 1.4.2 `DataFileMeta`.

use crate::row::BinaryRow;
use crate::stats::SimpleStats;

/// Which operation made a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileSource {
    /// Written by a flush.
    Append,
    /// Written by a compaction.
    Compact,
}

/// Metadata of one data file, as manifests store it.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFileMeta {
    /// Bare name inside the bucket directory.
    pub file_name: String,
    /// Size in bytes.
    pub file_size: i64,
    /// Rows, retractions included.
    pub row_count: i64,
    /// First key (trimmed primary key); the empty row for append tables.
    pub min_key: BinaryRow,
    /// Last key; the empty row for append tables.
    pub max_key: BinaryRow,
    /// Statistics of the key columns, one slot for each.
    pub key_stats: SimpleStats,
    /// Statistics of the value columns named by `value_stats_cols`.
    pub value_stats: SimpleStats,
    /// Smallest sequence number of a row.
    pub min_sequence_number: i64,
    /// Largest sequence number of a row.
    pub max_sequence_number: i64,
    /// Schema that the file was written with.
    pub schema_id: i64,
    /// LSM level, 0 for append tables.
    pub level: i32,
    /// Files that live and die with this one, by name, in the same directory.
    pub extra_files: Vec<String>,
    /// Wall clock of the writer in its own zone, in milliseconds as if it were UTC.
    pub creation_time_millis: Option<i64>,
    /// Rows of kind -U or -D; unknown in old files.
    pub delete_row_count: Option<i64>,
    /// A small file index kept in the manifest.
    pub embedded_index: Option<Vec<u8>>,
    /// What made the file; unknown in old files.
    pub file_source: Option<FileSource>,
    /// Columns that `value_stats` covers, in order; `None` means all columns of the schema.
    pub value_stats_cols: Option<Vec<String>>,
    /// Full path of a file outside of its bucket directory.
    pub external_path: Option<String>,
    /// First row id of a row-tracking table.
    pub first_row_id: Option<i64>,
    /// Columns physically in the file; `None` means all.
    pub write_cols: Option<Vec<String>>,
}
