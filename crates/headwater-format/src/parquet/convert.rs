//! Turns decoded arrays into the Arrow types that the fields promise.
//!
//! A file may use another width, unit or name than this version would write; values never change
//! silently: what does not fit is an error. Arrays that already have the right type are untouched.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, ListArray, MapArray, PrimitiveArray, StructArray,
    new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType as Arrow, Field, Fields, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};

/// Why an array cannot be converted: the nested field, and the reason.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) name: String,
    pub(super) reason: String,
}

impl Misfit {
    fn new(reason: impl ToString) -> Self {
        Self { name: String::new(), reason: reason.to_string() }
    }

    fn inside(mut self, name: &str) -> Self {
        self.name =
            if self.name.is_empty() { name.to_owned() } else { format!("{name}.{}", self.name) };
        self
    }
}

/// `array` with exactly the type of `field`.
pub(super) fn convert(array: &ArrayRef, field: &Field) -> Result<ArrayRef, Misfit> {
    let converted = convert_type(array, field.data_type()).map_err(|m| m.inside(field.name()))?;
    if !field.is_nullable() && converted.null_count() > 0 {
        return Err(Misfit::new("null in a NOT NULL column").inside(field.name()));
    }
    Ok(converted)
}

fn convert_type(array: &ArrayRef, wanted: &Arrow) -> Result<ArrayRef, Misfit> {
    if array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    match (array.data_type(), wanted) {
        (Arrow::Struct(_), Arrow::Struct(fields)) => {
            let rows = array.as_struct();
            Ok(Arc::new(convert_rows(rows, fields, None)?))
        }
        (Arrow::List(_), Arrow::List(element)) => {
            let list = array.as_list::<i32>();
            let (_, offsets, values, nulls) = list.clone().into_parts();
            let values = convert_type(&values, element.data_type())?;
            ListArray::try_new(Arc::clone(element), offsets, values, nulls)
                .map(|a| Arc::new(a) as ArrayRef)
                .map_err(Misfit::new)
        }
        (Arrow::Map(..), Arrow::Map(entries, sorted)) => {
            let (_, offsets, rows, nulls, _) = array.as_map().clone().into_parts();
            let Arrow::Struct(fields) = entries.data_type() else {
                return Err(Misfit::new("a map has no key and value"));
            };
            // Key and value are told by their place: other writers name them otherwise.
            let columns = fields
                .iter()
                .zip(rows.columns())
                .map(|(field, column)| convert(column, field))
                .collect::<Result<Vec<_>, _>>()?;
            let rows = StructArray::try_new(fields.clone(), columns, None).map_err(Misfit::new)?;
            MapArray::try_new(Arc::clone(entries), offsets, rows, nulls, *sorted)
                .map(|a| Arc::new(a) as ArrayRef)
                .map_err(Misfit::new)
        }
        (Arrow::Timestamp(from, _), Arrow::Timestamp(to, zone)) => {
            timestamps(array, *from, *to, zone.as_ref())
        }
        // Without annotation the unit is that of the column, as Java reads it.
        (Arrow::Int64, Arrow::Timestamp(to, zone)) => timestamps(array, *to, *to, zone.as_ref()),
        _ => {
            let options = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(array, wanted, &options).map_err(Misfit::new)
        }
    }
}

/// Fields by name; one that is not there becomes null. `outer`: where a row around these is null; a
/// row that is NOT NULL has no nulls of its own there, but its fields have.
fn convert_rows(
    rows: &StructArray,
    fields: &Fields,
    outer: Option<&NullBuffer>,
) -> Result<StructArray, Misfit> {
    let nulls = NullBuffer::union(rows.nulls(), outer);
    let columns = fields
        .iter()
        .map(|field| match rows.column_by_name(field.name()) {
            Some(column) => match (column.as_struct_opt(), field.data_type()) {
                (Some(inner), Arrow::Struct(fields)) if column.data_type() != field.data_type() => {
                    convert_rows(inner, fields, nulls.as_ref())
                        .map(|rows| Arc::new(rows) as ArrayRef)
                }
                _ => convert_type(column, field.data_type()),
            }
            .map_err(|m| m.inside(field.name())),
            None => Ok(new_null_array(field.data_type(), rows.len())),
        })
        .collect::<Result<Vec<_>, _>>()?;
    StructArray::try_new_with_length(fields.clone(), columns, nulls, rows.len())
        .map_err(Misfit::new)
}

fn timestamps(
    array: &ArrayRef,
    from: TimeUnit,
    to: TimeUnit,
    zone: Option<&Arc<str>>,
) -> Result<ArrayRef, Misfit> {
    let values = match array.data_type() {
        Arrow::Int64 => array.as_primitive::<Int64Type>().clone(),
        _ => match from {
            TimeUnit::Second => reinterpret::<TimestampSecondType>(array),
            TimeUnit::Millisecond => reinterpret::<TimestampMillisecondType>(array),
            TimeUnit::Microsecond => reinterpret::<TimestampMicrosecondType>(array),
            TimeUnit::Nanosecond => reinterpret::<TimestampNanosecondType>(array),
        },
    };
    let values =
        if from == to { values } else { rescale(&values, per_second(from), per_second(to))? };
    Ok(match to {
        TimeUnit::Second => zoned::<TimestampSecondType>(&values, zone),
        TimeUnit::Millisecond => zoned::<TimestampMillisecondType>(&values, zone),
        TimeUnit::Microsecond => zoned::<TimestampMicrosecondType>(&values, zone),
        TimeUnit::Nanosecond => zoned::<TimestampNanosecondType>(&values, zone),
    })
}

fn reinterpret<T: ArrowPrimitiveType<Native = i64>>(array: &ArrayRef) -> PrimitiveArray<Int64Type> {
    array.as_primitive::<T>().reinterpret_cast::<Int64Type>()
}

fn zoned<T: arrow::datatypes::ArrowTimestampType>(
    values: &PrimitiveArray<Int64Type>,
    zone: Option<&Arc<str>>,
) -> ArrayRef {
    Arc::new(values.reinterpret_cast::<T>().with_timezone_opt(zone.cloned()))
}

/// Coarser units round down; finer ones fail when the value does not fit.
fn rescale(
    values: &PrimitiveArray<Int64Type>,
    from: i64,
    to: i64,
) -> Result<PrimitiveArray<Int64Type>, Misfit> {
    if from > to {
        return Ok(values.unary(|v| v.div_euclid(from / to)));
    }
    let factor = to / from;
    values.try_unary(|v| {
        v.checked_mul(factor)
            .ok_or_else(|| Misfit::new(format!("timestamp {v} is outside of the type's range")))
    })
}

const fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}
