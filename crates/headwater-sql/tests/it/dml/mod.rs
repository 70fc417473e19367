//! DELETE, UPDATE and MERGE.

mod conflicts;
mod merge;
mod model;
mod statements;
