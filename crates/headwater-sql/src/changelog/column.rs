//! Files one of whose columns says what became of each row: finds the kinds, and knows which row
//! of which file has none.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int8Array, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::json::LineDelimitedWriter;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::{StreamExt, TryStreamExt};

use super::dead_letters::{DeadLetters, Place};
use crate::error::SqlError;
use crate::leaf::Leaf;

/// What becomes of the columns that the files are read with.
pub(super) struct Kinds {
    /// Name and place of the column with the kinds.
    pub(super) column: String,
    pub(super) at: usize,
    /// Where each column of the result is in what is read; the one at `at` as kinds.
    pub(super) wanted: Vec<usize>,
    pub(super) schema: SchemaRef,
    pub(super) letters: Arc<DeadLetters>,
}

/// Reads the files of a scan one after the other, so that rows can be counted.
pub(super) fn plan(
    scan: Arc<dyn ExecutionPlan>,
    kinds: Kinds,
) -> PlanResult<Arc<dyn ExecutionPlan>> {
    let (scan, files) = one_by_one(scan)?;
    if !files.is_empty() && files.len() != scan.output_partitioning().partition_count() {
        return Err(DataFusionError::Internal("the files of a changelog are mixed".to_owned()));
    }
    let count = files.len();
    let about = format!("column '{}', {count} files", kinds.column);
    let (schema, kinds, files) = (Arc::clone(&kinds.schema), Arc::new(kinds), Arc::new(files));
    Ok(Arc::new(Leaf::new(("KindsExec", about), schema, 1, move |_, context| {
        let (scan, kinds, files) = (Arc::clone(&scan), Arc::clone(&kinds), Arc::clone(&files));
        let of_file = move |at: usize| {
            let (kinds, files) = (Arc::clone(&kinds), Arc::clone(&files));
            let rows = scan.execute(at, Arc::clone(&context))?;
            let mut first = 1_u64;
            Ok::<_, DataFusionError>(rows.map(move |batch| {
                let batch = batch?;
                let file = files.get(at).map(String::as_str).unwrap_or_default();
                let typed = kinds.typed(&batch, file, first)?;
                first = first.saturating_add(u64::try_from(batch.num_rows()).unwrap_or(u64::MAX));
                Ok(typed)
            }))
        };
        Ok(futures::stream::iter(0..count).map(of_file).try_flatten().boxed())
    })))
}

/// The scan with a partition for each file, in the order of their paths, and the paths.
fn one_by_one(scan: Arc<dyn ExecutionPlan>) -> PlanResult<(Arc<dyn ExecutionPlan>, Vec<String>)> {
    let (mut paths, mut empty) = (Vec::new(), false);
    let scan = scan.transform_down(|node| {
        empty |= node.downcast_ref::<EmptyExec>().is_some();
        let config = node
            .downcast_ref::<DataSourceExec>()
            .and_then(|source| source.data_source().downcast_ref::<FileScanConfig>());
        let Some(config) = config else { return Ok(Transformed::no(node)) };
        let mut files: Vec<_> =
            config.file_groups.iter().flat_map(|group| group.iter().cloned()).collect();
        files.sort_by(|a, b| a.object_meta.location.cmp(&b.object_meta.location));
        paths.extend(files.iter().map(|file| format!("/{}", file.object_meta.location)));
        let groups = files.into_iter().map(|file| FileGroup::new(vec![file])).collect();
        // In order: partitions would take files from each other otherwise.
        let config = FileScanConfigBuilder::from(config.clone())
            .with_file_groups(groups)
            .with_preserve_order(true)
            .build();
        Ok(Transformed::yes(DataSourceExec::from_data_source(config)))
    })?;
    if paths.is_empty() && !empty {
        return Err(DataFusionError::Internal("a changelog is read from no file".to_owned()));
    }
    Ok((scan.data, paths))
}

impl Kinds {
    /// The wanted columns of the rows that have a kind; `first`: the number of the first row.
    fn typed(&self, batch: &RecordBatch, file: &str, first: u64) -> PlanResult<RecordBatch> {
        let texts = cast(batch.column(self.at), &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        let kinds: Int8Array = texts.iter().map(|text| text.and_then(kind_of)).collect();
        for row in (0..kinds.len()).filter(|row| kinds.is_null(*row)) {
            let number = first.saturating_add(u64::try_from(row).unwrap_or(u64::MAX));
            let found = match texts.is_null(row) {
                true => "null".to_owned(),
                false => format!("'{}'", texts.value(row)),
            };
            let reason = format!(
                "column '{}': {found} is no kind of a row: +I, -U, +U, -D are, and the words \
                 insert, update, delete or their first letters",
                self.column
            );
            let record = if self.letters.are_kept() { text_of(batch, row)? } else { String::new() };
            let taken = self.letters.take(Place { file, unit: "row", number }, &reason, &record);
            taken.map_err(|error| DataFusionError::External(Box::new(error)))?;
        }
        let column = |at: &usize| match *at == self.at {
            true => Arc::new(kinds.clone()) as ArrayRef,
            false => Arc::clone(batch.column(*at)),
        };
        let columns = self.wanted.iter().map(column).collect();
        let typed = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        if kinds.null_count() == 0 {
            return Ok(typed);
        }
        let good: BooleanArray = kinds.iter().map(|kind| Some(kind.is_some())).collect();
        Ok(filter_record_batch(&typed, &good)?)
    }
}

/// A row as a JSON object.
fn text_of(batch: &RecordBatch, row: usize) -> PlanResult<String> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(&batch.slice(row, 1))?;
    writer.finish()?;
    let text = String::from_utf8(writer.into_inner()).map_err(|error| {
        DataFusionError::External(Box::new(SqlError::invalid(error.to_string())))
    })?;
    Ok(text.trim_end().to_owned())
}

/// The kind that a text names: as Paimon and Flink write it, or the words and letters that other
/// systems use.
fn kind_of(text: &str) -> Option<i8> {
    match text.trim().to_ascii_lowercase().as_str() {
        "+i" | "i" | "c" | "r" | "insert" => Some(0),
        "-u" | "update_before" => Some(1),
        "+u" | "u" | "update_after" | "update" => Some(2),
        "-d" | "d" | "delete" => Some(3),
        _ => None,
    }
}
