//! What can go wrong with a table's metadata.

use headwater_io::{IoError, IoErrorKind};
use headwater_spec::{ErrorKind, SpecError};

/// Result of a metadata operation.
pub type Result<T, E = MetadataError> = std::result::Result<T, E>;

/// A failed metadata operation; names the table or file and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// A file operation failed.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A stored file breaks the format.
    #[error("{path}: {source}")]
    Corrupt {
        /// The file, relative to the warehouse or table.
        path: String,
        /// What is wrong.
        #[source]
        source: SpecError,
    },
    /// A file does not have the size that its parent recorded.
    #[error(
        "{path} has {actual} bytes, but {recorded} are recorded for it: it was cut or replaced"
    )]
    Size {
        /// The file.
        path: String,
        /// What the parent says.
        recorded: u64,
        /// What is there.
        actual: u64,
    },
    /// A file that the table refers to is not there.
    #[error("{path} is missing, but {parent} refers to it")]
    Missing {
        /// The file.
        path: String,
        /// Who refers to it.
        parent: String,
    },
    /// A definition, option, name or value is wrong.
    #[error(transparent)]
    Invalid(#[from] SpecError),
    /// There is no such database.
    #[error("database '{name}' does not exist")]
    DatabaseNotFound {
        /// Its name.
        name: String,
    },
    /// The database is there already.
    #[error("database '{name}' already exists")]
    DatabaseExists {
        /// Its name.
        name: String,
    },
    /// The database still has tables.
    #[error("database '{name}' is not empty ({tables} tables): drop them first, or add CASCADE")]
    DatabaseNotEmpty {
        /// Its name.
        name: String,
        /// How many tables it has.
        tables: usize,
    },
    /// There is no such table.
    #[error("table '{name}' does not exist")]
    TableNotFound {
        /// Its name.
        name: String,
    },
    /// The table is there already.
    #[error("table '{name}' already exists")]
    TableExists {
        /// Its name.
        name: String,
    },
    /// The directory of a new table holds what an interrupted drop left of an older one.
    #[error(
        "table '{name}' cannot be created: {path} holds snapshots of a table whose removal was \
         interrupted; DROP TABLE IF EXISTS removes them"
    )]
    TableRemains {
        /// Its name.
        name: String,
        /// Its directory.
        path: String,
    },
    /// The warehouse is not there.
    #[error("warehouse {path:?} does not exist: create it first, or ask for it to be created")]
    WarehouseNotFound {
        /// Its directory.
        path: String,
    },
    /// The catalog is of one table that lies outside of a warehouse.
    #[error("{what}: only table {name} is open, by its directory; open a warehouse instead")]
    OneTable {
        /// What was asked for.
        what: &'static str,
        /// The table.
        name: String,
    },
    /// There is no such snapshot.
    #[error("snapshot {id} of {table} does not exist{range}")]
    SnapshotNotFound {
        /// The table.
        table: String,
        /// The snapshot.
        id: i64,
        /// Which ones are there, as a clause.
        range: String,
    },
    /// Other writers were faster, again and again.
    #[error(
        "commit to {table} gave up after {attempts} attempts: snapshot {id} was taken by {competitor}; \
         retry the statement, or raise 'commit.max-retries' or 'commit.timeout'"
    )]
    GaveUp {
        /// The table.
        table: String,
        /// Attempts made.
        attempts: u32,
        /// The snapshot that the last attempt lost.
        id: i64,
        /// Who committed it: user, kind, identifier.
        competitor: String,
    },
    /// What this commit changes was changed by another one.
    #[error("commit to {table} conflicts with {competitor}: {reason}")]
    Conflict {
        /// The table.
        table: String,
        /// The newest other commit.
        competitor: String,
        /// Which rule is broken.
        reason: String,
    },
    /// Another writer wrote to the same buckets meanwhile; sequence numbers must be assigned anew.
    #[error("other rows were committed to {} of the same buckets meanwhile", .buckets.len())]
    SequenceMoved {
        /// Buckets with the largest sequence number that is committed there now.
        buckets: Vec<MovedBucket>,
        /// Snapshot up to which that holds.
        snapshot_id: i64,
        /// An earlier attempt with the old files may still become visible: keep them.
        maybe_visible: bool,
    },
    /// Another commit gave keys of the same partitions their buckets meanwhile; the buckets of rows
    /// must be chosen anew.
    #[error(
        "commit to {table} conflicts with {competitor}, which changed the buckets of keys in {} of the same \
         partitions: run the statement again",
        .partitions.len()
    )]
    IndexMoved {
        /// The table.
        table: String,
        /// The partitions.
        partitions: Vec<headwater_spec::BinaryRow>,
        /// The newest other commit.
        competitor: String,
        /// An earlier attempt with the old files may still become visible: keep them.
        maybe_visible: bool,
    },
    /// The same job has committed this already, perhaps in another process.
    #[error(
        "user '{user}' has committed identifier {identifier} of {table} already, in snapshot \
         {snapshot_id}: nothing is committed again"
    )]
    AlreadyCommitted {
        /// The table.
        table: String,
        /// Commit user.
        user: String,
        /// Commit identifier.
        identifier: i64,
        /// The user's newest snapshot.
        snapshot_id: i64,
    },
    /// Another commit brought rows after the writer had looked in which partitions the keys of the
    /// table live; that of the rows must be chosen anew.
    #[error(
        "commit to {table} conflicts with {competitor}, which may have brought the same keys into other \
         partitions: run the statement again"
    )]
    KeysMoved {
        /// The table.
        table: String,
        /// The other commit.
        competitor: String,
        /// It took rows out of the table, too.
        replaced: bool,
        /// An earlier attempt with the old files may still become visible: keep them.
        maybe_visible: bool,
    },
    /// The commit may or may not have happened.
    #[error(
        "it is unknown whether snapshot {id} of {table} was committed: {source}; its files are kept; \
         look for a snapshot of user '{user}' with identifier {identifier} before committing again"
    )]
    OutcomeUnknown {
        /// The table.
        table: String,
        /// The snapshot that was tried.
        id: i64,
        /// Commit user.
        user: String,
        /// Commit identifier.
        identifier: i64,
        /// What hid the outcome.
        #[source]
        source: Box<IoError>,
    },
    /// A CPU job was lost.
    #[error(transparent)]
    Job(#[from] headwater_io::PoolError),
}

/// A bucket that another writer wrote to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedBucket {
    /// Partition of the bucket.
    pub partition: headwater_spec::BinaryRow,
    /// Bucket.
    pub bucket: i32,
    /// Largest sequence number committed there.
    pub max_sequence: i64,
}

/// The kind of a file error in the words of the whole workspace.
#[must_use]
pub const fn io_kind(kind: IoErrorKind) -> ErrorKind {
    match kind {
        IoErrorKind::Conflict => ErrorKind::Conflict,
        IoErrorKind::Unavailable => ErrorKind::Unavailable,
        IoErrorKind::NotFound => ErrorKind::NotFound,
        IoErrorKind::Invalid => ErrorKind::Invalid,
        IoErrorKind::Unsupported => ErrorKind::Unsupported,
        IoErrorKind::Corrupt => ErrorKind::Corrupt,
        _ => ErrorKind::Internal,
    }
}

impl MetadataError {
    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(e) => io_kind(e.kind()),
            Self::Corrupt { source, .. } => match source.kind() {
                ErrorKind::Unsupported => ErrorKind::Unsupported,
                _ => ErrorKind::Corrupt,
            },
            Self::Size { .. } | Self::Missing { .. } => ErrorKind::Corrupt,
            Self::Invalid(e) => e.kind(),
            Self::DatabaseNotFound { .. }
            | Self::TableNotFound { .. }
            | Self::WarehouseNotFound { .. }
            | Self::SnapshotNotFound { .. } => ErrorKind::NotFound,
            Self::DatabaseExists { .. }
            | Self::DatabaseNotEmpty { .. }
            | Self::TableExists { .. }
            | Self::TableRemains { .. } => ErrorKind::Invalid,
            Self::GaveUp { .. }
            | Self::Conflict { .. }
            | Self::AlreadyCommitted { .. }
            | Self::SequenceMoved { .. }
            | Self::IndexMoved { .. }
            | Self::KeysMoved { .. } => ErrorKind::Conflict,
            Self::OneTable { .. } => ErrorKind::Unsupported,
            Self::OutcomeUnknown { .. } => ErrorKind::Unavailable,
            Self::Job(_) => ErrorKind::Internal,
        }
    }

    /// Whether the commit may have happened all the same.
    #[must_use]
    pub const fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. } | Self::Io(IoError::OutcomeUnknown { .. }))
    }

    /// Whether nothing was committed because the same job has committed it before.
    #[must_use]
    pub const fn is_committed_before(&self) -> bool {
        matches!(self, Self::AlreadyCommitted { .. })
    }

    /// Whether nothing was committed because of what another commit did, and the same work done
    /// anew may succeed.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::IndexMoved { .. } | Self::KeysMoved { .. })
    }

    pub(crate) fn corrupt(path: &str, source: SpecError) -> Self {
        Self::Corrupt { path: path.to_owned(), source }
    }
}
