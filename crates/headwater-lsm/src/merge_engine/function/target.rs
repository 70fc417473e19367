//! Which function works on which column: what every error of a function says.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType as Arrow;
use headwater_spec::DataField;
use headwater_spec::types::arrow_type;

use super::FunctionError;

/// A function and the column it works on.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) function: &'static str,
    pub(super) column: String,
    /// The column's type as text.
    pub(super) data_type: String,
    /// How the column's values come.
    pub(super) arrow: Arrow,
}

impl Target {
    pub(super) fn new(function: &'static str, field: &DataField) -> Self {
        Self {
            function,
            column: field.name.clone(),
            data_type: field.data_type.kind.to_string(),
            arrow: arrow_type(&field.data_type.kind),
        }
    }

    /// The array as the type it should have.
    pub(super) fn downcast<'a, A: Array + 'static>(
        &self,
        array: &'a dyn Array,
    ) -> Result<&'a A, FunctionError> {
        array.as_any().downcast_ref().ok_or_else(|| self.wrong_array(array))
    }

    pub(super) fn wrong_array(&self, array: &dyn Array) -> FunctionError {
        FunctionError::Array {
            function: self.function,
            column: self.column.clone(),
            expected: self.arrow.to_string(),
            found: array.data_type().to_string(),
        }
    }

    pub(super) fn check_primitive(&self, array: &ArrayRef) -> Result<(), FunctionError> {
        if array.data_type() == &self.arrow { Ok(()) } else { Err(self.wrong_array(array)) }
    }

    pub(super) fn no_retraction(&self) -> FunctionError {
        FunctionError::NoRetraction { function: self.function, column: self.column.clone() }
    }

    pub(super) fn too_large(&self, what: &'static str) -> FunctionError {
        FunctionError::TooLarge { function: self.function, column: self.column.clone(), what }
    }

    pub(super) fn option(&self, option: &str, reason: String) -> FunctionError {
        FunctionError::Option {
            function: self.function,
            column: self.column.clone(),
            option: format!("fields.{}.{option}", self.column),
            reason,
        }
    }

    pub(super) fn corrupt(&self, what: &'static str, reason: impl ToString) -> FunctionError {
        FunctionError::Corrupt { column: self.column.clone(), what, reason: reason.to_string() }
    }
}
