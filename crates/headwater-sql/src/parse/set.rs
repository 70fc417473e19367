//! SET and RESET: keys and values in quotes, as Flink writes them, or without, as Spark does.

use datafusion::sql::sqlparser::tokenizer::{Span, Token};

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::settings::TIME_ZONE;

/// A statement about the session's settings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SetStatement {
    /// SET: all of them.
    List,
    /// SET key: the value of one.
    Get(String),
    /// SET key = value.
    Set(String, String),
    /// RESET, RESET key: as the session began.
    Reset(Option<String>),
}

pub(super) fn set(cursor: &mut Cursor) -> Result<SetStatement, SqlError> {
    cursor.need_keyword("SET")?;
    if cursor.is_end() {
        return Ok(SetStatement::List);
    }
    if cursor.keywords(&["TIME", "ZONE"]) {
        let zone = match cursor.string("a time zone in single quotes") {
            Ok(zone) => zone,
            Err(_) if cursor.keyword("LOCAL") => "UTC".to_owned(),
            Err(error) => return Err(error),
        };
        cursor.end()?;
        return Ok(SetStatement::Set(TIME_ZONE.to_owned(), zone));
    }
    let key = text(cursor, true)?;
    if key.is_empty() {
        return Err(cursor.expected("the name of a setting"));
    }
    if cursor.is_end() {
        return Ok(SetStatement::Get(key));
    }
    cursor.need_symbol(&Token::Eq)?;
    let value = text(cursor, false)?;
    cursor.end()?;
    Ok(SetStatement::Set(key, value))
}

pub(super) fn reset(cursor: &mut Cursor) -> Result<SetStatement, SqlError> {
    cursor.need_keyword("RESET")?;
    if cursor.is_end() {
        return Ok(SetStatement::Reset(None));
    }
    let key = text(cursor, true)?;
    cursor.end()?;
    Ok(SetStatement::Reset(Some(key)))
}

/// A text in quotes, or all tokens as they are written, up to `=` if it is a key.
fn text(cursor: &mut Cursor, key: bool) -> Result<String, SqlError> {
    if let Ok(text) = cursor.string("a text") {
        return Ok(text);
    }
    let mut written = String::new();
    let mut last: Option<Span> = None;
    while !(cursor.is_end() || key && cursor.peek() == Some(&Token::Eq)) {
        let Some((token, span)) = cursor.take() else { break };
        if last.is_some_and(|last| last.end != span.start) {
            if key {
                return Err(cursor.expected("'='"));
            }
            written.push(' ');
        }
        match token {
            Token::Word(word) => written.push_str(&word.value),
            Token::SingleQuotedString(text) => written.push_str(&text),
            other => written.push_str(&other.to_string()),
        }
        last = Some(span);
    }
    Ok(written)
}
