//! Postponed buckets: rows wait in files of their own, a compaction gives them buckets, Java's does too.

use headwater::{CatalogOptions, Datum, Error, NewTable, Overwrite, Table};
use headwater_testkit::{TempDir, require_java};
use serde_json::{Value, json};

use crate::model::Model;
use crate::rows::{batch, create_with, definition, open_unsynced, run};
use crate::small::{files_below, partition_types};

const UNSYNCED: CatalogOptions = CatalogOptions { create: true, sync: headwater::SyncMode::Off };

fn table(more: &[(&str, &str)]) -> NewTable {
    let mut options: serde_json::Map<String, Value> =
        more.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    options.entry("bucket").or_insert_with(|| json!("-2"));
    definition(&json!({
        "fields": [
            {"name": "p", "type": "STRING NOT NULL"},
            {"name": "k", "type": "INT NOT NULL"},
            {"name": "v", "type": "BIGINT"},
            {"name": "d", "type": "DECIMAL(12, 2)"},
            {"name": "t", "type": "TIMESTAMP(6)"},
            {"name": "a", "type": "ARRAY<STRING>"},
            {"name": "m", "type": "MAP<STRING, INT>"},
            {"name": "r", "type": "ROW<x INT, y MAP<INT, BOOLEAN>>"},
        ],
        "pk": ["p", "k"],
        "partition": ["p"],
        "options": options,
    }))
}

const WAITING: (&str, &str) = ("postpone.batch-write-fixed-bucket", "false");

fn make(dir: &TempDir, more: &[(&str, &str)]) -> Table {
    run(create_with(dir.path(), "t", &table(more), UNSYNCED)).unwrap();
    open_unsynced(&dir.join("golden.db/t"))
}

fn change(kind: &str, partition: &str, key: i64, value: i64) -> Value {
    let nested = if key % 3 == 0 { Value::Null } else { json!({"x": key, "y": [[key, true]]}) };
    json!({ "kind": kind, "row": {
        "p": partition, "k": key, "v": value, "d": format!("{value}.25"),
        "t": "2024-01-31T12:00:00.123456000", "a": [format!("a{key}"), null], "m": [["one", 1]],
        "r": nested,
    } })
}

fn rows(partition: &str, keys: std::ops::Range<i64>, value: i64) -> Vec<Value> {
    keys.map(|key| change("+I", partition, key, value)).collect()
}

fn write(table: &Table, user: &str, rows: &[Value]) -> headwater::CommitOutcome {
    let (batch, kinds) = batch(table, rows);
    run(async {
        let mut write = table.new_write().commit_user(user).build()?;
        write.write_kinds(&batch, Some(&kinds)).await?;
        write.commit_batch().await
    })
    .unwrap()
}

fn compact(table: &Table) -> headwater::CompactionOutcome {
    run(table.new_compaction().run()).unwrap()
}

fn lines(table: &Table) -> Vec<String> {
    run(crate::rows::lines(table)).unwrap()
}

fn files(table: &Table) -> Vec<String> {
    let found = run(files_below(table.store().io().as_ref(), ""));
    found.into_iter().map(|(name, _)| name).collect()
}

/// Commits with retractions, in two partitions; all of them in order.
fn history() -> Vec<Vec<Value>> {
    let mut first = rows("a", 0..50, 1);
    first.extend(rows("b", 0..20, 1));
    let mut second = rows("a", 10..30, 2);
    second.push(change("-D", "a", 5, 0));
    // Within one commit the last change of a key counts.
    second.push(change("+I", "a", 6, 7));
    second.push(change("-D", "a", 6, 7));
    second.push(change("+I", "a", 7, 8));
    let mut third = rows("b", 15..40, 3);
    third.push(change("-U", "a", 8, 1));
    third.push(change("+U", "a", 8, 9));
    vec![first, second, third]
}

fn in_order(index: usize) -> String {
    format!("writer {index}")
}

/// The number of live files that wait, and the bucket counts of the others.
fn live(table: &Table) -> (usize, Vec<i32>) {
    run(async {
        let Some(snapshot) = table.snapshot().await? else { return Ok((0, Vec::new())) };
        let types = partition_types(table);
        let filter = headwater::plan::EntryFilter::default();
        let (live, _) = table.store().live_entries(&snapshot, &types, &filter).await?;
        let waiting = live.iter().filter(|entry| entry.bucket < 0).count();
        let mut counts: Vec<_> =
            live.iter().filter(|e| e.bucket >= 0).map(|e| e.total_buckets).collect();
        counts.sort_unstable();
        counts.dedup();
        Ok::<_, Error>((waiting, counts))
    })
    .unwrap()
}

#[test]
fn rows_wait_until_a_compaction_gives_them_buckets() {
    let dir = TempDir::new();
    let table = make(&dir, &[WAITING, ("postpone.default-bucket-num", "3")]);
    let mut model = Model::default();
    for (index, rows) in history().iter().enumerate() {
        let outcome = write(&table, &in_order(index), rows);
        assert_eq!(outcome.rows_postponed, outcome.rows);
        model.add(rows);
    }
    assert_eq!(lines(&table).len(), 0);
    assert_eq!(live(&table), (5, vec![]));
    let named = |name: &String| {
        name.contains("/bucket-postpone/data--u-writer") && name.ends_with("-0.avro")
    };
    assert_eq!(files(&table).iter().filter(|name| named(name)).count(), 5);
    let outcome = compact(&table);
    assert_eq!(outcome.rows_taken_in, 70 + 24 + 27);
    assert_eq!(live(&table), (0, vec![3]));
    model.assert(table.name(), &lines(&table));
    assert_eq!(compact(&table).snapshot_id, None, "nothing is left to do");
}

#[test]
fn java_compacts_our_waiting_rows_and_we_compact_javas() {
    let Some(oracle) = require_java("java_compacts_our_waiting_rows_and_we_compact_javas") else {
        return;
    };
    for java_compacts in [true, false] {
        let dir = TempDir::new();
        let table = make(&dir, &[WAITING, ("postpone.default-bucket-num", "2")]);
        let path = dir.join("golden.db/t");
        let mut model = Model::default();
        for round in 0..2 {
            for (index, rows) in history().iter().enumerate() {
                if java_compacts || index == 1 {
                    write(&table, &in_order(index), rows);
                } else {
                    oracle.commit_with(&path, rows, &json!({"user": in_order(index)}));
                }
                model.add(rows);
            }
            assert_eq!(oracle.check(&path), Vec::<String>::new(), "round {round}");
            if java_compacts {
                oracle.done("compact_postponed", &path, &json!({}));
            } else {
                compact(&table);
            }
            assert_eq!(live(&table).0, 0);
            let shown = lines(&table);
            model.assert(table.name(), &shown);
            oracle.assert_agrees(&path, &shown);
            assert_eq!(oracle.check(&path), Vec::<String>::new(), "round {round}");
        }
    }
}

#[test]
fn a_batch_write_gives_rows_their_buckets_at_once() {
    let dir = TempDir::new();
    let most = ("postpone.batch-write-fixed-bucket.max-parallelism", "1");
    let table = make(&dir, &[most, ("postpone.default-bucket-num", "2")]);
    let mut model = Model::default();
    let first = rows("a", 0..20, 1);
    assert_eq!(write(&table, "batch", &first).rows_postponed, 0);
    model.add(&first);
    assert_eq!(live(&table), (0, vec![1]));
    // A streaming writer leaves them waiting, and so do its later commits.
    let later = [rows("a", 5..10, 2), rows("c", 0..5, 3)].concat();
    let (arrow, kinds) = batch(&table, &later);
    run(async {
        let mut write = table.new_write().streaming().build()?;
        write.write_kinds(&arrow, Some(&kinds)).await?;
        assert_eq!(write.commit(1).await?.rows_postponed, 10);
        Ok::<_, Error>(())
    })
    .unwrap();
    model.assert(table.name(), &lines(&table));
    // The partition that has buckets keeps their number, the other one gets the default.
    compact(&table);
    model.add(&later);
    model.assert(table.name(), &lines(&table));
    assert_eq!(live(&table), (0, vec![1, 2]));
    // Other batch writes keep to the counts that there are.
    let both = [rows("a", 0..3, 4), rows("c", 0..10, 4)].concat();
    write(&table, "batch", &both);
    model.add(&both);
    model.assert(table.name(), &lines(&table));
    assert_eq!(live(&table), (0, vec![1, 2]));
    if let Some(oracle) = require_java("a_batch_write_gives_rows_their_buckets_at_once") {
        let path = dir.join("golden.db/t");
        oracle.assert_agrees(&path, &lines(&table));
        assert_eq!(oracle.check(&path), Vec::<String>::new());
    }
}

#[test]
fn an_overwrite_takes_waiting_rows_along_unless_it_read_the_table() {
    let dir = TempDir::new();
    let table = make(&dir, &[WAITING]);
    write(&table, "w", &rows("a", 0..5, 1));
    compact(&table);
    write(&table, "w", &[rows("a", 5..9, 2), rows("b", 0..4, 2)].concat());
    let partition = Overwrite::Static(vec![("p".into(), Some(Datum::String("a".into())))]);
    let overwrite = |read: bool| {
        run(async {
            let mut write = table.new_write().overwrite(partition.clone());
            if read {
                write = write.computed_from(3);
            }
            write.build()?.commit_batch().await
        })
    };
    let refused = overwrite(true).unwrap_err().to_string();
    assert!(refused.contains("rows wait for a compaction"), "{refused}");
    overwrite(false).unwrap();
    assert_eq!(live(&table), (1, vec![]));
    compact(&table);
    assert_eq!(lines(&table).len(), 4);
}

#[test]
fn of_two_compactions_one_gives_up_and_nothing_is_taken_twice() {
    let dir = TempDir::new();
    let table = make(&dir, &[WAITING, ("postpone.default-bucket-num", "2")]);
    let mut model = Model::default();
    for round in 0..3 {
        for (index, rows) in history().iter().enumerate() {
            write(&table, &in_order(index), rows);
            model.add(rows);
        }
        run(async {
            let late = rows("z", 0..5, round);
            let (rows, kinds) = batch(&table, &late);
            let writer = async {
                let mut write = table.new_write().build()?;
                write.write_kinds(&rows, Some(&kinds)).await?;
                write.commit_batch().await
            };
            let (one, other, wrote) = tokio::join!(
                table.new_compaction().commit_user("one").run(),
                table.new_compaction().commit_user("other").run(),
                writer
            );
            model.add(&late);
            wrote?;
            one?;
            other?;
            // Rows that came while they ran may still wait.
            table.new_compaction().run().await
        })
        .unwrap();
        assert_eq!(live(&table).0, 0, "round {round}");
        model.assert(table.name(), &lines(&table));
    }
}

#[test]
fn a_compaction_numbers_rows_above_those_that_came_meanwhile() {
    // A batch write comes between the reading of waiting rows and their commit: both have the same key.
    let dir = TempDir::new();
    let table = make(&dir, &[]);
    let stream = |value: i64| {
        let (rows, kinds) = batch(&table, &rows("a", 0..4, value));
        run(async {
            let mut write = table.new_write().streaming().build()?;
            write.write_kinds(&rows, Some(&kinds)).await?;
            write.commit(value).await
        })
        .unwrap()
    };
    for value in 1..6 {
        stream(value);
        let (arrow, kinds) = batch(&table, &rows("a", 2..6, value * 10));
        run(async {
            let writer = async {
                let mut write = table.new_write().build()?;
                write.write_kinds(&arrow, Some(&kinds)).await?;
                write.commit_batch().await
            };
            let (compacted, wrote) = tokio::join!(table.new_compaction().run(), writer);
            // Which of them makes the first buckets of the partition is decided by who comes first.
            if value == 1 {
                assert!(compacted.is_ok() || wrote.is_ok());
            } else {
                compacted?;
                wrote?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
        assert_eq!(lines(&table).iter().filter(|l| l.contains("\"k\":3,")).count(), 1);
    }
}

#[test]
fn names_of_users_that_readers_stumble_over_are_refused() {
    let dir = TempDir::new();
    let table = make(&dir, &[WAITING]);
    for user in ["a-s-1", "a/b", "a\nb"] {
        let error = table.new_write().commit_user(user).build().unwrap_err().to_string();
        assert!(error.contains("commit user"), "{error}");
    }
}

#[test]
fn columns_that_avro_has_no_type_for_wait_in_the_tables_format() {
    let dir = TempDir::new();
    let definition = definition(&json!({
        "fields": [{"name": "k", "type": "INT NOT NULL"}, {"name": "t", "type": "TIMESTAMP(9)"}],
        "pk": ["k"],
        "partition": [],
        "options": {"bucket": "-2", "postpone.batch-write-fixed-bucket": "false"},
    }));
    run(create_with(dir.path(), "t", &definition, UNSYNCED)).unwrap();
    let table = open_unsynced(&dir.join("golden.db/t"));
    let at = "2024-01-31T12:00:00.123456789";
    write(&table, "w", &[json!({"kind": "+I", "row": {"k": 1, "t": at}})]);
    assert!(files(&table).iter().any(|n| n.contains("bucket-postpone") && n.ends_with(".parquet")));
    if let Some(oracle) = require_java("columns_that_avro_has_no_type_for_wait") {
        assert_eq!(oracle.check(&dir.join("golden.db/t")), Vec::<String>::new());
    }
    compact(&table);
    assert!(lines(&table)[0].contains(at));
}
