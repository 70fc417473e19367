//! The rules for options of features that this version only keeps for other engines: a table that
//! stock Java refuses to open must not be made here.
//!
//! Format: `docs/spec/schema.md#creation`. Source: Paimon 1.4.2 `SchemaValidation`.

use super::TableSchema;
use super::validate::{is_on, listed, refuse, word};
use crate::error::SpecError;
use crate::options::effective_option;
use crate::types::TypeKind;

/// Checks what options of such features ask of each other, of columns and of keys.
pub(super) fn check(schema: &TableSchema) -> Result<(), SpecError> {
    check_columns(schema)?;
    check_clustering(schema)?;
    check_chain_table(schema)?;
    check_scan_mode(schema)?;
    let keyed = !schema.primary_keys.is_empty();
    if is_on(schema, "table-read.sequence-number.enabled") && !keyed {
        return refuse("table-read.sequence-number.enabled", "needs a primary key");
    }
    if effective_option(schema, "full-compaction.delta-commits").is_some()
        && !keyed
        && word(schema, "bucket") == "-1"
    {
        return refuse(
            "full-compaction.delta-commits",
            "is not possible for a table without a primary key and with 'bucket' = '-1'",
        );
    }
    if !listed(schema, "vector.file.format").is_empty() && !is_on(schema, "data-evolution.enabled")
    {
        return refuse("vector.file.format", "needs 'data-evolution.enabled' = 'true'");
    }
    if is_on(schema, "data-evolution.enabled") {
        for key in ["deletion-vectors.enabled", "clustering.incremental"] {
            if is_on(schema, key) {
                return refuse(key, "is not possible with 'data-evolution.enabled'");
            }
        }
    }
    Ok(())
}

fn check_columns(schema: &TableSchema) -> Result<(), SpecError> {
    let must_be = |key: &str, what: &str, is: fn(&TypeKind) -> bool| {
        for column in listed(schema, key) {
            match schema.field(column) {
                None => return refuse(key, format!("'{column}' is not a column of the table")),
                Some(field) if !is(&field.data_type.kind) => {
                    let reason = format!("'{column}' must be {what}, not {}", field.data_type);
                    return refuse(key, reason);
                }
                Some(_) => {}
            }
        }
        Ok(())
    };
    must_be("vector-field", "a VECTOR", |kind| matches!(kind, TypeKind::Vector(..)))?;
    for key in
        ["blob-descriptor-field", "blob.stored-descriptor-fields", "blob-external-storage-field"]
    {
        must_be(key, "a BLOB", |kind| matches!(kind, TypeKind::Blob))?;
    }
    let descriptors = listed(schema, "blob-descriptor-field");
    for column in listed(schema, "blob-external-storage-field") {
        if !descriptors.contains(&column) {
            let reason = format!("'{column}' must be in 'blob-descriptor-field' as well");
            return refuse("blob-external-storage-field", reason);
        }
        if listed(schema, "blob-external-storage-path").is_empty() {
            return refuse("blob-external-storage-field", "needs 'blob-external-storage-path'");
        }
    }
    must_be("upsert-key", "a simple type", TypeKind::can_be_key)?;
    if !listed(schema, "upsert-key").is_empty() && !schema.primary_keys.is_empty() {
        return refuse("upsert-key", "is for tables without a primary key");
    }
    Ok(())
}

fn check_clustering(schema: &TableSchema) -> Result<(), SpecError> {
    if is_on(schema, "clustering.incremental") {
        let refuse = |reason: &str| refuse("clustering.incremental", reason);
        if !schema.primary_keys.is_empty() {
            return refuse("is for tables without a primary key");
        }
        if word(schema, "bucket") != "-1" {
            if is_on(schema, "bucket-append-ordered") {
                return refuse("needs 'bucket-append-ordered' = 'false' in a table with buckets");
            }
            if is_on(schema, "deletion-vectors.enabled") {
                return refuse("is not possible with buckets and 'deletion-vectors.enabled'");
            }
        }
    }
    if is_on(schema, "pk-clustering-override") {
        let refuse = |reason: &str| refuse("pk-clustering-override", reason);
        if effective_option(schema, "clustering.columns").is_none_or(|c| c.trim().is_empty()) {
            return refuse("needs 'clustering.columns'");
        }
        if !is_on(schema, "deletion-vectors.enabled") {
            return refuse("needs 'deletion-vectors.enabled' = 'true'");
        }
        if schema.options.get("record-level.expire-time").is_some() {
            return refuse("is not possible with 'record-level.expire-time'");
        }
        if !["deduplicate", "first-row"].contains(&word(schema, "merge-engine").as_str()) {
            return refuse("is for the merge engines deduplicate and first-row");
        }
        if !listed(schema, "sequence.field").is_empty() {
            return refuse("is not possible with 'sequence.field'");
        }
        if !["none", "input"].contains(&word(schema, "changelog-producer").as_str()) {
            return refuse("is for the changelog producers none and input");
        }
    }
    Ok(())
}

fn check_chain_table(schema: &TableSchema) -> Result<(), SpecError> {
    if !is_on(schema, "chain-table.enabled") {
        return Ok(());
    }
    let refuse = |reason: &str| refuse("chain-table.enabled", reason);
    if schema.primary_keys.is_empty() || schema.partition_keys.is_empty() {
        return refuse("needs a primary key and partitions");
    }
    if word(schema, "bucket").starts_with('-') {
        return refuse("needs a fixed number of buckets");
    }
    if !["none", "input"].contains(&word(schema, "changelog-producer").as_str()) {
        return refuse("is for the changelog producers none and input");
    }
    if is_on(schema, "deletion-vectors.enabled") {
        return refuse("is not possible with 'deletion-vectors.enabled'");
    }
    for key in ["partition.timestamp-pattern", "partition.timestamp-formatter"] {
        if schema.options.get(key).is_none() {
            return refuse(&format!("needs '{key}'"));
        }
    }
    let chain = listed(schema, "chain-table.chain-partition-keys");
    if !schema.partition_keys.iter().map(String::as_str).collect::<Vec<_>>().ends_with(&chain) {
        return self::refuse(
            "chain-table.chain-partition-keys",
            "must be the last of the table's partition columns",
        );
    }
    Ok(())
}

/// Where a scan starts, and the options of which it needs exactly one.
const STARTS: [(&str, &[&str]); 6] = [
    ("from-timestamp", &["scan.timestamp-millis", "scan.timestamp"]),
    ("from-creation-timestamp", &["scan.creation-time-millis"]),
    ("from-file-creation-time", &["scan.file-creation-time-millis"]),
    ("from-snapshot", &["scan.snapshot-id", "scan.tag-name", "scan.watermark", "scan.version"]),
    ("from-snapshot-full", &["scan.snapshot-id"]),
    (
        "incremental",
        &["incremental-between", "incremental-between-timestamp", "incremental-to-auto-tag"],
    ),
];

fn check_scan_mode(schema: &TableSchema) -> Result<(), SpecError> {
    let mode = word(schema, "scan.mode");
    let set = |key: &&&str| effective_option(schema, key).is_some();
    let needed = STARTS.iter().find(|(name, _)| *name == mode).map(|(_, needed)| *needed);
    if let Some(needed) = needed
        && needed.iter().filter(|key| set(key)).count() != 1
    {
        let reason = format!("'{mode}' needs exactly one of {}", needed.join(", "));
        return refuse("scan.mode", reason);
    }
    if mode != "default" {
        let all = STARTS.iter().flat_map(|(_, keys)| keys.iter());
        let mut others = all.filter(|key| !needed.unwrap_or_default().contains(key));
        if let Some(other) = others.find(|key| set(key)) {
            return refuse("scan.mode", format!("'{mode}' is not possible with '{other}'"));
        }
    }
    Ok(())
}
