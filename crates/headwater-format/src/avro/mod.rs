//! Avro data files.
//!
//! Rows of one record type in blocks that are compressed each for itself; there is no footer and
//! there are no statistics. The container and primitive values are those of manifests
//! (`headwater_spec::manifest::avro`). Format: `docs/spec/datafile.md#avro`. Source: Paimon 1.4.2
//! `AvroFileFormat`, `AvroSchemaConverter`.

mod decode;
mod encode;
mod file;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use file::AvroFile;
pub use schema::avro_lacks;
pub(crate) use writer::AvroEncoder;

/// What errors call a data file.
const WHAT: &str = "Avro data file";
