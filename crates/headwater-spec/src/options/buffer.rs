//! The options about rows that wait to be written.
//!
//! Rules: `docs/spec/lsm.md#writer`. Source: Paimon 1.4.2 `CoreOptions`, `BlockCompressionFactory`.

use super::table::{bool_option, count, int, memory, text, value};
use crate::error::SpecError;
use crate::schema::TableSchema;

/// Memory of a write, and disk for what does not fit into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferOptions {
    /// `write-buffer-size`: bytes of rows that a write keeps in memory, over all of its buckets;
    /// default 256 MB.
    pub memory_bytes: u64,
    /// `write-buffer-spillable`: rows of buckets that have few go to local disk first, so that they
    /// do not become many small files; default true.
    pub spillable: bool,
    /// `write-buffer-spill.max-disk-size`: bytes of local disk that a write uses at most.
    pub max_disk_bytes: Option<u64>,
    /// `spill-compression`, in lower case; default `zstd`.
    pub compression: String,
    /// `spill-compression.zstd-level`; default 1.
    pub zstd_level: i32,
    /// `local-merge-buffer-size`: bytes from which on rows of one key are merged in memory, if set.
    pub local_merge_bytes: Option<u64>,
    /// `write.batch-size`: rows that are encoded at once, if set.
    pub encode_rows: Option<usize>,
}

impl BufferOptions {
    pub(super) fn parse(schema: &TableSchema) -> Result<Self, SpecError> {
        let size = |key: &str| match value(schema, key)? {
            None => Ok(None),
            Some(_) => memory(schema, key, 0).map(Some),
        };
        Ok(Self {
            memory_bytes: memory(schema, "write-buffer-size", 256 << 20)?,
            spillable: bool_option(schema, "write-buffer-spillable", true)?,
            max_disk_bytes: size("write-buffer-spill.max-disk-size")?,
            compression: text(schema, "spill-compression").unwrap_or_else(|| "zstd".to_owned()),
            zstd_level: int(schema, "spill-compression.zstd-level", 1)?,
            local_merge_bytes: size("local-merge-buffer-size")?,
            encode_rows: match value(schema, "write.batch-size")? {
                None => None,
                Some(_) => Some(count(schema, "write.batch-size", 1024)?.max(1)),
            },
        })
    }
}
