//! From arguments and settings to a session, and a sentence that says what it is of.

use std::sync::Arc;

use headwater::io::open_root;
use headwater::{
    Catalog, CatalogOptions, Env, ErrorKind, FileSystemCatalog, Identifier, LocatedTable,
    locate_table,
};
use headwater_sql::settings::DEAD_LETTER;
use headwater_sql::{SessionOptions, SqlSession};

use super::Arguments;
use crate::config::{DEFAULT_WAREHOUSE, FILE, Settings};
use crate::error::CliError;
use crate::printer::note;

/// A session and what it works with.
pub(super) struct Opened {
    pub(super) session: Arc<SqlSession>,
    pub(super) env: Env,
    /// The warehouse or table, for the greeting.
    pub(super) about: String,
}

/// A catalog, the database to start in, and a sentence about them.
struct Place {
    catalog: Arc<dyn Catalog>,
    database: Option<String>,
    about: String,
}

/// Opens what the arguments name.
pub(super) async fn open(arguments: &Arguments, settings: &Settings) -> Result<Opened, CliError> {
    let resources = arguments.resources.or(settings);
    // Buffers of tables and those of queries share the memory half and half.
    let memory = resources.memory_bytes() / 2;
    let env = resources.env(memory);
    let place = match &arguments.table {
        Some(location) => table(location, arguments, env.clone()).await?,
        None => warehouse(arguments, settings, env.clone()).await?,
    };
    let mut conf = settings.conf.clone();
    conf.extend(arguments.conf.iter().cloned());
    if let Some(file) = &arguments.dead_letter {
        conf.insert(DEAD_LETTER.to_owned(), file.clone());
    }
    let mut options = SessionOptions::new(place.catalog, env.clone())
        .memory_bytes(memory)
        .threads(resources.threads())
        .sync(arguments.durability.sync_mode());
    options.settings = conf;
    name_catalogs(&mut options, arguments, settings);
    if let Some(database) = place.database {
        options = options.database(database);
    }
    let session = Arc::new(SqlSession::new(options).await?);
    Ok(Opened { session, env, about: place.about })
}

/// Gives the catalog in use its name in the configuration, and the session the others there.
///
/// Nothing is read of these before a statement names them.
fn name_catalogs(options: &mut SessionOptions, arguments: &Arguments, settings: &Settings) {
    let named = arguments.warehouse.as_deref().or(arguments.table.as_deref());
    let in_use = settings.catalog_in_use(named, arguments.catalog.as_deref());
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
        match open_root(location, arguments.durability.sync_mode()) {
            Ok(root) => {
                let catalog = FileSystemCatalog::new(root, options.env.clone());
                options.catalogs.insert(name.clone(), Arc::new(catalog));
            }
            Err(error) => note(&format!("catalog '{name}' of {FILE} cannot be used: {error}")),
        }
    }
}

async fn warehouse(
    arguments: &Arguments,
    settings: &Settings,
    env: Env,
) -> Result<Place, CliError> {
    let sync = arguments.durability.sync_mode();
    let named = settings.warehouse(arguments.warehouse.as_deref(), arguments.catalog.as_deref())?;
    let catalog = match &named {
        Some(named) => {
            let options = CatalogOptions { create: arguments.create, sync };
            headwater::open_catalog_with(named, options, env).await?
        }
        // The first file that is written makes the directory.
        None => FileSystemCatalog::new(open_root(DEFAULT_WAREHOUSE, sync)?, env),
    };
    let about = format!("warehouse {}", named.as_deref().unwrap_or(DEFAULT_WAREHOUSE));
    Ok(Place { catalog: Arc::new(catalog), database: None, about })
}

async fn table(location: &str, arguments: &Arguments, env: Env) -> Result<Place, CliError> {
    let located = locate_table(location, arguments.durability.sync_mode(), env).await;
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
    Ok(Place { catalog, database: Some(name.database), about })
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
