//! CREATE TABLE as Flink writes it, for Paimon's tables. The library checks keys and options.

use datafusion::sql::sqlparser::tokenizer::Token;
use headwater::DataType;

use super::cursor::Cursor;
use super::types::data_type;
use crate::error::SqlError;

/// A column of CREATE TABLE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    pub(crate) comment: Option<String>,
    pub(crate) default: Option<String>,
}

/// CREATE TABLE; key columns are NOT NULL already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateTable {
    pub(crate) name: Vec<String>,
    pub(crate) if_not_exists: bool,
    pub(crate) columns: Vec<Column>,
    pub(crate) primary_keys: Vec<String>,
    pub(crate) partition_keys: Vec<String>,
    pub(crate) comment: Option<String>,
    pub(crate) options: Vec<(String, String)>,
}

/// What follows CREATE TABLE.
pub(crate) fn create_table(cursor: &mut Cursor) -> Result<CreateTable, SqlError> {
    let if_not_exists = cursor.keywords(&["IF", "NOT", "EXISTS"]);
    let name = cursor.dotted_name("a table's name")?;
    if cursor.is_keyword("LIKE") {
        return Err(SqlError::unsupported("CREATE TABLE … LIKE is", "write the columns out"));
    }
    refuse_as_select(cursor)?;
    let mut table = CreateTable {
        name,
        if_not_exists,
        columns: Vec::new(),
        primary_keys: Vec::new(),
        partition_keys: Vec::new(),
        comment: None,
        options: Vec::new(),
    };
    columns(cursor, &mut table)?;
    clauses(cursor, &mut table)?;
    key_columns_are_not_null(&mut table);
    Ok(table)
}

fn refuse_as_select(cursor: &Cursor) -> Result<(), SqlError> {
    if cursor.is_keyword("AS") {
        return Err(SqlError::unsupported(
            "CREATE TABLE … AS is",
            "create the table with its columns, then INSERT INTO it",
        ));
    }
    Ok(())
}

fn columns(cursor: &mut Cursor, table: &mut CreateTable) -> Result<(), SqlError> {
    cursor.need_symbol(&Token::LParen)?;
    loop {
        if cursor.is_keyword("WATERMARK") && cursor.is_keyword_at(1, "FOR") {
            return Err(SqlError::unsupported(
                "WATERMARK is",
                "a table stores rows without watermarks; leave the clause out",
            ));
        }
        if cursor.is_keyword("UNIQUE") && matches!(cursor.peek_second(), Some(Token::LParen)) {
            return Err(SqlError::unsupported(
                "UNIQUE is",
                "only PRIMARY KEY is enforced on write",
            ));
        }
        let named = cursor.is_keyword("CONSTRAINT") && cursor.is_keyword_at(2, "PRIMARY");
        if named {
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
        } else {
            column(cursor, table)?;
        }
        if !cursor.symbol(&Token::Comma) {
            break;
        }
    }
    cursor.need_symbol(&Token::RParen)
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
    if table.columns.iter().any(|c| c.name == name) {
        return Err(cursor.complain(format!("the table has two columns named '{name}'")));
    }
    if cursor.is_keyword("AS") {
        return Err(SqlError::unsupported(
            format!("computed column '{name}' is"),
            "compute it in the query",
        ));
    }
    let mut column = Column { name, data_type: data_type(cursor)?, comment: None, default: None };
    loop {
        if cursor.is_keyword("METADATA") {
            return Err(SqlError::unsupported(
                format!("METADATA column '{}' is", column.name),
                "leave it out",
            ));
        } else if cursor.keywords(&["PRIMARY", "KEY"]) {
            if !table.primary_keys.is_empty() {
                return Err(cursor.complain("the table has two primary keys"));
            }
            not_enforced(cursor)?;
            table.primary_keys.push(column.name.clone());
        } else if column.comment.is_none() && cursor.keyword("COMMENT") {
            column.comment = Some(cursor.string("a comment")?);
        } else if column.default.is_none() && cursor.keyword("DEFAULT") {
            column.default = cursor.literal("a default value")?;
        } else if cursor.keywords(&["NOT", "NULL"]) {
            column.data_type.nullable = false;
        } else {
            break;
        }
    }
    table.columns.push(column);
    Ok(())
}

fn clauses(cursor: &mut Cursor, table: &mut CreateTable) -> Result<(), SqlError> {
    loop {
        if table.comment.is_none() && cursor.keyword("COMMENT") {
            table.comment = Some(cursor.string("a comment")?);
        } else if table.partition_keys.is_empty() && cursor.keywords(&["PARTITIONED", "BY"]) {
            table.partition_keys = cursor.names("a partition column")?;
        } else if table.options.is_empty() && cursor.keyword("WITH") {
            table.options = options(cursor)?;
        } else if cursor.is_keyword("DISTRIBUTED") {
            return Err(SqlError::unsupported(
                "DISTRIBUTED BY is",
                "set the options 'bucket' and 'bucket-key'",
            ));
        } else if cursor.is_keyword("LIKE") {
            return Err(SqlError::unsupported("LIKE is", "write the columns and options out"));
        } else {
            refuse_as_select(cursor)?;
            return cursor.end();
        }
    }
}

/// `('key' = 'value', …)`.
pub(crate) fn options(cursor: &mut Cursor) -> Result<Vec<(String, String)>, SqlError> {
    cursor.need_symbol(&Token::LParen)?;
    let mut options: Vec<(String, String)> = Vec::new();
    loop {
        if options.is_empty() && cursor.symbol(&Token::RParen) {
            return Ok(options);
        }
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

fn key_columns_are_not_null(table: &mut CreateTable) {
    for column in &mut table.columns {
        if table.primary_keys.contains(&column.name) {
            column.data_type.nullable = false;
        }
    }
}
