//! Parts of dates and times: EXTRACT, FLOOR and CEIL to a unit, TIMESTAMPDIFF and TIMESTAMPADD.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;

use super::call::{Call, Param, Spec, failed, returns};
use super::cast::{Kind, dates, moments_of, of_unit, times};
use super::time::{plus_millis, plus_months};

use Param::{Any, Long, Moment, Text};

/// EXTRACT(unit FROM value), in a rewritten query.
pub(super) const EXTRACT: &str = "$extract";
/// FLOOR(value TO unit), in a rewritten query.
pub(crate) const FLOOR: &str = "$floor";
/// CEIL(value TO unit), in a rewritten query.
pub(crate) const CEIL: &str = "$ceil";

/// A function that is EXTRACT of one unit.
macro_rules! part {
    ($name:literal, $unit:expr) => {
        Spec::new(&[$name], &[Moment], returns::long, |c| extract_all(c, 0, $unit)).total()
    };
}

pub(super) const FUNCTIONS: &[Spec] = &[
    part!("year", Unit::Year),
    part!("quarter", Unit::Quarter),
    part!("month", Unit::Month),
    part!("week", Unit::Week),
    part!("dayofyear", Unit::DayOfYear),
    part!("dayofmonth", Unit::Day),
    part!("dayofweek", Unit::DayOfWeek),
    part!("hour", Unit::Hour),
    part!("minute", Unit::Minute),
    part!("second", Unit::Second),
    Spec::new(&[EXTRACT], &[Text, Any], returns::long, |c| {
        let Some(unit) = unit(c, 0)? else { return empty(c) };
        extract_all(c, 1, unit)
    })
    .total(),
    Spec::new(&[FLOOR], &[Moment, Text], returns::first, |c| to_unit(c, false)).total(),
    Spec::new(&[CEIL], &[Moment, Text], returns::first, |c| to_unit(c, true)).total(),
    Spec::new(&["timestampdiff", "timestamp_diff"], &[Text, Moment, Moment], returns::int, |c| {
        let Some(unit) = unit(c, 0)? else { return empty(c) };
        let (from, to) = (moments_of(c.arg(1)?)?, moments_of(c.arg(2)?)?);
        let zone = &c.context.zone;
        let rows = c.strict(|row| {
            // Moments are compared with what clocks show in the session's zone.
            let (Some(from), Some(to)) = (from.local(zone, row), to.local(zone, row)) else {
                return Ok(None);
            };
            let count = difference(unit, from, to)?;
            Ok(Some(super::math::wrap(count)))
        })?;
        Ok(Arc::new(Int32Array::from(rows)))
    })
    .total(),
    Spec::new(&["timestampadd", "timestamp_add"], &[Text, Long, Moment], added_type, add).total(),
];

/// A part of a date or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Millennium,
    Century,
    Decade,
    Year,
    IsoYear,
    Quarter,
    Month,
    Week,
    Day,
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Epoch,
}

impl Unit {
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().trim_start_matches("SQL_TSI_") {
            "MILLENNIUM" => Self::Millennium,
            "CENTURY" => Self::Century,
            "DECADE" => Self::Decade,
            "YEAR" | "YEARS" => Self::Year,
            "ISOYEAR" => Self::IsoYear,
            "QUARTER" | "QUARTERS" => Self::Quarter,
            "MONTH" | "MONTHS" => Self::Month,
            "WEEK" | "WEEKS" => Self::Week,
            "DAY" | "DAYS" => Self::Day,
            "DOW" => Self::DayOfWeek,
            "ISODOW" => Self::IsoDayOfWeek,
            "DOY" => Self::DayOfYear,
            "HOUR" | "HOURS" => Self::Hour,
            "MINUTE" | "MINUTES" => Self::Minute,
            "SECOND" | "SECONDS" => Self::Second,
            "MILLISECOND" => Self::Millisecond,
            "MICROSECOND" => Self::Microsecond,
            "NANOSECOND" => Self::Nanosecond,
            "EPOCH" => Self::Epoch,
            _ => return None,
        })
    }

    /// Milliseconds of a unit that always lasts as long.
    const fn millis(self) -> Option<i64> {
        Some(match self {
            Self::Week => 7 * 86_400_000,
            Self::Day => 86_400_000,
            Self::Hour => 3_600_000,
            Self::Minute => 60_000,
            Self::Second => 1000,
            Self::Millisecond => 1,
            _ => return None,
        })
    }

    const fn months(self) -> Option<i64> {
        Some(match self {
            Self::Millennium => 12_000,
            Self::Century => 1200,
            Self::Decade => 120,
            Self::Year => 12,
            Self::Quarter => 3,
            Self::Month => 1,
            _ => return None,
        })
    }
}

/// The unit that an argument names; none without rows.
fn unit(call: &Call<'_>, at: usize) -> Result<Option<Unit>> {
    let names = call.text(at)?;
    if names.is_empty() || names.is_null(0) {
        return Ok(None);
    }
    match Unit::parse(names.value(0)) {
        Some(unit) => Ok(Some(unit)),
        None => call.fail(format!("there is no unit {}", names.value(0))),
    }
}

fn empty(call: &Call<'_>) -> Result<ArrayRef> {
    Ok(arrow::array::new_null_array(call.result.data_type(), call.rows))
}

fn extract_all(call: &Call<'_>, at: usize, unit: Unit) -> Result<ArrayRef> {
    let given = call.arg(at)?;
    if matches!(given.data_type(), Arrow::Interval(_) | Arrow::Duration(_)) {
        return of_intervals(call, given, unit);
    }
    if !given.data_type().is_temporal() {
        return call.fail(format!(
            "takes a DATE, a TIME or a TIMESTAMP, not {}",
            super::types::name_of(given.data_type())
        ));
    }
    let moments = moments_of(given)?;
    let rows =
        call.strict(|row| Ok(moments.local(&call.context.zone, row).map(|at| part(at, unit))))?;
    Ok(Arc::new(Int64Array::from(rows)))
}

fn part(at: NaiveDateTime, unit: Unit) -> i64 {
    let year = i64::from(at.year());
    let nanos = i64::from(at.nanosecond() % 1_000_000_000);
    match unit {
        Unit::Millennium => (year + if year > 0 { 999 } else { -999 }) / 1000,
        Unit::Century => (year + if year > 0 { 99 } else { -99 }) / 100,
        Unit::Decade => year.div_euclid(10),
        Unit::Year => year,
        Unit::IsoYear => i64::from(at.iso_week().year()),
        Unit::Quarter => i64::from(at.month0() / 3 + 1),
        Unit::Month => i64::from(at.month()),
        Unit::Week => i64::from(at.iso_week().week()),
        Unit::Day => i64::from(at.day()),
        Unit::DayOfWeek => i64::from(at.weekday().num_days_from_sunday() + 1),
        Unit::IsoDayOfWeek => i64::from(at.weekday().number_from_monday()),
        Unit::DayOfYear => i64::from(at.ordinal()),
        Unit::Hour => i64::from(at.hour()),
        Unit::Minute => i64::from(at.minute()),
        Unit::Second => i64::from(at.second()),
        Unit::Millisecond => nanos / 1_000_000,
        Unit::Microsecond => nanos / 1000,
        Unit::Nanosecond => nanos,
        Unit::Epoch => at.and_utc().timestamp(),
    }
}

fn of_intervals(call: &Call<'_>, given: &ArrayRef, unit: Unit) -> Result<ArrayRef> {
    let intervals = cast(given, &Arrow::Interval(IntervalUnit::MonthDayNano))?;
    let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
    let rows = call.strict(|row| {
        let value = intervals.value(row);
        let seconds = value.nanoseconds / 1_000_000_000;
        let months = i64::from(value.months);
        Ok(Some(match unit {
            Unit::Year => months / 12,
            Unit::Quarter => months % 12 / 3 + 1,
            Unit::Month => months % 12,
            Unit::Day => i64::from(value.days) + seconds / 86_400,
            Unit::Hour => seconds % 86_400 / 3600,
            Unit::Minute => seconds % 3600 / 60,
            Unit::Second => seconds % 60,
            Unit::Millisecond => value.nanoseconds / 1_000_000 % 1000,
            _ => return call.fail(format!("an INTERVAL has no {unit:?}")),
        }))
    })?;
    Ok(Arc::new(Int64Array::from(rows)))
}

/// The start of the unit, or of the next one unless it is a start already.
fn to_unit(call: &Call<'_>, up: bool) -> Result<ArrayRef> {
    let Some(unit) = unit(call, 1)? else { return empty(call) };
    let given = call.arg(0)?;
    let moments = moments_of(given)?;
    let zone = &call.context.zone;
    let rows = call.strict(|row| {
        let Some(at) = moments.local(zone, row) else { return Ok(None) };
        let start = start_of(at, unit)
            .and_then(|start| if up && start < at { after(start, unit) } else { Some(start) });
        let Some(start) = start else { return call.fail(format!("{unit:?} of {at} is not known")) };
        Ok(Some(if moments.kind == Kind::Ltz { zone.utc(start, true) } else { start }))
    })?;
    Ok(match given.data_type() {
        Arrow::Timestamp(time_unit, zone) => of_unit(rows, *time_unit, zone.is_some())?,
        Arrow::Date32 | Arrow::Date64 => {
            cast(&dates(rows.into_iter().map(|at| at.map(|at| at.date()))), given.data_type())?
        }
        other => cast(&times(rows.into_iter().map(|at| at.map(|at| at.time()))), other)?,
    })
}

fn start_of(at: NaiveDateTime, unit: Unit) -> Option<NaiveDateTime> {
    let midnight = |date: NaiveDate| date.and_hms_opt(0, 0, 0);
    let year = at.year();
    let first = |year: i32, month: u32| midnight(NaiveDate::from_ymd_opt(year, month, 1)?);
    match unit {
        Unit::Millennium => first((year - 1).div_euclid(1000) * 1000 + 1, 1),
        Unit::Century => first((year - 1).div_euclid(100) * 100 + 1, 1),
        Unit::Decade => first(year.div_euclid(10) * 10, 1),
        Unit::Year => first(year, 1),
        Unit::Quarter => first(year, at.month0() / 3 * 3 + 1),
        Unit::Month => first(year, at.month()),
        Unit::Week => {
            let back = i64::from(at.weekday().num_days_from_sunday());
            midnight(at.date())?.checked_sub_signed(TimeDelta::days(back))
        }
        Unit::Day => midnight(at.date()),
        Unit::Hour | Unit::Minute | Unit::Second | Unit::Millisecond => {
            let nanos = unit.millis()? * 1_000_000;
            let passed = i64::from(at.num_seconds_from_midnight()) * 1_000_000_000
                + i64::from(at.nanosecond() % 1_000_000_000);
            at.checked_sub_signed(TimeDelta::nanoseconds(passed % nanos))
        }
        _ => None,
    }
}

fn after(start: NaiveDateTime, unit: Unit) -> Option<NaiveDateTime> {
    match (unit.months(), unit.millis()) {
        (Some(months), _) => plus_months(start, months),
        (None, Some(millis)) => plus_millis(start, millis),
        (None, None) => None,
    }
}

/// Whole units between the two, towards zero.
fn difference(unit: Unit, from: NaiveDateTime, to: NaiveDateTime) -> Result<i64> {
    if let Some(millis) = unit.millis() {
        return Ok(to.signed_duration_since(from).num_milliseconds() / millis);
    }
    let Some(months) = unit.months() else {
        return Err(failed(format!("TIMESTAMPDIFF does not count in {unit:?}")));
    };
    let (low, high, sign) = if from <= to { (from, to, 1) } else { (to, from, -1) };
    let index = |at: NaiveDateTime| i64::from(at.year()) * 12 + i64::from(at.month0());
    let mut count = index(high) - index(low);
    // The last month is not whole when its end, with as many days as it has, is not reached.
    while count > 0 && plus_months(low, count).is_none_or(|end| end > high) {
        count -= 1;
    }
    Ok(sign * (count / months))
}

fn added_type(types: &[Arrow], scalars: &[Option<&ScalarValue>]) -> Result<Arrow> {
    let base = types.get(2).cloned().unwrap_or(Arrow::Null);
    let unit = match scalars.first() {
        Some(Some(ScalarValue::Utf8(Some(name)))) => Unit::parse(name),
        _ => None,
    };
    match (&base, unit) {
        (_, None) => plan_err!("TIMESTAMPADD: the first argument must be a unit, such as DAY"),
        // Hours of a date make a timestamp.
        (Arrow::Date32, Some(Unit::Hour | Unit::Minute | Unit::Second)) => {
            Ok(Arrow::Timestamp(TimeUnit::Microsecond, None))
        }
        _ => Ok(base),
    }
}

fn add(call: &Call<'_>) -> Result<ArrayRef> {
    let Some(unit) = unit(call, 0)? else { return empty(call) };
    let (counts, moments) = (call.long(1)?, moments_of(call.arg(2)?)?);
    let zone = &call.context.zone;
    let rows = call.strict(|row| {
        let Some(at) = moments.local(zone, row) else { return Ok(None) };
        let count = counts.value(row);
        let moved = match (unit.months(), unit.millis()) {
            (Some(months), _) => count.checked_mul(months).and_then(|n| plus_months(at, n)),
            (None, Some(millis)) => count.checked_mul(millis).and_then(|n| plus_millis(at, n)),
            (None, None) => return call.fail(format!("does not count in {unit:?}")),
        };
        match moved {
            Some(at) if moments.kind == Kind::Ltz => Ok(Some(zone.utc(at, true))),
            Some(at) => Ok(Some(at)),
            None => call.fail(format!("{at} plus {count} {unit:?} is out of range")),
        }
    })?;
    Ok(match call.result.data_type() {
        Arrow::Timestamp(time_unit, zone) => of_unit(rows, *time_unit, zone.is_some())?,
        Arrow::Date32 => dates(rows.into_iter().map(|at| at.map(|at| at.date()))),
        other => cast(&times(rows.into_iter().map(|at| at.map(|at| at.time()))), other)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    #[test]
    fn months_are_whole_when_their_last_day_is_reached() {
        let months = |a, b| difference(Unit::Month, at(a), at(b)).unwrap();
        assert_eq!(months("2026-01-31 00:00:00", "2026-02-28 00:00:00"), 1);
        assert_eq!(months("2026-01-31 12:00:00", "2026-03-31 11:00:00"), 1);
        assert_eq!(months("2026-03-31 00:00:00", "2026-02-28 00:00:00"), -1);
        assert_eq!(
            difference(Unit::Quarter, at("2026-01-31 00:00:00"), at("2026-12-31 00:00:00"))
                .unwrap(),
            3
        );
    }
}
