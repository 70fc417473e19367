//! Reads a table inside of a query: planned once, then every partition reads its splits in turn.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt};
use headwater::{Plan, Predicate, ReadBuilder, ReadCounters, Split, Table, TypeKind};

use crate::progress::Progress;
use crate::pushdown::describe;

/// A planned scan of one table.
#[derive(Debug)]
pub(crate) struct ScanExec {
    table: Table,
    read: ReadBuilder,
    counters: Arc<ReadCounters>,
    predicate: Option<Predicate>,
    plan: Plan,
    /// Splits of each partition.
    groups: Vec<Vec<Split>>,
    schema: SchemaRef,
    /// The query wants no column at all, only the number of rows.
    count_only: bool,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    progress: Arc<Progress>,
}

impl ScanExec {
    /// Plans a scan in at most `partitions` parts that can be read at the same time.
    pub(crate) async fn planned(
        table: Table,
        projection: Option<&[usize]>,
        predicate: Option<Predicate>,
        limit: Option<usize>,
        partitions: usize,
    ) -> headwater::Result<Self> {
        let mut read = table.new_read();
        let count_only = projection.is_some_and(<[usize]>::is_empty);
        if count_only {
            read = read.project(vec![cheapest_column(&table)])?;
        } else if let Some(columns) = projection {
            read = read.project(columns.to_vec())?;
        }
        if let Some(predicate) = &predicate {
            read = read.filter(predicate.clone())?;
        }
        if let Some(rows) = limit.and_then(|rows| u64::try_from(rows).ok()) {
            read = read.limit(rows);
        }
        let counters = Arc::new(ReadCounters::default());
        let read = read.counted(Arc::clone(&counters));
        let plan = read.plan().await?;
        // A few rows come sooner from one partition than from several that all start.
        let partitions = if limit.is_some_and(|rows| rows <= FEW_ROWS) { 1 } else { partitions };
        let groups = group(&plan.splits, partitions);
        let schema =
            if count_only { Arc::new(arrow::datatypes::Schema::empty()) } else { read.schema() };
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(groups.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Self {
            table,
            read,
            counters,
            predicate,
            plan,
            groups,
            schema,
            count_only,
            properties,
            metrics,
            progress: Arc::default(),
        })
    }

    pub(crate) const fn table(&self) -> &Table {
        &self.table
    }

    pub(crate) const fn read(&self) -> &ReadBuilder {
        &self.read
    }

    pub(crate) const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was read so far.
    pub(crate) fn counters(&self) -> &ReadCounters {
        &self.counters
    }

    /// The names of the columns that are read, for people.
    pub(crate) fn columns(&self) -> String {
        if self.count_only {
            return "none, only the number of rows".to_owned();
        }
        let names: Vec<&str> = self.schema.fields().iter().map(|f| f.name().as_str()).collect();
        names.join(", ")
    }

    /// The filter that planning and reading use, for people.
    pub(crate) fn predicate_text(&self) -> Option<String> {
        self.predicate.as_ref().map(|p| describe(p, self.table.row_type()))
    }

    /// The same scan, whose rows are counted in `progress` as they are read.
    pub(crate) fn counting(mut self, progress: Arc<Progress>) -> Self {
        self.progress = progress;
        self
    }

    fn rows_of(&self, splits: &[Split]) -> Option<u64> {
        let keyed = self.table.has_primary_key();
        splits.iter().try_fold(0_u64, |sum, s| s.exact_rows(keyed).and_then(|n| sum.checked_add(n)))
    }
}

/// The most rows of a LIMIT for which one partition reads.
const FEW_ROWS: usize = 8_192;

/// A column that is quick to read, for counting rows.
fn cheapest_column(table: &Table) -> usize {
    let cost = |kind: &TypeKind| match kind {
        TypeKind::Boolean | TypeKind::TinyInt => 0,
        TypeKind::SmallInt | TypeKind::Int | TypeKind::Date | TypeKind::Time(_) => 1,
        TypeKind::BigInt | TypeKind::Float | TypeKind::Double => 2,
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) | TypeKind::Decimal { .. } => 3,
        other if other.can_be_key() => 4,
        _ => 5,
    };
    let fields = &table.row_type().fields;
    (0..fields.len()).min_by_key(|i| fields.get(*i).map(|f| cost(&f.data_type.kind))).unwrap_or(0)
}

/// Deals the splits out so that every group has about the same bytes; each group keeps the order.
fn group(splits: &[Split], partitions: usize) -> Vec<Vec<Split>> {
    let count = partitions.min(splits.len()).max(1);
    let mut by_size: Vec<usize> = (0..splits.len()).collect();
    let bytes = |i: &usize| splits.get(*i).map_or(0, Split::bytes);
    by_size.sort_by_key(|i| std::cmp::Reverse(bytes(i)));
    let mut groups: Vec<(u64, Vec<usize>)> = vec![(0, Vec::new()); count];
    for index in by_size {
        if let Some(lightest) = groups.iter_mut().min_by_key(|(size, _)| *size) {
            lightest.0 = lightest.0.saturating_add(bytes(&index).max(1));
            lightest.1.push(index);
        }
    }
    groups
        .into_iter()
        .map(|(_, mut members)| {
            members.sort_unstable();
            members.into_iter().filter_map(|i| splits.get(i).cloned()).collect()
        })
        .collect()
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let predicate = self.predicate.as_ref().map(|p| describe(p, self.table.row_type()));
        if matches!(t, DisplayFormatType::TreeRender) {
            writeln!(f, "table={}", self.table.name())?;
            if let Some(text) = predicate {
                writeln!(f, "predicate={text}")?;
            }
            return Ok(());
        }
        let plan = &self.plan;
        write!(f, "ScanExec: table={}, snapshot=", self.table.name())?;
        match plan.snapshot_id {
            Some(id) => write!(f, "{id}")?,
            None => f.write_str("none")?,
        }
        let merged = plan.splits.iter().filter(|s| !s.is_raw()).count();
        write!(
            f,
            ", splits={} ({merged} merged), files={} ({} pruned), manifests={} ({} pruned)",
            plan.splits.len(),
            plan.files - plan.files_pruned.min(plan.files),
            plan.files_pruned,
            plan.manifests.manifests
                - plan.manifests.manifests_pruned.min(plan.manifests.manifests),
            plan.manifests.manifests_pruned,
        )?;
        if self.count_only {
            f.write_str(", columns=[]")?;
        } else {
            let names: Vec<&str> = self.schema.fields().iter().map(|f| f.name().as_str()).collect();
            write!(f, ", columns=[{}]", names.join(", "))?;
        }
        match predicate {
            Some(text) => write!(f, ", predicate={text}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &'static str {
        "ScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let Some(splits) = self.groups.get(partition).cloned() else {
            return Err(DataFusionError::Internal(format!("there is no partition {partition}")));
        };
        let read = self.read.clone();
        let count_only = self.count_only;
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let progress = Arc::clone(&self.progress);
        let external = |error| DataFusionError::External(Box::new(error));
        let batches = futures::stream::iter(splits)
            .map(move |split| read.read(&split).map_err(external))
            .map_ok(move |rows| rows.map_err(external))
            .try_flatten()
            .map(move |batch| {
                let batch: RecordBatch = batch?;
                let batch = if count_only { batch.project(&[])? } else { batch };
                metrics.record_output(batch.num_rows());
                progress.add_read(batch.num_rows());
                Ok(batch)
            });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        _input_stats: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let splits = match args.partition() {
            None => Some(self.plan.splits.as_slice()),
            Some(partition) => self.groups.get(partition).map(Vec::as_slice),
        };
        let mut statistics = Statistics::new_unknown(&self.schema);
        let splits = splits.unwrap_or_default();
        statistics.num_rows = match self.rows_of(splits) {
            // Files whose row groups a filter may skip give fewer rows.
            Some(rows) if self.plan.exact_rows.is_some() => {
                usize::try_from(rows).map_or(Precision::Absent, Precision::Exact)
            }
            _ => {
                let rows: i64 =
                    splits.iter().flat_map(Split::files).map(|f| f.row_count.max(0)).sum();
                usize::try_from(rows).map_or(Precision::Absent, Precision::Inexact)
            }
        };
        Ok(Arc::new(statistics))
    }
}
