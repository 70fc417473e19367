//! Reads where the keys of a table live, before the first row of a write whose keys may be anywhere.
//!
//! Rules: `docs/spec/cross-partition.md#the-index-here`. Source: Paimon 1.4.2 `IndexBootstrap`,
//! `GlobalIndexAssigner`.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use futures::stream::{self, StreamExt, TryStreamExt};
use headwater_io::Reservation;
use headwater_lsm::KeyEncoder;
use headwater_metadata::plan::partition_values;
use headwater_spec::BinaryRow;
use headwater_spec::partition::partition_path;
use headwater_spec::predicate::Predicate;

use super::key_index::{KeyIndex, key_bytes};
use super::key_rows::Place;
use crate::error::{Error, Result};
use crate::read::Split;
use crate::table::Table;

/// Most bytes of keys that are put in order at a time, and the fewest; in between, this part of the
/// memory budget.
const MOST_WAITING: usize = 64 << 20;
const LEAST_WAITING: usize = 1 << 20;
const WAITING_PART: usize = 16;

/// What is read of a table.
pub(super) struct Bootstrap<'a> {
    /// At the snapshot that is read.
    pub(super) table: &'a Table,
    /// Positions of the primary key's columns.
    pub(super) key_at: &'a [usize],
    pub(super) encoder: &'a Arc<KeyEncoder>,
    /// Partitions that are left out; columns count among the partition columns.
    pub(super) without: Option<&'a Predicate>,
    /// Buckets do not matter: they are replaced, or keys of theirs are refused.
    pub(super) replaces: bool,
}

/// Records of a bucket's files that were not looked at, because of their age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) rows: u64,
}

impl Bootstrap<'_> {
    /// Fills an empty index with the keys of the table.
    ///
    /// # Errors
    /// Files cannot be read, or a key is there twice.
    pub(super) async fn fill(&self, mut index: KeyIndex) -> Result<(KeyIndex, LeftOut)> {
        let options = self.table.options().cross_partition;
        let read = self.table.new_read().with_all_levels().project(self.key_at.to_vec())?;
        let types = self.table.partition_types()?;
        let mut splits = Vec::new();
        let mut left = LeftOut::default();
        let oldest = options.index_ttl.map(|ttl| {
            let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
            self.table.env().clock.local_millis().saturating_sub(ttl)
        });
        for split in read.plan().await?.splits {
            let values = partition_values(&split.partition, &types)?;
            let outside = |p: &Predicate| !p.matches(&|i| values.get(i).cloned().flatten());
            if !self.without.is_none_or(outside) {
                continue;
            }
            if let Some(oldest) = oldest
                && split.files().all(|f| f.creation_time_millis.is_some_and(|time| time < oldest))
            {
                let rows = split.files().map(|f| u64::try_from(f.row_count).unwrap_or(0));
                left.rows = rows.fold(left.rows, u64::saturating_add);
                continue;
            }
            splits.push((self.place(&mut index, &split)?, split));
        }
        let at_once = options.bootstrap_parallelism.get();
        let read = &read;
        let mut batches = stream::iter(splits)
            .map(|(place, split)| {
                let rows = read.read(&split)?;
                Ok::<_, Error>(rows.map_ok(move |batch| (place, batch)).boxed())
            })
            .try_flatten_unordered(at_once);
        let mut waiting = Waiting::new(self.table);
        let mut next = batches.try_next().await?;
        while let Some((place, batch)) = next {
            waiting.add(place, batch);
            next = if waiting.is_full() {
                // The next rows are read meanwhile.
                let (filled, following) =
                    futures::join!(self.add(index, waiting.take()), batches.try_next());
                index = filled?;
                following?
            } else {
                batches.try_next().await?
            };
        }
        let index = self.add(index, waiting.take()).await?;
        Ok((index, left))
    }

    /// Takes the keys of some batches into the index.
    async fn add(
        &self,
        mut index: KeyIndex,
        batches: Vec<(Place, RecordBatch)>,
    ) -> Result<KeyIndex> {
        let encoder = Arc::clone(self.encoder);
        let job = move || {
            let keys = batches
                .iter()
                .map(|(place, batch)| Ok((*place, key_bytes(encoder.encode(batch.columns())?))))
                .collect::<Result<Vec<_>>>()?;
            let twice = index.add(&keys)?;
            let twice = twice.and_then(|twice| {
                let (place, batch) = batches.get(twice.batch)?;
                Some((*place, batch.slice(twice.row, 1), twice.other))
            });
            Ok::<_, Error>((index, twice))
        };
        let (index, twice) = self.table.env().pools.run(job).await??;
        match twice {
            None => Ok(index),
            Some((place, row, other)) => Err(self.twice(&index, (&row, 0), [place, other])),
        }
    }

    fn place(&self, index: &mut KeyIndex, split: &Split) -> Result<Place> {
        let partition = index.number_of(&split.partition)?;
        if self.replaces {
            return Ok(Place { partition, bucket: Place::AS_STORED });
        }
        let bucket = u16::try_from(split.bucket()).ok().filter(|b| *b != Place::AS_STORED);
        let bucket = bucket.ok_or_else(|| Error::WriteRefused {
            table: self.table.name().to_owned(),
            reason: format!(
                "it has a bucket {}, more than there can be: rewrite it with INSERT OVERWRITE",
                split.bucket()
            ),
        })?;
        Ok(Place { partition, bucket })
    }

    /// That a key is in two places, and what to do about it.
    fn twice(&self, index: &KeyIndex, row: (&RecordBatch, usize), places: [Place; 2]) -> Error {
        let key = key_text(self.table, self.key_at, row);
        let [one, other] = places.map(|place| {
            let partition = index.partition(place.partition);
            partition_text(self.table, partition)
        });
        let where_it_is = if one == other {
            format!("two buckets of partition {one}")
        } else {
            format!("partition {one} and in partition {other}")
        };
        Error::WriteRefused {
            table: self.table.name().to_owned(),
            reason: format!(
                "the key {key} lives in {where_it_is}, as after two writers that did not know of each \
                 other: write one of these partitions anew without it, with INSERT OVERWRITE t /*+ \
                 OPTIONS('dynamic-partition-overwrite' = 'false') */ PARTITION (…)"
            ),
        }
    }
}

/// Keys that are on their way into the index: the more of them are put in order at a time, the fewer
/// pages of it are visited for each.
struct Waiting {
    batches: Vec<(Place, RecordBatch)>,
    bytes: usize,
    most: usize,
    memory: Reservation,
}

impl Waiting {
    fn new(table: &Table) -> Self {
        let budget = &table.env().memory;
        let most = (budget.limit() / WAITING_PART).clamp(LEAST_WAITING, MOST_WAITING);
        let memory = budget.reserve(format!("keys of {}", table.name()));
        Self { batches: Vec::new(), bytes: 0, most, memory }
    }

    fn add(&mut self, place: Place, batch: RecordBatch) {
        // Once as columns, once as bytes, and the order.
        let each = size_of::<(&[u8], usize, usize)>();
        self.bytes += batch.get_array_memory_size() * 2 + batch.num_rows() * each;
        self.memory.resize(self.bytes);
        self.batches.push((place, batch));
    }

    const fn is_full(&self) -> bool {
        self.bytes >= self.most
    }

    fn take(&mut self) -> Vec<(Place, RecordBatch)> {
        self.bytes = 0;
        self.memory.free();
        std::mem::take(&mut self.batches)
    }
}

/// A key for messages; the columns of the batch at these positions are its own.
fn key_text(table: &Table, key_at: &[usize], (batch, row): (&RecordBatch, usize)) -> String {
    let fields = &table.row_type().fields;
    let parts = key_at.iter().filter_map(|at| fields.get(*at)).zip(batch.columns());
    let parts: Vec<String> = parts
        .map(|(field, column)| {
            let value = array_value_to_string(column, row).unwrap_or_else(|_| "?".to_owned());
            format!("{} = {value}", field.name)
        })
        .collect();
    format!("({})", parts.join(", "))
}

/// The key of a row of a whole batch, for messages.
pub(super) fn key_of(table: &Table, key_at: &[usize], batch: &RecordBatch, row: usize) -> String {
    match batch.project(key_at) {
        Ok(keys) => key_text(table, key_at, (&keys, row)),
        Err(_) => "(?)".to_owned(),
    }
}

/// A partition for messages.
pub(super) fn partition_text(table: &Table, partition: Option<&BinaryRow>) -> String {
    let text = || -> Result<String> {
        let types = table.partition_types()?;
        let Some(partition) = partition else { return Ok("(?)".to_owned()) };
        let values = partition_values(partition, &types)?;
        let options = &table.options().partition;
        let path = partition_path(
            &table.schema().partition_keys,
            &types,
            &values,
            &options.default_name,
            options.legacy_names,
        )?;
        Ok(path.trim_end_matches('/').to_owned())
    };
    text().unwrap_or_else(|_| "(?)".to_owned())
}
