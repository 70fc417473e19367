//! Dynamic buckets: every key has one, however many writers give keys theirs, Java among them.

use std::collections::{BTreeMap, BTreeSet};

use headwater::spec::hash_index::HASH_INDEX;
use headwater::spec::manifest::IndexManifestEntry;
use headwater::{CatalogOptions, Datum, Error, NewTable, Overwrite, Table, TableWrite};
use headwater_testkit::{Oracle, TempDir, require_java};
use serde_json::{Value, json};

use crate::model::Model;
use crate::rows::{batch, create_with, definition, lines, open_unsynced, run};
use crate::small::files_below;

const UNSYNCED: CatalogOptions = CatalogOptions { create: true, sync: headwater::SyncMode::Off };

fn table(more: &[(&str, &str)]) -> NewTable {
    let options: serde_json::Map<String, Value> =
        more.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    definition(&json!({
        "fields": [
            {"name": "p", "type": "STRING NOT NULL"},
            {"name": "k", "type": "INT NOT NULL"},
            {"name": "name", "type": "STRING NOT NULL"},
            {"name": "v", "type": "BIGINT"},
        ],
        "pk": ["name", "p", "k"],
        "partition": ["p"],
        "options": options,
    }))
}

fn make(dir: &TempDir, more: &[(&str, &str)]) -> Table {
    run(create_with(dir.path(), "t", &table(more), UNSYNCED)).unwrap();
    open_unsynced(&dir.join("golden.db/t"))
}

fn row(partition: &str, key: i64, value: i64) -> Value {
    json!({ "kind": "+I", "row": { "p": partition, "k": key, "name": format!("n{key}"), "v": value } })
}

fn rows(partition: &str, keys: std::ops::Range<i64>, value: i64) -> Vec<Value> {
    keys.map(|key| row(partition, key, value)).collect()
}

/// The hash index files of the newest snapshot, with their hashes.
fn index(table: &Table) -> Vec<(IndexManifestEntry, Vec<i32>)> {
    run(async {
        let Some(snapshot) = table.snapshot().await.unwrap() else { return Vec::new() };
        let mut found = Vec::new();
        for file in table.store().index_manifest(&snapshot).await.unwrap() {
            assert_eq!(file.index_type, HASH_INDEX);
            let beside = table.options().dynamic_bucket.index_beside_data;
            let dir = match beside {
                true => table.bucket_directory(&file.partition, file.bucket).unwrap(),
                false => "index".to_owned(),
            };
            let hashes = table.store().hash_index(&dir, &file).await.unwrap();
            found.push((file, hashes));
        }
        found
    })
}

/// Each bucket has one index, and each key is in one; how many keys the buckets of a partition have.
fn check_index(table: &Table) -> BTreeMap<Vec<u8>, BTreeMap<i32, usize>> {
    let mut buckets: BTreeMap<Vec<u8>, BTreeMap<i32, usize>> = BTreeMap::new();
    let mut seen: BTreeSet<(Vec<u8>, i32)> = BTreeSet::new();
    for (file, hashes) in index(table) {
        let partition = file.partition.as_bytes().to_vec();
        for hash in &hashes {
            assert!(seen.insert((partition.clone(), *hash)), "{hash} is in two buckets");
        }
        let of = buckets.entry(partition).or_default();
        assert_eq!(of.insert(file.bucket, hashes.len()), None, "bucket {} twice", file.bucket);
    }
    buckets
}

/// Both engines read what the model says, and Java finds nothing wrong.
fn agree(oracle: Option<&'static Oracle>, table: &Table, model: &Model, place: &str) {
    check_index(table);
    let wanted = model.lines();
    assert_eq!(run(lines(table)).unwrap(), wanted, "{place}");
    if let Some(oracle) = oracle {
        let dir = std::path::PathBuf::from(table.store().io().root());
        assert_eq!(oracle.check(&dir), Vec::<String>::new(), "{place}");
        assert_eq!(oracle.read(&dir), wanted, "{place}: read by Java");
    }
}

fn writer(table: &Table, user: &str) -> TableWrite {
    table.new_write().commit_user(user).build().unwrap()
}

fn take(write: &mut TableWrite, rows: &[Value]) {
    let (batch, kinds) = batch(write.table(), rows);
    run(write.write_kinds(&batch, Some(&kinds))).unwrap();
}

fn commit(write: &mut TableWrite, id: i64) {
    let outcome = run(write.commit_waiting(id)).unwrap();
    assert_eq!(outcome.compaction.failed, None);
}

fn write(table: &Table, id: i64, rows: &[Value], how: Overwrite) -> Result<(), Error> {
    let (batch, kinds) = batch(table, rows);
    run(async {
        let mut write = table.new_write().commit_user("we").overwrite(how).build()?;
        write.write_kinds(&batch, Some(&kinds)).await?;
        write.commit_waiting(id).await.map(|_| ())
    })
}

#[test]
fn sessions_of_both_engines_go_on_with_one_index() {
    let Some(oracle) = require_java("sessions_of_both_engines_go_on_with_one_index") else {
        return;
    };
    for more in [
        &[("dynamic-bucket.target-row-num", "7")][..],
        &[("dynamic-bucket.target-row-num", "4"), ("dynamic-bucket.max-buckets", "3")],
        &[("dynamic-bucket.target-row-num", "9"), ("index-file-in-data-file-dir", "true")],
        &[("bucket", "-1"), ("data-file.path-directory", "inside")],
    ] {
        let dir = TempDir::new();
        make(&dir, more);
        let path = dir.join("golden.db/t");
        let mut model = Model::default();
        let mut long = writer(&open_unsynced(&path), "long");
        for turn in 0..8_i64 {
            let mut changes = rows("a", turn * 4..turn * 4 + 12, turn);
            changes.extend(rows("b", 0..turn, turn));
            if turn % 3 == 2 {
                let gone: Vec<Value> = changes.iter().take(3).cloned().collect();
                changes.extend(gone.into_iter().map(|mut row| {
                    row["kind"] = json!("-D");
                    row
                }));
            }
            model.add(&changes);
            match turn % 4 {
                0 => write(&open_unsynced(&path), turn, &changes, Overwrite::None).unwrap(),
                1 | 3 => {
                    take(&mut long, &changes);
                    commit(&mut long, turn);
                }
                _ => drop(oracle.commit(&path, &changes)),
            }
            if turn == 5 {
                oracle.compact(&path, true);
            }
            agree(Some(oracle), &open_unsynced(&path), &model, &format!("{more:?}, turn {turn}"));
        }
        let table = open_unsynced(&path);
        run(table.new_compaction().full(true).run()).unwrap();
        agree(Some(oracle), &table, &model, &format!("{more:?}, compacted"));
        let found = check_index(&table);
        assert_eq!(found.len(), 2);
        let most = found.values().map(BTreeMap::len).max().unwrap();
        let (least, bound) = match more {
            [(_, "7")] => (6, 6),
            [_, ("dynamic-bucket.max-buckets", _)] => (3, 3),
            [(_, "9"), _] => (5, 5),
            _ => (1, 1),
        };
        assert!((least..=bound).contains(&most), "{more:?}: {found:?}");
        // Index files lie where the options say.
        let beside = table.options().dynamic_bucket.index_beside_data;
        let apart = !run(files_below(table.store().io().as_ref(), "index")).is_empty();
        assert_eq!(apart, !beside);
    }
}

#[test]
fn two_writers_never_put_a_key_into_two_buckets() {
    let oracle = require_java("two_writers_never_put_a_key_into_two_buckets");
    for (more, place) in [
        (&[("dynamic-bucket.target-row-num", "5")][..], "one file"),
        // Each batch is a file.
        (
            &[
                ("dynamic-bucket.target-row-num", "5"),
                ("write-buffer-size", "1 b"),
                ("write-buffer-spillable", "false"),
            ],
            "many files",
        ),
        // Each batch is spilled.
        (&[("dynamic-bucket.target-row-num", "5"), ("write-buffer-size", "1 b")], "spilled"),
        (&[("dynamic-bucket.target-row-num", "3"), ("write-only", "true")], "not compacted"),
    ] {
        let dir = TempDir::new();
        let table = make(&dir, more);
        let mut model = Model::default();
        let (mut one, mut two) = (writer(&table, "one"), writer(&table, "two"));
        for turn in 0..6_i64 {
            let place = format!("{place}, turn {turn}");
            // Keys of both, in another order, in several batches; some are new to both.
            let theirs = rows("a", turn * 5..turn * 5 + 12, 100 + turn);
            let mut ours: Vec<Value> = rows("a", turn * 5 + 3..turn * 5 + 17, 200 + turn);
            ours.reverse();
            let ours_again = rows("a", turn * 5 + 10..turn * 5 + 14, 300 + turn);
            let elsewhere = rows("b", 0..3, turn);
            for batch in [&ours, &elsewhere, &ours_again] {
                take(&mut one, batch);
            }
            take(&mut two, &theirs);
            if turn % 3 == 2
                && let Some(oracle) = oracle
            {
                let between = rows("a", turn * 5 + 1..turn * 5 + 15, 400 + turn);
                let buffer = json!({ "options": { "write-buffer-size": "8 mb" } });
                oracle.commit_with(&dir.join("golden.db/t"), &between, &buffer);
                model.add(&between);
            }
            commit(&mut two, turn);
            commit(&mut one, turn);
            for batch in [&theirs, &ours, &elsewhere, &ours_again] {
                model.add(batch);
            }
            agree(oracle, &table, &model, &place);
        }
    }
}

#[test]
fn rows_of_a_replaced_partition_get_its_new_buckets() {
    let oracle = require_java("rows_of_a_replaced_partition_get_its_new_buckets");
    let dir = TempDir::new();
    let table = make(&dir, &[("dynamic-bucket.target-row-num", "4")]);
    let mut model = Model::default();
    let mut long = writer(&table, "long");
    let old = rows("a", 0..20, 1);
    take(&mut long, &old);
    take(&mut long, &rows("b", 0..6, 1));
    commit(&mut long, 1);
    // The same keys in reverse: all get other buckets. Those of b stay.
    let mut new = rows("a", 5..25, 2);
    new.reverse();
    let a = Overwrite::Static(vec![("p".to_owned(), Some(Datum::String("a".into())))]);
    write(&table, 2, &new, a.clone()).unwrap();
    model.add(&rows("b", 0..6, 1));
    model.add(&new);
    agree(oracle, &table, &model, "replaced");
    // All of these keys are known to the writer, in buckets that are gone.
    let more = rows("a", 8..12, 3);
    take(&mut long, &more);
    commit(&mut long, 2);
    model.add(&more);
    agree(oracle, &table, &model, "written after it");

    let new = rows("b", 2..12, 4);
    write(&table, 3, &new, Overwrite::Dynamic).unwrap();
    model.0.retain(|(p, _), _| p != "b");
    model.add(&new);
    agree(oracle, &table, &model, "replaced where rows come");

    write(&table, 4, &[], a).unwrap();
    model.0.retain(|(p, _), _| p != "a");
    agree(oracle, &table, &model, "emptied");
    assert_eq!(check_index(&table).len(), 1, "the index of a is gone");
    write(&table, 5, &[], Overwrite::Static(Vec::new())).unwrap();
    model.0.clear();
    agree(oracle, &table, &model, "truncated");
    assert!(index(&table).is_empty());
    if let Some(oracle) = oracle {
        let rows = rows("a", 3..9, 6);
        oracle.commit(&dir.join("golden.db/t"), &rows);
        model.add(&rows);
        agree(Some(oracle), &table, &model, "filled by Java again");
    }
}

#[test]
fn a_damaged_index_is_an_error_and_nothing_is_committed() {
    let dir = TempDir::new();
    let table = make(&dir, &[]);
    write(&table, 1, &rows("a", 0..5, 1), Overwrite::None).unwrap();
    let (file, _) = index(&table).remove(0);
    let io = table.store().io();
    let path = format!("index/{}", file.file_name);
    let whole = run(io.read(&path)).unwrap();
    let mut failures = Vec::new();
    for cut in [0, 3, 4, 19] {
        run(io.overwrite(&path, whole.slice(..cut))).unwrap();
        failures.push(write(&table, 2, &rows("a", 3..9, 2), Overwrite::None).unwrap_err());
    }
    run(io.delete(&path)).unwrap();
    failures.push(write(&table, 2, &rows("a", 3..9, 2), Overwrite::None).unwrap_err());
    for failure in failures {
        assert_eq!(failure.kind(), headwater::ErrorKind::Corrupt, "{failure}");
        assert!(failure.to_string().contains(&file.file_name), "{failure}");
    }
    // Rows can be read, and replaced.
    assert_eq!(run(lines(&table)).unwrap().len(), 5);
    write(&table, 2, &rows("a", 0..3, 2), Overwrite::Dynamic).unwrap();
    write(&table, 3, &rows("a", 2..4, 3), Overwrite::None).unwrap();
    assert_eq!(run(lines(&table)).unwrap().len(), 4);
}

#[test]
fn a_write_that_is_given_up_leaves_no_index_file() {
    let dir = TempDir::new();
    let table = make(&dir, &[]);
    let mut given_up = writer(&table, "one");
    take(&mut given_up, &rows("a", 0..5, 1));
    run(given_up.abort());
    let count = || run(files_below(table.store().io().as_ref(), "index")).len();
    assert_eq!(count(), 0);
    // Index files of rows that got other buckets go with their data files.
    let (mut one, mut two) = (writer(&table, "one"), writer(&table, "two"));
    take(&mut one, &rows("a", 0..5, 1));
    take(&mut two, &rows("a", 2..9, 1));
    commit(&mut two, 1);
    commit(&mut one, 1);
    assert_eq!(count(), 2, "one of each commit");
}
