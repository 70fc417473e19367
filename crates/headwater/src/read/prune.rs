//! Leaves out buckets and files in which no row can match.
//!
//! Rules: `docs/spec/scan.md#pruning`. Source: Paimon 1.4.2 `BucketSelector`,
//! `KeyValueFileStoreScan`, `AppendOnlyFileStoreScan`, `SimpleStatsEvolution`.

use std::collections::{BTreeSet, HashMap, HashSet};

use headwater_spec::bucket::bucket_of_row;
use headwater_spec::predicate::{Op, Predicate};
use headwater_spec::stats::ColumnStats;
use headwater_spec::{DataFileMeta, DataType, Datum, SpecError, TableSchema};

use super::builder::ReadBuilder;
use super::plan::corrupt_stats;
use crate::error::Result;

/// Most combinations of bucket key values that are turned into buckets.
const MAX_COMBINATIONS: usize = 1000;

/// Rows of bucket key values, and the types of the bucket columns.
type BucketKeys = (Vec<Vec<Option<Datum>>>, Vec<DataType>);

/// Decides with the filter of one read.
pub(super) struct FilePruner<'a> {
    read: &'a ReadBuilder,
    bucket_keys: Option<BucketKeys>,
    buckets: HashMap<i32, HashSet<i32>>,
    schemas: HashMap<i64, TableSchema>,
    /// What may decide about files whose records are merged with others.
    merged_filter: Option<Predicate>,
}

impl<'a> FilePruner<'a> {
    pub(super) fn new(read: &'a ReadBuilder) -> Self {
        Self {
            read,
            bucket_keys: bucket_key_values(read),
            buckets: HashMap::new(),
            schemas: HashMap::new(),
            merged_filter: merged_filter(read),
        }
    }

    /// Loads the schemas that files were written with, for those older than the table's.
    pub(super) async fn load_schemas(&mut self, ids: impl Iterator<Item = i64>) -> Result<()> {
        if self.read.filter.is_none() {
            return Ok(());
        }
        let current = self.read.table.schema().id;
        let wanted: BTreeSet<i64> = ids.filter(|id| *id != current).collect();
        for id in wanted {
            let schema = self.read.table.store().schema(id).await?;
            self.schemas.insert(id, schema);
        }
        Ok(())
    }

    /// Whether the filter leaves a bucket; the count is the one that the files were written with.
    pub(super) fn keeps_bucket(&mut self, bucket: i32, total: i32) -> Result<bool> {
        let (Some((rows, types)), Ok(count)) = (&self.bucket_keys, u32::try_from(total)) else {
            return Ok(true);
        };
        if count == 0 {
            return Ok(true);
        }
        if !self.buckets.contains_key(&total) {
            let function = self.read.table.options().bucket_function;
            let mut wanted = HashSet::new();
            for row in rows {
                wanted.insert(bucket_of_row(function, row, types, count)?.cast_signed());
            }
            self.buckets.insert(total, wanted);
        }
        Ok(self.buckets.get(&total).is_none_or(|wanted| wanted.contains(&bucket)))
    }

    /// Whether a file may hold a matching row.
    pub(super) fn may_match(&self, file: &DataFileMeta) -> Result<bool> {
        self.may_match_filter(file, self.read.filter.as_ref())
    }

    fn may_match_filter(&self, file: &DataFileMeta, filter: Option<&Predicate>) -> Result<bool> {
        let Some(filter) = filter else { return Ok(true) };
        let stats = self.column_stats(file).map_err(|e| corrupt_stats(self.read, file, &e))?;
        Ok(filter.may_match(file.row_count, &|column| stats.get(&column).cloned()))
    }

    /// A section without the files that cannot matter: of a single run each file counts for
    /// itself; of several runs all stay or all go, because an update in one file hides the row of
    /// another.
    pub(super) fn section(
        &self,
        runs: Vec<Vec<DataFileMeta>>,
    ) -> Result<Option<Vec<Vec<DataFileMeta>>>> {
        if runs.len() == 1 {
            let mut kept = Vec::new();
            for file in runs.into_iter().flatten() {
                if self.may_match(&file)? {
                    kept.push(file);
                }
            }
            return Ok(if kept.is_empty() { None } else { Some(vec![kept]) });
        }
        for file in runs.iter().flatten() {
            if self.may_match_filter(file, self.merged_filter.as_ref())? {
                return Ok(Some(runs));
            }
        }
        Ok(None)
    }

    /// What is known of the table's columns in a file: by field id, of the same type.
    fn column_stats(&self, file: &DataFileMeta) -> Result<HashMap<usize, ColumnStats>, SpecError> {
        let table = self.read.table.schema();
        let written = if file.schema_id == table.id {
            table
        } else {
            match self.schemas.get(&file.schema_id) {
                Some(schema) => schema,
                None => return Ok(HashMap::new()),
            }
        };
        let mut by_id: HashMap<i32, ColumnStats> = HashMap::new();
        let names: Vec<String> = match &file.value_stats_cols {
            Some(names) => names.clone(),
            None => written.fields.iter().map(|f| f.name.clone()).collect(),
        };
        let fields = written.columns(&names)?;
        let types: Vec<_> = fields.iter().map(|f| f.data_type.clone()).collect();
        for (field, stats) in fields.iter().zip(file.value_stats.decode(&types)?) {
            by_id.insert(field.id, stats);
        }
        if let Ok(keys) = written.columns(&written.trimmed_primary_keys()) {
            let types: Vec<_> = keys.iter().map(|f| f.data_type.clone()).collect();
            for (field, stats) in keys.iter().zip(file.key_stats.decode(&types)?) {
                by_id.insert(field.id, stats);
            }
        }
        let mut out = HashMap::new();
        for (column, field) in table.fields.iter().enumerate() {
            let same = written
                .fields
                .iter()
                .any(|w| w.id == field.id && w.data_type.kind == field.data_type.kind);
            if let Some(stats) = by_id.remove(&field.id)
                && same
            {
                out.insert(column, stats);
            }
        }
        Ok(out)
    }
}

/// The part of the filter that a merged row can only match if one of its records does: all of it if
/// the row is one of them, else what is said of the key.
fn merged_filter(read: &ReadBuilder) -> Option<Predicate> {
    let filter = read.filter.as_ref()?;
    let schema = read.table.schema();
    if read.table.options().merge.engine.keeps_records_whole() {
        return Some(filter.clone());
    }
    let is_key = |column: &usize| {
        schema.fields.get(*column).is_some_and(|field| schema.primary_keys.contains(&field.name))
    };
    filter.remap_conjuncts(&|column| Some(column).filter(is_key))
}

/// The bucket key values that the filter asks for: `=` or `IN` on every bucket column.
fn bucket_key_values(read: &ReadBuilder) -> Option<BucketKeys> {
    let filter = read.filter.as_ref()?;
    let schema = read.table.schema();
    let keys = schema.columns(&schema.bucket_keys()).ok()?;
    if keys.is_empty() || read.table.options().bucket == 0 {
        return None;
    }
    let mut rows: Vec<Vec<Option<Datum>>> = vec![Vec::new()];
    for key in &keys {
        let column = schema.fields.iter().position(|f| f.id == key.id)?;
        let values = filter.conjuncts().into_iter().find_map(|c| wanted_values(c, column))?;
        if rows.len().saturating_mul(values.len()) > MAX_COMBINATIONS {
            return None;
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                values.iter().map(move |v| row.iter().cloned().chain([Some(v.clone())]).collect())
            })
            .collect();
    }
    Some((rows, keys.into_iter().map(|f| f.data_type).collect()))
}

fn wanted_values(conjunct: &Predicate, wanted: usize) -> Option<&Vec<Datum>> {
    match conjunct {
        Predicate::Leaf { column, op: Op::Eq | Op::In, literals } if *column == wanted => {
            Some(literals)
        }
        _ => None,
    }
}
