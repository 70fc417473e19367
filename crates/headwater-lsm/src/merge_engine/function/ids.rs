//! Which values are equal: each value gets a number that equal ones share.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef};
use arrow_row::{Row, RowConverter, SortField};

use crate::error::LsmError;

/// For each row of `columns` a number below the number of rows; equal rows have the same.
///
/// Values are equal as Java's boxed ones are: null is equal to null, `0.0` is not `-0.0`, NaN is
/// equal to NaN of the same bits. Nested values and bytes are equal if their contents are, maps
/// if their entries are in the same order. `docs/spec/aggregate-functions.md#equality`.
pub(super) fn value_ids(columns: &[ArrayRef]) -> Result<Vec<usize>, LsmError> {
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone()));
    let rows = RowConverter::new(fields.collect())?.convert_columns(columns)?;
    let mut known: HashMap<Row<'_>, usize> = HashMap::with_capacity(rows.num_rows());
    let mut ids = Vec::with_capacity(rows.num_rows());
    for row in &rows {
        let next = known.len();
        ids.push(*known.entry(row).or_insert(next));
    }
    Ok(ids)
}
