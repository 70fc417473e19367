//! The options of a table that act in this version, parsed once when it is opened.

use std::collections::BTreeMap;
use std::time::Duration;

use super::buffer::BufferOptions;
use super::compaction::CompactionOptions;
use super::cross_partition::CrossPartitionOptions;
use super::dynamic::DynamicBucketOptions;
use super::known::{check_value, known};
use super::merge::MergeOptions;
use super::postpone::PostponeOptions;
use super::values::{parse_duration_millis, parse_memory};
use crate::bucket::BucketFunction;
use crate::error::SpecError;
use crate::schema::TableSchema;

/// Everything that acts, by area.
#[derive(Debug, Clone, PartialEq)]
pub struct TableOptions {
    /// `bucket`: buckets per partition; -1 unaware (append) or dynamic, -2 postpone; default -1.
    pub bucket: i32,
    /// `bucket-function.type`: row to bucket; default `default`.
    pub bucket_function: BucketFunction,
    /// Dynamic buckets.
    pub dynamic_bucket: DynamicBucketOptions,
    /// Keys that move between partitions.
    pub cross_partition: CrossPartitionOptions,
    /// Postponed buckets.
    pub postpone: PostponeOptions,
    /// Data files.
    pub file: FileOptions,
    /// Statistics kept for data files.
    pub stats: StatsOptions,
    /// Manifests.
    pub manifest: ManifestOptions,
    /// Commits.
    pub commit: CommitOptions,
    /// Partition directories and overwrites.
    pub partition: PartitionOptions,
    /// Read splits.
    pub split: SplitOptions,
    /// `num-levels`: LSM levels; default `num-sorted-run.compaction-trigger` + 1.
    pub num_levels: i32,
    /// When files are compacted.
    pub compaction: CompactionOptions,
    /// Rows that wait to be written.
    pub buffer: BufferOptions,
    /// What becomes of records with one key, and which kinds of rows are left out.
    pub merge: MergeOptions,
    /// `read.batch-size`: rows per batch of a read, if set.
    pub read_batch_rows: Option<usize>,
}

/// How data files are written and named.
#[derive(Debug, Clone, PartialEq)]
pub struct FileOptions {
    /// `file.format` of level 0 (with `file.format.per.level`); default `parquet`.
    pub format: String,
    /// `file.compression` of level 0 (with `file.compression.per.level`); default `zstd`.
    pub compression: String,
    /// `file.compression.zstd-level`; default 1.
    pub zstd_level: i32,
    /// `target-file-size`: bytes; default 128 MB with a primary key, else 256 MB.
    pub target_bytes: u64,
    /// `file.block-size` or `parquet.block.size`: bytes of a row group; default 128 MB.
    pub row_group_bytes: u64,
    /// `parquet.page.size`: bytes; default 1 MB.
    pub page_bytes: u64,
    /// `parquet.enable.dictionary`; default true.
    pub dictionary: bool,
    /// `data-file.prefix`; default `data-`.
    pub prefix: String,
    /// `data-file.path-directory`: directory between table and partitions, if any.
    pub directory: Option<String>,
    /// `data-file.thin-mode`: leave out the `_KEY_` columns; default false.
    pub thin: bool,
    /// `file.suffix.include.compression`: `.zstd.parquet`; default false.
    pub suffix_with_compression: bool,
}

/// Which statistics of a column are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsMode {
    /// Nothing.
    None,
    /// Null counts.
    Counts,
    /// Minimum, maximum and null count.
    Full,
    /// As full, strings cut to so many characters.
    Truncate(usize),
}

/// `metadata.stats-*`.
#[derive(Debug, Clone, PartialEq)]
pub struct StatsOptions {
    /// `metadata.stats-mode` of level 0 (with `.per.level`); default `truncate(16)`.
    pub mode: StatsMode,
    /// `fields.<column>.stats-mode`.
    pub per_column: BTreeMap<String, StatsMode>,
    /// `metadata.stats-dense-store`: leave out columns without statistics; default true.
    pub dense: bool,
    /// `metadata.stats-keep-first-n-columns`; default all.
    pub keep_first: Option<usize>,
}

/// `manifest.*`.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestOptions {
    /// `manifest.compression`; default `zstd`.
    pub compression: String,
    /// `manifest.target-file-size`: bytes; default 8 MB.
    pub target_bytes: u64,
    /// `manifest.merge-min-count`; default 30.
    pub merge_min_count: usize,
    /// `manifest.full-compaction-threshold-size`: bytes; default 16 MB.
    pub full_compaction_bytes: u64,
    /// `manifest.delete-file-drop-stats`; default false.
    pub drop_stats_of_deleted: bool,
}

/// `commit.*` and `snapshot.ignore-empty-commit`.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitOptions {
    /// `commit.max-retries`; default 10.
    pub max_retries: u32,
    /// `commit.min-retry-wait`; default 10 ms.
    pub min_wait: Duration,
    /// `commit.max-retry-wait`; default 10 s.
    pub max_wait: Duration,
    /// `commit.timeout`; default none.
    pub timeout: Option<Duration>,
    /// `commit.user-prefix`.
    pub user_prefix: Option<String>,
    /// `commit.discard-duplicate-files`; default false.
    pub discard_duplicates: bool,
    /// A commit without changes makes no snapshot (`snapshot.ignore-empty-commit` unless false,
    /// `commit.force-create-snapshot` unless true).
    pub ignore_empty: bool,
}

/// `partition.*` and what an overwrite replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionOptions {
    /// `partition.default-name`; default `__DEFAULT_PARTITION__`.
    pub default_name: String,
    /// `partition.legacy-name`; default true.
    pub legacy_names: bool,
    /// `dynamic-partition-overwrite`; default true.
    pub dynamic_overwrite: bool,
    /// `overwrite-upgrade`: files of an overwrite go straight to the last level; default true.
    pub overwrite_upgrade: bool,
}

/// `source.split.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitOptions {
    /// `source.split.target-size`: bytes; default 128 MB.
    pub target_bytes: u64,
    /// `source.split.open-file-cost`: bytes that a file weighs at least; default 4 MB.
    pub open_file_cost: u64,
}

impl TableOptions {
    /// Parses the options of a stored schema.
    ///
    /// # Errors
    /// [`SpecError::Option`] names the option with a value that its type does not allow.
    pub fn parse(schema: &TableSchema) -> Result<Self, SpecError> {
        Ok(Self {
            bucket: int(schema, "bucket", -1)?,
            bucket_function: match text(schema, "bucket-function.type").as_deref() {
                None | Some("default") => BucketFunction::Default,
                Some("mod") => BucketFunction::Mod,
                Some("hive") => BucketFunction::Hive,
                Some(other) => {
                    return Err(wrong(
                        "bucket-function.type",
                        format!("{other:?} is none of default, mod, hive"),
                    ));
                }
            },
            dynamic_bucket: DynamicBucketOptions::parse(schema)?,
            cross_partition: CrossPartitionOptions::parse(schema)?,
            postpone: PostponeOptions::parse(schema)?,
            file: FileOptions::at_level(schema, 0)?,
            stats: StatsOptions::at_level(schema, 0)?,
            manifest: ManifestOptions {
                compression: text(schema, "manifest.compression").unwrap_or_else(|| "zstd".into()),
                target_bytes: memory(schema, "manifest.target-file-size", 8 << 20)?,
                merge_min_count: count(schema, "manifest.merge-min-count", 30)?,
                full_compaction_bytes: memory(
                    schema,
                    "manifest.full-compaction-threshold-size",
                    16 << 20,
                )?,
                drop_stats_of_deleted: bool_option(
                    schema,
                    "manifest.delete-file-drop-stats",
                    false,
                )?,
            },
            commit: CommitOptions::parse(schema)?,
            partition: PartitionOptions {
                default_name: schema
                    .option("partition.default-name")
                    .unwrap_or("__DEFAULT_PARTITION__")
                    .to_owned(),
                legacy_names: bool_option(schema, "partition.legacy-name", true)?,
                dynamic_overwrite: bool_option(schema, "dynamic-partition-overwrite", true)?,
                overwrite_upgrade: bool_option(schema, "overwrite-upgrade", true)?,
            },
            split: SplitOptions {
                target_bytes: memory(schema, "source.split.target-size", 128 << 20)?,
                open_file_cost: memory(schema, "source.split.open-file-cost", 4 << 20)?,
            },
            num_levels: num_levels(schema)?,
            compaction: CompactionOptions::parse(schema)?,
            buffer: BufferOptions::parse(schema)?,
            merge: MergeOptions::parse(schema)?,
            read_batch_rows: match schema.option("read.batch-size") {
                None => None,
                Some(_) => Some(count(schema, "read.batch-size", 1024)?.max(1)),
            },
        })
    }
}

impl FileOptions {
    /// How files of a level are written; `*.per.level` may say something else for each.
    ///
    /// # Errors
    /// [`SpecError::Option`] names the option with a value that its type does not allow.
    pub fn at_level(schema: &TableSchema, level: i32) -> Result<Self, SpecError> {
        let keyed = !schema.primary_keys.is_empty();
        let formats = file_formats(schema, level);
        let (_, compression) = file_compression(schema, level)?;
        let block = match schema.option("file.block-size") {
            Some(_) => memory(schema, "file.block-size", 128 << 20)?,
            None => plain_bytes(schema, "parquet.block.size", 128 << 20)?,
        };
        Ok(Self {
            format: formats
                .into_iter()
                .next_back()
                .map_or_else(|| "parquet".into(), |(_, format)| format.to_lowercase()),
            compression,
            zstd_level: int(schema, "file.compression.zstd-level", 1)?,
            target_bytes: memory(
                schema,
                "target-file-size",
                if keyed { 128 << 20 } else { 256 << 20 },
            )?,
            row_group_bytes: block,
            page_bytes: plain_bytes(schema, "parquet.page.size", 1 << 20)?,
            dictionary: bool_option(schema, "parquet.enable.dictionary", true)?,
            prefix: schema.option("data-file.prefix").unwrap_or("data-").to_owned(),
            directory: schema
                .option("data-file.path-directory")
                .map(|d| d.trim_matches('/').to_owned())
                .filter(|d| !d.is_empty()),
            thin: bool_option(schema, "data-file.thin-mode", false)?,
            suffix_with_compression: bool_option(schema, "file.suffix.include.compression", false)?,
        })
    }
}

impl FileOptions {
    /// What names of data files end with, after the dot.
    #[must_use]
    pub fn extension(&self) -> String {
        if self.suffix_with_compression {
            format!("{}.{}", self.compression, self.format)
        } else {
            self.format.clone()
        }
    }
}

impl StatsOptions {
    /// Which statistics files of a level have.
    ///
    /// # Errors
    /// [`SpecError::Option`] names the option with a value that its type does not allow.
    pub fn at_level(schema: &TableSchema, level: i32) -> Result<Self, SpecError> {
        let keyed = !schema.primary_keys.is_empty();
        let leveled = per_level(schema, "metadata.stats-mode.per.level", level)?.filter(|_| keyed);
        let mode = match leveled {
            Some(mode) => stats_mode("metadata.stats-mode.per.level", &mode)?,
            None => match schema.option("metadata.stats-mode") {
                Some(mode) => stats_mode("metadata.stats-mode", mode)?,
                None => StatsMode::Truncate(16),
            },
        };
        let mut per_column = BTreeMap::new();
        for (key, value) in schema.options.iter() {
            if let Some(column) =
                key.strip_prefix("fields.").and_then(|k| k.strip_suffix(".stats-mode"))
            {
                per_column.insert(column.to_owned(), stats_mode(key, value)?);
            }
        }
        let keep = int(schema, "metadata.stats-keep-first-n-columns", -1)?;
        Ok(Self {
            mode,
            per_column,
            dense: bool_option(schema, "metadata.stats-dense-store", true)?,
            keep_first: usize::try_from(keep).ok(),
        })
    }

    /// The mode of the column `name` at position `index` of the table.
    #[must_use]
    pub fn mode_of(&self, name: &str, index: usize) -> StatsMode {
        if let Some(mode) = self.per_column.get(name) {
            return *mode;
        }
        match self.keep_first {
            Some(n) if index >= n => StatsMode::None,
            _ => self.mode,
        }
    }
}

impl CommitOptions {
    fn parse(schema: &TableSchema) -> Result<Self, SpecError> {
        let ignore = match schema.option("snapshot.ignore-empty-commit") {
            Some(_) => bool_option(schema, "snapshot.ignore-empty-commit", true)?,
            None => !bool_option(schema, "commit.force-create-snapshot", false)?,
        };
        Ok(Self {
            max_retries: u32::try_from(int(schema, "commit.max-retries", 10)?).unwrap_or(0),
            min_wait: duration(schema, "commit.min-retry-wait", 10)?,
            max_wait: duration(schema, "commit.max-retry-wait", 10_000)?,
            timeout: match schema.option("commit.timeout") {
                Some(_) => Some(duration(schema, "commit.timeout", 0)?),
                None => None,
            },
            user_prefix: schema.option("commit.user-prefix").map(str::to_owned),
            discard_duplicates: bool_option(schema, "commit.discard-duplicate-files", false)?,
            ignore_empty: ignore,
        })
    }
}

/// `num-levels`, by default one more than the runs that trigger a compaction.
pub(super) fn num_levels(schema: &TableSchema) -> Result<i32, SpecError> {
    let trigger = int(schema, "num-sorted-run.compaction-trigger", 5)?;
    int(schema, "num-levels", trigger.saturating_add(1))
}

/// The data file formats that the options name for a level, with their keys; the last one counts.
pub(super) fn file_formats(schema: &TableSchema, level: i32) -> Vec<(&'static str, String)> {
    let mut formats = Vec::new();
    if let Some(format) = text(schema, "file.format") {
        formats.push(("file.format", format));
    }
    // Without a key there are no levels.
    if !schema.primary_keys.is_empty()
        && let Ok(Some(format)) = per_level(schema, "file.format.per.level", level)
    {
        formats.clear();
        formats.push(("file.format.per.level", format));
    }
    formats
}

fn wrong(key: &str, reason: impl Into<String>) -> SpecError {
    SpecError::Option { key: key.to_owned(), reason: reason.into() }
}

pub(super) fn text(schema: &TableSchema, key: &str) -> Option<String> {
    schema.option(key).map(|v| v.trim().to_lowercase())
}

/// A value with the option's fallback names, checked against its declared type.
pub(super) fn value<'a>(schema: &'a TableSchema, key: &str) -> Result<Option<&'a str>, SpecError> {
    let option = known(key);
    let found = schema
        .option(key)
        .or_else(|| option.and_then(|o| o.fallback.iter().find_map(|name| schema.option(name))));
    if let (Some(option), Some(text)) = (option, found) {
        check_value(option, text).map_err(|reason| wrong(key, reason))?;
    }
    Ok(found)
}

pub(super) fn int(schema: &TableSchema, key: &str, default: i32) -> Result<i32, SpecError> {
    match value(schema, key)? {
        None => Ok(default),
        Some(v) => v.trim().parse().map_err(|_| wrong(key, format!("{v:?} is not a whole number"))),
    }
}

pub(super) fn count(schema: &TableSchema, key: &str, default: usize) -> Result<usize, SpecError> {
    match value(schema, key)? {
        None => Ok(default),
        Some(v) => v.trim().parse().map_err(|_| wrong(key, format!("{v:?} is not a count"))),
    }
}

pub(super) fn bool_option(
    schema: &TableSchema,
    key: &str,
    default: bool,
) -> Result<bool, SpecError> {
    match value(schema, key)?.map(|v| v.trim().to_lowercase()).as_deref() {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(other) => Err(wrong(key, format!("{other:?} is neither true nor false"))),
    }
}

pub(super) fn memory(schema: &TableSchema, key: &str, default: u64) -> Result<u64, SpecError> {
    match value(schema, key)? {
        None => Ok(default),
        Some(v) => parse_memory(v).map_err(|reason| wrong(key, reason)),
    }
}

/// A size that Java hands to its Parquet writer: a plain number of bytes.
fn plain_bytes(schema: &TableSchema, key: &str, default: u64) -> Result<u64, SpecError> {
    match schema.option(key) {
        None => Ok(default),
        Some(v) => {
            v.trim().parse().map_err(|_| wrong(key, format!("{v:?} is not a number of bytes")))
        }
    }
}

pub(super) fn duration(
    schema: &TableSchema,
    key: &str,
    default_millis: u64,
) -> Result<Duration, SpecError> {
    let millis = match value(schema, key)? {
        None => default_millis,
        Some(v) => parse_duration_millis(v).map_err(|reason| wrong(key, reason))?,
    };
    Ok(Duration::from_millis(millis))
}

/// The value for `level` in an option like `0:avro,5:parquet`, or in `<key>.<level>`.
pub(super) fn per_level(
    schema: &TableSchema,
    key: &str,
    level: i32,
) -> Result<Option<String>, SpecError> {
    let Some(map) = schema.option(key) else {
        return Ok(text(schema, &format!("{key}.{level}")));
    };
    for part in map.split(',').filter(|p| !p.trim().is_empty() && *p != "{}") {
        let (number, value) = part
            .split_once(':')
            .ok_or_else(|| wrong(key, format!("{part:?} is not of the form level:value")))?;
        let number: i32 =
            number.trim().parse().map_err(|_| wrong(key, format!("{number:?} is not a level")))?;
        if number == level {
            return Ok(Some(value.trim().to_lowercase()));
        }
    }
    Ok(None)
}

/// Which option decides how files of a level are compressed, and what it says.
pub(super) fn file_compression(
    schema: &TableSchema,
    level: i32,
) -> Result<(&'static str, String), SpecError> {
    // Files of a table without a key have no level, and Java looks for none.
    let leveled = per_level(schema, "file.compression.per.level", level)?;
    if let Some(leveled) = leveled.filter(|_| !schema.primary_keys.is_empty()) {
        return Ok(("file.compression.per.level", leveled));
    }
    for key in ["parquet.compression", "file.compression"] {
        if let Some(value) = text(schema, key) {
            return Ok((key, value));
        }
    }
    Ok(("file.compression", "zstd".to_owned()))
}

fn stats_mode(key: &str, text: &str) -> Result<StatsMode, SpecError> {
    match text.trim().to_lowercase().as_str() {
        "none" => Ok(StatsMode::None),
        "counts" => Ok(StatsMode::Counts),
        "full" => Ok(StatsMode::Full),
        other => other
            .strip_prefix("truncate(")
            .and_then(|n| n.strip_suffix(')'))
            .and_then(|n| n.trim().parse().ok())
            .filter(|n| *n > 0)
            .map(StatsMode::Truncate)
            .ok_or_else(|| {
                wrong(key, format!("{text:?} is none of none, counts, full, truncate(n)"))
            }),
    }
}
