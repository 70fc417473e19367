//! Reads the canonical JSON of the fixtures: values of atomic types.

use headwater_spec::partition::parse_value;
use headwater_spec::{DataType, Datum, TypeKind};
use serde_json::Value;

/// The value of a column, from its canonical form.
pub(crate) fn datum(value: &Value, t: &DataType) -> Option<Datum> {
    let text = || value.as_str().unwrap();
    let int = || value.as_i64().unwrap();
    Some(match &t.kind {
        _ if value.is_null() => return None,
        TypeKind::Boolean => Datum::Boolean(value.as_bool().unwrap()),
        TypeKind::TinyInt => Datum::TinyInt(int().try_into().unwrap()),
        TypeKind::SmallInt => Datum::SmallInt(int().try_into().unwrap()),
        TypeKind::Int => Datum::Int(int().try_into().unwrap()),
        TypeKind::BigInt => Datum::BigInt(int()),
        TypeKind::Float => Datum::Float(f32::from_bits(u32::from_str_radix(text(), 16).unwrap())),
        TypeKind::Double => Datum::Double(f64::from_bits(u64::from_str_radix(text(), 16).unwrap())),
        TypeKind::Char(_) | TypeKind::VarChar(_) => Datum::String(text().to_owned()),
        TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => Datum::Bytes(hex(text())),
        _ => parse_value(text(), t).unwrap(),
    })
}

/// The bytes that a text of hexadecimal digits stands for.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).unwrap().try_into().unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
