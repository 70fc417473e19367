//! Tests that start the binary: its arguments, outputs and exit codes, and what is left of a table
//! when several processes write it or one of them is killed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests start real processes in real directories, and fail by panicking"
)]

mod again;
mod bench;
mod compact;
mod decimals;
mod dump;
mod limits;
mod processes;
mod program;
mod settings;
mod shell;
mod sql;
mod terminal;
mod usage;
