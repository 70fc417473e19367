//! One column of a batch, ready to give the text of any of its rows.

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, ListArray, MapArray, StringArray,
    StructArray, Time32MillisecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray,
};
use arrow::buffer::NullBuffer;
use headwater_spec::{DataField, DataType, TypeKind};

use super::calendar::{append, date, time, timestamp};
use headwater_spec::SpecError;

const HEX: &[u8; 16] = b"0123456789abcdef";
/// What Java's `floatToIntBits` gives for every NaN.
const FLOAT_NAN: u32 = 0x7fc0_0000;
/// What Java's `doubleToLongBits` gives for every NaN.
const DOUBLE_NAN: u64 = 0x7ff8_0000_0000_0000;

/// The values of one column.
pub(super) struct Column<'a> {
    nulls: Option<&'a NullBuffer>,
    cells: Cells<'a>,
}

enum Cells<'a> {
    Boolean(&'a BooleanArray),
    TinyInt(&'a Int8Array),
    SmallInt(&'a Int16Array),
    Int(&'a Int32Array),
    BigInt(&'a Int64Array),
    Float(&'a Float32Array),
    Double(&'a Float64Array),
    Decimal(&'a Decimal128Array, usize),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a Date32Array),
    Time(&'a Time32MillisecondArray),
    /// Instants, and what follows them: `Z` or nothing.
    Millis(&'a TimestampMillisecondArray, &'static [u8]),
    Micros(&'a TimestampMicrosecondArray, &'static [u8]),
    Nanos(&'a TimestampNanosecondArray, &'static [u8]),
    List(&'a ListArray, Box<Column<'a>>),
    Map(&'a MapArray, Box<Column<'a>>, Box<Column<'a>>),
    Row(Vec<(Vec<u8>, Column<'a>)>),
    Variant(&'a BinaryArray, &'a BinaryArray),
}

impl<'a> Column<'a> {
    /// The values of `array`, which carries the column `field`.
    pub(super) fn new(field: &DataField, array: &'a ArrayRef) -> Result<Self, SpecError> {
        Self::of(&field.data_type, array).ok_or_else(|| SpecError::Value {
            column: field.name.clone(),
            reason: format!("{} came as Arrow {}", field.data_type, array.data_type()),
        })
    }

    /// `None` when the Arrow type is not the one that carries `data_type`.
    fn of(data_type: &DataType, array: &'a ArrayRef) -> Option<Self> {
        let cells = match &data_type.kind {
            TypeKind::Boolean => Cells::Boolean(cast(array)?),
            TypeKind::TinyInt => Cells::TinyInt(cast(array)?),
            TypeKind::SmallInt => Cells::SmallInt(cast(array)?),
            TypeKind::Int => Cells::Int(cast(array)?),
            TypeKind::BigInt => Cells::BigInt(cast(array)?),
            TypeKind::Float => Cells::Float(cast(array)?),
            TypeKind::Double => Cells::Double(cast(array)?),
            TypeKind::Decimal { scale, .. } => Cells::Decimal(cast(array)?, usize::from(*scale)),
            TypeKind::Char(_) | TypeKind::VarChar(_) => Cells::Text(cast(array)?),
            TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => {
                Cells::Bytes(cast(array)?)
            }
            TypeKind::Date => Cells::Date(cast(array)?),
            TypeKind::Time(_) => Cells::Time(cast(array)?),
            TypeKind::Timestamp(_) => Self::instants(array, b"")?,
            TypeKind::TimestampLtz(_) => Self::instants(array, b"Z")?,
            TypeKind::Array(element) | TypeKind::Vector(element, _) => {
                let lists: &ListArray = cast(array)?;
                Cells::List(lists, Box::new(Self::of(element, lists.values())?))
            }
            TypeKind::Map(key, value) => Self::map(array, key, value)?,
            TypeKind::Multiset(element) => {
                Self::map(array, element, &DataType::not_null(TypeKind::Int))?
            }
            TypeKind::Row(fields) => {
                let rows: &StructArray = cast(array)?;
                if rows.num_columns() != fields.len() {
                    return None;
                }
                let columns = fields.iter().zip(rows.columns());
                Cells::Row(
                    columns
                        .map(|(field, array)| {
                            Some((name(&field.name), Self::of(&field.data_type, array)?))
                        })
                        .collect::<Option<_>>()?,
                )
            }
            TypeKind::Variant => {
                let parts: &StructArray = cast(array)?;
                let part = |name| parts.column_by_name(name).and_then(cast);
                Cells::Variant(part("value")?, part("metadata")?)
            }
        };
        Some(Self { nulls: array.nulls(), cells })
    }

    fn instants(array: &'a ArrayRef, zone: &'static [u8]) -> Option<Cells<'a>> {
        cast(array)
            .map(|values| Cells::Millis(values, zone))
            .or_else(|| cast(array).map(|values| Cells::Micros(values, zone)))
            .or_else(|| cast(array).map(|values| Cells::Nanos(values, zone)))
    }

    fn map(array: &'a ArrayRef, key: &DataType, value: &DataType) -> Option<Cells<'a>> {
        let maps: &MapArray = cast(array)?;
        let keys = Self::of(key, maps.keys())?;
        let values = Self::of(value, maps.values())?;
        Some(Cells::Map(maps, Box::new(keys), Box::new(values)))
    }

    /// Appends the text of `row`.
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            out.extend_from_slice(b"null");
            return;
        }
        match &self.cells {
            Cells::Boolean(values) => append(out, format_args!("{}", values.value(row))),
            Cells::TinyInt(values) => append(out, format_args!("{}", values.value(row))),
            Cells::SmallInt(values) => append(out, format_args!("{}", values.value(row))),
            Cells::Int(values) => append(out, format_args!("{}", values.value(row))),
            Cells::BigInt(values) => append(out, format_args!("{}", values.value(row))),
            Cells::Float(values) => {
                let value = values.value(row);
                let bits = if value.is_nan() { FLOAT_NAN } else { value.to_bits() };
                append(out, format_args!("\"{bits:08x}\""));
            }
            Cells::Double(values) => {
                let value = values.value(row);
                let bits = if value.is_nan() { DOUBLE_NAN } else { value.to_bits() };
                append(out, format_args!("\"{bits:016x}\""));
            }
            Cells::Decimal(values, scale) => decimal(values.value(row), *scale, out),
            Cells::Text(values) => quote(values.value(row), out),
            Cells::Bytes(values) => hex(values.value(row), out),
            Cells::Date(values) => quoted(out, |out| date(values.value(row), out)),
            Cells::Time(values) => quoted(out, |out| time(values.value(row), out)),
            Cells::Millis(values, zone) => {
                quoted(out, |out| instant(values.value(row), 1_000, zone, out));
            }
            Cells::Micros(values, zone) => {
                quoted(out, |out| instant(values.value(row), 1_000_000, zone, out));
            }
            Cells::Nanos(values, zone) => {
                quoted(out, |out| instant(values.value(row), 1_000_000_000, zone, out));
            }
            Cells::List(lists, values) => {
                let (start, end) = range(lists.offsets(), row);
                out.push(b'[');
                for item in start..end {
                    if item > start {
                        out.push(b',');
                    }
                    values.write(item, out);
                }
                out.push(b']');
            }
            Cells::Map(maps, keys, values) => {
                let (start, end) = range(maps.offsets(), row);
                pairs(start..end, keys, values, out);
            }
            Cells::Row(columns) => self::row(columns, row, out),
            Cells::Variant(value, metadata) => {
                out.extend_from_slice(b"{\"value\":");
                hex(value.value(row), out);
                out.extend_from_slice(b",\"metadata\":");
                hex(metadata.value(row), out);
                out.push(b'}');
            }
        }
    }
}

/// `"name":` as it stands before a value.
pub(super) fn name(name: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len() + 3);
    quote(name, &mut text);
    text.push(b':');
    text
}

/// Appends the object of a row: columns with their names, in order.
pub(super) fn row(columns: &[(Vec<u8>, Column<'_>)], row: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    for (position, (name, column)) in columns.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name);
        column.write(row, out);
    }
    out.push(b'}');
}

/// Appends the pairs of a map, sorted by the bytes of their text.
fn pairs(items: std::ops::Range<usize>, keys: &Column, values: &Column, out: &mut Vec<u8>) {
    let mut texts: Vec<Vec<u8>> = items
        .map(|item| {
            let mut pair = vec![b'['];
            keys.write(item, &mut pair);
            pair.push(b',');
            values.write(item, &mut pair);
            pair.push(b']');
            pair
        })
        .collect();
    texts.sort_unstable();
    out.push(b'[');
    out.extend_from_slice(&texts.join(&b','));
    out.push(b']');
}

/// Appends an instant given in units of which `per_second` make a second.
fn instant(value: i64, per_second: i64, zone: &[u8], out: &mut Vec<u8>) {
    let per_milli = per_second / 1_000;
    let nanos = value.rem_euclid(per_milli) * (1_000_000 / per_milli);
    timestamp(value.div_euclid(per_milli), nanos, out);
    out.extend_from_slice(zone);
}

/// Appends a decimal without exponent and with exactly `scale` digits after the point.
fn decimal(unscaled: i128, scale: usize, out: &mut Vec<u8>) {
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let point = if scale > 0 { "." } else { "" };
    append(out, format_args!("\"{sign}{whole}{point}{fraction}\""));
}

/// Appends a JSON string; only quotes, backslashes and characters below space are escaped.
fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        for byte in text.bytes() {
            match byte {
                b'"' => out.extend_from_slice(b"\\\""),
                b'\\' => out.extend_from_slice(b"\\\\"),
                0..0x20 => append(out, format_args!("\\u{byte:04x}")),
                _ => out.push(byte),
            }
        }
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    quoted(out, |out| {
        for byte in bytes {
            out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    });
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// Where the items of `row` are; Arrow's offsets are never negative.
fn range(offsets: &[i32], row: usize) -> (usize, usize) {
    let at = |position: usize| usize::try_from(offsets[position]).unwrap_or(0);
    (at(row), at(row + 1))
}

fn cast<T: 'static>(array: &ArrayRef) -> Option<&T> {
    array.as_any().downcast_ref()
}
