//! An open Avro file: its header, where its blocks are, and the decoder of some of them.
//!
//! Nothing says where blocks begin but the one before, so a file is fetched whole when it is opened.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use bytes::Bytes;
use headwater_io::FileIo;
use headwater_spec::manifest::avro::{Codec, Cursor, Decompressor, Header, Shape, Type};
use headwater_spec::predicate::Predicate;
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataField, RowType, SpecError};

use super::WHAT;
use super::decode::Record;
use crate::error::{FormatError, Result};
use crate::file::{FileReader, UnitDecoder};

/// Stored bytes that make a unit.
const UNIT_BYTES: usize = 4 << 20;

/// A block of rows.
#[derive(Clone)]
struct Block {
    rows: usize,
    bytes: Range<usize>,
}

/// An open Avro file.
pub(crate) struct AvroFile {
    path: String,
    bytes: Bytes,
    schema: Arc<Type>,
    codec: Codec,
    units: Vec<Vec<Block>>,
    rows: u64,
}

impl fmt::Debug for AvroFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AvroFile")
            .field("path", &self.path)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl AvroFile {
    pub(crate) async fn open(io: Arc<dyn FileIo>, path: &str, size: u64) -> Result<Self> {
        let bytes = io.read_range(path, 0..size).await?;
        Self::parse(path, bytes)
    }

    fn parse(path: &str, bytes: Bytes) -> Result<Self> {
        let damaged = |e: SpecError| damaged(path, e);
        let mut cursor = Cursor::new(WHAT, &bytes);
        let header = Header::read(&mut cursor).map_err(damaged)?;
        let (mut units, mut unit, mut stored) = (Vec::new(), Vec::new(), 0_usize);
        let mut rows = 0_u64;
        while cursor.remaining() > 0 {
            let (block, sync) = next_block(&mut cursor).map_err(damaged)?;
            if sync != header.sync {
                return Err(damaged(cursor.corrupt("a wrong sync marker")));
            }
            rows = rows.saturating_add(u64::try_from(block.rows).unwrap_or(u64::MAX));
            stored = stored.saturating_add(block.bytes.len());
            unit.push(block);
            if stored >= UNIT_BYTES {
                units.push(std::mem::take(&mut unit));
                stored = 0;
            }
        }
        if !unit.is_empty() {
            units.push(unit);
        }
        let (schema, codec) = (header.schema, header.codec);
        // A count of such rows costs a writer nothing, and a reader whatever it says.
        if schema.is_zero_width() {
            return Err(FormatError::corrupt(path, "its rows have no columns"));
        }
        Ok(Self { path: path.to_owned(), bytes, schema, codec, units, rows })
    }

    /// The fields of a row, and whether a branch of a union comes before each.
    fn record(&self) -> Result<(&Type, Option<i64>)> {
        match &self.schema.shape {
            Shape::Record(_) => Ok((self.schema.as_ref(), None)),
            Shape::Union(branches) => {
                let at = branches.iter().position(|b| matches!(b.shape, Shape::Record(_)));
                let record = at.and_then(|at| Some((branches.get(at)?, i64::try_from(at).ok()?)));
                record.map(|(of, at)| (of.as_ref(), Some(at)))
            }
            .ok_or_else(|| FormatError::corrupt(&self.path, "its rows are no records")),
            _ => Err(FormatError::corrupt(&self.path, "its rows are no records")),
        }
    }
}

fn next_block<'a>(cursor: &mut Cursor<'a>) -> std::result::Result<(Block, &'a [u8]), SpecError> {
    let rows = cursor.long()?;
    let rows = usize::try_from(rows).map_err(|_| cursor.corrupt("a negative row count"))?;
    let length = cursor.length()?;
    let start = cursor.offset();
    cursor.take(length)?;
    let bytes = start..cursor.offset();
    Ok((Block { rows, bytes }, cursor.take(16)?))
}

fn damaged(path: &str, error: SpecError) -> FormatError {
    match error {
        SpecError::Unsupported { what, reason } => {
            FormatError::Unsupported { what: format!("{what} are not read: {reason}") }
        }
        error => FormatError::corrupt(path, error.to_string()),
    }
}

#[async_trait]
impl FileReader for AvroFile {
    fn row_count(&self) -> u64 {
        self.rows
    }

    fn units(&self) -> usize {
        self.units.len()
    }

    fn unit_rows(&self, unit: usize) -> u64 {
        let rows = self.units.get(unit).map_or(0, |blocks| blocks.iter().map(|b| b.rows).sum());
        u64::try_from(rows).unwrap_or(u64::MAX)
    }

    fn prune(&self, _: &[DataField], _: &Predicate) -> Vec<usize> {
        (0..self.units.len()).collect()
    }

    async fn fetch(&self, unit: usize, fields: &[DataField]) -> Result<Box<dyn UnitDecoder>> {
        let Some(blocks) = self.units.get(unit) else {
            let reason = format!("it has no block of rows {unit}");
            return Err(FormatError::corrupt(&self.path, reason));
        };
        let (record, branch) = self.record()?;
        let Shape::Record(there) = &record.shape else {
            return Err(FormatError::corrupt(&self.path, "its rows are no records"));
        };
        let record = Record::new(there, fields, "")
            .map_err(|(column, reason)| FormatError::column(&self.path, &column, reason))?;
        Ok(Box::new(Unit {
            path: self.path.clone(),
            bytes: self.bytes.clone(),
            blocks: blocks.clone().into_iter(),
            decompressor: Decompressor::new(self.codec, WHAT)
                .map_err(|e| damaged(&self.path, e))?,
            schema: arrow_schema(&RowType::new(fields.to_vec())),
            branch,
            record,
            block: Vec::new(),
            at: 0,
            left: 0,
        }))
    }
}

/// Decodes some blocks of a file.
struct Unit {
    path: String,
    bytes: Bytes,
    blocks: std::vec::IntoIter<Block>,
    decompressor: Decompressor,
    schema: SchemaRef,
    /// The branch of a union that rows are in.
    branch: Option<i64>,
    record: Record,
    /// The plain bytes of the current block, how far they are read, and how many rows are left.
    block: Vec<u8>,
    at: usize,
    left: usize,
}

impl Unit {
    fn read(&mut self, max_rows: usize) -> std::result::Result<(), SpecError> {
        while self.record.rows() < max_rows {
            if self.left == 0 {
                let Some(block) = self.blocks.next() else { return Ok(()) };
                let stored = self.bytes.get(block.bytes).unwrap_or_default();
                let plain = self.decompressor.decompress(stored)?;
                self.block.clear();
                self.block.extend_from_slice(plain);
                (self.at, self.left) = (0, block.rows);
            }
            let mut cursor = Cursor::new(WHAT, self.block.get(self.at..).unwrap_or_default());
            while self.left > 0 && self.record.rows() < max_rows {
                if self.branch.is_some() && Some(cursor.long()?) != self.branch {
                    return Err(cursor.corrupt("a row that is null"));
                }
                self.record.read(&mut cursor)?;
                self.left -= 1;
            }
            self.at += cursor.offset();
            if self.left == 0 && cursor.remaining() > 0 {
                return Err(cursor.corrupt("a block holds more than its rows"));
            }
        }
        Ok(())
    }
}

impl UnitDecoder for Unit {
    fn next(&mut self, max_rows: usize) -> Result<Option<RecordBatch>> {
        self.read(max_rows.max(1)).map_err(|e| damaged(&self.path, e))?;
        let rows = self.record.rows();
        if rows == 0 {
            return Ok(None);
        }
        let columns = self.record.finish().map_err(|e| damaged(&self.path, e))?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map(Some)
            .map_err(|e| FormatError::corrupt(&self.path, e.to_string()))
    }
}
