//! Writers that go on after a commit failed: the rows that waited and those that came later are
//! committed together, in their order.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::io::{FileIo, SyncMode, open_root};
use headwater::{CatalogOptions, Table};
use headwater_testkit::{Interloper, TempDir};
use serde_json::{Value, json};

use crate::rows::{batch, create_with, definition, env, lines, open_unsynced, run};
use crate::small::files_below;

/// What decides where a key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Buckets {
    Fixed,
    Dynamic,
    Moving,
}

fn make(dir: &TempDir, buckets: Buckets) -> Table {
    let bucket = if buckets == Buckets::Fixed { "1" } else { "-1" };
    let key = if buckets == Buckets::Moving { vec!["k"] } else { vec!["p", "k"] };
    let definition = definition(&json!({
        "fields": [
            {"name": "p", "type": "STRING NOT NULL"},
            {"name": "k", "type": "INT NOT NULL"},
            {"name": "v", "type": "BIGINT"},
        ],
        "pk": key,
        "partition": ["p"],
        "options": {"bucket": bucket, "commit.max-retries": "0"},
    }));
    let options = CatalogOptions { create: true, sync: SyncMode::Off };
    run(create_with(dir.path(), "t", &definition, options)).unwrap();
    open_unsynced(&dir.join("golden.db/t"))
}

fn row(kind: &str, partition: &str, key: i64, value: i64) -> Value {
    json!({ "kind": kind, "row": { "p": partition, "k": key, "v": value } })
}

fn rows(partition: &str, keys: std::ops::Range<i64>, value: i64) -> Vec<Value> {
    keys.map(|key| row("+I", partition, key, value)).collect()
}

/// Adds changes in their order; a key is in one partition.
fn add(model: &mut BTreeMap<i64, Value>, changes: &[Value]) {
    for change in changes {
        let key = change["row"]["k"].as_i64().unwrap();
        match change["kind"] == "-D" {
            true => drop(model.remove(&key)),
            false => drop(model.insert(key, change.clone())),
        }
    }
}

async fn write(table: &Table, user: &str, changes: &[Value]) {
    let (rows, kinds) = batch(table, changes);
    let mut write = table.new_write().commit_user(user).build().unwrap();
    write.write_kinds(&rows, Some(&kinds)).await.unwrap();
    assert!(write.commit(1).await.unwrap().snapshot_id.is_some());
}

#[test]
fn what_comes_after_a_failed_commit_is_newer_than_what_waited() {
    for buckets in [Buckets::Fixed, Buckets::Dynamic, Buckets::Moving] {
        for earlier in [false, true] {
            let dir = TempDir::new();
            let table = make(&dir, buckets);
            let other = if buckets == Buckets::Moving { "b" } else { "a" };
            let mut model = BTreeMap::new();
            let first = rows("a", 0..6, 1);
            run(write(&table, "first", &first));
            add(&mut model, &first);

            let place = dir.join("golden.db/t");
            let plain: Arc<dyn FileIo> = open_root(place.to_str().unwrap(), SyncMode::Off).unwrap();
            let path = if earlier { "snapshot-3" } else { "snapshot-2" };
            let theirs = rows("a", 3..9, 20);
            let (rival, their_rows) = (Arc::clone(&plain), theirs.clone());
            let io = Interloper::before_publish(&plain, path, move || async move {
                let table = Table::open_io(rival, "t", env()).await.unwrap();
                write(&table, "rival", &their_rows).await;
            });
            let raced = run(Table::open_io(io, "t", env())).unwrap();
            let mut ours = raced.new_write().commit_user("ours").build().unwrap();
            let take = |ours: &mut headwater::TableWrite, changes: &[Value]| {
                let (rows, kinds) = batch(&raced, changes);
                run(ours.write_kinds(&rows, Some(&kinds))).unwrap();
            };
            let waiting = rows(other, 0..8, 30);
            take(&mut ours, &waiting);
            if earlier {
                // The rows that wait are numbered or placed anew before the commit fails.
                let before = rows("a", 2..5, 15);
                run(write(&table, "before", &before));
                add(&mut model, &before);
            }
            let error = run(ours.commit(1)).unwrap_err().to_string();
            assert!(error.contains("rival"), "{buckets:?}: {error}");
            add(&mut model, &theirs);
            add(&mut model, &waiting);
            let later = [
                row("-D", other, 0, 30),
                row("+I", other, 1, 40),
                row("-D", other, 5, 30),
                row("+I", other, 5, 50),
                row("+I", other, 9, 60),
                row("-D", other, 6, 30),
            ];
            take(&mut ours, &later);
            assert!(run(ours.commit(1)).unwrap().snapshot_id.is_some());
            add(&mut model, &later);

            let mut wanted: Vec<String> = model.values().map(Value::to_string).collect();
            wanted.sort();
            let found = run(lines(&table)).unwrap();
            let mut found: Vec<String> = found
                .iter()
                .map(|line| serde_json::from_str::<Value>(line).unwrap().to_string())
                .collect();
            found.sort();
            assert_eq!(found, wanted, "{buckets:?}, earlier: {earlier}");
        }
    }
}

#[test]
fn a_batch_that_fails_leaves_no_files() {
    let dir = TempDir::new();
    let table = make(&dir, Buckets::Fixed);
    run(write(&table, "first", &rows("a", 0..3, 1)));
    let place = dir.join("golden.db/t");
    let plain: Arc<dyn FileIo> = open_root(place.to_str().unwrap(), SyncMode::Off).unwrap();
    let before = run(files_below(plain.as_ref(), "p=a"));
    let rival = Arc::clone(&plain);
    let io = Interloper::before_publish(&plain, "snapshot-2", move || async move {
        let table = Table::open_io(rival, "t", env()).await.unwrap();
        write(&table, "rival", &rows("b", 0..3, 2)).await;
    });
    let raced = run(Table::open_io(io, "t", env())).unwrap();
    let mut ours = raced.new_write().build().unwrap();
    let (rows, kinds) = batch(&raced, &rows("a", 0..3, 3));
    run(ours.write_kinds(&rows, Some(&kinds))).unwrap();
    assert!(run(ours.commit_batch()).is_err());
    assert_eq!(run(files_below(plain.as_ref(), "p=a")), before);
}
