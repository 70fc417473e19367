//! Results for people (`table`, `markdown`) and for programs (`csv`, `json`, `ndjson`, `parquet`,
//! `arrow`). Rows arrive batch by batch; only `table` holds rows back, up to its limit, because its
//! widths need them.

mod arrow_ipc;
mod cell;
mod csv;
mod json;
mod markdown;
mod parquet_file;
mod table;

use std::io::Write;
use std::time::Duration;

use arrow::datatypes::{FieldRef, SchemaRef};
use arrow::record_batch::RecordBatch;

use crate::error::CliError;
pub(crate) use table::{Limits, More};

/// Bytes collected before they go out.
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
    /// A table for Markdown texts
    Markdown,
    /// One Parquet file (zstd); for --output or a pipe
    Parquet,
    /// Arrow IPC: a stream in a pipe, a file with --output
    Arrow,
}

impl Format {
    /// All formats, in the order in which they are listed.
    pub(crate) const ALL: [Self; 7] = [
        Self::Table,
        Self::Csv,
        Self::Json,
        Self::Ndjson,
        Self::Markdown,
        Self::Parquet,
        Self::Arrow,
    ];

    /// Whether standard output carries rows and nothing else.
    pub(crate) const fn is_for_programs(self) -> bool {
        !matches!(self, Self::Table)
    }

    /// Whether the bytes are no text, and hold one result only.
    pub(crate) const fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }

    /// The name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Markdown => "markdown",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    /// The format with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// All names, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// Where a result goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Bytes are read as they come.
    Stream,
    /// A file that is read when it is complete.
    File,
}

/// How one result is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// Its format.
    pub(crate) format: Format,
    /// What of it a table shows.
    pub(crate) limits: Limits,
    /// Where it goes.
    pub(crate) target: Target,
}

/// Encoder of one result: a schema, then its batches, then the end.
trait Encode: Send {
    /// Appends the rows of a batch, or keeps them for the end.
    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), CliError>;
    /// Appends what comes after the rows. `took`: how long the statement ran, if it is to be told.
    fn end(&mut self, took: Option<Duration>, out: &mut Vec<u8>) -> Result<(), CliError>;
}

/// Writes one result in a format.
pub(crate) struct ResultWriter<W: Write> {
    encoder: Box<dyn Encode>,
    out: W,
    text: Vec<u8>,
    /// Rows that are encoded at a time: texts grow large, and batches stay as they are.
    step: usize,
}

impl<W: Write> ResultWriter<W> {
    /// Starts a result with the columns of `schema`.
    pub(crate) fn new(style: Style, schema: &SchemaRef, out: W) -> Result<Self, CliError> {
        let fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
        let mut text = Vec::with_capacity(CHUNK);
        let encoder: Box<dyn Encode> = match style.format {
            Format::Table => Box::new(table::Table::new(fields, style.limits)),
            Format::Csv => Box::new(csv::Csv::new(&fields, &mut text)),
            Format::Json => Box::new(json::Json::array(&fields, &mut text)),
            Format::Ndjson => Box::new(json::Json::lines(&fields)),
            Format::Markdown => Box::new(markdown::Markdown::new(&fields, &mut text)),
            Format::Parquet => Box::new(parquet_file::ParquetFile::new(schema)?),
            Format::Arrow => Box::new(arrow_ipc::ArrowIpc::new(schema, style.target)?),
        };
        let step = if style.format.is_binary() { usize::MAX } else { 1024 };
        Ok(Self { encoder, out, text, step })
    }

    /// Writes the rows of a batch.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let mut start = 0;
        while start < batch.num_rows() {
            let rows = (batch.num_rows() - start).min(self.step);
            self.encoder.rows(&batch.slice(start, rows), &mut self.text)?;
            start += rows;
            if self.text.len() >= CHUNK {
                self.send()?;
            }
        }
        Ok(())
    }

    /// Writes what is left and flushes. `took`: how long the statement ran, if it is to be told.
    pub(crate) fn finish(mut self, took: Option<Duration>) -> Result<(), CliError> {
        self.encoder.end(took, &mut self.text)?;
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
