//! Numbers that a seed repeats, on every machine and in every version.

/// A generator of pseudo-random numbers (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) const fn new(seed: u64) -> Self {
        // Mixed, or the numbers of a seed would be those of the one before it, but for the first.
        let mut mixed = Self(seed ^ 0x1234_5678_9abc_def1);
        Self(mixed.next())
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(super) const fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A number of `range`, both ends included.
    pub(super) const fn within(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// Whether something happens that does in `percent` of all cases.
    pub(super) const fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Between `least` and `most` different ones of `of`, or all when there are fewer.
    pub(super) fn some<T: Clone>(&mut self, of: &[T], least: usize, most: usize) -> Vec<T> {
        let mut left = of.to_vec();
        self.shuffle(&mut left);
        let wanted = self.within(least, most);
        left.truncate(wanted);
        left
    }

    pub(super) fn shuffle<T>(&mut self, of: &mut [T]) {
        for i in (1..of.len()).rev() {
            let other = self.below(i + 1);
            of.swap(i, other);
        }
    }
}
