//! How long to wait before trying again.

use std::time::Duration;

use crate::env::Random;

/// Wait before retry number `attempt` (0 is the first): `min * 2^attempt`, at most `max`, plus up
/// to 20 % at random so that rivals do not meet again.
///
/// Format: `docs/spec/commit.md#attempt`. Source: Paimon 1.4.2 `RetryWaiter`.
#[must_use]
pub fn backoff(attempt: u32, min: Duration, max: Duration, random: &dyn Random) -> Duration {
    let wait = 2_u32.checked_pow(attempt).map_or(max, |factor| min.saturating_mul(factor)).min(max);
    let share =
        f64::from(u32::try_from(random.next_u64() >> 32).unwrap_or(0)) / f64::from(u32::MAX);
    wait.saturating_add(wait.mul_f64(0.2 * share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::SeededRandom;

    #[test]
    fn waits_double_up_to_the_maximum_plus_a_fifth() {
        let random = SeededRandom::new(3);
        let (min, max) = (Duration::from_millis(10), Duration::from_secs(10));
        for attempt in 0..64 {
            let bare = min.saturating_mul(2_u32.saturating_pow(attempt)).min(max);
            let wait = backoff(attempt, min, max, &random);
            assert!(wait >= bare && wait <= bare.mul_f64(1.2), "{attempt}: {wait:?}");
        }
    }

    #[test]
    fn two_rivals_wait_differently() {
        let [a, b] = [1, 2].map(SeededRandom::new);
        let wait = |r: &SeededRandom| backoff(5, Duration::from_millis(10), Duration::MAX, r);
        assert_ne!(wait(&a), wait(&b));
    }
}
