//! A writer compacts the buckets that it writes to, while it goes on writing.
//!
//! Rows are acknowledged by their own commit before their files are compacted: whatever happens to a
//! compaction, no row is lost by it. Rules: `docs/spec/compaction.md#writers`.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use headwater_io::Task;
use headwater_metadata::plan::EntryFilter;
use headwater_spec::BinaryRow;
use headwater_spec::DataFileMeta;
use headwater_spec::manifest::ManifestEntry;
use headwater_spec::snapshot::BATCH_COMMIT_IDENTIFIER;

pub(crate) use super::bucket::Place;
use super::bucket::{BucketFiles, Compacted, NEWER_SCHEMA, Unit, compact};
use super::commit::Committing;
use crate::error::{Error, Result};
use crate::table::Table;

/// What the compactions of a commit came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactionReport {
    /// The snapshot that exchanged files, if one did.
    pub snapshot_id: Option<i64>,
    /// Files that were taken out and put in.
    pub files_before: usize,
    /// Files that were put in.
    pub files_after: usize,
    /// Rows that were found to have come after a newer one of their key, by `sequence.field` or by a
    /// sequence group, and so changed nothing or less than they say; also rows of earlier commits.
    pub rows_older: u64,
    /// Why compactions were given up: another commit came first. Their files will be compacted later.
    pub dropped: Vec<String>,
    /// How long the commit waited for compactions because a bucket had more runs than
    /// `num-sorted-run.stop-trigger` allows.
    pub stalled: Duration,
    /// Why a compaction failed; the rows are committed all the same.
    pub failed: Option<String>,
}

type Key = (BinaryRow, i32);
type Running = Task<Result<Vec<Compacted>>>;

/// The compactions of one writer.
pub(crate) struct InlineCompaction {
    table: Table,
    buckets: HashMap<Key, Known>,
    /// Buckets with files that were not looked at yet.
    changed: HashSet<Key>,
    /// Up to this snapshot, the files of the buckets are all known.
    known_snapshot: i64,
    /// Another writer committed: what is known is not all.
    stale: bool,
    running: Option<Running>,
}

struct Known {
    place: Place,
    files: BucketFiles,
}

/// Files of one bucket that a commit added.
pub(crate) struct NewFiles {
    pub(crate) place: Place,
    pub(crate) files: Vec<DataFileMeta>,
}

impl InlineCompaction {
    /// The compactions of a writer of this table, if its writers compact.
    pub(crate) fn of(table: &Table) -> Option<Self> {
        let compacts = !table.options().compaction.write_only
            && table.compaction_refusal().is_none()
            && (table.options().bucket > 0
                || !table.has_primary_key()
                || table.has_dynamic_buckets());
        compacts.then(|| Self {
            table: table.clone(),
            buckets: HashMap::new(),
            changed: HashSet::new(),
            known_snapshot: 0,
            stale: true,
            running: None,
        })
    }

    /// Goes on after a commit that added files. With `wait`, what there is to compact is compacted
    /// when this returns.
    pub(crate) async fn after_commit(
        &mut self,
        user: &str,
        identifier: i64,
        snapshot: i64,
        added: Vec<NewFiles>,
        wait: bool,
    ) -> CompactionReport {
        self.learn(snapshot, added);
        let mut report = CompactionReport::default();
        if let Err(error) = self.go_on(user, identifier, wait, &mut report).await {
            // The next commit looks again.
            self.stale = true;
            report.failed = Some(error.to_string());
        }
        report
    }

    fn learn(&mut self, snapshot: i64, added: Vec<NewFiles>) {
        let next = self.known_snapshot.saturating_add(1) == snapshot;
        self.stale |= !next;
        self.known_snapshot = snapshot;
        for NewFiles { place, files } in added {
            let key = (place.partition.clone(), place.bucket);
            let known = self.buckets.entry(key.clone()).or_insert_with(|| {
                // Other files of the bucket are not known.
                self.stale = true;
                Known { place, files: BucketFiles::new(&self.table, Vec::new()) }
            });
            for file in files {
                known.files.levels.add(file);
            }
            self.changed.insert(key);
        }
    }

    async fn go_on(
        &mut self,
        user: &str,
        identifier: i64,
        wait: bool,
        report: &mut CompactionReport,
    ) -> Result<()> {
        let options = &self.table.options().compaction;
        let full = options
            .full_every_commits
            .is_some_and(|n| identifier == BATCH_COMMIT_IDENTIFIER || identifier % n.max(1) == 0);
        let wait = wait || full || options.wait;
        let stop = options.stop_trigger;
        let keyed = self.table.has_primary_key();
        let stalls = keyed
            && self.changed.iter().any(|key| {
                self.buckets.get(key).is_some_and(|known| known.files.levels.run_count() > stop)
            });
        let mut done: Vec<Compacted> = Vec::new();
        if let Some(running) = self.running.take() {
            if wait || stalls || running.is_finished() {
                let started = self.table.env().clock.monotonic();
                done = running.await??;
                if stalls && !wait {
                    let now = self.table.env().clock.monotonic();
                    report.stalled = now.saturating_sub(started);
                }
            } else {
                self.running = Some(running);
                return Ok(());
            }
        }
        if wait {
            let mut failed = None;
            if let Some(task) = self.start(&done, full, report).await? {
                match task.await.map_err(Error::from).flatten() {
                    Ok(next) => done = chained(&self.table, done, next).await,
                    Err(error) => failed = Some(error),
                }
            }
            self.exchange(user, identifier, done, report, false).await?;
            return failed.map_or(Ok(()), Err);
        }
        self.exchange(user, identifier, done, report, true).await?;
        self.running = self.start(&[], false, report).await?;
        Ok(())
    }

    /// Looks everything up again if another writer was there.
    async fn refresh(&mut self) -> Result<()> {
        if !self.stale {
            return Ok(());
        }
        let Some(snapshot) = self.table.store().latest_snapshot().await? else { return Ok(()) };
        let partitions = self.buckets.keys().map(|(partition, _)| partition.clone()).collect();
        let filter = EntryFilter {
            partitions: Some(partitions),
            real_buckets_only: true,
            ..EntryFilter::default()
        };
        let types = self.table.partition_types()?;
        let (live, _) = self.table.store().live_entries(&snapshot, &types, &filter).await?;
        let mut files: HashMap<Key, Vec<DataFileMeta>> = HashMap::new();
        for ManifestEntry { partition, bucket, file, .. } in live {
            files.entry((partition, bucket)).or_default().push(file);
        }
        for (key, known) in &mut self.buckets {
            known.files.reload(&self.table, files.remove(key).unwrap_or_default());
        }
        self.known_snapshot = snapshot.id;
        self.stale = false;
        Ok(())
    }

    /// Starts compacting what there is to compact after `done`, which is not committed yet.
    async fn start(
        &mut self,
        done: &[Compacted],
        full: bool,
        report: &mut CompactionReport,
    ) -> Result<Option<Running>> {
        // Without every file of a bucket, deletes would be dropped that still hide rows.
        self.refresh().await?;
        for one in done {
            self.replace(one);
        }
        let mut units: Vec<(Place, Unit)> = Vec::new();
        for key in std::mem::take(&mut self.changed) {
            let Some(known) = self.buckets.get_mut(&key) else { continue };
            if known.files.newer_schema(&self.table).is_some() {
                report.dropped.push(known.place.because(NEWER_SCHEMA));
                continue;
            }
            if let Some(unit) = known.files.pick(&self.table, full)? {
                units.push((known.place.clone(), unit));
                // There may be more to do afterwards.
                self.changed.insert(key);
            }
        }
        if units.is_empty() {
            return Ok(None);
        }
        let (table, base) = (self.table.clone(), self.known_snapshot);
        // Not more than that: the writer goes on, and each holds a row group of every run.
        let at_once = table.env().pools.cpu_threads();
        let pools = table.env().pools.clone();
        Ok(Some(pools.spawn(async move {
            let tasks = units
                .into_iter()
                .map(|(place, unit)| compact(table.clone(), place, unit, base, None));
            let all: Vec<Result<Compacted>> =
                stream::iter(tasks).buffer_unordered(at_once).collect().await;
            let mut done = Vec::with_capacity(all.len());
            let mut failed = None;
            for one in all {
                match one {
                    Ok(one) => done.push(one),
                    Err(error) => failed = Some(error),
                }
            }
            let Some(error) = failed else { return Ok(done) };
            for one in done {
                one.discard(&table).await;
            }
            Err(error)
        })))
    }

    fn replace(&mut self, done: &Compacted) {
        let key = (done.place.partition.clone(), done.place.bucket);
        if let Some(known) = self.buckets.get_mut(&key) {
            known.files.levels.replace(&done.before, &done.after);
        }
    }

    /// Commits; `replace`: the files of the buckets do not have the result yet.
    async fn exchange(
        &mut self,
        user: &str,
        identifier: i64,
        done: Vec<Compacted>,
        report: &mut CompactionReport,
        replace: bool,
    ) -> Result<()> {
        if done.is_empty() {
            return Ok(());
        }
        let table = self.table.clone();
        let exchanged = Committing { table: &table, user, identifier }.exchange(done).await?;
        for one in &exchanged.committed {
            report.files_before += one.before.len();
            report.files_after += one.after.len();
            report.rows_older = report.rows_older.saturating_add(one.rows_older);
            if replace {
                self.replace(one);
            }
        }
        if let Some(id) = exchanged.snapshot_id {
            let next = self.known_snapshot.saturating_add(1) == id;
            self.stale |= !next;
            self.known_snapshot = id;
            report.snapshot_id = Some(id);
        }
        for (place, reason) in exchanged.dropped {
            self.stale = true;
            report.dropped.push(place.because(&reason));
        }
        Ok(())
    }

    /// Ends what runs, and removes what it wrote.
    pub(crate) async fn abort(mut self) {
        if let Some(running) = self.running.take()
            && let Ok(Ok(done)) = running.await
        {
            for one in done {
                one.discard(&self.table).await;
            }
        }
    }
}

/// Two rounds of compactions as one: files of the first that the second took up never become part of
/// the table.
async fn chained(table: &Table, first: Vec<Compacted>, second: Vec<Compacted>) -> Vec<Compacted> {
    let key = |c: &Compacted| (c.place.partition.clone(), c.place.bucket);
    let mut out: HashMap<Key, Compacted> = first.into_iter().map(|c| (key(&c), c)).collect();
    for next in second {
        let Some(mut known) = out.remove(&key(&next)) else {
            out.insert(key(&next), next);
            continue;
        };
        let same =
            |a: &DataFileMeta, b: &DataFileMeta| a.file_name == b.file_name && a.level == b.level;
        let (own, others): (Vec<_>, Vec<_>) = next
            .before
            .into_iter()
            .partition(|file| known.after.iter().any(|made| same(made, file)));
        known.after.retain(|made| !own.iter().any(|file| same(file, made)));
        known.before.extend(others);
        known.after.extend(next.after);
        known.rows_older = known.rows_older.saturating_add(next.rows_older);
        let kept: HashSet<String> = known.after.iter().map(|f| f.file_name.clone()).collect();
        let (written, gone): (Vec<_>, Vec<_>) = known
            .written
            .drain(..)
            .chain(next.written)
            .partition(|file| kept.contains(&file.file_name));
        known.written = written;
        crate::write::remove_files(table, &known.place.dir, &gone).await;
        out.insert(key(&known), known);
    }
    out.into_values().collect()
}
