//! How many rows a sort handles at once, so that the memory of the session is enough for it.
//!
//! DataFusion's sort spills when the next batch does not fit, and holds a batch of each spilled run
//! while it merges them: with wide rows, batches of the usual number of rows are too much.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::{SessionState, TaskContext};

/// The part of the memory that rows fill which are not spilled: a sort holds them about twice, and
/// other rows may be wider than the first ones.
const SPARE: usize = 6;

/// Batches that a part of a sort should be able to hold.
const BATCHES: usize = 32;

/// Bounds of the bytes of a batch.
const LEAST_BYTES: usize = 64 << 10;
const MOST_BYTES: usize = 8 << 20;

/// Rows of a batch if they are narrow, and if they are as wide as can be.
const MOST_ROWS: usize = 8192;
const LEAST_ROWS: usize = 16;

/// What DataFusion keeps for merging while it sorts, unless that is too much.
const MERGE_BYTES: usize = 10 << 20;

/// How much is handled at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Portions {
    parts: usize,
    batch_bytes: usize,
    batch_rows: usize,
    merge_bytes: usize,
}

impl Portions {
    /// For a sort of `rows` rows that are as wide as those of `sample`, in at most so many parts.
    ///
    /// Sorts that spill run in one part: several take all memory for merging their runs, and leave
    /// nothing to those who merge the parts.
    pub(super) fn of(
        state: &SessionState,
        sample: Option<&RecordBatch>,
        rows: u64,
        most_parts: usize,
    ) -> Result<Self> {
        let memory = match state.runtime_env().memory_pool.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes,
            _ => usize::MAX,
        };
        let width = match sample {
            Some(batch) => (bytes(batch)? / batch.num_rows().max(1)).max(1),
            None => 1,
        };
        let all = usize::try_from(rows).unwrap_or(usize::MAX).saturating_mul(width);
        let parts = if all <= memory / SPARE { most_parts.max(1) } else { 1 };
        let each = memory / parts;
        let batch_bytes = (each / BATCHES).clamp(LEAST_BYTES, MOST_BYTES);
        Ok(Self {
            parts,
            batch_bytes,
            batch_rows: (batch_bytes / width).clamp(LEAST_ROWS, MOST_ROWS),
            merge_bytes: (each / 4).min(MERGE_BYTES),
        })
    }

    /// Parts that are sorted at once.
    pub(super) const fn parts(self) -> usize {
        self.parts
    }

    /// The context of the sort.
    pub(super) fn context(self, state: &SessionState) -> Arc<TaskContext> {
        let mut state = state.clone();
        let options = &mut state.config_mut().options_mut().execution;
        if let Ok(rows) = self.batch_rows.to_string().parse() {
            options.batch_size = rows;
        }
        options.sort_spill_reservation_bytes = self.merge_bytes;
        state.task_ctx()
    }

    /// The batch in pieces that do not hold each other's memory, if it is too large for one.
    pub(super) fn cut(self, batch: &RecordBatch) -> Result<Vec<RecordBatch>> {
        let (rows, size) = (batch.num_rows(), bytes(batch)?);
        let held: usize = batch.columns().iter().map(|c| c.get_buffer_memory_size()).sum();
        if size <= self.batch_bytes && held <= self.batch_bytes.saturating_mul(2) {
            return Ok(vec![batch.clone()]);
        }
        let pieces = size.div_ceil(self.batch_bytes).max(1);
        let most = rows.div_ceil(pieces).max(1);
        (0..rows)
            .step_by(most)
            .map(|from| {
                let to = from.saturating_add(most).min(rows);
                let numbers = (from..to).filter_map(|row| u32::try_from(row).ok());
                Ok(take_record_batch(batch, &numbers.collect::<UInt32Array>())?)
            })
            .collect()
    }
}

/// Bytes of the rows of a batch, without what else their buffers hold.
fn bytes(batch: &RecordBatch) -> Result<usize> {
    let mut bytes = 0_usize;
    for column in batch.columns() {
        bytes = bytes.saturating_add(column.to_data().get_slice_memory_size()?);
    }
    Ok(bytes)
}
