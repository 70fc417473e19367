//! Shows the catalog's tables to DataFusion: looked up when a statement names them, read through
//! the library. Rows are changed elsewhere: the hooks for that refuse.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, Session, TableProvider};
use datafusion::common::not_impl_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use headwater::{Catalog, ErrorKind, Identifier, Table, TypeKind, open_table};

use crate::progress::Progress;
use crate::pushdown::{is_translatable, is_whole, predicate_of};
use crate::scan_exec::ScanExec;

/// What a statement's look-ups bring to light besides tables.
pub(crate) struct Lookups {
    missing: Mutex<Option<(Identifier, headwater::Error)>>,
    warnings: Mutex<BTreeSet<(String, String)>>,
    /// Where scans count their rows.
    pub(crate) progress: Arc<Progress>,
}

impl Lookups {
    pub(crate) fn new(progress: Arc<Progress>) -> Self {
        Self { missing: Mutex::default(), warnings: Mutex::default(), progress }
    }

    /// The first table that was asked for and is not there.
    pub(crate) fn take_missing(&self) -> Option<(Identifier, headwater::Error)> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Warnings of the tables that were opened: table and sentence.
    pub(crate) fn take_warnings(&self) -> BTreeSet<(String, String)> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers the warnings of a table.
    pub(crate) fn opened(&self, table: &Table) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in table.warnings() {
            warnings.insert((table.name().to_owned(), warning.clone()));
        }
    }
}

/// The catalog as DataFusion sees it during one statement.
#[derive(Clone)]
pub(crate) struct HeadwaterCatalog {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) lookups: Arc<Lookups>,
}

impl fmt::Debug for HeadwaterCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadwaterCatalog").finish_non_exhaustive()
    }
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

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let id = Identifier::new(&self.name, name);
        let lookups = &self.catalog.lookups;
        match open_pinned(self.catalog.catalog.as_ref(), &id).await {
            Ok(table) => {
                lookups.opened(&table);
                Ok(Some(Arc::new(HeadwaterTable::new(table, Arc::clone(&lookups.progress)))))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut missing = lookups.missing.lock().unwrap_or_else(PoisonError::into_inner);
                missing.get_or_insert((id, error));
                Ok(None)
            }
            Err(error) => Err(DataFusionError::External(Box::new(error))),
        }
    }

    fn table_exist(&self, _name: &str) -> bool {
        true
    }
}

/// Opens a table at its newest snapshot, so that a statement that scans it twice sees one state.
async fn open_pinned(catalog: &dyn Catalog, id: &Identifier) -> headwater::Result<Table> {
    let table = open_table(catalog, id).await?;
    match table.snapshot().await? {
        // An older snapshot has an older schema; the newest schema decides what a query sees.
        Some(snapshot) if snapshot.schema_id == table.schema().id => {
            table.at_snapshot(snapshot.id).await
        }
        _ => Ok(table),
    }
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
    ) -> Result<Vec<TableProviderFilterPushDown>> {
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
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let predicate = predicate_of(filters, self.table.row_type());
        let partitions = state.config().target_partitions();
        let scan = ScanExec::plan(
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
    ) -> Result<Arc<dyn ExecutionPlan>> {
        not_impl_err!("DELETE is planned for a later release")
    }

    async fn update(
        &self,
        _state: &dyn Session,
        _assignments: Vec<(String, Expr)>,
        _filters: Vec<Expr>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        not_impl_err!("UPDATE is planned for a later release")
    }
}
