//! Keeps manifests few: merges those of the previous snapshot for the next one.
//!
//! Rules: `docs/spec/manifest.md#merging`. Source: Paimon 1.4.2 `ManifestFileMerger`.

use std::collections::HashSet;

use headwater_spec::BinaryRow;
use headwater_spec::manifest::{
    EntryKind, FileIdentity, ManifestEntry, ManifestFileMeta, merge_entries,
};
use headwater_spec::options::ManifestOptions;

use super::Committer;
use crate::error::{MetadataError, Result};
use crate::manifest_store::ManifestWriter;
use crate::plan::EntryFilter;

/// From which amounts on merging is worth it.
#[derive(Debug, Clone, Copy)]
pub(super) struct MergeLimits {
    /// Bytes of manifests that must change before all of them do.
    full_bytes: u64,
    /// Manifests of a last group that is smaller than the target.
    min_count: usize,
}

impl MergeLimits {
    /// Everything that can be merged is.
    pub(super) const ALWAYS: Self = Self { full_bytes: 1, min_count: 1 };

    /// Those of a table, for a commit of changes.
    pub(super) const fn of(options: &ManifestOptions) -> Self {
        Self { full_bytes: options.full_compaction_bytes, min_count: options.merge_min_count }
    }
}

/// The base list of the next snapshot: the given manifests, some of them merged.
pub(super) async fn merge_manifests(
    committer: &Committer<'_>,
    writer: &mut ManifestWriter<'_>,
    metas: Vec<ManifestFileMeta>,
    latest_schema: i64,
    limits: MergeLimits,
) -> Result<Vec<ManifestFileMeta>> {
    match full(committer, writer, &metas, latest_schema, limits).await? {
        Some(merged) => Ok(merged),
        None => minor(committer, writer, metas, latest_schema, limits).await,
    }
}

/// Rewrites everything that is small or holds deletions, once there is enough of it.
async fn full(
    committer: &Committer<'_>,
    writer: &mut ManifestWriter<'_>,
    metas: &[ManifestFileMeta],
    latest_schema: i64,
    limits: MergeLimits,
) -> Result<Option<Vec<ManifestFileMeta>>> {
    let (store, options, types) = committer.parts();
    let target = as_i64(options.manifest.target_bytes);
    let must_change = |m: &ManifestFileMeta| m.num_deleted_files > 0 || m.file_size < target;
    let changing: i64 =
        metas.iter().filter(|m| must_change(m)).fold(0, |sum, m| sum.saturating_add(m.file_size));
    if changing < as_i64(limits.full_bytes) {
        return Ok(None);
    }
    let all = EntryFilter::default();
    let mut deleted: HashSet<FileIdentity> = HashSet::new();
    let mut partitions: HashSet<BinaryRow> = HashSet::new();
    for meta in metas.iter().filter(|m| m.num_deleted_files > 0) {
        for entry in store.entries_of(std::slice::from_ref(meta), types, &all).await? {
            if entry.kind == EntryKind::Delete {
                deleted.insert(entry.identity());
                partitions.insert(entry.partition);
            }
        }
    }
    let touched = EntryFilter { partitions: Some(partitions), ..EntryFilter::default() };
    let mut kept = Vec::new();
    let mut rewrite = Vec::new();
    for meta in metas {
        let affected = !deleted.is_empty()
            && (types.is_empty() || touched.may_hold(meta, types).map_err(corrupt)?);
        if must_change(meta) || affected { rewrite.push(meta) } else { kept.push(meta.clone()) }
    }
    if rewrite.len() <= 1 {
        return Ok(None);
    }
    let mut survivors: Vec<ManifestEntry> = Vec::new();
    for meta in rewrite {
        let entries = store.entries_of(std::slice::from_ref(meta), types, &all).await?;
        let before = entries.len();
        let live: Vec<_> = entries
            .into_iter()
            .filter(|e| e.kind == EntryKind::Add && !deleted.contains(&e.identity()))
            .collect();
        if must_change(meta) || live.len() < before {
            survivors.extend(live);
        } else {
            kept.push(meta.clone());
        }
    }
    kept.extend(writer.entries(&survivors, latest_schema).await?);
    Ok(Some(kept))
}

/// Merges neighbours until they reach the target size, or are many.
async fn minor(
    committer: &Committer<'_>,
    writer: &mut ManifestWriter<'_>,
    metas: Vec<ManifestFileMeta>,
    latest_schema: i64,
    limits: MergeLimits,
) -> Result<Vec<ManifestFileMeta>> {
    let (_, options, _) = committer.parts();
    let target = as_i64(options.manifest.target_bytes);
    let mut result = Vec::new();
    let mut group = Vec::new();
    let mut size = 0_i64;
    for meta in metas {
        size = size.saturating_add(meta.file_size);
        group.push(meta);
        if size >= target {
            merge_group(committer, writer, std::mem::take(&mut group), latest_schema, &mut result)
                .await?;
            size = 0;
        }
    }
    if group.len() >= limits.min_count.max(1) {
        merge_group(committer, writer, group, latest_schema, &mut result).await?;
    } else {
        result.extend(group);
    }
    Ok(result)
}

async fn merge_group(
    committer: &Committer<'_>,
    writer: &mut ManifestWriter<'_>,
    group: Vec<ManifestFileMeta>,
    latest_schema: i64,
    result: &mut Vec<ManifestFileMeta>,
) -> Result<()> {
    if group.len() <= 1 {
        result.extend(group);
        return Ok(());
    }
    let (store, _, types) = committer.parts();
    let entries = store.entries_of(&group, types, &EntryFilter::default()).await?;
    let merged = merge_entries(entries).map_err(corrupt)?;
    result.extend(writer.entries(&merged, latest_schema).await?);
    Ok(())
}

fn corrupt(source: headwater_spec::SpecError) -> MetadataError {
    MetadataError::corrupt("manifest", source)
}

fn as_i64(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
