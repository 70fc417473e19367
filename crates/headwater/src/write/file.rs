//! One data file being written: encoder, bytes to the store, and the metadata that describes it.
//!
//! Rules: `docs/spec/datafile.md#metadata`. Source: Paimon 1.4.2 `KeyValueDataFileWriter`,
//! `RowDataFileWriter`.

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Int8Type, Int64Type};
use bytes::Bytes;
use headwater_format::{FileEncoder, FileFormat, WriteOptions, avro_lacks, encoder};
use headwater_io::FileWriter;
use headwater_lsm::is_retract;
use headwater_spec::options::{FileOptions, StatsMode, StatsOptions};
use headwater_spec::row::arrow::datum_at;
use headwater_spec::stats::ColumnStats;
use headwater_spec::{
    BinaryRow, DataField, DataFileMeta, DataType, Datum, FileSource, SimpleStats, path,
};

use crate::error::{Error, Result};
use crate::read::file::{kind_field, sequence_field};
use crate::table::Table;

/// Difference between the id of a key column in files and the id of its column in the table.
const KEY_FIELD_ID_START: i32 = 1_073_741_823;
/// System columns and keys keep this many characters of strings.
const KEY_STATS: StatsMode = StatsMode::Truncate(128);

/// What every file of a table has in common.
pub(crate) struct FileLayout {
    table: Table,
    /// Columns of a file.
    pub(crate) fields: Vec<DataField>,
    keyed: bool,
    /// Positions of the key columns among the table's columns.
    pub(crate) key_at: Vec<usize>,
    key_types: Vec<DataType>,
    extension: String,
    options: WriteOptions,
    /// Level of the files, and how they are written there.
    level: i32,
    file: FileOptions,
    stats: StatsOptions,
    source: FileSource,
}

impl FileLayout {
    /// Files of new rows.
    pub(crate) fn new(table: &Table) -> Result<Self> {
        Self::at_level(table, 0, FileSource::Append)
    }

    /// Files that a compaction makes.
    pub(crate) fn compacted(table: &Table, level: i32) -> Result<Self> {
        Self::at_level(table, level, FileSource::Compact)
    }

    /// Files of rows that wait for their buckets, with names that begin with `prefix`.
    ///
    /// Source: Paimon 1.4.2 `PostponeBucketFileStoreWrite`.
    ///
    /// # Errors
    /// The table's compression is not one of Avro files.
    pub(crate) fn postponed(table: &Table, prefix: String) -> Result<Self> {
        let mut layout = Self::new(table)?;
        layout.file.prefix = prefix;
        if avro_lacks(&table.schema().fields).is_none() {
            layout.file.format = FileFormat::Avro.name().to_owned();
            layout.stats.mode = StatsMode::None;
            layout.stats.per_column.clear();
            layout.extension = layout.file.extension();
        }
        encoder(FileFormat::parse(&layout.file.format)?, &layout.fields, &layout.options)?;
        Ok(layout)
    }

    fn at_level(table: &Table, level: i32, source: FileSource) -> Result<Self> {
        let schema = table.schema();
        let keys = schema.columns(&schema.trimmed_primary_keys())?;
        let keyed = table.has_primary_key();
        let file = FileOptions::at_level(schema, level)?;
        let mut fields = Vec::new();
        if keyed {
            if !file.thin {
                fields.extend(keys.iter().map(key_field));
            }
            fields.push(sequence_field());
            fields.push(kind_field());
        }
        fields.extend(schema.fields.iter().cloned());
        let key_at = keys.iter().filter_map(|k| table.row_type().index_of(&k.name)).collect();
        let extension = file.extension();
        let options = WriteOptions::from(&file);
        Ok(Self {
            level,
            file,
            stats: StatsOptions::at_level(schema, level)?,
            source,
            table: table.clone(),
            fields,
            keyed,
            key_at,
            key_types: keys.into_iter().map(|k| k.data_type).collect(),
            extension,
            options,
        })
    }

    /// Columns of the table.
    pub(crate) fn value_columns(&self) -> usize {
        self.table.row_type().fields.len()
    }

    /// Arrow schema of the table's columns.
    pub(crate) fn value_schema(&self) -> arrow::datatypes::SchemaRef {
        self.table.arrow_schema()
    }

    fn key_columns(&self) -> usize {
        if self.keyed && !self.file.thin { self.key_types.len() } else { 0 }
    }

    /// Bare name of a file of a writer.
    pub(crate) fn file_name(&self, uuid: &str, counter: u64) -> String {
        let prefix = &self.file.prefix;
        path::data_file_name(prefix, uuid, counter, &self.extension)
    }

    /// Bytes from which on a file is full.
    pub(crate) const fn target_bytes(&self) -> u64 {
        self.file.target_bytes
    }

    /// Starts a file.
    pub(crate) fn start(&self, name: String) -> Result<OpenDataFile> {
        let format = FileFormat::parse(&self.file.format)?;
        let mut options = self.options.clone();
        for chunk in options.sync_marker.chunks_mut(8) {
            let bytes = self.table.env().random.next_u64().to_le_bytes();
            chunk.copy_from_slice(bytes.get(..chunk.len()).unwrap_or_default());
        }
        Ok(OpenDataFile {
            encoder: encoder(format, &self.fields, &options)?,
            writer: None,
            name,
            rows: 0,
            deletes: 0,
            min_key: None,
            max_key: None,
            sequences: None,
        })
    }

    fn describe(&self, file: Finished, creation_time_millis: i64) -> Result<DataFileMeta> {
        let stats = &self.stats;
        let keys = self.key_columns();
        let skip = keys + if self.keyed { 2 } else { 0 };
        let key_stats = self.key_stats(&file.columns)?;
        let mut columns = Vec::new();
        let mut names = Vec::new();
        let mut types = Vec::new();
        for (at, field) in self.table.row_type().fields.iter().enumerate() {
            let known = file.columns.get(skip + at).cloned().unwrap_or_default();
            let thin_key = self.keyed && keys == 0 && self.key_at.contains(&at);
            let mode = if thin_key { KEY_STATS } else { stats.mode_of(&field.name, at) };
            let known = known.reduced(mode);
            if stats.dense && known.is_none() {
                continue;
            }
            columns.push(known);
            names.push(field.name.clone());
            types.push(field.data_type.clone());
        }
        let complete = names.len() == self.table.row_type().fields.len();
        let (min_sequence_number, max_sequence_number) = file.sequences;
        Ok(DataFileMeta {
            file_name: file.name,
            file_size: i64::try_from(file.size).unwrap_or(i64::MAX),
            row_count: file.rows,
            min_key: file.min_key,
            max_key: file.max_key,
            key_stats,
            value_stats: SimpleStats::encode(&columns, &types)?,
            min_sequence_number,
            max_sequence_number,
            schema_id: self.table.schema().id,
            level: self.level,
            extra_files: Vec::new(),
            creation_time_millis: Some(creation_time_millis),
            delete_row_count: Some(file.deletes),
            embedded_index: None,
            file_source: Some(self.source),
            value_stats_cols: if complete { None } else { Some(names) },
            external_path: None,
            first_row_id: None,
            write_cols: None,
        })
    }

    /// Statistics of the key columns; without a primary key there are none.
    fn key_stats(&self, columns: &[ColumnStats]) -> Result<SimpleStats> {
        if !self.keyed {
            return Ok(SimpleStats::empty());
        }
        let keys = self.key_columns();
        let stats: Vec<ColumnStats> = if keys > 0 {
            columns.iter().take(keys).cloned().collect()
        } else {
            self.key_at.iter().map(|at| columns.get(2 + at).cloned().unwrap_or_default()).collect()
        };
        let stats: Vec<_> = stats.into_iter().map(|s| s.reduced(KEY_STATS)).collect();
        Ok(SimpleStats::encode(&stats, &self.key_types)?)
    }
}

fn key_field(field: &DataField) -> DataField {
    DataField::new(
        KEY_FIELD_ID_START.saturating_add(field.id),
        format!("_KEY_{}", field.name),
        field.data_type.clone(),
    )
}

/// A file that is being written.
pub(crate) struct OpenDataFile {
    encoder: Box<dyn FileEncoder>,
    writer: Option<Box<dyn FileWriter>>,
    name: String,
    rows: i64,
    deletes: i64,
    min_key: Option<Vec<Option<Datum>>>,
    max_key: Option<Vec<Option<Datum>>>,
    sequences: Option<(i64, i64)>,
}

struct Finished {
    name: String,
    size: u64,
    rows: i64,
    deletes: i64,
    min_key: BinaryRow,
    max_key: BinaryRow,
    sequences: (i64, i64),
    columns: Vec<ColumnStats>,
}

impl OpenDataFile {
    /// Size so far, in bytes, buffered rows included.
    pub(crate) fn bytes_written(&self) -> u64 {
        self.encoder.bytes_written()
    }

    /// Encodes rows that are sorted by key; returns the bytes that are complete.
    pub(crate) fn add_sorted(
        &mut self,
        layout: &FileLayout,
        sequence: &ArrayRef,
        kinds: &ArrayRef,
        values: &RecordBatch,
    ) -> Result<Vec<Bytes>> {
        let rows = values.num_rows();
        if rows == 0 {
            return Ok(Vec::new());
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(layout.fields.len());
        if layout.key_columns() > 0 {
            columns
                .extend(layout.key_at.iter().map(|at| std::sync::Arc::clone(values.column(*at))));
        }
        columns.push(std::sync::Arc::clone(sequence));
        columns.push(std::sync::Arc::clone(kinds));
        columns.extend(values.columns().iter().map(std::sync::Arc::clone));
        let key = |row: usize| -> Result<Vec<Option<Datum>>> {
            layout
                .key_at
                .iter()
                .zip(&layout.key_types)
                .map(|(at, t)| Ok(datum_at(values.column(*at).as_ref(), row, t)?))
                .collect()
        };
        if self.min_key.is_none() {
            self.min_key = Some(key(0)?);
        }
        self.max_key = Some(key(rows - 1)?);
        let kinds = kinds.as_primitive::<Int8Type>().values();
        self.deletes += count(kinds.iter().filter(|k| is_retract(**k)).count());
        let numbers = sequence.as_primitive::<Int64Type>().values();
        if let (Some(min), Some(max)) = (numbers.iter().min(), numbers.iter().max()) {
            let (first, last) = self.sequences.unwrap_or((*min, *max));
            self.sequences = Some((first.min(*min), last.max(*max)));
        }
        self.encode(layout, columns, rows)
    }

    /// Encodes rows of an append table, numbered from `first_sequence`.
    pub(crate) fn add_plain(
        &mut self,
        layout: &FileLayout,
        first_sequence: i64,
        values: &RecordBatch,
    ) -> Result<Vec<Bytes>> {
        let rows = values.num_rows();
        if rows == 0 {
            return Ok(Vec::new());
        }
        let last = first_sequence.saturating_add(count(rows)).saturating_sub(1);
        let (first, _) = self.sequences.unwrap_or((first_sequence, last));
        self.sequences = Some((first, last));
        self.encode(layout, values.columns().to_vec(), rows)
    }

    fn encode(
        &mut self,
        layout: &FileLayout,
        columns: Vec<ArrayRef>,
        rows: usize,
    ) -> Result<Vec<Bytes>> {
        let schema = headwater_spec::types::arrow_schema(&headwater_spec::RowType::new(
            layout.fields.clone(),
        ));
        self.encoder.write(&RecordBatch::try_new(schema, columns)?)?;
        self.rows += count(rows);
        Ok(self.encoder.take())
    }

    /// Moves bytes to the store; `dir` is the bucket's directory inside the store.
    pub(crate) async fn put(&mut self, table: &Table, dir: &str, bytes: Vec<Bytes>) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.writer.is_none() {
            let path = table.store().path(&format!("{dir}/{}", self.name));
            self.writer = Some(table.store().io().create(&path).await?);
        }
        if let Some(writer) = &mut self.writer {
            for bytes in bytes {
                writer.write(bytes).await?;
            }
        }
        Ok(())
    }

    /// Ends the file: it is durable when this returns its metadata.
    pub(crate) async fn finish(
        mut self,
        layout: &std::sync::Arc<FileLayout>,
        dir: &str,
    ) -> Result<DataFileMeta> {
        let table = layout.table.clone();
        let encoder = self.encoder;
        let encoded = table.env().pools.run(move || encoder.finish()).await??;
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let path = table.store().path(&format!("{dir}/{}", self.name));
                table.store().io().create(&path).await?
            }
        };
        for bytes in encoded.tail {
            writer.write(bytes).await?;
        }
        let size = writer.finish().await?;
        if size != encoded.size {
            return Err(Error::DataFile {
                table: table.name().to_owned(),
                path: format!("{dir}/{}", self.name),
                reason: format!("{size} bytes were stored of {}", encoded.size),
            });
        }
        let key_row = |key: Option<Vec<Option<Datum>>>| match key {
            Some(values) => BinaryRow::from_values(&values, &layout.key_types),
            None => Ok(BinaryRow::empty()),
        };
        let finished = Finished {
            name: self.name,
            size,
            rows: self.rows,
            deletes: self.deletes,
            min_key: key_row(self.min_key)?,
            max_key: key_row(self.max_key)?,
            sequences: self.sequences.unwrap_or((0, 0)),
            columns: encoded.column_stats,
        };
        layout.describe(finished, table.env().clock.local_millis())
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
