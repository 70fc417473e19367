//! Files as tables: `FROM 'orders.csv'`, `FROM 'data/*.parquet'`, `FROM read_csv('x.txt', …)`.
//! Columns and types come from the files, or from the statement.

mod csv;
mod request;
mod sniff;
mod uses;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{Field, Schema};
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use futures::TryStreamExt;
use headwater::spec::types::arrow_type;

use self::csv::CsvTable;
pub(crate) use self::request::{Format, Request, function_table};
use self::uses::Columns;
pub(crate) use self::uses::{Purpose, text_columns};
use crate::changelog::{ChangelogTable, DeadLetters, Envelope, Records};
use crate::error::SqlError;

/// What one statement knows of the files that it names.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    csv: Mutex<BTreeMap<String, CsvTable>>,
    texts: Mutex<Columns>,
    /// Where records go that are no changes.
    letters: Arc<DeadLetters>,
}

impl OpenFiles {
    /// `letters`: where records go that are no changes.
    pub(crate) fn new(letters: DeadLetters) -> Self {
        Self { letters: Arc::new(letters), ..Self::default() }
    }

    /// The records that were no changes.
    pub(crate) fn letters(&self) -> &DeadLetters {
        &self.letters
    }

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

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.open(name).await {
            Ok(table) => Ok(Some(table)),
            Err(error) => {
                let error = readable(Request::path_of(name), &error);
                Err(DataFusionError::External(Box::new(error)))
            }
        }
    }

    fn table_exist(&self, _name: &str) -> bool {
        true
    }
}

impl FilePaths {
    async fn open(&self, name: &str) -> Result<Arc<dyn TableProvider>> {
        let external = |error| DataFusionError::External(Box::new(error));
        let request = Request::parse(name).map_err(external)?;
        let table: Arc<dyn TableProvider> = match self.open.csv(name) {
            Some(table) => Arc::new(table),
            None => match opened(&request, self.state.as_ref(), true, &self.open.letters).await? {
                Opened::Typed(table) => table,
                Opened::Changes(table) => return Ok(Arc::new(table)),
                Opened::Texts(table) => {
                    self.open.opened(name, table.clone());
                    Arc::new(table)
                }
            },
        };
        match &request.changelog {
            None => Ok(table),
            Some(column) => {
                let letters = &self.open.letters;
                let table = ChangelogTable::of_column(table, column, &request.path, letters);
                Ok(Arc::new(table.map_err(external)?))
            }
        }
    }
}

/// The files of a request whose columns are all given; names of directories are not columns.
pub(crate) async fn open(
    request: &Request,
    state: &SessionState,
    open: &OpenFiles,
) -> std::result::Result<Arc<dyn TableProvider>, SqlError> {
    match opened(request, state, false, &open.letters).await {
        Ok(Opened::Typed(table)) => Ok(table),
        Ok(Opened::Changes(table)) => Ok(Arc::new(table)),
        Ok(Opened::Texts(table)) => Ok(Arc::new(table)),
        Err(error) => Err(readable(&request.path, &error)),
    }
}

/// Files as a table.
enum Opened {
    /// The files say what types their values have.
    Typed(Arc<ListingTable>),
    /// The files hold texts.
    Texts(CsvTable),
    /// The files hold records of changes.
    Changes(ChangelogTable),
}

async fn opened(
    request: &Request,
    state: &SessionState,
    directories: bool,
    letters: &Arc<DeadLetters>,
) -> Result<Opened> {
    let url = ListingTableUrl::parse(&request.path)?;
    if let (Some(Format::Changes(envelope)), Some(columns)) = (request.format, &request.columns) {
        let records = records(request, &url, state, envelope, (columns, letters)).await?;
        return Ok(Opened::Changes(ChangelogTable::of_records(records)));
    }
    let options = listing_options(request, &url, state).await?;
    let mut config = ListingTableConfig::new(url.clone()).with_listing_options(options.clone());
    if directories && url.is_collection() {
        config = config.infer_partitions_from_path(state).await?;
    }
    if let (Some(columns), false) = (&request.columns, is_csv(&options)) {
        let field = |(name, given): &(String, headwater::DataType)| {
            Field::new(name, arrow_type(&given.kind), true)
        };
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
        config = config.with_schema(Arc::new(schema));
    }
    let table = ListingTable::try_new(config.infer_schema(state).await?)?;
    if !is_csv(&options) {
        return Ok(Opened::Typed(Arc::new(table)));
    }
    check_headers(state, &url, &options).await?;
    Ok(Opened::Texts(CsvTable::open(request, table, state, state.task_ctx()).await?))
}

/// The files of records.
async fn records(
    request: &Request,
    url: &ListingTableUrl,
    state: &SessionState,
    envelope: Envelope,
    (columns, letters): (&[(String, headwater::DataType)], &Arc<DeadLetters>),
) -> Result<Records> {
    let store = state.runtime_env().object_store(url)?;
    let files = url.list_all_files(state, store.as_ref(), "").await?;
    let mut files: Vec<_> = files.try_collect().await?;
    files.sort_by(|a, b| a.location.cmp(&b.location));
    let Some(first) = files.first() else {
        return Err(DataFusionError::Plan("No files for table".to_owned()));
    };
    let path = first.location.as_ref();
    let (_, compressed) = ListingTableConfig::infer_file_extension_and_compression_type(path)
        .unwrap_or((String::new(), None));
    let named = request.compression.as_deref().or(compressed.as_deref());
    let compression = match named.filter(|named| *named != "none") {
        Some(named) => FileCompressionType::from_str(named)?,
        None => FileCompressionType::UNCOMPRESSED,
    };
    let (columns, letters) = (columns.to_vec(), Arc::clone(letters));
    Ok(Records { store, files, compression, envelope, columns, letters })
}

/// Format and compression: as the request says, else as the first file is called.
async fn listing_options(
    request: &Request,
    url: &ListingTableUrl,
    state: &SessionState,
) -> Result<ListingOptions> {
    let store = state.runtime_env().object_store(url)?;
    let mut files = url.list_all_files(state, store.as_ref(), "").await?;
    let Some(first) = files.try_next().await? else {
        return Err(DataFusionError::Plan("No files for table".to_owned()));
    };
    drop(files);
    let (extension, compressed) =
        ListingTableConfig::infer_file_extension_and_compression_type(first.location.as_ref())?;
    let format = match (request.format, extension.to_ascii_lowercase().as_str()) {
        (Some(format), _) => format,
        (None, "csv" | "tsv") => Format::Csv,
        (None, "json" | "ndjson" | "jsonl") => Format::Json,
        (None, "parquet") => Format::Parquet,
        (None, other) => {
            return Err(DataFusionError::Plan(format!(
                "its format is not known by '.{other}': use read_csv('…'), read_json('…') or \
                 read_parquet('…')"
            )));
        }
    };
    let compression = match request.compression.as_deref() {
        Some("none") => FileCompressionType::UNCOMPRESSED,
        Some(named) => FileCompressionType::from_str(named)?,
        None => match &compressed {
            Some(named) => FileCompressionType::from_str(named)?,
            None => FileCompressionType::UNCOMPRESSED,
        },
    };
    let defaults = state.default_table_options();
    let format: Arc<dyn FileFormat> = match format {
        Format::Changes(_) => {
            return Err(DataFusionError::Internal("records are read elsewhere".to_owned()));
        }
        Format::Parquet => {
            Arc::new(ParquetFormat::default().with_options(defaults.parquet.clone()))
        }
        // All rows are looked at: what a later row has in addition must not get lost.
        Format::Json => Arc::new(
            JsonFormat::default()
                .with_options(defaults.json.clone())
                .with_schema_infer_max_rec(usize::MAX)
                .with_file_compression_type(compression),
        ),
        Format::Csv => {
            let mut options = defaults.csv.clone();
            options.has_header = request.header.or(options.has_header);
            if let Some(delimiter) = request.delimiter {
                options.delimiter = delimiter;
            } else if extension.eq_ignore_ascii_case("tsv") {
                options.delimiter = b'\t';
            }
            options.quote = request.quote.unwrap_or(options.quote);
            options.escape = request.escape.or(options.escape);
            options.comment = request.comment.or(options.comment);
            // Every column is read as text, with line breaks inside of quotes.
            Arc::new(
                CsvFormat::default()
                    .with_options(options)
                    .with_schema_infer_max_rec(0)
                    .with_newlines_in_values(true)
                    .with_file_compression_type(compression),
            )
        }
    };
    let extension = match compressed {
        _ if request.format.is_some() => String::new(),
        Some(compressed) => format!("{extension}.{compressed}"),
        None => extension,
    };
    Ok(ListingOptions::new(format).with_file_extension(extension))
}

fn is_csv(options: &ListingOptions) -> bool {
    let format: &dyn FileFormat = options.format.as_ref();
    (format as &dyn std::any::Any).is::<CsvFormat>()
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
