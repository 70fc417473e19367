//! What the bytes of an Apache Paimon table mean: types and codecs, without IO.
//!
//! Everything here is pure: bytes in, values out. No file is opened, no clock is read, nothing is
//! asynchronous. The rules stand in `docs/spec/`; each codec names its page and the Java class
//! that defines the layout.

pub mod bucket;
pub mod data_file;
pub mod datum;
pub mod error;
pub mod hash_index;
pub mod manifest;
pub mod options;
pub mod partition;
pub mod path;
pub mod predicate;
pub mod row;
pub mod schema;
pub mod snapshot;
pub mod stats;
pub mod types;

pub use data_file::{DataFileMeta, FileSource};
pub use datum::Datum;
pub use error::{ErrorKind, SpecError};
pub use row::BinaryRow;
pub use schema::TableSchema;
pub use snapshot::{CommitKind, Snapshot};
pub use stats::SimpleStats;
pub use types::{DataField, DataType, RowType, TypeKind};
