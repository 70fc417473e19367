//! TIMESTAMP_LTZ beside TIMESTAMP, where the planner would take the latter for UTC: in a session with
//! another time zone that gives wrong answers, so it is refused where nothing casts it rightly.
//! Comparisons are planned with a cast (`functions/planner.rs`).

use arrow::datatypes::DataType as Arrow;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, Case, InList};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

/// Refuses what would be read in UTC; for sessions with another zone.
#[derive(Debug)]
pub(crate) struct TimesOfOneZone {
    /// Name of the session's zone.
    pub(crate) zone: String,
}

impl AnalyzerRule for TimesOfOneZone {
    fn name(&self) -> &'static str {
        "times_of_one_zone"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|plan| {
            if let LogicalPlan::Union(union) = plan {
                for at in 0..union.schema.fields().len() {
                    let types = union.inputs.iter().filter_map(|input| {
                        input.schema().fields().get(at).map(|field| field.data_type().clone())
                    });
                    self.check(&types.collect::<Vec<_>>(), "UNION")?;
                }
            }
            let schema = merge_schema(&plan.inputs());
            plan.apply_expressions(|expr| {
                expr.apply(|expr| {
                    self.check_expr(expr, &schema).map(|()| TreeNodeRecursion::Continue)
                })
            })
        })?;
        Ok(plan)
    }
}

impl TimesOfOneZone {
    fn check_expr(&self, expr: &Expr, schema: &DFSchema) -> Result<()> {
        let check = |values: &[&Expr], place: &str| {
            let types: Vec<Arrow> =
                values.iter().filter_map(|value| value.get_type(schema).ok()).collect();
            self.check(&types, place)
        };
        match expr {
            Expr::Between(Between { expr, low, high, .. }) => check(&[expr, low, high], "BETWEEN"),
            Expr::InList(InList { expr, list, .. }) => {
                check(&std::iter::once(&**expr).chain(list).collect::<Vec<_>>(), "IN")
            }
            Expr::Case(Case { expr, when_then_expr, else_expr }) => {
                let results = when_then_expr.iter().map(|(_, then)| &**then);
                check(&results.chain(else_expr.as_deref()).collect::<Vec<_>>(), "CASE")?;
                match expr {
                    Some(expr) => {
                        let tests = when_then_expr.iter().map(|(when, _)| &**when);
                        check(&tests.chain([&**expr]).collect::<Vec<_>>(), "CASE")
                    }
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn check(&self, types: &[Arrow], place: &str) -> Result<()> {
        if mixed(types) {
            return plan_err!("{}", refusal(place, &self.zone));
        }
        Ok(())
    }
}

/// Whether there are moments among the types, and times without a zone or texts as well.
pub(crate) fn mixed(types: &[Arrow]) -> bool {
    types.iter().any(|t| matches!(t, Arrow::Timestamp(_, Some(_)))) && types.iter().any(is_local)
}

/// Whether a zone makes a moment of such values.
pub(crate) const fn is_local(given: &Arrow) -> bool {
    matches!(
        given,
        Arrow::Timestamp(_, None)
            | Arrow::Date32
            | Arrow::Date64
            | Arrow::Utf8
            | Arrow::LargeUtf8
            | Arrow::Utf8View
    )
}

/// The message for `place` in a session with the zone.
pub(crate) fn refusal(place: &str, zone: &str) -> String {
    format!(
        "{place} brings TIMESTAMP_LTZ together with another type, and the session's time zone is \
         {zone}: say what is meant with CAST(… AS TIMESTAMP_LTZ(3)) or CAST(… AS TIMESTAMP(3))"
    )
}
