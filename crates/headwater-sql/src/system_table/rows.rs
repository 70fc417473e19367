//! Rows of a system table as Arrow columns.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Array, Int64Array, ListBuilder, StringArray, StringBuilder,
    TimestampMillisecondArray,
};
use arrow::record_batch::RecordBatch;
use headwater::spec::types::arrow_schema;
use headwater::{DataField, RowType, TypeKind};

use crate::error::SqlError;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Int(i32),
    Long(i64),
    /// Milliseconds of a local time, as if it were UTC.
    Time(i64),
    Texts(Vec<String>),
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn maybe_text(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    pub(super) fn maybe_long(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Long)
    }

    pub(super) fn maybe_time(millis: Option<i64>) -> Self {
        millis.map_or(Self::Null, Self::Time)
    }
}

/// A row, one cell per column.
pub(super) type Row = Vec<Cell>;

/// The rows as a batch of these columns.
pub(super) fn batch(fields: &[DataField], rows: &[Row]) -> Result<RecordBatch, SqlError> {
    let columns = fields.iter().enumerate().map(|(at, field)| column(field, at, rows)).collect();
    let schema = arrow_schema(&RowType::new(fields.to_vec()));
    // Names of list elements differ between builders and tables.
    let columns: Vec<ArrayRef> = columns;
    let columns: Result<Vec<ArrayRef>, _> = columns
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| arrow::compute::cast(column, field.data_type()))
        .collect();
    columns
        .and_then(|columns| RecordBatch::try_new(Arc::clone(&schema), columns))
        .map_err(|e| SqlError::invalid(e.to_string()))
}

fn column(field: &DataField, at: usize, rows: &[Row]) -> ArrayRef {
    let cells = rows.iter().map(|row| row.get(at).unwrap_or(&Cell::Null));
    match &field.data_type.kind {
        TypeKind::Int => Arc::new(
            cells
                .map(|cell| match cell {
                    Cell::Int(number) => Some(*number),
                    _ => None,
                })
                .collect::<Int32Array>(),
        ),
        TypeKind::BigInt => Arc::new(
            cells
                .map(|cell| match cell {
                    Cell::Long(number) => Some(*number),
                    _ => None,
                })
                .collect::<Int64Array>(),
        ),
        TypeKind::Timestamp(_) => Arc::new(
            cells
                .map(|cell| match cell {
                    Cell::Time(millis) => Some(*millis),
                    _ => None,
                })
                .collect::<TimestampMillisecondArray>(),
        ),
        TypeKind::Array(_) => {
            let mut builder = ListBuilder::new(StringBuilder::new());
            for cell in cells {
                match cell {
                    Cell::Texts(texts) => {
                        for text in texts {
                            builder.values().append_value(text);
                        }
                        builder.append(true);
                    }
                    _ => builder.append(false),
                }
            }
            Arc::new(builder.finish())
        }
        _ => Arc::new(
            cells
                .map(|cell| match cell {
                    Cell::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect::<StringArray>(),
        ),
    }
}
