//! Data files of Paimon tables to and from Arrow batches.
//!
//! Encoding and decoding are synchronous and know nothing of tables, snapshots or merging; reading
//! byte ranges is asynchronous and goes through [`headwater_io::FileIo`]. Rules:
//! `docs/spec/datafile.md`.

mod avro;
pub mod error;
pub mod evolution;
pub mod file;
pub mod file_format;
pub mod options;
mod parquet;

pub use avro::avro_lacks;
pub use error::{FormatError, Result};
pub use evolution::{Mapping, file_fields};
pub use file::{EncodedFile, FileEncoder, FileReader, UnitDecoder, encoder, open};
pub use file_format::FileFormat;
pub use options::WriteOptions;
