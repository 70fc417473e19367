//! Rows of a bucket on their way to a file: merged or in order of arrival, encoded piece by piece.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Int8Type, Int64Type};
use bytes::Bytes;
use headwater_lsm::{
    Drain, KeyEncoder, KeyValueBatch, LsmError, MergeFunction, RunReader, SequenceOrder, SortMerge,
    SortMergeOptions,
};

use super::file::{FileLayout, OpenDataFile};
use super::postpone::WaitingBatch;
use crate::error::{Error, Result};
use crate::spill::SpilledReader;

/// How the rows of a bucket with a primary key become one run.
pub(super) struct Merging {
    pub(super) encoder: KeyEncoder,
    pub(super) function: Arc<dyn MergeFunction>,
    pub(super) order: Option<Arc<SequenceOrder>>,
}

impl Merging {
    /// One run of several, the oldest rows first.
    pub(super) fn merge(&self, runs: Vec<Box<dyn RunReader>>, batch_rows: usize) -> SortMerge {
        // Rows are numbered as they come: every number of a run is above those of the runs before.
        let options = SortMergeOptions { batch_rows, drop_deletes: false, ordered_runs: true };
        SortMerge::new(runs, Arc::clone(&self.function), options).ordered_by(self.order.clone())
    }
}

/// Merged rows in key order.
pub(super) enum Sorted {
    /// Those of the buffer.
    Buffer(Box<Drain>),
    /// Also earlier ones; with the rows of the buffer that came after newer ones.
    Merged(Box<SortMerge>, Arc<AtomicU64>),
}

impl Sorted {
    pub(super) fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        match self {
            Self::Buffer(drain) => drain.next_batch(),
            Self::Merged(merge, _) => merge.next_batch(),
        }
    }

    /// Rows so far that came after a newer one of their key.
    pub(super) fn older_rows(&self) -> u64 {
        match self {
            Self::Buffer(drain) => drain.older_rows(),
            Self::Merged(merge, before) => {
                merge.older_rows().saturating_add(before.load(Ordering::Relaxed))
            }
        }
    }
}

/// A buffer's rows as a run that is merged with others.
pub(super) struct BufferRun {
    pub(super) drain: Box<Drain>,
    pub(super) older: Arc<AtomicU64>,
}

impl RunReader for BufferRun {
    fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        let batch = self.drain.next_batch();
        self.older.store(self.drain.older_rows(), Ordering::Relaxed);
        batch
    }
}

/// A spilled run: sequence number and kind before the values.
pub(super) struct SpilledRun {
    pub(super) reader: SpilledReader,
    pub(super) merging: Arc<Merging>,
    pub(super) layout: Arc<FileLayout>,
}

/// System columns before the values of a spilled batch.
pub(super) const SPILLED_SYSTEM: usize = 2;

impl SpilledRun {
    fn next(&mut self) -> Result<Option<KeyValueBatch>> {
        let Some(batch) = self.reader.next_batch()? else { return Ok(None) };
        let (sequence, kinds) = (batch.column(0).as_primitive::<Int64Type>().clone(), {
            batch.column(1).as_primitive::<Int8Type>().clone()
        });
        let values = batch.project(&(SPILLED_SYSTEM..batch.num_columns()).collect::<Vec<_>>())?;
        let values = RecordBatch::try_new(self.layout.value_schema(), values.columns().to_vec())?;
        let keys: Vec<ArrayRef> =
            self.layout.key_at.iter().map(|at| Arc::clone(values.column(*at))).collect();
        let keys = self.merging.encoder.encode(&keys)?;
        Ok(Some(KeyValueBatch::try_new(keys, sequence, kinds, values)?))
    }
}

impl RunReader for SpilledRun {
    fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        self.next().map_err(LsmError::from)
    }
}

/// Rows without a primary key, as they came.
pub(super) struct Plain {
    pub(super) spilled: VecDeque<SpilledReader>,
    pub(super) batches: VecDeque<RecordBatch>,
}

impl Plain {
    pub(super) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(first) = self.spilled.front_mut() {
            if let Some(batch) = first.next_batch()? {
                return Ok(Some(batch));
            }
            self.spilled.pop_front();
        }
        Ok(self.batches.pop_front())
    }
}

/// Rows on their way to files.
pub(super) enum Rows {
    Sorted { source: Sorted, next: Option<Box<KeyValueBatch>> },
    Plain { source: Plain, next: Option<RecordBatch>, next_sequence: i64 },
    Waiting(VecDeque<WaitingBatch>),
}

impl Rows {
    pub(super) fn ended(&self) -> bool {
        match self {
            Self::Sorted { next, .. } => next.is_none(),
            Self::Plain { next, .. } => next.is_none(),
            Self::Waiting(batches) => batches.is_empty(),
        }
    }
}

/// Encodes some batches, `rows_at_once` at a time; stops at the end, at the target size of the file,
/// or when bytes are to be stored.
pub(super) fn encode(
    mut rows: Rows,
    mut file: OpenDataFile,
    layout: &FileLayout,
    rows_at_once: usize,
) -> Result<(Rows, OpenDataFile, Vec<Bytes>)> {
    loop {
        let bytes = match &mut rows {
            Rows::Sorted { source, next } => {
                let Some(batch) = next.take() else { break };
                let now = batch.len().min(rows_at_once);
                let KeyValueBatch { sequence, kinds, values, .. } = batch.slice(0, now);
                let (sequence, kinds): (ArrayRef, ArrayRef) = (Arc::new(sequence), Arc::new(kinds));
                let bytes = file.add_sorted(layout, &sequence, &kinds, &values)?;
                *next = if now < batch.len() {
                    Some(Box::new(batch.slice(now, batch.len() - now)))
                } else {
                    drop((batch, sequence, kinds, values));
                    source.next_batch()?.map(Box::new)
                };
                bytes
            }
            Rows::Plain { source, next, next_sequence } => {
                let Some(batch) = next.take() else { break };
                let now = batch.num_rows().min(rows_at_once);
                let bytes = file.add_plain(layout, *next_sequence, &batch.slice(0, now))?;
                let numbered = i64::try_from(now).unwrap_or(i64::MAX);
                *next_sequence = next_sequence.saturating_add(numbered);
                *next = if now < batch.num_rows() {
                    Some(batch.slice(now, batch.num_rows() - now))
                } else {
                    source.next_batch()?
                };
                bytes
            }
            Rows::Waiting(batches) => {
                let Some(WaitingBatch { values, sequence, kinds }) = batches.pop_front() else {
                    break;
                };
                file.add_sorted(layout, &sequence, &kinds, &values)?
            }
        };
        if !bytes.is_empty() || file.bytes_written() >= layout.target_bytes() {
            return Ok((rows, file, bytes));
        }
    }
    Ok((rows, file, Vec::new()))
}

/// The first rows, or none.
pub(super) fn started(mut source: Sorted) -> Result<Rows> {
    let next = source.next_batch().map_err(Error::from)?.map(Box::new);
    Ok(Rows::Sorted { source, next })
}
