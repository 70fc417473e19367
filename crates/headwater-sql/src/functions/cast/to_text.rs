//! Values of all types as texts: what `CAST(value AS STRING)` gives.

use arrow::array::{Array, ArrayRef, AsArray, MapArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, Float32Type, Float64Type, Int64Type,
    IntervalMonthDayNanoType, IntervalUnit, TimeUnit, UInt64Type,
};
use chrono::NaiveDateTime;
use datafusion::common::plan_err;
use datafusion::error::Result;

use super::super::numbers::{decimal_text, double_text, float_text};
use super::super::types::name_of;
use super::super::zone::Zone;
use super::moments::{Kind, Moments, moments_of};
use crate::column_kind::digits;

/// A column whose values can be asked for as texts.
pub(in super::super) struct Texts {
    array: ArrayRef,
    kind: Shown,
}

enum Shown {
    Null,
    Boolean,
    Long,
    Unsigned,
    Float,
    Double,
    Decimal(i8),
    Text,
    Bytes,
    Moment { moments: Moments, digits: u8, zone: Zone },
    Interval,
    List(Box<Texts>),
    Map(Box<Texts>, Box<Texts>),
    Row(Vec<Texts>),
}

/// Prepares a column.
pub(in super::super) fn texts_of(given: &ArrayRef, zone: &Zone) -> Result<Texts> {
    let to = |t: &Arrow| cast(given, t);
    let (array, kind) = match given.data_type() {
        Arrow::Null => (ArrayRef::clone(given), Shown::Null),
        Arrow::Boolean => (ArrayRef::clone(given), Shown::Boolean),
        Arrow::UInt64 => (ArrayRef::clone(given), Shown::Unsigned),
        t if t.is_integer() => (to(&Arrow::Int64)?, Shown::Long),
        Arrow::Float32 => (ArrayRef::clone(given), Shown::Float),
        Arrow::Float16 => (to(&Arrow::Float32)?, Shown::Float),
        Arrow::Float64 => (ArrayRef::clone(given), Shown::Double),
        Arrow::Decimal128(_, scale) => (ArrayRef::clone(given), Shown::Decimal(*scale)),
        Arrow::Decimal32(_, s) | Arrow::Decimal64(_, s) | Arrow::Decimal256(_, s) => {
            (to(&Arrow::Decimal128(38, *s))?, Shown::Decimal(*s))
        }
        Arrow::Utf8 => (ArrayRef::clone(given), Shown::Text),
        Arrow::LargeUtf8 | Arrow::Utf8View => (to(&Arrow::Utf8)?, Shown::Text),
        Arrow::Binary => (ArrayRef::clone(given), Shown::Bytes),
        Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_) => {
            (to(&Arrow::Binary)?, Shown::Bytes)
        }
        Arrow::Date32 | Arrow::Date64 | Arrow::Time32(_) | Arrow::Time64(_) => {
            let moments = moments_of(given)?;
            (ArrayRef::clone(given), Shown::Moment { moments, digits: 0, zone: zone.clone() })
        }
        Arrow::Timestamp(unit, _) => {
            let (moments, digits) = (moments_of(given)?, digits(*unit));
            (ArrayRef::clone(given), Shown::Moment { moments, digits, zone: zone.clone() })
        }
        Arrow::Interval(_) => (to(&Arrow::Interval(IntervalUnit::MonthDayNano))?, Shown::Interval),
        Arrow::Duration(_) => {
            let nanos = to(&Arrow::Duration(TimeUnit::Nanosecond))?;
            (cast(&nanos, &Arrow::Interval(IntervalUnit::MonthDayNano))?, Shown::Interval)
        }
        Arrow::Dictionary(_, value) => return texts_of(&to(value)?, zone),
        Arrow::LargeList(e) | Arrow::FixedSizeList(e, _) => {
            return texts_of(&to(&Arrow::List(std::sync::Arc::clone(e)))?, zone);
        }
        Arrow::List(_) => {
            let inner = texts_of(given.as_list::<i32>().values(), zone)?;
            (ArrayRef::clone(given), Shown::List(Box::new(inner)))
        }
        Arrow::Map(..) => {
            let map: &MapArray = given.as_map();
            let (keys, values) = (texts_of(map.keys(), zone)?, texts_of(map.values(), zone)?);
            (ArrayRef::clone(given), Shown::Map(Box::new(keys), Box::new(values)))
        }
        Arrow::Struct(_) => {
            let fields = given.as_struct().columns().iter().map(|c| texts_of(c, zone));
            (ArrayRef::clone(given), Shown::Row(fields.collect::<Result<_>>()?))
        }
        other => return plan_err!("there is no cast from {} to STRING", name_of(other)),
    };
    Ok(Texts { array, kind })
}

impl Texts {
    /// The text of one row; none for null.
    pub(in super::super) fn at(&self, row: usize) -> Result<Option<String>> {
        let array = &self.array;
        if array.is_null(row) {
            return Ok(None);
        }
        Ok(match &self.kind {
            Shown::Null => None,
            Shown::Boolean => {
                Some(if array.as_boolean().value(row) { "TRUE" } else { "FALSE" }.to_owned())
            }
            Shown::Long => Some(array.as_primitive::<Int64Type>().value(row).to_string()),
            Shown::Unsigned => Some(array.as_primitive::<UInt64Type>().value(row).to_string()),
            Shown::Float => Some(float_text(array.as_primitive::<Float32Type>().value(row))),
            Shown::Double => Some(double_text(array.as_primitive::<Float64Type>().value(row))),
            Shown::Decimal(scale) => {
                Some(decimal_text(array.as_primitive::<Decimal128Type>().value(row), *scale))
            }
            Shown::Text => Some(array.as_string::<i32>().value(row).to_owned()),
            Shown::Bytes => {
                Some(String::from_utf8_lossy(array.as_binary::<i32>().value(row)).into_owned())
            }
            Shown::Moment { moments, digits, zone } => {
                moments.local(zone, row).map(|at| moment_text(at, moments.kind, *digits))
            }
            Shown::Interval => {
                let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
                Some(interval_text(value.months, value.days, value.nanoseconds))
            }
            Shown::List(inner) => {
                let offsets = array.as_list::<i32>().value_offsets();
                let parts = range(offsets, row).map(|at| inner.element(at));
                Some(format!("[{}]", parts.collect::<Result<Vec<_>>>()?.join(", ")))
            }
            Shown::Map(keys, values) => {
                let offsets = array.as_map().value_offsets();
                let parts = range(offsets, row)
                    .map(|at| Ok(format!("{}={}", keys.element(at)?, values.element(at)?)));
                Some(format!("{{{}}}", parts.collect::<Result<Vec<_>>>()?.join(", ")))
            }
            Shown::Row(fields) => {
                let parts = fields.iter().map(|field| field.element(row));
                Some(format!("({})", parts.collect::<Result<Vec<_>>>()?.join(", ")))
            }
        })
    }

    fn element(&self, row: usize) -> Result<String> {
        Ok(self.at(row)?.unwrap_or_else(|| "NULL".to_owned()))
    }
}

/// The positions of a row's elements.
pub(in super::super) fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |i: usize| offsets.get(i).and_then(|o| usize::try_from(*o).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}

fn moment_text(at: NaiveDateTime, kind: Kind, digits: u8) -> String {
    match kind {
        Kind::Date => at.format("%Y-%m-%d").to_string(),
        Kind::Time => at.format("%H:%M:%S").to_string(),
        Kind::Timestamp | Kind::Ltz => {
            let whole = at.format("%Y-%m-%d %H:%M:%S").to_string();
            let nanos = format!("{:09}", at.and_utc().timestamp_subsec_nanos());
            match nanos.get(..usize::from(digits)) {
                Some(fraction) if !fraction.is_empty() => format!("{whole}.{fraction}"),
                _ => whole,
            }
        }
    }
}

/// `+1-02` for years and months, else `+1 02:03:04.500`.
fn interval_text(months: i32, days: i32, nanos: i64) -> String {
    if months != 0 && days == 0 && nanos == 0 {
        let sign = if months < 0 { '-' } else { '+' };
        let months = months.unsigned_abs();
        return format!("{sign}{}-{:02}", months / 12, months % 12);
    }
    let millis = i128::from(months) * 30 * 86_400_000
        + i128::from(days) * 86_400_000
        + i128::from(nanos / 1_000_000);
    let sign = if millis < 0 { '-' } else { '+' };
    let millis = millis.unsigned_abs();
    let (seconds, rest) = (millis / 1000, millis % 1000);
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    format!(
        "{sign}{} {:02}:{:02}:{:02}.{rest:03}",
        hours / 24,
        hours % 24,
        minutes % 60,
        seconds % 60
    )
}
