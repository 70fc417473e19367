//! Reads and writes Avro's primitive values.
//!
//! Format: Apache Avro 1.11 "Binary Encoding".

use crate::error::SpecError;

/// Longest variable-length encoding of 64 bits.
const MAX_VARINT_BYTES: usize = 10;

/// A position in untrusted bytes.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    what: &'static str,
    rest: &'a [u8],
    total: usize,
}

/// Head of one block of array or map items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemBlock {
    /// Items in the block, at least one. A claim: not more than that.
    pub count: u64,
    /// Bytes of all items, when the writer said so; they are there.
    pub bytes: Option<usize>,
}

impl<'a> Cursor<'a> {
    /// At the start of `bytes`; `what` names them in errors.
    #[must_use]
    pub const fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes, total: bytes.len() }
    }

    /// Bytes not read yet.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// What is being decoded.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        self.what
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.total.saturating_sub(self.rest.len())
    }

    /// A corruption at the current offset.
    #[must_use]
    pub fn corrupt(&self, reason: &str) -> SpecError {
        SpecError::corrupt(self.what, format!("{reason} before offset {}", self.offset()))
    }

    /// The input is too short for `needed` bytes from here.
    #[must_use]
    pub const fn truncated(&self, needed: usize) -> SpecError {
        SpecError::Truncated {
            what: self.what,
            offset: self.offset(),
            needed,
            available: self.rest.len(),
        }
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// The bytes are cut or damaged.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], SpecError> {
        let Some((head, rest)) = self.rest.split_at_checked(len) else {
            return Err(self.truncated(len));
        };
        self.rest = rest;
        Ok(head)
    }

    /// A `long`: zigzag, 7 bits per byte, at most ten bytes.
    ///
    /// # Errors
    /// The bytes are cut or damaged.
    pub fn long(&mut self) -> Result<i64, SpecError> {
        let mut value = 0_u64;
        let mut shift = 0_u32;
        for (index, &byte) in self.rest.iter().take(MAX_VARINT_BYTES).enumerate() {
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if shift == 63 && byte > 1 {
                    return Err(self.corrupt("a number of more than 64 bits"));
                }
                self.rest = self.rest.get(index + 1..).unwrap_or_default();
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
            shift += 7;
        }
        if self.rest.len() < MAX_VARINT_BYTES {
            return Err(self.truncated(self.rest.len() + 1));
        }
        Err(self.corrupt("a number of more than ten bytes"))
    }

    /// An `int`, encoded as a `long` of its range.
    ///
    /// # Errors
    /// The bytes are cut or damaged.
    pub fn int(&mut self) -> Result<i32, SpecError> {
        i32::try_from(self.long()?).map_err(|_| self.corrupt("an int out of range"))
    }

    /// A length that the input can hold.
    ///
    /// # Errors
    /// The bytes are cut or damaged.
    pub fn length(&mut self) -> Result<usize, SpecError> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| self.corrupt("a negative length"))?;
        if length > self.rest.len() {
            return Err(self.truncated(length));
        }
        Ok(length)
    }

    /// A value of type `bytes`.
    ///
    /// # Errors
    /// The bytes are cut or damaged.
    pub fn bytes(&mut self) -> Result<&'a [u8], SpecError> {
        let length = self.length()?;
        self.take(length)
    }

    /// A value of type `string`.
    ///
    /// # Errors
    /// The bytes are cut or damaged.
    pub fn text(&mut self) -> Result<&'a str, SpecError> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|_| self.corrupt("a string that is not UTF-8"))
    }

    /// Head of the next block of an array or map; `None` at its end.
    ///
    /// A negative count is followed by the size of the block in bytes.
    ///
    /// # Errors
    /// The bytes are cut or damaged.
    pub fn item_block(&mut self) -> Result<Option<ItemBlock>, SpecError> {
        let count = self.long()?;
        if count == 0 {
            return Ok(None);
        }
        let bytes = if count < 0 { Some(self.length()?) } else { None };
        Ok(Some(ItemBlock { count: count.unsigned_abs(), bytes }))
    }
}

/// Appends a `long` (or an `int`: the encoding is the same).
pub fn put_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push(low_seven_bits(rest) | 0x80);
        rest >>= 7;
    }
    out.push(low_seven_bits(rest));
}

/// Appends a length or a count of something in memory.
pub fn put_length(out: &mut Vec<u8>, length: usize) {
    // Nothing in memory is larger than `isize::MAX`.
    put_long(out, i64::try_from(length).unwrap_or(i64::MAX));
}

/// Appends a value of type `bytes` or `string`.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

const fn low_seven_bits(value: u64) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low & 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn longs_have_the_encoding_of_the_specification() {
        for (value, bytes) in [
            (0, &[0_u8][..]),
            (-1, &[1]),
            (1, &[2]),
            (-64, &[0x7f]),
            (64, &[0x80, 1]),
            (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            let mut out = Vec::new();
            put_long(&mut out, value);
            assert_eq!(out, bytes, "{value}");
        }
    }

    #[test]
    fn a_long_of_eleven_bytes_is_corrupt() {
        let error = Cursor::new("test", &[0xff; 11]).long().unwrap_err();
        assert!(matches!(error, SpecError::Corrupt { .. }), "{error}");
    }

    #[test]
    fn a_long_of_65_bits_is_corrupt() {
        let bytes = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
        let error = Cursor::new("test", &bytes).long().unwrap_err();
        assert!(matches!(error, SpecError::Corrupt { .. }), "{error}");
    }

    #[test]
    fn an_int_out_of_range_is_corrupt() {
        let mut out = Vec::new();
        put_long(&mut out, i64::from(i32::MAX) + 1);
        let error = Cursor::new("test", &out).int().unwrap_err();
        assert!(matches!(error, SpecError::Corrupt { .. }), "{error}");
    }

    #[test]
    fn the_smallest_count_of_a_block_does_not_overflow() {
        let mut out = Vec::new();
        put_long(&mut out, i64::MIN);
        put_long(&mut out, 0);
        let block = Cursor::new("test", &out).item_block().unwrap().unwrap();
        assert_eq!(block, ItemBlock { count: 1 << 63, bytes: Some(0) });
    }

    proptest! {
        #[test]
        fn longs_survive_a_round_trip(value in any::<i64>()) {
            let mut out = Vec::new();
            put_long(&mut out, value);
            let mut cursor = Cursor::new("test", &out);
            prop_assert_eq!(cursor.long().unwrap(), value);
            prop_assert_eq!(cursor.remaining(), 0);
        }
    }
}
