//! Which tables' rows can be deleted and updated, by merge engine, as Paimon's connectors for
//! Flink and Spark say; where these would write rows that do nothing, this refuses.
//!
//! Source: Paimon 1.4.2 `PrimaryKeyTableUtils#validatePKUpsertDeletable`,
//! `SupportsRowLevelOperationFlinkTableSink`, `RowLevelOp`.

use headwater::Table;
use headwater::options::MergeEngine;

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

fn check_delete(table: &Table) -> Result<(), SqlError> {
    let options = &table.options().merge;
    let refuse = |why: String, advice: &str| {
        Err(SqlError::unsupported(
            format!("DELETE from table {} ({why}) is", table.name()),
            advice.to_owned(),
        ))
    };
    if options.ignore_delete {
        return refuse(
            "'ignore-delete' = 'true'".to_owned(),
            "its deletions are dropped: ALTER TABLE … SET ('ignore-delete' = 'false')",
        );
    }
    let advice = match options.engine {
        MergeEngine::Deduplicate => return Ok(()),
        MergeEngine::PartialUpdate => {
            if options.remove_on_delete || !options.remove_on_groups.is_empty() {
                return Ok(());
            }
            "set 'partial-update.remove-record-on-delete' = 'true', or name the sequence groups in \
             'partial-update.remove-record-on-sequence-group'; deletions that stand in a flag are \
             inserted, as kinds of 'rowkind.field' or with the flag in a sequence group"
        }
        MergeEngine::Aggregation => {
            if options.aggregation_removes {
                return Ok(());
            }
            "set 'aggregation.remove-record-on-delete' = 'true'"
        }
        MergeEngine::FirstRow => "the first row of a key stays there for ever",
    };
    refuse(format!("merge engine '{}'", options.engine.name()), advice)
}

fn check_update(table: &Table, verb: &str) -> Result<(), SqlError> {
    let options = &table.options().merge;
    let refuse = |why: String, advice: &str| {
        Err(SqlError::unsupported(
            format!("{verb} of table {} ({why}) is", table.name()),
            advice.to_owned(),
        ))
    };
    match options.engine {
        MergeEngine::Deduplicate => Ok(()),
        MergeEngine::PartialUpdate => {
            // The whole row is written: what is aggregated would count twice.
            let aggregated =
                table.schema().fields.iter().find_map(|f| options.given_function(&f.name));
            match aggregated {
                None => Ok(()),
                Some(function) => refuse(
                    format!("merge engine 'partial-update' with the function '{function}'"),
                    "its values would be aggregated once more: INSERT the key and the columns that \
                     change",
                ),
            }
        }
        MergeEngine::Aggregation => refuse(
            "merge engine 'aggregation'".to_owned(),
            "a new row is aggregated into the stored one: INSERT what is to be added",
        ),
        MergeEngine::FirstRow => refuse(
            "merge engine 'first-row'".to_owned(),
            "the first row of a key stays as it is there",
        ),
    }
}
