//! What can go wrong while data files are written and read.

use headwater_io::{IoError, IoErrorKind};
use headwater_spec::{ErrorKind, SpecError};

/// Result of a data file operation.
pub type Result<T, E = FormatError> = std::result::Result<T, E>;

/// A data file that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes could not be fetched.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The content of a file breaks a rule of its format.
    #[error("data file {path} is corrupt: {reason}")]
    Corrupt {
        /// The file, relative to the root.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A column of a file cannot be read as the table's schema says.
    #[error("column '{column}' of data file {path} cannot be read: {reason}")]
    Column {
        /// The file, relative to the root.
        path: String,
        /// The column, with the names of nested fields after a dot.
        column: String,
        /// What is wrong.
        reason: String,
    },
    /// A batch cannot be written or converted: a value does not fit its column.
    #[error("column '{column}': {reason}")]
    Value {
        /// The column, with the names of nested fields after a dot.
        column: String,
        /// Why the value does not fit.
        reason: String,
    },
    /// A batch does not have the schema that was announced.
    #[error("batch does not have the columns of the file: {reason}")]
    Batch {
        /// The difference.
        reason: String,
    },
    /// An option has a value that means nothing.
    #[error("option '{key}': {reason}")]
    Option {
        /// The option.
        key: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Legal in the format, not handled by this version.
    #[error("{what}")]
    Unsupported {
        /// A sentence that says what is not done.
        what: String,
    },
    /// A rule of the table format is broken.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The encoder failed, though what it was given was checked.
    #[error("cannot encode a data file: {reason}")]
    Encode {
        /// The encoder's complaint.
        reason: String,
    },
}

impl FormatError {
    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(e) => match e.kind() {
                IoErrorKind::Conflict => ErrorKind::Conflict,
                IoErrorKind::Unavailable => ErrorKind::Unavailable,
                IoErrorKind::NotFound => ErrorKind::NotFound,
                IoErrorKind::Invalid => ErrorKind::Invalid,
                IoErrorKind::Unsupported => ErrorKind::Unsupported,
                IoErrorKind::Corrupt => ErrorKind::Corrupt,
                _ => ErrorKind::Internal,
            },
            Self::Corrupt { .. } | Self::Column { .. } => ErrorKind::Corrupt,
            Self::Value { .. } | Self::Batch { .. } | Self::Option { .. } => ErrorKind::Invalid,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::Spec(e) => e.kind(),
            Self::Encode { .. } => ErrorKind::Internal,
        }
    }

    pub(crate) fn corrupt(path: &str, reason: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), reason: reason.into() }
    }

    pub(crate) fn column(path: &str, column: &str, reason: impl Into<String>) -> Self {
        Self::Column { path: path.to_owned(), column: column.to_owned(), reason: reason.into() }
    }

    pub(crate) fn encode(source: impl std::fmt::Display) -> Self {
        Self::Encode { reason: source.to_string() }
    }
}
