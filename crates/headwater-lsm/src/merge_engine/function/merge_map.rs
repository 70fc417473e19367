//! `merge_map` and `merge_map_with_keytime`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, StructArray};

use super::FunctionError;
use super::ids::value_ids;
use super::keyed::Keyed;
use super::lists::{Acc, Lists, Picks};
use super::target::Target;
use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Step, Steps};

/// The entries of all maps, in one map; of equal keys the last value, or that of the latest time.
///
/// Entries stay in the order in which their keys came.
///
/// Format: `docs/spec/aggregate-functions.md#collections`. Source: Paimon 1.4.2 `FieldMergeMapAgg`,
/// `FieldMergeMapWithKeyTimeAgg`. Deviation: Java takes equal BINARY keys for different.
#[derive(Debug)]
pub(super) struct MergeMap {
    pub(super) target: Target,
    /// Position of the field of a value that says how new it is, for
    /// `merge_map_with_keytime`.
    pub(super) time: Option<usize>,
}

impl ColumnFunction for MergeMap {
    fn name(&self) -> &'static str {
        self.target.function
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        let lists = Lists::of_maps(&self.target, column)?;
        let entries = lists.structs(&self.target)?;
        let [keys, values] = entries.columns() else {
            return Err(self.target.wrong_array(column).into());
        };
        let times = match self.time {
            Some(time) => Some(Times::of(&self.target, values, time)?),
            None => None,
        };
        let ids = value_ids(&[Arc::clone(keys)])?;
        let mut merging = Merging {
            target: &self.target,
            times,
            map: Keyed::new(&ids),
            acc: Acc::Null,
            other: Vec::new(),
        };
        let mut picks = Picks::with_capacity(steps.len());
        for (rows, kinds) in steps.keys() {
            merging.acc = Acc::Null;
            for (&row, &step) in rows.iter().zip(kinds) {
                merging.step(&lists, row, step)?;
            }
            match merging.acc {
                Acc::Null => picks.push_null(),
                Acc::Row(row) => picks.push(&self.target, lists.range(row))?,
                Acc::Built => picks.push(&self.target, merging.map.elements())?,
            }
        }
        picks.into_maps(&self.target, column)
    }
}

/// How new the values of a map are.
struct Times<'a> {
    values: &'a StructArray,
    texts: &'a StringArray,
}

impl<'a> Times<'a> {
    fn of(target: &Target, values: &'a ArrayRef, time: usize) -> Result<Self, FunctionError> {
        let values = target.downcast::<StructArray>(values)?;
        let texts = values.columns().get(time).ok_or_else(|| target.wrong_array(values))?;
        Ok(Self { values, texts: target.downcast(texts)? })
    }

    /// The time of a value; none if there is none.
    fn time(&self, entry: usize) -> Option<&'a str> {
        let there = self.values.is_valid(entry) && self.texts.is_valid(entry);
        there.then(|| self.texts.value(entry))
    }
}

struct Merging<'a> {
    target: &'a Target,
    times: Option<Times<'a>>,
    /// The map that is built.
    map: Keyed<'a>,
    acc: Acc,
    other: Vec<usize>,
}

impl Merging<'_> {
    fn step(&mut self, lists: &Lists<'_>, row: usize, step: Step) -> Result<(), FunctionError> {
        let input = if lists.is_valid(row) { Acc::Row(row) } else { Acc::Null };
        match (step, self.acc, input) {
            (Step::Replace, _, _) | (Step::Add | Step::AddOlder, Acc::Null, _) => self.acc = input,
            (Step::Retract | Step::RetractOlder, ..) => self.retract(lists, row)?,
            (_, _, Acc::Null) => {}
            (Step::Add, acc, _) => {
                self.build(lists, acc);
                lists.range(row).for_each(|entry| self.put(entry));
            }
            (Step::AddOlder, acc, _) => {
                self.other.clear();
                match acc {
                    Acc::Row(row) => self.other.extend(lists.range(row)),
                    _ => self.other.extend(self.map.elements()),
                }
                self.build(lists, input);
                for entry in std::mem::take(&mut self.other) {
                    self.put(entry);
                }
            }
        }
        Ok(())
    }

    /// Makes a map of its own of the value so far.
    fn build(&mut self, lists: &Lists<'_>, acc: Acc) {
        if let Acc::Row(row) = acc {
            self.map.clear();
            lists.range(row).for_each(|entry| self.map.put(entry));
        }
        self.acc = Acc::Built;
    }

    /// Puts an entry that comes, if it is new enough.
    fn put(&mut self, entry: usize) {
        let Some(times) = &self.times else { return self.map.put(entry) };
        if times.values.is_null(entry) {
            return self.map.remove(entry);
        }
        let Some(time) = times.time(entry) else { return };
        let old = self.map.get(entry).and_then(|old| times.time(old));
        // Java compares UTF-16 units.
        if old.is_none_or(|old| time.encode_utf16().gt(old.encode_utf16())) {
            self.map.put(entry);
        }
    }

    fn retract(&mut self, lists: &Lists<'_>, row: usize) -> Result<(), FunctionError> {
        if self.times.is_some() {
            return Err(self.target.no_retraction());
        }
        let retracted = lists.range(row);
        if self.acc == Acc::Null || retracted.is_empty() {
            return Ok(());
        }
        self.build(lists, self.acc);
        retracted.for_each(|entry| self.map.remove(entry));
        Ok(())
    }
}
