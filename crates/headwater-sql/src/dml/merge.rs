//! `MERGE INTO t [AS x] USING source [AS s] ON condition WHEN … THEN …`.
//!
//! The source is joined with the table; a row of the join belongs to the first WHEN whose condition
//! holds. Values are computed only for the rows of their own WHEN: those of others may not be fit
//! for it.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, Ident, Join, JoinConstraint, JoinOperator, SelectItem,
    TableFactor, TableWithJoins, Value, WildcardAdditionalOptions,
    helpers::attached_token::AttachedToken,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Span, Token};

use super::sides::mark;
use super::statement::{
    Action, Change, Draft, Named, alone, assignments, column, derived, end, item, known_as, named,
    number, parser, select_of, syntax, target_factor, template,
};
use super::target::ROW_NUMBER;
use crate::error::SqlError;
use crate::parse::Cursor;

/// Column that says that a row of the join has a row of the source.
const PRESENT: &str = "$source";

/// Which rows of the join a WHEN is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sides {
    Both,
    Source,
    Target,
}

/// What a WHEN does, before its values have their places.
enum Then {
    Delete,
    Update(Vec<(String, Expr)>),
    UpdateAll,
    Insert(Vec<(String, Expr)>),
    InsertAll,
}

struct When {
    sides: Sides,
    condition: Option<Expr>,
    then: Then,
}

impl When {
    /// Columns without a table are of this side.
    fn mark(&mut self, side: &Ident) {
        if let Some(condition) = &mut self.condition {
            mark(condition, side);
        }
        if let Then::Update(columns) | Then::Insert(columns) = &mut self.then {
            for (_, value) in columns {
                mark(value, side);
            }
        }
    }
}

/// The rest of a statement behind MERGE.
pub(crate) fn merge(cursor: &mut Cursor) -> Result<Change, SqlError> {
    cursor.need_keyword("MERGE")?;
    if cursor.keyword("WITH") {
        return Err(SqlError::unsupported(
            "MERGE WITH SCHEMA EVOLUTION is",
            "add the columns with ALTER TABLE first",
        ));
    }
    cursor.need_keyword("INTO")?;
    let table = named(cursor, &["USING"])?;
    cursor.need_keyword("USING")?;
    let mut parser = parser(cursor)?;
    let factor = parser.parse_table_factor().map_err(syntax)?;
    let Some((source, parts)) = known_as(&factor) else {
        return Err(SqlError::invalid("give the source a name: USING … AS s"));
    };
    if source.value == table.alias.value {
        return Err(SqlError::invalid(format!(
            "the table and the source are both called '{}': give one of them another name with AS",
            source.value
        )));
    }
    parser.expect_keyword(Keyword::ON).map_err(syntax)?;
    let on = parser.parse_expr().map_err(syntax)?;
    let mut whens = Vec::new();
    while parser.parse_keyword(Keyword::WHEN) {
        let mut when = when(&mut parser, &table)?;
        match when.sides {
            Sides::Both => {}
            Sides::Source => when.mark(&source),
            Sides::Target => when.mark(&table.alias),
        }
        whens.push(when);
    }
    end(&mut parser, "WHEN or the end of the statement")?;
    check_order(&whens)?;

    let mut draft = Draft::new(number(0));
    if !parts.is_empty() {
        draft.sources.push(parts);
    }
    draft.from = vec![join(&table, factor, &source, on, &whens)?];
    let conditions = whens.iter().any(|when| when.condition.is_some());
    let holds = conditions_of(&whens, &table.alias, &source);
    draft.branch = first_of(&holds);
    let mut branches = Vec::with_capacity(whens.len());
    for (when, at) in whens.into_iter().zip(1..) {
        let mut guarded = |columns: Vec<(String, Expr)>| {
            let columns = columns.into_iter().map(|(name, expr)| {
                if is_plain(&expr) {
                    return (name, expr);
                }
                (name, case(vec![(equal(first_of(&holds), number(at)), expr)], None))
            });
            draft.columns(columns.collect())
        };
        branches.push(match when.then {
            Then::Delete => Action::Delete,
            Then::Update(columns) => Action::Update(guarded(columns)),
            Then::UpdateAll => Action::UpdateAll(source.clone()),
            Then::Insert(columns) => Action::Insert(guarded(columns)),
            Then::InsertAll => Action::InsertAll(source.clone()),
        });
    }
    let query = draft.finish(cursor, &table, |_| {})?;
    let change = Change::new("MERGE", table, query, branches);
    Ok(Change { joins: true, conditions, ..change })
}

/// What stands behind WHEN.
fn when(parser: &mut Parser<'_>, table: &Named) -> Result<When, SqlError> {
    let sides = if parser.parse_keyword(Keyword::MATCHED) {
        Sides::Both
    } else {
        parser.expect_keywords(&[Keyword::NOT, Keyword::MATCHED]).map_err(syntax)?;
        if !parser.parse_keyword(Keyword::BY) || parser.parse_keyword(Keyword::TARGET) {
            Sides::Source
        } else {
            parser.expect_keyword(Keyword::SOURCE).map_err(syntax)?;
            Sides::Target
        }
    };
    let condition = match parser.parse_keyword(Keyword::AND) {
        true => Some(parser.parse_expr().map_err(syntax)?),
        false => None,
    };
    parser.expect_keyword(Keyword::THEN).map_err(syntax)?;
    let then = if sides == Sides::Source {
        parser.expect_keyword(Keyword::INSERT).map_err(syntax)?;
        insert(parser)?
    } else if parser.parse_keyword(Keyword::DELETE) {
        Then::Delete
    } else if parser.parse_keyword(Keyword::UPDATE) {
        parser.expect_keyword(Keyword::SET).map_err(syntax)?;
        if !parser.consume_token(&Token::Mul) {
            Then::Update(assignments(parser, table)?)
        } else if sides == Sides::Both {
            Then::UpdateAll
        } else {
            return Err(SqlError::invalid(
                "UPDATE SET * takes the columns of a source row, and NOT MATCHED BY SOURCE has none",
            ));
        }
    } else {
        let next = parser.peek_token();
        return parser.expected("UPDATE SET or DELETE", next).map_err(syntax);
    };
    Ok(When { sides, condition, then })
}

/// `*` or `(columns) VALUES (values)` behind INSERT.
fn insert(parser: &mut Parser<'_>) -> Result<Then, SqlError> {
    if parser.consume_token(&Token::Mul) {
        return Ok(Then::InsertAll);
    }
    if parser.peek_token().token != Token::LParen {
        return Err(SqlError::unsupported(
            "INSERT without a list of columns in MERGE is",
            "write INSERT (a, b) VALUES (…), or INSERT *",
        ));
    }
    parser.expect_token(&Token::LParen).map_err(syntax)?;
    let names = parser.parse_comma_separated(Parser::parse_identifier).map_err(syntax)?;
    parser.expect_token(&Token::RParen).map_err(syntax)?;
    parser.expect_keyword(Keyword::VALUES).map_err(syntax)?;
    parser.expect_token(&Token::LParen).map_err(syntax)?;
    let values = parser.parse_comma_separated(Parser::parse_expr).map_err(syntax)?;
    parser.expect_token(&Token::RParen).map_err(syntax)?;
    if names.len() != values.len() {
        return Err(SqlError::invalid(format!(
            "INSERT names {} columns and gives {} values",
            names.len(),
            values.len()
        )));
    }
    let mut columns: Vec<(String, Expr)> = Vec::with_capacity(names.len());
    for (name, value) in names.into_iter().zip(values) {
        if columns.iter().any(|(known, _)| *known == name.value) {
            return Err(SqlError::invalid(format!("column '{}' is named twice", name.value)));
        }
        columns.push((name.value, value));
    }
    Ok(Then::Insert(columns))
}

/// A WHEN without a condition takes all rows of its sort: none may stand behind it.
fn check_order(whens: &[When]) -> Result<(), SqlError> {
    if whens.is_empty() {
        return Err(SqlError::invalid("MERGE needs at least one WHEN"));
    }
    for (at, when) in whens.iter().enumerate() {
        let before = whens.iter().take(at);
        if before.clone().any(|b| b.sides == when.sides && b.condition.is_none()) {
            let sort = match when.sides {
                Sides::Both => "MATCHED",
                Sides::Source => "NOT MATCHED",
                Sides::Target => "NOT MATCHED BY SOURCE",
            };
            return Err(SqlError::invalid(format!(
                "a WHEN {sort} without AND takes all rows: only the last one may be without"
            )));
        }
    }
    Ok(())
}

/// The source joined with the table, with rows without a partner where a WHEN asks for them.
fn join(
    table: &Named,
    factor: TableFactor,
    source: &Ident,
    on: Expr,
    whens: &[When],
) -> Result<TableWithJoins, SqlError> {
    let asks = |sides| whens.iter().any(|when| when.sides == sides);
    let on = JoinConstraint::On(on);
    let join_operator = match (asks(Sides::Source), asks(Sides::Target)) {
        (false, false) => JoinOperator::Inner(on),
        (true, false) => JoinOperator::LeftOuter(on),
        (false, true) => JoinOperator::RightOuter(on),
        (true, true) => JoinOperator::FullOuter(on),
    };
    let mut marked = template()?;
    {
        let select = select_of(&mut marked)?;
        let present = Expr::Value(Value::Boolean(true).with_span(Span::empty()));
        select.projection = vec![
            SelectItem::Wildcard(WildcardAdditionalOptions::default()),
            item(present, PRESENT),
        ];
        select.from = vec![alone(factor)];
    }
    Ok(TableWithJoins {
        relation: derived(marked, source.clone()),
        joins: vec![Join { relation: target_factor(table)?, global: false, join_operator }],
    })
}

/// When each WHEN applies, not minding the ones before it.
fn conditions_of(whens: &[When], table: &Ident, source: &Ident) -> Vec<Expr> {
    let target = || column(table, ROW_NUMBER);
    let source = || column(source, PRESENT);
    let there = |expr: Expr| Expr::IsNotNull(Box::new(expr));
    let missing = |expr: Expr| Expr::IsNull(Box::new(expr));
    whens
        .iter()
        .map(|when| {
            let sides = match when.sides {
                Sides::Both => and(there(target()), there(source())),
                Sides::Source => and(missing(target()), there(source())),
                Sides::Target => and(there(target()), missing(source())),
            };
            match &when.condition {
                None => sides,
                // Not looked at for rows of another sort.
                Some(condition) => {
                    let no = Expr::Value(Value::Boolean(false).with_span(Span::empty()));
                    case(vec![(sides, Expr::Nested(Box::new(condition.clone())))], Some(no))
                }
            }
        })
        .collect()
}

/// The number of the first condition that holds, from 1; 0 if none does.
fn first_of(conditions: &[Expr]) -> Expr {
    let numbered = conditions.iter().zip(1..).map(|(expr, at)| (expr.clone(), number(at)));
    case(numbered.collect(), Some(number(0)))
}

/// Whether a value can be computed for any row.
const fn is_plain(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_))
}

fn case(conditions: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let conditions =
        conditions.into_iter().map(|(condition, result)| CaseWhen { condition, result });
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: conditions.collect(),
        else_result: otherwise.map(Box::new),
    }
}

fn and(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) }
}

fn equal(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Eq, right: Box::new(right) }
}
