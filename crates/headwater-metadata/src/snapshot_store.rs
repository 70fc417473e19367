//! Finds and reads snapshots; hint files only save a listing.
//!
//! Rules: `docs/spec/snapshot.md#lookup`. Source: Paimon 1.4.2 `SnapshotManager`, `HintFileUtils`.

use futures::{StreamExt, stream};
use headwater_io::IoError;
use headwater_spec::path;
use headwater_spec::snapshot::BATCH_COMMIT_IDENTIFIER;
use headwater_spec::{CommitKind, Snapshot, SpecError};

use crate::error::{MetadataError, Result};
use crate::store::TableStore;

/// Snapshots that are read at a time where many are looked through.
const SNAPSHOTS_AHEAD: usize = 8;

impl TableStore {
    /// Ids of all snapshots, ascending. Other files in the directory are passed over.
    ///
    /// # Errors
    /// The listing failed.
    pub async fn snapshot_ids(&self) -> Result<Vec<i64>> {
        let mut ids: Vec<i64> = self
            .io()
            .list(&self.path(path::SNAPSHOT_DIR))
            .await?
            .iter()
            .filter_map(|f| path::number_after(&f.name, "snapshot-"))
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Id of the newest snapshot; `None` for a table without one.
    ///
    /// The hint is believed only if its snapshot exists and the next one does not.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn latest_snapshot_id(&self) -> Result<Option<i64>> {
        if let Some(hint) = self.hint(path::LATEST_HINT).await?
            && let Some(next) = hint.checked_add(1)
            && !self.snapshot_exists(next).await?
            && self.snapshot_exists(hint).await?
        {
            return Ok(Some(hint));
        }
        Ok(self.snapshot_ids().await?.last().copied())
    }

    async fn snapshot_exists(&self, id: i64) -> Result<bool> {
        Ok(self.io().exists(&self.path(&path::snapshot_file(id))).await?)
    }

    async fn hint(&self, file: &str) -> Result<Option<i64>> {
        match self.io().read(&self.path(file)).await {
            Ok(bytes) => Ok(std::str::from_utf8(&bytes)
                .ok()
                .and_then(|t| t.trim().parse().ok())
                .filter(|id| *id > 0)),
            Err(IoError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The newest snapshot; `None` for a table without one.
    ///
    /// # Errors
    /// The document is corrupt, or the store did not answer.
    pub async fn latest_snapshot(&self) -> Result<Option<Snapshot>> {
        match self.latest_snapshot_id().await? {
            None => Ok(None),
            Some(id) => self.snapshot(id).await.map(Some),
        }
    }

    /// The snapshot `id`.
    ///
    /// # Errors
    /// `SnapshotNotFound` names the ones that are there; corrupt document.
    pub async fn snapshot(&self, id: i64) -> Result<Snapshot> {
        let file = self.path(&path::snapshot_file(id));
        let bytes = match self.io().read(&file).await {
            Err(IoError::NotFound { .. }) => {
                let ids = self.snapshot_ids().await?;
                let range = match (ids.first(), ids.last()) {
                    (Some(first), Some(last)) => format!("; there are {first} to {last}"),
                    _ => "; the table has no snapshot".to_owned(),
                };
                return Err(MetadataError::SnapshotNotFound {
                    table: self.name().to_owned(),
                    id,
                    range,
                });
            }
            other => other?,
        };
        let snapshot = Snapshot::from_json(&bytes).map_err(|e| MetadataError::corrupt(&file, e))?;
        if snapshot.id != id {
            let reason = format!("it holds snapshot {}, not {id}", snapshot.id);
            return Err(MetadataError::corrupt(&file, SpecError::corrupt("snapshot", reason)));
        }
        Ok(snapshot)
    }

    /// The snapshot `id`, or `None` if it is not there.
    pub(crate) async fn try_snapshot(&self, id: i64) -> Result<Option<Snapshot>> {
        match self.snapshot(id).await {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(MetadataError::SnapshotNotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The newest snapshot that is not newer than `millis` after 1970; `None` if all are.
    ///
    /// # Errors
    /// A snapshot is corrupt, or the store did not answer.
    pub async fn snapshot_at(&self, millis: i64) -> Result<Option<Snapshot>> {
        let ids = self.snapshot_ids().await?;
        let (mut low, mut high) = (0, ids.len());
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(id) = ids.get(middle) else { break };
            // One that is gone by now has expired: it is older than those that are there.
            match self.try_snapshot(*id).await? {
                Some(snapshot) if snapshot.time_millis > millis => high = middle,
                Some(snapshot) => {
                    found = Some(snapshot);
                    low = middle + 1;
                }
                None => low = middle + 1,
            }
        }
        Ok(found)
    }

    /// Newest snapshot of a commit user, searching backwards from the newest one.
    ///
    /// # Errors
    /// A snapshot is corrupt, or the store did not answer.
    pub async fn latest_snapshot_of_user(&self, user: &str) -> Result<Option<Snapshot>> {
        match self.snapshot_ids().await?.last() {
            Some(latest) => self.newest_of_user(user, 0, *latest).await,
            None => Ok(None),
        }
    }

    /// Newest snapshot of a commit user among those behind `after`, up to `latest`.
    pub(crate) async fn newest_of_user(
        &self,
        user: &str,
        after: i64,
        latest: i64,
    ) -> Result<Option<Snapshot>> {
        let ids = (after.saturating_add(1)..=latest).rev();
        let mut found = stream::iter(ids).map(|id| self.try_snapshot(id)).buffered(SNAPSHOTS_AHEAD);
        while let Some(snapshot) = found.next().await {
            match snapshot? {
                // A compaction job of the same name says nothing of the user's rows.
                Some(snapshot)
                    if snapshot.commit_user == user
                        && (snapshot.commit_kind != CommitKind::Compact
                            || snapshot.commit_identifier != BATCH_COMMIT_IDENTIFIER) =>
                {
                    return Ok(Some(snapshot));
                }
                Some(_) => {}
                // It has expired, and so have those before it.
                None => break,
            }
        }
        Ok(None)
    }

    /// Updates the hint of the newest snapshot; it is only a hint, so failures are logged.
    pub(crate) async fn write_latest_hint(&self, id: i64) {
        let file = self.path(path::LATEST_HINT);
        if let Err(error) = self.io().overwrite(&file, id.to_string().into()).await {
            tracing::warn!(%error, "the hint {file} could not be updated; it is not needed");
        }
    }
}
