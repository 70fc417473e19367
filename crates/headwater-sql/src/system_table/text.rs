//! Values as the texts of system tables: `{2024-01-01, 3}`, `[1, a]`, `{a=1, b=null}`.
//!
//! Source: Paimon 1.4.2 `RowDataToObjectArrayConverter`, `CastExecutors`, `FilesTable`.

use arrow::array::timezone::Tz;
use arrow::temporal_conversions::as_datetime_with_timezone;
use headwater::spec::BinaryRow;
use headwater::spec::partition::value_text;
use headwater::{DataType, Datum};

use crate::error::SqlError;

/// A value, cast to STRING as Java does it.
pub(super) fn value(value: Option<&Datum>, data_type: &DataType) -> Option<String> {
    match value {
        None => None,
        Some(Datum::Bytes(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Some(value) => value_text(value, data_type, false).ok(),
    }
}

/// A bound of a file's values: as [`value`], but a DATE is a count of days, as Java shows it.
pub(super) fn bound(bound: Option<&Datum>, data_type: &DataType) -> Option<String> {
    match bound {
        Some(Datum::Date(days)) => Some(days.to_string()),
        other => value(other, data_type),
    }
}

/// The values of a row between brackets.
pub(super) fn row(
    row: &BinaryRow,
    types: &[DataType],
    brackets: (char, char),
) -> Result<String, SqlError> {
    let values = row.to_values(types).map_err(headwater::Error::from)?;
    let texts: Vec<String> = values
        .iter()
        .zip(types)
        .map(|(datum, t)| value(datum.as_ref(), t).unwrap_or_else(|| "null".to_owned()))
        .collect();
    Ok(format!("{}{}{}", brackets.0, texts.join(", "), brackets.1))
}

/// `{a=1, b=null}`, ordered by name.
pub(super) fn pairs(mut pairs: Vec<(String, Option<String>)>) -> String {
    pairs.sort();
    let texts: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={}", value.unwrap_or_else(|| "null".to_owned())))
        .collect();
    format!("{{{}}}", texts.join(", "))
}

/// An instant as the wall clock of a zone shows it, in milliseconds as if that were UTC.
pub(super) fn local_millis(millis: i64, zone: &str) -> i64 {
    let local = zone.parse::<Tz>().ok().and_then(|zone| {
        as_datetime_with_timezone::<arrow::datatypes::TimestampMillisecondType>(millis, zone)
    });
    local.map_or(millis, |time| time.naive_local().and_utc().timestamp_millis())
}
