//! Aligned columns for people: numbers to the right, null as `NULL`, counts below.
//!
//! A long result shows its first and last rows, a wide one is fitted to its room: long values are
//! cut, then columns from the middle left out. The line below says what is not shown.

mod fit;

use std::collections::VecDeque;
use std::time::Duration;

use arrow::datatypes::FieldRef;
use arrow::record_batch::RecordBatch;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Encode;
use super::cell::{Cells, visible};
use crate::error::CliError;
use fit::{Fit, fit};

/// What stands for something that is not shown.
const CUT: &str = "…";

/// How much of a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Rows; 0 for all.
    pub(crate) rows: usize,
    /// Columns of the terminal; 0 for as many as it takes.
    pub(crate) width: usize,
    /// How to see more, for the line below.
    pub(crate) more: More,
}

/// Where limits are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    /// By arguments of the command.
    Arguments,
    /// By commands of the shell.
    Commands,
}

impl More {
    const fn rows(self) -> &'static str {
        match self {
            Self::Arguments => "--max-rows 0",
            Self::Commands => ".maxrows 0",
        }
    }

    const fn width(self) -> &'static str {
        match self {
            Self::Arguments => "--max-width 0",
            Self::Commands => ".maxwidth 0",
        }
    }
}

/// Encoder of one result.
pub(super) struct Table {
    fields: Vec<FieldRef>,
    limits: Limits,
    /// The first rows.
    head: Vec<Vec<String>>,
    /// Batches with the last rows.
    tail: VecDeque<RecordBatch>,
    tail_rows: usize,
    rows: usize,
}

impl Table {
    pub(super) const fn new(fields: Vec<FieldRef>, limits: Limits) -> Self {
        let tail = VecDeque::new();
        Self { fields, limits, head: Vec::new(), tail, tail_rows: 0, rows: 0 }
    }

    /// Keeps rows behind the first ones for as long as they may be among the last ones.
    fn keep(&mut self, batch: RecordBatch) {
        let limit = self.limits.rows / 2;
        self.tail_rows += batch.num_rows();
        self.tail.push_back(batch);
        while let Some(first) = self.tail.front() {
            if self.tail_rows - first.num_rows() < limit {
                return;
            }
            self.tail_rows -= first.num_rows();
            self.tail.pop_front();
        }
    }

    /// The texts of the last rows.
    fn last_rows(&mut self) -> Result<Vec<Vec<String>>, CliError> {
        let mut skip = self.tail_rows.saturating_sub(self.limits.rows / 2);
        let mut rows = Vec::new();
        for batch in std::mem::take(&mut self.tail) {
            let from = skip.min(batch.num_rows());
            skip -= from;
            append_texts(&batch.slice(from, batch.num_rows() - from), &mut rows)?;
        }
        Ok(rows)
    }

    /// The lines between the header's and the last border.
    fn body(&self, last: &[Vec<String>], shown: &Fit, out: &mut String) {
        for row in &self.head {
            self.line(row, shown, out);
        }
        if self.head.len() + last.len() < self.rows {
            let gap = vec![CUT.to_owned(); self.fields.len()];
            self.line(&gap, shown, out);
        }
        for row in last {
            self.line(row, shown, out);
        }
    }

    /// One row, which may take several lines.
    fn line(&self, cells: &[String], shown: &Fit, out: &mut String) {
        let parts: Vec<Vec<&str>> = shown
            .columns
            .iter()
            .map(|c| cells.get(*c).map_or("", String::as_str).split('\n').collect())
            .collect();
        let height = parts.iter().map(Vec::len).max().unwrap_or(1);
        for n in 0..height {
            for (position, (part, width)) in parts.iter().zip(&shown.widths).enumerate() {
                if shown.gap == Some(position) {
                    out.push_str("│ … ");
                }
                let column = shown.columns.get(position).and_then(|c| self.fields.get(*c));
                let right = column.is_some_and(|field| field.data_type().is_numeric());
                let text = cut(part.get(n).copied().unwrap_or(""), *width);
                let space = width.saturating_sub(text.width());
                let (before, after) = if right { (space, 0) } else { (0, space) };
                out.push_str("│ ");
                out.extend(std::iter::repeat_n(' ', before));
                out.push_str(&text);
                out.extend(std::iter::repeat_n(' ', after + 1));
            }
            out.push_str("│\n");
        }
    }

    /// What is below the table.
    fn summary(&self, shown_rows: usize, shown: &Fit, took: Option<Duration>) -> String {
        let unit = if self.rows == 1 { "row" } else { "rows" };
        let mut text = format!("({} {unit}", self.rows);
        let mut more = Vec::new();
        if shown_rows < self.rows {
            text.push_str(&format!(", {shown_rows} shown"));
            more.push(self.limits.more.rows());
        }
        if shown.columns.len() < self.fields.len() {
            text.push_str(&format!(
                "; {} columns, {} shown",
                self.fields.len(),
                shown.columns.len()
            ));
        } else if shown.cut {
            text.push_str("; long values cut");
        }
        if shown.cut {
            more.push(self.limits.more.width());
        }
        if !more.is_empty() {
            text.push_str(&format!("; all with {}", more.join(" and ")));
        }
        if let Some(took) = took {
            text.push_str(&format!(", {}", crate::timing::seconds(took)));
        }
        text + ")\n"
    }
}

impl Encode for Table {
    fn rows(&mut self, batch: &RecordBatch, _: &mut Vec<u8>) -> Result<(), CliError> {
        self.rows += batch.num_rows();
        let room = match self.limits.rows {
            0 => usize::MAX,
            limit => limit.div_ceil(2) - self.head.len(),
        };
        let first = batch.num_rows().min(room);
        append_texts(&batch.slice(0, first), &mut self.head)?;
        if first < batch.num_rows() {
            self.keep(batch.slice(first, batch.num_rows() - first));
        }
        Ok(())
    }

    fn end(&mut self, took: Option<Duration>, out: &mut Vec<u8>) -> Result<(), CliError> {
        let last = self.last_rows()?;
        let names: Vec<String> =
            self.fields.iter().map(|field| visible(field.name()).into_owned()).collect();
        let mut widths: Vec<usize> = names.iter().map(|name| width(name)).collect();
        for row in self.head.iter().chain(&last) {
            for (known, text) in widths.iter_mut().zip(row) {
                *known = (*known).max(width(text));
            }
        }
        let shown = fit(&widths, self.limits.width);
        if !self.fields.is_empty() {
            let mut text = border(&shown, "┌", "┬", "┐");
            self.line(&names, &shown, &mut text);
            text.push_str(&border(&shown, "├", "┼", "┤"));
            self.body(&last, &shown, &mut text);
            text.push_str(&border(&shown, "└", "┴", "┘"));
            out.extend_from_slice(text.as_bytes());
        }
        let summary = self.summary(self.head.len() + last.len(), &shown, took);
        out.extend_from_slice(summary.as_bytes());
        Ok(())
    }
}

/// The rows of a batch as texts without characters that would move the cursor.
fn append_texts(batch: &RecordBatch, rows: &mut Vec<Vec<String>>) -> Result<(), CliError> {
    let columns = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        let mut texts = Vec::with_capacity(columns.len());
        for cells in &columns {
            let mut text = String::new();
            if cells.is_null(row) {
                text.push_str("NULL");
            } else {
                cells.text(row, &mut text)?;
            }
            texts.push(visible(&text).into_owned());
        }
        rows.push(texts);
    }
    Ok(())
}

/// Columns that the longest line of a text takes.
fn width(text: &str) -> usize {
    text.split('\n').map(UnicodeWidthStr::width).max().unwrap_or(0)
}

/// A line of text in at most `width` columns.
fn cut(text: &str, width: usize) -> std::borrow::Cow<'_, str> {
    if text.width() <= width {
        return text.into();
    }
    let mut room = width.saturating_sub(1);
    let mut kept = String::new();
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if wide > room {
            break;
        }
        room -= wide;
        kept.push(c);
    }
    kept.push_str(CUT);
    kept.into()
}

fn border(shown: &Fit, left: &str, middle: &str, right: &str) -> String {
    let mut line = String::from(left);
    for (position, width) in shown.widths.iter().enumerate() {
        if position > 0 {
            line.push_str(middle);
        }
        if shown.gap == Some(position) {
            line.push_str("───");
            line.push_str(middle);
        }
        line.extend(std::iter::repeat_n('─', width + 2));
    }
    line + right + "\n"
}
