//! Arithmetic with DECIMAL: types of results as in Flink, halves away from zero, null where the
//! result does not fit.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array};
use arrow::datatypes::{DataType as Arrow, Decimal128Type, i256};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;

use super::call::{Call, Param, Spec, failed};

use Param::Number;

const MOST: u8 = 38;

/// Division of exact numbers.
pub(super) const DIVIDE: &str = "$divide";

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&["$plus"], &[Number, Number], |t, _| result(t, Op::Plus), |c| compute(c, Op::Plus))
        .unify(decimals),
    Spec::new(
        &["$minus"],
        &[Number, Number],
        |t, _| result(t, Op::Minus),
        |c| compute(c, Op::Minus),
    )
    .unify(decimals),
    Spec::new(
        &["$times"],
        &[Number, Number],
        |t, _| result(t, Op::Times),
        |c| compute(c, Op::Times),
    )
    .unify(decimals),
    Spec::new(
        &[DIVIDE],
        &[Number, Number],
        |t, _| result(t, Op::Divide),
        |c| compute(c, Op::Divide),
    )
    .unify(decimals),
    Spec::new(
        &["$remainder"],
        &[Number, Number],
        |t, _| result(t, Op::Remainder),
        |c| compute(c, Op::Remainder),
    )
    .unify(decimals),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
}

/// The DECIMAL that holds all values of a number's type.
pub(super) fn as_decimal(data_type: &Arrow) -> Option<(u8, i8)> {
    Some(match data_type {
        Arrow::Int8 => (3, 0),
        Arrow::Int16 | Arrow::UInt8 => (5, 0),
        Arrow::Int32 | Arrow::UInt16 => (10, 0),
        Arrow::Int64 | Arrow::UInt32 => (19, 0),
        Arrow::UInt64 => (20, 0),
        Arrow::Decimal128(precision, scale) => (*precision, *scale),
        _ => return None,
    })
}

/// Integers as DECIMAL.
pub(super) fn decimals(types: &[Arrow]) -> Result<Vec<Arrow>> {
    types
        .iter()
        .map(|t| match as_decimal(t) {
            Some((precision, scale)) => Ok(Arrow::Decimal128(precision, scale)),
            None => plan_err!("{} is no DECIMAL", super::types::name_of(t)),
        })
        .collect()
}

fn result(types: &[Arrow], op: Op) -> Result<Arrow> {
    let parts: Option<Vec<(u8, i8)>> = types.iter().map(as_decimal).collect();
    let Some([(p1, s1), (p2, s2)]) = parts.as_deref() else {
        return plan_err!("decimal arithmetic takes two numbers");
    };
    let (p1, s1, p2, s2) = (i32::from(*p1), i32::from(*s1), i32::from(*p2), i32::from(*s2));
    let scale = s1.max(s2);
    let (precision, scale) = match op {
        Op::Plus | Op::Minus => ((p1 - s1).max(p2 - s2) + scale + 1, scale),
        Op::Times => (p1 + p2 + 1, s1 + s2),
        Op::Divide => {
            let scale = (s1 + p2 + 1).max(6);
            (p1 - s1 + s2 + scale, scale)
        }
        Op::Remainder => ((p1 - s1).min(p2 - s2) + scale, scale),
    };
    Ok(fitted(precision, scale))
}

/// Gives up digits behind the point, down to six, for those before it.
fn fitted(precision: i32, scale: i32) -> Arrow {
    let most = i32::from(MOST);
    let (precision, scale) = if precision <= most {
        (precision.max(1), scale)
    } else {
        (most, (most - (precision - scale)).max(scale.min(6)))
    };
    let precision = u8::try_from(precision).unwrap_or(MOST);
    Arrow::Decimal128(precision, i8::try_from(scale.min(i32::from(precision))).unwrap_or(0))
}

/// The type of a remainder.
pub(super) fn remainder_type(types: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    result(types, Op::Remainder)
}

/// The remainder of two DECIMAL columns.
pub(super) fn remainder(call: &Call<'_>) -> Result<ArrayRef> {
    compute(call, Op::Remainder)
}

/// The value with fewer or more digits behind the point.
fn rescale(value: i256, from: i32, to: i32) -> Option<i256> {
    let steps = u32::try_from((to - from).abs()).ok()?;
    let unit = ten_to(steps)?;
    if to >= from { value.checked_mul(unit) } else { half_up(value, unit) }
}

fn ten_to(exponent: u32) -> Option<i256> {
    if exponent > 76 { None } else { i256::from_i128(10).checked_pow(exponent) }
}

/// The quotient, halves away from zero.
fn half_up(value: i256, divisor: i256) -> Option<i256> {
    let quotient = value.checked_div(divisor)?;
    let rest = value.checked_rem(divisor)?;
    let twice = rest.checked_abs()?.checked_mul(i256::from_i128(2))?;
    if twice < divisor.checked_abs()? {
        return Some(quotient);
    }
    let up = value.is_negative() == divisor.is_negative();
    let step = i256::from_i128(if up { 1 } else { -1 });
    quotient.checked_add(step)
}

fn compute(call: &Call<'_>, op: Op) -> Result<ArrayRef> {
    let (left, right) = (side(call, 0)?, side(call, 1)?);
    let Arrow::Decimal128(precision, scale) = *call.result.data_type() else {
        return call.fail("the result is no DECIMAL");
    };
    let limit = super::round::power_of_ten(u32::from(precision)).unwrap_or(i128::MAX);
    let (s1, s2) = (i32::from(left.scale()), i32::from(right.scale()));
    let target = i32::from(scale);
    let rows = call.strict(|row| {
        let (a, b) = (i256::from_i128(left.value(row)), i256::from_i128(right.value(row)));
        if matches!(op, Op::Divide | Op::Remainder) && b == i256::ZERO {
            return Err(failed("division by zero"));
        }
        let common = s1.max(s2);
        let both = || Some((rescale(a, s1, common)?, rescale(b, s2, common)?));
        let exact = match op {
            Op::Plus => both().and_then(|(a, b)| rescale(a.checked_add(b)?, common, target)),
            Op::Minus => both().and_then(|(a, b)| rescale(a.checked_sub(b)?, common, target)),
            Op::Remainder => both().and_then(|(a, b)| rescale(a.checked_rem(b)?, common, target)),
            Op::Times => a.checked_mul(b).and_then(|v| rescale(v, s1 + s2, target)),
            Op::Divide => quotient(a, b, target + s2 - s1),
        };
        let value = exact.and_then(i256::to_i128);
        Ok(value.filter(|v| v.unsigned_abs() < limit.unsigned_abs()))
    })?;
    Ok(Arc::new(Decimal128Array::from(rows).with_precision_and_scale(precision, scale)?))
}

/// `a / b` with `digits` more digits.
fn quotient(a: i256, b: i256, digits: i32) -> Option<i256> {
    let unit = ten_to(digits.unsigned_abs())?;
    if digits >= 0 { half_up(a.checked_mul(unit)?, b) } else { half_up(a, b.checked_mul(unit)?) }
}

fn side<'a>(call: &'a Call<'_>, at: usize) -> Result<&'a Decimal128Array> {
    match call.arg(at)?.as_primitive_opt::<Decimal128Type>() {
        Some(side) => Ok(side),
        None => call.fail("an argument is no DECIMAL"),
    }
}

/// The type of an expression of both, for DECIMAL and integers.
pub(super) fn common_type(a: (u8, i8), b: (u8, i8)) -> Arrow {
    let scale = i32::from(a.1).max(i32::from(b.1));
    let whole = (i32::from(a.0) - i32::from(a.1)).max(i32::from(b.0) - i32::from(b.1));
    fitted(whole + scale, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(op: Op, a: (u8, i8), b: (u8, i8)) -> (u8, i8) {
        let types = [Arrow::Decimal128(a.0, a.1), Arrow::Decimal128(b.0, b.1)];
        as_decimal(&result(&types, op).unwrap()).unwrap()
    }

    #[test]
    fn results_have_the_types_of_flink() {
        assert_eq!(of(Op::Divide, (2, 1), (10, 0)), (13, 12));
        assert_eq!(of(Op::Divide, (10, 0), (2, 1)), (17, 6));
        assert_eq!(of(Op::Divide, (3, 2), (4, 3)), (11, 7));
        assert_eq!(of(Op::Divide, (38, 18), (10, 0)), (38, 18));
        assert_eq!(of(Op::Times, (2, 1), (2, 1)), (5, 2));
        assert_eq!(of(Op::Times, (38, 10), (38, 10)), (38, 6));
        assert_eq!(of(Op::Plus, (38, 10), (38, 10)), (38, 9));
        assert_eq!(of(Op::Minus, (2, 1), (3, 2)), (4, 2));
        assert_eq!(of(Op::Remainder, (2, 1), (10, 0)), (2, 1));
    }

    #[test]
    fn quotients_round_away_from_zero() {
        let n = i256::from_i128;
        assert_eq!(half_up(n(5), n(2)), Some(n(3)));
        assert_eq!(half_up(n(-5), n(2)), Some(n(-3)));
        assert_eq!(half_up(n(5), n(-2)), Some(n(-3)));
        assert_eq!(half_up(n(-1), n(3)), Some(n(0)));
        assert_eq!(half_up(n(-1), n(-2)), Some(n(1)));
    }
}
