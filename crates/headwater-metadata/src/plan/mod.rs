//! Snapshot to live manifest entries, reading only the manifests that can matter.
//!
//! Rules: `docs/spec/scan.md`. Source: Paimon 1.4.2 `ManifestsReader`, `FileStoreScan`, `FileEntry`.

use std::collections::{HashMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use headwater_spec::manifest::{EntryKind, FileIdentity, ManifestEntry, ManifestFileMeta};
use headwater_spec::predicate::{Op, Predicate};
use headwater_spec::{BinaryRow, DataType, Datum, Snapshot, SpecError};

use crate::error::{MetadataError, Result};
use crate::store::TableStore;

/// Which entries of a snapshot are wanted.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Filter on the partition columns; column numbers are positions among them.
    pub partition: Option<Predicate>,
    /// Only these partitions.
    pub partitions: Option<HashSet<BinaryRow>>,
    /// Only this bucket.
    pub bucket: Option<i32>,
    /// Leave out buckets below 0 (postponed rows, which no batch read sees).
    pub real_buckets_only: bool,
}

/// What planning looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanCounts {
    /// Manifests of the snapshot.
    pub manifests: usize,
    /// Manifests that were not read.
    pub manifests_pruned: usize,
}

impl EntryFilter {
    /// Whether a manifest may hold wanted entries.
    pub(crate) fn may_hold(
        &self,
        meta: &ManifestFileMeta,
        types: &[DataType],
    ) -> Result<bool, SpecError> {
        if self.real_buckets_only && meta.max_bucket.is_some_and(|max| max < 0) {
            return Ok(false);
        }
        if let (Some(bucket), Some(min), Some(max)) =
            (self.bucket, meta.min_bucket, meta.max_bucket)
            && (bucket < min || bucket > max)
        {
            return Ok(false);
        }
        if types.is_empty() {
            return Ok(true);
        }
        let stats = meta.partition_stats.decode(types)?;
        let rows = meta.num_added_files.saturating_add(meta.num_deleted_files);
        if let Some(predicate) = &self.partition
            && !predicate.may_match(rows, &|i| stats.get(i).cloned())
        {
            return Ok(false);
        }
        if let Some(wanted) = &self.partitions {
            for partition in wanted {
                let values = partition.to_values(types)?;
                let inside = values.iter().zip(&stats).all(|(value, stats)| match value {
                    None => stats.null_count.is_none_or(|n| n > 0),
                    Some(value) => Predicate::leaf(0, Op::Eq, [value.clone()])
                        .may_match(rows, &|_| Some(stats.clone())),
                });
                if inside {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        Ok(true)
    }
}

/// Decides per partition once, not per entry.
struct PartitionMemo<'a> {
    filter: &'a EntryFilter,
    types: &'a [DataType],
    known: HashMap<BinaryRow, bool>,
}

impl PartitionMemo<'_> {
    fn keeps(&mut self, entry: &ManifestEntry) -> Result<bool, SpecError> {
        let filter = self.filter;
        if filter.real_buckets_only && entry.bucket < 0
            || filter.bucket.is_some_and(|b| b != entry.bucket)
            || filter.partitions.as_ref().is_some_and(|p| !p.contains(&entry.partition))
        {
            return Ok(false);
        }
        let Some(predicate) = &filter.partition else { return Ok(true) };
        if let Some(known) = self.known.get(&entry.partition) {
            return Ok(*known);
        }
        let values = entry.partition.to_values(self.types)?;
        let keep = predicate.matches(&|i| values.get(i).cloned().flatten());
        self.known.insert(entry.partition.clone(), keep);
        Ok(keep)
    }
}

impl TableStore {
    /// Files that are live in `snapshot` and pass `filter`, in the order in which they were added.
    ///
    /// # Errors
    /// A manifest is missing, cut or corrupt, or removes a file that was never added.
    pub async fn live_entries(
        &self,
        snapshot: &Snapshot,
        partition_types: &[DataType],
        filter: &EntryFilter,
    ) -> Result<(Vec<ManifestEntry>, PlanCounts)> {
        let metas = self.manifests_of(snapshot).await?;
        let mut counts = PlanCounts { manifests: metas.len(), manifests_pruned: 0 };
        let mut wanted = Vec::with_capacity(metas.len());
        for meta in metas {
            let keep = filter
                .may_hold(&meta, partition_types)
                .map_err(|e| MetadataError::corrupt(&meta.file_name, e))?;
            if keep { wanted.push(meta) } else { counts.manifests_pruned += 1 }
        }
        let entries = self.entries_of(&wanted, partition_types, filter).await?;
        // Each manifest is sound by itself: it is the snapshot that puts the wrong ones together.
        let file = self.path(&headwater_spec::path::snapshot_file(snapshot.id));
        let live = merge(entries).map_err(|e| MetadataError::corrupt(&file, e))?;
        Ok((live, counts))
    }

    /// Entries of manifests that pass `filter`, not merged, in order.
    ///
    /// # Errors
    /// A manifest is missing, cut or corrupt.
    pub(crate) async fn entries_of(
        &self,
        metas: &[ManifestFileMeta],
        partition_types: &[DataType],
        filter: &EntryFilter,
    ) -> Result<Vec<ManifestEntry>> {
        let at_once = self.env().pools.cpu_threads().max(1) * 2;
        let pending: Vec<_> = metas.iter().map(|meta| self.manifest(meta)).collect();
        let read: Vec<Vec<ManifestEntry>> =
            stream::iter(pending).buffered(at_once).try_collect().await?;
        let mut memo = PartitionMemo { filter, types: partition_types, known: HashMap::new() };
        let mut kept = Vec::new();
        for (meta, entries) in metas.iter().zip(read) {
            for entry in entries {
                let keep =
                    memo.keeps(&entry).map_err(|e| MetadataError::corrupt(&meta.file_name, e))?;
                if keep {
                    kept.push(entry);
                }
            }
        }
        Ok(kept)
    }

    /// What one snapshot changed: its delta entries, not merged.
    ///
    /// # Errors
    /// A manifest is missing, cut or corrupt.
    pub async fn delta_entries(
        &self,
        snapshot: &Snapshot,
        partition_types: &[DataType],
        filter: &EntryFilter,
    ) -> Result<Vec<ManifestEntry>> {
        let parent = headwater_spec::path::snapshot_file(snapshot.id);
        let metas = self
            .manifest_list(
                &snapshot.delta_manifest_list,
                snapshot.delta_manifest_list_size,
                &parent,
            )
            .await?;
        self.entries_of(&metas, partition_types, filter).await
    }
}

/// ADD entries whose file no DELETE entry removes.
fn merge(entries: Vec<ManifestEntry>) -> Result<Vec<ManifestEntry>, SpecError> {
    let deleted: HashSet<FileIdentity> = entries
        .iter()
        .filter(|e| e.kind == EntryKind::Delete)
        .map(ManifestEntry::identity)
        .collect();
    let mut live = Vec::with_capacity(entries.len().saturating_sub(deleted.len()));
    let mut added = HashSet::with_capacity(entries.len());
    let mut removed = 0;
    for entry in entries {
        if entry.kind == EntryKind::Delete {
            continue;
        }
        let identity = entry.identity();
        let gone = deleted.contains(&identity);
        if !added.insert(identity) {
            let reason = format!("file {} is added twice", entry.file.file_name);
            return Err(SpecError::corrupt("manifest", reason));
        }
        if gone { removed += 1 } else { live.push(entry) }
    }
    if removed != deleted.len() {
        let lost = deleted.iter().find(|d| !added.contains(*d));
        let name = lost.map_or("a file", |d| d.file_name.as_str());
        let reason = format!("{name} is removed but was never added");
        return Err(SpecError::corrupt("manifest", reason));
    }
    Ok(live)
}

/// Values of a partition, checked against its types.
///
/// # Errors
/// [`MetadataError::Corrupt`] if the row does not fit.
pub fn partition_values(row: &BinaryRow, types: &[DataType]) -> Result<Vec<Option<Datum>>> {
    row.to_values(types).map_err(|e| MetadataError::corrupt("manifest", e))
}
