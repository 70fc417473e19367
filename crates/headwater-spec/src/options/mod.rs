//! Table options: the stored string map, what Paimon knows, and what this version does with each.
//!
//! [`Options`] keeps everything as it was stored. [`TableOptions`] is parsed once, when a table is
//! opened; code below never sees the map. The 325 options of Paimon 1.4.2 (key, type, default,
//! fallback names, values) stand in `paimon-1.4.jsonl`.

mod change;
mod engine;
mod known;
mod raw;
mod support;
mod table;
mod values;

pub use change::{check_change, check_reset, effective_option, is_immutable};
pub use known::{KnownOption, check_ddl, is_known, known, nearest, nearest_of, table_options};
pub use raw::Options;
pub use support::{Findings, Treatment, inspect, treatment};
pub use table::{
    CommitOptions, FileOptions, ManifestOptions, PartitionOptions, SplitOptions, StatsMode,
    StatsOptions, TableOptions,
};
pub use values::{parse_duration_millis, parse_memory};
