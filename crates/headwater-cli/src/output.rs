//! Results as text: for people (`table`) or for programs (`csv`, `json`, `ndjson`).
//! Rows arrive batch by batch; only `table` and its widths hold rows back, up to a limit.

mod cell;
mod csv;
mod json;
mod table;

use std::io::Write;

use arrow::datatypes::{FieldRef, SchemaRef};
use arrow::record_batch::RecordBatch;

use crate::error::CliError;

/// Bytes collected before they go to standard output.
const CHUNK: usize = 1 << 16;

/// How results look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns with borders and a row count
    Table,
    /// A header line, then one line per row; quoting as in RFC 4180, null as an empty field
    Csv,
    /// One array of objects per result
    Json,
    /// One object per line
    Ndjson,
}

impl Format {
    /// Whether standard output carries rows and nothing else.
    pub(crate) const fn is_for_programs(self) -> bool {
        !matches!(self, Self::Table)
    }
}

/// Encoder of one result: a schema, then its batches, then the end.
trait Encode {
    /// Appends what comes before the rows.
    fn begin(&mut self, out: &mut Vec<u8>);
    /// Appends the rows of a batch, or keeps them for the end.
    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), CliError>;
    /// Appends what comes after the rows.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), CliError>;
}

/// Writes one result in a format.
pub(crate) struct ResultWriter<W: Write> {
    encoder: Box<dyn Encode>,
    out: W,
    text: Vec<u8>,
}

impl<W: Write> ResultWriter<W> {
    /// Starts a result with the columns of `schema`.
    pub(crate) fn new(format: Format, schema: &SchemaRef, out: W) -> Self {
        let fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
        let mut encoder: Box<dyn Encode> = match format {
            Format::Table => Box::new(table::Table::new(fields)),
            Format::Csv => Box::new(csv::Csv::new(fields)),
            Format::Json => Box::new(json::Json::array(fields)),
            Format::Ndjson => Box::new(json::Json::lines(fields)),
        };
        let mut text = Vec::with_capacity(CHUNK);
        encoder.begin(&mut text);
        Self { encoder, out, text }
    }

    /// Writes the rows of a batch.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let mut start = 0;
        while start < batch.num_rows() {
            let rows = (batch.num_rows() - start).min(1024);
            self.encoder.rows(&batch.slice(start, rows), &mut self.text)?;
            start += rows;
            if self.text.len() >= CHUNK {
                self.send()?;
            }
        }
        Ok(())
    }

    /// Writes what is left and flushes.
    pub(crate) fn finish(mut self) -> Result<(), CliError> {
        self.encoder.end(&mut self.text)?;
        self.send()?;
        self.out.flush().map_err(CliError::Output)
    }

    fn send(&mut self) -> Result<(), CliError> {
        self.out.write_all(&self.text).map_err(CliError::Output)?;
        self.text.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
