//! Rows on local disk for which there is no memory: those of a write that wait for their file, and
//! runs of which more are merged than can be open at a time.
//!
//! Only this process reads them, and only once: a block is a record batch as Arrow's IPC format has
//! it, compressed as a whole.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::{Buffer, MutableBuffer};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::read_record_batch;
use arrow::ipc::root_as_message;
use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use headwater_io::{Scratch, ScratchFile};
use headwater_lsm::record_batch_size;
use headwater_spec::options::BufferOptions;

use crate::error::{Error, Result};

/// Bytes of the length that a block starts with.
const LENGTH: usize = 8;

/// Bytes of a block: of each run one is in memory while runs are merged.
const BLOCK_BYTES: usize = 256 << 10;
const BLOCK_ROWS: usize = 8192;

/// How rows are spilled.
#[derive(Debug, Clone)]
pub(crate) struct Spilling {
    scratch: Scratch,
    compression: Compression,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Zstd(i32),
}

impl Spilling {
    /// Spilling by the table's options.
    pub(crate) fn new(scratch: &Scratch, options: &BufferOptions) -> Result<Self, String> {
        let compression = match options.compression.as_str() {
            "none" => Compression::None,
            // Nobody else reads the files: any fast compression will do.
            "zstd" | "lz4" | "lzo" => Compression::Zstd(options.zstd_level),
            other => {
                return Err(format!(
                    "'spill-compression' = '{other}' is none of zstd, lz4, lzo and none"
                ));
            }
        };
        Ok(Self { scratch: scratch.clone(), compression })
    }

    /// Spilling of a read, for which no option says anything.
    pub(crate) fn reading(scratch: &Scratch) -> Self {
        Self { scratch: scratch.clone(), compression: Compression::Zstd(1) }
    }

    /// A file for the rows of several buckets.
    pub(crate) fn file(&self) -> Result<Arc<ScratchFile>> {
        Ok(Arc::new(self.scratch.create()?))
    }

    fn compress(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        match self.compression {
            Compression::None => Ok(bytes),
            Compression::Zstd(level) => {
                zstd::bulk::compress(&bytes, level).map_err(|e| unspillable(&e))
            }
        }
    }
}

/// Batches of one bucket or run on disk, in order.
#[derive(Debug)]
pub(crate) struct Spilled {
    file: Arc<ScratchFile>,
    compression: Compression,
    schema: SchemaRef,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    start: u64,
    stored: usize,
    plain: usize,
}

impl Spilled {
    /// Nothing yet. On a CPU thread, as all calls that write or read.
    pub(crate) const fn new(file: Arc<ScratchFile>, how: &Spilling, schema: SchemaRef) -> Self {
        Self { file, compression: how.compression, schema, blocks: Vec::new() }
    }

    /// Adds rows, in pieces of about a block.
    pub(crate) fn add(&mut self, how: &Spilling, batch: &RecordBatch) -> Result<()> {
        let rows = batch.num_rows();
        let row_bytes = (record_batch_size(batch) / rows.max(1)).max(1);
        let step = (BLOCK_BYTES / row_bytes).clamp(1, BLOCK_ROWS);
        for at in (0..rows).step_by(step) {
            self.add_block(how, &batch.slice(at, step.min(rows - at)))?;
        }
        Ok(())
    }

    fn add_block(&mut self, how: &Spilling, batch: &RecordBatch) -> Result<()> {
        let (dictionaries, encoded) = IpcDataGenerator::default().encode(
            batch,
            &mut DictionaryTracker::new(false),
            &IpcWriteOptions::default(),
            &mut IpcWriteContext::default(),
        )?;
        if !dictionaries.is_empty() {
            return Err(unspillable(&"a column is encoded by a dictionary"));
        }
        let message = u64::try_from(encoded.ipc_message.len()).unwrap_or(u64::MAX);
        let plain = LENGTH + encoded.ipc_message.len() + encoded.arrow_data.len();
        let mut bytes = Vec::with_capacity(plain);
        bytes.extend_from_slice(&message.to_le_bytes());
        bytes.extend_from_slice(&encoded.ipc_message);
        bytes.extend_from_slice(&encoded.arrow_data);
        drop(encoded);
        let bytes = how.compress(bytes)?;
        let start = self.file.append(&bytes)?;
        self.blocks.push(Block { start, stored: bytes.len(), plain });
        Ok(())
    }

    /// Bytes on disk.
    pub(crate) fn stored_bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.stored).sum()
    }

    /// Bytes of the rows.
    pub(crate) fn plain_bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.plain).sum()
    }

    /// The batches, in order.
    pub(crate) fn read(self) -> SpilledReader {
        SpilledReader { rows: self, next: 0 }
    }

    fn block(&self, block: &Block) -> Result<RecordBatch> {
        let stored = self.file.read_at(block.start, block.stored)?;
        let plain = match self.compression {
            Compression::None => Buffer::from_vec(stored),
            Compression::Zstd(_) => {
                let mut plain = MutableBuffer::from_len_zeroed(block.plain);
                let len = zstd::bulk::decompress_to_buffer(&stored, plain.as_slice_mut())
                    .map_err(|e| unreadable(&e))?;
                plain.truncate(len);
                plain.into()
            }
        };
        let (length, rest) = plain.as_slice().split_first_chunk::<LENGTH>().unzip();
        let length = length.map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
        let message = usize::try_from(length)
            .ok()
            .and_then(|length| rest.and_then(|rest| rest.get(..length)))
            .ok_or_else(|| unreadable(&"a block is cut short"))?;
        let data = plain.slice(LENGTH + message.len());
        let message = root_as_message(message).map_err(|e| unreadable(&e))?;
        let header =
            message.header_as_record_batch().ok_or_else(|| unreadable(&"a block holds no rows"))?;
        let version = message.version();
        let schema = Arc::clone(&self.schema);
        Ok(read_record_batch(&data, header, schema, &HashMap::new(), None, &version)?)
    }
}

/// Gives back what was spilled.
#[derive(Debug)]
pub(crate) struct SpilledReader {
    rows: Spilled,
    next: usize,
}

impl SpilledReader {
    /// The next batch; `None` at the end. On a CPU thread.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Some(block) = self.rows.blocks.get(self.next) else { return Ok(None) };
        self.next += 1;
        self.rows.block(block).map(Some)
    }
}

/// Batches put together so that each is about a block or larger.
pub(crate) fn joined(batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
    let mut joined = Vec::new();
    let mut start = 0;
    let (mut rows, mut bytes) = (0, 0);
    for (at, batch) in batches.iter().enumerate() {
        rows += batch.num_rows();
        bytes += record_batch_size(batch);
        if rows >= BLOCK_ROWS || bytes >= BLOCK_BYTES || at + 1 == batches.len() {
            let part = batches.get(start..=at).unwrap_or_default();
            joined.push(arrow::compute::concat_batches(&batch.schema(), part)?);
            (start, rows, bytes) = (at + 1, 0, 0);
        }
    }
    Ok(joined)
}

fn unspillable(reason: &dyn std::fmt::Display) -> Error {
    Error::Arrow(ArrowError::IpcError(format!("rows cannot be spilled to disk: {reason}")))
}

fn unreadable(reason: &dyn std::fmt::Display) -> Error {
    Error::Arrow(ArrowError::IpcError(format!("spilled rows cannot be read back: {reason}")))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int32Array, ListArray, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn rows_come_back_as_they_were() {
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None]),
            None,
            Some(Vec::new()),
        ]);
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("i", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])) as ArrayRef, true),
            ("s", Arc::new(StringArray::from(vec![Some("a"), Some(""), None])) as ArrayRef, true),
            ("l", Arc::new(lists) as ArrayRef, true),
        ])
        .unwrap();
        let scratch = Scratch::new(Vec::new());
        for compression in [Compression::None, Compression::Zstd(1)] {
            let how = Spilling { scratch: scratch.clone(), compression };
            let mut spilled = Spilled::new(how.file().unwrap(), &how, batch.schema());
            for rows in [batch.clone(), batch.slice(3, 0), batch.slice(1, 2)] {
                spilled.add(&how, &rows).unwrap();
            }
            assert_eq!(scratch.used(), u64::try_from(spilled.stored_bytes()).unwrap());
            let mut reader = spilled.read();
            assert_eq!(reader.next_batch().unwrap().unwrap(), batch);
            assert_eq!(reader.next_batch().unwrap().unwrap(), batch.slice(1, 2));
            assert!(reader.next_batch().unwrap().is_none());
        }
        assert_eq!(scratch.used(), 0);
    }
}
