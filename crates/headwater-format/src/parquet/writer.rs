//! Encodes batches as a Parquet file that Paimon and other readers understand.
//!
//! Rows collect in column writers until the row group is large enough, then its bytes become
//! available. Format: `docs/spec/datafile.md#parquet`. Source: Paimon 1.4.2
//! `RowDataParquetBuilder`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, Field, SchemaRef,
};
use bytes::Bytes;
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataField, RowType};
use parquet::arrow::arrow_writer::{
    ArrowColumnWriter, ArrowRowGroupWriterFactory, PageStoreFactory, compute_leaves,
};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataWriter,
    RowGroupMetaData,
};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion,
};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, SchemaDescPtr, SchemaDescriptor, TypePtr};

use super::distinct::dictionary_loses;
use super::int96::{Int96Writer, Step, leaves, levels};
use super::pages::{PageTaker, PageTakers, Pages};
use super::schema::parquet_schema;
use super::stats::{self, StatsCollector};
use crate::error::{FormatError, Result};
use crate::file::{EncodedFile, FileEncoder};
use crate::options::WriteOptions;

/// First bytes of a file.
const MAGIC: &[u8] = b"PAR1";

/// Readers take statistics of strings only from writers whose name and version they can parse.
const CREATED_BY: &str = concat!("headwater version ", env!("CARGO_PKG_VERSION"));

/// Rows that go to the column writers at once; the size of a row group is looked at in between.
const SLICE_ROWS: usize = 16_384;

/// Bytes after which a minimum or maximum is cut in the footer. Java leaves longer ones out.
const STATISTICS_BYTES: usize = 4096;

/// A column chunk being written.
enum LeafWriter {
    Arrow(Box<ArrowColumnWriter>, PageTaker),
    Int96(Box<Int96Writer>),
    /// Holds the same values as an earlier leaf, whose pages serve it too.
    Like(usize),
}

/// A finished column chunk.
#[derive(Clone)]
struct Chunk {
    pages: Pages,
    /// As the library's writer tells it, for pages without checksums.
    metadata: ColumnChunkMetaData,
}

/// The file, once its properties are known.
struct OpenFile {
    properties: WriterPropertiesPtr,
    schema: SchemaDescPtr,
    /// Gives the column writers their types, and a file without rows.
    writer: SerializedFileWriter<Vec<u8>>,
    factory: ArrowRowGroupWriterFactory,
    takers: Arc<PageTakers>,
    /// Finished bytes that nobody took yet.
    ready: Vec<Bytes>,
    /// Finished bytes in total.
    finished: u64,
    groups: Vec<RowGroupMetaData>,
    rows: i64,
}

impl OpenFile {
    fn push(&mut self, bytes: Bytes) {
        self.finished = self.finished.saturating_add(as_u64(bytes.len()));
        self.ready.push(bytes);
    }

    /// Moves the chunks of a row group to the finished bytes.
    fn end_group(&mut self, chunks: Vec<Chunk>, rows: usize) -> Result<()> {
        if self.groups.is_empty() {
            self.push(Bytes::from_static(MAGIC));
        }
        let start = self.finished;
        let mut columns = Vec::with_capacity(chunks.len());
        let mut plain_bytes = 0_i64;
        let schema = Arc::clone(&self.schema);
        for (Chunk { pages, metadata }, column) in chunks.into_iter().zip(schema.columns()) {
            let described = pages.describe(&metadata, column, self.finished);
            let described = described.map_err(FormatError::encode)?;
            plain_bytes = plain_bytes.saturating_add(described.uncompressed_size());
            columns.push(described);
            pages.into_bytes().for_each(|page| self.push(page));
        }
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let group = RowGroupMetaData::builder(schema)
            .set_num_rows(rows)
            .set_total_byte_size(plain_bytes)
            .set_column_metadata(columns)
            .set_ordinal(i16::try_from(self.groups.len()).unwrap_or(i16::MAX))
            .set_file_offset(i64::try_from(start).unwrap_or(i64::MAX))
            .build()
            .map_err(FormatError::encode)?;
        self.groups.push(group);
        self.rows = self.rows.saturating_add(rows);
        Ok(())
    }

    /// Ends the file with a footer for the finished row groups; returns the number of rows.
    fn end(&mut self) -> Result<u64> {
        let metadata = self.writer.finish().map_err(FormatError::encode)?;
        if self.groups.is_empty() {
            // Without rows the writer's own file is right.
            let bytes = std::mem::take(self.writer.inner_mut());
            self.push(bytes.into());
            return Ok(0);
        }
        let known = metadata.file_metadata();
        let file = FileMetaData::new(
            known.version(),
            self.rows,
            known.created_by().map(str::to_owned),
            known.key_value_metadata().cloned(),
            Arc::clone(&self.schema),
            known.column_orders().cloned(),
        );
        let groups = std::mem::take(&mut self.groups);
        let metadata = ParquetMetaDataBuilder::new(file).set_row_groups(groups).build();
        let mut footer = Vec::new();
        ParquetMetaDataWriter::new(&mut footer, &metadata).finish().map_err(FormatError::encode)?;
        self.push(footer.into());
        Ok(u64::try_from(self.rows).unwrap_or(0))
    }
}

fn as_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Encoder of one Parquet file.
pub(crate) struct ParquetEncoder {
    schema: SchemaRef,
    /// Steps to each leaf of each column, and whether it is INT96.
    leaves: Vec<Vec<(Vec<Step>, bool)>>,
    root: TypePtr,
    options: WriteOptions,
    /// Opened by the first rows, which decide how the columns are encoded.
    file: Option<OpenFile>,
    group: Vec<LeafWriter>,
    group_rows: usize,
    row_group_bytes: usize,
    stats: StatsCollector,
}

impl ParquetEncoder {
    pub(crate) fn new(fields: &[DataField], options: &WriteOptions) -> Result<Self> {
        let schema = arrow_schema(&RowType::new(fields.to_vec()));
        let leaves: Vec<_> = schema.fields().iter().map(|f| leaves(f)).collect();
        compression(options)?;
        Ok(Self {
            stats: StatsCollector::new(fields),
            schema,
            leaves,
            root: parquet_schema(fields)?,
            row_group_bytes: options.row_group_bytes.max(1),
            options: options.clone(),
            file: None,
            group: Vec::new(),
            group_rows: 0,
        })
    }

    /// The open file; opened with what `first` rows tell about the columns.
    fn open(&mut self, first: Option<&RecordBatch>) -> Result<&mut OpenFile> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.start_file(first)?,
        };
        Ok(self.file.insert(file))
    }

    fn start_file(&self, first: Option<&RecordBatch>) -> Result<OpenFile> {
        let options = &self.options;
        let schema = Arc::new(SchemaDescriptor::new(Arc::clone(&self.root)));
        let mut properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(compression(options)?)
            .set_dictionary_enabled(options.dictionary)
            .set_dictionary_page_size_limit(options.dictionary_bytes.max(1))
            .set_data_page_size_limit(options.page_bytes.max(1))
            .set_data_page_row_count_limit(options.page_rows.max(1))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_statistics_truncate_length(Some(STATISTICS_BYTES))
            .set_offset_index_disabled(true);
        for (column, (_, int96)) in schema.columns().iter().zip(self.leaves.iter().flatten()) {
            if *int96 {
                let path = column.path().clone();
                properties =
                    properties.set_column_statistics_enabled(path, EnabledStatistics::None);
            }
        }
        if let (true, Some(first)) = (options.dictionary, first) {
            for (field, values) in self.schema.fields().iter().zip(first.columns()) {
                if dictionary_loses(values) {
                    let path = ColumnPath::from(field.name().clone());
                    properties = properties.set_column_dictionary_enabled(path, false);
                }
            }
        }
        let properties = Arc::new(properties.build());
        let root = Arc::clone(&self.root);
        let writer = SerializedFileWriter::new(Vec::new(), root, Arc::clone(&properties))
            .map_err(FormatError::encode)?;
        let takers = Arc::new(PageTakers::default());
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&self.schema))
            .with_page_store_factory(Arc::clone(&takers) as Arc<dyn PageStoreFactory>);
        Ok(OpenFile {
            properties,
            schema,
            writer,
            factory,
            takers,
            ready: Vec::new(),
            finished: 0,
            groups: Vec::new(),
            rows: 0,
        })
    }

    fn check(&self, batch: &RecordBatch) -> Result<()> {
        if batch.num_columns() != self.schema.fields().len() {
            let (there, wanted) = (batch.num_columns(), self.schema.fields().len());
            let reason = format!("{there} columns instead of {wanted}");
            return Err(FormatError::Batch { reason });
        }
        for (field, column) in self.schema.fields().iter().zip(batch.columns()) {
            if field.data_type() != column.data_type() {
                let (name, there, wanted) = (field.name(), column.data_type(), field.data_type());
                let reason = format!("column '{name}' is {there} instead of {wanted}");
                return Err(FormatError::Batch { reason });
            }
            if !field.is_nullable() && column.null_count() > 0 {
                return Err(FormatError::Value {
                    column: field.name().clone(),
                    reason: "null in a NOT NULL column".to_owned(),
                });
            }
            check_width(field, column)?;
        }
        Ok(())
    }

    fn start_group(&mut self, first: &RecordBatch) -> Result<()> {
        let int96: Vec<bool> = self.leaves.iter().flatten().map(|(_, int96)| *int96).collect();
        let like = self.repeated_leaves(first);
        let file = self.open(Some(first))?;
        let writers = file.factory.create_column_writers(file.groups.len());
        let writers = writers.map_err(FormatError::encode)?.into_iter().zip(file.takers.started());
        let group = writers
            .zip(file.schema.columns())
            .zip(int96.into_iter().zip(like))
            .map(|(((writer, taker), column), (int96, like))| match like {
                Some(leaf) => LeafWriter::Like(leaf),
                None if int96 => {
                    LeafWriter::Int96(Box::new(Int96Writer::new(column, &file.properties)))
                }
                None => LeafWriter::Arrow(Box::new(writer), taker),
            })
            .collect();
        self.group = group;
        Ok(())
    }

    /// For each leaf an earlier one that has the same values: key columns come twice in every file.
    fn repeated_leaves(&self, batch: &RecordBatch) -> Vec<Option<usize>> {
        let mut found: Vec<Option<usize>> = Vec::new();
        let mut plain: Vec<(usize, usize)> = Vec::new();
        for (at, (field, leaves)) in self.schema.fields().iter().zip(&self.leaves).enumerate() {
            let single =
                !field.data_type().is_nested() && matches!(leaves.as_slice(), [(_, false)]);
            let like = plain.iter().filter(|_| single).find(|(earlier, _)| {
                let other = self.schema.field(*earlier);
                other.data_type() == field.data_type()
                    && other.is_nullable() == field.is_nullable()
                    && same_values(batch.column(*earlier), batch.column(at))
            });
            let like = like.map(|(_, leaf)| *leaf);
            if single && like.is_none() {
                plain.push((at, found.len()));
            }
            found.extend(leaves.iter().map(|_| like));
        }
        found
    }

    fn write_slice(&mut self, batch: &RecordBatch) -> Result<()> {
        if !self.group.is_empty() {
            let now = self.repeated_leaves(batch);
            let repeats = |(writer, now): (&LeafWriter, Option<usize>)| match writer {
                LeafWriter::Like(leaf) => now == Some(*leaf),
                _ => true,
            };
            if !self.group.iter().zip(now).all(repeats) {
                self.end_group()?;
            }
        }
        if self.group.is_empty() {
            self.start_group(batch)?;
        }
        let mut writers = self.group.iter_mut();
        for ((field, column), leaves) in
            self.schema.fields().iter().zip(batch.columns()).zip(&self.leaves)
        {
            let mut writers = writers.by_ref().take(leaves.len()).peekable();
            if matches!(writers.peek(), Some(LeafWriter::Like(_))) {
                writers.for_each(drop);
                continue;
            }
            let arrow = compute_leaves(field, column).map_err(FormatError::encode)?;
            for ((leaf, (steps, _)), writer) in arrow.iter().zip(leaves).zip(writers) {
                match writer {
                    LeafWriter::Arrow(writer, _) => writer.write(leaf),
                    LeafWriter::Int96(writer) => {
                        let levels = levels(field, column, steps).ok_or_else(|| {
                            FormatError::encode(format!("shape of column '{}'", field.name()))
                        })?;
                        writer.write(&levels)
                    }
                    LeafWriter::Like(_) => Ok(()),
                }
                .map_err(FormatError::encode)?;
            }
        }
        self.stats.add(batch);
        self.group_rows += batch.num_rows();
        Ok(())
    }

    fn group_bytes(&self) -> usize {
        let size = |w: &LeafWriter| match w {
            LeafWriter::Arrow(w, _) => w.get_estimated_total_bytes(),
            LeafWriter::Int96(w) => w.memory(),
            LeafWriter::Like(_) => 0,
        };
        let of = |w: &LeafWriter| match w {
            LeafWriter::Like(leaf) => self.group.get(*leaf).map_or(0, size),
            other => size(other),
        };
        self.group.iter().map(of).sum()
    }

    fn end_group(&mut self) -> Result<()> {
        if self.group_rows == 0 {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.group_rows);
        let mut chunks: Vec<Chunk> = Vec::with_capacity(self.group.len());
        for (leaf, writer) in self.group.drain(..).enumerate() {
            let mut chunk = match writer {
                LeafWriter::Arrow(writer, taker) => {
                    let metadata =
                        writer.close().map_err(FormatError::encode)?.close().metadata.clone();
                    Chunk { pages: taker.finish(), metadata }
                }
                LeafWriter::Int96(writer) => {
                    let (bytes, closed) = writer.close().map_err(FormatError::encode)?;
                    let pages = Pages::of_chunk(&bytes).map_err(FormatError::encode)?;
                    Chunk { pages, metadata: closed.metadata }
                }
                LeafWriter::Like(leaf) => match chunks.get(leaf) {
                    Some(chunk) => chunk.clone(),
                    None => return Err(FormatError::encode(format!("no chunk {leaf} to repeat"))),
                },
            };
            if self.stats.end_chunk(leaf, &chunk.metadata, rows) {
                chunk.metadata = without_bounds(chunk.metadata)?;
            }
            chunks.push(chunk);
        }
        let Some(file) = &mut self.file else {
            return Err(FormatError::encode("rows were written before the file was opened"));
        };
        file.end_group(chunks, rows)
    }
}

/// Refuses a decimal that the bytes of its type do not hold: a sum may have more digits than the
/// type says. Java writes its lower bytes.
fn check_width(field: &Field, column: &ArrayRef) -> Result<()> {
    let DataType::Decimal128(precision, scale) = *field.data_type() else { return Ok(()) };
    let (range, bytes) = match precision {
        ..=9 => (i128::from(i32::MIN)..=i128::from(i32::MAX), 4),
        10..=18 => (i128::from(i64::MIN)..=i128::from(i64::MAX), 8),
        _ => return Ok(()),
    };
    let mut values = column.as_primitive::<Decimal128Type>().iter().flatten();
    let Some(value) = values.find(|value| !range.contains(value)) else { return Ok(()) };
    let value = Decimal128Type::format_decimal(value, DECIMAL128_MAX_PRECISION, scale);
    Err(FormatError::Value {
        column: field.name().clone(),
        reason: format!(
            "{value} does not fit into the {bytes} bytes of DECIMAL({precision}, {scale}); a larger \
             precision holds it"
        ),
    })
}

/// Whether two arrays share their values.
fn same_values(a: &ArrayRef, b: &ArrayRef) -> bool {
    Arc::ptr_eq(a, b) || a.to_data().ptr_eq(&b.to_data())
}

/// The chunk without minimum and maximum: it holds a NaN, which they do not cover.
fn without_bounds(chunk: ColumnChunkMetaData) -> Result<ColumnChunkMetaData> {
    let Some(statistics) = chunk.statistics().map(stats::without_bounds) else {
        return Ok(chunk);
    };
    chunk.into_builder().set_statistics(statistics).build().map_err(FormatError::encode)
}

fn compression(options: &WriteOptions) -> Result<Compression> {
    Ok(match options.compression.trim().to_ascii_lowercase().as_str() {
        "zstd" => {
            let level = ZstdLevel::try_new(options.zstd_level).map_err(|_| {
                let reason = format!("{} is not between 1 and 22", options.zstd_level);
                FormatError::Option { key: "file.compression.zstd-level", reason }
            })?;
            Compression::ZSTD(level)
        }
        "snappy" => Compression::SNAPPY,
        "gzip" => Compression::GZIP(GzipLevel::default()),
        // Java's LZ4 is the older one, in the frames of Hadoop.
        "lz4" => Compression::LZ4,
        "lz4_raw" => Compression::LZ4_RAW,
        "none" | "uncompressed" | "" => Compression::UNCOMPRESSED,
        other => {
            let reason = format!("'{other}' is none of zstd, snappy, lz4, lz4_raw, gzip, none");
            return Err(FormatError::Option { key: "file.compression", reason });
        }
    })
}

impl FileEncoder for ParquetEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.check(batch)?;
        let mut start = 0;
        while start < batch.num_rows() {
            let rows = SLICE_ROWS.min(batch.num_rows() - start);
            self.write_slice(&batch.slice(start, rows))?;
            start += rows;
            if self.group_bytes() >= self.row_group_bytes {
                self.end_group()?;
            }
        }
        Ok(())
    }

    fn take(&mut self) -> Vec<Bytes> {
        // Bytes are complete when a row group has ended.
        self.file.as_mut().map(|file| std::mem::take(&mut file.ready)).unwrap_or_default()
    }

    fn bytes_written(&self) -> u64 {
        let finished = self.file.as_ref().map_or(0, |f| f.finished);
        finished.saturating_add(as_u64(self.group_bytes()))
    }

    fn memory(&self) -> usize {
        let size = |w: &LeafWriter| match w {
            LeafWriter::Arrow(w, _) => w.memory_size(),
            LeafWriter::Int96(w) => w.memory(),
            LeafWriter::Like(_) => 0,
        };
        let ready = self.file.as_ref().map_or(0, |f| f.ready.iter().map(Bytes::len).sum());
        self.group.iter().map(size).sum::<usize>() + ready
    }

    fn finish(mut self: Box<Self>) -> Result<EncodedFile> {
        self.end_group()?;
        let file = self.open(None)?;
        let row_count = file.end()?;
        let size = file.finished;
        let column_stats = std::mem::take(&mut self.stats).finish();
        Ok(EncodedFile { tail: self.take(), column_stats, row_count, size })
    }
}
