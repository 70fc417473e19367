//! A file with kinds of rows as a table: queries see its columns, an INSERT also the kinds.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int8Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TableType,
    Volatility,
};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use headwater::spec::types::arrow_type;

use super::records::Records;
use crate::error::SqlError;

/// The column with the kind of a row, behind the others.
pub(super) const KIND: &str = "$row_kind";

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct ChangelogTable {
    source: Source,
    path: String,
    /// The columns; with `kinds` the kind is the last one.
    schema: SchemaRef,
    pub(super) kinds: bool,
}

#[derive(Debug, Clone)]
enum Source {
    /// A column of another table holds the kind.
    Column {
        table: Arc<dyn TableProvider>,
        at: usize,
    },
    Records(Arc<Records>),
}

impl ChangelogTable {
    /// A table one of whose columns says what became of each row.
    pub(crate) fn of_column(
        table: Arc<dyn TableProvider>,
        column: &str,
        path: &str,
    ) -> Result<Self, SqlError> {
        let schema = table.schema();
        let names = || schema.fields().iter().map(|f| f.name().as_str()).collect::<Vec<_>>();
        let Some((at, field)) = schema.column_with_name(column) else {
            return Err(SqlError::invalid(format!(
                "file '{path}' has no column '{column}' with kinds of rows; it has: {}",
                names().join(", ")
            )));
        };
        if !matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
            return Err(SqlError::invalid(format!(
                "file '{path}': column '{column}' holds {}, and not kinds of rows such as '+I'",
                field.data_type()
            )));
        }
        let fields = schema.fields().iter().enumerate().filter(|(i, _)| *i != at);
        let visible = fields.map(|(_, field)| Arc::clone(field)).collect::<Vec<FieldRef>>();
        let source = Source::Column { table, at };
        Ok(Self {
            source,
            path: path.to_owned(),
            schema: Arc::new(Schema::new(visible)),
            kinds: false,
        })
    }

    /// The rows of records.
    pub(crate) fn of_records(records: Records, path: &str) -> Self {
        let field = |(name, data_type): &(String, headwater::DataType)| {
            Field::new(name, arrow_type(&data_type.kind), true)
        };
        let fields: Vec<Field> = records.columns.iter().map(field).collect();
        Self {
            source: Source::Records(Arc::new(records)),
            path: path.to_owned(),
            schema: Arc::new(Schema::new(fields)),
            kinds: false,
        }
    }

    /// The same with the kind as the last column.
    pub(super) fn with_kinds(&self) -> Self {
        if self.kinds {
            return self.clone();
        }
        Self { schema: with_kind(&self.schema), kinds: true, ..self.clone() }
    }
}

fn with_kind(schema: &Schema) -> SchemaRef {
    let mut fields: Vec<FieldRef> = schema.fields().iter().map(Arc::clone).collect();
    fields.push(Arc::new(Field::new(KIND, DataType::Int8, true)));
    Arc::new(Schema::new(fields))
}

#[async_trait]
impl TableProvider for ChangelogTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let width = self.schema.fields().len();
        let wanted: Vec<usize> = projection.map_or_else(|| (0..width).collect(), Clone::clone);
        let name = |at: usize| self.schema.field(at).name().clone();
        let column = |name: &str, at| Arc::new(Column::new(name, at)) as Arc<dyn PhysicalExpr>;
        let (below, exprs) = match &self.source {
            Source::Records(records) => {
                let visible =
                    if self.kinds { Arc::clone(&self.schema) } else { with_kind(&self.schema) };
                let exprs = wanted.iter().map(|at| (column(&name(*at), *at), name(*at)));
                (records.plan(visible), exprs.collect::<Vec<_>>())
            }
            Source::Column { table, at: kind } => {
                let is_kind = |at: usize| self.kinds && at + 1 == width;
                let inner =
                    |at: usize| if is_kind(at) { *kind } else { at + usize::from(at >= *kind) };
                let positions: Vec<usize> = wanted.iter().map(|at| inner(*at)).collect();
                let below = table.scan(state, Some(&positions), &[], limit).await?;
                let given = below.schema();
                let mut exprs = Vec::with_capacity(wanted.len());
                for (place, at) in wanted.iter().enumerate() {
                    let plain = column(given.field(place).name(), place);
                    if !is_kind(*at) {
                        exprs.push((plain, name(*at)));
                        continue;
                    }
                    let function = RowKind::new(&self.path);
                    let kind: Arc<dyn PhysicalExpr> = Arc::new(ScalarFunctionExpr::try_new(
                        Arc::new(ScalarUDF::new_from_impl(function)),
                        vec![plain],
                        &given,
                        Arc::new(ConfigOptions::clone(state.config_options())),
                    )?);
                    exprs.push((kind, KIND.to_owned()));
                }
                (below, exprs)
            }
        };
        Ok(Arc::new(ProjectionExec::try_new(exprs, below)?))
    }
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

/// Turns the column's texts into kinds.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RowKind {
    path: String,
    signature: Signature,
}

impl RowKind {
    fn new(path: &str) -> Self {
        let signature = Signature::any(1, Volatility::Stable);
        Self { path: path.to_owned(), signature }
    }
}

impl ScalarUDFImpl for RowKind {
    fn name(&self) -> &'static str {
        "row_kind"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::Int8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let Some(given) = arrays.first() else {
            return Err(DataFusionError::Internal("row_kind without a value".to_owned()));
        };
        let texts: ArrayRef = cast(given, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        let mut kinds = Vec::with_capacity(texts.len());
        for text in texts {
            let Some(kind) = text.and_then(kind_of) else {
                let found = text.map_or("null".to_owned(), |text| format!("'{text}'"));
                return Err(DataFusionError::External(Box::new(SqlError::invalid(format!(
                    "file '{}': {found} is no kind of a row: +I, -U, +U, -D are, and the words \
                     insert, update, delete or their first letters",
                    self.path
                )))));
            };
            kinds.push(kind);
        }
        Ok(ColumnarValue::Array(Arc::new(Int8Array::from(kinds))))
    }
}
