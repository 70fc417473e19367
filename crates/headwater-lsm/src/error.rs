//! What can go wrong while runs are sorted and merged.

use arrow::error::ArrowError;
use headwater_spec::ErrorKind;

use crate::merge_engine::FunctionError;

/// A batch, run or request that cannot be merged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LsmError {
    /// A column of this type cannot be part of a key.
    #[error("key column {column} of type {data_type} cannot be part of a key")]
    KeyType {
        /// Position among the key columns.
        column: usize,
        /// The type, as Rust prints it.
        data_type: String,
    },
    /// A key has no column.
    #[error("a key needs at least one column")]
    NoKeyColumn,
    /// The key columns of a batch are not those that the encoder was made for.
    #[error("key columns do not fit the key: expected {expected}, found {found}")]
    KeyColumns {
        /// Expected types or count.
        expected: String,
        /// Types or count in the batch.
        found: String,
    },
    /// A NOT NULL key column holds a null.
    #[error("the key column is NOT NULL but {nulls} of {rows} rows have none")]
    NullKey {
        /// Rows without a key.
        nulls: usize,
        /// Rows of the batch.
        rows: usize,
    },
    /// Batches of one merge have keys of different encodings.
    #[error("batches of one merge have differently encoded keys")]
    MixedKeys,
    /// Batches of one merge have different value columns.
    #[error("batches of one merge differ in their columns: {first} and {other}")]
    MixedColumns {
        /// Columns of the first batch.
        first: String,
        /// Columns of the other batch.
        other: String,
    },
    /// The parts of a batch differ in length.
    #[error("batch has {keys} keys, {sequence} sequence numbers, {kinds} row kinds, {values} rows")]
    Lengths {
        /// Number of keys.
        keys: usize,
        /// Number of sequence numbers.
        sequence: usize,
        /// Number of row kinds.
        kinds: usize,
        /// Number of value rows.
        values: usize,
    },
    /// A sequence number or row kind is null.
    #[error("{part} is null in {nulls} of {rows} rows")]
    NullPart {
        /// "sequence number" or "row kind".
        part: &'static str,
        /// Rows where it is null.
        nulls: usize,
        /// Rows of the batch.
        rows: usize,
    },
    /// A row kind that the format does not know.
    #[error("row {row} has row kind {kind}, the format knows 0 to 3")]
    RowKind {
        /// Row of the batch.
        row: usize,
        /// The stored kind.
        kind: i8,
    },
    /// A run is not in strictly ascending key order.
    #[error("run {run} is not sorted by key, each key once: row {row} of batch {batch}")]
    NotSorted {
        /// Position of the run in the merge.
        run: usize,
        /// Batch of the run, from 0.
        batch: usize,
        /// First row whose key is not above the one before.
        row: usize,
    },
    /// Rows were added with sequence numbers below those already there.
    #[error("rows start at sequence number {first}, the buffer already is at {next}")]
    SequenceBackwards {
        /// First sequence number of the rows.
        first: i64,
        /// Smallest sequence number that would fit.
        next: i64,
    },
    /// Sequence numbers ran past the largest 64-bit number.
    #[error("{rows} rows starting at sequence number {first} exceed the largest sequence number")]
    SequenceOverflow {
        /// First sequence number of the rows.
        first: i64,
        /// Number of rows.
        rows: usize,
    },
    /// More rows than a buffer can address.
    #[error("a write buffer cannot hold {rows} rows in {batches} batches")]
    TooManyRows {
        /// Rows of the largest batch.
        rows: usize,
        /// Number of batches.
        batches: usize,
    },
    /// A batch size of zero.
    #[error("output batches need at least one row")]
    EmptyBatches,
    /// A merge function broke its contract.
    #[error("merge function {engine} made {actual} rows of {groups} keys")]
    MergeFunction {
        /// Name of the merge engine.
        engine: &'static str,
        /// Number of keys given.
        groups: usize,
        /// Number of rows returned.
        actual: usize,
    },
    /// A `-U` or `-D` for an engine that cannot take anything back.
    #[error("merge engine {engine} cannot merge -U and -D records: {option}")]
    Retraction {
        /// Name of the merge engine.
        engine: &'static str,
        /// Which options say what to do with them.
        option: &'static str,
    },
    /// A column that orders records is not among those that are merged.
    #[error("the sequence column '{column}' is not among the columns")]
    NoColumn {
        /// The column.
        column: String,
    },
    /// The source of a run failed.
    #[error("run cannot be read")]
    Source {
        /// What to do about it.
        kind: ErrorKind,
        /// The failure.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A column cannot have its aggregate function, or holds values that it cannot merge.
    #[error(transparent)]
    Function(#[from] FunctionError),
    /// An Arrow kernel failed.
    #[error("rows cannot be assembled")]
    Arrow(#[from] ArrowError),
}

impl LsmError {
    /// A failure of a [`crate::RunReader`]'s source, with what a caller can do about it.
    pub fn source(
        kind: ErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Source { kind, source: source.into() }
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::KeyType { .. }
            | Self::NoKeyColumn
            | Self::NullKey { .. }
            | Self::Retraction { .. }
            | Self::NoColumn { .. } => ErrorKind::Invalid,
            Self::RowKind { .. } | Self::NotSorted { .. } | Self::NullPart { .. } => {
                ErrorKind::Corrupt
            }
            Self::SequenceOverflow { .. } => ErrorKind::Unsupported,
            Self::Source { kind, .. } => *kind,
            Self::Function(error) => error.kind(),
            Self::KeyColumns { .. }
            | Self::MixedKeys
            | Self::MixedColumns { .. }
            | Self::Lengths { .. }
            | Self::SequenceBackwards { .. }
            | Self::TooManyRows { .. }
            | Self::EmptyBatches
            | Self::MergeFunction { .. }
            | Self::Arrow(_) => ErrorKind::Internal,
        }
    }
}
