//! Arrow columns to Avro values, row by row.

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, ListArray, MapArray, StringArray,
    StructArray, Time32MillisecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
};
use headwater_spec::manifest::avro::{put_bytes, put_length, put_long};
use headwater_spec::{DataField, DataType, TypeKind};

use super::schema::is_text;
use crate::error::{FormatError, Result};

/// The values of one column of a batch.
pub(super) struct Column<'a> {
    name: String,
    nullable: bool,
    array: &'a dyn Array,
    values: Values<'a>,
}

enum Values<'a> {
    Boolean(&'a BooleanArray),
    TinyInt(&'a Int8Array),
    SmallInt(&'a Int16Array),
    Int(&'a Int32Array),
    BigInt(&'a Int64Array),
    Float(&'a Float32Array),
    Double(&'a Float64Array),
    Decimal(&'a Decimal128Array),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a Date32Array),
    Time(&'a Time32MillisecondArray),
    Millis(&'a TimestampMillisecondArray),
    Micros(&'a TimestampMicrosecondArray),
    List(&'a ListArray, Box<Column<'a>>),
    /// Keys and values; the same bytes in a map and in an array of records.
    Map(&'a MapArray, Box<Column<'a>>, Box<Column<'a>>),
    Row(Vec<Column<'a>>),
}

/// The columns of a batch.
pub(super) fn columns<'a>(arrays: &'a [ArrayRef], fields: &[DataField]) -> Result<Vec<Column<'a>>> {
    let column = |(array, field): (&'a ArrayRef, &DataField)| {
        Column::new(array.as_ref(), &field.data_type, &field.name)
    };
    arrays.iter().zip(fields).map(column).collect()
}

fn cast<'a, A: 'static>(array: &'a dyn Array, name: &str) -> Result<&'a A> {
    array.as_any().downcast_ref().ok_or_else(|| FormatError::Batch {
        reason: format!("column '{name}' cannot be an Arrow {}", array.data_type()),
    })
}

impl<'a> Column<'a> {
    fn new(array: &'a dyn Array, of: &DataType, name: &str) -> Result<Self> {
        let map = |k: &DataType, v: &DataType| -> Result<Values<'a>> {
            let map: &MapArray = cast(array, name)?;
            let key = k.clone().with_nullable(k.nullable && !is_text(k));
            let keys = Self::new(map.keys().as_ref(), &key, &format!("{name}.key"))?;
            let values = Self::new(map.values().as_ref(), v, &format!("{name}.value"))?;
            Ok(Values::Map(map, Box::new(keys), Box::new(values)))
        };
        let values = match &of.kind {
            TypeKind::Boolean => Values::Boolean(cast(array, name)?),
            TypeKind::TinyInt => Values::TinyInt(cast(array, name)?),
            TypeKind::SmallInt => Values::SmallInt(cast(array, name)?),
            TypeKind::Int => Values::Int(cast(array, name)?),
            TypeKind::BigInt => Values::BigInt(cast(array, name)?),
            TypeKind::Float => Values::Float(cast(array, name)?),
            TypeKind::Double => Values::Double(cast(array, name)?),
            TypeKind::Decimal { .. } => Values::Decimal(cast(array, name)?),
            TypeKind::Char(_) | TypeKind::VarChar(_) => Values::Text(cast(array, name)?),
            TypeKind::Binary(_) | TypeKind::VarBinary(_) => Values::Bytes(cast(array, name)?),
            TypeKind::Date => Values::Date(cast(array, name)?),
            TypeKind::Time(_) => Values::Time(cast(array, name)?),
            TypeKind::Timestamp(0..=3) | TypeKind::TimestampLtz(0..=3) => {
                Values::Millis(cast(array, name)?)
            }
            TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
                Values::Micros(cast(array, name)?)
            }
            TypeKind::Array(e) | TypeKind::Vector(e, _) => {
                let list: &ListArray = cast(array, name)?;
                let items = Self::new(list.values().as_ref(), e, &format!("{name}.element"))?;
                Values::List(list, Box::new(items))
            }
            TypeKind::Multiset(e) => map(e, &DataType::nullable(TypeKind::Int))?,
            TypeKind::Map(k, v) => map(k, v)?,
            TypeKind::Row(fields) => {
                let row: &StructArray = cast(array, name)?;
                let field = |(array, field): (&'a ArrayRef, &DataField)| {
                    let name = format!("{name}.{}", field.name);
                    Self::new(array.as_ref(), &field.data_type, &name)
                };
                Values::Row(row.columns().iter().zip(fields).map(field).collect::<Result<_>>()?)
            }
            TypeKind::Variant | TypeKind::Blob => {
                return Err(FormatError::Unsupported {
                    what: format!("column '{name}' of type {of} is not written in Avro"),
                });
            }
        };
        Ok(Self { name: name.to_owned(), nullable: of.nullable, array, values })
    }

    /// Appends the value of a row.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        match (self.nullable, self.array.is_null(row)) {
            (true, true) => {
                put_long(out, 0);
                return Ok(());
            }
            (true, false) => put_long(out, 1),
            (false, true) => {
                let reason = "null in a NOT NULL column".to_owned();
                return Err(FormatError::Value { column: self.name.clone(), reason });
            }
            (false, false) => {}
        }
        match &self.values {
            Values::Boolean(a) => out.push(u8::from(a.value(row))),
            Values::TinyInt(a) => put_long(out, a.value(row).into()),
            Values::SmallInt(a) => put_long(out, a.value(row).into()),
            Values::Int(a) => put_long(out, a.value(row).into()),
            Values::BigInt(a) => put_long(out, a.value(row)),
            Values::Float(a) => out.extend_from_slice(&a.value(row).to_le_bytes()),
            Values::Double(a) => out.extend_from_slice(&a.value(row).to_le_bytes()),
            Values::Decimal(a) => put_bytes(out, unscaled(&a.value(row).to_be_bytes())),
            Values::Text(a) => put_bytes(out, a.value(row).as_bytes()),
            Values::Bytes(a) => put_bytes(out, a.value(row)),
            Values::Date(a) => put_long(out, a.value(row).into()),
            Values::Time(a) => put_long(out, a.value(row).into()),
            Values::Millis(a) => put_long(out, a.value(row)),
            Values::Micros(a) => put_long(out, a.value(row)),
            Values::List(list, items) => {
                items_of(list.value_offsets(), row, out, |at, out| items.write(at, out))?;
            }
            Values::Map(map, keys, values) => {
                items_of(map.value_offsets(), row, out, |at, out| {
                    keys.write(at, out)?;
                    values.write(at, out)
                })?;
            }
            Values::Row(fields) => {
                for field in fields {
                    field.write(row, out)?;
                }
            }
        }
        Ok(())
    }
}

/// Appends the items of a row: one block, and the end.
fn items_of(
    offsets: &[i32],
    row: usize,
    out: &mut Vec<u8>,
    write: impl Fn(usize, &mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    let at = |row: usize| {
        let offset = offsets.get(row).copied().unwrap_or_default();
        usize::try_from(offset).unwrap_or_default()
    };
    let items = at(row)..at(row + 1);
    if !items.is_empty() {
        put_length(out, items.len());
        for item in items {
            write(item, out)?;
        }
    }
    put_long(out, 0);
    Ok(())
}

/// The shortest two's complement, one byte at least.
fn unscaled(bytes: &[u8; 16]) -> &[u8] {
    let mut rest = bytes.as_slice();
    while let [first, tail @ ..] = rest
        && let [second, ..] = tail
        && (*first == 0 && *second < 0x80 || *first == 0xff && *second >= 0x80)
    {
        rest = tail;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::unscaled;

    #[test]
    fn decimals_take_as_few_bytes_as_they_can() {
        for (value, bytes) in [
            (0_i128, &[0_u8][..]),
            (-1, &[0xff]),
            (127, &[0x7f]),
            (128, &[0, 0x80]),
            (-128, &[0x80]),
            (-129, &[0xff, 0x7f]),
            (256, &[1, 0]),
        ] {
            assert_eq!(unscaled(&value.to_be_bytes()), bytes, "{value}");
        }
    }
}
