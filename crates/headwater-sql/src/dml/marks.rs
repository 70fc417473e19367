//! Sets of row numbers, small where the numbers lie close together.

use std::collections::BTreeMap;

/// Numbers of one block: 1024 words of 64 bits.
const BLOCK_BITS: u32 = 16;
const WORDS: usize = 1 << (BLOCK_BITS - 6);

/// A set of numbers from 0.
#[derive(Debug, Default)]
pub(super) struct Marks {
    blocks: BTreeMap<u64, Box<[u64; WORDS]>>,
}

impl Marks {
    /// Adds a number; whether it was not there yet.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        let (block, word, bit) = place(number);
        let block = self.blocks.entry(block).or_insert_with(|| Box::new([0; WORDS]));
        match block.get_mut(word) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        let (block, word, bit) = place(number);
        self.blocks.get(&block).and_then(|b| b.get(word)).is_some_and(|word| word & bit != 0)
    }

    /// The numbers of both sets.
    pub(super) fn with(mut self, other: Self) -> Self {
        for (at, words) in other.blocks {
            let own = self.blocks.entry(at).or_insert_with(|| Box::new([0; WORDS]));
            for (own, other) in own.iter_mut().zip(words.iter()) {
                *own |= other;
            }
        }
        self
    }

    /// How many of the numbers from `from`, up to but without `to`, are there.
    pub(super) fn count(&self, from: u64, to: u64) -> u64 {
        let Some(last) = to.checked_sub(1).filter(|last| *last >= from) else { return 0 };
        let (first_block, last_block) = (from >> BLOCK_BITS, last >> BLOCK_BITS);
        let mut count = 0;
        for (block, words) in self.blocks.range(first_block..=last_block) {
            if *block == first_block || *block == last_block {
                let start = from.max(block << BLOCK_BITS);
                let end = last.min((block << BLOCK_BITS) | ((1 << BLOCK_BITS) - 1));
                count += (start..=end).map(|n| u64::from(self.contains(n))).sum::<u64>();
            } else {
                count += words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
            }
        }
        count
    }
}

/// Block, word in the block, bit in the word.
fn place(number: u64) -> (u64, usize, u64) {
    let inside = number & ((1 << BLOCK_BITS) - 1);
    (number >> BLOCK_BITS, usize::try_from(inside >> 6).unwrap_or(0), 1 << (inside & 63))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Marks;

    #[test]
    fn marks_are_a_set() {
        let mut marks = Marks::default();
        let mut model = BTreeSet::new();
        let mut state = 7_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = (state >> 40) | (state & 3) << 40;
            assert_eq!(marks.insert(number), model.insert(number));
            assert_eq!(marks.contains(number ^ 1), model.contains(&(number ^ 1)));
        }
        for number in [0, u64::MAX, 65_535, 65_536] {
            assert_eq!(marks.insert(number), model.insert(number));
        }
        for (from, to) in [(0, 1), (5, 5), (7, 3), (0, 1 << 24), (100, 200_001), (1 << 40, 3 << 40)]
        {
            let known = model.iter().filter(|n| (from..to).contains(*n)).count();
            assert_eq!(marks.count(from, to), u64::try_from(known).unwrap(), "{from}..{to}");
        }
    }
}
