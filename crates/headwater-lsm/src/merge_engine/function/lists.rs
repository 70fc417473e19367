//! Columns of lists and maps as ranges of elements, and columns made of picked elements.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ListArray, MapArray, NullBufferBuilder, StructArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::take;

use super::FunctionError;
use super::target::Target;
use crate::error::LsmError;

/// A column whose values are ranges of `elements`.
pub(super) struct Lists<'a> {
    offsets: &'a [i32],
    nulls: Option<&'a NullBuffer>,
    /// Elements of all rows and, if the column is a slice, of others.
    pub(super) elements: ArrayRef,
}

impl<'a> Lists<'a> {
    /// Of a column of lists.
    pub(super) fn of_lists(target: &Target, column: &'a ArrayRef) -> Result<Self, FunctionError> {
        let list = target.downcast::<ListArray>(column)?;
        let elements = Arc::clone(list.values());
        Ok(Self { offsets: list.value_offsets(), nulls: list.nulls(), elements })
    }

    /// Of a column of maps: elements are the pairs of key and value.
    pub(super) fn of_maps(target: &Target, column: &'a ArrayRef) -> Result<Self, FunctionError> {
        let map = target.downcast::<MapArray>(column)?;
        let elements: ArrayRef = Arc::new(map.entries().clone());
        Ok(Self { offsets: map.value_offsets(), nulls: map.nulls(), elements })
    }

    /// The elements as rows of fields.
    pub(super) fn structs(&self, target: &Target) -> Result<&StructArray, FunctionError> {
        target.downcast::<StructArray>(&self.elements)
    }

    /// Whether the row is not null.
    pub(super) fn is_valid(&self, row: usize) -> bool {
        self.nulls.is_none_or(|nulls| nulls.is_valid(row))
    }

    /// The elements of a row; none if it is null.
    pub(super) fn range(&self, row: usize) -> Range<usize> {
        if !self.is_valid(row) {
            return 0..0;
        }
        let offset = |row: usize| usize::try_from(self.offsets[row]).unwrap_or_default();
        offset(row)..offset(row + 1)
    }
}

/// The value of a key while its records are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acc {
    Null,
    /// That of a row of the column as it is.
    Row(usize),
    /// The one that the function is building.
    Built,
}

/// Lists to be: which elements each has.
pub(super) struct Picks {
    elements: Vec<u64>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Picks {
    /// Without a list, with room.
    pub(super) fn with_capacity(lists: usize) -> Self {
        let mut offsets = Vec::with_capacity(lists + 1);
        offsets.push(0);
        Self { elements: Vec::new(), offsets, nulls: NullBufferBuilder::new(lists) }
    }

    /// Adds a null.
    pub(super) fn push_null(&mut self) {
        self.offsets.push(self.offsets.last().copied().unwrap_or_default());
        self.nulls.append_null();
    }

    /// Adds a list of these elements.
    ///
    /// # Errors
    /// When the lists have more elements together than a column can.
    pub(super) fn push(
        &mut self,
        target: &Target,
        elements: impl IntoIterator<Item = usize>,
    ) -> Result<(), FunctionError> {
        self.elements.extend(elements.into_iter().map(|element| element as u64));
        let end = i32::try_from(self.elements.len()).map_err(|_| target.too_large("elements"))?;
        self.offsets.push(end);
        self.nulls.append_non_null();
        Ok(())
    }

    /// The column of lists, of the type of `like`.
    pub(super) fn into_lists(
        mut self,
        target: &Target,
        like: &ArrayRef,
    ) -> Result<ArrayRef, LsmError> {
        let list = target.downcast::<ListArray>(like)?;
        let arrow::datatypes::DataType::List(field) = like.data_type() else {
            return Err(target.wrong_array(like).into());
        };
        let values = take(list.values(), &UInt64Array::from(self.elements), None)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, self.nulls.finish())?))
    }

    /// The column of maps, of the type of `like`.
    pub(super) fn into_maps(
        mut self,
        target: &Target,
        like: &ArrayRef,
    ) -> Result<ArrayRef, LsmError> {
        let map = target.downcast::<MapArray>(like)?;
        let arrow::datatypes::DataType::Map(field, sorted) = like.data_type() else {
            return Err(target.wrong_array(like).into());
        };
        let indices = UInt64Array::from(self.elements);
        let columns = map.entries().columns().iter();
        let columns =
            columns.map(|column| take(column, &indices, None)).collect::<Result<_, _>>()?;
        let entries = StructArray::try_new(map.entries().fields().clone(), columns, None)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let nulls = self.nulls.finish();
        Ok(Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, *sorted)?))
    }
}
