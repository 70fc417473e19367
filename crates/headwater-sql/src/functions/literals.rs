//! Whole numbers as they are written: an INT if it fits, else a BIGINT, as in Flink. DataFusion makes
//! a BIGINT of each.

use std::cell::Cell;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Union};
use datafusion::optimizer::AnalyzerRule;

use super::call::Function;

/// Functions of DataFusion whose result has the type of their arguments. Others keep a BIGINT: some
/// look for one among their constants.
const TYPED_BY_ARGUMENTS: &[&str] = &[
    "coalesce",
    "nullif",
    "nvl",
    "nvl2",
    "greatest",
    "least",
    "make_array",
    "named_struct",
    "struct",
    "map",
];

/// Gives whole numbers their types; runs before anything is brought to common types.
#[derive(Debug)]
pub(super) struct WholeNumbers;

impl AnalyzerRule for WholeNumbers {
    fn name(&self) -> &'static str {
        "whole_numbers"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        // A query that refers to itself has fixed the types of its columns.
        if plan.exists(|plan| Ok(matches!(plan, LogicalPlan::RecursiveQuery(_))))? {
            return Ok(plan);
        }
        let any = Cell::new(false);
        let changed = plan.transform_up_with_subqueries(|plan| {
            // The types below may be others now.
            let plan = if any.get() { with_types_of_inputs(plan)? } else { plan };
            let names = NamePreserver::new(&plan);
            let changed = match plan {
                // Counts of rows.
                LogicalPlan::Limit(_) => return Ok(Transformed::no(plan)),
                LogicalPlan::Values(values) => {
                    let rows = values.values.clone().into_iter();
                    let rows =
                        rows.map(|row| row.into_iter().map(typed).map(|e| e.map(|e| e.data)));
                    let rows = rows.map(Iterator::collect).collect::<Result<Vec<Vec<Expr>>>>()?;
                    if rows == values.values {
                        return Ok(Transformed::no(LogicalPlan::Values(values)));
                    }
                    let narrow = LogicalPlanBuilder::values(rows)?.build()?;
                    any.set(true);
                    return Ok(Transformed::yes(narrow));
                }
                plan => plan.map_expressions(|expr| {
                    let name = names.save(&expr);
                    Ok(typed(expr)?.update_data(|expr| name.restore(expr)))
                })?,
            };
            if !changed.transformed {
                return Ok(changed);
            }
            any.set(true);
            changed.map_data(LogicalPlan::recompute_schema)
        })?;
        Ok(changed.data)
    }
}

/// The plan with the types that its inputs now have, for itself and for subqueries that look at them.
fn with_types_of_inputs(plan: LogicalPlan) -> Result<LogicalPlan> {
    let schema = merge_schema(&plan.inputs());
    let plan = plan.map_subqueries(|subquery| with_outer_types(subquery, &schema))?.data;
    match plan {
        LogicalPlan::Union(union) => {
            Union::try_new_with_loose_types(union.inputs).map(LogicalPlan::Union)
        }
        plan => plan.recompute_schema(),
    }
}

/// A subquery with the types of the columns around it.
fn with_outer_types(subquery: LogicalPlan, outer: &DFSchema) -> Result<Transformed<LogicalPlan>> {
    subquery.transform_up(|plan| {
        let plan =
            plan.map_expressions(|expr| expr.transform_up(|expr| Ok(of_outer(expr, outer))))?;
        plan.map_data(LogicalPlan::recompute_schema)
    })
}

fn of_outer(expr: Expr, outer: &DFSchema) -> Transformed<Expr> {
    let Expr::OuterReferenceColumn(field, column) = &expr else { return Transformed::no(expr) };
    match field_of(column, outer) {
        Some(now) if now.data_type() != field.data_type() => {
            Transformed::yes(Expr::OuterReferenceColumn(now, column.clone()))
        }
        _ => Transformed::no(expr),
    }
}

fn field_of(column: &Column, schema: &DFSchema) -> Option<arrow::datatypes::FieldRef> {
    let at = schema.maybe_index_of_column(column)?;
    Some(Arc::clone(schema.field(at)))
}

/// The expression with whole numbers of their types.
fn typed(expr: Expr) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), metadata) => {
            Ok(match i32::try_from(value) {
                Ok(value) => {
                    Transformed::yes(Expr::Literal(ScalarValue::Int32(Some(value)), metadata))
                }
                Err(_) => Transformed::no(Expr::Literal(ScalarValue::Int64(Some(value)), metadata)),
            })
        }
        Expr::ScalarFunction(mut call) => {
            let own = call.func.inner().downcast_ref::<Function>();
            let by_arguments = TYPED_BY_ARGUMENTS.contains(&call.func.name());
            let stays: Vec<bool> = (0..call.args.len())
                .map(|at| own.map_or(!by_arguments, |own| own.takes_long(at)))
                .collect();
            let mut stays = stays.into_iter();
            let args = each(call.args, |_| stays.next().unwrap_or_default())?;
            call.args = args.data;
            Ok(Transformed::new(
                Expr::ScalarFunction(call),
                args.transformed,
                TreeNodeRecursion::Continue,
            ))
        }
        // COUNT(1) counts rows, whatever the type; other arguments than the first are constants
        // that aggregates look for.
        Expr::AggregateFunction(mut call) => {
            let counts = call.func.name() == "count";
            let args = each(call.params.args, |at| counts || at > 0)?;
            call.params.args = args.data;
            Ok(Transformed::new(
                Expr::AggregateFunction(call),
                args.transformed,
                TreeNodeRecursion::Continue,
            ))
        }
        Expr::WindowFunction(mut call) => {
            let counts = call.fun.name() == "count";
            let args = each(call.params.args, |at| counts || at > 0)?;
            call.params.args = args.data;
            let partitions = each(call.params.partition_by, |_| false)?;
            call.params.partition_by = partitions.data;
            Ok(Transformed::new(
                Expr::WindowFunction(call),
                args.transformed || partitions.transformed,
                TreeNodeRecursion::Continue,
            ))
        }
        expr => expr.map_children(typed),
    }
}

/// All expressions, each with its numbers typed; a number at a place that `stays` is left alone.
fn each(exprs: Vec<Expr>, mut stays: impl FnMut(usize) -> bool) -> Result<Transformed<Vec<Expr>>> {
    let mut any = false;
    let mut typed_exprs = Vec::with_capacity(exprs.len());
    for (at, expr) in exprs.into_iter().enumerate() {
        if stays(at) && matches!(expr, Expr::Literal(..)) {
            typed_exprs.push(expr);
            continue;
        }
        let changed = typed(expr)?;
        any |= changed.transformed;
        typed_exprs.push(changed.data);
    }
    Ok(Transformed::new(typed_exprs, any, TreeNodeRecursion::Continue))
}
