//! The hashes of the keys of one partition, and which bucket each has.
//!
//! Format: `docs/spec/bucket.md#dynamic`. Source: Paimon 1.4.2 `PartitionIndex`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use headwater_spec::options::DynamicBucketOptions;

use super::bucket_fill::BucketFill;

/// The keys of a partition.
#[derive(Debug, Clone, Default)]
pub(super) struct PartitionIndex {
    buckets: HashMap<i32, u16, BuildHasherDefault<Spread>>,
    fill: BucketFill,
    /// Buckets with keys that their index files do not have.
    changed: BTreeSet<u16>,
}

/// What a key is assigned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assigned {
    /// This bucket.
    To(u16),
    /// Every bucket that there can be is full, and no bound says to go on with these.
    AllFull,
}

/// Spreads hashes over a table: they are well mixed, but sit in the lower half only.
#[derive(Debug, Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_i32(i32::from(*byte));
        }
    }

    fn write_i32(&mut self, value: i32) {
        let mixed = (self.0 ^ u64::from(value.cast_unsigned())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

impl PartitionIndex {
    /// Takes the hashes of an index file; the other bucket if one of them has one.
    pub(super) fn add_stored(&mut self, bucket: u16, hashes: &[i32]) -> Result<(), u16> {
        self.buckets.reserve(hashes.len());
        for hash in hashes {
            if let Some(other) = self.buckets.insert(*hash, bucket)
                && other != bucket
            {
                return Err(other);
            }
        }
        self.fill.add(bucket, u64::try_from(hashes.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// The bucket of a key: the one that it has, else the first with room, else a new one.
    pub(super) fn assign(&mut self, hash: i32, options: &DynamicBucketOptions) -> Assigned {
        if let Some(bucket) = self.buckets.get(&hash) {
            return Assigned::To(*bucket);
        }
        let Some(bucket) = self.fill.next(hash, options) else { return Assigned::AllFull };
        self.buckets.insert(hash, bucket);
        self.changed.insert(bucket);
        Assigned::To(bucket)
    }

    /// The buckets whose index files lack keys, with all their hashes in order.
    pub(super) fn unwritten(&self) -> Vec<(u16, Vec<i32>)> {
        let mut hashes: BTreeMap<u16, Vec<i32>> =
            self.changed.iter().map(|bucket| (*bucket, Vec::new())).collect();
        if !hashes.is_empty() {
            for (hash, bucket) in &self.buckets {
                if let Some(hashes) = hashes.get_mut(bucket) {
                    hashes.push(*hash);
                }
            }
            hashes.values_mut().for_each(|hashes| hashes.sort_unstable());
        }
        hashes.into_iter().collect()
    }

    /// The bucket's index file has all its keys.
    pub(super) fn written(&mut self, bucket: u16) {
        self.changed.remove(&bucket);
    }

    /// Bytes of memory, about.
    pub(super) fn memory(&self) -> usize {
        self.buckets.capacity().saturating_mul(size_of::<(i32, u16)>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use headwater_spec::options::DynamicBucketOptions;
    use proptest::prelude::*;

    use super::{Assigned, PartitionIndex};

    const fn options(target_keys: u64, max_buckets: Option<u16>) -> DynamicBucketOptions {
        DynamicBucketOptions { target_keys, max_buckets, index_beside_data: false }
    }

    fn assign(index: &mut PartitionIndex, hashes: &[i32], how: &DynamicBucketOptions) -> Vec<u16> {
        let one = |hash: &i32| match index.assign(*hash, how) {
            Assigned::To(bucket) => bucket,
            Assigned::AllFull => panic!("no bucket"),
        };
        hashes.iter().map(one).collect()
    }

    #[test]
    fn known_keys_stay_and_new_ones_fill_the_first_bucket_with_room() {
        let mut index = PartitionIndex::default();
        index.add_stored(1, &[10, 11]).unwrap();
        index.add_stored(3, &[30]).unwrap();
        let how = options(3, None);
        let buckets = assign(&mut index, &[10, 30, 1, 2, 3, 4, 5, 6, 7, 8], &how);
        assert_eq!(buckets, [1, 3, 1, 3, 3, 0, 0, 0, 2, 2]);
        let unwritten = index.unwritten();
        let all = [(0, vec![4, 5, 6]), (1, vec![1, 10, 11]), (2, vec![7, 8]), (3, vec![2, 3, 30])];
        assert_eq!(unwritten, all);
        for (bucket, _) in unwritten {
            index.written(bucket);
        }
        assert_eq!(assign(&mut index, &[10, 8], &how), [1, 2]);
        assert_eq!(index.unwritten(), []);
    }

    #[test]
    fn past_the_bound_keys_go_to_all_buckets() {
        let mut index = PartitionIndex::default();
        let how = options(1, Some(2));
        assert_eq!(assign(&mut index, &[1, 2, 3, 4, 5, 3], &how), [0, 1, 1, 0, 1, 1]);
    }

    #[test]
    fn without_a_bound_the_buckets_come_to_an_end() {
        let mut index = PartitionIndex::default();
        let how = options(1, None);
        for hash in 0..32_767 {
            assert_eq!(index.assign(hash, &how), Assigned::To(u16::try_from(hash).unwrap()));
        }
        assert_eq!(index.assign(-1, &how), Assigned::AllFull);
    }

    #[test]
    fn a_key_in_two_buckets_is_found() {
        let mut index = PartitionIndex::default();
        index.add_stored(0, &[1, 2]).unwrap();
        assert_eq!(index.add_stored(1, &[3, 2]), Err(0));
    }

    proptest! {
        #[test]
        fn each_key_has_one_bucket_however_often_the_index_is_stored(
            rounds in prop::collection::vec(prop::collection::vec(0..60_i32, 0..30), 1..8),
            target in 1..12_u64,
            bound in prop::option::of(1..5_u16),
        ) {
            let how = options(target, bound);
            let mut bucket_of = std::collections::HashMap::new();
            let mut files: std::collections::BTreeMap<u16, Vec<i32>> = Default::default();
            for keys in rounds {
                let mut index = PartitionIndex::default();
                for (bucket, hashes) in &files {
                    index.add_stored(*bucket, hashes).unwrap();
                }
                for (key, bucket) in keys.iter().zip(assign(&mut index, &keys, &how)) {
                    prop_assert_eq!(*bucket_of.entry(*key).or_insert(bucket), bucket);
                    prop_assert!(bound.is_none_or(|most| bucket < most));
                }
                files.extend(index.unwritten());
                if bound.is_none() {
                    prop_assert!(files.values().all(|keys| keys.len() as u64 <= target));
                }
            }
            prop_assert_eq!(files.values().map(Vec::len).sum::<usize>(), bucket_of.len());
        }
    }
}
