//! Names of tables and databases: one to three parts, the rest from the session.

use headwater::Identifier;

use crate::error::SqlError;

/// The name of the session's only catalog.
pub(crate) const CATALOG: &str = "paimon";

/// The table that `t`, `db.t` or `paimon.db.t` names.
pub(crate) fn table(parts: &[String], database: &str) -> Result<Identifier, SqlError> {
    match parts {
        [table] => Ok(Identifier::new(database, table)),
        [database, table] => Ok(Identifier::new(database, table)),
        [catalog, database, table] => {
            check_catalog(catalog)?;
            Ok(Identifier::new(database, table))
        }
        _ => Err(SqlError::invalid(format!(
            "'{}' has too many parts: a table is named [{CATALOG}.]database.table",
            parts.join(".")
        ))),
    }
}

/// The database that `db` or `paimon.db` names.
pub(crate) fn database(parts: &[String]) -> Result<String, SqlError> {
    match parts {
        [database] => Ok(database.clone()),
        [catalog, database] => {
            check_catalog(catalog)?;
            Ok(database.clone())
        }
        _ => Err(SqlError::invalid(format!(
            "'{}' has too many parts: a database is named [{CATALOG}.]database",
            parts.join(".")
        ))),
    }
}

/// Refuses every catalog but the session's.
pub(crate) fn check_catalog(name: &str) -> Result<(), SqlError> {
    if name == CATALOG {
        return Ok(());
    }
    Err(SqlError::invalid(format!(
        "catalog '{name}' does not exist; the catalog of the warehouse is called '{CATALOG}'"
    )))
}

/// A name as SQL writes it back.
pub(crate) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as SQL writes it back.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
