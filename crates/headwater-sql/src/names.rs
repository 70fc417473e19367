//! Names of tables and databases: one to three parts, the rest from the session.

use headwater::Identifier;

use crate::error::SqlError;

/// The name of the catalog that a session starts with.
pub(crate) const CATALOG: &str = "paimon";

/// The catalog and the database of names that say nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Current {
    pub(crate) catalog: String,
    pub(crate) database: String,
}

/// A table's whole name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FullName {
    pub(crate) catalog: String,
    pub(crate) id: Identifier,
}

impl FullName {
    pub(crate) fn new(catalog: &str, database: &str, table: &str) -> Self {
        Self { catalog: catalog.to_owned(), id: Identifier::new(database, table) }
    }

    /// The name as SQL writes it.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}.{}", quote(&self.catalog), quote(&self.id.database), quote(&self.id.table))
    }
}

/// The table that `t`, `db.t` or `catalog.db.t` names.
pub(crate) fn table(parts: &[String], current: &Current) -> Result<FullName, SqlError> {
    match parts {
        [table] => Ok(FullName::new(&current.catalog, &current.database, table)),
        [database, table] => Ok(FullName::new(&current.catalog, database, table)),
        [catalog, database, table] => Ok(FullName::new(catalog, database, table)),
        _ => Err(SqlError::invalid(format!(
            "'{}' has too many parts: a table is named [[catalog.]database.]table",
            parts.join(".")
        ))),
    }
}

/// The catalog and the database that `db` or `catalog.db` names.
pub(crate) fn database(parts: &[String], current: &Current) -> Result<Current, SqlError> {
    let (catalog, database) = match parts {
        [database] => (&current.catalog, database),
        [catalog, database] => (catalog, database),
        _ => {
            return Err(SqlError::invalid(format!(
                "'{}' has too many parts: a database is named [catalog.]database",
                parts.join(".")
            )));
        }
    };
    Ok(Current { catalog: catalog.clone(), database: database.clone() })
}

/// A name as SQL writes it back.
pub(crate) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as SQL writes it back.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
