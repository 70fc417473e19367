//! Manifest lists: the manifests of a snapshot.
//!
//! Format: `docs/spec/manifest.md#manifest-list`. Source: Paimon 1.4.2
//! `ManifestFileMetaSerializer`.

use super::ManifestFileMeta;
use super::avro::AvroWriteOptions;
use super::avro::container::{read_rows, write_rows};
use super::avro::field::{Int, Long, Nullable, Text, Version};
use super::avro::record::avro_record;
use crate::error::SpecError;
use crate::stats::SimpleStats;

/// The schema as Java writes it.
const SCHEMA: &str = concat!(
    r#"{"type":"record","name":"record","namespace":"org.apache.paimon.avro.generated","#,
    r#""fields":["#,
    r#"{"name":"_VERSION","type":"int"},"#,
    r#"{"name":"_FILE_NAME","type":"string"},"#,
    r#"{"name":"_FILE_SIZE","type":"long"},"#,
    r#"{"name":"_NUM_ADDED_FILES","type":"long"},"#,
    r#"{"name":"_NUM_DELETED_FILES","type":"long"},"#,
    r#"{"name":"_PARTITION_STATS","type":{"type":"record","name":"record__PARTITION_STATS","#,
    r#""fields":["#,
    r#"{"name":"_MIN_VALUES","type":"bytes"},"#,
    r#"{"name":"_MAX_VALUES","type":"bytes"},"#,
    r#"{"name":"_NULL_COUNTS","type":["null",{"type":"array","items":["null","long"]}],"#,
    r#""default":null}]}},"#,
    r#"{"name":"_SCHEMA_ID","type":"long"},"#,
    r#"{"name":"_MIN_BUCKET","type":["null","int"],"default":null},"#,
    r#"{"name":"_MAX_BUCKET","type":["null","int"],"default":null},"#,
    r#"{"name":"_MIN_LEVEL","type":["null","int"],"default":null},"#,
    r#"{"name":"_MAX_LEVEL","type":["null","int"],"default":null},"#,
    r#"{"name":"_MIN_ROW_ID","type":["null","long"],"default":null},"#,
    r#"{"name":"_MAX_ROW_ID","type":["null","long"],"default":null}]}"#,
);

avro_record!(ManifestFileMeta {
    check 0 "_VERSION": Version<2>,
    1 "_FILE_NAME" file_name: Text,
    2 "_FILE_SIZE" file_size: Long,
    3 "_NUM_ADDED_FILES" num_added_files: Long,
    4 "_NUM_DELETED_FILES" num_deleted_files: Long,
    5 "_PARTITION_STATS" partition_stats: SimpleStats,
    6 "_SCHEMA_ID" schema_id: Long,
    7 "_MIN_BUCKET" min_bucket: Nullable<Int>,
    8 "_MAX_BUCKET" max_bucket: Nullable<Int>,
    9 "_MIN_LEVEL" min_level: Nullable<Int>,
    10 "_MAX_LEVEL" max_level: Nullable<Int>,
    11 "_MIN_ROW_ID" min_row_id: Nullable<Long>,
    12 "_MAX_ROW_ID" max_row_id: Nullable<Long>,
});

/// A manifest list with these manifests, in this order.
///
/// No manifests make a legal file without blocks.
///
/// # Errors
/// [`SpecError::Option`] if the compression level does not exist.
pub fn write_list(
    manifests: &[ManifestFileMeta],
    options: &AvroWriteOptions,
) -> Result<Vec<u8>, SpecError> {
    write_rows::<ManifestFileMeta>(SCHEMA, manifests, options)
}

/// The manifests of a manifest list, in stored order.
///
/// A file cut between two blocks looks whole: compare its length with the recorded one.
///
/// # Errors
/// [`SpecError::Truncated`] and [`SpecError::Corrupt`] for bytes that are no manifest list,
/// [`SpecError::Unsupported`] for a codec, a version or a `manifest.format` not handled here.
pub fn read_list(bytes: &[u8]) -> Result<Vec<ManifestFileMeta>, SpecError> {
    read_rows::<ManifestFileMeta>(bytes, "manifest list")
}
