//! In which partition and bucket each key of a table lives: on local disk, of which a bounded part is
//! in memory.
//!
//! Knows keys as bytes; who reads them from the table is in `bootstrap`, what becomes of rows in
//! `key_rows`. Rules: `docs/spec/cross-partition.md#the-index-here`.

use std::collections::HashMap;

use arrow::array::{Array, BinaryArray};
use headwater_io::{KeyMap, MemoryBudget, Reservation, Scratch};
use headwater_lsm::Keys;
use headwater_spec::BinaryRow;
use headwater_spec::options::DynamicBucketOptions;

use super::bucket_fill::BucketFill;
use super::key_rows::{AllFull, Buckets, NewRow, Place, Placed, Rule, place_rows};
use crate::error::{Error, Result};

/// Most bytes of the index in memory, and the fewest; in between, this part of the budget.
const MOST_CACHE: usize = 64 << 20;
const LEAST_CACHE: usize = 1 << 20;
const CACHE_PART: usize = 8;

/// Bits of a place that are the bucket.
const BUCKET_BITS: u32 = 16;

/// Where the keys of a table live.
#[derive(Debug)]
pub(super) struct KeyIndex {
    map: KeyMap,
    partitions: Vec<BinaryRow>,
    numbers: HashMap<BinaryRow, u32>,
    fills: Vec<BucketFill>,
    options: DynamicBucketOptions,
    _memory: Reservation,
}

/// A key that is in two places.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Twice {
    /// The batch, and its row there.
    pub(super) batch: usize,
    pub(super) row: usize,
    /// Where it is besides.
    pub(super) other: Place,
}

impl KeyIndex {
    /// An empty index; `name` tells in messages what it is for.
    pub(super) fn create(
        scratch: &Scratch,
        budget: &MemoryBudget,
        name: String,
        options: DynamicBucketOptions,
    ) -> Result<Self> {
        let cache = (budget.limit() / CACHE_PART).clamp(LEAST_CACHE, MOST_CACHE);
        let mut memory = budget.reserve(name);
        // The buffers of rows make room: that much the index needs to be of use.
        memory.grow(cache);
        Ok(Self {
            map: KeyMap::create(scratch, cache)?,
            partitions: Vec::new(),
            numbers: HashMap::new(),
            fills: Vec::new(),
            options,
            _memory: memory,
        })
    }

    /// The number of a partition.
    pub(super) fn number_of(&mut self, partition: &BinaryRow) -> Result<u32> {
        if let Some(number) = self.numbers.get(partition) {
            return Ok(*number);
        }
        let number = u32::try_from(self.partitions.len()).map_err(|_| {
            Error::Arrow(arrow::error::ArrowError::InvalidArgumentError(
                "a table of more partitions than can be numbered".to_owned(),
            ))
        })?;
        self.partitions.push(partition.clone());
        self.fills.push(BucketFill::default());
        self.numbers.insert(partition.clone(), number);
        Ok(number)
    }

    /// The partition with this number.
    pub(super) fn partition(&self, number: u32) -> Option<&BinaryRow> {
        usize::try_from(number).ok().and_then(|at| self.partitions.get(at))
    }

    /// Takes in keys with the place of each batch, each key once; says if one of them is in two places.
    /// Many at a time are faster.
    pub(super) fn add(&mut self, batches: &[(Place, BinaryArray)]) -> Result<Option<Twice>> {
        let mut order: Vec<(&[u8], usize, usize)> = Vec::new();
        for (batch, (place, keys)) in batches.iter().enumerate() {
            order.extend((0..keys.len()).map(|row| (keys.value(row), batch, row)));
            if place.bucket != Place::AS_STORED
                && let Some(fill) =
                    usize::try_from(place.partition).ok().and_then(|at| self.fills.get_mut(at))
            {
                fill.add(place.bucket, u64::try_from(keys.len()).unwrap_or(u64::MAX));
            }
        }
        order.sort_unstable();
        let place = |batch: usize| batches.get(batch).map(|(place, _)| pack(*place));
        let before = self.map.put(order.iter().map(|(key, batch, _)| (*key, place(*batch))))?;
        let twice = order.into_iter().zip(before).find_map(|((_, batch, row), before)| {
            Some(Twice { batch, row, other: unpack(before?) })
        });
        Ok(twice)
    }

    /// Says where rows go, and notes where their keys live then. `rows`: partition of each row, and
    /// whether it is a retraction.
    ///
    /// # Errors
    /// The index is not usable any more.
    pub(super) fn place(
        &mut self,
        rule: Rule,
        keys: &BinaryArray,
        rows: impl Fn(usize) -> (u32, bool),
    ) -> Result<Result<Placed, AllFull>> {
        // The rows in key order, then a number for each key.
        let order = sorted(keys);
        let mut firsts: Vec<usize> = Vec::with_capacity(order.len());
        let mut number_of_row = vec![0_usize; keys.len()];
        for row in order {
            if firsts.last().is_none_or(|first| keys.value(*first) != keys.value(row)) {
                firsts.push(row);
            }
            if let Some(number) = number_of_row.get_mut(row) {
                *number = firsts.len().saturating_sub(1);
            }
        }
        let found = self.map.get(firsts.iter().map(|row| keys.value(*row)))?;
        let before: Vec<Option<Place>> = found.into_iter().map(|found| found.map(unpack)).collect();
        let mut known = before.clone();
        let rows = number_of_row.iter().enumerate().map(|(row, key)| {
            let (partition, retracts) = rows(row);
            NewRow { key: *key, partition, retracts }
        });
        let mut buckets =
            FillsOf { fills: &mut self.fills, options: &self.options, keys, firsts: &firsts };
        let placed = match place_rows(rule, rows, &mut known, &mut buckets) {
            Ok(placed) => placed,
            Err(full) => return Ok(Err(full)),
        };
        let changed = firsts.iter().zip(before.iter().zip(&known));
        let changed = changed.filter(|(_, (before, now))| before != now);
        self.map.put(changed.map(|(row, (_, now))| (keys.value(*row), now.map(pack))))?;
        Ok(Ok(placed))
    }

    /// Keys after which a bucket gets no new ones.
    pub(super) const fn target_keys(&self) -> u64 {
        self.options.target_keys
    }
}

/// The buckets of all partitions.
struct FillsOf<'a> {
    fills: &'a mut [BucketFill],
    options: &'a DynamicBucketOptions,
    keys: &'a BinaryArray,
    firsts: &'a [usize],
}

impl FillsOf<'_> {
    fn of(&mut self, partition: u32) -> Option<&mut BucketFill> {
        usize::try_from(partition).ok().and_then(|at| self.fills.get_mut(at))
    }
}

impl Buckets for FillsOf<'_> {
    fn next(&mut self, partition: u32, key: usize) -> Option<u16> {
        let hash = self.firsts.get(key).map_or(0, |row| spread(self.keys.value(*row)));
        let options = self.options;
        self.of(partition)?.next(hash, options)
    }

    fn leave(&mut self, place: Place) {
        if let Some(fill) = self.of(place.partition) {
            fill.leave(place.bucket);
        }
    }
}

/// A number that spreads keys evenly (FNV-1a).
fn spread(key: &[u8]) -> i32 {
    let hash = key
        .iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 15)).cast_signed()
}

/// The rows in the order of their keys, those of a key in their own order.
fn sorted(keys: &BinaryArray) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|a, b| keys.value(*a).cmp(keys.value(*b)));
    order
}

fn pack(place: Place) -> u64 {
    u64::from(place.partition) << BUCKET_BITS | u64::from(place.bucket)
}

fn unpack(number: u64) -> Place {
    let bucket = u16::try_from(number & u64::from(u16::MAX)).unwrap_or(u16::MAX);
    Place { partition: u32::try_from(number >> BUCKET_BITS).unwrap_or(u32::MAX), bucket }
}

/// Normalised keys as bytes in the same order.
pub(super) fn key_bytes(keys: Keys) -> BinaryArray {
    match keys {
        Keys::I64(keys) => BinaryArray::from_iter_values(
            keys.iter().map(|key| (key.cast_unsigned() ^ (1 << 63)).to_be_bytes()),
        ),
        Keys::Rows(keys) => keys,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::BinaryArray;
    use arrow::buffer::ScalarBuffer;
    use headwater_io::{MemoryBudget, Scratch};
    use headwater_lsm::Keys;
    use headwater_spec::BinaryRow;
    use headwater_spec::options::DynamicBucketOptions;
    use proptest::prelude::*;

    use super::{KeyIndex, Place, Rule, Twice, key_bytes, pack, unpack};

    fn index(dir: &tempfile::TempDir, target_keys: u64) -> KeyIndex {
        let options =
            DynamicBucketOptions { target_keys, max_buckets: None, index_beside_data: false };
        let scratch = Scratch::new(vec![dir.path().to_owned()]);
        let mut index =
            KeyIndex::create(&scratch, &MemoryBudget::new(1), "test".into(), options).unwrap();
        for number in 0..4 {
            let partition =
                BinaryRow::from_bytes(1, [vec![0; 8], vec![number; 8]].concat()).unwrap();
            assert_eq!(index.number_of(&partition).unwrap(), u32::from(number));
        }
        index
    }

    fn array(keys: &[u16]) -> BinaryArray {
        BinaryArray::from_iter_values(keys.iter().map(|key| key.to_string()))
    }

    #[test]
    fn integers_keep_their_order_as_bytes() {
        let numbers = [i64::MIN, -2, -1, 0, 1, 255, 256, i64::MAX];
        let keys = key_bytes(Keys::I64(ScalarBuffer::from(numbers.to_vec())));
        let values: Vec<&[u8]> = keys.iter().flatten().collect();
        assert!(values.is_sorted());
        let place = Place { partition: u32::MAX, bucket: 32_766 };
        assert_eq!(unpack(pack(place)), place);
    }

    #[test]
    fn a_key_in_two_places_is_found_when_the_index_is_built() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = index(&dir, 10);
        let (one, two) = (Place { partition: 1, bucket: 0 }, Place { partition: 2, bucket: 5 });
        assert_eq!(index.add(&[(one, array(&[3, 1, 2]))]).unwrap(), None);
        assert_eq!(index.add(&[(two, array(&[7, 4])), (one, array(&[8]))]).unwrap(), None);
        assert_eq!(
            index.add(&[(one, array(&[6])), (two, array(&[9, 2]))]).unwrap(),
            Some(Twice { batch: 1, row: 1, other: one })
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn keys_are_found_where_they_were_put(
            stored in prop::collection::btree_set(0..3000_u16, 0..2000),
            batches in prop::collection::vec(
                prop::collection::vec((0..3000_u16, 0..4_u32), 0..300),
                1..6,
            ),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut index = index(&dir, 100);
            let stored: Vec<u16> = stored.into_iter().collect();
            let mut model: HashMap<u16, u32> = HashMap::new();
            let mut added = Vec::new();
            for (number, keys) in (0_u16..).zip(stored.chunks(150)) {
                let place = Place { partition: u32::from(number % 4), bucket: number };
                added.push((place, array(keys)));
                model.extend(keys.iter().map(|key| (*key, place.partition)));
            }
            for several in added.chunks(3) {
                prop_assert_eq!(index.add(several).unwrap(), None);
            }
            for batch in batches {
                let keys: Vec<u16> = batch.iter().map(|(key, _)| *key).collect();
                let rows = |row: usize| (batch[row].1, false);
                let placed = index.place(Rule::Stays, &array(&keys), rows).unwrap().unwrap();
                let mut seen = 0;
                let mut at_row = vec![None; keys.len()];
                for (place, written) in &placed.rows {
                    // In the order in which they came.
                    prop_assert!(written.is_sorted_by_key(|written| written.row));
                    seen += written.len();
                    for written in written {
                        at_row[written.row as usize] = Some(place.partition);
                    }
                }
                prop_assert_eq!(seen, keys.len());
                for ((key, partition), at) in batch.iter().zip(at_row) {
                    prop_assert_eq!(Some(*model.entry(*key).or_insert(*partition)), at);
                }
            }
        }
    }
}
