//! Merging sorted runs: pure, synchronous, on Arrow batches.
//!
//! A run is a sequence of [`KeyValueBatch`]es in ascending key order, each key once. A
//! [`SortBuffer`] makes runs of arriving rows, a [`SortMerge`] makes one run of several, and
//! [`sections()`] says which files have to be merged with which. What becomes of records with
//! equal keys is the business of a [`MergeFunction`]. Nothing here opens a file, reads a clock or
//! starts a thread. Rules: `docs/spec/lsm.md`, `docs/spec/merge-engines.md`.

mod compaction;
mod error;
mod key_value;
mod merge;
mod merge_engine;
mod order;
mod run;
mod section;
mod sort_buffer;

#[cfg(test)]
mod test_data;

pub use compaction::{
    CompactionStep, CompactionUnit, Levels, Pick, Picker, PickerOptions, RewriteRules, RunSize,
    Sections, pick_full,
};
pub use error::LsmError;
pub use key_value::{
    DELETE, INSERT, KeyEncoder, KeyValueBatch, Keys, UPDATE_AFTER, UPDATE_BEFORE, batch_overhead,
    is_retract, record_batch_size,
};
pub use merge::{SortMerge, SortMergeOptions};
pub use merge_engine::{
    Aggregation, ColumnFunction, Deduplicate, DeduplicateInserts, FirstRow, FirstUnseen,
    FunctionError, FunctionOptions, Groups, Keeps, MergeFunction, MergeRules, Merged,
    PartialUpdate, Step, Steps, can_retract, check_definition, column_function, function_names,
};
pub use order::SequenceOrder;
pub use run::{BatchesRun, RunReader};
pub use section::{key_order, sections};
pub use sort_buffer::{Drain, SortBuffer};
