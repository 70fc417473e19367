//! Files of a table without a primary key and without buckets become files with the same rows in
//! another order.
//!
//! Which order is the caller's business: it reads the rows of a partition, and gives them back
//! sorted. Here the files are chosen, written and exchanged. As for other compactions, a commit
//! that took out one of the files meanwhile makes this lose its partition only, and rows that
//! came meanwhile stay. Rules: `docs/spec/compaction.md#sorted`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use headwater_metadata::MetadataError;
use headwater_spec::snapshot::BATCH_COMMIT_IDENTIFIER;
use headwater_spec::{BinaryRow, DataFileMeta};

use super::bucket::{Compacted, NEWER_SCHEMA, Place};
use super::commit::Committing;
use super::job::{COMMIT_BYTES, CompactionOutcome, PartitionSpec, predicate, size};
use super::progress::CompactionProgress;
use crate::error::{Error, Result};
use crate::read::file::bucket_path;
use crate::read::{ReadBuilder, Split};
use crate::table::Table;
use crate::write::file::{FileLayout, OpenDataFile};
use crate::write::remove_files;

/// A job that puts the rows of partitions in another order: plan it, rewrite what was planned one
/// after the other, then [end](Self::end) it.
#[derive(Debug)]
pub struct Reordering {
    table: Table,
    user: String,
    progress: Option<Arc<CompactionProgress>>,
    /// What is written, but not committed.
    waiting: Vec<Compacted>,
    outcome: CompactionOutcome,
    /// Why partitions were given up.
    lost: Vec<String>,
}

/// The rows of a partition, as they are before they are put in another order.
#[derive(Debug, Clone)]
pub struct PartitionRows {
    read: ReadBuilder,
    splits: Vec<Split>,
    place: Place,
    snapshot_id: i64,
}

impl PartitionRows {
    /// Reads the [splits](Self::splits).
    #[must_use]
    pub const fn reader(&self) -> &ReadBuilder {
        &self.read
    }

    /// The files, each a split of its own.
    #[must_use]
    pub fn splits(&self) -> &[Split] {
        &self.splits
    }

    /// How many they are.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        let counts = self.files().map(|file| u64::try_from(file.row_count).unwrap_or(0));
        counts.fold(0, u64::saturating_add)
    }

    fn files(&self) -> impl Iterator<Item = &DataFileMeta> {
        self.splits.iter().flat_map(Split::files)
    }

    fn bytes(&self) -> u64 {
        self.files().map(size).fold(0, u64::saturating_add)
    }
}

impl Reordering {
    pub(crate) fn new(table: Table) -> Self {
        let user = table.random_user();
        let (waiting, outcome) = (Vec::new(), CompactionOutcome::default());
        Self { table, user, progress: None, waiting, outcome, lost: Vec::new() }
    }

    /// Counts what is done in `progress`.
    #[must_use]
    pub fn counted(mut self, progress: Arc<CompactionProgress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// The rows of these partitions in the newest snapshot; without any, of the whole table.
    ///
    /// # Errors
    /// The rows of this table have a place already, by key or bucket; it cannot be read or
    /// compacted by this version; a name is no partition column.
    pub async fn plan(&self, partitions: &[PartitionSpec]) -> Result<Vec<PartitionRows>> {
        let table = &self.table;
        check(table)?;
        let wanted = predicate(table, partitions)?;
        let read = table.pinned().await?.new_read();
        let mut filtered = read.clone();
        let schema = table.schema();
        let column = |key: usize| table.row_type().index_of(schema.partition_keys.get(key)?);
        if let Some(predicate) = wanted.as_ref().and_then(|w| w.remap_conjuncts(&column)) {
            filtered = filtered.filter(predicate)?;
        }
        let plan = filtered.plan().await?;
        let mut at: HashMap<(BinaryRow, i32, i32), usize> = HashMap::new();
        let mut found: Vec<PartitionRows> = Vec::new();
        for split in plan.splits {
            let value = |key: usize| split.partition_values.get(key).cloned().flatten();
            if wanted.as_ref().is_some_and(|wanted| !wanted.matches(&value)) {
                continue;
            }
            if split.files().any(|file| file.schema_id > schema.id) {
                return Err(self.conflict("a newer schema", NEWER_SCHEMA.to_owned()));
            }
            let Some(mut files) = split.single_files() else {
                return Err(request(table, "its rows are merged when they are read"));
            };
            for file in &mut files {
                // Rows whose time is over are not lost by being moved.
                file.expires = false;
            }
            let key = (split.partition.clone(), split.bucket, split.total_buckets);
            let next = found.len();
            let index = *at.entry(key).or_insert(next);
            if index == next {
                found.push(PartitionRows {
                    read: read.clone(),
                    splits: Vec::new(),
                    place: Place {
                        dir: bucket_path(table, &split.partition_values, split.bucket)?,
                        partition: split.partition,
                        bucket: split.bucket,
                        total_buckets: split.total_buckets,
                    },
                    snapshot_id: plan.snapshot_id.unwrap_or(0),
                });
            }
            if let Some(rows) = found.get_mut(index) {
                rows.splits.append(&mut files);
            }
        }
        if let Some(progress) = &self.progress {
            progress.plan(found.iter().map(PartitionRows::bytes).fold(0, u64::saturating_add));
        }
        Ok(found)
    }

    /// Starts the new files of a partition.
    ///
    /// # Errors
    /// An option of the table cannot be read.
    pub fn rewrite(&self, rows: PartitionRows) -> Result<Rewrite> {
        Ok(Rewrite {
            layout: Arc::new(FileLayout::compacted(&self.table, 0)?),
            uuid: self.table.env().random.uuid(),
            progress: self.progress.clone(),
            table: self.table.clone(),
            before: rows,
            open: None,
            files: Vec::new(),
            rows: 0,
        })
    }

    /// Takes a partition whose rows are all written; from time to time those that wait are
    /// committed. What another commit has come before is only known at the [end](Self::end).
    ///
    /// # Errors
    /// Not all rows were written, or rows too many; the store failed. The new files are removed,
    /// unless it is not known whether they are committed.
    pub async fn finish(&mut self, rewrite: Rewrite) -> Result<()> {
        let bytes = rewrite.before.bytes();
        self.waiting.push(rewrite.finish().await?);
        if let Some(progress) = &self.progress {
            progress.finish(bytes);
        }
        let waiting: u64 = self.waiting.iter().flat_map(|c| &c.written).map(size).sum();
        if waiting >= COMMIT_BYTES { self.exchange().await } else { Ok(()) }
    }

    /// Commits what waits; what was done.
    ///
    /// # Errors
    /// Another commit took files out that were rewritten: those partitions stay as they are, the
    /// others are committed. Or the store failed.
    pub async fn end(mut self) -> Result<CompactionOutcome> {
        self.exchange().await?;
        let Some(first) = self.lost.first() else { return Ok(self.outcome) };
        Err(self.conflict(
            "another commit",
            format!(
                "rows of {} were changed while they were sorted, nothing of that is committed \
                 ({first}); {} of other partitions are sorted and committed: run it again",
                match self.lost.len() {
                    1 => "a partition".to_owned(),
                    n => format!("{n} partitions"),
                },
                match self.outcome.buckets {
                    0 => "none".to_owned(),
                    n => n.to_string(),
                },
            ),
        ))
    }

    async fn exchange(&mut self) -> Result<()> {
        let done = std::mem::take(&mut self.waiting);
        let committing = Committing {
            table: &self.table,
            user: &self.user,
            identifier: BATCH_COMMIT_IDENTIFIER,
        };
        let exchanged = committing.exchange(done).await?;
        self.outcome.add(&exchanged);
        self.lost.extend(exchanged.dropped.into_iter().map(|(place, why)| match &*place.dir {
            "" => why,
            dir => format!("{dir}: {why}"),
        }));
        Ok(())
    }

    fn conflict(&self, competitor: &str, reason: String) -> Error {
        Error::Metadata(MetadataError::Conflict {
            table: self.table.name().to_owned(),
            competitor: competitor.to_owned(),
            reason,
        })
    }
}

/// Refuses tables whose rows have a place by key or bucket, or by another rule.
fn check(table: &Table) -> Result<()> {
    table.check_compactable()?;
    let options = table.options();
    if table.has_primary_key() {
        return Err(request(
            table,
            "it has a primary key, by which its files are sorted: only tables without one, and \
             without buckets, can be sorted by other columns; compact it without an order",
        ));
    }
    if options.bucket != -1 {
        return Err(request(
            table,
            &format!(
                "it has 'bucket' = '{}': rows of a bucket stay in the order in which they came; \
                 only tables with 'bucket' = '-1' can be sorted; compact it without an order",
                options.bucket
            ),
        ));
    }
    let clustered = table.schema().option("clustering.incremental");
    if clustered.is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
        return Err(request(
            table,
            "its option 'clustering.incremental' = 'true' says its order, which engines keep \
             from commit to commit: it cannot be sorted as a whole; ALTER TABLE … SET \
             ('clustering.incremental' = 'false') first",
        ));
    }
    Ok(())
}

fn request(table: &Table, reason: &str) -> Error {
    Error::Request { table: table.name().to_owned(), reason: reason.to_owned() }
}

/// The new files of a partition, rolling at the table's target size.
pub struct Rewrite {
    table: Table,
    layout: Arc<FileLayout>,
    uuid: String,
    progress: Option<Arc<CompactionProgress>>,
    before: PartitionRows,
    open: Option<OpenDataFile>,
    files: Vec<DataFileMeta>,
    rows: i64,
}

impl std::fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewrite")
            .field("dir", &self.before.place.dir)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl Rewrite {
    /// Takes the next rows: whole rows with the table's [`arrow_schema`](Table::arrow_schema).
    ///
    /// # Errors
    /// The rows do not have that schema, or could not be stored. Then [give up](Self::abort).
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = RecordBatch::try_new(self.table.arrow_schema(), batch.columns().to_vec())?;
        let layout = Arc::clone(&self.layout);
        let (first, count) = (self.rows, i64::try_from(batch.num_rows()).unwrap_or(i64::MAX));
        let named = u64::try_from(self.files.len()).unwrap_or(u64::MAX);
        let name = self.layout.file_name(&self.uuid, named);
        let open = self.open.take();
        let job = move || {
            let mut file = match open {
                Some(file) => file,
                None => layout.start(name)?,
            };
            let bytes = file.add_plain(&layout, first, &batch)?;
            Ok::<_, Error>((file, bytes))
        };
        let (mut file, bytes) = self.table.env().pools.run(job).await??;
        if let Some(progress) = &self.progress {
            let stored = bytes.iter().map(Bytes::len).sum::<usize>();
            progress.write(u64::try_from(stored).unwrap_or(0));
        }
        file.put(&self.table, &self.before.place.dir, bytes).await?;
        let full = file.bytes_written() >= self.layout.target_bytes();
        self.open = Some(file);
        self.rows = self.rows.saturating_add(count);
        if full { self.close().await } else { Ok(()) }
    }

    async fn close(&mut self) -> Result<()> {
        if let Some(file) = self.open.take() {
            self.files.push(file.finish(&self.layout, &self.before.place.dir).await?);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Compacted> {
        let recorded: i64 = self.before.files().map(|file| file.row_count).sum();
        let ended = match self.close().await {
            Ok(()) if self.rows != recorded => Err(Error::DataFile {
                table: self.table.name().to_owned(),
                path: self.before.place.dir.clone(),
                reason: format!("its files gave {} rows, {recorded} are recorded", self.rows),
            }),
            ended => ended,
        };
        if let Err(error) = ended {
            self.abort().await;
            return Err(error);
        }
        Ok(Compacted {
            before: self.before.files().cloned().collect(),
            after: self.files.clone(),
            written: self.files,
            base_snapshot: self.before.snapshot_id,
            rows_older: 0,
            place: self.before.place,
        })
    }

    /// Gives up, and removes what was written.
    pub async fn abort(self) {
        remove_files(&self.table, &self.before.place.dir, &self.files).await;
    }
}
