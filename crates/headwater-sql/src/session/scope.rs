//! What names mean in one statement: catalogs, temporary tables and views, options of hints and
//! settings. A statement sees the session as it was when the statement began.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::{CatalogProviderList, MemoryCatalogProviderList, TableProvider};
use datafusion::common::Column;
use datafusion::datasource::ViewTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use headwater::{Table, open_table};

use super::catalogs::{CatalogEntry, Catalogs};
use super::temporary::{Temporaries, Temporary, View};
use crate::changelog::{DeadLetters, refuse_changelogs};
use crate::dml::{TARGET_CATALOG, Target};
use crate::error::{SqlError, SqlErrorKind};
use crate::files::{Files, OpenFiles};
use crate::functions::Zone;
use crate::hint::OptionList;
use crate::names::{self, Current, FullName};
use crate::progress::Progress;
use crate::provider::{HeadwaterCatalog, Lookups};
use crate::rewrite::FILE_CATALOG;
use crate::settings;

/// How deep views may refer to views.
const MAX_VIEW_DEPTH: usize = 16;

/// The names of one statement.
pub(crate) struct Scope {
    /// Functions, memory, formats; knows no table.
    pub(crate) base: Arc<SessionState>,
    pub(crate) catalogs: Arc<Catalogs>,
    pub(crate) temporaries: Arc<Temporaries>,
    pub(crate) settings: Arc<BTreeMap<String, String>>,
    pub(crate) lookups: Arc<Lookups>,
    /// Files that the statement names.
    pub(crate) files: Arc<OpenFiles>,
    /// The table whose rows the statement changes.
    target: Mutex<Option<Arc<Target>>>,
    /// Where names without catalog or database look.
    pub(crate) current: Current,
    /// Partitions of a query that run at once.
    pub(crate) threads: usize,
    /// How many views this is inside of.
    depth: usize,
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope").field("current", &self.current).finish_non_exhaustive()
    }
}

impl Scope {
    pub(crate) fn new(
        base: Arc<SessionState>,
        catalogs: Arc<Catalogs>,
        temporaries: Arc<Temporaries>,
        settings: Arc<BTreeMap<String, String>>,
        progress: Arc<Progress>,
        threads: usize,
    ) -> Self {
        let current = catalogs.current.clone();
        let lookups = Arc::new(Lookups::new(progress));
        let letters = DeadLetters::new(settings.get(settings::DEAD_LETTER).cloned());
        let files = Arc::new(OpenFiles::new(letters));
        Self {
            base,
            catalogs,
            temporaries,
            settings,
            lookups,
            files,
            target: Mutex::default(),
            current,
            threads,
            depth: 0,
        }
    }

    /// The table that a statement names.
    pub(crate) fn name(&self, parts: &[String]) -> Result<FullName, SqlError> {
        names::table(parts, &self.current)
    }

    /// The statement changes rows of this table.
    pub(crate) fn change(&self, target: Arc<Target>) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(target);
    }

    /// The catalog of a name.
    pub(crate) fn entry(&self, name: &FullName) -> Result<&Arc<CatalogEntry>, SqlError> {
        self.catalogs.get(&name.catalog)
    }

    /// The planner only says that a name is unknown; the catalog knows why.
    pub(crate) fn explain(&self, error: SqlError) -> SqlError {
        let SqlErrorKind::Query(inner) = error.what() else { return error };
        let DataFusionError::Plan(text) = inner.find_root() else { return error };
        match self.lookups.take_missing() {
            Some((id, missing)) if text.contains(&id.table) && text.contains("not found") => {
                missing.at_word_of(&error)
            }
            _ => error,
        }
    }

    /// What a temporary name stands for.
    pub(crate) fn temporary(&self, name: &FullName) -> Option<&Temporary> {
        self.temporaries.get(name)
    }

    /// The options that settings and the hint behind its name give to a table.
    pub(crate) fn dynamic_options(&self, name: &FullName, hint: OptionList) -> OptionList {
        let parts = [name.catalog.as_str(), &name.id.database, &name.id.table];
        let mut options = settings::options_of(self.settings.iter(), parts);
        for (key, value) in hint {
            options.retain(|(known, _)| *known != key);
            options.push((key, value));
        }
        self.with_millis(&mut options);
        options
    }

    /// `scan.timestamp` is a time in the session's zone.
    fn with_millis(&self, options: &mut OptionList) {
        for (key, value) in options {
            if key == "scan.timestamp"
                && let Some(millis) = self.millis_of(value)
            {
                "scan.timestamp-millis".clone_into(key);
                *value = millis.to_string();
            }
        }
    }

    fn millis_of(&self, text: &str) -> Option<i64> {
        let zone = self.time_zone().parse::<arrow::array::timezone::Tz>().ok()?;
        let time = arrow::compute::kernels::cast_utils::string_to_datetime(&zone, text).ok()?;
        Some(time.timestamp_millis())
    }

    /// The zone of TIMESTAMP WITH LOCAL TIME ZONE.
    pub(crate) fn time_zone(&self) -> String {
        self.zone().name()
    }

    /// The same as more than a name.
    pub(crate) fn zone(&self) -> Zone {
        settings::zone(&self.settings).unwrap_or_default()
    }

    /// Opens a table of a catalog, with the options of settings and hint.
    pub(crate) async fn open(&self, name: &FullName, hint: OptionList) -> Result<Table, SqlError> {
        let entry = self.entry(name)?;
        let table = open_table(entry.catalog.as_ref(), &name.id).await?;
        let options = self.dynamic_options(name, hint);
        if options.is_empty() {
            self.lookups.opened(&table);
            return Ok(table);
        }
        let changed = table.with_options(&options).await?;
        // A query does not see what the options forbid to a writer: it is said.
        if table.write_refusal() == changed.write_refusal() {
            self.lookups.opened(&changed);
        } else {
            self.lookups.opened_anew(&changed);
        }
        Ok(changed)
    }

    /// DataFusion's state: the tables of this scope, its current names, `threads` parts.
    pub(crate) fn state(self: &Arc<Self>, threads: usize) -> SessionState {
        let catalogs = MemoryCatalogProviderList::new();
        for name in self.catalogs.names() {
            let provider = HeadwaterCatalog { name: name.to_owned(), scope: Arc::clone(self) };
            catalogs.register_catalog(name.to_owned(), Arc::new(provider));
        }
        let files = Files::new(Arc::clone(&self.base), Arc::clone(&self.files));
        catalogs.register_catalog(FILE_CATALOG.to_owned(), Arc::new(files));
        let target = self.target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(target) = target.and_then(|target| target.catalog().ok()) {
            catalogs.register_catalog(TARGET_CATALOG.to_owned(), target);
        }
        let mut state = SessionStateBuilder::new_from_existing(self.base.as_ref().clone())
            .with_catalog_list(Arc::new(catalogs))
            .build();
        let options = state.config_mut().options_mut();
        options.catalog.default_catalog.clone_from(&self.current.catalog);
        options.catalog.default_schema.clone_from(&self.current.database);
        if self.settings.contains_key(settings::TIME_ZONE) {
            options.execution.time_zone = Some(self.time_zone());
        }
        if threads == 1 {
            // Rows keep their order: the last row of a key is the one that stays.
            options.optimizer.repartition_file_scans = false;
        }
        if let Ok(partitions) = threads.max(1).to_string().parse() {
            options.execution.target_partitions = partitions;
        }
        state
    }

    /// The rows of a view: its query, planned with the names that it was made with.
    pub(crate) async fn view(
        self: &Arc<Self>,
        name: &FullName,
        view: &View,
    ) -> Result<Arc<dyn TableProvider>, SqlError> {
        let plan = self.view_plan(name, view).await?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }

    /// Plans the query of a view.
    pub(crate) async fn view_plan(
        self: &Arc<Self>,
        name: &FullName,
        view: &View,
    ) -> Result<LogicalPlan, SqlError> {
        if self.depth >= MAX_VIEW_DEPTH {
            return Err(SqlError::invalid(format!(
                "view {} refers to itself, or views are nested more than {MAX_VIEW_DEPTH} deep",
                name.id
            )));
        }
        let inner = Arc::new(Self {
            base: Arc::clone(&self.base),
            catalogs: Arc::clone(&self.catalogs),
            temporaries: Arc::clone(&self.temporaries),
            settings: Arc::clone(&self.settings),
            lookups: Arc::clone(&self.lookups),
            files: Arc::clone(&self.files),
            target: Mutex::default(),
            current: view.current.clone(),
            threads: self.threads,
            depth: self.depth + 1,
        });
        let plan = inner.state(self.threads).statement_to_plan(view.query.clone()).await?;
        refuse_changelogs(&plan)?;
        named(plan, &view.names, &view.columns).map_err(SqlError::from_datafusion)
    }
}

/// The plan with other names for its columns: `columns` where given, else `names`.
pub(crate) fn named(
    plan: LogicalPlan,
    names: &[Option<String>],
    columns: &[String],
) -> Result<LogicalPlan, DataFusionError> {
    let fields: Vec<Column> = plan.schema().columns();
    if !columns.is_empty() && columns.len() != fields.len() {
        return Err(DataFusionError::External(Box::new(SqlError::invalid(format!(
            "the query gives {} columns, but {} names are listed",
            fields.len(),
            columns.len()
        )))));
    }
    let new_name = |at: usize| -> Option<&str> {
        match columns.get(at) {
            Some(name) => Some(name.as_str()),
            None if names.len() == fields.len() => names.get(at)?.as_deref(),
            None => None,
        }
    };
    if (0..fields.len()).all(|at| new_name(at).is_none()) {
        return Ok(plan);
    }
    let exprs: Vec<Expr> = fields
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let expr = Expr::Column(column.clone());
            match new_name(at) {
                Some(name) => expr.alias(name),
                None => expr,
            }
        })
        .collect();
    LogicalPlanBuilder::from(plan).project(exprs)?.build()
}
