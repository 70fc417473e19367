//! INT96 timestamps: the levels of a nested leaf, and a column chunk of them.
//!
//! The Arrow writer has no INT96, so leaves of this type are written with the low-level column
//! writer. Format: `docs/spec/datafile.md#int96`. Source: Paimon 1.4.2 `ParquetRowDataWriter`.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType as Arrow, Field, FieldRef, TimestampNanosecondType};
use bytes::Bytes;
use parquet::column::page::{CompressedPage, PageWriteSpec, PageWriter};
use parquet::column::writer::{ColumnCloseResult, ColumnWriterImpl};
use parquet::data_type::{Int96, Int96Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

const NANOS_PER_DAY: i64 = 86_400_000_000_000;
/// Julian day number of 1970-01-01.
const EPOCH_JULIAN_DAY: i64 = 2_440_588;

/// INT96 of an instant in nanoseconds: nanoseconds of the day, then the Julian day, little endian.
pub(super) fn int96_of(nanos: i64) -> Int96 {
    let of_day = nanos.rem_euclid(NANOS_PER_DAY).cast_unsigned();
    // An i64 of nanoseconds spans 106,752 days to either side.
    let day = u32::try_from(nanos.div_euclid(NANOS_PER_DAY) + EPOCH_JULIAN_DAY).unwrap_or(0);
    let low = u32::try_from(of_day & u64::from(u32::MAX)).unwrap_or(0);
    let high = u32::try_from(of_day >> 32).unwrap_or(0);
    let mut value = Int96::new();
    value.set_data(low, high, day);
    value
}

/// Nanoseconds of an INT96; nanoseconds of the day may be negative. `None` outside of an `i64`.
pub(super) fn nanos_of(value: &Int96) -> Option<i64> {
    let [low, high, day] = value.data() else { return None };
    let of_day = ((u64::from(*high) << 32) | u64::from(*low)).cast_signed();
    let days = i128::from(day.cast_signed()) - i128::from(EPOCH_JULIAN_DAY);
    i64::try_from(days * i128::from(NANOS_PER_DAY) + i128::from(of_day)).ok()
}

/// One step from a column to a leaf inside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Field of a row.
    Field(usize),
    /// Element of a list.
    Element,
    /// 0: key, 1: value of a map.
    Entry(usize),
}

/// All leaves of a column in file order: the steps to each, and whether it is INT96.
pub(super) fn leaves(field: &Field) -> Vec<(Vec<Step>, bool)> {
    let mut found = Vec::new();
    collect_leaves(field.data_type(), &mut Vec::new(), &mut found);
    found
}

fn collect_leaves(t: &Arrow, steps: &mut Vec<Step>, found: &mut Vec<(Vec<Step>, bool)>) {
    let mut descend = |step: Step, field: &FieldRef, found: &mut _| {
        steps.push(step);
        collect_leaves(field.data_type(), steps, found);
        steps.pop();
    };
    match t {
        Arrow::Struct(fields) => {
            for (i, field) in fields.iter().enumerate() {
                descend(Step::Field(i), field, found);
            }
        }
        Arrow::List(element) => descend(Step::Element, element, found),
        Arrow::Map(entries, _) => {
            if let Arrow::Struct(fields) = entries.data_type() {
                for (i, field) in fields.iter().enumerate() {
                    descend(Step::Entry(i), field, found);
                }
            }
        }
        other => {
            let int96 =
                matches!(other, Arrow::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, _));
            found.push((steps.clone(), int96));
        }
    }
}

/// What a leaf column stores for some rows.
#[derive(Debug)]
pub(super) struct Levels {
    pub(super) definition: Vec<i16>,
    pub(super) repetition: Vec<i16>,
    pub(super) values: Vec<Int96>,
}

/// A slot that may still hold a value: its levels and its place in the current array.
struct Slot {
    definition: i16,
    repetition: i16,
    index: Option<usize>,
}

/// Levels and values of the leaf that `steps` lead to.
///
/// Returns `None` when the arrays do not have the shape that the steps describe.
pub(super) fn levels(field: &Field, column: &ArrayRef, steps: &[Step]) -> Option<Levels> {
    let mut slots: Vec<Slot> =
        (0..column.len()).map(|i| Slot { definition: 0, repetition: 0, index: Some(i) }).collect();
    let mut array = Arc::clone(column);
    let mut nullable = field.is_nullable();
    let mut depth = 0;
    for step in steps {
        define(&mut slots, &array, nullable);
        let (next, next_nullable) = match step {
            Step::Field(i) => {
                let (fields, rows) = (struct_fields(&array)?, array.as_struct_opt()?);
                (Arc::clone(rows.columns().get(*i)?), fields.get(*i)?.is_nullable())
            }
            Step::Element => {
                depth += 1;
                let list = array.as_list_opt::<i32>()?;
                slots = repeat(slots, list.value_offsets(), depth)?;
                let Arrow::List(element) = list.data_type() else { return None };
                (Arc::clone(list.values()), element.is_nullable())
            }
            Step::Entry(i) => {
                depth += 1;
                let map = array.as_map_opt()?;
                slots = repeat(slots, map.value_offsets(), depth)?;
                let field = map.entries().fields().get(*i)?.is_nullable();
                (Arc::clone(map.entries().columns().get(*i)?), field)
            }
        };
        array = next;
        nullable = next_nullable;
    }
    define(&mut slots, &array, nullable);
    let leaf: &TimestampNanosecondArray = array.as_primitive_opt::<TimestampNanosecondType>()?;
    Some(Levels {
        definition: slots.iter().map(|s| s.definition).collect(),
        repetition: slots.iter().map(|s| s.repetition).collect(),
        values: slots.iter().filter_map(|s| s.index).map(|i| int96_of(leaf.value(i))).collect(),
    })
}

fn struct_fields(array: &ArrayRef) -> Option<&arrow::datatypes::Fields> {
    match array.data_type() {
        Arrow::Struct(fields) => Some(fields),
        _ => None,
    }
}

/// Ends the slots that are null here; a value adds a level where null is possible.
fn define(slots: &mut [Slot], array: &ArrayRef, nullable: bool) {
    if !nullable {
        return;
    }
    for slot in slots {
        if let Some(i) = slot.index {
            if array.is_null(i) {
                slot.index = None;
            } else {
                slot.definition += 1;
            }
        }
    }
}

/// Replaces each slot by one per item of its collection; an empty collection ends it.
fn repeat(slots: Vec<Slot>, offsets: &[i32], depth: i16) -> Option<Vec<Slot>> {
    let mut out = Vec::with_capacity(slots.len());
    for slot in slots {
        let Some(i) = slot.index else {
            out.push(slot);
            continue;
        };
        let start = usize::try_from(*offsets.get(i)?).ok()?;
        let end = usize::try_from(*offsets.get(i + 1)?).ok()?;
        if start >= end {
            out.push(Slot { index: None, ..slot });
            continue;
        }
        let definition = slot.definition + 1;
        for item in start..end {
            let repetition = if item == start { slot.repetition } else { depth };
            out.push(Slot { definition, repetition, index: Some(item) });
        }
    }
    Some(out)
}

type Sink = Arc<Mutex<TrackedWrite<Vec<u8>>>>;

/// Collects the pages of one column chunk in memory.
struct ChunkPages(Sink);

impl PageWriter for ChunkPages {
    fn write_page(&mut self, page: CompressedPage) -> ParquetResult<PageWriteSpec> {
        let mut sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        SerializedPageWriter::new(&mut sink).write_page(page)
    }

    fn close(&mut self) -> ParquetResult<()> {
        Ok(())
    }
}

/// Writes one INT96 column chunk.
pub(super) struct Int96Writer {
    writer: ColumnWriterImpl<'static, Int96Type>,
    sink: Sink,
    has_definition: bool,
    has_repetition: bool,
    pending: usize,
}

impl Int96Writer {
    pub(super) fn new(column: &ColumnDescPtr, properties: &WriterPropertiesPtr) -> Self {
        let sink = Arc::new(Mutex::new(TrackedWrite::new(Vec::new())));
        let pages = Box::new(ChunkPages(Arc::clone(&sink)));
        Self {
            writer: ColumnWriterImpl::new(Arc::clone(column), Arc::clone(properties), pages),
            sink,
            has_definition: column.max_def_level() > 0,
            has_repetition: column.max_rep_level() > 0,
            pending: 0,
        }
    }

    pub(super) fn write(&mut self, levels: &Levels) -> ParquetResult<()> {
        let definition = self.has_definition.then_some(levels.definition.as_slice());
        let repetition = self.has_repetition.then_some(levels.repetition.as_slice());
        self.writer.write_batch(&levels.values, definition, repetition)?;
        // Dictionary-encoded or plain, a value waits in some form until its page is full.
        self.pending += levels.values.len() * size_of::<Int96>();
        Ok(())
    }

    /// Upper estimate of the bytes held.
    pub(super) fn memory(&self) -> usize {
        self.pending
    }

    /// The chunk's bytes, and what the row group needs to know of it.
    pub(super) fn close(self) -> ParquetResult<(Bytes, ColumnCloseResult)> {
        let closed = self.writer.close()?;
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        sink.flush()?;
        let bytes = std::mem::take(sink.inner_mut());
        Ok((Bytes::from(bytes), closed))
    }
}

#[cfg(test)]
mod tests {
    use super::{int96_of, nanos_of};
    use parquet::data_type::Int96;
    use proptest::prelude::*;

    proptest! {
        /// Every instant comes back, and its nanoseconds of the day are never negative.
        #[test]
        fn instants_come_back(nanos in any::<i64>()) {
            let value = int96_of(nanos);
            prop_assert_eq!(nanos_of(&value), Some(nanos));
            prop_assert_eq!(nanos, value.to_nanos());
            prop_assert!(value.data()[1] < 1 << 31);
        }
    }

    #[test]
    fn instants_beyond_64_bits_are_none() {
        let mut value = Int96::new();
        value.set_data(0, 0, u32::MAX);
        assert_eq!(nanos_of(&value), None);
        value.set_data(u32::MAX, u32::MAX, 2_440_588);
        assert_eq!(nanos_of(&value), Some(-1));
    }
}
