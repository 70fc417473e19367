//! The argument `where`: a condition on partition columns, which chooses partitions.
//!
//! The condition is a query's: it is computed for the partitions that there are, each a row with
//! the values of its partition columns. Source: Paimon 1.4.2 `CompactAction#getPartitionPredicate`,
//! `SparkProcedureUtils#convertToPartitionPredicate`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, new_null_array};
use arrow::datatypes::{DataType as Arrow, Field, Int64Type, Schema};
use datafusion::catalog::{
    CatalogProvider, MemTable, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider,
};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as QueryStatement;
use datafusion::sql::sqlparser::ast::{self, SetExpr, Statement as SqlStatement};
use headwater::compact::PartitionSpec;
use headwater::spec::row::arrow::array_from_datums;
use headwater::{PartitionInfo, Table};

use super::Caller;
use crate::error::SqlError;
use crate::parse::{Statement, parse};
use crate::script::split;

/// Catalog, database and name of the table with a row for each partition.
const NAME: &str = "$partitions";

/// The column with a partition's number.
const NUMBER: &str = "$number";

/// The partitions for which the condition is true.
pub(super) async fn matching(
    caller: &Caller<'_>,
    table: &Table,
    condition: &str,
) -> Result<Vec<PartitionSpec>, SqlError> {
    let statement = statement(condition)?;
    let partitions = table.partitions().await?;
    let numbers = chosen(caller, table, &partitions, statement).await?;
    let keys = &table.schema().partition_keys;
    let spec = |partition: &PartitionInfo| {
        keys.iter().cloned().zip(partition.values.iter().cloned()).collect()
    };
    Ok(numbers.into_iter().filter_map(|number| partitions.get(number).map(spec)).collect())
}

/// The query for the numbers of the partitions.
fn statement(condition: &str) -> Result<QueryStatement, SqlError> {
    let wrong = |why: &str| {
        SqlError::invalid(format!(
            "argument 'where' must be a condition, such as dt = '2024-01-31': {why}"
        ))
    };
    let query = |condition: &str| -> Result<QueryStatement, SqlError> {
        let name = format!("`{NAME}`");
        let text = format!("SELECT `{NUMBER}` FROM {name}.{name}.{name} WHERE {condition}");
        let mut pieces = split(&text);
        let (Some(piece), true) = (pieces.pop_front(), pieces.is_empty()) else {
            return Err(wrong("there is more than one statement in it"));
        };
        let piece = piece?;
        match parse(piece.tokens, piece.hints)?.statement {
            Statement::Query(query) => Ok(*query.statement),
            _ => Err(wrong("it is something else")),
        }
    };
    let mut given = query(condition).map_err(|error| wrong(&error.to_string()))?;
    // Whatever stands behind the condition, such as ORDER BY, makes another query of it.
    let mut bare = query("TRUE")?;
    if let (Some(given), Some(bare)) = (selection(&mut given), selection(&mut bare)) {
        bare.clone_from(given);
    }
    match given == bare {
        true => Ok(given),
        false => Err(wrong("something stands behind it")),
    }
}

fn selection(statement: &mut QueryStatement) -> Option<&mut Option<ast::Expr>> {
    let QueryStatement::Statement(statement) = statement else { return None };
    let SqlStatement::Query(query) = statement.as_mut() else { return None };
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    Some(&mut select.selection)
}

/// The numbers of the partitions that the query gives.
async fn chosen(
    caller: &Caller<'_>,
    table: &Table,
    partitions: &[PartitionInfo],
    statement: QueryStatement,
) -> Result<Vec<usize>, SqlError> {
    let rows = rows(table, partitions)?;
    let run = async {
        let provider = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
        let schema = MemorySchemaProvider::new();
        schema.register_table(NAME.to_owned(), Arc::new(provider))?;
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(NAME, Arc::new(schema))?;
        let state = caller.scope.state(1);
        state.catalog_list().register_catalog(NAME.to_owned(), Arc::new(catalog));
        let plan = state.statement_to_plan(statement).await?;
        check(table, &plan)?;
        SessionContext::new_with_state(state).execute_logical_plan(plan).await?.collect().await
    };
    let found = run.await.map_err(SqlError::from_datafusion)?;
    let mut numbers = Vec::new();
    for batch in &found {
        let column = batch.columns().first().and_then(|c| c.as_primitive_opt::<Int64Type>());
        let Some(column) = column else { continue };
        numbers.extend(column.values().iter().filter_map(|number| usize::try_from(*number).ok()));
    }
    Ok(numbers)
}

/// A row for each partition; its other columns are null, and only there to be known by name.
fn rows(table: &Table, partitions: &[PartitionInfo]) -> Result<RecordBatch, SqlError> {
    let keys = &table.schema().partition_keys;
    let arrow = table.arrow_schema();
    let count = partitions.len();
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, known) in arrow.fields().iter().zip(&table.row_type().fields) {
        fields.push(Field::new(field.name(), field.data_type().clone(), true));
        columns.push(match keys.iter().position(|key| key == &known.name) {
            None => new_null_array(field.data_type(), count),
            Some(at) => {
                let values: Vec<_> =
                    partitions.iter().map(|p| p.values.get(at).cloned().flatten()).collect();
                array_from_datums(&values, &known.data_type).map_err(headwater::Error::from)?
            }
        });
    }
    fields.push(Field::new(NUMBER, Arrow::Int64, false));
    columns.push(Arc::new((0_i64..).take(count).collect::<Int64Array>()));
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
    Ok(batch.map_err(headwater::Error::from)?)
}

/// Refuses conditions that are about more than the partition columns.
fn check(table: &Table, plan: &LogicalPlan) -> Result<(), DataFusionError> {
    let keys = &table.schema().partition_keys;
    let refuse = |what: String| Err(DataFusionError::External(Box::new(SqlError::invalid(what))));
    let mut conditions = Vec::new();
    plan.apply(|node| {
        if let LogicalPlan::Filter(filter) = node {
            conditions.push(filter.predicate.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    for condition in conditions {
        let other = condition.column_refs().into_iter().find(|c| !keys.contains(&c.name));
        if let Some(column) = other {
            let which = match keys.as_slice() {
                [] => "there are none".to_owned(),
                keys => format!("which are: {}", keys.join(", ")),
            };
            return refuse(format!(
                "argument 'where' chooses partitions of table {}, but '{}' is no partition \
                 column, {which}",
                table.name(),
                column.name
            ));
        }
        let query = condition.exists(|expr| {
            Ok(matches!(
                expr,
                Expr::ScalarSubquery(_)
                    | Expr::InSubquery(_)
                    | Expr::Exists(_)
                    | Expr::SetComparison(_)
            ))
        })?;
        if query || condition.is_volatile() {
            return refuse(
                "argument 'where' can hold neither queries nor functions with a new value at each \
                 call: it is a condition on partition columns"
                    .to_owned(),
            );
        }
    }
    Ok(())
}
