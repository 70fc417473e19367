//! What this version does with each option of a stored schema: honours it, warns, or refuses.
//!
//! An option that would change which rows a read returns refuses the read. One that would change
//! what other readers see of our writes refuses the write. The rest is kept and named once.

use super::engine::is_connector_option;
use super::known::{is_default, known, nearest};
use super::merge::{MergeEngine, MergeOptions};
use super::patterns::{Pattern, pattern};
use super::table::{bool_option, file_compression, file_formats, num_levels};
use super::treatment::{OTHER_ROWS, Treatment, needs_key, treatment};
use crate::error::SpecError;
use crate::manifest::Codec;
use crate::schema::TableSchema;

/// What a table's options mean for this version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Options that are kept without effect, one sentence each.
    pub warnings: Vec<String>,
    /// Why rows of this table cannot be read.
    pub refuse_read: Option<String>,
    /// Why rows cannot be written to this table.
    pub refuse_write: Option<String>,
    /// Why files of this table cannot be compacted, where its rows can be written.
    pub refuse_compaction: Option<String>,
}

/// Sorts the options of a stored schema.
///
/// # Errors
/// [`SpecError::Option`] for a flag with a value that is neither true nor false.
pub fn inspect(schema: &TableSchema) -> Result<Findings, SpecError> {
    let mut found = Findings::default();
    refuse_reads(schema, &mut found)?;
    let merge = MergeOptions::parse(schema)?;
    refuse_writes(schema, &merge, &mut found)?;
    refuse_compaction(schema, &merge, &mut found)?;
    for (key, value) in schema.options.iter() {
        warn(schema, &merge, key, value, &mut found.warnings);
    }
    let first_row = !schema.primary_keys.is_empty() && merge.engine == MergeEngine::FirstRow;
    if first_row && (bool_option(schema, "write-only", false)? || found.refuse_compaction.is_some())
    {
        found.warnings.push(FIRST_ROW.to_owned());
    }
    if schema.keys_cross_partitions() && bucket(schema) != "-1" {
        found.warnings.push(format!(
            "the primary key does not contain all partition columns, and 'bucket' = '{}': nobody looks for \
             the key of a new row in other partitions, so it may be there more than once; 'bucket' = \
             '-1' keeps it unique",
            bucket(schema)
        ));
    }
    Ok(found)
}

/// Compressions of Parquet files that are written.
const WRITTEN_CODECS: [&str; 7] =
    ["zstd", "snappy", "lz4", "lz4_raw", "gzip", "none", "uncompressed"];

/// The name under which an option is set, if it is.
fn given_as<'a>(schema: &'a TableSchema, key: &'a str) -> Option<&'a str> {
    let older = known(key).into_iter().flat_map(|option| &option.fallback).map(String::as_str);
    std::iter::once(key).chain(older).find(|name| schema.option(name).is_some())
}

fn refuse_reads(schema: &TableSchema, found: &mut Findings) -> Result<(), SpecError> {
    let mut refuse = |reason: String| {
        found.refuse_read.get_or_insert(reason);
    };
    let keyed = !schema.primary_keys.is_empty();
    for key in ["pk-clustering-override", "deletion-vectors.enabled"] {
        if keyed && bool_option(schema, key, false)? {
            let key = given_as(schema, key).unwrap_or(key);
            refuse(format!(
                "option '{key}' changes which rows are read and is not supported by this version"
            ));
        }
    }
    for key in ["data-evolution.enabled", "chain-table.enabled", "query-auth.enabled"] {
        if bool_option(schema, key, false)? {
            refuse(format!(
                "option '{key}' changes which rows are read and is not supported by this version"
            ));
        }
    }
    for key in OTHER_ROWS.iter().chain(&["scan.partitions"]) {
        if let Some(key) = given_as(schema, key) {
            refuse(format!(
                "option '{key}' selects other rows than the newest snapshot and is not supported by this version"
            ));
        }
    }
    if let Some(key) = given_as(schema, "scan.mode")
        && let Some(mode) = schema.option(key)
        && !["default", "latest-full", "full"].contains(&mode.to_lowercase().as_str())
    {
        refuse(format!("option '{key}' = '{mode}' is not supported by this version"));
    }
    if let Some(branch) = schema.option("branch")
        && branch != "main"
    {
        refuse(format!("option 'branch' = '{branch}' is not supported by this version"));
    }
    if let Some(kind) = schema.option("type")
        && !kind.eq_ignore_ascii_case("table")
    {
        refuse(format!("option 'type' = '{kind}' is not supported by this version (only table)"));
    }
    Ok(())
}

fn refuse_writes(
    schema: &TableSchema,
    merge: &MergeOptions,
    found: &mut Findings,
) -> Result<(), SpecError> {
    let mut refuse = |reason: String| {
        found.refuse_write.get_or_insert(reason);
    };
    if schema.keys_cross_partitions() {
        if schema.option("sequence.field").is_some_and(|columns| !columns.trim().is_empty()) {
            refuse("the primary key does not contain all partition columns, and with 'sequence.field' an older row would take its key out of the partition of a newer one: remove the option".into());
        }
        if bucket(schema) == "-1"
            && bool_option(schema, "ignore-delete", false)?
            && merge.engine == MergeEngine::Deduplicate
        {
            let key = given_as(schema, "ignore-delete").unwrap_or("ignore-delete");
            refuse(format!(
                "option '{key}' = 'true': a key that moves to another partition is deleted in the one where it was, and readers would ignore that and show it twice"
            ));
        }
    }
    if let Some(reason) = unwritten_files(schema, 0)? {
        refuse(reason);
    }
    if let Some(codec) = schema.option("manifest.compression")
        && let Err(error) = Codec::from_option(&codec.trim().to_lowercase())
    {
        refuse(format!("option 'manifest.compression' = '{codec}': {error}"));
    }
    if let Some(format) = schema.option("manifest.format")
        && !format.eq_ignore_ascii_case("avro")
    {
        refuse(format!(
            "option 'manifest.format' = '{format}': this version writes only avro manifests"
        ));
    }
    if let Some(producer) = schema.option("changelog-producer")
        && producer.eq_ignore_ascii_case("input")
    {
        refuse("option 'changelog-producer' = 'input': this version writes no changelog files, stream readers would miss the rows".into());
    }
    for key in [
        "row-tracking.enabled",
        "pk-clustering-override",
        "deletion-vectors.enabled",
        "lookup.remote-file.enabled",
    ] {
        if bool_option(schema, key, false)? {
            refuse(format!("option '{key}' is not supported by this version's writer"));
        }
    }
    for key in [
        "data-file.external-paths",
        "commit.callbacks",
        "tag.callbacks",
        "commit.strict-mode.last-safe-snapshot",
    ] {
        if schema.option(key).is_some_and(|v| !v.is_empty()) {
            refuse(format!("option '{key}' is not supported by this version's writer"));
        }
    }
    Ok(())
}

/// Why files of a level cannot be written, if they cannot.
fn unwritten_files(schema: &TableSchema, level: i32) -> Result<Option<String>, SpecError> {
    for (key, format) in file_formats(schema, level) {
        if !format.eq_ignore_ascii_case("parquet") {
            return Ok(Some(format!(
                "option '{key}' = '{format}': this version writes only parquet data files"
            )));
        }
    }
    let (key, codec) = file_compression(schema, level)?;
    Ok((!WRITTEN_CODECS.contains(&codec.as_str())).then(|| {
        format!(
            "option '{key}' = '{codec}': this version writes only {}",
            WRITTEN_CODECS.join(", ")
        )
    }))
}

/// Why the files of a table that can be written cannot be compacted, if they cannot.
fn refuse_compaction(
    schema: &TableSchema,
    merge: &MergeOptions,
    found: &mut Findings,
) -> Result<(), SpecError> {
    if schema.primary_keys.is_empty() {
        return Ok(());
    }
    let mut refuse = |reason: String| {
        found.refuse_compaction.get_or_insert(reason);
    };
    if let Some(producer) = schema.option("changelog-producer")
        && !producer.eq_ignore_ascii_case("none")
    {
        refuse(format!(
            "option 'changelog-producer' = '{producer}': compactions of this table write its changelog, which this version \
             does not do"
        ));
    }
    if merge.looked_up {
        refuse(
            "option 'force-lookup' = 'true' is not supported by this version's compaction"
                .to_owned(),
        );
    }
    for level in 1..num_levels(schema)?.min(MOST_LEVELS) {
        if let Some(reason) = unwritten_files(schema, level)? {
            refuse(format!("level {level}: {reason}"));
        }
    }
    Ok(())
}

/// Levels that are looked at for formats of their own.
const MOST_LEVELS: i32 = 64;

const FIRST_ROW: &str = "option 'merge-engine' = 'first-row': rows are shown once a compaction has taken them up, \
     which writers of this table do not do";

fn bucket(schema: &TableSchema) -> &str {
    schema.option("bucket").unwrap_or("-1").trim()
}

/// The engine that an option is about, if it is about one.
fn engine_of(key: &str) -> Option<&'static [MergeEngine]> {
    let of_functions: &[MergeEngine] = &[MergeEngine::Aggregation, MergeEngine::PartialUpdate];
    match key {
        "fields.default-aggregate-function" => Some(of_functions),
        _ if key.starts_with("aggregation.") => Some(&[MergeEngine::Aggregation]),
        _ if key.starts_with("partial-update.r") => Some(&[MergeEngine::PartialUpdate]),
        _ if !key.starts_with("fields.") || key.ends_with(".stats-mode") => None,
        _ if key.ends_with(".sequence-group") => Some(&[MergeEngine::PartialUpdate]),
        _ => Some(of_functions),
    }
}

fn warn(
    schema: &TableSchema,
    merge: &MergeOptions,
    key: &str,
    value: &str,
    warnings: &mut Vec<String>,
) {
    let kept = |reason: &str| {
        format!("option '{key}' = '{value}' is kept but has no effect in this version: {reason}")
    };
    if engine_of(key).is_some_and(|engines| !engines.contains(&merge.engine))
        && (known(key).is_some() || pattern(key).is_some())
        && known(key).is_none_or(|option| !is_default(option, value))
        && !schema.primary_keys.is_empty()
    {
        warnings.push(kept(&format!("the merge engine is '{}'", merge.engine.name())));
        return;
    }
    let Some(option) = known(key) else {
        warnings.extend(warn_unlisted(schema, key, value, kept));
        return;
    };
    let name = option.key.as_str();
    if key != name && schema.options.get(name).is_some() {
        warnings.push(format!("option '{key}' = '{value}' has no effect: it is an older name of '{name}', which is set too and counts"));
        return;
    }
    if is_default(option, value) {
        return;
    }
    if name == "changelog-producer" {
        if !value.eq_ignore_ascii_case("input") {
            warnings.push(format!("option '{key}' = '{value}': this version produces no changelog; the next compaction by another engine does"));
        }
        return;
    }
    if needs_key(name) && schema.primary_keys.is_empty() {
        warnings.push(kept("the table has no primary key"));
        return;
    }
    let bucket = bucket(schema);
    if name.starts_with("postpone.") && bucket != "-2" {
        warnings.push(kept("the table's buckets are not postponed ('bucket' = '-2')"));
        return;
    }
    let dynamic = bucket == "-1";
    if name.starts_with("dynamic-bucket.") && !dynamic {
        warnings.push(kept("the table has no dynamic buckets ('bucket' = '-1')"));
        return;
    }
    if name.starts_with("cross-partition-upsert.") && !(dynamic && schema.keys_cross_partitions()) {
        warnings.push(kept(
            "no index of keys is built: the primary key contains all partition columns, or the table has \
             no dynamic buckets ('bucket' = '-1')",
        ));
        return;
    }
    if name == "index-file-in-data-file-dir" && (!dynamic || schema.keys_cross_partitions()) {
        warnings.push(kept("no index files are written for a table without dynamic buckets"));
        return;
    }
    if name == "sequence.field.sort-order" && merge.sequence.is_empty() {
        warnings.push(kept("there is no 'sequence.field'"));
        return;
    }
    if name == "record-level.time-field" && merge.expire.is_none() {
        warnings.push(kept("there is no 'record-level.expire-time'"));
        return;
    }
    if let Treatment::Kept(reason) = treatment(name) {
        warnings.push(kept(reason));
    }
}

/// The warning about an option that is not in the list of Paimon's table options.
fn warn_unlisted(
    schema: &TableSchema,
    key: &str,
    value: &str,
    kept: impl Fn(&str) -> String,
) -> Option<String> {
    match pattern(key) {
        Some(Pattern::Information) => None,
        Some(Pattern::Acts) => match key.strip_prefix("fields.").and_then(|k| k.rsplit_once('.')) {
            Some((columns, _)) if columns.split(',').any(|c| schema.field(c.trim()).is_none()) => {
                Some(kept(&format!("there is no column '{columns}'")))
            }
            Some((_, end)) if end != "stats-mode" && schema.primary_keys.is_empty() => {
                Some(kept("the table has no primary key"))
            }
            None if key.contains(".per.level.") && schema.primary_keys.is_empty() => {
                Some(kept("the table has no primary key"))
            }
            _ => None,
        },
        Some(Pattern::Kept(reason)) => Some(kept(reason)),
        // One sentence for the three keys of a watermark.
        Some(Pattern::Watermark) => key.ends_with(".rowtime").then(|| {
            format!(
                "the watermark for '{value}' is kept for stream readers and has no effect in this version"
            )
        }),
        None if is_connector_option(key) => Some(format!(
            "option '{key}' = '{value}' belongs to the connectors of other engines and has no effect here"
        )),
        None => {
            let hint = nearest(key).map(|n| format!(" (near: '{n}')")).unwrap_or_default();
            Some(format!("option '{key}' is not known to this version and is kept{hint}"))
        }
    }
}
