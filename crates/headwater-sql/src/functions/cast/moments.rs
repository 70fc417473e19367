//! DATE, TIME and timestamps to each other.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, PrimitiveArray, Time32MillisecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType as Arrow, Date32Type, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use datafusion::common::{exec_err, internal_err};
use datafusion::error::Result;
use headwater::TypeKind;

use super::{Converted, Rules};

pub(super) fn takes(from: &Arrow) -> bool {
    matches!(
        from,
        Arrow::Date32 | Arrow::Date64 | Arrow::Time32(_) | Arrow::Time64(_) | Arrow::Timestamp(..)
    )
}

pub(super) const fn gives(wanted: &TypeKind) -> bool {
    matches!(
        wanted,
        TypeKind::Date | TypeKind::Time(_) | TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_)
    )
}

/// What kind of moments a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Date,
    Time,
    Timestamp,
    /// In UTC.
    Ltz,
}

/// The moments of a column: the start of a date, a time on the first day of 1970.
#[derive(Debug)]
pub(in super::super) struct Moments {
    pub(in super::super) kind: Kind,
    pub(in super::super) rows: Vec<Option<NaiveDateTime>>,
}

impl Moments {
    /// What clocks in the zone show; moments without a zone stay.
    pub(in super::super) fn local(&self, zone: &super::Zone, row: usize) -> Option<NaiveDateTime> {
        let at = self.rows.get(row).copied().flatten()?;
        Some(if self.kind == Kind::Ltz { zone.local(at) } else { at })
    }
}

/// Reads a column of dates, times or timestamps.
pub(in super::super) fn moments_of(array: &ArrayRef) -> Result<Moments> {
    let kind = match array.data_type() {
        Arrow::Date32 | Arrow::Date64 => Kind::Date,
        Arrow::Time32(_) | Arrow::Time64(_) => Kind::Time,
        Arrow::Timestamp(_, None) => Kind::Timestamp,
        Arrow::Timestamp(_, Some(_)) => Kind::Ltz,
        other => return internal_err!("{other} has no moments"),
    };
    let rows = match array.data_type() {
        Arrow::Date64 => return moments_of(&cast(array, &Arrow::Date32)?),
        Arrow::Date32 => array
            .as_primitive::<Date32Type>()
            .iter()
            .map(|days| days.and_then(|d| NaiveDate::from_epoch_days(d)?.and_hms_opt(0, 0, 0)))
            .collect(),
        Arrow::Time32(_) | Arrow::Time64(_) => {
            let nanos = cast(array, &Arrow::Time64(TimeUnit::Nanosecond))?;
            let start = NaiveDateTime::default();
            nanos
                .as_primitive::<Time64NanosecondType>()
                .iter()
                .map(|n| n.map(|n| start + TimeDelta::nanoseconds(n)))
                .collect()
        }
        Arrow::Timestamp(TimeUnit::Second, _) => {
            read::<TimestampSecondType>(array, |v| DateTime::from_timestamp(v, 0))
        }
        Arrow::Timestamp(TimeUnit::Millisecond, _) => {
            read::<TimestampMillisecondType>(array, DateTime::from_timestamp_millis)
        }
        Arrow::Timestamp(TimeUnit::Microsecond, _) => {
            read::<TimestampMicrosecondType>(array, DateTime::from_timestamp_micros)
        }
        _ => read::<TimestampNanosecondType>(array, |v| Some(DateTime::from_timestamp_nanos(v))),
    };
    Ok(Moments { kind, rows })
}

fn read<T: arrow::datatypes::ArrowPrimitiveType<Native = i64>>(
    array: &ArrayRef,
    f: impl Fn(i64) -> Option<DateTime<chrono::Utc>>,
) -> Vec<Option<NaiveDateTime>> {
    array.as_primitive::<T>().iter().map(|v| Some(f(v?)?.naive_utc())).collect()
}

/// The moment of one row.
fn moment_at(moments: &Moments, row: usize) -> Option<NaiveDateTime> {
    moments.rows.get(row).copied().flatten()
}

pub(super) fn convert(given: &ArrayRef, wanted: &TypeKind, rules: &Rules<'_>) -> Result<Converted> {
    let moments = moments_of(given)?;
    let kind = moments.kind;
    // What clocks show, or the moment itself when it stays one.
    let shown = |row| match wanted {
        TypeKind::TimestampLtz(_) if kind == Kind::Ltz => moment_at(&moments, row),
        TypeKind::TimestampLtz(_) => moment_at(&moments, row).map(|at| rules.zone.utc(at, true)),
        _ => moments.local(rules.zone, row),
    };
    let rows: Vec<Option<NaiveDateTime>> = (0..given.len()).map(shown).collect();
    let array: ArrayRef = match (kind, wanted) {
        (Kind::Time, TypeKind::Date) | (Kind::Date, TypeKind::Time(_)) => {
            return exec_err!("there is no cast between DATE and TIME");
        }
        (_, TypeKind::Date) => dates(rows.into_iter().map(|at| at.map(|at| at.date()))),
        (_, TypeKind::Time(digits)) => {
            times(rows.into_iter().map(|at| at.map(|at| whole(at.time(), *digits))))
        }
        (_, TypeKind::Timestamp(digits)) => timestamps(rows, *digits, false)?,
        (_, TypeKind::TimestampLtz(digits)) => timestamps(rows, *digits, true)?,
        (_, other) => return internal_err!("a moment cannot become {other}"),
    };
    Ok(Converted::whole(array))
}

/// A column of dates.
pub(in super::super) fn dates(rows: impl Iterator<Item = Option<NaiveDate>>) -> ArrayRef {
    Arc::new(rows.map(|date| date.map(|d| d.to_epoch_days())).collect::<Date32Array>())
}

/// TIME(0) has no part of a second; the others have milliseconds.
pub(super) fn whole(at: NaiveTime, digits: u8) -> NaiveTime {
    if digits == 0 { at.with_nanosecond(0).unwrap_or(at) } else { at }
}

/// A column of times of day, to the millisecond.
pub(in super::super) fn times(rows: impl Iterator<Item = Option<NaiveTime>>) -> ArrayRef {
    let millis = |at: NaiveTime| {
        i32::try_from(at.signed_duration_since(NaiveTime::MIN).num_milliseconds()).unwrap_or(0)
    };
    Arc::new(rows.map(|at| at.map(millis)).collect::<Time32MillisecondArray>())
}

/// A column of timestamps with so many digits behind the second; more digits are dropped.
pub(in super::super) fn timestamps(
    rows: Vec<Option<NaiveDateTime>>,
    digits: u8,
    ltz: bool,
) -> Result<ArrayRef> {
    let unit = match digits {
        0 => TimeUnit::Second,
        1..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    };
    let dropped = 10_i64.pow(u32::from(9 - digits.min(9)));
    let cut = |at: NaiveDateTime| {
        let nanos = i64::from(at.and_utc().timestamp_subsec_nanos());
        at - TimeDelta::nanoseconds(nanos % dropped)
    };
    of_unit(rows.into_iter().map(|at| at.map(cut)).collect(), unit, ltz)
}

/// A column of timestamps in this unit.
pub(in super::super) fn of_unit(
    rows: Vec<Option<NaiveDateTime>>,
    unit: TimeUnit,
    ltz: bool,
) -> Result<ArrayRef> {
    fn finish<T: arrow::datatypes::ArrowTimestampType>(
        array: PrimitiveArray<T>,
        ltz: bool,
    ) -> ArrayRef {
        if ltz { Arc::new(array.with_timezone("UTC")) } else { Arc::new(array) }
    }
    let utc = rows.into_iter().map(|at| at.map(|at| at.and_utc()));
    Ok(match unit {
        TimeUnit::Second => {
            finish(utc.map(|at| at.map(|at| at.timestamp())).collect::<TimestampSecondArray>(), ltz)
        }
        TimeUnit::Millisecond => finish(
            utc.map(|at| at.map(|at| at.timestamp_millis())).collect::<TimestampMillisecondArray>(),
            ltz,
        ),
        TimeUnit::Microsecond => finish(
            utc.map(|at| at.map(|at| at.timestamp_micros())).collect::<TimestampMicrosecondArray>(),
            ltz,
        ),
        TimeUnit::Nanosecond => {
            let mut nanos = Vec::new();
            for at in utc {
                match at.map(|at| at.timestamp_nanos_opt().ok_or(at)) {
                    None => nanos.push(None),
                    Some(Ok(value)) => nanos.push(Some(value)),
                    Some(Err(at)) => {
                        return exec_err!(
                            "{at} does not fit a timestamp with nanoseconds (1677 to 2262)"
                        );
                    }
                }
            }
            finish(TimestampNanosecondArray::from(nanos), ltz)
        }
    })
}
