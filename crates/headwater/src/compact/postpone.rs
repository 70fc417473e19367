//! Gives rows that wait for their buckets in a table with postponed ones what they wait for.
//!
//! The files of a partition are read in the order in which they were made and written to the buckets
//! as any new rows are; one commit exchanges them. Rules: `docs/spec/bucket.md#postponed`. Source:
//! Paimon 1.4.2 `PostponeBucketCompactSplitSource`, `CompactAction#buildForPostponeBucketCompaction`.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::Int8Type;
use headwater_metadata::MetadataError;
use headwater_metadata::plan::{EntryFilter, partition_values};
use headwater_spec::DataFileMeta;
use headwater_spec::manifest::ManifestEntry;
use headwater_spec::path::POSTPONE_BUCKET;

use super::bucket::NEWER_SCHEMA;
use super::commit::is_conflict;
use super::job::{COMMIT_BYTES, Compaction, CompactionOutcome, MAX_ROUNDS, size};
use crate::error::{Error, Result};
use crate::read::assemble::Assembler;
use crate::read::file::{Wanted, bucket_path, kind_field};
use crate::write::CommitMessage;
use crate::write::take_in::{TakeIn, discard, exchange, of_partition};

/// Rows that are read at once.
const BATCH_ROWS: usize = 8192;

/// The files that wait in a partition, in the order in which they were made.
type Waiting = Vec<ManifestEntry>;

impl Compaction {
    /// Gives waiting rows their buckets, until none wait.
    pub(super) async fn take_in(&self, user: &str, outcome: &mut CompactionOutcome) -> Result<()> {
        let mut last = String::new();
        for _ in 0..MAX_ROUNDS {
            let groups = self.waiting().await?;
            if groups.is_empty() {
                return Ok(());
            }
            let mut lost = None;
            for group in groups {
                lost = self.take_in_group(group, user, outcome).await?.or(lost);
            }
            match lost {
                None => return Ok(()),
                Some(reason) => last = reason,
            }
        }
        Err(Error::Metadata(MetadataError::Conflict {
            table: self.table.name().to_owned(),
            competitor: format!("another job, {MAX_ROUNDS} times"),
            reason: last,
        }))
    }

    /// The partitions in which files wait, as many together as are committed at once.
    async fn waiting(&self) -> Result<Vec<Vec<Waiting>>> {
        let table = &self.table;
        let Some(snapshot) = table.store().latest_snapshot().await? else {
            return Ok(Vec::new());
        };
        let types = table.partition_types()?;
        let filter = EntryFilter {
            partition: self.predicate()?,
            bucket: Some(POSTPONE_BUCKET),
            ..EntryFilter::default()
        };
        let (live, _) = table.store().live_entries(&snapshot, &types, &filter).await?;
        let busy = self.busy(&live);
        let mut partitions: BTreeMap<Vec<u8>, Waiting> = BTreeMap::new();
        for entry in live {
            if busy.get(&entry.partition).copied().unwrap_or(false) {
                continue;
            }
            if entry.file.schema_id > table.schema().id {
                return Err(Error::Metadata(MetadataError::Conflict {
                    table: table.name().to_owned(),
                    competitor: format!("schema {}", entry.file.schema_id),
                    reason: NEWER_SCHEMA.to_owned(),
                }));
            }
            partitions.entry(entry.partition.as_bytes().to_vec()).or_default().push(entry);
        }
        let mut groups: Vec<Vec<Waiting>> = Vec::new();
        let mut bytes = u64::MAX;
        for mut waiting in partitions.into_values() {
            // Of files of one time the first committed comes first.
            waiting.sort_by_key(|entry| entry.file.creation_time_millis);
            let own: u64 = waiting.iter().map(|entry| size(&entry.file)).sum();
            if let Some(progress) = &self.progress {
                progress.plan(own);
            }
            bytes = bytes.saturating_add(own);
            match groups.last_mut() {
                Some(group) if bytes < COMMIT_BYTES => group.push(waiting),
                _ => {
                    bytes = own;
                    groups.push(vec![waiting]);
                }
            }
        }
        Ok(groups)
    }

    /// Takes partitions in; returns why one was given up, if one was.
    async fn take_in_group(
        &self,
        group: Vec<Waiting>,
        user: &str,
        outcome: &mut CompactionOutcome,
    ) -> Result<Option<String>> {
        let mut messages = self.write_group(&group, user).await?;
        let all: Waiting = group.iter().flatten().cloned().collect();
        let error = match exchange(&self.table, user, &all, &mut messages).await {
            Ok(done) => {
                self.count(&all, &messages, done.snapshot_id, outcome);
                return Ok(None);
            }
            Err(error) => error,
        };
        if !is_conflict(&error) {
            return self.give_up(error, messages).await;
        }
        let mut reason = error.to_string();
        for waiting in &group {
            let Some(first) = waiting.first() else { continue };
            let (mut own, rest) = of_partition(messages, &first.partition);
            messages = rest;
            // The only one has just lost.
            let again = match group.len() {
                1 => Err(None),
                _ => exchange(&self.table, user, waiting, &mut own).await.map_err(Some),
            };
            match again {
                Ok(done) => self.count(waiting, &own, done.snapshot_id, outcome),
                Err(error) if error.as_ref().is_none_or(is_conflict) => {
                    discard(&self.table, &own).await;
                    outcome.conflicts += 1;
                    if let Some(error) = error {
                        reason = error.to_string();
                    }
                }
                Err(error) => {
                    messages.extend(own);
                    let Some(error) = error else { continue };
                    return self.give_up(error, messages).await;
                }
            }
        }
        Ok(Some(reason))
    }

    /// Removes what was written, unless it may be committed.
    async fn give_up<T>(&self, error: Error, messages: Vec<CommitMessage>) -> Result<T> {
        if !matches!(error, Error::Metadata(MetadataError::OutcomeUnknown { .. })) {
            discard(&self.table, &messages).await;
        }
        Err(error)
    }

    async fn write_group(&self, group: &[Waiting], user: &str) -> Result<Vec<CommitMessage>> {
        let mut write = TakeIn::new(&self.table, user)?;
        for waiting in group {
            if let Err(error) = self.write_partition(waiting, &mut write).await {
                write.abort().await;
                return Err(error);
            }
        }
        write.finish().await
    }

    async fn write_partition(&self, waiting: &Waiting, write: &mut TakeIn) -> Result<()> {
        let table = &self.table;
        let Some(first) = waiting.first() else { return Ok(()) };
        let values = partition_values(&first.partition, &table.partition_types()?)?;
        let dir = bucket_path(table, &values, POSTPONE_BUCKET)?;
        let assembler = Assembler::new(&table.new_read(), &values);
        let mut fields = assembler.stored_fields();
        let stored = fields.len();
        fields.push(kind_field());
        let files: Vec<DataFileMeta> = waiting.iter().map(|entry| entry.file.clone()).collect();
        let mut units = Wanted::all(table, &dir, fields).fetch(files);
        while let Some(unit) = units.next().await {
            let mut left = Some(unit?);
            while let Some(mut unit) = left.take() {
                let job = move || Ok::<_, Error>((unit.next_batch(BATCH_ROWS)?, unit));
                let (batch, unit) = table.env().pools.run(job).await??;
                let Some(batch) = batch else { continue };
                let columns = batch.columns();
                let kinds = columns.get(stored).map(|kinds| kinds.as_primitive::<Int8Type>());
                let (Some(kinds), Some(columns)) = (kinds, columns.get(..stored)) else { continue };
                let rows = assembler.assemble(columns, None, batch.num_rows())?;
                write.write(&rows, kinds).await?;
                left = Some(unit);
            }
        }
        Ok(())
    }

    fn count(
        &self,
        waited: &[ManifestEntry],
        messages: &[CommitMessage],
        snapshot_id: Option<i64>,
        outcome: &mut CompactionOutcome,
    ) {
        let files = || messages.iter().flat_map(|message| &message.files);
        let before: u64 = waited.iter().map(|entry| size(&entry.file)).sum();
        outcome.snapshot_id = snapshot_id.or(outcome.snapshot_id);
        outcome.rows_taken_in = outcome.rows_taken_in.saturating_add(
            waited.iter().map(|entry| u64::try_from(entry.file.row_count).unwrap_or(0)).sum(),
        );
        outcome.buckets += messages.len();
        outcome.files_before += waited.len();
        outcome.files_after += files().count();
        outcome.bytes_before += before;
        outcome.bytes_after += files().map(size).sum::<u64>();
        if let Some(progress) = &self.progress {
            progress.write(files().map(size).sum());
            progress.finish(before);
        }
    }
}
