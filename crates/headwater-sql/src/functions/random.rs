//! The generator of `java.util.Random`: a seed gives the same numbers as there.

/// `java.util.Random`.
pub(super) struct JavaRandom {
    state: u64,
}

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

impl JavaRandom {
    pub(super) fn new(seed: i64) -> Self {
        Self { state: (seed.cast_unsigned() ^ MULTIPLIER) & MASK }
    }

    /// `bits` random bits, at most 32.
    fn next(&mut self, bits: u32) -> u32 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        u32::try_from(self.state >> (48 - bits)).unwrap_or(0)
    }

    /// In `0.0..1.0`.
    pub(super) fn next_double(&mut self) -> f64 {
        let high = f64::from(self.next(26));
        let low = f64::from(self.next(27));
        (high * f64::from(1_u32 << 27) + low) / f64::from(1_u32 << 27) / f64::from(1_u32 << 26)
    }

    /// In `0..bound`; `bound` is positive.
    pub(super) fn next_int(&mut self, bound: i32) -> i32 {
        let limit = u64::from(bound.unsigned_abs());
        if limit.is_power_of_two() {
            let value = (limit * u64::from(self.next(31))) >> 31;
            return i32::try_from(value).unwrap_or(0);
        }
        loop {
            let bits = u64::from(self.next(31));
            let value = bits % limit;
            // Java looks for an overflow of 32 bits.
            if bits - value + (limit - 1) < 1 << 31 {
                return i32::try_from(value).unwrap_or(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_java() {
        assert_eq!(JavaRandom::new(42).next_double(), 0.727_563_680_032_868_1);
        assert_eq!(JavaRandom::new(1).next_int(1000), 985);
        assert_eq!(JavaRandom::new(100).next_int(10), 5);
    }
}
