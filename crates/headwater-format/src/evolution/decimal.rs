//! Decimals as Java's `BigDecimal` makes them: half away from zero, null when they do not fit.
//!
//! Source: Paimon 1.4.2 `DecimalUtils`, `Decimal#fromBigDecimal`.

/// 10 to the power of `exponent`, if it fits.
fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// `digits * 10^-from` as the unscaled value of DECIMAL(`precision`, `to`).
pub(super) fn rescale(digits: i128, from: i32, precision: u8, to: u8) -> Option<i128> {
    let shift = i32::from(to) - from;
    let factor = power(shift.unsigned_abs());
    let scaled = if digits == 0 {
        0
    } else if shift >= 0 {
        digits.checked_mul(factor?)?
    } else {
        // So many digits are cut that nothing is left when the factor is too large.
        factor.map_or(0, |factor| {
            let (whole, rest) = (digits / factor, digits % factor);
            let up = rest.unsigned_abs() >= factor.unsigned_abs().div_ceil(2);
            if up { whole + digits.signum() } else { whole }
        })
    };
    let limit = power(u32::from(precision))?;
    (scaled.unsigned_abs() < limit.unsigned_abs()).then_some(scaled)
}

/// A float through its shortest decimal text; an error for NaN and infinities.
pub(super) fn from_double(value: f64, precision: u8, scale: u8) -> Result<Option<i128>, String> {
    let text = format!("{value:e}");
    let parts = || {
        let (mantissa, exponent) = text.split_once('e')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let exponent: i32 = exponent.parse().ok()?;
        Some((digits, i32::try_from(fraction.len()).ok()? - exponent))
    };
    match parts() {
        Some((digits, from)) => Ok(rescale(digits, from, precision, scale)),
        None => Err(format!("{value} is no decimal number")),
    }
}

/// The nearest float.
pub(super) fn to_double(unscaled: i128, scale: u8) -> f64 {
    // The text's parser rounds once, a division of rounded numbers would round twice.
    format!("{unscaled}e-{scale}").parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::{from_double, rescale, to_double};

    #[test]
    fn halves_round_away_from_zero() {
        assert_eq!(rescale(125, 2, 5, 1), Some(13));
        assert_eq!(rescale(-125, 2, 5, 1), Some(-13));
        assert_eq!(rescale(124, 2, 5, 1), Some(12));
        assert_eq!(rescale(12, 1, 5, 3), Some(1200));
    }

    #[test]
    fn what_does_not_fit_is_null() {
        assert_eq!(rescale(999, 0, 2, 0), None);
        assert_eq!(rescale(995, 1, 2, 0), None);
        assert_eq!(rescale(i128::MAX, 0, 38, 10), None);
        assert_eq!(rescale(5, 300, 38, 10), Some(0));
    }

    #[test]
    fn floats_go_through_their_text() {
        assert_eq!(from_double(0.1, 10, 3), Ok(Some(100)));
        assert_eq!(from_double(-1.005, 10, 2), Ok(Some(-101)));
        assert_eq!(from_double(1e20, 10, 2), Ok(None));
        assert!(from_double(f64::NAN, 10, 2).is_err());
        assert!((to_double(-12345, 2) + 123.45).abs() < 1e-12);
    }
}
