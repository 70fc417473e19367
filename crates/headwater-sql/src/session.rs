//! A session: the current database, DataFusion's settings, and the loop over a script.

mod define;

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::AsArray;
use arrow::datatypes::{Fields, Schema, UInt64Type};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::catalog::{CatalogProviderList, MemoryCatalogProviderList};
use datafusion::error::DataFusionError;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as QueryStatement;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use headwater::{Catalog, Env};

use crate::error::{SqlError, SqlErrorKind};
use crate::files::Files;
use crate::floats::FloatsStayFloats;
use crate::functions::{Flavour, Zone, register};
use crate::names::CATALOG;
use crate::parse::{Statement, parse};
use crate::provider::{HeadwaterCatalog, Lookups};
use crate::result::{Output, RowStream, StatementKind, StatementResult};
use crate::rewrite::FILE_CATALOG;
use crate::sample;
use crate::script::{Piece, split};

/// Results of a script, in the order of its statements; ends after the first error.
///
/// Rows of a result must be read (or dropped) before the next result is asked for.
pub type ScriptResults<'a> = BoxStream<'a, Result<StatementResult, SqlError>>;

/// What a session works with.
pub struct SessionOptions {
    /// Where databases and tables are.
    pub catalog: Arc<dyn Catalog>,
    /// Clock, randomness, threads and memory of the library.
    pub env: Env,
    /// Bytes that queries may hold before they spill (tables' own buffers are `env`'s budget).
    pub memory_bytes: usize,
    /// Partitions of a query that run at once.
    pub threads: usize,
    /// Database of table names without one.
    pub database: String,
    /// Whose functions a session has: the setting `headwater.functions`.
    pub functions: Flavour,
    /// Time zone of the session: a name such as `Europe/Berlin`, or `+02:00`.
    pub time_zone: String,
}

impl SessionOptions {
    /// 1 GiB of memory, 2 threads, database `default`, Flink's functions, time zone UTC.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>, env: Env) -> Self {
        Self {
            catalog,
            env,
            memory_bytes: 1 << 30,
            threads: 2,
            database: define::DEFAULT_DATABASE.to_owned(),
            functions: Flavour::default(),
            time_zone: "UTC".to_owned(),
        }
    }

    /// Whose functions a session has; Flink's unless told otherwise.
    #[must_use]
    pub fn functions(mut self, flavour: Flavour) -> Self {
        self.functions = flavour;
        self
    }

    /// Time zone of the session: a name such as `Europe/Berlin`, or `+02:00`; UTC unless told
    /// otherwise. [`SqlSession::new`] refuses a zone that is not known.
    #[must_use]
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = name.into();
        self
    }

    /// Bytes that queries may hold.
    #[must_use]
    pub fn memory_bytes(mut self, bytes: usize) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// Partitions of a query that run at once; at least 1.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Database of table names without one.
    #[must_use]
    pub fn database(mut self, name: impl Into<String>) -> Self {
        self.database = name.into();
        self
    }
}

/// Runs SQL on a catalog.
pub struct SqlSession {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) env: Env,
    threads: usize,
    /// Settings, functions, memory; knows no table.
    state: Arc<SessionState>,
    database: Mutex<String>,
    /// Warnings that were given already.
    warned: Mutex<BTreeSet<(String, String)>>,
}

impl std::fmt::Debug for SqlSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlSession").field("database", &self.database()).finish_non_exhaustive()
    }
}

impl SqlSession {
    /// A session on the catalog.
    ///
    /// # Errors
    /// When DataFusion cannot be set up, or the time zone is not known.
    pub async fn new(options: SessionOptions) -> Result<Self, SqlError> {
        let zone = Zone::of_session(&options.time_zone)?;
        let state = session_state(options.memory_bytes, options.threads)?;
        let state = register(state, options.functions, &zone, &options.env)?;
        Ok(Self {
            catalog: options.catalog,
            env: options.env,
            threads: options.threads,
            state: Arc::new(state),
            database: Mutex::new(options.database),
            warned: Mutex::new(BTreeSet::new()),
        })
    }

    /// Runs the statements of `script` in order, each when its result is asked for.
    pub fn run_script<'a>(&'a self, script: &str) -> ScriptResults<'a> {
        let run = Run { session: self, pieces: split(script), failed: Arc::default() };
        Box::pin(futures::stream::unfold(run, |mut run| async move {
            if run.failed.load(Ordering::Acquire) {
                return None;
            }
            let piece = run.pieces.pop_front()?;
            let result = match piece {
                Ok(piece) => run.session.run(piece, Arc::clone(&run.failed)).await,
                Err(error) => Err(error),
            };
            if result.is_err() {
                run.failed.store(true, Ordering::Release);
            }
            Some((result, run))
        }))
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// What is wrong with the statement, or went wrong in running it.
    pub async fn execute(&self, statement: &str) -> Result<StatementResult, SqlError> {
        let mut pieces = split(statement);
        match (pieces.pop_front(), pieces.is_empty()) {
            (Some(piece), true) => self.run(piece?, Arc::default()).await,
            (None, _) => Err(SqlError::invalid("there is no statement to run")),
            (Some(_), false) => {
                Err(SqlError::invalid("more than one statement: run them as a script"))
            }
        }
    }

    /// The current database.
    #[must_use]
    pub fn database(&self) -> String {
        self.database.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    fn set_database(&self, name: String) {
        *self.database.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    async fn run(
        &self,
        piece: Piece,
        failed: Arc<AtomicBool>,
    ) -> Result<StatementResult, SqlError> {
        let position = piece.position;
        let lookups = Arc::new(Lookups::default());
        let outcome = async {
            let statement = parse(piece.tokens)?;
            self.run_statement(statement, &lookups).await
        };
        let (kind, outcome) = Box::pin(outcome).await.map_err(|error| error.at(position))?;
        let output = match outcome {
            Outcome::Message(text) => Output::Message(text),
            Outcome::Affected(rows) => Output::Affected(rows),
            Outcome::Rows(rows) => Output::Rows(RowStream::new(rows, position, failed)),
        };
        Ok(StatementResult {
            number: position.number,
            line: position.line,
            kind,
            warnings: self.new_warnings(&lookups),
            output,
        })
    }

    async fn run_statement(
        &self,
        statement: Statement,
        lookups: &Arc<Lookups>,
    ) -> Result<(StatementKind, Outcome), SqlError> {
        Ok(match statement {
            Statement::Query { statement, names } => {
                let rows = self.query(*statement, lookups, self.threads).await?;
                (StatementKind::Query, Outcome::Rows(renamed(rows, names)))
            }
            Statement::Copy(copy) => {
                let rows = self.query(*copy, lookups, self.threads).await?;
                (StatementKind::Write, Outcome::Affected(count_of(rows).await?))
            }
            Statement::Insert(insert) => {
                let rows = self.insert(*insert, lookups).await?;
                (StatementKind::Write, Outcome::Affected(rows))
            }
            Statement::ShowDatabases
            | Statement::ShowTables { .. }
            | Statement::ShowCreateTable { .. }
            | Statement::Describe { .. } => {
                let batch = self.show(statement, lookups).await?;
                (StatementKind::Show, Outcome::Rows(rows_of(batch)))
            }
            other => (StatementKind::Definition, Outcome::Message(self.define(other).await?)),
        })
    }

    /// Plans and starts a query, EXPLAIN or COPY.
    pub(crate) async fn query(
        &self,
        statement: QueryStatement,
        lookups: &Arc<Lookups>,
        threads: usize,
    ) -> Result<SendableRecordBatchStream, SqlError> {
        let state = self.statement_state(lookups, threads);
        let planned = match state.statement_to_plan(statement).await {
            Ok(plan) => self.start(state, plan).await,
            Err(error) => Err(error),
        };
        planned.map_err(|error| explain_missing(error, lookups))
    }

    async fn start(
        &self,
        state: SessionState,
        plan: LogicalPlan,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let ordered = state.config().target_partitions() == 1;
        let context = SessionContext::new_with_state(state);
        let frame = context.execute_logical_plan(plan).await?;
        if !ordered {
            return frame.execute_stream().await;
        }
        // UNION ALL keeps its branches apart even then: one after the other, in their order.
        let task = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await?;
        let parts = plan.output_partitioning().partition_count();
        if parts == 1 {
            return plan.execute(0, task);
        }
        let schema = plan.schema();
        let parts = futures::stream::iter(
            (0..parts).map(move |part| plan.execute(part, Arc::clone(&task))),
        );
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, parts.try_flatten())))
    }

    /// DataFusion's state for one statement: its tables, the current database, `threads` parts.
    fn statement_state(&self, lookups: &Arc<Lookups>, threads: usize) -> SessionState {
        let catalogs = MemoryCatalogProviderList::new();
        let tables =
            HeadwaterCatalog { catalog: Arc::clone(&self.catalog), lookups: Arc::clone(lookups) };
        catalogs.register_catalog(CATALOG.to_owned(), Arc::new(tables));
        let files = Files::new(Arc::clone(&self.state));
        catalogs.register_catalog(FILE_CATALOG.to_owned(), Arc::new(files));
        let mut state = SessionStateBuilder::new_from_existing(self.state.as_ref().clone())
            .with_catalog_list(Arc::new(catalogs))
            .build();
        let options = state.config_mut().options_mut();
        options.catalog.default_schema = self.database();
        if threads == 1 {
            // Rows keep their order: the last row of a key is the one that stays.
            options.optimizer.repartition_file_scans = false;
        }
        if let Ok(partitions) = threads.max(1).to_string().parse() {
            options.execution.target_partitions = partitions;
        }
        state
    }

    /// The warnings that the session has not given yet.
    fn new_warnings(&self, lookups: &Lookups) -> Vec<String> {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        lookups
            .take_warnings()
            .into_iter()
            .filter(|warning| warned.insert(warning.clone()))
            .map(|(table, text)| format!("table {table}: {text}"))
            .collect()
    }
}

struct Run<'a> {
    session: &'a SqlSession,
    pieces: VecDeque<Result<Piece, SqlError>>,
    failed: Arc<AtomicBool>,
}

enum Outcome {
    Message(String),
    Affected(u64),
    Rows(SendableRecordBatchStream),
}

/// Rows of a row group in a Parquet file that COPY writes, which it holds in memory.
fn copy_row_group_rows(memory_bytes: usize) -> usize {
    (memory_bytes / 512).clamp(8_192, 131_072)
}

fn session_state(memory_bytes: usize, threads: usize) -> Result<SessionState, SqlError> {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_default_catalog_and_schema(CATALOG, define::DEFAULT_DATABASE)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false);
    let options = config.options_mut();
    // Names keep their case, as in Flink; texts stay plain strings; 1.5 is a DECIMAL.
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.parse_float_as_decimal = true;
    options.execution.parquet.schema_force_view_types = false;
    options.execution.parquet.max_row_group_size = copy_row_group_rows(memory_bytes);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(memory_bytes)))
        .build_arc()?;
    let local = ObjectStoreUrl::local_filesystem();
    runtime.register_object_store(local.as_ref(), headwater::io::local_object_store());
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .build();
    state.register_expr_planner(Arc::new(FloatsStayFloats)).map_err(SqlError::from_datafusion)?;
    state.register_udtf(sample::NAME, Arc::new(sample::SampleOrders));
    Ok(state)
}

/// The rows with other names for their columns.
fn renamed(
    rows: SendableRecordBatchStream,
    names: Vec<Option<String>>,
) -> SendableRecordBatchStream {
    let old = rows.schema();
    if names.len() != old.fields().len() {
        return rows;
    }
    let fields: Fields = old
        .fields()
        .iter()
        .zip(names)
        .map(|(field, name)| match name {
            Some(name) => Arc::new(field.as_ref().clone().with_name(name)),
            None => Arc::clone(field),
        })
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let target = Arc::clone(&schema);
    let rows = rows.map(move |batch| {
        let batch = batch?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns().to_vec();
        Ok(RecordBatch::try_new_with_options(Arc::clone(&target), columns, &options)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// A batch as the result of a statement.
fn rows_of(batch: RecordBatch) -> SendableRecordBatchStream {
    let schema = batch.schema();
    Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter([Ok(batch)])))
}

/// The planner only says that a name is unknown; the catalog knows why.
fn explain_missing(error: DataFusionError, lookups: &Lookups) -> SqlError {
    let error = SqlError::from_datafusion(error);
    let SqlErrorKind::Query(inner) = error.what() else { return error };
    let DataFusionError::Plan(text) = inner.find_root() else { return error };
    match lookups.take_missing() {
        Some((id, missing)) if text.contains(&id.table) && text.contains("not found") => {
            missing.into()
        }
        _ => error,
    }
}

/// The number in the only row that COPY gives.
async fn count_of(mut rows: SendableRecordBatchStream) -> Result<u64, SqlError> {
    let mut count = 0_u64;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        if let Some(column) =
            batch.columns().first().and_then(|c| c.as_primitive_opt::<UInt64Type>())
        {
            count = column.iter().flatten().fold(count, u64::saturating_add);
        }
    }
    Ok(count)
}
