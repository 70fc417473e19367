//! Names of tables in a query: options of hints go with the name through the planner; what the
//! planner would pass over in silence is refused.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectNamePart, TableAlias, TableFactor, VisitMut, VisitorMut,
};

use crate::error::SqlError;
use crate::hint::{Hints, mark};

/// Puts the options of the hint behind a table into its name. Returns the name as it was written
/// if there is such a hint.
pub(crate) fn place_hint(factor: &mut TableFactor, hints: &mut Hints) -> Option<Vec<String>> {
    let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
    let parts: Vec<String> =
        name.0.iter().filter_map(|part| part.as_ident().map(|ident| ident.value.clone())).collect();
    let Some(ObjectNamePart::Identifier(last)) = name.0.last_mut() else { return None };
    let options = hints.options_behind(last.span.start);
    if options.is_empty() {
        return None;
    }
    if alias.is_none() {
        *alias = Some(TableAlias {
            explicit: true,
            name: Ident::with_quote('`', last.value.clone()),
            columns: Vec::new(),
            at: None,
        });
    }
    last.value = mark(&last.value, &options);
    last.quote_style = Some('`');
    Some(parts)
}

/// Refuses what the planner does not look at.
pub(crate) fn refuse_unread(factor: &TableFactor) -> ControlFlow<SqlError> {
    let TableFactor::Table { with_hints, version, partitions, index_hints, json_path, .. } = factor
    else {
        return ControlFlow::Continue(());
    };
    let what = if !with_hints.is_empty() {
        "WITH (…) behind a table"
    } else if version.is_some() {
        "a version behind a table"
    } else if !partitions.is_empty() {
        "PARTITION (…) behind a table"
    } else if !index_hints.is_empty() {
        "an index hint behind a table"
    } else if json_path.is_some() {
        "a path behind a table"
    } else {
        return ControlFlow::Continue(());
    };
    let advice = "use WHERE, or a hint /*+ OPTIONS('key' = 'value') */";
    ControlFlow::Break(SqlError::unsupported(format!("{what} is"), advice))
}

/// A table with a hint is known by its last name: `db.t.column` becomes `t.column`.
pub(crate) fn shorten_columns(statement: &mut Statement, tables: &[Vec<String>]) {
    let Statement::Statement(inner) = statement else { return };
    let _: ControlFlow<()> = inner.visit(&mut Shorten(tables));
}

struct Shorten<'a>(&'a [Vec<String>]);

impl VisitorMut for Shorten<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr {
            let of = |table: &Vec<String>| {
                table.len() > 1
                    && parts.len() == table.len() + 1
                    && parts.iter().zip(table).all(|(part, name)| part.value == *name)
            };
            if self.0.iter().any(of) {
                parts.drain(..parts.len() - 2);
            }
        }
        ControlFlow::Continue(())
    }
}
