//! What DELETE, UPDATE and MERGE have in common: the table, the query over it, the branches.
//!
//! The query's first column is the number of the branch that takes a row, from 1, or 0. Behind it
//! stand the number of the table's row, the table's columns, and what the statement computes.

use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement as QueryStatement;
use datafusion::sql::sqlparser::ast::{
    AssignmentTarget, Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr,
    Statement, TableAlias, TableFactor, TableWithJoins, Value,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Span, Token};
use headwater::TableSchema;

use super::sides;
use super::target::{ROW_NUMBER, TARGET_CATALOG};
use crate::dialect::HeadwaterDialect;
use crate::error::SqlError;
use crate::hint::OptionList;
use crate::parse::{Cursor, RECURSION_LIMIT, take_versions};
use crate::rewrite::rewrite;
use crate::table_reference::shorten_columns;

/// What becomes of a row of the query.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// The table's row goes.
    Delete,
    /// The table's row gets new values: column, and which of the computed values.
    Update(Vec<(String, usize)>),
    /// The table's row gets the values of the columns with the same names of this source.
    UpdateAll(Ident),
    /// A new row: column, and which of the computed values.
    Insert(Vec<(String, usize)>),
    /// A new row with the values of the columns with the same names of this source.
    InsertAll(Ident),
}

/// A statement that changes rows.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// DELETE, UPDATE or MERGE.
    pub(crate) verb: &'static str,
    pub(crate) table: Vec<String>,
    /// Options of the hint behind the table.
    pub(crate) hint: OptionList,
    /// What the statement's expressions call the table.
    pub(crate) alias: Ident,
    /// The branch, then the computed values.
    pub(super) query: QueryStatement,
    pub(crate) branches: Vec<Action>,
    /// Whether rows of several sources may meet one row of the table.
    pub(crate) joins: bool,
    /// Whether a branch has a condition of its own.
    pub(crate) conditions: bool,
}

/// The table of a statement as it is written.
pub(super) struct Named {
    pub(super) parts: Vec<String>,
    pub(super) hint: OptionList,
    pub(super) alias: Ident,
    has_alias: bool,
}

/// The name of the table and its alias. `words`: what may follow and is no alias.
pub(super) fn named(cursor: &mut Cursor, words: &[&str]) -> Result<Named, SqlError> {
    let parts = cursor.dotted_name("a table's name")?;
    let hint = cursor.options_hint();
    let explicit = cursor.keyword("AS");
    let free = !cursor.is_end() && !words.iter().any(|word| cursor.is_keyword(word));
    let has_alias = explicit || free;
    let alias = if has_alias {
        cursor.name("an alias of the table")?
    } else {
        parts.last().cloned().unwrap_or_default()
    };
    Ok(Named { parts, hint, alias: quoted(&alias), has_alias })
}

/// The parser of expressions for what is left of the statement.
pub(super) fn parser(cursor: &mut Cursor) -> Result<Parser<'static>, SqlError> {
    let tokens = take_versions(cursor.rest(), &mut cursor.hints)?;
    Ok(Parser::new(&HeadwaterDialect)
        .with_recursion_limit(RECURSION_LIMIT)
        .with_tokens_with_locations(tokens))
}

/// An error of the parser with its place in the script.
pub(super) fn syntax(error: ParserError) -> SqlError {
    SqlError::from_parser(DataFusionError::SQL(Box::new(error), None))
}

/// Nothing may follow.
pub(super) fn end(parser: &mut Parser<'_>, what: &str) -> Result<(), SqlError> {
    let next = parser.peek_token();
    match next.token {
        Token::EOF => Ok(()),
        _ => parser.expected(what, next).map_err(syntax),
    }
}

/// `WHERE condition`, if it is there.
pub(super) fn condition(parser: &mut Parser<'_>) -> Result<Option<Expr>, SqlError> {
    if !parser.parse_keyword(Keyword::WHERE) {
        return Ok(None);
    }
    parser.parse_expr().map(Some).map_err(syntax)
}

/// `a = 1, t.b = 2` behind SET.
pub(super) fn assignments(
    parser: &mut Parser<'_>,
    table: &Named,
) -> Result<Vec<(String, Expr)>, SqlError> {
    let list = parser.parse_comma_separated(Parser::parse_assignment).map_err(syntax)?;
    let mut columns: Vec<(String, Expr)> = Vec::with_capacity(list.len());
    for assignment in list {
        let AssignmentTarget::ColumnName(name) = assignment.target else {
            return Err(SqlError::unsupported(
                "SET (a, b) = (…) is",
                "write one column after the other: SET a = …, b = …",
            ));
        };
        let column = column_of(&name, table)?;
        if columns.iter().any(|(known, _)| *known == column) {
            return Err(SqlError::invalid(format!("column '{column}' is set twice")));
        }
        columns.push((column, assignment.value));
    }
    Ok(columns)
}

/// The column that `c`, `t.c` or `db.t.c` names.
fn column_of(name: &ObjectName, table: &Named) -> Result<String, SqlError> {
    let parts: Vec<&str> =
        name.0.iter().filter_map(|p| p.as_ident().map(|i| i.value.as_str())).collect();
    let own = |prefix: &[&str]| {
        prefix.is_empty()
            || prefix == [table.alias.value.as_str()]
            || (!table.has_alias
                && table.parts.iter().map(String::as_str).eq(prefix.iter().copied()))
    };
    match parts.split_last() {
        Some((column, prefix)) if own(prefix) => Ok((*column).to_owned()),
        _ => Err(SqlError::invalid(format!(
            "'{name}' is no column of '{}': set whole columns of the table that is changed",
            table.alias.value
        ))),
    }
}

/// The query of a statement while it is put together.
pub(super) struct Draft {
    pub(super) from: Vec<TableWithJoins>,
    pub(super) selection: Option<Expr>,
    /// The number of the branch that takes a row.
    pub(super) branch: Expr,
    pub(super) values: Vec<Expr>,
    /// Names of sources that are known by their last word.
    pub(super) sources: Vec<Vec<String>>,
}

impl Draft {
    pub(super) fn new(branch: Expr) -> Self {
        Self { from: Vec::new(), selection: None, branch, values: Vec::new(), sources: Vec::new() }
    }

    /// Adds a value to be computed; returns its place.
    pub(super) fn value(&mut self, expr: Expr) -> usize {
        self.values.push(expr);
        self.values.len() - 1
    }

    /// Adds the values of columns.
    pub(super) fn columns(&mut self, columns: Vec<(String, Expr)>) -> Vec<(String, usize)> {
        columns.into_iter().map(|(name, expr)| (name, self.value(expr))).collect()
    }

    /// The query, rewritten as every query is.
    pub(super) fn finish(
        self,
        cursor: &mut Cursor,
        table: &Named,
        order: impl FnOnce(&mut Query),
    ) -> Result<QueryStatement, SqlError> {
        let mut query = template()?;
        let names = (0..self.values.len()).map(|at| format!("$value{at}"));
        let items = std::iter::once((self.branch, "$branch".to_owned()));
        let items = items.chain(self.values.into_iter().zip(names));
        {
            let select = select_of(&mut query)?;
            select.projection = items.map(|(expr, name)| item(expr, &name)).collect();
            select.from = self.from;
            select.selection = self.selection;
        }
        order(&mut query);
        let mut statement = QueryStatement::Statement(Box::new(Statement::Query(query)));
        rewrite(&mut statement, &mut cursor.hints)?;
        let mut known = self.sources;
        if !table.has_alias {
            known.push(table.parts.clone());
        }
        shorten_columns(&mut statement, &known);
        Ok(statement)
    }
}

impl Change {
    pub(super) fn new(
        verb: &'static str,
        table: Named,
        query: QueryStatement,
        branches: Vec<Action>,
    ) -> Self {
        Self {
            verb,
            table: table.parts,
            hint: table.hint,
            alias: table.alias,
            query,
            branches,
            joins: false,
            conditions: false,
        }
    }

    /// The query for a table with these columns, which are among its own if `whole`, and the place
    /// of the first computed value. Values of [`Action::UpdateAll`] and [`Action::InsertAll`] become computed ones.
    pub(super) fn resolved(
        mut self,
        schema: &TableSchema,
        whole: bool,
    ) -> Result<(QueryStatement, Vec<Action>, usize), SqlError> {
        let mut own = vec![item(column(&self.alias, ROW_NUMBER), ROW_NUMBER)];
        for (at, field) in schema.fields.iter().enumerate().filter(|_| whole) {
            own.push(item(column(&self.alias, &field.name), &format!("$column{at}")));
        }
        let first = own.len() + 1;
        let QueryStatement::Statement(statement) = &mut self.query else {
            return Err(SqlError::invalid("this is not a query"));
        };
        let Statement::Query(query) = statement.as_mut() else {
            return Err(SqlError::invalid("this is not a query"));
        };
        let select = select_of(query)?;
        let mut values = select.projection.len().saturating_sub(1);
        for action in &mut self.branches {
            let (source, insert) = match action {
                Action::UpdateAll(source) => (source.clone(), false),
                Action::InsertAll(source) => (source.clone(), true),
                _ => continue,
            };
            let mut columns = Vec::with_capacity(schema.fields.len());
            for field in &schema.fields {
                let name = format!("$value{values}");
                select.projection.push(item(column(&source, &field.name), &name));
                columns.push((field.name.clone(), values));
                values += 1;
            }
            *action = if insert { Action::Insert(columns) } else { Action::Update(columns) };
        }
        sides::resolve(&mut select.projection, schema);
        select.projection.splice(1..1, own);
        Ok((self.query, self.branches, first))
    }
}

/// The table that is changed, as a part of FROM.
pub(super) fn target_factor(table: &Named) -> Result<TableFactor, SqlError> {
    let mut factor = plain_factor()?;
    if let TableFactor::Table { name, alias, .. } = &mut factor {
        *name =
            ObjectName::from([TARGET_CATALOG, TARGET_CATALOG, TARGET_CATALOG].map(quoted).to_vec());
        *alias = Some(alias_of(table.alias.clone()));
    }
    Ok(factor)
}

/// `(query) AS alias`.
pub(super) fn derived(query: Box<Query>, alias: Ident) -> TableFactor {
    TableFactor::Derived {
        lateral: false,
        subquery: query,
        alias: Some(alias_of(alias)),
        sample: None,
    }
}

fn alias_of(name: Ident) -> TableAlias {
    TableAlias { explicit: true, name, columns: Vec::new(), at: None }
}

pub(super) const fn alone(relation: TableFactor) -> TableWithJoins {
    TableWithJoins { relation, joins: Vec::new() }
}

/// `SELECT 1`, to be filled.
pub(super) fn template() -> Result<Box<Query>, SqlError> {
    let parser = Parser::new(&HeadwaterDialect);
    parser.try_with_sql("SELECT 1").and_then(|mut parser| parser.parse_query()).map_err(syntax)
}

fn plain_factor() -> Result<TableFactor, SqlError> {
    let parser = Parser::new(&HeadwaterDialect);
    parser.try_with_sql("t").and_then(|mut parser| parser.parse_table_factor()).map_err(syntax)
}

pub(super) fn select_of(query: &mut Query) -> Result<&mut Select, SqlError> {
    match query.body.as_mut() {
        SetExpr::Select(select) => Ok(select),
        _ => Err(SqlError::invalid("this is not a query")),
    }
}

pub(super) fn item(expr: Expr, name: &str) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias: quoted(name) }
}

pub(super) fn column(table: &Ident, name: &str) -> Expr {
    Expr::CompoundIdentifier(vec![table.clone(), quoted(name)])
}

pub(super) fn number(n: usize) -> Expr {
    Expr::Value(Value::Number(n.to_string(), false).with_span(Span::empty()))
}

pub(super) fn quoted(name: &str) -> Ident {
    Ident::with_quote('`', name)
}

/// The name by which a part of FROM is known, and its parts if it is a table without an alias.
pub(super) fn known_as(factor: &TableFactor) -> Option<(Ident, Vec<String>)> {
    let given = match factor {
        TableFactor::Table { name, alias: None, args: None, .. } => {
            let parts: Vec<String> = name
                .0
                .iter()
                .filter_map(|part| match part {
                    ObjectNamePart::Identifier(ident) => Some(ident.value.clone()),
                    ObjectNamePart::Function(_) => None,
                })
                .collect();
            let last = parts.last()?.clone();
            // A file in quotes has no name to be called by.
            let ObjectNamePart::Identifier(ident) = name.0.last()? else { return None };
            return (ident.quote_style != Some('\'')).then(|| (quoted(&last), parts));
        }
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::TableFunction { alias, .. }
        | TableFactor::UNNEST { alias, .. } => alias.as_ref()?,
        _ => return None,
    };
    Some((quoted(&given.name.value), Vec::new()))
}
