//! Values from text, for partition specifications and defaults.
//!
//! Source: Paimon 1.4.2 `TypeUtils#castFromString`, `DateTimeUtils`.

use super::calendar::{DAY_MILLIS, Date};
use crate::datum::Datum;
use crate::error::SpecError;
use crate::types::{DataType, TypeKind};

/// The value that `text` means for a column of type `t`.
///
/// Space around numbers, dates and times is ignored. A DATE may be a number of days, a TIME of
/// milliseconds, a TIMESTAMP of seconds, milliseconds, microseconds or nanoseconds by its
/// precision. Text without a zone is UTC for TIMESTAMP WITH LOCAL TIME ZONE. A DECIMAL is rounded
/// half up to its scale; a TIMESTAMP is cut to its precision.
///
/// # Errors
/// [`SpecError::Value`] when the text has no such value, [`SpecError::Unsupported`] for nested
/// types.
pub fn parse_value(text: &str, t: &DataType) -> Result<Datum, SpecError> {
    let trimmed = text.trim();
    let value = match &t.kind {
        TypeKind::Boolean => boolean(trimmed).map(Datum::Boolean),
        TypeKind::TinyInt => trimmed.parse().ok().map(Datum::TinyInt),
        TypeKind::SmallInt => trimmed.parse().ok().map(Datum::SmallInt),
        TypeKind::Int => trimmed.parse().ok().map(Datum::Int),
        TypeKind::BigInt => trimmed.parse().ok().map(Datum::BigInt),
        TypeKind::Float => trimmed.parse().ok().map(Datum::Float),
        TypeKind::Double => trimmed.parse().ok().map(Datum::Double),
        TypeKind::Decimal { precision, scale } => decimal(trimmed, *precision, *scale)
            .map(|unscaled| Datum::Decimal { unscaled, precision: *precision, scale: *scale }),
        TypeKind::Char(n) | TypeKind::VarChar(n) => {
            let fits = u32::try_from(text.chars().count()).is_ok_and(|count| count <= *n);
            fits.then(|| Datum::String(text.to_owned()))
        }
        TypeKind::Binary(n) | TypeKind::VarBinary(n) => {
            let fits = u32::try_from(text.len()).is_ok_and(|count| count <= *n);
            fits.then(|| Datum::Bytes(text.as_bytes().to_vec()))
        }
        TypeKind::Date => days(trimmed).and_then(|d| i32::try_from(d).ok()).map(Datum::Date),
        TypeKind::Time(_) => time(trimmed).map(Datum::Time),
        TypeKind::Timestamp(p) => timestamp(trimmed, *p),
        TypeKind::TimestampLtz(p) => timestamp(trimmed.strip_suffix('Z').unwrap_or(trimmed), *p),
        _ => {
            return Err(SpecError::Unsupported {
                what: format!("a value of type {t} from text"),
                reason: "only plain types have a text form".into(),
            });
        }
    };
    value.ok_or_else(|| SpecError::Value {
        column: t.to_string(),
        reason: format!("{text:?} is no {t}"),
    })
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Digits with an optional sign, point and exponent, rounded half up to `scale`.
fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // The value is `digits * 10^-(point)`; the result keeps the digits up to 10^-scale.
    let point = i64::try_from(fraction.len()).ok()? - i64::from(exponent);
    let keep = i64::try_from(whole.len() + fraction.len()).ok()? - point + i64::from(scale);
    let mut unscaled = 0_u128;
    let mut position = 0_i64;
    for byte in digits() {
        if position == keep {
            unscaled = unscaled.checked_add(u128::from(byte >= b'5'))?;
        } else if position < keep {
            unscaled = unscaled.checked_mul(10)?.checked_add(u128::from(byte - b'0'))?;
        }
        position += 1;
    }
    if unscaled > 0 && position < keep {
        let zeros = u32::try_from(keep - position).ok()?;
        unscaled = unscaled.checked_mul(10_u128.checked_pow(zeros)?)?;
    }
    let limit = 10_u128.checked_pow(u32::from(precision))?;
    let signed = i128::try_from(unscaled).ok().filter(|_| unscaled < limit)?;
    Some(if negative { -signed } else { signed })
}

fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A number of days, or `y[-m[-d]]` and what follows a space.
fn days(text: &str) -> Option<i64> {
    if let Some(bare) = text.strip_prefix('-') {
        return number(bare).map(|n| -n);
    }
    number(text).or_else(|| date(text.split(' ').next()?))
}

fn date(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let year = number(parts.next()?)?;
    let month = parts.next().map_or(Some(1), number)?;
    let day = parts.next().map_or(Some(1), number)?;
    if year > 9999 {
        return None;
    }
    Date { year, month, day }.to_days()
}

/// A number of milliseconds, or `h:m[:s[.fraction]]`.
fn time(text: &str) -> Option<i32> {
    let millis = match number(text) {
        Some(millis) => millis,
        None => clock(text)? / 1_000_000,
    };
    i32::try_from(millis).ok().filter(|n| i64::from(*n) < DAY_MILLIS)
}

/// Nanoseconds of the day.
fn clock(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hour = number(parts.next()?).filter(|n| *n < 24)?;
    let minute = number(parts.next()?).filter(|n| *n < 60)?;
    let (second, nanos) = match parts.next() {
        None => (0, 0),
        Some(text) => {
            let (second, fraction) = text.split_once('.').unwrap_or((text, ""));
            let padded: String = fraction.chars().chain("000000000".chars()).take(9).collect();
            (number(second).filter(|n| *n < 60)?, number(&padded)?)
        }
    };
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000_000 + nanos)
}

fn timestamp(text: &str, precision: u8) -> Option<Datum> {
    let total = match number(text) {
        Some(epoch) => {
            let unit: i128 = match precision {
                0 => 1_000_000_000,
                1..=3 => 1_000_000,
                4..=6 => 1000,
                _ => 1,
            };
            i128::from(epoch) * unit
        }
        None => {
            let (day, rest) = match text.split_once(['T', ' ']) {
                Some((day, rest)) => (date(day)?, clock(rest.trim())?),
                None => (date(text)?, 0),
            };
            i128::from(day) * i128::from(DAY_MILLIS) * 1_000_000 + i128::from(rest)
        }
    };
    let step = 10_i128.checked_pow(9_u32.saturating_sub(u32::from(precision)))?;
    let cut = total.div_euclid(step) * step;
    Some(Datum::Timestamp {
        millis: i64::try_from(cut.div_euclid(1_000_000)).ok()?,
        nanos: u32::try_from(cut.rem_euclid(1_000_000)).ok()?,
    })
}
