//! Values as the text that Java gives them in partition paths.
//!
//! Format: `docs/spec/layout.md#partitions`. Source: Paimon 1.4.2 `InternalRowPartitionComputer`,
//! `CastExecutors`, `DateTimeUtils`.

use super::calendar::{DAY_MILLIS, Date};
use crate::datum::Datum;
use crate::error::SpecError;
use crate::types::{DataType, TypeKind};

/// Text of a value in a partition path, not escaped.
///
/// `legacy`: the value's Java `toString`: days for DATE, milliseconds for TIME, ISO 8601 with 'T'
/// for TIMESTAMP. Otherwise the text of a cast to STRING. TIMESTAMP WITH LOCAL TIME ZONE is in UTC
/// in both forms; Java casts it in the zone of its process.
///
/// # Errors
/// [`SpecError::Value`] when the value is not of the type, [`SpecError::Unsupported`] for BINARY
/// and nested types.
pub fn value_text(value: &Datum, t: &DataType, legacy: bool) -> Result<String, SpecError> {
    Ok(match (value, &t.kind) {
        (Datum::Boolean(v), TypeKind::Boolean) => v.to_string(),
        (Datum::TinyInt(v), TypeKind::TinyInt) => v.to_string(),
        (Datum::SmallInt(v), TypeKind::SmallInt) => v.to_string(),
        (Datum::Int(v), TypeKind::Int) => v.to_string(),
        (Datum::BigInt(v), TypeKind::BigInt) => v.to_string(),
        (Datum::Float(v), TypeKind::Float) => float_text(*v),
        (Datum::Double(v), TypeKind::Double) => double_text(*v),
        (Datum::Decimal { unscaled, scale, .. }, TypeKind::Decimal { .. }) => {
            decimal_text(*unscaled, *scale)
        }
        (Datum::String(v), TypeKind::Char(_) | TypeKind::VarChar(_)) => v.clone(),
        (Datum::Date(v), TypeKind::Date) if legacy => v.to_string(),
        (Datum::Date(v), TypeKind::Date) => date_text(Date::from_days(i64::from(*v))),
        (Datum::Time(v), TypeKind::Time(_)) if legacy => v.to_string(),
        (Datum::Time(v), TypeKind::Time(p)) => time_text(*v, *p),
        (
            Datum::Timestamp { millis, nanos },
            TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p),
        ) => {
            if legacy {
                iso_timestamp(*millis, *nanos)
            } else {
                sql_timestamp(*millis, *nanos, *p)
            }
        }
        (Datum::Bytes(_), _) => {
            return Err(SpecError::Unsupported {
                what: format!("a partition column of type {t}"),
                reason: "its directory would have no stable name".into(),
            });
        }
        _ => {
            return Err(SpecError::Value {
                column: t.to_string(),
                reason: format!("{value:?} is no {t}, or has no text"),
            });
        }
    })
}

/// `BigDecimal.toPlainString`: exactly `scale` digits after the point.
fn decimal_text(unscaled: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// `Float.toString` of Java 19 and later.
#[must_use]
pub fn float_text(v: f32) -> String {
    let two = format!("{v:.1e}");
    let exact = two.parse() == Ok(v);
    java_text(f64::from(v), &format!("{v:e}"), exact.then_some(two))
}

/// `Double.toString` of Java 19 and later: the shortest digits that give the value back, at least
/// one after the point, with an exponent below 0.001 and from 10,000,000.
#[must_use]
pub fn double_text(v: f64) -> String {
    let two = format!("{v:.1e}");
    let exact = two.parse() == Ok(v);
    java_text(v, &format!("{v:e}"), exact.then_some(two))
}

/// `shortest`: in scientific form; `two`: the same with two digits, if that gives the value back,
/// which Java prefers to a single digit.
fn java_text(v: f64, shortest: &str, two: Option<String>) -> String {
    if v.is_nan() {
        return "NaN".into();
    }
    if v.is_infinite() {
        return if v > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let single = !shortest.contains('.');
    let scientific = two.filter(|_| single).unwrap_or_else(|| shortest.to_owned());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let (head, tail) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    if !(-3..7).contains(&exponent) {
        return format!("{sign}{head}.{tail}E{exponent}");
    }
    let tail = if tail == "0" { "" } else { tail };
    let digits = format!("{head}{tail}");
    let (whole, fraction) = match usize::try_from(exponent) {
        Err(_) => {
            let zeros = usize::try_from(-1 - exponent).unwrap_or(0);
            ("0".to_owned(), format!("{}{digits}", "0".repeat(zeros)))
        }
        Ok(shift) if digits.len() <= shift + 1 => {
            (format!("{digits:0<width$}", width = shift + 1), String::new())
        }
        Ok(shift) => {
            let (whole, fraction) = digits.split_at(shift + 1);
            (whole.to_owned(), fraction.to_owned())
        }
    };
    let fraction = if fraction.is_empty() { "0" } else { &fraction };
    format!("{sign}{whole}.{fraction}")
}

fn date_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

/// `DateTimeUtils#formatTimestampMillis`: up to `precision` digits, without zeros at the end but
/// the first.
fn time_text(millis: i32, precision: u8) -> String {
    let millis = i64::from(millis).rem_euclid(DAY_MILLIS);
    let (seconds, rest) = (millis / 1000, millis % 1000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if precision == 0 {
        return clock;
    }
    let digits = format!("{rest:03}");
    let kept = digits.get(..usize::from(precision).min(3)).unwrap_or(&digits);
    let kept = match kept.trim_end_matches('0') {
        "" => "0",
        trimmed => trimmed,
    };
    format!("{clock}.{kept}")
}

struct Instant {
    date: Date,
    seconds: i64,
    nanos: i64,
}

fn instant(millis: i64, nanos: u32) -> Instant {
    let of_day = millis.rem_euclid(DAY_MILLIS);
    Instant {
        date: Date::from_days(millis.div_euclid(DAY_MILLIS)),
        seconds: of_day / 1000,
        nanos: of_day % 1000 * 1_000_000 + i64::from(nanos),
    }
}

/// `LocalDateTime.toString`: no seconds when they are 0, else fractions in groups of 3 digits.
fn iso_timestamp(millis: i64, nanos: u32) -> String {
    let Instant { date, seconds, nanos } = instant(millis, nanos);
    let year = match date.year {
        year @ 0..=9999 => format!("{year:04}"),
        year if year > 9999 => format!("+{year}"),
        year => format!("-{:04}", year.unsigned_abs()),
    };
    let mut text = format!(
        "{year}-{:02}-{:02}T{:02}:{:02}",
        date.month,
        date.day,
        seconds / 3600,
        seconds / 60 % 60
    );
    if seconds % 60 > 0 || nanos > 0 {
        text.push_str(&format!(":{:02}", seconds % 60));
    }
    if nanos > 0 {
        text.push_str(&if nanos % 1_000_000 == 0 {
            format!(".{:03}", nanos / 1_000_000)
        } else if nanos % 1000 == 0 {
            format!(".{:06}", nanos / 1000)
        } else {
            format!(".{nanos:09}")
        });
    }
    text
}

/// `DateTimeUtils#formatTimestamp`: at least `precision` digits of the fraction.
fn sql_timestamp(millis: i64, nanos: u32, precision: u8) -> String {
    let Instant { date, seconds, nanos } = instant(millis, nanos);
    let mut fraction = format!("{nanos:09}");
    while fraction.len() > usize::from(precision) && fraction.ends_with('0') {
        fraction.pop();
    }
    let dot = if fraction.is_empty() { "" } else { "." };
    format!(
        "{} {:02}:{:02}:{:02}{dot}{fraction}",
        date_text(date),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
