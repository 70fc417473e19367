//! Writes, spills, flushes, commits and compactions in any order read like a map: deletes never come
//! back, and files above level 0 never share a key.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::Int8Array;
use headwater::io::{FileIo, MemoryFileIo, Pools};
use headwater::{NewTable, Table, TableWrite};
use headwater_testkit::amount;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::rows::run;
use crate::small::{Row, batch, create, env, keyed, open, read};

/// Partition, key, whether it is deleted.
type Change = (bool, i32, bool);

#[derive(Debug, Clone)]
enum Step {
    /// A writer takes rows; nobody sees them yet.
    Write { other: bool, rows: Vec<Change> },
    /// A writer commits, waiting for its compactions or not.
    Commit { other: bool, wait: bool },
    /// A job compacts what there is.
    Compact { full: bool },
    /// A writer ends without a commit.
    GiveUp { other: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let change = (any::<bool>(), 0..12_i32, prop::bool::weighted(0.3));
    let rows = proptest::collection::vec(change, 1..10);
    prop_oneof![
        6 => (any::<bool>(), rows).prop_map(|(other, rows)| Step::Write { other, rows }),
        5 => (any::<bool>(), any::<bool>()).prop_map(|(other, wait)| Step::Commit { other, wait }),
        2 => any::<bool>().prop_map(|full| Step::Compact { full }),
        1 => any::<bool>().prop_map(|other| Step::GiveUp { other }),
    ]
}

/// How the table stores and compacts.
#[derive(Debug, Clone)]
struct Shape {
    bucket: &'static str,
    trigger: u32,
    levels: Option<u32>,
    small_files: bool,
    /// Each batch leaves memory: to disk, or as a file.
    leaves_memory: Option<bool>,
    write_only: bool,
    up_level_0: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    (
        prop_oneof![Just("1"), Just("3"), Just("-1")],
        1..4_u32,
        proptest::option::of(2..4_u32),
        any::<bool>(),
        proptest::option::of(any::<bool>()),
        prop::bool::weighted(0.2),
        any::<bool>(),
    )
        .prop_map(|(bucket, trigger, levels, small_files, leaves_memory, write_only, up)| {
            Shape {
                bucket,
                trigger,
                levels,
                small_files,
                leaves_memory,
                write_only,
                up_level_0: up,
            }
        })
}

impl Shape {
    fn definition(&self) -> NewTable {
        let mut table = keyed(self.bucket)
            .partitioned_by(["dt"])
            .option("num-sorted-run.compaction-trigger", self.trigger.to_string())
            .option("write-only", self.write_only.to_string())
            .option("compaction.force-up-level-0", self.up_level_0.to_string())
            .option("commit.min-retry-wait", "1 ms")
            .option("dynamic-bucket.target-row-num", "5");
        if let Some(levels) = self.levels {
            table = table.option("num-levels", levels.to_string());
        }
        if self.small_files {
            table = table.option("target-file-size", "1 b");
        }
        if let Some(spills) = self.leaves_memory {
            table = table
                .option("write-buffer-size", "1 b")
                .option("write-buffer-spillable", spills.to_string());
        }
        table
    }
}

type Model = BTreeMap<(String, i32), String>;

/// A writer, and the changes that wait for its commit.
struct Writer {
    write: TableWrite,
    waiting: Vec<(Row, bool)>,
    commits: i64,
}

impl Writer {
    fn new(table: &Table, user: &str, commits: i64) -> Self {
        let write = table.new_write().commit_user(user).build().unwrap();
        Self { write, waiting: Vec::new(), commits }
    }
}

async fn check(shape: &Shape, steps: &[Step], pools: &Pools) -> Result<usize, TestCaseError> {
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    let env = env(pools, 1);
    create(&io, &env, &shape.definition()).await.unwrap();
    let table = open(&io, &env).await.unwrap();
    let users = ["one", "two"];
    let mut writers = users.map(|user| Writer::new(&table, user, 0));
    let mut model = Model::new();
    let mut compacted = 0;
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Write { other, rows } => {
                let writer = &mut writers[usize::from(*other)];
                let rows: Vec<(Row, bool)> = rows
                    .iter()
                    .map(|(b, id, delete)| {
                        let dt = if *b { "b" } else { "a" }.to_owned();
                        ((dt, *id, format!("{number}")), *delete)
                    })
                    .collect();
                let kinds: Int8Array =
                    rows.iter().map(|(_, delete)| Some(if *delete { 3 } else { 0 })).collect();
                let values: Vec<Row> = rows.iter().map(|(row, _)| row.clone()).collect();
                writer.write.write_kinds(&batch(&table, &values), Some(&kinds)).await.unwrap();
                writer.waiting.extend(rows);
            }
            Step::Commit { other, wait } => {
                let writer = &mut writers[usize::from(*other)];
                writer.commits += 1;
                let done = if *wait {
                    writer.write.commit_waiting(writer.commits).await
                } else {
                    writer.write.commit(writer.commits).await
                };
                let done = done.unwrap();
                prop_assert_eq!(done.compaction.failed, None);
                compacted += usize::from(done.compaction.snapshot_id.is_some());
                for ((dt, id, value), delete) in writer.waiting.drain(..) {
                    if delete {
                        model.remove(&(dt, id));
                    } else {
                        model.insert((dt, id), value);
                    }
                }
            }
            Step::Compact { full } => {
                let done = table.new_compaction().full(*full).run().await.unwrap();
                compacted += usize::from(done.snapshot_id.is_some());
            }
            Step::GiveUp { other } => {
                let at = usize::from(*other);
                let next = Writer::new(&table, users[at], writers[at].commits);
                std::mem::replace(&mut writers[at], next).write.abort().await;
            }
        }
        let wanted: Vec<Row> =
            model.iter().map(|((dt, id), v)| (dt.clone(), *id, v.clone())).collect();
        prop_assert_eq!(read(&table).await.unwrap(), wanted, "after step {} {:?}", number, step);
        levels_are_runs(&table).await?;
    }
    Ok(compacted)
}

/// Files of a level above 0 have ranges of keys of their own.
async fn levels_are_runs(table: &Table) -> Result<(), TestCaseError> {
    let key = |bytes: &[u8]| i32::from_le_bytes(bytes[8..12].try_into().unwrap());
    let mut levels: BTreeMap<(String, i32, i32), Vec<(i32, i32)>> = BTreeMap::new();
    for split in &table.new_read().plan().await.unwrap().splits {
        for file in split.files().filter(|file| file.level > 0) {
            let place = (format!("{:?}", split.partition_values()), split.bucket(), file.level);
            let range = (key(file.min_key.as_bytes()), key(file.max_key.as_bytes()));
            levels.entry(place).or_default().push(range);
        }
    }
    for (place, mut ranges) in levels {
        ranges.sort_unstable();
        let apart = ranges.windows(2).all(|pair| pair[0].1 < pair[1].0);
        prop_assert!(apart, "bucket {}, level {}: {:?}", place.1, place.2, ranges);
    }
    Ok(())
}

/// A writer that waits for an earlier compaction knows only its own files of a bucket that is new to
/// it: their deletes hide rows of others.
#[test]
fn a_delete_in_a_bucket_that_is_new_to_a_writer_stays() {
    let shape = Shape {
        bucket: "1",
        trigger: 1,
        levels: None,
        small_files: false,
        leaves_memory: None,
        write_only: false,
        up_level_0: true,
    };
    let write = |other, b, id, delete| Step::Write { other, rows: vec![(b, id, delete)] };
    let steps = [
        write(false, false, 0, false),
        write(true, true, 2, false),
        Step::Commit { other: false, wait: false },
        write(false, true, 2, true),
        Step::Commit { other: true, wait: false },
        Step::Commit { other: false, wait: true },
    ];
    assert!(run(check(&shape, &steps, &Pools::new(2))).unwrap() > 0);
}

#[test]
fn any_order_of_writes_and_compactions_reads_like_a_map() {
    let cases = u32::try_from(amount(120, 5_000)).unwrap();
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let pools = Pools::new(2);
    let compacted = std::cell::Cell::new(0);
    let steps = proptest::collection::vec(step(), 1..40);
    let outcome = runner.run(&(shape(), steps), |(shape, steps)| {
        compacted.set(compacted.get() + run(check(&shape, &steps, &pools))?);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    println!("{} compactions in {cases} cases", compacted.get());
    assert!(
        compacted.get() > usize::try_from(cases).unwrap() / 2,
        "{} compactions",
        compacted.get()
    );
}
