//! Functions over bytes that stand for sets: sketches and bitmaps. All make the union.

mod art;
mod container;
mod cursor;
mod hll;
mod roaring32;
mod roaring64;
mod theta;

#[cfg(test)]
mod tests;

use arrow::array::{Array, ArrayRef, BinaryArray};

use super::bytes::Bytes;
use super::lists::Acc;
use super::target::Target;
use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Step, Steps};

pub(super) use hll::union as hll;
pub(super) use roaring32::union as roaring32;
pub(super) use roaring64::union as roaring64;
pub(super) use theta::union as theta;

/// Makes the union of two sets; the error says what is wrong with the bytes.
pub(super) type Union = fn(&[u8], &[u8]) -> Result<Vec<u8>, String>;

/// The union of the sets; nulls do not count.
///
/// Bytes are looked at only when two values meet.
///
/// Format: `docs/spec/aggregate-functions.md#functions`. Source: Paimon 1.4.2 `FieldHllSketchAgg`,
/// `FieldThetaSketchAgg`, `FieldRoaringBitmap32Agg`, `FieldRoaringBitmap64Agg`.
#[derive(Debug)]
pub(super) struct Unions {
    pub(super) target: Target,
    /// What the bytes are, for messages.
    pub(super) what: &'static str,
    pub(super) union: Union,
}

impl ColumnFunction for Unions {
    fn name(&self) -> &'static str {
        self.target.function
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        let sets = self.target.downcast::<BinaryArray>(column)?;
        let mut output = Bytes::with_capacity(steps.len());
        let mut built = Vec::new();
        for (rows, kinds) in steps.keys() {
            let mut acc = Acc::Null;
            for (&row, &step) in rows.iter().zip(kinds) {
                let input = if sets.is_valid(row) { Acc::Row(row) } else { Acc::Null };
                acc = match (step, acc, input) {
                    (Step::Retract | Step::RetractOlder, ..) => {
                        return Err(self.target.no_retraction().into());
                    }
                    (Step::Replace, ..) | (_, Acc::Null, _) => input,
                    (_, acc, Acc::Null) => acc,
                    (step, acc, _) => {
                        let older = match acc {
                            Acc::Row(row) => sets.value(row),
                            _ => built.as_slice(),
                        };
                        let input = sets.value(row);
                        let union = match step {
                            Step::AddOlder => (self.union)(input, older),
                            _ => (self.union)(older, input),
                        };
                        built = union.map_err(|reason| self.target.corrupt(self.what, reason))?;
                        Acc::Built
                    }
                };
            }
            let set = match acc {
                Acc::Null => None,
                Acc::Row(row) => Some(sets.value(row)),
                Acc::Built => Some(built.as_slice()),
            };
            output.push(&self.target, set)?;
        }
        output.into_binaries()
    }
}
