//! What a read really did: for EXPLAIN ANALYZE and the like.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater_io::file_io::counted::ReadCount;

/// Counts of a read, growing while it goes on. All splits of a read may share one.
#[derive(Debug, Default)]
pub struct ReadCounters {
    pub(super) io: Arc<ReadCount>,
    files: AtomicU64,
    row_groups: AtomicU64,
    row_groups_skipped: AtomicU64,
}

impl ReadCounters {
    /// Bytes of data files that were fetched, footers included.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.io.bytes()
    }

    /// Data files that were opened.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Row groups of these files, without those that were skipped.
    #[must_use]
    pub fn row_groups(&self) -> u64 {
        self.row_groups.load(Ordering::Relaxed)
    }

    /// Row groups that their statistics excluded.
    #[must_use]
    pub fn row_groups_skipped(&self) -> u64 {
        self.row_groups_skipped.load(Ordering::Relaxed)
    }

    pub(super) fn opened(&self, kept: usize, all: usize) {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.files.fetch_add(1, Ordering::Relaxed);
        self.row_groups.fetch_add(count(kept), Ordering::Relaxed);
        self.row_groups_skipped.fetch_add(count(all.saturating_sub(kept)), Ordering::Relaxed);
    }
}
