//! Columns of a query that are columns of a table, unchanged: CREATE TABLE … AS SELECT gives them
//! the table's own types, lengths and digits included.

use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};
use headwater::DataType;

use crate::provider::HeadwaterTable;

/// The type of the table's column that column `index` of the plan is, if it is one.
pub(super) fn column_type(plan: &LogicalPlan, index: usize) -> Option<DataType> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let provider = source_as_provider(&scan.source).ok()?;
            let table = provider.downcast_ref::<HeadwaterTable>()?;
            table.column_type(scan.projected_schema.field(index).name())
        }
        LogicalPlan::Projection(projection) => {
            let mut expr = projection.expr.get(index)?;
            while let Expr::Alias(alias) = expr {
                expr = &alias.expr;
            }
            let Expr::Column(column) = expr else { return None };
            let below = projection.input.schema().index_of_column(column).ok()?;
            column_type(&projection.input, below)
        }
        LogicalPlan::SubqueryAlias(alias) => column_type(&alias.input, index),
        LogicalPlan::Filter(filter) => column_type(&filter.input, index),
        LogicalPlan::Sort(sort) => column_type(&sort.input, index),
        LogicalPlan::Limit(limit) => column_type(&limit.input, index),
        LogicalPlan::Distinct(Distinct::All(input)) => column_type(input, index),
        _ => None,
    }
}
