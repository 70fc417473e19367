//! Which columns repeat their values: only those gain from a dictionary.
//!
//! Java gives a dictionary up after the first page if it and the page take more room than plain
//! values do; here the first rows decide by the same measure. Source: parquet-mr
//! `DictionaryValuesWriter#isCompressionSatisfying`.

use arrow::array::{Array, ArrayRef, AsArray, GenericByteArray};
use arrow::datatypes::{BinaryType, ByteArrayType, DataType, Utf8Type};

/// Rows that are looked at.
const SAMPLE_ROWS: usize = 8192;
/// With fewer rows nothing can be told, and little gained.
const ENOUGH_ROWS: usize = 256;
/// Bytes that the length of a text takes.
const LENGTH_BYTES: usize = 4;

/// Whether a dictionary would take more room than it saves in the first rows; `false` if that
/// cannot be told.
///
/// Only plain columns are looked at, nested ones keep their dictionaries.
pub(super) fn dictionary_loses(column: &ArrayRef) -> bool {
    let sample = column.slice(0, column.len().min(SAMPLE_ROWS));
    let mut sizes = Sizes::new(sample.len());
    match sample.data_type() {
        DataType::Utf8 => add_texts::<Utf8Type>(sample.as_bytes(), &mut sizes),
        DataType::Binary => add_texts::<BinaryType>(sample.as_bytes(), &mut sizes),
        other => {
            let (Some(width), Some(stored)) = (other.primitive_width(), stored_width(other)) else {
                return false;
            };
            let data = sample.to_data();
            let Some(bytes) = data.buffers().first() else { return false };
            let values = bytes.chunks_exact(width).skip(data.offset()).take(sample.len());
            for (row, value) in values.enumerate() {
                if sample.is_valid(row) {
                    sizes.add(value, stored);
                }
            }
        }
    }
    sizes.values >= ENOUGH_ROWS && sizes.with_dictionary() >= sizes.plain
}

fn add_texts<T: ByteArrayType<Offset = i32>>(texts: &GenericByteArray<T>, sizes: &mut Sizes) {
    for row in 0..texts.len() {
        if texts.is_valid(row) {
            let text: &[u8] = texts.value(row).as_ref();
            sizes.add(text, text.len() + LENGTH_BYTES);
        }
    }
}

/// Bytes of a plain value in the file.
fn stored_width(data_type: &DataType) -> Option<usize> {
    Some(match data_type {
        DataType::Decimal128(..=9, _) => 4,
        DataType::Decimal128(10..=18, _) => 8,
        other => other.primitive_width()?.max(4),
    })
}

/// Adds up what some values take. Values whose hashes are equal count as equal.
struct Sizes {
    values: usize,
    plain: usize,
    distinct: usize,
    dictionary: usize,
    /// Hashes by their place, at most half full; 0 is free.
    seen: Vec<u64>,
    bits: u32,
}

impl Sizes {
    fn new(rows: usize) -> Self {
        let slots = (rows.max(1) * 2).next_power_of_two();
        let seen = vec![0; slots];
        Self { values: 0, plain: 0, distinct: 0, dictionary: 0, seen, bits: slots.trailing_zeros() }
    }

    fn add(&mut self, value: &[u8], stored: usize) {
        self.values += 1;
        self.plain += stored;
        let hash = hash(value);
        let mut at = usize::try_from(hash >> (u64::BITS - self.bits)).unwrap_or(0);
        while let Some(seen) = self.seen.get_mut(at) {
            if *seen == hash {
                return;
            }
            if *seen == 0 {
                *seen = hash;
                self.distinct += 1;
                self.dictionary += stored;
                return;
            }
            at = (at + 1) % (1 << self.bits);
        }
    }

    fn with_dictionary(&self) -> usize {
        let index_bits = self.distinct.next_power_of_two().trailing_zeros().max(1);
        let indexes = self.values.saturating_mul(usize::try_from(index_bits).unwrap_or(0)) / 8;
        self.dictionary + indexes
    }
}

/// Never 0; the upper bits are well mixed.
fn hash(value: &[u8]) -> u64 {
    let mut hash = 0x9E37_79B9_7F4A_7C15_u64;
    for part in value.chunks(8) {
        let mut word = [0; 8];
        word[..part.len()].copy_from_slice(part);
        hash =
            (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        hash ^= hash >> 32;
    }
    hash.wrapping_mul(0xD6E8_FEB8_6659_FD93) | 1
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Decimal128Array, Int64Array, StringArray};

    use super::dictionary_loses;

    fn longs(values: impl Iterator<Item = i64>) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(values))
    }

    #[test]
    fn keys_are_distinct_and_states_are_not() {
        let keys = longs(0..5000);
        assert!(dictionary_loses(&keys));
        let states: ArrayRef =
            Arc::new(StringArray::from_iter_values((0..5000).map(|i| ["a", "b"][i % 2])));
        assert!(!dictionary_loses(&states));
        assert!(!dictionary_loses(&keys.slice(0, 10)));
        assert!(!dictionary_loses(&longs((0..5000).map(|i| i % 100)).slice(3, 4000)));
        assert!(dictionary_loses(&keys.slice(3, 4000)));
    }

    /// 8192 rows of 64 bits: 13 bits for each and 8 bytes for each distinct value.
    #[test]
    fn the_border_is_where_dictionary_and_indexes_take_the_room_of_the_values() {
        assert!(!dictionary_loses(&longs((0..8192).map(|i| i % 6500))));
        assert!(dictionary_loses(&longs((0..8192).map(|i| i % 6600))));
        // Half of the bytes in memory, the same ones in the file.
        let decimals = |distinct: i128| -> ArrayRef {
            let values = Decimal128Array::from_iter_values((0..8192).map(|i| i % distinct));
            Arc::new(values.with_precision_and_scale(12, 2).unwrap())
        };
        assert!(!dictionary_loses(&decimals(6500)));
        assert!(dictionary_loses(&decimals(6600)));
    }

    #[test]
    fn nulls_take_no_room() {
        let few: ArrayRef =
            Arc::new(Int64Array::from_iter((0..8192).map(|i| (i < 200).then_some(i))));
        assert!(!dictionary_loses(&few));
        let half: ArrayRef =
            Arc::new(Int64Array::from_iter((0..8192).map(|i| (i % 2 == 0).then_some(i))));
        assert!(dictionary_loses(&half));
    }
}
