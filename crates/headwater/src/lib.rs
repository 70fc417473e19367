//! Read and write Apache Paimon tables, byte for byte as stock Paimon does, without a JVM.
//!
//! ```
//! use headwater::{DataType, Env, FileSystemCatalog, Identifier, NewTable, catalog::Catalog};
//! # use std::sync::Arc;
//! # use headwater::arrow::array::{Int64Array, RecordBatch, StringArray};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let warehouse = dir.path().to_str().ok_or("path")?;
//! # headwater::io::host::block_on(async move {
//! let env = Env::system(2, 256 << 20);
//! let catalog = headwater::open_catalog(warehouse, true, env).await?;
//! catalog.create_database("shop", true).await?;
//! let orders = Identifier::new("shop", "orders");
//! let definition = NewTable::new()
//!     .column("id", DataType::parse("BIGINT")?)
//!     .column("status", DataType::parse("STRING")?)
//!     .primary_key(["id"])
//!     .option("bucket", "2");
//! catalog.create_table(&orders, &definition, false).await?;
//!
//! let table = headwater::open_table(&catalog, &orders).await?;
//! let batch = RecordBatch::try_new(
//!     table.arrow_schema(),
//!     vec![
//!         Arc::new(Int64Array::from(vec![1, 2])),
//!         Arc::new(StringArray::from(vec!["created", "paid"])),
//!     ],
//! )?;
//! let mut writer = table.new_write().build()?;
//! writer.write(&batch).await?;
//! writer.commit_batch().await?;
//!
//! let rows: usize =
//!     table.new_read().collect().await?.iter().map(RecordBatch::num_rows).sum();
//! assert_eq!(rows, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })??;
//! # Ok(())
//! # }
//! ```
//!
//! Everything asynchronous runs in the caller's tokio runtime; loops over rows run on the threads
//! of [`Env::pools`](headwater_io::Env).

mod alter;
pub mod canonical;
pub mod compact;
mod dynamic;
mod error;
mod location;
mod manifests;
mod partitions;
pub mod read;
mod rescale;
mod spill;
mod spool;
mod table;
pub mod write;

pub use arrow;
pub use headwater_io as io;
pub use headwater_metadata::catalog;
pub use headwater_metadata::plan;
pub use headwater_spec as spec;

pub use alter::alter_table;
pub use compact::{Compaction, CompactionOutcome, CompactionProgress, CompactionReport};
pub use error::{Error, Result};
pub use headwater_io::Env;
pub use headwater_io::SyncMode;
pub use headwater_metadata::{Catalog, FileSystemCatalog, Identifier, OneTableCatalog};
pub use headwater_spec::options;
pub use headwater_spec::predicate::{Op, Predicate};
pub use headwater_spec::schema::{NewColumn, NewTable, Position, SchemaChange, type_changes};
pub use headwater_spec::{
    DataField, DataType, Datum, ErrorKind, RowType, SpecError, TableSchema, TypeKind,
};
pub use location::{LocatedTable, locate_table};
pub use manifests::ManifestCompaction;
pub use partitions::PartitionInfo;
pub use read::{Plan, ReadBuilder, ReadCounters, RowStream, Split};
pub use rescale::{Rescale, RescaleOutcome};
pub use spool::{Spool, SpooledRows};
pub use table::{CatalogOptions, Table, open_catalog, open_catalog_with, open_table};
pub use write::{CommitMessage, CommitOutcome, Overwrite, TableWrite, WriteBuilder};
