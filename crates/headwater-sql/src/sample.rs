//! The table function `sample_orders(rows => n, seed => s)`: made-up orders of a shop, as rows
//! that really arrive: several versions of an order, some of them late, with gaps and all scripts.
//!
//! The same arguments give the same rows, everywhere and always.

mod rows;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;

use self::rows::{Orders, schema};
use crate::error::SqlError;

/// Name of the function.
pub(crate) const NAME: &str = "sample_orders";
/// Its parameters in order; each may be left out.
pub(crate) const PARAMETERS: [&str; 2] = ["rows", "seed"];

const DEFAULT_ROWS: u64 = 1000;
const DEFAULT_SEED: u64 = 1;
const MAX_ROWS: u64 = 1_000_000_000_000;
/// Rows of a batch.
const BATCH_ROWS: u64 = 8192;

/// The function itself.
#[derive(Debug, Default)]
pub(crate) struct SampleOrders;

impl TableFunctionImpl for SampleOrders {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let mut values = [DEFAULT_ROWS, DEFAULT_SEED];
        if args.exprs().len() > values.len() {
            return Err(wrong(format!("{NAME} takes at most {} arguments", values.len())));
        }
        for ((value, expr), parameter) in values.iter_mut().zip(args.exprs()).zip(PARAMETERS) {
            if let Some(given) = argument(expr, parameter)? {
                *value = given;
            }
        }
        let [rows, seed] = values;
        if rows > MAX_ROWS {
            return Err(wrong(format!("{NAME}: rows must be at most {MAX_ROWS}")));
        }
        let schema = schema();
        let partition = Arc::new(OrdersPartition { schema: Arc::clone(&schema), rows, seed });
        Ok(Arc::new(StreamingTable::try_new(schema, vec![partition])?))
    }
}

fn wrong(message: String) -> DataFusionError {
    DataFusionError::External(Box::new(SqlError::invalid(message)))
}

/// A whole number; `None` for NULL.
fn argument(expr: &Expr, parameter: &str) -> Result<Option<u64>> {
    let refused = || wrong(format!("{NAME}: {parameter} must be a whole number, 0 or more"));
    let Expr::Literal(value, _) = expr else { return Err(refused()) };
    if value.is_null() {
        return Ok(None);
    }
    if !value.data_type().is_integer() {
        return Err(refused());
    }
    match value.cast_to(&arrow::datatypes::DataType::UInt64) {
        Ok(ScalarValue::UInt64(Some(number))) => Ok(Some(number)),
        _ => Err(refused()),
    }
}

#[derive(Debug)]
struct OrdersPartition {
    schema: SchemaRef,
    rows: u64,
    seed: u64,
}

impl PartitionStream for OrdersPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let orders = Orders::new(self.seed);
        let rows = self.rows;
        let batches = (0..rows.div_ceil(BATCH_ROWS)).map(move |batch| {
            let start = batch * BATCH_ROWS;
            Ok(orders.batch(start..rows.min(start + BATCH_ROWS))?)
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            futures::stream::iter(batches),
        ))
    }
}
