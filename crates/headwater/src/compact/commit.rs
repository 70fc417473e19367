//! Exchanges the files of finished compactions.

use headwater_metadata::MetadataError;
use headwater_metadata::commit::{CommitRequest, Committer, CompactedFrom};
use headwater_spec::manifest::{EntryKind, ManifestEntry};
use headwater_spec::{CommitKind, DataFileMeta};

use super::bucket::{Compacted, Place};
use crate::error::{Error, Result};
use crate::table::Table;

/// Who commits.
#[derive(Clone, Copy)]
pub(crate) struct Committing<'a> {
    pub(crate) table: &'a Table,
    pub(crate) user: &'a str,
    pub(crate) identifier: i64,
}

/// What became of finished compactions.
#[derive(Debug, Default)]
pub(crate) struct Exchanged {
    /// The newest snapshot that exchanged files.
    pub(crate) snapshot_id: Option<i64>,
    /// Those whose files are exchanged.
    pub(crate) committed: Vec<Compacted>,
    /// Those that were given up because another commit came first, with what it was.
    pub(crate) dropped: Vec<(Place, String)>,
}

impl Committing<'_> {
    /// Commits compactions of different buckets, all at once if no other commit came in between, else
    /// those that still can be.
    ///
    /// # Errors
    /// The store failed. What is not in the table then is removed, unless that is not known.
    pub(crate) async fn exchange(self, done: Vec<Compacted>) -> Result<Exchanged> {
        let mut out = Exchanged::default();
        let done: Vec<_> =
            done.into_iter().filter(|c| !c.before.is_empty() || !c.after.is_empty()).collect();
        if done.is_empty() {
            return Ok(out);
        }
        match self.commit(&done).await {
            Ok(id) => {
                out.snapshot_id = id;
                out.committed = done;
                Ok(out)
            }
            Err(error) if is_conflict(&error) => {
                let alone = done.len() == 1;
                let mut rest = done.into_iter();
                while let Some(one) = rest.next() {
                    let again = match &error {
                        error if alone => Err(error.to_string()),
                        _ => match self.commit(std::slice::from_ref(&one)).await {
                            Ok(id) => Ok(id),
                            Err(error) if is_conflict(&error) => Err(error.to_string()),
                            Err(error) => {
                                self.discard(&error, std::iter::once(one).chain(rest)).await;
                                return Err(error);
                            }
                        },
                    };
                    match again {
                        Ok(id) => {
                            out.snapshot_id = id;
                            out.committed.push(one);
                        }
                        Err(reason) => {
                            one.discard(self.table).await;
                            out.dropped.push((one.place, reason));
                        }
                    }
                }
                Ok(out)
            }
            Err(error) => {
                self.discard(&error, done.into_iter()).await;
                Err(error)
            }
        }
    }

    async fn discard(self, error: &Error, done: impl Iterator<Item = Compacted>) {
        if matches!(error, Error::Metadata(MetadataError::OutcomeUnknown { .. })) {
            return;
        }
        for one in done {
            one.discard(self.table).await;
        }
    }

    async fn commit(self, done: &[Compacted]) -> Result<Option<i64>> {
        let Self { table, user, identifier } = self;
        let committer = Committer::new(table.store(), table.schema(), table.options())?;
        let mut request = CommitRequest::append(user, Vec::new());
        request.identifier = identifier;
        request.kind = CommitKind::Compact;
        request.check_conflicts = true;
        let mut from = CompactedFrom {
            snapshot_id: done.iter().map(|c| c.base_snapshot).min().unwrap_or(0),
            ..CompactedFrom::default()
        };
        for one in done {
            let entry = |kind, file: &DataFileMeta| ManifestEntry {
                kind,
                partition: one.place.partition.clone(),
                bucket: one.place.bucket,
                total_buckets: one.place.total_buckets,
                file: file.clone(),
            };
            request.entries.extend(one.before.iter().map(|file| entry(EntryKind::Delete, file)));
            request.entries.extend(one.after.iter().map(|file| entry(EntryKind::Add, file)));
            let newest = one.before.iter().map(|file| file.max_sequence_number).max();
            if let Some(newest) = newest {
                let key = (one.place.partition.clone(), one.place.bucket);
                from.newest.insert(key, newest);
            }
        }
        // Rows without a key do not replace each other.
        request.compacted_from = table.has_primary_key().then_some(from);
        Ok(committer.commit(&request).await?.map(|snapshot| snapshot.id))
    }
}

pub(super) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::Metadata(MetadataError::Conflict { .. } | MetadataError::GaveUp { .. }))
}
