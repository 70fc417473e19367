//! Rows that were added to a write buffer together, or joined because they were few.

use arrow::array::{Array, ArrayRef, Int8Array, Int64Array};
use arrow::compute::{concat, concat_batches};
use arrow::record_batch::RecordBatch;

use crate::error::LsmError;
use crate::key_value::{
    INSERT, KeyValueBatch, Keys, array_size, batch_overhead, check_kinds, check_same_columns,
    gather_values, record_batch_size,
};
use crate::order::{SequenceOrder, SequenceValues};

/// Rows with consecutive sequence numbers.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) keys: Keys,
    first_sequence: i64,
    /// `None`: all are inserts.
    kinds: Option<Int8Array>,
    values: RecordBatch,
}

impl Chunk {
    pub(super) fn try_new(
        keys: Keys,
        first_sequence: i64,
        kinds: Option<Int8Array>,
        values: RecordBatch,
    ) -> Result<Self, LsmError> {
        let (rows, values_rows) = (keys.len(), values.num_rows());
        let kinds_rows = kinds.as_ref().map_or(rows, Array::len);
        if values_rows != rows || kinds_rows != rows {
            return Err(LsmError::Lengths {
                keys: rows,
                sequence: rows,
                kinds: kinds_rows,
                values: values_rows,
            });
        }
        if let Some(kinds) = &kinds {
            check_kinds(kinds)?;
        }
        Ok(Self { keys, first_sequence, kinds, values })
    }

    pub(super) fn rows(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn memory_size(&self) -> usize {
        let kinds = self.kinds.as_ref().map_or(0, |kinds| array_size(kinds));
        self.keys.memory_size() + kinds + record_batch_size(&self.values)
    }

    /// Bytes besides those of the rows.
    pub(super) fn overhead(&self) -> usize {
        batch_overhead(&self.values)
    }

    /// Whether `other` has keys and columns like these.
    pub(super) fn check_like(&self, other: &Self) -> Result<(), LsmError> {
        if std::mem::discriminant(&self.keys) != std::mem::discriminant(&other.keys) {
            return Err(LsmError::MixedKeys);
        }
        check_same_columns(self.values.schema_ref(), other.values.schema_ref())
    }

    /// Whether the sequence numbers of `other` go on where these end.
    pub(super) fn is_followed_by(&self, other: &Self) -> bool {
        self.sequence(self.rows()) == other.first_sequence
    }

    #[inline]
    fn sequence(&self, row: usize) -> i64 {
        // Cannot overflow: checked when the rows were added.
        self.first_sequence.wrapping_add(i64::try_from(row).unwrap_or(i64::MAX))
    }

    #[inline]
    fn kind(&self, row: usize) -> i8 {
        self.kinds.as_ref().map_or(INSERT, |kinds| kinds.values()[row])
    }

    /// One chunk of several that follow each other; `None` of none.
    pub(super) fn join(chunks: &[Self]) -> Result<Option<Self>, LsmError> {
        let Some(first) = chunks.first() else {
            return Ok(None);
        };
        let all_rows = |chunk: usize| (0..chunks[chunk].rows()).map(move |row| (chunk, row));
        let kinds = chunks.iter().any(|chunk| chunk.kinds.is_some()).then(|| {
            let rows = (0..chunks.len()).flat_map(all_rows);
            rows.map(|(chunk, row)| chunks[chunk].kind(row)).collect::<Vec<_>>().into()
        });
        let keys: Vec<&Keys> = chunks.iter().map(|chunk| &chunk.keys).collect();
        let values = match chunks {
            [one] => one.values.clone(),
            _ => concat_batches(&first.values.schema(), chunks.iter().map(|c| &c.values))?,
        };
        Ok(Some(Self {
            keys: join_keys(&keys)?,
            first_sequence: first.first_sequence,
            kinds,
            values,
        }))
    }
}

fn join_keys(keys: &[&Keys]) -> Result<Keys, LsmError> {
    let mut integers = Vec::new();
    let mut rows: Vec<&dyn Array> = Vec::new();
    for &keys in keys {
        match keys {
            Keys::I64(keys) => integers.extend_from_slice(keys),
            Keys::Rows(keys) => rows.push(keys),
        }
    }
    match (integers.is_empty(), rows.is_empty()) {
        (_, true) => Ok(Keys::I64(integers.into())),
        (true, false) => {
            let joined = concat(&rows)?;
            Ok(Keys::Rows(arrow::array::AsArray::as_binary::<i32>(&joined).clone()))
        }
        (false, false) => Err(LsmError::MixedKeys),
    }
}

/// Keys, sequence numbers and kinds of the records `(chunk, row)`.
pub(super) fn gather_heads(
    chunks: &[Chunk],
    rows: &[(usize, usize)],
) -> Result<(Keys, Int64Array, Int8Array), LsmError> {
    let keys: Vec<&Keys> = chunks.iter().map(|chunk| &chunk.keys).collect();
    let sequence = rows.iter().map(|&(chunk, row)| chunks[chunk].sequence(row));
    let kinds = if chunks.iter().all(|chunk| chunk.kinds.is_none()) {
        vec![INSERT; rows.len()]
    } else {
        rows.iter().map(|&(chunk, row)| chunks[chunk].kind(row)).collect()
    };
    Ok((Keys::gather(&keys, rows)?, Int64Array::from_iter_values(sequence), kinds.into()))
}

/// The records `(chunk, row)`.
pub(super) fn gather(chunks: &[Chunk], rows: &[(usize, usize)]) -> Result<KeyValueBatch, LsmError> {
    let (keys, sequence, kinds) = gather_heads(chunks, rows)?;
    let values: Vec<&RecordBatch> = chunks.iter().map(|chunk| &chunk.values).collect();
    Ok(KeyValueBatch { keys, sequence, kinds, values: gather_values(&values, rows)? })
}

/// The values of all chunks.
pub(super) fn values(chunks: &[Chunk]) -> Vec<RecordBatch> {
    chunks.iter().map(|chunk| chunk.values.clone()).collect()
}

impl Chunk {
    /// What orders the records of a key, before their arrival.
    pub(super) fn order_values(&self, order: &SequenceOrder) -> Result<SequenceValues, LsmError> {
        let columns: Vec<ArrayRef> = order
            .columns()
            .iter()
            .filter_map(|&at| self.values.columns().get(at))
            .cloned()
            .collect();
        order.encode(&columns)
    }
}
