//! What a statement gives back: rows as a stream, a count, or a sentence.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use futures::{Stream, StreamExt};

use crate::error::{Position, SqlError};

/// What sort of statement was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatementKind {
    /// CREATE, DROP, USE: the output is a message.
    Definition,
    /// INSERT, COPY: the output is a count of rows.
    Write,
    /// A query, VALUES, EXPLAIN: the output is rows.
    Query,
    /// SHOW and DESCRIBE: the output is rows.
    Show,
    /// CALL: the output is rows, and something was done.
    Call,
}

/// The outcome of one statement.
#[derive(Debug)]
pub struct StatementResult {
    /// Number of the statement in its script, from 1.
    pub number: usize,
    /// Line on which the statement starts, from 1.
    pub line: usize,
    /// What sort of statement it is.
    pub kind: StatementKind,
    /// What the user should hear once, such as options that are kept but not honoured.
    pub warnings: Vec<String>,
    /// The outcome itself.
    pub output: Output,
}

/// How many rows a statement changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    /// New rows.
    pub inserted: u64,
    /// Rows with new values.
    pub updated: u64,
    /// Rows that are gone.
    pub deleted: u64,
}

impl Changed {
    /// Whether the table stayed as it was.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.inserted == 0 && self.updated == 0 && self.deleted == 0
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts =
            [(self.inserted, "inserted"), (self.updated, "updated"), (self.deleted, "deleted")];
        let mut separator = "";
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            let rows = if count == 1 { "row" } else { "rows" };
            write!(f, "{separator}{count} {rows} {what}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("no row changed") } else { Ok(()) }
    }
}

/// What a statement produced.
#[derive(Debug)]
pub enum Output {
    /// A sentence for people; machine formats print nothing.
    Message(String),
    /// Rows written.
    Affected(u64),
    /// Rows changed by DELETE, UPDATE or MERGE.
    Changed(Changed),
    /// Rows, which must be read to the end before the next statement runs.
    Rows(RowStream),
}

/// The rows of a query, computed while they are read.
pub struct RowStream {
    schema: SchemaRef,
    rows: SendableRecordBatchStream,
    position: Position,
    failed: Arc<AtomicBool>,
}

impl RowStream {
    pub(crate) fn new(
        rows: SendableRecordBatchStream,
        position: Position,
        failed: Arc<AtomicBool>,
    ) -> Self {
        Self { schema: rows.schema(), rows, position, failed }
    }

    /// The columns, known before the first batch.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl fmt::Debug for RowStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Stream for RowStream {
    type Item = Result<RecordBatch, SqlError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.rows.poll_next_unpin(cx);
        next.map(|item| {
            item.map(|batch| {
                batch.map_err(|source| {
                    self.failed.store(true, Ordering::Release);
                    SqlError::from_datafusion(source).at(self.position)
                })
            })
        })
    }
}
