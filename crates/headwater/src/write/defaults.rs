//! Default values: what a written null becomes in a column that has one.
//!
//! Source: Paimon 1.4.2 `TableWriteImpl`, `DefaultValueRow`, `DefaultValueUtils`.

use arrow::array::{Array, ArrayRef, RecordBatch, Scalar};
use arrow::compute::is_not_null;
use arrow::compute::kernels::zip::zip;
use headwater_spec::TableSchema;
use headwater_spec::partition::parse_value;
use headwater_spec::row::arrow::constant_array;

use crate::error::Result;

/// The default values of a table's columns.
pub(super) struct Defaults {
    /// Position of a column, and its default as an array of one.
    columns: Vec<(usize, Scalar<ArrayRef>)>,
}

impl Defaults {
    pub(super) fn new(schema: &TableSchema) -> Result<Self> {
        let mut columns = Vec::new();
        for (at, field) in schema.fields.iter().enumerate() {
            if let Some(text) = &field.default_value {
                let value = parse_value(unquoted(text), &field.data_type)?;
                let one = constant_array(Some(&value), &field.data_type, 1)?;
                columns.push((at, Scalar::new(one)));
            }
        }
        Ok(Self { columns })
    }

    /// The rows with defaults in place of nulls.
    pub(super) fn fill(&self, batch: RecordBatch) -> Result<RecordBatch> {
        let columns = batch.columns();
        let missing = |at: usize| columns.get(at).is_some_and(|c| c.null_count() > 0);
        if !self.columns.iter().any(|(at, _)| missing(*at)) {
            return Ok(batch);
        }
        let (schema, mut columns, _) = batch.into_parts();
        for (at, default) in &self.columns {
            if let Some(column) = columns.get_mut(*at) {
                *column = zip(&is_not_null(column)?, column, default)?;
            }
        }
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// The text inside of single quotes, which a stored default may have around it.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')).unwrap_or(text)
}
