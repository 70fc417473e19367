//! The operations that this library can do itself.

use std::path::{Path, PathBuf};

use headwater::{Datum, Error, Overwrite, Table};
use serde_json::{Map, Value};

use crate::rows::{create, definition, partition_spec, write};

/// A table of ours that is being replayed.
pub(super) struct Ours {
    warehouse: PathBuf,
    name: String,
    /// The table's directory.
    pub(super) dir: PathBuf,
    /// The table, once it is there.
    pub(super) table: Option<Table>,
}

impl Ours {
    pub(super) fn new(warehouse: &Path, name: &str) -> Self {
        Self {
            warehouse: warehouse.to_owned(),
            name: name.to_owned(),
            dir: warehouse.join(format!("golden.db/{name}")),
            table: None,
        }
    }

    /// Does a create, commit, overwrite or truncate.
    pub(super) async fn apply(&mut self, operation: &Value) -> Result<(), Error> {
        if operation["op"] == "create" {
            let made = create(&self.warehouse, &self.name, &definition(operation)).await?;
            // A table that we refuse to write is no replay, even without a commit.
            made.new_write().streaming().build()?;
            self.table = Some(made);
            return Ok(());
        }
        let table = self.table.as_ref().unwrap();
        let none = Vec::new();
        let rows = operation["rows"].as_array().unwrap_or(&none);
        // Truncations have no identifier; any that has not been used does.
        let id = operation["id"].as_i64().unwrap_or(i64::MAX);
        let how = match operation["op"].as_str().unwrap() {
            "overwrite" => self.overwrite(operation),
            "truncate" => Overwrite::Static(self.partition(&operation["partition"])),
            _ => Overwrite::None,
        };
        write(table, "replay", id, rows, how).await?;
        Ok(())
    }

    fn overwrite(&self, operation: &Value) -> Overwrite {
        let table = self.table.as_ref().unwrap();
        let given = self.partition(&operation["static_partition"]);
        let dynamic =
            operation["dynamic"].as_bool().unwrap_or(table.options().partition.dynamic_overwrite);
        let all_given = given.len() == table.schema().partition_keys.len();
        if dynamic && !all_given { Overwrite::Dynamic } else { Overwrite::Static(given) }
    }

    fn partition(&self, spec: &Value) -> Vec<(String, Option<Datum>)> {
        let none = Map::new();
        partition_spec(self.table.as_ref().unwrap(), spec.as_object().unwrap_or(&none))
    }
}
