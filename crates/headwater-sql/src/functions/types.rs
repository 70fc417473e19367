//! Names of types as Flink writes them, and TYPEOF.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType as Arrow, IntervalUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;
use headwater::TypeKind;

use super::call::{Call, Param, Spec, returns};
use super::cast::{CAST, TRY_CAST};
use crate::column_kind::{column_kind, digits};
use crate::parse::parse_type;

pub(super) const FUNCTIONS: &[Spec] =
    &[Spec::new(&["typeof"], &[Param::Any, Param::Bool], returns::text, type_of)
        .required(1)
        .nulls()];

/// The type of the expression, which is known without its value.
fn type_of(call: &Call<'_>) -> Result<ArrayRef> {
    let name = match call.fields.first() {
        Some(field) => with_null(&name_of(field.data_type()), field.is_nullable()),
        None => return call.fail("an expression is missing"),
    };
    Ok(Arc::new(StringArray::from(vec![name; call.rows])))
}

fn with_null(name: &str, nullable: bool) -> String {
    if nullable || name == "NULL" { name.to_owned() } else { format!("{name} NOT NULL") }
}

/// The name of a type in SQL.
pub(super) fn name_of(data_type: &Arrow) -> String {
    match data_type {
        Arrow::Null => "NULL".to_owned(),
        Arrow::Time32(_) | Arrow::Time64(_) => "TIME(0)".to_owned(),
        Arrow::Timestamp(unit, Some(_)) => format!("TIMESTAMP_LTZ({})", digits(*unit)),
        Arrow::Interval(IntervalUnit::YearMonth) => "INTERVAL YEAR TO MONTH".to_owned(),
        Arrow::Interval(_) | Arrow::Duration(_) => "INTERVAL DAY TO SECOND".to_owned(),
        other => match column_kind(other) {
            Some(kind) => kind.to_string(),
            None => other.to_string(),
        },
    }
}

/// Puts the name of the type in the place of TYPEOF while the expression is as it was written: later
/// constants are computed, which are never null.
#[derive(Debug)]
pub(super) struct TypesOf;

impl AnalyzerRule for TypesOf {
    fn name(&self) -> &str {
        "types_of"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let changed = plan.transform_up_with_subqueries(|plan| {
            let schema = merge_schema(&plan.inputs());
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let changed = expr.transform_up(|expr| Ok(named_type(expr, &schema)))?;
                Ok(changed.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(changed.data)
    }
}

fn named_type(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    if let Expr::ScalarFunction(call) = &expr
        && call.func.name() == "typeof"
        && let Some(value) = call.args.first()
        && let Some(name) = type_of_expr(value, schema)
    {
        return Transformed::yes(Expr::Literal(ScalarValue::Utf8(Some(name)), None));
    }
    Transformed::no(expr)
}

/// A literal has the narrowest type, a cast the type that it names.
fn type_of_expr(expr: &Expr, schema: &DFSchema) -> Option<String> {
    let (_, field) = expr.to_field(schema).ok()?;
    let name = match expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), _) if i32::try_from(*value).is_ok() => {
            "INT".to_owned()
        }
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => {
            format!("CHAR({})", text.chars().count())
        }
        Expr::Literal(ScalarValue::Binary(Some(bytes)), _) => format!("BINARY({})", bytes.len()),
        Expr::ScalarFunction(call) if [CAST, TRY_CAST].contains(&call.func.name()) => {
            match call.args.get(1) {
                Some(Expr::Literal(ScalarValue::Utf8(Some(text)), _)) => {
                    match parse_type(text).ok()?.kind {
                        kind @ (TypeKind::Char(_)
                        | TypeKind::VarChar(_)
                        | TypeKind::Binary(_)
                        | TypeKind::VarBinary(_)) => kind.to_string(),
                        _ => name_of(field.data_type()),
                    }
                }
                _ => name_of(field.data_type()),
            }
        }
        _ => name_of(field.data_type()),
    };
    Some(with_null(&name, field.is_nullable()))
}
