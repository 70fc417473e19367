//! Files as tables: `FROM 'orders.csv'`, `FROM 'data/*.parquet'`. Columns and types come from the
//! files.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::datasource::listing::{
    ListingTable, ListingTableConfig, ListingTableConfigExt, ListingTableUrl,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;

use crate::error::SqlError;

/// The catalog of all files of this machine; a table's name is a path.
pub(crate) struct Files {
    state: Arc<SessionState>,
}

impl Files {
    /// `state` knows the formats and the store.
    pub(crate) const fn new(state: Arc<SessionState>) -> Self {
        Self { state }
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}

impl CatalogProvider for Files {
    fn schema_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn schema(&self, _name: &str) -> Option<Arc<dyn SchemaProvider>> {
        Some(Arc::new(FilePaths { state: Arc::clone(&self.state) }))
    }
}

struct FilePaths {
    state: Arc<SessionState>,
}

impl fmt::Debug for FilePaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePaths").finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for FilePaths {
    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }

    async fn table(&self, path: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.open(path).await {
            Ok(table) => Ok(Some(Arc::new(table))),
            Err(error) => Err(DataFusionError::External(Box::new(readable(path, &error)))),
        }
    }

    fn table_exist(&self, _path: &str) -> bool {
        true
    }
}

impl FilePaths {
    async fn open(&self, path: &str) -> Result<ListingTable> {
        let state = self.state.as_ref();
        let url = ListingTableUrl::parse(path)?;
        let is_directory = url.is_collection();
        let mut config = ListingTableConfig::new(url).infer_options(state).await?;
        if is_directory {
            config = config.infer_partitions_from_path(state).await?;
        }
        ListingTable::try_new(config.infer_schema(state).await?)
    }
}

fn readable(path: &str, error: &DataFusionError) -> SqlError {
    let text = error.strip_backtrace();
    if matches!(error.find_root(), DataFusionError::ObjectStore(_)) && text.contains("not found")
        || text.contains("No files for table")
    {
        return SqlError::invalid(format!("file '{path}' does not exist"));
    }
    SqlError::invalid(format!("file '{path}' cannot be read as a table: {text}"))
}
