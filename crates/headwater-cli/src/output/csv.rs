//! Comma-separated values: a header, then one line per row, each ended by a line feed.
//! Quoting follows RFC 4180. Null is an empty field, an empty text is `""`.

use std::time::Duration;

use arrow::datatypes::FieldRef;
use arrow::record_batch::RecordBatch;

use super::Encode;
use super::cell::Cells;
use crate::error::CliError;

/// Encoder of one result.
pub(super) struct Csv {
    field: String,
}

impl Csv {
    /// Appends the header.
    pub(super) fn new(fields: &[FieldRef], out: &mut Vec<u8>) -> Self {
        for (position, field) in fields.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            append(field.name(), out);
        }
        out.push(b'\n');
        Self { field: String::new() }
    }
}

impl Encode for Csv {
    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), CliError> {
        let columns = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            for (position, cells) in columns.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                if cells.is_null(row) {
                    continue;
                }
                self.field.clear();
                cells.text(row, &mut self.field)?;
                append(&self.field, out);
            }
            out.push(b'\n');
        }
        Ok(())
    }

    fn end(&mut self, _: Option<Duration>, _: &mut Vec<u8>) -> Result<(), CliError> {
        Ok(())
    }
}

/// Appends a field, in quotes where it needs them.
fn append(text: &str, out: &mut Vec<u8>) {
    let plain = !text.is_empty()
        && !text.bytes().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r'))
        && !text.starts_with(' ')
        && !text.ends_with(' ');
    if plain {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
