//! Aligned columns for people: numbers to the right, null as `NULL`, the number of rows below.
//! Widths need all rows, so a long result shows its first rows only, and says so.

use arrow::datatypes::FieldRef;
use arrow::record_batch::RecordBatch;
use comfy_table::{Cell, CellAlignment, ContentArrangement};

use super::Encode;
use super::cell::{Cells, escape};
use crate::error::CliError;

/// Rows shown of one result.
const SHOWN: usize = 10_000;

/// Encoder of one result.
pub(super) struct Table {
    fields: Vec<FieldRef>,
    table: comfy_table::Table,
    shown: usize,
    rows: usize,
}

impl Table {
    pub(super) fn new(fields: Vec<FieldRef>) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_preset("││──├─┼┤│    ┬┴┌┐└┘")
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(fields.iter().map(|field| Cell::new(visible(field.name().clone()))));
        for (position, field) in fields.iter().enumerate() {
            if field.data_type().is_numeric()
                && let Some(column) = table.column_mut(position)
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { fields, table, shown: 0, rows: 0 }
    }
}

impl Encode for Table {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn rows(&mut self, batch: &RecordBatch, _: &mut Vec<u8>) -> Result<(), CliError> {
        self.rows += batch.num_rows();
        let columns = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows().min(SHOWN - self.shown) {
            let mut cells = Vec::with_capacity(self.fields.len());
            for column in &columns {
                let mut text = String::new();
                if column.is_null(row) {
                    text.push_str("NULL");
                } else {
                    column.text(row, &mut text)?;
                }
                cells.push(Cell::new(visible(text)));
            }
            self.table.add_row(cells);
            self.shown += 1;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), CliError> {
        if !self.fields.is_empty() {
            out.extend_from_slice(self.table.to_string().as_bytes());
            out.push(b'\n');
        }
        let unit = if self.rows == 1 { "row" } else { "rows" };
        let count = if self.shown < self.rows {
            let (rows, shown) = (self.rows, self.shown);
            format!("({rows} {unit}, the first {shown} shown; --format csv prints all)\n")
        } else {
            format!("({} {unit})\n", self.rows)
        };
        out.extend_from_slice(count.as_bytes());
        Ok(())
    }
}

/// The text without characters that would move the cursor: shown as JSON escapes. Line breaks stay:
/// a cell may have several lines.
fn visible(text: String) -> String {
    if !text.chars().any(char::is_control) {
        return text;
    }
    text.chars().fold(String::with_capacity(text.len() + 8), |mut shown, c| {
        match c {
            '\n' => shown.push('\n'),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c.is_control() => shown.push_str(&escape(c)),
            c => shown.push(c),
        }
        shown
    })
}
