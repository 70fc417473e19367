//! Reads splits whose files share keys: merges the sorted runs of each section.
//!
//! Rules: `docs/spec/scan.md#merge`. Source: Paimon 1.4.2 `MergeFileSplitRead`.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int8Array, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Int8Type, Int64Type, Schema, SchemaRef};
use futures::StreamExt;
use futures::stream;
use headwater_lsm::{
    Deduplicate, INSERT, KeyEncoder, KeyValueBatch, LsmError, MergeFunction, MergeRules, RunReader,
    SequenceOrder, SortMerge, SortMergeOptions,
};
use headwater_spec::options::MergeEngine;
use headwater_spec::types::arrow_field;
use headwater_spec::{DataField, DataFileMeta, DataType, ErrorKind};

use super::assemble::Assembler;
use super::builder::ReadBuilder;
use super::expiry::Expiry;
use super::file::{Unit, Units, Wanted, kind_field, sequence_field};
use super::levels;
use super::plan::key_types;
use super::split::Split;
use super::stream::RowStream;
use crate::error::{Error, Result};

/// Batches that one visit to a CPU thread makes at most.
const BATCHES_PER_JOB: usize = 4;

pub(super) fn read(
    read: &ReadBuilder,
    split: &Split,
    sections: &[Vec<Vec<DataFileMeta>>],
) -> Result<RowStream> {
    let assembler = Assembler::new(read, split);
    let merge = &read.table.options().merge;
    let rules = MergeRules::new(read.table.schema(), merge);
    let expiry = Expiry::of(read);
    let alone = expiry.fields_beside(assembler.stored_fields());
    let mut together = alone.clone();
    together.extend(rules.needed_beside(&alone));
    let (function, order) = (rules.function(&together)?, rules.order(&together)?);
    let keys = read.table.schema().trimmed_primary_keys();
    let is_key = |field: &DataField| keys.contains(&field.name);
    let merger = Merger {
        several: Wanted::new(read, split, Vec::new(), is_key)?,
        single: Wanted::new(read, split, Vec::new(), |_| true)?,
        sections: sections.iter().cloned().collect(),
        several_layout: Arc::new(Layout::new(read, together)?),
        single_layout: Arc::new(Layout::new(read, alone)?),
        function,
        order,
        looked_up: merge.looked_up && !merge.engine.keeps_records_whole(),
        ignores_deletes: merge.engine == MergeEngine::Deduplicate && merge.ignore_delete,
        expiry,
        assembler,
        row_kind: read.row_kind,
        current: None,
        options: SortMergeOptions {
            batch_rows: read.batch_rows(),
            drop_deletes: true,
            ordered_runs: false,
        },
    };
    let pools = read.table.env().pools.clone();
    let state = (merger, VecDeque::new(), false);
    let batches = stream::try_unfold(state, move |(mut merger, mut ready, mut ended)| {
        let pools = pools.clone();
        async move {
            loop {
                if let Some(batch) = ready.pop_front() {
                    return Ok(Some((batch, (merger, ready, ended))));
                }
                if ended {
                    return Ok(None);
                }
                if merger.current.is_none() && !merger.open_section()? {
                    return Ok(None);
                }
                (merger, ready, ended) = pools.run(move || merger.work()).await??;
            }
        }
    });
    Ok(RowStream::new(read.schema(), batches.boxed()))
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
    fn new(read: &ReadBuilder, values: Vec<DataField>) -> Result<Self> {
        let schema = read.table.schema();
        let value_schema =
            Arc::new(Schema::new(values.iter().map(arrow_field).collect::<Vec<_>>()));
        let count = values.len();
        let mut fields = values;
        let mut key_at = Vec::new();
        for key in schema.columns(&schema.trimmed_primary_keys())? {
            let known = fields.iter().position(|f| f.id == key.id);
            key_at.push(known.unwrap_or_else(|| {
                fields.push(key);
                fields.len() - 1
            }));
        }
        Ok(Self { fields, key_at, key_types: key_types(read)?, values: count, value_schema })
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
        let kinds = if run.read.kind {
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
}

/// Merges section after section.
struct Merger {
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
    expiry: Expiry,
    sections: VecDeque<Vec<Vec<DataFileMeta>>>,
    assembler: Assembler,
    row_kind: bool,
    current: Option<SortMerge>,
    options: SortMergeOptions,
}

impl Merger {
    /// Starts fetching the runs of the next section; false if there is none.
    fn open_section(&mut self) -> Result<bool> {
        let Some(runs) = self.sections.pop_front() else { return Ok(false) };
        let single = runs.len() == 1;
        let mut runs = if self.looked_up && !single {
            levels::looked_up(runs, &self.several_layout.key_types)?
        } else {
            runs.into_iter().map(|run| vec![run]).collect()
        };
        // The last of equal sequence numbers wins: let that be the newest file.
        runs.sort_by_key(|levels| largest_sequence(levels.iter().flatten()));
        let system = SystemColumns::needed(&runs, self.row_kind);
        let (wanted, layout) = if single {
            (&self.single, &self.single_layout)
        } else {
            (&self.several, &self.several_layout)
        };
        let wanted = wanted.with_fields(layout.fields(system));
        let batch_rows = self.options.batch_rows;
        let open = |files: Vec<DataFileMeta>| -> Result<Box<dyn RunReader>> {
            let system = SystemValues {
                encoder: KeyEncoder::new(&layout.key_types)?,
                read: system,
                largest_sequence: largest_sequence(&files),
            };
            let (units, layout) = (wanted.fetch(files), Arc::clone(layout));
            Ok(Box::new(FileRun { units, current: None, system, layout, batch_rows }))
        };
        let mut readers: Vec<Box<dyn RunReader>> = Vec::with_capacity(runs.len());
        for levels in runs {
            let mut levels = levels.into_iter().map(open).collect::<Result<Vec<_>>>()?;
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
        let function: Arc<dyn MergeFunction> = if single || self.ignores_deletes && !system.kind {
            Arc::new(Deduplicate)
        } else {
            Arc::clone(&self.function)
        };
        let order = self.order.clone().filter(|_| !single);
        let options = SortMergeOptions { ordered_runs: !system.sequence, ..self.options };
        self.current = Some(SortMerge::new(readers, function, options).ordered_by(order));
        Ok(true)
    }

    /// Makes the next batches of the open section; says whether everything is read.
    fn work(mut self) -> Result<(Self, VecDeque<RecordBatch>, bool)> {
        let mut ready = VecDeque::new();
        while ready.len() < BATCHES_PER_JOB {
            let Some(merge) = &mut self.current else { break };
            match merge.next_batch()? {
                Some(batch) => {
                    let kinds: ArrayRef = Arc::new(batch.kinds);
                    let Some((values, kinds)) = self.expiry.live(batch.values, kinds)? else {
                        continue;
                    };
                    let rows = values.num_rows();
                    let values = values.columns();
                    ready.push_back(self.assembler.assemble(values, Some(kinds), rows)?);
                }
                None => self.current = None,
            }
        }
        let ended = self.current.is_none() && self.sections.is_empty();
        Ok((self, ready, ended))
    }
}

/// The files of one sorted run.
struct FileRun {
    units: Units,
    current: Option<Unit>,
    system: SystemValues,
    layout: Arc<Layout>,
    batch_rows: usize,
}

impl FileRun {
    fn next(&mut self) -> Result<Option<KeyValueBatch>> {
        loop {
            if let Some(unit) = &mut self.current {
                if let Some(batch) = unit.next_batch(self.batch_rows)? {
                    return self.layout.key_values(&self.system, &batch).map(Some);
                }
                self.current = None;
            }
            match self.units.next_blocking() {
                None => return Ok(None),
                Some(unit) => self.current = Some(unit?),
            }
        }
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
