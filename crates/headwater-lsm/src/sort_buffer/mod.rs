//! The in-memory write buffer: collects rows as they arrive, gives them back as a sorted run.
//!
//! Rules: `docs/spec/lsm.md#writer`. Source: Paimon 1.4.2 `SortBufferWriteBuffer`.

mod chunk;
mod sort;

use std::sync::Arc;

use arrow::array::Int8Array;
use arrow::record_batch::RecordBatch;

use crate::error::LsmError;
use crate::key_value::{KeyValueBatch, Keys};
use crate::merge_engine::{Groups, Keeps, MergeFunction, merge_groups};
use crate::order::SequenceOrder;
use crate::run::RunReader;
use chunk::Chunk;
use sort::{Layout, Sorted};

/// Batches below this many rows are put together with their neighbours as they arrive, because
/// assembling output costs time for every batch of the buffer.
const SMALL_ROWS: usize = 1024;
/// Rows and bytes up to which small batches are put together.
const JOINED_ROWS: usize = 8192;
const JOINED_BYTES: usize = 8 << 20;
/// What sorting needs for each row.
const SORT_BYTES: usize = 24;

/// Rows in arrival order.
///
/// Every row has a sequence number: rows of a batch count up from a given number, and batches come
/// in the order of their numbers.
#[derive(Debug, Default)]
pub struct SortBuffer {
    chunks: Vec<Chunk>,
    /// Chunks still to be joined, their rows and bytes.
    small: Vec<Chunk>,
    small_rows: usize,
    small_bytes: usize,
    rows: usize,
    bytes: usize,
    next_sequence: Option<i64>,
    order: Option<Arc<SequenceOrder>>,
}

impl SortBuffer {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the records of a key ordered by these columns, and by arrival where those are equal.
    #[must_use]
    pub fn ordered_by(mut self, order: Option<Arc<SequenceOrder>>) -> Self {
        self.order = order;
        self
    }

    /// Adds rows with the sequence numbers `first_sequence`, `first_sequence + 1`, ...
    ///
    /// `kinds`: row kind of each row; `None` means all are inserts. Keeps the arrays, does not
    /// copy them: a slice keeps alive what it is a slice of, and only the slice counts as memory.
    ///
    /// # Errors
    /// When lengths differ, a row kind is null or unknown, keys or columns are not like those
    /// of earlier rows, `first_sequence` is below a number given before, or the numbers
    /// overflow. The buffer then is as it was.
    pub fn add(
        &mut self,
        keys: Keys,
        first_sequence: i64,
        kinds: Option<Int8Array>,
        values: RecordBatch,
    ) -> Result<(), LsmError> {
        let chunk = Chunk::try_new(keys, first_sequence, kinds, values)?;
        if let Some(first) = self.chunks.first().or(self.small.first()) {
            first.check_like(&chunk)?;
        }
        if let Some(next) = self.next_sequence
            && first_sequence < next
        {
            return Err(LsmError::SequenceBackwards { first: first_sequence, next });
        }
        let rows = chunk.rows();
        if rows == 0 {
            return Ok(());
        }
        let next = i64::try_from(rows).ok().and_then(|rows| first_sequence.checked_add(rows));
        let Some(next) = next else {
            return Err(LsmError::SequenceOverflow { first: first_sequence, rows });
        };
        let bytes = chunk.memory_size() + rows * SORT_BYTES + chunk.overhead();
        self.push(chunk, bytes)?;
        self.next_sequence = Some(next);
        self.rows += rows;
        self.bytes += bytes;
        Ok(())
    }

    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bytes that the buffer takes, including what sorting it will need.
    #[must_use]
    pub const fn memory_size(&self) -> usize {
        self.bytes
    }

    /// Empties the buffer and gives its rows as a run: sorted by key, the records of a key merged
    /// by `engine` from the smallest sequence number to the largest.
    ///
    /// A key with one record passes untouched, whatever the engine. Nothing is dropped: deletes
    /// are records. Sorts here; assembles batches of at most `batch_rows` records as they are
    /// asked for.
    ///
    /// # Errors
    /// When `batch_rows` is 0, the buffer has more batches and rows than can be addressed, or an
    /// Arrow kernel fails.
    pub fn drain(
        &mut self,
        engine: Arc<dyn MergeFunction>,
        batch_rows: usize,
    ) -> Result<Drain, LsmError> {
        if batch_rows == 0 {
            return Err(LsmError::EmptyBatches);
        }
        self.join_small()?;
        let layout = Layout::of(&self.chunks)?;
        let (sorted, older) = match &self.order {
            None => (sort::sort(&self.chunks, &layout, engine.keeps()), 0),
            Some(order) => {
                let mut sorted = sort::sort(&self.chunks, &layout, Keeps::All);
                let older = sorted.order_groups(&self.chunks, &layout, order)?;
                (sorted.keeping(engine.keeps()), older)
            }
        };
        let chunks = std::mem::take(&mut self.chunks);
        (self.rows, self.bytes) = (0, 0);
        Ok(Drain { chunks, layout, sorted, next: 0, engine, batch_rows, older })
    }

    fn push(&mut self, chunk: Chunk, bytes: usize) -> Result<(), LsmError> {
        if chunk.rows() >= SMALL_ROWS {
            self.join_small()?;
            self.chunks.push(chunk);
            return Ok(());
        }
        let follows = self.small.last().is_none_or(|last| last.is_followed_by(&chunk));
        if !follows || self.small_rows >= JOINED_ROWS || self.small_bytes >= JOINED_BYTES {
            self.join_small()?;
        }
        self.small_rows += chunk.rows();
        self.small_bytes += bytes;
        self.small.push(chunk);
        Ok(())
    }

    fn join_small(&mut self) -> Result<(), LsmError> {
        if let Some(joined) = Chunk::join(&self.small)? {
            let overhead: usize = self.small.iter().map(Chunk::overhead).sum();
            self.bytes = self.bytes.saturating_sub(overhead) + joined.overhead();
            self.small.clear();
            (self.small_rows, self.small_bytes) = (0, 0);
            self.chunks.push(joined);
        }
        Ok(())
    }
}

/// The rows of a buffer as a run: an iterator of batches in ascending key order, each key once.
///
/// Holds the buffer's memory until dropped.
#[derive(Debug)]
pub struct Drain {
    chunks: Vec<Chunk>,
    layout: Layout,
    sorted: Sorted,
    /// Next of `sorted` to deliver.
    next: usize,
    engine: Arc<dyn MergeFunction>,
    batch_rows: usize,
    older: u64,
}

impl Drain {
    /// Rows so far that arrived after a newer row of their key, by the buffer's order or by a
    /// sequence group of the engine.
    #[must_use]
    pub const fn older_rows(&self) -> u64 {
        self.older
    }

    /// The next batch, which is not empty; `None` at the end.
    ///
    /// # Errors
    /// When the merge function or an Arrow kernel fails; the run then has ended.
    pub fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        let batch = self.assemble();
        if batch.is_err() {
            self.next = self.sorted.positions.len();
        }
        batch
    }

    fn assemble(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        while self.next < self.sorted.positions.len() {
            let first = self.next;
            self.next = self.sorted.batch_end(first, self.batch_rows);
            let positions = &self.sorted.positions[first..self.next];
            let rows: Vec<_> = positions.iter().map(|&p| self.layout.place(p)).collect();
            let merged = match self.engine.keeps() {
                Keeps::Last => chunk::gather(&self.chunks, &rows)?,
                Keeps::All => {
                    let heads = chunk::gather_heads(&self.chunks, &rows)?;
                    let ends = self.sorted.group_ends(first..self.next);
                    let groups = Groups::new(heads, chunk::values(&self.chunks), rows, ends);
                    let merged = merge_groups(self.engine.as_ref(), &groups)?;
                    self.older = self.older.saturating_add(merged.older);
                    merged.records
                }
            };
            if !merged.is_empty() {
                return Ok(Some(merged));
            }
        }
        Ok(None)
    }
}

impl Iterator for Drain {
    type Item = Result<KeyValueBatch, LsmError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}

impl RunReader for Drain {
    fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        Self::next_batch(self)
    }
}

#[cfg(test)]
mod tests;
