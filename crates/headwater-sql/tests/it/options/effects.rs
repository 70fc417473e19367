//! What each honoured option changes, seen in files and metadata, or the test or reason beside it.

use std::path::Path;

use datafusion::parquet::file::reader::FileReader;
use datafusion::parquet::file::serialized_reader::SerializedFileReader;
use headwater::options::{Treatment, table_options, treatment};
use headwater_testkit::repository_root;

use super::probe::Kind::{Append, Keyed};
use super::probe::{Kind, Options, Probe, create, files};

/// How an option is known to act.
enum How {
    /// A table with the value differs from one without: this is seen in the one, not in the other.
    /// Nothing to see: the two differ somehow.
    Small(Kind, &'static str, &'static str),
    /// The same with many rows.
    Big(Kind, &'static str, &'static str),
    /// A test of the workspace shows it.
    Test(&'static str),
    /// Having no effect is right, for this reason.
    Reason(&'static str),
}
use How::{Big, Reason, Small, Test};

/// The option, what both tables say besides, and how it is known to act.
type Effect = (&'static str, &'static [(&'static str, &'static str)], How);

const EFFECTS: &[Effect] = &[
    (
        "aggregation.remove-record-on-delete",
        &[],
        Test("an_aggregated_row_is_removed_where_the_option_says_so"),
    ),
    (
        "fields.default-aggregate-function",
        &[],
        Test("deletes_that_could_never_be_merged_are_refused_when_written"),
    ),
    ("merge-engine", &[], Test("partial_update_keeps_the_newest_values_that_are_not_null")),
    (
        "partial-update.remove-record-on-delete",
        &[],
        Test("a_delete_removes_the_row_where_the_option_says_so"),
    ),
    (
        "partial-update.remove-record-on-sequence-group",
        &[],
        Test("a_delete_of_a_listed_group_removes_the_row"),
    ),
    ("record-level.expire-time", &[], Test("rows_end_when_their_time_is_over")),
    ("record-level.time-field", &[], Test("rows_end_when_their_time_is_over")),
    ("rowkind.field", &[], Test("the_kind_of_a_row_comes_from_its_column")),
    (
        "sequence.field",
        &[],
        Test("the_sequence_field_decides_in_both_directions_and_counts_late_rows"),
    ),
    (
        "sequence.field.sort-order",
        &[],
        Test("the_sequence_field_decides_in_both_directions_and_counts_late_rows"),
    ),
    ("add-column-before-partition", &[], Test("options_of_a_table_decide_about_its_changes")),
    (
        "alter-column-null-to-not-null.disabled",
        &[],
        Test("options_of_a_table_decide_about_its_changes"),
    ),
    ("bucket", &[], Small(Keyed, "3", "bucket-2/")),
    ("bucket-function.type", &[], Small(Keyed, "mod", "|0|5|150|")),
    ("bucket-key", &[("bucket", "2")], Small(Append, "v", "")),
    (
        "commit.discard-duplicate-files",
        &[],
        Reason(
            "every file of a writer here has a name of its own, so none is there twice; the \
             committer looks all the same",
        ),
    ),
    ("commit.force-compact", &[], Test("a_commit_waits_for_compactions_where_the_options_say_so")),
    ("commit.force-create-snapshot", &[], Small(Append, "true", "APPEND|303|0")),
    ("commit.max-retries", &[], Test("a_commit_that_may_not_try_again_names_its_rival")),
    (
        "commit.max-retry-wait",
        &[],
        Test("the_pause_before_another_try_is_as_long_as_the_options_say"),
    ),
    (
        "commit.min-retry-wait",
        &[],
        Test("the_pause_before_another_try_is_as_long_as_the_options_say"),
    ),
    ("commit.timeout", &[], Test("a_commit_that_may_not_try_again_names_its_rival")),
    ("commit.user-prefix", &[], Small(Append, "me", "user me_*")),
    ("compaction.force-rewrite-all-files", &[], Test("options_decide_what_is_compacted")),
    ("compaction.force-up-level-0", &[], Small(Keyed, "true", "")),
    ("compaction.incremental-size-threshold", &[], Small(Keyed, "1 b", "")),
    ("compaction.max-size-amplification-percent", &[], Test("options_decide_what_is_compacted")),
    ("compaction.min.file-num", &[], Test("options_decide_what_is_compacted")),
    ("compaction.offpeak-ratio", &[], Test("options_decide_what_is_compacted")),
    ("compaction.offpeak.end.hour", &[], Test("options_decide_what_is_compacted")),
    ("compaction.offpeak.start.hour", &[], Test("options_decide_what_is_compacted")),
    ("compaction.optimization-interval", &[], Small(Keyed, "1 h", "")),
    ("compaction.size-ratio", &[], Test("options_decide_what_is_compacted")),
    ("compaction.total-size-threshold", &[], Small(Keyed, "1 gb", "")),
    (
        "cross-partition-upsert.bootstrap-parallelism",
        &[],
        Reason("how many splits are read at the same time shows in nothing but the time it takes"),
    ),
    (
        "cross-partition-upsert.index-ttl",
        &[],
        Test("keys_of_old_files_are_left_out_on_demand_and_found_twice_later"),
    ),
    ("data-file.path-directory", &[], Small(Append, "inside", "inside/p=")),
    ("data-file.prefix", &[], Small(Append, "xy-", "/xy-*")),
    ("data-file.thin-mode", &[], Small(Keyed, "true", "columns \"_SEQUENCE_NUMBER\"")),
    ("deletion-vectors.modifiable", &[], Test("options_of_a_table_decide_about_its_changes")),
    ("disable-explicit-type-casting", &[], Test("options_of_a_table_decide_about_its_changes")),
    (
        "dynamic-bucket.max-buckets",
        &[("dynamic-bucket.target-row-num", "50"), ("write-only", "true")],
        Small(Keyed, "2", ""),
    ),
    ("dynamic-bucket.target-row-num", &[("bucket", "-1")], Small(Keyed, "50", "bucket-5/")),
    ("dynamic-partition-overwrite", &[], Small(Append, "false", "OVERWRITE|1|")),
    ("file.block-size", &[], Big(Append, "32 kb", "row groups 5")),
    ("file.compression", &[], Small(Append, "snappy", "SNAPPY")),
    ("file.compression.per.level", &[], Small(Keyed, "0:snappy", "SNAPPY")),
    ("file.compression.per.level.0", &[], Small(Keyed, "snappy", "SNAPPY")),
    ("file.compression.zstd-level", &[], Big(Append, "19", "")),
    ("file.format", &[], Reason("parquet, the default, is written; other formats are refused")),
    (
        "file.format.per.level",
        &[],
        Reason("every level is written in parquet; other formats are refused"),
    ),
    ("file.suffix.include.compression", &[], Small(Append, "true", ".zstd.parquet")),
    (
        "full-compaction.delta-commits",
        &[],
        Test("a_commit_waits_for_compactions_where_the_options_say_so"),
    ),
    ("ignore-delete", &[], Test("rows_of_kinds_that_a_table_ignores_are_left_out")),
    ("ignore-update-before", &[], Test("rows_of_kinds_that_a_table_ignores_are_left_out")),
    ("index-file-in-data-file-dir", &[], Small(Keyed, "true", "bucket-0/index-*")),
    ("manifest.compression", &[], Small(Append, "deflate", "codec deflate")),
    (
        "manifest.delete-file-drop-stats",
        &[("manifest.compression", "null")],
        Small(Append, "true", ""),
    ),
    ("manifest.format", &[], Reason("avro, the default, is written; other formats are refused")),
    ("manifest.full-compaction-threshold-size", &[], Small(Append, "1 b", "")),
    ("manifest.merge-min-count", &[], Small(Append, "2", "")),
    ("manifest.target-file-size", &[("manifest.merge-min-count", "2")], Small(Append, "1 b", "")),
    (
        "metadata.stats-dense-store",
        &[("fields.v.stats-mode", "none"), ("manifest.compression", "null")],
        Small(Append, "false", ""),
    ),
    ("metadata.stats-keep-first-n-columns", &[], Small(Append, "1", "")),
    ("metadata.stats-mode", &[], Small(Append, "full", "some longer value 9")),
    ("metadata.stats-mode.per.level", &[], Small(Keyed, "0:full", "some longer value 9")),
    ("fields.v.stats-mode", &[], Small(Append, "full", "some longer value 9")),
    ("num-levels", &[], Small(Keyed, "3", "|2|1|")),
    (
        "num-sorted-run.stop-trigger",
        &[],
        Test("a_commit_waits_for_compactions_where_the_options_say_so"),
    ),
    ("num-sorted-run.compaction-trigger", &[], Small(Keyed, "2", "|2|1|")),
    ("overwrite-upgrade", &[], Small(Keyed, "false", "")),
    ("parquet.block.size", &[], Big(Append, "32768", "row groups 5")),
    ("parquet.compression", &[], Small(Append, "SNAPPY", "SNAPPY")),
    ("parquet.enable.dictionary", &[], Small(Append, "false", "")),
    ("parquet.page.size", &[], Big(Append, "1024", "")),
    ("partition", &[], Test("keys_can_be_given_by_options_before_there_is_data")),
    ("partition.default-name", &[], Small(Append, "none", "p=none/")),
    ("partition.legacy-name", &[], Small(Append, "false", "p=2024-01-01/")),
    (
        "postpone.batch-write-fixed-bucket",
        &[("bucket", "-2")],
        Small(Keyed, "false", "files: 0 of 0"),
    ),
    (
        "postpone.batch-write-fixed-bucket.max-parallelism",
        &[],
        Test("a_batch_write_gives_rows_their_buckets_at_once"),
    ),
    ("postpone.default-bucket-num", &[], Test("rows_wait_until_a_compaction_gives_them_buckets")),
    ("primary-key", &[], Test("keys_can_be_given_by_options_before_there_is_data")),
    ("read.batch-size", &[], Test("batches_of_a_read_are_as_long_as_the_option_says")),
    (
        "scan.mode",
        &[],
        Reason("'full' and 'latest-full' are what a query does anyway; the others are refused"),
    ),
    ("snapshot.ignore-empty-commit", &[], Small(Append, "false", "APPEND|303|0")),
    ("source.split.open-file-cost", &[], Small(Append, "1 gb", "")),
    ("source.split.target-size", &[], Small(Append, "1 b", "")),
    ("target-file-size", &[], Big(Append, "16 kb", "")),
    ("local-merge-buffer-size", &[], Test("rows_of_few_keys_are_merged_in_memory")),
    ("spill-compression", &[], Test("rows_that_do_not_fit_into_memory_become_one_file_per_bucket")),
    (
        "spill-compression.zstd-level",
        &[],
        Reason("spilled rows take less disk with a higher level, and nobody else sees them"),
    ),
    ("write-buffer-size", &[("write-buffer-spillable", "false")], Big(Keyed, "1 kb", "")),
    (
        "write-buffer-spill.max-disk-size",
        &[],
        Test("nothing_is_spilled_where_the_options_forbid_it"),
    ),
    ("write-buffer-spillable", &[("write-buffer-size", "1 kb")], Big(Keyed, "false", "")),
    ("write.batch-size", &[("target-file-size", "16 kb")], Big(Append, "64", "")),
    ("write-only", &[("num-sorted-run.compaction-trigger", "2")], Small(Keyed, "true", "")),
    ("zorder.var-length-contribution", &[], Test("the_first_bytes_of_a_text_count_in_a_z_order")),
];

#[tokio::test]
async fn every_honoured_option_changes_something() {
    let probe = Probe::new().await;
    let honoured: Vec<&str> = table_options()
        .map(|option| option.key.as_str())
        .filter(|key| treatment(key) == Treatment::Honoured)
        .collect();
    for key in &honoured {
        assert!(EFFECTS.iter().any(|(k, ..)| k == key), "nothing shows that {key} acts");
    }
    let listed = EFFECTS.iter().filter(|(key, ..)| table_options().any(|o| o.key == *key));
    assert_eq!(listed.count(), honoured.len(), "an option of the list is not honoured");
    let tests = test_names();
    let mut faults = Vec::new();
    for (key, beside, how) in EFFECTS {
        let (kind, value, seen, big) = match how {
            Small(kind, value, seen) => (*kind, *value, *seen, false),
            Big(kind, value, seen) => (*kind, *value, *seen, true),
            Test(name) => {
                assert!(tests.iter().any(|t| t == name), "{key}: there is no test {name}");
                continue;
            }
            Reason(reason) => {
                assert!(!reason.is_empty());
                continue;
            }
        };
        let pair = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        let mut options: Options = beside.iter().map(pair).collect();
        let without = observed(&probe, kind, &options, big).await;
        options.push((key.to_string(), value.to_owned()));
        let with = observed(&probe, kind, &options, big).await;
        let fits = |text: &str| text.contains(seen);
        if without == with || !fits(&with) || (!seen.is_empty() && fits(&without)) {
            faults.push(format!("{key} = {value} ({seen:?}):\n{without}\n---- with it:\n{with}"));
        }
    }
    assert!(faults.is_empty(), "{} options change nothing:\n{}", faults.len(), faults.join("\n\n"));
}

/// Names of all test functions of the workspace.
fn test_names() -> Vec<String> {
    let crates = repository_root().join("crates");
    let sources = files(&crates).into_iter().filter(|f| f.extension().is_some_and(|e| e == "rs"));
    let mut names = Vec::new();
    for source in sources {
        let text = std::fs::read_to_string(crates.join(source)).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for pair in lines.windows(2) {
            if pair[0].starts_with("#[test]") || pair[0].starts_with("#[tokio::test") {
                let name = pair[1].trim_start_matches("async ").trim_start_matches("fn ");
                names.push(name.split('(').next().unwrap().to_owned());
            }
        }
    }
    names
}

/// Makes a table, changes it some times, and says what it looks like then.
async fn observed(probe: &Probe, kind: Kind, options: &Options, big: bool) -> String {
    let table = probe.name();
    let mut script = create(&table, kind, options);
    let values =
        "SELECT CAST(value AS INT), concat('some longer value ', CAST(value % 40 AS STRING)),
        DATE '2024-01-01' FROM generate_series";
    if big {
        script.push_str(&format!(
            ";INSERT INTO {table} SELECT CAST(value AS INT),
                concat('v', CAST(value * 7919 AS STRING)), DATE '2024-01-01' FROM generate_series(0, 40000)"
        ));
    } else {
        script.push_str(&format!(";INSERT INTO {table} {values}(0, 299)"));
        let missing = if kind == Append { ", (3, 'z', NULL)" } else { "" };
        script.push_str(&format!(
            ";INSERT INTO {table} VALUES (1, 'x', DATE '2024-01-02'){missing};
             INSERT INTO {table} VALUES (4, 'y', DATE '2024-01-02');
             INSERT OVERWRITE {table} SELECT 5, 'o', DATE '2024-01-01';
             INSERT OVERWRITE {table} SELECT 6, 'o', DATE '2024-01-02';
             INSERT OVERWRITE {table} PARTITION (p = '2024-01-01') {values_only};
             INSERT INTO {table} VALUES (7, 'w', DATE '2024-01-01');
             INSERT INTO {table} SELECT k, v, p FROM {table} WHERE k < 0",
            values_only = "SELECT CAST(value AS INT), \
                           concat('some longer value ', CAST(value % 40 AS STRING)) \
                           FROM generate_series(0, 299)",
        ));
    }
    if let Err(error) = probe.run(&script).await {
        return format!("{error}");
    }
    let dir = probe.dir(&table);
    let mut lines: Vec<String> =
        files(&dir).iter().filter_map(|file| describe(&dir, file)).collect();
    lines.sort();
    for query in [
        format!(
            "SELECT partition, bucket, level, record_count, null_value_counts, min_value_stats,
                 max_value_stats FROM {table}$files ORDER BY 1, 2, 3, 4"
        ),
        format!(
            "SELECT commit_kind, total_record_count, delta_record_count FROM {table}$snapshots"
        ),
        format!("SELECT num_added_files, num_deleted_files FROM {table}$manifests ORDER BY 1, 2"),
        format!("EXPLAIN SELECT k FROM {table}"),
    ] {
        let found = probe.run(&query).await.unwrap().0;
        lines.extend(found.into_iter().map(|line| line.replace(&table, "t")));
    }
    let users = probe.run(&format!("SELECT DISTINCT commit_user FROM {table}$snapshots")).await;
    let mut users: Vec<String> =
        users.unwrap().0.iter().map(|user| format!("user {}", plain(user))).collect();
    users.sort();
    users.dedup();
    lines.extend(users);
    lines.join("\n")
}

/// The text with `*` for what is random in names.
fn plain(text: &str) -> String {
    let is_uuid = |part: &str| {
        part.len() == 36
            && part.char_indices().all(|(at, c)| match at {
                8 | 13 | 18 | 23 => c == '-',
                _ => c.is_ascii_hexdigit(),
            })
    };
    let mut out = String::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match text.get(at..at + 36) {
            Some(part) if is_uuid(part) => {
                out.push('*');
                at += 36;
            }
            _ => {
                out.push(c);
                at += c.len_utf8();
            }
        }
    }
    out
}

/// A line about a file of the table.
fn describe(dir: &Path, file: &Path) -> Option<String> {
    let path = dir.join(file);
    let name = plain(file.to_str().unwrap());
    let bytes = std::fs::read(&path).unwrap();
    if name.starts_with("manifest/") {
        let at = bytes.windows(10).position(|w| w == b"avro.codec").unwrap();
        let length = usize::from(bytes[at + 10]) / 2;
        let codec = String::from_utf8_lossy(&bytes[at + 11..at + 11 + length]);
        // Compressed sizes depend on the random names inside.
        let size = if codec == "null" { bytes.len() } else { 0 };
        let kind = name.split('*').next().unwrap();
        return Some(format!("{kind} codec {codec} {size}"));
    }
    if !name.ends_with(".parquet") {
        return name.contains("index-*").then(|| format!("{name}: {} bytes", bytes.len()));
    }
    let footer = SerializedFileReader::new(bytes::Bytes::from(bytes.clone())).unwrap();
    let meta = footer.metadata();
    let groups = meta.row_groups();
    let columns: Vec<String> =
        groups[0].columns().iter().map(|column| format!("{}", column.column_path())).collect();
    let first = groups[0].column(groups[0].num_columns() - 1);
    Some(format!(
        "{name}: {} bytes, row groups {}, columns {}, {} {:?}",
        bytes.len(),
        groups.len(),
        columns.join(" "),
        first.compression(),
        first.encodings().collect::<Vec<_>>(),
    ))
}
