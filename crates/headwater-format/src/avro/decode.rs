//! Avro values to Arrow columns.
//!
//! The writer's schema is resolved once, by field name, into columns that take one value per row.
//! Source: Paimon 1.4.2 `FieldReaderFactory`.

use std::sync::Arc;

use arrow::array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int8Builder, Int16Builder, Int32Builder, Int64Builder, StringBuilder,
    Time32MillisecondBuilder, TimestampMicrosecondBuilder, TimestampMillisecondBuilder,
};
use arrow::array::{ArrayRef, ListArray, MapArray, StructArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType as Arrow, Fields};
use headwater_spec::manifest::avro::{Cursor, Field, Shape, Type};
use headwater_spec::types::{arrow_field, arrow_type};
use headwater_spec::{DataField, DataType, SpecError, TypeKind};

/// Why a column cannot be read from a file: its name, and the reason.
pub(super) type Mismatch = (String, String);

/// Values of a record's fields that are collected.
pub(super) struct Record {
    /// For each field of the file: the column that takes it, or its type to pass over.
    steps: Vec<Step>,
    columns: Vec<Source>,
    rows: usize,
}

enum Step {
    Take(usize),
    Skip(Arc<Type>),
}

enum Source {
    File(Column),
    /// The file has no such field.
    Null(DataType),
}

struct Column {
    /// The branch of a union that is null.
    null: Option<i64>,
    kind: TypeKind,
    validity: Vec<bool>,
    values: Values,
}

enum Values {
    Boolean(BooleanBuilder),
    TinyInt(Int8Builder),
    SmallInt(Int16Builder),
    Int(Int32Builder),
    BigInt(Int64Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    /// With the smallest number of too many digits.
    Decimal(Decimal128Builder, i128),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time32MillisecondBuilder),
    Millis(TimestampMillisecondBuilder),
    Micros(TimestampMicrosecondBuilder),
    List(Vec<i32>, Box<Column>),
    /// A map with texts for keys.
    Map(Vec<i32>, Box<Column>, Box<Column>),
    /// An array of records of a key and a value.
    Entries(Vec<i32>, Box<Record>),
    Row(Box<Record>),
}

impl Record {
    /// Takes `wanted` fields of a record of the file.
    pub(super) fn new(
        file: &[Field],
        wanted: &[DataField],
        prefix: &str,
    ) -> Result<Self, Mismatch> {
        let steps = file.iter().map(|field| {
            let place = wanted.iter().position(|w| w.name == field.name);
            place.map_or_else(|| Step::Skip(Arc::clone(&field.of)), Step::Take)
        });
        let columns = wanted.iter().map(|field| {
            let name = format!("{prefix}{}", field.name);
            Ok(match file.iter().find(|f| f.name == field.name) {
                Some(there) => Source::File(Column::new(&there.of, &field.data_type, &name)?),
                None => Source::Null(field.data_type.clone()),
            })
        });
        Ok(Self {
            steps: steps.collect(),
            columns: columns.collect::<Result<_, Mismatch>>()?,
            rows: 0,
        })
    }

    /// Takes the next record.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SpecError> {
        for step in &self.steps {
            match step {
                Step::Skip(of) => of.skip(cursor)?,
                Step::Take(at) => {
                    if let Some(Source::File(column)) = self.columns.get_mut(*at) {
                        column.read(cursor)?;
                    }
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn null(&mut self) {
        for column in &mut self.columns {
            if let Source::File(column) = column {
                column.null();
            }
        }
        self.rows += 1;
    }

    /// Records taken since the last call of [`Self::finish`].
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// The columns of these records.
    pub(super) fn finish(&mut self) -> Result<Vec<ArrayRef>, SpecError> {
        let rows = std::mem::take(&mut self.rows);
        let finished = self.columns.iter_mut().map(|column| match column {
            Source::File(column) => column.finish(),
            Source::Null(of) => Ok(new_null_array(&arrow_type(&of.kind), rows)),
        });
        finished.collect()
    }
}

impl Column {
    fn new(of: &Type, wanted: &DataType, name: &str) -> Result<Self, Mismatch> {
        let (null, of) = match &of.shape {
            Shape::Union(branches) => match branches.as_slice() {
                [a, b] if matches!(a.shape, Shape::Null) => (Some(0), b.as_ref()),
                [a, b] if matches!(b.shape, Shape::Null) => (Some(1), a.as_ref()),
                _ => return Err(mismatch(of, wanted, name)),
            },
            _ => (None, of),
        };
        let values = match (&wanted.kind, &of.shape) {
            (TypeKind::Boolean, Shape::Boolean) => Values::Boolean(BooleanBuilder::new()),
            (TypeKind::TinyInt, Shape::Int) => Values::TinyInt(Int8Builder::new()),
            (TypeKind::SmallInt, Shape::Int) => Values::SmallInt(Int16Builder::new()),
            (TypeKind::Int, Shape::Int) => Values::Int(Int32Builder::new()),
            (TypeKind::BigInt, Shape::Long | Shape::Int) => Values::BigInt(Int64Builder::new()),
            (TypeKind::Float, Shape::Float) => Values::Float(Float32Builder::new()),
            (TypeKind::Double, Shape::Double) => Values::Double(Float64Builder::new()),
            (TypeKind::Decimal { precision, scale }, Shape::Bytes) => {
                let of = Arrow::Decimal128(*precision, scale.cast_signed());
                let too_many = 10_i128.pow(u32::from((*precision).min(DECIMAL128_MAX_PRECISION)));
                Values::Decimal(Decimal128Builder::new().with_data_type(of), too_many)
            }
            (TypeKind::Char(_) | TypeKind::VarChar(_), Shape::String) => {
                Values::Text(StringBuilder::new())
            }
            (TypeKind::Binary(_) | TypeKind::VarBinary(_), Shape::Bytes) => {
                Values::Bytes(BinaryBuilder::new())
            }
            (TypeKind::Date, Shape::Int) => Values::Date(Date32Builder::new()),
            (TypeKind::Time(_), Shape::Int) => Values::Time(Time32MillisecondBuilder::new()),
            // The unit follows from the precision, for the writer as for the reader.
            (TypeKind::Timestamp(0..=3) | TypeKind::TimestampLtz(0..=3), Shape::Long) => {
                let of = arrow_type(&wanted.kind);
                Values::Millis(TimestampMillisecondBuilder::new().with_data_type(of))
            }
            (TypeKind::Timestamp(4..=6) | TypeKind::TimestampLtz(4..=6), Shape::Long) => {
                let of = arrow_type(&wanted.kind);
                Values::Micros(TimestampMicrosecondBuilder::new().with_data_type(of))
            }
            (TypeKind::Array(e) | TypeKind::Vector(e, _), Shape::Array(item))
                if !item.is_zero_width() =>
            {
                let item = Self::new(item, e, &format!("{name}.element"))?;
                Values::List(vec![0], Box::new(item))
            }
            (TypeKind::Multiset(e), _) => {
                return Self::map((null, of), wanted, (e, &count()), name);
            }
            (TypeKind::Map(k, v), _) => return Self::map((null, of), wanted, (k, v), name),
            (TypeKind::Row(fields), Shape::Record(there)) => {
                Values::Row(Box::new(Record::new(there, fields, &format!("{name}."))?))
            }
            _ => return Err(mismatch(of, wanted, name)),
        };
        Ok(Self { null, kind: wanted.kind.clone(), validity: Vec::new(), values })
    }

    fn map(
        (null, of): (Option<i64>, &Type),
        wanted: &DataType,
        (key, value): (&DataType, &DataType),
        name: &str,
    ) -> Result<Self, Mismatch> {
        let values = match &of.shape {
            Shape::Map(there) => {
                if !super::schema::is_text(key) {
                    return Err(mismatch(of, wanted, name));
                }
                let keys = Self {
                    null: None,
                    kind: key.kind.clone(),
                    validity: Vec::new(),
                    values: Values::Text(StringBuilder::new()),
                };
                let values = Self::new(there, value, &format!("{name}.value"))?;
                Values::Map(vec![0], Box::new(keys), Box::new(values))
            }
            Shape::Array(item) if !item.is_zero_width() => {
                let Shape::Record(there) = &item.shape else {
                    return Err(mismatch(of, wanted, name));
                };
                let key = DataField::new(0, "key", key.clone());
                let value = DataField::new(1, "value", value.clone());
                let entries = Record::new(there, &[key, value], &format!("{name}."))?;
                Values::Entries(vec![0], Box::new(entries))
            }
            _ => return Err(mismatch(of, wanted, name)),
        };
        Ok(Self { null, kind: wanted.kind.clone(), validity: Vec::new(), values })
    }

    fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SpecError> {
        if let Some(null) = self.null {
            match cursor.long()? {
                branch if branch == null => {
                    self.null();
                    return Ok(());
                }
                0 | 1 => {}
                _ => return Err(cursor.corrupt("no such branch of a union")),
            }
        }
        match &mut self.values {
            Values::Boolean(b) => match cursor.take(1)? {
                [0] => b.append_value(false),
                [1] => b.append_value(true),
                _ => return Err(cursor.corrupt("a boolean that is neither 0 nor 1")),
            },
            Values::TinyInt(b) => {
                let value = i8::try_from(cursor.int()?);
                b.append_value(value.map_err(|_| cursor.corrupt("a TINYINT out of range"))?);
            }
            Values::SmallInt(b) => {
                let value = i16::try_from(cursor.int()?);
                b.append_value(value.map_err(|_| cursor.corrupt("a SMALLINT out of range"))?);
            }
            Values::Int(b) => b.append_value(cursor.int()?),
            Values::BigInt(b) => b.append_value(cursor.long()?),
            Values::Float(b) => b.append_value(f32::from_le_bytes(bytes(cursor)?)),
            Values::Double(b) => b.append_value(f64::from_le_bytes(bytes(cursor)?)),
            Values::Decimal(b, too_many) => {
                let value = unscaled(cursor.bytes()?);
                let value = value.filter(|v| v.unsigned_abs() < too_many.unsigned_abs());
                b.append_value(value.ok_or_else(|| cursor.corrupt("a DECIMAL out of range"))?);
            }
            Values::Text(b) => b.append_value(cursor.text()?),
            Values::Bytes(b) => b.append_value(cursor.bytes()?),
            Values::Date(b) => b.append_value(cursor.int()?),
            Values::Time(b) => b.append_value(cursor.int()?),
            Values::Millis(b) => b.append_value(cursor.long()?),
            Values::Micros(b) => b.append_value(cursor.long()?),
            Values::List(offsets, item) => {
                read_items(cursor, offsets, |cursor| item.read(cursor))?;
                self.validity.push(true);
            }
            Values::Map(offsets, keys, values) => {
                read_items(cursor, offsets, |cursor| {
                    keys.read(cursor)?;
                    values.read(cursor)
                })?;
                self.validity.push(true);
            }
            Values::Entries(offsets, entries) => {
                read_items(cursor, offsets, |cursor| entries.read(cursor))?;
                self.validity.push(true);
            }
            Values::Row(record) => {
                record.read(cursor)?;
                self.validity.push(true);
            }
        }
        Ok(())
    }

    fn null(&mut self) {
        match &mut self.values {
            Values::Boolean(b) => b.append_null(),
            Values::TinyInt(b) => b.append_null(),
            Values::SmallInt(b) => b.append_null(),
            Values::Int(b) => b.append_null(),
            Values::BigInt(b) => b.append_null(),
            Values::Float(b) => b.append_null(),
            Values::Double(b) => b.append_null(),
            Values::Decimal(b, _) => b.append_null(),
            Values::Text(b) => b.append_null(),
            Values::Bytes(b) => b.append_null(),
            Values::Date(b) => b.append_null(),
            Values::Time(b) => b.append_null(),
            Values::Millis(b) => b.append_null(),
            Values::Micros(b) => b.append_null(),
            Values::List(offsets, _) | Values::Map(offsets, _, _) | Values::Entries(offsets, _) => {
                offsets.push(offsets.last().copied().unwrap_or_default());
                self.validity.push(false);
            }
            Values::Row(record) => {
                record.null();
                self.validity.push(false);
            }
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, SpecError> {
        let damaged = |e: arrow::error::ArrowError| SpecError::corrupt(super::WHAT, e.to_string());
        let nulls = NullBuffer::from(std::mem::take(&mut self.validity));
        let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
        Ok(match &mut self.values {
            Values::Boolean(b) => Arc::new(b.finish()),
            Values::TinyInt(b) => Arc::new(b.finish()),
            Values::SmallInt(b) => Arc::new(b.finish()),
            Values::Int(b) => Arc::new(b.finish()),
            Values::BigInt(b) => Arc::new(b.finish()),
            Values::Float(b) => Arc::new(b.finish()),
            Values::Double(b) => Arc::new(b.finish()),
            Values::Decimal(b, _) => Arc::new(b.finish()),
            Values::Text(b) => Arc::new(b.finish()),
            Values::Bytes(b) => Arc::new(b.finish()),
            Values::Date(b) => Arc::new(b.finish()),
            Values::Time(b) => Arc::new(b.finish()),
            Values::Millis(b) => Arc::new(b.finish()),
            Values::Micros(b) => Arc::new(b.finish()),
            Values::List(offsets, item) => {
                let Arrow::List(field) = arrow_type(&self.kind) else {
                    return Err(SpecError::corrupt(super::WHAT, "a list of another type"));
                };
                let offsets = OffsetBuffer::new(std::mem::replace(offsets, vec![0]).into());
                Arc::new(
                    ListArray::try_new(field, offsets, item.finish()?, nulls).map_err(damaged)?,
                )
            }
            Values::Map(offsets, keys, values) => {
                let columns = vec![keys.finish()?, values.finish()?];
                map_array(&self.kind, offsets, columns, nulls)?
            }
            Values::Entries(offsets, entries) => {
                map_array(&self.kind, offsets, entries.finish()?, nulls)?
            }
            Values::Row(record) => {
                let TypeKind::Row(fields) = &self.kind else {
                    return Err(SpecError::corrupt(super::WHAT, "a row of another type"));
                };
                let fields: Fields = fields.iter().map(arrow_field).collect();
                let rows = record.rows();
                let columns = record.finish()?;
                let array = if columns.is_empty() {
                    StructArray::new_empty_fields(rows, nulls)
                } else {
                    StructArray::try_new(fields, columns, nulls).map_err(damaged)?
                };
                Arc::new(array)
            }
        })
    }
}

fn count() -> DataType {
    DataType::not_null(TypeKind::Int)
}

fn map_array(
    kind: &TypeKind,
    offsets: &mut Vec<i32>,
    columns: Vec<ArrayRef>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, SpecError> {
    let damaged = |e: arrow::error::ArrowError| SpecError::corrupt(super::WHAT, e.to_string());
    let Arrow::Map(field, sorted) = arrow_type(kind) else {
        return Err(SpecError::corrupt(super::WHAT, "a map of another type"));
    };
    let Arrow::Struct(fields) = field.data_type() else {
        return Err(SpecError::corrupt(super::WHAT, "a map of another type"));
    };
    let entries = StructArray::try_new(fields.clone(), columns, None).map_err(damaged)?;
    let offsets = OffsetBuffer::new(std::mem::replace(offsets, vec![0]).into());
    Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, sorted).map_err(damaged)?))
}

fn mismatch(of: &Type, wanted: &DataType, name: &str) -> Mismatch {
    (name.to_owned(), format!("it is an Avro {}, which is no {wanted}", of.name()))
}

fn bytes<const N: usize>(cursor: &mut Cursor<'_>) -> Result<[u8; N], SpecError> {
    let taken = cursor.take(N)?;
    taken.try_into().map_err(|_| cursor.corrupt("too few bytes"))
}

/// Reads items block by block. Each takes a byte at least, so the input's end bounds the loop.
fn read_items<'a>(
    cursor: &mut Cursor<'a>,
    offsets: &mut Vec<i32>,
    mut item: impl FnMut(&mut Cursor<'a>) -> Result<(), SpecError>,
) -> Result<(), SpecError> {
    let mut end = offsets.last().copied().unwrap_or_default();
    while let Some(block) = cursor.item_block()? {
        let before = cursor.remaining();
        for _ in 0..block.count {
            item(cursor)?;
            end = end.checked_add(1).ok_or_else(|| cursor.corrupt("too many items"))?;
        }
        if block.bytes.is_some_and(|bytes| before - cursor.remaining() != bytes) {
            return Err(cursor.corrupt("a block of items of another size than it says"));
        }
    }
    offsets.push(end);
    Ok(())
}

/// A number in two's complement, of at most 16 bytes that count.
fn unscaled(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    let fill = if first < 0x80 { 0 } else { 0xff };
    let mut whole = [fill; 16];
    let (extra, kept) = bytes.split_at(bytes.len().saturating_sub(16));
    if extra.iter().any(|byte| *byte != fill) {
        return None;
    }
    whole.get_mut(16 - kept.len()..)?.copy_from_slice(kept);
    let value = i128::from_be_bytes(whole);
    // The sign of what is left must be that of the whole.
    ((value < 0) == (first >= 0x80)).then_some(value)
}
