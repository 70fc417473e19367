//! Arithmetic on values of a column's width, as Java does it: integers wrap.

use arrow::datatypes::i256;

/// A number that sums and products are made of.
pub(super) trait Number: Copy + Default {
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn negated(self) -> Self;
    /// None where Java throws: an integer by zero.
    fn over(self, other: Self) -> Option<Self>;
}

macro_rules! integer {
    ($($t:ty),*) => {$(
        impl Number for $t {
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            fn negated(self) -> Self {
                self.wrapping_neg()
            }
            fn over(self, other: Self) -> Option<Self> {
                (other != 0).then(|| self.wrapping_div(other))
            }
        }
    )*};
}

macro_rules! float {
    ($($t:ty),*) => {$(
        impl Number for $t {
            fn plus(self, other: Self) -> Self {
                self + other
            }
            fn minus(self, other: Self) -> Self {
                self - other
            }
            fn times(self, other: Self) -> Self {
                self * other
            }
            fn negated(self) -> Self {
                -self
            }
            fn over(self, other: Self) -> Option<Self> {
                Some(self / other)
            }
        }
    )*};
}

integer!(i8, i16, i32, i64);
float!(f32, f64);

/// Precision up to which Java keeps a DECIMAL in 64 bits.
const COMPACT: u8 = 18;

/// A DECIMAL type; values are integers without the point.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecimalType {
    pub(super) precision: u8,
    pub(super) scale: u8,
}

/// Why a quotient has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoQuotient {
    ByZero,
    Endless,
}

impl DecimalType {
    /// The value if it has no more digits than the precision.
    pub(super) fn checked(self, value: i128) -> Option<i128> {
        (value.unsigned_abs() < 10_u128.pow(u32::from(self.precision))).then_some(value)
    }

    /// The outcome of adding: up to 18 digits are only held to 64 bits, more to the precision.
    ///
    /// Source: Paimon 1.4.2 `DecimalUtils#add`, `#subtract`.
    fn sum(self, value: Option<i128>) -> Option<i128> {
        let value = value?;
        if self.precision <= COMPACT {
            return i64::try_from(value).is_ok().then_some(value);
        }
        self.checked(value)
    }

    pub(super) fn plus(self, a: i128, b: i128) -> Option<i128> {
        self.sum(a.checked_add(b))
    }

    pub(super) fn minus(self, a: i128, b: i128) -> Option<i128> {
        self.sum(a.checked_sub(b))
    }

    /// The product rounded half away from zero to the scale, if the precision holds it.
    pub(super) fn times(self, a: i128, b: i128) -> Option<i128> {
        let product = i256::from_i128(a).checked_mul(i256::from_i128(b))?;
        self.rounded(product, i256::from_i128(self.power()))
    }

    /// The quotient rounded half away from zero to the scale; none if the precision does not
    /// hold it. Java insists on a quotient with an end before it rounds.
    pub(super) fn over(self, a: i128, b: i128) -> Result<Option<i128>, NoQuotient> {
        if b == 0 {
            return Err(NoQuotient::ByZero);
        }
        let mut rest = b.unsigned_abs() / gcd(a.unsigned_abs(), b.unsigned_abs());
        for factor in [2, 5] {
            while rest.is_multiple_of(factor) {
                rest /= factor;
            }
        }
        if rest != 1 {
            return Err(NoQuotient::Endless);
        }
        let dividend = i256::from_i128(a).checked_mul(i256::from_i128(self.power()));
        Ok(dividend.and_then(|dividend| self.rounded(dividend, i256::from_i128(b))))
    }

    const fn power(self) -> i128 {
        10_i128.pow(self.scale as u32)
    }

    fn rounded(self, dividend: i256, divisor: i256) -> Option<i128> {
        let quotient = dividend.checked_div(divisor)?;
        let rest = dividend.checked_rem(divisor)?.checked_abs()?;
        let up = rest.checked_add(rest)? >= divisor.checked_abs()?;
        let away = if dividend.is_negative() == divisor.is_negative() { 1 } else { -1 };
        let away = i256::from_i128(if up { away } else { 0 });
        self.checked(quotient.checked_add(away)?.to_i128()?)
    }
}

/// The greatest common divisor; `b` is not zero.
const fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
