//! The rules that a schema must keep, when it is made and whenever it changes.
//!
//! Format: `docs/spec/schema.md#creation`. Source: Paimon 1.4.2 `Schema`, `SchemaValidation`.

use std::collections::HashSet;

use super::{TableSchema, engine, features};
use crate::error::SpecError;
use crate::options::{TableOptions, effective_option};
use crate::types::{DataType, TypeKind};

const RESERVED: [&str; 5] = ["_SEQUENCE_NUMBER", "_VALUE_KIND", "_LEVEL", "rowkind", "_ROW_ID"];

/// Checks names, keys, buckets and options of a whole schema.
///
/// # Errors
/// [`SpecError::Definition`] or [`SpecError::Option`] names the column or option.
pub fn validate(schema: &TableSchema) -> Result<(), SpecError> {
    check_names(schema)?;
    check_keys(schema)?;
    check_buckets(schema)?;
    check_columns_in_options(schema)?;
    check_engine(schema)?;
    engine::check(schema)?;
    features::check(schema)?;
    check_retention(schema)
}

pub(super) fn definition(reason: impl Into<String>) -> SpecError {
    SpecError::Definition { reason: reason.into() }
}

pub(super) fn refuse<T>(key: &str, reason: impl Into<String>) -> Result<T, SpecError> {
    Err(SpecError::Option { key: key.to_owned(), reason: reason.into() })
}

fn check_names(schema: &TableSchema) -> Result<(), SpecError> {
    if schema.fields.is_empty() {
        return Err(definition("a table needs at least one column"));
    }
    let mut seen = HashSet::new();
    for column in &schema.fields {
        let name = &column.name;
        if name.is_empty() {
            return Err(definition("a column has an empty name"));
        }
        if RESERVED.contains(&name.as_str()) || name.starts_with("_KEY_") {
            return Err(definition(format!("column name '{name}' is reserved")));
        }
        if !seen.insert(name) {
            return Err(definition(format!("column '{name}' is defined twice")));
        }
        check_type(name, &column.data_type)?;
    }
    Ok(())
}

fn check_keys(schema: &TableSchema) -> Result<(), SpecError> {
    for (what, keys) in
        [("primary key", &schema.primary_keys), ("partition", &schema.partition_keys)]
    {
        let mut seen = HashSet::new();
        for key in keys {
            let column = schema.field(key).ok_or_else(|| {
                definition(format!("{what} column '{key}' is not a column of the table"))
            })?;
            if !column.data_type.kind.can_be_key() {
                return Err(definition(format!(
                    "{what} column '{key}' has type {}, which cannot be a key",
                    column.data_type
                )));
            }
            if !seen.insert(key) {
                return Err(definition(format!("{what} column '{key}' is given twice")));
            }
        }
    }
    if !schema.primary_keys.is_empty()
        && schema.primary_keys.iter().all(|k| schema.partition_keys.contains(k))
    {
        return Err(definition(
            "the primary key has only partition columns: each partition would hold one row; add a column to the key",
        ));
    }
    Ok(())
}

fn check_type(column: &str, data_type: &DataType) -> Result<(), SpecError> {
    match &data_type.kind {
        TypeKind::Char(0) | TypeKind::VarChar(0) | TypeKind::Binary(0) | TypeKind::VarBinary(0) => {
            Err(definition(format!("column '{column}': length 0 is not allowed")))
        }
        TypeKind::Array(e) | TypeKind::Multiset(e) | TypeKind::Vector(e, _) => {
            check_type(column, e)
        }
        TypeKind::Map(k, v) => {
            check_type(column, k)?;
            check_type(column, v)
        }
        TypeKind::Row(fields) => {
            let mut seen = HashSet::new();
            for field in fields {
                if !seen.insert(&field.name) {
                    return Err(definition(format!(
                        "column '{column}': field '{}' is defined twice",
                        field.name
                    )));
                }
                check_type(column, &field.data_type)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn check_buckets(schema: &TableSchema) -> Result<(), SpecError> {
    let options = TableOptions::parse(schema)?;
    let keyed = !schema.primary_keys.is_empty();
    let refuse = |reason: String| refuse("bucket", reason);
    match options.bucket {
        -1 | 1.. => {}
        -2 if keyed => {}
        -2 => return refuse("-2 (postpone) needs a primary key".into()),
        n => {
            return refuse(format!("{n} is neither a number of buckets (1 or more) nor -1 nor -2"));
        }
    }
    let refuse = |reason: String| self::refuse("bucket-key", reason);
    let Some(keys) = schema.options.get("bucket-key").filter(|k| !k.trim().is_empty()) else {
        if !keyed && options.bucket > 0 {
            return refuse(format!(
                "an append table with 'bucket' = '{}' needs it: name the columns that decide the bucket",
                options.bucket
            ));
        }
        return Ok(());
    };
    if options.bucket == -1 {
        return refuse("is not allowed with 'bucket' = '-1'; set a number of buckets".into());
    }
    let mut seen = HashSet::new();
    for key in keys.split(',').map(str::trim) {
        let Some(field) = schema.field(key) else {
            return refuse(format!("'{key}' is not a column of the table"));
        };
        if !seen.insert(key) {
            return refuse(format!("'{key}' is given twice"));
        }
        if schema.partition_keys.iter().any(|p| p == key) {
            return refuse(format!("'{key}' is a partition column"));
        }
        if keyed && !schema.primary_keys.iter().any(|p| p == key) {
            return refuse(format!("'{key}' is not part of the primary key"));
        }
        if !field.data_type.kind.can_be_key() {
            return refuse(format!("'{key}' has type {}, which cannot be a key", field.data_type));
        }
    }
    Ok(())
}

/// The value of an option that is a word, in lower case.
pub(super) fn word(schema: &TableSchema, key: &str) -> String {
    effective_option(schema, key).unwrap_or_default().trim().to_lowercase()
}

pub(super) fn is_on(schema: &TableSchema, key: &str) -> bool {
    word(schema, key) == "true"
}

/// Columns that an option lists, separated by commas.
pub(super) fn listed<'a>(schema: &'a TableSchema, key: &str) -> Vec<&'a str> {
    let text = effective_option(schema, key).unwrap_or_default();
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

fn check_columns_in_options(schema: &TableSchema) -> Result<(), SpecError> {
    let missing = |column: &str| format!("'{column}' is not a column of the table");
    if let Some(column) = schema.options.get("rowkind.field")
        && schema.field(column).is_none()
    {
        return refuse("rowkind.field", missing(column));
    }
    if let Some(column) = schema.options.get("record-level.time-field") {
        let Some(field) = schema.field(column) else {
            return refuse("record-level.time-field", missing(column));
        };
        let timed = matches!(
            field.data_type.kind,
            TypeKind::Int | TypeKind::BigInt | TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_)
        );
        if !timed {
            return refuse(
                "record-level.time-field",
                format!("'{column}' must be INT, BIGINT or TIMESTAMP, not {}", field.data_type),
            );
        }
    }
    let mut seen = HashSet::new();
    for column in listed(schema, "sequence.field") {
        if schema.field(column).is_none() {
            return refuse("sequence.field", missing(column));
        }
        if schema.options.get(&format!("fields.{column}.aggregate-function")).is_some() {
            return refuse("sequence.field", format!("'{column}' has an aggregate function"));
        }
        if !seen.insert(column) {
            return refuse("sequence.field", format!("'{column}' is given twice"));
        }
    }
    for (key, _) in schema.options.iter() {
        let column = key.strip_prefix("fields.").and_then(|rest| rest.rsplit_once('.'));
        if let Some((columns, _)) = column
            && key != "fields.default-aggregate-function"
        {
            for column in columns.split(',') {
                if schema.field(column).is_none() {
                    return refuse(key, missing(column));
                }
            }
        }
    }
    Ok(())
}

fn check_engine(schema: &TableSchema) -> Result<(), SpecError> {
    let keyed = !schema.primary_keys.is_empty();
    let producer = word(schema, "changelog-producer");
    let first_row = word(schema, "merge-engine") == "first-row";
    if producer != "none" && !keyed {
        return refuse("changelog-producer", format!("'{producer}' needs a primary key"));
    }
    if first_row && producer != "none" && producer != "lookup" {
        return refuse(
            "changelog-producer",
            format!("'{producer}' is not possible with merge-engine 'first-row': none or lookup"),
        );
    }
    if !listed(schema, "sequence.field").is_empty() {
        if first_row {
            return refuse("sequence.field", "is not possible with merge-engine 'first-row'");
        }
        if keyed && schema.partition_keys.iter().any(|p| !schema.primary_keys.contains(p)) {
            return refuse(
                "sequence.field",
                "is not possible when the primary key lacks a partition column",
            );
        }
    }
    if is_on(schema, "streaming-read-overwrite") {
        if producer == "lookup" || producer == "full-compaction" {
            let reason = format!("reads changes twice with changelog-producer '{producer}'");
            return refuse("streaming-read-overwrite", reason);
        }
        if !keyed {
            return refuse(
                "streaming-read-overwrite",
                "needs a primary key; append tables have 'streaming-read-append-overwrite'",
            );
        }
    }
    if is_on(schema, "deletion-vectors.enabled") {
        if producer == "full-compaction" {
            return refuse(
                "deletion-vectors.enabled",
                "is not possible with changelog-producer 'full-compaction'",
            );
        }
        if first_row && !is_on(schema, "pk-clustering-override") {
            return refuse(
                "deletion-vectors.enabled",
                "is not possible with merge-engine 'first-row', which deletes nothing",
            );
        }
    }
    if is_on(schema, "row-tracking.enabled") && (keyed || word(schema, "bucket") != "-1") {
        return refuse(
            "row-tracking.enabled",
            "needs a table without primary key and with 'bucket' = '-1'",
        );
    }
    if is_on(schema, "data-evolution.enabled") && !is_on(schema, "row-tracking.enabled") {
        return refuse("data-evolution.enabled", "needs 'row-tracking.enabled' = 'true'");
    }
    Ok(())
}

fn check_retention(schema: &TableSchema) -> Result<(), SpecError> {
    for what in ["snapshot", "changelog"] {
        let min_key = format!("{what}.num-retained.min");
        let max_key = format!("{what}.num-retained.max");
        let number = |key: &str| {
            effective_option(schema, key).and_then(|text| text.trim().parse::<i64>().ok())
        };
        let Some(min) = number(&min_key) else { continue };
        if min < 1 {
            return refuse(&min_key, format!("must be at least 1, not {min}"));
        }
        if let Some(max) = number(&max_key)
            && min > max
        {
            return refuse(&min_key, format!("is {min}, more than '{max_key}' = '{max}'"));
        }
    }
    if schema.options.get("partition.expiration-time").is_some() && schema.partition_keys.is_empty()
    {
        return refuse("partition.expiration-time", no_partitions(schema));
    }
    if schema.options.get("path").is_some() {
        return refuse("path", "the catalog decides where a table lies; leave it out");
    }
    Ok(())
}

/// The advice names the column that `partition.timestamp-pattern` speaks of.
fn no_partitions(schema: &TableSchema) -> String {
    let pattern = schema.options.get("partition.timestamp-pattern").unwrap_or_default();
    let named = schema.fields.iter().find(|f| pattern.trim() == format!("${}", f.name));
    let column = named.map_or("…", |field| field.name.as_str());
    format!("the table has no partitions: add PARTITIONED BY ({column})")
}
