//! Sorts the rows of a write buffer by key and arrival, without touching their values.

use std::ops::Range;

use arrow::array::{Array, BinaryArray};
use arrow::buffer::ScalarBuffer;

use super::chunk::Chunk;
use crate::error::LsmError;
use crate::key_value::Keys;
use crate::merge_engine::Keeps;
use crate::order::SequenceOrder;

/// Below this many rows a comparison sort beats counting digits.
const RADIX_ROWS: usize = 512;
const DIGIT_BITS: u32 = 8;
const DIGITS: usize = 1 << DIGIT_BITS;

/// How a row's chunk and row number share one number, which grows in arrival order.
#[derive(Debug)]
pub(super) struct Layout {
    row_bits: u32,
    bits: u32,
}

impl Layout {
    pub(super) fn of(chunks: &[Chunk]) -> Result<Self, LsmError> {
        let rows = chunks.iter().map(Chunk::rows).max().unwrap_or(0);
        let row_bits = bits_of(rows);
        let bits = row_bits + bits_of(chunks.len());
        if bits >= usize::BITS {
            return Err(LsmError::TooManyRows { rows, batches: chunks.len() });
        }
        Ok(Self { row_bits, bits })
    }

    const fn position(&self, chunk: usize, row: usize) -> usize {
        chunk << self.row_bits | row
    }

    /// Chunk and row of a position.
    #[inline]
    pub(super) const fn place(&self, position: usize) -> (usize, usize) {
        (position >> self.row_bits, position & low_bits(self.row_bits))
    }
}

/// Positions of rows by key, then arrival.
#[derive(Debug)]
pub(super) struct Sorted {
    /// With [`Keeps::Last`] only the last of each key.
    pub(super) positions: Vec<usize>,
    /// With [`Keeps::All`], for each position whether it is the last of its key; else empty.
    ends_group: Vec<bool>,
}

impl Sorted {
    /// End of a batch that starts at `first`: `rows` rows, or more until a key is complete.
    pub(super) fn batch_end(&self, first: usize, rows: usize) -> usize {
        let end = first.saturating_add(rows).min(self.positions.len());
        let Some(rest) = self.ends_group.get(end.saturating_sub(1)..) else {
            return end;
        };
        end + rest.iter().position(|&ends| ends).unwrap_or(0)
    }

    /// Ends of the groups in `range`, counted from its start.
    pub(super) fn group_ends(&self, range: Range<usize>) -> Vec<usize> {
        let marks = self.ends_group[range].iter().enumerate();
        marks.filter(|&(_, &ends)| ends).map(|(row, _)| row + 1).collect()
    }

    /// Puts the rows of each key in `order`; those that it does not tell apart stay in order of
    /// arrival. Returns how many rows arrived after a newer one of their key.
    pub(super) fn order_groups(
        &mut self,
        chunks: &[Chunk],
        layout: &Layout,
        order: &SequenceOrder,
    ) -> Result<u64, LsmError> {
        if self.ends_group.iter().all(|&ends| ends) {
            return Ok(0);
        }
        let values = chunks.iter().map(|chunk| chunk.order_values(order));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let compare = |a: usize, b: usize| {
            let ((chunk, row), (other, other_row)) = (layout.place(a), layout.place(b));
            values[chunk].compare(row, &values[other], other_row)
        };
        let (mut older, mut start) = (0, 0);
        for end in 0..self.positions.len() {
            if !self.ends_group[end] {
                continue;
            }
            let rows = &mut self.positions[start..=end];
            start = end + 1;
            let Some((&first, rest)) = rows.split_first() else { continue };
            let mut newest = first;
            let mut late = 0;
            for &row in rest {
                if compare(row, newest).is_lt() {
                    late += 1;
                } else {
                    newest = row;
                }
            }
            if late > 0 {
                rows.sort_by(|&a, &b| compare(a, b));
                older += late;
            }
        }
        Ok(older)
    }

    /// What an engine that keeps so much needs of all rows.
    pub(super) fn keeping(mut self, keeps: Keeps) -> Self {
        if keeps == Keeps::Last {
            let mut ends = self.ends_group.iter();
            self.positions.retain(|_| ends.next().is_some_and(|&ends| ends));
            self.ends_group = Vec::new();
        }
        self
    }

    /// Of sorted entries. `same_key`: whether two neighbours have one key.
    fn new<E: Copy>(
        entries: &[E],
        keeps: Keeps,
        position: impl Fn(E) -> usize,
        same_key: impl Fn(E, E) -> bool,
    ) -> Self {
        let ends = (0..entries.len())
            .map(|i| entries.get(i + 1).is_none_or(|&next| !same_key(entries[i], next)));
        match keeps {
            Keeps::Last => {
                let last = entries.iter().zip(ends).filter(|&(_, ends)| ends);
                Self { positions: last.map(|(&e, _)| position(e)).collect(), ends_group: vec![] }
            }
            Keeps::All => {
                let positions = entries.iter().map(|&e| position(e)).collect();
                Self { positions, ends_group: ends.collect() }
            }
        }
    }
}

/// Sorts the rows of `chunks`, whose keys are all of one encoding.
pub(super) fn sort(chunks: &[Chunk], layout: &Layout, keeps: Keeps) -> Sorted {
    let mut integers = Vec::with_capacity(chunks.len());
    let mut rows = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        match &chunk.keys {
            Keys::I64(keys) => integers.push(keys),
            Keys::Rows(keys) => rows.push(keys),
        }
    }
    if rows.is_empty() {
        sort_integers(&integers, layout, keeps)
    } else {
        sort_rows(&rows, layout, keeps)
    }
}

fn sort_integers(chunks: &[&ScalarBuffer<i64>], layout: &Layout, keeps: Keeps) -> Sorted {
    let all = || chunks.iter().flat_map(|keys| keys.iter().copied());
    let (Some(min), Some(max)) = (all().min(), all().max()) else {
        return Sorted { positions: vec![], ends_group: vec![] };
    };
    let bits = layout.bits;
    let range = usize::try_from(max.wrapping_sub(min).cast_unsigned());
    match range {
        // Distance from the smallest key and position fit into one word.
        Ok(range) if bits_of(range) + bits <= usize::BITS => {
            let mut entries = entries(chunks, layout, |key, position| {
                let distance = key.wrapping_sub(min).cast_unsigned();
                // Always fits: no distance is above the range.
                usize::try_from(distance).unwrap_or(usize::MAX) << bits | position
            });
            sort_words(&mut entries, bits..bits + bits_of(range));
            let mask = low_bits(bits);
            Sorted::new(&entries, keeps, |e| e & mask, |a, b| a >> bits == b >> bits)
        }
        _ => {
            let mut entries = entries(chunks, layout, |key, position| (key, position));
            entries.sort_unstable();
            Sorted::new(&entries, keeps, |e| e.1, |a, b| a.0 == b.0)
        }
    }
}

fn entries<E>(
    chunks: &[&ScalarBuffer<i64>],
    layout: &Layout,
    entry: impl Fn(i64, usize) -> E,
) -> Vec<E> {
    let mut entries = Vec::with_capacity(chunks.iter().map(|keys| keys.len()).sum());
    for (chunk, keys) in chunks.iter().enumerate() {
        let first = layout.position(chunk, 0);
        entries.extend(keys.iter().zip(first..).map(|(&key, position)| entry(key, position)));
    }
    entries
}

/// Sorts words that are in order but for the given bits, by those bits, stably.
fn sort_words(words: &mut Vec<usize>, bits: Range<u32>) {
    if words.is_sorted() {
        return;
    }
    if words.len() < RADIX_ROWS {
        words.sort_unstable();
        return;
    }
    let mut scratch = vec![0; words.len()];
    for shift in bits.step_by(8) {
        let digit = |word: usize| word >> shift & (DIGITS - 1);
        let mut starts = [0_usize; DIGITS];
        for &word in words.iter() {
            starts[digit(word)] += 1;
        }
        let mut start = 0;
        for slot in &mut starts {
            start += std::mem::replace(slot, start);
        }
        for &word in words.iter() {
            let slot = &mut starts[digit(word)];
            scratch[*slot] = word;
            *slot += 1;
        }
        std::mem::swap(words, &mut scratch);
    }
}

fn sort_rows(chunks: &[&BinaryArray], layout: &Layout, keeps: Keeps) -> Sorted {
    let key = |position: usize| {
        let (chunk, row) = layout.place(position);
        chunks[chunk].value(row)
    };
    let positions = chunks.iter().enumerate().flat_map(|(chunk, keys)| {
        let first = layout.position(chunk, 0);
        first..first + keys.len()
    });
    let common = common_prefix(positions.clone().map(key));
    // The first bytes that differ at all decide most comparisons without a look at the key.
    let mut entries: Vec<(u64, usize)> =
        positions.map(|position| (word_at(key(position), common), position)).collect();
    entries.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| key(a.1).cmp(key(b.1))).then(a.1.cmp(&b.1))
    });
    Sorted::new(&entries, keeps, |e| e.1, |a, b| a.0 == b.0 && key(a.1) == key(b.1))
}

/// Number of bytes that all keys start with.
fn common_prefix<'a>(mut keys: impl Iterator<Item = &'a [u8]>) -> usize {
    let Some(first) = keys.next() else {
        return 0;
    };
    keys.fold(first.len(), |common, key| {
        let same = |(a, b): &(&u8, &u8)| a == b;
        first.iter().zip(key).take(common).take_while(same).count()
    })
}

/// The 8 bytes from `offset` on as a number that orders as they do, zeros behind the end.
fn word_at(key: &[u8], offset: usize) -> u64 {
    let rest = key.get(offset..).unwrap_or(&[]);
    match rest.first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            u64::from_be_bytes(bytes)
        }
    }
}

/// Bits that the number needs.
const fn bits_of(number: usize) -> u32 {
    usize::BITS - number.leading_zeros()
}

/// `bits` ones; fewer than a word has.
const fn low_bits(bits: u32) -> usize {
    (1 << bits) - 1
}
