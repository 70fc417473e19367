//! CREATE, DROP and USE of everything: which statement it is, and the short ones.

use super::Statement;
use super::cursor::Cursor;
use super::table::{self, options};
use super::view;
use crate::error::SqlError;
use crate::hint::OptionList;

/// A statement about catalogs.
#[derive(Debug)]
pub(crate) enum CatalogStatement {
    /// CREATE CATALOG.
    Create { name: String, if_not_exists: bool, options: OptionList },
    /// DROP CATALOG.
    Drop { name: String, if_exists: bool },
    /// USE CATALOG.
    Use { name: String },
}

pub(super) fn create(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    cursor.need_keyword("CREATE")?;
    if cursor.keyword("CATALOG") {
        return catalog(cursor);
    }
    for word in ["DATABASE", "SCHEMA", "NAMESPACE"] {
        if cursor.keyword(word) {
            return database(cursor);
        }
    }
    let or_replace = cursor.keywords(&["OR", "REPLACE"]);
    let temporary = cursor.keyword("TEMPORARY") || cursor.keyword("TEMP");
    if cursor.keyword("VIEW") {
        let view = view::create_view(cursor, or_replace, temporary)?;
        return Ok(Statement::CreateView(Box::new(view)));
    }
    let external = !temporary && cursor.is_keyword("EXTERNAL") && cursor.is_keyword_at(1, "TABLE");
    if external {
        return Err(SqlError::unsupported(
            "CREATE EXTERNAL TABLE is",
            "tables lie in their catalog; read files with FROM 'file' or a TEMPORARY TABLE",
        ));
    }
    if cursor.keyword("TABLE") {
        let create = table::create_table(cursor, or_replace, temporary)?;
        return Ok(Statement::CreateTable(Box::new(create)));
    }
    for what in [
        "FUNCTION",
        "SYSTEM",
        "INDEX",
        "MATERIALIZED",
        "UNBOUNDED",
        "TAG",
        "BRANCH",
        "MODEL",
        "PROCEDURE",
        "ROLE",
        "USER",
    ] {
        if cursor.is_keyword(what) {
            return Err(SqlError::unsupported(
                format!("CREATE {what} is"),
                "catalogs, databases, tables and temporary views can be created",
            ));
        }
    }
    Err(cursor.expected("CATALOG, DATABASE, TABLE or VIEW"))
}

fn catalog(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    let if_not_exists = cursor.keywords(&["IF", "NOT", "EXISTS"]);
    let name = cursor.name("a catalog's name")?;
    if cursor.is_keyword("COMMENT") {
        return Err(SqlError::unsupported(
            "a catalog with COMMENT is",
            "catalogs are known to the session only",
        ));
    }
    cursor.need_keyword("WITH")?;
    let options = options(cursor)?;
    cursor.end()?;
    Ok(Statement::Catalog(CatalogStatement::Create { name, if_not_exists, options }))
}

fn database(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    let if_not_exists = cursor.keywords(&["IF", "NOT", "EXISTS"]);
    let name = cursor.dotted_name("a database's name")?;
    for clause in ["COMMENT", "WITH", "LOCATION"] {
        if cursor.is_keyword(clause) {
            return Err(SqlError::unsupported(
                format!("a database with {clause} is"),
                "a file system catalog stores nothing but its name",
            ));
        }
    }
    cursor.end()?;
    Ok(Statement::CreateDatabase { name, if_not_exists })
}

pub(super) fn drop(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    cursor.need_keyword("DROP")?;
    if cursor.keyword("CATALOG") {
        let if_exists = cursor.keywords(&["IF", "EXISTS"]);
        let name = cursor.name("a catalog's name")?;
        cursor.end()?;
        return Ok(Statement::Catalog(CatalogStatement::Drop { name, if_exists }));
    }
    for word in ["DATABASE", "SCHEMA", "NAMESPACE"] {
        if cursor.keyword(word) {
            let if_exists = cursor.keywords(&["IF", "EXISTS"]);
            let name = cursor.dotted_name("a database's name")?;
            let cascade = cursor.keyword("CASCADE");
            if !cascade {
                cursor.keyword("RESTRICT");
            }
            cursor.end()?;
            return Ok(Statement::DropDatabase { name, if_exists, cascade });
        }
    }
    let temporary = cursor.keyword("TEMPORARY") || cursor.keyword("TEMP");
    let view = cursor.keyword("VIEW");
    if view || cursor.keyword("TABLE") {
        let if_exists = cursor.keywords(&["IF", "EXISTS"]);
        let name = cursor.dotted_name(if view { "a view's name" } else { "a table's name" })?;
        // Spark's PURGE: there is no trash here that it would pass by.
        cursor.keyword("PURGE");
        cursor.end()?;
        return Ok(Statement::DropTable { name, if_exists, temporary, view });
    }
    for what in ["FUNCTION", "MATERIALIZED", "MODEL", "INDEX"] {
        if cursor.is_keyword(what) {
            return Err(SqlError::unsupported(format!("DROP {what} is"), "none can be created"));
        }
    }
    Err(cursor.expected("CATALOG, DATABASE, TABLE or VIEW"))
}

pub(super) fn use_name(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    cursor.need_keyword("USE")?;
    if cursor.is_keyword("MODULES") {
        return Err(SqlError::unsupported("USE MODULES is", "there are no modules to use"));
    }
    let statement = if cursor.keyword("CATALOG") {
        let name = cursor.name("a catalog's name")?;
        Statement::Catalog(CatalogStatement::Use { name })
    } else {
        for word in ["DATABASE", "SCHEMA", "NAMESPACE"] {
            // `USE database` names a database that is called so.
            if !cursor.is_end_at(1) && cursor.keyword(word) {
                break;
            }
        }
        Statement::Use { name: cursor.dotted_name("a database's name")? }
    };
    cursor.end()?;
    Ok(statement)
}
