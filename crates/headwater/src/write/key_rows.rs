//! What becomes of the rows of a table whose keys move between partitions: where each is written, and
//! which older row it takes back. Pure; where keys live comes from the index.
//!
//! Rules: `docs/spec/cross-partition.md#what-becomes-of-a-row`. Source: Paimon 1.4.2
//! `GlobalIndexAssigner`, `ExistingProcessor`.

use std::collections::BTreeMap;

use headwater_spec::options::MergeEngine;

/// Where a key lives: number of the partition, and bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) partition: u32,
    pub(super) bucket: u16,
}

impl Place {
    /// The bucket of keys that were there before an overwrite: their bucket goes with the partition.
    pub(super) const AS_STORED: u16 = u16::MAX;
}

/// What a row does to one of its key in another partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The key moves to the partition of the new row.
    Moves,
    /// The new row goes to the partition of the old one.
    Stays,
    /// The new row is dropped.
    First,
}

impl Rule {
    pub(super) const fn of(engine: MergeEngine) -> Self {
        match engine {
            MergeEngine::Deduplicate => Self::Moves,
            MergeEngine::PartialUpdate | MergeEngine::Aggregation => Self::Stays,
            MergeEngine::FirstRow => Self::First,
        }
    }
}

/// A row that is to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewRow {
    /// Number of its key.
    pub(super) key: usize,
    /// The partition that its columns say.
    pub(super) partition: u32,
    /// It is a `-U` or `-D`.
    pub(super) retracts: bool,
}

/// A row as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// Number of the row.
    pub(super) row: u32,
    /// It is written as `-D`, whatever its kind.
    pub(super) deletes: bool,
}

/// What becomes of some rows.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The rows of each bucket, in order.
    pub(super) rows: BTreeMap<Place, Vec<Written>>,
    /// Rows of keys that lived in another partition before an overwrite, with that partition.
    pub(super) left: Vec<(u32, u32)>,
}

/// Gives new keys their buckets.
pub(super) trait Buckets {
    /// The bucket of a new key; `None`: there is no room for one.
    fn next(&mut self, partition: u32, key: usize) -> Option<u16>;
    /// A key is not in its bucket any more.
    fn leave(&mut self, place: Place);
}

/// Every bucket of a partition is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AllFull;

/// Says where rows go, in their order, and where their keys live then: `known`, by number of the key.
pub(super) fn place_rows(
    rule: Rule,
    rows: impl Iterator<Item = NewRow>,
    known: &mut [Option<Place>],
    buckets: &mut impl Buckets,
) -> Result<Placed, AllFull> {
    let mut placed = Placed::default();
    for (number, NewRow { key, partition, retracts }) in (0_u32..).zip(rows) {
        let Some(place) = known.get_mut(key) else { continue };
        let mut write = |at: Place, deletes: bool| {
            placed.rows.entry(at).or_default().push(Written { row: number, deletes });
        };
        // What was there before an overwrite goes, if its partition does.
        if let Some(old) = place.take_if(|old| old.bucket == Place::AS_STORED)
            && old.partition != partition
        {
            placed.left.push((number, old.partition));
        }
        match *place {
            Some(old) if old.partition == partition => {
                write(old, false);
                continue;
            }
            Some(old) => match rule {
                Rule::Stays => {
                    write(old, false);
                    continue;
                }
                Rule::First => continue,
                Rule::Moves => {
                    write(old, true);
                    buckets.leave(old);
                    *place = None;
                    if retracts {
                        continue;
                    }
                }
            },
            None => {}
        }
        let bucket = buckets.next(partition, key).ok_or(AllFull)?;
        let new = Place { partition, bucket };
        write(new, false);
        *place = Some(new);
    }
    Ok(placed)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use headwater_spec::options::DynamicBucketOptions;
    use proptest::prelude::*;

    use super::super::bucket_fill::BucketFill;
    use super::{Buckets, NewRow, Place, Rule, place_rows};

    #[derive(Default)]
    struct Fills(HashMap<u32, BucketFill>);

    impl Buckets for Fills {
        fn next(&mut self, partition: u32, key: usize) -> Option<u16> {
            let how = DynamicBucketOptions {
                target_keys: 3,
                max_buckets: None,
                index_beside_data: false,
            };
            self.0.entry(partition).or_default().next(i32::try_from(key).unwrap(), &how)
        }

        fn leave(&mut self, place: Place) {
            self.0.entry(place.partition).or_default().leave(place.bucket);
        }
    }

    const ENGINES: [(Rule, bool); 4] =
        [(Rule::Moves, false), (Rule::Stays, false), (Rule::Stays, true), (Rule::First, false)];

    /// What a bucket shows of a key: `None` once it is deleted. `adds`: `aggregation` with a sum, else
    /// the newest value.
    fn merge(rule: Rule, adds: bool, old: Option<i64>, value: i64, deletes: bool) -> Option<i64> {
        match (rule, deletes) {
            (Rule::First, _) => old.or(Some(value)),
            (Rule::Stays, true) if adds => Some(old.unwrap_or(0) - value),
            (Rule::Stays, false) if adds => Some(old.unwrap_or(0) + value),
            (_, true) => None,
            (_, false) => Some(value),
        }
    }

    /// Partition and value of a key after a row of a partition.
    fn model(
        rule: Rule,
        adds: bool,
        old: Option<(u32, Option<i64>)>,
        (partition, value, retracts): (u32, i64, bool),
    ) -> Option<(u32, Option<i64>)> {
        let Some((lives, shown)) = old else {
            return Some((partition, merge(rule, adds, None, value, retracts)));
        };
        match rule {
            Rule::Moves if lives != partition && retracts => None,
            Rule::Moves => Some((partition, merge(rule, adds, shown, value, retracts))),
            Rule::First if lives != partition => old,
            Rule::Stays | Rule::First => Some((lives, merge(rule, adds, shown, value, retracts))),
        }
    }

    proptest! {
        #[test]
        fn a_key_lives_in_one_place_and_shows_what_the_engine_says(
            engine in 0..4_usize,
            batches in prop::collection::vec(
                prop::collection::vec((0..12_usize, 0..4_u32, any::<bool>(), 1..9_i64), 0..20),
                1..8,
            ),
        ) {
            let (rule, adds) = ENGINES[engine];
            let mut fills = Fills::default();
            let mut known: Vec<Option<Place>> = vec![None; 12];
            let mut wanted: HashMap<usize, (u32, Option<i64>)> = HashMap::new();
            let mut stored: HashMap<(Place, usize), Option<i64>> = HashMap::new();
            for batch in batches {
                let rows: Vec<NewRow> = batch
                    .iter()
                    .map(|(key, partition, retracts, _)| NewRow {
                        key: *key,
                        partition: *partition,
                        retracts: *retracts && rule != Rule::First,
                    })
                    .collect();
                for (row, (.., value)) in rows.iter().zip(&batch) {
                    let change = (row.partition, *value, row.retracts);
                    if let Some(now) = model(rule, adds, wanted.remove(&row.key), change) {
                        wanted.insert(row.key, now);
                    }
                }
                let placed = place_rows(rule, rows.iter().copied(), &mut known, &mut fills).unwrap();
                prop_assert!(placed.left.is_empty());
                for (place, written) in placed.rows {
                    for at in written {
                        let row = rows[at.row as usize];
                        let value = batch[at.row as usize].3;
                        let cell = stored.entry((place, row.key)).or_default();
                        *cell = merge(rule, adds, *cell, value, at.deletes || row.retracts);
                    }
                }
                let mut shown: HashMap<usize, (u32, i64)> = HashMap::new();
                for ((place, key), value) in &stored {
                    if let Some(value) = value {
                        prop_assert!(shown.insert(*key, (place.partition, *value)).is_none());
                        prop_assert_eq!(known[*key], Some(*place));
                    }
                }
                let wanted: HashMap<usize, (u32, i64)> = wanted
                    .iter()
                    .filter_map(|(key, (partition, value))| Some((*key, (*partition, (*value)?))))
                    .collect();
                prop_assert_eq!(shown, wanted);
            }
        }
    }

    #[test]
    fn an_overwrite_says_which_keys_it_would_leave_twice() {
        let mut known = vec![
            Some(Place { partition: 0, bucket: Place::AS_STORED }),
            Some(Place { partition: 1, bucket: Place::AS_STORED }),
            None,
        ];
        let rows = [(0, 0), (1, 0), (2, 2), (1, 2)];
        let rows = rows.map(|(key, partition)| NewRow { key, partition, retracts: false });
        let placed =
            place_rows(Rule::Moves, rows.into_iter(), &mut known, &mut Fills::default()).unwrap();
        assert_eq!(placed.left, [(1, 1)]);
        assert_eq!(known[0], Some(Place { partition: 0, bucket: 0 }));
        // The new rows move among themselves.
        assert_eq!(known[1], Some(Place { partition: 2, bucket: 0 }));
        assert_eq!(placed.rows[&Place { partition: 0, bucket: 0 }].len(), 3);
    }
}
