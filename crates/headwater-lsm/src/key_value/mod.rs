//! A batch of records: normalised key, sequence number, row kind, value columns.
//!
//! Knows how parts of several batches are put together into one; knows nothing of merging.

mod encode;

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Int8Array, Int64Array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{filter, filter_record_batch, interleave, take};
use arrow::datatypes::{Int8Type, Int64Type, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

pub use encode::KeyEncoder;
pub(crate) use encode::{integers_of, is_integer_like};

use crate::error::LsmError;

/// Row kind `+I`. Source: Paimon 1.4.2 `RowKind`.
pub const INSERT: i8 = 0;
/// Row kind `-U`: the old version of an updated row.
pub const UPDATE_BEFORE: i8 = 1;
/// Row kind `+U`: the new version of an updated row.
pub const UPDATE_AFTER: i8 = 2;
/// Row kind `-D`.
pub const DELETE: i8 = 3;

/// Whether a record of this row kind takes a row away: `-U` and `-D`.
#[must_use]
pub const fn is_retract(kind: i8) -> bool {
    kind == UPDATE_BEFORE || kind == DELETE
}

/// Normalised keys of a batch: comparing them is comparing the key columns.
#[derive(Debug, Clone)]
pub enum Keys {
    /// A single NOT NULL integer-like column: signed order.
    I64(ScalarBuffer<i64>),
    /// Everything else, one byte string per row: unsigned order of the bytes.
    Rows(BinaryArray),
}

impl Keys {
    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::I64(keys) => keys.len(),
            Self::Rows(keys) => keys.len(),
        }
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys `offset..offset + len`, without copying them.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        match self {
            Self::I64(keys) => Self::I64(keys.slice(offset, len)),
            Self::Rows(keys) => Self::Rows(keys.slice(offset, len)),
        }
    }

    /// Order of key `row` and key `other_row` of `other`; `None` when the two are encoded
    /// differently.
    #[must_use]
    pub fn compare(&self, row: usize, other: &Self, other_row: usize) -> Option<Ordering> {
        match (self, other) {
            (Self::I64(a), Self::I64(b)) => Some(a[row].cmp(&b[other_row])),
            (Self::Rows(a), Self::Rows(b)) => Some(a.value(row).cmp(b.value(other_row))),
            _ => None,
        }
    }

    /// Bytes that the keys take, not counting what a slice does not show.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        match self {
            Self::I64(keys) => size_of_val::<[i64]>(keys),
            Self::Rows(keys) => array_size(keys),
        }
    }

    /// The keys `(source, row)` of `sources`.
    pub(crate) fn gather(sources: &[&Self], rows: &[(usize, usize)]) -> Result<Self, LsmError> {
        match sources.first() {
            None => Err(LsmError::MixedKeys),
            Some(Self::I64(_)) => {
                let slices = sources
                    .iter()
                    .map(|keys| match keys {
                        Self::I64(keys) => Ok::<&[i64], _>(keys),
                        Self::Rows(_) => Err(LsmError::MixedKeys),
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Self::I64(rows.iter().map(|&(source, row)| slices[source][row]).collect()))
            }
            Some(Self::Rows(_)) => {
                let arrays = sources
                    .iter()
                    .map(|keys| match keys {
                        Self::Rows(keys) => Ok::<&dyn Array, _>(keys),
                        Self::I64(_) => Err(LsmError::MixedKeys),
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Self::Rows(gather_array(&arrays, rows)?.as_binary().clone()))
            }
        }
    }

    fn filter(&self, mask: &BooleanArray) -> Result<Self, LsmError> {
        Ok(match self {
            Self::I64(keys) => {
                let keys = filter(&Int64Array::new(keys.clone(), None), mask)?;
                Self::I64(keys.as_primitive::<Int64Type>().values().clone())
            }
            Self::Rows(keys) => Self::Rows(filter(keys, mask)?.as_binary().clone()),
        })
    }
}

/// Records as columns; row `i` of every part belongs to record `i`.
///
/// `values` holds all value columns, the key columns among them. [`KeyValueBatch::try_new`] checks
/// the parts; so does every merge that is given a batch.
#[derive(Debug, Clone)]
pub struct KeyValueBatch {
    /// The key of each record, normalised.
    pub keys: Keys,
    /// Its sequence number; no nulls.
    pub sequence: Int64Array,
    /// Its row kind, 0 to 3; no nulls.
    pub kinds: Int8Array,
    /// Its value columns.
    pub values: RecordBatch,
}

impl KeyValueBatch {
    /// A batch of these parts.
    ///
    /// # Errors
    /// When the parts differ in length, a sequence number or row kind is null, or a row kind is
    /// not 0 to 3.
    pub fn try_new(
        keys: Keys,
        sequence: Int64Array,
        kinds: Int8Array,
        values: RecordBatch,
    ) -> Result<Self, LsmError> {
        let batch = Self { keys, sequence, kinds, values };
        batch.check()?;
        Ok(batch)
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records `offset..offset + len`, without copying them. Both must lie inside the batch.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        if offset == 0 && len == self.len() {
            return self.clone();
        }
        Self {
            keys: self.keys.slice(offset, len),
            sequence: self.sequence.slice(offset, len),
            kinds: self.kinds.slice(offset, len),
            values: self.values.slice(offset, len),
        }
    }

    /// Whether any record is a `-U` or `-D`.
    #[must_use]
    pub fn has_retracts(&self) -> bool {
        self.kinds.values().iter().any(|&kind| is_retract(kind))
    }

    /// The batch without its `-U` and `-D` records.
    ///
    /// # Errors
    /// When an Arrow kernel fails.
    pub fn without_retracts(self) -> Result<Self, LsmError> {
        if !self.has_retracts() {
            return Ok(self);
        }
        let mask: BooleanArray =
            self.kinds.values().iter().map(|&kind| Some(!is_retract(kind))).collect();
        self.filtered(&mask)
    }

    /// The records for which `mask` is true; it must be as long as the batch.
    ///
    /// # Errors
    /// When an Arrow kernel fails.
    pub fn filtered(&self, mask: &BooleanArray) -> Result<Self, LsmError> {
        Ok(Self {
            keys: self.keys.filter(mask)?,
            sequence: filter(&self.sequence, mask)?.as_primitive::<Int64Type>().clone(),
            kinds: filter(&self.kinds, mask)?.as_primitive::<Int8Type>().clone(),
            values: filter_record_batch(&self.values, mask)?,
        })
    }

    /// Bytes that the batch takes, not counting what a slice does not show.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        self.keys.memory_size()
            + array_size(&self.sequence)
            + array_size(&self.kinds)
            + record_batch_size(&self.values)
    }

    /// The records `(source, row)` of `sources`, in the order of `rows`.
    ///
    /// `sources` must not be empty, have the same columns, and the rows must exist.
    pub(crate) fn gather(sources: &[Self], rows: &[(usize, usize)]) -> Result<Self, LsmError> {
        if let Some((source, first)) = consecutive(rows)
            && let Some(source) = sources.get(source)
        {
            return Ok(source.slice(first, rows.len()));
        }
        let (keys, sequence, kinds) = Self::gather_heads(sources, rows)?;
        let values: Vec<&RecordBatch> = sources.iter().map(|s| &s.values).collect();
        Ok(Self { keys, sequence, kinds, values: gather_values(&values, rows)? })
    }

    /// Keys, sequence numbers and kinds of the records `(source, row)` of `sources`.
    pub(crate) fn gather_heads(
        sources: &[Self],
        rows: &[(usize, usize)],
    ) -> Result<(Keys, Int64Array, Int8Array), LsmError> {
        let keys: Vec<&Keys> = sources.iter().map(|s| &s.keys).collect();
        let sequence: Vec<&dyn Array> = sources.iter().map(|s| &s.sequence as _).collect();
        let kinds: Vec<&dyn Array> = sources.iter().map(|s| &s.kinds as _).collect();
        Ok((
            Keys::gather(&keys, rows)?,
            gather_array(&sequence, rows)?.as_primitive::<Int64Type>().clone(),
            gather_array(&kinds, rows)?.as_primitive::<Int8Type>().clone(),
        ))
    }

    /// Whether the parts fit each other and the format.
    pub(crate) fn check(&self) -> Result<(), LsmError> {
        let rows = self.keys.len();
        let lengths = [self.sequence.len(), self.kinds.len(), self.values.num_rows()];
        if lengths.iter().any(|&len| len != rows) {
            let [sequence, kinds, values] = lengths;
            return Err(LsmError::Lengths { keys: rows, sequence, kinds, values });
        }
        check_no_nulls("sequence number", &self.sequence)?;
        check_kinds(&self.kinds)
    }

    /// Whether `other` has the same columns.
    pub(crate) fn check_same_columns(&self, other: &RecordBatch) -> Result<(), LsmError> {
        check_same_columns(self.values.schema_ref(), other.schema_ref())
    }
}

/// Whether there is no null and no unknown row kind.
pub(crate) fn check_kinds(kinds: &Int8Array) -> Result<(), LsmError> {
    check_no_nulls("row kind", kinds)?;
    match kinds.values().iter().position(|kind| !(INSERT..=DELETE).contains(kind)) {
        None => Ok(()),
        Some(row) => Err(LsmError::RowKind { row, kind: kinds.value(row) }),
    }
}

fn check_no_nulls(part: &'static str, array: &dyn Array) -> Result<(), LsmError> {
    match array.null_count() {
        0 => Ok(()),
        nulls => Err(LsmError::NullPart { part, nulls, rows: array.len() }),
    }
}

/// Whether two batches have the same column types; names and nullability do not matter.
pub(crate) fn check_same_columns(a: &SchemaRef, b: &SchemaRef) -> Result<(), LsmError> {
    let same = Arc::ptr_eq(a, b)
        || (a.fields().len() == b.fields().len()
            && a.fields().iter().zip(b.fields()).all(|(a, b)| a.data_type() == b.data_type()));
    if same {
        return Ok(());
    }
    Err(LsmError::MixedColumns { first: a.to_string(), other: b.to_string() })
}

/// The cells `(source, row)` of `sources`.
pub(crate) fn gather_array(
    sources: &[&dyn Array],
    rows: &[(usize, usize)],
) -> Result<ArrayRef, LsmError> {
    if let [source] = sources {
        let rows = rows.iter().map(|&(_, row)| row as u64).collect::<Vec<_>>();
        return Ok(take(*source, &arrow::array::UInt64Array::from(rows), None)?);
    }
    Ok(interleave(sources, rows)?)
}

/// The rows `(source, row)` of `sources`, with the columns of the first.
pub(crate) fn gather_values(
    sources: &[&RecordBatch],
    rows: &[(usize, usize)],
) -> Result<RecordBatch, LsmError> {
    let Some(first) = sources.first() else {
        return Err(LsmError::MixedKeys);
    };
    let columns = (0..first.num_columns())
        .map(|i| {
            let columns: Vec<&dyn Array> = sources.iter().map(|s| s.column(i).as_ref()).collect();
            gather_array(&columns, rows)
        })
        .collect::<Result<Vec<_>, _>>()?;
    // The count matters when a projection left no column.
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(first.schema(), columns, &options)?)
}

/// Bytes that the rows of a batch take, not counting what a slice does not show.
#[must_use]
pub fn record_batch_size(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| array_size(column)).sum()
}

/// What the arrays and buffers of a batch take besides their cells, about: counts where there are
/// many small batches.
#[must_use]
pub fn batch_overhead(batch: &RecordBatch) -> usize {
    const BATCH: usize = 512;
    const COLUMN: usize = 384;
    BATCH + batch.num_columns() * COLUMN
}

/// Bytes that the cells of an array take, not counting what a slice does not show.
pub(crate) fn array_size(array: &dyn Array) -> usize {
    array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size())
}

/// Source and first row, when all rows are consecutive rows of one source.
fn consecutive(rows: &[(usize, usize)]) -> Option<(usize, usize)> {
    let (&(source, first), &(_, last)) = (rows.first()?, rows.last()?);
    if last < first || last - first != rows.len() - 1 {
        return None;
    }
    rows.iter()
        .zip(first..)
        .all(|(&row, expected)| row == (source, expected))
        .then_some((source, first))
}

#[cfg(test)]
mod tests;
