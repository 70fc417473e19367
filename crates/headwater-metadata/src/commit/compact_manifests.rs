//! Merges the manifests of the newest snapshot for themselves: a snapshot of kind COMPACT with the
//! same files, whose manifests are as few as their target size allows.
//!
//! Rules: `docs/spec/manifest.md#merging-on-demand`. Source: Paimon 1.4.2
//! `FileStoreCommitImpl#compactManifest`.

use headwater_spec::manifest::ManifestFileMeta;
use headwater_spec::snapshot::BATCH_COMMIT_IDENTIFIER;
use headwater_spec::{CommitKind, Snapshot};

use super::attempt::SNAPSHOT_VERSION;
use super::manifest_merge::{MergeLimits, merge_manifests};
use super::{Committer, Work};
use crate::error::Result;
use crate::manifest_store::ManifestWriter;

impl Committer<'_> {
    /// Merges the manifests of the newest snapshot and drops entries of removed files; returns the
    /// snapshot that has the new ones, `None` if there was nothing to merge.
    ///
    /// # Errors
    /// As [`Self::commit`], but never a conflict of rows: whatever other writers commit, the
    /// manifests of their snapshot are merged then.
    pub async fn compact_manifests(&self, user: &str) -> Result<Option<Snapshot>> {
        self.run(Work::Manifests(user)).await
    }

    /// Writes the merged manifests of `latest` and the lists of the next snapshot; `None` if that
    /// would gain nothing.
    pub(super) async fn write_merged(
        &self,
        writer: &mut ManifestWriter<'_>,
        user: &str,
        latest: Option<&Snapshot>,
    ) -> Result<Option<Snapshot>> {
        let Some(latest) = latest else { return Ok(None) };
        self.current_schema_id().await?;
        let before = self.store.manifests_of(latest).await?;
        let after =
            merge_manifests(self, writer, before.clone(), latest.schema_id, MergeLimits::ALWAYS)
                .await?;
        if !gains(&before, &after) {
            return Ok(None);
        }
        let (base_list, base_size) = writer.list(&after).await?;
        let (delta_list, delta_size) = writer.list(&[]).await?;
        Ok(Some(Snapshot {
            version: SNAPSHOT_VERSION,
            uuid: None,
            id: latest.id.saturating_add(1),
            base_manifest_list: base_list,
            base_manifest_list_size: Some(base_size),
            delta_manifest_list: delta_list,
            delta_manifest_list_size: Some(delta_size),
            changelog_manifest_list: None,
            changelog_manifest_list_size: None,
            commit_user: user.to_owned(),
            commit_identifier: BATCH_COMMIT_IDENTIFIER,
            commit_kind: CommitKind::Compact,
            time_millis: self.store.env().clock.now_millis().max(latest.time_millis),
            log_offsets: None,
            delta_record_count: 0,
            changelog_record_count: None,
            operation: None,
            // Schema, rows, index manifest, watermark, statistics, properties and row ids are
            // those of the rows, which stay.
            ..latest.clone()
        }))
    }
}

/// Whether manifests became fewer, or some of their entries went. Java commits whenever they are
/// others; manifests just below the target size would then be written anew at every call.
fn gains(before: &[ManifestFileMeta], after: &[ManifestFileMeta]) -> bool {
    let entries = |metas: &[ManifestFileMeta]| {
        metas.iter().fold(0_i64, |sum, meta| {
            sum.saturating_add(meta.num_added_files).saturating_add(meta.num_deleted_files)
        })
    };
    after.len() < before.len() || entries(after) < entries(before)
}
