//! ROUND, TRUNCATE, CEIL and FLOOR of numbers: halves go away from zero, DECIMAL stays DECIMAL.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float32Array, Float64Array, Int64Array, PrimitiveArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Decimal128Type, Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;

use super::call::{Call, Param, Spec};
use super::math::float_to_double;

use Param::{Long, Number};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&["round"], &[Number, Long], digits_type, |c| cut(c, Mode::HalfUp))
        .required(1)
        .total(),
    Spec::new(&["truncate"], &[Number, Long], digits_type, |c| cut(c, Mode::TowardsZero))
        .required(1)
        .total(),
    Spec::new(&["ceil", "ceiling"], &[Number], whole_type, |c| cut(c, Mode::Up)).total(),
    Spec::new(&["floor"], &[Number], whole_type, |c| cut(c, Mode::Down)).total(),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// To the nearest; halves away from zero.
    HalfUp,
    TowardsZero,
    Up,
    Down,
}

impl Mode {
    /// The quotient; `divisor` is positive.
    pub(super) fn divide(self, value: i128, divisor: i128) -> i128 {
        let (quotient, rest) = (value / divisor, value % divisor);
        let step = match self {
            Self::HalfUp if rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs() => {
                rest.signum()
            }
            Self::Up if rest > 0 => 1,
            Self::Down if rest < 0 => -1,
            _ => 0,
        };
        quotient + step
    }
}

/// With a constant number of digits a DECIMAL is as wide as it needs to be.
fn digits_type(types: &[Arrow], scalars: &[Option<&ScalarValue>]) -> Result<Arrow> {
    let first = types.first().cloned().unwrap_or(Arrow::Null);
    let Arrow::Decimal128(precision, scale) = first else { return Ok(first) };
    let digits = match (types.len(), scalars.get(1)) {
        (1, _) => 0,
        (_, Some(Some(ScalarValue::Int64(Some(digits))))) => *digits,
        _ => return Ok(first),
    };
    if digits >= i64::from(scale) {
        return Ok(first);
    }
    let kept = i8::try_from(digits.max(0)).unwrap_or(scale);
    let whole = precision.saturating_add_signed(-scale);
    let precision = whole.saturating_add(1).saturating_add_signed(kept);
    Ok(Arrow::Decimal128(precision.min(38), kept))
}

fn whole_type(types: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    Ok(match types.first() {
        Some(Arrow::Decimal128(precision, _)) => Arrow::Decimal128(*precision, 0),
        other => other.cloned().unwrap_or(Arrow::Null),
    })
}

fn cut(call: &Call<'_>, mode: Mode) -> Result<ArrayRef> {
    let array = call.arg(0)?;
    let digits = if call.count() == 2 { Some(call.long(1)?) } else { None };
    let digits = Digits(digits);
    Ok(match array.data_type() {
        Arrow::Int8 | Arrow::Int16 | Arrow::Int32 | Arrow::Int64 => {
            if matches!(mode, Mode::Up | Mode::Down) {
                return Ok(Arc::clone(array));
            }
            let wide = cast(array, &Arrow::Int64)?;
            let wide = wide.as_primitive::<Int64Type>();
            let rows =
                call.strict(|row| Ok(Some(integer(wide.value(row), digits.at(row), mode))))?;
            super::cast::narrow_wrapping(&Int64Array::from(rows), array.data_type())?
        }
        Arrow::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            let rows =
                call.strict(|row| Ok(Some(double(values.value(row), digits.at(row), mode))))?;
            Arc::new(Float64Array::from(rows))
        }
        Arrow::Float32 => {
            let values = float_to_double(array)?;
            let rows = call.strict(|row| {
                let text = double(values.value(row), digits.at(row), mode).to_string();
                Ok(text.parse::<f32>().ok())
            })?;
            Arc::new(Float32Array::from(rows))
        }
        Arrow::Decimal128(_, scale) => {
            let Arrow::Decimal128(precision, kept) = *call.result.data_type() else {
                return call.fail("the result is no DECIMAL");
            };
            let values = array.as_primitive::<Decimal128Type>();
            let rows = call
                .strict(|row| Ok(decimal(values.value(row), *scale, digits.at(row), mode, kept)))?;
            let rows = PrimitiveArray::<Decimal128Type>::from(rows);
            Arc::new(rows.with_precision_and_scale(precision, kept)?)
        }
        other => return call.fail(format!("does not take {}", super::types::name_of(other))),
    })
}

/// Digits behind the point for each row, 0 without an argument.
struct Digits<'a>(Option<&'a Int64Array>);

impl Digits<'_> {
    fn at(&self, row: usize) -> i64 {
        self.0.map_or(0, |digits| digits.value(row))
    }
}

/// Ten to the power, while it fits.
pub(super) fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// Only a negative number of digits changes an integer; what does not fit wraps.
fn integer(value: i64, digits: i64, mode: Mode) -> i64 {
    if digits >= 0 {
        return value;
    }
    let unit = u32::try_from(digits.unsigned_abs()).ok().and_then(power_of_ten);
    let Some(unit) = unit else { return 0 };
    let rounded = mode.divide(i128::from(value), unit).saturating_mul(unit);
    let [a, b, c, d, e, f, g, h, ..] = rounded.to_le_bytes();
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Rounds the digits that are shown, not the binary value: 1.005 has three digits.
fn double(value: f64, digits: i64, mode: Mode) -> f64 {
    if !value.is_finite() {
        return value;
    }
    match mode {
        Mode::Up => return value.ceil(),
        Mode::Down => return value.floor(),
        Mode::HalfUp | Mode::TowardsZero => {}
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let unscaled: i128 = mantissa.replace('.', "").parse().unwrap_or(0);
    let behind = mantissa.split_once('.').map_or(0, |(_, rest)| rest.len());
    // The value is `unscaled` times ten to the power of `-scale`.
    let scale = i64::try_from(behind).unwrap_or(0) - exponent;
    let dropped = scale.saturating_sub(digits);
    if dropped <= 0 {
        return value;
    }
    // Without a digit left, and none that rounds up.
    let Some(unit) = u32::try_from(dropped).ok().and_then(power_of_ten) else { return 0.0 };
    let rounded = mode.divide(unscaled, unit);
    format!("{rounded}e{}", -digits).parse().unwrap_or(value)
}

/// `scale`: of the value; `kept`: of the result. None when it does not fit.
fn decimal(value: i128, scale: i8, digits: i64, mode: Mode, kept: i8) -> Option<i128> {
    let scale = i64::from(scale);
    let target = if matches!(mode, Mode::Up | Mode::Down) { 0 } else { digits };
    let (value, now) = if target >= scale {
        (value, scale)
    } else {
        let unit = u32::try_from(scale - target).ok().and_then(power_of_ten);
        (unit.map_or(0, |unit| mode.divide(value, unit)), target)
    };
    // From `now` to `kept` digits, which are not fewer.
    let up = u32::try_from(i64::from(kept) - now).ok().and_then(power_of_ten);
    up.and_then(|unit| value.checked_mul(unit)).or((value == 0).then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero_in_the_digits_that_are_shown() {
        for (value, digits, rounded) in [
            (1.005, 2, 1.01),
            (2.675, 2, 2.68),
            (-2.5, 0, -3.0),
            (1234.5, -2, 1200.0),
            (4.0, -1, 0.0),
        ] {
            assert_eq!(double(value, digits, Mode::HalfUp), rounded);
        }
        assert_eq!(double(42.345, 2, Mode::TowardsZero), 42.34);
        assert_eq!(double(1e300, 2, Mode::HalfUp), 1e300);
        assert_eq!(double(1e300, -400, Mode::HalfUp), 0.0);
        assert_eq!(double(1e-300, 5, Mode::HalfUp), 0.0);
        assert_eq!(integer(125, -1, Mode::HalfUp), 130);
        assert_eq!(integer(-125, -1, Mode::HalfUp), -130);
        assert_eq!(integer(125, i64::MIN, Mode::HalfUp), 0);
    }

    #[test]
    fn decimals_keep_their_scale() {
        assert_eq!(decimal(2345, 3, 2, Mode::HalfUp, 2), Some(235));
        assert_eq!(decimal(-2345, 3, 2, Mode::HalfUp, 2), Some(-235));
        assert_eq!(decimal(1_234_567, 3, -2, Mode::HalfUp, 0), Some(1200));
        assert_eq!(decimal(-11, 1, 0, Mode::Down, 0), Some(-2));
        assert_eq!(decimal(11, 1, 0, Mode::Up, 0), Some(2));
        assert_eq!(decimal(2345, 3, 1, Mode::HalfUp, 3), Some(2300));
    }
}
