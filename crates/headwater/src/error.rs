//! The error of the library: what failed, where, and what a caller can do.

use headwater_format::FormatError;
use headwater_io::{IoError, MemoryError, PoolError};
use headwater_lsm::LsmError;
use headwater_metadata::MetadataError;
use headwater_metadata::error::io_kind;
use headwater_spec::{ErrorKind, SpecError};

/// Result of a table operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed table operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Catalog, schema, snapshot, manifest or commit.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A data file.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Sorting or merging rows.
    #[error("{}", with_source(.0))]
    Lsm(#[from] LsmError),
    /// A definition, option or value.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A file operation.
    #[error(transparent)]
    Io(#[from] IoError),
    /// An Arrow kernel.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// A lost CPU job.
    #[error(transparent)]
    Job(#[from] PoolError),
    /// The memory budget.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The table has a feature that this version cannot read without answering wrongly.
    #[error("table {table} cannot be read: {reason}")]
    ReadRefused {
        /// The table.
        table: String,
        /// Which feature, and what to do.
        reason: String,
    },
    /// The table has a feature that this version cannot write without harm.
    #[error("table {table} cannot be written: {reason}")]
    WriteRefused {
        /// The table.
        table: String,
        /// Which feature, and what to do.
        reason: String,
    },
    /// A row does not fit the table.
    #[error("table {table}, column '{column}': {reason}")]
    Value {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Why the value does not fit.
        reason: String,
    },
    /// A request does not fit the table.
    #[error("table {table}: {reason}")]
    Request {
        /// The table.
        table: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A data file does not hold what the table recorded of it.
    #[error("data file {path} of table {table} is corrupt: {reason}")]
    DataFile {
        /// The table.
        table: String,
        /// The file.
        path: String,
        /// The difference.
        reason: String,
    },
}

fn with_source(error: &LsmError) -> String {
    match error {
        // What failed is the source; that a merge wanted it is no news.
        LsmError::Source { source, .. } => source.to_string(),
        other => match std::error::Error::source(other) {
            Some(source) => format!("{other}: {source}"),
            None => other.to_string(),
        },
    }
}

impl Error {
    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Metadata(e) => e.kind(),
            Self::Format(e) => e.kind(),
            Self::Lsm(e) => e.kind(),
            Self::Spec(e) => e.kind(),
            Self::Io(e) => io_kind(e.kind()),
            Self::Job(e) => io_kind(e.kind()),
            Self::Memory(e) => io_kind(e.kind()),
            Self::Arrow(_) => ErrorKind::Internal,
            Self::ReadRefused { .. } | Self::WriteRefused { .. } => ErrorKind::Unsupported,
            Self::Value { .. } | Self::Request { .. } => ErrorKind::Invalid,
            Self::DataFile { .. } => ErrorKind::Corrupt,
        }
    }
}

impl From<Error> for LsmError {
    fn from(error: Error) -> Self {
        Self::source(error.kind(), error)
    }
}
