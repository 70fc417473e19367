//! INSERT INTO and INSERT OVERWRITE.

use datafusion::sql::parser::Statement as QueryStatement;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::query_statement;
use crate::error::SqlError;

/// `INSERT INTO|OVERWRITE t [PARTITION (p = 'x', …)] [(columns)] query`.
#[derive(Debug)]
pub(crate) struct Insert {
    pub(crate) table: Vec<String>,
    pub(crate) overwrite: bool,
    /// Partition columns with one value for all rows; `None` is null.
    pub(crate) partition: Vec<(String, Option<String>)>,
    /// The columns that the query gives, in its order; empty: all (without those of `partition`).
    pub(crate) columns: Vec<String>,
    pub(crate) query: Box<QueryStatement>,
}

pub(super) fn insert(cursor: &mut Cursor) -> Result<Insert, SqlError> {
    cursor.need_keyword("INSERT")?;
    let overwrite = cursor.keyword("OVERWRITE");
    if !overwrite && !cursor.keyword("INTO") {
        return Err(cursor.expected("INTO or OVERWRITE"));
    }
    cursor.keyword("TABLE");
    let table = cursor.dotted_name("a table's name")?;
    let mut partition = Vec::new();
    let mut columns = Vec::new();
    loop {
        if partition.is_empty() && cursor.keyword("PARTITION") {
            partition = partition_values(cursor)?;
        } else if columns.is_empty() && is_column_list(cursor) {
            columns = cursor.names("a column's name")?;
        } else {
            break;
        }
    }
    for word in ["SELECT", "WITH", "VALUES", "FROM", "TABLE"] {
        if cursor.is_keyword(word) || cursor.peek() == Some(&Token::LParen) {
            let query = Box::new(query_statement(cursor.rest())?);
            return Ok(Insert { table, overwrite, partition, columns, query });
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

fn partition_values(cursor: &mut Cursor) -> Result<Vec<(String, Option<String>)>, SqlError> {
    cursor.need_symbol(&Token::LParen)?;
    let mut values: Vec<(String, Option<String>)> = Vec::new();
    loop {
        let name = cursor.name("a partition column")?;
        if values.iter().any(|(known, _)| *known == name) {
            return Err(cursor.complain(format!("partition column '{name}' is given twice")));
        }
        cursor.need_symbol(&Token::Eq)?;
        values.push((name, cursor.literal("a value")?));
        if !cursor.symbol(&Token::Comma) {
            break;
        }
    }
    cursor.need_symbol(&Token::RParen)?;
    Ok(values)
}
