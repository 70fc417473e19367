//! Encodes batches as a Parquet file that Paimon and other readers understand.
//!
//! Rows collect in column writers until the row group is large enough, then its bytes become
//! available. Format: `docs/spec/datafile.md#parquet`. Source: Paimon 1.4.2
//! `RowDataParquetBuilder`.

use std::io;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataField, RowType};
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::metadata::{ParquetMetaDataWriter, RowGroupMetaData};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion,
};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, SchemaDescriptor, TypePtr};

use super::checksum;
use super::distinct::mostly_distinct;
use super::int96::{Int96Writer, Step, leaves, levels};
use super::schema::parquet_schema;
use super::stats::{self, StatsCollector};
use crate::error::{FormatError, Result};
use crate::file::{EncodedFile, FileEncoder};
use crate::options::WriteOptions;

/// Readers take statistics of strings only from writers whose name and version they can parse.
const CREATED_BY: &str = concat!("headwater version ", env!("CARGO_PKG_VERSION"));

/// Rows that go to the column writers at once; the size of a row group is looked at in between.
const SLICE_ROWS: usize = 16_384;

/// Bytes after which a minimum or maximum is cut in the footer. Java leaves longer ones out.
const STATISTICS_BYTES: usize = 4096;

/// The encoded bytes that nobody took yet.
#[derive(Debug, Default)]
struct Ready(Vec<u8>);

impl io::Write for Ready {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A column chunk being written.
enum LeafWriter {
    Arrow(Box<ArrowColumnWriter>),
    Int96(Box<Int96Writer>),
}

/// The file, once its properties are known.
struct OpenFile {
    properties: WriterPropertiesPtr,
    /// Writes pages without checksums, and a footer that is not used.
    writer: SerializedFileWriter<Ready>,
    factory: ArrowRowGroupWriterFactory,
    /// Bytes that the writer has handed over.
    plain: u64,
    /// Finished bytes that nobody took yet, with checksums.
    ready: Vec<u8>,
    /// Finished bytes in total.
    finished: u64,
    /// Finished row groups, as they lie in the finished bytes.
    groups: Vec<RowGroupMetaData>,
}

impl OpenFile {
    /// Moves a row group that the writer has ended to the finished bytes.
    fn end_group(&mut self) -> Result<()> {
        self.writer.flush().map_err(FormatError::encode)?;
        let bytes = std::mem::take(&mut self.writer.inner_mut().0);
        let Some(group) = self.writer.flushed_row_groups().last() else {
            return Err(FormatError::encode("a row group ended without metadata"));
        };
        let before = self.ready.len();
        let moved = checksum::add(&bytes, self.plain, group, &mut self.ready, self.finished)
            .map_err(FormatError::encode)?;
        self.groups.push(moved);
        self.plain = self.plain.saturating_add(as_u64(bytes.len()));
        self.finished = self.finished.saturating_add(as_u64(self.ready.len() - before));
        Ok(())
    }

    /// Ends the file with a footer for the finished row groups.
    fn end(&mut self) -> Result<u64> {
        let metadata = self.writer.finish().map_err(FormatError::encode)?;
        if self.groups.is_empty() {
            // Without rows nothing moved: the writer's own file is right.
            self.writer.flush().map_err(FormatError::encode)?;
            self.ready = std::mem::take(&mut self.writer.inner_mut().0);
            self.finished = as_u64(self.ready.len());
            return Ok(0);
        }
        let rows = metadata.file_metadata().num_rows();
        let groups = std::mem::take(&mut self.groups);
        let metadata = metadata.into_builder().set_row_groups(groups).build();
        let before = self.ready.len();
        ParquetMetaDataWriter::new(&mut self.ready, &metadata)
            .finish()
            .map_err(FormatError::encode)?;
        self.finished = self.finished.saturating_add(as_u64(self.ready.len() - before));
        Ok(u64::try_from(rows).unwrap_or(0))
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
        let columns = SchemaDescriptor::new(Arc::clone(&self.root));
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
        for (column, (_, int96)) in columns.columns().iter().zip(self.leaves.iter().flatten()) {
            if *int96 {
                let path = column.path().clone();
                properties =
                    properties.set_column_statistics_enabled(path, EnabledStatistics::None);
            }
        }
        if let (true, Some(first)) = (options.dictionary, first) {
            for (field, values) in self.schema.fields().iter().zip(first.columns()) {
                if mostly_distinct(values) {
                    let path = ColumnPath::from(field.name().clone());
                    properties = properties.set_column_dictionary_enabled(path, false);
                }
            }
        }
        let properties = Arc::new(properties.build());
        let root = Arc::clone(&self.root);
        let writer = SerializedFileWriter::new(Ready::default(), root, Arc::clone(&properties))
            .map_err(FormatError::encode)?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&self.schema));
        Ok(OpenFile {
            properties,
            writer,
            factory,
            plain: 0,
            ready: Vec::new(),
            finished: 0,
            groups: Vec::new(),
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
        }
        Ok(())
    }

    fn start_group(&mut self, first: &RecordBatch) -> Result<()> {
        let int96: Vec<bool> = self.leaves.iter().flatten().map(|(_, int96)| *int96).collect();
        let file = self.open(Some(first))?;
        let index = file.writer.flushed_row_groups().len();
        let writers = file.factory.create_column_writers(index).map_err(FormatError::encode)?;
        let descriptors = file.writer.schema_descr().columns();
        let group = writers
            .into_iter()
            .zip(descriptors)
            .zip(int96)
            .map(|((writer, column), int96)| {
                if int96 {
                    LeafWriter::Int96(Box::new(Int96Writer::new(column, &file.properties)))
                } else {
                    LeafWriter::Arrow(Box::new(writer))
                }
            })
            .collect();
        self.group = group;
        Ok(())
    }

    fn write_slice(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.group.is_empty() {
            self.start_group(batch)?;
        }
        let mut writers = self.group.iter_mut();
        for ((field, column), leaves) in
            self.schema.fields().iter().zip(batch.columns()).zip(&self.leaves)
        {
            let arrow = compute_leaves(field, column).map_err(FormatError::encode)?;
            for ((leaf, (steps, _)), writer) in arrow.iter().zip(leaves).zip(writers.by_ref()) {
                match writer {
                    LeafWriter::Arrow(writer) => writer.write(leaf),
                    LeafWriter::Int96(writer) => {
                        let levels = levels(field, column, steps).ok_or_else(|| {
                            FormatError::encode(format!("shape of column '{}'", field.name()))
                        })?;
                        writer.write(&levels)
                    }
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
            LeafWriter::Arrow(w) => w.get_estimated_total_bytes(),
            LeafWriter::Int96(w) => w.memory(),
        };
        self.group.iter().map(size).sum()
    }

    fn end_group(&mut self) -> Result<()> {
        if self.group_rows == 0 {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.group_rows);
        let Some(file) = &mut self.file else {
            return Err(FormatError::encode("rows were written before the file was opened"));
        };
        let mut group = file.writer.next_row_group().map_err(FormatError::encode)?;
        for (leaf, writer) in self.group.drain(..).enumerate() {
            match writer {
                LeafWriter::Arrow(writer) => {
                    let mut chunk = writer.close().map_err(FormatError::encode)?;
                    if self.stats.end_chunk(leaf, &chunk.close().metadata, rows) {
                        drop_bounds(&mut chunk)?;
                    }
                    chunk.append_to_row_group(&mut group)
                }
                LeafWriter::Int96(writer) => {
                    let (bytes, closed) = writer.close().map_err(FormatError::encode)?;
                    self.stats.end_chunk(leaf, &closed.metadata, rows);
                    group.append_column(&bytes, closed)
                }
            }
            .map_err(FormatError::encode)?;
        }
        group.close().map_err(FormatError::encode)?;
        file.end_group()
    }
}

/// Removes minimum and maximum of a chunk that holds a NaN, which they do not cover.
fn drop_bounds(chunk: &mut ArrowColumnChunk) -> Result<()> {
    let closed = chunk.close_mut();
    let Some(statistics) = closed.metadata.statistics().map(stats::without_bounds) else {
        return Ok(());
    };
    let builder = closed.metadata.clone().into_builder().set_statistics(statistics);
    closed.metadata = builder.build().map_err(FormatError::encode)?;
    Ok(())
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

    fn take(&mut self) -> Bytes {
        // A row group flushes the writer's buffer when it ends; the magic number waits until then.
        match &mut self.file {
            Some(file) => Bytes::from(std::mem::take(&mut file.ready)),
            None => Bytes::new(),
        }
    }

    fn bytes_written(&self) -> u64 {
        let finished = self.file.as_ref().map_or(0, |f| f.finished);
        finished.saturating_add(as_u64(self.group_bytes()))
    }

    fn memory(&self) -> usize {
        let size = |w: &LeafWriter| match w {
            LeafWriter::Arrow(w) => w.memory_size(),
            LeafWriter::Int96(w) => w.memory(),
        };
        let ready = self.file.as_ref().map_or(0, |f| f.ready.capacity());
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
