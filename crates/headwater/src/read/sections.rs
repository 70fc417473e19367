//! The records of sections: the sorted runs of each are merged, one section after the other.
//!
//! Rules: `docs/spec/scan.md#merge`. Source: Paimon 1.4.2 `MergeTreeReaders`.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int8Array, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Int8Type, Int64Type, Schema, SchemaRef};
use headwater_lsm::{
    DELETE, Deduplicate, FirstUnseen, INSERT, KeyEncoder, KeyValueBatch, LsmError, MergeFunction,
    MergeRules, RunReader, Sections, SequenceOrder, SortMerge, SortMergeOptions,
};
use headwater_spec::options::MergeEngine;
use headwater_spec::types::arrow_field;
use headwater_spec::{DataField, DataFileMeta, DataType, ErrorKind};

use super::file::{Unit, Units, Wanted, kind_field, sequence_field};
use super::levels;
pub(crate) use super::levels::share_keys;
use crate::error::{Error, Result};
use crate::spill::{Spilled, SpilledReader, Spilling};
use crate::table::Table;

/// How the sections of a bucket are merged, and for whom.
pub(crate) struct SectionRead {
    /// The sections, in key order.
    pub(crate) sections: Sections,
    /// The columns that are wanted of each record; others may follow them.
    pub(crate) fields: Vec<DataField>,
    /// Files whose keys are left out, for `first-row`: their rows came earlier.
    pub(crate) seen: Vec<DataFileMeta>,
    /// Whether records are wanted with their own sequence numbers and kinds: else these may be any
    /// that lead to the same rows.
    pub(crate) numbers: bool,
    /// Whether kinds are wanted.
    pub(crate) kinds: bool,
    /// Leaves out keys whose merged record is a retraction.
    pub(crate) drop_deletes: bool,
    /// Most rows of a batch.
    pub(crate) batch_rows: usize,
}

/// Merges section after section.
pub(crate) struct SectionMerge {
    /// What is read where runs are merged, and where there is one.
    several: Wanted,
    single: Wanted,
    several_layout: Arc<Layout>,
    single_layout: Arc<Layout>,
    function: Arc<dyn MergeFunction>,
    order: Option<Arc<SequenceOrder>>,
    /// Of the levels above 0 only the lowest one that has a key counts.
    looked_up: bool,
    /// The function only passes over retractions, where there are any.
    ignores_deletes: bool,
    sections: VecDeque<Vec<Vec<DataFileMeta>>>,
    seen: Vec<DataFileMeta>,
    current: Option<SortMerge>,
    numbers: bool,
    kinds: bool,
    older: u64,
    options: SortMergeOptions,
}

impl SectionMerge {
    /// `several` and `single` say where files are, and which row groups are wanted of them where
    /// runs are merged and where there is one.
    pub(crate) fn new(
        table: &Table,
        (several, single): (Wanted, Wanted),
        read: SectionRead,
    ) -> Result<Self> {
        let merge = &table.options().merge;
        let rules = MergeRules::new(table.schema(), merge);
        let mut together = read.fields.clone();
        together.extend(rules.needed_beside(&read.fields));
        let (function, order) = (rules.function(&together)?, rules.order(&together)?);
        Ok(Self {
            several,
            single,
            sections: read.sections.into(),
            several_layout: Arc::new(Layout::new(table, together)?),
            single_layout: Arc::new(Layout::new(table, read.fields)?),
            function,
            order,
            looked_up: merge.looked_up && !merge.engine.keeps_records_whole(),
            ignores_deletes: merge.engine == MergeEngine::Deduplicate && merge.ignore_delete,
            seen: read.seen,
            current: None,
            numbers: read.numbers,
            kinds: read.kinds,
            older: 0,
            options: SortMergeOptions {
                batch_rows: read.batch_rows,
                drop_deletes: read.drop_deletes,
                ordered_runs: false,
            },
        })
    }

    /// Starts fetching the runs of the next section unless one is open; false if there is none.
    /// To be called where tasks can be started.
    pub(crate) fn open(&mut self) -> Result<bool> {
        if self.current.is_some() {
            return Ok(true);
        }
        let Some(runs) = self.sections.pop_front() else { return Ok(false) };
        let seen = self.seen_in(&runs)?;
        let single = runs.len() == 1 && seen.is_empty();
        let mut runs = if self.looked_up && !single {
            levels::looked_up(runs, &self.several_layout.key_types)?
        } else {
            runs.into_iter().map(|run| vec![run]).collect()
        };
        // The last of equal sequence numbers wins: let that be the newest file.
        runs.sort_by_key(|levels| largest_sequence(levels.iter().flatten()));
        let mut system = SystemColumns::needed(&runs, self.kinds);
        system.sequence |= self.numbers || !seen.is_empty();
        system.kind |= self.numbers;
        let (wanted, layout) = if single {
            (&self.single, &self.single_layout)
        } else {
            (&self.several, &self.several_layout)
        };
        let wanted = wanted.with_fields(layout.fields(system));
        let batch_rows = self.options.batch_rows;
        let most = largest_copied(&runs, MOST_OPEN.saturating_sub(seen.len()));
        let open = |files: Vec<DataFileMeta>, seen: bool| -> Result<Box<dyn RunReader>> {
            let system = SystemValues {
                encoder: KeyEncoder::new(&layout.key_types)?,
                read: system,
                largest_sequence: largest_sequence(&files),
                seen,
            };
            let copied = !seen && most.is_some_and(|most| bytes_of(&files) <= most);
            let source = if copied {
                Source::Waiting(wanted.clone(), files)
            } else {
                Source::Fetched(wanted.fetch(files), None)
            };
            let layout = Arc::clone(layout);
            Ok(Box::new(FileRun { source, system, layout, batch_rows }))
        };
        let mut readers: Vec<Box<dyn RunReader>> = Vec::with_capacity(runs.len());
        for file in &seen {
            readers.push(open(vec![file.clone()], true)?);
        }
        for levels in runs {
            let mut levels =
                levels.into_iter().map(|files| open(files, false)).collect::<Result<Vec<_>>>()?;
            readers.push(match levels.pop() {
                Some(only) if levels.is_empty() => only,
                last => {
                    // The lowest level is the last.
                    levels.extend(last);
                    let options =
                        SortMergeOptions { batch_rows, drop_deletes: false, ordered_runs: true };
                    Box::new(SortMerge::new(levels, Arc::new(Deduplicate), options))
                }
            });
        }
        // One run has each key once. Kinds are only read where rows are retracted.
        let function: Arc<dyn MergeFunction> = if !seen.is_empty() {
            Arc::new(FirstUnseen)
        } else if single || self.ignores_deletes && !system.kind {
            Arc::new(Deduplicate)
        } else {
            Arc::clone(&self.function)
        };
        let order = self.order.clone().filter(|_| !single);
        let options = SortMergeOptions {
            ordered_runs: !system.sequence,
            drop_deletes: self.options.drop_deletes || !seen.is_empty(),
            ..self.options
        };
        self.current = Some(SortMerge::new(readers, function, options).ordered_by(order));
        Ok(true)
    }

    /// The files of [`SectionRead::seen`] that may have keys of the section.
    fn seen_in(&self, runs: &[Vec<DataFileMeta>]) -> Result<Vec<DataFileMeta>> {
        let mut found = Vec::new();
        if !self.seen.is_empty() {
            let types = &self.single_layout.key_types;
            for file in &self.seen {
                for known in runs.iter().flatten() {
                    if share_keys(file, known, types)? {
                        found.push(file.clone());
                        break;
                    }
                }
            }
        }
        Ok(found)
    }

    /// The next records of the open section; `None` when it is read. On a CPU thread.
    pub(crate) fn next_batch(&mut self) -> Result<Option<KeyValueBatch>> {
        let Some(merge) = &mut self.current else { return Ok(None) };
        let batch = merge.next_batch()?;
        if batch.is_none() {
            self.older = self.older.saturating_add(merge.older_rows());
            self.current = None;
        }
        Ok(batch)
    }

    /// Records in the sections read so far that came after a newer one of their key.
    pub(crate) const fn older_rows(&self) -> u64 {
        self.older
    }

    /// Whether every section is read.
    pub(crate) fn ended(&self) -> bool {
        self.current.is_none() && self.sections.is_empty()
    }
}

/// Where keys, sequence numbers, kinds and values stand in a file batch.
struct Layout {
    fields: Vec<DataField>,
    key_at: Vec<usize>,
    key_types: Vec<DataType>,
    values: usize,
    value_schema: SchemaRef,
}

impl Layout {
    /// Values first, then key columns that are not among them; system columns follow in files.
    fn new(table: &Table, values: Vec<DataField>) -> Result<Self> {
        let schema = table.schema();
        let value_schema =
            Arc::new(Schema::new(values.iter().map(arrow_field).collect::<Vec<_>>()));
        let count = values.len();
        let mut fields = values;
        let mut key_at = Vec::new();
        let mut key_types = Vec::new();
        for key in schema.columns(&schema.trimmed_primary_keys())? {
            key_types.push(key.data_type.clone());
            let known = fields.iter().position(|f| f.id == key.id);
            key_at.push(known.unwrap_or_else(|| {
                fields.push(key);
                fields.len() - 1
            }));
        }
        Ok(Self { fields, key_at, key_types, values: count, value_schema })
    }

    /// The columns to read from files whose section needs these system columns.
    fn fields(&self, system: SystemColumns) -> Vec<DataField> {
        let sequence = system.sequence.then(sequence_field);
        let kind = system.kind.then(kind_field);
        self.fields.iter().cloned().chain(sequence).chain(kind).collect()
    }

    fn key_values(&self, run: &SystemValues, batch: &RecordBatch) -> Result<KeyValueBatch> {
        let rows = batch.num_rows();
        let mut system = batch.columns().get(self.fields.len()..).unwrap_or_default().iter();
        let lacking = || LsmError::source(ErrorKind::Internal, "a file batch lacks columns");
        let sequence = if run.read.sequence {
            system.next().ok_or_else(lacking)?.as_primitive::<Int64Type>().clone()
        } else {
            Int64Array::from_value(run.largest_sequence, rows)
        };
        let kinds = if run.seen {
            Int8Array::from_value(DELETE, rows)
        } else if run.read.kind {
            system.next().ok_or_else(lacking)?.as_primitive::<Int8Type>().clone()
        } else {
            Int8Array::from_value(INSERT, rows)
        };
        let columns = batch.columns();
        let keys: Vec<ArrayRef> =
            self.key_at.iter().filter_map(|at| columns.get(*at)).map(Arc::clone).collect();
        let values: Vec<ArrayRef> = columns.iter().take(self.values).map(Arc::clone).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let values =
            RecordBatch::try_new_with_options(Arc::clone(&self.value_schema), values, &options)?;
        Ok(KeyValueBatch::try_new(run.encoder.encode(&keys)?, sequence, kinds, values)?)
    }
}

/// The system columns of a section that its files must be asked for.
///
/// The rest follows from the files' metadata, whose figures are exact: with disjoint ranges of
/// sequence numbers it is the run that decides which record is newer, and where nothing is retracted
/// kinds matter only to those who want to see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SystemColumns {
    sequence: bool,
    kind: bool,
}

impl SystemColumns {
    /// `runs`: sorted runs by their largest sequence number, each in one or several levels.
    fn needed(runs: &[Vec<Vec<DataFileMeta>>], row_kind: bool) -> Self {
        let overlap = runs.windows(2).any(|pair| match pair {
            [older, newer] => {
                let least = newer.iter().flatten().map(|f| f.min_sequence_number).min();
                largest_sequence(older.iter().flatten()) >= least.unwrap_or(i64::MAX)
            }
            _ => false,
        });
        let mut files = runs.iter().flatten().flatten();
        let retracts = files.any(|f| f.delete_row_count != Some(0));
        Self { sequence: overlap, kind: row_kind || retracts }
    }
}

fn largest_sequence<'a>(run: impl IntoIterator<Item = &'a DataFileMeta>) -> i64 {
    run.into_iter().map(|f| f.max_sequence_number).max().unwrap_or(i64::MIN)
}

/// Where the keys and system columns of a run's records come from.
struct SystemValues {
    encoder: KeyEncoder,
    read: SystemColumns,
    largest_sequence: i64,
    /// The keys are only there to be left out.
    seen: bool,
}

/// Runs of a section that are open at a time; row groups of each are in memory.
const MOST_OPEN: usize = 32;

/// With more runs than may be open: bytes up to which a run is copied to disk first. Of a run there
/// only a small block is in memory.
fn largest_copied(runs: &[Vec<Vec<DataFileMeta>>], open: usize) -> Option<i64> {
    let mut bytes: Vec<i64> = runs.iter().flatten().map(|files| bytes_of(files)).collect();
    bytes.sort_unstable();
    let copied = bytes.len().saturating_sub(open);
    copied.checked_sub(1).and_then(|last| bytes.get(last)).copied()
}

fn bytes_of(files: &[DataFileMeta]) -> i64 {
    files.iter().map(|file| file.file_size).fold(0, i64::saturating_add)
}

/// The files of one sorted run.
struct FileRun {
    source: Source,
    system: SystemValues,
    layout: Arc<Layout>,
    batch_rows: usize,
}

/// Where the rows of a run come from.
enum Source {
    Fetched(Units, Option<Unit>),
    /// They are to be copied to disk when the first is asked for.
    Waiting(Wanted, Vec<DataFileMeta>),
    Copied(SpilledReader),
    Ended,
}

impl Source {
    fn next_batch(&mut self, max_rows: usize) -> Result<Option<RecordBatch>> {
        loop {
            match self {
                Self::Fetched(units, current) => {
                    if let Some(unit) = current {
                        if let Some(batch) = unit.next_batch(max_rows)? {
                            return Ok(Some(batch));
                        }
                        *current = None;
                    }
                    match units.next_blocking() {
                        None => return Ok(None),
                        Some(unit) => *current = Some(unit?),
                    }
                }
                Self::Waiting(wanted, files) => *self = copied(wanted, std::mem::take(files))?,
                Self::Copied(reader) => return reader.next_batch(),
                Self::Ended => return Ok(None),
            }
        }
    }
}

/// Copies the rows of files to disk.
fn copied(wanted: &Wanted, files: Vec<DataFileMeta>) -> Result<Source> {
    let how = Spilling::reading(&wanted.env().scratch);
    let mut rows = Source::Fetched(wanted.fetch(files), None);
    let mut copied: Option<Spilled> = None;
    while let Some(batch) = rows.next_batch(COPIED_ROWS)? {
        let copied = match &mut copied {
            Some(copied) => copied,
            none => none.insert(Spilled::new(how.file()?, &how, batch.schema())),
        };
        copied.add(&how, &batch)?;
    }
    Ok(copied.map_or(Source::Ended, |copied| Source::Copied(copied.read())))
}

/// Rows that are copied at once.
const COPIED_ROWS: usize = 8192;

impl FileRun {
    fn next(&mut self) -> Result<Option<KeyValueBatch>> {
        let Some(batch) = self.source.next_batch(self.batch_rows)? else { return Ok(None) };
        self.layout.key_values(&self.system, &batch).map(Some)
    }
}

impl RunReader for FileRun {
    fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        self.next().map_err(|error: Error| match error {
            Error::Lsm(error) => error,
            other => other.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_spec::{BinaryRow, DataFileMeta, SimpleStats};

    use super::SystemColumns;

    fn file(numbers: (i64, i64), deletes: Option<i64>) -> DataFileMeta {
        DataFileMeta {
            file_name: "f".to_owned(),
            file_size: 1,
            row_count: 1,
            min_key: BinaryRow::empty(),
            max_key: BinaryRow::empty(),
            key_stats: SimpleStats::empty(),
            value_stats: SimpleStats::empty(),
            min_sequence_number: numbers.0,
            max_sequence_number: numbers.1,
            schema_id: 0,
            level: 0,
            extra_files: Vec::new(),
            creation_time_millis: None,
            delete_row_count: deletes,
            embedded_index: None,
            file_source: None,
            value_stats_cols: None,
            external_path: None,
            first_row_id: None,
            write_cols: None,
        }
    }

    #[test]
    fn sequence_numbers_are_read_where_runs_share_some() {
        let needed = |runs: &[Vec<DataFileMeta>]| {
            let runs: Vec<_> = runs.iter().map(|run| vec![run.clone()]).collect();
            SystemColumns::needed(&runs, false).sequence
        };
        let (old, new) = (file((0, 9), Some(0)), file((10, 19), Some(0)));
        assert!(!needed(&[vec![old.clone()]]));
        assert!(!needed(&[vec![old.clone()], vec![new.clone()]]));
        assert!(needed(&[vec![old.clone()], vec![file((9, 19), Some(0))]]));
        // All files of a run count; those of one run never share a key.
        assert!(needed(&[vec![old.clone()], vec![new.clone(), file((5, 6), Some(0))]]));
        assert!(!needed(&[vec![old.clone(), file((3, 4), Some(0))], vec![new]]));
        assert!(needed(&[vec![old.clone()], vec![old]]));
    }

    #[test]
    fn kinds_are_read_where_rows_are_retracted_or_kinds_are_wanted() {
        let needed = |deletes, row_kind| {
            SystemColumns::needed(&[vec![vec![file((0, 9), deletes)]]], row_kind).kind
        };
        assert!(!needed(Some(0), false));
        assert!(needed(Some(0), true));
        assert!(needed(Some(1), false));
        assert!(needed(None, false));
    }
}
