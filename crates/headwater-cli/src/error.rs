//! What can end a command early, and the exit code that says so; a wrong command line ends with 2
//! before any command runs.

use std::io;

/// Exit code when a command did not do what it was asked.
pub(crate) const FAILURE: u8 = 1;
/// Exit code when the reader of standard output went away: 128 + SIGPIPE, what a shell reports for
/// a program that the signal ended.
pub(crate) const OUTPUT_CLOSED: u8 = 141;

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The library refused or failed.
    #[error(transparent)]
    Library(#[from] headwater::Error),
    /// A workload failed.
    #[error(transparent)]
    Bench(#[from] headwater_bench::BenchError),
    /// A statement failed whose place is not known, or no statement could be run at all.
    #[error(transparent)]
    Sql(#[from] headwater_sql::SqlError),
    /// A statement of a script failed; everything before it stays done.
    #[error("{place}{source}{excerpt}")]
    Statement {
        /// Where the statement stands, with a colon; empty when there is only one.
        place: String,
        /// What went wrong.
        source: Box<headwater_sql::SqlError>,
        /// The line with a mark, behind a line feed; empty when the word is not known.
        excerpt: String,
    },
    /// Correct, but not something this version does.
    #[error("{what} is not supported by this version")]
    Unsupported {
        /// The argument.
        what: String,
    },
    /// A setting in a file or in the environment is wrong.
    #[error("{place}: {reason}")]
    Setting {
        /// The file or the variable.
        place: String,
        /// What is wrong with which key, and what is right.
        reason: String,
    },
    /// Arguments that contradict each other or the data.
    #[error("{reason}")]
    Argument {
        /// Which ones, and what to do.
        reason: String,
    },
    /// Standard output cannot be written.
    #[error("standard output: {0}")]
    Output(io::Error),
    /// A file that the command line names, standard input, or the process itself.
    #[error(transparent)]
    System(#[from] headwater::io::IoError),
    /// A job on another thread gave no result.
    #[error(transparent)]
    Job(#[from] headwater::io::PoolError),
    /// Values that the output cannot show.
    #[error("cannot write the result: {0}")]
    Encode(#[from] arrow::error::ArrowError),
    /// Values that a Parquet file cannot hold.
    #[error("cannot write the result: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The terminal cannot be used.
    #[error("terminal: {0}")]
    Terminal(#[from] rustyline::error::ReadlineError),
}

impl CliError {
    /// Arguments that contradict each other or the data.
    pub(crate) fn argument(reason: impl Into<String>) -> Self {
        Self::Argument { reason: reason.into() }
    }

    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Output(source) if source.kind() == io::ErrorKind::BrokenPipe => OUTPUT_CLOSED,
            _ => FAILURE,
        }
    }
}
