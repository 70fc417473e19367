//! What can end a workload early.

/// Why a workload gave no measurement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The library refused or failed.
    #[error(transparent)]
    Library(#[from] headwater::Error),
    /// A job on another thread gave no result.
    #[error(transparent)]
    Job(#[from] headwater::io::PoolError),
    /// The rows could not be made.
    #[error("cannot make the rows: {0}")]
    Rows(#[from] arrow::error::ArrowError),
    /// Rows are written, but their files could not be compacted.
    #[error("compaction: {reason}")]
    Compaction {
        /// What failed.
        reason: String,
    },
    /// The table is not the workload's.
    #[error("column '{column}': {reason}")]
    Column {
        /// The column's name.
        column: String,
        /// What does not fit.
        reason: String,
    },
}
