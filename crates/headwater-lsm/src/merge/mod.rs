//! Merges sorted runs into one.
//!
//! Finds out which records meet and copies the survivors; what survives is up to the
//! [`MergeFunction`]. Rules: `docs/spec/lsm.md#merge-order`.

mod head;
mod loser_tree;
mod merger;

use std::fmt;
use std::sync::Arc;

use crate::error::LsmError;
use crate::key_value::{KeyValueBatch, Keys};
use crate::merge_engine::MergeFunction;
use crate::order::SequenceOrder;
use crate::run::RunReader;
use head::{Heads, I64Heads, RowHeads};
use merger::{Merger, Run};

/// How a merge delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortMergeOptions {
    /// Most records of an output batch; at least 1.
    pub batch_rows: usize,
    /// Leave out keys whose merged record is a `-U` or `-D`: for readers, and for compactions into
    /// the last level.
    pub drop_deletes: bool,
    /// Sequence numbers rise from run to run: every one of a run is above all of the runs before it
    /// in the list. They are not looked at then, and may be any.
    pub ordered_runs: bool,
}

impl Default for SortMergeOptions {
    fn default() -> Self {
        Self { batch_rows: 8192, drop_deletes: false, ordered_runs: false }
    }
}

/// One run made of several.
///
/// Records of a key are fed to the merge function by ascending sequence number; among equal
/// sequence numbers, which the format leaves open, a run later in the list counts as newer. The
/// result depends on nothing else: not on how runs are cut into batches.
///
/// Holds the current batch of each run plus those that the next output batch is made of. Stretches
/// of a run that no other run reaches into go through as slices, without copying, so an output
/// batch may keep alive the input batch that it is a part of. Output batches are never empty.
///
/// After an error, the merge has ended.
pub struct SortMerge {
    state: State,
    engine: Arc<dyn MergeFunction>,
    order: Option<Arc<SequenceOrder>>,
    options: SortMergeOptions,
    older: u64,
}

enum State {
    Unopened(Vec<Box<dyn RunReader>>),
    I64(Box<Merger<I64Heads<false>>>),
    OrderedI64(Box<Merger<I64Heads<true>>>),
    Rows(Box<Merger<RowHeads<false>>>),
    OrderedRows(Box<Merger<RowHeads<true>>>),
    Done,
}

impl fmt::Debug for SortMerge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { engine, options, .. } = self;
        f.debug_struct("SortMerge").field("engine", engine).field("options", options).finish()
    }
}

impl SortMerge {
    /// A merge of `runs`, of which none is read before the first batch is asked for.
    #[must_use]
    pub fn new(
        runs: Vec<Box<dyn RunReader>>,
        engine: Arc<dyn MergeFunction>,
        options: SortMergeOptions,
    ) -> Self {
        Self { state: State::Unopened(runs), engine, order: None, options, older: 0 }
    }

    /// Has the records of a key ordered by these columns of their values, and by sequence number
    /// where those are equal.
    #[must_use]
    pub fn ordered_by(mut self, order: Option<Arc<SequenceOrder>>) -> Self {
        self.order = order;
        self
    }

    /// The next records in key order; `None` at the end.
    ///
    /// # Errors
    /// What a run or the merge function reports; [`LsmError::NotSorted`] when a run is not in
    /// order; other variants when batches do not fit each other.
    pub fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        let next = self.advance();
        if !matches!(next, Ok(Some(_))) {
            self.older = self.older_rows();
            self.state = State::Done;
        }
        next
    }

    /// Records so far that came after a newer one of their key, by the merge's order or by a sequence
    /// group of the engine.
    #[must_use]
    pub const fn older_rows(&self) -> u64 {
        match &self.state {
            State::I64(merger) => merger.older_rows(),
            State::OrderedI64(merger) => merger.older_rows(),
            State::Rows(merger) => merger.older_rows(),
            State::OrderedRows(merger) => merger.older_rows(),
            State::Unopened(_) | State::Done => self.older,
        }
    }

    fn advance(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        if let State::Unopened(runs) = &mut self.state {
            let runs = std::mem::take(runs);
            self.state = self.open(runs)?;
        }
        match &mut self.state {
            State::I64(merger) => merger.next_batch(),
            State::OrderedI64(merger) => merger.next_batch(),
            State::Rows(merger) => merger.next_batch(),
            State::OrderedRows(merger) => merger.next_batch(),
            State::Unopened(_) | State::Done => Ok(None),
        }
    }

    fn open(&self, readers: Vec<Box<dyn RunReader>>) -> Result<State, LsmError> {
        if self.options.batch_rows == 0 {
            return Err(LsmError::EmptyBatches);
        }
        let mut runs = Vec::with_capacity(readers.len());
        for (number, reader) in readers.into_iter().enumerate() {
            runs.extend(Run::open(number, reader)?);
        }
        let options = self.options;
        let engine = (Arc::clone(&self.engine), self.order.clone());
        Ok(match (runs.first().map(|(_, batch)| &batch.keys), options.ordered_runs) {
            (None, _) => State::Done,
            (Some(Keys::I64(_)), false) => State::I64(merger(runs, engine, options)?),
            (Some(Keys::I64(_)), true) => State::OrderedI64(merger(runs, engine, options)?),
            (Some(Keys::Rows(_)), false) => State::Rows(merger(runs, engine, options)?),
            (Some(Keys::Rows(_)), true) => State::OrderedRows(merger(runs, engine, options)?),
        })
    }
}

fn merger<H: Heads>(
    runs: Vec<(Run, KeyValueBatch)>,
    engine: (Arc<dyn MergeFunction>, Option<Arc<SequenceOrder>>),
    options: SortMergeOptions,
) -> Result<Box<Merger<H>>, LsmError> {
    Ok(Box::new(Merger::new(runs, engine, options)?))
}

impl Iterator for SortMerge {
    type Item = Result<KeyValueBatch, LsmError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}

impl RunReader for SortMerge {
    fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        Self::next_batch(self)
    }
}

#[cfg(test)]
mod tests;
