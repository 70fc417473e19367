//! How far a compaction is.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a running compaction; other threads may look at them.
#[derive(Debug, Default)]
pub struct CompactionProgress {
    planned: AtomicU64,
    done: AtomicU64,
    written: AtomicU64,
}

impl CompactionProgress {
    /// Bytes of the files that are to be compacted, as far as they are chosen.
    #[must_use]
    pub fn planned_bytes(&self) -> u64 {
        self.planned.load(Ordering::Relaxed)
    }

    /// Bytes of the files that are compacted.
    #[must_use]
    pub fn done_bytes(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Bytes of the files that were written.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    pub(super) fn plan(&self, bytes: u64) {
        self.planned.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn finish(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn write(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }
}
