//! Writes: rows to buckets, buckets to sorted files, files to a commit.
//!
//! Rows wait in memory until a commit is prepared; when memory runs short, the largest buckets become
//! files and the others wait on local disk. Nothing of them is visible before the commit. A dropped writer leaves at most unreferenced files.

mod bootstrap;
mod bucket;
mod bucket_fill;
mod builder;
mod check;
mod commit;
mod cross_partition;
mod defaults;
mod dynamic;
pub(crate) mod file;
mod key_index;
mod key_rows;
mod kinds;
mod overwrite;
mod partition_index;
mod postpone;
mod rebase;
mod route;
mod rows;
pub(crate) mod take_in;
mod writer;

pub use builder::{Overwrite, WriteBuilder};
pub(crate) use commit::remove_files;
pub use commit::{CommitMessage, CommitOutcome};
pub use writer::TableWrite;
