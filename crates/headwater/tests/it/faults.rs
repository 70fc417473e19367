//! Disks that fail, replies that get lost, and other writers: errors are typed, nothing is lost,
//! nothing is doubled.

use std::sync::Arc;

use headwater::io::{FileIo, MemoryFileIo, Pools};
use headwater::{Catalog, Datum, Env, Error, ErrorKind, NewTable, Overwrite};
use headwater_testkit::{Fault, FaultyFileIo, Interloper, Operation};

use crate::rows::run;
use crate::small::{
    Change, Row, append, batch, catalog, check_reachable, copy_files, create, env, keyed, name,
    open, read, rows, write,
};

const OLD_USER: &str = "old";
const USER: &str = "job";

/// A warehouse with a table of two commits, and the rows of it.
async fn prepared(definition: &NewTable) -> (Arc<dyn FileIo>, Vec<Row>) {
    let pools = Pools::new(1);
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    create(&io, &env(&pools, 1), definition).await.unwrap();
    let table = open(&io, &env(&pools, 2)).await.unwrap();
    let changes =
        [Change::insert(rows(&["a", "b"], 0..5, "x")), Change::insert(rows(&["a"], 5..9, "y"))];
    let mut all = Vec::new();
    for (id, change) in (1..).zip(&changes) {
        write(&table, OLD_USER, id, change).await.unwrap();
        all = change.apply(&all, !definition.primary_keys.is_empty());
    }
    (io, all)
}

/// A copy of a warehouse behind a file system with faults.
async fn faulty(from: &Arc<dyn FileIo>) -> (Arc<dyn FileIo>, Arc<FaultyFileIo>, Arc<dyn FileIo>) {
    let plain: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    copy_files(from.as_ref(), plain.as_ref()).await;
    let faulty = Arc::new(FaultyFileIo::new(Arc::clone(&plain)));
    let io = Arc::clone(&faulty) as Arc<dyn FileIo>;
    (plain, faulty, io)
}

/// With buckets that are made as keys come.
fn dynamic() -> NewTable {
    keyed("-1").partitioned_by(["dt"]).option("dynamic-bucket.target-row-num", "2")
}

fn kinds_of_tables() -> [NewTable; 3] {
    [keyed("2").partitioned_by(["dt"]), dynamic(), append()]
}

fn change() -> Change {
    Change::insert(rows(&["a", "c"], 3..7, "new"))
}

fn pool_env(seed: u64) -> Env {
    env(&Pools::new(2), seed)
}

async fn plain_rows(io: &Arc<dyn FileIo>) -> Vec<Row> {
    let table = open(io, &pool_env(99)).await.unwrap();
    check_reachable(&table).await;
    read(&table).await.unwrap()
}

#[test]
fn a_commit_whose_reply_is_lost_succeeds_once() {
    run(async {
        for definition in kinds_of_tables() {
            let is_keyed = !definition.primary_keys.is_empty();
            let (before, old) = prepared(&definition).await;
            // Once, and at every publish there ever is.
            for times in [1, 1000] {
                let (plain, faults, io) = faulty(&before).await;
                faults.inject(Operation::Publish, "snapshot-", Fault::LostReply, times);
                let table = open(&io, &pool_env(3)).await.unwrap();
                let mut all = old.clone();
                for id in 1..4 {
                    let done = write(&table, USER, id, &change()).await.unwrap();
                    assert_eq!(done.snapshot_id, Some(id + 2));
                    all = change().apply(&all, is_keyed);
                }
                assert!(faults.fired() >= times.min(3));
                assert_eq!(plain_rows(&plain).await, all);
            }
        }
    });
}

#[test]
fn a_lost_reply_and_a_store_that_stops_answering_is_an_unknown_outcome() {
    run(async {
        let (before, old) = prepared(&keyed("1")).await;
        for fault in [Fault::LostReply, Fault::Error] {
            let (plain, faults, io) = faulty(&before).await;
            faults.inject(Operation::Publish, "snapshot-3", fault, 1);
            let late = Arc::clone(&faults);
            let dying = Interloper::before_publish(&io, "snapshot-3", move || async move {
                for operation in [Operation::Exists, Operation::List, Operation::Read] {
                    late.inject(operation, "", Fault::Error, 1000);
                }
            });
            let table = open(&dying, &pool_env(4)).await.unwrap();
            let error = write(&table, USER, 1, &change()).await.unwrap_err();
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{text}");
            assert_eq!(text.contains("unknown"), fault == Fault::LostReply, "{text}");
            // The advice of the message: ask, and commit again with the same user and identifier.
            let table = open(&plain, &pool_env(5)).await.unwrap();
            let pending = table.filter_committed(USER, &[1]).await.unwrap();
            assert_eq!(pending.is_empty(), fault == Fault::LostReply);
            for id in pending {
                write(&table, USER, id, &change()).await.unwrap();
            }
            assert_eq!(plain_rows(&plain).await, change().apply(&old, true));
        }
    });
}

#[test]
fn a_failed_read_is_an_error_and_never_fewer_rows() {
    run(async {
        let mut faults_seen = 0;
        for definition in kinds_of_tables() {
            let (before, all) = prepared(&definition).await;
            let reads = [
                (Operation::Read, Fault::Error),
                (Operation::Size, Fault::Error),
                (Operation::Exists, Fault::Error),
                (Operation::List, Fault::Error),
                (Operation::Read, Fault::Lie),
            ];
            for (operation, fault) in reads {
                for skip in 0.. {
                    let (_, faults, io) = faulty(&before).await;
                    faults.inject_later(operation, "", fault, (skip, 1));
                    let found = match open(&io, &pool_env(3)).await {
                        Ok(table) => read(&table).await,
                        Err(error) => Err(error),
                    };
                    if faults.fired() == 0 {
                        assert_eq!(found.unwrap(), all);
                        break;
                    }
                    faults_seen += 1;
                    match found {
                        Ok(found) => assert_eq!(found, all, "{operation:?} {fault:?} {skip}"),
                        Err(error) => {
                            let wanted = match fault {
                                Fault::Error => ErrorKind::Unavailable,
                                _ => ErrorKind::Corrupt,
                            };
                            assert_eq!(error.kind(), wanted, "{error}");
                        }
                    }
                    // The next read is fine again.
                    let table = open(&io, &pool_env(4)).await.unwrap();
                    assert_eq!(read(&table).await.unwrap(), all);
                }
            }
        }
        println!("{faults_seen} failed reads");
        assert!(faults_seen > 30, "{faults_seen}");
    });
}

#[test]
fn a_failed_write_shows_nothing_and_can_be_repeated() {
    run(async {
        let mut faults_seen = 0;
        for definition in kinds_of_tables() {
            let is_keyed = !definition.primary_keys.is_empty();
            let (before, old) = prepared(&definition).await;
            let new = change().apply(&old, is_keyed);
            let operations = [
                Operation::Create,
                Operation::Write,
                Operation::Finish,
                Operation::Publish,
                Operation::Overwrite,
                Operation::Read,
                Operation::Exists,
                Operation::List,
            ];
            for operation in operations {
                for fault in [Fault::Error, Fault::LostReply] {
                    for skip in 0.. {
                        let (plain, faults, io) = faulty(&before).await;
                        let table = open(&io, &pool_env(3)).await.unwrap();
                        faults.inject_later(operation, "", fault, (skip, 1));
                        let outcome = write(&table, USER, 1, &change()).await;
                        if faults.fired() == 0 {
                            break;
                        }
                        faults_seen += 1;
                        let context = format!("{operation:?} {fault:?} {skip}: {outcome:?}");
                        // Hints are not needed; a lost reply is found out.
                        let harmless = operation == Operation::Overwrite
                            || (operation, fault) == (Operation::Publish, Fault::LostReply);
                        // The rows are there before their files are compacted.
                        let compacts =
                            outcome.as_ref().is_ok_and(|o| o.compaction.failed.is_some());
                        assert_eq!(outcome.is_ok(), harmless || compacts, "{context}");
                        if let Err(error) = &outcome {
                            assert_eq!(error.kind(), ErrorKind::Unavailable, "{context}");
                            assert_eq!(plain_rows(&plain).await, old, "{context}");
                            write(&table, USER, 1, &change()).await.unwrap();
                        }
                        assert_eq!(plain_rows(&plain).await, new, "{context}");
                    }
                }
            }
        }
        println!("{faults_seen} failed writes");
        assert!(faults_seen > 60, "{faults_seen}");
    });
}

#[test]
fn later_commits_win_for_every_key_that_writers_share() {
    writers_share_keys(keyed("2"));
}

#[test]
fn writers_that_bring_new_keys_share_dynamic_buckets() {
    writers_share_keys(keyed("-1").option("dynamic-bucket.target-row-num", "7"));
}

fn writers_share_keys(definition: NewTable) {
    const WRITERS: i32 = 4;
    const COMMITS: i32 = 8;
    run(async {
        let pools = Pools::new(2);
        let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
        // Small buffers: several files for each commit, which are all numbered anew.
        let definition = definition
            .option("commit.max-retries", "1000")
            .option("commit.min-retry-wait", "1 ms")
            .option("write-buffer-size", "1 b")
            .option("write-buffer-spillable", "false");
        create(&io, &env(&pools, 1), &definition).await.unwrap();
        let writers: Vec<_> = (0..WRITERS)
            .map(|w| {
                let (io, pools) = (Arc::clone(&io), pools.clone());
                pools.clone().spawn(async move {
                    let env = env(&pools, 100 + u64::try_from(w).unwrap());
                    let table = open(&io, &env).await.unwrap();
                    let mut snapshots = Vec::new();
                    for c in 0..COMMITS {
                        let tag = format!("w{w}c{c}");
                        let own = 1000 + w * COMMITS + c;
                        let change = Change {
                            overwrite: Overwrite::None,
                            batches: vec![
                                rows(&["a"], 0..20, &tag),
                                rows(&["a"], 10..30, &tag),
                                rows(&["a"], own..own + 1, &tag),
                            ],
                        };
                        let done = write(&table, &format!("w{w}"), c.into(), &change).await;
                        snapshots.push((done.unwrap().snapshot_id.unwrap(), change));
                    }
                    snapshots
                })
            })
            .collect();
        let mut history = Vec::new();
        for writer in writers {
            history.extend(writer.await.unwrap());
        }
        history.sort_by_key(|(id, _)| *id);
        let ids: Vec<i64> = history.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, (1..=i64::from(WRITERS * COMMITS)).collect::<Vec<_>>());
        let table = open(&io, &env(&pools, 9)).await.unwrap();
        let mut model = Vec::new();
        for (id, change) in &history {
            model = change.apply(&model, true);
            let found = read(&table.at_snapshot(*id).await.unwrap()).await.unwrap();
            assert_eq!(found, model, "snapshot {id}");
        }
        check_reachable(&table).await;
    });
}

/// Commits `change` while `other` is committed between its look at the table and its publish.
async fn race(
    definition: &NewTable,
    change: Change,
    other: Change,
) -> (Result<Option<i64>, Error>, Vec<Row>, Vec<Row>) {
    let (plain, old) = prepared(definition).await;
    let (rival, theirs) = (Arc::clone(&plain), other);
    let io = Interloper::before_publish(&plain, "snapshot-3", move || async move {
        let table = open(&rival, &pool_env(50)).await.unwrap();
        let done = write(&table, "rival", 77, &theirs).await.unwrap();
        assert_eq!(done.snapshot_id, Some(3));
    });
    let table = open(&io, &pool_env(51)).await.unwrap();
    let done = write(&table, USER, 1, &change).await;
    (done.map(|d| d.snapshot_id), old, plain_rows(&plain).await)
}

fn overwrite_a(rows: Vec<Row>) -> Change {
    let a = ("dt".to_owned(), Some(Datum::String("a".into())));
    Change { overwrite: Overwrite::Static(vec![a]), batches: vec![rows] }
}

#[test]
fn racing_commits_end_as_if_one_came_after_the_other() {
    run(async {
        for definition in
            [keyed("1").partitioned_by(["dt"]), dynamic(), append().partitioned_by(["dt"])]
        {
            let is_keyed = !definition.primary_keys.is_empty();
            let ours = || rows(&["a"], 2..6, "ours");
            let theirs = || rows(&["a", "b"], 0..4, "theirs");
            let replace = |rows| Change { overwrite: Overwrite::Dynamic, batches: vec![rows] };
            let pairs = [
                (Change::insert(ours()), Change::insert(theirs())),
                (overwrite_a(ours()), Change::insert(theirs())),
                (Change::insert(ours()), overwrite_a(rows(&["a"], 0..4, "theirs"))),
                (overwrite_a(ours()), overwrite_a(rows(&["a"], 0..4, "theirs"))),
                (replace(ours()), Change::insert(theirs())),
                (replace(ours()), replace(theirs())),
            ];
            for (change, other) in pairs {
                let context = format!("{:?} after {:?}", change.overwrite, other.overwrite);
                let (done, old, found) = race(&definition, change.clone(), other.clone()).await;
                assert_eq!(done.unwrap(), Some(4), "{context}");
                let serial = change.apply(&other.apply(&old, is_keyed), is_keyed);
                assert_eq!(found, serial, "{context}");
            }
        }
    });
}

#[test]
fn an_overwrite_computed_from_the_table_refuses_rows_that_it_has_not_read() {
    run(async {
        let definition = append().partitioned_by(["dt"]);
        for (theirs, conflicts) in [
            (Change::insert(rows(&["a"], 50..51, "theirs")), true),
            (overwrite_a(rows(&["a"], 50..51, "theirs")), true),
            (Change::insert(rows(&["b"], 50..51, "theirs")), false),
        ] {
            let (plain, old) = prepared(&definition).await;
            let (rival, other) = (Arc::clone(&plain), theirs.clone());
            let io = Interloper::before_publish(&plain, "snapshot-3", move || async move {
                let table = open(&rival, &pool_env(50)).await.unwrap();
                write(&table, "rival", 77, &other).await.unwrap();
            });
            let table = open(&io, &pool_env(51)).await.unwrap();
            let ours = overwrite_a(rows(&["a"], 0..2, "ours"));
            let builder = table.new_write().overwrite(ours.overwrite.clone()).computed_from(2);
            let mut write = builder.build().unwrap();
            write.write(&batch(&table, &ours.batches[0])).await.unwrap();
            let done = write.commit(1).await;
            let after_theirs = theirs.apply(&old, false);
            if conflicts {
                let error = done.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                for part in ["snapshot 3", "'rival'", "snapshot 2", "again"] {
                    assert!(error.to_string().contains(part), "{error}");
                }
                assert_eq!(plain_rows(&plain).await, after_theirs);
                assert!(write.commit(2).await.is_err());
            } else {
                assert_eq!(done.unwrap().snapshot_id, Some(4));
                assert_eq!(plain_rows(&plain).await, ours.apply(&after_theirs, false));
                // The next commit would replace the first.
                let more = write.write(&batch(&table, &ours.batches[0])).await;
                assert!(more.unwrap_err().to_string().contains("start a new write"));
                assert!(write.commit(2).await.is_err());
            }
        }
    });
}

#[test]
fn a_commit_that_may_not_try_again_names_its_rival() {
    run(async {
        for (key, value) in [("commit.max-retries", "0"), ("commit.timeout", "0 ms")] {
            let definition = append().option(key, value);
            let other = Change::insert(rows(&["a"], 50..51, "theirs"));
            let (done, old, found) = race(&definition, change(), other.clone()).await;
            let error = done.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            let text = error.to_string();
            for part in ["snapshot 3", "'rival'", "77", key] {
                assert!(text.contains(part), "{text}");
            }
            assert_eq!(found, other.apply(&old, false));
        }
    });
}

#[test]
fn the_pause_before_another_try_is_as_long_as_the_options_say() {
    run(async {
        for (min, max, least, most) in
            [("7 s", "7 s", 7_000, 8_400), ("7 s", "2 s", 2_000, 2_400), ("1 ms", "2 ms", 1, 3)]
        {
            let definition =
                append().option("commit.min-retry-wait", min).option("commit.max-retry-wait", max);
            let (plain, _) = prepared(&definition).await;
            let rival = Arc::clone(&plain);
            let io = Interloper::before_publish(&plain, "snapshot-3", move || async move {
                let table = open(&rival, &pool_env(50)).await.unwrap();
                let theirs = Change::insert(rows(&["a"], 50..51, "theirs"));
                write(&table, "rival", 77, &theirs).await.unwrap();
            });
            let env = pool_env(51);
            let table = open(&io, &env).await.unwrap();
            let before = env.clock.monotonic();
            write(&table, USER, 1, &change()).await.unwrap();
            let waited = (env.clock.monotonic() - before).as_millis();
            assert!((least..=most).contains(&waited), "{min}, {max}: {waited} ms");
        }
    });
}

#[test]
fn wrong_hints_change_nothing() {
    run(async {
        let (before, all) = prepared(&keyed("1")).await;
        let latest = "db.db/t/snapshot/LATEST";
        let hints: [&[u8]; 15] = [
            b"",
            b" ",
            b"1",
            b"0",
            b"-3",
            b"3",
            b"99",
            b"2\n",
            b"garbage",
            b"\xFF\xFE",
            b"1e3",
            b"9223372036854775807",
            b"9223372036854775808",
            b"00000000000000000002",
            &[b'9'; 100_000],
        ];
        for hint in hints.iter().map(Some).chain([None]) {
            let (plain, _, _) = faulty(&before).await;
            match hint {
                Some(hint) => plain.overwrite(latest, hint.to_vec().into()).await.unwrap(),
                None => plain.delete(latest).await.unwrap(),
            }
            plain.overwrite("db.db/t/snapshot/EARLIEST", "junk".into()).await.unwrap();
            // Names that are no snapshots.
            for other in ["snapshot-", "snapshot-x", "snapshot-4.tmp", ".snapshot-9.tmp", "SNAP-7"]
            {
                plain.overwrite(&format!("db.db/t/snapshot/{other}"), "?".into()).await.unwrap();
            }
            let shown = hint.map(|h| String::from_utf8_lossy(&h[..h.len().min(30)]).into_owned());
            let table = open(&plain, &pool_env(3)).await.unwrap();
            assert_eq!(table.snapshot().await.unwrap().unwrap().id, 2, "{shown:?}");
            assert_eq!(read(&table).await.unwrap(), all, "{shown:?}");
            let done = write(&table, USER, 1, &change()).await.unwrap();
            assert_eq!(done.snapshot_id, Some(3), "{shown:?}");
            assert_eq!(plain_rows(&plain).await, change().apply(&all, true), "{shown:?}");
        }
    });
}

#[test]
fn a_table_whose_creation_had_no_reply_is_there_or_can_be_created() {
    run(async {
        for fault in [Fault::Error, Fault::LostReply] {
            let plain: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
            let faults = Arc::new(FaultyFileIo::new(Arc::clone(&plain)));
            let io: Arc<dyn FileIo> = Arc::clone(&faults) as _;
            faults.inject(Operation::Publish, "schema-0", fault, 1);
            let error = create(&io, &pool_env(1), &keyed("1")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            let catalog = catalog(&io, &pool_env(2));
            let new = catalog.create_table(&name(), &keyed("1"), true).await.unwrap();
            assert_eq!(new, fault == Fault::Error);
            assert_eq!(read(&open(&io, &pool_env(3)).await.unwrap()).await.unwrap(), []);
        }
    });
}
