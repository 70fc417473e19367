//! The text of one value, bare or as JSON; nested values are JSON in every format.
//!
//! | value | bare | JSON |
//! |---|---|---|
//! | numbers, booleans | literal | literal |
//! | DECIMAL | exactly its scale's digits, and all before the point | the same, as a number |
//! | NaN and infinities | `NaN`, `Infinity`, `-Infinity` | the same as strings |
//! | date | `2024-02-29` | string |
//! | timestamp | `2024-02-29 12:30:00.123`, as many digits as its unit | string |
//! | with time zone | the same in that zone, with its offset, `Z` for UTC | string |
//! | binary | lower-case hex | string |
//! | list, struct, map | JSON array, object, array of `[key,value]` | the same |

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, Float16Type, Float32Type,
    Float64Type, TimeUnit,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// The values of one column of a batch.
pub(super) struct Cells<'a> {
    nulls: Option<NullBuffer>,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Null,
    /// JSON takes the text as it stands.
    Literal(ArrayFormatter<'a>),
    /// The same, of texts made here.
    Exact(Box<dyn Fn(usize) -> String + 'a>),
    Float(Box<dyn Fn(usize) -> f64 + 'a>, ArrayFormatter<'a>),
    /// JSON quotes the text.
    Text(Box<dyn Fn(usize) -> &'a str + 'a>),
    /// JSON quotes the text, which never holds anything to escape.
    Plain(ArrayFormatter<'a>),
    List(Box<dyn Fn(usize) -> (usize, usize) + 'a>, Box<Cells<'a>>),
    Struct(Vec<(String, Cells<'a>)>),
    Map(&'a MapArray, Box<Cells<'a>>, Box<Cells<'a>>),
    Dictionary(Box<dyn Fn(usize) -> Option<usize> + 'a>, Box<Cells<'a>>),
}

impl<'a> Cells<'a> {
    /// Prepares the values of `array`.
    pub(super) fn new(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        let nulls = array.nulls().cloned();
        let kind = match array.data_type() {
            DataType::Null => Kind::Null,
            DataType::Float16 => {
                let values = array.as_primitive::<Float16Type>();
                Kind::Float(Box::new(|row| values.value(row).to_f64()), formatter(array)?)
            }
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>();
                Kind::Float(Box::new(|row| f64::from(values.value(row))), formatter(array)?)
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>();
                Kind::Float(Box::new(|row| values.value(row)), formatter(array)?)
            }
            DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal256(..) => Kind::Literal(formatter(array)?),
            // A sum in a table may have more digits than its type says: all are shown.
            DataType::Decimal128(_, scale) => {
                let (values, scale) = (array.as_primitive::<Decimal128Type>(), *scale);
                let shown = move |row: usize| {
                    Decimal128Type::format_decimal(
                        values.value(row),
                        DECIMAL128_MAX_PRECISION,
                        scale,
                    )
                };
                Kind::Exact(Box::new(shown))
            }
            DataType::Utf8 => {
                let values = array.as_string::<i32>();
                Kind::Text(Box::new(|row| values.value(row)))
            }
            DataType::LargeUtf8 => {
                let values = array.as_string::<i64>();
                Kind::Text(Box::new(|row| values.value(row)))
            }
            DataType::Utf8View => {
                let values = array.as_string_view();
                Kind::Text(Box::new(|row| values.value(row)))
            }
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                let offsets = lists.offsets();
                let range = |row: usize| (index(offsets[row]), index(offsets[row + 1]));
                Kind::List(Box::new(range), Box::new(Self::new(lists.values())?))
            }
            DataType::LargeList(_) => {
                let lists = array.as_list::<i64>();
                let offsets = lists.offsets();
                let range = |row: usize| (index(offsets[row]), index(offsets[row + 1]));
                Kind::List(Box::new(range), Box::new(Self::new(lists.values())?))
            }
            DataType::FixedSizeList(..) => {
                let lists = array.as_fixed_size_list();
                let size = index(lists.value_length());
                let range = move |row: usize| (row * size, (row + 1) * size);
                Kind::List(Box::new(range), Box::new(Self::new(lists.values())?))
            }
            DataType::Struct(_) => Kind::Struct(Self::fields(array.as_struct())?),
            DataType::Map(..) => {
                let maps = array.as_map();
                let keys = Self::new(maps.keys())?;
                let values = Self::new(maps.values())?;
                Kind::Map(maps, Box::new(keys), Box::new(values))
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let keys = dictionary.normalized_keys();
                let nulls = array.nulls().cloned();
                let key = move |row: usize| {
                    let valid = nulls.as_ref().is_none_or(|n| n.is_valid(row));
                    valid.then(|| keys[row])
                };
                Kind::Dictionary(Box::new(key), Box::new(Self::new(dictionary.values())?))
            }
            _ => Kind::Plain(formatter(array)?),
        };
        Ok(Self { nulls, kind })
    }

    fn fields(array: &'a StructArray) -> Result<Vec<(String, Self)>, ArrowError> {
        array
            .fields()
            .iter()
            .zip(array.columns())
            .map(|(field, column)| Ok((field.name().clone(), Self::new(column)?)))
            .collect()
    }

    /// Whether the value of `row` is null.
    pub(super) fn is_null(&self, row: usize) -> bool {
        match &self.kind {
            Kind::Null => true,
            Kind::Dictionary(key, values) => key(row).is_none_or(|key| values.is_null(key)),
            _ => self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)),
        }
    }

    /// Appends the bare text of `row`; nothing for null.
    pub(super) fn text(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        if self.is_null(row) {
            return Ok(());
        }
        match &self.kind {
            Kind::Text(value) => out.push_str(value(row)),
            Kind::Literal(values) | Kind::Plain(values) => values.value(row).write(out)?,
            Kind::Exact(shown) => out.push_str(&shown(row)),
            Kind::Float(value, values) => match special(value(row)) {
                Some(name) => out.push_str(name),
                None => values.value(row).write(out)?,
            },
            Kind::Dictionary(key, values) => {
                if let Some(key) = key(row) {
                    values.text(key, out)?;
                }
            }
            _ => self.json(row, out)?,
        }
        Ok(())
    }

    /// Appends the value of `row` as JSON.
    pub(super) fn json(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        if self.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        match &self.kind {
            Kind::Null => out.push_str("null"),
            Kind::Literal(values) => values.value(row).write(out)?,
            Kind::Exact(shown) => out.push_str(&shown(row)),
            Kind::Float(value, values) => match special(value(row)) {
                Some(name) => quote(name, out),
                None => values.value(row).write(out)?,
            },
            Kind::Text(value) => quote(value(row), out),
            Kind::Plain(values) => {
                out.push('"');
                values.value(row).write(out)?;
                out.push('"');
            }
            Kind::List(range, values) => {
                let (start, end) = range(row);
                out.push('[');
                for item in start..end {
                    if item > start {
                        out.push(',');
                    }
                    values.json(item, out)?;
                }
                out.push(']');
            }
            Kind::Struct(fields) => {
                out.push('{');
                for (position, (name, values)) in fields.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    quote(name, out);
                    out.push(':');
                    values.json(row, out)?;
                }
                out.push('}');
            }
            Kind::Map(maps, keys, values) => {
                let offsets = maps.offsets();
                let (start, end) = (index(offsets[row]), index(offsets[row + 1]));
                out.push('[');
                for item in start..end {
                    out.push_str(if item > start { ",[" } else { "[" });
                    keys.json(item, out)?;
                    out.push(',');
                    values.json(item, out)?;
                    out.push(']');
                }
                out.push(']');
            }
            Kind::Dictionary(key, values) => match key(row) {
                Some(key) => values.json(key, out)?,
                None => out.push_str("null"),
            },
        }
        Ok(())
    }
}

/// Appends a JSON string.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let mut characters = from.chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(control) => out.push_str(&escape(control)),
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// The text without characters that would move the cursor: shown as JSON escapes. Line breaks
/// stay: a cell may have several lines.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return text.into();
    }
    let shown = text.chars().fold(String::with_capacity(text.len() + 8), |mut shown, c| {
        match c {
            '\n' => shown.push('\n'),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c.is_control() => shown.push_str(&escape(c)),
            c => shown.push(c),
        }
        shown
    });
    shown.into()
}

/// The JSON escape of a control character.
fn escape(control: char) -> String {
    format!("\\u{:04x}", u32::from(control))
}

/// The name of a number that JSON cannot write.
fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("Infinity")
    } else if value == f64::NEG_INFINITY {
        Some("-Infinity")
    } else {
        None
    }
}

/// An offset as an index; Arrow's offsets are never negative.
fn index<T: TryInto<usize>>(offset: T) -> usize {
    offset.try_into().unwrap_or(0)
}

fn formatter(array: &ArrayRef) -> Result<ArrayFormatter<'_>, ArrowError> {
    let options = FormatOptions::new().with_display_error(false);
    let options = match array.data_type() {
        DataType::Timestamp(unit, zone) => {
            let (plain, utc, offset) = match unit {
                TimeUnit::Second => {
                    ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%d %H:%M:%S%:z")
                }
                TimeUnit::Millisecond => {
                    ("%Y-%m-%d %H:%M:%S%.3f", "%Y-%m-%d %H:%M:%S%.3fZ", "%Y-%m-%d %H:%M:%S%.3f%:z")
                }
                TimeUnit::Microsecond => {
                    ("%Y-%m-%d %H:%M:%S%.6f", "%Y-%m-%d %H:%M:%S%.6fZ", "%Y-%m-%d %H:%M:%S%.6f%:z")
                }
                TimeUnit::Nanosecond => {
                    ("%Y-%m-%d %H:%M:%S%.9f", "%Y-%m-%d %H:%M:%S%.9fZ", "%Y-%m-%d %H:%M:%S%.9f%:z")
                }
            };
            let zoned = match zone.as_deref() {
                Some("UTC" | "+00:00" | "Z") => utc,
                _ => offset,
            };
            options.with_timestamp_format(Some(plain)).with_timestamp_tz_format(Some(zoned))
        }
        DataType::Time32(TimeUnit::Millisecond) => options.with_time_format(Some("%H:%M:%S%.3f")),
        DataType::Time64(TimeUnit::Microsecond) => options.with_time_format(Some("%H:%M:%S%.6f")),
        DataType::Time64(_) => options.with_time_format(Some("%H:%M:%S%.9f")),
        _ => options,
    };
    ArrayFormatter::try_new(array.as_ref(), &options)
}
