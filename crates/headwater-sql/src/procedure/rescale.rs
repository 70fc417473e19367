//! `sys.rescale`: rows of partitions are written anew, in another number of buckets.
//!
//! Source: Paimon 1.4.2 `RescaleProcedure` of Flink and of Spark.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;

use super::arguments::{Arguments, Kind, Parameter};
use super::compact::partitions;
use super::{Caller, Procedure};
use crate::error::SqlError;
use crate::show::batch;

const PARALLEL: &str = "all threads that there are read and write; leave it out";

pub(super) const PROCEDURE: Procedure = Procedure {
    name: "rescale",
    parameters: &[
        Parameter::required("table", Kind::Text),
        Parameter::optional("bucket_num", Kind::Count),
        Parameter::optional("partition", Kind::Pairs),
        Parameter::refused("scan_parallelism", Kind::Count, PARALLEL),
        Parameter::refused("sink_parallelism", Kind::Count, PARALLEL),
        Parameter::optional("partitions", Kind::Text),
        Parameter::refused(
            "where",
            Kind::Text,
            "name the partitions: partitions => 'dt=2024-01-31;dt=2024-02-01'",
        ),
    ],
    flink: &["table", "bucket_num", "partition", "scan_parallelism", "sink_parallelism"],
    spark: &["table", "bucket_num", "partitions", "where"],
    run: |caller, arguments| Box::pin(run(caller, arguments)),
};

async fn run(caller: &Caller<'_>, arguments: &Arguments) -> Result<RecordBatch, SqlError> {
    let given = match (arguments.text("partition"), arguments.text("partitions")) {
        (Some(_), Some(_)) => {
            return Err(SqlError::invalid(
                "'partition' (as in Flink) and 'partitions' (as in Spark) mean the same: give one"
                    .to_owned(),
            ));
        }
        (Some(one), None) if one.contains(';') => {
            return Err(SqlError::invalid(
                "argument 'partition' is one partition: name several with 'partitions'".to_owned(),
            ));
        }
        (one, several) => one.or(several),
    };
    let table = caller.table(arguments.required("table")?, Vec::new()).await?;
    let mut rescale = table.new_rescale().partitions(partitions(&table, given)?);
    if let Some(count) = arguments.count("bucket_num")? {
        rescale = rescale.buckets(count);
    }
    let done = rescale.run().await?;
    if let Some(own) = u32::try_from(table.options().bucket).ok().filter(|own| *own != done.buckets)
        && done.snapshot_id.is_some()
    {
        caller.scope.lookups.note(format!(
            "table {name}: these partitions have {n} buckets now, the table still has 'bucket' = \
             '{own}': before rows can be written to them, run ALTER TABLE {name} SET ('bucket' = \
             '{n}'), and rescale the other partitions",
            name = table.name(),
            n = done.buckets,
        ));
    }
    let long = |value: Option<i64>| -> ArrayRef { Arc::new(Int64Array::from(vec![value])) };
    let result = if done.snapshot_id.is_some() { "success" } else { "no rows to rescale" };
    batch(vec![
        ("result", false, Arc::new(StringArray::from(vec![result]))),
        ("snapshot_id", true, long(done.snapshot_id)),
        ("partitions", true, long(i64::try_from(done.partitions).ok())),
        ("rows", true, long(i64::try_from(done.rows).ok())),
        ("buckets", true, long(Some(i64::from(done.buckets)))),
    ])
}
