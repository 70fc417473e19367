//! Shows the catalog's tables to DataFusion: looked up when a statement names them, read through
//! the library. Rows are changed elsewhere: the hooks for that refuse.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, Session, TableProvider};
use datafusion::common::not_impl_err;
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use headwater::{CommitOutcome, ErrorKind, Identifier, Table, TypeKind};

use crate::error::SqlError;
use crate::hint::{OptionList, unmark};
use crate::names::FullName;
use crate::progress::Progress;
use crate::pushdown::{is_translatable, is_whole, predicate_of};
use crate::scan_exec::ScanExec;
use crate::session::{Scope, Temporary};
use crate::system_table::SystemTable;

/// What a statement's look-ups bring to light besides tables.
pub(crate) struct Lookups {
    missing: Mutex<Option<(Identifier, SqlError)>>,
    warnings: Mutex<BTreeSet<(String, String)>>,
    reads: Mutex<Vec<(FullName, i64)>>,
    notes: Mutex<Vec<String>>,
    /// Where scans count their rows.
    pub(crate) progress: Arc<Progress>,
}

/// So many times `num-sorted-run.stop-trigger` runs of a bucket mean that nobody compacts a table.
const UNATTENDED: usize = 3;

impl Lookups {
    pub(crate) fn new(progress: Arc<Progress>) -> Self {
        Self {
            missing: Mutex::default(),
            warnings: Mutex::default(),
            reads: Mutex::default(),
            notes: Mutex::default(),
            progress,
        }
    }

    /// The first table that was asked for and is not there.
    pub(crate) fn take_missing(&self) -> Option<(Identifier, SqlError)> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Remembers a table that is not there.
    fn missed(&self, id: Identifier, error: SqlError) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.get_or_insert((id, error));
    }

    /// Warnings of the tables that were opened: table and sentence.
    pub(crate) fn take_warnings(&self) -> BTreeSet<(String, String)> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers the warnings of a table that was made just now, or opened with other options; also
    /// that it cannot be filled.
    pub(crate) fn opened_anew(&self, table: &Table) {
        self.opened(table);
        if let Some(reason) = table.write_refusal() {
            let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            let warning = format!("rows cannot be written to it here: {reason}");
            warnings.insert((table.name().to_owned(), warning));
        }
    }

    /// Remembers which snapshot of a table the statement reads by itself.
    fn read(&self, name: FullName, snapshot: i64) {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).push((name, snapshot));
    }

    /// The oldest snapshot of the table that the statement's query reads, 0 for an empty table;
    /// `None` if the query does not read the table, or reads it at a snapshot that it asks for.
    pub(crate) fn snapshot_read(&self, name: &FullName) -> Option<i64> {
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.iter().filter(|(read, _)| read == name).map(|(_, snapshot)| *snapshot).min()
    }

    /// Remembers what is to be said after the statement, also if it was said before.
    pub(crate) fn note(&self, text: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    /// Remembers what is to be said of a commit: rows that came late, compactions that did not work,
    /// files that nobody compacts.
    pub(crate) fn note_outcome(&self, table: &Table, outcome: &CommitOutcome) {
        let name = table.name();
        let rows = |count: u64| match count {
            1 => "1 row was".to_owned(),
            n => format!("{n} rows were"),
        };
        if outcome.rows_older > 0 {
            self.note(format!(
                "table {name}: {} older than other rows of the same key in this statement, as \
                 'sequence.field' or a sequence group says, and changed nothing or less",
                rows(outcome.rows_older)
            ));
        }
        let compaction = &outcome.compaction;
        if compaction.rows_older > 0 {
            self.note(format!(
                "table {name}: {} older than rows of the same key that were stored before, as \
                 'sequence.field' or a sequence group says, and changed nothing or less; seen when \
                 files of this and earlier statements were compacted",
                rows(compaction.rows_older)
            ));
        }
        if let Some(reason) = &compaction.failed {
            self.note(format!(
                "table {name}: the rows are committed, but compacting files failed: {reason}"
            ));
        }
        if outcome.rows_postponed > 0 {
            self.note(format!(
                "table {name}: no query shows the {} of this statement before a compaction gives \
                 them buckets ('bucket' = '-2'): run CALL sys.compact('{name}')",
                match outcome.rows_postponed {
                    1 => "row".to_owned(),
                    n => format!("{n} rows"),
                }
            ));
        }
        if outcome.rows_not_indexed > 0 {
            self.note(format!(
                "table {name}: {} not looked at for their keys, in files older than \
                 'cross-partition-upsert.index-ttl': a key of theirs that was written now may live in two \
                 partitions",
                match outcome.rows_not_indexed {
                    1 => "1 stored row was".to_owned(),
                    n => format!("{n} stored rows were"),
                }
            ));
        }
        let most = table.options().compaction.stop_trigger.saturating_mul(UNATTENDED);
        if outcome.runs_waiting > most {
            self.note(format!(
                "table {name}: a bucket has {} files that were never compacted, because of \
                 {why}: run CALL sys.compact('{name}') from time to time, or \
                 headwater compact --watch beside the writers",
                outcome.runs_waiting,
                why = if table.has_postponed_buckets() {
                    "'bucket' = '-2'"
                } else {
                    "'write-only' = 'true'"
                },
            ));
        }
    }

    /// What is to be said after the statement.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers a warning about the statement.
    pub(crate) fn warn(&self, text: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.insert((String::new(), text));
    }

    /// Remembers the warnings of a table.
    pub(crate) fn opened(&self, table: &Table) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in table.warnings() {
            warnings.insert((table.name().to_owned(), warning.clone()));
        }
    }
}

/// A catalog as DataFusion sees it during one statement.
#[derive(Debug, Clone)]
pub(crate) struct HeadwaterCatalog {
    pub(crate) name: String,
    pub(crate) scope: Arc<Scope>,
}

impl CatalogProvider for HeadwaterCatalog {
    // Names are listed by SHOW, which can wait for the store; this call cannot.
    fn schema_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        Some(Arc::new(HeadwaterDatabase { catalog: self.clone(), name: name.to_owned() }))
    }
}

#[derive(Debug)]
struct HeadwaterDatabase {
    catalog: HeadwaterCatalog,
    name: String,
}

#[async_trait]
impl SchemaProvider for HeadwaterDatabase {
    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }

    async fn table(&self, name: &str) -> PlanResult<Option<Arc<dyn TableProvider>>> {
        let (plain, hint) = unmark(name);
        let scope = &self.catalog.scope;
        let full = FullName::new(&self.catalog.name, &self.name, plain);
        let found = match scope.temporary(&full) {
            Some(_) if !hint.is_empty() => Err(SqlError::unsupported(
                format!("a hint behind the temporary table '{plain}' is"),
                "make it with the options in WITH",
            )),
            Some(Temporary::View(view)) => scope.view(&full, view).await,
            Some(Temporary::Table(table)) => table.provider(&scope.base, &scope.files).await,
            None => match open_pinned(scope, &full, hint).await {
                Ok(table) => Ok(table),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    scope.lookups.missed(full.id, error);
                    return Ok(None);
                }
                Err(error) => Err(error),
            },
        };
        found.map(Some).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn table_exist(&self, _name: &str) -> bool {
        true
    }
}

/// Opens a table at its newest snapshot, so that a statement that scans it twice sees one state.
async fn open_pinned(
    scope: &Scope,
    name: &FullName,
    hint: OptionList,
) -> Result<Arc<dyn TableProvider>, SqlError> {
    if let Some(system) = SystemTable::parse(&name.id.table)? {
        return system.open(scope, name, hint).await;
    }
    let table = scope.open(name, hint).await?;
    let asked = table.is_at_snapshot();
    let table = table.pinned().await?;
    if !asked {
        let snapshot = table.snapshot().await?.map_or(0, |s| s.id);
        scope.lookups.read(name.clone(), snapshot);
    }
    Ok(Arc::new(HeadwaterTable::new(table, Arc::clone(&scope.lookups.progress))))
}

/// A table that can be scanned.
#[derive(Debug)]
pub(crate) struct HeadwaterTable {
    table: Table,
    schema: SchemaRef,
    progress: Arc<Progress>,
}

impl HeadwaterTable {
    pub(crate) fn new(table: Table, progress: Arc<Progress>) -> Self {
        Self { schema: table.arrow_schema(), table, progress }
    }

    /// The type of a column.
    pub(crate) fn column_type(&self, name: &str) -> Option<headwater::DataType> {
        self.table.row_type().field(name).map(|field| field.data_type.clone())
    }

    /// Whether planning already leaves out every row that does not match.
    ///
    /// That is so when the filter is about partition columns only. Floating point is left to the
    /// query, where equality has its own rules.
    fn is_decided_by_partition(&self, filter: &Expr) -> bool {
        let columns = self.table.row_type();
        let keys = &self.table.schema().partition_keys;
        is_whole(filter, columns)
            && filter.column_refs().iter().all(|column| {
                keys.contains(&column.name)
                    && columns.field(&column.name).is_some_and(|field| {
                        !matches!(field.data_type.kind, TypeKind::Float | TypeKind::Double)
                    })
            })
    }
}

#[async_trait]
impl TableProvider for HeadwaterTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        let columns = self.table.row_type();
        Ok(filters
            .iter()
            .map(|filter| {
                if self.is_decided_by_partition(filter) {
                    TableProviderFilterPushDown::Exact
                } else if is_translatable(filter, columns) {
                    TableProviderFilterPushDown::Inexact
                } else {
                    TableProviderFilterPushDown::Unsupported
                }
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let predicate = predicate_of(filters, self.table.row_type());
        let partitions = state.config().target_partitions();
        let scan = ScanExec::planned(
            self.table.clone(),
            projection.map(Vec::as_slice),
            predicate,
            limit,
            partitions,
        )
        .await
        .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Arc::new(scan.counting(Arc::clone(&self.progress))))
    }

    // DataFusion calls these two with a part of the WHERE clause, or none of it, when the clause
    // has a subquery: rows that must stay would go.
    async fn delete_from(
        &self,
        _state: &dyn Session,
        _filters: Vec<Expr>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        not_impl_err!("DELETE inside of a query")
    }

    async fn update(
        &self,
        _state: &dyn Session,
        _assignments: Vec<(String, Expr)>,
        _filters: Vec<Expr>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        not_impl_err!("UPDATE inside of a query")
    }
}
