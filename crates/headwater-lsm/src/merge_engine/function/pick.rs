//! Functions that keep one of the records' values: `last_value`, `last_non_null_value`,
//! `first_value`, `first_non_null_value`, `primary-key`.

use arrow::array::{Array, ArrayRef};

use super::fold::RowPicks;
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

/// No row: the value is null.
const NONE: usize = usize::MAX;

impl ColumnFunction for Pick {
    fn name(&self) -> &'static str {
        self.target.function
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        match self.keep {
            Keep::Last => rows(column, steps, |acc, input, step| match step {
                Step::Add | Step::Replace => input,
                Step::AddOlder => acc,
                Step::Retract | Step::RetractOlder => NONE,
            }),
            Keep::Key => rows(column, steps, |acc, input, step| match step {
                Step::AddOlder => acc,
                Step::Add | Step::Replace | Step::Retract | Step::RetractOlder => input,
            }),
            Keep::LastNonNull => rows(column, steps, |acc, input, step| match step {
                Step::Add => or(input, acc),
                Step::AddOlder => or(acc, input),
                Step::Retract | Step::RetractOlder if input != NONE => NONE,
                Step::Retract | Step::RetractOlder => acc,
                Step::Replace => input,
            }),
            Keep::First => self.first_rows(column, steps, true),
            Keep::FirstNonNull => self.first_rows(column, steps, false),
        }
    }
}

const fn or(one: usize, other: usize) -> usize {
    if one == NONE { other } else { one }
}

/// Goes over the keys; `next` makes of the row of the value so far and that of the input, if they
/// are not null, the next one.
fn rows(
    column: &ArrayRef,
    steps: &Steps,
    mut next: impl FnMut(usize, usize, Step) -> usize,
) -> Result<ArrayRef, LsmError> {
    let mut picks = RowPicks::with_capacity(steps.len());
    let nulls = column.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    for (rows, kinds) in steps.keys() {
        let mut acc = NONE;
        for (&row, &step) in rows.iter().zip(kinds) {
            let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            acc = next(acc, if valid { row } else { NONE }, step);
        }
        picks.push((acc != NONE).then_some(acc));
    }
    picks.take_from(column)
}

impl Pick {
    fn first_rows(
        &self,
        column: &ArrayRef,
        steps: &Steps,
        null_counts: bool,
    ) -> Result<ArrayRef, LsmError> {
        let mut picks = RowPicks::with_capacity(steps.len());
        let nulls = column.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        for (rows, kinds) in steps.keys() {
            let mut acc = NONE;
            let mut found = false;
            for (&row, &step) in rows.iter().zip(kinds) {
                let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                let input = if valid { row } else { NONE };
                // An older input trades places with the value so far.
                let (older, newer) = match step {
                    Step::Add => (acc, input),
                    Step::AddOlder => (input, acc),
                    Step::Replace => {
                        acc = input;
                        continue;
                    }
                    Step::Retract | Step::RetractOlder => {
                        return Err(self.target.no_retraction().into());
                    }
                };
                let is_first = !found && (null_counts || newer != NONE);
                found |= is_first;
                acc = if is_first { newer } else { older };
            }
            picks.push((acc != NONE).then_some(acc));
        }
        picks.take_from(column)
    }
}
