//! Files as tables: `FROM 'orders.csv'`, `FROM 'data/*.parquet'`. Columns and types come from the
//! files.

mod csv;
mod sniff;
mod uses;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::Schema;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableConfigExt, ListingTableUrl,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use futures::TryStreamExt;

use self::csv::CsvTable;
use self::uses::Columns;
pub(crate) use self::uses::{Purpose, text_columns};
use crate::error::SqlError;

/// What one statement knows of the files that it names.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    csv: Mutex<BTreeMap<String, CsvTable>>,
    texts: Mutex<Columns>,
}

impl OpenFiles {
    /// Whether the statement reads files whose types come from texts.
    pub(crate) fn has_texts(&self) -> bool {
        !self.csv.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// From now on these columns are texts.
    pub(crate) fn keep_texts(&self, columns: Columns) {
        *self.texts.lock().unwrap_or_else(PoisonError::into_inner) = columns;
    }

    fn csv(&self, path: &str) -> Option<CsvTable> {
        let table = self.csv.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()?;
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        Some(match texts.get(path) {
            Some(columns) => table.with_texts(columns),
            None => table,
        })
    }

    fn opened(&self, path: &str, table: CsvTable) {
        let mut all = self.csv.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(path.to_owned(), table);
    }
}

/// The catalog of all files of this machine; a table's name is a path.
pub(crate) struct Files {
    state: Arc<SessionState>,
    open: Arc<OpenFiles>,
}

impl Files {
    /// `state` knows the formats and the store; `open` belongs to the statement.
    pub(crate) const fn new(state: Arc<SessionState>, open: Arc<OpenFiles>) -> Self {
        Self { state, open }
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
        let (state, open) = (Arc::clone(&self.state), Arc::clone(&self.open));
        Some(Arc::new(FilePaths { state, open }))
    }
}

struct FilePaths {
    state: Arc<SessionState>,
    open: Arc<OpenFiles>,
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
            Ok(table) => Ok(Some(table)),
            Err(error) => Err(DataFusionError::External(Box::new(readable(path, &error)))),
        }
    }

    fn table_exist(&self, _path: &str) -> bool {
        true
    }
}

impl FilePaths {
    async fn open(&self, path: &str) -> Result<Arc<dyn TableProvider>> {
        if let Some(table) = self.open.csv(path) {
            return Ok(Arc::new(table));
        }
        let state = self.state.as_ref();
        let url = ListingTableUrl::parse(path)?;
        let is_directory = url.is_collection();
        let mut config = ListingTableConfig::new(url.clone()).infer_options(state).await?;
        let csv = config.options.as_ref().and_then(text_options);
        if let Some(options) = &csv {
            config = config.with_listing_options(options.clone());
        }
        if is_directory {
            config = config.infer_partitions_from_path(state).await?;
        }
        let table = ListingTable::try_new(config.infer_schema(state).await?)?;
        let Some(options) = csv else { return Ok(Arc::new(table)) };
        check_headers(state, &url, &options).await?;
        let table = CsvTable::open(path, table, state, self.state.task_ctx()).await?;
        self.open.opened(path, table.clone());
        Ok(Arc::new(table))
    }
}

/// For CSV: reads every column as text, and line breaks inside of quotes.
fn text_options(options: &ListingOptions) -> Option<ListingOptions> {
    let format: &dyn FileFormat = options.format.as_ref();
    let format = (format as &dyn std::any::Any).downcast_ref::<CsvFormat>()?;
    let format = CsvFormat::default()
        .with_options(format.options().clone())
        .with_schema_infer_max_rec(0)
        .with_newlines_in_values(true);
    Some(ListingOptions { format: Arc::new(format), ..options.clone() })
}

/// Refuses files whose columns are not those of the first: they are read by position.
async fn check_headers(
    state: &SessionState,
    url: &ListingTableUrl,
    options: &ListingOptions,
) -> Result<()> {
    let store = state.runtime_env().object_store(url)?;
    let files = url.list_all_files(state, store.as_ref(), &options.file_extension).await?;
    let mut first: Option<(String, Arc<Schema>)> = None;
    for file in files.try_collect::<Vec<_>>().await? {
        let found = options.format.infer_schema(state, &store, std::slice::from_ref(&file)).await?;
        match &first {
            None => first = Some((file.location.to_string(), found)),
            Some((name, known)) if *known != found => {
                return Err(DataFusionError::Plan(format!(
                    "/{} has other columns than /{name}, or another order of them",
                    file.location
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
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
