//! Rewrites a parsed query where Flink's SQL, or this command, means something that DataFusion's
//! planner does not know: files as tables, named arguments, exact numbers, names of types.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    BinaryLength, CastKind, DataType, ExactNumberInfo, Expr, FunctionArg, FunctionArgExpr, Ident,
    ObjectName, ObjectNamePart, Query, Select, SelectFlavor, SelectItem, SetExpr,
    Statement as SqlStatement, TableFactor, TimezoneInfo, Value, ValueWithSpan, VisitMut,
    VisitorMut, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use crate::error::SqlError;
use crate::files::function_table;
use crate::functions::syntax::rewrite_expr;
use crate::hint::Hints;
use crate::sample;
use crate::table_reference::{place_hint, refuse_unread, shorten_columns};

/// Catalog and schema that stand for files; not names that a statement can contain by accident.
pub(crate) const FILE_CATALOG: &str = "$file";
/// See [`FILE_CATALOG`].
pub(crate) const FILE_SCHEMA: &str = "$path";

/// Rewrites the statement in place; `hints` are those of the whole statement.
pub(crate) fn rewrite(statement: &mut Statement, hints: &mut Hints) -> Result<(), SqlError> {
    let mut rewriter = Rewriter { hints, hinted: Vec::new() };
    let outcome = match statement {
        Statement::Statement(inner) => inner.visit(&mut rewriter),
        Statement::Explain(explain) => return rewrite(&mut explain.statement, hints),
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(&mut rewriter),
            CopyToSource::Relation(name) => {
                file_name(name);
                ControlFlow::Continue(())
            }
        },
        Statement::CreateExternalTable(_) | Statement::Reset(_) => ControlFlow::Continue(()),
    };
    let hinted = rewriter.hinted;
    match outcome {
        ControlFlow::Continue(()) => {
            if !hinted.is_empty() {
                shorten_columns(statement, &hinted);
            }
            Ok(())
        }
        ControlFlow::Break(error) => Err(error),
    }
}

/// What the columns of a result are called where the planner's name would show its inner workings:
/// an expression without a name is called as it is written. Empty: nothing to rename.
pub(crate) fn output_names(statement: &Statement) -> Vec<Option<String>> {
    let Statement::Statement(inner) = statement else { return Vec::new() };
    let SqlStatement::Query(query) = inner.as_ref() else { return Vec::new() };
    let SetExpr::Select(select) = query.body.as_ref() else { return Vec::new() };
    let mut names = Vec::with_capacity(select.projection.len());
    for item in &select.projection {
        names.push(match item {
            SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            | SelectItem::ExprWithAlias { .. } => None,
            SelectItem::UnnamedExpr(expr) => Some(expr.to_string()),
            // As many columns as there are, nobody knows yet.
            _ => return Vec::new(),
        });
    }
    names
}

struct Rewriter<'a> {
    hints: &'a mut Hints,
    /// Names of tables with a hint, as they were written.
    hinted: Vec<Vec<String>>,
}

impl VisitorMut for Rewriter<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        if let Some(with) = &mut query.with {
            with.cte_tables.iter_mut().for_each(|table| name_columns_of(&mut table.query));
        }
        match query.body.as_ref() {
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                ControlFlow::Break(SqlError::unsupported(
                    "a statement that changes rows inside of a query is",
                    "write it as a statement of its own",
                ))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        if select.flavor == SelectFlavor::FromFirstNoSelect {
            select.flavor = SelectFlavor::Standard;
            select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        }
        // Where the result's columns are named from outside, see `output_names`, they stay.
        if select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_))) {
            name_computed(&mut select.projection);
        }
        name_repeated(&mut select.projection);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<SqlError> {
        if let TableFactor::Derived { subquery, .. } = factor {
            name_columns_of(subquery);
        }
        if let TableFactor::Table { sample: Some(_), .. } = factor {
            return ControlFlow::Break(SqlError::unsupported(
                "TABLESAMPLE",
                "use WHERE random() < 0.1",
            ));
        }
        if let Err(error) = file_function(factor) {
            return ControlFlow::Break(error);
        }
        refuse_unread(factor)?;
        self.hinted.extend(place_hint(factor, self.hints));
        match factor {
            TableFactor::Table { name, args: None, .. } => file_name(name),
            TableFactor::Table { name, args: Some(args), .. } => {
                return rewrite_arguments(name, &mut args.args);
            }
            TableFactor::Function { name, args, .. } => {
                return rewrite_arguments(name, args);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        if let Err(error) = rewrite_expr(expr) {
            return ControlFlow::Break(error);
        }
        match expr {
            Expr::Value(value) => approximate_number(value).map(|new| *expr = new),
            Expr::Cast { data_type, .. } => {
                flink_type(data_type);
                None
            }
            _ => None,
        };
        ControlFlow::Continue(())
    }
}

/// Gives computed columns the name that they are written as: others can refer to them by it.
fn name_computed(items: &mut [SelectItem]) {
    for item in items {
        if let SelectItem::UnnamedExpr(expr) = item
            && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
        {
            let alias = Ident::with_quote('`', expr.to_string());
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        }
    }
}

/// The same for the columns of a query inside of another.
fn name_columns_of(query: &mut Query) {
    if let SetExpr::Select(select) = query.body.as_mut() {
        name_computed(&mut select.projection);
    }
}

/// Gives names to columns that the planner would call alike and refuse: `SELECT id, id`,
/// `SELECT at, CAST(at AS DATE)`. Columns that the user named keep their names.
fn name_repeated(items: &mut [SelectItem]) {
    let mut seen = BTreeSet::new();
    for item in items {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        // The planner leaves casts out of a column's name.
        let mut plain = &*expr;
        while let Expr::Cast { expr: inner, .. } | Expr::Nested(inner) = plain {
            plain = inner;
        }
        if seen.insert(plain.to_string()) {
            continue;
        }
        let text = expr.to_string();
        let mut name = text.clone();
        let mut count = 1;
        while !seen.insert(name.clone()) {
            count += 1;
            name = format!("{text}:{count}");
        }
        let expr = expr.clone();
        *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('`', name) };
    }
}

/// `read_csv('…', …)` is a table.
fn file_function(factor: &mut TableFactor) -> Result<(), SqlError> {
    let TableFactor::Table { name, args, .. } = factor else { return Ok(()) };
    if let Some(given) = args
        && let Some(table) = function_table(name, &given.args)?
    {
        *name = table;
        *args = None;
    }
    Ok(())
}

/// A name in single quotes is a file's.
fn file_name(name: &mut ObjectName) {
    let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice() else { return };
    if ident.quote_style == Some('\'') {
        let path = std::mem::take(&mut ident.value);
        *name = ObjectName::from(
            [FILE_CATALOG, FILE_SCHEMA, &path].map(|part| Ident::with_quote('"', part)).to_vec(),
        );
    }
}

/// Puts `rows => n, seed => s` into the order of the function's parameters.
fn rewrite_arguments(name: &mut ObjectName, args: &mut Vec<FunctionArg>) -> ControlFlow<SqlError> {
    // Functions have no case; the planner's table functions are written small.
    if let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice()
        && ident.quote_style.is_none()
    {
        ident.value = ident.value.to_ascii_lowercase();
    }
    let is_sample = matches!(name.0.as_slice(), [ObjectNamePart::Identifier(ident)]
        if ident.value == sample::NAME);
    if !is_sample {
        return ControlFlow::Continue(());
    }
    let mut ordered: Vec<Option<FunctionArgExpr>> = vec![None; sample::PARAMETERS.len()];
    for (position, arg) in std::mem::take(args).into_iter().enumerate() {
        let (slot, value) = match arg {
            FunctionArg::Unnamed(value) => (position, value),
            FunctionArg::Named { name, arg, .. } => {
                let known =
                    sample::PARAMETERS.iter().position(|p| name.value.eq_ignore_ascii_case(p));
                let Some(slot) = known else {
                    return ControlFlow::Break(SqlError::invalid(format!(
                        "{} has no parameter '{}'; it has: {}",
                        sample::NAME,
                        name.value,
                        sample::PARAMETERS.join(", ")
                    )));
                };
                (slot, arg)
            }
            FunctionArg::ExprNamed { .. } => {
                return ControlFlow::Break(SqlError::invalid("an argument's name must be a word"));
            }
        };
        match ordered.get_mut(slot) {
            Some(free @ None) => *free = Some(value),
            _ => {
                return ControlFlow::Break(SqlError::invalid(format!(
                    "{} takes {} arguments, each once: {}",
                    sample::NAME,
                    sample::PARAMETERS.len(),
                    sample::PARAMETERS.join(", ")
                )));
            }
        }
    }
    let null = || {
        FunctionArgExpr::Expr(Expr::Value(ValueWithSpan {
            value: Value::Null,
            span: Span::empty(),
        }))
    };
    *args = ordered.into_iter().map(|arg| FunctionArg::Unnamed(arg.unwrap_or_else(null))).collect();
    ControlFlow::Continue(())
}

/// `1e3` is a DOUBLE, as in Flink; `1.5` stays for the planner, which makes it a DECIMAL.
fn approximate_number(value: &ValueWithSpan) -> Option<Expr> {
    let Value::Number(text, _) = &value.value else { return None };
    if !text.contains(['e', 'E']) {
        return None;
    }
    let text = Value::SingleQuotedString(text.clone());
    Some(Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::Value(ValueWithSpan { value: text, span: value.span })),
        data_type: DataType::Double(ExactNumberInfo::None),
        array: false,
        format: None,
    })
}

/// Flink's names of types in CAST.
fn flink_type(data_type: &mut DataType) {
    let replacement = match data_type {
        DataType::Bytes(_) => Some(DataType::Bytea),
        DataType::Binary(_) | DataType::Varbinary(None | Some(BinaryLength::Max)) => {
            Some(DataType::Bytea)
        }
        DataType::Varbinary(Some(BinaryLength::IntegerLength { .. })) => Some(DataType::Bytea),
        DataType::Custom(name, arguments) if is_word(name, "BYTES") && arguments.is_empty() => {
            Some(DataType::Bytea)
        }
        DataType::Custom(name, arguments) if is_word(name, "TIMESTAMP_LTZ") => {
            Some(DataType::Timestamp(precision(arguments), TimezoneInfo::WithTimeZone))
        }
        DataType::Timestamp(digits, zone) => {
            Some(DataType::Timestamp(Some(rounded_up(digits.unwrap_or(6))), *zone))
        }
        _ => None,
    };
    if let Some(replacement) = replacement {
        *data_type = replacement;
    }
}

fn is_word(name: &ObjectName, word: &str) -> bool {
    matches!(name.0.as_slice(), [ObjectNamePart::Identifier(ident)]
        if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case(word))
}

fn precision(arguments: &[String]) -> Option<u64> {
    Some(rounded_up(arguments.first().and_then(|text| text.parse().ok()).unwrap_or(6)))
}

/// The planner knows seconds, milli-, micro- and nanoseconds.
const fn rounded_up(digits: u64) -> u64 {
    match digits {
        0 => 0,
        1..=3 => 3,
        4..=6 => 6,
        7..=9 => 9,
        other => other,
    }
}
