//! `collect`.

use std::cell::OnceCell;
use std::sync::Arc;

use arrow::array::ArrayRef;

use super::ids::value_ids;
use super::lists::{Acc, Lists, Picks};
use super::target::Target;
use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Step, Steps};

/// The elements of all arrays, in one array; a retraction removes one of each that it has.
///
/// With `distinct` an element that is there already is left out. Elements stay in the order in
/// which they came.
///
/// Format: `docs/spec/aggregate-functions.md#collections`. Source: Paimon 1.4.2 `FieldCollectAgg`.
/// Deviation: Java takes equal BINARY elements for different, and a distinct array has the order
/// of a hash table there.
#[derive(Debug)]
pub(super) struct Collect {
    pub(super) target: Target,
    pub(super) distinct: bool,
    /// Whether the elements are nested values; then `distinct` does not look at those that are
    /// there, only at those that come.
    pub(super) nested: bool,
    /// Whether an older array comes first. Java appends it, but for a function that ignores
    /// retractions.
    pub(super) older_first: bool,
}

impl ColumnFunction for Collect {
    fn name(&self) -> &'static str {
        self.target.function
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        let lists = Lists::of_lists(&self.target, column)?;
        let mut collecting = Collecting {
            function: self,
            lists,
            ids: OnceCell::new(),
            acc: Acc::Null,
            built: Vec::new(),
            marks: Vec::new(),
            round: 0,
        };
        let mut picks = Picks::with_capacity(steps.len());
        for (rows, kinds) in steps.keys() {
            collecting.acc = Acc::Null;
            for (&row, &step) in rows.iter().zip(kinds) {
                collecting.step(row, step)?;
            }
            match collecting.acc {
                Acc::Null => picks.push_null(),
                Acc::Row(row) => picks.push(&self.target, collecting.lists.range(row))?,
                Acc::Built => picks.push(&self.target, collecting.built.iter().copied())?,
            }
        }
        picks.into_lists(&self.target, column)
    }
}

struct Collecting<'a> {
    function: &'a Collect,
    lists: Lists<'a>,
    /// Which elements are equal; only made if someone asks.
    ids: OnceCell<Vec<usize>>,
    acc: Acc,
    built: Vec<usize>,
    /// By number of a value: the round in which it was seen last, and how often.
    marks: Vec<(usize, usize)>,
    round: usize,
}

impl Collecting<'_> {
    fn step(&mut self, row: usize, step: Step) -> Result<(), LsmError> {
        let valid = self.lists.is_valid(row);
        let input = if valid { Acc::Row(row) } else { Acc::Null };
        match step {
            Step::Replace => self.acc = input,
            Step::AddOlder if self.function.older_first => self.add(input, self.acc)?,
            Step::Add | Step::AddOlder => self.add(self.acc, input)?,
            Step::Retract | Step::RetractOlder => self.retract(row)?,
        }
        Ok(())
    }

    fn elements(&self, of: Acc) -> Vec<usize> {
        match of {
            Acc::Null => Vec::new(),
            Acc::Row(row) => self.lists.range(row).collect(),
            Acc::Built => self.built.clone(),
        }
    }

    fn add(&mut self, acc: Acc, input: Acc) -> Result<(), LsmError> {
        let distinct = self.function.distinct;
        match (acc, input) {
            (Acc::Null, Acc::Null) => {
                self.acc = Acc::Null;
                return Ok(());
            }
            (one, Acc::Null) | (Acc::Null, one) if !distinct => {
                self.acc = one;
                return Ok(());
            }
            (Acc::Built, _) => {}
            (Acc::Row(_) | Acc::Null, Acc::Built) => {
                let (first, rest) = (self.elements(acc), std::mem::take(&mut self.built));
                return self.append(first, rest);
            }
            (acc, _) => self.built = self.elements(acc),
        }
        let first = std::mem::take(&mut self.built);
        let rest = match input {
            Acc::Row(row) => self.lists.range(row),
            _ => 0..0,
        };
        self.append(first, rest)
    }

    fn append(
        &mut self,
        mut first: Vec<usize>,
        rest: impl IntoIterator<Item = usize>,
    ) -> Result<(), LsmError> {
        if self.function.distinct {
            self.next_round()?;
            if self.function.nested {
                first.iter().for_each(|&element| _ = self.is_new(element));
            } else {
                first.retain(|&element| self.is_new(element));
            }
            first.extend(rest.into_iter().filter(|&element| self.is_new(element)));
        } else {
            first.extend(rest);
        }
        self.built = first;
        self.acc = Acc::Built;
        Ok(())
    }

    fn retract(&mut self, row: usize) -> Result<(), LsmError> {
        let retracted = self.lists.range(row);
        if self.acc == Acc::Null || retracted.is_empty() {
            return Ok(());
        }
        self.next_round()?;
        for element in retracted {
            self.mark(element).1 += 1;
        }
        let mut elements = self.elements(self.acc);
        elements.retain(|&element| {
            let (_, left) = self.mark(element);
            let stays = *left == 0;
            *left -= usize::from(!stays);
            stays
        });
        self.built = elements;
        self.acc = Acc::Built;
        Ok(())
    }

    fn next_round(&mut self) -> Result<(), LsmError> {
        if self.ids.get().is_none() {
            let ids = value_ids(&[Arc::clone(&self.lists.elements)])?;
            self.marks = vec![(0, 0); ids.len()];
            _ = self.ids.set(ids);
        }
        self.round += 1;
        Ok(())
    }

    /// The mark of the element's value in this round.
    fn mark(&mut self, element: usize) -> &mut (usize, usize) {
        let id = self.ids.get().map_or(0, |ids| ids[element]);
        let mark = &mut self.marks[id];
        if mark.0 != self.round {
            *mark = (self.round, 0);
        }
        mark
    }

    /// Whether no element of this value was seen in this round.
    fn is_new(&mut self, element: usize) -> bool {
        let (_, seen) = self.mark(element);
        *seen += 1;
        *seen == 1
    }
}
