//! Settings of the C library's allocator.

/// Batches, pages and row groups on their way to a file are smaller than this.
const KEPT_BLOCK_BYTES: usize = 8 << 20;

/// Heaps besides one for each core. What a thread frees stays with its heap: with as many heaps as
/// there may be threads, most of them hold what another one needs.
const MORE_HEAPS: usize = 2;

/// Tells the allocator of the C library how this program uses memory. For `main`, before anything
/// else; no effect on other systems than Linux with glibc.
///
/// Blocks of some megabytes come and go, so they are kept for the next use. glibc gives blocks above
/// a threshold back at once, and raises the threshold to the size of the largest block that was freed
/// this way, and the unused memory that it keeps to twice as much.
///
/// Threads share a few heaps. glibc makes up to eight for each core, each with 64 MiB of addresses,
/// which alone is more than a process with a limit of its address space may have. The environment's
/// `MALLOC_ARENA_MAX` goes first.
///
/// Source: `mallopt(3)`, `M_MMAP_THRESHOLD`, `M_ARENA_MAX`.
pub fn tune_allocator() {
    share_heaps();
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT_BLOCK_BYTES)));
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn share_heaps() {
    if std::env::var_os("MALLOC_ARENA_MAX").is_some() {
        return;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let heaps = i32::try_from(cores.saturating_add(MORE_HEAPS)).unwrap_or(i32::MAX);
    // SAFETY: mallopt takes two numbers and changes only the allocator's own settings, under its
    // lock.
    let taken = unsafe { libc::mallopt(libc::M_ARENA_MAX, heaps) };
    if taken != 1 {
        tracing::debug!(heaps, "the allocator does not take a number of heaps");
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn share_heaps() {}
