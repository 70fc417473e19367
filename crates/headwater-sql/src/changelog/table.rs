//! A file with kinds of rows as a table: queries see its columns, an INSERT also the kinds.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use headwater::spec::types::arrow_type;

use super::column::{self, Kinds};
use super::dead_letters::DeadLetters;
use super::records::Records;
use crate::error::SqlError;

/// The column with the kind of a row, behind the others.
pub(super) const KIND: &str = "$row_kind";

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct ChangelogTable {
    source: Source,
    /// The columns; with `kinds` the kind is the last one.
    schema: SchemaRef,
    pub(super) kinds: bool,
}

#[derive(Debug, Clone)]
enum Source {
    /// A column of another table holds the kind.
    Column {
        table: Arc<dyn TableProvider>,
        name: String,
        at: usize,
        letters: Arc<DeadLetters>,
    },
    Records(Arc<Records>),
}

impl ChangelogTable {
    /// A table one of whose columns says what became of each row.
    pub(crate) fn of_column(
        table: Arc<dyn TableProvider>,
        column: &str,
        path: &str,
        letters: &Arc<DeadLetters>,
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
        let (name, letters) = (column.to_owned(), Arc::clone(letters));
        let source = Source::Column { table, name, at, letters };
        Ok(Self { source, schema: Arc::new(Schema::new(visible)), kinds: false })
    }

    /// The rows of records.
    pub(crate) fn of_records(records: Records) -> Self {
        let field = |(name, data_type): &(String, headwater::DataType)| {
            Field::new(name, arrow_type(&data_type.kind), true)
        };
        let fields: Vec<Field> = records.columns.iter().map(field).collect();
        Self {
            source: Source::Records(Arc::new(records)),
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
        match &self.source {
            Source::Records(records) => {
                let below =
                    if self.kinds { Arc::clone(&self.schema) } else { with_kind(&self.schema) };
                let column = |at: &usize| {
                    let name = self.schema.field(*at).name();
                    (Arc::new(Column::new(name, *at)) as Arc<dyn PhysicalExpr>, name.clone())
                };
                let columns: Vec<_> = wanted.iter().map(column).collect();
                Ok(Arc::new(ProjectionExec::try_new(columns, records.plan(below))?))
            }
            Source::Column { table, name, at: kind, letters } => {
                let is_kind = |at: usize| self.kinds && at + 1 == width;
                let inner =
                    |at: usize| if is_kind(at) { *kind } else { at + usize::from(at >= *kind) };
                let positions: Vec<usize> = wanted.iter().map(|at| inner(*at)).collect();
                if !positions.contains(kind) {
                    return table.scan(state, Some(&positions), &[], limit).await;
                }
                let schema = Arc::new(self.schema.project(&wanted)?);
                let letters = Arc::clone(letters);
                // Bad records are kept whole.
                let read: Vec<usize> = match letters.are_kept() {
                    true => (0..table.schema().fields().len()).collect(),
                    false => positions.clone(),
                };
                let place = |column: &usize| {
                    read.iter().position(|read| read == column).ok_or_else(|| {
                        DataFusionError::Internal("a column of a changelog is not read".to_owned())
                    })
                };
                let kinds = Kinds {
                    column: name.clone(),
                    at: place(kind)?,
                    wanted: positions.iter().map(place).collect::<PlanResult<_>>()?,
                    schema,
                    letters,
                };
                column::plan(table.scan(state, Some(&read), &[], None).await?, kinds)
            }
        }
    }
}
