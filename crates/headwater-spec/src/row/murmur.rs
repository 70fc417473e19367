//! The 32-bit murmur hash of binary rows.
//!
//! Format: `docs/spec/binary-row.md#hash`. Source: Paimon 1.4.2 `MurmurHashUtils`.

const SEED: u32 = 42;

/// State of a hash over little-endian 32-bit words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Murmur(u32);

impl Murmur {
    /// The state before the first word.
    pub(crate) const fn new() -> Self {
        Self(SEED)
    }

    /// The state after one more word.
    #[inline]
    pub(crate) const fn word(self, word: u32) -> Self {
        let k = word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
        Self((self.0 ^ k).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64))
    }

    /// The state after the two words of an 8-byte slot.
    #[inline]
    pub(crate) const fn slot(self, slot: u64) -> Self {
        self.word(low(slot)).word(low(slot >> 32))
    }

    /// The hash of `length` bytes in total.
    #[inline]
    pub(crate) const fn finish(self, length: u32) -> i32 {
        let mut h = self.0 ^ length;
        h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
        h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
        (h ^ (h >> 16)).cast_signed()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
const fn low(slot: u64) -> u32 {
    slot as u32
}

/// Hash of `bytes`, read as little-endian 32-bit words.
///
/// Rows are a multiple of 8 bytes long. Bytes after the last whole word are mixed in one by one,
/// sign-extended, as `MurmurHashUtils#hashBytes` does.
#[must_use]
pub fn hash_words(bytes: &[u8]) -> i32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut state = Murmur::new();
    for word in words {
        state = state.word(u32::from_le_bytes(*word));
    }
    for byte in rest {
        state = state.word(i32::from(byte.cast_signed()).cast_unsigned());
    }
    state.finish(length(bytes.len()))
}

/// The low 32 bits of a length, which is what Java's `int` length would be.
#[expect(clippy::cast_possible_truncation, reason = "a row is below 2 GiB")]
pub(crate) const fn length(bytes: usize) -> u32 {
    bytes as u32
}

#[cfg(test)]
mod tests {
    use super::hash_words;

    fn row(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2)
            .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn hashes_equal_the_ones_of_the_java_class() {
        for (hex, hash) in [
            ("0000000000000000", -1_670_924_195),
            ("00000000000000000000000000000000", -300_363_099),
            ("00000000000000000100000000000000", 1_465_514_398),
            ("0000000000000000ffffffff00000000", 1_133_687_267),
            ("0000000000000000ffffffffffffffff", -821_098_432),
            ("00010000000000000000000000000000", -1_748_325_344),
            ("0000000000000000141a99be1c000000", -290_760_731),
            ("00000000000000000000000000000080", 302_122_119),
            ("00000000000000006162636465666787", -1_431_907_323),
            ("000000000000000008000000100000006162636465666768", -843_760_178),
            ("0003000000000000 0000000000000000 0000000000000000", -1_130_415_291),
        ] {
            assert_eq!(hash_words(&row(&hex.replace(' ', ""))), hash, "{hex}");
        }
    }
}
