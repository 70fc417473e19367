//! Keys of the batches in a merge, by encoding: what a run's head is and how two compare.

use std::cmp::Ordering;

use arrow::array::{Array, BinaryArray};
use arrow::buffer::ScalarBuffer;

use crate::error::LsmError;
use crate::key_value::Keys;

/// Keys of the batches that a merge holds. A batch goes by its position, as pushed.
pub(super) trait Heads: Default {
    /// One key; small, and good only as long as its batch is held.
    type Head: Copy;

    /// Takes up the keys of a batch.
    fn push(&mut self, keys: &Keys) -> Result<(), LsmError>;

    /// Key `row` of `batch`.
    fn head(&self, batch: usize, row: usize) -> Self::Head;

    fn compare(&self, a: Self::Head, b: Self::Head) -> Ordering;

    /// First row of `batch` whose key is not above the one before.
    fn first_unsorted(&self, batch: usize) -> Option<usize>;
}

#[derive(Default)]
pub(super) struct I64Heads(Vec<ScalarBuffer<i64>>);

impl Heads for I64Heads {
    type Head = i64;

    fn push(&mut self, keys: &Keys) -> Result<(), LsmError> {
        let Keys::I64(keys) = keys else {
            return Err(LsmError::MixedKeys);
        };
        self.0.push(keys.clone());
        Ok(())
    }

    #[inline]
    fn head(&self, batch: usize, row: usize) -> i64 {
        self.0[batch][row]
    }

    #[inline]
    fn compare(&self, a: i64, b: i64) -> Ordering {
        a.cmp(&b)
    }

    fn first_unsorted(&self, batch: usize) -> Option<usize> {
        self.0[batch].windows(2).position(|pair| pair[0] >= pair[1]).map(|row| row + 1)
    }
}

#[derive(Default)]
pub(super) struct RowHeads(Vec<BinaryArray>);

impl Heads for RowHeads {
    /// Batch and row.
    type Head = (usize, usize);

    fn push(&mut self, keys: &Keys) -> Result<(), LsmError> {
        let Keys::Rows(keys) = keys else {
            return Err(LsmError::MixedKeys);
        };
        self.0.push(keys.clone());
        Ok(())
    }

    #[inline]
    fn head(&self, batch: usize, row: usize) -> Self::Head {
        (batch, row)
    }

    #[inline]
    fn compare(&self, a: Self::Head, b: Self::Head) -> Ordering {
        self.0[a.0].value(a.1).cmp(self.0[b.0].value(b.1))
    }

    fn first_unsorted(&self, batch: usize) -> Option<usize> {
        let keys = &self.0[batch];
        (1..keys.len()).find(|&row| keys.value(row - 1) >= keys.value(row))
    }
}
