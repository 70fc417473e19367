//! How far a statement is: rows that came from tables, rows that went into one.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of the running statement, for whoever watches it. They say nothing about its result.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    written: AtomicU64,
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

    pub(crate) fn add_read(&self, rows: usize) {
        add(&self.read, rows);
    }

    pub(crate) fn add_written(&self, rows: usize) {
        add(&self.written, rows);
    }

    pub(crate) fn restart(&self) {
        self.read.store(0, Ordering::Relaxed);
        self.written.store(0, Ordering::Relaxed);
    }
}

fn add(count: &AtomicU64, rows: usize) {
    count.fetch_add(u64::try_from(rows).unwrap_or(u64::MAX), Ordering::Relaxed);
}
