//! Values to the binary layout.

use super::section::{Section, element_width, put, too_large};
use super::{MAX_DEPTH, WHAT};
use crate::datum::Datum;
use crate::error::SpecError;
use crate::types::{DataType, TypeKind};

/// Appends a row.
pub(super) fn write_row<'t>(
    buffer: &mut Vec<u8>,
    values: &[Option<Datum>],
    types: impl ExactSizeIterator<Item = &'t DataType>,
    depth: usize,
) -> Result<(), SpecError> {
    if values.len() != types.len() {
        return Err(SpecError::Value {
            column: WHAT.into(),
            reason: format!("{} values for {} columns", values.len(), types.len()),
        });
    }
    let section = Section::row(buffer, values.len())?;
    for (index, (value, data_type)) in values.iter().zip(types).enumerate() {
        write_value(buffer, &section, index, (value.as_ref(), &data_type.kind), depth)?;
    }
    Ok(())
}

fn write_array<'v>(
    buffer: &mut Vec<u8>,
    values: impl ExactSizeIterator<Item = Option<&'v Datum>>,
    element: &DataType,
    depth: usize,
) -> Result<(), SpecError> {
    let section = Section::array(buffer, values.len(), element_width(&element.kind))?;
    for (index, value) in values.enumerate() {
        write_value(buffer, &section, index, (value, &element.kind), depth)?;
    }
    Ok(())
}

fn write_map(
    buffer: &mut Vec<u8>,
    pairs: &[(Option<Datum>, Option<Datum>)],
    key: &DataType,
    value: &DataType,
    depth: usize,
) -> Result<(), SpecError> {
    let start = begin_map(buffer);
    write_array(buffer, pairs.iter().map(|p| p.0.as_ref()), key, depth)?;
    end_map_keys(buffer, start)?;
    write_array(buffer, pairs.iter().map(|p| p.1.as_ref()), value, depth)
}

/// Appends room for the size of a map's key array; returns where it is.
pub(super) fn begin_map(buffer: &mut Vec<u8>) -> usize {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    start
}

/// Stores the size of the key array, which has just been written.
pub(super) fn end_map_keys(buffer: &mut [u8], start: usize) -> Result<(), SpecError> {
    let size = i32::try_from(buffer.len() - start - 4).map_err(|_| too_large())?;
    put(buffer, start, &size.to_le_bytes());
    Ok(())
}

/// Appends a VARIANT: size of the value, value, metadata.
///
/// Source: Paimon 1.4.2 `AbstractBinaryWriter#writeVariant`.
pub(super) fn write_variant(
    buffer: &mut Vec<u8>,
    value: &[u8],
    metadata: &[u8],
) -> Result<(), SpecError> {
    let size = i32::try_from(value.len()).map_err(|_| too_large())?;
    buffer.extend_from_slice(&size.to_le_bytes());
    buffer.extend_from_slice(value);
    buffer.extend_from_slice(metadata);
    Ok(())
}

/// Appends the count and the bare elements of a VECTOR.
fn write_vector(
    buffer: &mut Vec<u8>,
    values: &[Option<Datum>],
    element: &DataType,
) -> Result<(), SpecError> {
    let count = i32::try_from(values.len()).map_err(|_| too_large())?;
    buffer.extend_from_slice(&count.to_le_bytes());
    for value in values {
        match (&element.kind, value) {
            (TypeKind::Boolean, Some(Datum::Boolean(v))) => buffer.push(u8::from(*v)),
            (TypeKind::TinyInt, Some(Datum::TinyInt(v))) => buffer.extend(v.to_le_bytes()),
            (TypeKind::SmallInt, Some(Datum::SmallInt(v))) => buffer.extend(v.to_le_bytes()),
            (TypeKind::Int, Some(Datum::Int(v))) => buffer.extend(v.to_le_bytes()),
            (TypeKind::BigInt, Some(Datum::BigInt(v))) => buffer.extend(v.to_le_bytes()),
            (TypeKind::Float, Some(Datum::Float(v))) => buffer.extend(v.to_le_bytes()),
            (TypeKind::Double, Some(Datum::Double(v))) => buffer.extend(v.to_le_bytes()),
            _ => {
                return Err(SpecError::Value {
                    column: "element of VECTOR".into(),
                    reason: format!("{value:?} is no {element}"),
                });
            }
        }
    }
    Ok(())
}

/// Refuses types that nest too deep.
pub(super) fn check_depth(depth: usize) -> Result<(), SpecError> {
    if depth > MAX_DEPTH {
        return Err(SpecError::Unsupported {
            what: format!("a type that nests deeper than {MAX_DEPTH}"),
            reason: "flatten it".into(),
        });
    }
    Ok(())
}

fn write_value(
    buffer: &mut Vec<u8>,
    section: &Section,
    index: usize,
    (value, kind): (Option<&Datum>, &TypeKind),
    depth: usize,
) -> Result<(), SpecError> {
    let Some(value) = value else {
        return section.null(buffer, index, kind);
    };
    match (kind, value) {
        (TypeKind::Boolean, Datum::Boolean(v)) => section.fixed(buffer, index, &[u8::from(*v)]),
        (TypeKind::TinyInt, Datum::TinyInt(v)) => section.fixed(buffer, index, &v.to_le_bytes()),
        (TypeKind::SmallInt, Datum::SmallInt(v)) => section.fixed(buffer, index, &v.to_le_bytes()),
        (TypeKind::Int, Datum::Int(v))
        | (TypeKind::Date, Datum::Date(v))
        | (TypeKind::Time(_), Datum::Time(v)) => section.fixed(buffer, index, &v.to_le_bytes()),
        (TypeKind::BigInt, Datum::BigInt(v)) => section.fixed(buffer, index, &v.to_le_bytes()),
        (TypeKind::Float, Datum::Float(v)) => {
            let v = if v.is_nan() && section.canonical_nan() { f32::NAN } else { *v };
            section.fixed(buffer, index, &v.to_le_bytes());
        }
        (TypeKind::Double, Datum::Double(v)) => {
            let v = if v.is_nan() && section.canonical_nan() { f64::NAN } else { *v };
            section.fixed(buffer, index, &v.to_le_bytes());
        }
        (TypeKind::Decimal { precision, scale }, Datum::Decimal { unscaled, scale: s, .. }) => {
            if s != scale || unscaled.unsigned_abs() >= 10_u128.pow(u32::from(*precision).min(38)) {
                return Err(mismatch(index, value, kind));
            }
            section.decimal(buffer, index, *unscaled, *precision)?;
        }
        (
            TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p),
            Datum::Timestamp { millis, nanos },
        ) => {
            if *nanos > 999_999 {
                return Err(mismatch(index, value, kind));
            }
            section.timestamp(buffer, index, (*millis, *nanos), *p)?;
        }
        (TypeKind::Char(_) | TypeKind::VarChar(_), Datum::String(v)) => {
            section.bytes(buffer, index, v.as_bytes())?;
        }
        (TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob, Datum::Bytes(v)) => {
            section.bytes(buffer, index, v)?;
        }
        _ => {
            let start = buffer.len();
            write_nested(buffer, index, value, kind, depth)?;
            section.end_variable(buffer, index, start)?;
        }
    }
    Ok(())
}

fn write_nested(
    buffer: &mut Vec<u8>,
    index: usize,
    value: &Datum,
    kind: &TypeKind,
    depth: usize,
) -> Result<(), SpecError> {
    let depth = depth + 1;
    check_depth(depth)?;
    match (kind, value) {
        (TypeKind::Array(element), Datum::Array(values)) => {
            write_array(buffer, values.iter().map(Option::as_ref), element, depth)
        }
        (TypeKind::Vector(element, count), Datum::Array(values))
            if u32::try_from(values.len()) == Ok(*count) =>
        {
            write_vector(buffer, values, element)
        }
        (TypeKind::Map(k, v), Datum::Map(pairs)) => write_map(buffer, pairs, k, v, depth),
        (TypeKind::Multiset(element), Datum::Map(pairs)) => {
            write_map(buffer, pairs, element, &DataType::not_null(TypeKind::Int), depth)
        }
        (TypeKind::Row(fields), Datum::Row(values)) => {
            write_row(buffer, values, fields.iter().map(|f| &f.data_type), depth)
        }
        (TypeKind::Variant, Datum::Variant { value, metadata }) => {
            write_variant(buffer, value, metadata)
        }
        _ => Err(mismatch(index, value, kind)),
    }
}

fn mismatch(index: usize, value: &Datum, kind: &TypeKind) -> SpecError {
    SpecError::Value { column: format!("#{index}"), reason: format!("{value:?} is no {kind}") }
}
