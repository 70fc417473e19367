//! The Arrow type that carries each column type in memory.

use std::sync::Arc;

use arrow::datatypes::{DataType as Arrow, Field, Fields, Schema, SchemaRef, TimeUnit};

use super::{DataField, DataType, RowType, TypeKind};

/// Arrow type of a column type.
///
/// | column | Arrow |
/// |---|---|
/// | CHAR, VARCHAR, STRING | Utf8 |
/// | BINARY, VARBINARY, BYTES, BLOB | Binary |
/// | DECIMAL(p, s) | Decimal128(p, s) |
/// | TIME | Time32(ms) |
/// | TIMESTAMP(0-3 / 4-6 / 7-9) | Timestamp(ms / us / ns) |
/// | the same with local time zone | the same with zone "UTC" |
/// | ARRAY, VECTOR | List of `element` |
/// | MAP, MULTISET | Map of `key_value` {`key`, `value`} |
/// | ROW | Struct |
/// | VARIANT | Struct of `value`, `metadata` |
#[must_use]
pub fn arrow_type(kind: &TypeKind) -> Arrow {
    match kind {
        TypeKind::Boolean => Arrow::Boolean,
        TypeKind::TinyInt => Arrow::Int8,
        TypeKind::SmallInt => Arrow::Int16,
        TypeKind::Int => Arrow::Int32,
        TypeKind::BigInt => Arrow::Int64,
        TypeKind::Float => Arrow::Float32,
        TypeKind::Double => Arrow::Float64,
        TypeKind::Decimal { precision, scale } => {
            Arrow::Decimal128(*precision, scale.cast_signed())
        }
        TypeKind::Char(_) | TypeKind::VarChar(_) => Arrow::Utf8,
        TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => Arrow::Binary,
        TypeKind::Date => Arrow::Date32,
        TypeKind::Time(_) => Arrow::Time32(TimeUnit::Millisecond),
        TypeKind::Timestamp(p) => Arrow::Timestamp(time_unit(*p), None),
        TypeKind::TimestampLtz(p) => Arrow::Timestamp(time_unit(*p), Some("UTC".into())),
        TypeKind::Array(e) | TypeKind::Vector(e, _) => Arrow::List(Arc::new(element("element", e))),
        TypeKind::Multiset(e) => map_type(e, &DataType::not_null(TypeKind::Int)),
        TypeKind::Map(k, v) => map_type(k, v),
        TypeKind::Row(fields) => Arrow::Struct(fields.iter().map(arrow_field).collect()),
        TypeKind::Variant => Arrow::Struct(Fields::from(vec![
            Field::new("value", Arrow::Binary, false),
            Field::new("metadata", Arrow::Binary, false),
        ])),
    }
}

fn map_type(key: &DataType, value: &DataType) -> Arrow {
    let entries = Fields::from(vec![
        Field::new("key", arrow_type(&key.kind), false),
        element("value", value),
    ]);
    Arrow::Map(Arc::new(Field::new("key_value", Arrow::Struct(entries), false)), false)
}

fn element(name: &str, t: &DataType) -> Field {
    Field::new(name, arrow_type(&t.kind), t.nullable)
}

const fn time_unit(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

/// Arrow field of a column: its name, type and nullability, without metadata.
#[must_use]
pub fn arrow_field(field: &DataField) -> Field {
    Field::new(&field.name, arrow_type(&field.data_type.kind), field.data_type.nullable)
}

/// Arrow schema of some columns.
#[must_use]
pub fn arrow_schema(row: &RowType) -> SchemaRef {
    Arc::new(Schema::new(row.fields.iter().map(arrow_field).collect::<Fields>()))
}
