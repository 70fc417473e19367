//! `bool_and`, `bool_or`.

use arrow::array::{ArrayRef, BooleanArray};

use super::FunctionError;
use super::fold::{Combine, fold_boolean};
use super::target::Target;
use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Steps};

/// Whether all, or some, of the values are true; nulls do not count.
///
/// Format: `docs/spec/aggregate-functions.md#functions`. Source: Paimon 1.4.2 `FieldBoolAndAgg`,
/// `FieldBoolOrAgg`.
#[derive(Debug)]
pub(super) struct Bools {
    pub(super) target: Target,
    /// Whether all must be true.
    pub(super) all: bool,
}

impl ColumnFunction for Bools {
    fn name(&self) -> &'static str {
        self.target.function
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        fold_boolean(self.target.downcast::<BooleanArray>(column)?, steps, self)
    }
}

impl Combine<bool> for Bools {
    fn combine(&self, acc: bool, input: bool) -> Result<Option<bool>, FunctionError> {
        Ok(Some(if self.all { acc && input } else { acc || input }))
    }

    fn take_back(&self, _: Option<bool>, _: Option<bool>) -> Result<Option<bool>, FunctionError> {
        Err(self.target.no_retraction())
    }
}
