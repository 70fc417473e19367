//! Bucket counts change partition by partition, and every read and compaction keeps to each one's own.

use headwater::compact::PartitionSpec;
use headwater::{CatalogOptions, Datum, Error, Op, Predicate, SchemaChange, Table};
use headwater_testkit::{TempDir, require_java};
use serde_json::{Value, json};

use crate::rows::{batch, create_with, definition, open_unsynced, run};
use crate::small::partition_types;

const UNSYNCED: CatalogOptions = CatalogOptions { create: true, sync: headwater::SyncMode::Off };

fn make(dir: &TempDir, key: &[&str], more: &[(&str, &str)]) -> Table {
    let options: serde_json::Map<String, Value> =
        more.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let table = definition(&json!({
        "fields": [
            {"name": "p", "type": "STRING NOT NULL"},
            {"name": "k", "type": "INT NOT NULL"},
            {"name": "v", "type": "BIGINT"},
        ],
        "pk": key,
        "partition": ["p"],
        "options": options,
    }));
    run(create_with(dir.path(), "t", &table, UNSYNCED)).unwrap();
    open_unsynced(&dir.join("golden.db/t"))
}

fn rows(partition: &str, keys: std::ops::Range<i64>, value: i64) -> Vec<Value> {
    let row = |key| json!({"kind": "+I", "row": {"p": partition, "k": key, "v": value}});
    keys.map(row).collect()
}

fn write(table: &Table, rows: &[Value]) -> Result<headwater::CommitOutcome, Error> {
    let (batch, kinds) = batch(table, rows);
    run(async {
        let mut write = table.new_write().build()?;
        write.write_kinds(&batch, Some(&kinds)).await?;
        write.commit_batch().await
    })
}

fn lines(table: &Table) -> Vec<String> {
    run(crate::rows::lines(table)).unwrap()
}

fn partition(name: &str) -> PartitionSpec {
    vec![("p".to_owned(), Some(Datum::String(name.into())))]
}

/// The bucket counts of a partition's files.
fn counts(table: &Table, name: &str) -> Vec<i32> {
    let entries = run(async {
        let snapshot = table.snapshot().await?.unwrap();
        let types = partition_types(table);
        let filter = headwater::plan::EntryFilter {
            partition: Some(Predicate::leaf(0, Op::Eq, [Datum::String(name.into())])),
            ..Default::default()
        };
        Ok::<_, Error>(table.store().live_entries(&snapshot, &types, &filter).await?.0)
    })
    .unwrap();
    let mut counts: Vec<_> = entries.iter().map(|entry| entry.total_buckets).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

fn agrees_with_java(table: &Table, dir: &TempDir) {
    if let Some(oracle) = require_java("bucket counts that change") {
        let path = dir.join("golden.db/t");
        oracle.assert_agrees(&path, &lines(table));
        assert_eq!(oracle.check(&path), Vec::<String>::new());
    }
}

/// Reads one key by its bucket.
fn by_key(table: &Table, key: i32) -> usize {
    run(async {
        let filter = Predicate::And(vec![
            Predicate::leaf(0, Op::Eq, [Datum::String("a".into())]),
            Predicate::leaf(1, Op::Eq, [Datum::Int(key)]),
        ]);
        let read = table.new_read().filter(filter)?;
        let batches = read.collect().await?;
        let mut rows = 0;
        for batch in batches {
            let keys = batch.column(1).as_any().downcast_ref::<arrow::array::Int32Array>();
            rows += keys.unwrap().values().iter().filter(|k| **k == key).count();
        }
        Ok::<_, Error>(rows)
    })
    .unwrap()
}

#[test]
fn partitions_get_other_bucket_counts_and_stay_readable() {
    for key in [&["p", "k"][..], &[]] {
        let dir = TempDir::new();
        let more: &[_] = if key.is_empty() {
            &[("bucket", "2"), ("bucket-key", "k")]
        } else {
            &[("bucket", "2")]
        };
        let table = make(&dir, key, more);
        write(&table, &[rows("a", 0..40, 1), rows("b", 0..40, 1)].concat()).unwrap();
        write(&table, &rows("a", 40..60, 2)).unwrap();
        let before = lines(&table);
        let done =
            run(table.new_rescale().buckets(5).partitions(vec![partition("a")]).run()).unwrap();
        assert_eq!((done.rows, done.partitions, done.buckets), (60, 1, 5));
        assert_eq!(lines(&table), before);
        assert_eq!((counts(&table, "a"), counts(&table, "b")), (vec![5], vec![2]));
        for key in 0..60 {
            assert_eq!(by_key(&table, key), 1, "key {key}");
        }
        agrees_with_java(&table, &dir);
        // The option is as it was: writes into the partition say what to do.
        let refused = write(&table, &rows("a", 0..1, 3)).unwrap_err().to_string();
        assert!(refused.contains("5 buckets") && refused.contains("sys.rescale"), "{refused}");
        write(&table, &rows("b", 100..101, 3)).unwrap();
        // Compactions of both keep the counts.
        run(table.new_compaction().full(true).run()).unwrap();
        assert_eq!((counts(&table, "a"), counts(&table, "b")), (vec![5], vec![2]));
        agrees_with_java(&table, &dir);
        let change = SchemaChange::SetOption { key: "bucket".into(), value: "5".into() };
        let catalog = run(headwater::open_catalog_with(
            dir.path().to_str().unwrap(),
            UNSYNCED,
            table.env().clone(),
        ))
        .unwrap();
        let id = headwater::Identifier::new("golden", "t");
        run(headwater::alter_table(&catalog, &id, &[change])).unwrap();
        let table = open_unsynced(&dir.join("golden.db/t"));
        write(&table, &rows("a", 200..201, 4)).unwrap();
        let refused = write(&table, &rows("b", 0..1, 4)).unwrap_err().to_string();
        assert!(refused.contains("2 buckets"), "{refused}");
        // Without a number it is the table's.
        run(table.new_rescale().run()).unwrap();
        assert_eq!((counts(&table, "a"), counts(&table, "b")), (vec![5], vec![5]));
        write(&table, &rows("b", 201..202, 4)).unwrap();
        agrees_with_java(&table, &dir);
    }
}

#[test]
fn postponed_tables_get_their_counts_by_partition_and_keep_what_waits() {
    let dir = TempDir::new();
    let table = make(
        &dir,
        &["p", "k"],
        &[("bucket", "-2"), ("postpone.batch-write-fixed-bucket", "false")],
    );
    write(&table, &rows("a", 0..30, 1)).unwrap();
    run(table.new_compaction().run()).unwrap();
    write(&table, &rows("a", 20..40, 2)).unwrap();
    let refused = run(table.new_rescale().run()).unwrap_err().to_string();
    assert!(refused.contains("how many buckets"), "{refused}");
    run(table.new_rescale().buckets(4).run()).unwrap();
    assert_eq!(counts(&table, "a"), vec![-2, 4]);
    assert_eq!(lines(&table).len(), 30);
    agrees_with_java(&table, &dir);
    run(table.new_compaction().run()).unwrap();
    assert_eq!(counts(&table, "a"), vec![4]);
    assert_eq!(lines(&table).len(), 40);
    agrees_with_java(&table, &dir);
}

#[test]
fn a_commit_in_between_makes_a_rescale_a_conflict() {
    let dir = TempDir::new();
    let table = make(&dir, &["p", "k"], &[("bucket", "2")]);
    write(&table, &rows("a", 0..2000, 1)).unwrap();
    let mut conflicts = 0;
    for round in 0..8 {
        let (arrow, kinds) = batch(&table, &rows("a", 0..1, 10 + round));
        let fresh = open_unsynced(&dir.join("golden.db/t"));
        let (rescaled, wrote) = run(async {
            let writer = async {
                let mut write = fresh.new_write().build()?;
                write.write_kinds(&arrow, Some(&kinds)).await?;
                write.commit_batch().await
            };
            Ok::<_, Error>(tokio::join!(table.new_rescale().buckets(2).run(), writer))
        })
        .unwrap();
        if let Err(error) = rescaled {
            assert!(error.to_string().contains("changed rows"), "{error}");
            conflicts += 1;
        }
        let kept = lines(&table);
        assert_eq!(kept.len(), 2000);
        if wrote.is_ok() {
            let value = format!("\"k\":0,\"v\":{}", 10 + round);
            assert!(kept.iter().any(|line| line.contains(&value)), "the write is lost");
        }
    }
    println!("{conflicts} conflicts");
}

#[test]
fn tables_without_counts_are_not_rescaled() {
    let dir = TempDir::new();
    let table = make(&dir, &["p", "k"], &[("bucket", "-1")]);
    let refused = run(table.new_rescale().buckets(4).run()).unwrap_err().to_string();
    assert!(refused.contains("fixed number of buckets"), "{refused}");
    let dir = TempDir::new();
    let table = make(&dir, &["p", "k"], &[("bucket", "2")]);
    assert_eq!(run(table.new_rescale().buckets(4).run()).unwrap().snapshot_id, None);
    let refused = run(table.new_rescale().buckets(0).run()).unwrap_err().to_string();
    assert!(refused.contains("1 or more"), "{refused}");
}
