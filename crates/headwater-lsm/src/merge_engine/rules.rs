//! Makes the merge function of a table for some of its columns.

use std::collections::BTreeSet;
use std::sync::Arc;

use headwater_spec::options::{MergeEngine, MergeOptions, nearest_of};
use headwater_spec::{DataField, SpecError, TableSchema};

use super::aggregation::{AggregateColumn, Aggregation, Shortcut};
use super::function::{FunctionOptions, can_retract, column_function, function_names};
use super::partial_update::{PartialColumn, PartialDeletes, PartialGroup, PartialUpdate};
use super::{ColumnFunction, Deduplicate, DeduplicateInserts, FirstRow, MergeFunction};
use crate::error::LsmError;
use crate::order::SequenceOrder;

/// How the records of a table are merged.
#[derive(Debug, Clone, Copy)]
pub struct MergeRules<'a> {
    schema: &'a TableSchema,
    options: &'a MergeOptions,
}

impl<'a> MergeRules<'a> {
    /// The rules of a table with a primary key.
    #[must_use]
    pub const fn new(schema: &'a TableSchema, options: &'a MergeOptions) -> Self {
        Self { schema, options }
    }

    /// The columns that a merge needs beside these: `sequence.field`, and the sequence columns of
    /// groups that these belong to, or that can remove the row.
    ///
    /// Partition columns are the same for all records that meet, and do not order them.
    #[must_use]
    pub fn needed_beside(&self, columns: &[DataField]) -> Vec<DataField> {
        let order = self.ordering_columns();
        let mut names: BTreeSet<&str> = order.iter().map(String::as_str).collect();
        if self.options.engine == MergeEngine::PartialUpdate {
            for group in &self.options.groups {
                let shown = columns.iter().any(|c| {
                    group.sequence.iter().chain(&group.columns).any(|name| *name == c.name)
                });
                if shown || self.options.group_removes(group) {
                    names.extend(group.sequence.iter().map(String::as_str));
                }
            }
        }
        let missing = |f: &&DataField| {
            names.contains(f.name.as_str()) && !columns.iter().any(|c| c.id == f.id)
        };
        self.schema.fields.iter().filter(missing).cloned().collect()
    }

    /// The order by `sequence.field`, of values with these columns; `None` without the option.
    ///
    /// # Errors
    /// A column is not there or has a type without order.
    pub fn order(&self, columns: &[DataField]) -> Result<Option<Arc<SequenceOrder>>, LsmError> {
        let names = self.ordering_columns();
        if names.is_empty() {
            return Ok(None);
        }
        order(&names, columns, self.options.descending).map(|order| Some(Arc::new(order)))
    }

    fn ordering_columns(&self) -> Vec<String> {
        let partition = &self.schema.partition_keys;
        self.options.sequence.iter().filter(|c| !partition.contains(c)).cloned().collect()
    }

    /// The merge function, for values with these columns.
    ///
    /// # Errors
    /// A column has a function that it cannot have, or one that it needs is not there.
    pub fn function(&self, columns: &[DataField]) -> Result<Arc<dyn MergeFunction>, LsmError> {
        Ok(match self.options.engine {
            MergeEngine::Deduplicate if self.options.ignore_delete => Arc::new(DeduplicateInserts),
            MergeEngine::Deduplicate => Arc::new(Deduplicate),
            MergeEngine::FirstRow => {
                Arc::new(FirstRow { ignore_delete: self.options.ignore_delete })
            }
            MergeEngine::Aggregation => Arc::new(self.aggregation(columns)?),
            MergeEngine::PartialUpdate => Arc::new(self.partial_update(columns)?),
        })
    }

    fn column_function(
        &self,
        name: &str,
        column: &DataField,
    ) -> Result<Arc<dyn ColumnFunction>, LsmError> {
        let given = self.options.functions.get(&column.name).cloned().unwrap_or_default();
        let mut options = FunctionOptions {
            distinct: given.distinct,
            nested_key: given.nested_key,
            ts_field: given.time_field,
            ignore_retract: given.ignore_retract,
            ..FunctionOptions::default()
        };
        if let Some(delimiter) = given.delimiter {
            options.list_agg_delimiter = delimiter;
        }
        if let Some(limit) = given.count_limit {
            options.count_limit = usize::try_from(limit).unwrap_or(0);
        }
        column_function(name, column, &options)
    }

    fn aggregation(&self, columns: &[DataField]) -> Result<Aggregation, LsmError> {
        let keys = &self.schema.primary_keys;
        let column = |column: &DataField| {
            let name = self.options.function_of(&column.name, keys);
            // Other columns may have that function too, and ignore retractions.
            if keys.contains(&column.name) {
                return Ok(AggregateColumn::Key);
            }
            let function = self.column_function(name, column)?;
            Ok::<_, LsmError>(AggregateColumn::Function(function, Shortcut::of(name)))
        };
        Ok(Aggregation {
            columns: columns.iter().map(column).collect::<Result<_, _>>()?,
            removes: self.options.aggregation_removes,
        })
    }

    fn partial_update(&self, columns: &[DataField]) -> Result<PartialUpdate, LsmError> {
        let options = self.options;
        // Groups of which no column is there decide nothing.
        let there = |name: &String| columns.iter().any(|c| c.name == *name);
        let groups: Vec<_> =
            options.groups.iter().filter(|g| g.sequence.iter().all(there)).collect();
        let mut made = PartialUpdate {
            columns: Vec::with_capacity(columns.len()),
            groups: Vec::with_capacity(groups.len()),
            deletes: match () {
                () if options.ignore_delete => PartialDeletes::Ignored,
                () if !options.groups.is_empty() => PartialDeletes::ByGroups,
                () if options.remove_on_delete => PartialDeletes::Removed,
                () => PartialDeletes::Refused,
            },
        };
        for group in &groups {
            made.groups.push(PartialGroup {
                order: order(&group.sequence, columns, false)?,
                removes: options.group_removes(group),
                folds: false,
            });
        }
        for column in columns {
            let name = &column.name;
            let sequence = groups.iter().position(|g| g.sequence.contains(name));
            let group = groups.iter().position(|g| g.columns.contains(name));
            let place = match (sequence, group) {
                (Some(group), _) => PartialColumn::Sequence(group),
                _ if self.schema.primary_keys.contains(name) => PartialColumn::Key,
                (None, Some(group)) => match options.given_function(name) {
                    None => PartialColumn::Newest(group),
                    Some(function) => {
                        if let Some(group) = made.groups.get_mut(group) {
                            group.folds = true;
                        }
                        PartialColumn::Function(group, self.column_function(function, column)?)
                    }
                },
                // Functions other than last_non_null_value need a group.
                (None, None) => PartialColumn::NotNull,
            };
            made.columns.push(place);
        }
        Ok(made)
    }
}

/// Checks that the records of a new or changed table can be merged as its options say: functions
/// that exist and fit their columns, sequence columns that have an order.
///
/// # Errors
/// [`SpecError`] names the column and the function.
pub fn check_definition(schema: &TableSchema) -> Result<(), SpecError> {
    if schema.primary_keys.is_empty() {
        return Ok(());
    }
    let options = MergeOptions::parse(schema)?;
    let rules = MergeRules::new(schema, &options);
    let made = rules.function(&schema.fields).and_then(|_| rules.order(&schema.fields));
    if let Err(error) = made {
        return Err(SpecError::Definition { reason: error.to_string() });
    }
    if matches!(options.engine, MergeEngine::Aggregation | MergeEngine::PartialUpdate) {
        // Also of columns that do not fold: a misspelt name is one everywhere.
        let own = options.functions.values().filter_map(|f| f.function.as_deref());
        for name in own.chain(options.default_function.as_deref()) {
            if can_retract(name).is_none() {
                let near = nearest_of(name, function_names());
                let hint = near.map(|n| format!("; did you mean '{n}'?")).unwrap_or_default();
                let reason = format!("there is no aggregate function '{name}'{hint}");
                return Err(SpecError::Definition { reason });
            }
        }
    }
    Ok(())
}

fn order(
    names: &[String],
    columns: &[DataField],
    descending: bool,
) -> Result<SequenceOrder, LsmError> {
    let mut at = Vec::with_capacity(names.len());
    for name in names {
        let Some((place, column)) = columns.iter().enumerate().find(|(_, c)| c.name == *name)
        else {
            return Err(LsmError::NoColumn { column: name.clone() });
        };
        at.push((place, &column.data_type));
    }
    SequenceOrder::new(&at, descending)
}
