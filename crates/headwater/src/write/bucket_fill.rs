//! How many keys the dynamic buckets of a partition have, and which one takes the next.
//!
//! Rules: `docs/spec/bucket.md#dynamic`. Source: Paimon 1.4.2 `SimpleHashBucketAssigner`,
//! `BucketAssigner`.

use std::collections::{BTreeMap, BTreeSet};

use headwater_spec::hash_index::LAST_DYNAMIC_BUCKET;
use headwater_spec::options::DynamicBucketOptions;

/// The buckets of a partition.
#[derive(Debug, Clone, Default)]
pub(super) struct BucketFill {
    /// Keys of each bucket.
    keys: BTreeMap<u16, u64>,
    /// Buckets that may take more.
    open: BTreeSet<u16>,
}

impl BucketFill {
    /// Counts keys that a bucket has.
    pub(super) fn add(&mut self, bucket: u16, keys: u64) {
        let count = self.keys.entry(bucket).or_default();
        *count = count.saturating_add(keys);
        self.open.insert(bucket);
    }

    /// A key is not in its bucket any more.
    pub(super) fn leave(&mut self, bucket: u16) {
        if let Some(count) = self.keys.get_mut(&bucket) {
            *count = count.saturating_sub(1);
            self.open.insert(bucket);
        }
    }

    /// The bucket of a new key: the first with room, else a new one. `None`: every bucket that there
    /// can be is full, and no bound says to go on with these.
    pub(super) fn next(&mut self, hash: i32, options: &DynamicBucketOptions) -> Option<u16> {
        while let Some(first) = self.open.first().copied() {
            if let Some(count) = self.keys.get_mut(&first)
                && *count < options.target_keys
            {
                *count += 1;
                return Some(first);
            }
            self.open.pop_first();
        }
        let last = options.max_buckets.map_or(LAST_DYNAMIC_BUCKET, |most| most.saturating_sub(1));
        if let Some(new) = self.first_free(last) {
            self.add(new, 1);
            return Some(new);
        }
        // Past the bound: any bucket, but evenly.
        options.max_buckets?;
        let count = u32::try_from(self.keys.len()).ok().filter(|count| *count > 0)?;
        let at = usize::try_from(hash.cast_unsigned() % count).ok()?;
        let (bucket, keys) = self.keys.iter_mut().nth(at)?;
        *keys = keys.saturating_add(1);
        Some(*bucket)
    }

    /// The smallest unused bucket up to `last`.
    fn first_free(&self, last: u16) -> Option<u16> {
        let mut free = 0;
        for used in self.keys.keys() {
            if *used != free {
                break;
            }
            free = used.checked_add(1)?;
        }
        (free <= last).then_some(free)
    }
}

#[cfg(test)]
mod tests {
    use headwater_spec::options::DynamicBucketOptions;

    use super::BucketFill;

    #[test]
    fn a_bucket_that_a_key_left_takes_another() {
        let how =
            DynamicBucketOptions { target_keys: 2, max_buckets: None, index_beside_data: false };
        let mut fill = BucketFill::default();
        fill.add(1, 2);
        let mut next = || fill.next(0, &how).unwrap();
        assert_eq!([next(), next(), next()], [0, 0, 2]);
        fill.leave(1);
        fill.leave(7);
        let mut next = || fill.next(0, &how).unwrap();
        assert_eq!([next(), next(), next()], [1, 2, 3]);
    }
}
