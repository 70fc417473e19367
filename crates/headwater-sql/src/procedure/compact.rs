//! `sys.compact`: compacts the buckets of a table, or sorts the rows of its partitions.
//!
//! Source: Paimon 1.4.2 `CompactProcedure` of Flink and of Spark; `buckets` from 2.0.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use headwater::compact::PartitionSpec;
use headwater::options::parse_duration_millis;
use headwater::{CompactionOutcome, CompactionProgress, Table};

use super::arguments::{Arguments, Kind, Parameter};
use super::{Caller, Procedure, pairs, partition_filter};
use crate::assign::Assignment;
use crate::error::SqlError;
use crate::show::batch;
use crate::sorted::{RowOrder, Sorting, Strategy};

/// Strategies of `compact_strategy`.
pub(super) const STRATEGIES: &[&str] = &["full", "minor"];
const ORDERS: &[&str] = &["none", "order", "zorder", "hilbert"];

pub(super) const PROCEDURE: Procedure = Procedure {
    name: "compact",
    parameters: &[
        Parameter::required("table", Kind::Text),
        Parameter::optional("partitions", Kind::Text),
        Parameter::one_of("compact_strategy", STRATEGIES),
        Parameter::one_of("order_strategy", ORDERS),
        Parameter::optional("order_by", Kind::Text),
        Parameter::optional("options", Kind::Pairs),
        Parameter::optional("partition_idle_time", Kind::Duration),
        Parameter::optional("where", Kind::Text),
        Parameter::refused("buckets", Kind::Text, "whole partitions are compacted; leave it out"),
    ],
    flink: &[
        "table",
        "partitions",
        "order_strategy",
        "order_by",
        "options",
        "where",
        "partition_idle_time",
        "compact_strategy",
        "buckets",
    ],
    spark: &[
        "table",
        "partitions",
        "compact_strategy",
        "order_strategy",
        "order_by",
        "where",
        "options",
        "partition_idle_time",
        "buckets",
    ],
    run: |caller, arguments| Box::pin(run(caller, arguments)),
};

async fn run(caller: &Caller<'_>, arguments: &Arguments) -> Result<RecordBatch, SqlError> {
    let order = order(arguments)?;
    let how = How::of(arguments)?;
    let options = pairs("options", arguments.text("options"))?;
    let table = caller.table(arguments.required("table")?, options).await?;
    let partitions = match (arguments.text("partitions"), arguments.text("where")) {
        (Some(_), Some(_)) => {
            return Err(SqlError::invalid(
                "arguments 'partitions' and 'where' both say which partitions: give one of them",
            ));
        }
        (text, None) => partitions(&table, text)?,
        (None, Some(condition)) => {
            let chosen = partition_filter::matching(caller, &table, condition).await?;
            if chosen.is_empty() {
                // Without partitions the whole table would be meant.
                return result(&[("success".to_owned(), CompactionOutcome::default())], None);
            }
            chosen
        }
    };
    let done = match order {
        None => how.compact(caller, &table, partitions).await?,
        Some((strategy, columns)) => {
            let order = RowOrder::new(&table, strategy, columns)?;
            sort(caller, &table, &order, &partitions).await?
        }
    };
    result(&[("success".to_owned(), done)], None)
}

/// How rows are to be sorted, and by which columns; `None`: they stay in their order.
///
/// As in Flink both arguments are needed; as in both engines no time can be given besides.
fn order(arguments: &Arguments) -> Result<Option<(Strategy, &str)>, SqlError> {
    let strategy = arguments.text("order_strategy");
    let columns = arguments.text("order_by");
    let none = strategy.is_some_and(|name| name.trim().eq_ignore_ascii_case("none"));
    let order = match (strategy.and_then(Strategy::parse), columns) {
        (Some(strategy), Some(columns)) => (strategy, columns),
        (None, None) => return Ok(None),
        (None, Some(_)) if none => {
            return Err(SqlError::invalid(
                "argument 'order_strategy' is 'none', but 'order_by' names columns: give a \
                 strategy ('order', 'zorder', 'hilbert') or leave the columns out",
            ));
        }
        _ => {
            return Err(SqlError::invalid(
                "arguments 'order_strategy' and 'order_by' belong together: give both, or none",
            ));
        }
    };
    let refuse = |name: &str, why: &str| {
        Err(SqlError::invalid(format!("argument '{name}' does not go with 'order_by': {why}")))
    };
    if arguments.text("partition_idle_time").is_some() {
        return refuse("partition_idle_time", "choose partitions with 'partitions' or 'where'");
    }
    let minor = |strategy: &str| strategy.trim().eq_ignore_ascii_case("minor");
    if arguments.text("compact_strategy").is_some_and(minor) {
        return refuse("compact_strategy", "sorting rewrites all files; leave 'minor' out");
    }
    Ok(Some(order))
}

/// Sorts the rows of partitions, without any those of the whole table.
async fn sort(
    caller: &Caller<'_>,
    table: &Table,
    order: &RowOrder,
    partitions: &[PartitionSpec],
) -> Result<CompactionOutcome, SqlError> {
    let scope = caller.scope;
    let compaction = Arc::new(CompactionProgress::default());
    scope.lookups.progress.compacts(Arc::clone(&compaction));
    let sorting = Sorting {
        state: scope.state(scope.threads),
        threads: scope.threads,
        progress: Arc::clone(&scope.lookups.progress),
        compaction,
    };
    sorting.run(table, order, partitions).await
}

/// What calls for one table and for many have in common.
pub(super) struct How {
    full: bool,
    idle: Option<Duration>,
}

impl How {
    pub(super) fn of(arguments: &Arguments) -> Result<Self, SqlError> {
        let idle = match arguments.text("partition_idle_time") {
            Some(text) => {
                Some(Duration::from_millis(parse_duration_millis(text).map_err(|reason| {
                    SqlError::invalid(format!("argument 'partition_idle_time': {reason}"))
                })?))
            }
            None => None,
        };
        // Both engines merge everything in a batch job.
        let full = arguments
            .text("compact_strategy")
            .is_none_or(|strategy| strategy.trim().eq_ignore_ascii_case("full"));
        Ok(Self { full, idle })
    }

    pub(super) async fn compact(
        &self,
        caller: &Caller<'_>,
        table: &Table,
        partitions: Vec<PartitionSpec>,
    ) -> Result<CompactionOutcome, SqlError> {
        let progress = Arc::new(CompactionProgress::default());
        caller.scope.lookups.progress.compacts(Arc::clone(&progress));
        let mut compaction =
            table.new_compaction().partitions(partitions).full(self.full).counted(progress);
        if let Some(idle) = self.idle {
            compaction = compaction.idle_for(idle);
        }
        Ok(compaction.run().await?)
    }
}

/// `k=v,k=v;k=v`: partitions, or those that have these values.
pub(super) fn partitions(
    table: &Table,
    text: Option<&str>,
) -> Result<Vec<PartitionSpec>, SqlError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    text.split(';')
        .map(|one| {
            let given: Vec<_> = pairs("partitions", Some(one))?
                .into_iter()
                .map(|(name, value)| (name, Some(value)))
                .collect();
            Assignment::partition_values(table.schema(), &given)
        })
        .collect()
}

/// The rows of a result: whether a table was compacted, and what that did; `names` of the tables
/// when there may be several.
pub(super) fn result(
    done: &[(String, CompactionOutcome)],
    names: Option<&[String]>,
) -> Result<RecordBatch, SqlError> {
    let long = |of: &dyn Fn(&CompactionOutcome) -> u64| -> ArrayRef {
        let value = |(_, outcome): &(String, CompactionOutcome)| i64::try_from(of(outcome)).ok();
        Arc::new(done.iter().map(value).collect::<Int64Array>())
    };
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let results: StringArray = done.iter().map(|(result, _)| Some(result.as_str())).collect();
    let snapshots: Int64Array = done.iter().map(|(_, outcome)| outcome.snapshot_id).collect();
    let mut columns: Vec<(&str, bool, ArrayRef)> = Vec::new();
    if let Some(names) = names {
        let names: StringArray = names.iter().map(Some).collect();
        columns.push(("table", false, Arc::new(names)));
    }
    columns.push(("result", false, Arc::new(results)));
    columns.push(("snapshot_id", true, Arc::new(snapshots)));
    columns.push(("buckets", true, long(&|o| count(o.buckets))));
    columns.push(("files_before", true, long(&|o| count(o.files_before))));
    columns.push(("files_after", true, long(&|o| count(o.files_after))));
    columns.push(("bytes_before", true, long(&|o| o.bytes_before)));
    columns.push(("bytes_after", true, long(&|o| o.bytes_after)));
    batch(columns)
}
