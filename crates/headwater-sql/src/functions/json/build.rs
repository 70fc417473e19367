//! JSON_OBJECT, JSON_ARRAY and JSON_STRING: JSON from values of all types.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType as Arrow, Decimal128Type};
use base64::Engine;
use datafusion::common::plan_err;
use datafusion::error::Result;

use super::super::call::{Call, Param, Spec, failed, returns};
use super::super::cast::{Kind, Moments, moments_of, range, texts_of};
use super::super::types::name_of;
use super::super::zone::Zone;
use super::value::{Json, quote};

use Param::{Any, Text};

/// The first argument says what to do with nulls (`N`: null on null, `A`: absent), and then for each
/// value whether it is a value (`v`) or JSON made by a function (`j`).
pub(in super::super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&["json_object"], &[Text, Any], returns::text, json_object)
        .required(0)
        .variadic()
        .total(),
    Spec::new(&["json_array"], &[Text, Any], returns::text, json_array)
        .required(0)
        .variadic()
        .total(),
    Spec::new(&["json_string"], &[Any], returns::text, |c| {
        let values = Values::new(c.arg(0)?, &c.context.zone)?;
        c.texts(|row| values.at(row).map(Some))
    })
    .nulls()
    .total(),
];

/// The first argument: absent on null, and for each value whether it is JSON.
fn plan(call: &Call<'_>) -> Result<(bool, Vec<bool>)> {
    if call.count() == 0 {
        return Ok((false, Vec::new()));
    }
    let texts = call.text(0)?;
    let text = if texts.is_empty() || texts.is_null(0) { "" } else { texts.value(0) };
    match text.split_at_checked(1) {
        Some((head @ ("N" | "A"), rest)) => {
            Ok((head == "A", rest.chars().map(|c| c == 'j').collect()))
        }
        _ => call.fail("is written as JSON_OBJECT('name' VALUE value) and JSON_ARRAY(value)"),
    }
}

/// A value of a column as JSON: made of it, or JSON already.
fn member(values: &Values, json: bool, row: usize) -> Result<String> {
    match (&values.kind, json) {
        (Shown::Text, true) if values.array.is_valid(row) => {
            Ok(values.array.as_string::<i32>().value(row).to_owned())
        }
        _ => values.at(row),
    }
}

/// Members are in the order of their names; of members with one name the last counts.
fn json_object(call: &Call<'_>) -> Result<ArrayRef> {
    let (absent, json) = plan(call)?;
    let mut columns = Vec::new();
    for (at, json) in json.iter().enumerate() {
        let key = call.text(2 * at + 1)?;
        columns.push((key, Values::new(call.arg(2 * at + 2)?, &call.context.zone)?, *json));
    }
    let rows = (0..call.rows).map(|row| {
        let mut members = std::collections::BTreeMap::new();
        for (keys, values, json) in &columns {
            if keys.is_null(row) {
                return call.fail("a name is null");
            }
            if !(absent && values.array.is_null(row)) {
                members.insert(keys.value(row), member(values, *json, row)?);
            }
        }
        let mut text = String::from("{");
        for (name, value) in members {
            if text.len() > 1 {
                text.push(',');
            }
            quote(&mut text, name);
            text.push(':');
            text.push_str(&value);
        }
        text.push('}');
        Ok(Some(text))
    });
    Ok(Arc::new(StringArray::from(rows.collect::<Result<Vec<_>>>()?)))
}

fn json_array(call: &Call<'_>) -> Result<ArrayRef> {
    let (absent, json) = plan(call)?;
    let mut columns = Vec::new();
    for (at, json) in json.iter().enumerate() {
        columns.push((Values::new(call.arg(at + 1)?, &call.context.zone)?, *json));
    }
    let rows = (0..call.rows).map(|row| {
        let mut parts = Vec::with_capacity(columns.len());
        for (values, json) in &columns {
            if !(absent && values.array.is_null(row)) {
                parts.push(member(values, *json, row)?);
            }
        }
        Ok(Some(format!("[{}]", parts.join(","))))
    });
    Ok(Arc::new(StringArray::from(rows.collect::<Result<Vec<_>>>()?)))
}

/// A column whose values can be asked for as JSON.
struct Values {
    array: ArrayRef,
    kind: Shown,
}

enum Shown {
    /// Numbers and truth values: their text is JSON.
    Plain(super::super::cast::Texts),
    Boolean,
    Decimal(i8),
    Text,
    Bytes,
    Moment(Moments),
    List(Box<Values>),
    Map(Box<Values>, Box<Values>),
    Row(Vec<(String, Values)>),
    Null,
}

impl Values {
    fn new(array: &ArrayRef, zone: &Zone) -> Result<Self> {
        let mut array = Arc::clone(array);
        let kind = match array.data_type() {
            Arrow::Null => Shown::Null,
            Arrow::Boolean => Shown::Boolean,
            Arrow::Decimal128(_, scale) => Shown::Decimal(*scale),
            t if t.is_integer() || t.is_floating() => Shown::Plain(texts_of(&array, zone)?),
            Arrow::Utf8 => Shown::Text,
            Arrow::LargeUtf8 | Arrow::Utf8View => {
                array = arrow::compute::cast(&array, &Arrow::Utf8)?;
                Shown::Text
            }
            Arrow::Binary => Shown::Bytes,
            Arrow::Timestamp(..) => Shown::Moment(moments_of(&array)?),
            Arrow::List(_) => {
                Shown::List(Box::new(Self::new(array.as_list::<i32>().values(), zone)?))
            }
            Arrow::Map(..) => {
                let map = array.as_map();
                if !matches!(map.keys().data_type(), Arrow::Utf8) {
                    return plan_err!("JSON: the names of a MAP must be texts");
                }
                let keys = Self::new(map.keys(), zone)?;
                Shown::Map(Box::new(keys), Box::new(Self::new(map.values(), zone)?))
            }
            Arrow::Struct(fields) => {
                let columns = array.as_struct().columns().iter();
                let named = fields.iter().zip(columns);
                let columns = named.map(|(f, c)| Ok((f.name().clone(), Self::new(c, zone)?)));
                Shown::Row(columns.collect::<Result<_>>()?)
            }
            other => {
                return plan_err!("{} has no JSON; use CAST(... AS STRING)", name_of(other));
            }
        };
        Ok(Self { array, kind })
    }

    fn at(&self, row: usize) -> Result<String> {
        if self.array.is_null(row) {
            return Ok("null".to_owned());
        }
        let mut out = String::new();
        match &self.kind {
            Shown::Null => out.push_str("null"),
            Shown::Boolean => {
                out.push_str(if self.array.as_boolean().value(row) { "true" } else { "false" })
            }
            Shown::Plain(texts) => {
                let text = texts.at(row)?.unwrap_or_default();
                // What is no number in JSON is a text.
                match text.as_str() {
                    "NaN" | "Infinity" | "-Infinity" => quote(&mut out, &text),
                    _ => out.push_str(&text),
                }
            }
            Shown::Decimal(scale) => {
                let value = self.array.as_primitive::<Decimal128Type>().value(row);
                out.push_str(&stripped(value, *scale));
            }
            Shown::Text => quote(&mut out, self.array.as_string::<i32>().value(row)),
            Shown::Bytes => {
                let engine = base64::engine::general_purpose::STANDARD;
                quote(&mut out, &engine.encode(self.array.as_binary::<i32>().value(row)));
            }
            Shown::Moment(moments) => {
                let Some(at) = moments.rows.get(row).copied().flatten() else {
                    return Err(failed("a timestamp is out of range"));
                };
                let zone = if moments.kind == Kind::Ltz { "Z" } else { "" };
                quote(&mut out, &format!("{}{zone}", at.format("%Y-%m-%dT%H:%M:%S%.f")));
            }
            Shown::List(values) => {
                let offsets = self.array.as_list::<i32>().value_offsets();
                let parts = range(offsets, row).map(|at| values.at(at));
                out = format!("[{}]", parts.collect::<Result<Vec<_>>>()?.join(","));
            }
            Shown::Map(keys, values) => {
                let offsets = self.array.as_map().value_offsets();
                let parts = range(offsets, row)
                    .map(|at| Ok(format!("{}:{}", keys.at(at)?, values.at(at)?)));
                out = format!("{{{}}}", parts.collect::<Result<Vec<_>>>()?.join(","));
            }
            Shown::Row(fields) => {
                let parts = fields.iter().map(|(name, values)| {
                    let mut text = Json::Text(name.clone()).to_string();
                    text.push(':');
                    text.push_str(&values.at(row)?);
                    Ok(text)
                });
                out = format!("{{{}}}", parts.collect::<Result<Vec<_>>>()?.join(","));
            }
        }
        Ok(out)
    }
}

/// Without zeros at the end, as `BigDecimal.stripTrailingZeros`: `1.5`, `1E+2`.
fn stripped(value: i128, scale: i8) -> String {
    let (mut value, mut scale) = (value, i32::from(scale));
    if value == 0 {
        return "0".to_owned();
    }
    while value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    let sign = if value < 0 { "-" } else { "" };
    let digits = value.unsigned_abs().to_string();
    let exponent = i32::try_from(digits.len()).unwrap_or(0) - 1 - scale;
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    if scale > 0 && exponent >= -6 {
        let scale = i8::try_from(scale).unwrap_or(0);
        return super::super::numbers::decimal_text(value, scale);
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let plus = if exponent >= 0 { "+" } else { "" };
    format!("{sign}{first}{point}{rest}E{plus}{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_lose_their_zeros() {
        assert_eq!(stripped(150, 2), "1.5");
        assert_eq!(stripped(10_000, 2), "1E+2");
        assert_eq!(stripped(-5, 0), "-5");
        assert_eq!(stripped(1, 9), "1E-9");
        assert_eq!(stripped(123, 5), "0.00123");
        assert_eq!(stripped(12_300, 0), "1.23E+4");
        assert_eq!(stripped(0, 4), "0");
    }
}
