//! Rows that waited for their buckets are written to them, and committed in exchange for the files that
//! they waited in.
//!
//! Rules: `docs/spec/bucket.md#postponed`. Source: Paimon 1.4.2 `PostponeBucketCommittableRewriter`.

use arrow::array::{Int8Array, RecordBatch};
use headwater_metadata::commit::IndexChanges;
use headwater_spec::BinaryRow;
use headwater_spec::manifest::{EntryKind, ManifestEntry};
use headwater_spec::snapshot::BATCH_COMMIT_IDENTIFIER;

use super::builder::Overwrite;
use super::commit::{CommitMessage, CommitOutcome, Job, commit, remove_files};
use super::overwrite::Target;
use super::postpone::Postpone;
use super::writer::TableWrite;
use crate::error::Result;
use crate::table::Table;

/// Writes rows to their buckets.
pub(crate) struct TakeIn(TableWrite);

impl TakeIn {
    pub(crate) fn new(table: &Table, user: &str) -> Result<Self> {
        let (table, user) = (table.clone(), user.to_owned());
        let buckets = Postpone::fixed(&table, table.options().postpone.default_buckets)?;
        let write = TableWrite::new(table, user, Overwrite::None, None, None)?;
        Ok(Self(write.postponing(Some(buckets))?))
    }

    /// Takes rows, in the order in which they were written.
    pub(crate) async fn write(&mut self, batch: &RecordBatch, kinds: &Int8Array) -> Result<()> {
        self.0.write_stored(batch, Some(kinds)).await
    }

    /// What is to be committed; removes what was written after an error.
    pub(crate) async fn finish(mut self) -> Result<Vec<CommitMessage>> {
        match self.0.flushed().await {
            Ok(messages) => Ok(messages),
            Err(error) => {
                self.0.abort().await;
                Err(error)
            }
        }
    }

    /// Removes what was written.
    pub(crate) async fn abort(self) {
        self.0.abort().await;
    }
}

/// Commits rows in their buckets in exchange for the files that they waited in.
///
/// # Errors
/// Nothing is committed, unless the outcome is unknown. Another commit may have taken the files.
pub(crate) async fn exchange(
    table: &Table,
    user: &str,
    waited: &[ManifestEntry],
    messages: &mut [CommitMessage],
) -> Result<CommitOutcome> {
    let mut removed = waited.to_vec();
    for entry in &mut removed {
        entry.kind = EntryKind::Delete;
    }
    let job = Job {
        table,
        user,
        identifier: BATCH_COMMIT_IDENTIFIER,
        once: false,
        target: &Target::Append,
        read_snapshot: None,
        changes: None,
        removed: &removed,
        index: &IndexChanges::default(),
        compacts: true,
    };
    commit(job, messages).await
}

/// Removes the files of messages that are not committed.
pub(crate) async fn discard(table: &Table, messages: &[CommitMessage]) {
    for message in messages {
        remove_files(table, &message.dir, &message.files).await;
    }
}

/// The messages of a partition, apart from the others.
pub(crate) fn of_partition(
    messages: Vec<CommitMessage>,
    partition: &BinaryRow,
) -> (Vec<CommitMessage>, Vec<CommitMessage>) {
    messages.into_iter().partition(|message| message.partition == *partition)
}
