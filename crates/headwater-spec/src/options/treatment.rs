//! What this version does with each option of Paimon, and what is missing where it does nothing.

use super::known::known;

/// What this version does with a table option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Treatment {
    /// It acts, or what it asks for always holds here.
    Honoured,
    /// Other values than its default are refused when a table is read or written.
    Refused,
    /// It selects other rows than the newest snapshot's: refused when it is stored in a table.
    SelectsOtherRows,
    /// It has no effect; a table that sets it gets a warning with this reason.
    Kept(&'static str),
}

/// Options that act here, or that ask for what always holds in this version.
const HONOURED: &[&str] = &[
    "add-column-before-partition",
    "aggregation.remove-record-on-delete",
    "alter-column-null-to-not-null.disabled",
    "bucket",
    "bucket-function.type",
    "bucket-key",
    "commit.discard-duplicate-files",
    "commit.force-compact",
    "commit.force-create-snapshot",
    "commit.max-retries",
    "commit.max-retry-wait",
    "commit.min-retry-wait",
    "commit.timeout",
    "commit.user-prefix",
    "compaction.force-rewrite-all-files",
    "compaction.force-up-level-0",
    "compaction.incremental-size-threshold",
    "compaction.max-size-amplification-percent",
    "compaction.min.file-num",
    "compaction.offpeak-ratio",
    "compaction.offpeak.end.hour",
    "compaction.offpeak.start.hour",
    "compaction.optimization-interval",
    "compaction.size-ratio",
    "compaction.total-size-threshold",
    "cross-partition-upsert.bootstrap-parallelism",
    "cross-partition-upsert.index-ttl",
    "data-file.path-directory",
    "data-file.prefix",
    "data-file.thin-mode",
    "deletion-vectors.modifiable",
    "disable-explicit-type-casting",
    "dynamic-bucket.max-buckets",
    "dynamic-bucket.target-row-num",
    "dynamic-partition-overwrite",
    "fields.default-aggregate-function",
    "file.block-size",
    "file.compression",
    "file.compression.per.level",
    "file.compression.zstd-level",
    "file.format",
    "file.format.per.level",
    "file.suffix.include.compression",
    "full-compaction.delta-commits",
    "ignore-delete",
    "ignore-update-before",
    "index-file-in-data-file-dir",
    "local-merge-buffer-size",
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
    "num-sorted-run.stop-trigger",
    "overwrite-upgrade",
    "parquet.enable.dictionary",
    "partial-update.remove-record-on-delete",
    "partial-update.remove-record-on-sequence-group",
    "partition",
    "partition.default-name",
    "partition.legacy-name",
    "postpone.batch-write-fixed-bucket",
    "postpone.batch-write-fixed-bucket.max-parallelism",
    "postpone.default-bucket-num",
    "primary-key",
    "read.batch-size",
    "record-level.expire-time",
    "record-level.time-field",
    "rowkind.field",
    "scan.mode",
    "sequence.field",
    "sequence.field.sort-order",
    "snapshot.ignore-empty-commit",
    "source.split.open-file-cost",
    "source.split.target-size",
    "spill-compression",
    "spill-compression.zstd-level",
    "target-file-size",
    "write-buffer-size",
    "write-buffer-spill.max-disk-size",
    "write-buffer-spillable",
    "write-only",
    "write.batch-size",
    "zorder.var-length-contribution",
];

/// Options whose other values than the default make a read or a write wrong here: refused.
const REFUSED: &[&str] = &[
    "branch",
    "chain-table.enabled",
    "commit.callbacks",
    "commit.strict-mode.last-safe-snapshot",
    "data-evolution.enabled",
    "data-file.external-paths",
    "deletion-vectors.enabled",
    "lookup.remote-file.enabled",
    "path",
    "pk-clustering-override",
    "query-auth.enabled",
    "row-tracking.enabled",
    "tag.callbacks",
    "type",
];

/// Options that mean something only for rows with a primary key.
const NEEDS_KEY: &[&str] = &[
    "aggregation.remove-record-on-delete",
    "cross-partition-upsert.bootstrap-parallelism",
    "cross-partition-upsert.index-ttl",
    "data-file.thin-mode",
    "dynamic-bucket.assigner-parallelism",
    "dynamic-bucket.initial-buckets",
    "dynamic-bucket.max-buckets",
    "dynamic-bucket.target-row-num",
    "fields.default-aggregate-function",
    "file.compression.per.level",
    "file.format.per.level",
    "force-lookup",
    "index-file-in-data-file-dir",
    "merge-engine",
    "metadata.stats-mode.per.level",
    "num-levels",
    "num-sorted-run.compaction-trigger",
    "num-sorted-run.stop-trigger",
    "overwrite-upgrade",
    "partial-update.remove-record-on-delete",
    "partial-update.remove-record-on-sequence-group",
    "pk-clustering-override",
    "postpone.batch-write-fixed-bucket",
    "postpone.batch-write-fixed-bucket.max-parallelism",
    "postpone.default-bucket-num",
    "record-level.expire-time",
    "record-level.time-field",
    "sequence.field",
    "sequence.field.sort-order",
];

/// Options that choose another set of rows than the newest snapshot of the table.
pub(super) const OTHER_ROWS: &[&str] = &[
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

/// What is missing for an option, by the start of its key; the longest start counts.
const MISSING: &[(&str, &str)] = &[
    ("async-file-write", INSIDE_JAVA),
    ("auto-create", "a table is made by CREATE TABLE only"),
    ("batch-scan-mode", INSIDE_JAVA),
    ("blob", "BLOB columns are not written to files of their own"),
    ("bucket-append-ordered", "rows of a bucket are always kept in order"),
    ("cache-page-size", INSIDE_JAVA),
    ("chain-table.", "there are no chain tables"),
    ("changelog-file.", "no changelog files are written"),
    ("changelog-producer", "no changelog files are written"),
    ("changelog.", "changelogs are not expired"),
    ("clustering.", SORTS_NOT),
    ("commit.callback.", "there are no callbacks of commits"),
    ("compaction.delete-ratio-threshold", "no deletion vectors are written"),
    ("compaction.file-num-limit", INSIDE_JAVA),
    ("consumer", STREAMS_NOT),
    ("continuous.", STREAMS_NOT),
    ("data-file.external-paths", "data files lie in the table's directory only"),
    ("delete.force-produce-changelog", "no changelog files are written"),
    ("deletion-vector.", "no deletion vectors are written"),
    ("deletion-vectors.", "no deletion vectors are written"),
    ("dynamic-bucket.", "one assigner gives all rows of a write their buckets"),
    ("end-input.", "partitions are not expired"),
    ("file-index.", "file indexes are neither written nor used"),
    ("file-operation.thread-num", INSIDE_JAVA),
    ("file-reader-async-threshold", INSIDE_JAVA),
    ("force-lookup", LOOKS_NOT),
    ("format-table.", "there are no format tables"),
    ("global-index.", "there are no global indexes"),
    ("incremental-between-", "changes between snapshots are not read"),
    ("key-value.", "sequence numbers are not shown as a column"),
    ("local-sort.", INSIDE_JAVA),
    ("lookup", "there are no lookups of keys"),
    ("lookup-compact", LOOKS_NOT),
    ("lookup-wait", LOOKS_NOT),
    ("materialized-table.", "there are no materialized tables"),
    ("metastore.", "the catalog is a directory, without a metastore"),
    ("page-size", INSIDE_JAVA),
    ("partition.end-input-to-done", MARKS_NOT),
    ("partition.expiration-", "partitions are not expired"),
    ("partition.idle-time-to-report-statistic", "no statistics are reported to a metastore"),
    ("partition.mark-done-action", MARKS_NOT),
    ("partition.sink-strategy", "rows are distributed by this version's own rules"),
    ("partition.timestamp-", "partitions are neither expired nor marked as done"),
    ("scan.bounded.watermark", STREAMS_NOT),
    ("scan.ignore-", "a lost or corrupt file always fails the read"),
    ("scan.manifest.parallelism", INSIDE_JAVA),
    ("scan.max-splits-per-task", INSIDE_JAVA),
    ("scan.plan-sort-partition", "splits are read in the order of the plan"),
    ("sink.", STREAMS_NOT),
    ("snapshot.", "snapshots are not expired"),
    ("snapshot.watermark-idle-timeout", STREAMS_NOT),
    ("sort-compaction.", SORTS_EXACTLY),
    ("sort-engine", INSIDE_JAVA),
    ("sort-spill-", INSIDE_JAVA),
    ("stream", STREAMS_NOT),
    ("table-read.", "sequence numbers are not shown as a column"),
    ("tag.", "tags are not made by commits"),
    ("upsert-key", "rows of tables without a primary key are only added"),
    ("variant", "VARIANT columns are not shredded"),
    ("vector", "vectors are not written to files of their own"),
    ("visibility-callback.", "there are no callbacks of commits"),
    ("write-buffer-for-append", INSIDE_JAVA),
    ("write-max-writers-to-spill", "rows are spilled when there is no memory for them"),
    ("write.batch-memory", INSIDE_JAVA),
];

const LOOKS_NOT: &str = "compactions look no keys up";
const SORTS_NOT: &str = "only sys.compact with 'order_by' sorts rows, by the columns that it names";
const SORTS_EXACTLY: &str =
    "sys.compact sorts the rows themselves, without samples and ranges of them";
const UNEXPLAINED: &str = "this version has nothing that it is about";
const STREAMS_NOT: &str = "there are no streaming reads and writes";
const MARKS_NOT: &str = "partitions are not marked as done";
const INSIDE_JAVA: &str =
    "it tunes threads, caches or spill files of the Java engine, and no row depends on it";

/// What is missing for an option that has no effect.
pub(super) fn missing(key: &str) -> &'static str {
    let starts = MISSING.iter().filter(|(start, _)| key.starts_with(start));
    starts.max_by_key(|(start, _)| start.len()).map_or(UNEXPLAINED, |(_, reason)| reason)
}

/// What this version does with the option of this key or older name. Single values may be refused
/// all the same: [`super::inspect`] tells.
#[must_use]
pub fn treatment(key: &str) -> Treatment {
    let key = known(key).map_or(key, |option| option.key.as_str());
    if OTHER_ROWS.contains(&key) {
        Treatment::SelectsOtherRows
    } else if HONOURED.contains(&key) {
        Treatment::Honoured
    } else if REFUSED.contains(&key) {
        Treatment::Refused
    } else {
        Treatment::Kept(missing(key))
    }
}

/// Whether the option means nothing for a table without a primary key.
pub(super) fn needs_key(key: &str) -> bool {
    NEEDS_KEY.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::{HONOURED, MISSING, NEEDS_KEY, OTHER_ROWS, REFUSED, Treatment, treatment};
    use crate::options::table_options;

    #[test]
    fn every_option_is_in_exactly_one_class() {
        for list in [HONOURED, REFUSED, OTHER_ROWS, NEEDS_KEY] {
            assert!(list.is_sorted(), "{list:?}");
            for key in list {
                assert!(table_options().any(|o| o.key == *key), "there is no option {key}");
            }
        }
        assert!(MISSING.iter().map(|(start, _)| start).is_sorted());
        for option in table_options() {
            let key = option.key.as_str();
            let classes = [HONOURED, REFUSED, OTHER_ROWS];
            let classes = classes.iter().filter(|list| list.contains(&key)).count();
            assert!(classes <= 1, "{key} is in two classes");
            if let Treatment::Kept(_) = treatment(key) {
                let explained = MISSING.iter().any(|(start, _)| key.starts_with(start));
                assert!(explained, "nothing says what is missing for {key}");
            }
        }
        for (start, _) in MISSING {
            let used = table_options().any(|o| o.key.starts_with(start));
            assert!(used, "no option starts with {start}");
        }
    }

    #[test]
    fn older_names_are_treated_as_the_newer_ones() {
        assert_eq!(treatment("write.compaction-skip"), Treatment::Honoured);
        assert_eq!(treatment("log.scan.timestamp-millis"), Treatment::SelectsOtherRows);
        assert_eq!(treatment("sink.clustering.by-columns"), treatment("clustering.columns"));
    }
}
