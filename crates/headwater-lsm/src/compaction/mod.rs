//! Which sorted runs of a bucket are compacted, and into which level: exactly those that Java picks;
//! and what becomes of their files.
//!
//! Looks at what is recorded of files only. Rules: `docs/spec/compaction.md#picking`. Source: Paimon
//! 1.4.2 `UniversalCompaction`, `ForceUpLevel0Compaction`, `EarlyFullCompaction`, `CompactStrategy`,
//! `MergeTreeCompactManager`.

mod levels;
mod pick;
mod steps;

#[cfg(test)]
mod tests;

pub use levels::{CompactionUnit, Levels};
pub use pick::{Pick, Picker, PickerOptions, pick_full};
pub use steps::{CompactionStep, RewriteRules, Sections};

/// A sorted run as far as choosing goes: a file of level 0, or all files of a higher level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunSize {
    /// Level of its files.
    pub level: usize,
    /// Bytes of its files.
    pub bytes: u64,
    /// Number of its files.
    pub files: usize,
}
