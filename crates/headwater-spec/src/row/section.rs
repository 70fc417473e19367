//! The fixed part of a row or array under construction: null bits, slots, and what slots point to.
//!
//! Several sections share one buffer: a nested section is appended behind everything written so
//! far, which is where its parent's variable part ends.

use crate::error::SpecError;
use crate::types::TypeKind;

/// Bytes before the variable part of a row; `None` beyond the address space.
///
/// Format: `docs/spec/binary-row.md#layout`. Source: Paimon 1.4.2
/// `BinaryRow#getFixLengthPartSize`.
pub(super) fn row_fixed_size(arity: usize) -> Option<usize> {
    arity.checked_mul(8)?.checked_add(row_header_size(arity)?)
}

/// Bytes of the row kind and the null bits.
pub(super) fn row_header_size(arity: usize) -> Option<usize> {
    Some(arity.checked_add(71)? / 64 * 8)
}

/// Bytes of the element count and the null bits of an array.
pub(super) fn array_header_size(count: usize) -> Option<usize> {
    count.div_ceil(32).checked_mul(4)?.checked_add(4)
}

/// Bytes of an element in the fixed part of an array.
///
/// Source: Paimon 1.4.2 `BinaryArray#calculateFixLengthPartSize`.
pub(super) const fn element_width(kind: &TypeKind) -> usize {
    match kind {
        TypeKind::Boolean | TypeKind::TinyInt => 1,
        TypeKind::SmallInt => 2,
        TypeKind::Int | TypeKind::Date | TypeKind::Time(_) | TypeKind::Float => 4,
        _ => 8,
    }
}

/// Bytes that a value of this type takes in the variable part of a row even when it is null.
pub(super) const fn reserved(kind: &TypeKind) -> usize {
    match kind {
        TypeKind::Decimal { precision, .. } if *precision > 18 => 16,
        TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) if *p > 3 => 8,
        _ => 0,
    }
}

/// Where the fixed part of a row or array lies in the buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    base: usize,
    slots: usize,
    width: usize,
    null_bits: usize,
    is_row: bool,
}

impl Section {
    /// Appends the zeroed fixed part of a row.
    pub(super) fn row(buffer: &mut Vec<u8>, arity: usize) -> Result<Self, SpecError> {
        let (Some(header), Some(size)) = (row_header_size(arity), row_fixed_size(arity)) else {
            return Err(too_large());
        };
        let base = buffer.len();
        buffer.resize(base + size, 0);
        Ok(Self { base, slots: base + header, width: 8, null_bits: base + 1, is_row: true })
    }

    /// Appends the element count and the zeroed fixed part of an array.
    pub(super) fn array(
        buffer: &mut Vec<u8>,
        count: usize,
        width: usize,
    ) -> Result<Self, SpecError> {
        let header = array_header_size(count).ok_or_else(too_large)?;
        let size = count.checked_mul(width).and_then(|n| n.checked_add(header));
        let size = size.and_then(|n| n.checked_next_multiple_of(8)).ok_or_else(too_large)?;
        let stored = i32::try_from(count).map_err(|_| too_large())?;
        if i32::try_from(size).is_err() {
            return Err(too_large());
        }
        let base = buffer.len();
        buffer.resize(base + size, 0);
        put(buffer, base, &stored.to_le_bytes());
        Ok(Self { base, slots: base + header, width, null_bits: base + 4, is_row: false })
    }

    /// Whether NaN is stored in its canonical form: in arrays, not in rows.
    pub(super) const fn canonical_nan(&self) -> bool {
        !self.is_row
    }

    /// Marks a field or element as null.
    ///
    /// In a row, a null that has [`reserved`] bytes still takes them, and its slot points there.
    pub(super) fn null(
        &self,
        buffer: &mut Vec<u8>,
        index: usize,
        kind: &TypeKind,
    ) -> Result<(), SpecError> {
        if let Some(byte) = buffer.get_mut(self.null_bits + index / 8) {
            *byte |= 1 << (index % 8);
        }
        let size = reserved(kind);
        if self.is_row && size > 0 {
            let at = buffer.len();
            buffer.resize(at + size, 0);
            self.point(buffer, index, at, 0)?;
        }
        Ok(())
    }

    /// Writes a value of fixed width into its slot.
    pub(super) fn fixed(&self, buffer: &mut [u8], index: usize, bytes: &[u8]) {
        put(buffer, self.slots + index * self.width, bytes);
    }

    /// Writes text or bytes: up to 7 inline, more in the variable part.
    pub(super) fn bytes(
        &self,
        buffer: &mut Vec<u8>,
        index: usize,
        bytes: &[u8],
    ) -> Result<(), SpecError> {
        if let Some(slot) = inline_slot(bytes) {
            self.fixed(buffer, index, &slot.to_le_bytes());
            return Ok(());
        }
        let at = buffer.len();
        buffer.extend_from_slice(bytes);
        self.end_variable(buffer, index, at)
    }

    /// Writes the digits of a decimal.
    pub(super) fn decimal(
        &self,
        buffer: &mut Vec<u8>,
        index: usize,
        unscaled: i128,
        precision: u8,
    ) -> Result<(), SpecError> {
        if precision <= 18 {
            let compact = i64::try_from(unscaled).map_err(|_| SpecError::Value {
                column: format!("#{index}"),
                reason: format!("{unscaled} has more than {precision} digits"),
            })?;
            self.fixed(buffer, index, &compact.to_le_bytes());
            return Ok(());
        }
        let at = buffer.len();
        let digits = unscaled.to_be_bytes();
        let sign = if unscaled < 0 { unscaled.leading_ones() } else { unscaled.leading_zeros() };
        // One sign bit stays: 127 equal leading bits are the most that can go.
        let skip = usize::try_from((sign.min(127).saturating_sub(1)) / 8).unwrap_or(0).min(15);
        let minimal = digits.get(skip..).unwrap_or(&digits);
        buffer.extend_from_slice(minimal);
        buffer.resize(at + 16, 0);
        self.point(buffer, index, at, minimal.len())
    }

    /// Writes an instant: only milliseconds up to precision 3.
    pub(super) fn timestamp(
        &self,
        buffer: &mut Vec<u8>,
        index: usize,
        (millis, nanos): (i64, u32),
        precision: u8,
    ) -> Result<(), SpecError> {
        if precision <= 3 {
            self.fixed(buffer, index, &millis.to_le_bytes());
            return Ok(());
        }
        let at = buffer.len();
        buffer.extend_from_slice(&millis.to_le_bytes());
        self.point(buffer, index, at, usize::try_from(nanos).map_err(|_| too_large())?)
    }

    /// Ends a variable value that starts at `start` and reaches to the end of the buffer: points
    /// its slot there and pads to a multiple of 8.
    pub(super) fn end_variable(
        &self,
        buffer: &mut Vec<u8>,
        index: usize,
        start: usize,
    ) -> Result<(), SpecError> {
        let size = buffer.len() - start;
        buffer.resize(start + size.next_multiple_of(8), 0);
        self.point(buffer, index, start, size)
    }

    fn point(
        &self,
        buffer: &mut [u8],
        index: usize,
        at: usize,
        size: usize,
    ) -> Result<(), SpecError> {
        let offset = i32::try_from(at - self.base).map_err(|_| too_large())?;
        let size = i32::try_from(size).map_err(|_| too_large())?;
        let at = self.slots + index * self.width;
        put(buffer, at, &size.to_le_bytes());
        put(buffer, at + 4, &offset.to_le_bytes());
        Ok(())
    }
}

/// The slot of up to 7 bytes of text; `None` for more.
pub(super) fn inline_slot(bytes: &[u8]) -> Option<u64> {
    let size = u8::try_from(bytes.len()).ok().filter(|n| *n <= 7)?;
    let data = bytes.iter().rev().fold(0, |slot, byte| (slot << 8) | u64::from(*byte));
    Some(data | (u64::from(0x80 | size) << 56))
}

/// Overwrites bytes that the buffer has.
pub(super) fn put(buffer: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(target) = buffer.get_mut(at..at + bytes.len()) {
        target.copy_from_slice(bytes);
    }
}

pub(super) fn too_large() -> SpecError {
    SpecError::Unsupported {
        what: "a binary row of 2 GiB or more".into(),
        reason: "offsets in rows have 31 bits".into(),
    }
}
