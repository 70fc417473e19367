//! Results as they are shown: types and names of columns, and times in the session's zone.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

/// The plan with the types that its columns have when it runs.
pub(super) fn analyzed(plan: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
    state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {})
}

/// The rows with other names for their columns; where there is none, the name stays.
pub(super) fn renamed(
    rows: SendableRecordBatchStream,
    names: Vec<Option<String>>,
) -> SendableRecordBatchStream {
    let old = rows.schema();
    if names.len() != old.fields().len() {
        return rows;
    }
    let fields = old.fields().iter().zip(names).map(|(field, name)| match name {
        Some(name) => Arc::new(field.as_ref().clone().with_name(name)),
        None => Arc::clone(field),
    });
    with_fields(rows, fields.collect())
}

/// The rows with TIMESTAMP WITH LOCAL TIME ZONE shown in the session's zone.
pub(super) fn in_zone(rows: SendableRecordBatchStream, zone: &str) -> SendableRecordBatchStream {
    let old = rows.schema();
    let shifted = |field: &Field| match field.data_type() {
        DataType::Timestamp(unit, Some(there)) if &**there != zone => {
            Some(DataType::Timestamp(*unit, Some(zone.into())))
        }
        _ => None,
    };
    if old.fields().iter().all(|field| shifted(field).is_none()) {
        return rows;
    }
    let fields = old.fields().iter().map(|field| match shifted(field) {
        Some(target) => Arc::new(field.as_ref().clone().with_data_type(target)),
        None => Arc::clone(field),
    });
    with_fields(rows, fields.collect())
}

/// The rows with these fields; a value of another type is cast.
fn with_fields(
    rows: SendableRecordBatchStream,
    fields: Vec<FieldRef>,
) -> SendableRecordBatchStream {
    let schema = Arc::new(Schema::new(fields));
    let target = Arc::clone(&schema);
    let rows = rows.map(move |batch| {
        let batch = batch?;
        let columns = batch.columns().iter().zip(target.fields()).map(|(column, field)| {
            if column.data_type() == field.data_type() {
                return Ok(Arc::clone(column));
            }
            cast(column, field.data_type())
        });
        let columns = columns.collect::<std::result::Result<Vec<ArrayRef>, ArrowError>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&target), columns, &options)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}
