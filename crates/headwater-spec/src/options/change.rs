//! Which options of a table that has data may change, and how.
//!
//! Format: `docs/spec/schema.md#changes`. Source: Paimon 1.4.2 `SchemaManager#checkAlterTableOption`,
//! `checkResetTableOption`, `CoreOptions#IMMUTABLE_OPTIONS`.

use super::known::known;
use crate::error::SpecError;
use crate::schema::TableSchema;

/// What an option of a schema is: as stored, or under an older name, or else its default.
#[must_use]
pub fn effective_option<'a>(schema: &'a TableSchema, key: &str) -> Option<&'a str> {
    let option = known(key);
    schema
        .option(key)
        .or_else(|| option?.fallback.iter().find_map(|older| schema.option(older)))
        .or_else(|| option?.default.as_deref())
}

/// Whether an option stays as it is once the table has data.
#[must_use]
pub fn is_immutable(key: &str) -> bool {
    known(key).is_some_and(|option| option.immutable)
}

fn refuse(key: &str, reason: impl Into<String>) -> Result<(), SpecError> {
    Err(SpecError::Option { key: key.to_owned(), reason: reason.into() })
}

/// How rows get other buckets all the same.
const ANEW: &str =
    " once the table has data: make a new table and INSERT INTO it what this one holds";

/// Refuses a new value that would make stored rows mean something else. For tables with snapshots.
///
/// # Errors
/// [`SpecError::Option`] says what cannot change.
pub fn check_change(schema: &TableSchema, key: &str, new: &str) -> Result<(), SpecError> {
    if schema.options.get(key) == Some(new) {
        return Ok(());
    }
    if is_immutable(key) {
        return refuse(key, "cannot be changed once the table has data");
    }
    let name = known(key).map_or(key, |option| option.key.as_str());
    let old = effective_option(schema, name).unwrap_or_default().trim().to_lowercase();
    let new = new.trim().to_lowercase();
    if old == new {
        return Ok(());
    }
    match name {
        "bucket" if old == "-1" => refuse(key, format!("cannot be changed when it is -1{ANEW}")),
        "bucket" if new == "-1" => refuse(key, format!("cannot be changed to -1{ANEW}")),
        "deletion-vectors.enabled"
            if effective_option(schema, "deletion-vectors.modifiable") != Some("true") =>
        {
            refuse(
                key,
                format!(
                    "cannot be changed from {old} to {new}: without a full compaction rows may \
                     come back; 'deletion-vectors.modifiable' = 'true' allows it"
                ),
            )
        }
        "ignore-delete" | "ignore-update-before" if old == "true" => {
            refuse(key, "cannot be changed from true to false")
        }
        "clustering.columns" if schema.options.get("pk-clustering-override").is_some() => {
            refuse(key, "cannot be changed with 'pk-clustering-override'")
        }
        _ => Ok(()),
    }
}

/// Refuses the removal of an option that stored rows depend on. For tables with snapshots.
///
/// # Errors
/// [`SpecError::Option`] says why it must stay.
pub fn check_reset(schema: &TableSchema, key: &str) -> Result<(), SpecError> {
    if schema.options.get(key).is_none() {
        return Ok(());
    }
    if is_immutable(key) {
        return refuse(key, "cannot be changed once the table has data");
    }
    match known(key).map_or(key, |option| option.key.as_str()) {
        "bucket" => refuse(key, "cannot be reset"),
        "clustering.columns" if schema.options.get("pk-clustering-override").is_some() => {
            refuse(key, "cannot be reset with 'pk-clustering-override'")
        }
        // Java lets these go, and then reads rows that were to stay hidden.
        "ignore-delete" | "ignore-update-before"
            if effective_option(schema, key) == Some("true") =>
        {
            refuse(key, "cannot be changed from true to false")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_change, check_reset};
    use crate::schema::NewTable;
    use crate::types::DataType;

    #[test]
    fn options_that_stored_rows_depend_on_stay() {
        let schema = |bucket: &str| {
            NewTable::new()
                .column("k", DataType::parse("INT").unwrap())
                .primary_key(["k"])
                .option("bucket", bucket)
                .option("ignore-delete", "true")
                .into_schema(0)
                .unwrap()
        };
        let fixed = schema("2");
        for (key, value, reason) in [
            ("merge-engine", "aggregation", "cannot be changed once"),
            ("bucket-key", "k", "cannot be changed once"),
            ("bucket", "-1", "to -1"),
            ("ignore-delete", "false", "from true to false"),
            ("deletion-vectors.enabled", "true", "deletion-vectors.modifiable"),
        ] {
            let error = check_change(&fixed, key, value).unwrap_err().to_string();
            assert!(error.contains(reason), "{key}: {error}");
        }
        for (key, value) in [
            ("bucket", "4"),
            ("bucket", "2"),
            ("ignore-delete", "TRUE"),
            ("deletion-vectors.enabled", "false"),
            ("write-only", "true"),
            ("write.compaction-skip", "true"),
        ] {
            assert_eq!(check_change(&fixed, key, value), Ok(()), "{key}");
        }
        assert!(check_change(&schema("-1"), "bucket", "4").is_err());
        assert!(check_reset(&fixed, "bucket").is_err());
        assert!(check_reset(&fixed, "ignore-delete").is_err());
        assert_eq!(check_reset(&fixed, "merge-engine"), Ok(()));
        assert_eq!(check_reset(&fixed, "write-only"), Ok(()));
    }
}
