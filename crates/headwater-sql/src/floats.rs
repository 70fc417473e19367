//! Keeps floating point out of decimals: a literal such as `0.5` is a DECIMAL, a FLOAT or DOUBLE
//! value next to it is not.
//!
//! DataFusion would cast the floating-point side to a decimal with a few digits, where large, tiny
//! and special values have no place.

use datafusion::arrow::datatypes::DataType as Arrow;
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::logical_expr::expr::Expr;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{ExprSchemable, cast};
use datafusion::sql::parser::Statement as QueryStatement;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType as SqlType, ExactNumberInfo, Expr as SqlExpr, SetExpr, Statement, Value,
};

/// Compares and computes FLOAT or DOUBLE with DECIMAL as DOUBLE, as Flink does.
#[derive(Debug)]
pub(crate) struct FloatsStayFloats;

impl ExprPlanner for FloatsStayFloats {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema))
        else {
            return Ok(PlannerResult::Original(expr));
        };
        let RawBinaryExpr { op, left: l, right: r } = expr;
        let (l, r) = match (is_float(&left), is_float(&right)) {
            (true, false) if right.is_decimal() => (double(l), double(r)),
            (false, true) if left.is_decimal() => (double(l), double(r)),
            _ => (l, r),
        };
        Ok(PlannerResult::Original(RawBinaryExpr { op, left: l, right: r }))
    }
}

pub(crate) const fn is_float(data_type: &Arrow) -> bool {
    matches!(data_type, Arrow::Float16 | Arrow::Float32 | Arrow::Float64)
}

fn double(expr: Expr) -> Expr {
    cast(expr, Arrow::Float64)
}

/// Gives each value of `INSERT … VALUES` that goes to a FLOAT or DOUBLE column that type, before
/// the values of a column are brought to one type. `floats`: for each column of the query, whether
/// its target is FLOAT or DOUBLE.
pub(crate) fn cast_values(statement: &mut QueryStatement, floats: &[bool]) {
    let QueryStatement::Statement(statement) = statement else { return };
    let Statement::Query(query) = statement.as_mut() else { return };
    let SetExpr::Values(values) = query.body.as_mut() else { return };
    for row in &mut values.rows {
        for (value, float) in row.iter_mut().zip(floats) {
            if *float {
                let plain = std::mem::replace(value, SqlExpr::value(Value::Null));
                *value = SqlExpr::Cast {
                    kind: CastKind::Cast,
                    expr: Box::new(plain),
                    data_type: SqlType::Double(ExactNumberInfo::None),
                    array: false,
                    format: None,
                };
            }
        }
    }
}
