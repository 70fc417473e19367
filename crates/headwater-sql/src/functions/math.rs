//! Mathematical functions on DOUBLE, and those that keep the type of their argument.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int32Array, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as Arrow, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type,
};
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;

use super::call::{Call, Param, Spec, returns};
use super::random::JavaRandom;

use Param::{Double, Long, Number};

/// A function of one DOUBLE.
macro_rules! double {
    ($($name:literal)|+, $f:expr) => {
        Spec::new(&[$($name),+], &[Double], returns::double, |c| one(c, $f)).total()
    };
}

pub(super) const FUNCTIONS: &[Spec] = &[
    double!("sin", f64::sin),
    double!("cos", f64::cos),
    double!("tan", f64::tan),
    double!("cot", |x| 1.0 / x.tan()),
    double!("asin", f64::asin),
    double!("acos", f64::acos),
    double!("atan", f64::atan),
    double!("sinh", f64::sinh),
    double!("cosh", f64::cosh),
    double!("tanh", f64::tanh),
    double!("degrees", f64::to_degrees),
    double!("radians", |x| x * (std::f64::consts::PI / 180.0)),
    double!("exp", f64::exp),
    double!("ln", f64::ln),
    double!("log2", |x| x.ln() / std::f64::consts::LN_2),
    double!("log10", f64::log10),
    double!("sqrt", f64::sqrt),
    Spec::new(&["log"], &[Double, Double], returns::double, |c| match c.count() {
        1 => one(c, f64::ln),
        _ => two(c, |base, x| x.ln() / base.ln()),
    })
    .required(1)
    .total(),
    Spec::new(&["power"], &[Double, Double], returns::double, |c| two(c, f64::powf)).total(),
    Spec::new(&["atan2"], &[Double, Double], returns::double, |c| two(c, f64::atan2)).total(),
    Spec::new(&["pi"], &[], returns::double, |c| constant(c, std::f64::consts::PI)).total(),
    Spec::new(&["e"], &[], returns::double, |c| constant(c, std::f64::consts::E)).total(),
    Spec::new(&["abs"], &[Number], returns::first, |c| {
        same(c, &SameType { int: |x| x.wrapping_abs(), float: f64::abs, decimal: |x, _| x.abs() })
    })
    .total(),
    Spec::new(&["sign"], &[Number], returns::first, |c| {
        same(
            c,
            &SameType {
                int: i64::signum,
                float: |x| if x == 0.0 || x.is_nan() { x } else { x.signum() },
                decimal: |x, one| x.signum() * one,
            },
        )
    })
    .total(),
    Spec::new(&["rand"], &[Long], returns::double, |c| {
        let mut random = generator(c, 0)?;
        let rows = (0..c.rows).map(|_| random.next_double());
        Ok(Arc::new(Float64Array::from_iter_values(rows)))
    })
    .required(0)
    .volatility(Volatility::Volatile),
    Spec::new(&["rand_integer"], &[Long, Long], returns::int, |c| {
        let bound = c.long(c.count() - 1)?;
        let mut random = generator(c, 1)?;
        let mut rows = Vec::with_capacity(c.rows);
        for row in 0..c.rows {
            if c.any_null(row) {
                rows.push(None);
                continue;
            }
            match i32::try_from(bound.value(row)) {
                Ok(bound) if bound > 0 => rows.push(Some(random.next_int(bound))),
                _ => return c.fail(format!("the bound {} is not positive", bound.value(row))),
            }
        }
        Ok(Arc::new(Int32Array::from(rows)))
    })
    .required(1)
    .volatility(Volatility::Volatile),
];

/// With a seed the same numbers in every batch, else numbers from the system's randomness.
/// `others`: how many arguments there are beside the seed.
fn generator(call: &Call<'_>, others: usize) -> Result<JavaRandom> {
    if call.count() == others {
        return Ok(JavaRandom::new(call.context.random.next_u64().cast_signed()));
    }
    let seeds = call.long(0)?;
    let seed = if seeds.is_empty() || seeds.is_null(0) { 0 } else { seeds.value(0) };
    Ok(JavaRandom::new(seed))
}

fn one(call: &Call<'_>, f: impl Fn(f64) -> f64) -> Result<ArrayRef> {
    Ok(Arc::new(call.double(0)?.unary::<_, Float64Type>(f)))
}

fn two(call: &Call<'_>, f: impl Fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (a, b) = (call.double(0)?, call.double(1)?);
    Ok(Arc::new(arrow::compute::binary::<_, _, _, Float64Type>(a, b, f)?))
}

fn constant(call: &Call<'_>, value: f64) -> Result<ArrayRef> {
    Ok(Arc::new(Float64Array::from_value(value, call.rows)))
}

/// What a function does for each kind of number; the result has the type of the argument.
struct SameType {
    int: fn(i64) -> i64,
    float: fn(f64) -> f64,
    /// With the digits of the number one.
    decimal: fn(i128, i128) -> i128,
}

fn same(call: &Call<'_>, f: &SameType) -> Result<ArrayRef> {
    let array = call.arg(0)?;
    Ok(match array.data_type() {
        Arrow::Int8 => {
            narrow::<Int8Type>(array, |x| (f.int)(i64::from(x)).to_le_bytes()[0].cast_signed())
        }
        Arrow::Int16 => narrow::<Int16Type>(array, |x| {
            let [a, b, ..] = (f.int)(i64::from(x)).to_le_bytes();
            i16::from_le_bytes([a, b])
        }),
        Arrow::Int32 => narrow::<Int32Type>(array, |x| wrap((f.int)(i64::from(x)))),
        Arrow::Int64 => narrow::<Int64Type>(array, |x| (f.int)(x)),
        Arrow::Float32 => {
            let wide = cast(array, &Arrow::Float64)?;
            let result: Float64Array = wide.as_primitive::<Float64Type>().unary(|x| (f.float)(x));
            cast(&result, &Arrow::Float32)?
        }
        Arrow::Float64 => narrow::<Float64Type>(array, |x| (f.float)(x)),
        Arrow::Decimal128(precision, scale) => {
            let one = 10_i128.checked_pow(u32::from(scale.unsigned_abs())).unwrap_or(0);
            let one = if *scale < 0 { 0 } else { one };
            let result: PrimitiveArray<Decimal128Type> =
                array.as_primitive::<Decimal128Type>().unary(|x| (f.decimal)(x, one));
            Arc::new(result.with_precision_and_scale(*precision, *scale)?)
        }
        other => return call.fail(format!("does not take {}", super::types::name_of(other))),
    })
}

fn narrow<T: ArrowPrimitiveType>(array: &ArrayRef, f: impl Fn(T::Native) -> T::Native) -> ArrayRef {
    Arc::new(array.as_primitive::<T>().unary::<_, T>(f))
}

/// The lower 32 bits.
pub(super) fn wrap(value: i64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// FLOAT, which has no array of its own in `round`.
pub(super) fn float_to_double(array: &ArrayRef) -> Result<Float64Array> {
    let floats = array.as_primitive::<Float32Type>();
    // The digits that are shown, not the binary value.
    Ok(floats.iter().map(|x| x.map(|x| x.to_string().parse().unwrap_or(f64::from(x)))).collect())
}
