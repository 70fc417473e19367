//! What each function makes of the records of a key.

mod collections;
mod json;
mod maps;
mod nested;
mod numbers;
mod picks;
mod registry;
mod texts;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use headwater_spec::types::arrow_type;
use headwater_spec::{DataField, DataType, TypeKind};

use super::{FunctionError, FunctionOptions, column_function};
use crate::error::LsmError;
use crate::merge_engine::steps::{Step, Steps};

pub(super) const ADD: Step = Step::Add;
pub(super) const OLDER: Step = Step::AddOlder;
pub(super) const BACK: Step = Step::Retract;
pub(super) const OLD_BACK: Step = Step::RetractOlder;
pub(super) const PUT: Step = Step::Replace;

/// The steps of some keys, whose rows follow each other.
pub(super) fn steps(keys: &[&[Step]]) -> Steps {
    let mut steps = Steps::default();
    let mut row = 0;
    for key in keys {
        for &step in *key {
            steps.push(row, step);
            row += 1;
        }
        steps.end_key();
    }
    steps
}

pub(super) fn field(kind: &TypeKind) -> DataField {
    DataField::new(1, "c", DataType::nullable(kind.clone()))
}

/// Folds a column; checks that the result is of the column's type.
pub(super) fn fold_with(
    name: &str,
    kind: &TypeKind,
    options: &FunctionOptions,
    column: ArrayRef,
    keys: &[&[Step]],
) -> Result<ArrayRef, FunctionError> {
    let column = arrow::compute::cast(&column, &arrow_type(kind)).unwrap();
    let function = column_function(name, &field(kind), options).unwrap();
    assert_eq!(function.name(), name);
    assert_eq!(keys.iter().map(|key| key.len()).sum::<usize>(), column.len());
    match function.fold(&column, &steps(keys)) {
        Ok(folded) => {
            assert_eq!(folded.len(), keys.len());
            assert_eq!(folded.data_type(), column.data_type());
            folded.to_data().validate_full().unwrap();
            Ok(folded)
        }
        Err(LsmError::Function(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

pub(super) fn fold(
    name: &str,
    kind: &TypeKind,
    column: impl Array + 'static,
    keys: &[&[Step]],
) -> Result<ArrayRef, FunctionError> {
    fold_with(name, kind, &FunctionOptions::default(), Arc::new(column), keys)
}
