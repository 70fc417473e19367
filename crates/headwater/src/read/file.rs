//! Opens the data files of a bucket and fetches their units ahead of the decoder.
//!
//! Bytes are fetched by a task of the runtime, one unit ahead; decoding happens on the thread that
//! asks for the next batch.

use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use headwater_format::{
    FileFormat, FileReader, FormatError, Mapping, UnitDecoder, evolution, open,
};
use headwater_io::file_io::counted::CountedFileIo;
use headwater_io::{Env, Task};
use headwater_metadata::TableStore;
use headwater_spec::partition::partition_path;
use headwater_spec::path::bucket_dir;
use headwater_spec::predicate::Predicate;
use headwater_spec::{DataField, DataFileMeta, DataType, Datum, TableSchema, TypeKind};

use super::builder::ReadBuilder;
use super::counters::ReadCounters;
use super::split::Split;
use crate::error::{Error, Result};
use crate::table::Table;

/// `_SEQUENCE_NUMBER` of key-value files.
///
/// Format: `docs/spec/datafile.md#columns`. Source: Paimon 1.4.2 `SpecialFields`.
pub(crate) fn sequence_field() -> DataField {
    DataField::new(2_147_483_646, "_SEQUENCE_NUMBER", DataType::not_null(TypeKind::BigInt))
}

/// `_VALUE_KIND` of key-value files.
///
/// Format: `docs/spec/datafile.md#columns`. Source: Paimon 1.4.2 `SpecialFields`.
pub(crate) fn kind_field() -> DataField {
    DataField::new(2_147_483_645, "_VALUE_KIND", DataType::not_null(TypeKind::TinyInt))
}

/// Directory of a bucket, relative to the table.
pub(crate) fn bucket_path(table: &Table, values: &[Option<Datum>], bucket: i32) -> Result<String> {
    let partition = &table.options().partition;
    let inside = partition_path(
        &table.schema().partition_keys,
        &table.partition_types()?,
        values,
        &partition.default_name,
        partition.legacy_names,
    )?;
    let dir = bucket_dir(&inside, bucket);
    Ok(match &table.options().file.directory {
        Some(parent) => format!("{parent}/{dir}"),
        None => dir,
    })
}

/// What is read from each file of a split.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    table: Table,
    dir: String,
    /// Columns, with the table's names and types.
    pub(super) fields: Vec<DataField>,
    filter: Option<(Vec<DataField>, Predicate)>,
    counters: Option<Arc<ReadCounters>>,
}

impl Wanted {
    /// Reads `fields`; `pushed` says which of the table's columns may decide about row groups.
    pub(super) fn new(
        read: &ReadBuilder,
        split: &Split,
        fields: Vec<DataField>,
        pushed: impl Fn(&DataField) -> bool,
    ) -> Result<Self> {
        let table = &read.table;
        let mut columns: Vec<DataField> = Vec::new();
        let filter = read.filter.as_ref().and_then(|filter| {
            let all = &table.row_type().fields;
            let stored = |field: &DataField| !table.schema().partition_keys.contains(&field.name);
            let mut used = Vec::new();
            filter.visit_columns(&mut |c| used.push(c));
            for column in used {
                if let Some(field) = all.get(column)
                    && stored(field)
                    && pushed(field)
                    && !columns.contains(field)
                {
                    columns.push(field.clone());
                }
            }
            filter.remap_conjuncts(&|c| {
                let field = all.get(c)?;
                columns.iter().position(|f| f == field)
            })
        });
        Ok(Self {
            table: table.clone(),
            dir: bucket_path(table, split.partition_values(), split.bucket())?,
            fields,
            filter: filter.map(|predicate| (columns, predicate)),
            counters: read.counters.clone(),
        })
    }

    /// Reads all rows of files in a bucket's directory.
    pub(crate) fn all(table: &Table, dir: &str, fields: Vec<DataField>) -> Self {
        Self { table: table.clone(), dir: dir.to_owned(), fields, filter: None, counters: None }
    }

    /// The same with other columns.
    pub(super) fn with_fields(&self, fields: Vec<DataField>) -> Self {
        Self { fields, ..self.clone() }
    }

    /// What the table works with.
    pub(super) fn env(&self) -> &Env {
        self.table.env()
    }

    fn store(&self) -> &TableStore {
        self.table.store()
    }

    /// Fields of files written under a schema, system columns included.
    async fn file_fields(&self, schema_id: i64) -> Result<Vec<DataField>> {
        let schema: &TableSchema = self.table.schema();
        let mut fields = if schema.id == schema_id {
            schema.fields.clone()
        } else {
            self.store().schema(schema_id).await?.fields
        };
        if self.table.has_primary_key() {
            fields.push(sequence_field());
            fields.push(kind_field());
        }
        Ok(fields)
    }

    async fn open(&self, file: &DataFileMeta) -> Result<OpenFile> {
        let corrupt = |reason: String| Error::DataFile {
            table: self.table.name().to_owned(),
            path: format!("{}/{}", self.dir, file.file_name),
            reason,
        };
        if let Some(path) = &file.external_path {
            return Err(Error::ReadRefused {
                table: self.table.name().to_owned(),
                reason: format!("its file {path} lies outside of the table"),
            });
        }
        let path = self.store().path(&format!("{}/{}", self.dir, file.file_name));
        let size = u64::try_from(file.file_size)
            .map_err(|_| corrupt(format!("recorded size {} is negative", file.file_size)))?;
        let refused = |error: FormatError| match error {
            FormatError::Unsupported { what } => Error::ReadRefused {
                table: self.table.name().to_owned(),
                reason: format!("its file {}/{}: {what}", self.dir, file.file_name),
            },
            other => other.into(),
        };
        let format = FileFormat::of_file(&file.file_name).map_err(refused)?;
        let mut io = Arc::clone(self.store().io());
        if let Some(counters) = &self.counters {
            io = Arc::new(CountedFileIo::new(io, Arc::clone(&counters.io)));
        }
        let reader = open(io, &path, size, format).await.map_err(refused)?;
        if i64::try_from(reader.row_count()) != Ok(file.row_count) {
            return Err(corrupt(format!(
                "it holds {} rows, {} are recorded",
                reader.row_count(),
                file.row_count
            )));
        }
        let file_fields = self.file_fields(file.schema_id).await?;
        let mapping = evolution::file_fields(&file_fields, &self.fields)?;
        let units: Vec<usize> = match &self.filter {
            None => (0..reader.units()).collect(),
            Some((columns, predicate)) => {
                let mapping = evolution::file_fields(&file_fields, columns)?;
                match mapping.predicate(predicate) {
                    None => (0..reader.units()).collect(),
                    Some(predicate) => reader.prune(mapping.fields(), &predicate),
                }
            }
        };
        if let Some(counters) = &self.counters {
            counters.opened(units.len(), reader.units());
        }
        Ok(OpenFile { reader, mapping: Arc::new(mapping), units })
    }

    /// Opens the files for their footers alone.
    pub(super) async fn look_at<'a>(
        &self,
        files: impl Iterator<Item = &'a DataFileMeta>,
    ) -> Result<()> {
        for file in files {
            self.open(file).await?;
        }
        Ok(())
    }

    /// The fetching task must never wait for a CPU job: jobs wait for it.
    ///
    /// Starts fetching the units of `files`, in order, one ahead of the decoder.
    pub(crate) fn fetch(&self, files: Vec<DataFileMeta>) -> Units {
        let (mut sender, receiver) = mpsc::channel(0);
        let wanted = self.clone();
        let task = self.table.env().pools.spawn(async move {
            for file in files {
                let opened = wanted.open(&file).await;
                let opened = match opened {
                    Ok(opened) => opened,
                    Err(error) => {
                        // A closed channel means that nobody wants the rows any more.
                        let _ = sender.send(Err(error)).await;
                        return;
                    }
                };
                let mut starts = Starts::default();
                for unit in opened.units {
                    let first = starts.of(unit, opened.reader.as_ref());
                    let fetched = if opened.mapping.fields().is_empty() {
                        let rows = opened.reader.unit_rows(unit);
                        Ok(Unit::counted(rows, Arc::clone(&opened.mapping), first))
                    } else {
                        opened
                            .reader
                            .fetch(unit, opened.mapping.fields())
                            .await
                            .map(|d| Unit::decoded(d, Arc::clone(&opened.mapping), first))
                            .map_err(Error::from)
                    };
                    let failed = fetched.is_err();
                    if sender.send(fetched).await.is_err() || failed {
                        return;
                    }
                }
            }
        });
        Units { receiver, task: Some(task) }
    }
}

struct OpenFile {
    reader: Box<dyn FileReader>,
    mapping: Arc<Mapping>,
    units: Vec<usize>,
}

/// Fetched units, in order.
pub(crate) struct Units {
    receiver: mpsc::Receiver<Result<Unit>>,
    task: Option<Task<()>>,
}

impl Units {
    pub(crate) async fn next(&mut self) -> Option<Result<Unit>> {
        if let Some(unit) = self.receiver.next().await {
            return Some(unit);
        }
        // A task that died has not read everything.
        match self.task.take() {
            None => None,
            Some(task) => task.await.err().map(|error| Err(error.into())),
        }
    }

    /// Waits for the next unit on a CPU thread.
    pub(super) fn next_blocking(&mut self) -> Option<Result<Unit>> {
        futures::executor::block_on(self.next())
    }
}

/// Positions of the first rows of units, asked for in ascending order.
#[derive(Default)]
struct Starts {
    unit: usize,
    rows: i64,
}

impl Starts {
    fn of(&mut self, unit: usize, reader: &dyn FileReader) -> i64 {
        while self.unit < unit {
            let rows = i64::try_from(reader.unit_rows(self.unit)).unwrap_or(i64::MAX);
            self.rows = self.rows.saturating_add(rows);
            self.unit += 1;
        }
        self.rows
    }
}

/// A fetched unit: batches of the wanted columns.
pub(crate) struct Unit {
    content: Content,
    /// Position of the next row in the file.
    next: i64,
}

enum Content {
    Decoded(Box<dyn UnitDecoder>, Arc<Mapping>),
    /// The file has no column that is wanted: only the number of rows is known.
    Counted(u64, Arc<Mapping>),
}

impl Unit {
    fn decoded(decoder: Box<dyn UnitDecoder>, mapping: Arc<Mapping>, first: i64) -> Self {
        Self { content: Content::Decoded(decoder, mapping), next: first }
    }

    const fn counted(rows: u64, mapping: Arc<Mapping>, first: i64) -> Self {
        Self { content: Content::Counted(rows, mapping), next: first }
    }

    /// The position in the file of the row that comes next.
    pub(super) const fn position(&self) -> i64 {
        self.next
    }

    /// The next rows; `None` at the end of the unit.
    pub(crate) fn next_batch(&mut self, max_rows: usize) -> Result<Option<RecordBatch>> {
        let batch = self.decode(max_rows)?;
        let rows = batch.as_ref().map_or(0, RecordBatch::num_rows);
        self.next = self.next.saturating_add(i64::try_from(rows).unwrap_or(i64::MAX));
        Ok(batch)
    }

    fn decode(&mut self, max_rows: usize) -> Result<Option<RecordBatch>> {
        match &mut self.content {
            Content::Decoded(decoder, mapping) => match decoder.next(max_rows)? {
                None => Ok(None),
                Some(batch) => Ok(Some(mapping.apply(&batch)?)),
            },
            Content::Counted(0, _) => Ok(None),
            Content::Counted(left, mapping) => {
                let rows = usize::try_from(*left).unwrap_or(usize::MAX).min(max_rows.max(1));
                *left = left.saturating_sub(u64::try_from(rows).unwrap_or(u64::MAX));
                let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
                let schema = Arc::new(arrow::datatypes::Schema::empty());
                let batch = RecordBatch::try_new_with_options(schema, Vec::new(), &options)?;
                Ok(Some(mapping.apply(&batch)?))
            }
        }
    }
}
