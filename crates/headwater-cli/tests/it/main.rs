//! Tests that start the binary: its arguments, outputs and exit codes, and what is left of a table
//! when several processes write it or one of them is killed.

mod bench;
mod dump;
mod processes;
mod program;
mod sql;
mod usage;
