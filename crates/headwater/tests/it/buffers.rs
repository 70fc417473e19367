//! Memory of a write: rows that do not fit into it wait on disk, and no small file comes of that.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::AsArray;
use headwater::io::{FileIo, MemoryBudget, MemoryFileIo, Pools, Scratch};
use headwater::{Env, NewTable, Table};

use crate::rows::run;
use crate::small::{Row, append, batch, create, keyed, open, read};

fn env(memory: usize) -> Env {
    Env {
        memory: MemoryBudget::new(memory),
        scratch: Scratch::new(Vec::new()),
        ..crate::small::env(&Pools::new(2), 7)
    }
}

/// A table in memory that is written by `env`.
async fn table(env: &Env, definition: NewTable) -> Table {
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    create(&io, env, &definition.option("write-only", "true")).await.unwrap();
    open(&io, env).await.unwrap()
}

/// Batches of rows with keys from all over, some of them again and again.
fn batches(count: i32, rows: i32) -> Vec<Vec<Row>> {
    let row = |batch: i32, at: i32| {
        let id = (batch * rows + at).wrapping_mul(7919) % (count * rows * 2 / 3);
        ("a".to_owned(), id, format!("{batch}-{at}-{}", "x".repeat(60)))
    };
    (0..count).map(|b| (0..rows).map(|at| row(b, at)).collect()).collect()
}

/// What must be there, sorted: with a key the last row of each.
fn expected(batches: &[Vec<Row>], is_keyed: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = batches.iter().flatten().cloned().collect();
    if is_keyed {
        let newest: BTreeMap<_, _> = rows.into_iter().map(|r| ((r.0, r.1), r.2)).collect();
        rows = newest.into_iter().map(|((dt, id), v)| (dt, id, v)).collect();
    }
    rows.sort();
    rows
}

async fn write_all(table: &Table, batches: &[Vec<Row>]) -> usize {
    let mut write = table.new_write().build().unwrap();
    for rows in batches {
        write.write(&batch(table, rows)).await.unwrap();
    }
    write.commit(1).await.unwrap();
    files(table).await
}

/// Data files of the newest snapshot.
async fn files(table: &Table) -> usize {
    let plan = table.new_read().plan().await.unwrap();
    plan.splits.iter().map(|split| split.files().count()).sum()
}

#[test]
fn rows_that_do_not_fit_into_memory_become_one_file_per_bucket() {
    let all = batches(60, 500);
    for (definition, is_keyed) in [
        (keyed("4"), true),
        (keyed("4").partitioned_by(["dt"]), true),
        (keyed("-1").option("dynamic-bucket.target-row-num", "6000"), true),
        (append().option("bucket", "4").option("bucket-key", "id"), false),
    ] {
        // Either the table's limit or the process has too little; ten and more runs for each bucket.
        for (limit, memory) in [("256 kb", 64 << 20), ("1 gb", 256 << 10)] {
            for compression in ["zstd", "none"] {
                let env = env(memory);
                let definition = definition
                    .clone()
                    .option("write-buffer-size", limit)
                    .option("spill-compression", compression);
                run(async {
                    let table = table(&env, definition).await;
                    let files = write_all(&table, &all).await;
                    assert_eq!(files, 4, "{limit} {compression}");
                    assert_eq!(read(&table).await.unwrap(), expected(&all, is_keyed), "{limit}");
                });
                assert!(env.scratch.written() > 500_000 || compression == "zstd");
                assert!(env.scratch.written() > 100_000, "{} bytes", env.scratch.written());
                assert_eq!((env.scratch.used(), env.memory.used()), (0, 0));
            }
        }
    }
}

#[test]
fn rows_of_a_table_without_a_key_keep_their_order() {
    let all = batches(40, 500);
    let env = env(64 << 20);
    run(async {
        let table = table(&env, append().option("write-buffer-size", "200 kb")).await;
        assert_eq!(write_all(&table, &all).await, 1);
        let mut found = Vec::new();
        for batch in table.new_read().collect().await.unwrap() {
            let values = batch.column(2).as_string::<i32>();
            found.extend(values.iter().flatten().map(str::to_owned));
        }
        let rows: Vec<String> = all.iter().flatten().map(|row| row.2.clone()).collect();
        assert_eq!(found, rows);
    });
    assert!(env.scratch.written() > 0);
}

#[test]
fn nothing_is_spilled_where_the_options_forbid_it() {
    let all = batches(30, 500);
    for (option, value) in
        [("write-buffer-spillable", "false"), ("write-buffer-spill.max-disk-size", "1 kb")]
    {
        let env = env(64 << 20);
        run(async {
            let definition = keyed("2").option("write-buffer-size", "256 kb").option(option, value);
            let table = table(&env, definition).await;
            assert!(write_all(&table, &all).await > 4);
            assert_eq!(read(&table).await.unwrap(), expected(&all, true));
        });
        assert_eq!(env.scratch.written(), 0, "{option}");
    }
}

#[test]
fn a_bucket_with_many_rows_becomes_files_without_a_detour() {
    let all = batches(30, 500);
    let env = env(64 << 20);
    run(async {
        let definition =
            keyed("1").option("write-buffer-size", "256 kb").option("target-file-size", "512 kb");
        let table = table(&env, definition).await;
        assert!(write_all(&table, &all).await > 4);
        assert_eq!(read(&table).await.unwrap(), expected(&all, true));
    });
    assert_eq!(env.scratch.written(), 0);
}

#[test]
fn a_process_without_a_usable_scratch_directory_says_so_and_commits_nothing() {
    let bad = std::path::PathBuf::from("/dev/null/below");
    let env = env(64 << 20).scratch_in(vec![bad.clone()]);
    run(async {
        let table = table(&env, keyed("4").option("write-buffer-size", "64 kb")).await;
        let mut write = table.new_write().build().unwrap();
        let mut failed = None;
        for rows in batches(10, 500) {
            if let Err(error) = write.write(&batch(&table, &rows)).await {
                failed = Some(error.to_string());
                break;
            }
        }
        let failed = failed.expect("rows were spilled nowhere");
        assert!(failed.contains(&bad.display().to_string()), "{failed}");
        assert!(write.commit(1).await.unwrap_err().to_string().contains("start a new write"));
        assert!(read(&table).await.unwrap().is_empty());
    });
}

#[test]
fn rows_for_very_many_buckets_are_handed_out_together() {
    let all = batches(40, 2000);
    for is_keyed in [true, false] {
        let definition = if is_keyed {
            keyed("1000")
        } else {
            append().option("bucket", "1000").option("bucket-key", "id")
        };
        let env = env(4 << 20);
        run(async {
            let table = table(&env, definition).await;
            assert_eq!(write_all(&table, &all).await, 1000);
            assert_eq!(read(&table).await.unwrap(), expected(&all, is_keyed));
        });
        assert!(env.scratch.written() > 0);
        assert_eq!((env.scratch.used(), env.memory.used()), (0, 0));
    }
}

#[test]
fn rows_of_few_keys_are_merged_in_memory() {
    // 30,000 changes of 20 keys.
    let row = |n: i32| ("a".to_owned(), n % 20, format!("{n}-{}", "x".repeat(60)));
    let all: Vec<Vec<Row>> = (0..60).map(|b| (b * 500..b * 500 + 500).map(row).collect()).collect();
    for (option, value) in [("local-merge-buffer-size", "128 kb"), ("write-buffer-size", "256 kb")]
    {
        let env = env(64 << 20);
        run(async {
            let table = table(&env, keyed("2").option(option, value)).await;
            let mut write = table.new_write().build().unwrap();
            for rows in &all {
                write.write(&batch(&table, rows)).await.unwrap();
                assert!(env.memory.used() < 400 << 10, "{} bytes", env.memory.used());
            }
            write.commit(1).await.unwrap();
            assert_eq!(files(&table).await, 2);
            assert_eq!(read(&table).await.unwrap(), expected(&all, true));
        });
        assert_eq!(env.scratch.written(), 0, "{option}");
    }
}

#[test]
fn rows_that_come_late_are_counted_wherever_they_wait() {
    // Each batch is older than the one before.
    let row = |n: i32| ("a".to_owned(), n % 50, format!("{:05}", 99_999 - n));
    let all: Vec<Vec<Row>> = (0..20).map(|b| (b * 50..b * 50 + 50).map(row).collect()).collect();
    let mut counts = Vec::new();
    for limit in ["1 b", "1 gb"] {
        run(async {
            let env = env(64 << 20);
            let definition =
                keyed("2").option("sequence.field", "v").option("write-buffer-size", limit);
            let table = table(&env, definition).await;
            let mut write = table.new_write().build().unwrap();
            for rows in &all {
                write.write(&batch(&table, rows)).await.unwrap();
            }
            counts.push(write.commit(1).await.unwrap().rows_older);
            let mut first = all[0].clone();
            first.sort();
            assert_eq!(read(&table).await.unwrap(), first);
            assert_eq!(env.scratch.written() > 0, limit == "1 b");
        });
    }
    assert_eq!(counts, [950, 950]);
}

#[test]
fn hundreds_of_runs_are_merged_with_few_of_them_open() {
    // Each commit is a run; the newest row of a key is anywhere.
    let all = batches(150, 40);
    for sequence in [false, true] {
        let env = env(64 << 20);
        run(async {
            let mut definition = keyed("1");
            if sequence {
                definition = definition.option("sequence.field", "id");
            }
            let table = table(&env, definition).await;
            let mut write = table.new_write().build().unwrap();
            for (id, rows) in (1..).zip(&all) {
                write.write(&batch(&table, rows)).await.unwrap();
                write.commit(id).await.unwrap();
            }
            drop(write);
            assert_eq!(read(&table).await.unwrap(), expected(&all, true));
            assert!(env.scratch.written() > 0);
            let done = table.new_compaction().full(true).run().await.unwrap();
            assert!(done.snapshot_id.is_some());
            assert_eq!(files(&table).await, 1);
            assert_eq!(read(&table).await.unwrap(), expected(&all, true));
        });
        assert_eq!((env.scratch.used(), env.memory.used()), (0, 0));
    }
}
