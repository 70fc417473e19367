//! One opened table: its files, schema and parsed options.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use headwater_io::file_io::local::SyncMode;
use headwater_io::{Env, FileIo, open_root};
use headwater_metadata::{Catalog, FileSystemCatalog, Identifier, MetadataError, TableStore};
use headwater_spec::options::{Findings, TableOptions, inspect};
use headwater_spec::path::POSTPONE_BUCKET;
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataType, RowType, Snapshot, TableSchema};

use crate::compact::{Compaction, Reordering};
use crate::error::{Error, Result};
use crate::read::ReadBuilder;
use crate::rescale::Rescale;
use crate::write::WriteBuilder;

/// An opened table. Cheap to clone; sees the snapshots of others at each read, and the schema of
/// the moment when it was opened.
#[derive(Debug, Clone)]
pub struct Table {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: TableStore,
    schema: TableSchema,
    row_type: RowType,
    options: TableOptions,
    findings: Findings,
    pinned: Option<Snapshot>,
}

/// How a warehouse is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CatalogOptions {
    /// Make the directory if it does not exist.
    pub create: bool,
    /// Whether files and directories are synced to disk before a commit is acknowledged. Without
    /// it a commit survives a crash of the process, but not of the machine.
    pub sync: SyncMode,
}

/// Opens the catalog of a warehouse directory or URI, durable; makes the directory if `create`.
///
/// # Errors
/// As [`open_catalog_with`].
pub async fn open_catalog(warehouse: &str, create: bool, env: Env) -> Result<FileSystemCatalog> {
    let options = CatalogOptions { create, ..CatalogOptions::default() };
    open_catalog_with(warehouse, options, env).await
}

/// Opens the catalog of a warehouse directory or URI.
///
/// # Errors
/// `WarehouseNotFound` if it does not exist and is not to be made; an URI that is not supported.
pub async fn open_catalog_with(
    warehouse: &str,
    options: CatalogOptions,
    env: Env,
) -> Result<FileSystemCatalog> {
    let io = open_root(warehouse, options.sync)?;
    let exists = io.exists("").await?;
    if !exists && !options.create {
        return Err(MetadataError::WarehouseNotFound { path: warehouse.to_owned() }.into());
    }
    if !exists {
        io.create_dir("").await?;
    }
    Ok(FileSystemCatalog::new(io, env))
}

/// Opens a table of a catalog.
///
/// # Errors
/// The table does not exist, or its schema or an option is wrong.
pub async fn open_table(catalog: &dyn Catalog, table: &Identifier) -> Result<Table> {
    let (store, schema) = catalog.load_table(table).await?;
    Table::new(store, schema, None)
}

impl Table {
    /// Opens the table whose directory is `location` (a directory or URI).
    ///
    /// # Errors
    /// There is no table, or its schema or an option is wrong.
    pub async fn open_path(location: &str, env: Env) -> Result<Self> {
        Self::open_io(open_root(location, SyncMode::Durable)?, location, env).await
    }

    /// Opens the table at the root of `io`, called `name` in messages.
    ///
    /// # Errors
    /// There is no table, or its schema or an option is wrong.
    pub async fn open_io(io: Arc<dyn FileIo>, name: &str, env: Env) -> Result<Self> {
        let store = TableStore::new(io, "", name, env);
        let schema = store.latest_schema().await?;
        Self::new(store, schema, None)
    }

    fn new(store: TableStore, schema: TableSchema, pinned: Option<Snapshot>) -> Result<Self> {
        let options = TableOptions::parse(&schema)?;
        let findings = inspect(&schema)?;
        let row_type = schema.row_type();
        Ok(Self { inner: Arc::new(Inner { store, schema, row_type, options, findings, pinned }) })
    }

    /// The same table as it was at a snapshot, with the schema of that time.
    ///
    /// # Errors
    /// There is no such snapshot.
    pub async fn at_snapshot(&self, id: i64) -> Result<Self> {
        let snapshot = self.store().snapshot(id).await?;
        let schema = self.store().schema(snapshot.schema_id).await?;
        Self::new(self.inner.store.clone(), schema, Some(snapshot))
    }

    /// Whether the table was opened at a snapshot and stays there.
    #[must_use]
    pub fn is_at_snapshot(&self) -> bool {
        self.inner.pinned.is_some()
    }

    /// The same table at its newest snapshot, so that several reads see one state. A table that was
    /// opened at a snapshot stays there.
    ///
    /// # Errors
    /// The snapshot is corrupt, or the store did not answer.
    pub async fn pinned(&self) -> Result<Self> {
        if self.inner.pinned.is_some() {
            return Ok(self.clone());
        }
        match self.store().latest_snapshot().await? {
            Some(snapshot) => self.reopened(self.schema().clone(), Some(snapshot)),
            None => Ok(self.clone()),
        }
    }

    /// The same files with another schema, at a snapshot or the newest one.
    pub(crate) fn reopened(&self, schema: TableSchema, pinned: Option<Snapshot>) -> Result<Self> {
        let pinned = pinned.or_else(|| self.inner.pinned.clone());
        Self::new(self.inner.store.clone(), schema, pinned)
    }

    /// Name for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        self.inner.store.name()
    }

    /// Metadata files.
    #[must_use]
    pub fn store(&self) -> &TableStore {
        &self.inner.store
    }

    /// Clock, randomness, threads, memory.
    #[must_use]
    pub fn env(&self) -> &Env {
        self.inner.store.env()
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &TableSchema {
        &self.inner.schema
    }

    /// The columns.
    #[must_use]
    pub fn row_type(&self) -> &RowType {
        &self.inner.row_type
    }

    /// The Arrow schema of whole rows, as reads return and writes take them.
    #[must_use]
    pub fn arrow_schema(&self) -> SchemaRef {
        arrow_schema(self.row_type())
    }

    /// The parsed options.
    #[must_use]
    pub fn options(&self) -> &TableOptions {
        &self.inner.options
    }

    /// Options that are kept without effect, one sentence each; show them once.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.inner.findings.warnings
    }

    /// Whether rows have a primary key.
    #[must_use]
    pub fn has_primary_key(&self) -> bool {
        !self.inner.schema.primary_keys.is_empty()
    }

    /// Whether the bucket of a key is looked up, and buckets are made as they are needed.
    #[must_use]
    pub fn has_dynamic_buckets(&self) -> bool {
        self.has_primary_key() && self.options().bucket == -1
    }

    /// Whether a key has one row in the whole table although it lacks a partition column: a new row may
    /// take it to another partition.
    #[must_use]
    pub fn has_moving_keys(&self) -> bool {
        self.has_dynamic_buckets() && self.schema().keys_cross_partitions()
    }

    /// Whether a compaction gives rows their buckets, in numbers that differ between partitions.
    #[must_use]
    pub fn has_postponed_buckets(&self) -> bool {
        self.has_primary_key() && self.options().bucket == POSTPONE_BUCKET
    }

    /// The snapshot that this table was opened at, or the newest one; `None` if it has none.
    ///
    /// # Errors
    /// The snapshot is corrupt, or the store did not answer.
    pub async fn snapshot(&self) -> Result<Option<Snapshot>> {
        match &self.inner.pinned {
            Some(snapshot) => Ok(Some(snapshot.clone())),
            None => Ok(self.store().latest_snapshot().await?),
        }
    }

    /// Starts a read.
    #[must_use]
    pub fn new_read(&self) -> ReadBuilder {
        ReadBuilder::new(self.clone())
    }

    /// Starts a write.
    #[must_use]
    pub fn new_write(&self) -> WriteBuilder {
        WriteBuilder::new(self.clone())
    }

    /// Which of `identifiers` the commit user has not committed yet.
    ///
    /// # Errors
    /// A snapshot is corrupt, or the store did not answer.
    pub async fn filter_committed(&self, user: &str, identifiers: &[i64]) -> Result<Vec<i64>> {
        Ok(headwater_metadata::commit::filter_committed(self.store(), user, identifiers).await?)
    }

    pub(crate) fn partition_types(&self) -> Result<Vec<DataType>> {
        let fields = self.schema().columns(&self.schema().partition_keys)?;
        Ok(fields.into_iter().map(|f| f.data_type).collect())
    }

    pub(crate) fn check_readable(&self) -> Result<()> {
        match &self.inner.findings.refuse_read {
            None => Ok(()),
            Some(reason) => {
                Err(Error::ReadRefused { table: self.name().to_owned(), reason: reason.clone() })
            }
        }
    }

    /// Why this version cannot write the table, or read it, and what to do about it; `None` if it
    /// can.
    #[must_use]
    pub fn write_refusal(&self) -> Option<&str> {
        let findings = &self.inner.findings;
        findings.refuse_write.as_deref().or(findings.refuse_read.as_deref())
    }

    /// Starts a compaction.
    #[must_use]
    pub fn new_compaction(&self) -> Compaction {
        Compaction::new(self.clone())
    }

    /// Starts a job that puts the rows of partitions in another order.
    #[must_use]
    pub fn new_reordering(&self) -> Reordering {
        Reordering::new(self.clone())
    }

    /// Starts a change of bucket counts.
    #[must_use]
    pub fn new_rescale(&self) -> Rescale {
        Rescale::new(self.clone())
    }

    /// Why this version cannot compact the table, and what to do about it; `None` if it can.
    #[must_use]
    pub fn compaction_refusal(&self) -> Option<&str> {
        self.write_refusal().or(self.inner.findings.refuse_compaction.as_deref())
    }

    pub(crate) fn check_compactable(&self) -> Result<()> {
        self.check_writable()?;
        match self.compaction_refusal() {
            None => Ok(()),
            Some(reason) => Err(Error::Request {
                table: self.name().to_owned(),
                reason: format!("it cannot be compacted: {reason}"),
            }),
        }
    }

    /// A name for the commits of a job that has none.
    pub(crate) fn random_user(&self) -> String {
        let uuid = self.env().random.uuid();
        match &self.options().commit.user_prefix {
            Some(prefix) => format!("{prefix}_{uuid}"),
            None => uuid,
        }
    }

    pub(crate) fn check_writable(&self) -> Result<()> {
        let refuse =
            |reason: String| Err(Error::WriteRefused { table: self.name().to_owned(), reason });
        if self.inner.pinned.is_some() {
            return refuse("it was opened at an old snapshot".into());
        }
        match self.write_refusal() {
            None => Ok(()),
            Some(reason) => refuse(reason.to_owned()),
        }
    }
}
