//! Catalog, schemas, snapshots, manifests, planning and commit.
//!
//! What a table is at a point in time, and how that changes atomically. Data files are only known
//! by name here. A commit becomes visible in `commit/publish.rs` and nowhere else.

pub mod catalog;
pub mod commit;
pub mod error;
mod index_store;
mod manifest_store;
pub mod plan;
mod schema_store;
mod snapshot_store;
mod store;

pub use catalog::{Catalog, FileSystemCatalog, Identifier, OneTableCatalog};
pub use error::{MetadataError, Result};
pub use store::TableStore;
