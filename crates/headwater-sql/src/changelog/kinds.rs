//! Carries the kinds of rows from a changelog to the statement that writes them: through plain
//! columns, expressions of one row and WHERE. Whatever makes a row out of several ones has no kind
//! to give it, and is refused.

use std::sync::Arc;

use arrow::array::{AsArray, Int8Array, RecordBatch};
use arrow::datatypes::Int8Type;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    Expr, Filter, LogicalPlan, LogicalPlanBuilder, SubqueryAlias, TableScan,
};

use super::table::{ChangelogTable, KIND};
use crate::error::SqlError;

/// The plan with the kinds as its last column; `None` if it reads no changelog.
pub(crate) fn with_kinds(plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    match changelogs(plan)? {
        0 => Ok(None),
        1 => carried(plan).map(Some),
        _ => Err(refused("several changelogs in one query are", "insert them one after the other")),
    }
}

/// Refuses a plan that reads a changelog for anything but an INSERT.
pub(crate) fn refuse_changelogs(plan: &LogicalPlan) -> Result<()> {
    if changelogs(plan)? == 0 {
        return Ok(());
    }
    Err(refused(
        "a query that shows or stores the rows of a changelog without their kinds is",
        "INSERT INTO a table SELECT … FROM the file, or read the file without 'changelog' or its \
         format",
    ))
}

/// The columns of a batch without the kinds behind them, and the kinds.
pub(crate) fn kinds_of(batch: &RecordBatch) -> Result<(RecordBatch, Int8Array), SqlError> {
    let Some(last) = batch.num_columns().checked_sub(1) else {
        return Err(SqlError::invalid("the query lost the kinds of the rows"));
    };
    let Some(kinds) = batch.column(last).as_primitive_opt::<Int8Type>() else {
        return Err(SqlError::invalid("the query lost the kinds of the rows"));
    };
    let columns: Vec<usize> = (0..last).collect();
    let rows = batch.project(&columns).map_err(|e| SqlError::invalid(e.to_string()))?;
    Ok((rows, kinds.clone()))
}

/// How many scans of changelogs there are, subqueries included.
fn changelogs(plan: &LogicalPlan) -> Result<usize> {
    let mut count = 0;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            count += usize::from(changelog(scan).is_some());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(count)
}

fn changelog(scan: &TableScan) -> Option<ChangelogTable> {
    let provider = source_as_provider(&scan.source).ok()?;
    provider.downcast_ref::<ChangelogTable>().cloned()
}

fn carried(plan: &LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::TableScan(scan) => match changelog(scan) {
            Some(table) => {
                let source = provider_as_source(Arc::new(table.with_kinds()));
                LogicalPlanBuilder::scan(scan.table_name.clone(), source, None)?.build()
            }
            None => Err(refused(
                "a changelog in a subquery is",
                "insert the changelog itself: its rows have kinds",
            )),
        },
        LogicalPlan::SubqueryAlias(alias) => {
            let input = carried(&alias.input)?;
            let alias = SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?;
            Ok(LogicalPlan::SubqueryAlias(alias))
        }
        LogicalPlan::Filter(filter) => {
            let input = carried(&filter.input)?;
            let filter = Filter::try_new(filter.predicate.clone(), Arc::new(input))?;
            Ok(LogicalPlan::Filter(filter))
        }
        LogicalPlan::Projection(projection) => {
            let input = carried(&projection.input)?;
            let kind = input.schema().columns().into_iter().next_back();
            let Some(kind) = kind.filter(|column| column.name == KIND) else {
                return Err(refused("this query of a changelog is", "select its columns"));
            };
            let mut exprs = projection.expr.clone();
            exprs.push(Expr::Column(kind));
            LogicalPlanBuilder::from(input).project(exprs)?.build()
        }
        other => {
            let what = match other {
                LogicalPlan::Join(_) => "a join of",
                LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_) => "an aggregate over",
                LogicalPlan::Window(_) => "a window function over",
                LogicalPlan::Union(_) => "UNION of",
                LogicalPlan::Sort(_) => "ORDER BY of",
                LogicalPlan::Limit(_) => "LIMIT of",
                _ => "this query of",
            };
            Err(refused(
                &format!("{what} a changelog is"),
                "its rows go into a table one by one: select columns, expressions and WHERE, and \
                 query the table",
            ))
        }
    }
}

fn refused(what: &str, advice: &str) -> DataFusionError {
    DataFusionError::External(Box::new(SqlError::unsupported(what, advice)))
}
