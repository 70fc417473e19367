//! Index manifests: the complete set of index files of a snapshot.
//!
//! Format: `docs/spec/manifest.md#index-manifest`. Source: Paimon 1.4.2
//! `IndexManifestEntrySerializer`, `IndexFileMeta`, `DeletionVectorMeta`, `GlobalIndexMeta`.

use super::avro::AvroWriteOptions;
use super::avro::container::{read_rows, write_rows};
use super::avro::field::{Bytes, Int, Kind, List, Long, Nullable, Present, Row, Text, Version};
use super::avro::record::avro_record;
use super::{DeletionVectorRange, GlobalIndexMeta, IndexManifestEntry};
use crate::error::SpecError;

/// The schema as Java writes it.
const SCHEMA: &str = concat!(
    r#"{"type":"record","name":"record","namespace":"org.apache.paimon.avro.generated","#,
    r#""fields":["#,
    r#"{"name":"_VERSION","type":"int"},"#,
    r#"{"name":"_KIND","type":"int"},"#,
    r#"{"name":"_PARTITION","type":"bytes"},"#,
    r#"{"name":"_BUCKET","type":"int"},"#,
    r#"{"name":"_INDEX_TYPE","type":"string"},"#,
    r#"{"name":"_FILE_NAME","type":"string"},"#,
    r#"{"name":"_FILE_SIZE","type":"long"},"#,
    r#"{"name":"_ROW_COUNT","type":"long"},"#,
    r#"{"name":"_DELETIONS_VECTORS_RANGES","type":["null",{"type":"array","items":["null","#,
    r#"{"type":"record","name":"record__DELETIONS_VECTORS_RANGES","fields":["#,
    r#"{"name":"f0","type":"string"},"#,
    r#"{"name":"f1","type":"int"},"#,
    r#"{"name":"f2","type":"int"},"#,
    r#"{"name":"_CARDINALITY","type":["null","long"],"default":null}]}]}],"default":null},"#,
    r#"{"name":"_EXTERNAL_PATH","type":["null","string"],"default":null},"#,
    r#"{"name":"_GLOBAL_INDEX","type":["null",{"type":"record","#,
    r#""name":"record__GLOBAL_INDEX","fields":["#,
    r#"{"name":"_ROW_RANGE_START","type":"long"},"#,
    r#"{"name":"_ROW_RANGE_END","type":"long"},"#,
    r#"{"name":"_INDEX_FIELD_ID","type":"int"},"#,
    r#"{"name":"_EXTRA_FIELD_IDS","type":["null",{"type":"array","items":"int"}],"#,
    r#""default":null},"#,
    r#"{"name":"_INDEX_META","type":["null","bytes"],"default":null}]}],"default":null}]}"#,
);

avro_record!(IndexManifestEntry {
    check 0 "_VERSION": Version<1>,
    1 "_KIND" kind: Kind,
    2 "_PARTITION" partition: Row,
    3 "_BUCKET" bucket: Int,
    4 "_INDEX_TYPE" index_type: Text,
    5 "_FILE_NAME" file_name: Text,
    6 "_FILE_SIZE" file_size: Long,
    7 "_ROW_COUNT" row_count: Long,
    8 "_DELETIONS_VECTORS_RANGES" deletion_vectors: Nullable<List<Present<DeletionVectorRange>>>,
    9 "_EXTERNAL_PATH" external_path: Nullable<Text>,
    10 "_GLOBAL_INDEX" global_index: Nullable<GlobalIndexMeta>,
});

avro_record!(DeletionVectorRange {
    0 "f0" data_file: Text,
    1 "f1" offset: Int,
    2 "f2" length: Int,
    3 "_CARDINALITY" cardinality: Nullable<Long>,
});

avro_record!(GlobalIndexMeta {
    0 "_ROW_RANGE_START" row_range_start: Long,
    1 "_ROW_RANGE_END" row_range_end: Long,
    2 "_INDEX_FIELD_ID" index_field_id: Int,
    3 "_EXTRA_FIELD_IDS" extra_field_ids: Nullable<List<Int>>,
    4 "_INDEX_META" index_meta: Nullable<Bytes>,
});

/// An index manifest with these entries, in this order.
///
/// # Errors
/// [`SpecError::Option`] if the compression level does not exist.
pub fn write_index(
    entries: &[IndexManifestEntry],
    options: &AvroWriteOptions,
) -> Result<Vec<u8>, SpecError> {
    write_rows::<IndexManifestEntry>(SCHEMA, entries, options)
}

/// The entries of an index manifest, in stored order.
///
/// A file cut between two blocks looks whole: compare its length with the recorded one, where
/// there is one.
///
/// # Errors
/// [`SpecError::Truncated`] and [`SpecError::Corrupt`] for bytes that are no index manifest,
/// [`SpecError::Unsupported`] for a codec, a version or a `manifest.format` not handled here.
pub fn read_index(bytes: &[u8]) -> Result<Vec<IndexManifestEntry>, SpecError> {
    read_rows::<IndexManifestEntry>(bytes, "index manifest")
}
