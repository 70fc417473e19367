//! What a statement asks of a file: `'orders.csv'` alone, or a function with options:
//! `read_csv('orders.txt', delim => ';', header => false)`.
//!
//! The planner looks tables up by name, so the request travels as one: the path and the options
//! behind it, divided by a character that no path holds.

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, UnaryOperator, Value,
    ValueWithSpan,
};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use headwater::DataType;

use crate::changelog::{Envelope, Records};
use crate::dialect::HeadwaterDialect;
use crate::error::SqlError;
use crate::parse::column_list;
use crate::rewrite::{FILE_CATALOG, FILE_SCHEMA};

/// Between the path and the options of a request, and between these.
const DIVIDER: char = '\u{1f}';

/// How the files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
    Parquet,
    /// Records of change data capture, one a line.
    Changes(Envelope),
}

/// A file, or several, and how to read it.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// By the file's name if `None`.
    pub(crate) format: Option<Format>,
    pub(crate) header: Option<bool>,
    pub(crate) delimiter: Option<u8>,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) comment: Option<u8>,
    /// The text that stands for null, besides the empty one.
    pub(crate) null: Option<String>,
    pub(crate) compression: Option<String>,
    /// Every column is a STRING.
    pub(crate) all_texts: bool,
    /// The column that says what became of each row.
    pub(crate) changelog: Option<String>,
    /// Names and types of the columns.
    pub(crate) columns: Option<Vec<(String, DataType)>>,
}

/// The options of each function, with the names that other systems use for them.
const OPTIONS: [(&str, &[&str]); 3] = [
    (
        "read_csv",
        &[
            "header",
            "delim",
            "quote",
            "escape",
            "comment",
            "nullstr",
            "compression",
            "all_varchar",
            "columns",
            "changelog",
        ],
    ),
    ("read_json", &["compression", "columns", "changelog", "format"]),
    ("read_parquet", &["changelog"]),
];

/// The table's name for a call of one of the functions; `None` for other functions.
pub(crate) fn function_table(
    name: &ObjectName,
    args: &[FunctionArg],
) -> Result<Option<ObjectName>, SqlError> {
    let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else { return Ok(None) };
    let called = ident.value.to_ascii_lowercase();
    let known = called.strip_suffix("_auto").unwrap_or(&called);
    let Some((function, options)) = OPTIONS.iter().find(|(function, _)| *function == known) else {
        return Ok(None);
    };
    let mut path = None;
    let mut given: Vec<(String, String)> = Vec::new();
    for arg in args {
        match arg {
            FunctionArg::Unnamed(value) if path.is_none() => {
                path = Some(constant(value).ok_or_else(|| {
                    SqlError::invalid(format!("{function} takes a path in single quotes first"))
                })?);
            }
            FunctionArg::Named { name, arg, .. } => {
                let key = match name.value.to_ascii_lowercase().as_str() {
                    "sep" | "delimiter" => "delim".to_owned(),
                    "null" | "nullstring" => "nullstr".to_owned(),
                    other => other.to_owned(),
                };
                if !options.contains(&key.as_str()) {
                    return Err(SqlError::invalid(format!(
                        "{function} has no option '{}'; it has: {}",
                        name.value,
                        if options.is_empty() { "none".to_owned() } else { options.join(", ") }
                    )));
                }
                let value = constant(arg).ok_or_else(|| {
                    SqlError::invalid(format!("option '{key}' of {function} takes a constant"))
                })?;
                if given.iter().any(|(other, _)| *other == key) {
                    return Err(SqlError::invalid(format!("option '{key}' is given twice")));
                }
                given.push((key, value));
            }
            _ => {
                return Err(SqlError::invalid(format!(
                    "{function} takes a path and options by name, such as {function}('file', …)"
                )));
            }
        }
    }
    let path = path.ok_or_else(|| SqlError::invalid(format!("{function} needs a path")))?;
    if path.contains(DIVIDER) || given.iter().any(|(_, value)| value.contains(DIVIDER)) {
        return Err(SqlError::invalid("the character U+001F is in a path or an option"));
    }
    let mut text = format!("{path}{DIVIDER}{function}");
    for (key, value) in given {
        text.push_str(&format!("{DIVIDER}{key}={value}"));
    }
    // What is wrong with the options is said here, and not by a missing table.
    Request::parse(&text)?;
    let parts = [FILE_CATALOG, FILE_SCHEMA, &text].map(|part| Ident::with_quote('"', part));
    Ok(Some(ObjectName::from(parts.to_vec())))
}

fn constant(value: &FunctionArgExpr) -> Option<String> {
    let FunctionArgExpr::Expr(expr) = value else { return None };
    match expr {
        Expr::Value(ValueWithSpan { value, .. }) => match value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => {
                Some(text.clone())
            }
            Value::Boolean(value) => Some(value.to_string()),
            Value::Number(text, _) => Some(text.clone()),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, .. } => None,
        _ => None,
    }
}

impl Request {
    /// The path in the name of a table.
    pub(super) fn path_of(name: &str) -> &str {
        name.split_once(DIVIDER).map_or(name, |(path, _)| path)
    }

    /// Reads the name of a table.
    pub(super) fn parse(name: &str) -> Result<Self, SqlError> {
        let mut parts = name.split(DIVIDER);
        let path = parts.next().unwrap_or_default().to_owned();
        let mut request = Self { path, ..Self::default() };
        request.format = match parts.next() {
            Some("read_csv") => Some(Format::Csv),
            Some("read_json") => Some(Format::Json),
            Some(_) => Some(Format::Parquet),
            None => None,
        };
        for option in parts {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            request.set(key, value)?;
        }
        request.check_changes()?;
        Ok(request)
    }

    /// Refuses records of changes without columns, or with a second place for the kinds.
    fn check_changes(&self) -> Result<(), SqlError> {
        if !matches!(self.format, Some(Format::Changes(_))) {
            return Ok(());
        }
        if self.changelog.is_some() {
            return Err(SqlError::invalid(
                "option 'changelog' names a column with kinds of rows, but the records of this \
                 format say them already",
            ));
        }
        match &self.columns {
            Some(columns) => Records::check_columns(columns),
            None => Err(SqlError::invalid(
                "a file of changes needs its columns: columns => 'id BIGINT, name STRING'",
            )),
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), SqlError> {
        match key {
            "header" => self.header = Some(boolean(key, value)?),
            "all_varchar" => self.all_texts = boolean(key, value)?,
            "delim" => self.delimiter = Some(character(key, value)?),
            "quote" => self.quote = Some(character(key, value)?),
            "escape" => self.escape = Some(character(key, value)?),
            "comment" => self.comment = Some(character(key, value)?),
            "nullstr" => self.null = Some(value.to_owned()),
            "changelog" => self.changelog = Some(value.to_owned()),
            "format" if value == "json" => {}
            "format" => match Envelope::named(value) {
                Some(envelope) => self.format = Some(Format::Changes(envelope)),
                None => {
                    return Err(SqlError::invalid(format!(
                        "option 'format' = '{value}': there are json, {}",
                        Envelope::NAMES.join(", ")
                    )));
                }
            },
            "compression" => self.compression = Some(compression(value)?),
            _ => {
                let mut tokens = Tokenizer::new(&HeadwaterDialect, value)
                    .tokenize_with_location()
                    .map_err(|e| SqlError::invalid(format!("option 'columns': {e}")))?;
                tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
                self.columns = Some(column_list(tokens)?);
            }
        }
        Ok(())
    }
}

fn boolean(key: &str, value: &str) -> Result<bool, SqlError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(SqlError::invalid(format!("option '{key}' = '{value}': use true or false"))),
    }
}

fn character(key: &str, value: &str) -> Result<u8, SqlError> {
    match value.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        _ if value == "\\t" => Ok(b'\t'),
        _ => Err(SqlError::invalid(format!("option '{key}' = '{value}': use one ASCII character"))),
    }
}

fn compression(value: &str) -> Result<String, SqlError> {
    let value = value.to_ascii_lowercase();
    match value.as_str() {
        "gzip" | "gz" => Ok("gzip".to_owned()),
        "zstd" | "zst" => Ok("zstd".to_owned()),
        "bzip2" | "bz2" => Ok("bzip2".to_owned()),
        "xz" | "none" => Ok(value),
        _ => Err(SqlError::invalid(format!(
            "option 'compression' = '{value}': there are gzip, zstd, bzip2, xz and none"
        ))),
    }
}
