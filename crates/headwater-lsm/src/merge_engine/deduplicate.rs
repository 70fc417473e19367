//! `deduplicate`: the last record of a key stays, with its row kind.

use super::{Groups, Keeps, MergeFunction, Merged};
use crate::error::LsmError;
use crate::key_value::is_retract;

/// Keeps the last record of a key as it is, deletes included.
///
/// Format: `docs/spec/merge-engines.md#deduplicate`. Source: Paimon 1.4.2
/// `DeduplicateMergeFunction`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deduplicate;

impl MergeFunction for Deduplicate {
    fn name(&self) -> &'static str {
        "deduplicate"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Last
    }

    fn merge(&self, groups: &Groups) -> Result<Merged, LsmError> {
        let last: Vec<usize> = groups.rows().map(|rows| rows.end - 1).collect();
        groups.take(&last).map(Merged::from)
    }
}

/// Keeps the last record of a key that is not a retraction; with `ignore-delete`. A key that has
/// only retractions is gone, unless it has one alone, which is no merge.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeduplicateInserts;

impl MergeFunction for DeduplicateInserts {
    fn name(&self) -> &'static str {
        "deduplicate"
    }

    fn keeps(&self) -> Keeps {
        Keeps::All
    }

    fn merge(&self, groups: &Groups) -> Result<Merged, LsmError> {
        let kinds = groups.kinds().values();
        let last = |rows: std::ops::Range<usize>| {
            let single = rows.len() == 1;
            rows.into_iter().rev().find(|&row| single || !is_retract(kinds[row]))
        };
        let last: Vec<usize> = groups.rows().filter_map(last).collect();
        groups.take(&last).map(Merged::from)
    }
}
