//! The SQL session on real warehouses in temporary directories.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]
#![expect(clippy::disallowed_methods, reason = "each test has a runtime of its own")]

mod definitions;
mod files;
mod functions;
mod inserts;
mod queries;
mod warehouse;
