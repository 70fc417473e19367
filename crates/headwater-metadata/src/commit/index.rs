//! Index files in a commit: the index manifest of the next snapshot, and whether the hash index
//! still is what the writer chose its buckets by.
//!
//! Format: `docs/spec/manifest.md#index-manifest`, `docs/spec/bucket.md#dynamic`. Source: Paimon
//! 1.4.2 `IndexManifestFileHandler`, `OverwriteChangesProvider`.

use std::collections::{BTreeSet, HashMap, HashSet};

use headwater_spec::hash_index::HASH_INDEX;
use headwater_spec::manifest::{EntryKind, IndexManifestEntry, ManifestEntry};
use headwater_spec::{BinaryRow, Snapshot};

use super::{Committer, OverwriteScope};
use crate::error::{MetadataError, Result};
use crate::manifest_store::ManifestWriter;
use crate::plan::{EntryFilter, partition_values};

/// Index files of a commit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexChanges {
    /// New index files. Each takes the place of the one of its partition, bucket and kind.
    pub added: Vec<IndexManifestEntry>,
    /// The names of the hash index files that the buckets of the rows were chosen by, for each
    /// partition. Refuses if they are others by then: a key might get into two buckets.
    pub known_hashes: HashMap<BinaryRow, BTreeSet<String>>,
    /// The snapshot, 0 for none, up to which the writer knows in which partition and bucket each key
    /// of the table lives. Refuses if rows came since: a key might get into two partitions.
    pub keys_known_at: Option<i64>,
}

impl Committer<'_> {
    /// The index files of the snapshot that the attempt builds on.
    pub(super) async fn index_files(
        &self,
        latest: Option<&Snapshot>,
    ) -> Result<Vec<IndexManifestEntry>> {
        match latest {
            Some(latest) => self.store.index_manifest(latest).await,
            None => Ok(Vec::new()),
        }
    }

    /// Refuses if the hash index of a partition is not what the rows were distributed by.
    pub(super) async fn check_hashes(
        &self,
        changes: &IndexChanges,
        latest: Option<&Snapshot>,
        maybe_visible: bool,
    ) -> Result<()> {
        if changes.known_hashes.is_empty() {
            return Ok(());
        }
        let mut live: HashMap<&BinaryRow, BTreeSet<&str>> =
            changes.known_hashes.keys().map(|partition| (partition, BTreeSet::new())).collect();
        let files = self.index_files(latest).await?;
        for file in files.iter().filter(|file| file.index_type == HASH_INDEX) {
            if let Some(names) = live.get_mut(&file.partition) {
                names.insert(&file.file_name);
            }
        }
        let moved: Vec<BinaryRow> = changes
            .known_hashes
            .iter()
            .filter(|(partition, known)| {
                let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
                live.get(partition).is_none_or(|live| *live != known)
            })
            .map(|(partition, _)| partition.clone())
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        Err(MetadataError::IndexMoved {
            table: self.store.name().to_owned(),
            partitions: moved,
            competitor: latest.map_or_else(|| "a rollback".to_owned(), super::describe),
            maybe_visible,
        })
    }

    /// Refuses if another commit brought rows after the writer looked where the keys of the table are.
    pub(super) async fn check_keys(
        &self,
        changes: &IndexChanges,
        latest: Option<&Snapshot>,
        maybe_visible: bool,
    ) -> Result<()> {
        let Some(known) = changes.keys_known_at else { return Ok(()) };
        let moved = |competitor: String, replaced: bool| {
            let table = self.store.name().to_owned();
            Err(MetadataError::KeysMoved { table, competitor, replaced, maybe_visible })
        };
        let newest = latest.map_or(0, |latest| latest.id);
        if known > newest {
            return moved("a rollback".to_owned(), true);
        }
        let mut competitor: Option<Snapshot> = None;
        let mut replaced = false;
        for id in known.saturating_add(1)..=newest {
            let Some(snapshot) = self.store.try_snapshot(id).await? else {
                return moved(format!("snapshot {id}, which has expired"), true);
            };
            if !self.brings_rows(&snapshot).await? {
                continue;
            }
            let filter = EntryFilter::default();
            let delta = self.store.delta_entries(&snapshot, &self.partition_types, &filter).await?;
            // A retraction may take a key out of the table, too.
            let removes = |entry: &ManifestEntry| {
                entry.kind == EntryKind::Delete || entry.file.delete_row_count != Some(0)
            };
            replaced |= delta.iter().any(removes);
            if !delta.is_empty() {
                competitor = Some(snapshot);
            }
        }
        match competitor {
            Some(competitor) => moved(super::describe(&competitor), replaced),
            None => Ok(()),
        }
    }

    /// The index manifest of the next snapshot: the latest one, or a new one if something changes.
    pub(super) async fn next_index(
        &self,
        writer: &mut ManifestWriter<'_>,
        changes: &IndexChanges,
        overwrite: Option<&OverwriteScope>,
        latest: Option<&Snapshot>,
    ) -> Result<Option<String>> {
        let same = latest.and_then(|latest| latest.index_manifest.clone());
        if changes.added.is_empty() && (overwrite.is_none() || same.is_none()) {
            return Ok(same);
        }
        let new: HashSet<(&BinaryRow, i32, &str)> = changes
            .added
            .iter()
            .map(|file| (&file.partition, file.bucket, file.index_type.as_str()))
            .collect();
        let mut kept = Vec::new();
        let mut gone = false;
        for file in self.index_files(latest).await? {
            let overwritten = match overwrite {
                Some(scope) => self.is_inside(scope, &file.partition)?,
                None => false,
            };
            let replaced = (&file.partition, file.bucket, file.index_type.as_str());
            if overwritten || new.contains(&replaced) {
                gone = true;
            } else {
                kept.push(file);
            }
        }
        if changes.added.is_empty() && !gone {
            return Ok(same);
        }
        kept.extend(
            changes
                .added
                .iter()
                .map(|new| IndexManifestEntry { kind: EntryKind::Add, ..new.clone() }),
        );
        Ok(Some(writer.index(&kept).await?))
    }

    fn is_inside(&self, scope: &OverwriteScope, partition: &BinaryRow) -> Result<bool> {
        Ok(match scope {
            OverwriteScope::Table => true,
            OverwriteScope::Partitions(partitions) => partitions.contains(partition),
            OverwriteScope::Matching(predicate) => {
                let values = partition_values(partition, &self.partition_types)?;
                predicate.matches(&|i| values.get(i).cloned().flatten())
            }
        })
    }
}
