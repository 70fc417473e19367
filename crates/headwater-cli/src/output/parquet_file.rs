//! One result as a Parquet file.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::Encode;
use crate::error::CliError;

/// Bytes of a row group that is held before it is written.
const ROW_GROUP: usize = 64 << 20;
const ZSTD_LEVEL: i32 = 1;

/// Encoder of one result.
pub(super) struct ParquetFile {
    /// `None` after the end.
    writer: Option<ArrowWriter<Vec<u8>>>,
}

impl ParquetFile {
    pub(super) fn new(schema: &SchemaRef) -> Result<Self, CliError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties))?;
        Ok(Self { writer: Some(writer) })
    }
}

impl Encode for ParquetFile {
    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), CliError> {
        headwater_sql::check_digits(batch)?;
        if let Some(writer) = &mut self.writer {
            writer.write(batch)?;
            if writer.in_progress_size() >= ROW_GROUP {
                writer.flush()?;
            }
            // The writer counts its bytes itself, so that those it has written can be taken away.
            out.append(writer.inner_mut());
        }
        Ok(())
    }

    fn end(&mut self, _: Option<Duration>, out: &mut Vec<u8>) -> Result<(), CliError> {
        if let Some(writer) = self.writer.take() {
            out.append(&mut writer.into_inner()?);
        }
        Ok(())
    }
}
