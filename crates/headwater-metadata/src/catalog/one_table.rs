//! The catalog of a table that lies outside of any warehouse: one database, one table.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_io::{Env, FileIo};
use headwater_spec::TableSchema;
use headwater_spec::schema::{NewTable, SchemaChange};

use super::{Catalog, Identifier};
use crate::error::{MetadataError, Result};
use crate::store::TableStore;

/// One table, under a name. Nothing can be created or dropped.
#[derive(Debug, Clone)]
pub struct OneTableCatalog {
    name: Identifier,
    io: Arc<dyn FileIo>,
    env: Env,
}

impl OneTableCatalog {
    /// The catalog in which the table at the root of `io` is called `name`.
    #[must_use]
    pub fn new(io: Arc<dyn FileIo>, name: Identifier, env: Env) -> Self {
        Self { name, io, env }
    }

    fn store(&self) -> TableStore {
        TableStore::new(Arc::clone(&self.io), "", self.name.to_string(), self.env.clone())
    }

    fn refuse<T>(&self, what: &'static str) -> Result<T> {
        Err(MetadataError::OneTable { what, name: self.name.to_string() })
    }

    fn need_database(&self, database: &str) -> Result<()> {
        if database == self.name.database {
            return Ok(());
        }
        Err(MetadataError::DatabaseNotFound { name: database.to_owned() })
    }
}

#[async_trait]
impl Catalog for OneTableCatalog {
    async fn list_databases(&self) -> Result<Vec<String>> {
        Ok(vec![self.name.database.clone()])
    }

    async fn database_exists(&self, database: &str) -> Result<bool> {
        Ok(database == self.name.database)
    }

    async fn create_database(&self, database: &str, if_not_exists: bool) -> Result<bool> {
        if if_not_exists && database == self.name.database {
            return Ok(false);
        }
        self.refuse("a database cannot be created")
    }

    async fn drop_database(&self, _: &str, _: bool, _: bool) -> Result<bool> {
        self.refuse("a database cannot be dropped")
    }

    async fn list_tables(&self, database: &str) -> Result<Vec<String>> {
        self.need_database(database)?;
        Ok(vec![self.name.table.clone()])
    }

    async fn table_exists(&self, table: &Identifier) -> Result<bool> {
        Ok(*table == self.name)
    }

    async fn create_table(
        &self,
        table: &Identifier,
        _: &NewTable,
        if_not_exists: bool,
    ) -> Result<bool> {
        if if_not_exists && *table == self.name {
            return Ok(false);
        }
        self.refuse("a table cannot be created")
    }

    async fn drop_table(&self, _: &Identifier, _: bool) -> Result<bool> {
        self.refuse("a table cannot be dropped")
    }

    async fn alter_table(
        &self,
        table: &Identifier,
        changes: &[SchemaChange],
    ) -> Result<TableSchema> {
        if *table != self.name {
            return Err(MetadataError::TableNotFound { name: table.to_string() });
        }
        self.store().change_schema(changes).await
    }

    async fn rename_table(&self, _: &Identifier, _: &Identifier) -> Result<()> {
        self.refuse("a table cannot be renamed")
    }

    async fn load_table(&self, table: &Identifier) -> Result<(TableStore, TableSchema)> {
        if *table != self.name {
            return Err(MetadataError::TableNotFound { name: table.to_string() });
        }
        let store = self.store();
        let schema = store.latest_schema().await?;
        Ok((store, schema))
    }
}
