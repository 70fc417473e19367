//! A table with other options for one reader or writer, and as it was at another time.
//!
//! Source: Paimon 1.4.2 `AbstractFileStoreTable#copy`, `TimeTravelUtil`.

use headwater_spec::options::{check_change, check_ddl, known};
use headwater_spec::schema::validate;
use headwater_spec::{Snapshot, SpecError, TableSchema};

use crate::error::{Error, Result};
use crate::table::Table;

/// Options that choose a snapshot, in this version.
const TRAVEL: [&str; 3] = ["scan.snapshot-id", "scan.version", "scan.timestamp-millis"];

impl Table {
    /// The same table with these options set or replaced, for this value only: nothing is stored.
    /// `scan.snapshot-id`, `scan.version` (a number) and `scan.timestamp-millis` open it as it was
    /// then, for reading.
    ///
    /// # Errors
    /// [`SpecError::Option`] for an unknown option, a wrong value, or one that stored rows depend
    /// on; there is no such snapshot.
    pub async fn with_options(&self, options: &[(String, String)]) -> Result<Self> {
        let options = &newer_names(options);
        for (key, value) in options {
            check_ddl(key, value)?;
            check_change(self.schema(), key, value)?;
        }
        let pinned = self.travel(options).await?;
        let mut schema: TableSchema = match &pinned {
            Some(snapshot) => self.store().schema(snapshot.schema_id).await?,
            None => self.schema().clone(),
        };
        if pinned.is_some() {
            schema.options = self.schema().options.clone();
        }
        for (key, value) in options {
            let chooses = TRAVEL.contains(&key.as_str()) || is_travel_mode(key, value);
            if !(pinned.is_some() && chooses) {
                schema.options.insert(key, value);
            }
        }
        validate(&schema)?;
        headwater_lsm::check_definition(&schema)?;
        self.reopened(schema, pinned)
    }

    /// The snapshot that the options choose.
    async fn travel(&self, options: &[(String, String)]) -> Result<Option<Snapshot>> {
        let mut chosen = options.iter().filter(|(key, _)| TRAVEL.contains(&key.as_str()));
        let Some((key, value)) = chosen.next() else { return Ok(None) };
        let refuse = |key: &str, reason: String| {
            Err(SpecError::Option { key: key.to_owned(), reason }.into())
        };
        if let Some((other, _)) = chosen.next() {
            return refuse(other, format!("only one of it and '{key}' may be set"));
        }
        let Ok(number) = value.trim().parse::<i64>() else {
            return refuse(
                key,
                format!("'{value}' is no number: tags are not read by this version"),
            );
        };
        if key != "scan.timestamp-millis" {
            return Ok(Some(self.store().snapshot(number).await?));
        }
        match self.store().snapshot_at(number).await? {
            Some(snapshot) => Ok(Some(snapshot)),
            None => Err(Error::Request {
                table: self.name().to_owned(),
                reason: format!("there is no snapshot at or before {number} ms after 1970"),
            }),
        }
    }
}

/// The options with the newer names of those that choose a snapshot.
fn newer_names(options: &[(String, String)]) -> Vec<(String, String)> {
    let newer = |key: &str| {
        let name = known(key).map(|option| option.key.as_str())?;
        (TRAVEL.contains(&name) && !options.iter().any(|(other, _)| other == name)).then_some(name)
    };
    let named =
        |(key, value): &(String, String)| (newer(key).unwrap_or(key).to_owned(), value.clone());
    options.iter().map(named).collect()
}

/// Whether a scan mode says nothing more than the option that chooses the snapshot.
fn is_travel_mode(key: &str, value: &str) -> bool {
    let value = value.trim().to_lowercase();
    (key == "scan.mode" || key == "log.scan")
        && ["from-snapshot", "from-snapshot-full", "from-timestamp"].contains(&value.as_str())
}
