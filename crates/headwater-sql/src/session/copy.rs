//! COPY: writes a query's rows to files of this machine, which appear when they are complete.

use std::path::Path;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::dml::CopyTo;
use datafusion::sql::parser::Statement as QueryStatement;
use futures::StreamExt;
use headwater::io::StagedOutput;

use super::{Scope, SqlSession};
use crate::digits::with_digits;
use crate::error::SqlError;
use crate::files::Purpose;

impl SqlSession {
    /// Runs a COPY and returns the number of rows written. A failing one leaves what the target
    /// was before.
    pub(super) async fn copy(
        &self,
        statement: QueryStatement,
        scope: &Arc<Scope>,
    ) -> Result<u64, SqlError> {
        let (state, planned) =
            self.planned(statement, scope, self.threads(), Purpose::Result).await;
        let plan = planned.map_err(|error| scope.explain(SqlError::from_datafusion(error)))?;
        let LogicalPlan::Copy(copy) = plan else {
            return Err(SqlError::invalid("this is no COPY"));
        };
        let target = local_path(&copy.output_url)?;
        let is_dir = target.ends_with('/')
            || !copy.partition_by.is_empty()
            || Path::new(&target).extension().is_none();
        let staged = StagedOutput::begin(&target, is_dir, self.env.random.as_ref())
            .await
            .map_err(headwater::Error::from)?;
        let plan = match with_digits(copy) {
            Ok(copy) => LogicalPlan::Copy(CopyTo { output_url: staged.path(), ..copy }),
            Err(error) => {
                staged.discard().await;
                return Err(SqlError::from_datafusion(error));
            }
        };
        let written = match self.start(state, plan).await {
            Ok(rows) => count_of(rows).await,
            Err(error) => Err(scope.explain(SqlError::from_datafusion(error))),
        };
        match written {
            Ok(rows) => {
                staged.publish().await.map_err(headwater::Error::from)?;
                Ok(rows)
            }
            Err(error) => {
                staged.discard().await;
                Err(error)
            }
        }
    }
}

/// The target's path on this machine.
fn local_path(url: &str) -> Result<String, SqlError> {
    match url.split_once("://") {
        None => Ok(url.to_owned()),
        Some(("file", path)) if path.starts_with('/') => Ok(path.to_owned()),
        Some(_) => Err(SqlError::unsupported(
            format!("COPY TO '{url}' is"),
            "write to a file or directory of this machine",
        )),
    }
}

/// The number in the only row that COPY gives.
async fn count_of(mut rows: SendableRecordBatchStream) -> Result<u64, SqlError> {
    let mut count = 0_u64;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        if let Some(column) =
            batch.columns().first().and_then(|c| c.as_primitive_opt::<UInt64Type>())
        {
            count = column.iter().flatten().fold(count, u64::saturating_add);
        }
    }
    Ok(count)
}
