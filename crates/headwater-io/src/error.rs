//! What can go wrong with files, and what a caller should do about it.

/// The cause of an error, as the operating system or the store reported it.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Result of a file operation.
pub type Result<T, E = IoError> = std::result::Result<T, E>;

/// What a caller can do about an error. Same members and meaning as the error kind of
/// `headwater-spec`, which this crate does not depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IoErrorKind {
    /// Somebody else was faster: read again, then retry.
    Conflict,
    /// The store did not answer in a usable way: retry later.
    Unavailable,
    /// The named thing does not exist.
    NotFound,
    /// The request makes no sense as it stands: change it.
    Invalid,
    /// Correct, but not something this build does.
    Unsupported,
    /// Stored bytes contradict what was expected of them.
    Corrupt,
    /// A defect of this program.
    Internal,
}

/// A failed file operation. `path` is relative to the root of the [`FileIo`](crate::FileIo),
/// or as the user gave it for files outside any root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IoError {
    /// There is no such file.
    #[error("{path} does not exist")]
    NotFound {
        /// The file.
        path: String,
    },
    /// A file that must be new is there already.
    #[error("{path} already exists")]
    AlreadyExists {
        /// The file.
        path: String,
    },
    /// The path leaves the root, or is no path that the root can hold.
    #[error("path {path:?} is refused: {reason}")]
    Escape {
        /// The path as it was asked for.
        path: String,
        /// The broken rule.
        reason: &'static str,
    },
    /// Reading, listing or looking up failed.
    #[error("cannot {op} {path}: {source}")]
    Read {
        /// The file or directory.
        path: String,
        /// What was tried: `read`, `list`, ...
        op: &'static str,
        /// Why it failed.
        source: Source,
    },
    /// Writing, renaming, syncing or deleting failed.
    #[error("cannot {op} {path}: {source}")]
    Write {
        /// The file or directory.
        path: String,
        /// What was tried: `create`, `sync`, ...
        op: &'static str,
        /// Why it failed.
        source: Source,
    },
    /// A file ended inside the asked range.
    #[error("{path} ends early: {expected} bytes asked for at offset {offset}, {actual} there")]
    Short {
        /// The file.
        path: String,
        /// Where the range starts.
        offset: u64,
        /// Bytes asked for.
        expected: u64,
        /// Bytes that were there.
        actual: u64,
    },
    /// A publish may or may not have happened: look at the target before doing anything else, and
    /// delete nothing that it refers to.
    #[error("it is unknown whether {path} was published: {source}")]
    OutcomeUnknown {
        /// The file that may be visible now.
        path: String,
        /// What hid the outcome.
        source: Source,
    },
    /// The root cannot be used.
    #[error("cannot use {root:?} as a root: {source}")]
    Root {
        /// The directory or address as the user gave it.
        root: String,
        /// Why not.
        source: Source,
    },
    /// The address names a kind of store that this build does not have.
    #[error("no support for {uri:?}: {reason}")]
    Unsupported {
        /// The address as the user gave it.
        uri: String,
        /// What is supported, or how to get this one.
        reason: String,
    },
    /// A file that must be text is not UTF-8.
    #[error("{path} is not UTF-8 text: byte {offset} is invalid")]
    NotText {
        /// The file.
        path: String,
        /// Offset of the first bad byte.
        offset: usize,
    },
    /// A blocking job died.
    #[error("the job that should {op} {path} was lost: {reason}")]
    JobLost {
        /// The file.
        path: String,
        /// What it should have done.
        op: &'static str,
        /// The panic's message, or that the runtime ended.
        reason: String,
    },
}

impl IoError {
    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> IoErrorKind {
        match self {
            Self::NotFound { .. } => IoErrorKind::NotFound,
            Self::AlreadyExists { .. } => IoErrorKind::Conflict,
            Self::Escape { .. } => IoErrorKind::Invalid,
            Self::Read { .. }
            | Self::Write { .. }
            | Self::OutcomeUnknown { .. }
            | Self::Root { .. } => IoErrorKind::Unavailable,
            Self::Short { .. } | Self::NotText { .. } => IoErrorKind::Corrupt,
            Self::Unsupported { .. } => IoErrorKind::Unsupported,
            Self::JobLost { .. } => IoErrorKind::Internal,
        }
    }

    /// True when the file is simply not there.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// A failed read of `path`; "no such file" becomes [`IoError::NotFound`].
    #[must_use]
    pub fn read(path: &str, op: &'static str, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound { path: path.to_owned() },
            _ => Self::Read { path: path.to_owned(), op, source: Box::new(source) },
        }
    }

    /// A failed write of `path`; "already there" becomes [`IoError::AlreadyExists`].
    #[must_use]
    pub fn write(path: &str, op: &'static str, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::AlreadyExists => Self::AlreadyExists { path: path.to_owned() },
            _ => Self::Write { path: path.to_owned(), op, source: Box::new(source) },
        }
    }
}
