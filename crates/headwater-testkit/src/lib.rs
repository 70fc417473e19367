//! Test support: fixtures, the Java oracle's driver, faulty and crashing file systems.
//!
//! Nothing here ships. Every function panics with a clear message when the surroundings are
//! broken, because a test has no better answer.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    reason = "test support prepares real directories and processes, and fails a test by panicking"
)]

pub mod counting;
pub mod coverage;
pub mod crashing;
pub mod faulty;
pub mod files;
pub mod fixtures;
pub mod interloper;
pub mod java;
pub mod operation;
pub mod oracle;
pub mod page;

pub use counting::{CountingFileIo, Counts};
pub use crashing::{CrashPoint, CrashingFileIo};
pub use faulty::{Fault, FaultyFileIo};
pub use files::TempDir;
pub use fixtures::{Golden, expected, fixture_path, golden, golden_tables, repository_root};
pub use interloper::Interloper;
pub use java::{java_available, require_java};
pub use operation::Operation;
pub use oracle::Oracle;
pub use page::hold_page;

/// An amount of work: `gate` in every run, `nightly` with `HEADWATER_LONG=1`.
pub fn amount(gate: usize, nightly: usize) -> usize {
    if std::env::var("HEADWATER_LONG").is_ok_and(|v| v == "1") { nightly } else { gate }
}
