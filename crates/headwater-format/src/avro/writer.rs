//! Encodes batches as an Avro file.
//!
//! Rows collect until a block is full; each block is compressed and available at once. No statistics
//! are gathered. Source: Paimon 1.4.2 `AvroFileFormat`, Avro `DataFileWriter`.

use arrow::array::RecordBatch;
use bytes::Bytes;
use headwater_spec::manifest::avro::{
    BLOCK_BYTES, Codec, Compressor, header_bytes, put_bytes, put_length,
};
use headwater_spec::stats::ColumnStats;
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataField, RowType};

use super::encode::columns;
use super::schema::{avro_lacks, schema_text};
use crate::error::{FormatError, Result};
use crate::file::{EncodedFile, FileEncoder};
use crate::options::WriteOptions;

/// An Avro file that is being written.
pub(crate) struct AvroEncoder {
    fields: Vec<DataField>,
    compressor: Compressor,
    sync: [u8; 16],
    /// Plain bytes of the block, and its rows.
    block: Vec<u8>,
    block_rows: usize,
    ready: Vec<Bytes>,
    /// Bytes of the header and the complete blocks.
    size: u64,
    rows: u64,
}

impl AvroEncoder {
    pub(crate) fn new(fields: &[DataField], options: &WriteOptions) -> Result<Self> {
        if let Some(what) = avro_lacks(fields) {
            return Err(FormatError::Unsupported { what });
        }
        let codec = codec(&options.compression)?;
        let header = header_bytes(&schema_text(fields), codec, options.sync_marker);
        let mut encoder = Self {
            fields: fields.to_vec(),
            compressor: Compressor::new(codec, options.zstd_level)?,
            sync: options.sync_marker,
            block: Vec::new(),
            block_rows: 0,
            ready: Vec::new(),
            size: 0,
            rows: 0,
        };
        encoder.push(header);
        Ok(encoder)
    }

    fn push(&mut self, bytes: Vec<u8>) {
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.ready.push(bytes.into());
    }

    fn end_block(&mut self) -> Result<()> {
        if self.block_rows == 0 {
            return Ok(());
        }
        let stored = self.compressor.compress(&self.block)?;
        let mut out = Vec::with_capacity(stored.len() + 32);
        put_length(&mut out, self.block_rows);
        put_bytes(&mut out, &stored);
        out.extend_from_slice(&self.sync);
        drop(stored);
        self.push(out);
        self.block.clear();
        self.block_rows = 0;
        Ok(())
    }
}

/// The codec of an option's value for Parquet files.
fn codec(compression: &str) -> Result<Codec> {
    Ok(match compression.to_ascii_lowercase().as_str() {
        "zstd" | "zstandard" => Codec::Zstandard,
        "snappy" => Codec::Snappy,
        "gzip" | "deflate" => Codec::Deflate,
        "bzip2" => Codec::Bzip2,
        "none" | "uncompressed" | "null" => Codec::Null,
        other => {
            return Err(FormatError::Option {
                key: "file.compression",
                reason: format!(
                    "Avro files are not compressed by '{other}': use zstd, snappy, gzip or none"
                ),
            });
        }
    })
}

impl FileEncoder for AvroEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = arrow_schema(&RowType::new(self.fields.clone()));
        if batch.schema() != schema {
            return Err(FormatError::Batch {
                reason: format!("{} were announced, {} came", schema, batch.schema()),
            });
        }
        let columns = columns(batch.columns(), &self.fields)?;
        for row in 0..batch.num_rows() {
            for column in &columns {
                column.write(row, &mut self.block)?;
            }
            self.block_rows += 1;
            if self.block.len() >= BLOCK_BYTES {
                self.end_block()?;
            }
        }
        self.rows = self.rows.saturating_add(u64::try_from(batch.num_rows()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn take(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.ready)
    }

    fn bytes_written(&self) -> u64 {
        // What is open is counted as it is; it gets smaller.
        self.size.saturating_add(u64::try_from(self.block.len()).unwrap_or(u64::MAX))
    }

    fn memory(&self) -> usize {
        self.block.capacity().saturating_add(self.ready.iter().map(Bytes::len).sum())
    }

    fn finish(mut self: Box<Self>) -> Result<EncodedFile> {
        self.end_block()?;
        Ok(EncodedFile {
            tail: std::mem::take(&mut self.ready),
            column_stats: vec![ColumnStats::default(); self.fields.len()],
            row_count: self.rows,
            size: self.size,
        })
    }
}
