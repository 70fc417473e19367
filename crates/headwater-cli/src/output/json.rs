//! Objects with a member per column: in one array, or one per line.

use std::time::Duration;

use arrow::datatypes::FieldRef;
use arrow::record_batch::RecordBatch;

use super::Encode;
use super::cell::{Cells, quote};
use crate::error::CliError;

/// Encoder of one result.
pub(super) struct Json {
    /// `"name":` of each column.
    names: Vec<String>,
    layout: Layout,
    any: bool,
    line: String,
}

enum Layout {
    Array,
    Lines,
}

impl Json {
    /// One array of objects; appends its start.
    pub(super) fn array(fields: &[FieldRef], out: &mut Vec<u8>) -> Self {
        out.push(b'[');
        Self::new(fields, Layout::Array)
    }

    /// One object per line.
    pub(super) fn lines(fields: &[FieldRef]) -> Self {
        Self::new(fields, Layout::Lines)
    }

    fn new(fields: &[FieldRef], layout: Layout) -> Self {
        let names = fields
            .iter()
            .map(|field| {
                let mut name = String::new();
                quote(field.name(), &mut name);
                name.push(':');
                name
            })
            .collect();
        Self { names, layout, any: false, line: String::new() }
    }
}

impl Encode for Json {
    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), CliError> {
        let columns = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            self.line.clear();
            self.line.push('{');
            for (position, (cells, name)) in columns.iter().zip(&self.names).enumerate() {
                if position > 0 {
                    self.line.push(',');
                }
                self.line.push_str(name);
                cells.json(row, &mut self.line)?;
            }
            self.line.push('}');
            match self.layout {
                Layout::Array => out.extend_from_slice(if self.any { b",\n" } else { b"\n" }),
                Layout::Lines => self.line.push('\n'),
            }
            self.any = true;
            out.extend_from_slice(self.line.as_bytes());
        }
        Ok(())
    }

    fn end(&mut self, _: Option<Duration>, out: &mut Vec<u8>) -> Result<(), CliError> {
        if matches!(self.layout, Layout::Array) {
            out.extend_from_slice(if self.any { b"\n]\n" } else { b"]\n" });
        }
        Ok(())
    }
}
