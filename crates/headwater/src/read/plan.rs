//! Snapshot to splits: prunes files, finds what must be merged, packs files by size.
//!
//! Rules: `docs/spec/scan.md#splits`. Source: Paimon 1.4.2 `MergeTreeSplitGenerator`,
//! `AppendOnlySplitGenerator`, `SnapshotReaderImpl`.

use std::collections::HashMap;

use headwater_lsm::{key_order, sections};
use headwater_metadata::plan::{EntryFilter, PlanCounts};
use headwater_spec::manifest::ManifestEntry;
use headwater_spec::options::MergeEngine;
use headwater_spec::{BinaryRow, DataFileMeta, DataType, Datum, ErrorKind, Snapshot, SpecError};

use super::builder::ReadBuilder;
use super::prune::FilePruner;
use super::split::{Split, SplitFiles};
use crate::error::{Error, Result};

/// The splits of a read.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The snapshot that is read; `None` for a table without one.
    pub snapshot_id: Option<i64>,
    /// The splits.
    pub splits: Vec<Split>,
    /// Rows that match, if that can be told without reading.
    pub exact_rows: Option<u64>,
    /// Manifests of the snapshot, and how many of them were not read.
    pub manifests: PlanCounts,
    /// Live files of the matching partitions and buckets.
    pub files: usize,
    /// Of these, files left out by bucket, key range or statistics.
    pub files_pruned: usize,
}

/// A file with its decoded key range.
struct Keyed {
    file: DataFileMeta,
    min: Vec<Option<Datum>>,
    max: Vec<Option<Datum>>,
}

pub(super) async fn make_plan(read: &ReadBuilder) -> Result<Plan> {
    let table = &read.table;
    let Some(snapshot) = table.snapshot().await? else {
        return Ok(Plan { exact_rows: Some(0), ..Plan::default() });
    };
    refuse_deletion_vectors(read, &snapshot).await?;
    let partition_types = table.partition_types()?;
    let keys = &table.schema().partition_keys;
    let fields = &table.row_type().fields;
    let place =
        |column: usize| fields.get(column).and_then(|f| keys.iter().position(|k| k == &f.name));
    let filter = EntryFilter {
        partition: read.filter.as_ref().and_then(|f| f.remap_conjuncts(&place)),
        real_buckets_only: true,
        ..EntryFilter::default()
    };
    let (mut entries, manifests) =
        table.store().live_entries(&snapshot, &partition_types, &filter).await?;
    if first_row(read) && !read.all_levels {
        // A key is first in level 0 only once a compaction has looked for it in the levels above.
        entries.retain(|entry| entry.file.level > 0);
    }
    let mut plan =
        Plan { snapshot_id: Some(snapshot.id), files: entries.len(), manifests, ..Plan::default() };
    let expires = table.options().merge.expire.is_some();
    let mut pruner = FilePruner::new(read);
    pruner.load_schemas(entries.iter().map(|e| e.file.schema_id)).await?;
    for (partition, bucket, total_buckets, files) in group(entries) {
        let values = headwater_metadata::plan::partition_values(&partition, &partition_types)?;
        let found = files.len();
        let kept = if pruner.keeps_bucket(bucket, total_buckets)? {
            split_bucket(read, &pruner, files)?
        } else {
            Vec::new()
        };
        let mut left = 0;
        for files in kept {
            let split = Split {
                partition: partition.clone(),
                partition_values: values.clone(),
                bucket,
                total_buckets,
                files,
                expires,
            };
            left += split.files().count();
            plan.splits.push(split);
        }
        plan.files_pruned += found - left;
    }
    finish(read, &mut plan, &place);
    Ok(plan)
}

/// Row counts and the limit: both only where no row-level filter is left.
fn finish(read: &ReadBuilder, plan: &mut Plan, place: &impl Fn(usize) -> Option<usize>) {
    let mut partition_only = true;
    if let Some(filter) = &read.filter {
        filter.visit_columns(&mut |c| partition_only &= place(c).is_some());
    }
    if !partition_only {
        return;
    }
    let keyed = read.table.has_primary_key();
    if let Some(limit) = read.limit {
        let mut rows = 0_u64;
        let mut enough = Vec::new();
        for split in &plan.splits {
            if let Some(exact) = split.exact_rows(keyed) {
                enough.push(split.clone());
                rows = rows.saturating_add(exact);
                if rows >= limit {
                    plan.splits = enough;
                    break;
                }
            }
        }
    }
    plan.exact_rows = plan
        .splits
        .iter()
        .try_fold(0_u64, |sum, s| s.exact_rows(keyed).and_then(|n| sum.checked_add(n)));
}

async fn refuse_deletion_vectors(read: &ReadBuilder, snapshot: &Snapshot) -> Result<()> {
    let entries = read.table.store().index_manifest(snapshot).await?;
    if entries.iter().any(|e| e.index_type == "DELETION_VECTORS") {
        return Err(Error::ReadRefused {
            table: read.table.name().to_owned(),
            reason: "it has deletion vectors, which this version does not apply".into(),
        });
    }
    Ok(())
}

type Group = (BinaryRow, i32, i32, Vec<DataFileMeta>);

/// Files by partition, bucket and bucket count, in the order in which the buckets first occur.
fn group(entries: Vec<ManifestEntry>) -> Vec<Group> {
    let mut index: HashMap<(BinaryRow, i32, i32), usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for entry in entries {
        let next = groups.len();
        let key = (entry.partition.clone(), entry.bucket, entry.total_buckets);
        let at = *index.entry(key).or_insert(next);
        if at == next {
            groups.push((entry.partition, entry.bucket, entry.total_buckets, Vec::new()));
        }
        if let Some(group) = groups.get_mut(at) {
            group.3.push(entry.file);
        }
    }
    groups
}

fn split_bucket(
    read: &ReadBuilder,
    pruner: &FilePruner<'_>,
    mut files: Vec<DataFileMeta>,
) -> Result<Vec<SplitFiles>> {
    if !read.table.has_primary_key() {
        files.sort_by_key(|f| f.min_sequence_number);
        let mut kept = Vec::with_capacity(files.len());
        for file in files {
            if pruner.may_match(&file)? {
                kept.push(file);
            }
        }
        let weigh = |f: &DataFileMeta| weight(read, std::slice::from_ref(f));
        return Ok(pack(kept, weigh, target(read)).into_iter().map(SplitFiles::Raw).collect());
    }
    let key_types = key_types(read)?;
    if is_raw(&files, first_row(read)) {
        let mut kept = Vec::with_capacity(files.len());
        for file in files {
            if pruner.may_match(&file)? {
                kept.push(file);
            }
        }
        let weigh = |f: &DataFileMeta| weight(read, std::slice::from_ref(f));
        return Ok(pack(kept, weigh, target(read)).into_iter().map(SplitFiles::Raw).collect());
    }
    let mut keyed = Vec::with_capacity(files.len());
    for file in files {
        let decode = |row: &BinaryRow| {
            row.to_values(&key_types).map_err(|e| Error::DataFile {
                table: read.table.name().to_owned(),
                path: file.file_name.clone(),
                reason: format!("its recorded key range: {e}"),
            })
        };
        let (min, max) = (decode(&file.min_key)?, decode(&file.max_key)?);
        keyed.push(Keyed { file, min, max });
    }
    let cut = sections(
        keyed,
        |k| k.min.clone(),
        |k| k.max.clone(),
        |a, b| key_order(a, b).unwrap_or(std::cmp::Ordering::Equal),
    );
    let mut kept = Vec::with_capacity(cut.len());
    for section in cut {
        let section: Vec<Vec<DataFileMeta>> =
            section.into_iter().map(|run| run.into_iter().map(|k| k.file).collect()).collect();
        kept.extend(pruner.section(section)?);
    }
    let weigh = |s: &Vec<Vec<DataFileMeta>>| {
        s.iter().map(|run| weight(read, run)).fold(0, u64::saturating_add)
    };
    let bins = pack(kept, weigh, target(read)).into_iter();
    Ok(bins.map(|bin| merge_or_raw(bin, read.row_kind)).collect())
}

fn first_row(read: &ReadBuilder) -> bool {
    read.table.has_primary_key() && read.table.options().merge.engine == MergeEngine::FirstRow
}

/// Files above level 0, all of one level and without retractions, hold each key once; those of
/// `first-row` in whatever levels they are.
fn is_raw(files: &[DataFileMeta], first_row: bool) -> bool {
    let level = files.first().map_or(0, |f| f.level);
    files
        .iter()
        .all(|f| f.level > 0 && (first_row || f.level == level) && f.delete_row_count == Some(0))
}

/// A split of single files without retractions needs no merge.
///
/// `kinds`: whether stored kinds are wanted. Java reads them unless the split is one file.
fn merge_or_raw(sections: Vec<Vec<Vec<DataFileMeta>>>, kinds: bool) -> SplitFiles {
    let plain = sections.iter().all(|runs| {
        runs.len() == 1 && runs.iter().flatten().all(|f| f.delete_row_count == Some(0))
    });
    let one = sections.iter().flatten().flatten().take(2).count() == 1;
    if plain && (one || !kinds) {
        SplitFiles::Raw(sections.into_iter().flatten().flatten().collect())
    } else {
        SplitFiles::Merge(sections)
    }
}

fn target(read: &ReadBuilder) -> u64 {
    read.table.options().split.target_bytes
}

fn weight(read: &ReadBuilder, files: &[DataFileMeta]) -> u64 {
    let cost = read.table.options().split.open_file_cost;
    files
        .iter()
        .map(|f| u64::try_from(f.file_size).unwrap_or(0).max(cost))
        .fold(0, u64::saturating_add)
}

/// Puts neighbours together until a bin is full.
fn pack<T>(items: Vec<T>, weigh: impl Fn(&T) -> u64, target: u64) -> Vec<Vec<T>> {
    let mut bins = Vec::new();
    let mut bin: Vec<T> = Vec::new();
    let mut filled = 0_u64;
    for item in items {
        let weight = weigh(&item);
        if !bin.is_empty() && filled.saturating_add(weight) > target {
            bins.push(std::mem::take(&mut bin));
            filled = 0;
        }
        filled = filled.saturating_add(weight);
        bin.push(item);
    }
    if !bin.is_empty() {
        bins.push(bin);
    }
    bins
}

pub(super) fn key_types(read: &ReadBuilder) -> Result<Vec<DataType>> {
    let schema = read.table.schema();
    let fields = schema.columns(&schema.trimmed_primary_keys())?;
    Ok(fields.into_iter().map(|f| f.data_type).collect())
}

/// A corrupt statistics row of a manifest, told with its file.
pub(super) fn corrupt_stats(read: &ReadBuilder, file: &DataFileMeta, error: &SpecError) -> Error {
    debug_assert!(error.kind() != ErrorKind::Internal);
    Error::DataFile {
        table: read.table.name().to_owned(),
        path: file.file_name.clone(),
        reason: format!("its recorded statistics: {error}"),
    }
}
