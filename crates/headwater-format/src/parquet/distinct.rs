//! Which columns repeat their values: only those gain from a dictionary.
//!
//! Java gives a dictionary up after the first page if it does not pay; here the first rows decide.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef};
use arrow::row::{RowConverter, SortField};

/// Rows that are looked at.
const SAMPLE_ROWS: usize = 4096;
/// With fewer rows nothing can be told, and little gained.
const ENOUGH_ROWS: usize = 256;

/// Whether most of the first values differ from each other; `false` if that cannot be told.
///
/// Only plain columns are looked at, nested ones keep their dictionaries.
pub(super) fn mostly_distinct(column: &ArrayRef) -> bool {
    let data_type = column.data_type();
    if column.len() < ENOUGH_ROWS || data_type.is_nested() {
        return false;
    }
    let sample = column.slice(0, column.len().min(SAMPLE_ROWS));
    let values = sample.len() - sample.null_count();
    if values < ENOUGH_ROWS {
        return false;
    }
    let Ok(converter) = RowConverter::new(vec![SortField::new(data_type.clone())]) else {
        return false;
    };
    let Ok(rows) = converter.convert_columns(&[std::sync::Arc::clone(&sample)]) else {
        return false;
    };
    let distinct: HashSet<_> = rows.iter().collect();
    distinct.len() * 2 > values
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::mostly_distinct;

    #[test]
    fn keys_are_distinct_and_states_are_not() {
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..5000));
        assert!(mostly_distinct(&keys));
        let states: ArrayRef =
            Arc::new(StringArray::from_iter_values((0..5000).map(|i| ["a", "b"][i % 2])));
        assert!(!mostly_distinct(&states));
        assert!(!mostly_distinct(&keys.slice(0, 10)));
    }
}
