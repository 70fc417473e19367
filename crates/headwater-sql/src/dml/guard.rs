//! Rows that a merge engine would pass over: an older sequence, a null that changes nothing. A
//! statement that would write such rows says so instead.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::SortOptions;
use arrow::row::{RowConverter, SortField};
use headwater::options::{MergeEngine, MergeOptions};
use headwater::{Table, TableSchema};

use crate::error::SqlError;

/// What must hold between old and new rows; columns are positions in the table.
#[derive(Debug)]
enum Check {
    /// By these columns the new row is not older; the names are those of the option.
    NotOlder { columns: Vec<usize>, descending: bool, what: String },
    /// One of these groups of columns is not null as a whole.
    Ordered { groups: Vec<Vec<usize>>, what: String },
    /// A value is not replaced by null.
    NotNulled(usize),
}

/// The checks of one branch of a statement.
#[derive(Debug, Default)]
pub(super) struct Guard {
    table: String,
    names: Vec<String>,
    checks: Vec<Check>,
}

impl Guard {
    /// For rows that get new values in these columns.
    pub(super) fn of_update(table: &Table, set: &[&str]) -> Self {
        let (schema, options) = (table.schema(), &table.options().merge);
        let mut guard = Self::new(table);
        if schema.primary_keys.is_empty() {
            return guard;
        }
        let is_set = |name: &String| set.contains(&name.as_str());
        if options.sequence.iter().any(is_set) {
            guard.checks.push(Check::NotOlder {
                columns: places(schema, &options.sequence),
                descending: options.descending,
                what: format!("'sequence.field' = '{}'", options.sequence.join(",")),
            });
        }
        if options.engine != MergeEngine::PartialUpdate {
            return guard;
        }
        for group in &options.groups {
            if !group.sequence.iter().chain(&group.columns).any(is_set) {
                continue;
            }
            let columns = places(schema, &group.sequence);
            let what = format!("the sequence group of '{}'", group.sequence.join(","));
            guard.checks.push(Check::Ordered { groups: vec![columns.clone()], what: what.clone() });
            guard.checks.push(Check::NotOlder { columns, descending: false, what });
        }
        for (at, field) in schema.fields.iter().enumerate() {
            // A sequence group writes nulls as they are.
            if set.contains(&field.name.as_str()) && options.group_of(&field.name).is_none() {
                guard.checks.push(Check::NotNulled(at));
            }
        }
        guard
    }

    /// For rows that go.
    pub(super) fn of_delete(table: &Table) -> Self {
        let (schema, options): (_, &MergeOptions) = (table.schema(), &table.options().merge);
        let mut guard = Self::new(table);
        let by_groups = options.engine == MergeEngine::PartialUpdate && !options.remove_on_delete;
        if by_groups && !schema.primary_keys.is_empty() {
            let removing = options.groups.iter().filter(|group| options.group_removes(group));
            guard.checks.push(Check::Ordered {
                groups: removing.map(|group| places(schema, &group.sequence)).collect(),
                what: "'partial-update.remove-record-on-sequence-group'".to_owned(),
            });
        }
        guard
    }

    fn new(table: &Table) -> Self {
        let names = table.schema().fields.iter().map(|f| f.name.clone()).collect();
        Self { table: table.name().to_owned(), names, checks: Vec::new() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// Refuses rows that would change nothing; `old` and `new` are whole rows of the table.
    pub(super) fn check(&self, old: &RecordBatch, new: &RecordBatch) -> Result<(), SqlError> {
        for check in &self.checks {
            let reason = match check {
                Check::NotOlder { columns, descending, what } => {
                    if !is_older(old, new, columns, *descending)? {
                        continue;
                    }
                    format!(
                        "a row would get an older place by {what}, and the stored values would \
                         stay: set it to the stored value or to a newer one"
                    )
                }
                Check::Ordered { groups, what } => {
                    let row_has = |row: usize| {
                        groups.iter().flatten().any(|at| new.column(*at).is_valid(row))
                    };
                    if (0..new.num_rows()).all(row_has) {
                        continue;
                    }
                    format!(
                        "a row has no value that says its place by {what}, and would stay as it \
                         is: give it one first"
                    )
                }
                Check::NotNulled(at) => {
                    let (old, new) = (old.column(*at), new.column(*at));
                    if (0..new.len()).all(|row| new.is_valid(row) || old.is_null(row)) {
                        continue;
                    }
                    let name = self.names.get(*at).map_or("", String::as_str);
                    format!(
                        "column '{name}' would be set to null, which the merge engine \
                         'partial-update' takes for no change: only a column of a sequence group \
                         can become null, or DELETE the row and INSERT it anew"
                    )
                }
            };
            return Err(SqlError::invalid(format!("table {}: {reason}", self.table)));
        }
        Ok(())
    }
}

fn places(schema: &TableSchema, names: &[String]) -> Vec<usize> {
    let place = |name: &String| schema.fields.iter().position(|f| f.name == *name);
    names.iter().filter_map(place).collect()
}

/// Whether a new row comes before the old one; null is the least value.
fn is_older(
    old: &RecordBatch,
    new: &RecordBatch,
    columns: &[usize],
    descending: bool,
) -> Result<bool, SqlError> {
    let options = SortOptions { descending, nulls_first: true };
    let failed = |e: arrow::error::ArrowError| SqlError::invalid(e.to_string());
    let pick = |rows: &RecordBatch| -> Vec<ArrayRef> {
        columns.iter().filter_map(|at| rows.columns().get(*at)).map(ArrayRef::clone).collect()
    };
    let (old, new) = (pick(old), pick(new));
    let fields = new
        .iter()
        .map(|column| SortField::new_with_options(column.data_type().clone(), options))
        .collect();
    let converter = RowConverter::new(fields).map_err(failed)?;
    let (old, new) = (
        converter.convert_columns(&old).map_err(failed)?,
        converter.convert_columns(&new).map_err(failed)?,
    );
    Ok(old.iter().zip(new.iter()).any(|(old, new)| new.cmp(&old) == Ordering::Less))
}
