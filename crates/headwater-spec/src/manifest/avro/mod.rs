//! Avro object container files, as far as manifests need them; data files use their container and
//! primitive values.
//!
//! A file is decoded straight into the structs of the caller: the writer's schema is resolved once,
//! by field name, into a plan; no generic value is built. Every length, count and branch of the
//! file is checked, and nothing is allocated because a file claims a size.
//!
//! Format: `docs/spec/manifest.md#container`, Apache Avro 1.11 "Object Container Files". Source:
//! Paimon 1.4.2 `AvroFileFormat`, `AvroBulkFormat`.

pub(crate) mod codec;
pub(crate) mod container;
pub(crate) mod cursor;
pub(crate) mod field;
pub(crate) mod record;
pub(crate) mod schema;

pub use codec::{Codec, Compressor, Decompressor};
pub use container::{BLOCK_BYTES, Header, header_bytes};
pub use cursor::{Cursor, ItemBlock, put_bytes, put_length, put_long};
pub use schema::{Field, Shape, Type};

/// How Avro files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvroWriteOptions {
    /// `manifest.compression`: how blocks are compressed; default zstandard.
    pub codec: Codec,
    /// `file.compression.zstd-level`: level of codec zstandard; default 1.
    pub zstd_level: i32,
    /// Marks the end of each block: 16 bytes drawn at random for each file.
    pub sync_marker: [u8; 16],
}

impl AvroWriteOptions {
    /// Default compression: zstandard, level 1.
    #[must_use]
    pub const fn new(sync_marker: [u8; 16]) -> Self {
        Self { codec: Codec::Zstandard, zstd_level: 1, sync_marker }
    }
}
