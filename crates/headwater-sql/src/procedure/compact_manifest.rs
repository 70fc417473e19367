//! `sys.compact_manifest`: the manifests of a table become as few as their target size allows.
//!
//! Source: Paimon 1.4.2 `CompactManifestProcedure`; its later arguments from 2.0.

use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use arrow::record_batch::RecordBatch;

use super::arguments::{Arguments, Kind, Parameter};
use super::{Caller, Procedure, pairs};
use crate::error::SqlError;
use crate::show::batch;

const SORT: &str = "this version merges manifests without sorting their entries; leave it out";

const ORDER: &[&str] = &[
    "table",
    "options",
    "dry_run",
    "manifest_sort_enabled",
    "manifest_sort_partition_field",
    "manifest_sort_max_rewrite_size",
];

pub(super) const PROCEDURE: Procedure = Procedure {
    name: "compact_manifest",
    parameters: &[
        Parameter::required("table", Kind::Text),
        Parameter::optional("options", Kind::Pairs),
        Parameter::refused(
            "dry_run",
            Kind::Boolean,
            "the table t$manifests shows the manifests that there are; leave it out",
        ),
        Parameter::refused("manifest_sort_enabled", Kind::Boolean, SORT),
        Parameter::refused("manifest_sort_partition_field", Kind::Text, SORT),
        Parameter::refused("manifest_sort_max_rewrite_size", Kind::Text, SORT),
    ],
    flink: ORDER,
    spark: ORDER,
    run: |caller, arguments| Box::pin(run(caller, arguments)),
};

async fn run(caller: &Caller<'_>, arguments: &Arguments) -> Result<RecordBatch, SqlError> {
    let options = pairs("options", arguments.text("options"))?;
    let table = caller.table(arguments.required("table")?, options).await?;
    let done = table.compact_manifests().await?;
    let manifests = i64::try_from(done.manifests).unwrap_or(i64::MAX);
    batch(vec![
        ("result", false, Arc::new(StringArray::from(vec!["success"]))),
        ("snapshot_id", true, Arc::new(Int64Array::from(vec![done.snapshot_id]))),
        ("manifests", false, Arc::new(Int64Array::from(vec![manifests]))),
    ])
}
