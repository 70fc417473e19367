//! From arguments and settings to a session, and a sentence that says what it is of.

use std::sync::Arc;

use headwater::io::open_root;
use headwater::{
    Catalog, CatalogOptions, Env, ErrorKind, FileSystemCatalog, Identifier, LocatedTable,
    locate_table,
};
use headwater_sql::{SessionOptions, SqlSession};

use crate::config::{DEFAULT_WAREHOUSE, Durability, FILE, Resources, Settings};
use crate::error::CliError;
use crate::printer::note;

/// What arguments say about the tables of a session.
pub(super) struct Source<'a> {
    /// Directory or URI of one table.
    pub(super) table: Option<&'a str>,
    /// Directory or URI that holds the databases.
    pub(super) warehouse: Option<&'a str>,
    /// Catalog of the configuration whose warehouse is used.
    pub(super) catalog: Option<&'a str>,
    /// Make the warehouse when it does not exist.
    pub(super) create: bool,
    /// Settings of the session, beside those of the configuration.
    pub(super) conf: Vec<(String, String)>,
    pub(super) durability: Durability,
    pub(super) resources: &'a Resources,
}

/// A session and what it works with.
pub(super) struct Opened {
    pub(super) session: Arc<SqlSession>,
    pub(super) env: Env,
    /// The warehouse or table, for the greeting.
    pub(super) about: String,
    /// The one table that was named by its directory.
    pub(super) table: Option<Identifier>,
}

/// A catalog, the database to start in, and a sentence about them.
struct Place {
    catalog: Arc<dyn Catalog>,
    /// The one table that it is about.
    table: Option<Identifier>,
    about: String,
}

/// Opens what the arguments name.
pub(super) async fn open(source: Source<'_>, settings: &Settings) -> Result<Opened, CliError> {
    let resources = source.resources.or(settings);
    // Buffers of tables and those of queries share the memory half and half.
    let memory = resources.memory_bytes() / 2;
    let env = resources.env(memory);
    let place = match source.table {
        Some(location) => table(location, &source, env.clone()).await?,
        None => warehouse(&source, settings, env.clone()).await?,
    };
    let mut conf = settings.conf.clone();
    conf.extend(source.conf.iter().cloned());
    let mut options = SessionOptions::new(place.catalog, env.clone())
        .memory_bytes(memory)
        .threads(resources.threads())
        .sync(source.durability.sync_mode());
    options.settings = conf;
    name_catalogs(&mut options, &source, settings);
    if let Some(table) = &place.table {
        options = options.database(&table.database);
    }
    let session = Arc::new(SqlSession::new(options).await?);
    if let Some(reason) = session.spill_refusal() {
        note(&format!("warning: what does not fit into memory cannot be put on disk: {reason}"));
    }
    Ok(Opened { session, env, about: place.about, table: place.table })
}

/// Gives the catalog in use its name in the configuration, and the session the others there.
///
/// Nothing is read of these before a statement names them.
fn name_catalogs(options: &mut SessionOptions, source: &Source<'_>, settings: &Settings) {
    let named = source.warehouse.or(source.table);
    let in_use = settings.catalog_in_use(named, source.catalog);
    if let Some(name) = in_use
        && let Some(catalog) = options.catalogs.remove(&options.default_catalog)
    {
        options.catalogs.insert(name.to_owned(), catalog);
        name.clone_into(&mut options.default_catalog);
    }
    for (name, location) in &settings.catalogs {
        if options.catalogs.contains_key(name) {
            continue;
        }
        match open_root(location, source.durability.sync_mode()) {
            Ok(root) => {
                let catalog = FileSystemCatalog::new(root, options.env.clone());
                options.catalogs.insert(name.clone(), Arc::new(catalog));
            }
            Err(error) => note(&format!("catalog '{name}' of {FILE} cannot be used: {error}")),
        }
    }
}

async fn warehouse(source: &Source<'_>, settings: &Settings, env: Env) -> Result<Place, CliError> {
    let sync = source.durability.sync_mode();
    let named = settings.warehouse(source.warehouse, source.catalog)?;
    let catalog = match &named {
        Some(named) => {
            let options = CatalogOptions { create: source.create, sync };
            headwater::open_catalog_with(named, options, env).await?
        }
        // The first file that is written makes the directory.
        None => FileSystemCatalog::new(open_root(DEFAULT_WAREHOUSE, sync)?, env),
    };
    let about = format!("warehouse {}", named.as_deref().unwrap_or(DEFAULT_WAREHOUSE));
    Ok(Place { catalog: Arc::new(catalog), table: None, about })
}

async fn table(location: &str, source: &Source<'_>, env: Env) -> Result<Place, CliError> {
    let located = locate_table(location, source.durability.sync_mode(), env).await;
    let LocatedTable { catalog, name, warehouse } = located.map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            CliError::argument(format!(
                "there is no table at {location}: the directory of a table is needed, with its \
                 folder 'schema'; a warehouse is opened with --warehouse"
            ))
        } else {
            error.into()
        }
    })?;
    let about = about(catalog.as_ref(), &name, warehouse.as_deref()).await?;
    Ok(Place { catalog, table: Some(name), about })
}

/// What the shell says of a table that was named by its directory.
async fn about(
    catalog: &dyn Catalog,
    name: &Identifier,
    warehouse: Option<&str>,
) -> Result<String, CliError> {
    let table = headwater::open_table(catalog, name).await?;
    let columns = table.row_type().fields.len();
    let mut text = format!("table {name}, {columns} columns");
    let keys = &table.schema().primary_keys;
    if !keys.is_empty() {
        text.push_str(&format!(", primary key ({})", keys.join(", ")));
    }
    if let Some(warehouse) = warehouse {
        text.push_str(&format!(", in warehouse {warehouse}"));
    }
    Ok(text)
}
