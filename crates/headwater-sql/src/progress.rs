//! How far a statement is: rows that came from tables, rows that went into one, files compacted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use headwater::CompactionProgress;

/// Counts of the running statement, for whoever watches it. They say nothing about its result.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    written: AtomicU64,
    compaction: Mutex<Option<Arc<CompactionProgress>>>,
}

impl Progress {
    /// Rows that scans of tables gave so far.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Rows handed to the table that an INSERT writes; none is visible before its commit.
    #[must_use]
    pub fn rows_written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// How far the compaction is that the statement runs now, if it runs one.
    #[must_use]
    pub fn compaction(&self) -> Option<Arc<CompactionProgress>> {
        self.compaction.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn compacts(&self, progress: Arc<CompactionProgress>) {
        *self.compaction.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
    }

    pub(crate) fn add_read(&self, rows: usize) {
        add(&self.read, rows);
    }

    pub(crate) fn add_written(&self, rows: usize) {
        add(&self.written, rows);
    }

    pub(crate) fn restart(&self) {
        self.read.store(0, Ordering::Relaxed);
        self.written.store(0, Ordering::Relaxed);
        *self.compaction.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn add(count: &AtomicU64, rows: usize) {
    count.fetch_add(u64::try_from(rows).unwrap_or(u64::MAX), Ordering::Relaxed);
}
