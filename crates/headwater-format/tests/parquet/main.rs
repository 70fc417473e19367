//! Parquet data files, from outside: against Java's files, round trips, damage, other writers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what tests share fails a test by panicking, as the tests do"
)]

mod canonical;
mod damage;
mod evolution;
mod files;
mod foreign;
mod golden;
mod round_trip;
mod windows;
