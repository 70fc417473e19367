//! `partial-update`: values that are not null replace older ones, column by column; columns of a
//! sequence group follow the order of the group's own columns.
//!
//! Records are looked at once for all columns that share what they do; columns then pick, or fold.

mod state;

use std::sync::Arc;

use super::newest::newest;
use super::{ColumnFunction, Groups, Keeps, MergeFunction, Merged};
use crate::error::LsmError;
use crate::order::SequenceOrder;
use state::State;

/// Puts the row of a key together from the newest values of its columns.
///
/// Format: `docs/spec/merge-engines.md#partial-update`. Source: Paimon 1.4.2
/// `PartialUpdateMergeFunction`.
#[derive(Debug)]
pub struct PartialUpdate {
    /// For each column of the values what it goes by.
    pub(super) columns: Vec<PartialColumn>,
    pub(super) groups: Vec<PartialGroup>,
    pub(super) deletes: PartialDeletes,
}

/// What a column goes by.
#[derive(Debug)]
pub(super) enum PartialColumn {
    /// A column of the key.
    Key,
    /// The newest value that is not null.
    NotNull,
    /// It orders this group.
    Sequence(usize),
    /// The newest value by this group, null or not.
    Newest(usize),
    /// A function over the records, in the order of this group.
    Function(usize, Arc<dyn ColumnFunction>),
}

/// A sequence group.
#[derive(Debug)]
pub(super) struct PartialGroup {
    pub(super) order: SequenceOrder,
    /// A `-D` that is the newest by this group removes the row.
    pub(super) removes: bool,
    /// Some column has a function.
    pub(super) folds: bool,
}

/// What retractions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartialDeletes {
    /// Nothing: `ignore-delete`.
    Ignored,
    /// They take back the values of sequence groups.
    ByGroups,
    /// A `-D` removes the row, a `-U` does nothing: `partial-update.remove-record-on-delete`.
    Removed,
    /// An error.
    Refused,
}

impl MergeFunction for PartialUpdate {
    fn name(&self) -> &'static str {
        "partial-update"
    }

    fn keeps(&self) -> Keeps {
        Keeps::All
    }

    fn merge(&self, groups: &Groups) -> Result<Merged, LsmError> {
        let state = State::of(self, groups)?;
        let last: Vec<usize> = groups.rows().map(|rows| rows.end - 1).collect();
        let last_places = groups.places(&last);
        let places: Vec<_> = state
            .groups
            .iter()
            .map(|group| (groups.places(&group.sequence), group.newest().map(|n| groups.places(n))))
            .collect();
        let mut columns = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            columns.push(match column {
                PartialColumn::Key => groups.picked(at, &last_places)?,
                PartialColumn::NotNull => {
                    let valid = groups.validity(at);
                    if valid.complete && state.roles.is_none() {
                        groups.picked(at, &last_places)?
                    } else {
                        let rows = newest(groups, &valid, state.roles.as_deref());
                        groups.picked(at, &groups.places(&rows))?
                    }
                }
                PartialColumn::Sequence(group) => groups.picked(at, &places[*group].0)?,
                PartialColumn::Newest(group) => {
                    let (sequence, newest) = &places[*group];
                    groups.picked(at, newest.as_ref().unwrap_or(sequence))?
                }
                PartialColumn::Function(group, function) => {
                    function.fold(&groups.column(at)?, &state.groups[*group].steps)?
                }
            });
        }
        let given = Some((state.sequence, state.kinds));
        Ok(Merged { records: groups.merged(&last, columns, given)?, older: state.older })
    }
}
