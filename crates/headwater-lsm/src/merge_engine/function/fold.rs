//! The loop over the records of many keys, for functions that make one value of two.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, NullBufferBuilder, PrimitiveArray,
    UInt64Array,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::take;

use super::FunctionError;
use crate::error::LsmError;
use crate::merge_engine::steps::{Step, Steps};

/// How a function makes one value of two; nulls are left out by [`fold`].
pub(super) trait Combine<V> {
    /// Adds `input` to `acc`; none if the sum of them has no value.
    ///
    /// # Errors
    /// When the values cannot be merged.
    fn combine(&self, acc: V, input: V) -> Result<Option<V>, FunctionError>;

    /// Takes `input` back.
    ///
    /// # Errors
    /// When that is impossible.
    fn take_back(&self, acc: Option<V>, input: Option<V>) -> Result<Option<V>, FunctionError>;
}

/// The value of each key, and which keys have none.
pub(super) struct Folded<V> {
    pub(super) values: Vec<V>,
    pub(super) nulls: Option<NullBuffer>,
}

/// Folds the rows of each key; `value` reads a row that is not null.
pub(super) fn fold<V: Copy + Default>(
    nulls: Option<&NullBuffer>,
    steps: &Steps,
    value: impl Fn(usize) -> V,
    function: &impl Combine<V>,
) -> Result<Folded<V>, FunctionError> {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => fold_rows(steps, |row| Some(value(row)), function),
        Some(nulls) => fold_rows(steps, |row| nulls.is_valid(row).then(|| value(row)), function),
    }
}

fn fold_rows<V: Copy + Default>(
    steps: &Steps,
    value: impl Fn(usize) -> Option<V>,
    function: &impl Combine<V>,
) -> Result<Folded<V>, FunctionError> {
    let mut values = Vec::with_capacity(steps.len());
    let mut nulls = NullBufferBuilder::new(steps.len());
    let add = |acc: Option<V>, input: Option<V>| match (acc, input) {
        (Some(acc), Some(input)) => function.combine(acc, input),
        (acc, input) => Ok(acc.or(input)),
    };
    for (rows, kinds) in steps.keys() {
        let mut acc = None;
        for (&row, &step) in rows.iter().zip(kinds) {
            let input = value(row);
            acc = match step {
                Step::Add => add(acc, input)?,
                Step::AddOlder => add(input, acc)?,
                Step::Retract | Step::RetractOlder => function.take_back(acc, input)?,
                Step::Replace => input,
            };
        }
        nulls.append(acc.is_some());
        values.push(acc.unwrap_or_default());
    }
    Ok(Folded { values, nulls: nulls.finish() })
}

/// [`fold`] over a column of numbers; the result has the column's type.
pub(super) fn fold_primitive<T: ArrowPrimitiveType>(
    column: &ArrayRef,
    steps: &Steps,
    function: &impl Combine<T::Native>,
) -> Result<ArrayRef, LsmError> {
    let array = column.as_primitive::<T>();
    let slice = array.values().as_ref();
    let Folded { values, nulls } = fold(array.nulls(), steps, |row| slice[row], function)?;
    let folded = PrimitiveArray::<T>::try_new(ScalarBuffer::from(values), nulls)?;
    Ok(std::sync::Arc::new(folded.with_data_type(column.data_type().clone())))
}

/// [`fold`] over a column of truth values.
pub(super) fn fold_boolean(
    column: &BooleanArray,
    steps: &Steps,
    function: &impl Combine<bool>,
) -> Result<ArrayRef, LsmError> {
    let bits = column.values();
    let Folded { values, nulls } = fold(column.nulls(), steps, |row| bits.value(row), function)?;
    Ok(std::sync::Arc::new(BooleanArray::new(values.into(), nulls)))
}

/// The given row of a column for each key, or null.
pub(super) fn pick(
    column: &ArrayRef,
    rows: impl Iterator<Item = Option<usize>>,
) -> Result<ArrayRef, LsmError> {
    let mut nulls = NullBufferBuilder::new(rows.size_hint().0);
    let indices: Vec<u64> = rows
        .map(|row| {
            nulls.append(row.is_some());
            row.unwrap_or_default() as u64
        })
        .collect();
    let indices = UInt64Array::try_new(indices.into(), nulls.finish())?;
    Ok(take(column, &indices, None)?)
}
