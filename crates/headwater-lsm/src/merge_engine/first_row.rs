//! `first-row`: the first record of a key stays.

use super::{Groups, Keeps, MergeFunction, Merged};
use crate::error::LsmError;
use crate::key_value::is_retract;

/// Keeps the first record of a key as it is.
///
/// Format: `docs/spec/merge-engines.md#first-row`. Source: Paimon 1.4.2 `FirstRowMergeFunction`.
#[derive(Debug, Clone, Copy)]
pub struct FirstRow {
    /// `ignore-delete`: retractions are passed over, instead of being an error.
    pub ignore_delete: bool,
}

impl MergeFunction for FirstRow {
    fn name(&self) -> &'static str {
        "first-row"
    }

    fn keeps(&self) -> Keeps {
        Keeps::All
    }

    fn merge(&self, groups: &Groups) -> Result<Merged, LsmError> {
        let mut first = Vec::with_capacity(groups.len());
        let kinds = groups.kinds().values();
        for rows in groups.rows() {
            if rows.len() == 1 || !groups.has_retracts() {
                first.push(rows.start);
                continue;
            }
            if !self.ignore_delete && kinds[rows.clone()].iter().any(|&kind| is_retract(kind)) {
                return Err(LsmError::Retraction {
                    engine: "first-row",
                    option: "'ignore-delete' = 'true' leaves them out",
                });
            }
            first.extend(rows.into_iter().find(|&row| !is_retract(kinds[row])));
        }
        groups.take(&first).map(Merged::from)
    }
}

/// Keeps the first record of a key unless a retraction comes before it, which then is what is left:
/// the mark of a key whose first row is stored elsewhere.
///
/// Source: Paimon 1.4.2 `FirstRowMergeFunctionWrapper`.
#[derive(Debug, Clone, Copy)]
pub struct FirstUnseen;

impl MergeFunction for FirstUnseen {
    fn name(&self) -> &'static str {
        "first-row"
    }

    fn keeps(&self) -> Keeps {
        Keeps::All
    }

    fn merge(&self, groups: &Groups) -> Result<Merged, LsmError> {
        let kinds = groups.kinds().values();
        let first = |rows: std::ops::Range<usize>| {
            let start = rows.start;
            rows.into_iter().find(|&row| is_retract(kinds[row])).unwrap_or(start)
        };
        let first: Vec<usize> = groups.rows().map(first).collect();
        groups.take(&first).map(Merged::from)
    }
}
