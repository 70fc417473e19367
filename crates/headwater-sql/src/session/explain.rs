//! EXPLAIN: plans the query, runs it for ANALYZE, and draws the plan.

use std::sync::Arc;

use datafusion::common::format::ExplainStatementOptions;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{ExplainStatement, Statement as QueryStatement};
use futures::StreamExt;

use super::{Scope, SqlSession, rows_of};
use crate::error::SqlError;
use crate::explain::{Facts, lines};
use crate::files::Purpose;
use crate::parse::{Explain, ExplainMode};
use crate::show;

impl SqlSession {
    /// The rows of EXPLAIN.
    pub(super) async fn explain(
        &self,
        explain: Explain,
        scope: &Arc<Scope>,
    ) -> Result<SendableRecordBatchStream, SqlError> {
        let above = match &explain.insert {
            Some(insert) => {
                let name = scope.name(&insert.table)?;
                let table = scope.open(&name, insert.hint.clone()).await?;
                let how =
                    if insert.overwrite { "Insert, replacing rows of" } else { "Insert into" };
                Some(format!("{how} {}", table.name()))
            }
            None => None,
        };
        if explain.mode == ExplainMode::Verbose {
            let options = ExplainStatementOptions { verbose: true, ..Default::default() };
            let statement = explain.query.statement;
            let statement = QueryStatement::Explain(ExplainStatement { options, statement });
            return self.query(statement, scope, self.threads, Purpose::Result).await;
        }
        let purpose = if explain.insert.is_some() { Purpose::Store } else { Purpose::Result };
        let (state, plan) =
            self.planned(*explain.query.statement, scope, self.threads, purpose).await;
        let plan = plan.map_err(|error| scope.explain(SqlError::from_datafusion(error)))?;
        let frame = SessionContext::new_with_state(state).execute_logical_plan(plan).await?;
        let task = Arc::new(frame.task_ctx());
        let physical = frame.create_physical_plan().await?;
        let analyze = explain.mode == ExplainMode::Analyze;
        let facts = Facts::collect(&physical, !analyze).await?;
        if analyze {
            for part in 0..physical.output_partitioning().partition_count() {
                let mut rows = physical.execute(part, Arc::clone(&task))?;
                while let Some(batch) = rows.next().await {
                    batch?;
                }
            }
        }
        let text = lines(&physical, &facts, analyze, above);
        Ok(rows_of(show::texts("plan", text)?))
    }
}
