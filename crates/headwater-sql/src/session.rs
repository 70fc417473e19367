//! A session: its catalogs, temporary tables and settings, and the loop over a script.

mod alter;
mod catalogs;
mod copy;
mod create_as;
mod define;
mod engine;
mod explain;
mod lineage;
mod scope;
mod settings;
mod shape;
mod show;
mod states;
mod temporary;
mod truncate;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as QueryStatement;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use headwater::io::{IoError, ScratchDir};
use headwater::{Catalog, Env, SyncMode};

use self::catalogs::{CatalogEntry, Catalogs, DEFAULT_DATABASE};
use self::engine::session_state;
pub(crate) use self::scope::Scope;
use self::shape::{in_zone, renamed};
use self::states::States;
use self::temporary::Temporaries;
pub(crate) use self::temporary::Temporary;
use crate::changelog::{refuse_changelogs, with_kinds};
use crate::error::SqlError;
use crate::files::{Purpose, text_columns};
use crate::label::Labelled;
use crate::names::{CATALOG, Current};
use crate::parse::{Parsed, Statement, parse};
use crate::progress::Progress;
use crate::result::{Changed, Output, RowStream, StatementKind, StatementResult};
use crate::script::{Piece, split};

/// Results of a script, in the order of its statements; ends after the first error.
///
/// Rows of a result must be read (or dropped) before the next result is asked for.
pub type ScriptResults<'a> = BoxStream<'a, Result<StatementResult, SqlError>>;

/// What a session works with.
pub struct SessionOptions {
    /// Where databases and tables are, by the name of the catalog.
    pub catalogs: BTreeMap<String, Arc<dyn Catalog>>,
    /// Catalog of names without one; one of `catalogs`.
    pub default_catalog: String,
    /// Clock, randomness, threads and memory of the library.
    pub env: Env,
    /// Bytes that queries may hold before they spill (tables' own buffers are `env`'s budget).
    pub memory_bytes: usize,
    /// Partitions of a query that run at once.
    pub threads: usize,
    /// Database of table names without one.
    pub database: String,
    /// Whether catalogs that statements make wait for the disk.
    pub sync: SyncMode,
    /// Settings to start with, as SET would make them.
    pub settings: BTreeMap<String, String>,
}

impl SessionOptions {
    /// One catalog, called `paimon`; 1 GiB of memory, 2 threads, database `default`.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>, env: Env) -> Self {
        Self {
            catalogs: BTreeMap::from([(CATALOG.to_owned(), catalog)]),
            default_catalog: CATALOG.to_owned(),
            env,
            memory_bytes: 1 << 30,
            threads: 2,
            database: DEFAULT_DATABASE.to_owned(),
            sync: SyncMode::default(),
            settings: BTreeMap::new(),
        }
    }

    /// Another catalog.
    #[must_use]
    pub fn catalog(mut self, name: impl Into<String>, catalog: Arc<dyn Catalog>) -> Self {
        self.catalogs.insert(name.into(), catalog);
        self
    }

    /// Catalog of names without one.
    #[must_use]
    pub fn default_catalog(mut self, name: impl Into<String>) -> Self {
        self.default_catalog = name.into();
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

    /// Whether catalogs that statements make wait for the disk.
    #[must_use]
    pub fn sync(mut self, sync: SyncMode) -> Self {
        self.sync = sync;
        self
    }

    /// A setting to start with.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }
}

/// Runs SQL on the tables of catalogs.
pub struct SqlSession {
    pub(crate) env: Env,
    threads: usize,
    sync: SyncMode,
    states: States,
    catalogs: Mutex<Catalogs>,
    temporaries: Mutex<Temporaries>,
    settings: Mutex<BTreeMap<String, String>>,
    /// What RESET goes back to.
    first_settings: BTreeMap<String, String>,
    /// Warnings that were given already.
    warned: Mutex<BTreeSet<(String, String)>>,
    progress: Arc<Progress>,
    /// The script with a name that is running.
    pub(crate) labelled: Mutex<Labelled>,
    /// Where queries spill, or why they cannot.
    scratch: Result<ScratchDir, IoError>,
}

impl std::fmt::Debug for SqlSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlSession").field("database", &self.database()).finish_non_exhaustive()
    }
}

/// The content of a lock, whatever happened to those who held it before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SqlSession {
    /// A session on the catalogs.
    ///
    /// # Errors
    /// There is no catalog of the default name, a setting is not known, or DataFusion cannot be
    /// set up.
    pub async fn new(options: SessionOptions) -> Result<Self, SqlError> {
        let current = Current { catalog: options.default_catalog, database: options.database };
        let entries = options.catalogs.into_iter();
        let entries =
            entries.map(|(name, catalog)| (name, Arc::new(CatalogEntry::given(catalog)))).collect();
        let catalogs = Catalogs::new(entries, current);
        catalogs.get(&catalogs.current.catalog)?;
        let mut settings = BTreeMap::new();
        for (name, value) in options.settings {
            crate::settings::check(&name, &value)?;
            settings.insert(crate::settings::canonical(&name).to_owned(), value);
        }
        let scratch = options.env.scratch.create_dir(options.env.random.as_ref());
        let place = scratch.as_ref().ok();
        let state = session_state(options.memory_bytes, options.threads, place)?;
        let states = States::new(state, options.env.clone());
        states.of(&settings)?;
        Ok(Self {
            env: options.env,
            threads: options.threads,
            sync: options.sync,
            states,
            scratch,
            catalogs: Mutex::new(catalogs),
            temporaries: Mutex::new(BTreeMap::new()),
            first_settings: settings.clone(),
            settings: Mutex::new(settings),
            warned: Mutex::new(BTreeSet::new()),
            progress: Arc::default(),
            labelled: Mutex::default(),
        })
    }

    /// Why queries cannot use the disk for what does not fit into memory; `None` if they can. Those
    /// that need it fail.
    #[must_use]
    pub fn spill_refusal(&self) -> Option<String> {
        self.scratch.as_ref().err().map(ToString::to_string)
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

    /// Names of the functions that queries can call, sorted.
    ///
    /// # Errors
    /// DataFusion refuses a function.
    pub fn function_names(&self) -> Result<Vec<String>, SqlError> {
        let state = self.states.of(&lock(&self.settings))?;
        let mut names: BTreeSet<&String> = state.scalar_functions().keys().collect();
        names.extend(state.aggregate_functions().keys());
        names.extend(state.window_functions().keys());
        names.extend(state.table_functions().keys());
        names.retain(|name| !name.starts_with('$'));
        Ok(names.into_iter().cloned().collect())
    }

    /// How far the running statement is; starts anew with each statement.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    /// The current database.
    #[must_use]
    pub fn database(&self) -> String {
        lock(&self.catalogs).current.database.clone()
    }

    /// The current catalog.
    #[must_use]
    pub fn catalog_name(&self) -> String {
        lock(&self.catalogs).current.catalog.clone()
    }

    /// The value of a setting, if it is set.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        lock(&self.settings).get(crate::settings::canonical(name)).cloned()
    }

    /// What names mean now.
    pub(crate) fn scope(&self) -> Result<Arc<Scope>, SqlError> {
        let settings = lock(&self.settings).clone();
        Ok(Arc::new(Scope::new(
            self.states.of(&settings)?,
            Arc::new(lock(&self.catalogs).clone()),
            Arc::new(lock(&self.temporaries).clone()),
            Arc::new(settings),
            self.progress(),
            self.threads,
        )))
    }

    async fn run(
        &self,
        piece: Piece,
        failed: Arc<AtomicBool>,
    ) -> Result<StatementResult, SqlError> {
        let position = piece.position;
        self.progress.restart();
        let scope = self.scope()?;
        let outcome = async {
            let Parsed { statement, warnings } = parse(piece.tokens, piece.hints)?;
            for warning in warnings {
                scope.lookups.warn(warning);
            }
            let outcome = Box::pin(self.run_statement(statement, &scope)).await?;
            for note in scope.files.letters().finish()? {
                scope.lookups.note(note);
            }
            Ok(outcome)
        };
        let outcome: Result<_, SqlError> = Box::pin(outcome).await;
        if outcome.is_err() {
            scope.files.letters().discard();
        }
        let (kind, outcome) = outcome.map_err(|error| error.at(position))?;
        let output = match outcome {
            Outcome::Message(text) => Output::Message(text),
            Outcome::Affected(rows) => Output::Affected(rows),
            Outcome::Changed(changed) => Output::Changed(changed),
            Outcome::Rows(rows) => Output::Rows(RowStream::new(rows, position, failed)),
        };
        Ok(StatementResult {
            number: position.number,
            line: position.line,
            kind,
            warnings: self.new_warnings(&scope),
            output,
        })
    }

    async fn run_statement(
        &self,
        statement: Statement,
        scope: &Arc<Scope>,
    ) -> Result<(StatementKind, Outcome), SqlError> {
        Ok(match statement {
            Statement::Query(query) => {
                let rows =
                    self.query(*query.statement, scope, self.threads, Purpose::Result).await?;
                let rows = in_zone(renamed(rows, query.names), &scope.time_zone());
                (StatementKind::Query, Outcome::Rows(rows))
            }
            Statement::Explain(explain) => {
                let rows = self.explain(*explain, scope).await?;
                (StatementKind::Query, Outcome::Rows(rows))
            }
            Statement::Copy(copy) => {
                (StatementKind::Write, Outcome::Affected(self.copy(*copy, scope).await?))
            }
            Statement::Insert(insert) => {
                (StatementKind::Write, Box::pin(self.insert_statement(*insert, scope)).await?)
            }
            Statement::Change(change) => {
                (StatementKind::Write, Box::pin(self.change_rows(*change, scope)).await?)
            }
            Statement::CreateTable(create) if create.query.is_some() => {
                Box::pin(self.create_as(*create, scope)).await?
            }
            Statement::Show(show) => {
                (StatementKind::Show, Outcome::Rows(rows_of(self.show(show, scope).await?)))
            }
            Statement::Describe(describe) => {
                let batch = self.describe(describe, scope).await?;
                (StatementKind::Show, Outcome::Rows(rows_of(batch)))
            }
            Statement::Set(set) => self.set(set, scope)?,
            Statement::Call(call) => {
                let result = crate::procedure::run(call, scope).await?;
                (StatementKind::Call, Outcome::Rows(rows_of(result)))
            }
            other => {
                (StatementKind::Definition, Outcome::Message(self.define(other, scope).await?))
            }
        })
    }

    /// Plans and starts a query or COPY.
    pub(crate) async fn query(
        &self,
        statement: QueryStatement,
        scope: &Arc<Scope>,
        threads: usize,
        purpose: Purpose,
    ) -> Result<SendableRecordBatchStream, SqlError> {
        let (state, planned) = self.planned(statement, scope, threads, purpose).await;
        let started = match planned {
            Ok(plan) => self.start(state, plan).await,
            Err(error) => Err(error),
        };
        started.map_err(|error| scope.explain(SqlError::from_datafusion(error)))
    }

    /// Plans and starts the query of an INSERT. If it reads a changelog, the kinds of the rows are
    /// the last column; whether that is so.
    pub(crate) async fn query_changes(
        &self,
        statement: QueryStatement,
        scope: &Arc<Scope>,
        threads: usize,
        purpose: Purpose,
    ) -> Result<(SendableRecordBatchStream, bool), SqlError> {
        let (state, planned) = self.planned_changes(statement, scope, threads, purpose).await;
        let started = async {
            let plan = planned?;
            match with_kinds(&plan)? {
                Some(plan) => Ok((self.start(state, plan).await?, true)),
                None => Ok((self.start(state, plan).await?, false)),
            }
        };
        started.await.map_err(|error| scope.explain(SqlError::from_datafusion(error)))
    }

    /// Plans a query without starting it; its columns have their final types.
    pub(crate) async fn plan(
        &self,
        statement: QueryStatement,
        scope: &Arc<Scope>,
    ) -> Result<LogicalPlan, SqlError> {
        let (state, planned) = self.planned(statement, scope, self.threads, Purpose::Result).await;
        planned
            .and_then(|plan| shape::analyzed(plan, &state))
            .map_err(|error| scope.explain(SqlError::from_datafusion(error)))
    }

    /// Plans a query whose rows have no kinds.
    async fn planned(
        &self,
        statement: QueryStatement,
        scope: &Arc<Scope>,
        threads: usize,
        purpose: Purpose,
    ) -> (SessionState, Result<LogicalPlan, DataFusionError>) {
        let (state, planned) = self.planned_changes(statement, scope, threads, purpose).await;
        (state, planned.and_then(|plan| refuse_changelogs(&plan).map(|()| plan)))
    }

    /// Plans a query; what becomes of the texts of files decides how they are read.
    async fn planned_changes(
        &self,
        statement: QueryStatement,
        scope: &Arc<Scope>,
        threads: usize,
        purpose: Purpose,
    ) -> (SessionState, Result<LogicalPlan, DataFusionError>) {
        scope.files.keep_texts(BTreeMap::new());
        let state = scope.state(threads);
        let mut planned = state.statement_to_plan(statement.clone()).await;
        if let Ok(plan) = &planned
            && scope.files.has_texts()
        {
            match text_columns(plan, purpose) {
                Ok(texts) if texts.is_empty() => {}
                Ok(texts) => {
                    scope.files.keep_texts(texts);
                    planned = state.statement_to_plan(statement).await;
                }
                Err(error) => planned = Err(error),
            }
        }
        (state, planned)
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

    /// The warnings that the session has not given yet, and the notes of the statement.
    fn new_warnings(&self, scope: &Scope) -> Vec<String> {
        let mut warned = lock(&self.warned);
        let warnings = scope
            .lookups
            .take_warnings()
            .into_iter()
            .filter(|warning| warned.insert(warning.clone()))
            .map(|(table, text)| match table.as_str() {
                "" => text,
                _ => format!("table {table}: {text}"),
            });
        warnings.chain(scope.lookups.take_notes()).collect()
    }
}

struct Run<'a> {
    session: &'a SqlSession,
    pieces: VecDeque<Result<Piece, SqlError>>,
    failed: Arc<AtomicBool>,
}

/// What running a statement gave.
pub(crate) enum Outcome {
    Message(String),
    Affected(u64),
    Changed(Changed),
    Rows(SendableRecordBatchStream),
}

/// A batch as the result of a statement.
fn rows_of(batch: RecordBatch) -> SendableRecordBatchStream {
    let schema = batch.schema();
    Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter([Ok(batch)])))
}
