//! Lists of columns outside of CREATE TABLE: `id BIGINT, name STRING`.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use headwater::DataType;

use super::cursor::Cursor;
use super::types::data_type;
use crate::error::SqlError;

/// Names and types, divided by commas.
pub(crate) fn column_list(tokens: Vec<TokenWithSpan>) -> Result<Vec<(String, DataType)>, SqlError> {
    let mut cursor = Cursor::new(tokens);
    let mut columns: Vec<(String, DataType)> = Vec::new();
    loop {
        let name = cursor.name("a column's name")?;
        if columns.iter().any(|(known, _)| *known == name) {
            return Err(SqlError::invalid(format!("there are two columns named '{name}'")));
        }
        columns.push((name, data_type(&mut cursor)?));
        if !cursor.symbol(&Token::Comma) {
            break;
        }
    }
    cursor.end()?;
    Ok(columns)
}
