//! Messages of writers become one commit; numbers rows anew when another writer came first.

use std::collections::{HashMap, HashSet};

use headwater_lsm::{key_order, sections};
use headwater_metadata::MetadataError;
use headwater_metadata::commit::{
    BucketFloor, CommitRequest, Committer, ComputedFrom, IndexChanges, SequenceBase,
};
use headwater_metadata::error::MovedBucket;
use headwater_spec::manifest::{EntryKind, ManifestEntry};
use headwater_spec::{BinaryRow, CommitKind, DataFileMeta, DataType};
use indexmap::IndexMap;

use super::builder::Changes;
use super::overwrite::Target;
use super::rebase::renumber;
use crate::compact::CompactionReport;
use crate::error::Result;
use crate::table::Table;

/// Files of one bucket that wait for a commit.
#[derive(Debug, Clone)]
pub struct CommitMessage {
    /// Partition.
    pub partition: BinaryRow,
    /// Bucket.
    pub bucket: i32,
    /// Bucket count of the partition, -1 without fixed buckets, -2 if they are postponed.
    pub total_buckets: i32,
    /// Directory of the bucket inside the table.
    pub dir: String,
    /// The new files; durable already.
    pub files: Vec<DataFileMeta>,
    /// Newest snapshot that the writer knew when it numbered its rows.
    pub base_snapshot: i64,
}

/// What a commit did.
#[derive(Debug, Clone, Default)]
pub struct CommitOutcome {
    /// The snapshot that made the rows visible; `None` if there was nothing to commit.
    pub snapshot_id: Option<i64>,
    /// Rows added.
    pub rows: u64,
    /// Written rows that arrived after a newer one of their key, by `sequence.field` or by a
    /// sequence group, and so changed nothing or less than they say. Counted among rows that were
    /// buffered together; those that are older than stored ones show when files are compacted
    /// ([`CompactionReport::rows_older`]).
    pub rows_older: u64,
    /// Rows among them that no read shows before a compaction gives them their buckets.
    pub rows_postponed: u64,
    /// Stored rows, before merging, whose keys were not looked up because their files are older than
    /// `cross-partition-upsert.index-ttl`: a written key of theirs may live in two partitions now.
    pub rows_not_indexed: u64,
    /// Runs of the bucket that has most of them, for a table whose writers do not compact, as far as the writer knows.
    /// Reads get slower with them; some job should compact the table.
    pub runs_waiting: usize,
    /// What became of the compactions that ran meanwhile, where writers compact.
    pub compaction: CompactionReport,
    /// Buckets whose rows were numbered anew because another writer committed first, with the
    /// largest sequence number there now.
    pub moved: Vec<MovedBucket>,
}

/// Most times that rows are numbered anew before a commit gives up.
const MAX_REBASES: usize = 100;

/// Who commits, and what happens to earlier rows.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) table: &'a Table,
    pub(super) user: &'a str,
    pub(super) identifier: i64,
    /// The job has a name, and may run twice.
    pub(super) once: bool,
    pub(super) target: &'a Target,
    /// The snapshot that replacing rows were computed from.
    pub(super) read_snapshot: Option<i64>,
    /// What changed rows were computed from.
    pub(super) changes: Option<Changes>,
    /// Files that go.
    pub(super) removed: &'a [ManifestEntry],
    /// Index files.
    pub(super) index: &'a IndexChanges,
    /// The rows were in the table already: in the files that go.
    pub(super) compacts: bool,
}

pub(super) async fn commit(job: Job<'_>, messages: &mut [CommitMessage]) -> Result<CommitOutcome> {
    let Job { table, target, .. } = job;
    let store = table.store();
    // The snapshot records the newest schema; the rows were checked against the opened one.
    let committer = Committer::new(store, table.schema(), table.options())?;
    let mut outcome = CommitOutcome::default();
    if target.replaces() {
        upgrade(table, messages)?;
    }
    let mut floor_snapshot: HashMap<(BinaryRow, i32), i64> = HashMap::new();
    for attempt in 0.. {
        let request = request(job, messages, &floor_snapshot);
        if matches!(target, Target::Dynamic) && request.entries.is_empty() {
            return Ok(outcome);
        }
        match committer.commit(&request).await {
            Ok(snapshot) => {
                let rows = |messages: &mut dyn Iterator<Item = &CommitMessage>| -> u64 {
                    let files = messages.flat_map(|m| &m.files);
                    files.map(|f| u64::try_from(f.row_count).unwrap_or(0)).sum()
                };
                outcome.rows = rows(&mut messages.iter());
                outcome.rows_postponed = rows(&mut messages.iter().filter(|m| m.bucket < 0));
                outcome.snapshot_id = snapshot.map(|s| s.id);
                return Ok(outcome);
            }
            Err(MetadataError::SequenceMoved { buckets, snapshot_id, maybe_visible })
                if attempt < MAX_REBASES =>
            {
                for moved in &buckets {
                    for message in messages.iter_mut() {
                        if message.partition == moved.partition && message.bucket == moved.bucket {
                            let old = renumber(table, message, moved.max_sequence).await?;
                            if !maybe_visible {
                                remove_files(table, &message.dir, &old).await;
                            }
                            outcome.moved.push(MovedBucket {
                                max_sequence: last_sequence(message),
                                ..moved.clone()
                            });
                        }
                    }
                }
                for message in messages.iter() {
                    let key = (message.partition.clone(), message.bucket);
                    floor_snapshot.insert(key, snapshot_id);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(outcome)
}

/// Removes files that no commit can name any more; what cannot be removed is only waste.
pub(crate) async fn remove_files(table: &Table, dir: &str, files: &[DataFileMeta]) {
    for file in files {
        let path = table.store().path(&format!("{dir}/{}", file.file_name));
        if let Err(error) = table.store().io().delete(&path).await {
            tracing::debug!(%error, "an unreferenced file stays behind");
        }
    }
}

fn last_sequence(message: &CommitMessage) -> i64 {
    message.files.iter().map(|f| f.max_sequence_number).max().unwrap_or(0)
}

fn request(
    job: Job<'_>,
    messages: &[CommitMessage],
    floor_snapshot: &HashMap<(BinaryRow, i32), i64>,
) -> CommitRequest {
    let Job { table, user, identifier, once, target, .. } = job;
    let Job { read_snapshot, changes, removed, index, .. } = job;
    let mut entries = removed.to_vec();
    let mut partitions = HashSet::new();
    for message in messages {
        partitions.insert(message.partition.clone());
        entries.extend(message.files.iter().map(|file| ManifestEntry {
            kind: EntryKind::Add,
            partition: message.partition.clone(),
            bucket: message.bucket,
            total_buckets: message.total_buckets,
            file: file.clone(),
        }));
    }
    let buckets = table.options().bucket;
    let keyed = table.has_primary_key();
    let real = || messages.iter().filter(|message| message.bucket >= 0);
    let numbered = buckets > 0
        || table.has_dynamic_buckets()
        || table.has_postponed_buckets() && real().next().is_some();
    let sequence_base =
        (numbered && !target.replaces() && !messages.is_empty()).then(|| SequenceBase {
            snapshot_id: real()
                .map(|m| {
                    let key = (m.partition.clone(), m.bucket);
                    floor_snapshot.get(&key).copied().unwrap_or(m.base_snapshot)
                })
                .min()
                .unwrap_or(0),
            floors: real()
                .filter_map(|m| {
                    let min = m.files.iter().map(|f| f.min_sequence_number).min()?;
                    Some(BucketFloor {
                        partition: m.partition.clone(),
                        bucket: m.bucket,
                        // Rows of an append table do not replace each other.
                        min_sequence: if keyed { min } else { i64::MAX },
                        total_buckets: m.total_buckets,
                    })
                })
                .collect(),
        });
    CommitRequest {
        user: user.to_owned(),
        identifier,
        once,
        watermark: None,
        properties: IndexMap::new(),
        entries,
        computed_from: changes.and_then(|base| computed_from(base, keyed, messages)),
        compacted_from: None,
        overwrite: target.scope(partitions),
        overwrite_base: target.replaces().then_some(read_snapshot).flatten(),
        // As Java does it: whoever follows the appended rows is told that rows went.
        // Source: Paimon 1.4.2 `FileStoreCommitImpl#commit`.
        kind: if job.compacts {
            CommitKind::Compact
        } else if target.replaces() || !removed.is_empty() {
            CommitKind::Overwrite
        } else {
            CommitKind::Append
        },
        check_conflicts: target.replaces() || !removed.is_empty(),
        sequence_base,
        index: index.clone(),
    }
}

/// What must not have been changed since the rows were computed. Files that go are checked for
/// themselves: a table without a primary key changes its rows by replacing files.
fn computed_from(base: Changes, keyed: bool, messages: &[CommitMessage]) -> Option<ComputedFrom> {
    let touched = || messages.iter().map(|m| (m.partition.clone(), m.bucket)).collect();
    // Rows that wait for their buckets change others in any bucket.
    let waiting = messages.iter().any(|m| m.bucket < 0);
    match (base.whole_table || waiting, keyed) {
        (true, _) => Some(ComputedFrom { snapshot_id: base.snapshot_id, buckets: None }),
        (false, true) => {
            Some(ComputedFrom { snapshot_id: base.snapshot_id, buckets: Some(touched()) })
        }
        (false, false) => None,
    }
}

/// Files of an overwrite go straight to the last level if they hold each key once.
///
/// Source: Paimon 1.4.2 `FileStoreCommitImpl` (`overwrite-upgrade`).
fn upgrade(table: &Table, messages: &mut [CommitMessage]) -> Result<()> {
    if !table.has_primary_key() || !table.options().partition.overwrite_upgrade {
        return Ok(());
    }
    let schema = table.schema();
    let keys = schema.columns(&schema.trimmed_primary_keys())?;
    let types: Vec<DataType> = keys.into_iter().map(|f| f.data_type).collect();
    for message in messages.iter() {
        if message.bucket < 0
            || message.files.iter().any(|f| f.level != 0 || f.delete_row_count != Some(0))
        {
            return Ok(());
        }
        let mut ranges = Vec::new();
        for file in &message.files {
            ranges.push((file.min_key.to_values(&types)?, file.max_key.to_values(&types)?));
        }
        let cut = sections(
            ranges,
            |r| r.0.clone(),
            |r| r.1.clone(),
            |a, b| key_order(a, b).unwrap_or(std::cmp::Ordering::Equal),
        );
        if cut.iter().any(|runs| runs.len() > 1) {
            return Ok(());
        }
    }
    let last = table.options().num_levels.saturating_sub(1);
    for file in messages.iter_mut().flat_map(|m| &mut m.files) {
        file.level = last;
    }
    Ok(())
}
