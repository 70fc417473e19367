//! CREATE TABLE as Flink and Spark write it, for Paimon's tables. The library checks keys and
//! options.

use datafusion::sql::sqlparser::tokenizer::Token;
use headwater::{DataType, TypeKind};

use super::cursor::Cursor;
use super::types::data_type;
use super::{Query, query};
use crate::error::SqlError;
use crate::hint::OptionList;
use crate::names::quote;

/// A column of CREATE TABLE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    pub(crate) comment: Option<String>,
    pub(crate) default: Option<String>,
}

/// WATERMARK FOR column AS expression: kept for the stream readers of other engines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watermark {
    pub(crate) column: String,
    /// As it is stored: names in backticks.
    pub(crate) expression: String,
}

/// LIKE source (INCLUDING … EXCLUDING …).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Like {
    pub(crate) source: Vec<String>,
    pub(crate) constraints: bool,
    pub(crate) partitions: bool,
    pub(crate) options: bool,
    /// Options of the statement may replace those of the source.
    pub(crate) overwrite_options: bool,
}

/// CREATE TABLE; key columns are NOT NULL already.
#[derive(Debug)]
pub(crate) struct CreateTable {
    pub(crate) name: Vec<String>,
    pub(crate) if_not_exists: bool,
    pub(crate) temporary: bool,
    pub(crate) columns: Vec<Column>,
    /// Columns of AS SELECT in another order, by name.
    pub(crate) column_order: Vec<String>,
    pub(crate) primary_keys: Vec<String>,
    pub(crate) partition_keys: Vec<String>,
    pub(crate) comment: Option<String>,
    pub(crate) options: OptionList,
    pub(crate) watermark: Option<Watermark>,
    pub(crate) like: Option<Like>,
    /// AS SELECT.
    pub(crate) query: Option<Query>,
}

/// What follows CREATE TABLE.
pub(super) fn create_table(
    cursor: &mut Cursor,
    or_replace: bool,
    temporary: bool,
) -> Result<CreateTable, SqlError> {
    if or_replace {
        return Err(SqlError::unsupported(
            "CREATE OR REPLACE TABLE is",
            "a file system cannot replace a table at once: DROP TABLE IF EXISTS, then CREATE TABLE",
        ));
    }
    cursor.spark_types =
        cursor.has_keyword_ahead("USING") || cursor.has_keyword_ahead("TBLPROPERTIES");
    let if_not_exists = cursor.keywords(&["IF", "NOT", "EXISTS"]);
    let name = cursor.dotted_name("a table's name")?;
    let mut table = CreateTable {
        name,
        if_not_exists,
        temporary,
        columns: Vec::new(),
        column_order: Vec::new(),
        primary_keys: Vec::new(),
        partition_keys: Vec::new(),
        comment: None,
        options: Vec::new(),
        watermark: None,
        like: None,
        query: None,
    };
    if cursor.is_open_parenthesis() {
        columns(cursor, &mut table)?;
    }
    clauses(cursor, &mut table)?;
    if !table.column_order.is_empty() && table.query.is_none() {
        return Err(SqlError::invalid(format!(
            "column '{}' has no type: only CREATE TABLE … AS SELECT takes names alone",
            table.column_order.join("', '")
        )));
    }
    if table.columns.is_empty() && table.query.is_none() && table.like.is_none() {
        return Err(cursor.expected("the columns of the table in parentheses, AS or LIKE"));
    }
    if table.query.is_some() && table.like.is_some() {
        return Err(SqlError::invalid("a table is made LIKE another or AS SELECT, not both"));
    }
    check_watermark(&table)?;
    key_columns_are_not_null(&mut table);
    Ok(table)
}

fn columns(cursor: &mut Cursor, table: &mut CreateTable) -> Result<(), SqlError> {
    cursor.need_symbol(&Token::LParen)?;
    // Paimon's documentation has commas before the closing parenthesis.
    while !(cursor.peek() == Some(&Token::RParen) && has_any(table)) {
        if cursor.is_keyword("WATERMARK") && cursor.is_keyword_at(1, "FOR") {
            if table.watermark.is_some() {
                return Err(cursor.complain("the table has two watermarks"));
            }
            table.watermark = Some(watermark(cursor)?);
        } else if cursor.is_keyword("UNIQUE") && matches!(cursor.peek_second(), Some(Token::LParen))
        {
            return Err(SqlError::unsupported(
                "UNIQUE is",
                "only PRIMARY KEY is enforced on write",
            ));
        } else {
            constraint_or_column(cursor, table)?;
        }
        if !cursor.symbol(&Token::Comma) {
            break;
        }
    }
    cursor.need_symbol(&Token::RParen)
}

fn has_any(table: &CreateTable) -> bool {
    !table.columns.is_empty() || !table.column_order.is_empty() || !table.primary_keys.is_empty()
}

fn constraint_or_column(cursor: &mut Cursor, table: &mut CreateTable) -> Result<(), SqlError> {
    if cursor.is_keyword("CONSTRAINT") && cursor.is_keyword_at(2, "PRIMARY") {
        cursor.need_keyword("CONSTRAINT")?;
        cursor.name("a constraint's name")?;
    }
    if cursor.keywords(&["PRIMARY", "KEY"]) {
        if !table.primary_keys.is_empty() {
            return Err(cursor.complain("the table has two primary keys"));
        }
        let keys = cursor.names("a key column")?;
        not_enforced(cursor)?;
        table.primary_keys = keys;
        return Ok(());
    }
    column(cursor, table)
}

fn not_enforced(cursor: &mut Cursor) -> Result<(), SqlError> {
    if cursor.keywords(&["NOT", "ENFORCED"]) {
        return Ok(());
    }
    Err(cursor.complain(
        "PRIMARY KEY needs NOT ENFORCED behind it: rows with a known key replace the older row, \
         they are not refused",
    ))
}

fn column(cursor: &mut Cursor, table: &mut CreateTable) -> Result<(), SqlError> {
    let name = cursor.name("a column's name")?;
    if table.columns.iter().any(|c| c.name == name) || table.column_order.contains(&name) {
        return Err(cursor.complain(format!("the table has two columns named '{name}'")));
    }
    if matches!(cursor.peek(), Some(Token::Comma | Token::RParen)) {
        table.column_order.push(name);
        return Ok(());
    }
    let mut column = definition(cursor, name)?;
    loop {
        if cursor.keywords(&["PRIMARY", "KEY"]) {
            if !table.primary_keys.is_empty() {
                return Err(cursor.complain("the table has two primary keys"));
            }
            not_enforced(cursor)?;
            table.primary_keys.push(column.name.clone());
        } else if !attribute(cursor, &mut column)? {
            break;
        }
    }
    table.columns.push(column);
    Ok(())
}

/// A column with everything behind its name but keys and positions.
pub(super) fn column_definition(cursor: &mut Cursor, name: String) -> Result<Column, SqlError> {
    let mut column = definition(cursor, name)?;
    while attribute(cursor, &mut column)? {}
    Ok(column)
}

fn definition(cursor: &mut Cursor, name: String) -> Result<Column, SqlError> {
    if cursor.is_keyword("AS") || cursor.is_keyword("GENERATED") {
        return Err(SqlError::unsupported(
            format!("computed column '{name}' is"),
            "compute it in the query",
        ));
    }
    Ok(Column { name, data_type: data_type(cursor)?, comment: None, default: None })
}

/// Takes one of COMMENT, DEFAULT, NOT NULL; false if none is next.
fn attribute(cursor: &mut Cursor, column: &mut Column) -> Result<bool, SqlError> {
    if cursor.is_keyword("METADATA") {
        return Err(SqlError::unsupported(
            format!("METADATA column '{}' is", column.name),
            "leave it out: a table has no metadata beside its rows",
        ));
    } else if column.comment.is_none() && cursor.keyword("COMMENT") {
        column.comment = Some(cursor.string("a comment")?);
    } else if column.default.is_none() && cursor.keyword("DEFAULT") {
        column.default = cursor.literal("a default value")?;
    } else if cursor.keywords(&["NOT", "NULL"]) {
        column.data_type.nullable = false;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// `WATERMARK FOR column AS expression`, up to the next comma or the closing parenthesis.
pub(super) fn watermark(cursor: &mut Cursor) -> Result<Watermark, SqlError> {
    cursor.need_keyword("WATERMARK")?;
    cursor.need_keyword("FOR")?;
    let column = cursor.name("a column's name")?;
    cursor.need_keyword("AS")?;
    let mut depth = 0_usize;
    let mut words: Vec<String> = Vec::new();
    loop {
        match cursor.peek() {
            None | Some(Token::EOF) => break,
            Some(Token::Comma | Token::RParen) if depth == 0 => break,
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth -= 1,
            _ => {}
        }
        let Some((token, _)) = cursor.take() else { break };
        words.push(match token {
            Token::Word(word) if word.value == column || word.quote_style.is_some() => {
                quote(&word.value)
            }
            other => other.to_string(),
        });
    }
    if words.is_empty() {
        return Err(cursor.expected("the watermark's expression"));
    }
    Ok(Watermark { column, expression: words.join(" ") })
}

fn check_watermark(table: &CreateTable) -> Result<(), SqlError> {
    let Some(watermark) = &table.watermark else { return Ok(()) };
    let column = table.columns.iter().find(|c| c.name == watermark.column);
    match column.map(|c| &c.data_type.kind) {
        Some(TypeKind::Timestamp(0..=3) | TypeKind::TimestampLtz(0..=3)) => Ok(()),
        Some(other) => Err(SqlError::invalid(format!(
            "WATERMARK FOR {}: the column must be TIMESTAMP or TIMESTAMP_LTZ of at most 3 digits, \
             not {other}",
            watermark.column
        ))),
        None => Err(SqlError::invalid(format!(
            "WATERMARK FOR {}: there is no such column",
            watermark.column
        ))),
    }
}

fn clauses(cursor: &mut Cursor, table: &mut CreateTable) -> Result<(), SqlError> {
    loop {
        if table.comment.is_none() && cursor.keyword("COMMENT") {
            table.comment = Some(cursor.string("a comment")?);
        } else if table.partition_keys.is_empty() && cursor.keywords(&["PARTITIONED", "BY"]) {
            table.partition_keys = partition_columns(cursor, table)?;
        } else if table.options.is_empty() && cursor.keyword("WITH") {
            table.options = options(cursor)?;
        } else if cursor.keyword("TBLPROPERTIES") {
            properties(cursor, table)?;
        } else if cursor.keyword("USING") {
            let format = cursor.name("a format")?;
            if !format.eq_ignore_ascii_case("paimon") {
                return Err(SqlError::unsupported(
                    format!("USING {format} is"),
                    "tables of a catalog are Paimon's: USING paimon",
                ));
            }
        } else if cursor.is_keyword("LOCATION") {
            return Err(SqlError::unsupported(
                "LOCATION is",
                "the catalog decides where a table lies",
            ));
        } else if cursor.is_keyword("DISTRIBUTED") || cursor.is_keyword("CLUSTERED") {
            return Err(SqlError::unsupported(
                "DISTRIBUTED BY is",
                "set the options 'bucket' and 'bucket-key'",
            ));
        } else if table.like.is_none() && cursor.keyword("LIKE") {
            table.like = Some(like(cursor)?);
        } else if cursor.keyword("AS") {
            table.query = Some(query(cursor)?);
            return Ok(());
        } else {
            return cursor.end();
        }
    }
}

/// `PARTITIONED BY (a, b)`; Spark may give types, which makes them columns.
fn partition_columns(
    cursor: &mut Cursor,
    table: &mut CreateTable,
) -> Result<Vec<String>, SqlError> {
    cursor.need_symbol(&Token::LParen)?;
    let mut keys = Vec::new();
    loop {
        let name = cursor.name("a partition column")?;
        match cursor.peek() {
            Some(Token::LParen) => {
                return Err(SqlError::unsupported(
                    format!("PARTITIONED BY {name}(…) is"),
                    "partitions are columns: compute the column in the query",
                ));
            }
            Some(Token::Comma | Token::RParen) => {}
            _ => {
                let column = column_definition(cursor, name.clone())?;
                if table.columns.iter().any(|c| c.name == column.name) {
                    let message = format!("the table has two columns named '{}'", column.name);
                    return Err(cursor.complain(message));
                }
                table.columns.push(column);
            }
        }
        keys.push(name);
        if !cursor.symbol(&Token::Comma) {
            break;
        }
    }
    cursor.need_symbol(&Token::RParen)?;
    Ok(keys)
}

/// `TBLPROPERTIES (key = value, …)`; `comment` is the table's.
fn properties(cursor: &mut Cursor, table: &mut CreateTable) -> Result<(), SqlError> {
    for (key, value) in tbl_properties(cursor)? {
        if key == "comment" && table.comment.is_none() {
            table.comment = Some(value);
        } else {
            table.options.push((key, value));
        }
    }
    Ok(())
}

/// Spark's properties: keys and values in quotes or not.
pub(super) fn tbl_properties(cursor: &mut Cursor) -> Result<OptionList, SqlError> {
    cursor.need_symbol(&Token::LParen)?;
    let mut found: OptionList = Vec::new();
    loop {
        let key = property_key(cursor)?;
        if found.iter().any(|(known, _)| *known == key) {
            return Err(cursor.complain(format!("property '{key}' is given twice")));
        }
        cursor.symbol(&Token::Eq);
        let Some(value) = cursor.literal("the property's value")? else {
            return Err(cursor.complain(format!("property '{key}' cannot be NULL")));
        };
        found.push((key, value));
        if !cursor.symbol(&Token::Comma) || cursor.peek() == Some(&Token::RParen) {
            break;
        }
    }
    cursor.need_symbol(&Token::RParen)?;
    Ok(found)
}

/// A key in quotes, or words with dots and dashes between them.
pub(super) fn property_key(cursor: &mut Cursor) -> Result<String, SqlError> {
    if let Ok(key) = cursor.string("a property's key") {
        return Ok(key);
    }
    let mut key = cursor.name("a property's key")?;
    loop {
        let dash = cursor.symbol(&Token::Minus);
        if !dash && !cursor.symbol(&Token::Period) {
            return Ok(key);
        }
        key.push(if dash { '-' } else { '.' });
        key.push_str(&cursor.name("the rest of the key")?);
    }
}

/// `('key' = 'value', …)`.
pub(crate) fn options(cursor: &mut Cursor) -> Result<OptionList, SqlError> {
    cursor.need_symbol(&Token::LParen)?;
    let mut options: OptionList = Vec::new();
    // Paimon's documentation has commas before the closing parenthesis.
    while cursor.peek() != Some(&Token::RParen) {
        let key = cursor.string("an option's key in single quotes")?;
        if options.iter().any(|(known, _)| *known == key) {
            return Err(cursor.complain(format!("option '{key}' is given twice")));
        }
        cursor.need_symbol(&Token::Eq)?;
        let value = cursor.string("the option's value in single quotes")?;
        options.push((key, value));
        if !cursor.symbol(&Token::Comma) {
            break;
        }
    }
    cursor.need_symbol(&Token::RParen)?;
    Ok(options)
}

fn like(cursor: &mut Cursor) -> Result<Like, SqlError> {
    let source = cursor.dotted_name("a table's name")?;
    let mut like = Like {
        source,
        constraints: true,
        partitions: true,
        options: true,
        overwrite_options: true,
    };
    if !cursor.symbol(&Token::LParen) {
        return Ok(like);
    }
    while !cursor.symbol(&Token::RParen) {
        let (include, overwrite) = if cursor.keyword("INCLUDING") {
            (true, false)
        } else if cursor.keyword("OVERWRITING") {
            (true, true)
        } else if cursor.keyword("EXCLUDING") {
            (false, false)
        } else {
            return Err(cursor.expected("INCLUDING, EXCLUDING or OVERWRITING"));
        };
        if cursor.keyword("ALL") {
            (like.constraints, like.partitions, like.options) = (include, include, include);
        } else if cursor.keyword("CONSTRAINTS") {
            like.constraints = include;
        } else if cursor.keyword("PARTITIONS") {
            like.partitions = include;
        } else if cursor.keyword("OPTIONS") {
            (like.options, like.overwrite_options) = (include, overwrite || !include);
        } else if !["GENERATED", "WATERMARKS", "METADATA", "DISTRIBUTION"]
            .iter()
            .any(|word| cursor.keyword(word))
        {
            return Err(cursor.expected(
                "ALL, CONSTRAINTS, PARTITIONS, OPTIONS, GENERATED, WATERMARKS or METADATA",
            ));
        }
    }
    Ok(like)
}

fn key_columns_are_not_null(table: &mut CreateTable) {
    for column in &mut table.columns {
        if table.primary_keys.contains(&column.name) {
            column.data_type.nullable = false;
        }
    }
}
