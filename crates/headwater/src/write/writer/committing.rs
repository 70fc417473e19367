//! Commits of a running write, and its end.

use headwater_metadata::MetadataError;
use headwater_metadata::commit::IndexChanges;
use headwater_spec::BinaryRow;
use headwater_spec::snapshot::BATCH_COMMIT_IDENTIFIER;

use super::TableWrite;
use crate::compact::inline::{NewFiles, Place};
use crate::error::{Error, Result};
use crate::write::commit::{CommitMessage, CommitOutcome, Job, commit, remove_files};

/// Most times that rows get their buckets anew before a commit gives up.
const MAX_REROUTES: usize = 50;

impl TableWrite {
    /// Commits what was written since the last commit, under an identifier that grows from commit
    /// to commit of this user.
    ///
    /// # Errors
    /// Nothing is committed, and the rows wait: the same call tries again. After
    /// `OutcomeUnknown` ask [`Table::filter_committed`] first; the call refuses otherwise if the
    /// identifier is there.
    pub async fn commit(&mut self, identifier: i64) -> Result<CommitOutcome> {
        self.commit_all(identifier, false).await
    }

    /// The same, and waits for the compactions of the buckets, whose result has a snapshot of its own
    /// then. What becomes of them is in the outcome: rows that are committed stay committed.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn commit_waiting(&mut self, identifier: i64) -> Result<CommitOutcome> {
        self.commit_all(identifier, true).await
    }

    async fn commit_all(&mut self, identifier: i64, wait: bool) -> Result<CommitOutcome> {
        self.flush_all().await?;
        if self.in_doubt {
            let open = self.table.filter_committed(&self.user, &[identifier]).await?;
            if open.is_empty() {
                return Err(Error::Request {
                    table: self.table.name().to_owned(),
                    reason: format!(
                        "user '{}' has committed identifier {identifier} already: the commit whose \
                         outcome was unknown did happen",
                        self.user
                    ),
                });
            }
        }
        let mut outcome = self.commit_pending(identifier).await?;
        let buckets: Vec<_> =
            self.pending.iter().map(|m| (m.partition.clone(), m.bucket)).collect();
        let committed = std::mem::take(&mut self.pending);
        if self.leaves_runs() {
            for message in committed.iter().filter(|message| message.bucket >= 0) {
                let runs =
                    self.runs.entry((message.partition.clone(), message.bucket)).or_default();
                *runs += message.files.len();
                outcome.runs_waiting = outcome.runs_waiting.max(*runs);
            }
        }
        outcome.rows_older = std::mem::take(&mut self.rows_older);
        self.in_doubt = false;
        self.replaced = self.target.replaces();
        self.removed.clear();
        if let Some(cross) = &mut self.cross {
            outcome.rows_not_indexed = cross.rows_left_out();
            if let Some(snapshot) = outcome.snapshot_id {
                cross.committed(snapshot);
            }
        }
        if let (Some(dynamic), Some(_)) = (&mut self.dynamic, outcome.snapshot_id) {
            let idle = dynamic.committed();
            self.forget(|partition| idle.contains(partition));
        }
        if std::mem::take(&mut self.outdated) || !outcome.moved.is_empty() {
            // Another writer is at work: look everything up again before the next rows.
            self.forget(|_| true);
        } else if let Some(snapshot) = outcome.snapshot_id {
            // Nobody else came into these buckets up to the new snapshot.
            for key in buckets {
                if let Some(bucket) = self.buckets.get_mut(&key) {
                    bucket.known_snapshot = snapshot;
                }
            }
        }
        self.rows = 0;
        if let (Some(compaction), Some(snapshot)) = (&mut self.compaction, outcome.snapshot_id) {
            let added = committed.into_iter().map(new_files).collect();
            outcome.compaction =
                compaction.after_commit(&self.user, identifier, snapshot, added, wait).await;
            self.advance(snapshot, outcome.compaction.snapshot_id);
        }
        Ok(outcome)
    }

    /// Commits the waiting files; rows get other buckets while other commits give keys theirs.
    async fn commit_pending(&mut self, identifier: i64) -> Result<CommitOutcome> {
        for attempt in 0.. {
            let index = match &mut self.dynamic {
                Some(dynamic) => {
                    dynamic.write_files(self.in_doubt).await?;
                    dynamic.changes(&self.pending)
                }
                None => match &self.cross {
                    Some(cross) => cross.changes(&self.target, &self.pending)?,
                    None => IndexChanges::default(),
                },
            };
            let job = Job {
                table: &self.table,
                user: &self.user,
                identifier,
                // After a doubtful one, too: it may become visible after it was looked for.
                once: self.once || self.in_doubt,
                target: &self.target,
                read_snapshot: self.read_snapshot,
                changes: self.changes,
                removed: &self.removed,
                index: &index,
                compacts: false,
            };
            let error = match commit(job, &mut self.pending).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            // Rows may have been numbered anew before the error.
            self.outdated = true;
            self.number_above_pending();
            self.in_doubt |=
                matches!(&error, Error::Metadata(MetadataError::OutcomeUnknown { .. }));
            match error {
                Error::Metadata(MetadataError::IndexMoved {
                    partitions, maybe_visible, ..
                }) if attempt < MAX_REROUTES => {
                    self.reroute(&partitions, maybe_visible || self.in_doubt).await?;
                }
                Error::Metadata(MetadataError::KeysMoved { replaced, maybe_visible, .. })
                    if attempt < MAX_REROUTES && self.may_place_anew(replaced) =>
                {
                    Box::pin(self.place_anew(maybe_visible || self.in_doubt)).await?;
                }
                error => return Err(error),
            }
        }
        Ok(CommitOutcome::default())
    }

    /// Rows that come after a failed commit are newer than those that wait.
    fn number_above_pending(&mut self) {
        for message in &self.pending {
            let last = message.files.iter().map(|file| file.max_sequence_number).max();
            let key = (message.partition.clone(), message.bucket);
            if let (Some(last), Some(bucket)) = (last, self.buckets.get_mut(&key)) {
                bucket.number_above(last);
            }
        }
    }

    /// Forgets what is known of partitions; it is looked up again with their next row.
    pub(super) fn forget(&mut self, which: impl Fn(&BinaryRow) -> bool) {
        self.known_partitions.retain(|partition, _| !which(partition));
        self.committed.retain(|(partition, _), _| !which(partition));
        self.runs.retain(|(partition, _), _| !which(partition));
        self.buckets.retain(|(partition, _), _| !which(partition));
    }

    /// A compaction brings no rows: if nobody else committed before it, nobody else has.
    fn advance(&mut self, snapshot: i64, compacted: Option<i64>) {
        if let Some(id) = compacted.filter(|id| snapshot.saturating_add(1) == *id) {
            for bucket in self.buckets.values_mut().filter(|b| b.known_snapshot == snapshot) {
                bucket.known_snapshot = id;
            }
        }
    }

    /// Writes what is buffered; what is to be committed.
    pub(in crate::write) async fn flushed(&mut self) -> Result<Vec<CommitMessage>> {
        self.flush_all().await?;
        Ok(std::mem::take(&mut self.pending))
    }

    /// Gives the write up: removes the files that were written since the last commit, unless a
    /// commit of them may have happened.
    pub async fn abort(self) {
        if !self.in_doubt {
            for message in &self.pending {
                remove_files(&self.table, &message.dir, &message.files).await;
            }
        }
        if let Some(dynamic) = self.dynamic {
            dynamic.abort(self.in_doubt).await;
        }
        if let Some(compaction) = self.compaction {
            compaction.abort().await;
        }
        for bucket in self.buckets.into_values() {
            remove_files(&self.table, &bucket.dir, &bucket.files).await;
        }
    }

    /// Commits a batch job's rows, waits for the compactions, and ends the write.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn commit_batch(mut self) -> Result<CommitOutcome> {
        let committed = self.commit_waiting(BATCH_COMMIT_IDENTIFIER).await;
        if committed.is_err() {
            // Nobody can try again.
            self.abort().await;
        }
        committed
    }
}

fn new_files(message: CommitMessage) -> NewFiles {
    let CommitMessage { partition, bucket, total_buckets, dir, files, .. } = message;
    NewFiles { place: Place { partition, bucket, total_buckets, dir }, files }
}
