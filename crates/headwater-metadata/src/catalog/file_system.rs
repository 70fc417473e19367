//! The catalog that is a directory: `<warehouse>/<database>.db/<table>/`.
//!
//! Rules: `docs/spec/catalog.md`. Source: Paimon 1.4.2 `FileSystemCatalog`.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_io::{Env, FileIo, Publish};
use headwater_spec::path::{self, ObjectKind, check_object_name};
use headwater_spec::schema::{NewTable, SchemaChange};
use headwater_spec::{SpecError, TableSchema};

use super::{Catalog, Identifier};
use crate::error::{MetadataError, Result};
use crate::store::TableStore;

const DATABASE_SUFFIX: &str = ".db";
/// Database of system tables; nothing of a user lives there.
const SYSTEM_DATABASE: &str = "sys";

/// A warehouse directory.
#[derive(Debug, Clone)]
pub struct FileSystemCatalog {
    io: Arc<dyn FileIo>,
    env: Env,
}

impl FileSystemCatalog {
    /// The catalog of the warehouse that `io` is rooted at.
    #[must_use]
    pub fn new(io: Arc<dyn FileIo>, env: Env) -> Self {
        Self { io, env }
    }

    /// File access, rooted at the warehouse.
    #[must_use]
    pub fn io(&self) -> &Arc<dyn FileIo> {
        &self.io
    }

    fn database_dir(name: &str) -> Result<String> {
        check_object_name(ObjectKind::Database, name)?;
        if name == SYSTEM_DATABASE {
            return Err(SpecError::Definition {
                reason: format!("database '{SYSTEM_DATABASE}' is reserved for system tables"),
            }
            .into());
        }
        Ok(format!("{name}{DATABASE_SUFFIX}"))
    }

    fn store(&self, table: &Identifier) -> Result<TableStore> {
        table.check()?;
        let dir = format!("{}/{}", Self::database_dir(&table.database)?, table.table);
        Ok(TableStore::new(Arc::clone(&self.io), dir, table.to_string(), self.env.clone()))
    }
}

/// Whether a drop was interrupted: there are snapshots but no schema. Schemas are looked at last,
/// because a new table gets its schema first.
async fn has_remains(store: &TableStore) -> Result<bool> {
    Ok(!store.snapshot_ids().await?.is_empty() && store.schema_ids().await?.is_empty())
}

#[async_trait]
impl Catalog for FileSystemCatalog {
    async fn list_databases(&self) -> Result<Vec<String>> {
        let mut names: Vec<_> = self
            .io
            .list("")
            .await?
            .into_iter()
            .filter(|f| f.is_dir)
            .filter_map(|f| f.name.strip_suffix(DATABASE_SUFFIX).map(str::to_owned))
            .filter(|name| !name.is_empty())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn database_exists(&self, database: &str) -> Result<bool> {
        Ok(self.io.exists(&Self::database_dir(database)?).await?)
    }

    async fn create_database(&self, database: &str, if_not_exists: bool) -> Result<bool> {
        let dir = Self::database_dir(database)?;
        if self.io.exists(&dir).await? {
            return if if_not_exists {
                Ok(false)
            } else {
                Err(MetadataError::DatabaseExists { name: database.to_owned() })
            };
        }
        self.io.create_dir(&dir).await?;
        Ok(true)
    }

    async fn drop_database(&self, database: &str, if_exists: bool, cascade: bool) -> Result<bool> {
        let dir = Self::database_dir(database)?;
        if !self.io.exists(&dir).await? {
            return if if_exists {
                Ok(false)
            } else {
                Err(MetadataError::DatabaseNotFound { name: database.to_owned() })
            };
        }
        let tables = self.list_tables(database).await?;
        if !tables.is_empty() && !cascade {
            return Err(MetadataError::DatabaseNotEmpty {
                name: database.to_owned(),
                tables: tables.len(),
            });
        }
        for table in tables {
            self.drop_table(&Identifier::new(database, table), true).await?;
        }
        self.io.delete_dir(&dir).await?;
        Ok(true)
    }

    async fn list_tables(&self, database: &str) -> Result<Vec<String>> {
        let dir = Self::database_dir(database)?;
        let children = self.io.list(&dir).await?;
        if children.is_empty() && !self.io.exists(&dir).await? {
            return Err(MetadataError::DatabaseNotFound { name: database.to_owned() });
        }
        let mut names = Vec::new();
        for child in children.into_iter().filter(|f| f.is_dir) {
            let id = Identifier::new(database, child.name);
            // A directory that no table can be called is not one.
            if id.check().is_ok() && !self.store(&id)?.schema_ids().await?.is_empty() {
                names.push(id.table);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    async fn table_exists(&self, table: &Identifier) -> Result<bool> {
        Ok(!self.store(table)?.schema_ids().await?.is_empty())
    }

    async fn create_table(
        &self,
        table: &Identifier,
        definition: &NewTable,
        if_not_exists: bool,
    ) -> Result<bool> {
        let store = self.store(table)?;
        if !self.database_exists(&table.database).await? {
            return Err(MetadataError::DatabaseNotFound { name: table.database.clone() });
        }
        let schema = definition.clone().into_schema(self.env.clock.now_millis())?;
        headwater_lsm::check_definition(&schema)?;
        let exists = !store.schema_ids().await?.is_empty();
        if !exists {
            // The new table would show the rows of the old one.
            if has_remains(&store).await? {
                return Err(MetadataError::TableRemains {
                    name: table.to_string(),
                    path: store.path("").trim_end_matches('/').to_owned(),
                });
            }
            if store.publish_schema(&schema).await? == Publish::Published {
                return Ok(true);
            }
        }
        if if_not_exists {
            Ok(false)
        } else {
            Err(MetadataError::TableExists { name: table.to_string() })
        }
    }

    async fn drop_table(&self, table: &Identifier, if_exists: bool) -> Result<bool> {
        let store = self.store(table)?;
        let dir = format!("{}/{}", Self::database_dir(&table.database)?, table.table);
        let ids = store.schema_ids().await?;
        if ids.is_empty() {
            if has_remains(&store).await? {
                self.io.delete_dir(&dir).await?;
            }
            return if if_exists {
                Ok(false)
            } else {
                Err(MetadataError::TableNotFound { name: table.to_string() })
            };
        }
        // Without schemas the directory is no table; after a crash from here on the next drop
        // removes the rest, and until then no table of this name can be created.
        for id in ids.into_iter().rev() {
            self.io.delete(&store.path(&path::schema_file(id))).await?;
        }
        self.io.delete_dir(&dir).await?;
        Ok(true)
    }

    async fn alter_table(
        &self,
        table: &Identifier,
        changes: &[SchemaChange],
    ) -> Result<TableSchema> {
        self.store(table)?.change_schema(changes).await
    }

    async fn rename_table(&self, from: &Identifier, to: &Identifier) -> Result<()> {
        let (source, target) = (self.store(from)?, self.store(to)?);
        if source.schema_ids().await?.is_empty() {
            return Err(MetadataError::TableNotFound { name: from.to_string() });
        }
        if !self.database_exists(&to.database).await? {
            return Err(MetadataError::DatabaseNotFound { name: to.database.clone() });
        }
        let path = |store: &TableStore| store.path("").trim_end_matches('/').to_owned();
        match self.io.move_dir(&path(&source), &path(&target)).await? {
            Publish::Published => Ok(()),
            Publish::Exists => Err(MetadataError::TableExists { name: to.to_string() }),
        }
    }

    async fn load_table(&self, table: &Identifier) -> Result<(TableStore, TableSchema)> {
        let store = self.store(table)?;
        let schema = store.latest_schema().await?;
        Ok((store, schema))
    }
}
