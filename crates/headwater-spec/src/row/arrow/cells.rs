//! One Arrow cell to one value.

use ::arrow::array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use ::arrow::array::{
    Array, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StringArray, StructArray,
};
use ::arrow::datatypes::{ArrowPrimitiveType, DataType as Arrow, TimeUnit};

use super::{downcast, out_of_range};
use crate::datum::Datum;
use crate::error::SpecError;
use crate::row::encode::check_depth;
use crate::types::{DataType, TypeKind};

/// The value in a cell; `None` is null.
///
/// # Errors
/// [`SpecError::Value`] when the array does not carry the type or has no such row,
/// [`SpecError::Unsupported`] when the type nests too deep.
pub fn datum_at(array: &dyn Array, row: usize, t: &DataType) -> Result<Option<Datum>, SpecError> {
    if row >= array.len() {
        return Err(out_of_range(row, array.len()));
    }
    cell(array, row, &t.kind, 0)
}

/// The cell of a primitive array; `row` is in range.
pub(super) fn primitive<P: ArrowPrimitiveType>(
    array: &dyn Array,
    row: usize,
    kind: &TypeKind,
) -> Result<P::Native, SpecError> {
    Ok(downcast::<PrimitiveArray<P>>(array, kind)?.value(row))
}

/// The instant in a cell of a timestamp array of any unit above seconds.
pub(super) fn timestamp(
    array: &dyn Array,
    row: usize,
    kind: &TypeKind,
) -> Result<(i64, u32), SpecError> {
    let (value, per_milli, scale) = match array.data_type() {
        Arrow::Timestamp(TimeUnit::Nanosecond, _) => {
            (primitive::<TimestampNanosecondType>(array, row, kind)?, 1_000_000, 1)
        }
        Arrow::Timestamp(TimeUnit::Microsecond, _) => {
            (primitive::<TimestampMicrosecondType>(array, row, kind)?, 1000, 1000)
        }
        _ => (primitive::<TimestampMillisecondType>(array, row, kind)?, 1, 0),
    };
    let nanos = value.rem_euclid(per_milli) * scale;
    Ok((value.div_euclid(per_milli), u32::try_from(nanos).unwrap_or(0)))
}

/// `row` is in range.
fn cell(
    array: &dyn Array,
    row: usize,
    kind: &TypeKind,
    depth: usize,
) -> Result<Option<Datum>, SpecError> {
    if array.is_null(row) {
        return Ok(None);
    }
    Ok(Some(match kind {
        TypeKind::Boolean => Datum::Boolean(downcast::<BooleanArray>(array, kind)?.value(row)),
        TypeKind::TinyInt => Datum::TinyInt(primitive::<Int8Type>(array, row, kind)?),
        TypeKind::SmallInt => Datum::SmallInt(primitive::<Int16Type>(array, row, kind)?),
        TypeKind::Int => Datum::Int(primitive::<Int32Type>(array, row, kind)?),
        TypeKind::BigInt => Datum::BigInt(primitive::<Int64Type>(array, row, kind)?),
        TypeKind::Float => Datum::Float(primitive::<Float32Type>(array, row, kind)?),
        TypeKind::Double => Datum::Double(primitive::<Float64Type>(array, row, kind)?),
        TypeKind::Decimal { precision, scale } => Datum::Decimal {
            unscaled: primitive::<Decimal128Type>(array, row, kind)?,
            precision: *precision,
            scale: *scale,
        },
        TypeKind::Char(_) | TypeKind::VarChar(_) => {
            Datum::String(downcast::<StringArray>(array, kind)?.value(row).to_owned())
        }
        TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => {
            Datum::Bytes(downcast::<BinaryArray>(array, kind)?.value(row).to_vec())
        }
        TypeKind::Date => Datum::Date(primitive::<Date32Type>(array, row, kind)?),
        TypeKind::Time(_) => Datum::Time(primitive::<Time32MillisecondType>(array, row, kind)?),
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            let (millis, nanos) = timestamp(array, row, kind)?;
            Datum::Timestamp { millis, nanos }
        }
        _ => nested(array, row, kind, depth + 1)?,
    }))
}

fn nested(
    array: &dyn Array,
    row: usize,
    kind: &TypeKind,
    depth: usize,
) -> Result<Datum, SpecError> {
    check_depth(depth)?;
    match kind {
        TypeKind::Array(element) | TypeKind::Vector(element, _) => {
            let list = downcast::<ListArray>(array, kind)?.value(row);
            cells(list.as_ref(), &element.kind, depth).map(Datum::Array)
        }
        TypeKind::Map(key, value) => map(array, row, kind, (&key.kind, &value.kind), depth),
        TypeKind::Multiset(element) => {
            map(array, row, kind, (&element.kind, &TypeKind::Int), depth)
        }
        TypeKind::Row(fields) => {
            let parts = downcast::<StructArray>(array, kind)?;
            check_arity(parts, fields.len(), kind)?;
            let types = fields.iter().map(|f| &f.data_type.kind);
            let values = parts.columns().iter().zip(types);
            values
                .map(|(column, kind)| cell(column.as_ref(), row, kind, depth))
                .collect::<Result<_, _>>()
                .map(Datum::Row)
        }
        TypeKind::Variant => {
            let (value, metadata) = variant(array, row, kind)?;
            Ok(Datum::Variant { value: value.to_vec(), metadata: metadata.to_vec() })
        }
        _ => Err(SpecError::Unsupported {
            what: format!("{kind} in Arrow"),
            reason: "there is no array for it".into(),
        }),
    }
}

fn cells(
    array: &dyn Array,
    kind: &TypeKind,
    depth: usize,
) -> Result<Vec<Option<Datum>>, SpecError> {
    (0..array.len()).map(|i| cell(array, i, kind, depth)).collect()
}

fn map(
    array: &dyn Array,
    row: usize,
    kind: &TypeKind,
    (key, value): (&TypeKind, &TypeKind),
    depth: usize,
) -> Result<Datum, SpecError> {
    let entries = downcast::<MapArray>(array, kind)?.value(row);
    let [keys, values] = entries.columns() else {
        return Err(SpecError::corrupt("arrow map", "entries are not pairs"));
    };
    let keys = cells(keys.as_ref(), key, depth)?;
    let values = cells(values.as_ref(), value, depth)?;
    Ok(Datum::Map(keys.into_iter().zip(values).collect()))
}

/// Refuses a struct with another number of fields.
pub(super) fn check_arity(
    parts: &StructArray,
    arity: usize,
    kind: &TypeKind,
) -> Result<(), SpecError> {
    if parts.num_columns() == arity {
        return Ok(());
    }
    Err(SpecError::Value {
        column: kind.to_string(),
        reason: format!("its Arrow struct has {} fields", parts.num_columns()),
    })
}

/// Value and metadata of a VARIANT cell.
pub(super) fn variant<'a>(
    array: &'a dyn Array,
    row: usize,
    kind: &TypeKind,
) -> Result<(&'a [u8], &'a [u8]), SpecError> {
    let parts = downcast::<StructArray>(array, kind)?;
    let [value, metadata] = parts.columns() else {
        check_arity(parts, 2, kind)?;
        return Ok((&[], &[]));
    };
    let value = downcast::<BinaryArray>(value.as_ref(), kind)?;
    let metadata = downcast::<BinaryArray>(metadata.as_ref(), kind)?;
    Ok((value.value(row), metadata.value(row)))
}
