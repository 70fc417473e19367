//! What is to be read: columns, filter, limit.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef};
use futures::TryStreamExt;
use headwater_spec::predicate::Predicate;
use headwater_spec::types::arrow_field;

use super::counters::ReadCounters;
use super::plan::{Plan, make_plan};
use super::split::{Split, SplitFiles};
use super::stream::RowStream;
use super::{POSITION_COLUMN, ROW_KIND_COLUMN, merge_read, raw_read};
use crate::error::{Error, Result};
use crate::table::Table;

/// Rows per batch unless the table's `read.batch-size` says otherwise.
const DEFAULT_BATCH_ROWS: usize = 8192;

/// A read of a table: plan it, then read its splits in any order, on any thread.
#[derive(Debug, Clone)]
pub struct ReadBuilder {
    pub(super) table: Table,
    pub(super) projection: Vec<usize>,
    pub(super) filter: Option<Predicate>,
    pub(super) limit: Option<u64>,
    pub(super) row_kind: bool,
    pub(super) positions: bool,
    pub(super) all_levels: bool,
    pub(super) counters: Option<Arc<ReadCounters>>,
}

impl ReadBuilder {
    pub(crate) fn new(table: Table) -> Self {
        let projection = (0..table.row_type().fields.len()).collect();
        Self {
            table,
            projection,
            filter: None,
            limit: None,
            row_kind: false,
            positions: false,
            all_levels: false,
            counters: None,
        }
    }

    /// Reads only these columns, in this order.
    ///
    /// # Errors
    /// [`Error::Request`] names a column that the table does not have.
    pub fn columns(self, names: &[&str]) -> Result<Self> {
        let columns = names
            .iter()
            .map(|name| {
                self.table.row_type().index_of(name).ok_or_else(|| Error::Request {
                    table: self.table.name().to_owned(),
                    reason: format!("there is no column '{name}'"),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        self.project(columns)
    }

    /// Reads only the columns at these positions, in this order.
    ///
    /// # Errors
    /// [`Error::Request`] if a position is out of range.
    pub fn project(mut self, columns: Vec<usize>) -> Result<Self> {
        let width = self.table.row_type().fields.len();
        if let Some(column) = columns.iter().find(|c| **c >= width) {
            return Err(self.request(format!("there is no column {column} among {width}")));
        }
        self.projection = columns;
        Ok(self)
    }

    /// Leaves out files and row groups in which no row can match. Column numbers are positions in
    /// the table. Rows that do not match may still come: filter again.
    ///
    /// # Errors
    /// [`Error::Request`] if a position is out of range.
    pub fn filter(mut self, predicate: Predicate) -> Result<Self> {
        let width = self.table.row_type().fields.len();
        let mut outside = None;
        predicate.visit_columns(&mut |c| {
            if c >= width {
                outside = Some(c);
            }
        });
        if let Some(column) = outside {
            return Err(self.request(format!("there is no column {column} among {width}")));
        }
        self.filter = Some(match self.filter {
            None => predicate,
            Some(first) => Predicate::And(vec![first, predicate]),
        });
        Ok(self)
    }

    /// Plans only as many splits as `rows` rows need, where that can be told; more rows may come.
    #[must_use]
    pub const fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Adds the stored row kind as last column, [`ROW_KIND_COLUMN`]. Retractions never come.
    #[must_use]
    pub const fn with_row_kind(mut self) -> Self {
        self.row_kind = true;
        self
    }

    /// Adds the position of the row in its file as last column, [`POSITION_COLUMN`]. Only for
    /// tables without a primary key; [`Split::single_files`] says which file it is.
    #[must_use]
    pub const fn with_positions(mut self) -> Self {
        self.positions = true;
        self
    }

    /// Reads rows of `first-row` tables too that no compaction has taken up.
    #[must_use]
    pub(crate) const fn with_all_levels(mut self) -> Self {
        self.all_levels = true;
        self
    }

    /// Counts what is read in `counters`.
    #[must_use]
    pub fn counted(mut self, counters: Arc<ReadCounters>) -> Self {
        self.counters = Some(counters);
        self
    }

    /// The schema of the batches.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        let fields = &self.table.row_type().fields;
        let mut out: Vec<Field> =
            self.projection.iter().filter_map(|i| fields.get(*i)).map(arrow_field).collect();
        if self.row_kind {
            out.push(Field::new(ROW_KIND_COLUMN, Arrow::Int8, false));
        }
        if self.positions {
            out.push(Field::new(POSITION_COLUMN, Arrow::Int64, false));
        }
        Arc::new(Schema::new(out))
    }

    /// Chooses files and cuts them into splits.
    ///
    /// # Errors
    /// The table has a feature that this version cannot read, or its metadata is corrupt.
    pub async fn plan(&self) -> Result<Plan> {
        self.table.check_readable()?;
        make_plan(self).await
    }

    /// The rows of one split.
    ///
    /// # Errors
    /// A column of the table cannot be read; errors of files come from the stream.
    pub fn read(&self, split: &Split) -> Result<RowStream> {
        match &split.files {
            SplitFiles::Raw(files) => raw_read::read(self, split, files),
            _ if self.positions && self.table.has_primary_key() => {
                Err(self.request("rows with a primary key have no position in a file".to_owned()))
            }
            SplitFiles::Merge(sections) => merge_read::read(self, split, sections),
        }
    }

    /// All rows, split by split.
    ///
    /// # Errors
    /// As [`Self::plan`] and [`Self::read`].
    pub async fn collect(&self) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        for split in &self.plan().await?.splits {
            batches.extend(self.read(split)?.try_collect::<Vec<_>>().await?);
        }
        Ok(batches)
    }

    pub(super) fn batch_rows(&self) -> usize {
        self.table.options().read_batch_rows.unwrap_or(DEFAULT_BATCH_ROWS)
    }

    fn request(&self, reason: String) -> Error {
        Error::Request { table: self.table.name().to_owned(), reason }
    }
}
