//! INSERT INTO a temporary table: the connectors `blackhole` and `print`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use crate::assign::Assignment;
use crate::connector::{Connector, ConnectorTable};
use crate::error::SqlError;
use crate::files::Purpose;
use crate::floats::cast_values;
use crate::parse::Insert;
use crate::session::{Outcome, Scope, SqlSession};

impl SqlSession {
    /// Runs an INSERT into a temporary table.
    pub(crate) async fn insert_into_sink(
        &self,
        mut insert: Insert,
        table: &ConnectorTable,
        scope: &Arc<Scope>,
    ) -> Result<Outcome, SqlError> {
        if let Connector::Files(request) = &table.kind {
            return Err(SqlError::unsupported(
                "INSERT INTO a table of connector 'filesystem' is",
                format!("write a file with COPY (query) TO '{}'", request.path),
            ));
        }
        if insert.overwrite || !insert.hint.is_empty() {
            return Err(SqlError::unsupported(
                "OVERWRITE, or a hint, for a temporary table is",
                "write INSERT INTO the table",
            ));
        }
        let assignment = Assignment::new(&table.columns, &insert.partition, &insert.columns)?;
        cast_values(&mut insert.query, &assignment.floats());
        let rows = self.query(*insert.query, scope, self.threads(), Purpose::Result).await?;
        assignment.check(&rows.schema(), &scope.zone())?;
        match &table.kind {
            Connector::Print { identifier } => {
                Ok(Outcome::Rows(printed(rows, assignment, identifier.clone())))
            }
            _ => count(rows, &assignment).await.map(Outcome::Affected),
        }
    }
}

/// Takes all rows, which must fit, and keeps their number.
async fn count(
    mut rows: SendableRecordBatchStream,
    assignment: &Assignment,
) -> Result<u64, SqlError> {
    let mut count = 0_u64;
    while let Some(batch) = rows.next().await {
        let batch = assignment.apply(&batch?)?;
        count = count.saturating_add(u64::try_from(batch.num_rows()).unwrap_or(u64::MAX));
    }
    Ok(count)
}

/// The rows as Flink prints them: `+I[1, a]`, `identifier> +I[1, a]`.
fn printed(
    rows: SendableRecordBatchStream,
    assignment: Assignment,
    identifier: Option<String>,
) -> SendableRecordBatchStream {
    let schema = Arc::new(Schema::new(vec![Field::new("printed", DataType::Utf8, false)]));
    let target = Arc::clone(&schema);
    let lines = rows.map(move |batch| {
        let fitted =
            assignment.apply(&batch?).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let options = FormatOptions::new().with_null("null");
        let columns = fitted
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<Vec<_>, _>>()?;
        let line = |row: usize| {
            let cells: Vec<String> = columns.iter().map(|c| c.value(row).to_string()).collect();
            let before = identifier.as_ref().map(|text| format!("{text}> ")).unwrap_or_default();
            format!("{before}+I[{}]", cells.join(", "))
        };
        let lines: ArrayRef =
            Arc::new((0..fitted.num_rows()).map(line).map(Some).collect::<StringArray>());
        Ok(RecordBatch::try_new(Arc::clone(&target), vec![lines])?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, lines))
}
