//! The Parquet schema of a data file: names, physical types, annotations and field ids.
//!
//! Format: `docs/spec/datafile.md#physical-types` and `#nested-field-ids`. Source: Paimon 1.4.2
//! `ParquetSchemaConverter`, `SpecialFields`.

use std::sync::Arc;

use headwater_spec::types::MAX_LENGTH;
use headwater_spec::{DataField, DataType, TypeKind};
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::schema::types::{PrimitiveTypeBuilder, Type, TypePtr};

use crate::error::{FormatError, Result};

/// Name of the root group.
const ROOT_NAME: &str = "paimon_schema";

/// Ids of list elements and map values count up from here, those of map keys count down.
const NESTED_ID_BASE: i32 = i32::MAX / 4;

/// The schema of a file with these columns.
///
/// # Errors
/// `Unsupported`, naming the column, for types that Parquet data files do not hold.
pub(super) fn parquet_schema(fields: &[DataField]) -> Result<TypePtr> {
    let nodes = fields.iter().map(field_node).collect::<Result<Vec<_>>>()?;
    let root = Type::group_type_builder(ROOT_NAME).with_fields(nodes).build();
    root.map(Arc::new).map_err(FormatError::encode)
}

fn field_node(field: &DataField) -> Result<TypePtr> {
    Place { path: &field.name, field: field.id, depth: 0 }.node(
        &field.name,
        field.id,
        &field.data_type,
    )
}

/// Where a node stands: inside which field of a row, below how many collections.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    field: i32,
    depth: i32,
}

impl Place<'_> {
    fn deeper(self) -> Self {
        Self { depth: self.depth.wrapping_add(1), ..self }
    }

    fn value_id(self) -> i32 {
        NESTED_ID_BASE.wrapping_add(self.field.wrapping_mul(1024)).wrapping_add(self.depth)
    }

    fn key_id(self) -> i32 {
        NESTED_ID_BASE.wrapping_sub(self.field.wrapping_mul(1024)).wrapping_sub(self.depth)
    }

    fn node(self, name: &str, id: i32, data_type: &DataType) -> Result<TypePtr> {
        let repetition = repetition(data_type);
        let group = |fields: Vec<TypePtr>, annotation: Option<LogicalType>| {
            let group = Type::group_type_builder(name)
                .with_repetition(repetition)
                .with_id(Some(id))
                .with_logical_type(annotation)
                .with_fields(fields);
            group.build().map(Arc::new).map_err(FormatError::encode)
        };
        match &data_type.kind {
            TypeKind::Array(element) => {
                let inner = self.deeper();
                let element = inner.node("element", inner.value_id(), element)?;
                group(vec![repeated("list", vec![element], None)?], Some(LogicalType::List))
            }
            TypeKind::Map(key, value) => self.map(key, value, group),
            TypeKind::Multiset(element) => {
                self.map(element, &DataType::not_null(TypeKind::Int), group)
            }
            TypeKind::Row(fields) => {
                group(fields.iter().map(field_node).collect::<Result<Vec<_>>>()?, None)
            }
            TypeKind::Variant => {
                let bytes = DataType::not_null(TypeKind::VarBinary(MAX_LENGTH));
                group(vec![self.node("value", 0, &bytes)?, self.node("metadata", 1, &bytes)?], None)
            }
            TypeKind::Blob | TypeKind::Vector(..) => Err(FormatError::Unsupported {
                what: format!(
                    "column '{}': type {data_type} is not stored in Parquet files by this version",
                    self.path
                ),
            }),
            kind => {
                let leaf = leaf(name, kind).with_repetition(repetition).with_id(Some(id));
                leaf.build().map(Arc::new).map_err(FormatError::encode)
            }
        }
    }

    fn map(
        self,
        key: &DataType,
        value: &DataType,
        group: impl Fn(Vec<TypePtr>, Option<LogicalType>) -> Result<TypePtr>,
    ) -> Result<TypePtr> {
        let inner = self.deeper();
        let key = key.clone().with_nullable(false);
        let entries = vec![
            inner.node("key", inner.key_id(), &key)?,
            inner.node("value", inner.value_id(), value)?,
        ];
        let entries = repeated("key_value", entries, Some(ConvertedType::MAP_KEY_VALUE))?;
        group(vec![entries], Some(LogicalType::Map))
    }
}

const fn repetition(data_type: &DataType) -> Repetition {
    if data_type.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED }
}

fn repeated(
    name: &str,
    fields: Vec<TypePtr>,
    annotation: Option<ConvertedType>,
) -> Result<TypePtr> {
    let group = Type::group_type_builder(name)
        .with_repetition(Repetition::REPEATED)
        .with_converted_type(annotation.unwrap_or(ConvertedType::NONE))
        .with_fields(fields);
    group.build().map(Arc::new).map_err(FormatError::encode)
}

fn leaf<'a>(name: &'a str, kind: &TypeKind) -> PrimitiveTypeBuilder<'a> {
    let plain = |physical| Type::primitive_type_builder(name, physical);
    let annotated = |physical, logical| plain(physical).with_logical_type(Some(logical));
    match kind {
        TypeKind::Boolean => plain(Physical::BOOLEAN),
        TypeKind::TinyInt => annotated(Physical::INT32, LogicalType::integer(8, true)),
        TypeKind::SmallInt => annotated(Physical::INT32, LogicalType::integer(16, true)),
        TypeKind::Int => plain(Physical::INT32),
        TypeKind::BigInt => plain(Physical::INT64),
        TypeKind::Float => plain(Physical::FLOAT),
        TypeKind::Double => plain(Physical::DOUBLE),
        TypeKind::Decimal { precision, scale } => {
            let (precision, scale) = (i32::from(*precision), i32::from(*scale));
            let physical = match precision {
                ..=9 => Physical::INT32,
                10..=18 => Physical::INT64,
                _ => Physical::FIXED_LEN_BYTE_ARRAY,
            };
            let length = if precision > 18 { decimal_bytes(precision) } else { -1 };
            annotated(physical, LogicalType::decimal(scale, precision))
                .with_precision(precision)
                .with_scale(scale)
                .with_length(length)
        }
        TypeKind::Char(_) | TypeKind::VarChar(_) => {
            annotated(Physical::BYTE_ARRAY, LogicalType::String)
        }
        TypeKind::Date => annotated(Physical::INT32, LogicalType::Date),
        TypeKind::Time(_) => annotated(Physical::INT32, LogicalType::time(true, TimeUnit::MILLIS)),
        TypeKind::Timestamp(p @ ..=6) => {
            annotated(Physical::INT64, LogicalType::timestamp(false, unit(*p)))
        }
        TypeKind::TimestampLtz(p @ ..=6) => {
            annotated(Physical::INT64, LogicalType::timestamp(true, unit(*p)))
        }
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => plain(Physical::INT96),
        _ => plain(Physical::BYTE_ARRAY),
    }
}

const fn unit(precision: u8) -> TimeUnit {
    if precision <= 3 { TimeUnit::MILLIS } else { TimeUnit::MICROS }
}

/// Fewest bytes whose two's complement holds every number of `precision` digits.
fn decimal_bytes(precision: i32) -> i32 {
    // 10^38 needs 127 bits, so 16 bytes are always enough.
    let largest = 10_u128.pow(precision.clamp(0, 38).unsigned_abs());
    (1..16).find(|bytes| 1_u128 << (8 * bytes - 1) >= largest).unwrap_or(16)
}

#[cfg(test)]
mod tests {
    use super::decimal_bytes;

    #[test]
    fn decimals_take_the_fewest_bytes() {
        let bytes = |p| decimal_bytes(p);
        assert_eq!([bytes(2), bytes(3), bytes(9), bytes(10)], [1, 2, 4, 5]);
        assert_eq!([bytes(18), bytes(19), bytes(20), bytes(38)], [8, 9, 9, 16]);
    }
}
