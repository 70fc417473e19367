//! What the records of a key do to a column, as an engine decides it, and the function that then
//! makes the column's value of it.
//!
//! An engine looks at row kinds and sequence fields once for all columns that share them; functions
//! go over one column of many keys without knowing why a record counts.

use std::fmt::Debug;

use arrow::array::ArrayRef;

use crate::error::LsmError;

/// What a record does to the value of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its value is added: Java's `FieldAggregator.agg(acc, input)`.
    Add,
    /// Its value is added as one that belongs before those so far: `aggReversed(acc, input)`.
    AddOlder,
    /// Its value is taken back: `retract(acc, input)`.
    Retract,
    /// Its value is taken back though newer ones are there. Functions that aggregate do as for
    /// [`Step::Retract`]; a column that only keeps the newest value stays as it is.
    RetractOlder,
    /// Its value, null or not, becomes the column's, whatever was there.
    Replace,
}

/// The steps of many keys for one column, or for several that see the same.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    rows: Vec<usize>,
    steps: Vec<Step>,
    ends: Vec<usize>,
}

impl Steps {
    /// No key yet, with room.
    #[must_use]
    pub fn with_capacity(keys: usize, steps: usize) -> Self {
        Self {
            rows: Vec::with_capacity(steps),
            steps: Vec::with_capacity(steps),
            ends: Vec::with_capacity(keys),
        }
    }

    /// Adds a step of the key that is open: what the record in this row of the column does.
    pub fn push(&mut self, row: usize, step: Step) {
        self.rows.push(row);
        self.steps.push(step);
    }

    /// Ends the open key; one without a step has a null.
    pub fn end_key(&mut self) {
        self.ends.push(self.steps.len());
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// For each key its rows and what each does, oldest arrival first.
    pub fn keys(&self) -> impl Iterator<Item = (&[usize], &[Step])> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| {
            (
                self.rows.get(start..end).unwrap_or_default(),
                self.steps.get(start..end).unwrap_or_default(),
            )
        })
    }
}

/// Makes one value of a column out of the values that the records of a key have; an aggregate
/// function of Paimon, or how a column keeps its newest value.
///
/// Values start as null at each key. Source: Paimon 1.4.2 `FieldAggregator`.
pub trait ColumnFunction: Debug + Send + Sync {
    /// The name in `fields.<column>.aggregate-function`, for messages.
    fn name(&self) -> &'static str;

    /// One value for each key of `steps`, of the column's type.
    ///
    /// # Errors
    /// When a value cannot be added or taken back (a function without retraction, division by
    /// zero), or an Arrow kernel fails.
    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError>;
}
