//! One attempt: rebase on the newest snapshot, check, write metadata, publish.

use std::collections::HashSet;

use headwater_io::{IoError, Publish};
use headwater_spec::manifest::{EntryKind, ManifestEntry};
use headwater_spec::path::{POSTPONE_BUCKET, snapshot_file};
use headwater_spec::{BinaryRow, CommitKind, Snapshot};

use super::manifest_merge::{MergeLimits, merge_manifests};
use super::{Attempt, CommitRequest, Committer, History, OverwriteScope, Work, conflict};
use crate::error::{MetadataError, Result};
use crate::manifest_store::ManifestWriter;
use crate::plan::EntryFilter;

/// Version of the snapshot documents that this program writes.
pub(super) const SNAPSHOT_VERSION: i32 = 3;

impl Committer<'_> {
    pub(super) async fn attempt(
        &self,
        work: Work<'_>,
        history: &mut History,
        latest: Option<&Snapshot>,
    ) -> Result<Attempt> {
        let mut writer = ManifestWriter::new(self.store, self.options, &self.partition_types)?;
        let written = match work {
            Work::Changes(request) => {
                self.check_once(request, history, latest).await?;
                let delta = self.delta(request, latest).await?;
                let maybe_visible = !history.delta_lists.is_empty();
                self.check_hashes(&request.index, latest, maybe_visible).await?;
                self.check_keys(&request.index, latest, maybe_visible).await?;
                if let (Some(base), Some(latest)) = (&request.sequence_base, latest) {
                    self.check_sequences(base, latest, maybe_visible).await?;
                }
                self.write_metadata(&mut writer, request, latest, &delta).await.map(Some)
            }
            Work::Manifests(user) => self.write_merged(&mut writer, user, latest).await,
        };
        let snapshot = match written {
            Ok(Some(snapshot)) => snapshot,
            Ok(None) => {
                self.remove(&writer.written).await;
                return Ok(Attempt::Needless);
            }
            Err(error) => {
                self.remove(&writer.written).await;
                return Err(error);
            }
        };
        match self.publish(&snapshot).await {
            Ok(Publish::Published) => Ok(Attempt::Done(Box::new(snapshot))),
            Ok(Publish::Exists) => {
                self.remove(&writer.written).await;
                Ok(Attempt::Lost(snapshot.id))
            }
            Err(MetadataError::Io(error @ IoError::OutcomeUnknown { .. })) => {
                history.base.get_or_insert(snapshot.id - 1);
                history.delta_lists.insert(snapshot.delta_manifest_list);
                history.unknown = Some((snapshot.id, Box::new(error)));
                Ok(Attempt::Unknown)
            }
            Err(error) => {
                self.remove(&writer.written).await;
                Err(error)
            }
        }
    }

    /// The changes relative to `latest`: for an overwrite the removed files come first.
    async fn delta(
        &self,
        request: &CommitRequest,
        latest: Option<&Snapshot>,
    ) -> Result<Vec<ManifestEntry>> {
        let mut delta = Vec::new();
        if let (Some(scope), Some(latest)) = (&request.overwrite, latest) {
            let filter = filter_of(scope);
            if let Some(base) = request.overwrite_base {
                self.check_base(base, latest, &filter, None).await?;
            }
            // Rows that wait for their buckets go with a table that has such, and with no other.
            let real_buckets_only = self.options.bucket != POSTPONE_BUCKET;
            let filter = EntryFilter { real_buckets_only, ..filter };
            let (live, _) = self.store.live_entries(latest, &self.partition_types, &filter).await?;
            if request.overwrite_base.is_some() && live.iter().any(|e| e.bucket < 0) {
                return Err(MetadataError::Conflict {
                    table: self.store.name().to_owned(),
                    competitor: "writers of postponed buckets".to_owned(),
                    reason:
                        "rows wait for a compaction in what is overwritten, which this statement \
                             read without them: compact the table, and run the statement again"
                            .to_owned(),
                });
            }
            delta.extend(live.into_iter().map(|e| self.delete_of(e)));
        }
        if let (Some(base), Some(latest)) = (&request.computed_from, latest) {
            let buckets = base.buckets.as_ref();
            let partitions = buckets
                .map(|buckets| buckets.iter().map(|(partition, _)| partition.clone()).collect());
            let filter = EntryFilter { partitions, ..EntryFilter::default() };
            self.check_base(base.snapshot_id, latest, &filter, buckets).await?;
        }
        if let (Some(base), Some(latest)) = (&request.compacted_from, latest) {
            self.check_compacted(base, latest).await?;
        }
        delta.extend(request.entries.iter().map(|entry| match entry.kind {
            EntryKind::Add => entry.clone(),
            EntryKind::Delete => self.delete_of(entry.clone()),
        }));
        let checked = request.check_conflicts || request.kind != CommitKind::Append;
        if let (true, Some(latest)) = (checked || self.options.commit.discard_duplicates, latest) {
            let changed: HashSet<BinaryRow> = delta.iter().map(|e| e.partition.clone()).collect();
            let filter = EntryFilter { partitions: Some(changed), ..EntryFilter::default() };
            let (base, _) = self.store.live_entries(latest, &self.partition_types, &filter).await?;
            if self.options.commit.discard_duplicates && request.kind == CommitKind::Append {
                let live: HashSet<_> = base.iter().map(ManifestEntry::identity).collect();
                delta.retain(|e| !live.contains(&e.identity()));
            }
            if checked {
                let keys = self.schema.columns(&self.schema.trimmed_primary_keys())?;
                let key_types: Vec<_> = keys.into_iter().map(|f| f.data_type).collect();
                conflict::check(&base, &delta, request.kind, &key_types).map_err(|reason| {
                    MetadataError::Conflict {
                        table: self.store.name().to_owned(),
                        competitor: super::describe(latest),
                        reason,
                    }
                })?;
            }
        }
        Ok(delta)
    }

    /// Refuses to replace or change rows that came after the snapshot which the new rows were
    /// computed from: those of `scope`, and of these `buckets` if they are given.
    ///
    /// Compactions change no rows. Java replaces such rows silently.
    async fn check_base(
        &self,
        base: i64,
        latest: &Snapshot,
        scope: &EntryFilter,
        buckets: Option<&HashSet<(BinaryRow, i32)>>,
    ) -> Result<()> {
        let refuse = |competitor: String, reason: String| {
            Err(MetadataError::Conflict { table: self.store.name().to_owned(), competitor, reason })
        };
        if base > latest.id {
            return refuse(
                super::describe(latest),
                format!("snapshot {base} was read: the table was rolled back or made anew"),
            );
        }
        for id in base.saturating_add(1)..=latest.id {
            let Some(snapshot) = self.store.try_snapshot(id).await? else {
                return refuse(
                    format!("snapshot {id}, which has expired"),
                    format!(
                        "snapshot {base} was read, what came after it is not known any more: run the statement again"
                    ),
                );
            };
            if !self.brings_rows(&snapshot).await? {
                continue;
            }
            let changed = self.store.delta_entries(&snapshot, &self.partition_types, scope).await?;
            // No read shows rows that wait for their buckets.
            let concerned = |entry: &ManifestEntry| {
                entry.bucket >= 0
                    && buckets.is_none_or(|buckets| {
                        buckets.contains(&(entry.partition.clone(), entry.bucket))
                    })
            };
            if changed.iter().any(concerned) {
                return refuse(
                    super::describe(&snapshot),
                    format!(
                        "it changed rows that this statement changes too but had not read (it read snapshot {base}): run the statement again"
                    ),
                );
            }
        }
        Ok(())
    }

    /// Whether a commit brought rows that reads did not show before: a compaction does where it gives
    /// rows their buckets that waited for them.
    pub(super) async fn brings_rows(&self, snapshot: &Snapshot) -> Result<bool> {
        match snapshot.commit_kind {
            CommitKind::Append | CommitKind::Overwrite => Ok(true),
            CommitKind::Compact => {
                let parent = snapshot_file(snapshot.id);
                let (list, size) =
                    (&snapshot.delta_manifest_list, snapshot.delta_manifest_list_size);
                let metas = self.store.manifest_list(list, size, &parent).await?;
                Ok(metas.iter().any(|meta| meta.min_bucket.is_some_and(|min| min < 0)))
            }
            CommitKind::Analyze => Ok(false),
        }
    }

    fn delete_of(&self, mut entry: ManifestEntry) -> ManifestEntry {
        entry.kind = EntryKind::Delete;
        if self.options.manifest.drop_stats_of_deleted {
            entry.file.value_stats = headwater_spec::SimpleStats::empty();
            entry.file.value_stats_cols = Some(Vec::new());
        }
        entry
    }

    async fn write_metadata(
        &self,
        writer: &mut ManifestWriter<'_>,
        request: &CommitRequest,
        latest: Option<&Snapshot>,
        delta: &[ManifestEntry],
    ) -> Result<Snapshot> {
        let schema_id = self.current_schema_id().await?;
        let previous = match latest {
            Some(latest) => self.store.manifests_of(latest).await?,
            None => Vec::new(),
        };
        let limits = MergeLimits::of(&self.options.manifest);
        let base = merge_manifests(self, writer, previous, schema_id, limits).await?;
        let (base_list, base_size) = writer.list(&base).await?;
        let delta_metas = writer.entries(delta, schema_id).await?;
        let (delta_list, delta_size) = writer.list(&delta_metas).await?;
        let overwrite = request.overwrite.as_ref();
        let index_manifest = self.next_index(writer, &request.index, overwrite, latest).await?;
        let delta_rows = delta.iter().fold(0_i64, |sum, e| match e.kind {
            EntryKind::Add => sum.saturating_add(e.file.row_count),
            EntryKind::Delete => sum.saturating_sub(e.file.row_count),
        });
        let now = self.store.env().clock.now_millis();
        let same_schema = latest.is_some_and(|s| s.schema_id == schema_id);
        Ok(Snapshot {
            version: SNAPSHOT_VERSION,
            uuid: None,
            id: latest.map_or(1, |s| s.id.saturating_add(1)),
            schema_id,
            base_manifest_list: base_list,
            base_manifest_list_size: Some(base_size),
            delta_manifest_list: delta_list,
            delta_manifest_list_size: Some(delta_size),
            changelog_manifest_list: None,
            changelog_manifest_list_size: None,
            index_manifest,
            commit_user: request.user.clone(),
            commit_identifier: request.identifier,
            commit_kind: request.kind,
            // Never before the predecessor, however the clocks of two writers differ.
            time_millis: latest.map_or(now, |s| now.max(s.time_millis)),
            log_offsets: None,
            total_record_count: latest
                .map_or(0, |s| s.total_record_count)
                .saturating_add(delta_rows),
            delta_record_count: delta_rows,
            changelog_record_count: None,
            watermark: request.watermark.max(latest.and_then(|s| s.watermark)),
            statistics: latest.filter(|_| same_schema).and_then(|s| s.statistics.clone()),
            properties: Some(request.properties.clone()).filter(|p| !p.is_empty()),
            next_row_id: Some(latest.and_then(|s| s.next_row_id).unwrap_or(0)),
            operation: None,
        })
    }

    /// Id of the newest schema; refuses if the table is not the one that was opened any more.
    pub(super) async fn current_schema_id(&self) -> Result<i64> {
        let ids = self.store.schema_ids().await?;
        let Some(newest) = ids.last() else {
            return Err(MetadataError::TableNotFound { name: self.store.name().to_owned() });
        };
        // Options may be those of this write alone.
        let mut stored = self.store.schema(self.schema.id).await?;
        stored.options.clone_from(&self.schema.options);
        if stored != *self.schema {
            return Err(MetadataError::Conflict {
                table: self.store.name().to_owned(),
                competitor: "another process".to_owned(),
                reason: "the table was dropped and created again: open it again".to_owned(),
            });
        }
        Ok(*newest)
    }

    /// Removes files that nothing refers to; what cannot be removed is only waste.
    async fn remove(&self, files: &[String]) {
        for file in files {
            if let Err(error) = self.store.io().delete(&self.store.path(file)).await {
                tracing::debug!(%error, "an unreferenced file stays behind");
            }
        }
    }

    pub(super) const fn parts(
        &self,
    ) -> (&crate::TableStore, &headwater_spec::options::TableOptions, &[headwater_spec::DataType])
    {
        (self.store, self.options, self.partition_types.as_slice())
    }
}

/// Which live files an overwrite is about.
fn filter_of(scope: &OverwriteScope) -> EntryFilter {
    match scope {
        OverwriteScope::Table => EntryFilter::default(),
        OverwriteScope::Matching(predicate) => {
            EntryFilter { partition: Some(predicate.clone()), ..EntryFilter::default() }
        }
        OverwriteScope::Partitions(partitions) => {
            EntryFilter { partitions: Some(partitions.clone()), ..EntryFilter::default() }
        }
    }
}
