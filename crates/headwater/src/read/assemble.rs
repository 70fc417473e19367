//! Puts a batch together: stored columns from files, partition columns from the manifest.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int8Array, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use headwater_spec::row::arrow::constant_array;
use headwater_spec::{DataField, Datum};

use super::builder::ReadBuilder;
use crate::error::Result;

/// Where each output column comes from.
#[derive(Debug, Clone)]
enum Source {
    /// Position among the stored columns.
    Stored(usize),
    /// A partition value.
    Constant(Option<Datum>, DataField),
}

/// Makes whole rows of one partition.
#[derive(Debug, Clone)]
pub(crate) struct Assembler {
    schema: SchemaRef,
    sources: Vec<Source>,
    stored: Vec<DataField>,
    row_kind: bool,
    positions: bool,
}

impl Assembler {
    /// `values`: those of the partition columns.
    pub(crate) fn new(read: &ReadBuilder, values: &[Option<Datum>]) -> Self {
        let partition_keys = &read.table.schema().partition_keys;
        let fields = &read.table.row_type().fields;
        let mut stored: Vec<DataField> = Vec::new();
        let mut sources = Vec::with_capacity(read.projection.len());
        for field in read.projection.iter().filter_map(|i| fields.get(*i)) {
            let partition = partition_keys.iter().position(|k| k == &field.name);
            sources.push(match partition {
                Some(at) => {
                    let value = values.get(at).cloned().flatten();
                    Source::Constant(value, field.clone())
                }
                None => {
                    let known = stored.iter().position(|f| f == field);
                    Source::Stored(known.unwrap_or_else(|| {
                        stored.push(field.clone());
                        stored.len() - 1
                    }))
                }
            });
        }
        Self {
            schema: read.schema(),
            sources,
            stored,
            row_kind: read.row_kind,
            positions: read.positions,
        }
    }

    /// The columns that are needed from files.
    pub(crate) fn stored_fields(&self) -> Vec<DataField> {
        self.stored.clone()
    }

    /// An output batch of `rows` rows; `stored` starts with the [`Self::stored_fields`].
    pub(crate) fn assemble(
        &self,
        stored: &[ArrayRef],
        kinds: Option<ArrayRef>,
        rows: usize,
    ) -> Result<RecordBatch> {
        self.assemble_at(stored, kinds, rows, 0)
    }

    /// The same for rows whose first one has position `first` in its file.
    pub(super) fn assemble_at(
        &self,
        stored: &[ArrayRef],
        kinds: Option<ArrayRef>,
        rows: usize,
        first: i64,
    ) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(self.sources.len() + 1);
        for source in &self.sources {
            columns.push(match source {
                Source::Stored(at) => match stored.get(*at) {
                    Some(column) => Arc::clone(column),
                    None => {
                        return Err(arrow::error::ArrowError::SchemaError(format!(
                            "a file batch has {} columns, column {at} is needed",
                            stored.len()
                        ))
                        .into());
                    }
                },
                Source::Constant(value, field) => {
                    constant_array(value.as_ref(), &field.data_type, rows)?
                }
            });
        }
        if self.row_kind {
            columns.push(kinds.unwrap_or_else(|| Arc::new(Int8Array::from(vec![0_i8; rows]))));
        }
        if self.positions {
            columns.push(Arc::new((first..).take(rows).collect::<Int64Array>()));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}
