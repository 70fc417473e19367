//! Keys of the batches in a merge, by encoding: what a run's head is and how two compare.

use std::cmp::Ordering;

use arrow::array::{Array, BinaryArray};
use arrow::buffer::ScalarBuffer;

use crate::error::LsmError;
use crate::key_value::{KeyValueBatch, Keys};

/// Keys and sequence numbers of the batches that a merge holds. A batch goes by its position, as
/// pushed.
pub(super) trait Heads: Default {
    /// One key; small, and good only as long as its batch is held.
    type Head: Copy;

    /// Where a run stands, as the tournament compares it.
    type Entry: Copy;

    /// Takes up the keys and sequence numbers of a batch.
    fn push(&mut self, batch: &KeyValueBatch) -> Result<(), LsmError>;

    /// Lets go of all batches.
    fn clear(&mut self);

    /// Key `row` of `batch`.
    fn head(&self, batch: usize, row: usize) -> Self::Head;

    fn compare(&self, a: Self::Head, b: Self::Head) -> Ordering;

    /// First row of `batch` whose key is not above the one before.
    fn first_unsorted(&self, batch: usize) -> Option<usize>;

    /// The entry of a run that now stands at `row` of `batch`.
    fn entry(&mut self, batch: usize, row: usize, run: usize) -> Self::Entry;

    /// The entry of a run that has ended: none is above it but for those with a larger number,
    /// which is to be above that of every run.
    fn ended(number: usize) -> Self::Entry;

    /// The key in an entry of a run that has not ended.
    fn head_of(entry: Self::Entry) -> Self::Head;

    /// The run of an entry, or the number given to [`Heads::ended`].
    fn run_of(entry: Self::Entry) -> usize;

    /// Whether `a` goes before `b`: by key, then sequence number, then run.
    fn before(&self, a: Self::Entry, b: Self::Entry) -> bool;
}

/// Changes the sign: unsigned numbers order as signed ones did.
const SIGN: u64 = 1 << 63;

/// [`Keys::I64`]. `ORDERED`: sequence numbers rise from run to run, so none is looked at.
#[derive(Default)]
pub(super) struct I64Heads<const ORDERED: bool> {
    batches: Vec<(ScalarBuffer<i64>, ScalarBuffer<i64>)>,
    /// Where each run stands; unless `ORDERED`.
    sequences: Vec<i64>,
}

/// The key, in unsigned order, and the run: two words that compare without a branch, which could
/// not be foretold.
#[derive(Debug, Clone, Copy)]
pub(super) struct I64Entry {
    key: u64,
    run: u64,
}

impl I64Entry {
    #[inline]
    fn words(self) -> u128 {
        u128::from(self.key) << 64 | u128::from(self.run)
    }
}

impl<const ORDERED: bool> Heads for I64Heads<ORDERED> {
    type Head = i64;
    type Entry = I64Entry;

    fn push(&mut self, batch: &KeyValueBatch) -> Result<(), LsmError> {
        let Keys::I64(keys) = &batch.keys else {
            return Err(LsmError::MixedKeys);
        };
        self.batches.push((keys.clone(), batch.sequence.values().clone()));
        Ok(())
    }

    fn clear(&mut self) {
        self.batches.clear();
    }

    #[inline]
    fn head(&self, batch: usize, row: usize) -> i64 {
        self.batches[batch].0[row]
    }

    #[inline]
    fn compare(&self, a: i64, b: i64) -> Ordering {
        a.cmp(&b)
    }

    fn first_unsorted(&self, batch: usize) -> Option<usize> {
        let keys = &self.batches[batch].0;
        // Usually all are in order, and counting goes faster than looking for the first.
        let rises = |pair: &&[i64]| pair[0] < pair[1];
        if keys.windows(2).filter(rises).count() + 1 >= keys.len() {
            return None;
        }
        keys.windows(2).position(|pair| pair[0] >= pair[1]).map(|row| row + 1)
    }

    #[inline]
    fn entry(&mut self, batch: usize, row: usize, run: usize) -> I64Entry {
        let (keys, sequence) = &self.batches[batch];
        if !ORDERED {
            if self.sequences.len() <= run {
                self.sequences.resize(run + 1, 0);
            }
            self.sequences[run] = sequence[row];
        }
        I64Entry { key: keys[row].cast_unsigned() ^ SIGN, run: run as u64 }
    }

    #[inline]
    fn ended(number: usize) -> I64Entry {
        I64Entry { key: u64::MAX, run: number as u64 }
    }

    #[inline]
    fn head_of(entry: I64Entry) -> i64 {
        (entry.key ^ SIGN).cast_signed()
    }

    #[inline]
    fn run_of(entry: I64Entry) -> usize {
        usize::try_from(entry.run).unwrap_or(usize::MAX)
    }

    #[inline]
    fn before(&self, a: I64Entry, b: I64Entry) -> bool {
        if !ORDERED && a.key == b.key {
            let sequence = |entry| self.sequences.get(Self::run_of(entry));
            // An ended run has none and goes last.
            let by_sequence = match (sequence(a), sequence(b)) {
                (Some(a), Some(b)) => a.cmp(b),
                _ => Ordering::Equal,
            };
            return by_sequence.then(a.run.cmp(&b.run)).is_lt();
        }
        a.words() < b.words()
    }
}

/// [`Keys::Rows`]. `ORDERED`: sequence numbers rise from run to run, so none is looked at.
#[derive(Default)]
pub(super) struct RowHeads<const ORDERED: bool>(Vec<(BinaryArray, ScalarBuffer<i64>)>);

impl<const ORDERED: bool> RowHeads<ORDERED> {
    fn sequence(&self, (batch, row): (usize, usize)) -> i64 {
        self.0[batch].1[row]
    }
}

impl<const ORDERED: bool> Heads for RowHeads<ORDERED> {
    /// Batch and row.
    type Head = (usize, usize);

    /// Batch and row, if the run has not ended, and the run.
    type Entry = (Option<(usize, usize)>, usize);

    fn push(&mut self, batch: &KeyValueBatch) -> Result<(), LsmError> {
        let Keys::Rows(keys) = &batch.keys else {
            return Err(LsmError::MixedKeys);
        };
        self.0.push((keys.clone(), batch.sequence.values().clone()));
        Ok(())
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    #[inline]
    fn head(&self, batch: usize, row: usize) -> Self::Head {
        (batch, row)
    }

    #[inline]
    fn compare(&self, a: Self::Head, b: Self::Head) -> Ordering {
        self.0[a.0].0.value(a.1).cmp(self.0[b.0].0.value(b.1))
    }

    fn first_unsorted(&self, batch: usize) -> Option<usize> {
        let keys = &self.0[batch].0;
        (1..keys.len()).find(|&row| keys.value(row - 1) >= keys.value(row))
    }

    #[inline]
    fn entry(&mut self, batch: usize, row: usize, run: usize) -> Self::Entry {
        (Some((batch, row)), run)
    }

    #[inline]
    fn ended(number: usize) -> Self::Entry {
        (None, number)
    }

    #[inline]
    fn head_of(entry: Self::Entry) -> Self::Head {
        entry.0.unwrap_or_default()
    }

    #[inline]
    fn run_of(entry: Self::Entry) -> usize {
        entry.1
    }

    #[inline]
    fn before(&self, a: Self::Entry, b: Self::Entry) -> bool {
        match (a.0, b.0) {
            (Some(head_a), Some(head_b)) => {
                let by_sequence = || match ORDERED {
                    true => Ordering::Equal,
                    false => self.sequence(head_a).cmp(&self.sequence(head_b)),
                };
                self.compare(head_a, head_b).then_with(by_sequence).then(a.1.cmp(&b.1)).is_lt()
            }
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => a.1 < b.1,
        }
    }
}
