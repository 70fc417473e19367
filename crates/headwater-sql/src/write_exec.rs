//! INSERT: runs the query, fits its rows to the table, writes them and commits once.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use futures::channel::mpsc;
use futures::sink::SinkExt;
use headwater::io::Pools;
use headwater::{CommitOutcome, Env, Overwrite, Table, TableSchema, TableWrite};

use crate::assign::Assignment;
use crate::changelog::kinds_of;
use crate::error::SqlError;
use crate::files::Purpose;
use crate::floats::cast_values;
use crate::label::Label;
use crate::parse::Insert;
use crate::progress::Progress;
use crate::session::{Outcome, Scope, SqlSession, Temporary};
use crate::settings::PARTITION_OVERWRITE;
use crate::system_table::SystemTable;

/// Batches that wait between the query and the writer.
const BATCHES_AHEAD: usize = 2;

impl SqlSession {
    /// Runs an INSERT into a table of a catalog, or into a temporary one.
    pub(crate) async fn insert_statement(
        &self,
        insert: Insert,
        scope: &Arc<Scope>,
    ) -> Result<Outcome, SqlError> {
        let name = scope.name(&insert.table)?;
        match scope.temporary(&name) {
            None => {
                let label = self.label(scope)?;
                let rows = self.insert(insert, scope, Purpose::Store, label).await?;
                Ok(Outcome::Affected(rows))
            }
            Some(Temporary::Table(table)) => {
                let table = Arc::clone(table);
                self.insert_into_sink(insert, &table, scope).await
            }
            Some(Temporary::View(_)) => {
                Err(SqlError::invalid(format!("'{}' is a view: rows go to tables", name.id)))
            }
        }
    }

    /// Runs an INSERT and returns the number of rows written.
    ///
    /// Rows of a primary-key table keep the query's order: of rows with one key the last stays.
    /// Nothing is visible before all rows are written; an error leaves the table as it was.
    pub(crate) async fn insert(
        &self,
        mut insert: Insert,
        scope: &Arc<Scope>,
        purpose: Purpose,
        label: Option<Label>,
    ) -> Result<u64, SqlError> {
        let name = scope.name(&insert.table)?;
        if SystemTable::parse(&name.id.table)?.is_some() {
            return Err(SqlError::invalid(format!("'{}' is a system table", name.id)));
        }
        let table = scope.open(&name, std::mem::take(&mut insert.hint)).await?;
        check_open_partition(&insert, table.schema())?;
        if let Some(label) = &label
            && label.is_committed(&table, scope).await?
        {
            return Ok(0);
        }
        let assignment = Assignment::new(table.schema(), &insert.partition, &insert.columns)?;
        cast_values(&mut insert.query, &assignment.floats());
        let overwrite = overwrite_of(&insert, &table, &assignment, scope)?;
        let mut write = table.new_write().overwrite(overwrite);
        let threads = if table.has_primary_key() { 1 } else { self.threads() };
        let query = self.query_changes(*insert.query, scope, threads, purpose).await?;
        let (rows, changes) = query;
        assignment.check(&visible(&rows.schema(), changes)?, &scope.zone())?;
        if changes && insert.overwrite {
            return Err(SqlError::unsupported(
                "INSERT OVERWRITE with a changelog is",
                "a changelog changes rows that are there: INSERT INTO the table",
            ));
        }
        if let Some(snapshot) = scope.lookups.snapshot_read(&name) {
            write = write.computed_from(snapshot);
        }
        if let Some(label) = &label {
            write = label.on(write);
        }
        let write = write.build()?;
        let how = RowsOf { assignment: &assignment, changes };
        let identifier = label.as_ref().map(Label::identifier);
        let written = self.write_rows(rows, how, write, identifier).await;
        match (written, label) {
            (Err(error), Some(label)) if error.is_committed_before() => {
                label.note(&table, scope);
                Ok(0)
            }
            (Err(error), _) => Err(error),
            (Ok((count, outcome)), _) => {
                scope.lookups.note_outcome(&table, &outcome);
                Ok(count)
            }
        }
    }

    async fn write_rows(
        &self,
        mut rows: SendableRecordBatchStream,
        how: RowsOf<'_>,
        write: TableWrite,
        identifier: Option<i64>,
    ) -> Result<(u64, CommitOutcome), SqlError> {
        let mut write = Unfinished::new(write, &self.env);
        // The query goes on while a batch is written. The two have separate memory, and the query
        // waits for a place in the channel, so neither can starve the other.
        let (mut sender, mut batches) =
            mpsc::channel::<Result<RecordBatch, SqlError>>(BATCHES_AHEAD);
        let query = self.env.pools.spawn(async move {
            while let Some(batch) = rows.next().await {
                let failed = batch.is_err();
                let sent = sender.send(batch.map_err(SqlError::from_datafusion)).await;
                if failed || sent.is_err() {
                    return;
                }
            }
        });
        let mut taken = match &mut write.write {
            Some(write) => take_rows(&mut batches, how, write, &self.progress()).await,
            None => Ok(0),
        };
        if taken.is_ok() {
            // A query that ended in a panic must not be committed as if it were complete.
            let ended = query.await.map_err(|e| SqlError::from(headwater::Error::from(e)));
            taken = ended.and(taken);
        } else {
            query.abort();
        }
        // From here on the files belong to the commit, whatever becomes of this future.
        match taken {
            Ok(rows) => Ok((rows, write.commit(identifier).await?)),
            Err(error) => {
                write.abort().await;
                Err(error)
            }
        }
    }
}

/// A write whose rows are still coming. Dropped before its commit, as when the user cancels the
/// statement, it removes its files.
pub(crate) struct Unfinished {
    write: Option<TableWrite>,
    pools: Pools,
}

impl Unfinished {
    pub(crate) fn new(write: TableWrite, env: &Env) -> Self {
        Self { write: Some(write), pools: env.pools.clone() }
    }

    /// The write, to give it rows.
    pub(crate) fn write(&mut self) -> Result<&mut TableWrite, SqlError> {
        self.write.as_mut().ok_or_else(|| SqlError::invalid("the write has ended"))
    }

    /// Removes the files.
    pub(crate) async fn abort(mut self) {
        if let Some(write) = self.write.take() {
            write.abort().await;
        }
    }

    /// Commits, under the identifier of a write that has a name; the files belong to the commit,
    /// whatever becomes of this future.
    pub(crate) async fn commit(
        mut self,
        identifier: Option<i64>,
    ) -> Result<CommitOutcome, SqlError> {
        let Some(mut write) = self.write.take() else { return Ok(CommitOutcome::default()) };
        let Some(identifier) = identifier else { return Ok(write.commit_batch().await?) };
        let committed = write.commit_waiting(identifier).await;
        if committed.is_err() {
            // Nobody tries again with these files.
            write.abort().await;
        }
        Ok(committed?)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(write) = self.write.take() {
            self.pools.detach(write.abort());
        }
    }
}

/// How batches of a query become rows.
#[derive(Clone, Copy)]
struct RowsOf<'a> {
    assignment: &'a Assignment,
    /// Whether the last column is the kind of a row.
    changes: bool,
}

/// The columns of a query that go to the table.
fn visible(schema: &SchemaRef, changes: bool) -> Result<SchemaRef, SqlError> {
    let count = schema.fields().len();
    if !changes {
        return Ok(Arc::clone(schema));
    }
    let columns: Vec<usize> = (0..count.saturating_sub(1)).collect();
    let visible = schema.project(&columns).map_err(|e| SqlError::invalid(e.to_string()))?;
    Ok(Arc::new(visible))
}

/// Writes all rows of a query, without committing them; returns their number.
async fn take_rows(
    batches: &mut mpsc::Receiver<Result<RecordBatch, SqlError>>,
    how: RowsOf<'_>,
    write: &mut TableWrite,
    progress: &Progress,
) -> Result<u64, SqlError> {
    let mut count = 0_u64;
    while let Some(batch) = batches.next().await {
        let mut batch = batch?;
        let mut kinds = None;
        if how.changes {
            let (rows, given) = kinds_of(&batch)?;
            (batch, kinds) = (rows, Some(given));
        }
        let batch = how.assignment.apply(&batch)?;
        if batch.num_rows() > 0 {
            if how.assignment.is_partial() {
                write.write_partial(&batch, kinds.as_ref()).await?;
            } else {
                write.write_kinds(&batch, kinds.as_ref()).await?;
            }
            progress.add_written(batch.num_rows());
        }
        count = count.saturating_add(u64::try_from(batch.num_rows()).unwrap_or(u64::MAX));
    }
    Ok(count)
}

/// What the statement replaces.
///
/// As in Paimon, a partitioned table replaces the partitions that new rows come for, also with
/// PARTITION, unless its option `dynamic-partition-overwrite` is false or Spark's setting says so.
///
/// Source: Paimon 1.4.2 `FileStoreCommitImpl#overwritePartition`.
fn overwrite_of(
    insert: &Insert,
    table: &Table,
    assignment: &Assignment,
    scope: &Scope,
) -> Result<Overwrite, SqlError> {
    if !insert.overwrite {
        return Ok(Overwrite::None);
    }
    let schema = table.schema();
    let dynamic = match scope.settings.get(PARTITION_OVERWRITE) {
        Some(mode) => mode.trim().eq_ignore_ascii_case("dynamic"),
        None => table.options().partition.dynamic_overwrite,
    };
    if !schema.partition_keys.is_empty() && dynamic {
        return Ok(Overwrite::Dynamic);
    }
    let fixed = assignment.fixed(&insert.partition)?;
    Ok(Overwrite::Static(
        schema
            .partition_keys
            .iter()
            .filter_map(|key| fixed.iter().find(|(name, _)| name == key).cloned())
            .collect(),
    ))
}

/// Spark's `PARTITION (dt)` names columns that the query gives: they must be partition columns.
fn check_open_partition(insert: &Insert, schema: &TableSchema) -> Result<(), SqlError> {
    for name in &insert.open_partition {
        if !schema.partition_keys.contains(name) {
            return Err(SqlError::invalid(format!("'{name}' is no partition column")));
        }
    }
    Ok(())
}
