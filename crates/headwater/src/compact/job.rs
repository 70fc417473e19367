//! Compacts the buckets of a table as a job of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use headwater_metadata::MetadataError;
use headwater_metadata::plan::{EntryFilter, partition_values};
use headwater_spec::manifest::ManifestEntry;
use headwater_spec::predicate::{Op, Predicate};
use headwater_spec::snapshot::BATCH_COMMIT_IDENTIFIER;
use headwater_spec::{BinaryRow, DataFileMeta, Datum};

use super::bucket::{BucketFiles, Compacted, NEWER_SCHEMA, Place, Unit, compact};
use super::commit::{Committing, Exchanged};
use super::progress::CompactionProgress;
use crate::error::{Error, Result};
use crate::read::file::bucket_path;
use crate::table::Table;

/// Partition column and value; a partition, or those that have these values.
pub type PartitionSpec = Vec<(String, Option<Datum>)>;

/// Finished buckets are committed when this much has been written since the last commit.
pub(super) const COMMIT_BYTES: u64 = 1 << 30;

/// How often buckets whose files another job has taken are looked at again.
pub(super) const MAX_ROUNDS: usize = 20;

/// A compaction of a table, to be run once.
#[derive(Debug, Clone)]
pub struct Compaction {
    pub(super) table: Table,
    user: Option<String>,
    partitions: Vec<PartitionSpec>,
    full: bool,
    idle: Option<Duration>,
    pub(super) progress: Option<Arc<CompactionProgress>>,
}

/// What a compaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactionOutcome {
    /// The newest snapshot that exchanged files; `None` if there was nothing to compact.
    pub snapshot_id: Option<i64>,
    /// Buckets that were compacted.
    pub buckets: usize,
    /// Files that were taken out.
    pub files_before: usize,
    /// Files that were put in.
    pub files_after: usize,
    /// Bytes of the files that were taken out.
    pub bytes_before: u64,
    /// Bytes of the files that were put in.
    pub bytes_after: u64,
    /// Rows that waited for their buckets, in a table that postpones them, and are shown by reads now.
    pub rows_taken_in: u64,
    /// Rows that were found to have come after a newer one of their key, by `sequence.field` or by a
    /// sequence group.
    pub rows_older: u64,
    /// Times that a bucket had to be given up because another commit came first, and was looked at
    /// again.
    pub conflicts: usize,
}

type Key = (BinaryRow, i32);

impl CompactionOutcome {
    /// Counts what a commit did.
    pub(super) fn add(&mut self, exchanged: &Exchanged) {
        self.snapshot_id = exchanged.snapshot_id.or(self.snapshot_id);
        for one in &exchanged.committed {
            self.buckets += 1;
            self.files_before += one.before.len();
            self.files_after += one.after.len();
            self.rows_older = self.rows_older.saturating_add(one.rows_older);
            self.bytes_before += one.before.iter().map(size).sum::<u64>();
            self.bytes_after += one.after.iter().map(size).sum::<u64>();
        }
        self.conflicts += exchanged.dropped.len();
    }
}

impl Compaction {
    pub(crate) const fn new(table: Table) -> Self {
        Self { table, user: None, partitions: Vec::new(), full: false, idle: None, progress: None }
    }

    /// Names the job in its snapshots; default: a random name, after `commit.user-prefix`.
    #[must_use]
    pub fn commit_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Only these partitions; without any, the whole table.
    #[must_use]
    pub fn partitions(mut self, partitions: Vec<PartitionSpec>) -> Self {
        self.partitions = partitions;
        self
    }

    /// Merges all files of a bucket into the last level, instead of those that the table's options
    /// choose.
    #[must_use]
    pub const fn full(mut self, full: bool) -> Self {
        self.full = full;
        self
    }

    /// Only partitions that no file was added to for so long.
    #[must_use]
    pub const fn idle_for(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Counts what is done in `progress`.
    #[must_use]
    pub fn counted(mut self, progress: Arc<CompactionProgress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Compacts until nothing is left to do. Buckets that are done stay done if the job ends early.
    ///
    /// # Errors
    /// The table cannot be compacted by this version; a file cannot be read or written; the store
    /// failed. What was committed before stays.
    pub async fn run(self) -> Result<CompactionOutcome> {
        self.table.check_compactable()?;
        let user = match &self.user {
            Some(user) => user.clone(),
            None => self.table.random_user(),
        };
        let mut outcome = CompactionOutcome::default();
        if self.table.has_postponed_buckets() {
            self.take_in(&user, &mut outcome).await?;
        }
        let mut pickers: HashMap<Key, BucketFiles> = HashMap::new();
        for round in 0..MAX_ROUNDS {
            let units = self.plan(&mut pickers).await?;
            if units.units.is_empty() {
                return Ok(outcome);
            }
            let lost = self.compact_all(units, &user, &mut outcome).await?;
            // A full compaction leaves nothing; another one may leave what the next level takes up.
            if lost.is_none() && self.full {
                return Ok(outcome);
            }
            if let Some(reason) = lost
                && round + 1 == MAX_ROUNDS
            {
                return Err(Error::Metadata(MetadataError::Conflict {
                    table: self.table.name().to_owned(),
                    competitor: format!("another job, {MAX_ROUNDS} times"),
                    reason,
                }));
            }
        }
        Ok(outcome)
    }

    async fn plan(&self, known: &mut HashMap<Key, BucketFiles>) -> Result<Planned> {
        let table = &self.table;
        let mut planned = Planned::default();
        let Some(snapshot) = table.store().latest_snapshot().await? else { return Ok(planned) };
        planned.snapshot = snapshot.id;
        let types = table.partition_types()?;
        let filter = EntryFilter {
            partition: predicate(table, &self.partitions)?,
            real_buckets_only: true,
            ..EntryFilter::default()
        };
        let (live, _) = table.store().live_entries(&snapshot, &types, &filter).await?;
        let busy = self.busy(&live);
        let mut buckets: BTreeMap<(Vec<u8>, i32), (Place, Vec<DataFileMeta>)> = BTreeMap::new();
        for entry in live {
            if busy.get(&entry.partition).copied().unwrap_or(false) {
                continue;
            }
            let key = (entry.partition.as_bytes().to_vec(), entry.bucket);
            let bucket = match buckets.entry(key) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(free) => {
                    let values = partition_values(&entry.partition, &types)?;
                    let place = Place {
                        dir: bucket_path(table, &values, entry.bucket)?,
                        partition: entry.partition,
                        bucket: entry.bucket,
                        total_buckets: entry.total_buckets,
                    };
                    free.insert((place, Vec::new()))
                }
            };
            bucket.1.push(entry.file);
        }
        for (place, files) in buckets.into_values() {
            let key = (place.partition.clone(), place.bucket);
            let bucket = known.entry(key).or_insert_with(|| BucketFiles::new(table, Vec::new()));
            bucket.reload(table, files);
            if let Some(id) = bucket.newer_schema(table) {
                return Err(Error::Metadata(MetadataError::Conflict {
                    table: table.name().to_owned(),
                    competitor: format!("schema {id}"),
                    reason: NEWER_SCHEMA.to_owned(),
                }));
            }
            if let Some(unit) = bucket.pick(table, self.full)? {
                if let Some(progress) = &self.progress {
                    progress.plan(unit.bytes());
                }
                planned.units.push((place, unit));
            }
        }
        Ok(planned)
    }

    /// Partitions that files were added to lately.
    pub(super) fn busy(&self, live: &[ManifestEntry]) -> HashMap<BinaryRow, bool> {
        let mut busy = HashMap::new();
        let Some(idle) = self.idle else { return busy };
        let idle = i64::try_from(idle.as_millis()).unwrap_or(i64::MAX);
        let oldest = self.table.env().clock.local_millis().saturating_sub(idle);
        for entry in live {
            let recent = entry.file.creation_time_millis.is_none_or(|time| time > oldest);
            *busy.entry(entry.partition.clone()).or_insert(false) |= recent;
        }
        busy
    }

    /// The partitions as a predicate, `None` for all.
    pub(crate) fn predicate(&self) -> Result<Option<Predicate>> {
        predicate(&self.table, &self.partitions)
    }

    /// Compacts the units; returns why one was given up, if one was.
    async fn compact_all(
        &self,
        planned: Planned,
        user: &str,
        outcome: &mut CompactionOutcome,
    ) -> Result<Option<String>> {
        let base = planned.snapshot;
        // Each holds parts of all of its runs: no more of them than can work.
        let at_once = self.table.env().pools.cpu_threads();
        let tasks = planned.units.into_iter().map(|(place, unit)| {
            let (table, progress) = (self.table.clone(), self.progress.clone());
            async move { compact(table, place, unit, base, progress).await }
        });
        let mut results = stream::iter(tasks).buffer_unordered(at_once);
        let mut lost = None;
        let mut waiting: Vec<Compacted> = Vec::new();
        let mut failed = None;
        while let Some(result) = results.next().await {
            match result {
                Ok(done) => waiting.push(done),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
            let bytes: u64 = waiting.iter().flat_map(|c| &c.written).map(size).sum();
            if bytes >= COMMIT_BYTES {
                let done = std::mem::take(&mut waiting);
                lost = self.exchange(done, user, outcome).await?.or(lost);
            }
        }
        lost = self.exchange(waiting, user, outcome).await?.or(lost);
        match failed {
            Some(error) => Err(error),
            None => Ok(lost),
        }
    }

    async fn exchange(
        &self,
        done: Vec<Compacted>,
        user: &str,
        outcome: &mut CompactionOutcome,
    ) -> Result<Option<String>> {
        let committing =
            Committing { table: &self.table, user, identifier: BATCH_COMMIT_IDENTIFIER };
        let exchanged = committing.exchange(done).await?;
        outcome.add(&exchanged);
        Ok(exchanged.dropped.into_iter().next().map(|(_, reason)| reason))
    }
}

#[derive(Default)]
struct Planned {
    snapshot: i64,
    units: Vec<(Place, Unit)>,
}

/// The partitions as a predicate, `None` for all; columns count among the partition columns.
pub(crate) fn predicate(table: &Table, partitions: &[PartitionSpec]) -> Result<Option<Predicate>> {
    let keys = &table.schema().partition_keys;
    let mut any = Vec::new();
    for spec in partitions {
        let mut all = Vec::new();
        for (name, value) in spec {
            let Some(at) = keys.iter().position(|key| key == name) else {
                return Err(Error::Request {
                    table: table.name().to_owned(),
                    reason: match keys.as_slice() {
                        [] => format!("'{name}' is not a partition column, there are none"),
                        keys => format!(
                            "'{name}' is not a partition column, which are: {}",
                            keys.join(", ")
                        ),
                    },
                });
            };
            all.push(match value {
                Some(value) => Predicate::leaf(at, Op::Eq, [value.clone()]),
                None => Predicate::leaf(at, Op::IsNull, []),
            });
        }
        any.push(Predicate::And(all));
    }
    Ok((!any.is_empty()).then_some(Predicate::Or(any)))
}

pub(super) fn size(file: &DataFileMeta) -> u64 {
    u64::try_from(file.file_size).unwrap_or(0)
}
