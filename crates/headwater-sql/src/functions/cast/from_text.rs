//! Texts to all other plain types.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, StringArray, Time32MillisecondArray,
};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use datafusion::common::internal_err;
use datafusion::error::Result;
use headwater::TypeKind;

use super::super::numbers::java_double;
use super::moments::timestamps;
use super::numeric::decimal_of_text;
use super::{Converted, Failure, Rules};

pub(super) fn convert(
    given: &StringArray,
    wanted: &TypeKind,
    rules: &Rules<'_>,
) -> Result<Converted> {
    let mut failures = Vec::new();
    let array: ArrayRef = match wanted {
        TypeKind::Boolean => {
            Arc::new(BooleanArray::from(read(given, wanted, &mut failures, boolean)))
        }
        TypeKind::TinyInt => Arc::new(Int8Array::from(read(given, wanted, &mut failures, |t| {
            integer(t)?.try_into().ok()
        }))),
        TypeKind::SmallInt => Arc::new(Int16Array::from(read(given, wanted, &mut failures, |t| {
            integer(t)?.try_into().ok()
        }))),
        TypeKind::Int => Arc::new(Int32Array::from(read(given, wanted, &mut failures, |t| {
            integer(t)?.try_into().ok()
        }))),
        TypeKind::BigInt => Arc::new(Int64Array::from(read(given, wanted, &mut failures, |t| {
            integer(t)?.try_into().ok()
        }))),
        TypeKind::Float => Arc::new(Float32Array::from(read(given, wanted, &mut failures, float))),
        TypeKind::Double => {
            Arc::new(Float64Array::from(read(given, wanted, &mut failures, java_double)))
        }
        TypeKind::Decimal { precision, scale } => {
            let scale = scale.cast_signed();
            let rows = read(given, wanted, &mut failures, |t| {
                decimal_of_text(t.trim(), *precision, scale)
            });
            Arc::new(Decimal128Array::from(rows).with_precision_and_scale(*precision, scale)?)
        }
        TypeKind::Date => {
            let rows = read(given, wanted, &mut failures, |t| parse_date(t).map(days));
            Arc::new(Date32Array::from(rows))
        }
        TypeKind::Time(digits) => {
            let whole = |millis: i32| if *digits == 0 { millis - millis % 1000 } else { millis };
            let rows = read(given, wanted, &mut failures, |t| time(t).map(whole));
            Arc::new(Time32MillisecondArray::from(rows))
        }
        TypeKind::Timestamp(digits) => {
            let rows = read(given, wanted, &mut failures, parse_timestamp);
            timestamps(rows, *digits, false)?
        }
        TypeKind::TimestampLtz(digits) => {
            let rows = read(given, wanted, &mut failures, |t| {
                parse_timestamp(t).map(|at| rules.zone.utc(at, true))
            });
            timestamps(rows, *digits, true)?
        }
        other => return internal_err!("a text cannot become {other}"),
    };
    Ok(Converted { array, failures })
}

fn read<T>(
    given: &StringArray,
    wanted: &TypeKind,
    failures: &mut Vec<Failure>,
    f: impl Fn(&str) -> Option<T>,
) -> Vec<Option<T>> {
    given
        .iter()
        .enumerate()
        .map(|(row, text)| {
            let text = text?;
            let value = f(text);
            if value.is_none() {
                let shown: String = text.chars().take(100).collect();
                let reason = format!("'{shown}' is no {wanted}");
                failures.push(Failure { row, reason, overflow: false });
            }
            value
        })
        .collect()
}

fn boolean(text: &str) -> Option<bool> {
    const YES: &[&str] = &["t", "true", "y", "yes", "1"];
    const NO: &[&str] = &["f", "false", "n", "no", "0"];
    if YES.iter().any(|yes| text.eq_ignore_ascii_case(yes)) {
        return Some(true);
    }
    NO.iter().any(|no| text.eq_ignore_ascii_case(no)).then_some(false)
}

/// A whole number; a fraction is read and dropped.
fn integer(text: &str) -> Option<i128> {
    let text = text.trim();
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if unsigned.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    Some(if negative { -value } else { value })
}

fn float(text: &str) -> Option<f32> {
    java_double(text)?;
    let text = text.trim().trim_end_matches(['d', 'D', 'f', 'F']);
    match text.trim_start_matches(['+', '-']) {
        "NaN" => Some(f32::NAN),
        "Infinity" if text.starts_with('-') => Some(f32::NEG_INFINITY),
        "Infinity" => Some(f32::INFINITY),
        _ => text.parse().ok(),
    }
}

fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// `2026`, `2026-3`, `2026-03-01`, with anything behind a space; years 0 to 9999.
pub(in super::super) fn parse_date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let text = text.split(' ').next().unwrap_or(text);
    let mut parts = text.splitn(3, '-');
    let year = number(parts.next()?, 9)?;
    let month = parts.next().map_or(Some(1), |t| number(t, 9))?;
    let day = parts.next().map_or(Some(1), |t| number(t, 9))?;
    if year > 9999 {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// Up to `most` ASCII digits.
fn number(text: &str, most: usize) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Milliseconds of the day; minutes, seconds and a fraction may be left out.
fn time(text: &str) -> Option<i32> {
    let (clock, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = parts.next().map_or(Some(0), |t| number(t, 2))?;
    let second = parts.next().map_or(Some(0), |t| number(t, 2))?;
    if parts.next().is_some() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let millis: u32 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let at = NaiveTime::from_hms_milli_opt(hour, minute, second, millis)?;
    i32::try_from(at.signed_duration_since(NaiveTime::MIN).num_milliseconds()).ok()
}

/// `2026-3-1` or `2026-03-01 1:2:3.4`; a day that the month does not have is its last one, 24:00:00
/// the next day.
pub(in super::super) fn parse_timestamp(text: &str) -> Option<NaiveDateTime> {
    let (date, clock) = match text.split_once(' ') {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || parts.next().is_some() {
        return None;
    }
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let date = clamped_date(i32::try_from(year).ok()?, month, day)?;
    let Some(clock) = clock else { return date.and_hms_opt(0, 0, 0) };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second = number(parts.next()?, 2)?;
    if parts.next().is_some() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    if (hour, minute, second, nanos) == (24, 0, 0, 0) {
        return date.checked_add_signed(TimeDelta::days(1))?.and_hms_opt(0, 0, 0);
    }
    date.and_hms_nano_opt(hour, minute, second, nanos).filter(|_| second < 60)
}

/// Days 29 to 31 stand for the last day of a shorter month.
pub(in super::super) fn clamped_date(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    if !(1..=31).contains(&day) {
        return None;
    }
    (0..4).find_map(|less| NaiveDate::from_ymd_opt(year, month, day.checked_sub(less)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_as_flink_reads_them() {
        for (text, shown) in [
            ("2026-3-1 1:2:3", Some("2026-03-01 01:02:03")),
            ("2026-02-30 10:05:01", Some("2026-02-28 10:05:01")),
            ("2026-03-01", Some("2026-03-01 00:00:00")),
            ("2026-01-01 24:00:00", Some("2026-01-02 00:00:00")),
            ("2026-01-01 10:00:00.", Some("2026-01-01 10:00:00")),
            ("2026-03-01T10:05:01", None),
            ("2026-03-01 10:05", None),
            ("2026-13-01 10:05:01", None),
            (" 2026-03-01 10:05:01", None),
            ("2026-03-01 10:05:61", None),
            ("", None),
        ] {
            assert_eq!(parse_timestamp(text).map(|t| t.to_string()).as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn dates_may_be_short() {
        for (text, shown) in [
            ("2026", Some("2026-01-01")),
            (" 2026-2-8 ", Some("2026-02-08")),
            ("2026-01-01 10:00:00", Some("2026-01-01")),
            ("2026-02-30", None),
            ("20260101", None),
            ("2026-01-01T10:00:00", None),
            ("", None),
        ] {
            assert_eq!(parse_date(text).map(|t| t.to_string()).as_deref(), shown, "{text}");
        }
    }
}
