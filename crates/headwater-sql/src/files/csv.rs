//! CSV files: read as texts, which get the columns' types on the way into the query.
//!
//! The first rows say what the types are (`sniff`). A value further down that is of another type
//! is an error that names it: a text is never changed in silence. Columns that a statement only
//! stores or casts stay texts (`uses`), so that `007` reaches a STRING column as it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::config::ConfigOptions;
use datafusion::datasource::listing::ListingTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TableProviderFilterPushDown, TableType, Volatility,
};
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, PhysicalExpr};
use futures::StreamExt;

use super::sniff::{Guess, Kind};
use crate::error::SqlError;

/// Rows that the types are taken from.
const SNIFFED_ROWS: usize = 20_480;

/// CSV files as a table.
#[derive(Debug, Clone)]
pub(super) struct CsvTable {
    path: Arc<str>,
    /// All columns of the files are texts; columns of directories behind them are what they are.
    texts: Arc<ListingTable>,
    /// Types of the files' columns.
    kinds: Arc<[Kind]>,
    schema: SchemaRef,
}

impl CsvTable {
    /// Looks at the first rows.
    pub(super) async fn open(
        path: &str,
        texts: ListingTable,
        state: &dyn Session,
        tasks: Arc<TaskContext>,
    ) -> Result<Self> {
        let schema = TableProvider::schema(&texts);
        let columns = schema.fields().iter().take_while(|f| *f.data_type() == DataType::Utf8);
        let partitions = texts.options().table_partition_cols.len();
        let columns = columns.count().min(schema.fields().len().saturating_sub(partitions));
        let mut guesses = vec![Guess::default(); columns];
        let plan = texts.scan(state, None, &[], Some(SNIFFED_ROWS)).await?;
        let mut rows = 0_usize;
        for partition in 0..plan.output_partitioning().partition_count() {
            let mut batches = plan.execute(partition, Arc::clone(&tasks))?;
            while rows < SNIFFED_ROWS
                && let Some(batch) = batches.next().await
            {
                let batch = batch?;
                rows = rows.saturating_add(batch.num_rows());
                for (guess, column) in guesses.iter_mut().zip(batch.columns()) {
                    guess.look(column);
                }
            }
        }
        let kinds: Arc<[Kind]> = guesses.iter().map(Guess::kind).collect();
        let schema = typed(&schema, &kinds);
        Ok(Self { path: path.into(), texts: Arc::new(texts), kinds, schema })
    }

    /// The table with columns that stay texts.
    pub(super) fn with_texts(&self, columns: &BTreeSet<String>) -> Self {
        let fields = self.schema.fields();
        let kind = |(at, kind): (usize, &Kind)| match fields.get(at) {
            Some(field) if columns.contains(field.name()) => Kind::Text,
            _ => *kind,
        };
        let kinds: Arc<[Kind]> = self.kinds.iter().enumerate().map(kind).collect();
        let schema = typed(&TableProvider::schema(self.texts.as_ref()), &kinds);
        Self { schema, kinds, ..self.clone() }
    }
}

fn typed(texts: &Schema, kinds: &[Kind]) -> SchemaRef {
    let kinds = kinds.iter().map(Some).chain(std::iter::repeat(None));
    let field = |(field, kind): (&FieldRef, Option<&Kind>)| match kind {
        Some(kind) => Arc::new(Field::new(field.name(), kind.data_type(), true)),
        None => Arc::clone(field),
    };
    Arc::new(Schema::new(texts.fields().iter().zip(kinds).map(field).collect::<Fields>()))
}

#[async_trait]
impl TableProvider for CsvTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // Only directories are left out early; filters see typed values.
        let of_directories = |filter: &&Expr| {
            let columns = filter.column_refs();
            !columns.is_empty()
                && columns.iter().all(|column| {
                    self.schema.index_of(&column.name).is_ok_and(|at| at >= self.kinds.len())
                })
        };
        filters
            .iter()
            .map(|filter| {
                if of_directories(filter) {
                    let answer = self.texts.supports_filters_pushdown(&[filter])?;
                    Ok(answer
                        .into_iter()
                        .next()
                        .unwrap_or(TableProviderFilterPushDown::Unsupported))
                } else {
                    Ok(TableProviderFilterPushDown::Unsupported)
                }
            })
            .collect()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let texts = self.texts.scan(state, projection, filters, limit).await?;
        let positions: Vec<usize> = match projection {
            Some(positions) => positions.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let given = texts.schema();
        let mut columns: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::new();
        for (at, position) in positions.into_iter().enumerate() {
            let name = self.schema.field(position).name().clone();
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(given.field(at).name(), at));
            let value: Arc<dyn PhysicalExpr> = match self.kinds.get(position) {
                None | Some(Kind::Text) => column,
                Some(kind) => {
                    let function = CsvValue::new(&self.path, &name, *kind);
                    Arc::new(ScalarFunctionExpr::try_new(
                        Arc::new(ScalarUDF::new_from_impl(function)),
                        vec![column],
                        &given,
                        Arc::new(ConfigOptions::clone(state.config_options())),
                    )?)
                }
            };
            columns.push((value, name));
        }
        Ok(Arc::new(ProjectionExec::try_new(columns, texts)?))
    }
}

/// Gives texts of one column its type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CsvValue {
    path: Arc<str>,
    column: String,
    kind: Kind,
    signature: Signature,
}

impl CsvValue {
    fn new(path: &Arc<str>, column: &str, kind: Kind) -> Self {
        Self {
            path: Arc::clone(path),
            column: column.to_owned(),
            kind,
            // An error must not be moved to where rows that a filter drops are looked at: the
            // planner keeps volatile functions in their place.
            signature: Signature::any(1, Volatility::Stable),
        }
    }
}

impl ScalarUDFImpl for CsvValue {
    fn name(&self) -> &'static str {
        "csv_value"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.kind.data_type())
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(&self.column, self.kind.data_type(), true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let Some(given) = arrays.first() else {
            return Err(DataFusionError::Internal("csv_value without a value".to_owned()));
        };
        let texts: ArrayRef = match given.data_type() {
            DataType::Utf8 => Arc::clone(given),
            _ => cast(given, &DataType::Utf8)?,
        };
        let texts = texts.as_string::<i32>();
        match self.kind.values(texts) {
            Ok(values) => Ok(ColumnarValue::Array(values)),
            Err(row) => {
                let text = if texts.len() > row { texts.value(row) } else { "" };
                let error = SqlError::invalid(format!(
                    "file '{}', column '{}': '{text}' cannot be kept as {}, which the first rows \
                     are; CAST({} AS STRING), or another type, reads the texts as they are",
                    self.path, self.column, self.kind, self.column
                ));
                Err(DataFusionError::External(Box::new(error)))
            }
        }
    }
}
