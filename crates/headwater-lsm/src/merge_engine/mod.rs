//! What becomes of the records of one key: the contract of a merge engine.
//!
//! Which records meet is decided by [`crate::SortBuffer`] and [`crate::SortMerge`].
//! Rules: `docs/spec/merge-engines.md`.

mod aggregation;
mod deduplicate;
mod first_row;
mod function;
mod groups;
mod newest;
mod partial_update;
mod rules;
mod steps;

use std::fmt::Debug;

pub use aggregation::Aggregation;
pub use deduplicate::{Deduplicate, DeduplicateInserts};
pub use first_row::{FirstRow, FirstUnseen};
pub use function::{FunctionError, FunctionOptions, can_retract, column_function, function_names};
pub use groups::Groups;
pub use partial_update::PartialUpdate;
pub use rules::{MergeRules, check_definition};
pub use steps::{ColumnFunction, Step, Steps};

use crate::error::LsmError;
use crate::key_value::{KeyValueBatch, check_same_columns};

/// What a merge function looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Only the last record of each key, which it returns as it is. The merge then picks that
    /// record itself, never copies the others, and does not call [`MergeFunction::merge`].
    Last,
    /// All records of a key.
    All,
}

/// Merges the records of a key into one; `merge-engine` of a table.
///
/// Works on many keys at once, so that an engine can go column by column over [`Groups`].
pub trait MergeFunction: Debug + Send + Sync {
    /// The engine's name, for messages.
    fn name(&self) -> &'static str;

    /// What the function looks at. [`Keeps::Last`] promises that [`MergeFunction::merge`] would
    /// return the last record of every group.
    fn keeps(&self) -> Keeps;

    /// One record for each group, or none if the key does not exist afterwards, in the order of
    /// the groups.
    ///
    /// A group of one record must come out untouched: kind, sequence number and values.
    /// `docs/spec/merge-engines.md#invocation`, Paimon 1.4.2 `ReducerMergeFunctionWrapper`.
    ///
    /// # Errors
    /// When records break a rule of the engine, or an Arrow kernel fails.
    fn merge(&self, groups: &Groups) -> Result<Merged, LsmError>;
}

/// What became of some keys.
#[derive(Debug)]
pub struct Merged {
    /// One record for each key that exists.
    pub records: KeyValueBatch,
    /// Records that were older than others of their key by a sequence group.
    pub older: u64,
}

impl From<KeyValueBatch> for Merged {
    fn from(records: KeyValueBatch) -> Self {
        Self { records, older: 0 }
    }
}

/// Calls the function, unless no key has more than one record, and holds it to its contract.
pub(crate) fn merge_groups(
    engine: &dyn MergeFunction,
    groups: &Groups,
) -> Result<Merged, LsmError> {
    let merged = if groups.all_single() {
        let all: Vec<usize> = (0..groups.records()).collect();
        Merged::from(groups.take(&all)?)
    } else {
        engine.merge(groups)?
    };
    if merged.records.len() > groups.len() {
        let (groups, actual) = (groups.len(), merged.records.len());
        return Err(LsmError::MergeFunction { engine: engine.name(), groups, actual });
    }
    merged.records.check()?;
    if let Some(schema) = groups.schema() {
        check_same_columns(&schema, &merged.records.values.schema())?;
    }
    Ok(merged)
}

#[cfg(test)]
mod tests;
