//! Manifests: the files that a snapshot adds and removes.
//!
//! Format: `docs/spec/manifest.md#manifest`. Source: Paimon 1.4.2 `ManifestEntrySerializer`,
//! `DataFileMeta#SCHEMA`.

use super::ManifestEntry;
use super::avro::AvroWriteOptions;
use super::avro::container::{RowWriter, read_rows, write_rows};
use super::avro::field::{
    Bytes, Int, ItemsOrNull, Kind, List, Long, Nullable, Row, Source, Text, Version,
};
use super::avro::record::avro_record;
use crate::data_file::DataFileMeta;
use crate::error::SpecError;
use crate::stats::SimpleStats;

/// The schema as Java writes it.
const SCHEMA: &str = concat!(
    r#"{"type":"record","name":"record","namespace":"org.apache.paimon.avro.generated","#,
    r#""fields":["#,
    r#"{"name":"_VERSION","type":"int"},"#,
    r#"{"name":"_KIND","type":"int"},"#,
    r#"{"name":"_PARTITION","type":"bytes"},"#,
    r#"{"name":"_BUCKET","type":"int"},"#,
    r#"{"name":"_TOTAL_BUCKETS","type":"int"},"#,
    r#"{"name":"_FILE","type":{"type":"record","name":"record__FILE","fields":["#,
    r#"{"name":"_FILE_NAME","type":"string"},"#,
    r#"{"name":"_FILE_SIZE","type":"long"},"#,
    r#"{"name":"_ROW_COUNT","type":"long"},"#,
    r#"{"name":"_MIN_KEY","type":"bytes"},"#,
    r#"{"name":"_MAX_KEY","type":"bytes"},"#,
    r#"{"name":"_KEY_STATS","type":{"type":"record","name":"record__FILE__KEY_STATS","#,
    r#""fields":["#,
    r#"{"name":"_MIN_VALUES","type":"bytes"},"#,
    r#"{"name":"_MAX_VALUES","type":"bytes"},"#,
    r#"{"name":"_NULL_COUNTS","type":["null",{"type":"array","items":["null","long"]}],"#,
    r#""default":null}]}},"#,
    r#"{"name":"_VALUE_STATS","type":{"type":"record","name":"record__FILE__VALUE_STATS","#,
    r#""fields":["#,
    r#"{"name":"_MIN_VALUES","type":"bytes"},"#,
    r#"{"name":"_MAX_VALUES","type":"bytes"},"#,
    r#"{"name":"_NULL_COUNTS","type":["null",{"type":"array","items":["null","long"]}],"#,
    r#""default":null}]}},"#,
    r#"{"name":"_MIN_SEQUENCE_NUMBER","type":"long"},"#,
    r#"{"name":"_MAX_SEQUENCE_NUMBER","type":"long"},"#,
    r#"{"name":"_SCHEMA_ID","type":"long"},"#,
    r#"{"name":"_LEVEL","type":"int"},"#,
    r#"{"name":"_EXTRA_FILES","type":{"type":"array","items":"string"}},"#,
    r#"{"name":"_CREATION_TIME","type":["null",{"type":"long","#,
    r#""logicalType":"timestamp-millis"}],"default":null},"#,
    r#"{"name":"_DELETE_ROW_COUNT","type":["null","long"],"default":null},"#,
    r#"{"name":"_EMBEDDED_FILE_INDEX","type":["null","bytes"],"default":null},"#,
    r#"{"name":"_FILE_SOURCE","type":["null","int"],"default":null},"#,
    r#"{"name":"_VALUE_STATS_COLS","type":["null",{"type":"array","items":"string"}],"#,
    r#""default":null},"#,
    r#"{"name":"_EXTERNAL_PATH","type":["null","string"],"default":null},"#,
    r#"{"name":"_FIRST_ROW_ID","type":["null","long"],"default":null},"#,
    r#"{"name":"_WRITE_COLS","type":["null",{"type":"array","items":"string"}],"#,
    r#""default":null}]}}]}"#,
);

avro_record!(ManifestEntry {
    check 0 "_VERSION": Version<2>,
    1 "_KIND" kind: Kind,
    2 "_PARTITION" partition: Row,
    3 "_BUCKET" bucket: Int,
    4 "_TOTAL_BUCKETS" total_buckets: Int,
    5 "_FILE" file: DataFileMeta,
});

avro_record!(DataFileMeta {
    0 "_FILE_NAME" file_name: Text,
    1 "_FILE_SIZE" file_size: Long,
    2 "_ROW_COUNT" row_count: Long,
    3 "_MIN_KEY" min_key: Row,
    4 "_MAX_KEY" max_key: Row,
    5 "_KEY_STATS" key_stats: SimpleStats,
    6 "_VALUE_STATS" value_stats: SimpleStats,
    7 "_MIN_SEQUENCE_NUMBER" min_sequence_number: Long,
    8 "_MAX_SEQUENCE_NUMBER" max_sequence_number: Long,
    9 "_SCHEMA_ID" schema_id: Long,
    10 "_LEVEL" level: Int,
    11 "_EXTRA_FILES" extra_files: List<Text>,
    12 "_CREATION_TIME" creation_time_millis: Nullable<Long>,
    13 "_DELETE_ROW_COUNT" delete_row_count: Nullable<Long>,
    14 "_EMBEDDED_FILE_INDEX" embedded_index: Nullable<Bytes>,
    15 "_FILE_SOURCE" file_source: Nullable<Source>,
    16 "_VALUE_STATS_COLS" value_stats_cols: Nullable<List<Text>>,
    17 "_EXTERNAL_PATH" external_path: Nullable<Text>,
    18 "_FIRST_ROW_ID" first_row_id: Nullable<Long>,
    19 "_WRITE_COLS" write_cols: Nullable<List<Text>>,
});

avro_record!(SimpleStats {
    0 "_MIN_VALUES" min_values: Row,
    1 "_MAX_VALUES" max_values: Row,
    2 "_NULL_COUNTS" null_counts: ItemsOrNull<Nullable<Long>>,
});

/// A manifest with these entries, in this order.
///
/// # Errors
/// [`SpecError::Option`] if the compression level does not exist.
pub fn write_entries(
    entries: &[ManifestEntry],
    options: &AvroWriteOptions,
) -> Result<Vec<u8>, SpecError> {
    write_rows::<ManifestEntry>(SCHEMA, entries, options)
}

/// The entries of a manifest, in stored order.
///
/// A file cut between two blocks looks whole: compare its length with the recorded one.
///
/// # Errors
/// [`SpecError::Truncated`] and [`SpecError::Corrupt`] for bytes that are no manifest,
/// [`SpecError::Unsupported`] for a codec, a version or a `manifest.format` not handled here.
pub fn read_entries(bytes: &[u8]) -> Result<Vec<ManifestEntry>, SpecError> {
    read_rows::<ManifestEntry>(bytes, "manifest")
}

/// Writes a manifest entry by entry, for writers that begin a new file at some size.
pub struct EntryWriter(RowWriter);

impl EntryWriter {
    /// Begins a manifest.
    ///
    /// # Errors
    /// [`SpecError::Option`] if the compression level does not exist.
    pub fn new(options: &AvroWriteOptions) -> Result<Self, SpecError> {
        RowWriter::new(SCHEMA, options).map(Self)
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// [`SpecError::Corrupt`] if a block could not be compressed.
    pub fn push(&mut self, entry: &ManifestEntry) -> Result<(), SpecError> {
        self.0.push::<ManifestEntry>(entry)
    }

    /// Bytes of the file so far; the entries of the last block, up to 64,000 bytes before
    /// compression, are not counted. This is the size that Java compares with
    /// `manifest.target-file-size`.
    #[must_use]
    pub const fn stored_bytes(&self) -> usize {
        self.0.stored_bytes()
    }

    /// The whole manifest.
    ///
    /// # Errors
    /// [`SpecError::Corrupt`] if a block could not be compressed.
    pub fn finish(self) -> Result<Vec<u8>, SpecError> {
        self.0.finish()
    }
}
