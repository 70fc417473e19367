//! Aggregate functions whose results have other types in Flink: AVG, VAR and STDDEV of integers are
//! integers, of FLOAT they are FLOAT, of DECIMAL they are DECIMAL with at least six digits behind
//! the point. SUM of FLOAT is a FLOAT.
//!
//! The query keeps DataFusion's aggregates; what makes Flink's results of theirs is computed right
//! above them.

use std::cell::Cell;
use std::sync::Arc;

use arrow::datatypes::DataType as Arrow;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::{
    Aggregate, AggregateUDF, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, ScalarUDF,
    Window, WindowFunctionDefinition, cast, col,
};
use datafusion::optimizer::AnalyzerRule;

/// The largest precision of a DECIMAL.
const MAX_PRECISION: u8 = 38;
/// Digits behind the point that an average of decimals has at least.
const MIN_SCALE: i8 = 6;

/// Gives aggregates their results in Flink; runs before DataFusion brings values to common types.
#[derive(Debug)]
pub(super) struct FlinkAggregates {
    /// Flink's division of exact numbers.
    pub(super) divide: Arc<ScalarUDF>,
}

impl AnalyzerRule for FlinkAggregates {
    fn name(&self) -> &'static str {
        "flink_aggregates"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let any = Cell::new(false);
        let changed = plan.transform_up_with_subqueries(|plan| {
            // The types below may be others now.
            let plan = if any.get() { plan.recompute_schema()? } else { plan };
            let changed = match plan {
                LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate)?,
                LogicalPlan::Window(window) => self.window(window)?,
                other => Transformed::no(other),
            };
            any.set(any.get() || changed.transformed);
            Ok(changed)
        })?;
        Ok(changed.data)
    }
}

/// What takes the place of an aggregate.
enum Instead {
    /// The same one, with its result cast.
    Cast(Arrow),
    /// The sum divided by the count, both whole numbers.
    WholeAverage(Arrow),
    /// The sum divided by the count, as a DECIMAL.
    ExactAverage(Arrow),
}

impl FlinkAggregates {
    fn aggregate(&self, aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
        let schema = Arc::clone(aggregate.input.schema());
        let instead: Vec<Option<Instead>> =
            aggregate.aggr_expr.iter().map(|expr| instead(expr, &schema)).collect();
        if instead.iter().all(Option::is_none) {
            return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
        }
        let kept = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
        let columns = aggregate.schema.columns();
        let (groups, results) = columns.split_at(kept);
        let mut parts = Parts::default();
        let mut values: Vec<Expr> = groups.iter().map(|column| col(column.clone())).collect();
        for ((expr, instead), column) in aggregate.aggr_expr.iter().zip(instead).zip(results) {
            values.push(self.value(expr, instead, column, &mut parts)?);
        }
        let below = Aggregate::try_new(aggregate.input, aggregate.group_expr, parts.exprs)?;
        let plan =
            LogicalPlanBuilder::from(LogicalPlan::Aggregate(below)).project(values)?.build()?;
        Ok(Transformed::yes(plan))
    }

    fn window(&self, window: Window) -> Result<Transformed<LogicalPlan>> {
        let schema = Arc::clone(window.input.schema());
        let instead: Vec<Option<Instead>> =
            window.window_expr.iter().map(|expr| instead(expr, &schema)).collect();
        if instead.iter().all(Option::is_none) {
            return Ok(Transformed::no(LogicalPlan::Window(window)));
        }
        let kept = window.schema.fields().len() - window.window_expr.len();
        let columns = window.schema.columns();
        let (inputs, results) = columns.split_at(kept);
        let mut parts = Parts::default();
        let mut values: Vec<Expr> = inputs.iter().map(|column| col(column.clone())).collect();
        for ((expr, instead), column) in window.window_expr.iter().zip(instead).zip(results) {
            values.push(self.value(expr, instead, column, &mut parts)?);
        }
        let below = Window::try_new(parts.exprs, window.input)?;
        let plan = LogicalPlanBuilder::from(LogicalPlan::Window(below)).project(values)?.build()?;
        Ok(Transformed::yes(plan))
    }

    /// The result of one aggregate, from results of `parts`, under its old name.
    fn value(
        &self,
        expr: &Expr,
        instead: Option<Instead>,
        column: &Column,
        parts: &mut Parts,
    ) -> Result<Expr> {
        let value = match instead {
            None => parts.result(expr.clone())?,
            Some(Instead::Cast(wanted)) => cast(parts.result(expr.clone())?, wanted),
            Some(Instead::WholeAverage(wanted)) => {
                let sum = parts.result(with_function(expr, sum_udaf()))?;
                let count = parts.result(with_function(expr, count_udaf()))?;
                cast(cast(sum, Arrow::Int64) / count, wanted)
            }
            Some(Instead::ExactAverage(wanted)) => {
                let sum = parts.result(with_function(expr, sum_udaf()))?;
                let count = parts.result(with_function(expr, count_udaf()))?;
                cast(self.divide.call(vec![sum, count]), wanted)
            }
        };
        Ok(value.alias_qualified(column.relation.clone(), column.name.clone()))
    }
}

/// Aggregates below, each once.
#[derive(Default)]
struct Parts {
    exprs: Vec<Expr>,
}

impl Parts {
    /// The column that holds the result of the aggregate.
    fn result(&mut self, expr: Expr) -> Result<Expr> {
        let (relation, name) = expr.qualified_name();
        if !self.exprs.contains(&expr) {
            self.exprs.push(expr);
        }
        Ok(Expr::Column(Column::new(relation, name)))
    }
}

/// The aggregate that an expression is, as a plain one or over a window, and its only argument.
fn aggregate_of(expr: &Expr) -> Option<(&AggregateUDF, &Expr)> {
    let (function, args) = match expr {
        Expr::Alias(alias) => return aggregate_of(&alias.expr),
        Expr::AggregateFunction(call) => (&call.func, &call.params.args),
        Expr::WindowFunction(call) => match &call.fun {
            WindowFunctionDefinition::AggregateUDF(function) => (function, &call.params.args),
            WindowFunctionDefinition::WindowUDF(_) => return None,
        },
        _ => return None,
    };
    match args.as_slice() {
        [argument] => Some((function.as_ref(), argument)),
        _ => None,
    }
}

fn instead(expr: &Expr, schema: &DFSchema) -> Option<Instead> {
    let (function, argument) = aggregate_of(expr)?;
    let is_average = function.name() == "avg";
    if function.name() == "sum" && argument.get_type(schema).ok()? == Arrow::Float32 {
        return Some(Instead::Cast(Arrow::Float32));
    }
    if !is_average && !["stddev", "stddev_pop", "var", "var_pop"].contains(&function.name()) {
        return None;
    }
    match argument.get_type(schema).ok()? {
        whole if whole.is_signed_integer() && is_average => Some(Instead::WholeAverage(whole)),
        whole if whole.is_signed_integer() => Some(Instead::Cast(whole)),
        Arrow::Float32 => Some(Instead::Cast(Arrow::Float32)),
        Arrow::Decimal128(_, scale) => {
            let wanted = Arrow::Decimal128(MAX_PRECISION, scale.max(MIN_SCALE));
            Some(if is_average { Instead::ExactAverage(wanted) } else { Instead::Cast(wanted) })
        }
        _ => None,
    }
}

/// The same call of another aggregate.
fn with_function(expr: &Expr, function: Arc<AggregateUDF>) -> Expr {
    match expr {
        Expr::Alias(alias) => with_function(&alias.expr, function),
        Expr::AggregateFunction(call) => Expr::AggregateFunction(AggregateFunction {
            func: function,
            params: call.params.clone(),
        }),
        Expr::WindowFunction(call) => Expr::WindowFunction(Box::new(WindowFunction {
            fun: WindowFunctionDefinition::AggregateUDF(function),
            params: call.params.clone(),
        })),
        other => other.clone(),
    }
}
