//! SHOW and DESCRIBE, carried out.

use std::sync::Arc;

use arrow::array::StringArray;
use arrow::record_batch::RecordBatch;
use headwater::options::{Treatment, effective_option, inspect, table_options, treatment};
use headwater::{ErrorKind, Table, TableSchema};

use super::catalogs::DEFAULT_DATABASE;
use super::define::table_error;
use super::shape::analyzed;
use super::temporary::Temporary;
use super::{Scope, SqlSession};
use crate::assign::Assignment;
use crate::error::SqlError;
use crate::names::{self, Current, literal, quote};
use crate::parse::{Describe, Pattern, Show};
use crate::{procedure, show};

fn matches(pattern: Option<&Pattern>, name: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.matches(name))
}

impl SqlSession {
    /// The rows of SHOW.
    pub(super) async fn show(
        &self,
        statement: Show,
        scope: &Arc<Scope>,
    ) -> Result<RecordBatch, SqlError> {
        match statement {
            Show::Catalogs { pattern } => {
                let names = scope.catalogs.names().filter(|n| matches(pattern.as_ref(), n));
                show::texts("catalog name", names.map(str::to_owned).collect())
            }
            Show::CreateCatalog { name } => create_catalog(scope, &name),
            Show::CurrentCatalog => {
                show::texts("current catalog name", vec![scope.current.catalog.clone()])
            }
            Show::CurrentDatabase => {
                show::texts("current database name", vec![scope.current.database.clone()])
            }
            Show::Databases { catalog, pattern } => {
                let catalog = catalog.as_deref().unwrap_or(&scope.current.catalog);
                let mut names = databases(scope, catalog).await?;
                names.retain(|name| matches(pattern.as_ref(), name));
                show::texts("database name", names)
            }
            Show::Tables { database, pattern, views } => {
                let database = match database {
                    Some(name) => names::database(&name, &scope.current)?,
                    None => scope.current.clone(),
                };
                let mut names = tables(scope, &database, views).await?;
                names.retain(|name| matches(pattern.as_ref(), name));
                show::texts(if views { "view name" } else { "table name" }, names)
            }
            Show::Columns { name, pattern } => {
                let schema = self.schema_of(&name, scope).await?;
                show::describe(&schema, &|column| matches(pattern.as_ref(), column))
            }
            Show::Partitions { name, partition } => {
                let (_, table) = self.open(&name, scope).await?;
                let names = partitions(&table, &partition).await?;
                show::texts("partition name", names)
            }
            Show::CreateTable { name, view } => self.show_create(&name, view, scope).await,
            Show::Options { name } => {
                let (_, table) = self.open(&name, scope).await?;
                options(table.schema())
            }
            Show::Properties { name, key } => {
                let (_, table) = self.open(&name, scope).await?;
                let wanted = table.schema().options.iter();
                let wanted = wanted.filter(|(k, _)| key.as_deref().is_none_or(|key| key == *k));
                show::pairs(wanted)
            }
            Show::Functions { user, pattern } => {
                let mut names = if user { Vec::new() } else { functions(scope) };
                // Names of functions have no case.
                names.retain(|name| {
                    let upper = name.to_ascii_uppercase();
                    matches(pattern.as_ref(), name) || matches(pattern.as_ref(), &upper)
                });
                show::texts("function name", names)
            }
            Show::Procedures { database, pattern } => {
                if let Some(database) = database {
                    procedure::check_database(&database, scope)?;
                }
                let names = procedure::names().filter(|n| matches(pattern.as_ref(), n));
                show::texts("procedure name", names.map(str::to_owned).collect())
            }
        }
    }

    /// The rows of DESCRIBE.
    pub(super) async fn describe(
        &self,
        statement: Describe,
        scope: &Arc<Scope>,
    ) -> Result<RecordBatch, SqlError> {
        match statement {
            Describe::Table { name, extended: false } => {
                show::describe(&self.schema_of(&name, scope).await?, &|_| true)
            }
            Describe::Table { name, extended: true } => {
                let full = scope.name(&name)?;
                if scope.temporary(&full).is_some() {
                    return show::describe(&self.schema_of(&name, scope).await?, &|_| true);
                }
                let (_, table) = self.open(&name, scope).await?;
                let details = details(&full.catalog, &table).await?;
                show::describe_extended(table.schema(), details)
            }
            Describe::Database { name } => {
                let name = names::database(&name, &scope.current)?;
                if !databases(scope, &name.catalog).await?.contains(&name.database) {
                    return Err(SqlError::invalid(format!(
                        "database '{}' does not exist",
                        name.database
                    )));
                }
                let tables = tables(scope, &name, false).await?.len().to_string();
                let rows = [
                    ("catalog", name.catalog.as_str()),
                    ("database", name.database.as_str()),
                    ("tables", tables.as_str()),
                ];
                show::pairs(rows.into_iter())
            }
            Describe::Catalog { name } => {
                let entry = scope.catalogs.get(&name)?;
                let first = [("name", name.as_str()), ("type", "paimon")];
                let given = entry.options.iter().map(|(k, v)| (k.as_str(), v.as_str()));
                show::pairs(first.into_iter().chain(given.filter(|(k, _)| *k != "type")))
            }
        }
    }

    /// The columns of a table, a temporary table or a view.
    async fn schema_of(
        &self,
        parts: &[String],
        scope: &Arc<Scope>,
    ) -> Result<TableSchema, SqlError> {
        let name = scope.name(parts)?;
        match scope.temporary(&name) {
            Some(Temporary::Table(table)) => Ok(table.columns.clone()),
            Some(Temporary::View(view)) => {
                let plan = scope.view_plan(&name, view).await.map_err(|e| scope.explain(e))?;
                let plan = analyzed(plan, &scope.state(1)).map_err(SqlError::from_datafusion)?;
                let mut definition = headwater::NewTable::new();
                definition.columns = super::create_as::columns_of(&plan)?;
                Ok(definition.into_schema(0).map_err(headwater::Error::from)?)
            }
            None => {
                let table = match crate::system_table::SystemTable::parse(&name.id.table)? {
                    Some(system) => return system.columns(),
                    None => scope.open(&name, Vec::new()).await?,
                };
                Ok(table.schema().clone())
            }
        }
    }

    async fn show_create(
        &self,
        parts: &[String],
        view: bool,
        scope: &Arc<Scope>,
    ) -> Result<RecordBatch, SqlError> {
        let name = scope.name(parts)?;
        let text = match (scope.temporary(&name), view) {
            (Some(Temporary::View(view)), _) => {
                let columns: Vec<String> = view.columns.iter().map(|c| quote(c)).collect();
                let columns = match columns.as_slice() {
                    [] => String::new(),
                    columns => format!(" ({})", columns.join(", ")),
                };
                let comment = match &view.comment {
                    Some(comment) => format!(" COMMENT {}", literal(comment)),
                    None => String::new(),
                };
                let name = name.quoted();
                format!("CREATE TEMPORARY VIEW {name}{columns}{comment} AS\n{}", view.query)
            }
            (_, true) => {
                return Err(SqlError::invalid(format!("'{}' is no temporary view", name.id)));
            }
            (Some(Temporary::Table(table)), false) => {
                let mut schema = table.columns.clone();
                schema.options = table.definition().options;
                show::create_table(&name.quoted(), &schema).replacen(
                    "CREATE TABLE",
                    "CREATE TEMPORARY TABLE",
                    1,
                )
            }
            (None, false) => {
                let (_, table) = self.open(parts, scope).await?;
                let name = format!("{}.{}", quote(&name.id.database), quote(&name.id.table));
                show::create_table(&name, table.schema())
            }
        };
        show::texts("result", vec![text])
    }
}

fn create_catalog(scope: &Scope, name: &str) -> Result<RecordBatch, SqlError> {
    let entry = scope.catalogs.get(name)?;
    if entry.options.is_empty() {
        return Err(SqlError::invalid(format!(
            "catalog '{name}' was not made by a statement: the session started with it"
        )));
    }
    let options: Vec<String> =
        entry.options.iter().map(|(k, v)| format!("  {} = {}", literal(k), literal(v))).collect();
    let text = format!("CREATE CATALOG {} WITH (\n{}\n)", quote(name), options.join(",\n"));
    show::texts("result", vec![text])
}

async fn databases(scope: &Scope, catalog: &str) -> Result<Vec<String>, SqlError> {
    let catalog = &scope.catalogs.get(catalog)?.catalog;
    let mut databases = catalog.list_databases().await.map_err(table_error)?;
    if !databases.iter().any(|name| name == DEFAULT_DATABASE) {
        databases.push(DEFAULT_DATABASE.to_owned());
        databases.sort_unstable();
    }
    Ok(databases)
}

/// Tables of a database with its temporary tables and views, or its views alone.
async fn tables(scope: &Scope, database: &Current, views: bool) -> Result<Vec<String>, SqlError> {
    let catalog = &scope.catalogs.get(&database.catalog)?.catalog;
    let mut names = match catalog.list_tables(&database.database).await {
        Err(error)
            if database.database == DEFAULT_DATABASE && error.kind() == ErrorKind::NotFound =>
        {
            Vec::new()
        }
        tables => tables.map_err(table_error)?,
    };
    if views {
        names.clear();
    }
    for (name, temporary) in scope.temporaries.iter() {
        if name.catalog == database.catalog
            && name.id.database == database.database
            && (!views || matches!(temporary, Temporary::View(_)))
        {
            names.push(name.id.table.clone());
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

async fn partitions(
    table: &Table,
    wanted: &[(String, Option<String>)],
) -> Result<Vec<String>, SqlError> {
    let keys = &table.schema().partition_keys;
    if keys.is_empty() {
        return Err(SqlError::invalid(format!("table {} has no partitions", table.name())));
    }
    let wanted = Assignment::partition_values(table.schema(), wanted)?;
    let found = table.partitions().await?.into_iter().filter(|partition| {
        wanted.iter().all(|(column, value)| {
            let at = keys.iter().position(|key| key == column);
            at.and_then(|at| partition.values.get(at)) == Some(value)
        })
    });
    Ok(found.map(|partition| partition.name).collect())
}

/// Every option of a table: value, default, and what this version makes of it.
fn options(schema: &TableSchema) -> Result<RecordBatch, SqlError> {
    let warnings = inspect(schema).map_err(headwater::Error::from)?.warnings;
    let mut rows: Vec<[Option<String>; 5]> = Vec::new();
    let text = |text: &str| Some(text.to_owned());
    for option in table_options() {
        let set = schema
            .options
            .get(&option.key)
            .or_else(|| option.fallback.iter().find_map(|older| schema.options.get(older)));
        let honoured = match treatment(&option.key) {
            Treatment::Honoured => "yes".to_owned(),
            Treatment::Refused => "no: refused".to_owned(),
            Treatment::SelectsOtherRows => "in a hint only, where this version can".to_owned(),
            Treatment::Kept(reason) => format!("no: {reason}"),
        };
        let mut kind = option.value_type.clone();
        if let Some(values) = &option.values {
            kind = values.join(", ");
        }
        rows.push([
            text(&option.key),
            effective_option(schema, &option.key).map(str::to_owned),
            option.default.clone(),
            Some(if set.is_some() { format!("{honoured} (set)") } else { honoured }),
            Some(kind),
        ]);
    }
    for (key, value) in schema.options.iter() {
        if headwater::options::known(key).is_none() {
            let warned = warnings.iter().any(|warning| warning.contains(&format!("'{key}'")));
            let honoured = if warned { "no: kept for other engines (set)" } else { "yes (set)" };
            rows.push([text(key), text(value), None, text(honoured), text("String")]);
        }
    }
    rows.sort();
    let column = |at: usize| {
        let values = rows.iter().map(|row| row.get(at).and_then(|cell| cell.as_deref()));
        Arc::new(values.collect::<StringArray>())
    };
    show::batch(vec![
        ("option", false, column(0)),
        ("value", true, column(1)),
        ("default", true, column(2)),
        ("honoured", false, column(3)),
        ("values", false, column(4)),
    ])
}

/// What DESCRIBE EXTENDED says below the columns.
async fn details(catalog: &str, table: &Table) -> Result<Vec<(String, String)>, SqlError> {
    let schema = table.schema();
    let snapshot = table.snapshot().await?;
    let list = |names: &[String]| match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    let location = format!("{}/{}", table.store().io().root(), table.store().path(""));
    let options: Vec<String> = schema.options.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let mut rows = vec![
        ("# Detailed Table Information", String::new()),
        ("Catalog", catalog.to_owned()),
        ("Name", table.name().to_owned()),
        ("Provider", "paimon".to_owned()),
        ("Location", location.trim_end_matches('/').to_owned()),
        ("Primary key", list(&schema.primary_keys)),
        ("Partition columns", list(&schema.partition_keys)),
        ("Bucket columns", list(&schema.bucket_keys())),
        ("Schema", schema.id.to_string()),
    ];
    if let Some(comment) = &schema.comment {
        rows.push(("Comment", comment.clone()));
    }
    match snapshot {
        None => rows.push(("Snapshot", "none".to_owned())),
        Some(snapshot) => {
            let partitions = table.partitions().await?;
            let files: i64 = partitions.iter().map(|p| p.file_count).sum();
            let bytes: i64 = partitions.iter().map(|p| p.file_size_bytes).sum();
            rows.push(("Snapshot", snapshot.id.to_string()));
            rows.push(("Rows in files", snapshot.total_record_count.to_string()));
            rows.push(("Files", files.to_string()));
            rows.push(("Bytes", bytes.to_string()));
        }
    }
    rows.push(("Table Properties", format!("[{}]", options.join(", "))));
    Ok(rows.into_iter().map(|(name, text)| (name.to_owned(), text)).collect())
}

/// Names of all functions that a query can call.
fn functions(scope: &Scope) -> Vec<String> {
    let state = &scope.base;
    let mut names: Vec<String> = state
        .scalar_functions()
        .keys()
        .chain(state.aggregate_functions().keys())
        .chain(state.window_functions().keys())
        .chain(state.table_functions().keys())
        .cloned()
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
