//! ALTER and TRUNCATE, in Flink's and in Spark's words.

use datafusion::sql::sqlparser::tokenizer::Token;
use headwater::{DataType, Position};

use super::cursor::Cursor;
use super::table::{
    Column, Watermark, column_definition, options, property_key, tbl_properties, watermark,
};
use super::types::data_type;
use super::{Statement, closed_partition_spec};
use crate::error::SqlError;
use crate::hint::OptionList;

/// ALTER TABLE.
#[derive(Debug)]
pub(crate) struct Alter {
    pub(crate) name: Vec<String>,
    pub(crate) if_exists: bool,
    pub(crate) statement: AlterStatement,
}

/// What ALTER TABLE is about.
#[derive(Debug)]
pub(crate) enum AlterStatement {
    /// RENAME TO.
    RenameTable(Vec<String>),
    /// DROP PARTITION, one after the other.
    DropPartitions { partitions: Vec<Vec<(String, Option<String>)>>, if_exists: bool },
    /// Everything that makes a new schema.
    Change(Vec<AlterAction>),
}

/// One change of the definition. Column names are paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AlterAction {
    /// SET.
    Set(OptionList),
    /// RESET.
    Reset(Vec<String>),
    /// ADD.
    Add { path: Vec<String>, column: Column, position: Option<Position> },
    /// MODIFY, ALTER COLUMN.
    Change { path: Vec<String>, changes: Vec<ColumnChange> },
    /// RENAME.
    Rename { path: Vec<String>, to: String },
    /// DROP.
    Drop(Vec<String>),
    /// ADD or MODIFY WATERMARK; `None`: DROP.
    Watermark(Option<Watermark>),
}

/// A change of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ColumnChange {
    /// A new type with its nullability (Flink).
    Definition(DataType),
    /// A new type; the nullability stays (Spark).
    Type(DataType),
    /// Whether null is allowed.
    Nullable(bool),
    Comment(String),
    Position(Position),
    Default(Option<String>),
}

pub(super) fn truncate(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    cursor.need_keyword("TRUNCATE")?;
    cursor.need_keyword("TABLE")?;
    let name = cursor.dotted_name("a table's name")?;
    let partition =
        if cursor.keyword("PARTITION") { closed_partition_spec(cursor)? } else { Vec::new() };
    cursor.end()?;
    Ok(Statement::Truncate { name, partition })
}

pub(super) fn alter(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    cursor.need_keyword("ALTER")?;
    for (what, advice) in [
        ("DATABASE", "a file system catalog stores nothing but a database's name"),
        ("SCHEMA", "a file system catalog stores nothing but a database's name"),
        ("NAMESPACE", "a file system catalog stores nothing but a database's name"),
        ("VIEW", "CREATE OR REPLACE TEMPORARY VIEW makes it anew"),
        ("CATALOG", "drop it and create it anew"),
        ("FUNCTION", "none can be created"),
        ("MATERIALIZED", "none can be created"),
        ("MODEL", "none can be created"),
    ] {
        if cursor.is_keyword(what) {
            return Err(SqlError::unsupported(format!("ALTER {what} is"), advice));
        }
    }
    cursor.need_keyword("TABLE")?;
    let if_exists = cursor.keywords(&["IF", "EXISTS"]);
    let name = cursor.dotted_name("a table's name")?;
    let statement = action(cursor)?;
    cursor.end()?;
    Ok(Statement::Alter(Box::new(Alter { name, if_exists, statement })))
}

fn action(cursor: &mut Cursor) -> Result<AlterStatement, SqlError> {
    refuse(cursor)?;
    if cursor.keywords(&["SET", "TBLPROPERTIES"]) {
        return Ok(change(AlterAction::Set(tbl_properties(cursor)?)));
    }
    if cursor.keyword("SET") {
        return Ok(change(AlterAction::Set(options(cursor)?)));
    }
    if cursor.keyword("RESET") {
        return Ok(change(AlterAction::Reset(keys(cursor)?)));
    }
    if cursor.keywords(&["UNSET", "TBLPROPERTIES"]) {
        cursor.keywords(&["IF", "EXISTS"]);
        return Ok(change(AlterAction::Reset(keys(cursor)?)));
    }
    if cursor.keywords(&["RENAME", "TO"]) {
        return Ok(AlterStatement::RenameTable(cursor.dotted_name("a table's name")?));
    }
    if cursor.keyword("RENAME") {
        cursor.keyword("COLUMN");
        let path = cursor.dotted_name("a column's name")?;
        cursor.need_keyword("TO")?;
        let to = cursor.name("a column's name")?;
        return Ok(change(AlterAction::Rename { path, to }));
    }
    if cursor.keyword("ADD") {
        return add(cursor);
    }
    if cursor.keyword("MODIFY") {
        return modify(cursor);
    }
    if cursor.keyword("DROP") {
        return drop(cursor);
    }
    if cursor.keyword("ALTER") || cursor.keyword("CHANGE") {
        return alter_column(cursor);
    }
    Err(cursor.expected("SET, RESET, RENAME, ADD, MODIFY, DROP or ALTER COLUMN"))
}

fn change(action: AlterAction) -> AlterStatement {
    AlterStatement::Change(vec![action])
}

fn refuse(cursor: &Cursor) -> Result<(), SqlError> {
    let words = |words: &[&str]| words.iter().enumerate().all(|(n, w)| cursor.is_keyword_at(n, w));
    let refused: [(&[&str], &str); 17] = [
        (&["CREATE", "TAG"], "planned for a later release"),
        (&["CREATE", "OR"], "planned for a later release"),
        (&["REPLACE", "TAG"], "planned for a later release"),
        (&["DELETE", "TAG"], "planned for a later release"),
        (&["RENAME", "TAG"], "planned for a later release"),
        (&["COMPACT"], "planned for a later release"),
        (&["SET", "LOCATION"], "the catalog decides where a table lies"),
        (&["SET", "SERDE"], "tables are Paimon's"),
        (&["ADD", "PARTITION"], "partitions come with their rows"),
        (&["ADD", "IF"], "partitions come with their rows"),
        (&["ADD", "PRIMARY"], "a primary key is given when the table is made"),
        (&["ADD", "CONSTRAINT"], "a primary key is given when the table is made"),
        (&["ADD", "DISTRIBUTION"], "set the options 'bucket' and 'bucket-key'"),
        (&["MODIFY", "DISTRIBUTION"], "set the option 'bucket'"),
        (&["DROP", "PRIMARY"], "make a new table and insert the rows"),
        (&["DROP", "CONSTRAINT"], "make a new table and insert the rows"),
        (&["RECOVER", "PARTITIONS"], "partitions are known from the snapshot"),
    ];
    for (start, advice) in refused {
        // A column may be called `tag`.
        if words(start) && !cursor.is_keyword_at(start.len(), "TO") {
            return Err(SqlError::unsupported(
                format!("ALTER TABLE … {} is", start.join(" ")),
                advice,
            ));
        }
    }
    Ok(())
}

/// `('key', …)`, or without quotes as Spark allows it.
fn keys(cursor: &mut Cursor) -> Result<Vec<String>, SqlError> {
    cursor.need_symbol(&Token::LParen)?;
    let mut keys = vec![property_key(cursor)?];
    while cursor.symbol(&Token::Comma) {
        keys.push(property_key(cursor)?);
    }
    cursor.need_symbol(&Token::RParen)?;
    Ok(keys)
}

/// FIRST, AFTER column, or nothing.
fn position(cursor: &mut Cursor) -> Result<Option<Position>, SqlError> {
    if cursor.keyword("FIRST") {
        return Ok(Some(Position::First));
    }
    if cursor.keyword("AFTER") {
        return Ok(Some(Position::After(cursor.name("a column's name")?)));
    }
    Ok(None)
}

/// `item` or `(item, …)`.
fn one_or_more(
    cursor: &mut Cursor,
    mut item: impl FnMut(&mut Cursor) -> Result<AlterAction, SqlError>,
) -> Result<AlterStatement, SqlError> {
    if !cursor.symbol(&Token::LParen) {
        return Ok(change(item(cursor)?));
    }
    let mut actions = vec![item(cursor)?];
    while cursor.symbol(&Token::Comma) {
        actions.push(item(cursor)?);
    }
    cursor.need_symbol(&Token::RParen)?;
    Ok(AlterStatement::Change(actions))
}

fn add(cursor: &mut Cursor) -> Result<AlterStatement, SqlError> {
    cursor.spark_types = cursor.keyword("COLUMNS") || cursor.keyword("COLUMN");
    one_or_more(cursor, |cursor| {
        if cursor.is_keyword("WATERMARK") && cursor.is_keyword_at(1, "FOR") {
            return Ok(AlterAction::Watermark(Some(watermark(cursor)?)));
        }
        let path = cursor.dotted_name("a column's name")?;
        let name = path.last().cloned().unwrap_or_default();
        let column = column_definition(cursor, name)?;
        if column.default.is_some() {
            return Err(SqlError::unsupported(
                format!("ADD column '{}' with DEFAULT is", path.join(".")),
                "add it, then ALTER COLUMN … SET DEFAULT: rows that are there stay null",
            ));
        }
        let position = position(cursor)?;
        Ok(AlterAction::Add { path, column, position })
    })
}

/// Flink's MODIFY: a whole definition.
fn modify(cursor: &mut Cursor) -> Result<AlterStatement, SqlError> {
    one_or_more(cursor, |cursor| {
        if cursor.is_keyword("WATERMARK") && cursor.is_keyword_at(1, "FOR") {
            return Ok(AlterAction::Watermark(Some(watermark(cursor)?)));
        }
        let name = cursor.name("a column's name")?;
        let column = column_definition(cursor, name.clone())?;
        let mut changes = vec![ColumnChange::Definition(column.data_type)];
        if let Some(comment) = column.comment {
            changes.push(ColumnChange::Comment(comment));
        }
        if column.default.is_some() {
            changes.push(ColumnChange::Default(column.default));
        }
        if let Some(position) = position(cursor)? {
            changes.push(ColumnChange::Position(position));
        }
        Ok(AlterAction::Change { path: vec![name], changes })
    })
}

/// Spark's ALTER COLUMN: one thing at a time.
fn alter_column(cursor: &mut Cursor) -> Result<AlterStatement, SqlError> {
    cursor.spark_types = true;
    cursor.keyword("COLUMN");
    let path = cursor.dotted_name("a column's name")?;
    let what = if cursor.keyword("TYPE") {
        ColumnChange::Type(data_type(cursor)?)
    } else if cursor.keyword("COMMENT") {
        ColumnChange::Comment(cursor.string("a comment")?)
    } else if cursor.keywords(&["SET", "NOT", "NULL"]) {
        ColumnChange::Nullable(false)
    } else if cursor.keywords(&["DROP", "NOT", "NULL"]) {
        ColumnChange::Nullable(true)
    } else if cursor.keywords(&["SET", "DEFAULT"]) {
        ColumnChange::Default(cursor.literal("a default value")?)
    } else if cursor.keywords(&["DROP", "DEFAULT"]) {
        ColumnChange::Default(None)
    } else if let Some(position) = position(cursor)? {
        ColumnChange::Position(position)
    } else {
        return Err(cursor.expected("TYPE, COMMENT, FIRST, AFTER, SET or DROP"));
    };
    Ok(change(AlterAction::Change { path, changes: vec![what] }))
}

fn drop(cursor: &mut Cursor) -> Result<AlterStatement, SqlError> {
    if cursor.keyword("WATERMARK") {
        return Ok(change(AlterAction::Watermark(None)));
    }
    let if_exists = cursor.is_keyword("IF")
        && cursor.is_keyword_at(2, "PARTITION")
        && cursor.keywords(&["IF", "EXISTS"]);
    if cursor.is_keyword("PARTITION") && matches!(cursor.peek_second(), Some(Token::LParen)) {
        let mut partitions = Vec::new();
        loop {
            cursor.need_keyword("PARTITION")?;
            partitions.push(closed_partition_spec(cursor)?);
            if !cursor.symbol(&Token::Comma) {
                break;
            }
        }
        cursor.keyword("PURGE");
        return Ok(AlterStatement::DropPartitions { partitions, if_exists });
    }
    let _ = cursor.keyword("COLUMNS") || cursor.keyword("COLUMN");
    one_or_more(cursor, |cursor| Ok(AlterAction::Drop(cursor.dotted_name("a column's name")?)))
}
