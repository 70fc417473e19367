//! One bucket: what is to be compacted of it, and doing it.

use std::sync::Arc;

use headwater_lsm::{
    CompactionStep, CompactionUnit, Levels, Pick, Picker, PickerOptions, RewriteRules, pick_full,
};
use headwater_spec::options::MergeEngine;
use headwater_spec::{BinaryRow, DataFileMeta, DataType};

use super::append::{self, AppendUnit};
use super::progress::CompactionProgress;
use super::rewrite::Output;
use crate::error::Result;
use crate::read::expiry::Expiry;
use crate::table::Table;
use crate::write::remove_files;

/// Why files with columns that the opened table does not know of are left alone.
pub(super) const NEWER_SCHEMA: &str = "files were written with a newer schema, whose columns this one would drop: open the table again";

/// Where a bucket is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) partition: BinaryRow,
    pub(crate) bucket: i32,
    /// Bucket count that its files were written with.
    pub(crate) total_buckets: i32,
    /// Directory inside the table.
    pub(crate) dir: String,
}

impl Place {
    /// A reason, told with the bucket.
    pub(super) fn because(&self, reason: &str) -> String {
        format!("bucket {} ({}): {reason}", self.bucket, self.dir)
    }
}

/// The live files of a bucket, as far as they are known, and what was chosen of them before.
#[derive(Debug, Clone)]
pub(crate) struct BucketFiles {
    pub(crate) levels: Levels,
    picker: Picker,
}

/// What is to be done in a bucket.
#[derive(Debug, Clone)]
pub(crate) enum Unit {
    /// Runs of a table with a primary key.
    Runs(CompactionUnit),
    /// Files of a table without.
    Files(AppendUnit),
}

/// What was done in a bucket, before it is committed.
#[derive(Debug, Clone)]
pub(crate) struct Compacted {
    pub(crate) place: Place,
    /// Files that go, and files that come; a file with another level is in both.
    pub(crate) before: Vec<DataFileMeta>,
    pub(crate) after: Vec<DataFileMeta>,
    /// The new files among `after`.
    pub(crate) written: Vec<DataFileMeta>,
    /// The newest snapshot of which the files were known.
    pub(crate) base_snapshot: i64,
    /// Merged records that came after a newer one of their key.
    pub(crate) rows_older: u64,
}

impl Compacted {
    /// Removes what was written: no commit will name it.
    pub(crate) async fn discard(&self, table: &Table) {
        remove_files(table, &self.place.dir, &self.written).await;
    }
}

impl BucketFiles {
    pub(crate) fn new(table: &Table, files: impl IntoIterator<Item = DataFileMeta>) -> Self {
        let options = table.options();
        let mut picker = PickerOptions::from(&options.compaction);
        // Rows of level 0 are not shown before it is known that they are the first of their key.
        picker.force_up_level_0 |= options.merge.engine == MergeEngine::FirstRow;
        Self { levels: Levels::new(files, options.num_levels), picker: Picker::new(picker) }
    }

    /// The newest schema of the files, if it is newer than that of the opened table: what is written
    /// by the older one would lack columns and rows' values in them.
    pub(crate) fn newer_schema(&self, table: &Table) -> Option<i64> {
        let newest = self.levels.files().map(|file| file.schema_id).max();
        newest.filter(|id| *id > table.schema().id)
    }

    /// Forgets the files, and takes these; what was chosen before is still known.
    pub(crate) fn reload(&mut self, table: &Table, files: Vec<DataFileMeta>) {
        self.levels = Levels::new(files, table.options().num_levels);
    }

    /// What to compact now, if anything.
    pub(crate) fn pick(&mut self, table: &Table, full: bool) -> Result<Option<Unit>> {
        if !table.has_primary_key() {
            let files = self.levels.files().cloned().collect();
            return Ok(append::pick(table, files, full).map(Unit::Files));
        }
        let runs = self.levels.runs();
        let count = self.levels.count();
        let pick = if full {
            if let Some(unit) = self.rewritten_alone(table)? {
                return Ok(Some(Unit::Runs(unit)));
            }
            pick_full(count, &runs)
        } else {
            let clock = &table.env().clock;
            let hour = clock.local_millis().div_euclid(3_600_000).rem_euclid(24);
            let off_peak = table.options().compaction.off_peak;
            let ratio = off_peak.map_or(0, |o| o.ratio_at(u32::try_from(hour).unwrap_or(0)));
            let now = u64::try_from(clock.now_millis()).unwrap_or(0);
            self.picker.pick(count, &runs, ratio, now)
        };
        Ok(pick.map(|pick| Unit::Runs(self.levels.unit(pick))))
    }

    /// For a bucket whose one run is in the last level: files that must be rewritten all the same.
    fn rewritten_alone(&self, table: &Table) -> Result<Option<CompactionUnit>> {
        let runs = self.levels.runs();
        let count = self.levels.count();
        let [run] = runs.as_slice() else { return Ok(None) };
        if run.level + 1 != count {
            return Ok(None);
        }
        let mut unit = self.levels.unit(Pick { runs: 1, output_level: run.level });
        let must = Must::of(table);
        let mut files = Vec::new();
        for file in std::mem::take(&mut unit.files) {
            if must.rewrite(table, &file)? {
                files.push(file);
            }
        }
        unit.files = files;
        Ok((!unit.files.is_empty()).then_some(unit))
    }
}

/// Files that are rewritten for what is in them.
struct Must {
    all: bool,
    expiry: Expiry,
}

impl Must {
    fn of(table: &Table) -> Self {
        Self { all: table.options().compaction.force_rewrite_all, expiry: Expiry::of(table) }
    }

    fn rewrite(&self, table: &Table, file: &DataFileMeta) -> Result<bool> {
        Ok(self.all || self.expiry.may_be_in(table, file)?)
    }
}

impl Unit {
    /// The files that go.
    pub(crate) fn files(&self) -> &[DataFileMeta] {
        match self {
            Self::Runs(unit) => &unit.files,
            Self::Files(unit) => &unit.files,
        }
    }

    /// Bytes of the files that go.
    pub(crate) fn bytes(&self) -> u64 {
        self.files()
            .iter()
            .map(|file| u64::try_from(file.file_size).unwrap_or(0))
            .fold(0, u64::saturating_add)
    }
}

/// Compacts a unit. What was written is removed after an error.
pub(crate) async fn compact(
    table: Table,
    place: Place,
    unit: Unit,
    base_snapshot: i64,
    progress: Option<Arc<CompactionProgress>>,
) -> Result<Compacted> {
    let bytes = unit.bytes();
    let mut done = Compacted {
        place,
        before: Vec::new(),
        after: Vec::new(),
        written: Vec::new(),
        base_snapshot,
        rows_older: 0,
    };
    let result = match unit {
        Unit::Runs(unit) => compact_runs(&table, unit, &mut done, progress.as_deref()).await,
        Unit::Files(unit) => compact_files(&table, unit, &mut done, progress.as_deref()).await,
    };
    if let Err(error) = result {
        done.discard(&table).await;
        return Err(error);
    }
    if let Some(progress) = &progress {
        progress.finish(bytes);
    }
    Ok(done)
}

async fn compact_files(
    table: &Table,
    unit: AppendUnit,
    done: &mut Compacted,
    progress: Option<&CompactionProgress>,
) -> Result<()> {
    let output = Output::new(table, &done.place, 0, progress)?;
    done.written = output.copy(&unit.files).await?.files;
    done.after.clone_from(&done.written);
    done.before = unit.files;
    Ok(())
}

async fn compact_runs(
    table: &Table,
    unit: CompactionUnit,
    done: &mut Compacted,
    progress: Option<&CompactionProgress>,
) -> Result<()> {
    let place = done.place.clone();
    let first_row = table.options().merge.engine == MergeEngine::FirstRow;
    // Keys of the levels above came earlier.
    let seen = if first_row { unit.above.as_slice() } else { &[] };
    for step in steps(table, &unit, seen)? {
        match step {
            CompactionStep::Upgrade(file) => {
                done.before.push((*file).clone());
                done.after.push(DataFileMeta { level: unit.output_level, ..*file });
            }
            CompactionStep::Rewrite(sections) => {
                let output = Output::new(table, &place, unit.output_level, progress)?;
                let before: Vec<_> = sections.iter().flatten().flatten().cloned().collect();
                let written = output.merge(sections, seen, unit.drop_deletes).await?;
                done.before.extend(before);
                done.after.extend(written.files.iter().cloned());
                done.written.extend(written.files);
                done.rows_older = done.rows_older.saturating_add(written.rows_older);
            }
        }
    }
    Ok(())
}

fn steps(
    table: &Table,
    unit: &CompactionUnit,
    seen: &[DataFileMeta],
) -> Result<Vec<CompactionStep>> {
    let schema = table.schema();
    let keys = schema.columns(&schema.trimmed_primary_keys())?;
    let key_types: Vec<DataType> = keys.into_iter().map(|f| f.data_type).collect();
    let must = Must::of(table);
    let mut rewritten = std::collections::HashSet::new();
    for file in &unit.files {
        if must.rewrite(table, file)? || is_seen(file, seen, &key_types)? {
            rewritten.insert(file.file_name.clone());
        }
    }
    let rules = RewriteRules {
        key_types: &key_types,
        small_bytes: small_bytes(table.options().file.target_bytes),
        must: &|file: &DataFileMeta| rewritten.contains(&file.file_name),
    };
    Ok(unit.steps(&rules)?)
}

fn is_seen(file: &DataFileMeta, seen: &[DataFileMeta], key_types: &[DataType]) -> Result<bool> {
    for other in seen {
        if crate::read::sections::share_keys(file, other, key_types)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Files of fewer bytes are merged with their neighbours.
///
/// Source: Paimon 1.4.2 `CoreOptions#compactionFileSize`.
pub(super) const fn small_bytes(target: u64) -> u64 {
    target / 10 * 7
}
