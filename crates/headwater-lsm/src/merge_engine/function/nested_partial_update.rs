//! `nested_partial_update`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, NullBufferBuilder, StructArray, UInt64Array};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::DataType as Arrow;

use super::FunctionError;
use super::lists::{Acc, Lists};
use super::nested_update::key_ids;
use super::target::Target;
use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Step, Steps};

/// The rows of all arrays, in one array with one row for each nested key; of each field the last
/// value that is not null.
///
/// Null rows are left out. Rows stay in the order in which their keys came.
///
/// Format: `docs/spec/aggregate-functions.md#collections`. Source: Paimon 1.4.2
/// `FieldNestedPartialUpdateAgg`. Deviation: the array has the order of a hash table in Java.
#[derive(Debug)]
pub(super) struct NestedPartialUpdate {
    pub(super) target: Target,
    /// Positions of the key's fields, at least one.
    pub(super) key: Vec<usize>,
}

impl ColumnFunction for NestedPartialUpdate {
    fn name(&self) -> &'static str {
        self.target.function
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        let lists = Lists::of_lists(&self.target, column)?;
        let structs = lists.structs(&self.target)?;
        let ids = key_ids(&self.target, structs, &self.key)?;
        let mut updating = Updating {
            lists: &lists,
            structs,
            ids: &ids,
            acc: Acc::Null,
            rows: Vec::new(),
            places: vec![(0, 0); ids.len()],
            round: 0,
        };
        let mut output = Output::new(structs.num_columns(), steps.len());
        for (rows, kinds) in steps.keys() {
            updating.acc = Acc::Null;
            for (&row, &step) in rows.iter().zip(kinds) {
                updating.step(&self.target, row, step)?;
            }
            output.push(&self.target, &updating)?;
        }
        output.into_lists(&self.target, column, structs)
    }
}

/// A row that is built.
struct Merged {
    /// The number of its key.
    id: usize,
    /// For each field the row that its value comes from.
    fields: Vec<Option<usize>>,
}

struct Updating<'a> {
    lists: &'a Lists<'a>,
    structs: &'a StructArray,
    ids: &'a [usize],
    acc: Acc,
    /// The array that is built.
    rows: Vec<Merged>,
    /// By key: in which round it came, and where its row is.
    places: Vec<(usize, usize)>,
    round: usize,
}

impl Updating<'_> {
    fn step(&mut self, target: &Target, row: usize, step: Step) -> Result<(), FunctionError> {
        let input = if self.lists.is_valid(row) { Acc::Row(row) } else { Acc::Null };
        match (step, self.acc, input) {
            (Step::Retract | Step::RetractOlder, ..) => return Err(target.no_retraction()),
            (Step::Replace, ..) | (_, Acc::Null, _) => self.acc = input,
            (_, _, Acc::Null) => {}
            (Step::Add, acc, _) => {
                if let Acc::Row(acc) = acc {
                    self.clear();
                    self.update_with(acc);
                }
                self.update_with(row);
                self.acc = Acc::Built;
            }
            (Step::AddOlder, acc, _) => {
                let newer = std::mem::take(&mut self.rows);
                self.clear();
                self.update_with(row);
                match acc {
                    Acc::Row(acc) => self.update_with(acc),
                    _ => newer.into_iter().for_each(|newer| self.update(newer)),
                }
                self.acc = Acc::Built;
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.round += 1;
    }

    /// Updates with the rows of an array.
    fn update_with(&mut self, row: usize) {
        for element in self.lists.range(row) {
            if self.structs.is_valid(element) {
                let fields = self.structs.columns().iter();
                let fields = fields.map(|f| f.is_valid(element).then_some(element)).collect();
                self.update(Merged { id: self.ids[element], fields });
            }
        }
    }

    /// Updates the row of the same key, or adds one.
    fn update(&mut self, row: Merged) {
        let (round, place) = self.places[row.id];
        if round != self.round {
            self.places[row.id] = (self.round, self.rows.len());
            self.rows.push(row);
            return;
        }
        for (old, new) in self.rows[place].fields.iter_mut().zip(row.fields) {
            *old = new.or(*old);
        }
    }
}

/// The arrays to be.
struct Output {
    /// By field: for each row the one that its value comes from.
    fields: Vec<(Vec<u64>, NullBufferBuilder)>,
    row_nulls: NullBufferBuilder,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Output {
    fn new(fields: usize, keys: usize) -> Self {
        let field = |_| (Vec::with_capacity(keys), NullBufferBuilder::new(keys));
        Self {
            fields: (0..fields).map(field).collect(),
            row_nulls: NullBufferBuilder::new(keys),
            offsets: vec![0],
            nulls: NullBufferBuilder::new(keys),
        }
    }

    /// Adds the array of a key.
    fn push(&mut self, target: &Target, key: &Updating<'_>) -> Result<(), FunctionError> {
        match key.acc {
            Acc::Null => {}
            Acc::Row(row) => {
                for element in key.lists.range(row) {
                    self.push_row(key.structs.is_valid(element), |_| Some(element));
                }
            }
            Acc::Built => {
                for row in &key.rows {
                    self.push_row(true, |field| row.fields.get(field).copied().flatten());
                }
            }
        }
        self.nulls.append(key.acc != Acc::Null);
        let end = i32::try_from(self.row_nulls.len()).map_err(|_| target.too_large("rows"))?;
        self.offsets.push(end);
        Ok(())
    }

    fn push_row(&mut self, valid: bool, element: impl Fn(usize) -> Option<usize>) {
        self.row_nulls.append(valid);
        for (field, (elements, nulls)) in self.fields.iter_mut().enumerate() {
            let element = element(field);
            nulls.append(element.is_some());
            elements.push(element.unwrap_or_default() as u64);
        }
    }

    fn into_lists(
        mut self,
        target: &Target,
        like: &ArrayRef,
        structs: &StructArray,
    ) -> Result<ArrayRef, LsmError> {
        let Arrow::List(field) = like.data_type() else {
            return Err(target.wrong_array(like).into());
        };
        let mut columns = Vec::with_capacity(self.fields.len());
        for (column, (elements, mut nulls)) in structs.columns().iter().zip(self.fields) {
            let elements = UInt64Array::try_new(elements.into(), nulls.finish())?;
            columns.push(take(column, &elements, None)?);
        }
        let row_nulls = self.row_nulls.finish();
        let rows = StructArray::try_new(structs.fields().clone(), columns, row_nulls)?;
        let rows = Arc::new(rows);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let nulls = self.nulls.finish();
        Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, rows, nulls)?))
    }
}
