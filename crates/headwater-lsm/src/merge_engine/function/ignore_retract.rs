//! `fields.<column>.ignore-retract`: retractions are left out.

use std::sync::Arc;

use arrow::array::ArrayRef;

use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Step, Steps};

/// A function that never sees a retraction.
///
/// Source: Paimon 1.4.2 `FieldIgnoreRetractAgg`.
#[derive(Debug)]
pub(super) struct IgnoreRetract(pub(super) Arc<dyn ColumnFunction>);

impl ColumnFunction for IgnoreRetract {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        let retracts = |step: &Step| matches!(step, Step::Retract | Step::RetractOlder);
        if !steps.keys().any(|(_, kinds)| kinds.iter().any(retracts)) {
            return self.0.fold(column, steps);
        }
        let mut kept = Steps::with_capacity(steps.len(), steps.len());
        for (rows, kinds) in steps.keys() {
            for (&row, &step) in rows.iter().zip(kinds) {
                if !retracts(&step) {
                    kept.push(row, step);
                }
            }
            kept.end_key();
        }
        self.0.fold(column, &kept)
    }
}
