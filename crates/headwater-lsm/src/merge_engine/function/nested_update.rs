//! `nested_update`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray};

use super::ids::value_ids;
use super::keyed::Keyed;
use super::lists::{Acc, Lists, Picks};
use super::target::Target;
use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Step, Steps};

/// The rows of all arrays, in one array; with a nested key the last row of each key.
///
/// Null rows are left out. A key's row stays in the place where its key came first. A retraction
/// removes all rows that are equal, or that have an equal key.
///
/// Format: `docs/spec/aggregate-functions.md#collections`. Source: Paimon 1.4.2 `FieldNestedUpdateAgg`.
/// Deviation: with a nested key the array has the order of a hash table in Java.
#[derive(Debug)]
pub(super) struct NestedUpdate {
    pub(super) target: Target,
    /// Positions of the key's fields; none if rows have no key.
    pub(super) key: Vec<usize>,
    /// An array with that many rows takes no other, and no input makes it larger.
    pub(super) count_limit: usize,
}

impl ColumnFunction for NestedUpdate {
    fn name(&self) -> &'static str {
        self.target.function
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        let lists = Lists::of_lists(&self.target, column)?;
        let structs = lists.structs(&self.target)?;
        let retracts = |step: &Step| matches!(step, Step::Retract | Step::RetractOlder);
        let ids = if !self.key.is_empty() {
            key_ids(&self.target, structs, &self.key)?
        } else if steps.keys().any(|(_, kinds)| kinds.iter().any(retracts)) {
            value_ids(&[Arc::clone(&lists.elements)])?
        } else {
            Vec::new()
        };
        let keyed = if self.key.is_empty() { &[] } else { ids.as_slice() };
        let mut updating = Updating {
            function: self,
            lists: &lists,
            structs,
            ids: &ids,
            acc: Acc::Null,
            rows: Vec::new(),
            map: Keyed::new(keyed),
        };
        let mut picks = Picks::with_capacity(steps.len());
        for (rows, kinds) in steps.keys() {
            updating.acc = Acc::Null;
            for (&row, &step) in rows.iter().zip(kinds) {
                updating.step(row, step);
            }
            match updating.acc {
                Acc::Null => picks.push_null(),
                Acc::Row(row) => picks.push(&self.target, lists.range(row))?,
                Acc::Built => picks.push(&self.target, updating.rows.iter().copied())?,
            }
        }
        picks.into_lists(&self.target, column)
    }
}

/// For each row a number that rows of the same key share.
pub(super) fn key_ids(
    target: &Target,
    rows: &StructArray,
    key: &[usize],
) -> Result<Vec<usize>, LsmError> {
    let mut columns = Vec::with_capacity(key.len());
    for &field in key {
        columns
            .push(Arc::clone(rows.columns().get(field).ok_or_else(|| target.wrong_array(rows))?));
    }
    value_ids(&columns)
}

struct Updating<'a> {
    function: &'a NestedUpdate,
    lists: &'a Lists<'a>,
    structs: &'a StructArray,
    /// By row: which key it has, or without keys which are equal.
    ids: &'a [usize],
    acc: Acc,
    /// The array that is built.
    rows: Vec<usize>,
    map: Keyed<'a>,
}

impl Updating<'_> {
    fn step(&mut self, row: usize, step: Step) {
        let input = if self.lists.is_valid(row) { Acc::Row(row) } else { Acc::Null };
        match (step, self.acc, input) {
            (Step::Replace, ..) | (Step::Add | Step::AddOlder, Acc::Null, _) => self.acc = input,
            (_, Acc::Null, _) | (_, _, Acc::Null) => {}
            (Step::Add, acc, input) => self.add(acc, input),
            (Step::AddOlder, acc, input) => self.add(input, acc),
            (Step::Retract | Step::RetractOlder, acc, _) => self.retract(acc, row),
        }
    }

    fn elements(&self, of: Acc) -> Vec<usize> {
        match of {
            Acc::Null => Vec::new(),
            Acc::Row(row) => self.lists.range(row).collect(),
            Acc::Built => self.rows.clone(),
        }
    }

    /// `agg(acc, input)`; both are there.
    fn add(&mut self, acc: Acc, input: Acc) {
        let mut rows = self.elements(acc);
        let room = self.function.count_limit.saturating_sub(rows.len());
        if room == 0 {
            self.acc = acc;
            return;
        }
        let structs = self.structs;
        rows.retain(|&row| structs.is_valid(row));
        let input = self.elements(input);
        rows.extend(input.into_iter().filter(|&row| structs.is_valid(row)).take(room));
        if !self.function.key.is_empty() {
            self.map.clear();
            rows.iter().for_each(|&row| self.map.put(row));
            rows.clear();
            rows.extend(self.map.elements());
        }
        self.rows = rows;
        self.acc = Acc::Built;
    }

    fn retract(&mut self, acc: Acc, retracted: usize) {
        let mut rows = self.elements(acc);
        let structs = self.structs;
        rows.retain(|&row| structs.is_valid(row));
        let retracted = self.lists.range(retracted).filter(|&row| structs.is_valid(row));
        if self.function.key.is_empty() {
            let mut retracted: Vec<_> = retracted.map(|row| self.ids[row]).collect();
            retracted.sort_unstable();
            rows.retain(|&row| retracted.binary_search(&self.ids[row]).is_err());
        } else {
            self.map.clear();
            rows.iter().for_each(|&row| self.map.put(row));
            retracted.for_each(|row| self.map.remove(row));
            rows.clear();
            rows.extend(self.map.elements());
        }
        self.rows = rows;
        self.acc = Acc::Built;
    }
}
