//! Values to Arrow columns.

use std::sync::Arc;

use ::arrow::array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use ::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StringArray,
    StructArray, UInt32Array, new_null_array,
};
use ::arrow::buffer::{NullBuffer, OffsetBuffer};
use ::arrow::compute::take;
use ::arrow::datatypes::{ArrowPrimitiveType, DataType as Arrow, Field, Fields, TimeUnit};
use ::arrow::error::ArrowError;

use crate::datum::Datum;
use crate::error::SpecError;
use crate::row::encode::check_depth;
use crate::types::{DataType, TypeKind, arrow_type};

/// A column of these values, of the type [`arrow_type`].
///
/// # Errors
/// [`SpecError::Value`] when a value does not fit the type, [`SpecError::Unsupported`] when the
/// type nests too deep.
pub fn array_from_datums(values: &[Option<Datum>], t: &DataType) -> Result<ArrayRef, SpecError> {
    let values: Vec<_> = values.iter().map(Option::as_ref).collect();
    column(&values, &t.kind, 0)
}

/// A column of `len` times the same value.
///
/// # Errors
/// As [`array_from_datums`].
pub fn constant_array(
    value: Option<&Datum>,
    t: &DataType,
    len: usize,
) -> Result<ArrayRef, SpecError> {
    if value.is_none() {
        return Ok(new_null_array(&arrow_type(&t.kind), len));
    }
    let one = column(&[value], &t.kind, 0)?;
    let first = UInt32Array::from_value(0, len);
    take(one.as_ref(), &first, None).map_err(|e| refused(&t.kind, &e))
}

fn refused(kind: &TypeKind, error: &ArrowError) -> SpecError {
    SpecError::Value { column: kind.to_string(), reason: error.to_string() }
}

fn mismatch(kind: &TypeKind, value: &Datum) -> SpecError {
    SpecError::Value { column: kind.to_string(), reason: format!("{value:?} is no {kind}") }
}

type Values<'a> = [Option<&'a Datum>];

/// Converts each value; null stays null.
fn each<'a, T>(
    values: &Values<'a>,
    kind: &TypeKind,
    convert: impl Fn(&'a Datum) -> Option<T>,
) -> Result<Vec<Option<T>>, SpecError> {
    values
        .iter()
        .map(|v| v.map(|v| convert(v).ok_or_else(|| mismatch(kind, v))).transpose())
        .collect()
}

fn primitive<'a, P: ArrowPrimitiveType>(
    values: &Values<'a>,
    kind: &TypeKind,
    convert: impl Fn(&'a Datum) -> Option<P::Native>,
) -> Result<ArrayRef, SpecError> {
    let array: PrimitiveArray<P> = each(values, kind, convert)?.into_iter().collect();
    Ok(Arc::new(array.with_data_type(arrow_type(kind))))
}

/// Converts with a pattern: the variant of [`Datum`] that the type holds.
macro_rules! of {
    ($variant:ident) => {
        |d| match d {
            Datum::$variant(v) => Some(*v),
            _ => None,
        }
    };
}

fn column(values: &Values<'_>, kind: &TypeKind, depth: usize) -> Result<ArrayRef, SpecError> {
    match kind {
        TypeKind::Boolean => Ok(Arc::new(BooleanArray::from(each(values, kind, of!(Boolean))?))),
        TypeKind::TinyInt => primitive::<Int8Type>(values, kind, of!(TinyInt)),
        TypeKind::SmallInt => primitive::<Int16Type>(values, kind, of!(SmallInt)),
        TypeKind::Int => primitive::<Int32Type>(values, kind, of!(Int)),
        TypeKind::BigInt => primitive::<Int64Type>(values, kind, of!(BigInt)),
        TypeKind::Float => primitive::<Float32Type>(values, kind, of!(Float)),
        TypeKind::Double => primitive::<Float64Type>(values, kind, of!(Double)),
        TypeKind::Date => primitive::<Date32Type>(values, kind, of!(Date)),
        TypeKind::Time(_) => primitive::<Time32MillisecondType>(values, kind, of!(Time)),
        TypeKind::Decimal { scale: s, .. } => {
            primitive::<Decimal128Type>(values, kind, |d| match d {
                Datum::Decimal { unscaled, scale, .. } if scale == s => Some(*unscaled),
                _ => None,
            })
        }
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => timestamps(values, kind),
        TypeKind::Char(_) | TypeKind::VarChar(_) => {
            let texts = each(values, kind, |d| match d {
                Datum::String(v) => Some(v.as_str()),
                _ => None,
            })?;
            Ok(Arc::new(StringArray::from(texts)))
        }
        TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => {
            let texts = each(values, kind, |d| match d {
                Datum::Bytes(v) => Some(v.as_slice()),
                _ => None,
            })?;
            Ok(Arc::new(BinaryArray::from(texts)))
        }
        _ => {
            check_depth(depth + 1)?;
            nested(values, kind, depth + 1)
        }
    }
}

fn timestamps(values: &Values<'_>, kind: &TypeKind) -> Result<ArrayRef, SpecError> {
    let scaled = |per_milli: i64, nanos_per_unit: u32| {
        move |d: &Datum| match d {
            // Wide enough for the lowest timestamp, whose milliseconds alone are out of range.
            Datum::Timestamp { millis, nanos } => {
                let units = i128::from(*millis) * i128::from(per_milli)
                    + i128::from(nanos.checked_div(nanos_per_unit)?);
                i64::try_from(units).ok()
            }
            _ => None,
        }
    };
    match arrow_type(kind) {
        Arrow::Timestamp(TimeUnit::Nanosecond, _) => {
            primitive::<TimestampNanosecondType>(values, kind, scaled(1_000_000, 1))
        }
        Arrow::Timestamp(TimeUnit::Microsecond, _) => {
            primitive::<TimestampMicrosecondType>(values, kind, scaled(1000, 1000))
        }
        _ => primitive::<TimestampMillisecondType>(values, kind, scaled(1, 1_000_000)),
    }
}

fn nested(values: &Values<'_>, kind: &TypeKind, depth: usize) -> Result<ArrayRef, SpecError> {
    let nulls = Some(values.iter().map(Option::is_some).collect::<NullBuffer>());
    let nulls = nulls.filter(|n| n.null_count() > 0);
    match (kind, arrow_type(kind)) {
        (TypeKind::Array(e) | TypeKind::Vector(e, _), Arrow::List(field)) => {
            let lists = each(values, kind, |d| match d {
                Datum::Array(v) => Some(v),
                _ => None,
            })?;
            let offsets = OffsetBuffer::from_lengths(lists.iter().map(|l| l.map_or(0, Vec::len)));
            let flat: Vec<_> =
                lists.iter().copied().flatten().flatten().map(Option::as_ref).collect();
            let elements = column(&flat, &e.kind, depth)?;
            let array = ListArray::try_new(field, offsets, elements, nulls);
            Ok(Arc::new(array.map_err(|e| refused(kind, &e))?))
        }
        (TypeKind::Map(k, v), Arrow::Map(field, _)) => {
            maps(values, kind, (&k.kind, &v.kind), (field, nulls), depth)
        }
        (TypeKind::Multiset(e), Arrow::Map(field, _)) => {
            maps(values, kind, (&e.kind, &TypeKind::Int), (field, nulls), depth)
        }
        (TypeKind::Row(fields), Arrow::Struct(arrow)) => {
            let rows = each(values, kind, |d| match d {
                Datum::Row(v) if v.len() == fields.len() => Some(v),
                _ => None,
            })?;
            let mut columns = Vec::with_capacity(fields.len());
            for (index, field) in fields.iter().enumerate() {
                let part: Vec<_> = rows
                    .iter()
                    .map(|r| r.and_then(|r| r.get(index)).and_then(Option::as_ref))
                    .collect();
                columns.push(column(&part, &field.data_type.kind, depth)?);
            }
            structs(arrow, columns, nulls, values.len()).map_err(|e| refused(kind, &e))
        }
        (TypeKind::Variant, Arrow::Struct(arrow)) => {
            let variants = each(values, kind, |d| match d {
                Datum::Variant { value, metadata } => Some((value.as_slice(), metadata.as_slice())),
                _ => None,
            })?;
            let value = variants.iter().map(|v| Some(v.map_or(&[][..], |v| v.0)));
            let metadata = variants.iter().map(|v| Some(v.map_or(&[][..], |v| v.1)));
            let columns: Vec<ArrayRef> = vec![
                Arc::new(value.collect::<BinaryArray>()),
                Arc::new(metadata.collect::<BinaryArray>()),
            ];
            structs(arrow, columns, nulls, values.len()).map_err(|e| refused(kind, &e))
        }
        _ => Err(SpecError::Unsupported {
            what: format!("{kind} in Arrow"),
            reason: "there is no array for it".into(),
        }),
    }
}

fn structs(
    fields: Fields,
    columns: Vec<ArrayRef>,
    nulls: Option<NullBuffer>,
    rows: usize,
) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(StructArray::try_new_with_length(fields, columns, nulls, rows)?))
}

fn maps(
    values: &Values<'_>,
    kind: &TypeKind,
    (key, value): (&TypeKind, &TypeKind),
    (field, nulls): (Arc<Field>, Option<NullBuffer>),
    depth: usize,
) -> Result<ArrayRef, SpecError> {
    let maps = each(values, kind, |d| match d {
        Datum::Map(v) => Some(v),
        _ => None,
    })?;
    let offsets = OffsetBuffer::from_lengths(maps.iter().map(|m| m.map_or(0, Vec::len)));
    let pairs = || maps.iter().copied().flatten().flatten();
    let keys: Vec<_> = pairs().map(|p| p.0.as_ref()).collect();
    let items: Vec<_> = pairs().map(|p| p.1.as_ref()).collect();
    let columns = vec![column(&keys, key, depth)?, column(&items, value, depth)?];
    let Arrow::Struct(entry) = field.data_type() else {
        return Err(SpecError::corrupt("arrow map", "entries are not pairs"));
    };
    let entries = StructArray::try_new(entry.clone(), columns, None);
    let entries = entries.map_err(|e| refused(kind, &e))?;
    let array = MapArray::try_new(field, offsets, entries, nulls, false);
    Ok(Arc::new(array.map_err(|e| refused(kind, &e))?))
}
