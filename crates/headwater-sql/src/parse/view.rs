//! CREATE VIEW.

use super::cursor::Cursor;
use super::{Query, query};
use crate::error::SqlError;

/// CREATE \[OR REPLACE\] TEMPORARY VIEW; those without TEMPORARY are refused when they are run.
#[derive(Debug)]
pub(crate) struct CreateView {
    pub(crate) name: Vec<String>,
    pub(crate) or_replace: bool,
    pub(crate) temporary: bool,
    pub(crate) if_not_exists: bool,
    /// Names of the columns; empty: the query's.
    pub(crate) columns: Vec<String>,
    pub(crate) comment: Option<String>,
    pub(crate) query: Query,
}

/// What follows CREATE VIEW.
pub(super) fn create_view(
    cursor: &mut Cursor,
    or_replace: bool,
    temporary: bool,
) -> Result<CreateView, SqlError> {
    let if_not_exists = cursor.keywords(&["IF", "NOT", "EXISTS"]);
    let name = cursor.dotted_name("a view's name")?;
    let columns =
        if cursor.is_open_parenthesis() { cursor.names("a column's name")? } else { Vec::new() };
    let comment = if cursor.keyword("COMMENT") { Some(cursor.string("a comment")?) } else { None };
    cursor.need_keyword("AS")?;
    let query = query(cursor)?;
    Ok(CreateView { name, or_replace, temporary, if_not_exists, columns, comment, query })
}
