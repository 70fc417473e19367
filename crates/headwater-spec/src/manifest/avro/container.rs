//! The file around the rows: header, blocks, sync markers.
//!
//! Format: `docs/spec/manifest.md#container`, Apache Avro 1.11 "Object Container Files". Source:
//! Paimon 1.4.2 `AvroFileFormat`, Avro `DataFileWriter`.

use std::sync::Arc;

use super::AvroWriteOptions;
use super::codec::{Codec, Compressor, Decompressor};
use super::cursor::{Cursor, put_bytes, put_length};
use super::field::{self, FieldCodec, Plan};
use super::schema::Type;
use crate::error::SpecError;

const MAGIC: &[u8; 4] = b"Obj\x01";
/// Length of a sync marker.
const SYNC_BYTES: usize = 16;
const SCHEMA_KEY: &[u8] = b"avro.schema";
const CODEC_KEY: &[u8] = b"avro.codec";
/// Plain bytes after which a block ends: Avro's `DEFAULT_SYNC_INTERVAL`.
pub const BLOCK_BYTES: usize = 64_000;
/// Plain bytes of all blocks of a file, at most. A manifest rolls at 8 MiB of stored bytes.
const MAX_FILE_BYTES: usize = 1 << 30;
/// Rows that memory is taken for before they are decoded.
const FIRST_ROWS: usize = 1024;

/// Decodes all rows of a file; `what` names it in errors.
///
/// A file that was cut between two blocks looks whole: the caller compares its length with the
/// recorded one.
pub(crate) fn read_rows<R: FieldCodec>(
    bytes: &[u8],
    what: &'static str,
) -> Result<Vec<R::Value>, SpecError> {
    refuse_other_formats(bytes, what)?;
    let mut cursor = Cursor::new(what, bytes);
    let header = Header::read(&mut cursor)?;
    let plan = field::plan::<R>(&header.schema, what)?;
    if header.schema.is_zero_width() {
        return Err(field::unexpected(&header.schema, "a record with bytes", what));
    }
    let mut decompressor = Decompressor::new(header.codec, what)?;
    let mut rows = Vec::new();
    let mut total = 0_usize;
    while cursor.remaining() > 0 {
        let count = cursor.long()?;
        let stored = cursor.bytes()?;
        if cursor.take(SYNC_BYTES)? != header.sync {
            return Err(cursor.corrupt("a wrong sync marker"));
        }
        let count = usize::try_from(count).map_err(|_| cursor.corrupt("a negative row count"))?;
        let plain = decompressor.decompress(stored)?;
        total = total.saturating_add(plain.len());
        if total > MAX_FILE_BYTES {
            return Err(cursor.corrupt("more rows than a manifest can have"));
        }
        read_block::<R>(count, plain, &plan, what, &mut rows)?;
    }
    Ok(rows)
}

fn read_block<R: FieldCodec>(
    count: usize,
    plain: &[u8],
    plan: &Plan,
    what: &'static str,
    rows: &mut Vec<R::Value>,
) -> Result<(), SpecError> {
    let mut cursor = Cursor::new(what, plain);
    rows.reserve(count.min(FIRST_ROWS).min(plain.len()));
    // Each row takes a byte at least, so the input's end bounds the loop.
    for _ in 0..count {
        rows.push(field::decode::<R>(plan, &mut cursor)?);
    }
    if cursor.remaining() > 0 {
        return Err(cursor.corrupt("a block holds more than its rows"));
    }
    Ok(())
}

fn refuse_other_formats(bytes: &[u8], what: &'static str) -> Result<(), SpecError> {
    let format = if bytes.starts_with(b"ORC") {
        "orc"
    } else if bytes.starts_with(b"PAR1") {
        "parquet"
    } else {
        return Ok(());
    };
    Err(SpecError::Unsupported {
        what: format!("{what} written with manifest.format '{format}'"),
        reason: "set option manifest.format to avro and rewrite the manifests".to_owned(),
    })
}

/// The start of a file.
#[derive(Debug)]
pub struct Header<'a> {
    /// The type of a row.
    pub schema: Arc<Type>,
    /// How blocks are compressed.
    pub codec: Codec,
    /// The 16 bytes that end each block.
    pub sync: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads it from the start of a file; the first block follows.
    ///
    /// # Errors
    /// It is cut or damaged, or names a codec that is not known.
    pub fn read(cursor: &mut Cursor<'a>) -> Result<Self, SpecError> {
        let what = cursor.what();
        if cursor.take(MAGIC.len())? != MAGIC {
            return Err(SpecError::corrupt(what, "it does not begin as an Avro file"));
        }
        let (mut schema, mut codec) = (None, None);
        while let Some(block) = cursor.item_block()? {
            let before = cursor.remaining();
            for _ in 0..block.count {
                let key = cursor.bytes()?;
                let value = cursor.bytes()?;
                match key {
                    SCHEMA_KEY => schema = Some(value),
                    CODEC_KEY => codec = Some(value),
                    _ => {}
                }
            }
            if block.bytes.is_some_and(|bytes| before - cursor.remaining() != bytes) {
                return Err(cursor.corrupt("a header block of another size than it says"));
            }
        }
        let sync = cursor.take(SYNC_BYTES)?;
        let schema =
            schema.ok_or_else(|| SpecError::corrupt(what, "its header has no Avro schema"))?;
        let codec = match codec {
            None => Codec::Null,
            Some(name) => {
                let name = String::from_utf8_lossy(name);
                Codec::from_name(&name)?.ok_or_else(|| SpecError::Unsupported {
                    what: format!("codec {name:?} of Avro files"),
                    reason: "it is not one of null, deflate, snappy, zstandard, bzip2".to_owned(),
                })?
            }
        };
        Ok(Self { schema: Type::parse(schema, what)?, codec, sync })
    }
}

/// The start of a file of rows with `schema`.
#[must_use]
pub fn header_bytes(schema: &str, codec: Codec, sync_marker: [u8; 16]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    put_length(&mut out, 2);
    put_bytes(&mut out, SCHEMA_KEY);
    put_bytes(&mut out, schema.as_bytes());
    put_bytes(&mut out, CODEC_KEY);
    put_bytes(&mut out, codec.name().as_bytes());
    put_length(&mut out, 0);
    out.extend_from_slice(&sync_marker);
    out
}

/// Writes a file row by row.
pub(crate) struct RowWriter {
    out: Vec<u8>,
    block: Vec<u8>,
    rows: usize,
    compressor: Compressor,
    sync: [u8; SYNC_BYTES],
}

impl RowWriter {
    /// Begins a file of rows with `schema`.
    pub(crate) fn new(schema: &str, options: &AvroWriteOptions) -> Result<Self, SpecError> {
        let compressor = Compressor::new(options.codec, options.zstd_level)?;
        let out = header_bytes(schema, options.codec, options.sync_marker);
        Ok(Self { out, block: Vec::new(), rows: 0, compressor, sync: options.sync_marker })
    }

    /// Appends a row.
    pub(crate) fn push<R: FieldCodec>(&mut self, row: &R::Value) -> Result<(), SpecError> {
        R::encode(row, &mut self.block);
        self.rows = self.rows.saturating_add(1);
        if self.block.len() >= BLOCK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Bytes of the header and the blocks that are complete.
    pub(crate) const fn stored_bytes(&self) -> usize {
        self.out.len()
    }

    /// The whole file.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, SpecError> {
        self.flush()?;
        Ok(self.out)
    }

    fn flush(&mut self) -> Result<(), SpecError> {
        if self.rows == 0 {
            return Ok(());
        }
        let stored = self.compressor.compress(&self.block)?;
        put_length(&mut self.out, self.rows);
        put_bytes(&mut self.out, &stored);
        self.out.extend_from_slice(&self.sync);
        self.rows = 0;
        self.block.clear();
        Ok(())
    }
}

/// A file of these rows.
pub(crate) fn write_rows<R: FieldCodec>(
    schema: &str,
    rows: &[R::Value],
    options: &AvroWriteOptions,
) -> Result<Vec<u8>, SpecError> {
    let mut writer = RowWriter::new(schema, options)?;
    for row in rows {
        writer.push::<R>(row)?;
    }
    writer.finish()
}
