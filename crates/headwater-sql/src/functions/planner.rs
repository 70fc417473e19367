//! Plans what the SQL planner asks for by the functions of this crate: EXTRACT, POSITION,
//! SUBSTRING, OVERLAY, element access, `||`, and arithmetic with Flink's types of results.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType as Arrow, TimeUnit};
use datafusion::common::{DFSchema, ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{NullTreatment, ScalarFunction};
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawAggregateExpr, RawBinaryExpr, RawFieldAccessExpr, RawWindowExpr,
};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, ScalarUDF};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::calendar::EXTRACT;
use super::cast::CAST;
use super::collections::ELEMENT_AT;
use super::decimal::{DIVIDE, as_decimal};
use super::maps::VALUE_OF;
use super::types::name_of;
use crate::column_kind::digits;
use crate::zone_rule::is_local;

/// Knows the functions by their names.
#[derive(Debug)]
pub(super) struct FlinkPlanner {
    pub(super) functions: HashMap<String, Arc<ScalarUDF>>,
    /// Whether the session's time zone is UTC.
    pub(super) is_utc: bool,
}

impl FlinkPlanner {
    fn call<T>(&self, name: &str, args: Vec<Expr>) -> Result<PlannerResult<T>> {
        match self.functions.get(name) {
            Some(function) => Ok(PlannerResult::Planned(Expr::ScalarFunction(
                ScalarFunction::new_udf(Arc::clone(function), args),
            ))),
            None => plan_err!("function {name} is not registered"),
        }
    }
}

impl FlinkPlanner {
    /// A comparison of a moment with what becomes one in the session's zone.
    fn compared(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let RawBinaryExpr { op, left, right } = expr;
        let types = (left.get_type(schema)?, right.get_type(schema)?);
        let (left, right) = match (&types.0, &types.1) {
            (Arrow::Timestamp(unit, Some(_)), local) if is_local(local) => {
                (left, self.moment(right, *unit)?)
            }
            (local, Arrow::Timestamp(unit, Some(_))) if is_local(local) => {
                (self.moment(left, *unit)?, right)
            }
            _ => (left, right),
        };
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }

    /// The value cast to a moment.
    fn moment(&self, expr: Expr, unit: TimeUnit) -> Result<Expr> {
        let wanted = ScalarValue::Utf8(Some(format!("TIMESTAMP_LTZ({})", digits(unit))));
        match self.functions.get(CAST) {
            Some(function) => Ok(function.call(vec![expr, Expr::Literal(wanted, None)])),
            None => plan_err!("function {CAST} is not registered"),
        }
    }
}

impl ExprPlanner for FlinkPlanner {
    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.call(EXTRACT, args)
    }

    fn plan_position(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        // The text comes first, then what is looked for.
        let mut args = args;
        args.reverse();
        self.call("position", args)
    }

    fn plan_substring(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.call("substring", args)
    }

    fn plan_overlay(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.call("overlay", args)
    }

    fn plan_field_access(
        &self,
        expr: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let RawFieldAccessExpr { field_access, expr } = expr;
        let (key, from) = match field_access {
            GetFieldAccess::ListIndex { key } => (key, expr.get_type(schema)?),
            GetFieldAccess::NamedStructField { name: ScalarValue::Utf8(Some(name)) }
                if matches!(expr.get_type(schema)?, Arrow::Map(..)) =>
            {
                let key = Expr::Literal(ScalarValue::Utf8(Some(name)), None);
                return self.call(VALUE_OF, vec![expr, key]);
            }
            field_access => {
                return Ok(PlannerResult::Original(RawFieldAccessExpr { field_access, expr }));
            }
        };
        match from {
            Arrow::List(_) | Arrow::LargeList(_) | Arrow::FixedSizeList(..) => {
                if let Expr::Literal(ScalarValue::Int64(Some(index)), _) = key.as_ref()
                    && *index < 1
                {
                    return plan_err!("positions in an ARRAY start at 1, and {index} is none");
                }
                self.call(ELEMENT_AT, vec![expr, *key])
            }
            Arrow::Map(..) => self.call(VALUE_OF, vec![expr, *key]),
            _ => {
                let field_access = GetFieldAccess::ListIndex { key };
                Ok(PlannerResult::Original(RawFieldAccessExpr { field_access, expr }))
            }
        }
    }

    fn plan_aggregate(&self, expr: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        let null_treatment = nulls_of(expr.func.name(), expr.null_treatment);
        Ok(PlannerResult::Original(RawAggregateExpr { null_treatment, ..expr }))
    }

    fn plan_window(&self, expr: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        let null_treatment = nulls_of(expr.func_def.name(), expr.null_treatment);
        Ok(PlannerResult::Original(RawWindowExpr { null_treatment, ..expr }))
    }

    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let name = match &expr.op {
            BinaryOperator::StringConcat => return concatenation(expr, schema),
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
            | BinaryOperator::Spaceship
                if !self.is_utc =>
            {
                return self.compared(expr, schema);
            }
            BinaryOperator::Plus => "$plus",
            BinaryOperator::Minus => "$minus",
            BinaryOperator::Multiply => "$times",
            BinaryOperator::Divide => DIVIDE,
            BinaryOperator::Modulo => "$remainder",
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let RawBinaryExpr { op, left, right } = expr;
        let (left, right) = (narrowed(left), narrowed(right));
        let types = (left.get_type(schema)?, right.get_type(schema)?);
        for given in [&types.0, &types.1] {
            if is_text(given) {
                return plan_err!("{op} does not take {}; use CAST", name_of(given));
            }
            if *given == Arrow::Null {
                return plan_err!("{op}: NULL has no type; write CAST(NULL AS type)");
            }
        }
        let exact = as_decimal(&types.0).is_some() && as_decimal(&types.1).is_some();
        if exact && (types.0.is_decimal() || types.1.is_decimal()) {
            return self.call(name, vec![left, right]);
        }
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }
}

/// FIRST_VALUE and LAST_VALUE pass over nulls unless told otherwise.
fn nulls_of(name: &str, given: Option<NullTreatment>) -> Option<NullTreatment> {
    match name {
        "first_value" | "last_value" => Some(given.unwrap_or(NullTreatment::IgnoreNulls)),
        _ => given,
    }
}

const fn is_text(data_type: &Arrow) -> bool {
    matches!(data_type, Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View)
}

/// A whole number is an INT when it fits, where the planner made a BIGINT of it.
fn narrowed(expr: Expr) -> Expr {
    match &expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), metadata) => match i32::try_from(*value) {
            Ok(value) => Expr::Literal(ScalarValue::Int32(Some(value)), metadata.clone()),
            Err(_) => expr,
        },
        _ => expr,
    }
}

/// Texts only; arrays are left to the planner.
fn concatenation(expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
    let types = [expr.left.get_type(schema)?, expr.right.get_type(schema)?];
    let bytes = |t: &Arrow| matches!(t, Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView);
    let list = |t: &Arrow| matches!(t, Arrow::List(_) | Arrow::LargeList(_));
    if types.iter().any(list) || types.iter().all(bytes) {
        return Ok(PlannerResult::Original(expr));
    }
    for given in &types {
        if !is_text(given) {
            return plan_err!("|| takes texts, not {}; use CAST(... AS STRING)", name_of(given));
        }
    }
    Ok(PlannerResult::Original(expr))
}
