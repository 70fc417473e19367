//! Values of a changed column type, as Java casts them.
//!
//! Format: `docs/spec/schema.md#casts`. Source: Paimon 1.4.2 `CastExecutors` and the rules there.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Date32Array, Decimal128Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, StringArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType as Arrow, Date32Type, Decimal128Type, Float64Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use headwater_spec::TypeKind;
use headwater_spec::types::arrow_type;

use super::decimal;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// A change of type that can be read.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    from: TypeKind,
    to: TypeKind,
}

const fn is_integer(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int | TypeKind::BigInt)
}

const fn is_float(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Float | TypeKind::Double)
}

const fn is_text(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Char(_) | TypeKind::VarChar(_))
}

const fn is_binary(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Binary(_) | TypeKind::VarBinary(_))
}

impl Cast {
    /// The cast between two types, if this version has it.
    ///
    /// Casts between a timestamp and one with local time zone are left out: Java does them in the
    /// time zone of the reading process.
    pub(super) fn between(from: &TypeKind, to: &TypeKind) -> Option<Self> {
        use TypeKind as T;
        let known = match (from, to) {
            (a, b) if is_integer(a) => {
                is_integer(b) || is_float(b) || is_text(b) || matches!(b, T::Decimal { .. })
            }
            (a, b) if is_float(a) => is_float(b) || matches!(b, T::Decimal { .. }),
            (T::Decimal { .. }, b) => is_float(b) || is_text(b) || matches!(b, T::Decimal { .. }),
            (T::Boolean, b) => is_integer(b) || is_text(b),
            (a, b) if is_text(a) => is_text(b),
            (a, b) if is_binary(a) => is_binary(b),
            (T::Date, b) => is_text(b) || matches!(b, T::Timestamp(_)),
            (T::Time(_), T::Time(_)) => true,
            (T::Timestamp(_), T::Timestamp(_) | T::Date)
            | (T::TimestampLtz(_), T::TimestampLtz(_)) => true,
            _ => false,
        };
        known.then(|| Self { from: from.clone(), to: to.clone() })
    }

    /// The values in the Arrow type of the new type.
    pub(super) fn apply(&self, array: &ArrayRef) -> Result<ArrayRef, String> {
        let target = arrow_type(&self.to);
        match (&self.from, &self.to) {
            (_, TypeKind::Char(length)) => text(array, *length, true),
            (_, TypeKind::VarChar(length)) => text(array, *length, false),
            (_, TypeKind::Binary(length)) => bytes(array, *length, true),
            (_, TypeKind::VarBinary(length)) => bytes(array, *length, false),
            (_, TypeKind::Decimal { precision, scale }) => {
                to_decimal(array, &self.from, *precision, *scale)
            }
            (TypeKind::Decimal { scale, .. }, to) => {
                let values = array.as_primitive::<Decimal128Type>();
                let doubles: Float64Array = values.unary(|v| decimal::to_double(v, *scale));
                Ok(match to {
                    TypeKind::Float => cast(&(Arc::new(doubles) as ArrayRef), &target)?,
                    _ => Arc::new(doubles),
                })
            }
            (TypeKind::Timestamp(_), TypeKind::Date) => to_date(array),
            (TypeKind::Date, TypeKind::Timestamp(_)) => {
                let days = array.as_primitive::<Date32Type>();
                let millis: Int64Array = days.unary(|d| i64::from(d) * MILLIS_PER_DAY);
                timestamps(&millis, 3, &self.to)
            }
            (
                TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p),
                TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_),
            ) => timestamps(&epoch_values(array), *p, &self.to),
            (from, to) if is_integer(from) && is_integer(to) => integers(array, to),
            _ => cast(array, &target),
        }
    }
}

fn cast(array: &ArrayRef, target: &Arrow) -> Result<ArrayRef, String> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, target, &options).map_err(|e| e.to_string())
}

/// Smaller integers keep the low bits, as a Java cast does.
fn integers(array: &ArrayRef, to: &TypeKind) -> Result<ArrayRef, String> {
    let wide = cast(array, &Arrow::Int64)?;
    let wide = wide.as_primitive::<Int64Type>();
    Ok(match to {
        TypeKind::TinyInt => {
            let low: Int8Array = wide.unary(|v| {
                let [a, ..] = v.to_le_bytes();
                a.cast_signed()
            });
            Arc::new(low)
        }
        TypeKind::SmallInt => {
            let low: Int16Array = wide.unary(|v| {
                let [a, b, ..] = v.to_le_bytes();
                i16::from_le_bytes([a, b])
            });
            Arc::new(low)
        }
        TypeKind::Int => {
            let low: Int32Array = wide.unary(|v| {
                let [a, b, c, d, ..] = v.to_le_bytes();
                i32::from_le_bytes([a, b, c, d])
            });
            Arc::new(low)
        }
        _ => Arc::new(wide.clone()),
    })
}

fn to_decimal(
    array: &ArrayRef,
    from: &TypeKind,
    precision: u8,
    scale: u8,
) -> Result<ArrayRef, String> {
    let decimals: Decimal128Array = match from {
        TypeKind::Decimal { scale: there, .. } => array
            .as_primitive::<Decimal128Type>()
            .unary_opt(|v| decimal::rescale(v, i32::from(*there), precision, scale)),
        from if is_float(from) => {
            let doubles = cast(array, &Arrow::Float64)?;
            let doubles = doubles.as_primitive::<Float64Type>().iter();
            doubles
                .map(|v| v.map_or(Ok(None), |v| decimal::from_double(v, precision, scale)))
                .collect::<Result<_, _>>()?
        }
        _ => cast(array, &Arrow::Int64)?
            .as_primitive::<Int64Type>()
            .unary_opt(|v| decimal::rescale(i128::from(v), 0, precision, scale)),
    };
    decimals
        .with_precision_and_scale(precision, scale.cast_signed())
        .map(|a| Arc::new(a) as ArrayRef)
        .map_err(|e| e.to_string())
}

/// Text of at most `length` characters; CHAR is filled up with blanks.
fn text(array: &ArrayRef, length: u32, pad: bool) -> Result<ArrayRef, String> {
    let texts = cast(array, &Arrow::Utf8)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let strings = texts.as_string::<i32>();
    // No text has more characters than bytes.
    let fits = |s: &str| s.len() <= length && !pad;
    if strings.iter().flatten().all(fits) {
        return Ok(texts);
    }
    let fitted: StringArray = strings
        .iter()
        .map(|s| {
            s.map(|s| {
                let mut cut: String = s.chars().take(length).collect();
                if pad {
                    let missing = length.saturating_sub(cut.chars().count());
                    cut.extend(std::iter::repeat_n(' ', missing));
                }
                cut
            })
        })
        .collect();
    Ok(Arc::new(fitted))
}

/// At most `length` bytes; BINARY is filled up with zeros.
fn bytes(array: &ArrayRef, length: u32, pad: bool) -> Result<ArrayRef, String> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let values = array.as_binary_opt::<i32>().ok_or("it is no binary column")?;
    if values.iter().flatten().all(|b| b.len() == length || (!pad && b.len() < length)) {
        return Ok(Arc::clone(array));
    }
    let fitted: BinaryArray = values
        .iter()
        .map(|b| {
            b.map(|b| {
                let mut cut = b.get(..length).unwrap_or(b).to_vec();
                if pad {
                    cut.resize(length, 0);
                }
                cut
            })
        })
        .collect();
    Ok(Arc::new(fitted))
}

/// The day of the instant; Java divides towards zero, so 1969-12-31 with a time is 1970-01-01.
fn to_date(array: &ArrayRef) -> Result<ArrayRef, String> {
    let per_day = match array.data_type() {
        Arrow::Timestamp(arrow::datatypes::TimeUnit::Millisecond, _) => 1,
        Arrow::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _) => 1_000,
        _ => 1_000_000,
    };
    let days: Result<Date32Array, String> = epoch_values(array).try_unary(|v| {
        let day = v.div_euclid(per_day) / MILLIS_PER_DAY;
        i32::try_from(day).map_err(|_| format!("timestamp {v} has no date"))
    });
    Ok(Arc::new(days?))
}

fn epoch_values(array: &ArrayRef) -> Int64Array {
    match array.data_type() {
        Arrow::Timestamp(arrow::datatypes::TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().reinterpret_cast()
        }
        Arrow::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast()
        }
        _ => array.as_primitive::<TimestampNanosecondType>().reinterpret_cast(),
    }
}

/// Digits after the second that values of a precision are counted in.
const fn digits(precision: u8) -> u32 {
    match precision {
        0..=3 => 3,
        4..=6 => 6,
        _ => 9,
    }
}

/// Values of one precision in another; digits that the new one lacks are cut off.
fn timestamps(values: &Int64Array, from: u8, to: &TypeKind) -> Result<ArrayRef, String> {
    let (TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p)) = to else {
        return Err("it is no timestamp".to_owned());
    };
    let (there, here) = (digits(from), digits(*p));
    let mut values = values.clone();
    if *p < from {
        let step = 10_i64.pow(there.saturating_sub(u32::from(*p)));
        values = values.unary(|v| v - v.rem_euclid(step));
    }
    values = if here >= there {
        let factor = 10_i64.pow(here - there);
        values.try_unary(|v| {
            v.checked_mul(factor)
                .ok_or_else(|| format!("timestamp {v} is outside of the range of {p} digits"))
        })?
    } else {
        let factor = 10_i64.pow(there - here);
        values.unary(|v| v.div_euclid(factor))
    };
    let zone: Option<Arc<str>> = match to {
        TypeKind::TimestampLtz(_) => Some("UTC".into()),
        _ => None,
    };
    Ok(match here {
        3 => {
            Arc::new(values.reinterpret_cast::<TimestampMillisecondType>().with_timezone_opt(zone))
        }
        6 => {
            Arc::new(values.reinterpret_cast::<TimestampMicrosecondType>().with_timezone_opt(zone))
        }
        _ => Arc::new(values.reinterpret_cast::<TimestampNanosecondType>().with_timezone_opt(zone)),
    })
}
