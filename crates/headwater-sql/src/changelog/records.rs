//! Reads files of records, one a line, into rows with kinds. Which rows a record means is said in
//! `envelope.rs`; this file finds lines, gives values their types, and knows which line is bad.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, Int8Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use base64::Engine as _;
use bytes::{Bytes, BytesMut};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _};
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use futures::stream::BoxStream;
use headwater::{DataType, TypeKind};

use super::dead_letters::{DeadLetters, Place};
use super::envelope::{Envelope, Row};
use crate::assign::convert;
use crate::error::SqlError;
use crate::leaf::Leaf;

/// Rows of a batch.
const BATCH_ROWS: usize = 4096;

/// Longest line, bytes.
const MAX_LINE: usize = 64 << 20;

/// Files of records, and what their rows are.
pub(crate) struct Records {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The files in their order.
    pub(crate) files: Vec<ObjectMeta>,
    pub(crate) compression: FileCompressionType,
    pub(crate) envelope: Envelope,
    pub(crate) columns: Vec<(String, DataType)>,
    pub(crate) letters: Arc<DeadLetters>,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("envelope", &self.envelope).finish_non_exhaustive()
    }
}

impl Records {
    /// Refuses columns whose values cannot be had from a text.
    pub(crate) fn check_columns(columns: &[(String, DataType)]) -> Result<(), SqlError> {
        for (name, data_type) in columns {
            if matches!(
                data_type.kind,
                TypeKind::Array(_)
                    | TypeKind::Map(..)
                    | TypeKind::Multiset(_)
                    | TypeKind::Row(_)
                    | TypeKind::Vector(..)
                    | TypeKind::Variant
            ) {
                return Err(SqlError::unsupported(
                    format!("column '{name}' of type {data_type} in a file of changes is"),
                    "declare it as STRING: it gets the JSON, which JSON_VALUE takes apart",
                ));
            }
        }
        Ok(())
    }

    /// Reads the files once, one after the other: columns, and the kind as the last one.
    pub(super) fn plan(self: &Arc<Self>, schema: SchemaRef) -> Arc<dyn ExecutionPlan> {
        let about = format!("{:?}, {} files", self.envelope, self.files.len());
        let (records, given) = (Arc::clone(self), Arc::clone(&schema));
        Arc::new(Leaf::new(("RecordsExec", about), schema, 1, move |_, _| {
            let reader = Reader {
                names: records.columns.iter().map(|(name, _)| name.clone()).collect(),
                records: Arc::clone(&records),
                schema: Arc::clone(&given),
                next_file: 0,
                open: None,
            };
            let batches = futures::stream::try_unfold(reader, |mut reader| async move {
                let batch = reader.next().await?;
                Ok(batch.map(|batch| (batch, reader)))
            });
            Ok(batches.boxed())
        }))
    }
}

/// A file that is being read.
struct Lines {
    path: String,
    bytes: BoxStream<'static, PlanResult<Bytes>>,
    rest: BytesMut,
    /// Number of the last line, from 1.
    line: u64,
    ended: bool,
}

impl Lines {
    /// The next line without its end.
    async fn next(&mut self) -> PlanResult<Option<Bytes>> {
        let mut looked = 0;
        loop {
            let found =
                self.rest.get(looked..).and_then(|new| new.iter().position(|b| *b == b'\n'));
            if let Some(at) = found {
                let mut line = self.rest.split_to(looked + at + 1);
                line.truncate(looked + at);
                self.line += 1;
                return Ok(Some(line.freeze()));
            }
            looked = self.rest.len();
            if looked > MAX_LINE {
                let line = self.line + 1;
                return Err(own(SqlError::invalid(format!(
                    "file '{}', line {line}: it is longer than {MAX_LINE} bytes",
                    self.path
                ))));
            }
            if self.ended {
                if self.rest.is_empty() {
                    return Ok(None);
                }
                self.line += 1;
                return Ok(Some(self.rest.split().freeze()));
            }
            match self.bytes.next().await {
                Some(more) => self.rest.extend_from_slice(&more?),
                None => self.ended = true,
            }
        }
    }
}

struct Reader {
    records: Arc<Records>,
    names: Vec<String>,
    schema: SchemaRef,
    next_file: usize,
    open: Option<Lines>,
}

/// Rows of one batch, with the line and the record that each comes from.
#[derive(Default)]
struct Waiting {
    rows: Vec<Row>,
    origins: Vec<usize>,
    records: Vec<(u64, String)>,
}

impl Reader {
    async fn next(&mut self) -> PlanResult<Option<RecordBatch>> {
        loop {
            if self.open.is_none() {
                let Some(file) = self.records.files.get(self.next_file) else { return Ok(None) };
                self.next_file += 1;
                let found = self.records.store.get(&file.location).await;
                let bytes = found.map_err(DataFusionError::from)?.into_stream();
                let bytes = bytes.map(|part| part.map_err(DataFusionError::from)).boxed();
                self.open = Some(Lines {
                    path: format!("/{}", file.location),
                    bytes: self.records.compression.convert_stream(bytes)?,
                    rest: BytesMut::new(),
                    line: 0,
                    ended: false,
                });
            }
            let Some(lines) = &mut self.open else { return Ok(None) };
            let mut waiting = Waiting::default();
            let mut end = false;
            while waiting.rows.len() < BATCH_ROWS {
                let Some(line) = lines.next().await? else {
                    end = true;
                    break;
                };
                let (path, number) = (lines.path.as_str(), lines.line);
                let bad = |reason: &str, text: &str| {
                    let at = Place { file: path, unit: "line", number };
                    self.records.letters.take(at, reason, text).map_err(own)
                };
                let Ok(text) = std::str::from_utf8(&line) else {
                    bad("it is not UTF-8", &String::from_utf8_lossy(&line))?;
                    continue;
                };
                if text.trim().is_empty() {
                    continue;
                }
                match self.records.envelope.rows(text, &self.names) {
                    Ok(rows) => {
                        let origin = waiting.records.len();
                        waiting.origins.extend(rows.iter().map(|_| origin));
                        waiting.rows.extend(rows);
                        waiting.records.push((number, text.to_owned()));
                    }
                    Err(reason) => bad(&reason, text)?,
                }
            }
            let path = lines.path.clone();
            if end {
                self.open = None;
            }
            let batch = self.typed(&path, waiting)?;
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
        }
    }

    /// The rows with the columns' types, without the records whose values do not have them.
    fn typed(&self, path: &str, mut waiting: Waiting) -> PlanResult<RecordBatch> {
        if let Ok(batch) = self.batch(&waiting.rows) {
            return Ok(batch);
        }
        let mut bad: Vec<Option<String>> = vec![None; waiting.records.len()];
        for (row, origin) in waiting.rows.iter().zip(&waiting.origins) {
            if let (Err(error), Some(bad)) =
                (self.batch(std::slice::from_ref(row)), bad.get_mut(*origin))
            {
                bad.get_or_insert(error.to_string());
            }
        }
        for (reason, (line, record)) in bad.iter().zip(&waiting.records) {
            if let Some(reason) = reason {
                let at = Place { file: path, unit: "line", number: *line };
                self.records.letters.take(at, reason, record).map_err(own)?;
            }
        }
        let mut origins = waiting.origins.iter();
        waiting.rows.retain(|_| {
            origins.next().is_some_and(|origin| bad.get(*origin).is_some_and(Option::is_none))
        });
        self.batch(&waiting.rows).map_err(own)
    }

    fn batch(&self, rows: &[Row]) -> Result<RecordBatch, SqlError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.records.columns.len() + 1);
        for (at, (name, data_type)) in self.records.columns.iter().enumerate() {
            let texts: StringArray =
                rows.iter().map(|(_, values)| values.get(at).and_then(Option::as_deref)).collect();
            if !data_type.nullable && texts.null_count() > 0 {
                return Err(SqlError::invalid(format!("column '{name}' is NOT NULL: no value")));
            }
            let column: ArrayRef = match data_type.kind {
                TypeKind::Binary(_) | TypeKind::VarBinary(_) => Arc::new(decoded(&texts, name)?),
                _ => Arc::new(texts),
            };
            columns.push(convert(&column, data_type, name)?);
        }
        columns.push(Arc::new(rows.iter().map(|(kind, _)| *kind).collect::<Int8Array>()));
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|e| SqlError::invalid(e.to_string()))
    }
}

/// Bytes stand in JSON as Base64.
fn decoded(texts: &StringArray, column: &str) -> Result<BinaryArray, SqlError> {
    let bytes: Result<Vec<Option<Vec<u8>>>, SqlError> = texts
        .iter()
        .map(|text| {
            text.map(|text| base64::engine::general_purpose::STANDARD.decode(text)).transpose()
        })
        .map(|bytes| bytes.map_err(|e| SqlError::invalid(format!("column '{column}': {e}"))))
        .collect();
    Ok(bytes?.iter().map(Option::as_deref).collect())
}

fn own(error: SqlError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
