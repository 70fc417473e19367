//! The SQL session on real warehouses in temporary directories.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]
#![expect(clippy::disallowed_methods, reason = "each test has a runtime of its own")]

mod buckets;
mod catalogs;
mod changelogs;
mod changes;
mod definitions;
mod dialect;
mod dml;
mod examples;
mod files;
mod functions;
mod inserts;
mod moving_keys;
mod options;
mod procedures;
mod queries;
mod sorted;
mod system_tables;
mod warehouse;
