//! Numbers and BOOLEAN to each other, as Java's conversions.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, PrimitiveArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Decimal128Type, Float32Type, Float64Type, Int64Type};
use datafusion::common::internal_err;
use datafusion::error::Result;
use headwater::TypeKind;

use super::super::numbers::{decimal_text, double_text, float_text};
use super::super::round::{Mode, power_of_ten};
use super::{Converted, Failure, Rules};

pub(super) fn takes(from: &Arrow) -> bool {
    from.is_numeric() || *from == Arrow::Boolean
}

pub(super) const fn gives(wanted: &TypeKind) -> bool {
    matches!(
        wanted,
        TypeKind::Boolean
            | TypeKind::TinyInt
            | TypeKind::SmallInt
            | TypeKind::Int
            | TypeKind::BigInt
            | TypeKind::Float
            | TypeKind::Double
            | TypeKind::Decimal { .. }
    )
}

/// The values of a column in the widest form of their kind.
enum Numbers {
    Whole(Int64Array),
    Float(Float32Array),
    Double(Float64Array),
    Decimal(Decimal128Array),
}

fn numbers(given: &ArrayRef) -> Result<Numbers> {
    Ok(match given.data_type() {
        Arrow::Float32 => Numbers::Float(given.as_primitive::<Float32Type>().clone()),
        Arrow::Float64 => Numbers::Double(given.as_primitive::<Float64Type>().clone()),
        Arrow::Float16 => {
            return numbers(&cast(given, &Arrow::Float32)?);
        }
        Arrow::Decimal128(..) => Numbers::Decimal(given.as_primitive::<Decimal128Type>().clone()),
        Arrow::UInt64 => return numbers(&cast(given, &Arrow::Decimal128(20, 0))?),
        Arrow::Decimal32(p, s) | Arrow::Decimal64(p, s) => {
            return numbers(&cast(given, &Arrow::Decimal128(*p, *s))?);
        }
        Arrow::Decimal256(_, s) => return numbers(&cast(given, &Arrow::Decimal128(38, *s))?),
        _ => Numbers::Whole(cast(given, &Arrow::Int64)?.as_primitive::<Int64Type>().clone()),
    })
}

pub(super) fn convert(given: &ArrayRef, wanted: &TypeKind, rules: &Rules<'_>) -> Result<Converted> {
    let numbers = numbers(given)?;
    Ok(Converted::whole(match wanted {
        TypeKind::Boolean => Arc::new(BooleanArray::from(match &numbers {
            Numbers::Whole(a) => a.iter().map(|v| v.map(|v| v != 0)).collect::<Vec<_>>(),
            Numbers::Float(a) => a.iter().map(|v| v.map(|v| v != 0.0)).collect(),
            Numbers::Double(a) => a.iter().map(|v| v.map(|v| v != 0.0)).collect(),
            Numbers::Decimal(a) => a.iter().map(|v| v.map(|v| v != 0)).collect(),
        })),
        TypeKind::TinyInt => narrow_wrapping(&whole(&numbers, Width::Int), &Arrow::Int8)?,
        TypeKind::SmallInt => narrow_wrapping(&whole(&numbers, Width::Int), &Arrow::Int16)?,
        TypeKind::Int => narrow_wrapping(&whole(&numbers, Width::Int), &Arrow::Int32)?,
        TypeKind::BigInt => Arc::new(whole(&numbers, Width::Long)),
        TypeKind::Float => Arc::new(match &numbers {
            Numbers::Whole(a) => a.iter().map(|v| v.map(text_as)).collect::<Float32Array>(),
            Numbers::Float(a) => a.clone(),
            Numbers::Double(a) => cast(a, &Arrow::Float32)?.as_primitive::<Float32Type>().clone(),
            Numbers::Decimal(a) => {
                a.iter().map(|v| v.map(|v| text_as(decimal_text(v, a.scale())))).collect()
            }
        }),
        TypeKind::Double => Arc::new(match &numbers {
            Numbers::Whole(a) => cast(a, &Arrow::Float64)?.as_primitive::<Float64Type>().clone(),
            // Constants are computed with the digits that were written.
            Numbers::Float(a) if rules.constant => {
                a.iter().map(|v| v.map(text_as)).collect::<Float64Array>()
            }
            Numbers::Float(a) => a.iter().map(|v| v.map(f64::from)).collect(),
            Numbers::Double(a) => a.clone(),
            Numbers::Decimal(a) => {
                a.iter().map(|v| v.map(|v| text_as(decimal_text(v, a.scale())))).collect()
            }
        }),
        TypeKind::Decimal { precision, scale } => {
            return decimals(&numbers, *precision, scale.cast_signed(), rules.constant);
        }
        other => return internal_err!("a number cannot become {other}"),
    }))
}

/// The number that a text of digits means.
fn text_as<T: std::str::FromStr + Default>(value: impl ToString) -> T {
    value.to_string().parse().unwrap_or_default()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    /// Through `int`, as for the narrower types.
    Int,
    Long,
}

fn whole(numbers: &Numbers, width: Width) -> Int64Array {
    let from_double = |v: f64| {
        // Towards zero, to the nearest that there is; 0 for what is no number.
        let (least, most) = match width {
            Width::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
            Width::Long => (i64::MIN, i64::MAX),
        };
        if v.is_nan() { 0 } else { saturated(v).clamp(least, most) }
    };
    match numbers {
        Numbers::Whole(a) => a.clone(),
        Numbers::Float(a) => a.iter().map(|v| v.map(|v| from_double(f64::from(v)))).collect(),
        Numbers::Double(a) => a.iter().map(|v| v.map(from_double)).collect(),
        Numbers::Decimal(a) => {
            let scale = u32::try_from(a.scale()).unwrap_or(0);
            let unit = power_of_ten(scale).unwrap_or(i128::MAX);
            a.iter()
                .map(|v| {
                    v.map(|v| {
                        let [a, b, c, d, e, f, g, h, ..] = (v / unit).to_le_bytes();
                        i64::from_le_bytes([a, b, c, d, e, f, g, h])
                    })
                })
                .collect()
        }
    }
}

/// The double without its fraction.
fn saturated(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what is wanted")]
    let whole = value as i64;
    whole
}

/// The lower bits of each value.
pub(in super::super) fn narrow_wrapping(values: &Int64Array, target: &Arrow) -> Result<ArrayRef> {
    fn map<T: ArrowPrimitiveType>(
        values: &Int64Array,
        f: impl Fn([u8; 8]) -> T::Native,
    ) -> PrimitiveArray<T> {
        values.unary(|v| f(v.to_le_bytes()))
    }
    Ok(match target {
        Arrow::Int8 => {
            let narrow: Int8Array = map(values, |[a, ..]| i8::from_le_bytes([a]));
            Arc::new(narrow)
        }
        Arrow::Int16 => {
            let narrow: Int16Array = map(values, |[a, b, ..]| i16::from_le_bytes([a, b]));
            Arc::new(narrow)
        }
        Arrow::Int32 => {
            let narrow: Int32Array =
                map(values, |[a, b, c, d, ..]| i32::from_le_bytes([a, b, c, d]));
            Arc::new(narrow)
        }
        _ => Arc::new(values.clone()),
    })
}

fn decimals(numbers: &Numbers, precision: u8, scale: i8, constant: bool) -> Result<Converted> {
    let mut failures = Vec::new();
    let mut rows: Vec<Option<i128>> = Vec::new();
    let mut put = |row: usize, value: Option<Result<i128, String>>| match value {
        None => rows.push(None),
        Some(Ok(value)) => rows.push(Some(value)),
        Some(Err(reason)) => {
            failures.push(Failure { row, reason, overflow: true });
            rows.push(None);
        }
    };
    let of_text = |text: String| match decimal_of_text(&text, precision, scale) {
        Some(value) => Ok(value),
        None => Err(format!("{text} does not fit DECIMAL({precision}, {scale})")),
    };
    match numbers {
        Numbers::Whole(a) => {
            a.iter().enumerate().for_each(|(row, v)| put(row, v.map(|v| of_text(v.to_string()))));
        }
        Numbers::Float(a) => {
            // Constants are computed with the digits that were written.
            let text = |v: f32| match constant {
                true => of_text(float_text(v)),
                false => of_text(double_text(f64::from(v))),
            };
            a.iter().enumerate().for_each(|(row, v)| put(row, v.map(text)));
        }
        Numbers::Double(a) => {
            let text = |v: f64| of_text(double_text(v));
            a.iter().enumerate().for_each(|(row, v)| put(row, v.map(text)));
        }
        Numbers::Decimal(a) => {
            let from = a.scale();
            let step = |v: i128| {
                let value = if scale >= from {
                    power_of_ten(u32::from((scale - from).unsigned_abs()))
                        .and_then(|unit| v.checked_mul(unit))
                } else {
                    power_of_ten(u32::from((from - scale).unsigned_abs()))
                        .map(|unit| Mode::HalfUp.divide(v, unit))
                };
                value.filter(|v| fits(*v, precision)).ok_or_else(|| {
                    let text = decimal_text(v, from);
                    format!("{text} does not fit DECIMAL({precision}, {scale})")
                })
            };
            a.iter().enumerate().for_each(|(row, v)| put(row, v.map(step)));
        }
    }
    let array = Decimal128Array::from(rows).with_precision_and_scale(precision, scale)?;
    Ok(Converted { array: Arc::new(array), failures })
}

fn fits(value: i128, precision: u8) -> bool {
    power_of_ten(u32::from(precision))
        .is_some_and(|limit| value.unsigned_abs() < limit.unsigned_abs())
}

/// The unscaled value of a number such as `-1.5e3`, halves away from zero; none when it is no
/// number or does not fit.
pub(super) fn decimal_of_text(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, behind) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.is_empty() && behind.is_empty() {
        return None;
    }
    if !whole.bytes().chain(behind.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{behind}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    // Position of the point in `digits`, counted from their end, for a result without fraction.
    let keep = i64::try_from(digits.len()).ok()? - i64::try_from(behind.len()).ok()?
        + exponent
        + i64::from(scale);
    let length = i64::try_from(digits.len()).ok()?;
    let value: i128 = if keep >= length {
        let zeros = u32::try_from(keep - length).ok()?;
        digits.parse::<i128>().ok()?.checked_mul(power_of_ten(zeros)?)?
    } else if keep < 0 {
        0
    } else {
        let (kept, rest) = digits.split_at(usize::try_from(keep).ok()?);
        let kept: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
        kept + i128::from(rest.starts_with(|c: char| c >= '5'))
    };
    fits(value, precision).then_some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_with_halves_away_from_zero() {
        for (text, value) in [
            ("1.005", Some(101)),
            ("-1.235", Some(-124)),
            ("1e2", Some(10_000)),
            ("1.5E-3", Some(0)),
            ("5e-3", Some(1)),
            ("0.004", Some(0)),
            (".5", Some(50)),
            ("5.", Some(500)),
            ("12345", None),
            ("", None),
            (".", None),
            ("1x", None),
            ("1e99999", None),
            ("1e-99999", Some(0)),
            ("0e99999", Some(0)),
        ] {
            assert_eq!(decimal_of_text(text, 6, 2).filter(|_| text != "12345"), value, "{text}");
        }
        assert_eq!(decimal_of_text("12345", 6, 2), None);
    }
}
