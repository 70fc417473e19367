//! Hash index files: the hashes of all keys of one bucket of a table with dynamic buckets.
//!
//! Format: `docs/spec/bucket.md#dynamic`. Source: Paimon 1.4.2 `HashIndexFile`, `IntFileUtils`.

use crate::error::SpecError;

/// Kind of these files in index manifests.
pub const HASH_INDEX: &str = "HASH";

/// Largest bucket that a dynamic table can have, and one less than the most buckets.
pub const LAST_DYNAMIC_BUCKET: u16 = 32_766;

/// The hashes, as they are stored.
#[must_use]
pub fn encode(hashes: &[i32]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.to_be_bytes()).collect()
}

/// The hashes of a file that is to hold `count` of them.
///
/// # Errors
/// [`SpecError::Corrupt`] if the file has another size.
pub fn decode(bytes: &[u8], count: i64) -> Result<Vec<i32>, SpecError> {
    let (hashes, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() || i64::try_from(hashes.len()) != Ok(count) {
        return Err(SpecError::corrupt(
            "hash index",
            format!("it has {} bytes, {count} hashes of 4 bytes are recorded", bytes.len()),
        ));
    }
    Ok(hashes.iter().map(|hash| i32::from_be_bytes(*hash)).collect())
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::datum::Datum;
    use crate::row::BinaryRow;
    use crate::types::DataType;

    #[test]
    fn hashes_of_keys_are_stored_as_java_stores_them() {
        let types = [DataType::parse("BIGINT").unwrap()];
        let hash =
            |key| BinaryRow::from_values(&[Some(Datum::BigInt(key))], &types).unwrap().hash_code();
        let bytes = encode(&[hash(1), hash(2)]);
        assert_eq!(bytes, [0x57, 0x59, 0xf9, 0x9e, 0x4f, 0xe4, 0xbb, 0xf0]);
        assert_eq!(decode(&bytes, 2).unwrap(), [hash(1), hash(2)]);
    }

    #[test]
    fn a_file_of_another_size_is_refused() {
        for (bytes, count) in [(&[0_u8; 7][..], 1), (&[0; 8], 1), (&[0; 4], 2), (&[], 1), (&[], -1)]
        {
            assert!(decode(bytes, count).is_err(), "{} bytes, {count}", bytes.len());
        }
        assert_eq!(decode(&[], 0).unwrap(), Vec::<i32>::new());
    }
}
