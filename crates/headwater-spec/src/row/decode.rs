//! The binary layout to values; every offset, length and count is checked.

use super::section::{array_header_size, element_width, reserved, row_fixed_size, row_header_size};
use super::{MAX_DEPTH, WHAT};
use crate::datum::Datum;
use crate::error::SpecError;
use crate::types::{DataType, TypeKind};

/// A read with a limit on its total work.
///
/// Slots may point to overlapping bytes, so a small row could unfold into a huge value. In a row
/// without overlaps each byte belongs to at most one value per level of nesting.
pub(super) struct Decoder {
    budget: usize,
}

impl Decoder {
    /// A decoder for a row of `size` bytes.
    pub(super) const fn new(size: usize) -> Self {
        Self { budget: size.saturating_mul(MAX_DEPTH + 2) }
    }

    /// The values of a row.
    pub(super) fn row<'t>(
        &mut self,
        bytes: &[u8],
        types: impl ExactSizeIterator<Item = &'t DataType>,
        depth: usize,
    ) -> Result<Vec<Option<Datum>>, SpecError> {
        let arity = types.len();
        let header = row_header_size(arity).ok_or_else(overflow)?;
        let fixed = row_fixed_size(arity).ok_or_else(overflow)?;
        slice(bytes, 0, fixed)?;
        let mut values = Vec::with_capacity(arity);
        for (index, data_type) in types.enumerate() {
            let at = header + 8 * index;
            if bit(bytes, 1, index)? {
                check_reserved(bytes, at, &data_type.kind)?;
                values.push(None);
            } else {
                values.push(Some(self.value(bytes, at, &data_type.kind, depth)?));
            }
        }
        Ok(values)
    }

    fn array(
        &mut self,
        bytes: &[u8],
        element: &DataType,
        depth: usize,
    ) -> Result<Vec<Option<Datum>>, SpecError> {
        let count = size(bytes, 0)?;
        let header = array_header_size(count).ok_or_else(overflow)?;
        let width = element_width(&element.kind);
        let elements = count.checked_mul(width).ok_or_else(overflow)?;
        slice(bytes, header, elements)?;
        let mut values = Vec::with_capacity(count);
        for index in 0..count {
            if bit(bytes, 4, index)? {
                values.push(None);
            } else {
                let at = header + width * index;
                values.push(Some(self.value(bytes, at, &element.kind, depth)?));
            }
        }
        Ok(values)
    }

    fn map(
        &mut self,
        bytes: &[u8],
        key: &DataType,
        value: &DataType,
        depth: usize,
    ) -> Result<Datum, SpecError> {
        let keys_size = size(bytes, 0)?;
        let keys = self.array(slice(bytes, 4, keys_size)?, key, depth)?;
        let rest = bytes.get(4 + keys_size..).unwrap_or_default();
        let values = self.array(rest, value, depth)?;
        if keys.len() != values.len() {
            let reason = format!("a map has {} keys and {} values", keys.len(), values.len());
            return Err(SpecError::corrupt(WHAT, reason));
        }
        Ok(Datum::Map(keys.into_iter().zip(values).collect()))
    }

    fn vector(
        &mut self,
        bytes: &[u8],
        element: &DataType,
        length: u32,
        depth: usize,
    ) -> Result<Datum, SpecError> {
        let count = size(bytes, 0)?;
        if u32::try_from(count) != Ok(length) {
            let reason = format!("a vector has {count} elements, not {length}");
            return Err(SpecError::corrupt(WHAT, reason));
        }
        let kind = &element.kind;
        if !matches!(
            kind,
            TypeKind::Boolean
                | TypeKind::TinyInt
                | TypeKind::SmallInt
                | TypeKind::Int
                | TypeKind::BigInt
                | TypeKind::Float
                | TypeKind::Double
        ) {
            return Err(SpecError::Unsupported {
                what: format!("a vector of {kind}"),
                reason: "elements are numbers or BOOLEAN".into(),
            });
        }
        let width = element_width(kind);
        slice(bytes, 4, count.checked_mul(width).ok_or_else(overflow)?)?;
        let values = (0..count)
            .map(|i| self.value(bytes, 4 + width * i, kind, depth).map(Some))
            .collect::<Result<_, _>>()?;
        Ok(Datum::Array(values))
    }

    /// The value whose slot is at `at`.
    fn value(
        &mut self,
        bytes: &[u8],
        at: usize,
        kind: &TypeKind,
        depth: usize,
    ) -> Result<Datum, SpecError> {
        Ok(match kind {
            TypeKind::Boolean => Datum::Boolean(chunk::<1>(bytes, at)? != [0]),
            TypeKind::TinyInt => Datum::TinyInt(i8::from_le_bytes(chunk(bytes, at)?)),
            TypeKind::SmallInt => Datum::SmallInt(i16::from_le_bytes(chunk(bytes, at)?)),
            TypeKind::Int => Datum::Int(i32::from_le_bytes(chunk(bytes, at)?)),
            TypeKind::Date => Datum::Date(i32::from_le_bytes(chunk(bytes, at)?)),
            TypeKind::Time(_) => Datum::Time(i32::from_le_bytes(chunk(bytes, at)?)),
            TypeKind::BigInt => Datum::BigInt(i64::from_le_bytes(chunk(bytes, at)?)),
            TypeKind::Float => Datum::Float(f32::from_le_bytes(chunk(bytes, at)?)),
            TypeKind::Double => Datum::Double(f64::from_le_bytes(chunk(bytes, at)?)),
            TypeKind::Decimal { precision, scale } => {
                let unscaled = if *precision <= 18 {
                    i64::from_le_bytes(chunk(bytes, at)?).into()
                } else {
                    decimal(bytes, at)?
                };
                Datum::Decimal { unscaled, precision: *precision, scale: *scale }
            }
            TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) => timestamp(bytes, at, *p)?,
            TypeKind::Char(_) | TypeKind::VarChar(_) => {
                let text = std::str::from_utf8(self.text(bytes, at)?)
                    .map_err(|e| SpecError::corrupt(WHAT, format!("a string is not UTF-8: {e}")))?;
                Datum::String(text.to_owned())
            }
            TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => {
                Datum::Bytes(self.text(bytes, at)?.to_vec())
            }
            _ => {
                let part = self.variable(bytes, at)?;
                self.nested(part, kind, depth + 1)?
            }
        })
    }

    fn nested(&mut self, bytes: &[u8], kind: &TypeKind, depth: usize) -> Result<Datum, SpecError> {
        super::encode::check_depth(depth)?;
        match kind {
            TypeKind::Array(element) => self.array(bytes, element, depth).map(Datum::Array),
            TypeKind::Vector(element, n) => self.vector(bytes, element, *n, depth),
            TypeKind::Map(key, value) => self.map(bytes, key, value, depth),
            TypeKind::Multiset(element) => {
                self.map(bytes, element, &DataType::not_null(TypeKind::Int), depth)
            }
            TypeKind::Row(fields) => {
                self.row(bytes, fields.iter().map(|f| &f.data_type), depth).map(Datum::Row)
            }
            TypeKind::Variant => {
                let length = size(bytes, 0)?;
                let value = slice(bytes, 4, length)?.to_vec();
                let metadata = bytes.get(4 + length..).unwrap_or_default().to_vec();
                Ok(Datum::Variant { value, metadata })
            }
            _ => Err(SpecError::corrupt(WHAT, format!("{kind} is not nested"))),
        }
    }

    /// Text or bytes: inline when the highest bit of the slot is set.
    fn text<'b>(&mut self, bytes: &'b [u8], at: usize) -> Result<&'b [u8], SpecError> {
        let [.., mark] = chunk::<8>(bytes, at)?;
        if mark & 0x80 == 0 {
            return self.variable(bytes, at);
        }
        let length = usize::from(mark & 0x7f);
        if length > 7 {
            return Err(SpecError::corrupt(WHAT, format!("{length} bytes in one slot")));
        }
        slice(bytes, at, length)
    }

    /// What the slot at `at` points to.
    fn variable<'b>(&mut self, bytes: &'b [u8], at: usize) -> Result<&'b [u8], SpecError> {
        let length = size(bytes, at)?;
        let part = slice(bytes, size(bytes, at + 4)?, length)?;
        self.budget = self
            .budget
            .checked_sub(length)
            .ok_or_else(|| SpecError::corrupt(WHAT, "its values overlap"))?;
        Ok(part)
    }
}

fn decimal(bytes: &[u8], at: usize) -> Result<i128, SpecError> {
    let length = size(bytes, at)?;
    let part = slice(bytes, size(bytes, at + 4)?, 16)?;
    let Some(digits) = part.get(..length).filter(|d| !d.is_empty()) else {
        return Err(SpecError::corrupt(WHAT, format!("a decimal of {length} bytes")));
    };
    let negative = digits.first().is_some_and(|b| b & 0x80 != 0);
    let start = if negative { -1_i128 } else { 0 };
    Ok(digits.iter().fold(start, |n, byte| (n << 8) | i128::from(*byte)))
}

fn timestamp(bytes: &[u8], at: usize, precision: u8) -> Result<Datum, SpecError> {
    if precision <= 3 {
        return Ok(Datum::Timestamp { millis: i64::from_le_bytes(chunk(bytes, at)?), nanos: 0 });
    }
    let nanos = u32::from_le_bytes(chunk(bytes, at)?);
    if nanos > 999_999 {
        return Err(SpecError::corrupt(WHAT, format!("{nanos} nanoseconds in a millisecond")));
    }
    let millis = i64::from_le_bytes(chunk(bytes, size(bytes, at + 4)?)?);
    Ok(Datum::Timestamp { millis, nanos })
}

/// A null of a type with reserved bytes has them, unless its slot is empty.
fn check_reserved(bytes: &[u8], at: usize, kind: &TypeKind) -> Result<(), SpecError> {
    let needed = reserved(kind);
    if needed > 0 {
        let offset = size(bytes, at + 4)?;
        slice(bytes, offset, if offset == 0 { 0 } else { needed })?;
    }
    Ok(())
}

fn bit(bytes: &[u8], start: usize, index: usize) -> Result<bool, SpecError> {
    let [byte] = chunk::<1>(bytes, start + index / 8)?;
    Ok(byte & (1 << (index % 8)) != 0)
}

/// A non-negative 32-bit size, count or offset.
fn size(bytes: &[u8], at: usize) -> Result<usize, SpecError> {
    let stored = i32::from_le_bytes(chunk(bytes, at)?);
    usize::try_from(stored)
        .map_err(|_| SpecError::corrupt(WHAT, format!("size or offset {stored} at {at}")))
}

fn chunk<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], SpecError> {
    slice(bytes, at, N)?.first_chunk::<N>().copied().ok_or_else(overflow)
}

fn slice(bytes: &[u8], at: usize, length: usize) -> Result<&[u8], SpecError> {
    at.checked_add(length).and_then(|end| bytes.get(at..end)).ok_or(SpecError::Truncated {
        what: WHAT,
        offset: at,
        needed: length,
        available: bytes.len().saturating_sub(at),
    })
}

fn overflow() -> SpecError {
    SpecError::corrupt(WHAT, "a count exceeds the address space")
}
