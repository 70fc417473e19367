//! CREATE TABLE … AS SELECT: the table, then its rows in one commit. A query that fails leaves no
//! table.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::logical_expr::LogicalPlan;
use headwater::{DataType, NewColumn, TypeKind};

use super::define::{bucket_note, table_error};
use super::lineage::column_type;
use super::scope::named;
use super::{Outcome, Scope, SqlSession};
use crate::column_kind::column_kind;
use crate::error::SqlError;
use crate::files::Purpose;
use crate::parse::{CreateTable, Insert};
use crate::result::StatementKind;

impl SqlSession {
    /// Runs CREATE TABLE … AS SELECT.
    pub(super) async fn create_as(
        &self,
        mut create: CreateTable,
        scope: &Arc<Scope>,
    ) -> Result<(StatementKind, Outcome), SqlError> {
        let Some(query) = create.query.take() else {
            return Err(SqlError::invalid("the statement has no query"));
        };
        if create.temporary {
            return Err(SqlError::unsupported(
                "CREATE TEMPORARY TABLE … AS is",
                "use CREATE TEMPORARY VIEW … AS",
            ));
        }
        let label = self.label(scope)?;
        let name = scope.name(&create.name)?;
        let if_not_exists = create.if_not_exists;
        let exists = scope.entry(&name)?.catalog.table_exists(&name.id).await;
        if exists.map_err(table_error)? {
            if if_not_exists {
                let message = Outcome::Message(format!("table {} exists already", name.id));
                return Ok((StatementKind::Definition, message));
            }
            if let Some(label) = &label {
                let table = scope.open(&name, Vec::new()).await?;
                if label.is_committed(&table, scope).await? {
                    return Ok((StatementKind::Write, Outcome::Affected(0)));
                }
            }
            return Err(SqlError::invalid(format!("table '{}' already exists", name.id)));
        }
        // Planned before anything is made: most mistakes show here.
        let plan = self.plan(query.statement.as_ref().clone(), scope).await?;
        let plan = named(plan, &query.names, &[]).map_err(SqlError::from_datafusion)?;
        let fields = columns_of(&plan)?;
        let order = std::mem::take(&mut create.column_order);
        let declared: Vec<String> = create.columns.iter().map(|c| c.name.clone()).collect();
        let mut definition = self.definition(create, &name, scope).await?;
        let columns = fields.iter().map(|column| column.name.clone()).collect();
        definition.columns.extend(query_columns(fields, &declared, &order)?);
        let note = bucket_note(&definition);
        if !self.make_table(&name, &definition, if_not_exists, scope).await? {
            let message = Outcome::Message(format!("table {} exists already", name.id));
            return Ok((StatementKind::Definition, message));
        }
        if let Some(note) = note {
            scope.lookups.warn(format!("table {}: {note}", name.id));
        }
        let insert = Insert {
            table: vec![name.catalog.clone(), name.id.database.clone(), name.id.table.clone()],
            hint: Vec::new(),
            overwrite: false,
            partition: Vec::new(),
            open_partition: Vec::new(),
            columns,
            query: query.statement,
        };
        // The columns have the query's types: texts of files are read as these.
        match self.insert(insert, scope, Purpose::Result, label).await {
            Ok(rows) => Ok((StatementKind::Write, Outcome::Affected(rows))),
            Err(error) => {
                // The rows of a commit whose outcome is unknown may be there: keep them.
                let unknown = error.is_outcome_unknown();
                if !unknown {
                    let dropped = scope.entry(&name)?.catalog.drop_table(&name.id, true).await;
                    if let Err(dropped) = dropped {
                        tracing::warn!(%dropped, "the table {} stays behind, empty", name.id);
                    }
                }
                Err(error)
            }
        }
    }
}

/// The columns of a query as columns of a table.
pub(super) fn columns_of(plan: &LogicalPlan) -> Result<Vec<NewColumn>, SqlError> {
    let fields = plan.schema().fields().iter().enumerate();
    let column = |(index, field): (usize, &Arc<Field>)| {
        let nullable = field.is_nullable();
        let data_type = match column_type(plan, index) {
            Some(data_type) => data_type.with_nullable(nullable),
            None => DataType { kind: kind_of(field)?, nullable },
        };
        let name = field.name().clone();
        Ok(NewColumn { name, data_type, comment: None, default_value: None })
    };
    fields.map(column).collect()
}

/// The query's columns without those that the statement declares, in the statement's order.
fn query_columns(
    columns: Vec<NewColumn>,
    declared: &[String],
    order: &[String],
) -> Result<Vec<NewColumn>, SqlError> {
    if order.is_empty() {
        return Ok(columns.into_iter().filter(|c| !declared.contains(&c.name)).collect());
    }
    if let Some(column) =
        columns.iter().find(|c| !order.contains(&c.name) && !declared.contains(&c.name))
    {
        return Err(SqlError::invalid(format!(
            "the query gives column '{}', which the list of columns does not name",
            column.name
        )));
    }
    let find = |name: &String| {
        columns.iter().find(|c| c.name == *name).cloned().ok_or_else(|| {
            SqlError::invalid(format!("column '{name}' is not given by the query, and has no type"))
        })
    };
    order.iter().map(find).collect()
}

/// The column type that holds the values of an Arrow column.
fn kind_of(field: &Field) -> Result<TypeKind, SqlError> {
    column_kind(field.data_type()).ok_or_else(|| {
        SqlError::invalid(format!(
            "column '{}' of the query has type {}, which no column of a table can have: CAST it",
            field.name(),
            field.data_type()
        ))
    })
}
