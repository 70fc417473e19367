//! From the directory of a table to a catalog that has it.
//!
//! `<warehouse>/<database>.db/<table>` is a table of its warehouse; any other directory is a table
//! of its own. Format: `docs/spec/catalog.md`.

use std::sync::Arc;

use headwater_io::{Env, SyncMode, host, open_root};
use headwater_metadata::{Catalog, FileSystemCatalog, Identifier, OneTableCatalog};

use crate::error::Result;

/// Database of a table that lies in none.
const NO_DATABASE: &str = "default";

/// A table that was named by its directory.
#[derive(Debug, Clone)]
pub struct LocatedTable {
    /// The catalog that has it.
    pub catalog: Arc<dyn Catalog>,
    /// Its name there.
    pub name: Identifier,
    /// The warehouse it is in, if it is in one.
    pub warehouse: Option<String>,
}

/// Finds the catalog of the table whose directory is `location` (a directory or URI).
///
/// # Errors
/// There is no table, its schema is corrupt, or the URI is not supported.
pub async fn locate_table(location: &str, sync: SyncMode, env: Env) -> Result<LocatedTable> {
    let location = match location.trim_end_matches('/') {
        "" => "/",
        trimmed => trimmed,
    };
    let full = if is_uri(location) { location.to_owned() } else { host::absolute_path(location)? };
    let (warehouse, name) = names_in(&full);
    let catalog: Arc<dyn Catalog> = match warehouse {
        Some(warehouse) => Arc::new(FileSystemCatalog::new(open_root(warehouse, sync)?, env)),
        None => Arc::new(OneTableCatalog::new(open_root(&full, sync)?, name.clone(), env)),
    };
    catalog.load_table(&name).await?;
    Ok(LocatedTable { catalog, name, warehouse: warehouse.map(str::to_owned) })
}

fn is_uri(location: &str) -> bool {
    location.contains("://") || location.starts_with("file:/")
}

/// The warehouse, if `location` lies in one, and the table's name.
fn names_in(location: &str) -> (Option<&str>, Identifier) {
    let (parent, table) = location.rsplit_once('/').unwrap_or(("", location));
    let (above, folder) = parent.rsplit_once('/').unwrap_or(("", parent));
    match folder.strip_suffix(".db") {
        // A bucket is no folder.
        Some(database) if !database.is_empty() && !above.ends_with(":/") => {
            let warehouse = if above.is_empty() { "/" } else { above };
            (Some(warehouse), Identifier::new(database, table))
        }
        _ => (None, Identifier::new(NO_DATABASE, table)),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_uri, names_in};

    #[test]
    fn a_directory_below_a_database_is_a_table_of_its_warehouse() {
        for (location, warehouse) in [
            ("/w/shop.db/orders", "/w"),
            ("/shop.db/orders", "/"),
            ("s3://bucket/w/shop.db/orders", "s3://bucket/w"),
            ("s3://bucket/shop.db/orders", "s3://bucket"),
            ("file:///w/shop.db/orders", "file:///w"),
        ] {
            let (found, name) = names_in(location);
            assert_eq!((found, name.to_string().as_str()), (Some(warehouse), "shop.orders"));
        }
    }

    #[test]
    fn any_other_directory_is_a_table_of_its_own() {
        for location in
            ["/data/orders", "/orders", "/.db/orders", "s3://bucket/orders", "s3://a.db/orders"]
        {
            let (found, name) = names_in(location);
            assert_eq!((found, name.to_string().as_str()), (None, "default.orders"));
        }
    }

    #[test]
    fn addresses_are_not_looked_up_on_disk() {
        assert!(is_uri("s3://b/t") && is_uri("file:/t") && is_uri("memory://t"));
        assert!(!is_uri("/t") && !is_uri("./a:b"));
    }
}
