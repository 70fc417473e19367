//! Columns without a table in a WHEN of rows that only one side has: they are of that side, as in
//! Spark, also where the other side has a column of the same name.
//!
//! Which names are columns is known only with the table: until then such a column is marked.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, VisitMut, VisitorMut};
use headwater::TableSchema;

/// Stands for the side until the table is known.
const MARK: &str = "$side:";

/// Words that functions take without quotes.
const UNITS: [&str; 14] = [
    "YEAR",
    "QUARTER",
    "MONTH",
    "WEEK",
    "DAY",
    "DAYOFWEEK",
    "DAYOFYEAR",
    "HOUR",
    "MINUTE",
    "SECOND",
    "MILLISECOND",
    "MICROSECOND",
    "NANOSECOND",
    "EPOCH",
];

/// Marks the columns of an expression that name no table. Those of subqueries are their own.
pub(super) fn mark(expr: &mut Expr, side: &Ident) {
    let _: ControlFlow<()> = expr.visit(&mut Marking { side, depth: 0 });
}

/// Gives the marked columns their side, where the table has a column of the name.
pub(super) fn resolve<T: VisitMut>(tree: &mut T, schema: &TableSchema) {
    let _: ControlFlow<()> = tree.visit(&mut Resolving(schema));
}

struct Marking<'a> {
    side: &'a Ident,
    depth: usize,
}

impl VisitorMut for Marking<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth = self.depth.saturating_sub(1);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0
            && let Expr::Identifier(name) = expr
            && !UNITS.iter().any(|unit| name.value.eq_ignore_ascii_case(unit))
        {
            let mark = Ident::with_quote('`', format!("{MARK}{}", self.side.value));
            *expr = Expr::CompoundIdentifier(vec![mark, name.clone()]);
        }
        ControlFlow::Continue(())
    }
}

struct Resolving<'a>(&'a TableSchema);

impl VisitorMut for Resolving<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [mark, name] = parts.as_mut_slice()
            && let Some(side) = mark.value.strip_prefix(MARK)
        {
            if self.0.field(&name.value).is_some() {
                mark.value = side.to_owned();
            } else {
                *expr = Expr::Identifier(name.clone());
            }
        }
        ControlFlow::Continue(())
    }
}
