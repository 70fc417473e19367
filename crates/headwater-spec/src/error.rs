//! What can be wrong with stored bytes, and what a caller should do about an error.

/// What a caller can do about an error; every error of the workspace answers with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Another writer was faster, or changed what this operation depends on: read again, retry.
    Conflict,
    /// The store did not answer in a usable way: retry later.
    Unavailable,
    /// The named thing does not exist.
    NotFound,
    /// The request makes no sense as it stands: change it.
    Invalid,
    /// Correct, but not something this version does.
    Unsupported,
    /// Stored bytes contradict the format or each other.
    Corrupt,
    /// A defect of this program.
    Internal,
}

/// Bytes, texts or values that the format does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Input ended before a value was complete.
    #[error("{what} ends early: {needed} bytes needed at offset {offset}, {available} there")]
    Truncated {
        /// What was being decoded.
        what: &'static str,
        /// Where the value starts.
        offset: usize,
        /// Bytes that the value needs.
        needed: usize,
        /// Bytes that are there.
        available: usize,
    },
    /// The bytes break a rule of the layout.
    #[error("{what} is corrupt: {reason}")]
    Corrupt {
        /// What was being decoded.
        what: &'static str,
        /// The broken rule.
        reason: String,
    },
    /// A JSON document cannot be read.
    #[error("{what} is not a valid document: {reason}")]
    Json {
        /// Which document.
        what: &'static str,
        /// The parser's or the field's complaint.
        reason: String,
    },
    /// A type text or type document is wrong.
    #[error("type {text:?} is not valid: {reason}")]
    Type {
        /// The text.
        text: String,
        /// Why not.
        reason: String,
    },
    /// An option has a value that its type does not allow, or is not known.
    #[error("option '{key}': {reason}")]
    Option {
        /// The option's key.
        key: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A table definition breaks a rule.
    #[error("{reason}")]
    Definition {
        /// The rule, with the column or option it is about.
        reason: String,
    },
    /// A value does not fit its column.
    #[error("column '{column}': {reason}")]
    Value {
        /// The column's name.
        column: String,
        /// Why the value does not fit.
        reason: String,
    },
    /// Legal in the format, not handled here.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// The feature.
        what: String,
        /// What to do instead.
        reason: String,
    },
}

impl SpecError {
    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Truncated { .. } | Self::Corrupt { .. } | Self::Json { .. } => ErrorKind::Corrupt,
            Self::Type { .. }
            | Self::Option { .. }
            | Self::Definition { .. }
            | Self::Value { .. } => ErrorKind::Invalid,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
        }
    }

    /// A corruption of `what`.
    pub fn corrupt(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Corrupt { what, reason: reason.into() }
    }
}
