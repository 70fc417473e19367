//! Keeps floating point out of decimals where the planner asks nobody: BETWEEN, IN, CASE and UNION
//! of FLOAT or DOUBLE with DECIMAL go through DOUBLE. Operators and INSERT are in `floats.rs`.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType as Arrow;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, Case, InList};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Union, cast, col,
};
use datafusion::optimizer::AnalyzerRule;

use crate::floats::is_float;

/// Runs before DataFusion brings values to common types.
#[derive(Debug)]
pub(crate) struct FloatsBesideDecimals;

impl AnalyzerRule for FloatsBesideDecimals {
    fn name(&self) -> &str {
        "floats_beside_decimals"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(plan_with_floats).map(|changed| changed.data)
    }
}

fn plan_with_floats(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if let LogicalPlan::Union(union) = plan {
        return union_with_floats(union);
    }
    let schema = merge_schema(&plan.inputs());
    let names = NamePreserver::new(&plan);
    let changed = plan.map_expressions(|expr| {
        let name = names.save(&expr);
        let changed = expr.transform_up(|expr| expr_with_floats(expr, &schema))?;
        Ok(changed.update_data(|expr| name.restore(expr)))
    })?;
    if !changed.transformed {
        return Ok(changed);
    }
    changed.map_data(LogicalPlan::recompute_schema)
}

/// Of values that are compared or chosen from: whether there are floats and decimals among them.
fn mixed<'a>(values: impl Iterator<Item = &'a Expr>, schema: &DFSchema) -> bool {
    let types: Vec<Arrow> = values.filter_map(|value| value.get_type(schema).ok()).collect();
    types.iter().any(is_float) && types.iter().any(Arrow::is_decimal)
}

fn as_double(expr: Expr, schema: &DFSchema) -> Expr {
    match expr.get_type(schema) {
        Ok(given) if given.is_decimal() => cast(expr, Arrow::Float64),
        _ => expr,
    }
}

fn expr_with_floats(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let double = |expr: Box<Expr>| Box::new(as_double(*expr, schema));
    Ok(match expr {
        Expr::Between(Between { expr, negated, low, high })
            if mixed([&*expr, &*low, &*high].into_iter(), schema) =>
        {
            let between = Between::new(double(expr), negated, double(low), double(high));
            Transformed::yes(Expr::Between(between))
        }
        Expr::InList(InList { expr, list, negated })
            if mixed(std::iter::once(&*expr).chain(&list), schema) =>
        {
            let list = list.into_iter().map(|item| as_double(item, schema)).collect();
            Transformed::yes(Expr::InList(InList::new(double(expr), list, negated)))
        }
        Expr::Case(case) => case_with_floats(case, schema),
        expr => Transformed::no(expr),
    })
}

fn case_with_floats(case: Case, schema: &DFSchema) -> Transformed<Expr> {
    let Case { mut expr, when_then_expr, mut else_expr } = case;
    let results = when_then_expr.iter().map(|(_, then)| &**then);
    let mixed_results = mixed(results.chain(else_expr.as_deref()), schema);
    let tests = when_then_expr.iter().map(|(when, _)| &**when);
    let mixed_tests = expr.is_some() && mixed(tests.chain(expr.as_deref()), schema);
    let double = |expr: Box<Expr>, is: bool| {
        if is { Box::new(as_double(*expr, schema)) } else { expr }
    };
    let branches = when_then_expr
        .into_iter()
        .map(|(when, then)| (double(when, mixed_tests), double(then, mixed_results)))
        .collect();
    expr = expr.map(|expr| double(expr, mixed_tests));
    else_expr = else_expr.map(|expr| double(expr, mixed_results));
    let case = Expr::Case(Case { expr, when_then_expr: branches, else_expr });
    if mixed_results || mixed_tests { Transformed::yes(case) } else { Transformed::no(case) }
}

/// Casts the decimal columns that stand above or below floating-point ones.
fn union_with_floats(union: Union) -> Result<Transformed<LogicalPlan>> {
    let schemas: Vec<DFSchemaRef> =
        union.inputs.iter().map(|input| Arc::clone(input.schema())).collect();
    let columns = union.schema.fields().len();
    let type_of = |schema: &DFSchemaRef, at: usize| {
        schema.fields().get(at).map(|field| field.data_type().clone())
    };
    let mixed: Vec<bool> = (0..columns)
        .map(|at| {
            let types: Vec<Arrow> = schemas.iter().filter_map(|s| type_of(s, at)).collect();
            types.iter().any(is_float) && types.iter().any(Arrow::is_decimal)
        })
        .collect();
    if !mixed.contains(&true) {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let inputs = union.inputs.into_iter().map(|input| {
        let schema = Arc::clone(input.schema());
        let values = schema.columns().into_iter().enumerate().map(|(at, column)| {
            let is_decimal = type_of(&schema, at).is_some_and(|t| t.is_decimal());
            if is_decimal && mixed.get(at) == Some(&true) {
                let name = column.name.clone();
                let relation = column.relation.clone();
                cast(col(column), Arrow::Float64).alias_qualified(relation, name)
            } else {
                col(column)
            }
        });
        let plan = LogicalPlanBuilder::new_from_arc(input).project(values)?.build()?;
        Ok(Arc::new(plan))
    });
    let union = Union::try_new_with_loose_types(inputs.collect::<Result<_>>()?)?;
    Ok(Transformed::yes(LogicalPlan::Union(union)))
}
