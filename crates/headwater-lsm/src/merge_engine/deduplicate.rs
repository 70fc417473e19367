//! `deduplicate`: the last record of a key stays, with its row kind.

use super::{Groups, Keeps, MergeFunction};
use crate::error::LsmError;
use crate::key_value::KeyValueBatch;

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

    fn merge(&self, groups: &Groups) -> Result<KeyValueBatch, LsmError> {
        groups.take(groups.rows().map(|rows| rows.end - 1))
    }
}
