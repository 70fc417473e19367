//! The table of a statement that changes rows, as its query reads it: with a number for each row.
//!
//! Without a primary key the number says where the row is: the file's place in the plan and the
//! row's position in the file. With one it only tells rows apart.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider, Session,
    TableProvider,
};
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use futures::{StreamExt, TryStreamExt};
use headwater::{ReadBuilder, Split, Table};

use crate::leaf::{Leaf, Rows};
use crate::progress::Progress;
use crate::pushdown::{is_translatable, predicate_of};

/// Catalog, database and name of the table in the statement's query.
pub(crate) const TARGET_CATALOG: &str = "$target";

/// The column with the number of a row.
pub(super) const ROW_NUMBER: &str = "$row";

/// Bits of a row number that are the position in the file.
const POSITION_BITS: u32 = 40;

/// The table of the statement that runs.
#[derive(Debug)]
pub(crate) struct Target {
    /// At the snapshot that the statement reads.
    pub(super) table: Table,
    schema: SchemaRef,
    progress: Arc<Progress>,
    /// The files of the scan, by the upper bits of row numbers; `None` before the scan is planned.
    files: Mutex<Option<Vec<Split>>>,
}

impl Target {
    /// `table` at the snapshot that is to be read.
    pub(super) fn new(table: Table, progress: Arc<Progress>) -> Self {
        let mut fields: Vec<_> = table.arrow_schema().fields().iter().map(Arc::clone).collect();
        fields.push(Arc::new(Field::new(ROW_NUMBER, DataType::Int64, false)));
        Self { table, schema: Arc::new(Schema::new(fields)), progress, files: Mutex::default() }
    }

    /// The files that the query reads, by the upper part of their rows' numbers.
    pub(super) fn take_files(&self) -> Vec<Split> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The catalog in which the query finds the table.
    pub(crate) fn catalog(self: Arc<Self>) -> PlanResult<Arc<dyn CatalogProvider>> {
        let catalog = MemoryCatalogProvider::new();
        let schema = MemorySchemaProvider::new();
        schema.register_table(TARGET_CATALOG.to_owned(), self)?;
        catalog.register_schema(TARGET_CATALOG, Arc::new(schema))?;
        Ok(Arc::new(catalog))
    }
}

/// The number of the first row of a file.
pub(super) fn first_number(file: usize) -> u64 {
    u64::try_from(file).unwrap_or(u64::MAX) << POSITION_BITS
}

#[async_trait]
impl TableProvider for Target {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        let columns = self.table.row_type();
        let how = |filter: &&Expr| match is_translatable(filter, columns) {
            true => TableProviderFilterPushDown::Inexact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(how).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let external = |error| DataFusionError::External(Box::new(error));
        let width = self.table.row_type().fields.len();
        let wanted: Vec<usize> = projection.map_or_else(|| (0..=width).collect(), Clone::clone);
        let mut read: Vec<usize> = wanted.iter().copied().filter(|at| *at < width).collect();
        if read.is_empty() {
            read.push(0);
        }
        let sources = wanted.iter().map(|at| read.iter().position(|column| column == at)).collect();
        let keyed = self.table.has_primary_key();
        let mut builder = self.table.new_read().project(read).map_err(external)?;
        if let Some(predicate) = predicate_of(filters, self.table.row_type()) {
            builder = builder.filter(predicate).map_err(external)?;
        }
        if !keyed {
            builder = builder.with_positions();
        }
        let splits = builder.plan().await.map_err(external)?.splits;
        let splits = if keyed {
            splits
        } else {
            let single: Option<Vec<_>> = splits.iter().map(Split::single_files).collect();
            let Some(single) = single else {
                return Err(DataFusionError::Internal("files without a key are merged".to_owned()));
            };
            single.into_iter().flatten().collect()
        };
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.is_some() {
            // Row numbers of two scans have nothing to do with each other.
            return Err(DataFusionError::NotImplemented(
                "the planner reads the table that is changed more than once".to_owned(),
            ));
        }
        *files = Some(if keyed { Vec::new() } else { splits.clone() });
        drop(files);
        let schema = Arc::new(self.schema.project(&wanted)?);
        let rows: i64 = splits.iter().flat_map(Split::files).map(|f| f.row_count.max(0)).sum();
        let groups = spread(&splits, state.config().target_partitions());
        let (partitions, about) = (groups.len(), format!("table={}", self.table.name()));
        let parts = Parts {
            read: builder,
            keyed,
            groups,
            sources: Arc::new(sources),
            next: Arc::default(),
            schema: Arc::clone(&schema),
            progress: Arc::clone(&self.progress),
        };
        let leaf = Leaf::new(("TargetExec", about), schema, partitions, move |partition, _| {
            parts.start(partition)
        });
        Ok(Arc::new(leaf.with_rows(usize::try_from(rows).unwrap_or(usize::MAX))))
    }
}

/// Reads the table once, in parts.
struct Parts {
    read: ReadBuilder,
    keyed: bool,
    /// Splits of each partition, with their places in the plan.
    groups: Vec<Vec<(usize, Split)>>,
    /// Where each output column is in what is read; `None`: it is the row number.
    sources: Arc<Vec<Option<usize>>>,
    /// The next number of rows that are told apart only.
    next: Arc<AtomicI64>,
    schema: SchemaRef,
    progress: Arc<Progress>,
}

impl Parts {
    fn start(&self, partition: usize) -> PlanResult<Rows> {
        let Some(splits) = self.groups.get(partition).cloned() else {
            return Err(DataFusionError::Internal(format!("there is no partition {partition}")));
        };
        let read = self.read.clone();
        let schema = Arc::clone(&self.schema);
        let sources = Arc::clone(&self.sources);
        let next = (self.keyed).then(|| Arc::clone(&self.next));
        let progress = Arc::clone(&self.progress);
        let external = |error| DataFusionError::External(Box::new(error));
        let batches = futures::stream::iter(splits)
            .map(move |(file, split)| {
                let rows = read.read(&split).map_err(external)?;
                Ok::<_, DataFusionError>(rows.map_ok(move |batch| (file, batch)).map_err(external))
            })
            .try_flatten()
            .map(move |read| {
                let (file, batch) = read?;
                progress.add_read(batch.num_rows());
                let numbers = numbers(file, &batch, next.as_deref())?;
                let column = |source: &Option<usize>| match source {
                    Some(at) => batch.columns().get(*at).map(Arc::clone),
                    None => Some(Arc::clone(&numbers)),
                };
                let columns: Option<Vec<ArrayRef>> = sources.iter().map(column).collect();
                let columns = columns.ok_or_else(|| {
                    DataFusionError::Internal("a batch of the table lacks a column".to_owned())
                })?;
                Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
            });
        Ok(batches.boxed())
    }
}

/// The splits with their places, spread over at most so many partitions.
fn spread(splits: &[Split], partitions: usize) -> Vec<Vec<(usize, Split)>> {
    let count = partitions.min(splits.len()).max(1);
    let mut groups: Vec<Vec<(usize, Split)>> = vec![Vec::new(); count];
    for (at, split) in splits.iter().enumerate() {
        if let Some(group) = groups.get_mut(at % count) {
            group.push((at, split.clone()));
        }
    }
    groups
}

/// The numbers of a batch's rows: the next ones, or what the last column says of the file.
fn numbers(file: usize, batch: &RecordBatch, next: Option<&AtomicI64>) -> PlanResult<ArrayRef> {
    let rows = batch.num_rows();
    if let Some(next) = next {
        let count = i64::try_from(rows).unwrap_or(i64::MAX);
        let first = next.fetch_add(count, Ordering::Relaxed);
        return Ok(Arc::new((first..).take(rows).collect::<Int64Array>()));
    }
    let first = i64::try_from(first_number(file)).unwrap_or(i64::MAX);
    let positions =
        batch.columns().last().and_then(|column| column.as_primitive_opt::<Int64Type>());
    match positions {
        Some(positions) => Ok(Arc::new(positions.unary::<_, Int64Type>(|at| first | at))),
        None => {
            Err(DataFusionError::Internal("a batch lacks the positions of its rows".to_owned()))
        }
    }
}
