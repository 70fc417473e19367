//! Clock and randomness: everything outside the program, files aside, that a test must replace.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use crate::memory::MemoryBudget;
use crate::pools::Pools;
use crate::scratch::Scratch;

/// Time as the program sees it. Correctness never depends on it.
#[async_trait]
pub trait Clock: Send + Sync + Debug {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_millis(&self) -> i64;

    /// Milliseconds between 1970-01-01T00:00:00 and what a clock on the wall of the local time
    /// zone shows: the wall-clock time read as if it were UTC.
    fn local_millis(&self) -> i64;

    /// Time since some fixed point; never goes back.
    fn monotonic(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// Random numbers, and the names made from them.
pub trait Random: Send + Sync + Debug {
    /// 64 uniformly distributed bits.
    fn next_u64(&self) -> u64;

    /// Text of a random (version 4) UUID: 36 characters, lower case.
    fn uuid(&self) -> String {
        let bits = (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64());
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
    }
}

/// What an operation needs besides files. Cloning is cheap and shares everything.
#[derive(Debug, Clone)]
pub struct Env {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Threads.
    pub pools: Pools,
    /// Memory for buffers.
    pub memory: MemoryBudget,
    /// Disk for what does not fit into it.
    pub scratch: Scratch,
}

impl Env {
    /// The machine's own clock and randomness, `cpu_threads` threads for row work,
    /// `memory_bytes` for buffers, and scratch files in the system's temporary directory.
    #[must_use]
    pub fn system(cpu_threads: usize, memory_bytes: usize) -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom::new()),
            pools: Pools::new(cpu_threads),
            memory: MemoryBudget::new(memory_bytes),
            scratch: Scratch::new(Vec::new()),
        }
    }

    /// The same with scratch files in these directories.
    #[must_use]
    pub fn scratch_in(mut self, dirs: Vec<std::path::PathBuf>) -> Self {
        self.scratch = Scratch::new(dirs);
        self
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Monotonic time starts at 0 here.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now_millis(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |m| -m),
        }
    }

    fn local_millis(&self) -> i64 {
        let now = self.now_millis();
        let Some(utc) = chrono::DateTime::from_timestamp_millis(now) else { return now };
        utc.with_timezone(&chrono::Local).naive_local().and_utc().timestamp_millis()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A clock that moves only when told. Sleeping moves it and takes no time.
#[derive(Debug)]
pub struct FixedClock {
    now_millis: AtomicI64,
    offset_millis: AtomicI64,
    slept: Mutex<Duration>,
}

impl FixedClock {
    /// Stands at `now_millis`; local time is UTC.
    #[must_use]
    pub const fn new(now_millis: i64) -> Self {
        Self {
            now_millis: AtomicI64::new(now_millis),
            offset_millis: AtomicI64::new(0),
            slept: Mutex::new(Duration::ZERO),
        }
    }

    /// Sets the wall clock, backwards too. Monotonic time stays.
    pub fn set(&self, now_millis: i64) {
        self.now_millis.store(now_millis, Ordering::SeqCst);
    }

    /// Sets how far local time is ahead of UTC, in milliseconds.
    pub fn set_local_offset(&self, offset_millis: i64) {
        self.offset_millis.store(offset_millis, Ordering::SeqCst);
    }

    /// Lets time pass, for the wall clock and monotonic time alike.
    pub fn advance(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.now_millis.fetch_add(millis, Ordering::SeqCst);
        let mut slept = self.slept.lock().unwrap_or_else(PoisonError::into_inner);
        *slept = slept.saturating_add(duration);
    }
}

#[async_trait]
impl Clock for FixedClock {
    fn now_millis(&self) -> i64 {
        self.now_millis.load(Ordering::SeqCst)
    }

    fn local_millis(&self) -> i64 {
        self.now_millis().saturating_add(self.offset_millis.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        *self.slept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        tokio::task::yield_now().await;
    }
}

/// Random numbers that the same seed repeats (SplitMix64).
#[derive(Debug)]
pub struct SeededRandom {
    state: AtomicU64,
}

impl SeededRandom {
    /// The sequence of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }
}

impl Random for SeededRandom {
    fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        mix(self.state.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP))
    }
}

/// The operating system's randomness: names made from it never collide, also across processes
/// and forks.
#[derive(Debug, Default)]
pub struct SystemRandom {
    fallback: AtomicU64,
}

impl SystemRandom {
    /// Draws from the operating system at each call.
    #[must_use]
    pub const fn new() -> Self {
        Self { fallback: AtomicU64::new(0) }
    }
}

impl Random for SystemRandom {
    fn next_u64(&self) -> u64 {
        let mut bytes = [0_u8; 8];
        let flags = rustix::rand::GetRandomFlags::empty();
        match rustix::rand::getrandom(&mut bytes, flags) {
            Ok(8) => u64::from_ne_bytes(bytes),
            _ => self.fallback_u64(),
        }
    }
}

impl SystemRandom {
    /// For kernels that refuse `getrandom`: time, process and a count, mixed.
    fn fallback_u64(&self) -> u64 {
        use std::hash::{BuildHasher, RandomState};
        let count = self.fallback.fetch_add(1, Ordering::SeqCst);
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
        mix(RandomState::new().hash_one((count, nanos, std::process::id())))
    }
}

/// The output function of SplitMix64.
const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_is_version_4_text() {
        let id = SeededRandom::new(1).uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert!("89ab".contains(&id[19..20]));
        assert_eq!(id, id.to_lowercase());
    }

    #[test]
    fn the_same_seed_repeats_and_another_differs() {
        let [a, b, c] = [7, 7, 8].map(SeededRandom::new).map(|r| r.uuid());
        assert_eq!(a, b);
        assert_ne!(a, c);
    }

    #[test]
    fn splitmix_gives_the_published_sequence() {
        let random = SeededRandom::new(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn system_uuids_differ() {
        let random = SystemRandom::new();
        assert_ne!(random.uuid(), random.uuid());
        assert_ne!(random.fallback_u64(), random.fallback_u64());
    }

    #[test]
    fn system_local_time_is_within_a_day_of_utc() {
        let clock = SystemClock::new();
        assert!((clock.local_millis() - clock.now_millis()).abs() <= 24 * 3_600_000);
    }

    #[tokio::test]
    async fn sleeping_on_a_fixed_clock_moves_it() {
        let clock = FixedClock::new(1_000);
        clock.set_local_offset(3_600_000);
        clock.sleep(Duration::from_millis(250)).await;
        assert_eq!(clock.now_millis(), 1_250);
        assert_eq!(clock.local_millis(), 3_601_250);
        assert_eq!(clock.monotonic(), Duration::from_millis(250));
        clock.set(10);
        assert_eq!(clock.now_millis(), 10);
        assert_eq!(clock.monotonic(), Duration::from_millis(250));
    }
}
