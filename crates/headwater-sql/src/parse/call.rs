//! CALL: a procedure's name and its arguments, with Flink's and Spark's spelling.

use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::cursor::Cursor;
use crate::dialect::HeadwaterDialect;
use crate::error::SqlError;

/// A call as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Parts of the procedure's name.
    pub(crate) name: Vec<String>,
    /// The first ones without names, then those with names.
    pub(crate) arguments: Vec<CallArgument>,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallArgument {
    /// The name before `=>`.
    pub(crate) name: Option<String>,
    pub(crate) value: CallValue,
}

/// The value of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallValue {
    /// NULL or DEFAULT.
    Missing,
    Text(String),
    /// As it is written, with its sign.
    Number(String),
    Boolean(bool),
}

pub(super) fn call(cursor: &mut Cursor) -> Result<Call, SqlError> {
    cursor.need_keyword("CALL")?;
    let name = cursor.dotted_name("a procedure's name")?;
    cursor.need_symbol(&Token::LParen)?;
    let mut arguments: Vec<CallArgument> = Vec::new();
    if !cursor.symbol(&Token::RParen) {
        loop {
            let argument = argument(cursor)?;
            if argument.name.is_none() && arguments.iter().any(|known| known.name.is_some()) {
                return Err(
                    cursor.complain("an argument without a name stands behind one with a name")
                );
            }
            arguments.push(argument);
            if !cursor.symbol(&Token::Comma) {
                break;
            }
        }
        cursor.need_symbol(&Token::RParen)?;
    }
    cursor.end()?;
    Ok(Call { name, arguments })
}

fn argument(cursor: &mut Cursor) -> Result<CallArgument, SqlError> {
    let name = if cursor.peek_second() == Some(&Token::RArrow) {
        let name = cursor.name("the name of an argument")?;
        cursor.need_symbol(&Token::RArrow)?;
        Some(name)
    } else {
        None
    };
    Ok(CallArgument { name, value: value(cursor)? })
}

fn value(cursor: &mut Cursor) -> Result<CallValue, SqlError> {
    const WHAT: &str = "a text in single quotes, a number, TRUE, FALSE or NULL";
    if cursor.keyword("NULL") || cursor.keyword("DEFAULT") {
        return Ok(CallValue::Missing);
    }
    for (word, value) in [("TRUE", true), ("FALSE", false)] {
        if cursor.keyword(word) {
            return Ok(CallValue::Boolean(value));
        }
    }
    if let Ok(text) = cursor.string(WHAT) {
        return Ok(CallValue::Text(text));
    }
    let signed = cursor.symbol(&Token::Minus);
    match cursor.peek() {
        Some(Token::Number(digits, _)) => {
            let number = if signed { format!("-{digits}") } else { digits.clone() };
            cursor.take();
            Ok(CallValue::Number(number))
        }
        _ => Err(cursor.expected(WHAT)),
    }
}

/// The parts of a table's name in a text: `db.t`, or with backticks as in a statement. Without
/// quotes all between the dots is a name, as in Java's `Identifier#fromString`.
pub(crate) fn table_parts(text: &str) -> Result<Vec<String>, SqlError> {
    let wrong =
        || SqlError::invalid(format!("'{text}' is no table's name: write 'database.table'"));
    if !text.contains(['`', '"']) {
        let parts: Vec<String> = text.trim().split('.').map(str::to_owned).collect();
        return if parts.iter().any(String::is_empty) { Err(wrong()) } else { Ok(parts) };
    }
    let mut tokens = Vec::new();
    Tokenizer::new(&HeadwaterDialect, text)
        .tokenize_with_location_into_buf(&mut tokens)
        .map_err(|_| wrong())?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    let mut cursor = Cursor::new(tokens);
    let parts = cursor.dotted_name("a name").map_err(|_| wrong())?;
    if cursor.is_end() { Ok(parts) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::table_parts;

    #[test]
    fn tables_in_texts_are_cut_at_their_dots() {
        for (text, parts) in [
            ("t", vec!["t"]),
            ("db.my-table", vec!["db", "my-table"]),
            ("`my.db`.t", vec!["my.db", "t"]),
            ("c.db.t", vec!["c", "db", "t"]),
        ] {
            assert_eq!(table_parts(text).unwrap(), parts, "{text}");
        }
        for text in ["", "db.", ".t", "`db`.", "`db", "`a` b"] {
            assert!(
                table_parts(text).unwrap_err().to_string().contains("no table's name"),
                "{text}"
            );
        }
    }
}
