//! Decodes the fetched columns of one row group into batches.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::Int96Type;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::serialized_reader::SerializedPageReader;

use super::chunks::Chunks;
use super::convert::convert;
use super::guard::guarded;
use super::int96::nanos_of;
use crate::error::{FormatError, Result};
use crate::file::UnitDecoder;

/// Values that a check of INT96 looks at in one go.
const CHECK_VALUES: usize = 8192;

/// What is decoded.
pub(super) struct Source {
    pub(super) chunks: Chunks,
    pub(super) metadata: ArrowReaderMetadata,
    pub(super) mask: ProjectionMask,
}

/// One row group being decoded.
pub(super) struct Unit {
    path: String,
    unit: usize,
    rows: usize,
    schema: SchemaRef,
    /// INT96 leaves that must fit into nanoseconds, with the column's name.
    narrow: Vec<(usize, String)>,
    /// No column is in the file: nothing is decoded.
    absent: bool,
    /// Until the first batch.
    source: Option<Source>,
    reader: Option<ParquetRecordBatchReader>,
    /// Rows that were decoded and not yet asked for.
    rest: Option<RecordBatch>,
    decoded: usize,
}

impl Unit {
    /// Without a source no column is in the file: all rows are null.
    pub(super) fn new(
        path: String,
        unit: usize,
        rows: usize,
        schema: SchemaRef,
        source: Option<Source>,
        narrow: Vec<(usize, String)>,
    ) -> Self {
        let absent = source.is_none();
        let (reader, rest, decoded) = (None, None, 0);
        Self { path, unit, rows, schema, narrow, absent, source, reader, rest, decoded }
    }

    fn corrupt(&self, reason: impl std::fmt::Display) -> FormatError {
        FormatError::corrupt(&self.path, format!("row group {}: {reason}", self.unit))
    }

    fn start(&mut self, source: Source, max_rows: usize) -> Result<()> {
        let chunks = Arc::new(source.chunks);
        for (leaf, column) in &self.narrow {
            let fits = guarded(|| int96_fits(&chunks, &source.metadata, self.unit, *leaf))
                .map_err(|reason| FormatError::column(&self.path, column, reason))?;
            if !fits {
                let reason = "a timestamp is outside of the years 1677 to 2262 that nanoseconds \
                              in 64 bits reach";
                return Err(FormatError::column(&self.path, column, reason));
            }
        }
        let unit = self.unit;
        let reader = guarded(|| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(Shared(chunks), source.metadata)
                .with_projection(source.mask)
                .with_row_groups(vec![unit])
                .with_batch_size(max_rows)
                .build()
        });
        self.reader = Some(reader.map_err(|reason| self.corrupt(reason))?);
        Ok(())
    }

    /// The next rows as the file has them; `None` at the end.
    fn decode(&mut self) -> Result<Option<RecordBatch>> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let batch = guarded(|| reader.next().transpose());
        let batch = batch.inspect_err(|_| self.reader = None).map_err(|e| self.corrupt(e))?;
        if batch.is_none() {
            self.reader = None;
        }
        Ok(batch)
    }

    /// A batch in the promised schema.
    fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let there = batch.schema_ref().fields();
        let columns = self.schema.fields().iter().map(|field| {
            let found = there.iter().position(|f| f.name() == field.name());
            let column: ArrayRef = match found.and_then(|i| batch.columns().get(i)) {
                Some(column) => Arc::clone(column),
                None => new_null_array(field.data_type(), batch.num_rows()),
            };
            convert(&column, field).map_err(|m| FormatError::column(&self.path, &m.name, m.reason))
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        self.batch(columns, batch.num_rows())
    }

    fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|e| self.corrupt(e))
    }

    /// Rows of which no column is in the file.
    fn nulls(&self, rows: usize) -> Result<RecordBatch> {
        let nulls = |f: &Arc<arrow::datatypes::Field>| {
            if f.is_nullable() {
                Ok(new_null_array(f.data_type(), rows))
            } else {
                let reason = "it is NOT NULL, and the file does not have it";
                Err(FormatError::column(&self.path, f.name(), reason))
            }
        };
        let columns = self.schema.fields().iter().map(nulls).collect::<Result<Vec<_>>>()?;
        self.batch(columns, rows)
    }
}

impl UnitDecoder for Unit {
    fn next(&mut self, max_rows: usize) -> Result<Option<RecordBatch>> {
        let max_rows = max_rows.max(1);
        if let Some(source) = self.source.take() {
            self.start(source, max_rows.min(self.rows.max(1)))?;
        } else if self.absent {
            let rows = max_rows.min(self.rows - self.decoded);
            self.decoded += rows;
            return if rows == 0 { Ok(None) } else { self.nulls(rows).map(Some) };
        }
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => match self.decode()? {
                Some(batch) => {
                    let batch = self.convert(&batch)?;
                    self.decoded = self.decoded.saturating_add(batch.num_rows());
                    batch
                }
                None if self.decoded == self.rows => return Ok(None),
                None => {
                    let (there, rows) = (self.decoded, self.rows);
                    return Err(self.corrupt(format!("{there} rows instead of {rows}")));
                }
            },
        };
        if batch.num_rows() <= max_rows {
            return Ok(Some(batch));
        }
        self.rest = Some(batch.slice(max_rows, batch.num_rows() - max_rows));
        Ok(Some(batch.slice(0, max_rows)))
    }
}

/// The chunks, shared between the check of INT96 and the decoder.
struct Shared(Arc<Chunks>);

impl parquet::file::reader::Length for Shared {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl parquet::file::reader::ChunkReader for Shared {
    type T = <Chunks as parquet::file::reader::ChunkReader>::T;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<bytes::Bytes> {
        self.0.get_bytes(start, length)
    }
}

/// Whether every value of an INT96 leaf fits into nanoseconds; the decoder would wrap around.
fn int96_fits(
    chunks: &Arc<Chunks>,
    metadata: &ArrowReaderMetadata,
    unit: usize,
    leaf: usize,
) -> ParquetResult<bool> {
    let missing = || ParquetError::General(format!("no column {leaf} in row group {unit}"));
    let group = metadata.metadata().row_groups().get(unit).ok_or_else(missing)?;
    let chunk = group.columns().get(leaf).ok_or_else(missing)?;
    let rows = usize::try_from(group.num_rows())?;
    let pages = SerializedPageReader::new(Arc::clone(chunks), chunk, rows, None)?;
    let mut reader = ColumnReaderImpl::<Int96Type>::new(chunk.column_descr_ptr(), Box::new(pages));
    let flat = chunk.column_descr().max_rep_level() == 0;
    let nullable = chunk.column_descr().max_def_level() > 0;
    let (mut values, mut definition, mut repetition) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        values.clear();
        definition.clear();
        repetition.clear();
        let (records, _, levels) = reader.read_records(
            CHECK_VALUES,
            nullable.then_some(&mut definition),
            (!flat).then_some(&mut repetition),
            &mut values,
        )?;
        if values.iter().any(|v| nanos_of(v).is_none()) {
            return Ok(false);
        }
        if records == 0 && levels == 0 {
            return Ok(true);
        }
    }
}
