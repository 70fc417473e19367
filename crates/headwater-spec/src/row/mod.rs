//! Rows in Paimon's binary layout: partitions, keys and statistics in manifests, bucket hashing.
//!
//! Format: `docs/spec/binary-row.md`. Source: Paimon 1.4.2 `BinaryRow`, `AbstractBinaryWriter`,
//! `BinaryArray`, `BinaryMap`, `SerializationUtils`.

pub mod arrow;
mod decode;
mod encode;
pub mod murmur;
mod section;

use crate::datum::Datum;
use crate::error::SpecError;
use crate::types::DataType;

/// Types may nest this deep; deeper rows are refused in both directions.
pub const MAX_DEPTH: usize = 64;

const WHAT: &str = "binary row";

/// One row in the binary layout, without its types.
///
/// Two rows are equal when their bytes are: the layout is canonical for a given list of types.
///
/// Format: `docs/spec/binary-row.md#layout`. Source: Paimon 1.4.2 `BinaryRow`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BinaryRow {
    arity: usize,
    bytes: Vec<u8>,
}

impl BinaryRow {
    /// The row without fields: one header word of zeros.
    #[must_use]
    pub fn empty() -> Self {
        Self { arity: 0, bytes: vec![0; 8] }
    }

    /// A row of `arity` fields from the bytes of its layout.
    ///
    /// # Errors
    /// [`SpecError::Truncated`] when the fixed part is not complete, [`SpecError::Corrupt`] when the
    /// length is not a multiple of 8. What the slots point to is checked by [`Self::to_values`].
    pub fn from_bytes(arity: usize, bytes: Vec<u8>) -> Result<Self, SpecError> {
        let needed = section::row_fixed_size(arity)
            .ok_or_else(|| SpecError::corrupt(WHAT, format!("{arity} fields")))?;
        if bytes.len() < needed {
            return Err(SpecError::Truncated {
                what: WHAT,
                offset: 0,
                needed,
                available: bytes.len(),
            });
        }
        if !bytes.len().is_multiple_of(8) {
            let reason = format!("its size {} is not a multiple of 8", bytes.len());
            return Err(SpecError::corrupt(WHAT, reason));
        }
        Ok(Self { arity, bytes })
    }

    /// Encodes one value per type.
    ///
    /// # Errors
    /// [`SpecError::Value`] when the counts differ or a value does not fit its type; the column is
    /// then its position, `#0` for the first. [`SpecError::Unsupported`] beyond [`MAX_DEPTH`] or
    /// 2 GiB.
    pub fn from_values(values: &[Option<Datum>], types: &[DataType]) -> Result<Self, SpecError> {
        let mut bytes = Vec::new();
        encode::write_row(&mut bytes, values, types.iter(), 0)?;
        Ok(Self { arity: values.len(), bytes })
    }

    /// Decodes the values; every offset and length is checked.
    ///
    /// # Errors
    /// [`SpecError::Truncated`] or [`SpecError::Corrupt`] when the bytes are no row of these types.
    pub fn to_values(&self, types: &[DataType]) -> Result<Vec<Option<Datum>>, SpecError> {
        if types.len() != self.arity {
            let reason = format!("it has {} fields, not {}", self.arity, types.len());
            return Err(SpecError::corrupt(WHAT, reason));
        }
        decode::Decoder::new(self.bytes.len()).row(&self.bytes, types.iter(), 0)
    }

    /// Reads the stored form: the number of fields as a big-endian 32-bit integer, then the layout.
    ///
    /// Format: `docs/spec/binary-row.md#serialized`. Source: Paimon 1.4.2
    /// `SerializationUtils#deserializeBinaryRow`.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn from_serialized(stored: &[u8]) -> Result<Self, SpecError> {
        let Some((prefix, bytes)) = stored.split_first_chunk::<4>() else {
            return Err(SpecError::Truncated {
                what: WHAT,
                offset: 0,
                needed: 4,
                available: stored.len(),
            });
        };
        let arity = i32::from_be_bytes(*prefix);
        let arity = usize::try_from(arity)
            .map_err(|_| SpecError::corrupt(WHAT, format!("{arity} fields")))?;
        Self::from_bytes(arity, bytes.to_vec())
    }

    /// The stored form, as [`Self::from_serialized`] reads it.
    #[must_use]
    pub fn to_serialized(&self) -> Vec<u8> {
        let arity = i32::try_from(self.arity).unwrap_or(i32::MAX);
        let mut out = Vec::with_capacity(4 + self.bytes.len());
        out.extend_from_slice(&arity.to_be_bytes());
        out.extend_from_slice(&self.bytes);
        out
    }

    /// Number of fields.
    #[must_use]
    pub const fn arity(&self) -> usize {
        self.arity
    }

    /// The layout, without the prefix of the stored form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Java's hash of the row: murmur over the whole layout.
    #[must_use]
    pub fn hash_code(&self) -> i32 {
        murmur::hash_words(&self.bytes)
    }
}

#[cfg(test)]
mod tests;
