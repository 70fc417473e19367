//! `UPDATE t [AS x] SET column = value, … [FROM …] [WHERE condition]`.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;

use super::statement::{
    Action, Change, Draft, alone, assignments, condition, end, named, number, parser, syntax,
    target_factor,
};
use crate::error::SqlError;
use crate::parse::Cursor;

/// The rest of a statement behind UPDATE.
pub(crate) fn update(cursor: &mut Cursor) -> Result<Change, SqlError> {
    cursor.need_keyword("UPDATE")?;
    let table = named(cursor, &["SET"])?;
    cursor.need_keyword("SET")?;
    let mut parser = parser(cursor)?;
    let columns = assignments(&mut parser, &table)?;
    let mut draft = Draft::new(number(1));
    draft.from = vec![alone(target_factor(&table)?)];
    let joins = parser.parse_keyword(Keyword::FROM);
    if joins {
        let others = parser.parse_comma_separated(Parser::parse_table_and_joins).map_err(syntax)?;
        draft.from.extend(others);
    }
    draft.selection = condition(&mut parser)?;
    end(&mut parser, "FROM, WHERE or the end of the statement")?;
    let columns = draft.columns(columns);
    let query = draft.finish(cursor, &table, |_| {})?;
    let change = Change::new("UPDATE", table, query, vec![Action::Update(columns)]);
    Ok(Change { joins, ..change })
}
