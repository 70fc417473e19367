//! Runs a statement that changes rows: its query says which rows and what becomes of them, all of
//! it is one commit.
//!
//! The rows are computed from one snapshot. If another commit changed them meanwhile, nothing is
//! committed and the statement runs again from the newer state, a few times.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, Int8Array, RecordBatch};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::expr::Exists;
use datafusion::logical_expr::{Expr, LogicalPlan};
use futures::StreamExt;
use headwater::options::MergeEngine;
use headwater::{DataField, Spool, Table, TableWrite};

use super::allowed;
use super::guard::Guard;
use super::marks::Marks;
use super::rewrite::rewrite;
use super::statement::{Action, Change};
use super::target::Target;
use crate::assign::Assignment;
use crate::error::{SqlError, SqlErrorKind};
use crate::files::Purpose;
use crate::label::Label;
use crate::result::Changed;
use crate::session::{Outcome, Scope, SqlSession, Temporary};
use crate::system_table::SystemTable;
use crate::write_exec::Unfinished;

/// How often a statement runs anew because another commit came in between.
const RETRIES: usize = 5;

/// Row kinds. Format: `docs/spec/datafile.md#columns`.
const UPDATE_AFTER: i8 = 2;
const DELETE: i8 = 3;

impl SqlSession {
    /// Runs DELETE, UPDATE or MERGE.
    pub(crate) async fn change_rows(
        &self,
        change: Change,
        scope: &Arc<Scope>,
    ) -> Result<Outcome, SqlError> {
        let label = self.label(scope)?;
        let first = scope;
        let mut scope = Arc::clone(first);
        let mut left = RETRIES;
        loop {
            match self.change_once(change.clone(), &scope, label.clone()).await {
                Err(error) if left > 0 && is_stale(&error) => {
                    tracing::debug!(%error, "the statement runs again");
                    left -= 1;
                    scope = self.scope()?;
                }
                outcome => {
                    for note in scope.lookups.take_notes() {
                        first.lookups.note(note);
                    }
                    return outcome.map(Outcome::Changed);
                }
            }
        }
    }

    async fn change_once(
        &self,
        change: Change,
        scope: &Arc<Scope>,
        label: Option<Label>,
    ) -> Result<Changed, SqlError> {
        let name = scope.name(&change.table)?;
        match scope.temporary(&name) {
            None => {}
            Some(Temporary::View(_)) => {
                return Err(SqlError::invalid(format!(
                    "'{}' is a view: {} changes rows of tables",
                    name.id, change.verb
                )));
            }
            Some(Temporary::Table(_)) => {
                return Err(SqlError::unsupported(
                    format!("{} of a temporary table is", change.verb),
                    "only tables of a catalog have rows that can be changed",
                ));
            }
        }
        if SystemTable::parse(&name.id.table)?.is_some() {
            return Err(SqlError::invalid(format!("'{}' is a system table", name.id)));
        }
        let table = scope.open(&name, change.hint.clone()).await?;
        if table.is_at_snapshot() {
            return Err(SqlError::invalid(format!(
                "{} changes the newest rows: leave out the options that choose a snapshot",
                change.verb
            )));
        }
        allowed::check(&table, &change)?;
        if let Some(label) = &label
            && label.is_committed(&table, scope).await?
        {
            return Ok(Changed::default());
        }
        let pinned = table.pinned().await?;
        let read = pinned.snapshot().await?.map_or(0, |snapshot| snapshot.id);
        let target = Arc::new(Target::new(pinned, Arc::clone(&scope.lookups.progress)));
        scope.change(Arc::clone(&target));
        let (verb, conditions, joins) = (change.verb, change.conditions, change.joins);
        let inserts = change
            .branches
            .iter()
            .any(|action| matches!(action, Action::Insert(_) | Action::InsertAll(_)));
        // Files are written anew without looking at the rows that go.
        let blind = !table.has_primary_key()
            && change.branches.iter().all(|action| matches!(action, Action::Delete));
        let (query, actions, first) = change.resolved(table.schema(), !blind)?;
        if conditions && !is_stable(&self.plan(query.clone(), scope).await?)? {
            return Err(SqlError::unsupported(
                "a function with a new value at each call in a condition of WHEN is",
                "compute it in the source: USING (SELECT *, random() AS r FROM …) AS s",
            ));
        }
        // Of new rows with one key the last one stays: they keep their order.
        let threads = if inserts && table.has_primary_key() { 1 } else { self.threads() };
        let rows = self.query(query, scope, threads, Purpose::Store).await?;
        let width = rows.schema().fields().len();
        let mut branches = Vec::with_capacity(actions.len());
        for action in actions {
            let branch = Branch::new(&table, verb, action, (first, width))?;
            if let Some(assignment) = &branch.assignment {
                assignment.check(&rows.schema(), &scope.zone())?;
            }
            branches.push(branch);
        }
        // A statement that reads the table a second time depends on more than the rows it changes.
        let again = scope.lookups.snapshot_read(&name);
        let mut write = table
            .new_write()
            .changing(again.map_or(read, |other| other.min(read)), again.is_some());
        if let Some(label) = &label {
            write = label.on(write);
        }
        let write = write.build()?;
        let has = |wanted: fn(&Kind) -> bool| branches.iter().any(|branch| wanted(&branch.kind));
        let replaces =
            has(|kind| matches!(kind, Kind::Insert)) && has(|kind| matches!(kind, Kind::Delete));
        let later = (replaces && table.has_primary_key()).then(|| Spool::new(self.env.clone()));
        let mut unfinished = Unfinished::new(write, &self.env);
        let run = Run {
            table: &table,
            branches,
            joins,
            updated: Marks::default(),
            deleted: Marks::default(),
            changed: Changed::default(),
            later,
        };
        let filled = self.fill(run, rows, &target, &mut unfinished).await;
        let changed = match filled {
            Ok(changed) if changed.is_nothing() => {
                unfinished.abort().await;
                changed
            }
            Ok(changed) => {
                let identifier = label.as_ref().map(Label::identifier);
                match (unfinished.commit(identifier).await, label) {
                    (Err(error), Some(label)) if error.is_committed_before() => {
                        label.note(&table, scope);
                        return Ok(Changed::default());
                    }
                    (outcome, _) => scope.lookups.note_outcome(&table, &outcome?),
                }
                changed
            }
            Err(error) => {
                unfinished.abort().await;
                return Err(error);
            }
        };
        Ok(changed)
    }

    /// Writes everything that is to be committed.
    async fn fill(
        &self,
        mut run: Run<'_>,
        mut rows: SendableRecordBatchStream,
        target: &Target,
        write: &mut Unfinished,
    ) -> Result<Changed, SqlError> {
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(SqlError::from_datafusion)?;
            run.take(&batch, write.write()?).await?;
            self.progress().add_written(batch.num_rows());
        }
        if let Some(later) = run.later.take() {
            let mut later = later.read();
            while let Some(batch) = later.next_batch().await? {
                write.write()?.write(&batch).await?;
            }
        }
        let Run { table, updated, deleted, changed, .. } = run;
        if !table.has_primary_key() {
            let gone = updated.with(deleted);
            rewrite(table, &target.take_files(), &gone, write.write()?).await?;
        }
        Ok(changed)
    }
}

/// Whether another commit came in between, and nothing was committed.
fn is_stale(error: &SqlError) -> bool {
    let SqlErrorKind::Table(error) = error.what() else { return false };
    matches!(error.as_ref(), headwater::Error::Metadata(e) if e.is_stale())
}

/// Whether the branch of a row is the same wherever the plan computes it.
fn is_stable(plan: &LogicalPlan) -> Result<bool, SqlError> {
    let Some(branch) = plan.expressions().into_iter().next() else { return Ok(true) };
    let mut stable = !branch.is_volatile();
    branch.apply(|expr| {
        if let Expr::ScalarSubquery(inner) | Expr::Exists(Exists { subquery: inner, .. }) = expr {
            inner.subquery.apply_with_subqueries(|node| {
                stable &= !node.expressions().iter().any(Expr::is_volatile);
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(stable)
}

/// What becomes of the rows of one branch.
enum Kind {
    Delete,
    /// Columns that must stay as they are, with the place of the old value.
    Update(Vec<(usize, String)>),
    Insert,
}

struct Branch {
    kind: Kind,
    /// The rows to write; `None`: nothing is written for the row.
    assignment: Option<Assignment>,
    /// The table's rows as they were, if they are looked at.
    old: Option<Assignment>,
    guard: Guard,
}

impl Branch {
    /// `first`: the place of the first computed value in the query's columns, `width` of them.
    fn new(
        table: &Table,
        verb: &str,
        action: Action,
        (first, width): (usize, usize),
    ) -> Result<Self, SqlError> {
        let schema = table.schema();
        let old =
            |field: &DataField| schema.fields.iter().position(|f| f == field).map(|at| at + 2);
        let (kind, columns) = match action {
            Action::Delete => (Kind::Delete, Vec::new()),
            Action::Update(columns) => (Kind::Update(Vec::new()), columns),
            Action::Insert(columns) => (Kind::Insert, columns),
            Action::UpdateAll(_) | Action::InsertAll(_) => {
                return Err(SqlError::invalid("columns by name were not looked up"));
            }
        };
        for (name, _) in &columns {
            if schema.field(name).is_none() {
                let known: Vec<&str> = schema.fields.iter().map(|f| f.name.as_str()).collect();
                return Err(SqlError::invalid(format!(
                    "table {} has no column '{name}'; it has: {}",
                    table.name(),
                    known.join(", ")
                )));
            }
        }
        let given = |field: &DataField| {
            columns.iter().find(|(name, _)| *name == field.name).map(|(_, at)| first + at)
        };
        let assignment = match kind {
            Kind::Delete if !table.has_primary_key() => None,
            _ => Some(Assignment::of_places(schema, width, |field| match kind {
                Kind::Insert => given(field),
                _ => given(field).or_else(|| old(field)),
            })?),
        };
        let set: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let guard = match kind {
            Kind::Delete => Guard::of_delete(table),
            Kind::Update(_) => Guard::of_update(table, &set),
            Kind::Insert => Guard::default(),
        };
        let kind = match kind {
            Kind::Update(_) => Kind::Update(fixed(table, verb, &given, &old)?),
            other => other,
        };
        let old = match guard.is_empty() {
            true => None,
            false => Some(Assignment::of_places(schema, width, old)?),
        };
        Ok(Self { kind, assignment, old, guard })
    }
}

/// The columns that say where a row lies, if the statement sets them: they must not change.
fn fixed(
    table: &Table,
    verb: &str,
    given: &impl Fn(&DataField) -> Option<usize>,
    old: &impl Fn(&DataField) -> Option<usize>,
) -> Result<Vec<(usize, String)>, SqlError> {
    let mut fixed = Vec::new();
    let schema = table.schema();
    let moving = table.has_moving_keys();
    if schema.primary_keys.is_empty() {
        // Rows without a key go and come: also to another partition.
        return Ok(fixed);
    }
    for field in &schema.fields {
        let is_key = schema.primary_keys.contains(&field.name);
        if !is_key && !schema.partition_keys.contains(&field.name) {
            continue;
        }
        let (Some(_), Some(old)) = (given(field), old(field)) else { continue };
        if moving && !is_key && table.options().merge.engine == MergeEngine::Deduplicate {
            // The key takes its row along.
            continue;
        }
        if verb == "UPDATE" {
            return Err(SqlError::unsupported(
                format!(
                    "UPDATE of column '{}', which is part of the {}, is",
                    field.name,
                    if is_key { "primary key" } else { "partition" }
                ),
                match moving && !is_key {
                    true => {
                        "a row stays in the partition of the first one of its key: DELETE it, then INSERT it"
                    }
                    false => "INSERT the rows with their new values, then DELETE the old ones",
                },
            ));
        }
        fixed.push((old, field.name.clone()));
    }
    Ok(fixed)
}

/// A statement that is running.
struct Run<'a> {
    table: &'a Table,
    branches: Vec<Branch>,
    /// Whether a row of the table may come more than once.
    joins: bool,
    updated: Marks,
    deleted: Marks,
    changed: Changed,
    /// New rows, which wait until all rows that go are written: one may have the key of another.
    later: Option<Spool>,
}

impl Run<'_> {
    /// Writes what becomes of the rows of one batch of the query.
    async fn take(&mut self, batch: &RecordBatch, write: &mut TableWrite) -> Result<(), SqlError> {
        // Small numbers are INT or BIGINT, by whose functions the session has.
        let number = batch.columns().first().map(|c| cast(c, &DataType::Int64)).transpose();
        let number = number.map_err(DataFusionError::from)?;
        let number = number.as_ref().and_then(|c| c.as_primitive_opt::<Int64Type>());
        let Some(number) = number else {
            return Err(SqlError::invalid("the query lost the number of the branch"));
        };
        for at in 0..self.branches.len() {
            let wanted = i64::try_from(at + 1).unwrap_or(i64::MAX);
            let mine: BooleanArray = number.iter().map(|n| Some(n == Some(wanted))).collect();
            if mine.true_count() == 0 {
                continue;
            }
            let part =
                filter_record_batch(batch, &mine).map_err(|e| SqlError::invalid(e.to_string()))?;
            self.branch(at, part, write).await?;
        }
        Ok(())
    }

    async fn branch(
        &mut self,
        at: usize,
        part: RecordBatch,
        write: &mut TableWrite,
    ) -> Result<(), SqlError> {
        let part = match self.branches.get(at).map(|b| &b.kind) {
            Some(Kind::Delete) => self.mark_deleted(&part)?,
            Some(Kind::Update(_)) => {
                self.mark_updated(&part)?;
                part
            }
            _ => part,
        };
        let Some(Branch { kind, assignment, old, guard }) = self.branches.get(at) else {
            return Ok(());
        };
        let rows = part.num_rows();
        let count = u64::try_from(rows).unwrap_or(u64::MAX);
        let keyed = self.table.has_primary_key();
        let kinds = |kind: i8| keyed.then(|| Int8Array::from(vec![kind; rows]));
        let new = match assignment {
            Some(assignment) if rows > 0 => Some(assignment.apply(&part)?),
            _ => None,
        };
        if let (Some(old), Some(new)) = (old, &new) {
            guard.check(&old.apply(&part)?, new)?;
        }
        match (kind, new) {
            (Kind::Insert, Some(new)) => match &mut self.later {
                Some(later) => later.add(new).await?,
                None => write.write(&new).await?,
            },
            (Kind::Update(fixed), Some(new)) => {
                check_fixed(&part, &new, fixed)?;
                write.write_stored(&new, kinds(UPDATE_AFTER).as_ref()).await?;
            }
            (Kind::Delete, Some(old)) => {
                write.write_stored(&old, kinds(DELETE).as_ref()).await?;
            }
            (_, None) => {}
        }
        let total = match kind {
            Kind::Insert => &mut self.changed.inserted,
            Kind::Update(_) => &mut self.changed.updated,
            Kind::Delete => &mut self.changed.deleted,
        };
        *total = total.saturating_add(count);
        Ok(())
    }

    fn mark_updated(&mut self, part: &RecordBatch) -> Result<(), SqlError> {
        for number in row_numbers(part)? {
            let first = self.updated.insert(number);
            if self.joins && (!first || self.deleted.contains(number)) {
                return Err(ambiguous(self.table));
            }
        }
        Ok(())
    }

    /// The rows that were not deleted before: that several rows of a source delete one row of the
    /// table is no contradiction.
    fn mark_deleted(&mut self, part: &RecordBatch) -> Result<RecordBatch, SqlError> {
        let mut new = Vec::with_capacity(part.num_rows());
        for number in row_numbers(part)? {
            if self.updated.contains(number) {
                return Err(ambiguous(self.table));
            }
            new.push(self.deleted.insert(number));
        }
        filter_record_batch(part, &BooleanArray::from(new))
            .map_err(|e| SqlError::invalid(e.to_string()))
    }
}

fn ambiguous(table: &Table) -> SqlError {
    SqlError::invalid(format!(
        "a row of table {} is matched by more than one row of the source: it is open which of them \
         it becomes; leave one source row for each, for example with GROUP BY",
        table.name()
    ))
}

/// The numbers of the table's rows.
fn row_numbers(part: &RecordBatch) -> Result<impl Iterator<Item = u64> + '_, SqlError> {
    match part.columns().get(1).and_then(|c| c.as_primitive_opt::<Int64Type>()) {
        Some(numbers) if numbers.null_count() == 0 => {
            Ok(numbers.values().iter().map(|n| u64::try_from(*n).unwrap_or(0)))
        }
        _ => Err(SqlError::invalid("the query lost the numbers of the table's rows")),
    }
}

/// Refuses rows that would get another key or partition.
fn check_fixed(
    part: &RecordBatch,
    new: &RecordBatch,
    fixed: &[(usize, String)],
) -> Result<(), SqlError> {
    for (old, name) in fixed {
        let (Some(old), Some(new)) = (part.columns().get(*old), new.column_by_name(name)) else {
            return Err(SqlError::invalid("the query lost a column"));
        };
        let differs: BooleanArray =
            distinct(old, new).map_err(|e| SqlError::invalid(e.to_string()))?;
        if differs.true_count() > 0 {
            return Err(SqlError::unsupported(
                format!("a new value of column '{name}', which says where a row lies, is"),
                "UPDATE SET must leave the primary key and the partition as they are: make the ON \
                 condition compare them, or INSERT new rows and DELETE the old ones",
            ));
        }
    }
    Ok(())
}
