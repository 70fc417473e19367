//! Functions that keep one of the records' values: `last_value`, `last_non_null_value`,
//! `first_value`, `first_non_null_value`, `primary-key`.

use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;

use super::fold::pick;
use super::target::Target;
use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Step, Steps};

/// Which value stays.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keep {
    /// `last_value`: the last, null or not; a retraction leaves null.
    Last,
    /// `last_non_null_value`: the last that is not null; a retraction of a value leaves null.
    LastNonNull,
    /// `first_value`: the first, null or not.
    First,
    /// `first_non_null_value`: the first that is not null.
    FirstNonNull,
    /// `primary-key`: the last, also of a retraction.
    Key,
}

/// Keeps the value of one record.
///
/// Format: `docs/spec/aggregate-functions.md#functions`. Source: Paimon 1.4.2 `FieldLastValueAgg`,
/// `FieldLastNonNullValueAgg`, `FieldFirstValueAgg`, `FieldFirstNonNullValueAgg`,
/// `FieldPrimaryKeyAgg`.
#[derive(Debug)]
pub(super) struct Pick {
    pub(super) target: Target,
    pub(super) keep: Keep,
}

/// The value so far as its row, and whether a "first" one was found since the key began.
#[derive(Debug, Clone, Copy, Default)]
struct Picked {
    row: Option<usize>,
    found: bool,
}

impl ColumnFunction for Pick {
    fn name(&self) -> &'static str {
        self.target.function
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        let nulls = column.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        let nulls = nulls.as_ref();
        match self.keep {
            Keep::Last => self.rows(column, steps, nulls, |acc, input, step| match step {
                Step::Add | Step::Replace => Some(Picked { row: input, ..acc }),
                Step::AddOlder => Some(acc),
                Step::Retract | Step::RetractOlder => Some(Picked::default()),
            }),
            Keep::Key => self.rows(column, steps, nulls, |acc, input, step| match step {
                Step::AddOlder => Some(acc),
                _ => Some(Picked { row: input, ..acc }),
            }),
            Keep::LastNonNull => self.rows(column, steps, nulls, |acc, input, step| {
                let row = match step {
                    Step::Add => input.or(acc.row),
                    Step::AddOlder => acc.row.or(input),
                    Step::Retract | Step::RetractOlder if input.is_some() => None,
                    Step::Retract | Step::RetractOlder => acc.row,
                    Step::Replace => input,
                };
                Some(Picked { row, ..acc })
            }),
            Keep::First => self.rows(column, steps, nulls, |acc, input, step| match step {
                Step::Add => Some(first(acc, input, true)),
                Step::AddOlder => Some(first(Picked { row: input, ..acc }, acc.row, true)),
                Step::Replace => Some(Picked { row: input, ..acc }),
                Step::Retract | Step::RetractOlder => None,
            }),
            Keep::FirstNonNull => self.rows(column, steps, nulls, |acc, input, step| match step {
                Step::Add => Some(first(acc, input, false)),
                Step::AddOlder => Some(first(Picked { row: input, ..acc }, acc.row, false)),
                Step::Replace => Some(Picked { row: input, ..acc }),
                Step::Retract | Step::RetractOlder => None,
            }),
        }
    }
}

/// `agg(acc, input)` of the functions that keep the first: the input counts until one was found.
fn first(acc: Picked, input: Option<usize>, null_counts: bool) -> Picked {
    if !acc.found && (null_counts || input.is_some()) {
        return Picked { row: input, found: true };
    }
    acc
}

impl Pick {
    /// Goes over the keys; `next` returns none for a retraction that is not possible.
    fn rows(
        &self,
        column: &ArrayRef,
        steps: &Steps,
        nulls: Option<&NullBuffer>,
        next: impl Fn(Picked, Option<usize>, Step) -> Option<Picked>,
    ) -> Result<ArrayRef, LsmError> {
        let mut picked = Vec::with_capacity(steps.len());
        for (rows, kinds) in steps.keys() {
            let mut acc = Picked::default();
            for (&row, &step) in rows.iter().zip(kinds) {
                let input = nulls.is_none_or(|nulls| nulls.is_valid(row)).then_some(row);
                acc = next(acc, input, step).ok_or_else(|| self.target.no_retraction())?;
            }
            picked.push(acc.row);
        }
        pick(column, picked.into_iter())
    }
}
