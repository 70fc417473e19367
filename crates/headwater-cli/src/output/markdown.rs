//! A table as Markdown has it (GitHub's form), row by row and therefore not aligned.
//! Null is `NULL`; a line break within a cell is `<br>`.

use std::time::Duration;

use arrow::datatypes::FieldRef;
use arrow::record_batch::RecordBatch;

use super::Encode;
use super::cell::{Cells, visible};
use crate::error::CliError;

/// Encoder of one result.
pub(super) struct Markdown {
    text: String,
}

impl Markdown {
    /// Appends the header and the line that says which columns hold numbers.
    pub(super) fn new(fields: &[FieldRef], out: &mut Vec<u8>) -> Self {
        for field in fields {
            append(field.name(), out);
        }
        out.extend_from_slice(b"|\n");
        for field in fields {
            out.extend_from_slice(if field.data_type().is_numeric() {
                b"| ---: "
            } else {
                b"| --- "
            });
        }
        out.extend_from_slice(b"|\n");
        Self { text: String::new() }
    }
}

impl Encode for Markdown {
    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), CliError> {
        let columns = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            for cells in &columns {
                self.text.clear();
                if cells.is_null(row) {
                    self.text.push_str("NULL");
                } else {
                    cells.text(row, &mut self.text)?;
                }
                append(&self.text, out);
            }
            out.extend_from_slice(b"|\n");
        }
        Ok(())
    }

    fn end(&mut self, _: Option<Duration>, _: &mut Vec<u8>) -> Result<(), CliError> {
        Ok(())
    }
}

/// Appends a cell; what Markdown would take for its own is escaped.
fn append(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"| ");
    for c in visible(text).chars() {
        match c {
            '\n' => out.extend_from_slice(b"<br>"),
            '|' | '\\' | '<' | '`' | '*' => {
                out.push(b'\\');
                push(c, out);
            }
            c => push(c, out),
        }
    }
    out.push(b' ');
}

fn push(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
