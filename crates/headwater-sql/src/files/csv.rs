//! CSV files: read as texts, which get the columns' types on the way into the query.
//!
//! The first rows say what the types are (`sniff`). A value further down that is of another type
//! is an error that names it: a text is never changed in silence. Columns that a statement only
//! stores or casts stay texts (`uses`), so that `007` reaches a STRING column as it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::kernels::cmp::eq;
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType as Arrow, Field, FieldRef, Fields, Schema, SchemaRef};
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
use headwater::DataType;
use headwater::spec::types::arrow_type;

use super::request::Request;
use super::sniff::{Guess, Kind};
use crate::assign::convert;
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
    types: Arc<[Type]>,
    /// The text that stands for null, besides the empty one.
    null: Option<Arc<str>>,
    schema: SchemaRef,
}

/// The type of a column, and how a text becomes a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Type {
    /// As the first rows say.
    Sniffed(Kind),
    /// As the statement says.
    Given(DataType),
}

impl Type {
    fn arrow(&self) -> Arrow {
        match self {
            Self::Sniffed(kind) => kind.data_type(),
            Self::Given(given) => arrow_type(&given.kind),
        }
    }
}

impl CsvTable {
    /// Takes the columns' types from the request, or from the first rows.
    pub(super) async fn open(
        request: &Request,
        texts: ListingTable,
        state: &dyn Session,
        tasks: Arc<TaskContext>,
    ) -> Result<Self> {
        let file = TableProvider::schema(&texts);
        let partitions = texts.options().table_partition_cols.len();
        let columns = file.fields().len().saturating_sub(partitions);
        let mut names: Vec<String> = file.fields().iter().map(|f| f.name().clone()).collect();
        let types: Vec<Type> = if let Some(given) = &request.columns {
            if given.len() != columns {
                return Err(DataFusionError::Plan(format!(
                    "option 'columns' has {} columns, the file {columns}",
                    given.len()
                )));
            }
            for (name, (wanted, _)) in names.iter_mut().zip(given) {
                if request.header != Some(false) && name != wanted {
                    return Err(DataFusionError::Plan(format!(
                        "option 'columns' has column '{wanted}' where the file has '{name}'"
                    )));
                }
                name.clone_from(wanted);
            }
            given.iter().map(|(_, given)| Type::Given(given.clone())).collect()
        } else if request.all_texts {
            vec![Type::Sniffed(Kind::Text); columns]
        } else {
            let guesses = look(&texts, columns, request.null.as_deref(), state, tasks).await?;
            guesses.iter().map(|guess| Type::Sniffed(guess.kind())).collect()
        };
        let schema = typed(&file, &names, &types);
        Ok(Self {
            path: request.path.as_str().into(),
            texts: Arc::new(texts),
            types: types.into(),
            null: request.null.as_deref().map(Arc::from),
            schema,
        })
    }

    /// The table with columns that stay texts, where their types are only guessed.
    pub(super) fn with_texts(&self, columns: &BTreeSet<String>) -> Self {
        let fields = self.schema.fields();
        let names: Vec<String> = fields.iter().map(|f| f.name().clone()).collect();
        let stays = |(at, known): (usize, &Type)| match (known, names.get(at)) {
            (Type::Sniffed(_), Some(name)) if columns.contains(name) => Type::Sniffed(Kind::Text),
            _ => known.clone(),
        };
        let types: Arc<[Type]> = self.types.iter().enumerate().map(stays).collect();
        let schema = typed(&self.schema, &names, &types);
        Self { schema, types, ..self.clone() }
    }
}

/// What the first rows say about the first columns.
async fn look(
    texts: &ListingTable,
    columns: usize,
    null: Option<&str>,
    state: &dyn Session,
    tasks: Arc<TaskContext>,
) -> Result<Vec<Guess>> {
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
                guess.look(&without_nulls(column, null)?);
            }
        }
    }
    Ok(guesses)
}

/// The texts, with null where the text stands for it.
fn without_nulls(texts: &ArrayRef, null: Option<&str>) -> Result<ArrayRef> {
    let Some(null) = null else { return Ok(Arc::clone(texts)) };
    let is_null = eq(texts, &StringArray::new_scalar(null))?;
    Ok(nullif(texts, &is_null)?)
}

/// The schema of the file with other names and types for its first columns.
fn typed(file: &Schema, names: &[String], types: &[Type]) -> SchemaRef {
    let types = types.iter().map(Some).chain(std::iter::repeat(None));
    let field = |((field, name), known): ((&FieldRef, &String), Option<&Type>)| match known {
        Some(known) => Arc::new(Field::new(name, known.arrow(), true)),
        None => Arc::clone(field),
    };
    Arc::new(Schema::new(file.fields().iter().zip(names).zip(types).map(field).collect::<Fields>()))
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
                    self.schema.index_of(&column.name).is_ok_and(|at| at >= self.types.len())
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
            let value: Arc<dyn PhysicalExpr> = match self.types.get(position) {
                None => column,
                Some(Type::Sniffed(Kind::Text)) if self.null.is_none() => column,
                Some(known) => {
                    let function = CsvValue::new(self, &name, known.clone());
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
    known: Type,
    null: Option<Arc<str>>,
    signature: Signature,
}

impl CsvValue {
    fn new(table: &CsvTable, column: &str, known: Type) -> Self {
        Self {
            path: Arc::clone(&table.path),
            column: column.to_owned(),
            known,
            null: table.null.clone(),
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

    fn return_type(&self, _arguments: &[Arrow]) -> Result<Arrow> {
        Ok(self.known.arrow())
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(&self.column, self.known.arrow(), true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let Some(given) = arrays.first() else {
            return Err(DataFusionError::Internal("csv_value without a value".to_owned()));
        };
        let texts = without_nulls(&cast(given, &Arrow::Utf8)?, self.null.as_deref())?;
        let kind = match &self.known {
            Type::Sniffed(kind) => kind,
            Type::Given(wanted) => {
                let values = convert(&texts, wanted, &self.column).map_err(|error| {
                    let error = SqlError::invalid(format!("file '{}': {error}", self.path));
                    DataFusionError::External(Box::new(error))
                })?;
                return Ok(ColumnarValue::Array(values));
            }
        };
        let texts = texts.as_string::<i32>();
        match kind.values(texts) {
            Ok(values) => Ok(ColumnarValue::Array(values)),
            Err(row) => {
                let text = if texts.len() > row { texts.value(row) } else { "" };
                let error = SqlError::invalid(format!(
                    "file '{}', column '{}': '{text}' cannot be kept as {kind}, which the first \
                     rows are; CAST({} AS STRING), or another type, reads the texts as they are",
                    self.path, self.column, self.column
                ));
                Err(DataFusionError::External(Box::new(error)))
            }
        }
    }
}
