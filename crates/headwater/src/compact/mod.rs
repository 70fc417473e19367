//! Compaction: the sorted runs of a bucket become fewer, small files become larger ones.
//!
//! What is chosen is the business of `headwater_lsm`; here files are read, written and exchanged by a
//! commit. A compaction changes no row that a read sees. A writer compacts the buckets that it writes
//! to ([`inline`]), a [`Compaction`] those of a table, and a [`Reordering`] puts rows in another order.
//! Rules: `docs/spec/compaction.md`.

mod append;
mod bucket;
mod commit;
pub(crate) mod inline;
mod job;
mod postpone;
mod progress;
mod reorder;
mod rewrite;

pub use inline::CompactionReport;
pub use job::{Compaction, CompactionOutcome, PartitionSpec};
pub use progress::CompactionProgress;
pub use reorder::{PartitionRows, Reordering, Rewrite};
