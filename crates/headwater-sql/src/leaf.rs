//! A step of a query that has no step below: it brings rows from outside of DataFusion.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::stream::BoxStream;

/// The rows of a partition.
pub(crate) type Rows = BoxStream<'static, Result<RecordBatch>>;

/// Starts a partition.
type Start = dyn Fn(usize, Arc<TaskContext>) -> Result<Rows> + Send + Sync;

/// See the module.
pub(crate) struct Leaf {
    name: &'static str,
    /// What EXPLAIN VERBOSE says behind the name.
    about: String,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    rows: Precision<usize>,
    start: Box<Start>,
}

impl Leaf {
    /// Rows of this schema in so many partitions, each of which may be started once.
    pub(crate) fn new(
        (name, about): (&'static str, String),
        schema: SchemaRef,
        partitions: usize,
        start: impl Fn(usize, Arc<TaskContext>) -> Result<Rows> + Send + Sync + 'static,
    ) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Self { name, about, schema, properties, rows: Precision::Absent, start: Box::new(start) }
    }

    /// The same with about so many rows.
    pub(crate) fn with_rows(self, rows: usize) -> Self {
        Self { rows: Precision::Inexact(rows), ..self }
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.about)
    }
}

impl DisplayAs for Leaf {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.about)
    }
}

impl ExecutionPlan for Leaf {
    fn name(&self) -> &'static str {
        self.name
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
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = (self.start)(partition, context)?;
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }

    fn statistics_from_inputs(
        &self,
        _input_stats: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = self.rows;
        Ok(Arc::new(statistics))
    }
}
