//! The order of records by columns of their values: `sequence.field`, and sequence groups.
//!
//! Rules: `docs/spec/merge-engines.md#sequence-field`. Source: Paimon 1.4.2
//! `UserDefinedSeqComparator`.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::SortOptions;
use arrow_row::{RowConverter, Rows, SortField};
use headwater_spec::DataType;
use headwater_spec::types::arrow_type;

use crate::error::LsmError;
use crate::key_value::{integers_of, is_integer_like};

/// Orders records by some of their columns, the first one first. Nulls are the least values,
/// whatever the direction; floats are in total order.
#[derive(Debug)]
pub struct SequenceOrder {
    columns: Vec<usize>,
    descending: bool,
    /// Unless there is one column of a type that is like a number.
    converter: Option<RowConverter>,
}

impl SequenceOrder {
    /// An order by columns of these positions and types. `descending`: the record with the
    /// smaller value comes last.
    ///
    /// # Errors
    /// [`LsmError::KeyType`] for a type without an order, [`LsmError::NoKeyColumn`] without columns.
    pub fn new(columns: &[(usize, &DataType)], descending: bool) -> Result<Self, LsmError> {
        if columns.is_empty() {
            return Err(LsmError::NoKeyColumn);
        }
        if let Some((column, data_type)) = columns.iter().find(|(_, t)| !t.kind.can_be_key()) {
            let data_type = format!("{:?}", data_type.kind);
            return Err(LsmError::KeyType { column: *column, data_type });
        }
        let types: Vec<_> = columns.iter().map(|(_, t)| arrow_type(&t.kind)).collect();
        let converter = match types.as_slice() {
            [one] if is_integer_like(one) => None,
            _ => {
                let order = SortOptions { descending, nulls_first: true };
                let field = |t| SortField::new_with_options(t, order);
                Some(RowConverter::new(types.into_iter().map(field).collect())?)
            }
        };
        Ok(Self { columns: columns.iter().map(|(at, _)| *at).collect(), descending, converter })
    }

    /// Positions of the columns.
    #[must_use]
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The sequence values of some records. `columns`: those at [`Self::columns`].
    ///
    /// # Errors
    /// [`LsmError::KeyColumns`] when they are not of the order's types.
    pub(crate) fn encode(&self, columns: &[ArrayRef]) -> Result<SequenceValues, LsmError> {
        let wrong = || LsmError::KeyColumns {
            expected: format!("{} sequence columns", self.columns.len()),
            found: format!("{:?}", columns.iter().map(|c| c.data_type()).collect::<Vec<_>>()),
        };
        if columns.len() != self.columns.len() {
            return Err(wrong());
        }
        let nulls = |column: &ArrayRef| column.nulls().filter(|n| n.null_count() > 0).cloned();
        match (&self.converter, columns) {
            (None, [column]) => Ok(SequenceValues::Integers {
                values: integers_of(column)?,
                nulls: nulls(column),
                descending: self.descending,
            }),
            (None, _) => Err(wrong()),
            (Some(converter), _) => Ok(SequenceValues::Rows {
                rows: converter.convert_columns(columns)?,
                nulls: columns.iter().map(nulls).collect(),
            }),
        }
    }
}

/// Sequence values of records, comparable with others of the same [`SequenceOrder`].
#[derive(Debug)]
pub(crate) enum SequenceValues {
    Integers { values: ScalarBuffer<i64>, nulls: Option<NullBuffer>, descending: bool },
    Rows { rows: Rows, nulls: Option<Vec<NullBuffer>> },
}

impl SequenceValues {
    /// Whether record `a` comes before, with, or after record `b` of `other`.
    #[inline]
    pub(crate) fn compare(&self, a: usize, other: &Self, b: usize) -> Ordering {
        match (self, other) {
            (
                Self::Integers { values, nulls, descending },
                Self::Integers { values: other_values, nulls: other_nulls, .. },
            ) => {
                let valid = |nulls: &Option<NullBuffer>, at| {
                    nulls.as_ref().is_none_or(|n: &NullBuffer| n.is_valid(at))
                };
                match (valid(nulls, a), valid(other_nulls, b)) {
                    (true, true) if *descending => other_values[b].cmp(&values[a]),
                    (true, true) => values[a].cmp(&other_values[b]),
                    (a, b) => a.cmp(&b),
                }
            }
            (Self::Rows { rows, .. }, Self::Rows { rows: other, .. }) => {
                rows.row(a).cmp(&other.row(b))
            }
            // Never of one order.
            _ => Ordering::Equal,
        }
    }

    /// Whether all sequence columns of a record are null.
    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Integers { nulls, .. } => nulls.as_ref().is_some_and(|n| n.is_null(row)),
            Self::Rows { nulls, .. } => {
                nulls.as_ref().is_some_and(|nulls| nulls.iter().all(|n| n.is_null(row)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use headwater_spec::{DataType, TypeKind};

    use super::SequenceOrder;

    fn sorted(order: &SequenceOrder, columns: &[ArrayRef]) -> Vec<usize> {
        let values = order.encode(columns).unwrap();
        let mut rows: Vec<usize> = (0..columns[0].len()).collect();
        rows.sort_by(|a, b| values.compare(*a, &values, *b));
        rows
    }

    #[test]
    fn nulls_are_least_in_both_directions() {
        let number = DataType::nullable(TypeKind::BigInt);
        let text = DataType::nullable(TypeKind::STRING);
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), None, Some(-5), Some(5)]));
        let texts: ArrayRef =
            Arc::new(StringArray::from(vec![Some("b"), None, Some("c"), Some("a")]));
        for (descending, by_number, by_both) in
            [(false, [1, 2, 0, 3], [1, 2, 3, 0]), (true, [1, 0, 3, 2], [1, 0, 3, 2])]
        {
            let one = SequenceOrder::new(&[(0, &number)], descending).unwrap();
            assert_eq!(sorted(&one, &[Arc::clone(&numbers)]), by_number);
            let both = SequenceOrder::new(&[(0, &number), (1, &text)], descending).unwrap();
            let columns = [Arc::clone(&numbers), Arc::clone(&texts)];
            assert_eq!(sorted(&both, &columns), by_both);
            let values = both.encode(&columns).unwrap();
            assert!(values.is_null(1) && !values.is_null(0));
        }
    }

    #[test]
    fn columns_without_an_order_are_refused() {
        let list = DataType::parse("ARRAY<INT>").unwrap();
        assert!(SequenceOrder::new(&[(0, &list)], false).is_err());
        assert!(SequenceOrder::new(&[], false).is_err());
    }
}
