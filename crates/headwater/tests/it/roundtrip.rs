//! Tables that we create and write: Java's check finds nothing, both engines read the rows that
//! were written, and both go on writing in turns.

mod buckets;
mod commits;
mod files;
mod keys;
mod overwrites;
mod partitions;
mod statistics;
mod subject;
pub(crate) mod types;
