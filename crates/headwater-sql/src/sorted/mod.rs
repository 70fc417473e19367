//! Sorted compaction: the rows of each partition of an append table, sorted by columns or along a
//! curve, become its new files, so that the statistics of a file are narrow.
//!
//! The sort is DataFusion's, which spills to disk what the session's memory does not hold; files
//! are the library's business (`headwater::compact::Reordering`). Paimon's engines first cut the
//! rows into ranges by samples, to sort in parallel: here one sort yields one order.
//! Source: Paimon 1.4.2 `SortCompactAction`, `TableSorter`.

mod curve;
mod key;
mod portions;

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use futures::{StreamExt, TryStreamExt};
use headwater::compact::{PartitionRows, PartitionSpec, Reordering, Rewrite};
use headwater::{CompactionOutcome, CompactionProgress, ReadBuilder, Split, Table, TypeKind};

use self::key::{Curve, places};
use self::portions::Portions;
use crate::error::SqlError;
use crate::leaf::{Leaf, Rows};
use crate::progress::Progress;

/// The column with a row's place on the curve.
const PLACE: &str = "$place";

/// How rows are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// By the first column, then by the next one.
    Order,
    /// Along the z-order of the columns.
    Zorder,
    /// Along the curve of Hilbert through the columns.
    Hilbert,
}

impl Strategy {
    /// The strategy of this name, in any case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let name = name.trim();
        [("order", Self::Order), ("zorder", Self::Zorder), ("hilbert", Self::Hilbert)]
            .into_iter()
            .find_map(|(known, strategy)| known.eq_ignore_ascii_case(name).then_some(strategy))
    }
}

/// What the rows of a table are sorted by.
#[derive(Debug, Clone)]
pub(crate) struct RowOrder {
    strategy: Strategy,
    /// Positions of the columns in the table.
    columns: Vec<usize>,
    zorder_bytes: usize,
}

impl RowOrder {
    /// The order by columns of a table, which stand in `names` with commas between them.
    pub(crate) fn new(table: &Table, strategy: Strategy, names: &str) -> Result<Self, SqlError> {
        let schema = table.schema();
        let mut columns = Vec::new();
        for name in names.split(',').map(str::trim) {
            let complain =
                |what: &str| Err(SqlError::invalid(format!("table {}: {what}", table.name())));
            let Some(at) = table.row_type().index_of(name) else {
                let known: Vec<&str> = schema.fields.iter().map(|f| f.name.as_str()).collect();
                return complain(&format!(
                    "there is no column '{name}' to sort by; the columns are: {}",
                    known.join(", ")
                ));
            };
            if schema.partition_keys.iter().any(|key| key == name) {
                return complain(&format!(
                    "'{name}' is a partition column: rows are sorted inside of each partition, \
                     where it has one value; leave it out"
                ));
            }
            if columns.contains(&at) {
                return complain(&format!("column '{name}' is named twice in the order"));
            }
            let field = schema.fields.get(at);
            if let Some(field) = field.filter(|field| !is_sortable(&field.data_type.kind)) {
                return complain(&format!(
                    "rows cannot be sorted by column '{name}', whose type is {}",
                    field.data_type
                ));
            }
            columns.push(at);
        }
        if strategy == Strategy::Hilbert && columns.len() < 2 {
            return Err(SqlError::invalid(
                "the strategy 'hilbert' needs two columns or more: for one column use 'order'",
            ));
        }
        Ok(Self { strategy, columns, zorder_bytes: table.options().compaction.zorder_bytes })
    }

    const fn curve(&self) -> Option<Curve> {
        match self.strategy {
            Strategy::Order => None,
            Strategy::Zorder => Some(Curve::Zorder(self.zorder_bytes)),
            Strategy::Hilbert => Some(Curve::Hilbert),
        }
    }

    /// The table's columns, and the place on the curve if there is one.
    fn schema(&self, table: &Table) -> SchemaRef {
        let columns = table.arrow_schema();
        if self.curve().is_none() {
            return columns;
        }
        let mut fields: Vec<_> = columns.fields().iter().map(Arc::clone).collect();
        fields.push(Arc::new(Field::new(PLACE, Arrow::Binary, false)));
        Arc::new(Schema::new(fields))
    }

    /// The sort of rows with that schema; nulls come first.
    fn ordering(&self, schema: &Schema) -> PlanResult<LexOrdering> {
        let by = |at: usize| {
            let name = schema.field(at).name();
            let options = SortOptions { descending: false, nulls_first: true };
            PhysicalSortExpr::new(Arc::new(Column::new(name, at)), options)
        };
        let sorted = match self.curve() {
            None => LexOrdering::new(self.columns.iter().map(|at| by(*at))),
            Some(_) => LexOrdering::new([by(schema.fields().len().saturating_sub(1))]),
        };
        sorted.ok_or_else(|| DataFusionError::Internal("there is nothing to sort by".to_owned()))
    }

    /// Rows of the table, with what they are sorted by.
    fn extended(&self, batch: RecordBatch, schema: &SchemaRef) -> PlanResult<RecordBatch> {
        let Some(curve) = self.curve() else { return Ok(batch) };
        let columns: Vec<ArrayRef> =
            self.columns.iter().filter_map(|at| batch.columns().get(*at).map(Arc::clone)).collect();
        let place: ArrayRef = Arc::new(places(curve, &columns)?);
        let mut columns = batch.columns().to_vec();
        columns.push(place);
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}

/// Types whose values have an order.
const fn is_sortable(kind: &TypeKind) -> bool {
    !matches!(
        kind,
        TypeKind::Array(_)
            | TypeKind::Vector(..)
            | TypeKind::Map(..)
            | TypeKind::Multiset(_)
            | TypeKind::Row(_)
            | TypeKind::Variant
            | TypeKind::Blob
    )
}

/// Sorts tables.
pub(crate) struct Sorting {
    /// What DataFusion works with.
    pub(crate) state: SessionState,
    /// Parts of a sort that run at once.
    pub(crate) threads: usize,
    pub(crate) progress: Arc<Progress>,
    pub(crate) compaction: Arc<CompactionProgress>,
}

impl Sorting {
    /// Sorts the rows of these partitions, without any those of the whole table.
    pub(crate) async fn run(
        &self,
        table: &Table,
        order: &RowOrder,
        partitions: &[PartitionSpec],
    ) -> Result<CompactionOutcome, SqlError> {
        let mut job = table.new_reordering().counted(Arc::clone(&self.compaction));
        for rows in job.plan(partitions).await? {
            if let Err(error) = self.sort(table, order, &mut job, rows).await {
                // Partitions that are done stay done.
                job.end().await?;
                return Err(error);
            }
        }
        Ok(job.end().await?)
    }

    async fn sort(
        &self,
        table: &Table,
        order: &RowOrder,
        job: &mut Reordering,
        rows: PartitionRows,
    ) -> Result<(), SqlError> {
        let sorted = self.sorted(table, order, &rows).await.map_err(SqlError::from_datafusion)?;
        let mut rewrite = job.rewrite(rows)?;
        if let Err(error) = self.write(table, sorted, &mut rewrite).await {
            rewrite.abort().await;
            return Err(error);
        }
        Ok(job.finish(rewrite).await?)
    }

    /// The rows of a partition in their order.
    async fn sorted(
        &self,
        table: &Table,
        order: &RowOrder,
        rows: &PartitionRows,
    ) -> PlanResult<SendableRecordBatchStream> {
        let schema = order.schema(table);
        let ordering = order.ordering(&schema)?;
        let one = |split| self.unsorted(order, rows.reader(), split, &schema);
        let mut splits: Vec<Rows> = rows.splits().iter().map(one).collect();
        // How wide rows are decides how many are sorted and stored at once.
        let first = match splits.first_mut() {
            Some(split) => split.next().await.transpose()?,
            None => None,
        };
        let most = self.threads.min(splits.len()).max(1);
        let portions = Portions::of(&self.state, first.as_ref(), rows.row_count(), most)?;
        let (context, count) = (portions.context(&self.state), portions.parts());
        let mut parts: Vec<Vec<Rows>> = (0..count).map(|_| Vec::new()).collect();
        let first = futures::stream::iter(first.map(Ok)).boxed();
        for (at, split) in std::iter::once(first).chain(splits).enumerate() {
            // The first batch stands before the rest of its file.
            if let Some(part) = parts.get_mut(at.saturating_sub(1) % count) {
                part.push(split);
            }
        }
        let cut = move |splits: Vec<Rows>| {
            let batches = futures::stream::iter(splits).flatten();
            let pieces = batches.map(move |batch| {
                let pieces = portions.cut(&batch?)?;
                Ok::<_, DataFusionError>(futures::stream::iter(pieces.into_iter().map(Ok)))
            });
            Some(pieces.try_flatten().boxed())
        };
        let parts = Mutex::new(parts.into_iter().map(cut).collect::<Vec<Option<Rows>>>());
        let start = move |part: usize, _| {
            let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
            parts.get_mut(part).and_then(Option::take).ok_or_else(|| {
                DataFusionError::Internal(format!("part {part} is not there, or started twice"))
            })
        };
        let about = format!("table={}", table.name());
        let unsorted = Arc::new(Leaf::new(("UnsortedExec", about), schema, count, start));
        let sort = SortExec::new(ordering.clone(), unsorted).with_preserve_partitioning(count > 1);
        let sort: Arc<dyn ExecutionPlan> = Arc::new(sort);
        let sorted = match count {
            1 => sort,
            _ => Arc::new(SortPreservingMergeExec::new(ordering, sort)),
        };
        sorted.execute(0, context)
    }

    /// The rows of a file as they are now, with what they are sorted by. Nothing is read before the
    /// first one is asked for.
    fn unsorted(
        &self,
        order: &RowOrder,
        reader: &ReadBuilder,
        split: &Split,
        schema: &SchemaRef,
    ) -> Rows {
        let (order, schema) = (order.clone(), Arc::clone(schema));
        let (reader, split) = (reader.clone(), split.clone());
        let progress = Arc::clone(&self.progress);
        let external = |error| DataFusionError::External(Box::new(error));
        futures::stream::once(async move { reader.read(&split).map_err(external) })
            .map_ok(move |rows| rows.map_err(external))
            .try_flatten()
            .map(move |batch| {
                let batch = batch?;
                progress.add_read(batch.num_rows());
                order.extended(batch, &schema)
            })
            .boxed()
    }

    async fn write(
        &self,
        table: &Table,
        mut sorted: SendableRecordBatchStream,
        rewrite: &mut Rewrite,
    ) -> Result<(), SqlError> {
        let columns: Vec<usize> = (0..table.row_type().fields.len()).collect();
        while let Some(batch) = sorted.next().await {
            let batch = batch.map_err(SqlError::from_datafusion)?;
            let batch = batch.project(&columns).map_err(headwater::Error::from)?;
            rewrite.write(&batch).await?;
            self.progress.add_written(batch.num_rows());
        }
        Ok(())
    }
}
