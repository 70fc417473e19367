//! What this version does with each option of a stored schema: honours it, warns, or refuses.
//!
//! An option that would change which rows a read returns refuses the read. One that would change
//! what other readers see of our writes refuses the write. The rest is kept and named once.

use super::engine::is_connector_option;
use super::known::{known, nearest};
use super::table::{bool_option, file_formats};
use crate::error::SpecError;
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
}

/// Options that act here, or whose effect is part of how this version works.
const HONOURED: &[&str] = &[
    "alter-column-null-to-not-null.disabled",
    "branch",
    "bucket",
    "bucket-function.type",
    "bucket-key",
    "changelog-producer",
    "commit.discard-duplicate-files",
    "commit.force-create-snapshot",
    "commit.max-retries",
    "commit.max-retry-wait",
    "commit.min-retry-wait",
    "commit.timeout",
    "commit.user-prefix",
    "data-evolution.enabled",
    "data-file.path-directory",
    "data-file.prefix",
    "data-file.thin-mode",
    "deletion-vectors.enabled",
    "dynamic-partition-overwrite",
    "file.block-size",
    "file.compression",
    "file.compression.per.level",
    "file.compression.zstd-level",
    "file.format",
    "file.format.per.level",
    "file.suffix.include.compression",
    "ignore-delete",
    "ignore-update-before",
    "incremental-between",
    "incremental-between-timestamp",
    "incremental-to-auto-tag",
    "manifest.compression",
    "manifest.delete-file-drop-stats",
    "manifest.format",
    "manifest.full-compaction-threshold-size",
    "manifest.merge-min-count",
    "manifest.target-file-size",
    "merge-engine",
    "metadata.stats-dense-store",
    "metadata.stats-keep-first-n-columns",
    "metadata.stats-mode",
    "metadata.stats-mode.per.level",
    "num-levels",
    "num-sorted-run.compaction-trigger",
    "overwrite-upgrade",
    "parquet.enable.dictionary",
    "partition.default-name",
    "partition.legacy-name",
    "query-auth.enabled",
    "read.batch-size",
    "row-tracking.enabled",
    "rowkind.field",
    "scan.mode",
    "sequence.field",
    "snapshot.ignore-empty-commit",
    "source.split.open-file-cost",
    "source.split.target-size",
    "target-file-size",
    "type",
    "write-buffer-size",
    "write-only",
];

/// Options about how Java's threads, caches, sorts or engines work inside: nothing here depends
/// on them and no row does.
const INTERNAL_TO_JAVA: &[&str] = &[
    "async-file-write",
    "auto-create",
    "batch-scan-mode",
    "bucket-append-ordered",
    "cache-page-size",
    "disable-explicit-type-casting",
    "file-operation.thread-num",
    "file-reader-async-threshold",
    "local-sort.max-num-file-handles",
    "page-size",
    "scan.manifest.parallelism",
    "scan.max-splits-per-task",
    "scan.plan-sort-partition",
    "sort-engine",
    "sort-spill-buffer-size",
    "sort-spill-threshold",
    "spill-compression",
    "spill-compression.zstd-level",
    "write-buffer-for-append",
    "write-buffer-spill.max-disk-size",
    "write-buffer-spillable",
    "write-max-writers-to-spill",
    "write.batch-memory",
    "write.batch-size",
];

/// Options that choose another set of rows than the newest snapshot of the table.
const OTHER_ROWS: &[&str] = &[
    "incremental-between",
    "incremental-between-timestamp",
    "incremental-to-auto-tag",
    "scan.creation-time-millis",
    "scan.fallback-branch",
    "scan.fallback-delta-branch",
    "scan.fallback-snapshot-branch",
    "scan.file-creation-time-millis",
    "scan.primary-branch",
    "scan.snapshot-id",
    "scan.tag-name",
    "scan.timestamp",
    "scan.timestamp-millis",
    "scan.version",
    "scan.watermark",
];

/// What this version does with a table option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Treatment {
    /// It acts, or its effect is part of how this version works.
    Honoured,
    /// It is about the inside of Java's engines; nothing here depends on it.
    InternalToJava,
    /// It selects other rows than the newest snapshot's: refused when it is set.
    SelectsOtherRows,
    /// It has no effect; a table that sets it gets a warning.
    Kept,
}

/// What this version does with the option called `key`. Single values may be refused all the same:
/// [`inspect`] tells.
#[must_use]
pub fn treatment(key: &str) -> Treatment {
    if OTHER_ROWS.contains(&key) {
        Treatment::SelectsOtherRows
    } else if HONOURED.contains(&key) {
        Treatment::Honoured
    } else if INTERNAL_TO_JAVA.contains(&key) {
        Treatment::InternalToJava
    } else {
        Treatment::Kept
    }
}

/// Sorts the options of a stored schema.
///
/// # Errors
/// [`SpecError::Option`] for a flag with a value that is neither true nor false.
pub fn inspect(schema: &TableSchema) -> Result<Findings, SpecError> {
    let mut found = Findings::default();
    refuse_reads(schema, &mut found)?;
    refuse_writes(schema, &mut found)?;
    for (key, value) in schema.options.iter() {
        warn(schema, key, value, &mut found.warnings);
    }
    Ok(found)
}

fn refuse_reads(schema: &TableSchema, found: &mut Findings) -> Result<(), SpecError> {
    let mut refuse = |reason: String| {
        found.refuse_read.get_or_insert(reason);
    };
    let keyed = !schema.primary_keys.is_empty();
    if let Some(engine) = schema.option("merge-engine")
        && keyed
        && !engine.eq_ignore_ascii_case("deduplicate")
    {
        refuse(format!(
            "merge-engine '{engine}' is not supported by this version (only deduplicate)"
        ));
    }
    let ignore_delete = known("ignore-delete");
    for key in ignore_delete
        .iter()
        .flat_map(|o| std::iter::once(o.key.as_str()).chain(o.fallback.iter().map(String::as_str)))
        .chain(["deletion-vectors.enabled", "pk-clustering-override"])
    {
        if keyed && bool_option(schema, key, false)? {
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
    if keyed && schema.option("sequence.field").is_some() {
        refuse(
            "option 'sequence.field' decides which row wins and is not supported by this version"
                .into(),
        );
    }
    for key in OTHER_ROWS.iter().chain(&["scan.partitions"]) {
        if schema.option(key).is_some() {
            refuse(format!(
                "option '{key}' selects other rows than the newest snapshot and is not supported by this version"
            ));
        }
    }
    if let Some(mode) = schema.option("scan.mode").or(schema.option("log.scan"))
        && !["default", "latest-full", "full"].contains(&mode.to_lowercase().as_str())
    {
        refuse(format!("option 'scan.mode' = '{mode}' is not supported by this version"));
    }
    if let Some(branch) = schema.option("branch")
        && branch != "main"
    {
        refuse(format!("option 'branch' = '{branch}' is not supported by this version"));
    }
    if let Some(kind) = schema.option("type")
        && !kind.eq_ignore_ascii_case("table")
    {
        refuse(format!("tables of type '{kind}' are not supported by this version"));
    }
    Ok(())
}

fn refuse_writes(schema: &TableSchema, found: &mut Findings) -> Result<(), SpecError> {
    let mut refuse = |reason: String| {
        found.refuse_write.get_or_insert(reason);
    };
    let keyed = !schema.primary_keys.is_empty();
    let bucket = schema.option("bucket").unwrap_or("-1").trim();
    if keyed && (bucket == "-1" || bucket == "-2") {
        refuse(format!(
            "writing to a primary-key table with 'bucket' = '{bucket}' is not supported by this version; \
             create the table with a fixed number of buckets, such as 'bucket' = '4'"
        ));
    }
    if keyed && schema.partition_keys.iter().any(|p| !schema.primary_keys.contains(p)) {
        refuse("the primary key does not contain all partition columns: cross-partition upserts are not supported by this version".into());
    }
    for (key, format) in file_formats(schema) {
        if !format.eq_ignore_ascii_case("parquet") {
            refuse(format!(
                "option '{key}' = '{format}': this version writes only parquet data files"
            ));
        }
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
    for key in ["row-tracking.enabled", "deletion-vectors.enabled", "lookup.remote-file.enabled"] {
        if bool_option(schema, key, false)? {
            refuse(format!("option '{key}' is not supported by this version's writer"));
        }
    }
    for key in [
        "rowkind.field",
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

fn warn(schema: &TableSchema, key: &str, value: &str, warnings: &mut Vec<String>) {
    let Some(option) = known(key) else {
        if let Some(column) =
            key.strip_prefix("fields.").and_then(|k| k.strip_suffix(".stats-mode"))
            && schema.field(column).is_some()
        {
            return;
        }
        if key.starts_with("parquet.") || key == "owner" {
            if key.starts_with("parquet.")
                && ![
                    "parquet.enable.dictionary",
                    "parquet.block.size",
                    "parquet.page.size",
                    "parquet.compression",
                ]
                .contains(&key)
            {
                warnings.push(format!(
                    "option '{key}' is kept but this version's Parquet writer does not use it"
                ));
            }
            return;
        }
        if key.starts_with("schema.watermark.") {
            // One sentence for the three keys of a watermark.
            if key.ends_with(".rowtime") {
                warnings.push(format!(
                    "the watermark for '{value}' is kept for stream readers and has no effect in this version"
                ));
            }
            return;
        }
        if is_connector_option(key) {
            warnings.push(format!(
                "option '{key}' = '{value}' belongs to the connectors of other engines and has no effect here"
            ));
            return;
        }
        let hint = nearest(key).map(|n| format!(" (near: '{n}')")).unwrap_or_default();
        warnings.push(format!("option '{key}' is not known to this version and is kept{hint}"));
        return;
    };
    let name = option.key.as_str();
    let is_default =
        option.default.as_deref().is_some_and(|d| d.eq_ignore_ascii_case(value.trim()));
    if name == "changelog-producer" && !is_default && !value.eq_ignore_ascii_case("input") {
        warnings.push(format!("option '{key}' = '{value}': this version produces no changelog; the next compaction by another engine does"));
        return;
    }
    if is_default
        || HONOURED.contains(&name)
        || INTERNAL_TO_JAVA.contains(&name)
        || OTHER_ROWS.contains(&name)
        || schema.primary_keys.is_empty() && name.starts_with("sequence.")
    {
        return;
    }
    warnings.push(format!("option '{key}' = '{value}' is kept but has no effect in this version"));
}
