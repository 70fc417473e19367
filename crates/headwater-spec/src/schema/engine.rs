//! The rules for options that decide how records of a key are merged.
//!
//! Which function fits which type is known where functions are (`headwater-lsm`); catalogs ask
//! there as well. Rules: `docs/spec/merge-engines.md#definition`. Source: Paimon 1.4.2
//! `SchemaValidation`, `PartialUpdateMergeFunction`, `FieldAggregatorFactory`.

use super::TableSchema;
use super::validate::refuse;
use crate::error::SpecError;
use crate::options::merge::{
    AGGREGATION_REMOVES, DEFAULT_FUNCTION, REMOVE_ON_DELETE, REMOVE_ON_GROUP,
};
use crate::options::{MergeEngine, MergeOptions, SequenceGroup};
use crate::types::TypeKind;

/// Checks the options of a table with a primary key.
pub(super) fn check(schema: &TableSchema) -> Result<(), SpecError> {
    let options = MergeOptions::parse(schema)?;
    if let Some(column) = &options.row_kind_column
        && let Some(field) = schema.field(column)
        && !matches!(field.data_type.kind, TypeKind::Char(_) | TypeKind::VarChar(_))
    {
        let reason = format!("'{column}' must be a STRING, not {}", field.data_type);
        return refuse("rowkind.field", reason);
    }
    if schema.primary_keys.is_empty() {
        return Ok(());
    }
    if schema.keys_cross_partitions() && !options.sequence.is_empty() {
        let reason = "is not possible where the primary key lacks a partition column: which of two \
                      rows in different partitions is newer is not looked at";
        return refuse("sequence.field", reason);
    }
    for column in &options.sequence {
        check_ordered(schema, "sequence.field", column)?;
    }
    match options.engine {
        MergeEngine::PartialUpdate => {
            check_groups(schema, &options)?;
            check_grouped_functions(schema, &options)?;
            check_deletes(&options)?;
        }
        MergeEngine::Aggregation => {}
        MergeEngine::Deduplicate | MergeEngine::FirstRow => return Ok(()),
    }
    if options.aggregation_removes
        && let Some((column, _)) = options.functions.iter().find(|(_, f)| f.ignore_retract)
    {
        return refuse(
            AGGREGATION_REMOVES,
            format!("contradicts 'fields.{column}.ignore-retract' = 'true': remove one of them"),
        );
    }
    Ok(())
}

fn check_ordered(schema: &TableSchema, key: &str, column: &str) -> Result<(), SpecError> {
    match schema.field(column) {
        None => refuse(key, format!("'{column}' is not a column of the table")),
        Some(field) if !field.data_type.kind.can_be_key() => {
            let reason = format!("'{column}' has type {}, which has no order", field.data_type);
            refuse(key, reason)
        }
        Some(_) => Ok(()),
    }
}

/// The key of the option that makes a group.
fn key_of(group: &SequenceGroup) -> String {
    format!("fields.{}.sequence-group", group.sequence.join(","))
}

fn check_groups(schema: &TableSchema, options: &MergeOptions) -> Result<(), SpecError> {
    let mut seen: Vec<(&str, &SequenceGroup)> = Vec::new();
    for group in &options.groups {
        let key = key_of(group);
        if group.sequence.is_empty() {
            return refuse(&key, "names no column that orders the group");
        }
        if group.columns.is_empty() {
            return refuse(&key, "names no column that follows the group's order");
        }
        for column in &group.sequence {
            check_ordered(schema, &key, column)?;
        }
        for column in &group.columns {
            if schema.field(column).is_none() {
                return refuse(&key, format!("'{column}' is not a column of the table"));
            }
            if schema.primary_keys.contains(column) {
                return refuse(&key, format!("'{column}' is part of the primary key"));
            }
        }
        for column in group.sequence.iter().chain(&group.columns) {
            match seen.iter().find(|(name, _)| name == column) {
                Some((_, other)) if key_of(other) == key => {
                    return refuse(&key, format!("'{column}' is given twice"));
                }
                Some((_, other)) => {
                    let reason = format!(
                        "'{column}' belongs to '{}' already: a column is in one group",
                        key_of(other)
                    );
                    return refuse(&key, reason);
                }
                None => seen.push((column, group)),
            }
        }
    }
    Ok(())
}

fn check_grouped_functions(schema: &TableSchema, options: &MergeOptions) -> Result<(), SpecError> {
    for field in &schema.fields {
        let name = &field.name;
        if schema.primary_keys.contains(name) || options.group_of(name).is_some() {
            continue;
        }
        let own = options.functions.get(name).and_then(|f| f.function.as_ref()).is_some();
        match options.given_function(name) {
            None | Some("last_non_null_value") => {}
            Some(function) => {
                let key = if own {
                    format!("fields.{name}.aggregate-function")
                } else {
                    DEFAULT_FUNCTION.to_owned()
                };
                return refuse(
                    &key,
                    format!(
                        "'{function}' needs a sequence group with merge engine 'partial-update': \
                         name column '{name}' in a 'fields.<column>.sequence-group'"
                    ),
                );
            }
        }
    }
    Ok(())
}

fn check_deletes(options: &MergeOptions) -> Result<(), SpecError> {
    if options.ignore_delete {
        let removing = [
            (REMOVE_ON_DELETE, options.remove_on_delete),
            (REMOVE_ON_GROUP, !options.remove_on_groups.is_empty()),
        ];
        if let Some((key, _)) = removing.iter().find(|(_, set)| *set) {
            return refuse(key, "contradicts 'ignore-delete': remove one of them");
        }
    }
    if options.remove_on_delete
        && let Some(group) = options.groups.first()
    {
        return refuse(
            REMOVE_ON_DELETE,
            format!(
                "is not possible with sequence groups ('{}'); '{REMOVE_ON_GROUP}' names the groups \
                 whose deletes remove the row",
                key_of(group)
            ),
        );
    }
    for column in &options.remove_on_groups {
        if !options.groups.iter().any(|group| group.sequence.contains(column)) {
            return refuse(
                REMOVE_ON_GROUP,
                format!("'{column}' is not a sequence column of a group"),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::schema::NewTable;
    use crate::types::DataType;

    fn table(engine: &str, options: &[(&str, &str)]) -> Result<(), String> {
        let columns = ["k", "a", "b", "g", "h"];
        let mut table = NewTable::new().primary_key(["k"]).option("bucket", "1");
        for column in columns {
            table = table.column(column, DataType::parse("INT").unwrap());
        }
        table = table.column("l", DataType::parse("ARRAY<INT>").unwrap());
        table = table.column("t", DataType::parse("STRING").unwrap());
        table = table.option("merge-engine", engine);
        for (key, value) in options {
            table = table.option(*key, *value);
        }
        table.into_schema(0).map(|_| ()).map_err(|e| e.to_string())
    }

    #[test]
    fn combinations_that_java_takes_are_taken() {
        for (engine, options) in [
            ("partial-update", &[][..]),
            (
                "partial-update",
                &[("fields.g.sequence-group", "a"), ("fields.a.aggregate-function", "sum")],
            ),
            (
                "partial-update",
                &[
                    ("fields.g,h.sequence-group", "a,b"),
                    ("partial-update.remove-record-on-sequence-group", "h"),
                ],
            ),
            ("partial-update", &[("fields.a.aggregate-function", "last_non_null_value")]),
            ("partial-update", &[("partial-update.remove-record-on-delete", "true")]),
            ("aggregation", &[("sequence.field", "g,h"), ("fields.a.aggregate-function", "sum")]),
            ("first-row", &[("ignore-delete", "true")]),
            ("deduplicate", &[("sequence.field", "t"), ("rowkind.field", "t")]),
        ] {
            assert_eq!(table(engine, options), Ok(()), "{engine} {options:?}");
        }
    }

    #[test]
    fn combinations_that_make_no_sense_are_refused() {
        let group = ("fields.g.sequence-group", "a");
        for (engine, options, reason) in [
            ("partial-update", &[("fields.x.sequence-group", "a")][..], "'x' is not a column"),
            ("partial-update", &[("fields.g.sequence-group", "x")], "'x' is not a column"),
            ("partial-update", &[("fields.l.sequence-group", "a")], "has no order"),
            ("partial-update", &[("fields.g.sequence-group", "k")], "part of the primary key"),
            ("partial-update", &[group, ("fields.h.sequence-group", "a")], "one group"),
            ("partial-update", &[group, ("fields.h.sequence-group", "g")], "one group"),
            ("partial-update", &[("fields.g.sequence-group", "a,a")], "twice"),
            ("partial-update", &[("fields.a.aggregate-function", "sum")], "sequence group"),
            ("partial-update", &[("fields.default-aggregate-function", "max"), group], "'b'"),
            (
                "partial-update",
                &[("ignore-delete", "true"), ("partial-update.remove-record-on-delete", "true")],
                "contradicts 'ignore-delete'",
            ),
            (
                "partial-update",
                &[
                    group,
                    ("partial-update.ignore-delete", "true"),
                    ("partial-update.remove-record-on-sequence-group", "g"),
                ],
                "contradicts 'ignore-delete'",
            ),
            (
                "partial-update",
                &[group, ("partial-update.remove-record-on-delete", "true")],
                "not possible with sequence groups",
            ),
            (
                "partial-update",
                &[group, ("partial-update.remove-record-on-sequence-group", "a")],
                "not a sequence column",
            ),
            (
                "aggregation",
                &[
                    ("aggregation.remove-record-on-delete", "true"),
                    ("fields.a.ignore-retract", "true"),
                ],
                "contradicts",
            ),
            ("deduplicate", &[("sequence.field", "l")], "has no order"),
            ("first-row", &[("sequence.field", "g")], "not possible"),
            ("deduplicate", &[("rowkind.field", "a")], "must be a STRING"),
            ("deduplicate", &[("record-level.expire-time", "1 d")], "record-level.time-field"),
        ] {
            let error = table(engine, options).unwrap_err();
            assert!(error.contains(reason), "{engine} {options:?}: {error}");
        }
    }
}
