//! JSON in texts: JSON_VALUE, JSON_QUERY, JSON_EXISTS, IS JSON; JSON_OBJECT, JSON_ARRAY and
//! JSON_STRING are in `build.rs`. Clauses such as NULL ON EMPTY come as a text from the parser.

mod build;
mod path;
mod value;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, ListBuilder, StringArray,
    StringBuilder,
};
use arrow::datatypes::{DataType as Arrow, Field};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;

use self::path::{Mode, Path};
pub(crate) use self::value::Json;
use super::call::{Call, Param, Spec, failed, returns};
use super::cast::texts_of;

pub(super) use self::build::FUNCTIONS as BUILDING;

use Param::{Any, Text};

/// Name of IS JSON in a rewritten query: `$is_json(text, 'OBJECT')`.
pub(crate) const IS_JSON: &str = "$is_json";

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&["json_value"], &[Text, Text, Text, Any], value_type, json_value)
        .required(2)
        .variadic(),
    Spec::new(&["json_query"], &[Text, Text, Text], query_type, json_query).required(2),
    Spec::new(&["json_exists"], &[Text, Text, Text], returns::bool, json_exists).required(2),
    Spec::new(&[IS_JSON], &[Text, Text], returns::bool, is_json),
];

/// What comes instead of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instead {
    Null,
    Error,
    /// The default value, by the position of its argument.
    Default(usize),
    True,
    False,
    EmptyArray,
    EmptyObject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapper {
    Without,
    Always,
    /// Unless it is an array already.
    Conditional,
}

/// The clauses behind the path.
#[derive(Debug, Clone)]
struct Clauses {
    returning: String,
    on_empty: Instead,
    on_error: Instead,
    wrapper: Wrapper,
}

impl Clauses {
    /// Reads what the parser wrote: `RETURNING INT NULL ON EMPTY DEFAULT ON ERROR WITH WRAPPER`.
    fn parse(text: Option<&str>, on_error: Instead) -> Result<Self> {
        let mut clauses = Self {
            returning: "STRING".to_owned(),
            on_empty: Instead::Null,
            on_error,
            wrapper: Wrapper::Without,
        };
        let mut defaults = 2;
        let text = text.unwrap_or("").to_ascii_uppercase();
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let instead = match word {
                "RETURNING" => {
                    clauses.returning = words.next().unwrap_or("").to_owned();
                    continue;
                }
                "WITHOUT" | "WITH" => {
                    let mut conditional = false;
                    for next in words.by_ref() {
                        conditional |= next == "CONDITIONAL";
                        if next == "WRAPPER" {
                            break;
                        }
                    }
                    clauses.wrapper = match (word, conditional) {
                        ("WITHOUT", _) => Wrapper::Without,
                        (_, true) => Wrapper::Conditional,
                        (_, false) => Wrapper::Always,
                    };
                    continue;
                }
                "NULL" | "UNKNOWN" => Instead::Null,
                "ERROR" => Instead::Error,
                "TRUE" => Instead::True,
                "FALSE" => Instead::False,
                "DEFAULT" => {
                    defaults += 1;
                    Instead::Default(defaults)
                }
                "EMPTY" => match words.next() {
                    Some("ARRAY") => Instead::EmptyArray,
                    Some("OBJECT") => Instead::EmptyObject,
                    _ => return plan_err!("JSON clauses: ARRAY or OBJECT must follow EMPTY"),
                },
                other => return plan_err!("JSON clauses: {other} is not understood"),
            };
            match (words.next(), words.next()) {
                (Some("ON"), Some("EMPTY")) => clauses.on_empty = instead,
                (Some("ON"), Some("ERROR")) => clauses.on_error = instead,
                _ => return plan_err!("JSON clauses: ON EMPTY or ON ERROR must follow {word}"),
            }
        }
        Ok(clauses)
    }
}

/// The clauses of a call, which are the same for all rows.
fn clauses(call: &Call<'_>, on_error: Instead) -> Result<Clauses> {
    if call.count() < 3 {
        return Clauses::parse(None, on_error);
    }
    let texts = call.text(2)?;
    let text = if texts.is_empty() || texts.is_null(0) { "" } else { texts.value(0) };
    Clauses::parse(Some(text), on_error)
}

fn returning(scalars: &[Option<&ScalarValue>]) -> Result<String> {
    let text = match scalars.get(2) {
        Some(Some(ScalarValue::Utf8(Some(text)))) => Some(text.as_str()),
        _ => None,
    };
    Clauses::parse(text, Instead::Null).map(|clauses| clauses.returning)
}

fn value_type(_: &[Arrow], scalars: &[Option<&ScalarValue>]) -> Result<Arrow> {
    Ok(match returning(scalars)?.as_str() {
        "INT" | "INTEGER" => Arrow::Int32,
        "DOUBLE" => Arrow::Float64,
        "BOOLEAN" => Arrow::Boolean,
        text if is_text_type(text) => Arrow::Utf8,
        other => {
            return plan_err!(
                "JSON_VALUE: RETURNING {other} is not one of STRING, INT, DOUBLE and BOOLEAN; use \
                 CAST(JSON_VALUE(...) AS {other})"
            );
        }
    })
}

fn is_text_type(name: &str) -> bool {
    ["STRING", "VARCHAR", "CHAR"].iter().any(|t| name.starts_with(t))
}

fn query_type(_: &[Arrow], scalars: &[Option<&ScalarValue>]) -> Result<Arrow> {
    Ok(match returning(scalars)?.replace(' ', "").as_str() {
        "ARRAY<STRING>" | "ARRAY<VARCHAR>" => {
            Arrow::List(Arc::new(Field::new_list_field(Arrow::Utf8, true)))
        }
        text if is_text_type(text) => Arrow::Utf8,
        other => {
            return plan_err!(
                "JSON_QUERY: RETURNING {other} is not one of STRING and ARRAY<STRING>"
            );
        }
    })
}

/// What the path of a row finds: a value, null when it is nothing in lax mode, or what is wrong.
struct Found {
    mode: Mode,
    value: Result<Json, String>,
}

fn find(json: &str, path: &str) -> Found {
    let path = match Path::parse(path) {
        Ok(path) => path,
        Err(reason) => return Found { mode: Mode::Strict, value: Err(reason) },
    };
    let value = Json::parse(json).and_then(|json| path.find(&json));
    match path.mode {
        Mode::Strict => Found { mode: Mode::Strict, value },
        Mode::Lax => Found { mode: Mode::Lax, value: Ok(value.unwrap_or(Json::Null)) },
    }
}

/// The result of one row of JSON_VALUE.
enum Picked {
    Null,
    Value(Json),
    Default(usize),
}

fn json_value(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, paths) = (call.text(0)?, call.text(1)?);
    let clauses = clauses(call, Instead::Null)?;
    let pick = |row: usize| -> Result<Picked> {
        if texts.is_null(row) || paths.is_null(row) {
            return Ok(Picked::Null);
        }
        let found = find(texts.value(row), paths.value(row));
        let instead = |instead: Instead, reason: String| match instead {
            Instead::Default(at) => Ok(Picked::Default(at)),
            Instead::Error => call.fail(reason),
            _ => Ok(Picked::Null),
        };
        match found.value {
            Err(reason) => instead(clauses.on_error, reason),
            Ok(Json::Null) => {
                instead(clauses.on_empty, format!("there is nothing at {}", paths.value(row)))
            }
            Ok(value) if value.is_scalar() => Ok(Picked::Value(value)),
            Ok(value) => {
                let reason = format!("{} is no scalar", shortened(&value.to_string()));
                instead(
                    if found.mode == Mode::Lax { clauses.on_empty } else { clauses.on_error },
                    reason,
                )
            }
        }
    };
    let rows = (0..call.rows).map(pick).collect::<Result<Vec<_>>>()?;
    let default = |at: usize| -> Result<ArrayRef> {
        Ok(arrow::compute::cast(call.arg(at)?, call.result.data_type())?)
    };
    let wrong = |value: &Json, wanted: &str| {
        failed(format!("JSON_VALUE: {} is no {wanted}", shortened(&value.to_string())))
    };
    match call.result.data_type() {
        Arrow::Int32 => {
            let rows = rows.into_iter().enumerate().map(|(row, picked)| match picked {
                Picked::Null => Ok(None),
                Picked::Default(at) => {
                    let default = default(at)?;
                    let ints = default.as_primitive::<arrow::datatypes::Int32Type>();
                    Ok(ints.is_valid(row).then(|| ints.value(row)))
                }
                Picked::Value(Json::Whole(digits)) => {
                    digits.parse().map(Some).map_err(|_| wrong(&Json::Whole(digits), "INT"))
                }
                Picked::Value(other) => Err(wrong(&other, "INT")),
            });
            Ok(Arc::new(Int32Array::from(rows.collect::<Result<Vec<_>>>()?)))
        }
        Arrow::Float64 => {
            let rows = rows.into_iter().enumerate().map(|(row, picked)| match picked {
                Picked::Null => Ok(None),
                Picked::Default(at) => {
                    let default = default(at)?;
                    let doubles = default.as_primitive::<arrow::datatypes::Float64Type>();
                    Ok(doubles.is_valid(row).then(|| doubles.value(row)))
                }
                Picked::Value(Json::Double(value)) => Ok(Some(value)),
                Picked::Value(Json::Whole(digits)) => {
                    digits.parse().map(Some).map_err(|_| wrong(&Json::Whole(digits), "DOUBLE"))
                }
                Picked::Value(other) => Err(wrong(&other, "DOUBLE")),
            });
            Ok(Arc::new(Float64Array::from(rows.collect::<Result<Vec<_>>>()?)))
        }
        Arrow::Boolean => {
            let rows = rows.into_iter().enumerate().map(|(row, picked)| match picked {
                Picked::Null => Ok(None),
                Picked::Default(at) => {
                    let default = default(at)?;
                    let bools = default.as_boolean();
                    Ok(bools.is_valid(row).then(|| bools.value(row)))
                }
                Picked::Value(Json::Bool(value)) => Ok(Some(value)),
                Picked::Value(other) => Err(wrong(&other, "BOOLEAN")),
            });
            Ok(Arc::new(BooleanArray::from(rows.collect::<Result<Vec<_>>>()?)))
        }
        _ => {
            let rows = rows.into_iter().enumerate().map(|(row, picked)| match picked {
                Picked::Null => Ok(None),
                Picked::Default(at) => texts_of(call.arg(at)?, &call.context.zone)?.at(row),
                Picked::Value(value) => Ok(value.scalar_text()),
            });
            Ok(Arc::new(StringArray::from(rows.collect::<Result<Vec<_>>>()?)))
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

fn json_query(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, paths) = (call.text(0)?, call.text(1)?);
    let clauses = clauses(call, Instead::Null)?;
    let rows = call.strict(|row| {
        let found = find(texts.value(row), paths.value(row));
        let instead = |instead: Instead, reason: String| match instead {
            Instead::EmptyArray => Ok(Some(Json::Array(Vec::new()))),
            Instead::EmptyObject => Ok(Some(Json::Object(Vec::new()))),
            Instead::Error => call.fail(reason),
            _ => Ok(None),
        };
        let value = match found.value {
            Err(reason) => return instead(clauses.on_error, reason),
            Ok(Json::Null) => {
                let reason = format!("there is nothing at {}", paths.value(row));
                return instead(clauses.on_empty, reason);
            }
            Ok(value) => value,
        };
        let value = match clauses.wrapper {
            Wrapper::Conditional if matches!(value, Json::Array(_)) => value,
            Wrapper::Always | Wrapper::Conditional => Json::Array(vec![value]),
            Wrapper::Without => value,
        };
        if value.is_scalar() {
            let reason = format!("{} is no array or object", shortened(&value.to_string()));
            let lax = found.mode == Mode::Lax;
            return instead(if lax { clauses.on_empty } else { clauses.on_error }, reason);
        }
        Ok(Some(value))
    })?;
    if matches!(call.result.data_type(), Arrow::List(_)) {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for row in rows {
            match row {
                Some(Json::Array(values)) => {
                    for value in values {
                        builder.values().append_option(match &value {
                            Json::Null => None,
                            scalar if scalar.is_scalar() => scalar.scalar_text(),
                            nested => Some(nested.to_string()),
                        });
                    }
                    builder.append(true);
                }
                _ => builder.append(false),
            }
        }
        return Ok(Arc::new(builder.finish()));
    }
    let rows: Vec<Option<String>> = rows.into_iter().map(|v| v.map(|v| v.to_string())).collect();
    Ok(Arc::new(StringArray::from(rows)))
}

fn json_exists(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, paths) = (call.text(0)?, call.text(1)?);
    let clauses = clauses(call, Instead::False)?;
    let rows = call.strict(|row| match find(texts.value(row), paths.value(row)).value {
        Ok(value) => Ok(Some(value != Json::Null)),
        Err(reason) => match clauses.on_error {
            Instead::True => Ok(Some(true)),
            Instead::False => Ok(Some(false)),
            Instead::Error => call.fail(reason),
            _ => Ok(None),
        },
    })?;
    Ok(Arc::new(BooleanArray::from(rows)))
}

/// False for null.
fn is_json(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, kinds) = (call.text(0)?, call.text(1)?);
    let rows = call.each(|row| {
        if texts.is_null(row) {
            return Ok(Some(false));
        }
        let value = Json::parse(texts.value(row));
        Ok(Some(match (value, kinds.value(row)) {
            (Err(_), _) => false,
            (Ok(value), "OBJECT") => matches!(value, Json::Object(_)),
            (Ok(value), "ARRAY") => matches!(value, Json::Array(_)),
            (Ok(value), "SCALAR") => value.is_scalar(),
            (Ok(_), _) => true,
        }))
    })?;
    Ok(Arc::new(BooleanArray::from(rows)))
}
