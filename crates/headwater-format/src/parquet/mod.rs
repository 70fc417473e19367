//! Parquet files as Paimon writes them.
//!
//! Format: `docs/spec/datafile.md#parquet`. Source: Paimon 1.4.2 `ParquetSchemaConverter`,
//! `RowDataParquetBuilder`, `ParquetReaderFactory`.

mod checksum;
mod chunks;
mod convert;
mod decode;
mod distinct;
mod footer;
mod guard;
mod int96;
mod pages;
mod projection;
mod reader;
mod schema;
mod stats;
mod thrift;
mod writer;

pub(crate) use reader::ParquetFile;
pub(crate) use writer::ParquetEncoder;
