//! `DELETE FROM t [AS x] [WHERE condition] [ORDER BY …] [LIMIT n]`.

use datafusion::sql::sqlparser::ast::{LimitClause, OrderBy, OrderByKind};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;

use super::statement::{
    Action, Change, Draft, alone, condition, end, named, number, parser, syntax, target_factor,
};
use crate::error::SqlError;
use crate::parse::Cursor;

/// What may stand behind the table.
const WORDS: [&str; 6] = ["WHERE", "ORDER", "LIMIT", "USING", "PARTITION", "RETURNING"];

/// The rest of a statement behind DELETE.
pub(crate) fn delete(cursor: &mut Cursor) -> Result<Change, SqlError> {
    cursor.need_keyword("DELETE")?;
    cursor.need_keyword("FROM")?;
    let table = named(cursor, &WORDS)?;
    if cursor.is_keyword("USING") {
        return Err(SqlError::unsupported(
            "DELETE … USING is",
            "write WHERE EXISTS (SELECT 1 FROM other WHERE …), or MERGE INTO",
        ));
    }
    let mut parser = parser(cursor)?;
    let mut draft = Draft::new(number(1));
    draft.from = vec![alone(target_factor(&table)?)];
    draft.selection = condition(&mut parser)?;
    let mut order = None;
    if parser.parse_keywords(&[Keyword::ORDER, Keyword::BY]) {
        let by = parser.parse_comma_separated(Parser::parse_order_by_expr).map_err(syntax)?;
        order = Some(OrderBy { kind: OrderByKind::Expressions(by), interpolate: None });
    }
    let mut limit = None;
    if parser.parse_keyword(Keyword::LIMIT) {
        limit = Some(parser.parse_expr().map_err(syntax)?);
    }
    end(&mut parser, "WHERE, ORDER BY, LIMIT or the end of the statement")?;
    if order.is_some() && limit.is_none() {
        return Err(SqlError::invalid("ORDER BY decides nothing in a DELETE without LIMIT"));
    }
    let query = draft.finish(cursor, &table, |query| {
        query.order_by = order;
        query.limit_clause = limit.map(|limit| LimitClause::LimitOffset {
            limit: Some(limit),
            offset: None,
            limit_by: Vec::new(),
        });
    })?;
    Ok(Change::new("DELETE", table, query, vec![Action::Delete]))
}
