//! The options that decide what becomes of records with one key: engine, order, functions.
//!
//! Which combinations make sense is checked when a table is made (`schema/engine.rs`).
//! Rules: `docs/spec/merge-engines.md`. Source: Paimon 1.4.2 `CoreOptions`,
//! `PartialUpdateMergeFunction`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::table::{bool_option, duration, text, value};
use crate::error::SpecError;
use crate::schema::TableSchema;

/// `merge-engine`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MergeEngine {
    /// `deduplicate`: the last record of a key stays.
    #[default]
    Deduplicate,
    /// `partial-update`: values that are not null replace older ones, column by column.
    PartialUpdate,
    /// `aggregation`: each column has a function.
    Aggregation,
    /// `first-row`: the first record of a key stays.
    FirstRow,
}

impl MergeEngine {
    /// The value of the option.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deduplicate => "deduplicate",
            Self::PartialUpdate => "partial-update",
            Self::Aggregation => "aggregation",
            Self::FirstRow => "first-row",
        }
    }

    /// Whether the row of a key is one of its records, not put together from several.
    #[must_use]
    pub const fn keeps_records_whole(self) -> bool {
        matches!(self, Self::Deduplicate | Self::FirstRow)
    }
}

/// Everything that decides how records of one key are merged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MergeOptions {
    /// `merge-engine`; default deduplicate.
    pub engine: MergeEngine,
    /// `sequence.field`: columns that say which record is newer, before the order of arrival.
    pub sequence: Vec<String>,
    /// `sequence.field.sort-order` is `descending`: the smaller value is the newer.
    pub descending: bool,
    /// `ignore-delete` or one of its older names: `-U` and `-D` rows are left out; default false.
    pub ignore_delete: bool,
    /// `ignore-update-before`: written `-U` rows are left out; default false.
    pub ignore_update_before: bool,
    /// `rowkind.field`: the column that says what kind of change a written row is.
    pub row_kind_column: Option<String>,
    /// `fields.<sequence>.sequence-group`, in stored order.
    pub groups: Vec<SequenceGroup>,
    /// `partial-update.remove-record-on-delete`; default false.
    pub remove_on_delete: bool,
    /// `partial-update.remove-record-on-sequence-group`: sequence columns.
    pub remove_on_groups: Vec<String>,
    /// `aggregation.remove-record-on-delete`; default false.
    pub aggregation_removes: bool,
    /// `fields.default-aggregate-function`.
    pub default_function: Option<String>,
    /// `fields.<column>.aggregate-function` and its settings, by column.
    pub functions: BTreeMap<String, FunctionOptions>,
    /// `changelog-producer` = `lookup` or `force-lookup`: a compaction out of level 0 looks up what
    /// is above, so that the lowest level above 0 has a key's whole row, and levels further up
    /// count no more.
    pub looked_up: bool,
    /// `record-level.expire-time` and `record-level.time-field`.
    pub expire: Option<RecordExpire>,
}

/// Columns of `partial-update` whose newest values are told by columns of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceGroup {
    /// The columns that order the records.
    pub sequence: Vec<String>,
    /// The columns that follow that order.
    pub columns: Vec<String>,
}

/// What `fields.<column>.` says of a column's aggregate function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FunctionOptions {
    /// `aggregate-function`.
    pub function: Option<String>,
    /// `ignore-retract`: retractions change nothing; default false.
    pub ignore_retract: bool,
    /// `distinct`, of `collect` and `listagg`; default false.
    pub distinct: bool,
    /// `list-agg-delimiter`, of `listagg`; default `,`.
    pub delimiter: Option<String>,
    /// `nested-key`, of `nested_update` and `nested_partial_update`: fields of the rows.
    pub nested_key: Vec<String>,
    /// `count-limit`, of `nested_update`.
    pub count_limit: Option<i32>,
    /// `ts-field`, of `merge_map_with_keytime`: a field of the values.
    pub time_field: Option<String>,
}

/// When rows stop being shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordExpire {
    /// `record-level.expire-time`.
    pub after: Duration,
    /// `record-level.time-field`.
    pub column: String,
}

const FIELDS: &str = "fields.";

impl MergeOptions {
    /// Parses the options of a stored schema.
    ///
    /// # Errors
    /// [`SpecError::Option`] names the option with a value that its type does not allow.
    pub fn parse(schema: &TableSchema) -> Result<Self, SpecError> {
        let engine = match text(schema, "merge-engine").as_deref() {
            None | Some("deduplicate") => MergeEngine::Deduplicate,
            Some("partial-update") => MergeEngine::PartialUpdate,
            Some("aggregation") => MergeEngine::Aggregation,
            Some("first-row") => MergeEngine::FirstRow,
            Some(other) => {
                let names = "deduplicate, partial-update, aggregation, first-row";
                return Err(wrong("merge-engine", format!("{other:?} is none of {names}")));
            }
        };
        let order = value(schema, "sequence.field.sort-order")?.unwrap_or("ascending");
        let functions = functions(schema)?;
        Ok(Self {
            engine,
            sequence: value(schema, "sequence.field")?.map(names).unwrap_or_default(),
            descending: order.trim().eq_ignore_ascii_case("descending"),
            ignore_delete: bool_option(schema, "ignore-delete", false)?,
            ignore_update_before: bool_option(schema, "ignore-update-before", false)?,
            row_kind_column: value(schema, "rowkind.field")?.map(str::to_owned),
            groups: groups(schema),
            remove_on_delete: bool_option(schema, REMOVE_ON_DELETE, false)?,
            remove_on_groups: value(schema, REMOVE_ON_GROUP)?.map(names).unwrap_or_default(),
            aggregation_removes: bool_option(schema, AGGREGATION_REMOVES, false)?,
            default_function: value(schema, DEFAULT_FUNCTION)?.map(str::to_owned),
            functions,
            looked_up: text(schema, "changelog-producer").as_deref() == Some("lookup")
                || bool_option(schema, "force-lookup", false)?,
            expire: expire(schema)?,
        })
    }

    /// The name of a column's function with `aggregation`, by Paimon's rules of precedence.
    ///
    /// Source: Paimon 1.4.2 `AggregateMergeFunction#getAggFuncName`.
    #[must_use]
    pub fn function_of(&self, column: &str, primary_keys: &[String]) -> &str {
        if self.sequence.iter().any(|c| c == column) {
            return "last_value";
        }
        if primary_keys.iter().any(|c| c == column) {
            return "primary-key";
        }
        self.given_function(column).unwrap_or("last_non_null_value")
    }

    /// The function that options give a column, or all columns.
    #[must_use]
    pub fn given_function(&self, column: &str) -> Option<&str> {
        let own = self.functions.get(column).and_then(|f| f.function.as_deref());
        own.or(self.default_function.as_deref())
    }

    /// The sequence group that a column belongs to, by its place in [`Self::groups`].
    #[must_use]
    pub fn group_of(&self, column: &str) -> Option<usize> {
        let names = |g: &SequenceGroup| g.sequence.iter().chain(&g.columns).any(|c| c == column);
        self.groups.iter().position(names)
    }

    /// Whether records of a group can remove the row.
    #[must_use]
    pub fn group_removes(&self, group: &SequenceGroup) -> bool {
        group.sequence.iter().any(|c| self.remove_on_groups.contains(c))
    }
}

/// Columns in an option's key or value. Java does not trim them; nobody names a column ` a`.
fn names(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect()
}

pub(crate) const REMOVE_ON_DELETE: &str = "partial-update.remove-record-on-delete";
pub(crate) const REMOVE_ON_GROUP: &str = "partial-update.remove-record-on-sequence-group";
pub(crate) const AGGREGATION_REMOVES: &str = "aggregation.remove-record-on-delete";
pub(crate) const DEFAULT_FUNCTION: &str = "fields.default-aggregate-function";

fn wrong(key: &str, reason: impl Into<String>) -> SpecError {
    SpecError::Option { key: key.to_owned(), reason: reason.into() }
}

/// The columns and the last part of a key such as `fields.a,b.sequence-group`.
pub(crate) fn field_option(key: &str) -> Option<(&str, &str)> {
    if key == DEFAULT_FUNCTION {
        return None;
    }
    key.strip_prefix(FIELDS)?.rsplit_once('.')
}

fn groups(schema: &TableSchema) -> Vec<SequenceGroup> {
    let mut groups = Vec::new();
    for (key, value) in schema.options.iter() {
        if let Some((columns, "sequence-group")) = field_option(key) {
            groups.push(SequenceGroup { sequence: names(columns), columns: names(value) });
        }
    }
    groups
}

fn functions(schema: &TableSchema) -> Result<BTreeMap<String, FunctionOptions>, SpecError> {
    let mut functions: BTreeMap<String, FunctionOptions> = BTreeMap::new();
    for (key, value) in schema.options.iter() {
        let Some((column, setting)) = field_option(key) else { continue };
        let flag = || match value.trim().to_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(wrong(key, format!("{other:?} is neither true nor false"))),
        };
        let known = functions.entry(column.to_owned()).or_default();
        match setting {
            "aggregate-function" => known.function = Some(value.to_owned()),
            "ignore-retract" => known.ignore_retract = flag()?,
            "distinct" => known.distinct = flag()?,
            "list-agg-delimiter" => known.delimiter = Some(value.to_owned()),
            "nested-key" => known.nested_key = names(value),
            "count-limit" => {
                let number = value.trim().parse();
                let number =
                    number.map_err(|_| wrong(key, format!("{value:?} is not a number")))?;
                known.count_limit = Some(number);
            }
            "ts-field" => known.time_field = Some(value.to_owned()),
            _ => {}
        }
    }
    functions.retain(|_, f| *f != FunctionOptions::default());
    Ok(functions)
}

fn expire(schema: &TableSchema) -> Result<Option<RecordExpire>, SpecError> {
    const TIME: &str = "record-level.expire-time";
    if value(schema, TIME)?.is_none() || schema.primary_keys.is_empty() {
        return Ok(None);
    }
    let after = duration(schema, TIME, 0)?;
    match value(schema, "record-level.time-field")? {
        Some(column) => Ok(Some(RecordExpire { after, column: column.to_owned() })),
        None => Err(wrong(TIME, "needs 'record-level.time-field': the column with a row's time")),
    }
}
