//! What becomes of the records of one key: the contract of a merge engine.
//!
//! Which records meet is decided by [`crate::SortBuffer`] and [`crate::SortMerge`].
//! Rules: `docs/spec/merge-engines.md`.

mod deduplicate;
mod function;
mod steps;

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

pub use deduplicate::Deduplicate;
pub use function::{FunctionError, FunctionOptions, can_retract, column_function, function_names};
pub use steps::{ColumnFunction, Step, Steps};

use crate::error::LsmError;
use crate::key_value::KeyValueBatch;

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
    fn merge(&self, groups: &Groups) -> Result<KeyValueBatch, LsmError>;
}

/// Records in ascending key order, those of one key next to each other, oldest first.
#[derive(Debug)]
pub struct Groups {
    records: KeyValueBatch,
    ends: Vec<usize>,
}

impl Groups {
    /// `ends`: where each group ends, ascending; the last is the number of records.
    pub(crate) const fn new(records: KeyValueBatch, ends: Vec<usize>) -> Self {
        Self { records, ends }
    }

    /// Number of groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The records of all groups.
    #[must_use]
    pub const fn records(&self) -> &KeyValueBatch {
        &self.records
    }

    /// For each group the rows of [`Groups::records`], oldest first; none is empty.
    pub fn rows(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| start..end)
    }

    /// The given rows of [`Groups::records`], as a function returns them.
    ///
    /// # Errors
    /// When an Arrow kernel fails.
    pub fn take(&self, rows: impl IntoIterator<Item = usize>) -> Result<KeyValueBatch, LsmError> {
        let rows: Vec<_> = rows.into_iter().map(|row| (0, row)).collect();
        KeyValueBatch::gather(std::slice::from_ref(&self.records), &rows)
    }
}

/// Calls the function and holds it to its contract.
pub(crate) fn merge_groups(
    engine: &dyn MergeFunction,
    groups: &Groups,
) -> Result<KeyValueBatch, LsmError> {
    let merged = engine.merge(groups)?;
    if merged.len() > groups.len() {
        let (groups, actual) = (groups.len(), merged.len());
        return Err(LsmError::MergeFunction { engine: engine.name(), groups, actual });
    }
    merged.check()?;
    groups.records.check_same_columns(&merged.values)?;
    Ok(merged)
}

/// The merge engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MergeEngineKind {
    /// `deduplicate`: the last record of a key stays.
    #[default]
    Deduplicate,
}

/// The function of a merge engine.
#[must_use]
pub fn merge_engine(kind: MergeEngineKind) -> Arc<dyn MergeFunction> {
    match kind {
        MergeEngineKind::Deduplicate => Arc::new(Deduplicate),
    }
}
