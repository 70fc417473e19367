//! Reads: which files, in which splits, and the rows of each split.

pub(crate) mod assemble;
mod builder;
mod counters;
pub(crate) mod expiry;
pub(crate) mod file;
mod footers;
mod levels;
mod merge_read;
mod plan;
mod prune;
mod raw_read;
pub(crate) mod sections;
mod split;
mod stream;

pub use builder::ReadBuilder;
pub use counters::ReadCounters;
pub use plan::Plan;
pub use split::Split;
pub use stream::RowStream;

/// Name of the extra column with the row kind (0 +I, 1 -U, 2 +U, 3 -D).
pub const ROW_KIND_COLUMN: &str = "_VALUE_KIND";

/// Name of the extra column with the position of a row in its file, from 0.
pub const POSITION_COLUMN: &str = "_POSITION";
