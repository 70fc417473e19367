//! Refuses rows that do not fit their columns, before anything is written.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, DecimalType, Time32MillisecondType};
use headwater_spec::{DataField, DataType, TypeKind};

use crate::error::{Error, Result};
use crate::table::Table;

/// Milliseconds of a day.
const DAY_MILLIS: i32 = 86_400_000;

/// Checks a batch of whole rows.
pub(super) fn check_batch(table: &Table, batch: &RecordBatch) -> Result<()> {
    let fields = &table.row_type().fields;
    if batch.num_columns() != fields.len() {
        return Err(Error::Request {
            table: table.name().to_owned(),
            reason: format!(
                "rows of {} columns do not fit its {} columns",
                batch.num_columns(),
                fields.len()
            ),
        });
    }
    let schema = table.arrow_schema();
    for ((field, column), expected) in fields.iter().zip(batch.columns()).zip(schema.fields()) {
        let fail = |reason: String| Error::Value {
            table: table.name().to_owned(),
            column: field.name.clone(),
            reason,
        };
        if column.data_type() != expected.data_type() {
            return Err(fail(format!(
                "a batch column of type {} does not fit {}",
                column.data_type(),
                field.data_type
            )));
        }
        if !field.data_type.nullable && column.null_count() > 0 {
            let is_key = table.schema().primary_keys.contains(&field.name);
            return Err(fail(if is_key {
                "it is part of the primary key and must not be null".into()
            } else {
                "it is NOT NULL but a row has no value".into()
            }));
        }
        check_values(&field.data_type, column).map_err(fail)?;
    }
    Ok(())
}

fn check_values(data_type: &DataType, column: &ArrayRef) -> Result<(), String> {
    match &data_type.kind {
        TypeKind::Char(n) | TypeKind::VarChar(n) if *n < headwater_spec::types::MAX_LENGTH => {
            let limit = usize::try_from(*n).unwrap_or(usize::MAX);
            let texts = column.as_string::<i32>();
            for text in texts.iter().flatten() {
                // Bytes bound characters from above: most texts need no count.
                if text.len() > limit {
                    let length = text.chars().count();
                    if length > limit {
                        let start: String = text.chars().take(20).collect();
                        return Err(format!(
                            "a value of {length} characters ({start:?}…) is too long for {}",
                            data_type.kind
                        ));
                    }
                }
            }
            Ok(())
        }
        TypeKind::Binary(n) | TypeKind::VarBinary(n) if *n < headwater_spec::types::MAX_LENGTH => {
            let limit = usize::try_from(*n).unwrap_or(usize::MAX);
            match column.as_binary::<i32>().iter().flatten().find(|v| v.len() > limit) {
                Some(v) => {
                    Err(format!("a value of {} bytes is too long for {}", v.len(), data_type.kind))
                }
                None => Ok(()),
            }
        }
        TypeKind::Decimal { precision, .. } => {
            let values = column.as_primitive::<Decimal128Type>();
            for value in values.iter().flatten() {
                if Decimal128Type::validate_decimal_precision(value, *precision, 0).is_err() {
                    return Err(format!("a value has too many digits for {}", data_type.kind));
                }
            }
            Ok(())
        }
        TypeKind::Time(_) => {
            let values = column.as_primitive::<Time32MillisecondType>();
            match values.iter().flatten().find(|v| !(0..DAY_MILLIS).contains(v)) {
                Some(v) => Err(format!("{v} ms is not a time of day")),
                None => Ok(()),
            }
        }
        TypeKind::Array(element) | TypeKind::Vector(element, _) => {
            check_inner(element, column.as_list::<i32>().values(), "an element")
        }
        TypeKind::Map(key, value) => {
            let map = column.as_map();
            check_inner(key, map.keys(), "a map key")?;
            check_inner(value, map.values(), "a map value")
        }
        TypeKind::Multiset(element) => check_inner(element, column.as_map().keys(), "an element"),
        TypeKind::Row(fields) => {
            let row = column.as_struct();
            fields.iter().zip(row.columns()).try_for_each(|(f, c)| check_field(f, c, column))
        }
        _ => Ok(()),
    }
}

fn check_inner(data_type: &DataType, values: &ArrayRef, what: &str) -> Result<(), String> {
    if !data_type.nullable && values.null_count() > 0 {
        return Err(format!("{what} is null but NOT NULL"));
    }
    check_values(data_type, values)
}

fn check_field(field: &DataField, column: &ArrayRef, parent: &ArrayRef) -> Result<(), String> {
    if !field.data_type.nullable && column.null_count() > 0 {
        // Below a null row there is no value to miss.
        let missing = (0..column.len()).any(|i| column.is_null(i) && parent.is_valid(i));
        if missing {
            return Err(format!("field '{}' is null but NOT NULL", field.name));
        }
    }
    check_values(&field.data_type, column).map_err(|e| format!("field '{}': {e}", field.name))
}
