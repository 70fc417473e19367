//! Catalogs: databases and tables by name.

mod file_system;
mod one_table;

use std::fmt;

use async_trait::async_trait;
use headwater_spec::path::{ObjectKind, check_object_name};
use headwater_spec::schema::{NewTable, SchemaChange};
use headwater_spec::{SpecError, TableSchema};

use crate::error::Result;
use crate::store::TableStore;

pub use file_system::FileSystemCatalog;
pub use one_table::OneTableCatalog;

/// Name of a table in a catalog.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    /// Database.
    pub database: String,
    /// Table.
    pub table: String,
}

impl Identifier {
    /// The table `table` of `database`.
    pub fn new(database: impl Into<String>, table: impl Into<String>) -> Self {
        Self { database: database.into(), table: table.into() }
    }

    /// Refuses names that cannot be directories of a warehouse.
    ///
    /// # Errors
    /// [`SpecError::Definition`] says what is wrong with the name.
    pub fn check(&self) -> Result<(), SpecError> {
        check_object_name(ObjectKind::Database, &self.database)?;
        check_object_name(ObjectKind::Table, &self.table)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

/// Databases and tables by name.
#[async_trait]
pub trait Catalog: Send + Sync + fmt::Debug {
    /// Names of all databases, sorted.
    ///
    /// # Errors
    /// The store did not answer.
    async fn list_databases(&self) -> Result<Vec<String>>;

    /// Whether the database exists.
    ///
    /// # Errors
    /// The name is not allowed, or the store did not answer.
    async fn database_exists(&self, database: &str) -> Result<bool>;

    /// Makes a database; returns whether it is new.
    ///
    /// # Errors
    /// `DatabaseExists` unless `if_not_exists`.
    async fn create_database(&self, database: &str, if_not_exists: bool) -> Result<bool>;

    /// Removes a database; returns whether it was there.
    ///
    /// # Errors
    /// `DatabaseNotFound` unless `if_exists`; `DatabaseNotEmpty` unless `cascade`.
    async fn drop_database(&self, database: &str, if_exists: bool, cascade: bool) -> Result<bool>;

    /// Names of the tables of a database, sorted.
    ///
    /// # Errors
    /// `DatabaseNotFound`.
    async fn list_tables(&self, database: &str) -> Result<Vec<String>>;

    /// Whether the table exists.
    ///
    /// # Errors
    /// The name is not allowed, or the store did not answer.
    async fn table_exists(&self, table: &Identifier) -> Result<bool>;

    /// Makes a table; returns whether it is new.
    ///
    /// # Errors
    /// `TableExists` unless `if_not_exists`; a definition that breaks a rule.
    async fn create_table(
        &self,
        table: &Identifier,
        definition: &NewTable,
        if_not_exists: bool,
    ) -> Result<bool>;

    /// Removes a table with its files; returns whether it was there.
    ///
    /// # Errors
    /// `TableNotFound` unless `if_exists`.
    async fn drop_table(&self, table: &Identifier, if_exists: bool) -> Result<bool>;

    /// Changes a table's definition; returns its new schema, or the present one when the changes
    /// change nothing. Tried again on the newest schema when another one was faster.
    ///
    /// # Errors
    /// `TableNotFound`; a change that is not possible.
    async fn alter_table(
        &self,
        table: &Identifier,
        changes: &[SchemaChange],
    ) -> Result<TableSchema>;

    /// Gives a table another name, at once.
    ///
    /// # Errors
    /// `TableNotFound`, `TableExists`, `DatabaseNotFound`; a store that cannot rename at once.
    async fn rename_table(&self, from: &Identifier, to: &Identifier) -> Result<()>;

    /// The files and the newest schema of a table.
    ///
    /// # Errors
    /// `TableNotFound`, or a corrupt schema.
    async fn load_table(&self, table: &Identifier) -> Result<(TableStore, TableSchema)>;
}
