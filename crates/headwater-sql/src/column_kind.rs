//! From the types of values in memory to the types of columns.

use arrow::datatypes::{DataType as Arrow, Field, TimeUnit};
use headwater::{DataField, DataType, TypeKind};

/// The kind of column that holds the values of an Arrow type without loss; `None` if no column does.
pub(crate) fn column_kind(arrow: &Arrow) -> Option<TypeKind> {
    let nested = |field: &Field| -> Option<Box<DataType>> {
        Some(Box::new(DataType {
            kind: column_kind(field.data_type())?,
            nullable: field.is_nullable(),
        }))
    };
    Some(match arrow {
        Arrow::Boolean => TypeKind::Boolean,
        Arrow::Int8 => TypeKind::TinyInt,
        Arrow::Int16 | Arrow::UInt8 => TypeKind::SmallInt,
        Arrow::Int32 | Arrow::UInt16 => TypeKind::Int,
        Arrow::Int64 | Arrow::UInt32 => TypeKind::BigInt,
        Arrow::UInt64 => TypeKind::Decimal { precision: 20, scale: 0 },
        Arrow::Float16 | Arrow::Float32 => TypeKind::Float,
        Arrow::Float64 => TypeKind::Double,
        Arrow::Decimal32(p, s) | Arrow::Decimal64(p, s) | Arrow::Decimal128(p, s) => {
            TypeKind::Decimal { precision: *p, scale: u8::try_from(*s).ok()? }
        }
        Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => TypeKind::STRING,
        Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView => TypeKind::BYTES,
        Arrow::FixedSizeBinary(n) => TypeKind::Binary(u32::try_from(*n).ok().filter(|n| *n > 0)?),
        Arrow::Date32 | Arrow::Date64 => TypeKind::Date,
        Arrow::Time32(TimeUnit::Second) => TypeKind::Time(0),
        Arrow::Time32(_) | Arrow::Time64(_) => TypeKind::Time(3),
        Arrow::Timestamp(unit, zone) => {
            let digits = digits(*unit);
            match zone {
                Some(_) => TypeKind::TimestampLtz(digits),
                None => TypeKind::Timestamp(digits),
            }
        }
        Arrow::List(item) | Arrow::LargeList(item) | Arrow::FixedSizeList(item, _) => {
            TypeKind::Array(nested(item)?)
        }
        Arrow::Map(entries, _) => {
            let Arrow::Struct(parts) = entries.data_type() else { return None };
            let (key, value) = (parts.first()?, parts.get(1)?);
            let mut key = nested(key)?;
            // Keys are never null, and types do not say so.
            key.nullable = true;
            TypeKind::Map(key, nested(value)?)
        }
        Arrow::Struct(fields) => {
            let fields =
                fields.iter().map(|field| Some(DataField::new(-1, field.name(), *nested(field)?)));
            TypeKind::Row(fields.collect::<Option<_>>()?)
        }
        Arrow::Dictionary(_, values) => column_kind(values)?,
        _ => return None,
    })
}

/// Digits behind the second.
pub(crate) const fn digits(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}
