//! The records of many keys as an engine sees them, without their values being copied together.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int8Array, Int64Array, UInt64Array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{interleave, take};
use arrow::datatypes::{Int8Type, Int64Type, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::error::LsmError;
use crate::key_value::{KeyValueBatch, Keys, gather_array, is_retract};

/// Records in ascending key order, those of one key next to each other, oldest first.
///
/// Keys, sequence numbers and kinds are there; values still lie in the batches that they came in,
/// and an engine takes from those only what it needs.
#[derive(Debug)]
pub struct Groups {
    keys: Keys,
    sequence: Int64Array,
    kinds: Int8Array,
    sources: Vec<RecordBatch>,
    /// Source and row of each record.
    places: Vec<(usize, usize)>,
    ends: Vec<usize>,
    retracts: bool,
}

/// No record: the value is null.
pub(super) const NONE: usize = usize::MAX;

impl Groups {
    /// `places`: for each record its source and row there. `ends`: where each group ends,
    /// ascending; the last is the number of records.
    pub(crate) fn new(
        (keys, sequence, kinds): (Keys, Int64Array, Int8Array),
        sources: Vec<RecordBatch>,
        places: Vec<(usize, usize)>,
        ends: Vec<usize>,
    ) -> Self {
        let retracts = kinds.values().iter().any(|&kind| is_retract(kind));
        Self { keys, sequence, kinds, sources, places, ends, retracts }
    }

    /// Number of groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of records of all groups.
    #[must_use]
    pub fn records(&self) -> usize {
        self.places.len()
    }

    /// The keys of all records.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The sequence numbers of all records.
    #[must_use]
    pub const fn sequence(&self) -> &Int64Array {
        &self.sequence
    }

    /// The kinds of all records.
    #[must_use]
    pub const fn kinds(&self) -> &Int8Array {
        &self.kinds
    }

    /// Whether any record is a `-U` or `-D`.
    #[must_use]
    pub const fn has_retracts(&self) -> bool {
        self.retracts
    }

    /// Whether every group has one record.
    #[must_use]
    pub fn all_single(&self) -> bool {
        self.ends.len() == self.places.len()
    }

    /// For each group its records, oldest first; none is empty.
    pub fn rows(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| start..end)
    }

    /// The columns of the values.
    #[must_use]
    pub fn schema(&self) -> Option<SchemaRef> {
        self.sources.first().map(RecordBatch::schema)
    }

    /// The values of all records in a column.
    ///
    /// # Errors
    /// When an Arrow kernel fails.
    pub fn column(&self, column: usize) -> Result<ArrayRef, LsmError> {
        gather_array(&self.arrays(column), &self.places)
    }

    /// The given records as they are.
    ///
    /// # Errors
    /// When an Arrow kernel fails.
    pub fn take(&self, records: &[usize]) -> Result<KeyValueBatch, LsmError> {
        let places = self.places(records);
        let columns = self.schema().map_or(0, |schema| schema.fields().len());
        let values =
            (0..columns).map(|c| self.picked(c, &places)).collect::<Result<Vec<_>, _>>()?;
        self.merged(records, values, None)
    }

    /// The columns of a result whose records have the keys, sequence numbers and, unless given,
    /// kinds of the given records.
    pub(super) fn merged(
        &self,
        records: &[usize],
        columns: Vec<ArrayRef>,
        given: Option<(Vec<i64>, Vec<i8>)>,
    ) -> Result<KeyValueBatch, LsmError> {
        let rows: Vec<_> = records.iter().map(|&row| (0, row)).collect();
        let (sequence, kinds) = match given {
            Some((sequence, kinds)) => (Int64Array::from(sequence), Int8Array::from(kinds)),
            None => {
                let sequence = gather_array(&[&self.sequence], &rows)?;
                let kinds = gather_array(&[&self.kinds], &rows)?;
                (
                    sequence.as_primitive::<Int64Type>().clone(),
                    kinds.as_primitive::<Int8Type>().clone(),
                )
            }
        };
        let schema = self.schema().ok_or(LsmError::MixedKeys)?;
        let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
        Ok(KeyValueBatch {
            keys: Keys::gather(&[&self.keys], &rows)?,
            sequence,
            kinds,
            values: RecordBatch::try_new_with_options(schema, columns, &options)?,
        })
    }

    /// Where the given records lie, [`NONE`] being a null.
    pub(super) fn places(&self, records: &[usize]) -> Places {
        let mut nulls = false;
        let nothing = (self.sources.len(), 0);
        let place = |&record: &usize| {
            self.places.get(record).copied().unwrap_or_else(|| {
                nulls = true;
                nothing
            })
        };
        Places { rows: records.iter().map(place).collect(), nulls }
    }

    /// The values of a column at the given places.
    pub(super) fn picked(&self, column: usize, places: &Places) -> Result<ArrayRef, LsmError> {
        let mut arrays = self.arrays(column);
        if !places.nulls {
            return gather_array(&arrays, &places.rows);
        }
        if let [only] = arrays.as_slice() {
            let row = |&(source, row): &(usize, usize)| (source == 0).then_some(row as u64);
            let rows: UInt64Array = places.rows.iter().map(row).collect();
            return Ok(take(*only, &rows, None)?);
        }
        let Some(first) = arrays.first() else { return Err(LsmError::MixedKeys) };
        let null = new_null_array(first.data_type(), 1);
        arrays.push(&null);
        Ok(interleave(&arrays, &places.rows)?)
    }

    /// Which records have a value in a column.
    pub(super) fn validity(&self, column: usize) -> Validity<'_> {
        let nulls: Vec<Option<&NullBuffer>> = self
            .arrays(column)
            .iter()
            .map(|array| array.nulls().filter(|nulls| nulls.null_count() > 0))
            .collect();
        Validity { complete: nulls.iter().all(Option::is_none), nulls, places: &self.places }
    }

    fn arrays(&self, column: usize) -> Vec<&dyn Array> {
        self.sources.iter().map(|source| Arc::as_ref(source.column(column))).collect()
    }
}

/// Places of picked values.
pub(super) struct Places {
    rows: Vec<(usize, usize)>,
    nulls: bool,
}

/// Which records have a value in a column.
pub(super) struct Validity<'a> {
    nulls: Vec<Option<&'a NullBuffer>>,
    places: &'a [(usize, usize)],
    /// No record has a null.
    pub(super) complete: bool,
}

impl Validity<'_> {
    #[inline]
    pub(super) fn is_valid(&self, record: usize) -> bool {
        let (source, row) = self.places[record];
        self.nulls[source].is_none_or(|nulls| nulls.is_valid(row))
    }
}
