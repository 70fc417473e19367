//! The text form of rows in which the golden set states what Java reads.

use std::fmt::Write;

use arrow::array::RecordBatch;
use headwater_spec::row::arrow::datum_at;
use headwater_spec::{DataField, DataType, Datum, TypeKind};

/// A row as one line.
pub(crate) fn line(fields: &[DataField], batch: &RecordBatch, row: usize) -> String {
    let cells = fields.iter().zip(batch.columns()).map(|(field, column)| {
        let value = datum_at(column.as_ref(), row, &field.data_type).unwrap();
        format!("{}:{}", quoted(&field.name), json(value.as_ref(), &field.data_type))
    });
    format!("{{\"kind\":\"+I\",\"row\":{{{}}}}}", cells.collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if u32::from(c) < 0x20 => write!(out, "\\u{:04x}", u32::from(c)).unwrap(),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("\""), |mut s, b| {
        write!(s, "{b:02x}").unwrap();
        s
    }) + "\""
}

fn date(days: i64) -> String {
    // Civil date from days since the epoch, by eras of 400 years.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A value.
pub(crate) fn json(value: Option<&Datum>, t: &DataType) -> String {
    let Some(value) = value else { return "null".to_owned() };
    match (value, &t.kind) {
        (Datum::Boolean(v), _) => v.to_string(),
        (Datum::TinyInt(v), _) => v.to_string(),
        (Datum::SmallInt(v), _) => v.to_string(),
        (Datum::Int(v), _) => v.to_string(),
        (Datum::BigInt(v), _) => v.to_string(),
        (Datum::Float(v), _) => format!("\"{:08x}\"", v.to_bits()),
        (Datum::Double(v), _) => format!("\"{:016x}\"", v.to_bits()),
        (Datum::Decimal { unscaled, scale, .. }, _) => {
            let scale = usize::from(*scale);
            let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
            let (whole, part) = digits.split_at(digits.len() - scale);
            let sign = if *unscaled < 0 { "-" } else { "" };
            let dot = if scale > 0 { "." } else { "" };
            format!("\"{sign}{whole}{dot}{part}\"")
        }
        (Datum::String(v), _) => quoted(v),
        (Datum::Bytes(v), _) => hex(v),
        (Datum::Date(v), _) => format!("\"{}\"", date(i64::from(*v))),
        (Datum::Time(v), _) => {
            format!("\"{}.{:03}\"", clock(i64::from(*v / 1000)), v % 1000)
        }
        (Datum::Timestamp { millis, nanos }, kind) => {
            let day = millis.div_euclid(86_400_000);
            let of_day = millis.rem_euclid(86_400_000);
            let fraction = of_day % 1000 * 1_000_000 + i64::from(*nanos);
            let zone = if matches!(kind, TypeKind::TimestampLtz(_)) { "Z" } else { "" };
            format!("\"{}T{}.{fraction:09}{zone}\"", date(day), clock(of_day / 1000))
        }
        (Datum::Array(items), TypeKind::Array(element)) => {
            let items = items.iter().map(|v| json(v.as_ref(), element));
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }
        (Datum::Map(entries), kind) => {
            let int = DataType::not_null(TypeKind::Int);
            let (k, v) = match kind {
                TypeKind::Map(k, v) => (k.as_ref(), v.as_ref()),
                TypeKind::Multiset(e) => (e.as_ref(), &int),
                other => panic!("{other:?} is no map"),
            };
            let pair = |(a, b): &(Option<Datum>, Option<Datum>)| {
                format!("[{},{}]", json(a.as_ref(), k), json(b.as_ref(), v))
            };
            let mut pairs: Vec<_> = entries.iter().map(pair).collect();
            pairs.sort_unstable();
            format!("[{}]", pairs.join(","))
        }
        (Datum::Row(values), TypeKind::Row(fields)) => {
            let cells = fields.iter().zip(values).map(|(field, v)| {
                format!("{}:{}", quoted(&field.name), json(v.as_ref(), &field.data_type))
            });
            format!("{{{}}}", cells.collect::<Vec<_>>().join(","))
        }
        (value, kind) => panic!("{value:?} of {kind:?}"),
    }
}
