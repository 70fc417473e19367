//! The SQL session on real warehouses in temporary directories.
#![expect(clippy::unwrap_used, reason = "test code")]

mod definitions;
mod files;
mod inserts;
mod queries;
mod warehouse;
