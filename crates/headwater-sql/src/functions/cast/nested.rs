//! ARRAY, MAP and ROW: element by element.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Field, Fields};
use datafusion::common::plan_err;
use datafusion::error::Result;
use headwater::TypeKind;

use super::super::types::name_of;
use super::{Converted, Failure, Rules, sql_type};

pub(super) const fn is_nested(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Array(_) | TypeKind::Map(..) | TypeKind::Row(_))
}

pub(super) fn convert(given: &ArrayRef, wanted: &TypeKind, rules: &Rules<'_>) -> Result<Converted> {
    match (given.data_type(), wanted) {
        (Arrow::LargeList(e) | Arrow::FixedSizeList(e, _), TypeKind::Array(_)) => {
            convert(&cast(given, &Arrow::List(Arc::clone(e)))?, wanted, rules)
        }
        (Arrow::List(_), TypeKind::Array(element)) => {
            let list = given.as_list::<i32>();
            let inner = super::convert(list.values(), &element.kind, rules)?;
            let field = Arc::new(Field::new_list_field(inner.array.data_type().clone(), true));
            let array = ListArray::try_new(
                field,
                list.offsets().clone(),
                inner.array,
                list.nulls().cloned(),
            )?;
            let failures = of_parents(inner.failures, list.offsets());
            Ok(Converted { array: Arc::new(array), failures })
        }
        (Arrow::Map(..), TypeKind::Map(key, value)) => {
            let map = given.as_map();
            let keys = super::convert(map.keys(), &key.kind, rules)?;
            let values = super::convert(map.values(), &value.kind, rules)?;
            let Arrow::Map(entries, _) = sql_type(wanted) else {
                return plan_err!("{wanted} is no map");
            };
            let Arrow::Struct(fields) = entries.data_type() else {
                return plan_err!("{wanted} is no map");
            };
            let columns = vec![keys.array, values.array];
            let structs = StructArray::try_new(fields.clone(), columns, None)?;
            let array = MapArray::try_new(
                entries,
                map.offsets().clone(),
                structs,
                map.nulls().cloned(),
                false,
            )?;
            let mut failures = of_parents(keys.failures, map.offsets());
            failures.extend(of_parents(values.failures, map.offsets()));
            Ok(Converted { array: Arc::new(array), failures })
        }
        (Arrow::Struct(given_fields), TypeKind::Row(fields)) => {
            if given_fields.len() != fields.len() {
                return plan_err!(
                    "a ROW with {} fields does not become one with {}",
                    given_fields.len(),
                    fields.len()
                );
            }
            let row = given.as_struct();
            let mut columns = Vec::with_capacity(fields.len());
            let mut arrow_fields = Vec::with_capacity(fields.len());
            let mut failures = Vec::new();
            for (column, field) in row.columns().iter().zip(fields) {
                let inner = super::convert(column, &field.data_type.kind, rules)?;
                arrow_fields.push(Field::new(&field.name, inner.array.data_type().clone(), true));
                columns.push(inner.array);
                failures.extend(inner.failures.into_iter().filter(|f| row.is_valid(f.row)));
            }
            let array = StructArray::try_new_with_length(
                Fields::from(arrow_fields),
                columns,
                row.nulls().cloned(),
                row.len(),
            )?;
            Ok(Converted { array: Arc::new(array), failures })
        }
        (from, wanted) => plan_err!("there is no cast from {} to {wanted}", name_of(from)),
    }
}

/// Failures of elements as those of the rows that hold them.
fn of_parents(failures: Vec<Failure>, offsets: &OffsetBuffer<i32>) -> Vec<Failure> {
    failures
        .into_iter()
        .filter_map(|failure| {
            let at = i32::try_from(failure.row).ok()?;
            let row = offsets.partition_point(|start| *start <= at).checked_sub(1)?;
            (row + 1 < offsets.len()).then_some(Failure { row, ..failure })
        })
        .collect()
}
