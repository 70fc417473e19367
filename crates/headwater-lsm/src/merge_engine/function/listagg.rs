//! `listagg`.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, StringArray};

use super::bytes::Bytes;
use super::lists::Acc;
use super::target::Target;
use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Step, Steps};

/// All texts, in one text, with a delimiter between them; empty ones do not count.
///
/// With `distinct` a text is taken apart at the delimiter, and the parts that are there already
/// are left out. The first text stays as it is.
///
/// Format: `docs/spec/aggregate-functions.md#texts`. Source: Paimon 1.4.2 `FieldListaggAgg`,
/// `BinaryStringUtils#splitByWholeSeparatorPreserveAllTokens`.
#[derive(Debug)]
pub(super) struct ListAgg {
    pub(super) target: Target,
    pub(super) delimiter: String,
    pub(super) distinct: bool,
}

impl ColumnFunction for ListAgg {
    fn name(&self) -> &'static str {
        self.target.function
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        let texts = self.target.downcast::<StringArray>(column)?;
        let mut output = Bytes::with_capacity(steps.len());
        let mut built = String::new();
        for (rows, kinds) in steps.keys() {
            let mut acc = Acc::Null;
            for (&row, &step) in rows.iter().zip(kinds) {
                let input = if texts.is_valid(row) { Acc::Row(row) } else { Acc::Null };
                acc = match (step, acc, input) {
                    (Step::Retract | Step::RetractOlder, ..) => {
                        return Err(self.target.no_retraction().into());
                    }
                    (Step::Replace, ..) | (_, Acc::Null, _) => input,
                    (_, acc, Acc::Null) => acc,
                    (Step::Add, acc, _) => {
                        if let Acc::Row(acc) = acc {
                            texts.value(acc).clone_into(&mut built);
                        }
                        self.append(&mut built, texts.value(row));
                        Acc::Built
                    }
                    (Step::AddOlder, acc, _) => {
                        let newer = match acc {
                            Acc::Row(acc) => texts.value(acc).to_owned(),
                            _ => std::mem::take(&mut built),
                        };
                        texts.value(row).clone_into(&mut built);
                        self.append(&mut built, &newer);
                        Acc::Built
                    }
                };
            }
            let text = match acc {
                Acc::Null => None,
                Acc::Row(row) => Some(texts.value(row)),
                Acc::Built => Some(built.as_str()),
            };
            output.push(&self.target, text.map(str::as_bytes))?;
        }
        output.into_strings()
    }
}

impl ListAgg {
    fn append(&self, acc: &mut String, input: &str) {
        if input.is_empty() {
            return;
        }
        if acc.is_empty() {
            acc.push_str(input);
        } else if self.distinct {
            let separator = if self.delimiter.is_empty() { " " } else { &self.delimiter };
            let older = acc.clone();
            let mut known: HashSet<_> = older.split(separator).collect();
            for part in input.split(separator) {
                if !part.is_empty() && known.insert(part) {
                    acc.push_str(&self.delimiter);
                    acc.push_str(part);
                }
            }
        } else {
            acc.push_str(&self.delimiter);
            acc.push_str(input);
        }
    }
}
