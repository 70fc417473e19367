//! Tests of the library against golden tables, stock Java, crashes and models.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "tests fail by panicking, also in what they share; their values are small"
)]

mod buffers;
mod compaction;
mod corruption;
mod coverage;
mod cross_partition;
mod differential;
mod dynamic;
mod engines;
mod failed_commits;
mod faults;
mod ignored;
mod interleaving;
mod manifests;
mod model;
mod postpone;
mod properties;
mod replay;
mod rescale;
mod roundtrip;
mod rows;
mod small;
