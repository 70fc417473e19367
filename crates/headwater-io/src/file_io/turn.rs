//! Turns: writers of one directory that know each other go one after the other.
//!
//! A courtesy and no protection. Whoever does not ask for a turn (another engine, another machine)
//! may write at any time, and an operation must be right without one; but of many writers on one
//! machine none starves, and none repeats its work because another was faster.

use std::fs::File;

/// The answer to a request for a turn.
#[derive(Debug)]
pub enum Turn {
    /// It is ours until this value is dropped, or the process ends.
    Ours(TurnGuard),
    /// Another writer has it: ask again.
    Taken,
    /// The store knows no turns.
    None,
}

/// Gives a turn back when dropped.
#[derive(Debug)]
pub struct TurnGuard {
    _lock: File,
}

impl TurnGuard {
    pub(super) const fn new(lock: File) -> Self {
        Self { _lock: lock }
    }
}
