//! The catalogs of a session: CREATE, DROP, USE and SHOW CATALOG.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::options::{self, nearest_of};
use headwater::{Catalog, CatalogOptions, Env, SyncMode};

use crate::error::SqlError;
use crate::hint::OptionList;
use crate::names::Current;

/// The database that is always there.
///
/// Format: `docs/spec/catalog.md`. Source: Paimon 1.4.2 `Catalog#DEFAULT_DATABASE`.
pub(crate) const DEFAULT_DATABASE: &str = "default";
/// Options of a catalog that start so are options of every table made in it.
const TABLE_DEFAULT: &str = "table-default.";

/// Options of a catalog that Flink and this version have beside Paimon's.
const OF_FLINK: [&str; 2] = ["type", "default-database"];
/// Why an option of a catalog does nothing, by the start of its key.
const NO_EFFECT: [(&str, &str); 9] = [
    ("cache", "nothing is cached"),
    ("client-pool-size", "there is no metastore to connect to"),
    ("file-io.allow-cache", "nothing is cached"),
    ("format-table.enabled", "there are no format tables"),
    ("lock-", "a commit needs no lock of the catalog"),
    ("lock.enabled", "a commit needs no lock of the catalog"),
    ("lock.type", "a commit needs no lock of the catalog"),
    ("resolving-file-io.enabled", "the URI of the warehouse decides on the file system"),
    ("sync-all-properties", "there is no metastore to tell about properties"),
];
/// Options that go to a file system, by the start of their names.
const FILE_SYSTEMS: [&str; 10] =
    ["s3.", "s3a.", "fs.", "oss.", "hadoop.", "hdfs.", "obs.", "gs.", "cosn.", "azure."];

/// One catalog of a session.
#[derive(Debug, Clone)]
pub(crate) struct CatalogEntry {
    pub(crate) catalog: Arc<dyn Catalog>,
    /// Database of names without one, once the catalog is in use.
    pub(crate) default_database: String,
    /// Options of every table that is made in it, unless the statement says else.
    pub(crate) table_defaults: OptionList,
    /// The options it was made with; empty for the one that the session started with.
    pub(crate) options: OptionList,
}

impl CatalogEntry {
    /// The catalog that a session starts with.
    pub(crate) fn given(catalog: Arc<dyn Catalog>) -> Self {
        Self {
            catalog,
            default_database: DEFAULT_DATABASE.to_owned(),
            table_defaults: Vec::new(),
            options: Vec::new(),
        }
    }
}

/// All catalogs by name, and where names without one look.
#[derive(Debug, Clone)]
pub(crate) struct Catalogs {
    entries: BTreeMap<String, Arc<CatalogEntry>>,
    pub(crate) current: Current,
}

impl Catalogs {
    pub(crate) fn new(entries: BTreeMap<String, Arc<CatalogEntry>>, current: Current) -> Self {
        Self { entries, current }
    }

    /// The catalog `name`.
    pub(crate) fn get(&self, name: &str) -> Result<&Arc<CatalogEntry>, SqlError> {
        self.entries.get(name).ok_or_else(|| {
            SqlError::invalid(format!(
                "catalog '{name}' does not exist; there are: {}",
                self.names().collect::<Vec<_>>().join(", ")
            ))
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The names, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    pub(crate) fn insert(&mut self, name: &str, entry: CatalogEntry) {
        self.entries.insert(name.to_owned(), Arc::new(entry));
    }

    /// Removes a catalog; not the current one.
    pub(crate) fn remove(&mut self, name: &str) -> Result<(), SqlError> {
        if self.current.catalog == name {
            return Err(SqlError::invalid(format!(
                "catalog '{name}' is in use: USE another CATALOG first"
            )));
        }
        self.entries.remove(name);
        Ok(())
    }

    /// Makes `name` the current catalog, at its default database.
    pub(crate) fn set_current(&mut self, name: &str) -> Result<(), SqlError> {
        let database = self.get(name)?.default_database.clone();
        if self.current.catalog != name {
            self.current = Current { catalog: name.to_owned(), database };
        }
        Ok(())
    }
}

/// Opens the catalog of `CREATE CATALOG name WITH (given)`; the warehouse is made if it is not
/// there. Also returns what the user should hear.
pub(crate) async fn open(
    given: OptionList,
    sync: SyncMode,
    env: &Env,
) -> Result<(CatalogEntry, Vec<String>), SqlError> {
    let mut warnings = Vec::new();
    let mut table_defaults = Vec::new();
    let mut default_database = DEFAULT_DATABASE.to_owned();
    let mut warehouse = None;
    let mut is_paimon = false;
    for (key, value) in &given {
        match key.as_str() {
            "type" if value == "paimon" => is_paimon = true,
            "type" => {
                return Err(SqlError::unsupported(
                    format!("a catalog of type '{value}' is"),
                    "only 'type' = 'paimon' is known; make TEMPORARY tables for other files",
                ));
            }
            "metastore" if value == "filesystem" => {}
            "metastore" => {
                return Err(SqlError::unsupported(
                    format!("'metastore' = '{value}' is"),
                    "this version reads catalogs that are directories: 'filesystem'",
                ));
            }
            "table.type" if value.eq_ignore_ascii_case("managed") => {}
            "table.type" => {
                return Err(SqlError::unsupported(
                    format!("'table.type' = '{value}' is"),
                    "a directory has managed tables only",
                ));
            }
            "warehouse" => warehouse = Some(value.clone()),
            "default-database" => default_database.clone_from(value),
            "case-sensitive" | "allow-upper-case" if value.eq_ignore_ascii_case("true") => {}
            _ => match key.strip_prefix(TABLE_DEFAULT) {
                Some(option) => {
                    options::check_ddl(option, value).map_err(headwater::Error::from)?;
                    table_defaults.push((option.to_owned(), value.clone()));
                }
                None => warnings.extend(without_effect(key, value)?),
            },
        }
    }
    if !is_paimon {
        return Err(SqlError::invalid("a catalog needs the option 'type' = 'paimon'"));
    }
    let Some(warehouse) = warehouse else {
        return Err(SqlError::invalid(
            "a catalog needs the option 'warehouse': the directory or URI of its databases",
        ));
    };
    let how = CatalogOptions { create: true, sync };
    let catalog = headwater::open_catalog_with(&warehouse, how, env.clone()).await?;
    let entry = CatalogEntry {
        catalog: Arc::new(catalog),
        default_database,
        table_defaults,
        options: given,
    };
    Ok((entry, warnings))
}

/// The warning about an option that does nothing; unknown ones are refused, and those that ask for
/// what is not there.
fn without_effect(key: &str, value: &str) -> Result<Option<String>, SqlError> {
    if FILE_SYSTEMS.iter().any(|start| key.starts_with(start)) {
        return Err(SqlError::unsupported(
            format!("catalog option '{key}' is"),
            "stores are set up by the environment of the process, such as AWS_ENDPOINT_URL and \
             AWS_ACCESS_KEY_ID",
        ));
    }
    let Some(option) = options::catalog_option(key) else {
        let known = options::catalog_options().map(|option| option.key.as_str()).chain(OF_FLINK);
        let hint = nearest_of(key, known).map(|near| format!("; did you mean '{near}'?"));
        return Err(SqlError::invalid(format!(
            "there is no catalog option '{key}'{}",
            hint.unwrap_or_default()
        )));
    };
    options::check_catalog_option(option, value).map_err(headwater::Error::from)?;
    if options::is_default(option, value) {
        return Ok(None);
    }
    match NO_EFFECT.iter().find(|(start, _)| option.key.starts_with(start)) {
        Some((_, reason)) => Ok(Some(format!(
            "catalog option '{key}' = '{value}' has no effect in this version: {reason}"
        ))),
        // The value may be a secret.
        None => Err(SqlError::unsupported(
            format!("catalog option '{key}' is"),
            match option.key.as_str() {
                "case-sensitive" => "names are always case sensitive",
                _ => "this version reads catalogs that are directories, not metastores and servers",
            },
        )),
    }
}
