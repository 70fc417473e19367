//! A running write: takes batches, keeps memory bounded, prepares commits.

mod buffers;
mod committing;
mod place_anew;
mod reroute;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int8Array, RecordBatch};
use arrow::compute::{take, take_record_batch};
use headwater_io::Reservation;
use headwater_lsm::{KeyEncoder, MergeRules};
use headwater_metadata::plan::EntryFilter;
use headwater_spec::BinaryRow;
use headwater_spec::manifest::{EntryKind, ManifestEntry};
use headwater_spec::predicate::Predicate;

use super::bucket::{BucketWriter, Merging};
use super::builder::{Changes, Overwrite};
use super::check::check_batch;
use super::commit::CommitMessage;
use super::cross_partition::CrossPartition;
use super::defaults::Defaults;
use super::dynamic::DynamicBuckets;
use super::file::FileLayout;
use super::kinds::Kinds;
use super::overwrite::{Target, check_inside};
use super::postpone::{Postpone, file_prefix};
use super::route::Router;
use crate::compact::inline::InlineCompaction;
use crate::error::{Error, Result};
use crate::read::Split;
use crate::read::file::bucket_path;
use crate::spill::Spilling;
use crate::table::Table;
use buffers::Staged;

/// A running write of one table. Not visible before a commit; dropping it commits nothing.
pub struct TableWrite {
    table: Table,
    user: String,
    /// The job may run a second time, and is to write once.
    once: bool,
    target: Target,
    /// The snapshot that replacing rows were computed from.
    read_snapshot: Option<i64>,
    /// What changed rows were computed from.
    changes: Option<Changes>,
    /// Files that the next commit takes out of the table.
    removed: Vec<ManifestEntry>,
    layout: Arc<FileLayout>,
    router: Router,
    /// The index of keys, for dynamic buckets.
    dynamic: Option<DynamicBuckets>,
    /// Where the keys of the whole table live, if they move between partitions.
    cross: Option<Box<CrossPartition>>,
    /// The buckets of partitions, for a table that postpones them.
    pub(super) postpone: Option<Postpone>,
    defaults: Defaults,
    merging: Option<Arc<Merging>>,
    kinds: Kinds,
    buckets: HashMap<(BinaryRow, i32), BucketWriter>,
    /// Largest committed sequence number of each bucket of the known partitions.
    committed: HashMap<(BinaryRow, i32), i64>,
    /// Runs of each bucket, of a `write-only` table.
    runs: HashMap<(BinaryRow, i32), usize>,
    /// Partitions that were looked up, with the newest snapshot of that moment.
    known_partitions: HashMap<BinaryRow, i64>,
    memory: Reservation,
    spilling: Spilling,
    /// Rows that have not been given to their buckets.
    staged: Staged,
    rows: u64,
    /// Rows of the pending files that arrived after newer ones.
    rows_older: u64,
    /// Files that wait for a commit to succeed.
    pending: Vec<CommitMessage>,
    /// Rows were lost on the way to files: nothing more can be committed.
    broken: bool,
    /// A commit of the pending files may have happened.
    in_doubt: bool,
    /// Waiting rows were numbered or given buckets anew: what is known of the buckets is old.
    outdated: bool,
    /// The overwrite is committed; another commit would replace it.
    replaced: bool,
    /// Compacts the buckets that are written to.
    compaction: Option<InlineCompaction>,
}

impl std::fmt::Debug for TableWrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWrite")
            .field("table", &self.table.name())
            .field("user", &self.user)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl TableWrite {
    pub(super) fn new(
        table: Table,
        user: String,
        overwrite: Overwrite,
        read_snapshot: Option<i64>,
        changes: Option<Changes>,
    ) -> Result<Self> {
        let schema = table.schema();
        let merging = if table.has_primary_key() {
            let keys = schema.columns(&schema.trimmed_primary_keys())?;
            let types: Vec<_> = keys.into_iter().map(|f| f.data_type).collect();
            let rules = MergeRules::new(schema, &table.options().merge);
            Some(Arc::new(Merging {
                encoder: KeyEncoder::new(&types)?,
                function: rules.function(&schema.fields)?,
                order: rules.order(&schema.fields)?,
            }))
        } else {
            None
        };
        let target = Target::new(&table, overwrite)?;
        let spilling = Spilling::new(&table.env().scratch, &table.options().buffer)
            .map_err(|reason| Error::WriteRefused { table: table.name().to_owned(), reason })?;
        Ok(Self {
            compaction: InlineCompaction::of(&table).filter(|_| !target.replaces()),
            read_snapshot,
            changes,
            removed: Vec::new(),
            layout: Arc::new(FileLayout::new(&table)?),
            postpone: None,
            router: Router::new(&table)?,
            dynamic: DynamicBuckets::of(&table, target.replaces())?,
            cross: CrossPartition::of(&table)?.map(Box::new),
            target,
            defaults: Defaults::new(schema)?,
            merging,
            kinds: Kinds::new(&table)?,
            buckets: HashMap::new(),
            committed: HashMap::new(),
            runs: HashMap::new(),
            known_partitions: HashMap::new(),
            memory: table.env().memory.reserve(format!("write buffer of {}", table.name())),
            spilling,
            staged: Staged::default(),
            rows: 0,
            rows_older: 0,
            pending: Vec::new(),
            broken: false,
            in_doubt: false,
            outdated: false,
            replaced: false,
            user,
            once: false,
            table,
        })
    }

    /// The table.
    #[must_use]
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// The commit user.
    #[must_use]
    pub fn commit_user(&self) -> &str {
        &self.user
    }

    /// Takes new rows: whole rows with the table's [`arrow_schema`](Table::arrow_schema).
    ///
    /// # Errors
    /// A row does not fit its column (nothing of the batch is taken), or rows could not be written.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.write_kinds(batch, None).await
    }

    /// Takes changes: `kinds` is the row kind of each row, 0 +I, 1 -U, 2 +U, 3 -D. Without it the
    /// column that the option `rowkind.field` names says the kinds, else all rows are +I.
    ///
    /// # Errors
    /// As [`Self::write`]; retractions for a table without a primary key.
    pub async fn write_kinds(
        &mut self,
        batch: &RecordBatch,
        kinds: Option<&Int8Array>,
    ) -> Result<()> {
        let batch = self.checked(batch)?;
        let batch = self.defaults.fill(batch)?;
        let rows = self.kinds.apply(batch, kinds)?;
        self.take(rows).await
    }

    /// Takes changes whose nulls mean "no change": they stay, where [`Self::write_kinds`] puts
    /// default values in the place of nulls. For merge engines that leave columns as they are.
    ///
    /// # Errors
    /// As [`Self::write_kinds`].
    pub async fn write_partial(
        &mut self,
        batch: &RecordBatch,
        kinds: Option<&Int8Array>,
    ) -> Result<()> {
        let batch = self.checked(batch)?;
        let rows = self.kinds.apply(batch, kinds)?;
        self.take(rows).await
    }

    /// Takes rows that were read from the table, changed or not: nulls stay, and their kinds are
    /// `kinds` (+I without) also where `rowkind.field` names a column with kinds.
    ///
    /// # Errors
    /// As [`Self::write_kinds`].
    pub async fn write_stored(
        &mut self,
        batch: &RecordBatch,
        kinds: Option<&Int8Array>,
    ) -> Result<()> {
        let batch = self.checked(batch)?;
        let rows = self.kinds.apply_given(batch, kinds)?;
        self.take(rows).await
    }

    /// Takes the files of a split out of the table with the next commit, which is a conflict if
    /// one of them is gone by then. Rows that are to stay must be written again.
    ///
    /// # Errors
    /// The table has a primary key, or the write is an overwrite.
    pub fn remove_files(&mut self, split: &Split) -> Result<()> {
        let reason = if self.table.has_primary_key() {
            "rows with a primary key go by retractions, not by files"
        } else if self.target.replaces() {
            "an overwrite takes out files by itself"
        } else {
            self.removed.extend(split.files().map(|file| ManifestEntry {
                kind: EntryKind::Delete,
                partition: split.partition.clone(),
                bucket: split.bucket(),
                total_buckets: split.total_buckets(),
                file: file.clone(),
            }));
            return Ok(());
        };
        Err(Error::Request { table: self.table.name().to_owned(), reason: reason.to_owned() })
    }

    /// The batch, whose rows fit the table.
    fn checked(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        self.check_whole()?;
        check_batch(&self.table, batch)?;
        // Nullability of the caller's schema does not matter any more.
        Ok(RecordBatch::try_new(self.table.arrow_schema(), batch.columns().to_vec())?)
    }

    async fn take(&mut self, rows: (RecordBatch, Option<Int8Array>)) -> Result<()> {
        let count = u64::try_from(rows.0.num_rows()).unwrap_or(0);
        match self.staged.take_in(rows) {
            Some(rows) => self.distribute(rows).await?,
            None if self.staged.is_full(self.memory_limit()) => self.distribute_staged().await?,
            None => {}
        }
        self.rows = self.rows.saturating_add(count);
        Ok(())
    }

    /// Gives rows to their buckets.
    async fn distribute(&mut self, rows: (RecordBatch, Option<Int8Array>)) -> Result<()> {
        let (batch, kinds) = rows;
        if self.cross.is_some() {
            return Box::pin(self.distribute_moving(batch, kinds)).await;
        }
        let kinds = kinds.as_ref();
        let mut routed = self.router.route(&batch)?;
        check_inside(&self.table, &self.target, routed.iter().map(|r| &r.partition))?;
        self.learn_partitions(routed.iter().map(|r| &r.partition)).await?;
        // Until all rows have their place, an error (or a dropped future) leaves some behind.
        self.broken = true;
        if let Some(dynamic) = &mut self.dynamic {
            routed = dynamic.assign(&batch, routed)?;
        }
        if let Some(postpone) = &self.postpone {
            routed = postpone.assign(&batch, routed)?;
        }
        self.staged.learn(batch.num_rows(), routed.len());
        for part in routed {
            let rows = match &part.rows {
                None => batch.clone(),
                Some(rows) => take_record_batch(&batch, rows)?,
            };
            let kinds = match (kinds, &part.rows) {
                (None, _) => None,
                (Some(kinds), None) => Some(kinds.clone()),
                (Some(kinds), Some(rows)) => {
                    let taken: ArrayRef = take(kinds, rows, None)?;
                    Some(AsArray::as_primitive(&taken).clone())
                }
            };
            self.bucket(part.partition, part.bucket)?.add(rows, kinds)?;
        }
        self.bound_memory().await?;
        self.broken = false;
        Ok(())
    }

    /// Gives rows to their buckets whose keys may live in any partition.
    async fn distribute_moving(
        &mut self,
        batch: RecordBatch,
        kinds: Option<Int8Array>,
    ) -> Result<()> {
        let routed = self.router.route(&batch)?;
        check_inside(&self.table, &self.target, routed.iter().map(|r| &r.partition))?;
        let Some(cross) = &mut self.cross else { return Ok(()) };
        cross.prepare(&self.target).await?;
        // The index changes before the rows have their place.
        self.broken = true;
        let parts = cross.assign(&batch, kinds.as_ref(), routed, &self.target).await?;
        self.learn_partitions(parts.iter().map(|part| &part.partition)).await?;
        self.staged.learn(batch.num_rows(), parts.len());
        for part in parts {
            self.bucket(part.partition, part.bucket)?.add(part.rows, part.kinds)?;
        }
        self.bound_memory().await?;
        self.broken = false;
        Ok(())
    }

    /// Refuses to go on after rows were lost, or after an overwrite is done.
    fn check_whole(&self) -> Result<()> {
        if self.replaced {
            return Err(Error::Request {
                table: self.table.name().to_owned(),
                reason:
                    "this overwrite is committed, another commit would replace its rows: start \
                         a new write"
                        .to_owned(),
            });
        }
        if !self.broken {
            return Ok(());
        }
        Err(Error::Request {
            table: self.table.name().to_owned(),
            reason: "an earlier operation of this write failed or was given up half way: start a \
                     new write and give it all rows since the last commit"
                .to_owned(),
        })
    }

    fn bucket(&mut self, partition: BinaryRow, bucket: i32) -> Result<&mut BucketWriter> {
        match self.buckets.entry((partition, bucket)) {
            std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(free) => {
                let key = free.key().clone();
                let values = headwater_metadata::plan::partition_values(
                    &key.0,
                    &self.table.partition_types()?,
                )?;
                let dir = bucket_path(&self.table, &values, key.1)?;
                let next = self.committed.get(&key).map_or(0, |max| max.saturating_add(1));
                let known = self.known_partitions.get(&key.0).copied().unwrap_or(0);
                Ok(free.insert(BucketWriter::new(
                    &self.table,
                    &self.layout,
                    self.merging.as_ref(),
                    (key.0, key.1, dir),
                    (next, known),
                )))
            }
        }
    }

    /// Looks up the sequence numbers, bucket counts and dynamic buckets of partitions that are new to this write.
    async fn learn_partitions<'a>(
        &mut self,
        partitions: impl Iterator<Item = &'a BinaryRow>,
    ) -> Result<()> {
        let own_counts = self.postpone.as_ref().is_some_and(|postpone| !postpone.waits());
        let counts = self.table.options().bucket > 0 || self.table.has_dynamic_buckets();
        let restores = own_counts || !self.target.replaces() && counts;
        let new: HashSet<BinaryRow> =
            partitions.filter(|p| !self.known_partitions.contains_key(*p)).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let store = self.table.store();
        let latest = store.latest_snapshot().await?;
        let latest_id = latest.as_ref().map_or(0, |s| s.id);
        if let (true, Some(latest)) = (restores, &latest) {
            let filter = EntryFilter {
                partitions: Some(new.clone()),
                real_buckets_only: true,
                ..EntryFilter::default()
            };
            let types = self.table.partition_types()?;
            let (live, _) = store.live_entries(latest, &types, &filter).await?;
            match &mut self.postpone {
                Some(postpone) => postpone.learn(&self.table, &new, &live)?,
                None => {
                    for entry in &live {
                        self.check_bucket_count(entry.total_buckets)?;
                    }
                }
            }
            if let Some(dynamic) = &mut self.dynamic {
                dynamic.load(&new, latest, &live).await?;
            }
            for entry in live {
                let key = (entry.partition, entry.bucket);
                if self.leaves_runs() && entry.file.level == 0 {
                    *self.runs.entry(key.clone()).or_default() += 1;
                }
                if self.target.replaces() {
                    continue;
                }
                let max = self.committed.entry(key).or_insert(entry.file.max_sequence_number);
                *max = (*max).max(entry.file.max_sequence_number);
            }
        }
        self.known_partitions.extend(new.into_iter().map(|p| (p, latest_id)));
        Ok(())
    }

    /// Whether runs add up that this writer does not compact.
    fn leaves_runs(&self) -> bool {
        let table = &self.table;
        table.has_primary_key()
            && (table.options().compaction.write_only || table.has_postponed_buckets())
    }

    /// Says how rows get their buckets, for a table that postpones them.
    pub(super) fn postponing(mut self, how: Option<Postpone>) -> Result<Self> {
        if how.as_ref().is_some_and(Postpone::waits) {
            let prefix = file_prefix(&self.table, &self.user)?;
            self.layout = Arc::new(FileLayout::postponed(&self.table, prefix)?);
        }
        self.postpone = how;
        Ok(self)
    }

    /// Says that the job may run a second time, and is to write once.
    pub(super) const fn once(mut self, once: bool) -> Self {
        self.once = once;
        self
    }

    /// Replaces the partitions that match alone, if there is a predicate.
    pub(super) fn replacing(mut self, partitions: Option<Predicate>) -> Self {
        if let Some(partitions) = partitions {
            self.target = Target::Matching(partitions);
        }
        self
    }

    fn check_bucket_count(&self, stored: i32) -> Result<()> {
        let wanted = self.table.options().bucket;
        if stored <= 0 || stored == wanted {
            return Ok(());
        }
        Err(Error::WriteRefused {
            table: self.table.name().to_owned(),
            reason: format!(
                "a partition was written with {stored} buckets but the table now has 'bucket' = \
                 '{wanted}': rewrite the partition with INSERT OVERWRITE or CALL sys.rescale first"
            ),
        })
    }

    /// Writes everything that is buffered; the files wait for the commit. Sequence numbers go on
    /// for the next rows.
    async fn flush_all(&mut self) -> Result<()> {
        self.check_whole()?;
        self.distribute_staged().await?;
        let mut keys: Vec<_> = self.buckets.keys().cloned().collect();
        keys.sort_by(|a, b| (a.0.as_bytes(), a.1).cmp(&(b.0.as_bytes(), b.1)));
        self.broken = true;
        self.flush(&keys).await?;
        self.broken = false;
        self.memory.free();
        for key in keys {
            let Some(bucket) = self.buckets.get_mut(&key) else { continue };
            let older = std::mem::take(&mut bucket.rows_older);
            self.rows_older = self.rows_older.saturating_add(older);
            if bucket.files.is_empty() {
                continue;
            }
            let files = std::mem::take(&mut bucket.files);
            let earlier = self.pending.iter_mut().find(|message| {
                message.bucket == bucket.bucket && message.partition == bucket.partition
            });
            match earlier {
                // Rows of a bucket are numbered anew and given other buckets together.
                Some(message) => message.files.extend(files),
                None => self.pending.push(CommitMessage {
                    partition: bucket.partition.clone(),
                    bucket: bucket.bucket,
                    total_buckets: match &self.postpone {
                        Some(postpone) => postpone.total_buckets(&bucket.partition),
                        None => self.table.options().bucket,
                    },
                    dir: bucket.dir.clone(),
                    files,
                    base_snapshot: bucket.known_snapshot,
                }),
            }
        }
        Ok(())
    }
}
