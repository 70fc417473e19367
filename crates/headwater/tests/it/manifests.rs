//! Manifests stay few, by themselves and on demand.

use std::sync::Arc;

use headwater::io::{FileIo, MemoryFileIo, Pools};
use headwater::spec::CommitKind;
use headwater::spec::manifest::EntryKind;
use headwater::{NewTable, Overwrite, Table};
use headwater_testkit::{
    CountingFileIo, Counts, Fault, FaultyFileIo, Interloper, Operation, TempDir, amount,
    require_java,
};

use crate::rows::{definition, lines, open_unsynced, run};
use crate::small::{
    Change, append, batch, check_reachable, create, env, keyed, open, read, rows, write,
};

/// Manifests of the newest snapshot, and their entries.
async fn manifests(table: &Table) -> (usize, usize) {
    let store = table.store();
    let snapshot = store.latest_snapshot().await.unwrap().unwrap();
    let metas = store.manifests_of(&snapshot).await.unwrap();
    let entries: i64 = metas.iter().map(|m| m.num_added_files + m.num_deleted_files).sum();
    (metas.len(), usize::try_from(entries).unwrap())
}

/// A warehouse in memory with a table that nobody compacts.
async fn warehouse(definition: NewTable) -> Arc<dyn FileIo> {
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    create(&io, &env(&Pools::new(1), 1), &definition.option("write-only", "true")).await.unwrap();
    io
}

/// Commits that add and replace, so that manifests hold pairs of additions and removals.
async fn some_commits(io: &Arc<dyn FileIo>) -> Table {
    let table = open(io, &env(&Pools::new(1), 2)).await.unwrap();
    for (id, tag) in (1..).zip(["u", "v", "w", "x"]) {
        write(&table, "old", id, &Change::insert(rows(&["a", "b"], 0..4, tag))).await.unwrap();
    }
    let replaced =
        Change { overwrite: Overwrite::Dynamic, ..Change::insert(rows(&["a"], 0..2, "y")) };
    write(&table, "old", 5, &replaced).await.unwrap();
    table
}

#[test]
fn merging_drops_pairs_and_is_done_once() {
    run(async {
        for definition in [keyed("2").partitioned_by(["dt"]), append().partitioned_by(["dt"])] {
            let io = warehouse(definition).await;
            let table = some_commits(&io).await;
            let (rows_before, before) = (read(&table).await.unwrap(), manifests(&table).await);
            let old = table.store().latest_snapshot().await.unwrap().unwrap();
            let live = table.partitions().await.unwrap().iter().map(|p| p.file_count).sum::<i64>();

            let done = table.compact_manifests().await.unwrap();
            assert_eq!((done.snapshot_id, done.manifests), (Some(6), 1));
            let after = manifests(&table).await;
            assert!(before.0 == 5 && before.1 > after.1, "{before:?} {after:?}");
            assert_eq!(after, (1, usize::try_from(live).unwrap()));

            let new = table.store().snapshot(6).await.unwrap();
            assert_eq!(new.commit_kind, CommitKind::Compact);
            assert_eq!(new.delta_record_count, 0);
            assert_eq!(new.total_record_count, old.total_record_count);
            assert_eq!(
                (new.schema_id, new.watermark, &new.index_manifest, new.next_row_id),
                (old.schema_id, old.watermark, &old.index_manifest, old.next_row_id)
            );
            let delta = &new.delta_manifest_list;
            let delta =
                table.store().manifest_list(delta, new.delta_manifest_list_size, "test").await;
            assert_eq!(delta.unwrap(), []);
            assert_eq!(read(&table).await.unwrap(), rows_before);
            check_reachable(&table).await;

            // Nothing is left to do, and nothing is left behind.
            let files = crate::small::files_below(io.as_ref(), "").await.len();
            let again = table.compact_manifests().await.unwrap();
            assert_eq!((again.snapshot_id, again.manifests), (None, 1));
            assert_eq!(crate::small::files_below(io.as_ref(), "").await.len(), files);
            assert_eq!(table.store().latest_snapshot_id().await.unwrap(), Some(6));
        }
    });
}

#[test]
fn a_table_without_rows_has_nothing_to_merge() {
    run(async {
        let io = warehouse(keyed("1")).await;
        let table = open(&io, &env(&Pools::new(1), 2)).await.unwrap();
        let done = table.compact_manifests().await.unwrap();
        assert_eq!((done.snapshot_id, done.manifests), (None, 0));
        write(&table, "u", 1, &Change::insert(rows(&["a"], 0..2, "x"))).await.unwrap();
        assert_eq!(table.compact_manifests().await.unwrap().snapshot_id, None);
    });
}

#[test]
fn manifests_are_as_few_as_the_target_size_allows() {
    run(async {
        let definition = append().option("manifest.target-file-size", "1 b");
        let io = warehouse(definition).await;
        let table = some_commits(&io).await;
        let (count, _) = manifests(&table).await;
        // Each is larger than the target: only the removals of the overwrite are a reason to merge.
        let done = table.compact_manifests().await.unwrap();
        assert!(done.manifests < count, "{done:?} of {count}");
        let done = table.compact_manifests().await.unwrap();
        assert_eq!(done.snapshot_id, None);
    });
}

#[test]
fn a_lost_race_is_merged_again_with_the_winner() {
    run(async {
        let io = warehouse(keyed("1")).await;
        let table = some_commits(&io).await;
        let old = read(&table).await.unwrap();
        let change = Change::insert(rows(&["a", "c"], 0..3, "late"));
        let (winner, late) = (Arc::clone(&io), change.clone());
        let racing = Interloper::before_publish(&io, "snapshot-6", move || async move {
            let table = open(&winner, &env(&Pools::new(1), 7)).await.unwrap();
            write(&table, "winner", 1, &late).await.unwrap();
        });
        let table = open(&racing, &env(&Pools::new(1), 8)).await.unwrap();
        let done = table.compact_manifests().await.unwrap();
        assert_eq!((done.snapshot_id, done.manifests), (Some(7), 1));
        assert_eq!(read(&table).await.unwrap(), change.apply(&old, true));
        check_reachable(&table).await;
    });
}

#[test]
fn a_lost_reply_counts_once() {
    run(async {
        let io = warehouse(keyed("1")).await;
        let old = read(&some_commits(&io).await).await.unwrap();
        let faults = Arc::new(FaultyFileIo::new(Arc::clone(&io)));
        faults.inject(Operation::Publish, "snapshot-", Fault::LostReply, 1);
        let faulty = Arc::clone(&faults) as Arc<dyn FileIo>;
        let table = open(&faulty, &env(&Pools::new(1), 8)).await.unwrap();
        let done = table.compact_manifests().await.unwrap();
        assert_eq!((faults.fired(), done.snapshot_id), (1, Some(6)));
        assert_eq!(table.store().latest_snapshot_id().await.unwrap(), Some(6));
        assert_eq!(read(&table).await.unwrap(), old);
    });
}

#[test]
fn java_reads_tables_whose_manifests_were_merged() {
    let test = "java_reads_tables_whose_manifests_were_merged";
    let Some(oracle) = require_java(test) else { return };
    let create = |pk: &[&str], bucket: &str| {
        definition(&serde_json::json!({
            "fields": [{"name": "dt", "type": "STRING"}, {"name": "id", "type": "INT"},
                       {"name": "v", "type": "STRING"}],
            "pk": pk, "partition": ["dt"], "options": {"bucket": bucket, "write-only": "true"},
        }))
    };
    for definition in [create(&["dt", "id"], "2"), create(&[], "-1")] {
        let warehouse = TempDir::new();
        run(crate::rows::create(warehouse.path(), "t", &definition)).unwrap();
        let dir = warehouse.join("golden.db/t");
        let table = open_unsynced(&dir);
        let keyed = table.has_primary_key();
        run(async {
            for (id, tag) in (1..).zip(["u", "v", "w"]) {
                let change = Change::insert(rows(&["a", "b"], 0..4, tag));
                write(&table, "we", id, &change).await.unwrap();
            }
            let replaced =
                Change { overwrite: Overwrite::Dynamic, ..Change::insert(rows(&["a"], 0..2, "y")) };
            write(&table, "we", 4, &replaced).await.unwrap();
        });
        assert!(run(table.compact_manifests()).unwrap().snapshot_id.is_some());
        oracle.assert_agrees(&dir, &run(lines(&table)).unwrap());
        // Java finds nothing left to merge, and both go on from there.
        let newest = run(table.store().latest_snapshot_id()).unwrap();
        oracle.done("compact_manifests", &dir, &serde_json::json!({}));
        assert_eq!(run(table.store().latest_snapshot_id()).unwrap(), newest, "keyed: {keyed}");
        oracle.commit(&dir, &[serde_json::json!({"dt": "b", "id": 1, "v": "java"})]);
        run(write(&table, "we", 5, &Change::insert(rows(&["a", "c"], 1..3, "z")))).unwrap();
        assert_eq!(run(table.compact_manifests()).unwrap().manifests, 1);
        oracle.assert_agrees(&dir, &run(lines(&table)).unwrap());
    }
}

/// Who commits the small commits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Writers {
    /// One that stays open.
    One,
    /// A new one for each, as statements of SQL are.
    New,
}

/// What commits around the 100th and up to the 1,000th cost, and the most manifests that a snapshot
/// had. Every 29th commit merges manifests: a cost is that of 29 commits.
async fn thousand(definition: NewTable, writers: Writers) -> (Counts, Counts, usize) {
    let memory: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    let counting = Arc::new(CountingFileIo::new(memory));
    let io = Arc::clone(&counting) as Arc<dyn FileIo>;
    let pools = Pools::new(1);
    create(&io, &env(&pools, 1), &definition).await.unwrap();
    let table = open(&io, &env(&pools, 2)).await.unwrap();
    let (mut most, mut costs) = (0, Vec::new());
    let mut open = None;
    for id in 1..=1_000_i64 {
        let mut writer = match open.take() {
            Some(writer) if writers == Writers::One => writer,
            _ => table.new_write().commit_user("u").build().unwrap(),
        };
        let key = i32::try_from(id % 50).unwrap();
        counting.take();
        writer.write(&batch(&table, &rows(&["a"], key..key + 2, "v"))).await.unwrap();
        writer.commit_waiting(id).await.unwrap();
        costs.push(counting.take());
        open = Some(writer);
        most = most.max(manifests(&table).await.0);
    }
    let up_to = |end: usize| {
        let mut all = Counts::default();
        for cost in &costs[end - 29..end] {
            all.add(cost);
        }
        all
    };
    (up_to(100), up_to(1_000), most)
}

#[test]
fn a_thousand_small_commits_leave_few_manifests_and_do_not_grow_dearer() {
    run(async {
        let write_only = |definition: NewTable| definition.option("write-only", "true");
        let all = [
            (keyed("1"), Writers::New),
            (keyed("1"), Writers::One),
            (append(), Writers::New),
            (append(), Writers::One),
            (write_only(keyed("1")), Writers::New),
            (write_only(keyed("1")), Writers::One),
            (write_only(append()), Writers::New),
        ];
        for (definition, writers) in all.into_iter().take(amount(1, 7)) {
            let (early, late, most) = thousand(definition.clone(), writers).await;
            let place =
                format!("{:?} {:?}, {writers:?}", definition.options, definition.primary_keys);
            println!("{place}: at most {most} manifests");
            println!("  up to   100: {} operations, {early:?}", early.total());
            println!("  up to 1,000: {} operations, {late:?}", late.total());
            // As many as are merged at once, and what the last commit brought.
            assert!(most <= 31, "{place}: {most} manifests");
            assert!(2 * late.total() <= 3 * early.total(), "{place}");
            // Who compacts nothing has ever more files, and each has its entry.
            if definition.options.iter().all(|(key, _)| key != "write-only") {
                assert!(2 * late.bytes_read <= 3 * early.bytes_read, "{place}");
                assert!(2 * late.bytes_written <= 3 * early.bytes_written, "{place}");
            }
        }
    });
}

#[test]
fn entries_of_merged_manifests_are_all_additions() {
    run(async {
        let io = warehouse(keyed("2").partitioned_by(["dt"])).await;
        let table = some_commits(&io).await;
        table.compact_manifests().await.unwrap();
        let snapshot = table.store().latest_snapshot().await.unwrap().unwrap();
        for meta in table.store().manifests_of(&snapshot).await.unwrap() {
            let entries = table.store().manifest(&meta).await.unwrap();
            assert!(entries.iter().all(|entry| entry.kind == EntryKind::Add));
        }
    });
}
