//! Reads and publishes schema documents.

use headwater_io::Publish;
use headwater_spec::path;
use headwater_spec::schema::SchemaChange;
use headwater_spec::{SpecError, TableSchema};

use crate::error::{MetadataError, Result};
use crate::store::TableStore;

impl TableStore {
    /// Ids of all schemas, ascending; empty if the directory is not a table.
    ///
    /// # Errors
    /// The listing failed.
    pub async fn schema_ids(&self) -> Result<Vec<i64>> {
        let mut ids: Vec<i64> = self
            .io()
            .list(&self.path(path::SCHEMA_DIR))
            .await?
            .iter()
            .filter_map(|f| path::number_after(&f.name, "schema-"))
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The newest schema.
    ///
    /// # Errors
    /// `TableNotFound` if there is none; corrupt document.
    pub async fn latest_schema(&self) -> Result<TableSchema> {
        match self.schema_ids().await?.last() {
            Some(id) => self.schema(*id).await,
            None => Err(MetadataError::TableNotFound { name: self.name().to_owned() }),
        }
    }

    /// The schema `id`.
    ///
    /// # Errors
    /// The document is missing or corrupt.
    pub async fn schema(&self, id: i64) -> Result<TableSchema> {
        let inside = path::schema_file(id);
        let bytes = self.read_recorded(&inside, "a data file or snapshot", None).await?;
        let file = self.path(&inside);
        let schema =
            TableSchema::from_json(&bytes).map_err(|e| MetadataError::corrupt(&file, e))?;
        if schema.id != id {
            let reason = format!("it holds schema {}, not {id}", schema.id);
            return Err(MetadataError::corrupt(&file, SpecError::corrupt("schema", reason)));
        }
        Ok(schema)
    }

    /// Makes the schema visible unless its id is taken.
    ///
    /// # Errors
    /// The write failed.
    pub async fn publish_schema(&self, schema: &TableSchema) -> Result<Publish> {
        let file = self.path(&path::schema_file(schema.id));
        Ok(self.io().publish(&file, schema.to_json()?.into()).await?)
    }

    /// Changes the newest schema into the next one and returns it, or the present one when the
    /// changes change nothing. Tried again on the newest schema when another one was faster.
    ///
    /// # Errors
    /// There is no table; a change that is not possible; the write failed.
    pub async fn change_schema(&self, changes: &[SchemaChange]) -> Result<TableSchema> {
        loop {
            let current = self.latest_schema().await?;
            let has_data = self.latest_snapshot_id().await?.is_some();
            let now = self.env().clock.now_millis();
            let Some(next) = current.changed(changes, has_data, now)? else {
                return Ok(current);
            };
            headwater_lsm::check_definition(&next)?;
            // Taken: another one changed the table in between.
            if self.publish_schema(&next).await? == Publish::Published {
                return Ok(next);
            }
        }
    }
}
