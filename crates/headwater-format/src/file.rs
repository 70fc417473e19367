//! Data files of any format: the traits, and the choice of the format.
//!
//! Writing: batches in, bytes out; whoever owns the encoder moves the bytes to a file. Reading: a
//! file has units (row groups) that are fetched asynchronously and decoded synchronously.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use headwater_io::FileIo;
use headwater_spec::DataField;
use headwater_spec::predicate::Predicate;
use headwater_spec::stats::ColumnStats;

use crate::avro::{AvroEncoder, AvroFile};
use crate::error::{FormatError, Result};
use crate::file_format::FileFormat;
use crate::options::WriteOptions;
use crate::parquet::{ParquetEncoder, ParquetFile};

/// Turns batches into the bytes of one data file.
pub trait FileEncoder: Send {
    /// Adds rows. The batch has exactly the Arrow schema of the file's fields.
    ///
    /// # Errors
    /// The batch has another schema, a null where the type allows none, or cannot be encoded. The
    /// encoder is useless afterwards.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// The bytes that are complete and were not taken yet, in file order; often empty.
    fn take(&mut self) -> Vec<Bytes>;

    /// Size of the file so far: bytes handed out, plus those that wait, plus an estimate of what
    /// buffered rows will need.
    fn bytes_written(&self) -> u64;

    /// Memory in use, in bytes.
    fn memory(&self) -> usize;

    /// Ends the file.
    ///
    /// # Errors
    /// The last rows cannot be encoded.
    fn finish(self: Box<Self>) -> Result<EncodedFile>;
}

/// The end of an encoded file.
#[derive(Debug, Clone)]
pub struct EncodedFile {
    /// The bytes that follow those already taken.
    pub tail: Vec<Bytes>,
    /// One per top-level column. Strings longer than 4 KiB give bounds, everything else exact
    /// values (NaN is the largest float); nested columns give nothing at all; binaries and
    /// timestamps of 7 to 9 digits give the null count only. Avro files give nothing.
    ///
    /// Format: `docs/spec/manifest.md#statistics`. Source: Paimon 1.4.2
    /// `ParquetSimpleStatsExtractor`.
    pub column_stats: Vec<ColumnStats>,
    /// Rows written.
    pub row_count: u64,
    /// Size of the whole file in bytes.
    pub size: u64,
}

/// Starts a data file with these columns.
///
/// # Errors
/// `Unsupported` for formats and types that this version does not write; `Option` for a
/// compression that does not exist.
pub fn encoder(
    format: FileFormat,
    fields: &[DataField],
    options: &WriteOptions,
) -> Result<Box<dyn FileEncoder>> {
    match format {
        FileFormat::Parquet => Ok(Box::new(ParquetEncoder::new(fields, options)?)),
        FileFormat::Avro => Ok(Box::new(AvroEncoder::new(fields, options)?)),
        other => Err(not_done(other, "written")),
    }
}

/// Opens the data file `path`, which is `size` bytes long, and checks its footer.
///
/// # Errors
/// The file is missing, has another size, or is damaged; `Unsupported` for formats that this
/// version does not read.
pub async fn open(
    io: Arc<dyn FileIo>,
    path: &str,
    size: u64,
    format: FileFormat,
) -> Result<Box<dyn FileReader>> {
    match format {
        FileFormat::Parquet => {
            check_size(io.as_ref(), path, size).await?;
            Ok(Box::new(ParquetFile::open(io, path, size).await?))
        }
        FileFormat::Avro => {
            check_size(io.as_ref(), path, size).await?;
            Ok(Box::new(AvroFile::open(io, path, size).await?))
        }
        other => Err(not_done(other, "read")),
    }
}

/// Refuses a file that is not as long as its parent recorded.
async fn check_size(io: &dyn FileIo, path: &str, size: u64) -> Result<()> {
    let actual = io.size(path).await?;
    if actual == size {
        return Ok(());
    }
    let reason = format!("it has {actual} bytes, but {size} are recorded for it");
    Err(FormatError::corrupt(path, reason))
}

fn not_done(format: FileFormat, verb: &str) -> FormatError {
    let name = format.name().to_uppercase();
    FormatError::Unsupported {
        what: format!("data files in {name} are not {verb} by this version"),
    }
}

/// An open data file.
#[async_trait]
pub trait FileReader: Send + Sync + Debug {
    /// Rows, as the footer says.
    fn row_count(&self) -> u64;

    /// Number of units (row groups).
    fn units(&self) -> usize;

    /// Rows of a unit; 0 for one that does not exist.
    fn unit_rows(&self, unit: usize) -> u64;

    /// The units that may hold a row that matches; `predicate` counts columns in `fields`.
    fn prune(&self, fields: &[DataField], predicate: &Predicate) -> Vec<usize>;

    /// Reads the bytes of a unit's columns. Columns and nested fields are found by name; one that
    /// the file lacks reads as null.
    ///
    /// # Errors
    /// The bytes cannot be read, or a column has a type that its field cannot be read from.
    async fn fetch(&self, unit: usize, fields: &[DataField]) -> Result<Box<dyn UnitDecoder>>;
}

/// Decodes the rows of one unit, in file order.
pub trait UnitDecoder: Send {
    /// The next rows, at most `max_rows`, with exactly the Arrow schema of the fields; `None` at
    /// the end of the unit.
    ///
    /// # Errors
    /// The bytes are damaged, or a value does not fit its column.
    fn next(&mut self, max_rows: usize) -> Result<Option<RecordBatch>>;
}
