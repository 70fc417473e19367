//! DELETE, UPDATE and MERGE.

mod conflicts;
mod engines;
mod merge;
mod model;
mod statements;
