//! Arrow rows to binary rows, without a value in between.

use ::arrow::array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType,
};
use ::arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, ListArray, MapArray, StringArray, StructArray,
};

use super::cells::{check_arity, primitive, timestamp, variant};
use super::{check_columns, downcast, out_of_range};
use crate::error::SpecError;
use crate::row::BinaryRow;
use crate::row::encode::{begin_map, check_depth, end_map_keys, write_variant};
use crate::row::section::{Section, element_width, too_large};
use crate::types::{DataType, TypeKind};

/// Encodes rows of Arrow columns, one at a time, into one buffer.
///
/// The bytes are those of [`BinaryRow::from_values`] for the same values.
#[derive(Debug)]
pub struct RowEncoder {
    types: Vec<DataType>,
    buffer: Vec<u8>,
}

impl RowEncoder {
    /// An encoder for rows with these types.
    #[must_use]
    pub fn new(types: &[DataType]) -> Self {
        Self { types: types.to_vec(), buffer: Vec::new() }
    }

    /// The layout of one row; valid until the next call.
    ///
    /// `columns`: one per type.
    ///
    /// # Errors
    /// [`SpecError::Value`] when the columns do not carry the types or have no such row,
    /// [`SpecError::Unsupported`] when a type nests too deep or the row reaches 2 GiB.
    pub fn encode(&mut self, columns: &[ArrayRef], row: usize) -> Result<&[u8], SpecError> {
        let rows = check_columns(columns, &self.types)?;
        if row >= rows && !columns.is_empty() {
            return Err(out_of_range(row, rows));
        }
        self.buffer.clear();
        let types = self.types.iter().map(|t| &t.kind);
        write_row(&mut self.buffer, columns, types, row, 0)?;
        Ok(&self.buffer)
    }

    /// The row as a value of its own.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn to_row(&mut self, columns: &[ArrayRef], row: usize) -> Result<BinaryRow, SpecError> {
        let bytes = self.encode(columns, row)?.to_vec();
        Ok(BinaryRow { arity: columns.len(), bytes })
    }
}

fn write_row<'t>(
    buffer: &mut Vec<u8>,
    columns: &[ArrayRef],
    kinds: impl Iterator<Item = &'t TypeKind>,
    row: usize,
    depth: usize,
) -> Result<(), SpecError> {
    let section = Section::row(buffer, columns.len())?;
    for (index, (column, kind)) in columns.iter().zip(kinds).enumerate() {
        let cell = Cell { array: column.as_ref(), row, kind };
        write_cell(buffer, &section, index, cell, depth)?;
    }
    Ok(())
}

/// Appends an array of the elements `start..end`.
fn write_array(
    buffer: &mut Vec<u8>,
    array: &dyn Array,
    (start, end): (usize, usize),
    kind: &TypeKind,
    depth: usize,
) -> Result<(), SpecError> {
    let section = Section::array(buffer, end.saturating_sub(start), element_width(kind))?;
    for (index, row) in (start..end).enumerate() {
        write_cell(buffer, &section, index, Cell { array, row, kind }, depth)?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Cell<'a> {
    array: &'a dyn Array,
    row: usize,
    kind: &'a TypeKind,
}

fn write_cell(
    buffer: &mut Vec<u8>,
    section: &Section,
    index: usize,
    cell: Cell<'_>,
    depth: usize,
) -> Result<(), SpecError> {
    let Cell { array, row, kind } = cell;
    if array.is_null(row) {
        return section.null(buffer, index, kind);
    }
    match kind {
        TypeKind::Boolean => {
            let v = downcast::<BooleanArray>(array, kind)?.value(row);
            section.fixed(buffer, index, &[u8::from(v)]);
        }
        TypeKind::TinyInt => {
            let v = primitive::<Int8Type>(array, row, kind)?;
            section.fixed(buffer, index, &v.to_le_bytes());
        }
        TypeKind::SmallInt => {
            let v = primitive::<Int16Type>(array, row, kind)?;
            section.fixed(buffer, index, &v.to_le_bytes());
        }
        TypeKind::Int => {
            let v = primitive::<Int32Type>(array, row, kind)?;
            section.fixed(buffer, index, &v.to_le_bytes());
        }
        TypeKind::Date => {
            let v = primitive::<Date32Type>(array, row, kind)?;
            section.fixed(buffer, index, &v.to_le_bytes());
        }
        TypeKind::Time(_) => {
            let v = primitive::<Time32MillisecondType>(array, row, kind)?;
            section.fixed(buffer, index, &v.to_le_bytes());
        }
        TypeKind::BigInt => {
            let v = primitive::<Int64Type>(array, row, kind)?;
            section.fixed(buffer, index, &v.to_le_bytes());
        }
        TypeKind::Float => {
            let v = primitive::<Float32Type>(array, row, kind)?;
            let v = if v.is_nan() && section.canonical_nan() { f32::NAN } else { v };
            section.fixed(buffer, index, &v.to_le_bytes());
        }
        TypeKind::Double => {
            let v = primitive::<Float64Type>(array, row, kind)?;
            let v = if v.is_nan() && section.canonical_nan() { f64::NAN } else { v };
            section.fixed(buffer, index, &v.to_le_bytes());
        }
        TypeKind::Decimal { precision, .. } => {
            let v = primitive::<Decimal128Type>(array, row, kind)?;
            section.decimal(buffer, index, v, *precision)?;
        }
        TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) => {
            section.timestamp(buffer, index, timestamp(array, row, kind)?, *p)?;
        }
        TypeKind::Char(_) | TypeKind::VarChar(_) => {
            let v = downcast::<StringArray>(array, kind)?.value(row);
            section.bytes(buffer, index, v.as_bytes())?;
        }
        TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => {
            let v = downcast::<BinaryArray>(array, kind)?.value(row);
            section.bytes(buffer, index, v)?;
        }
        _ => {
            let start = buffer.len();
            write_nested(buffer, cell, depth + 1)?;
            section.end_variable(buffer, index, start)?;
        }
    }
    Ok(())
}

fn write_nested(buffer: &mut Vec<u8>, cell: Cell<'_>, depth: usize) -> Result<(), SpecError> {
    check_depth(depth)?;
    let Cell { array, row, kind } = cell;
    match kind {
        TypeKind::Array(element) => {
            let list = downcast::<ListArray>(array, kind)?;
            let range = range(list.value_offsets(), row);
            write_array(buffer, list.values().as_ref(), range, &element.kind, depth)
        }
        TypeKind::Vector(element, _) => {
            let list = downcast::<ListArray>(array, kind)?;
            write_vector(buffer, list, row, &element.kind)
        }
        TypeKind::Map(key, value) => write_map(buffer, cell, (&key.kind, &value.kind), depth),
        TypeKind::Multiset(element) => {
            write_map(buffer, cell, (&element.kind, &TypeKind::Int), depth)
        }
        TypeKind::Row(fields) => {
            let parts = downcast::<StructArray>(array, kind)?;
            check_arity(parts, fields.len(), kind)?;
            let kinds = fields.iter().map(|f| &f.data_type.kind);
            write_row(buffer, parts.columns(), kinds, row, depth)
        }
        TypeKind::Variant => {
            let (value, metadata) = variant(array, row, kind)?;
            write_variant(buffer, value, metadata)
        }
        _ => Err(SpecError::Unsupported {
            what: format!("{kind} in a binary row"),
            reason: "it has no layout".into(),
        }),
    }
}

fn write_map(
    buffer: &mut Vec<u8>,
    cell: Cell<'_>,
    (key, value): (&TypeKind, &TypeKind),
    depth: usize,
) -> Result<(), SpecError> {
    let map = downcast::<MapArray>(cell.array, cell.kind)?;
    let range = range(map.value_offsets(), cell.row);
    let start = begin_map(buffer);
    write_array(buffer, map.keys().as_ref(), range, key, depth)?;
    end_map_keys(buffer, start)?;
    write_array(buffer, map.values().as_ref(), range, value, depth)
}

/// Elements of a vector have no null bits: the array's fixed part without its header.
fn write_vector(
    buffer: &mut Vec<u8>,
    list: &ListArray,
    row: usize,
    element: &TypeKind,
) -> Result<(), SpecError> {
    let (start, end) = range(list.value_offsets(), row);
    let values = list.values().as_ref();
    let count = i32::try_from(end.saturating_sub(start)).map_err(|_| too_large())?;
    buffer.extend_from_slice(&count.to_le_bytes());
    for row in start..end {
        if values.is_null(row) {
            return Err(SpecError::Value {
                column: "element of VECTOR".into(),
                reason: "it is null".into(),
            });
        }
        match element {
            TypeKind::Boolean => {
                buffer.push(u8::from(downcast::<BooleanArray>(values, element)?.value(row)));
            }
            TypeKind::TinyInt => {
                buffer.extend(primitive::<Int8Type>(values, row, element)?.to_le_bytes());
            }
            TypeKind::SmallInt => {
                buffer.extend(primitive::<Int16Type>(values, row, element)?.to_le_bytes());
            }
            TypeKind::Int => {
                buffer.extend(primitive::<Int32Type>(values, row, element)?.to_le_bytes());
            }
            TypeKind::BigInt => {
                buffer.extend(primitive::<Int64Type>(values, row, element)?.to_le_bytes());
            }
            TypeKind::Float => {
                buffer.extend(primitive::<Float32Type>(values, row, element)?.to_le_bytes());
            }
            TypeKind::Double => {
                buffer.extend(primitive::<Float64Type>(values, row, element)?.to_le_bytes());
            }
            _ => {
                return Err(SpecError::Unsupported {
                    what: format!("a vector of {element}"),
                    reason: "elements are numbers or BOOLEAN".into(),
                });
            }
        }
    }
    Ok(())
}

/// Elements of a list or map cell, as positions in its values.
fn range(offsets: &[i32], row: usize) -> (usize, usize) {
    let at = |i: usize| offsets.get(i).and_then(|o| usize::try_from(*o).ok()).unwrap_or(0);
    (at(row), at(row + 1))
}
