//! Table options: the stored string map, what Paimon knows, and what this version does with each.
//!
//! [`Options`] keeps everything as it was stored. [`TableOptions`] is parsed once, when a table is
//! opened; code below never sees the map. The 325 options of Paimon 1.4.2 (key, type, default,
//! fallback names, values) stand in `paimon-1.4.jsonl`.

mod buffer;
mod change;
mod compaction;
mod cross_partition;
mod dynamic;
mod engine;
mod known;
pub(crate) mod merge;
mod patterns;
mod postpone;
mod raw;
mod support;
mod table;
mod treatment;
mod values;

pub use buffer::BufferOptions;
pub use change::{check_change, check_reset, effective_option, is_immutable};
pub use compaction::{CompactionOptions, OffPeak};
pub use cross_partition::CrossPartitionOptions;
pub use dynamic::DynamicBucketOptions;
pub use known::{
    KnownOption, catalog_option, catalog_options, check_catalog_option, check_ddl, is_default,
    is_known, known, nearest, nearest_of, table_options,
};
pub use merge::{FunctionOptions, MergeEngine, MergeOptions, RecordExpire, SequenceGroup};
pub use postpone::PostponeOptions;
pub use raw::Options;
pub use support::{Findings, inspect};
pub use table::{
    CommitOptions, FileOptions, ManifestOptions, PartitionOptions, SplitOptions, StatsMode,
    StatsOptions, TableOptions,
};
pub use treatment::{Treatment, treatment};
pub use values::{parse_duration_millis, parse_memory};
