//! Compaction through whole tables: by writers and as a job, in turn with stock Java.

use std::sync::Arc;
use std::time::Duration;

use headwater::io::file_io::memory::MemoryFileIo;
use headwater::io::{FileIo, FixedClock};
use headwater::{
    Catalog, CatalogOptions, CompactionOutcome, DataType, Datum, Env, ErrorKind, FileSystemCatalog,
    Identifier, NewTable, SchemaChange, Table,
};
use headwater_testkit::{Oracle, TempDir, amount, require_java};
use serde_json::{Value, json};

use crate::rows::{batch, create_with, definition, env, lines, open_unsynced, run};

/// A kind of table, what it is made with, and how its rows are made.
struct Kind {
    name: &'static str,
    key: &'static [&'static str],
    partition: &'static [&'static str],
    options: &'static [(&'static str, &'static str)],
    /// Rows of a commit may be deletes.
    deletes: bool,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "deduplicate",
        key: &["k"],
        partition: &[],
        options: &[("bucket", "2")],
        deletes: true,
    },
    Kind {
        name: "partitioned",
        key: &["p", "k"],
        partition: &["p"],
        options: &[("bucket", "2"), ("num-sorted-run.compaction-trigger", "3")],
        deletes: true,
    },
    Kind {
        name: "dynamic buckets",
        key: &["p", "k"],
        partition: &["p"],
        options: &[("bucket", "-1"), ("dynamic-bucket.target-row-num", "15")],
        deletes: true,
    },
    Kind {
        name: "sequence field",
        key: &["k"],
        partition: &[],
        options: &[("bucket", "1"), ("sequence.field", "a")],
        // Once a compaction has left a retraction out, an older row that comes later counts.
        deletes: false,
    },
    Kind {
        name: "aggregation",
        key: &["k"],
        partition: &[],
        options: &[
            ("bucket", "1"),
            ("merge-engine", "aggregation"),
            ("fields.a.aggregate-function", "sum"),
            ("fields.b.aggregate-function", "max"),
        ],
        deletes: false,
    },
    Kind {
        name: "partial update",
        key: &["k"],
        partition: &[],
        options: &[
            ("bucket", "1"),
            ("merge-engine", "partial-update"),
            ("fields.a.sequence-group", "b"),
        ],
        deletes: false,
    },
    Kind {
        name: "first row",
        key: &["k"],
        partition: &[],
        options: &[("bucket", "1"), ("merge-engine", "first-row")],
        deletes: false,
    },
    Kind { name: "append", key: &[], partition: &[], options: &[("bucket", "-1")], deletes: false },
    Kind {
        name: "append, buckets",
        key: &[],
        partition: &["p"],
        options: &[("bucket", "2"), ("bucket-key", "k")],
        deletes: false,
    },
];

impl Kind {
    fn definition(&self, more: &[(&str, &str)]) -> NewTable {
        let options: serde_json::Map<String, Value> = self
            .options
            .iter()
            .chain(more)
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        definition(&json!({
            "fields": [
                {"name": "p", "type": "INT NOT NULL"},
                {"name": "k", "type": "INT NOT NULL"},
                {"name": "a", "type": "BIGINT"},
                {"name": "b", "type": "STRING"},
            ],
            "pk": self.key,
            "partition": self.partition,
            "options": options,
        }))
    }

    /// The rows of a commit: some new, some known, some deleted.
    fn rows(&self, commit: i32) -> Vec<Value> {
        let row = |i: i32| {
            let k = (i * 7 + commit * 13) % 60;
            let row = json!({
                "p": k % 2, "k": k, "a": (commit * 5 + i) % 17, "b": format!("{commit}-{i}"),
            });
            let kind = if self.deletes && i % 5 == 4 { "-D" } else { "+I" };
            json!({ "kind": kind, "row": row })
        };
        (0..25).map(row).collect()
    }
}

const UNSYNCED: CatalogOptions = CatalogOptions { create: true, sync: headwater::SyncMode::Off };

fn make(dir: &TempDir, kind: &Kind, more: &[(&str, &str)]) -> Table {
    run(create_with(dir.path(), "t", &kind.definition(more), UNSYNCED)).unwrap()
}

fn write(table: &Table, id: i64, rows: &[Value]) {
    let (batch, kinds) = batch(table, rows);
    run(async {
        let mut write = table.new_write().commit_user("we").build().unwrap();
        write.write_kinds(&batch, Some(&kinds)).await.unwrap();
        let outcome = write.commit_waiting(id).await.unwrap();
        assert_eq!(outcome.compaction.failed, None);
        assert_eq!(outcome.compaction.dropped, Vec::<String>::new());
    });
}

fn compact(table: &Table, full: bool) -> CompactionOutcome {
    run(table.new_compaction().full(full).run()).unwrap()
}

fn read(table: &Table) -> Vec<String> {
    run(lines(table)).unwrap()
}

fn files(table: &Table) -> i64 {
    run(table.partitions()).unwrap().iter().map(|p| p.file_count).sum()
}

/// Both engines read what is in the table, and Java finds nothing wrong with it.
fn agree(oracle: &'static Oracle, table: &Table, wanted: &[String], place: &str) {
    let dir = std::path::PathBuf::from(table.store().io().root());
    assert_eq!(read(table), wanted, "{place}: read by us");
    assert_eq!(oracle.read(&dir), wanted, "{place}: read by Java");
    assert_eq!(oracle.check(&dir), Vec::<String>::new(), "{place}");
}

#[test]
fn both_engines_compact_each_others_files_in_turn() {
    let Some(oracle) = require_java("both_engines_compact_each_others_files_in_turn") else {
        return;
    };
    for kind in KINDS {
        let (twin_dir, dir) = (TempDir::new(), TempDir::new());
        // The same changes, and nothing compacted: what has to be read.
        let twin = make(&twin_dir, kind, &[("write-only", "true")]);
        let first_row = kind.name == "first row";
        make(&dir, kind, &[]);
        let path = dir.join("golden.db/t");
        for turn in 0..12_i32 {
            let place = format!("{}, turn {turn}", kind.name);
            let rows = kind.rows(turn);
            write(&twin, i64::from(turn), &rows);
            if first_row {
                compact(&twin, true);
            }
            let table = open_unsynced(&path);
            match turn % 4 {
                0 | 1 => write(&table, i64::from(turn), &rows),
                2 => drop(oracle.commit(&path, &rows)),
                _ => {
                    write(&table, i64::from(turn), &rows);
                    compact(&table, turn % 8 == 3);
                }
            }
            if turn % 5 == 4 {
                oracle.compact(&path, turn % 10 == 9);
            }
            if turn % 2 == 0 {
                continue;
            }
            agree(oracle, &table, &read(&twin), &place);
        }
        let table = open_unsynced(&path);
        compact(&table, true);
        agree(oracle, &table, &read(&twin), kind.name);
        assert_eq!(compact(&table, true), CompactionOutcome::default(), "{}: again", kind.name);
    }
}

#[test]
fn writers_keep_the_number_of_runs_small() {
    for kind in KINDS {
        let dir = TempDir::new();
        let table = make(&dir, kind, &[]);
        let mut most = 0;
        for turn in 0..40 {
            write(&table, turn, &kind.rows(i32::try_from(turn).unwrap()));
            most = most.max(files(&table));
        }
        let buckets = if kind.partition.is_empty() { 1 } else { 2 };
        let count = if table.has_dynamic_buckets() { 2 } else { table.options().bucket.max(1) };
        let limit = 10 * buckets * i64::from(count);
        assert!(most <= limit, "{}: {most} files", kind.name);
        let snapshots = run(table.snapshot()).unwrap().unwrap().id;
        assert!(snapshots > 40, "{}: something was compacted", kind.name);
    }
}

#[test]
fn only_the_wanted_partitions_are_compacted() {
    let dir = TempDir::new();
    let kind = &KINDS[1];
    let table = make(&dir, kind, &[("write-only", "true")]);
    for turn in 0..4 {
        write(&table, i64::from(turn), &kind.rows(turn));
    }
    let count =
        || -> Vec<i64> { run(table.partitions()).unwrap().iter().map(|p| p.file_count).collect() };
    assert_eq!(count(), [8, 8]);
    let one = vec![vec![("p".to_owned(), Some(Datum::Int(1)))]];
    let outcome = run(table.new_compaction().full(true).partitions(one).run()).unwrap();
    assert_eq!((outcome.buckets, outcome.files_before, outcome.files_after), (2, 8, 2));
    assert_eq!(count(), [8, 2]);
    let none = vec![vec![("k".to_owned(), Some(Datum::Int(1)))]];
    let error = run(table.new_compaction().partitions(none).run()).unwrap_err().to_string();
    assert!(error.contains("'k' is not a partition column, which are: p"), "{error}");
    let idle = Duration::from_secs(3600);
    let outcome = run(table.new_compaction().full(true).idle_for(idle).run()).unwrap();
    assert_eq!(outcome, CompactionOutcome::default());
}

/// An hour of commits through one writer, or the first minutes of it.
#[test]
fn a_commit_a_second_leaves_few_files_and_manifests() {
    for kind in KINDS.iter().filter(|kind| ["deduplicate", "append"].contains(&kind.name)) {
        let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
        let clock = Arc::new(FixedClock::new(1_700_000_000_000));
        let env = Env { clock: Arc::clone(&clock) as _, ..env() };
        let (mut most_files, mut most_manifests) = (0, 0);
        run(async {
            let catalog = FileSystemCatalog::new(io, env);
            catalog.create_database("db", true).await.unwrap();
            let id = Identifier::new("db", "t");
            catalog.create_table(&id, &kind.definition(&[]), false).await.unwrap();
            let table = headwater::open_table(&catalog, &id).await.unwrap();
            let mut write = table.new_write().commit_user("we").build().unwrap();
            for second in 1..=amount(300, 3600) {
                clock.advance(Duration::from_secs(1));
                let rows = kind.rows(i32::try_from(second).unwrap());
                let (batch, kinds) = batch(&table, &rows);
                write.write_kinds(&batch, Some(&kinds)).await.unwrap();
                let outcome = write.commit(i64::try_from(second).unwrap()).await.unwrap();
                assert_eq!(outcome.compaction.failed, None);
                if second % 20 == 0 {
                    let plan = table.new_read().plan().await.unwrap();
                    most_files = most_files.max(plan.files);
                    most_manifests = most_manifests.max(plan.manifests.manifests);
                }
            }
        });
        println!("{}: at most {most_files} files, {most_manifests} manifests", kind.name);
        let buckets = usize::try_from(kind.options[0].1.parse::<i32>().unwrap()).unwrap_or(1);
        // Runs: the stop trigger, one more that waits, and the one that came meanwhile.
        let files = if kind.key.is_empty() { 40 } else { 10 * buckets };
        assert!(most_files <= files, "{}: {most_files} files", kind.name);
        assert!(most_manifests <= 40, "{}: {most_manifests} manifests", kind.name);
    }
}

/// Levels of the files of a table whose writer compacts, after so many commits.
fn levels_after(options: &[(&str, &str)], commits: i32) -> Vec<i32> {
    let dir = TempDir::new();
    let table = make(&dir, &KINDS[3], options);
    for turn in 0..commits {
        write(&table, i64::from(turn), &KINDS[3].rows(turn));
    }
    levels(&table)
}

fn levels(table: &Table) -> Vec<i32> {
    let plan = run(table.new_read().plan()).unwrap();
    let mut found: Vec<i32> =
        plan.splits.iter().flat_map(headwater::Split::files).map(|f| f.level).collect();
    found.sort_unstable();
    found
}

#[test]
fn options_decide_what_is_compacted() {
    assert_eq!(levels_after(&[], 4), [0, 0, 0, 0]);
    assert_eq!(levels_after(&[], 5), [5]);
    // Not everything: the oldest run is large enough for the others.
    let high = ("compaction.max-size-amplification-percent", "100000");
    assert_eq!(levels_after(&[high], 5), [5]);
    assert_eq!(levels_after(&[high, ("compaction.size-ratio", "0")], 4), [0; 4]);
    let always = [("compaction.optimization-interval", "1 ms")];
    assert_eq!(levels_after(&always, 2), [5]);
    assert_eq!(levels_after(&[("num-sorted-run.compaction-trigger", "2")], 2), [2]);
    assert_eq!(levels_after(&[("compaction.force-up-level-0", "true")], 1), [5]);
    // Hours of which one is always now.
    for hours in [("0", "12"), ("12", "0")] {
        let options = [
            ("num-sorted-run.compaction-trigger", "3"),
            ("compaction.offpeak.start.hour", hours.0),
            ("compaction.offpeak.end.hour", hours.1),
            ("compaction.offpeak-ratio", "100"),
        ];
        assert_eq!(levels_after(&options, 3), [3]);
    }
    // Small files of tables without a key.
    for (least, left) in [("3", 1), ("10", 4)] {
        let dir = TempDir::new();
        let kind = KINDS.iter().find(|kind| kind.name == "append").unwrap();
        let table = make(&dir, kind, &[("compaction.min.file-num", least)]);
        for turn in 0..if left == 1 { 3 } else { 4 } {
            write(&table, i64::from(turn), &kind.rows(turn));
        }
        assert_eq!(files(&table), left, "compaction.min.file-num = {least}");
    }
    // What is in its place already is written anew only if that is wanted.
    let dir = TempDir::new();
    let table = make(&dir, &KINDS[3], &[("compaction.force-rewrite-all-files", "true")]);
    write(&table, 1, &KINDS[3].rows(1));
    compact(&table, true);
    assert_eq!(levels(&table), [5]);
    assert_eq!(compact(&table, true).files_after, 1);
}

#[test]
fn a_commit_waits_for_compactions_where_the_options_say_so() {
    let after = |options: &[(&str, &str)], commits: i64| {
        let dir = TempDir::new();
        let table = make(&dir, &KINDS[3], options);
        run(async {
            let mut write = table.new_write().commit_user("we").build().unwrap();
            for id in 1..=commits {
                let (batch, _) = batch(&table, &KINDS[3].rows(i32::try_from(id).unwrap()));
                write.write(&batch).await.unwrap();
                let outcome = write.commit(id).await.unwrap();
                assert_eq!(outcome.compaction.failed, None);
            }
        });
        levels(&table)
    };
    assert_eq!(after(&[("commit.force-compact", "true")], 5), [5]);
    assert_eq!(after(&[("full-compaction.delta-commits", "2")], 2), [5]);
    assert_eq!(after(&[("full-compaction.delta-commits", "2")], 3), [0, 5]);
    // A bucket never has many more runs than the option allows.
    let options =
        [("num-sorted-run.compaction-trigger", "2"), ("num-sorted-run.stop-trigger", "2")];
    assert!(after(&options, 20).len() <= 4);
}

#[test]
fn a_table_that_was_opened_before_a_change_of_its_schema_is_not_compacted_by_the_old_one() {
    for kind in [&KINDS[0], KINDS.iter().find(|kind| kind.name == "append").unwrap()] {
        let dir = TempDir::new();
        let old = make(&dir, kind, &[("compaction.min.file-num", "2")]);
        let path = dir.join("golden.db/t");
        run(async {
            let catalog = headwater::open_catalog(dir.path().to_str().unwrap(), false, env());
            let catalog = catalog.await.unwrap();
            let add = SchemaChange::AddColumn {
                path: vec!["c".to_owned()],
                data_type: DataType::parse("INT").unwrap(),
                comment: None,
                position: None,
            };
            headwater::alter_table(&catalog, &Identifier::new("golden", "t"), &[add])
                .await
                .unwrap();
        });
        let new = open_unsynced(&path);
        let mut rows = kind.rows(1);
        for row in &mut rows {
            row["row"]["c"] = json!(7);
        }
        write(&new, 1, &rows);
        // The new column would be gone.
        let (batch, _) = batch(&old, &kind.rows(2)[..1]);
        let outcome = run(async {
            let mut write = old.new_write().build().unwrap();
            write.write(&batch).await.unwrap();
            write.commit_waiting(2).await.unwrap()
        });
        assert_eq!(outcome.compaction.snapshot_id, None, "{}", kind.name);
        assert!(outcome.compaction.dropped[0].contains("newer schema"), "{outcome:?}");
        let error = run(old.new_compaction().full(true).run()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert!(error.to_string().contains("open the table again"), "{error}");
        let wanted = read(&new);
        assert!(wanted.iter().any(|line| line.contains("\"c\":7")), "{wanted:?}");
        compact(&new, true);
        assert_eq!(read(&new), wanted, "{}", kind.name);
    }
}
