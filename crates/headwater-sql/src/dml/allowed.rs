//! Which tables' rows can be deleted and updated, by merge engine, as Paimon's connectors for
//! Flink and Spark say; where these would write rows that do nothing, this refuses.
//!
//! Source: Paimon 1.4.2 `TableUtils#validatePKUpsertDeletable`,
//! `SupportsRowLevelOperationFlinkTableSink`, `RowLevelOp`.

use headwater::options::effective_option;
use headwater::{Table, TableSchema};

use super::statement::{Action, Change};
use crate::error::SqlError;

/// Refuses a statement that the table's merge engine would not carry out.
pub(super) fn check(table: &Table, change: &Change) -> Result<(), SqlError> {
    if !table.has_primary_key() {
        return Ok(());
    }
    let deletes = change.branches.iter().any(|action| matches!(action, Action::Delete));
    let updates = change
        .branches
        .iter()
        .any(|action| matches!(action, Action::Update(_) | Action::UpdateAll(_)));
    if deletes {
        check_delete(table)?;
    }
    if updates || change.verb == "MERGE" {
        check_update(table, change.verb)?;
    }
    Ok(())
}

fn option<'a>(schema: &'a TableSchema, key: &str) -> &'a str {
    effective_option(schema, key).unwrap_or_default()
}

fn is_on(schema: &TableSchema, key: &str) -> bool {
    option(schema, key).trim().eq_ignore_ascii_case("true")
}

fn engine(schema: &TableSchema) -> String {
    match option(schema, "merge-engine").trim().to_ascii_lowercase() {
        text if text.is_empty() => "deduplicate".to_owned(),
        text => text,
    }
}

fn check_delete(table: &Table) -> Result<(), SqlError> {
    let schema = table.schema();
    let refuse = |why: String, advice: &str| {
        Err(SqlError::unsupported(
            format!("DELETE from table {} ({why}) is", table.name()),
            advice.to_owned(),
        ))
    };
    if table.options().ignore_delete {
        return refuse(
            "'ignore-delete' = 'true'".to_owned(),
            "its deletions are dropped: ALTER TABLE … SET ('ignore-delete' = 'false')",
        );
    }
    let engine = engine(schema);
    let advice = match engine.as_str() {
        "deduplicate" => return Ok(()),
        "partial-update" => {
            if is_on(schema, "partial-update.remove-record-on-delete")
                || schema.option("partial-update.remove-record-on-sequence-group").is_some()
            {
                return Ok(());
            }
            "set 'partial-update.remove-record-on-delete' = 'true', or name the sequence groups in \
             'partial-update.remove-record-on-sequence-group'"
        }
        "aggregation" => {
            if is_on(schema, "aggregation.remove-record-on-delete") {
                return Ok(());
            }
            "set 'aggregation.remove-record-on-delete' = 'true'"
        }
        _ => "the first row of a key stays for ever there",
    };
    refuse(format!("merge-engine {engine}"), advice)
}

fn check_update(table: &Table, verb: &str) -> Result<(), SqlError> {
    let schema = table.schema();
    let engine = engine(schema);
    let refuse = |why: String, advice: &str| {
        Err(SqlError::unsupported(
            format!("{verb} of table {} ({why}) is", table.name()),
            advice.to_owned(),
        ))
    };
    match engine.as_str() {
        "deduplicate" => Ok(()),
        "partial-update" => {
            // The whole row is written: what is aggregated would count twice.
            let mut keys = schema.options.iter().map(|(key, _)| key);
            let aggregated = keys.find(|key| {
                key.starts_with("fields.") && key.ends_with(".aggregate-function")
            });
            match aggregated {
                None => Ok(()),
                Some(key) => refuse(
                    format!("merge-engine partial-update with '{key}'"),
                    "its values would be aggregated once more: INSERT the key and the columns that \
                     change",
                ),
            }
        }
        "aggregation" => refuse(
            "merge-engine aggregation".to_owned(),
            "a new row is aggregated into the stored one: INSERT what is to be added",
        ),
        _ => refuse(
            format!("merge-engine {engine}"),
            "only 'deduplicate' and 'partial-update' let newer rows replace values",
        ),
    }
}
