//! CREATE, DROP, USE, SHOW and DESCRIBE, carried out on the catalog.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use headwater::{ErrorKind, Identifier, NewColumn, NewTable, Table, open_table};

use super::SqlSession;
use crate::error::SqlError;
use crate::names::{self, quote};
use crate::parse::{Column, CreateTable, Statement};
use crate::provider::Lookups;
use crate::show;

/// The database that is always there.
///
/// Format: `docs/spec/catalog.md`. Source: Paimon 1.4.2 `Catalog#DEFAULT_DATABASE`.
pub(crate) const DEFAULT_DATABASE: &str = "default";

impl SqlSession {
    /// Runs CREATE, DROP or USE and says in a sentence what it did.
    pub(super) async fn define(
        &self,
        statement: Statement,
        lookups: &Lookups,
    ) -> Result<String, SqlError> {
        match statement {
            Statement::CreateDatabase { name, if_not_exists } => {
                let name = names::database(&name)?;
                let created = self.catalog.create_database(&name, if_not_exists).await;
                Ok(if created.map_err(table_error)? {
                    format!("database {name} created")
                } else {
                    format!("database {name} exists already")
                })
            }
            Statement::DropDatabase { name, if_exists, cascade } => {
                let name = names::database(&name)?;
                let dropped = self.catalog.drop_database(&name, if_exists, cascade).await;
                Ok(if dropped.map_err(table_error)? {
                    format!("database {name} dropped")
                } else {
                    format!("database {name} does not exist")
                })
            }
            Statement::CreateTable(create) => self.create_table(*create, lookups).await,
            Statement::DropTable { name, if_exists } => {
                let id = self.identifier(&name)?;
                let dropped = self.catalog.drop_table(&id, if_exists).await;
                Ok(if dropped.map_err(table_error)? {
                    format!("table {id} dropped")
                } else {
                    format!("table {id} does not exist")
                })
            }
            Statement::Use { name } => {
                let name = names::database(&name)?;
                let exists = name == DEFAULT_DATABASE
                    || self.catalog.database_exists(&name).await.map_err(table_error)?;
                if !exists {
                    return Err(SqlError::invalid(format!("database '{name}' does not exist")));
                }
                self.set_database(name.clone());
                Ok(format!("database is now {name}"))
            }
            Statement::UseCatalog { name } => {
                names::check_catalog(&name)?;
                Ok(format!("catalog is {name}"))
            }
            _ => Err(SqlError::invalid("this statement defines nothing")),
        }
    }

    async fn create_table(
        &self,
        create: CreateTable,
        lookups: &Lookups,
    ) -> Result<String, SqlError> {
        let id = self.identifier(&create.name)?;
        let if_not_exists = create.if_not_exists;
        let definition = new_table(create);
        if id.database == DEFAULT_DATABASE {
            self.catalog.create_database(DEFAULT_DATABASE, true).await.map_err(table_error)?;
        }
        let created = self.catalog.create_table(&id, &definition, if_not_exists).await;
        Ok(if created.map_err(table_error)? {
            if let Ok(table) = open_table(self.catalog.as_ref(), &id).await {
                lookups.created(&table);
            }
            format!("table {id} created")
        } else {
            format!("table {id} exists already")
        })
    }

    /// The rows of SHOW and DESCRIBE.
    pub(super) async fn show(
        &self,
        statement: Statement,
        lookups: &Arc<Lookups>,
    ) -> Result<RecordBatch, SqlError> {
        match statement {
            Statement::ShowDatabases => {
                let mut databases = self.catalog.list_databases().await.map_err(table_error)?;
                if !databases.iter().any(|name| name == DEFAULT_DATABASE) {
                    databases.push(DEFAULT_DATABASE.to_owned());
                    databases.sort_unstable();
                }
                show::texts("database name", databases)
            }
            Statement::ShowTables { database } => {
                let database = match database {
                    Some(name) => names::database(&name)?,
                    None => self.database(),
                };
                let tables = match self.catalog.list_tables(&database).await {
                    Err(error)
                        if database == DEFAULT_DATABASE && error.kind() == ErrorKind::NotFound =>
                    {
                        Vec::new()
                    }
                    tables => tables.map_err(table_error)?,
                };
                show::texts("table name", tables)
            }
            Statement::ShowCreateTable { name } => {
                let (id, table) = self.open(&name, lookups).await?;
                let name = format!("{}.{}", quote(&id.database), quote(&id.table));
                show::texts("result", vec![show::create_table(&name, table.schema())])
            }
            Statement::Describe { name } => {
                let (_, table) = self.open(&name, lookups).await?;
                show::describe(table.schema())
            }
            _ => Err(SqlError::invalid("this statement shows nothing")),
        }
    }

    /// The table that a statement names.
    pub(crate) fn identifier(&self, parts: &[String]) -> Result<Identifier, SqlError> {
        names::table(parts, &self.database())
    }

    /// Opens the table that a statement names.
    pub(crate) async fn open(
        &self,
        parts: &[String],
        lookups: &Lookups,
    ) -> Result<(Identifier, Table), SqlError> {
        let id = self.identifier(parts)?;
        let table = open_table(self.catalog.as_ref(), &id).await?;
        lookups.opened(&table);
        Ok((id, table))
    }
}

/// An error of the catalog.
fn table_error(error: impl Into<headwater::Error>) -> SqlError {
    SqlError::from(error.into())
}

fn new_table(create: CreateTable) -> NewTable {
    let mut table =
        NewTable::new().primary_key(create.primary_keys).partitioned_by(create.partition_keys);
    for (key, value) in create.options {
        table = table.option(key, value);
    }
    table.comment = create.comment;
    table.columns = create.columns.into_iter().map(new_column).collect();
    table
}

fn new_column(column: Column) -> NewColumn {
    NewColumn {
        name: column.name,
        data_type: column.data_type,
        comment: column.comment,
        default_value: column.default,
    }
}
