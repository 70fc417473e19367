//! Arrow columns and the binary layout: single cells, whole rows, hashes of all rows.
//!
//! Columns must have the Arrow type that [`arrow_type`](crate::types::arrow_type) gives for their
//! column type.

mod cells;
mod columns;
mod encoder;
mod hash;

pub use cells::datum_at;
pub use columns::{array_from_datums, constant_array};
pub use encoder::RowEncoder;
pub use hash::hash_rows;

use ::arrow::array::{Array, ArrayRef};

use crate::error::SpecError;
use crate::types::{DataType, TypeKind};

/// The column as the array type that carries `kind`.
fn downcast<'a, A: Array + 'static>(
    array: &'a dyn Array,
    kind: &TypeKind,
) -> Result<&'a A, SpecError> {
    array.as_any().downcast_ref().ok_or_else(|| SpecError::Value {
        column: kind.to_string(),
        reason: format!("it cannot be read from an Arrow {}", array.data_type()),
    })
}

/// Refuses columns that do not match the types in number, or each other in length; returns the
/// number of rows.
fn check_columns(columns: &[ArrayRef], types: &[DataType]) -> Result<usize, SpecError> {
    let rows = columns.first().map_or(0, |c| c.len());
    if columns.len() != types.len() || columns.iter().any(|c| c.len() != rows) {
        return Err(SpecError::Value {
            column: "binary row".into(),
            reason: format!(
                "{} Arrow columns of one length are needed, not {}",
                types.len(),
                columns.len()
            ),
        });
    }
    Ok(rows)
}

fn out_of_range(row: usize, rows: usize) -> SpecError {
    SpecError::Value {
        column: "binary row".into(),
        reason: format!("there is no row {row} in {rows} rows"),
    }
}

#[cfg(test)]
mod tests;
