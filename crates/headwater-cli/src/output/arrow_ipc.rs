//! One result as Arrow IPC: as a stream for readers of a pipe, as a file with an index otherwise.

use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use arrow::record_batch::RecordBatch;

use super::{Encode, Target};
use crate::error::CliError;

/// Encoder of one result.
pub(super) enum ArrowIpc {
    Stream(StreamWriter<Vec<u8>>),
    File(FileWriter<Vec<u8>>),
}

impl ArrowIpc {
    pub(super) fn new(schema: &SchemaRef, target: Target) -> Result<Self, CliError> {
        Ok(match target {
            Target::Stream => Self::Stream(StreamWriter::try_new(Vec::new(), schema)?),
            Target::File => Self::File(FileWriter::try_new(Vec::new(), schema)?),
        })
    }

    /// Moves the bytes that are written; the writers count them themselves.
    fn take(&mut self, out: &mut Vec<u8>) {
        out.append(match self {
            Self::Stream(writer) => writer.get_mut(),
            Self::File(writer) => writer.get_mut(),
        });
    }
}

impl Encode for ArrowIpc {
    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), CliError> {
        headwater_sql::check_digits(batch)?;
        match self {
            Self::Stream(writer) => writer.write(batch)?,
            Self::File(writer) => writer.write(batch)?,
        }
        self.take(out);
        Ok(())
    }

    fn end(&mut self, _: Option<Duration>, out: &mut Vec<u8>) -> Result<(), CliError> {
        match self {
            Self::Stream(writer) => writer.finish()?,
            Self::File(writer) => writer.finish()?,
        }
        self.take(out);
        Ok(())
    }
}
