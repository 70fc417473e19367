//! Keys that move between partitions: each lives in one, whoever writes, Java among them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use headwater::io::{MemoryBudget, Random, Scratch, SeededRandom, SyncMode, open_root};
use headwater::{
    CatalogOptions, Datum, Env, Error, ErrorKind, NewTable, Overwrite, Table, TableWrite,
};
use headwater_testkit::files::copy_dir;
use headwater_testkit::{Interloper, Oracle, TempDir, golden, require_java};
use serde_json::{Value, json};

use crate::rows::{batch, create_with, definition, env, lines, open, open_unsynced, run};
use crate::small::files_below;

const UNSYNCED: CatalogOptions = CatalogOptions { create: true, sync: SyncMode::Off };

const ENGINES: [&[(&str, &str)]; 4] = [
    &[],
    &[("merge-engine", "partial-update")],
    &[("merge-engine", "aggregation"), ("fields.v.aggregate-function", "sum")],
    &[("merge-engine", "first-row")],
];

/// With a partition column in the primary key, if it is `composite`.
fn table(composite: bool, more: &[&[(&str, &str)]]) -> NewTable {
    let options: serde_json::Map<String, Value> =
        more.concat().iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    definition(&json!({
        "fields": [
            {"name": "p", "type": "STRING NOT NULL"},
            {"name": "k", "type": "INT NOT NULL"},
            {"name": "name", "type": "STRING NOT NULL"},
            {"name": "v", "type": "BIGINT"},
        ],
        "pk": if composite { vec!["name", "k"] } else { vec!["k"] },
        "partition": if composite { vec!["p", "name"] } else { vec!["p"] },
        "options": options,
    }))
}

fn make(dir: &TempDir, composite: bool, more: &[&[(&str, &str)]]) -> Table {
    run(create_with(dir.path(), "t", &table(composite, more), UNSYNCED)).unwrap();
    open_unsynced(&dir.join("golden.db/t"))
}

fn row(partition: &str, key: i64, value: i64) -> Value {
    let name = format!("n{}", key % 3);
    json!({ "kind": "+I", "row": { "p": partition, "k": key, "name": name, "v": value } })
}

fn rows(partition: &str, keys: std::ops::Range<i64>, value: i64) -> Vec<Value> {
    keys.map(|key| row(partition, key, value)).collect()
}

fn deleted(mut row: Value) -> Value {
    row["kind"] = json!("-D");
    row
}

/// Partition and value of each key.
#[derive(Default)]
struct Model {
    engine: usize,
    rows: BTreeMap<i64, (String, i64)>,
}

impl Model {
    fn add(&mut self, rows: &[Value]) {
        for change in rows {
            let of = &change["row"];
            let (key, value) = (of["k"].as_i64().unwrap(), of["v"].as_i64().unwrap());
            let partition = of["p"].as_str().unwrap().to_owned();
            if change["kind"] == "-D" {
                self.rows.remove(&key);
                continue;
            }
            let new = (partition, value);
            match (self.engine, self.rows.get_mut(&key)) {
                (0, _) | (_, None) => drop(self.rows.insert(key, new)),
                (1, Some(row)) => row.1 = value,
                (2, Some(row)) => row.1 += value,
                _ => {}
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        let line = |(key, (partition, value)): (&i64, &(String, i64))| {
            serde_json::to_string(&row(partition, *key, *value)).unwrap()
        };
        let mut lines: Vec<String> = self.rows.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// Changes of keys that are there and of others.
    fn changes(&self, random: &SeededRandom, count: usize) -> Vec<Value> {
        let change = |_| {
            let number = random.next_u64();
            let number = i64::try_from(number >> 1).unwrap();
            let partition = ["a", "b", "c"][(number % 3).unsigned_abs() as usize];
            let change = row(partition, number / 3 % 40, number / 120 % 9 + 1);
            let deletes = self.engine == 0 && number / 1080 % 4 == 0;
            if deletes { deleted(change) } else { change }
        };
        (0..count).map(change).collect()
    }
}

/// Both engines read what the model says, and Java finds nothing wrong.
fn agree(oracle: Option<&'static Oracle>, table: &Table, model: &Model, place: &str) {
    if model.engine == 3 {
        // Rows show once a compaction has looked for their keys.
        run(table.new_compaction().full(true).run()).unwrap();
    }
    let wanted = model.lines();
    assert_eq!(run(lines(table)).unwrap(), wanted, "{place}");
    if let Some(oracle) = oracle {
        let dir = PathBuf::from(table.store().io().root());
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

fn write(table: &Table, id: i64, rows: &[Value], how: Overwrite) -> Result<u64, Error> {
    let (batch, kinds) = batch(table, rows);
    run(async {
        let mut write = table.new_write().commit_user("we").overwrite(how).build()?;
        let written = match write.write_kinds(&batch, Some(&kinds)).await {
            Ok(()) => write.commit_waiting(id).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(outcome) => Ok(outcome.rows_not_indexed),
            Err(error) => {
                write.abort().await;
                Err(error)
            }
        }
    })
}

/// Buckets with files.
fn buckets(table: &Table) -> usize {
    let plan = run(table.new_read().plan()).unwrap();
    let places = plan.splits.iter().map(|s| (format!("{:?}", s.partition_values()), s.bucket()));
    places.collect::<std::collections::BTreeSet<_>>().len()
}

#[test]
fn sessions_of_both_engines_move_keys_of_every_merge_engine() {
    let oracle = require_java("sessions_of_both_engines_move_keys_of_every_merge_engine");
    for (engine, options) in ENGINES.into_iter().enumerate() {
        for (composite, more) in
            [(false, ("dynamic-bucket.target-row-num", "5")), (true, ("write-only", "true"))]
        {
            if composite && engine > 1 {
                continue;
            }
            let dir = TempDir::new();
            make(&dir, composite, &[options, &[more]]);
            let path = dir.join("golden.db/t");
            let mut model = Model { engine, ..Model::default() };
            let random = SeededRandom::new(engine as u64 + 1);
            let mut long = writer(&open_unsynced(&path), "long");
            for turn in 0..6_i64 {
                let changes = model.changes(&random, 30);
                match turn % 3 {
                    0 => assert_eq!(
                        write(&open_unsynced(&path), turn, &changes, Overwrite::None).unwrap(),
                        0
                    ),
                    1 => {
                        for changes in changes.chunks(7) {
                            take(&mut long, changes);
                        }
                        commit(&mut long, turn);
                    }
                    _ => match oracle {
                        Some(oracle) => drop(oracle.commit(&path, &changes)),
                        None => continue,
                    },
                }
                model.add(&changes);
                let place = format!("{engine}, {composite}, turn {turn}");
                let java = oracle.filter(|_| turn > 3);
                agree(java, &open_unsynced(&path), &model, &place);
            }
            let table = open_unsynced(&path);
            assert!(buckets(&table) > 3, "{} buckets", buckets(&table));
            run(table.new_compaction().full(true).run()).unwrap();
            agree(oracle, &table, &model, &format!("{engine}, {composite}, compacted"));
        }
    }
}

#[test]
fn two_writers_never_put_a_key_into_two_partitions() {
    let oracle = require_java("two_writers_never_put_a_key_into_two_partitions");
    let each_batch_a_file: &[_] =
        &[("write-buffer-size", "1 b"), ("write-buffer-spillable", "false")];
    for (engine, more) in [
        (0, &[][..]),
        (0, each_batch_a_file),
        (0, &[("write-buffer-size", "1 b")]),
        (1, &[]),
        (2, each_batch_a_file),
        (3, &[]),
    ] {
        let dir = TempDir::new();
        let table =
            make(&dir, false, &[ENGINES[engine], more, &[("dynamic-bucket.target-row-num", "4")]]);
        let mut model = Model { engine, ..Model::default() };
        let random = SeededRandom::new(9 + engine as u64);
        let (mut one, mut two) = (writer(&table, "one"), writer(&table, "two"));
        for turn in 0..3_i64 {
            let (ours, theirs) = (model.changes(&random, 40), model.changes(&random, 25));
            for (at, part) in ours.chunks(9).enumerate() {
                take(&mut one, part);
                if at == 2 {
                    take(&mut two, &theirs);
                }
            }
            if turn % 2 == 1
                && engine == 0
                && let Some(oracle) = oracle
            {
                let between = model.changes(&random, 20);
                let buffer = json!({ "options": { "write-buffer-size": "8 mb" } });
                oracle.commit_with(&dir.join("golden.db/t"), &between, &buffer);
                model.add(&between);
            }
            commit(&mut two, turn);
            commit(&mut one, turn);
            model.add(&theirs);
            model.add(&ours);
            agree(
                oracle.filter(|_| turn > 1),
                &table,
                &model,
                &format!("{engine}, {more:?}, turn {turn}"),
            );
        }
    }
}

#[test]
fn a_commit_that_comes_at_the_last_moment_is_noticed() {
    for (engine, options) in ENGINES.into_iter().enumerate() {
        let dir = TempDir::new();
        let table = make(&dir, false, &[options]);
        let mut model = Model { engine, ..Model::default() };
        let first = rows("a", 0..6, 1);
        write(&table, 1, &first, Overwrite::None).unwrap();
        model.add(&first);
        // Theirs go to other partitions, also keys that are new to both.
        let (ours, theirs) = (rows("b", 3..12, 2), rows("c", 0..9, 3));
        let plain = open_root(dir.join("golden.db/t").to_str().unwrap(), SyncMode::Off).unwrap();
        let next = run(table.snapshot()).unwrap().unwrap().id + 1;
        let path: &'static str = format!("snapshot-{next}").leak();
        let (rival, rows) = (std::sync::Arc::clone(&plain), theirs.clone());
        let io = Interloper::before_publish(&plain, path, move || async move {
            let table = Table::open_io(rival, "t", env()).await.unwrap();
            let mut write = table.new_write().commit_user("rival").build().unwrap();
            let (batch, kinds) = batch(&table, &rows);
            write.write_kinds(&batch, Some(&kinds)).await.unwrap();
            assert_eq!(write.commit(7).await.unwrap().snapshot_id, Some(next));
        });
        let raced = run(Table::open_io(io, "t", env())).unwrap();
        write(&raced, 2, &ours, Overwrite::None).unwrap();
        model.add(&theirs);
        model.add(&ours);
        agree(None, &table, &model, &format!("{engine}"));
    }
}

#[test]
fn random_tables_agree_with_a_map() {
    for seed in 0..10_u64 {
        let random = SeededRandom::new(100 + seed);
        let engine = (seed % 4) as usize;
        let target = ["1", "3", "1000"][(seed / 4 % 3) as usize];
        let bound = if seed % 5 == 0 { "2" } else { "-1" };
        let dir = TempDir::new();
        let table = make(
            &dir,
            seed % 2 == 1,
            &[
                ENGINES[engine],
                &[
                    ("dynamic-bucket.target-row-num", target),
                    ("dynamic-bucket.max-buckets", bound),
                    ("cross-partition-upsert.bootstrap-parallelism", "2"),
                ],
            ],
        );
        let mut model = Model { engine, ..Model::default() };
        let mut writers = [writer(&table, "x"), writer(&table, "y")];
        for turn in 0..12_i64 {
            let which = (random.next_u64() % 3) as usize;
            let changes = model.changes(&random, (random.next_u64() % 30) as usize);
            match writers.get_mut(which) {
                None => assert_eq!(write(&table, turn, &changes, Overwrite::None).unwrap(), 0),
                Some(write) => {
                    changes.chunks(11).for_each(|part| take(write, part));
                    commit(write, turn);
                }
            }
            model.add(&changes);
            agree(None, &table, &model, &format!("seed {seed}, turn {turn}"));
        }
        if bound == "2" {
            assert!(run(table.new_read().plan()).unwrap().splits.iter().all(|s| s.bucket() < 2));
        }
    }
}

#[test]
fn the_golden_table_is_written_further_by_both_engines() {
    let Some(oracle) = require_java("the_golden_table_is_written_further_by_both_engines") else {
        return;
    };
    let dir = TempDir::new();
    let path = dir.join("golden.db/cross_partition_a");
    copy_dir(&golden("cross_partition_a").dir, &path);
    let table = run(open(&path)).unwrap();
    assert!(table.has_moving_keys());
    let before = run(lines(&table)).unwrap();
    let keys: Vec<&str> = table.schema().primary_keys.iter().map(String::as_str).collect();
    let key = |row: &Value| keys.iter().map(|k| row["row"][k].to_string()).collect::<String>();
    let partition = table.schema().partition_keys.first().unwrap().clone();
    let mut wanted: BTreeMap<String, Value> = BTreeMap::new();
    let stored: Vec<Value> = before.iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(stored.len() > 2);
    wanted.extend(stored.iter().map(|row| (key(row), row.clone())));
    for turn in 0..4_usize {
        // The rows in turn go to the partition of another row.
        let moved = stored.iter().enumerate().map(|(at, row)| {
            let mut row = row.clone();
            row["kind"] = json!("+I");
            row["row"][&partition] = stored[(at + turn) % stored.len()]["row"][&partition].clone();
            row
        });
        let moved: Vec<Value> = moved.collect();
        if turn % 2 == 0 {
            let id = i64::try_from(turn).unwrap();
            write(&run(open(&path)).unwrap(), id, &moved, Overwrite::None).unwrap();
        } else {
            oracle.commit(&path, &moved);
        }
        wanted.extend(moved.iter().map(|row| (key(row), row.clone())));
        let mut wanted: Vec<String> =
            wanted.values().map(|row| serde_json::to_string(row).unwrap()).collect();
        wanted.sort();
        assert_eq!(run(lines(&run(open(&path)).unwrap())).unwrap(), wanted, "turn {turn}");
        oracle.assert_agrees(&path, &wanted);
        assert_eq!(oracle.check(&path), Vec::<String>::new());
    }
}

#[test]
fn an_index_that_does_not_fit_into_memory_is_on_disk() {
    let dir = TempDir::new();
    make(
        &dir,
        false,
        &[&[("write-buffer-size", "1 mb"), ("dynamic-bucket.target-row-num", "9000")]],
    );
    let scratch = Scratch::new(vec![dir.join("scratch")]);
    let small = Env { memory: MemoryBudget::new(4 << 20), scratch: scratch.clone(), ..env() };
    let open = || {
        let io = open_root(dir.join("golden.db/t").to_str().unwrap(), SyncMode::Off).unwrap();
        run(Table::open_io(io, "t", small.clone())).unwrap()
    };
    const KEYS: i64 = 60_000;
    let scattered = |from: i64, to: i64, partition: &str| -> Vec<Value> {
        (from..to).map(|at| row(partition, at * 7919 % KEYS, at)).collect()
    };
    for (id, partition) in [(1, "a"), (2, "b")] {
        // A session for each commit: the second reads all keys first.
        let table = open();
        let mut writer = writer(&table, "big");
        let count = if id == 1 { KEYS } else { KEYS / 2 };
        for start in (0..count).step_by(5000) {
            take(&mut writer, &scattered(start, start + 5000, partition));
        }
        assert!(scratch.used() > 2 << 20, "{} bytes on disk", scratch.used());
        commit(&mut writer, id);
        drop(writer);
        assert_eq!(scratch.used(), 0);
    }
    let table = open_unsynced(&dir.join("golden.db/t"));
    let found = run(lines(&table)).unwrap();
    let mut model = Model::default();
    model.add(&scattered(0, KEYS, "a"));
    model.add(&scattered(0, KEYS / 2, "b"));
    assert!(found == model.lines(), "{} rows", found.len());
}

#[test]
fn a_write_that_ends_before_its_commit_leaves_nothing() {
    let dir = TempDir::new();
    let table =
        make(&dir, false, &[&[("write-buffer-size", "1 b"), ("write-buffer-spillable", "false")]]);
    let mut model = Model::default();
    let first = rows("a", 0..10, 1);
    write(&table, 1, &first, Overwrite::None).unwrap();
    model.add(&first);
    let data = || run(files_below(table.store().io().as_ref(), "")).len();
    let before = data();
    let mut dropped = writer(&table, "dropped");
    take(&mut dropped, &rows("b", 0..5, 2));
    drop(dropped);
    let mut given_up = writer(&table, "given up");
    take(&mut given_up, &rows("c", 3..8, 2));
    run(given_up.abort());
    agree(None, &table, &model, "nothing was committed");
    assert!(data() > before, "the dropped write left files that nothing refers to");
    let left = data();
    // Rows that were placed anew leave no files of their first place.
    let (mut one, mut two) = (writer(&table, "one"), writer(&table, "two"));
    let (ours, theirs) = (rows("b", 5..9, 3), rows("c", 7..12, 4));
    take(&mut one, &ours);
    take(&mut two, &theirs);
    run(two.commit(1)).unwrap();
    run(one.commit(1)).unwrap();
    model.add(&theirs);
    model.add(&ours);
    agree(None, &table, &model, "placed anew");
    drop((one, two));
    let live: usize = run(table.new_read().plan()).unwrap().files;
    assert!(live >= 4 && data() > left);
}

#[test]
fn an_overwrite_never_leaves_a_key_twice() {
    let oracle = require_java("an_overwrite_never_leaves_a_key_twice");
    let dir = TempDir::new();
    let table = make(&dir, false, &[&[("dynamic-bucket.target-row-num", "4")]]);
    let mut model = Model::default();
    let old = [rows("a", 0..10, 1), rows("b", 10..20, 1), rows("c", 20..30, 1)].concat();
    let mut long = writer(&table, "long");
    take(&mut long, &old);
    commit(&mut long, 1);
    model.add(&old);
    let of = |p: &str| Overwrite::Static(vec![("p".to_owned(), Some(Datum::String(p.into())))]);

    // Keys of its own and new ones; one of another partition is refused, by name.
    let mine = [rows("a", 5..10, 2), rows("a", 30..33, 2)].concat();
    write(&table, 2, &mine, of("a")).unwrap();
    model.rows.retain(|_, (p, _)| p != "a");
    model.add(&mine);
    agree(oracle, &table, &model, "one partition");
    let error = write(&table, 3, &[rows("a", 0..2, 3), rows("a", 12..13, 3)].concat(), of("a"));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("(k = 12) lives in partition p=b"), "{error}");
    assert!(error.contains("partition p=a"), "{error}");
    agree(None, &table, &model, "refused");

    // Where partitions go that rows come for, keys may move among these, in any order.
    let swapped = [rows("b", 20..25, 4), rows("c", 10..15, 4)].concat();
    write(&table, 4, &swapped, Overwrite::Dynamic).unwrap();
    model.rows.retain(|_, (p, _)| p == "a");
    model.add(&swapped);
    agree(oracle, &table, &model, "two partitions");
    let error = write(&table, 5, &rows("b", 10..12, 5), Overwrite::Dynamic).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("p=c and would come into partition p=b"), "{error}");

    // The long writer notices that everything has changed.
    let more = rows("c", 0..40, 6);
    take(&mut long, &more);
    commit(&mut long, 2);
    model.add(&more);
    agree(oracle, &table, &model, "written after it");

    let anew = [rows("a", 0..3, 7), rows("b", 1..2, 8), rows("a", 7..9, 7)].concat();
    write(&table, 6, &anew, Overwrite::Static(Vec::new())).unwrap();
    model.rows.clear();
    model.add(&anew);
    agree(oracle, &table, &model, "the whole table");

    // Another writer brings a key into a partition that stays.
    let mut replacing = table.new_write().commit_user("r").overwrite(of("a")).build().unwrap();
    take(&mut replacing, &rows("a", 50..55, 9));
    let theirs = rows("b", 52..53, 9);
    write(&table, 7, &theirs, Overwrite::None).unwrap();
    model.add(&theirs);
    let error = run(replacing.commit(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    agree(oracle, &table, &model, "a conflict");
}

#[test]
fn keys_of_old_files_are_left_out_on_demand_and_found_twice_later() {
    let dir = TempDir::new();
    let table = make(&dir, false, &[&[("write-only", "true")]]);
    write(&table, 1, &rows("a", 0..4, 1), Overwrite::None).unwrap();
    let option = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    let ttl = option("cross-partition-upsert.index-ttl", "1 h");
    let patient = run(table.with_options(&ttl)).unwrap();
    assert_eq!(write(&patient, 2, &rows("b", 3..5, 2), Overwrite::None).unwrap(), 0);
    let mut wait = 0_u32;
    let ttl = option("cross-partition-upsert.index-ttl", "1 ns");
    let hasty = run(table.with_options(&ttl)).unwrap();
    // Until the clock has gone on.
    let left_out = loop {
        let left_out =
            write(&hasty, 3 + i64::from(wait), &rows("c", 9..10, 3), Overwrite::None).unwrap();
        wait += 1;
        if left_out >= 6 || wait > 50 {
            break left_out;
        }
    };
    assert!(left_out >= 6, "{left_out}");
    write(&hasty, 99, &rows("c", 1..2, 4), Overwrite::None).unwrap();
    let error = write(&table, 100, &rows("a", 0..1, 5), Overwrite::None).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("(k = 1) lives in partition p=") && text.contains("INSERT OVERWRITE"),
        "{text}"
    );
    // As the error says: one of the partitions is written without the key.
    let c = Overwrite::Static(vec![("p".to_owned(), Some(Datum::String("c".into())))]);
    write(&table, 101, &rows("c", 9..10, 6), c).unwrap();
    write(&table, 102, &rows("b", 0..2, 7), Overwrite::None).unwrap();
    let mut model = Model::default();
    model.add(
        &[rows("a", 2..3, 1), rows("b", 3..5, 2), rows("c", 9..10, 6), rows("b", 0..2, 7)].concat(),
    );
    agree(None, &table, &model, "repaired");
}

#[test]
fn what_would_show_keys_twice_is_refused() {
    let dir = TempDir::new();
    let made = |more: &[(&str, &str)]| {
        let dir = TempDir::new();
        run(create_with(dir.path(), "t", &table(false, &[more]), UNSYNCED)).map(|t| (dir, t))
    };
    let error = made(&[("sequence.field", "v")]).err().unwrap().to_string();
    assert!(error.contains("lacks a partition column"), "{error}");
    let (_dir, ignoring) = made(&[("ignore-delete", "true")]).unwrap();
    let error = ignoring.new_write().build().unwrap_err().to_string();
    assert!(error.contains("ignore-delete") && error.contains("twice"), "{error}");
    made(&[("ignore-delete", "true"), ("merge-engine", "first-row")])
        .unwrap()
        .1
        .new_write()
        .build()
        .unwrap();
    // Nobody looks for keys where buckets are fixed: as in Java, with a warning.
    let ttl = ("cross-partition-upsert.index-ttl", "1 h");
    let fixed = make(&dir, false, &[&[("bucket", "2"), ttl]]);
    assert!(fixed.warnings().iter().any(|w| w.contains("no index of keys is built")));
    assert!(
        fixed.warnings().iter().any(|w| w.contains("'bucket' = '2'")),
        "{:?}",
        fixed.warnings()
    );
    write(&fixed, 1, &rows("a", 0..3, 1), Overwrite::None).unwrap();
    write(&fixed, 2, &[deleted(row("a", 1, 1)), row("b", 1, 2)], Overwrite::None).unwrap();
    let mut model = Model::default();
    model.add(&rows("a", 0..3, 1));
    model.add(&[row("b", 1, 2)]);
    agree(require_java("what_would_show_keys_twice_is_refused"), &fixed, &model, "fixed buckets");
}
