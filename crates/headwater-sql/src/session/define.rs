//! CREATE, DROP and USE, carried out on catalogs and on the session.

use std::sync::Arc;

use headwater::{DataType, NewColumn, NewTable, Table, TypeKind, open_table};

use super::catalogs::{self, DEFAULT_DATABASE};
use super::temporary::{Temporary, View};
use super::{Scope, SqlSession, lock};
use crate::connector::ConnectorTable;
use crate::error::SqlError;
use crate::hint::OptionList;
use crate::names::{self, FullName};
use crate::parse::{CatalogStatement, Column, CreateTable, CreateView, Like, Statement, Watermark};
use crate::system_table::SystemTable;

impl SqlSession {
    /// Runs a statement that defines something and says in a sentence what it did.
    pub(super) async fn define(
        &self,
        statement: Statement,
        scope: &Arc<Scope>,
    ) -> Result<String, SqlError> {
        match statement {
            Statement::Catalog(statement) => self.catalog(statement, scope).await,
            Statement::CreateDatabase { name, if_not_exists } => {
                let name = names::database(&name, &scope.current)?;
                let catalog = &scope.catalogs.get(&name.catalog)?.catalog;
                let created = catalog.create_database(&name.database, if_not_exists).await;
                Ok(if created.map_err(table_error)? {
                    format!("database {} created", name.database)
                } else {
                    format!("database {} exists already", name.database)
                })
            }
            Statement::DropDatabase { name, if_exists, cascade } => {
                let name = names::database(&name, &scope.current)?;
                let catalog = &scope.catalogs.get(&name.catalog)?.catalog;
                let dropped = catalog.drop_database(&name.database, if_exists, cascade).await;
                Ok(if dropped.map_err(table_error)? {
                    format!("database {} dropped", name.database)
                } else {
                    format!("database {} does not exist", name.database)
                })
            }
            Statement::CreateTable(create) if create.temporary => {
                self.create_temporary_table(*create, scope).await
            }
            Statement::CreateTable(create) => self.create_table(*create, scope).await,
            Statement::CreateView(create) => self.create_view(*create, scope).await,
            Statement::DropTable { name, if_exists, temporary, view } => {
                let name = scope.name(&name)?;
                if temporary {
                    self.drop_temporary(&name, if_exists, view)
                } else {
                    self.drop_table(&name, if_exists, view, scope).await
                }
            }
            Statement::Alter(alter) => self.alter(*alter, scope).await,
            Statement::Truncate { name, partition } => {
                self.truncate(&scope.name(&name)?, partition, scope).await
            }
            Statement::Use { name } => self.use_database(&name, scope).await,
            Statement::Refresh { name } => {
                let (name, _) = self.open(&name, scope).await?;
                Ok(format!("table {} is read anew by every statement", name.id))
            }
            _ => Err(SqlError::invalid("this statement defines nothing")),
        }
    }

    async fn catalog(
        &self,
        statement: CatalogStatement,
        scope: &Scope,
    ) -> Result<String, SqlError> {
        match statement {
            CatalogStatement::Create { name, if_not_exists, options } => {
                if scope.catalogs.has(&name) {
                    return if if_not_exists {
                        Ok(format!("catalog {name} exists already"))
                    } else {
                        Err(SqlError::invalid(format!("catalog '{name}' already exists")))
                    };
                }
                let (entry, warnings) = catalogs::open(options, self.sync, &self.env).await?;
                for warning in warnings {
                    scope.lookups.warn(warning);
                }
                lock(&self.catalogs).insert(&name, entry);
                Ok(format!("catalog {name} created"))
            }
            CatalogStatement::Drop { name, if_exists } => {
                if !scope.catalogs.has(&name) && if_exists {
                    return Ok(format!("catalog {name} does not exist"));
                }
                scope.catalogs.get(&name)?;
                lock(&self.catalogs).remove(&name)?;
                lock(&self.temporaries).retain(|known, _| known.catalog != name);
                Ok(format!("catalog {name} dropped; its tables stay where they are"))
            }
            CatalogStatement::Use { name } => {
                lock(&self.catalogs).set_current(&name)?;
                Ok(format!("catalog is now {name}, database {}", self.database()))
            }
        }
    }

    /// USE: a database of the current catalog, or one with its catalog; Spark also names a catalog.
    async fn use_database(&self, parts: &[String], scope: &Scope) -> Result<String, SqlError> {
        let mut wanted = names::database(parts, &scope.current)?;
        let mut entry = scope.catalogs.get(&wanted.catalog)?;
        let exists = |catalog: &Arc<dyn headwater::Catalog>, database: String| {
            let catalog = Arc::clone(catalog);
            async move {
                let known = database == DEFAULT_DATABASE;
                Ok::<_, SqlError>(
                    known || catalog.database_exists(&database).await.map_err(table_error)?,
                )
            }
        };
        if !exists(&entry.catalog, wanted.database.clone()).await? {
            let [name] = parts else {
                return Err(SqlError::invalid(format!(
                    "database '{}' does not exist in catalog '{}'",
                    wanted.database, wanted.catalog
                )));
            };
            if !scope.catalogs.has(name) {
                return Err(SqlError::invalid(format!("database '{name}' does not exist")));
            }
            entry = scope.catalogs.get(name)?;
            wanted.catalog.clone_from(name);
            wanted.database.clone_from(&entry.default_database);
        }
        let message = if wanted.catalog == scope.current.catalog {
            format!("database is now {}", wanted.database)
        } else {
            format!("catalog is now {}, database {}", wanted.catalog, wanted.database)
        };
        lock(&self.catalogs).current = wanted;
        Ok(message)
    }

    async fn create_table(
        &self,
        create: CreateTable,
        scope: &Arc<Scope>,
    ) -> Result<String, SqlError> {
        let name = scope.name(&create.name)?;
        let if_not_exists = create.if_not_exists;
        let definition = self.definition(create, &name, scope).await?;
        let note = bucket_note(&definition);
        let created = self.make_table(&name, &definition, if_not_exists, scope).await?;
        if !created {
            return Ok(format!("table {} exists already", name.id));
        }
        if let Some(note) = note {
            scope.lookups.warn(format!("table {}: {note}", name.id));
        }
        Ok(format!("table {} created", name.id))
    }

    /// Makes a table; the default database is made with its first table.
    pub(super) async fn make_table(
        &self,
        name: &FullName,
        definition: &NewTable,
        if_not_exists: bool,
        scope: &Scope,
    ) -> Result<bool, SqlError> {
        let catalog = &scope.entry(name)?.catalog;
        if name.id.database == DEFAULT_DATABASE {
            catalog.create_database(DEFAULT_DATABASE, true).await.map_err(table_error)?;
        }
        let created = catalog.create_table(&name.id, definition, if_not_exists).await;
        let created = created.map_err(table_error)?;
        if created && let Ok(table) = open_table(catalog.as_ref(), &name.id).await {
            scope.lookups.opened_anew(&table);
        }
        Ok(created)
    }

    /// What CREATE TABLE defines, with what LIKE takes over and the catalog's defaults.
    pub(super) async fn definition(
        &self,
        create: CreateTable,
        name: &FullName,
        scope: &Arc<Scope>,
    ) -> Result<NewTable, SqlError> {
        let like = create.like.clone();
        let mut table = new_table(create)?;
        if let Some(like) = like {
            take_over(&mut table, &like, self.like_source(&like, scope).await?)?;
        }
        for (key, value) in &scope.entry(name)?.table_defaults {
            if table.options.get(key).is_none() {
                table.options.insert(key, value);
            }
        }
        Ok(table)
    }

    /// The definition of the table that LIKE names, also of a temporary one.
    async fn like_source(&self, like: &Like, scope: &Arc<Scope>) -> Result<NewTable, SqlError> {
        let name = scope.name(&like.source)?;
        match scope.temporary(&name) {
            Some(Temporary::Table(table)) => Ok(table.definition()),
            Some(Temporary::View(_)) => Err(SqlError::unsupported(
                "CREATE TABLE LIKE a view is",
                "use CREATE TABLE … AS SELECT",
            )),
            None => {
                let table = scope.open(&name, Vec::new()).await?;
                Ok(definition_of(&table))
            }
        }
    }

    async fn create_temporary_table(
        &self,
        create: CreateTable,
        scope: &Arc<Scope>,
    ) -> Result<String, SqlError> {
        let name = scope.name(&create.name)?;
        scope.entry(&name)?;
        let if_not_exists = create.if_not_exists;
        if !create.primary_keys.is_empty() || !create.partition_keys.is_empty() {
            return Err(SqlError::unsupported(
                "a temporary table with PRIMARY KEY or PARTITIONED BY is",
                "files and sinks have columns only: leave it out",
            ));
        }
        if let Some(watermark) = &create.watermark {
            scope.lookups.warn(format!(
                "temporary table {}: the watermark for '{}' has no effect in this version",
                name.id, watermark.column
            ));
        }
        let like = create.like.clone();
        let create = CreateTable { watermark: None, ..create };
        let mut definition = new_table(create)?;
        if let Some(like) = like {
            let source = self.like_source(&like, scope).await?;
            let like = Like { constraints: false, partitions: false, ..like };
            let mut source = source;
            // Options of a Paimon table mean nothing to a connector.
            if source.options.get("connector").is_none() {
                source.options = headwater::options::Options::default();
            }
            take_over(&mut definition, &like, source)?;
        }
        let table = ConnectorTable::new(definition)?;
        let made = self.add_temporary(
            name.clone(),
            Temporary::Table(Arc::new(table)),
            false,
            if_not_exists,
        )?;
        Ok(if made {
            format!("temporary table {} created", name.id)
        } else {
            format!("temporary table {} exists already", name.id)
        })
    }

    async fn create_view(
        &self,
        create: CreateView,
        scope: &Arc<Scope>,
    ) -> Result<String, SqlError> {
        let name = scope.name(&create.name)?;
        scope.entry(&name)?;
        if !create.temporary {
            return Err(SqlError::unsupported(
                "a view that is stored is",
                "a file system catalog has no place for views; CREATE TEMPORARY VIEW makes one that ends with the session",
            ));
        }
        let view = View {
            query: *create.query.statement,
            names: create.query.names,
            columns: create.columns,
            comment: create.comment,
            current: scope.current.clone(),
        };
        // A view of what is not there is refused now, not when it is read.
        scope.view_plan(&name, &view).await.map_err(|error| scope.explain(error))?;
        let view = Temporary::View(Arc::new(view));
        let made =
            self.add_temporary(name.clone(), view, create.or_replace, create.if_not_exists)?;
        Ok(if made {
            format!("temporary view {} created", name.id)
        } else {
            format!("temporary view {} exists already", name.id)
        })
    }

    fn add_temporary(
        &self,
        name: FullName,
        temporary: Temporary,
        or_replace: bool,
        if_not_exists: bool,
    ) -> Result<bool, SqlError> {
        name.id.check().map_err(headwater::Error::from)?;
        let mut known = lock(&self.temporaries);
        if let Some(there) = known.get(&name) {
            if if_not_exists {
                return Ok(false);
            }
            if !or_replace {
                return Err(SqlError::invalid(format!(
                    "temporary {} '{}' already exists",
                    there.what(),
                    name.id
                )));
            }
        }
        known.insert(name, temporary);
        Ok(true)
    }

    fn drop_temporary(
        &self,
        name: &FullName,
        if_exists: bool,
        view: bool,
    ) -> Result<String, SqlError> {
        let what = if view { "view" } else { "table" };
        let mut known = lock(&self.temporaries);
        match known.get(name) {
            Some(there) if there.what() == what => {
                known.remove(name);
                Ok(format!("temporary {what} {} dropped", name.id))
            }
            Some(there) => Err(SqlError::invalid(format!(
                "'{}' is a temporary {}: DROP TEMPORARY {}",
                name.id,
                there.what(),
                there.what().to_uppercase()
            ))),
            None if if_exists => Ok(format!("temporary {what} {} does not exist", name.id)),
            None => {
                Err(SqlError::invalid(format!("temporary {what} '{}' does not exist", name.id)))
            }
        }
    }

    async fn drop_table(
        &self,
        name: &FullName,
        if_exists: bool,
        view: bool,
        scope: &Scope,
    ) -> Result<String, SqlError> {
        if let Some(there) = scope.temporary(name) {
            // The name means the temporary one: dropping the table behind it would surprise.
            if view && there.what() == "view" {
                return self.drop_temporary(name, if_exists, view);
            }
            return Err(SqlError::invalid(format!(
                "'{}' is a temporary {1}: use DROP TEMPORARY {2}",
                name.id,
                there.what(),
                there.what().to_uppercase()
            )));
        }
        if view {
            return if if_exists {
                Ok(format!("view {} does not exist", name.id))
            } else {
                Err(SqlError::invalid(format!("view '{}' does not exist", name.id)))
            };
        }
        if SystemTable::parse(&name.id.table)?.is_some() {
            return Err(SqlError::invalid(format!("'{}' is a system table", name.id)));
        }
        let dropped = scope.entry(name)?.catalog.drop_table(&name.id, if_exists).await;
        Ok(if dropped.map_err(table_error)? {
            format!("table {} dropped", name.id)
        } else {
            format!("table {} does not exist", name.id)
        })
    }

    /// Opens the table of a catalog that a statement names.
    pub(crate) async fn open(
        &self,
        parts: &[String],
        scope: &Scope,
    ) -> Result<(FullName, Table), SqlError> {
        let name = scope.name(parts)?;
        let table = scope.open(&name, Vec::new()).await?;
        Ok((name, table))
    }
}

/// An error of the catalog.
pub(super) fn table_error(error: impl Into<headwater::Error>) -> SqlError {
    SqlError::from(error.into())
}

/// The definition that the statement alone gives.
fn new_table(create: CreateTable) -> Result<NewTable, SqlError> {
    let mut table =
        NewTable::new().primary_key(create.primary_keys).partitioned_by(create.partition_keys);
    let is_temporary = create.temporary;
    for (key, value) in create.options {
        // Flink's Paimon tables may say which connector they are of.
        if key == "connector" && !is_temporary {
            if value == "paimon" {
                continue;
            }
            return Err(SqlError::unsupported(
                format!("'connector' = '{value}' is"),
                "a Paimon catalog holds Paimon tables; for other connectors use CREATE TEMPORARY TABLE",
            ));
        }
        table = table.option(key, value);
    }
    table.comment = create.comment;
    table.columns = create.columns.into_iter().map(new_column).collect();
    if let Some(watermark) = &create.watermark {
        let column = table.columns.iter().find(|c| c.name == watermark.column);
        for (key, value) in watermark_options(watermark, column.map(|c| &c.data_type)) {
            table.options.insert(key, value);
        }
    }
    Ok(table)
}

/// How Flink keeps a watermark in a Paimon table.
///
/// Source: Paimon 1.4.2 `FlinkCatalog#setWatermarkOptions`.
pub(super) fn watermark_options(watermark: &Watermark, data_type: Option<&DataType>) -> OptionList {
    let kind = match data_type.map(|t| &t.kind) {
        Some(kind @ (TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_))) => kind.to_string(),
        _ => "TIMESTAMP(3)".to_owned(),
    };
    [
        ("rowtime", watermark.column.clone()),
        ("strategy.expr", watermark.expression.clone()),
        ("strategy.data-type", kind),
    ]
    .map(|(key, value)| (format!("schema.watermark.0.{key}"), value))
    .to_vec()
}

pub(super) fn new_column(column: Column) -> NewColumn {
    NewColumn {
        name: column.name,
        data_type: column.data_type,
        comment: column.comment,
        default_value: column.default,
    }
}

/// A definition that makes the same table again.
fn definition_of(table: &Table) -> NewTable {
    let schema = table.schema();
    let mut definition = NewTable::new()
        .primary_key(schema.primary_keys.clone())
        .partitioned_by(schema.partition_keys.clone());
    definition.columns = schema
        .fields
        .iter()
        .map(|field| NewColumn {
            name: field.name.clone(),
            data_type: field.data_type.clone(),
            comment: field.description.clone(),
            default_value: field.default_value.clone(),
        })
        .collect();
    definition.options = schema.options.clone();
    definition.comment.clone_from(&schema.comment);
    definition
}

/// Puts the source's columns before those of the statement, and what LIKE includes with them.
fn take_over(table: &mut NewTable, like: &Like, source: NewTable) -> Result<(), SqlError> {
    for column in &table.columns {
        if source.columns.iter().any(|c| c.name == column.name) {
            return Err(SqlError::invalid(format!(
                "column '{}' is in the statement and in the table that LIKE names",
                column.name
            )));
        }
    }
    let mut columns = source.columns;
    columns.append(&mut table.columns);
    table.columns = columns;
    if like.constraints && !source.primary_keys.is_empty() {
        if !table.primary_keys.is_empty() {
            return Err(SqlError::invalid(
                "both tables have a primary key: add EXCLUDING CONSTRAINTS to LIKE",
            ));
        }
        table.primary_keys = source.primary_keys;
    }
    if like.partitions && !source.partition_keys.is_empty() {
        if !table.partition_keys.is_empty() {
            return Err(SqlError::invalid(
                "both tables have partitions: add EXCLUDING PARTITIONS to LIKE",
            ));
        }
        table.partition_keys = source.partition_keys;
    }
    if like.options {
        let own = std::mem::replace(&mut table.options, source.options);
        for (key, value) in own.iter() {
            if !like.overwrite_options && table.options.get(key).is_some() {
                return Err(SqlError::invalid(format!(
                    "both tables have the option '{key}': write OVERWRITING OPTIONS in LIKE"
                )));
            }
            table.options.insert(key, value);
        }
    }
    if table.comment.is_none() {
        table.comment = source.comment;
    }
    Ok(())
}

/// Buckets from which on it is worth saying how much they hold.
const MANY_BUCKETS: u64 = 64;

/// Which total size many buckets suit: one to two gigabytes each.
pub(super) fn bucket_note(table: &NewTable) -> Option<String> {
    let buckets: u64 = table.options.get("bucket")?.trim().parse().ok()?;
    if buckets < MANY_BUCKETS {
        return None;
    }
    let size = |gigabytes: u64| match gigabytes {
        0..1024 => format!("{gigabytes} GB"),
        _ => {
            let tenths = gigabytes * 10 / 1024;
            format!("{}.{} TB", tenths / 10, tenths % 10)
        }
    };
    let per = if table.partition_keys.is_empty() && table.options.get("partition").is_none() {
        "rows"
    } else {
        "rows in each partition"
    };
    Some(format!(
        "{buckets} buckets suit {} to {} of {per} (1 to 2 GB a bucket); with fewer rows, fewer \
         buckets make fewer small files",
        size(buckets),
        size(buckets * 2)
    ))
}
