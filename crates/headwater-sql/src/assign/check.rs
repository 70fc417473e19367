//! Refuses values that a column's type does not allow: nulls, and texts or bytes that are too long.

use arrow::array::{Array, ArrayRef, AsArray};
use headwater::{DataType, TypeKind};

use crate::error::SqlError;

/// Length of STRING and BYTES.
const MAX_LENGTH: u32 = 2_147_483_647;

/// Checks a column that has the table's Arrow type already.
pub(super) fn check_values(
    array: &ArrayRef,
    data_type: &DataType,
    column: &str,
) -> Result<(), SqlError> {
    if !data_type.nullable && array.logical_null_count() > 0 {
        return Err(SqlError::invalid(format!(
            "column '{column}' is NOT NULL, but the query gives a null"
        )));
    }
    lengths(array.as_ref(), &data_type.kind, column)
}

fn lengths(array: &dyn Array, kind: &TypeKind, column: &str) -> Result<(), SqlError> {
    match kind {
        TypeKind::Char(n) | TypeKind::VarChar(n) if *n < MAX_LENGTH => {
            let limit = usize::try_from(*n).unwrap_or(usize::MAX);
            for text in array.as_string::<i32>().iter().flatten() {
                // No text has more characters than bytes.
                if text.len() > limit && text.chars().count() > limit {
                    let start: String = text.chars().take(40).collect();
                    let more = if text.chars().count() > 40 { "…" } else { "" };
                    return Err(SqlError::invalid(format!(
                        "column '{column}' is {kind}, but '{start}{more}' has {} characters",
                        text.chars().count()
                    )));
                }
            }
            Ok(())
        }
        TypeKind::Binary(n) | TypeKind::VarBinary(n) if *n < MAX_LENGTH => {
            let limit = usize::try_from(*n).unwrap_or(usize::MAX);
            match array.as_binary::<i32>().iter().flatten().find(|bytes| bytes.len() > limit) {
                Some(bytes) => Err(SqlError::invalid(format!(
                    "column '{column}' is {kind}, but a value has {} bytes",
                    bytes.len()
                ))),
                None => Ok(()),
            }
        }
        TypeKind::Array(element) => {
            lengths(array.as_list::<i32>().values(), &element.kind, column)
        }
        TypeKind::Vector(element, n) => {
            let list = array.as_list::<i32>();
            let size = i32::try_from(*n).unwrap_or(i32::MAX);
            let wrong =
                (0..list.len()).find(|row| list.is_valid(*row) && list.value_length(*row) != size);
            if let Some(row) = wrong {
                return Err(SqlError::invalid(format!(
                    "column '{column}' is {kind}, but a value has {} elements",
                    list.value_length(row)
                )));
            }
            lengths(list.values(), &element.kind, column)
        }
        TypeKind::Map(key, value) => {
            let map = array.as_map();
            lengths(map.keys(), &key.kind, column)?;
            lengths(map.values(), &value.kind, column)
        }
        TypeKind::Multiset(element) => lengths(array.as_map().keys(), &element.kind, column),
        TypeKind::Row(fields) => {
            let row = array.as_struct();
            for (child, field) in row.columns().iter().zip(fields) {
                lengths(child, &field.data_type.kind, &format!("{column}.{}", field.name))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
