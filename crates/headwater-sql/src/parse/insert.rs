//! INSERT INTO and INSERT OVERWRITE.

use datafusion::sql::parser::Statement as QueryStatement;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::{PartitionSpec, partition_spec, query_statement};
use crate::error::SqlError;
use crate::hint::OptionList;

/// `INSERT INTO|OVERWRITE t [/*+ OPTIONS(…) */] [PARTITION (p = 'x', …)] [(columns)] query`.
#[derive(Debug)]
pub(crate) struct Insert {
    pub(crate) table: Vec<String>,
    /// Options of the hint behind the table.
    pub(crate) hint: OptionList,
    pub(crate) overwrite: bool,
    /// Partition columns with one value for all rows; `None` is null.
    pub(crate) partition: Vec<(String, Option<String>)>,
    /// Partition columns that are named without a value: the query gives it.
    pub(crate) open_partition: Vec<String>,
    /// The columns that the query gives, in its order; empty: all (without those of `partition`).
    pub(crate) columns: Vec<String>,
    pub(crate) query: Box<QueryStatement>,
}

pub(super) fn insert(cursor: &mut Cursor) -> Result<Insert, SqlError> {
    cursor.need_keyword("INSERT")?;
    let overwrite = cursor.keyword("OVERWRITE");
    if overwrite && cursor.is_keyword("DIRECTORY") {
        return Err(SqlError::unsupported(
            "INSERT OVERWRITE DIRECTORY is",
            "use COPY query TO 'file'",
        ));
    }
    if !overwrite && !cursor.keyword("INTO") {
        return Err(cursor.expected("INTO or OVERWRITE"));
    }
    cursor.keyword("TABLE");
    let table = cursor.dotted_name("a table's name")?;
    let hint = cursor.options_hint();
    let mut given: PartitionSpec = Vec::new();
    let mut columns = Vec::new();
    loop {
        if given.is_empty() && cursor.keyword("PARTITION") {
            given = partition_spec(cursor, true)?;
        } else if columns.is_empty() && is_column_list(cursor) {
            columns = cursor.names("a column's name")?;
        } else {
            break;
        }
    }
    if cursor.is_keyword("BY") && cursor.is_keyword_at(1, "NAME") {
        return Err(SqlError::unsupported(
            "INSERT … BY NAME is",
            "list the columns: INSERT INTO t (a, b)",
        ));
    }
    let mut partition = Vec::new();
    let mut open_partition = Vec::new();
    for (name, value) in given {
        match value {
            Some(value) => partition.push((name, value)),
            None => open_partition.push(name),
        }
    }
    for word in ["SELECT", "WITH", "VALUES", "FROM", "TABLE"] {
        if cursor.is_keyword(word) || cursor.peek() == Some(&Token::LParen) {
            let query = Box::new(query_statement(cursor)?);
            return Ok(Insert {
                table,
                hint,
                overwrite,
                partition,
                open_partition,
                columns,
                query,
            });
        }
    }
    Err(cursor.expected("SELECT or VALUES"))
}

/// Whether a parenthesis opens a list of columns and not the query.
fn is_column_list(cursor: &Cursor) -> bool {
    cursor.peek() == Some(&Token::LParen)
        && matches!(cursor.peek_second(), Some(Token::Word(_)))
        && !["SELECT", "WITH", "VALUES", "FROM"].iter().any(|word| cursor.is_keyword_at(1, word))
}
