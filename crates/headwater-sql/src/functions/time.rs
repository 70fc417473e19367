//! Times as texts and numbers: DATE_FORMAT, TO_TIMESTAMP, FROM_UNIXTIME and their like.

mod formatter;
mod names;
mod reader;
mod simple_format;

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType as Arrow, Decimal128Type, Int64Type, TimeUnit};
use chrono::{Datelike, NaiveDateTime, TimeDelta};
use datafusion::common::ScalarValue;
use datafusion::error::Result;

use self::formatter::Formatter;
use self::simple_format::SimpleFormat;
use super::Context;
use super::call::{Call, Param, Spec, returns};
use super::cast::{dates, moments_of, of_unit, parse_date, parse_timestamp, times};
use super::zone::{Zone, at_millis};

use Param::{Any, Long, Number, Text};

/// The pattern of texts that stand for times where none is given.
const USUAL: &str = "yyyy-MM-dd HH:mm:ss";

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&["date_format"], &[Any, Text], returns::text, date_format),
    Spec::new(&["to_timestamp"], &[Text, Text], returns::millis, to_timestamp).required(1),
    Spec::new(&["to_date"], &[Text, Text], returns::date, to_date).required(1),
    Spec::new(&["to_timestamp_ltz"], &[Number, Long], returns::millis_ltz, to_timestamp_ltz),
    Spec::new(&["from_unixtime"], &[Long, Text], returns::text, |c| {
        let seconds = c.long(0)?;
        let formats = Patterns::new(SimpleFormat::new);
        c.texts(|row| {
            let at = seconds.value(row).checked_mul(1000).and_then(at_millis);
            let Some(at) = at else {
                return c.fail(format!("{} seconds are out of range", seconds.value(row)));
            };
            let pattern = if c.count() == 2 { c.text(1)?.value(row) } else { USUAL };
            formats.with(pattern, |format| format.format(at, &c.context.zone)).map(Some)
        })
    })
    .required(1),
    Spec::new(&["unix_timestamp"], &[Text, Text], returns::long, |c| {
        if c.count() == 0 {
            return c.fail("the time of the statement is not known");
        }
        let texts = c.text(0)?;
        let formats = Patterns::new(SimpleFormat::new);
        let rows = c.strict(|row| {
            let pattern = if c.count() == 2 { c.text(1)?.value(row) } else { USUAL };
            let at = formats.with(pattern, |f| Ok(f.read(texts.value(row), &c.context.zone)))?;
            // What is no time is the least number, as in Flink.
            Ok(Some(at.map_or(i64::MIN, |at| at.and_utc().timestamp_millis() / 1000)))
        })?;
        Ok(Arc::new(Int64Array::from(rows)))
    })
    .required(0)
    .at_start(|start, _| ScalarValue::Int64(Some(start.and_utc().timestamp()))),
    Spec::new(&["convert_tz"], &[Text, Text, Text], returns::text, |c| {
        let (texts, from, to) = (c.text(0)?, c.text(1)?, c.text(2)?);
        let format = SimpleFormat::new(USUAL)?;
        c.texts(|row| {
            let (from, to) = (Zone::lenient(from.value(row)), Zone::lenient(to.value(row)));
            match format.read(texts.value(row), &from) {
                Some(at) => format.format(at, &to).map(Some),
                None => Ok(None),
            }
        })
    }),
    now(
        &["current_timestamp", "now", "current_row_timestamp", "proctime"],
        returns::millis_ltz,
        |at, _| {
            ScalarValue::TimestampMillisecond(
                Some(at.and_utc().timestamp_millis()),
                Some("UTC".into()),
            )
        },
    ),
    now(&["localtimestamp", "local_timestamp"], returns::millis, |at, context| {
        let local = context.zone.local(at);
        ScalarValue::TimestampMillisecond(Some(local.and_utc().timestamp_millis()), None)
    }),
    now(&["current_date"], returns::date, |at, context| {
        scalar(&dates(std::iter::once(Some(context.zone.local(at).date()))))
    }),
    now(&["current_time", "localtime", "local_time"], time_type, |at, context| {
        let seconds = context.zone.local(at).and_utc().timestamp();
        let whole = chrono::DateTime::from_timestamp(seconds, 0).map(|at| at.time());
        scalar(&times(std::iter::once(whole)))
    }),
];

fn time_type(_: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    Ok(Arrow::Time32(TimeUnit::Millisecond))
}

fn scalar(array: &ArrayRef) -> ScalarValue {
    ScalarValue::try_from_array(array, 0).unwrap_or(ScalarValue::Null)
}

/// A function without arguments that gives the time of the statement's start.
const fn now(
    names: &'static [&'static str],
    returns: super::call::Returns,
    value: fn(NaiveDateTime, &Context) -> ScalarValue,
) -> Spec {
    let mut spec = Spec::new(names, &[], returns, |c| {
        let at = c.context.clock_now();
        match c.spec.at_start {
            Some(value) => value(at, c.context).to_array_of_size(c.rows),
            None => c.fail("the time of the statement is not known"),
        }
    })
    .total();
    spec = spec.at_start(value);
    spec
}

/// Compiled patterns of a call: most calls have one for all rows.
struct Patterns<T> {
    compile: fn(&str) -> Result<T>,
    last: RefCell<Option<(String, T)>>,
}

impl<T> Patterns<T> {
    const fn new(compile: fn(&str) -> Result<T>) -> Self {
        Self { compile, last: RefCell::new(None) }
    }

    fn with<R>(&self, pattern: &str, f: impl FnOnce(&T) -> Result<R>) -> Result<R> {
        let mut last = self.last.borrow_mut();
        if let Some((known, compiled)) = last.as_ref()
            && known == pattern
        {
            return f(compiled);
        }
        let (_, compiled) = last.insert((pattern.to_owned(), (self.compile)(pattern)?));
        f(compiled)
    }
}

fn date_format(call: &Call<'_>) -> Result<ArrayRef> {
    let patterns = call.text(1)?;
    let zone = &call.context.zone;
    match call.arg(0)?.data_type() {
        Arrow::Timestamp(..) => {
            let moments = moments_of(call.arg(0)?)?;
            let formats = Patterns::new(Formatter::new);
            call.texts(|row| match moments.local(zone, row) {
                Some(at) => formats.with(patterns.value(row), |f| f.format(at)).map(Some),
                None => Ok(None),
            })
        }
        Arrow::Utf8 => {
            let texts = call.text(0)?;
            let usual = SimpleFormat::new(USUAL)?;
            let formats = Patterns::new(SimpleFormat::new);
            let utc = Zone::default();
            call.texts(|row| match usual.read(texts.value(row), &utc) {
                Some(at) => formats.with(patterns.value(row), |f| f.format(at, &utc)).map(Some),
                None => Ok(None),
            })
        }
        other => call.fail(format!(
            "argument 1 must be a TIMESTAMP or a text, not {}; use CAST",
            super::types::name_of(other)
        )),
    }
}

fn to_timestamp(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.text(0)?;
    let formats = Patterns::new(|pattern| Ok(Formatter::new(pattern).ok()));
    let rows = call.strict(|row| {
        if call.count() == 1 {
            return Ok(parse_timestamp(texts.value(row)));
        }
        // A pattern that is none gives null, as in Flink.
        formats.with(call.text(1)?.value(row), |f| {
            Ok(f.as_ref().and_then(|f| f.read(texts.value(row))))
        })
    })?;
    of_unit(rows, TimeUnit::Millisecond, false)
}

fn to_date(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.text(0)?;
    let formats = Patterns::new(SimpleFormat::new);
    let utc = Zone::default();
    let rows = call.strict(|row| {
        if call.count() == 1 {
            return Ok(parse_date(texts.value(row)));
        }
        let pattern = call.text(1)?.value(row);
        let at = formats.with(pattern, |f| Ok(f.read(texts.value(row), &utc)))?;
        Ok(at.map(|at| at.date()))
    })?;
    Ok(dates(rows.into_iter()))
}

/// Seconds (precision 0) or milliseconds (precision 3) since 1970.
fn to_timestamp_ltz(call: &Call<'_>) -> Result<ArrayRef> {
    let given = call.arg(0)?;
    let numbers = arrow::compute::cast(given, &Arrow::Int64)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    // Of FLOAT and DOUBLE the fraction of a second counts, of DECIMAL it does not.
    let thousandths = match given.data_type() {
        Arrow::Float32 | Arrow::Float64 => {
            Some(arrow::compute::cast(given, &Arrow::Decimal128(38, 3))?)
        }
        _ => None,
    };
    let precision = call.long(1)?;
    let rows = call.strict(|row| {
        let unit = match precision.value(row) {
            0 => 1000,
            3 => 1,
            other => {
                return call.fail(format!(
                    "the precision {other} is not one of 0 (seconds) and 3 (milliseconds)"
                ));
            }
        };
        let millis = match &thousandths {
            Some(values) if unit == 1000 => {
                i64::try_from(values.as_primitive::<Decimal128Type>().value(row)).ok()
            }
            _ => numbers.value(row).checked_mul(unit),
        };
        let at = millis.and_then(at_millis);
        // Flink's moments end with the year 9999.
        Ok(at.filter(|at| (0..=9999).contains(&at.year())))
    })?;
    of_unit(rows, TimeUnit::Millisecond, true)
}

/// `at` moved by whole months; the last day of a month stands for days that it does not have.
pub(super) fn plus_months(at: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let count = chrono::Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months >= 0 { at.checked_add_months(count) } else { at.checked_sub_months(count) }
}

/// `at` moved by milliseconds.
pub(super) fn plus_millis(at: NaiveDateTime, millis: i64) -> Option<NaiveDateTime> {
    at.checked_add_signed(TimeDelta::try_milliseconds(millis)?)
}
