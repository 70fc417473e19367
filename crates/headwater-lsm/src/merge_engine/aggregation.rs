//! `aggregation`: every column has a function that takes the values of a key's records.

use std::sync::Arc;

use super::newest::{Role, newest};
use super::{ColumnFunction, Groups, Keeps, MergeFunction, Merged, Step, Steps};
use crate::error::LsmError;
use crate::key_value::{DELETE, INSERT, is_retract};

/// Folds the values of each column.
///
/// Format: `docs/spec/merge-engines.md#aggregation`. Source: Paimon 1.4.2
/// `AggregateMergeFunction`.
#[derive(Debug)]
pub struct Aggregation {
    pub(super) columns: Vec<AggregateColumn>,
    /// `aggregation.remove-record-on-delete`.
    pub(super) removes: bool,
}

/// How a column is folded.
#[derive(Debug)]
pub(super) enum AggregateColumn {
    /// A column of the key.
    Key,
    /// By this function. `last_value` and `last_non_null_value` need not be asked while nothing
    /// is taken back.
    Function(Arc<dyn ColumnFunction>, Shortcut),
}

/// What a function comes to while nothing is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shortcut {
    Last,
    LastNonNull,
    None,
}

impl Shortcut {
    pub(super) fn of(function: &str) -> Self {
        match function {
            "last_value" => Self::Last,
            "last_non_null_value" => Self::LastNonNull,
            _ => Self::None,
        }
    }
}

impl MergeFunction for Aggregation {
    fn name(&self) -> &'static str {
        "aggregation"
    }

    fn keeps(&self) -> Keeps {
        Keeps::All
    }

    fn merge(&self, groups: &Groups) -> Result<Merged, LsmError> {
        let taken_back = groups.has_retracts();
        let (steps, kinds) = self.steps(groups);
        let last: Vec<usize> = groups.rows().map(|rows| rows.end - 1).collect();
        let last_places = groups.places(&last);
        let mut columns = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            columns.push(match column {
                AggregateColumn::Key => groups.picked(at, &last_places)?,
                AggregateColumn::Function(_, Shortcut::Last) if !taken_back => {
                    groups.picked(at, &last_places)?
                }
                AggregateColumn::Function(_, Shortcut::LastNonNull) if !taken_back => {
                    let valid = groups.validity(at);
                    let rows = newest(groups, &valid, None::<&[Role]>);
                    groups.picked(at, &groups.places(&rows))?
                }
                AggregateColumn::Function(function, _) => {
                    function.fold(&groups.column(at)?, &steps)?
                }
            });
        }
        let sequence = groups.sequence().values();
        let sequence = last.iter().map(|&row| sequence[row]).collect();
        Ok(groups.merged(&last, columns, Some((sequence, kinds)))?.into())
    }
}

impl Aggregation {
    /// What each record does to every column, and the kind of each key's row.
    fn steps(&self, groups: &Groups) -> (Steps, Vec<i8>) {
        let kinds = groups.kinds().values();
        let mut steps = Steps::with_capacity(groups.len(), groups.records());
        let mut merged = Vec::with_capacity(groups.len());
        for rows in groups.rows() {
            if rows.len() == 1 {
                // No merge: the record stays as it is.
                steps.push(rows.start, Step::Replace);
                merged.push(kinds[rows.start]);
            } else {
                let mut removed = false;
                for row in rows {
                    removed = self.removes && kinds[row] == DELETE;
                    steps.push(
                        row,
                        match kinds[row] {
                            _ if removed => Step::Replace,
                            kind if is_retract(kind) => Step::Retract,
                            _ => Step::Add,
                        },
                    );
                }
                merged.push(if removed { DELETE } else { INSERT });
            }
            steps.end_key();
        }
        (steps, merged)
    }
}
