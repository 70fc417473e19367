//! DELETE, UPDATE and MERGE.

mod conflicts;
mod deletions;
mod engines;
mod merge;
mod model;
mod statements;
