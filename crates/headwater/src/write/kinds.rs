//! Row kinds of written rows: where they come from, which are left out, which are refused because
//! nothing says what they would do.
//!
//! Rules: `docs/spec/merge-engines.md#retractions`. Source: Paimon 1.4.2 `RowKindGenerator`,
//! `RowKindFilter`.

use arrow::array::{Array, AsArray, BooleanArray, Int8Array, RecordBatch};
use arrow::compute::{filter, filter_record_batch};
use headwater_lsm::{DELETE, INSERT, UPDATE_AFTER, UPDATE_BEFORE, can_retract, is_retract};
use headwater_spec::options::{MergeEngine, MergeOptions};
use headwater_spec::{TableSchema, TypeKind};

use crate::error::{Error, Result};
use crate::table::Table;

/// What a table does with the kinds of written rows.
pub(super) struct Kinds {
    table: Table,
    /// `rowkind.field`: position of the column.
    column: Option<usize>,
    /// Kinds that are left out.
    ignored: &'static [i8],
    /// Why `-U` rows cannot be merged, if they cannot.
    update_before_refused: Option<String>,
    /// Why `-D` rows cannot be merged, if they cannot.
    delete_refused: Option<String>,
}

impl Kinds {
    pub(super) fn new(table: &Table) -> Result<Self> {
        let schema = table.schema();
        let options = &table.options().merge;
        let column = match &options.row_kind_column {
            None => None,
            Some(name) => {
                let text = |t: &TypeKind| matches!(t, TypeKind::Char(_) | TypeKind::VarChar(_));
                let at = schema.fields.iter().position(|f| f.name == *name);
                let at = at.filter(|at| text(&schema.fields[*at].data_type.kind));
                Some(at.ok_or_else(|| Error::WriteRefused {
                    table: table.name().to_owned(),
                    reason: format!("option 'rowkind.field' = '{name}' names no STRING column"),
                })?)
            }
        };
        let refused = |kind| refusal(schema, options, kind);
        Ok(Self {
            table: table.clone(),
            column,
            ignored: match (options.ignore_delete, options.ignore_update_before) {
                (true, _) => &[UPDATE_BEFORE, DELETE],
                (false, true) => &[UPDATE_BEFORE],
                (false, false) => &[],
            },
            update_before_refused: refused(UPDATE_BEFORE),
            delete_refused: refused(DELETE),
        })
    }

    /// The rows that the table takes, with their kinds; `None`: all are inserts.
    ///
    /// # Errors
    /// Kinds that do not fit the rows, or that the table cannot merge.
    pub(super) fn apply(
        &self,
        batch: RecordBatch,
        given: Option<&Int8Array>,
    ) -> Result<(RecordBatch, Option<Int8Array>)> {
        if let (Some(kinds), Some(column)) = (given, &self.table.options().merge.row_kind_column)
            && kinds.values().iter().any(|k| *k != INSERT)
        {
            return self.refuse(format!(
                "its rows have their kinds in column '{column}' ('rowkind.field'): write '-D' there \
                 to delete a row"
            ));
        }
        match self.column {
            None => self.apply_given(batch, given),
            Some(column) => {
                let kinds = self.generated(&batch, column)?;
                self.apply_given(batch, Some(&kinds))
            }
        }
    }

    /// The same where the column of `rowkind.field` says nothing: of rows that were stored before.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub(super) fn apply_given(
        &self,
        batch: RecordBatch,
        given: Option<&Int8Array>,
    ) -> Result<(RecordBatch, Option<Int8Array>)> {
        let Some(kinds) = given else { return Ok((batch, None)) };
        self.check_given(&batch, kinds)?;
        let kinds = kinds.clone();
        let is_ignored = |kind: &i8| self.ignored.contains(kind);
        let (batch, kinds) = if kinds.values().iter().any(is_ignored) {
            let kept: BooleanArray = kinds.values().iter().map(|k| Some(!is_ignored(k))).collect();
            let left = filter(&kinds, &kept)?;
            (filter_record_batch(&batch, &kept)?, AsArray::as_primitive(&left).clone())
        } else {
            (batch, kinds)
        };
        self.check_mergeable(&kinds)?;
        Ok((batch, Some(kinds)))
    }

    fn refuse<T>(&self, reason: String) -> Result<T> {
        Err(Error::Request { table: self.table.name().to_owned(), reason })
    }

    fn check_given(&self, batch: &RecordBatch, kinds: &Int8Array) -> Result<()> {
        if kinds.len() != batch.num_rows() || kinds.null_count() > 0 {
            return self.refuse(format!(
                "{} row kinds ({} null) were given for {} rows",
                kinds.len(),
                kinds.null_count(),
                batch.num_rows()
            ));
        }
        if let Some(kind) = kinds.values().iter().find(|k| !(INSERT..=DELETE).contains(*k)) {
            return self.refuse(format!("{kind} is not a row kind: 0 +I, 1 -U, 2 +U, 3 -D"));
        }
        Ok(())
    }

    fn generated(&self, batch: &RecordBatch, at: usize) -> Result<Int8Array> {
        let column = batch.column(at).as_string::<i32>();
        let kind = |text: Option<&str>| {
            let reason = match text {
                Some(text) => {
                    let known = [
                        ("+I", INSERT),
                        ("-U", UPDATE_BEFORE),
                        ("+U", UPDATE_AFTER),
                        ("-D", DELETE),
                    ];
                    match known.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)) {
                        Some((_, kind)) => return Ok(*kind),
                        None => format!("{text:?} is not a row kind: +I, -U, +U or -D"),
                    }
                }
                None => "it is null, but says what kind of change a row is ('rowkind.field'): +I, \
                         -U, +U or -D"
                    .to_owned(),
            };
            let column = self.table.schema().fields[at].name.clone();
            Err(Error::Value { table: self.table.name().to_owned(), column, reason })
        };
        column.iter().map(kind).collect::<Result<Vec<i8>>>().map(Int8Array::from)
    }

    fn check_mergeable(&self, kinds: &Int8Array) -> Result<()> {
        if kinds.values().iter().all(|k| *k == INSERT) {
            return Ok(());
        }
        if !self.table.has_primary_key() {
            return self.refuse("it has no primary key and takes only +I rows".into());
        }
        let find = |kind| kinds.values().contains(&kind);
        for (kind, name, refused) in [
            (DELETE, "-D", &self.delete_refused),
            (UPDATE_BEFORE, "-U", &self.update_before_refused),
        ] {
            if let Some(reason) = refused
                && find(kind)
            {
                return Err(Error::WriteRefused {
                    table: self.table.name().to_owned(),
                    reason: format!("it cannot merge {name} rows: {reason}"),
                });
            }
        }
        Ok(())
    }
}

/// The ways in which rows that are deleted at their source reach a table of `partial-update`.
const PARTIAL_UPDATE_DELETES: &str = "merge engine 'partial-update' needs to know what they do: \
     'partial-update.remove-record-on-delete' = 'true' lets -D remove the row, sequence groups \
     ('fields.<column>.sequence-group') take back their columns, \
     'partial-update.remove-record-on-sequence-group' lets -D of a group remove the row, \
     'ignore-delete' = 'true' leaves them out. Deletions that stand in a flag come in one of two \
     ways: 'rowkind.field' names a column that is filled with CASE WHEN is_deleted THEN '-D' ELSE \
     '+I' END, and one of these options acts; or the flag is a column of a sequence group, and \
     queries leave rows out where it is true";

/// Why retractions of a kind cannot be merged, and what to set; `None` if they can.
///
/// Java takes a lone one in, and fails when it is merged with another record.
fn refusal(schema: &TableSchema, options: &MergeOptions, kind: i8) -> Option<String> {
    debug_assert!(is_retract(kind));
    if schema.primary_keys.is_empty() || options.ignore_delete {
        return None;
    }
    let columns = schema.fields.iter().filter(|f| !schema.primary_keys.contains(&f.name));
    let stuck = |column: &str, function: &str| {
        let ignored = options.functions.get(column).is_some_and(|f| f.ignore_retract);
        !ignored && can_retract(function) == Some(false)
    };
    match options.engine {
        MergeEngine::Deduplicate => None,
        MergeEngine::FirstRow => Some(
            "merge engine 'first-row' keeps the first row of a key; 'ignore-delete' = 'true' leaves \
             such rows out"
                .into(),
        ),
        MergeEngine::Aggregation => {
            if kind == DELETE && options.aggregation_removes {
                return None;
            }
            let also = match kind {
                DELETE => ", 'aggregation.remove-record-on-delete' = 'true' lets -D remove the row",
                _ => ", 'ignore-update-before' = 'true' leaves -U rows out",
            };
            let mut columns = columns.map(|f| f.name.as_str());
            columns.find_map(|column| {
                let function = options.function_of(column, &schema.primary_keys);
                stuck(column, function).then(|| {
                    format!(
                        "the function '{function}' of column '{column}' cannot take values back; \
                         'fields.{column}.ignore-retract' = 'true' leaves the column as it \
                         is{also}"
                    )
                })
            })
        }
        MergeEngine::PartialUpdate if options.groups.is_empty() => {
            if options.remove_on_delete {
                return None;
            }
            Some(PARTIAL_UPDATE_DELETES.into())
        }
        MergeEngine::PartialUpdate => columns.into_iter().find_map(|field| {
            let column = &field.name;
            let group = options.groups.iter().find(|g| g.columns.contains(column))?;
            match options.given_function(column) {
                Some(function) => stuck(column, function).then(|| {
                    format!(
                        "the function '{function}' of column '{column}' cannot take values back; \
                         'fields.{column}.ignore-retract' = 'true' leaves the column as it is"
                    )
                }),
                None => {
                    // A +U that follows a -U brings a value again.
                    let left = kind == DELETE && !options.group_removes(group);
                    (!field.data_type.nullable && left).then(|| {
                        format!(
                            "column '{column}' is NOT NULL, and a sequence group takes values back \
                             by leaving null; make the column nullable"
                        )
                    })
                }
            }
        }),
    }
}
