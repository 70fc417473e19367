//! Buckets of a table that come later or change.

use headwater_testkit::require_java;

use crate::warehouse::Warehouse;

const POSTPONED: &str = "WITH ('bucket' = '-2', 'postpone.batch-write-fixed-bucket' = 'false')";

#[tokio::test]
async fn rows_of_postponed_buckets_are_shown_after_a_compaction() {
    let w = Warehouse::unsynced().await;
    w.run(&format!("CREATE TABLE t (id INT, v STRING, PRIMARY KEY (id) NOT ENFORCED) {POSTPONED}"))
        .await;
    let result = w.session.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b')").await.unwrap();
    assert_eq!(result.warnings.len(), 1, "{:?}", result.warnings);
    let said = &result.warnings[0];
    assert!(said.contains("2 rows") && said.contains("CALL sys.compact"), "{said}");
    assert_eq!(w.run("SELECT count(*) FROM t").await, ["0"]);
    let error = w.fails("ALTER TABLE t SET ('bucket' = '2')").await;
    assert!(error.to_string().contains("compact the table first"), "{error}");
    w.run("CALL sys.compact(`table` => 't')").await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|a", "2|b"]);
    // Changes wait as well.
    w.run("UPDATE t SET v = 'c' WHERE id = 1; DELETE FROM t WHERE id = 2").await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|a", "2|b"]);
    // An overwrite that read the table would take them along unread.
    let error = w.fails("INSERT OVERWRITE t SELECT id, upper(v) FROM t").await;
    assert!(error.to_string().contains("rows wait for a compaction"), "{error}");
    w.run("CALL sys.compact('t')").await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|c"]);
    w.run("INSERT OVERWRITE t SELECT id, upper(v) FROM t; CALL sys.compact('t')").await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|C"]);
    w.run("INSERT INTO t VALUES (3, 'x'); TRUNCATE TABLE t; CALL sys.compact('t')").await;
    assert_eq!(w.run("SELECT count(*) FROM t").await, ["0"]);
    w.run("ALTER TABLE t SET ('bucket' = '2'); INSERT INTO t VALUES (4, 'y')").await;
    assert_eq!(w.run("SELECT * FROM t").await, ["4|y"]);
}

#[tokio::test]
async fn rows_of_postponed_buckets_are_shown_at_once_by_default() {
    let w = Warehouse::unsynced().await;
    w.run(
        "CREATE TABLE t (id INT, v STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '-2')",
    )
    .await;
    w.run("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')").await;
    w.run("UPDATE t SET v = 'd' WHERE id = 1; DELETE FROM t WHERE id = 2").await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|d", "3|c"]);
    assert_eq!(w.run("SELECT v FROM t WHERE id = 3").await, ["c"]);
    w.run("INSERT OVERWRITE t SELECT id, upper(v) FROM t").await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|D", "3|C"]);
    w.run("CALL sys.compact('t')").await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|D", "3|C"]);
    if let Some(oracle) = require_java("postponed buckets by default") {
        let path = w.dir.path().join("warehouse/default.db/t");
        assert_eq!(oracle.check(&path), Vec::<String>::new());
        assert_eq!(oracle.read(&path).len(), 2);
    }
}

/// A table of two partitions with two buckets each.
async fn partitioned(w: &Warehouse) {
    w.run(
        "CREATE TABLE t (dt STRING, id INT, v STRING, PRIMARY KEY (dt, id) NOT ENFORCED)
         PARTITIONED BY (dt) WITH ('bucket' = '2')",
    )
    .await;
    w.run("INSERT INTO t VALUES ('a', 1, 'x'), ('a', 2, 'y'), ('b', 1, 'z')").await;
}

async fn buckets(w: &Warehouse) -> Vec<String> {
    w.run(
        "SELECT DISTINCT \"partition\", count(DISTINCT bucket) FROM t$files GROUP BY \"partition\"",
    )
    .await
}

#[tokio::test]
async fn partitions_are_rescaled_in_every_spelling() {
    for (call, partitions, rows) in [
        ("CALL sys.rescale('t', 5)", 2, 3),
        ("CALL sys.rescale(`table` => 't', `bucket_num` => 5, `partition` => 'dt=a')", 1, 2),
        (
            "CALL sys.rescale(table => 'default.t', partitions => 'dt=a;dt=b', bucket_num => 5)",
            2,
            3,
        ),
        ("CALL sys.rescale('t', 5, 'dt=b', NULL, NULL)", 1, 1),
    ] {
        let w = Warehouse::unsynced().await;
        partitioned(&w).await;
        let done = w.run(call).await;
        assert_eq!(done, [format!("success|2|{partitions}|{rows}|5")], "{call}");
        assert_eq!(w.run("SELECT id, v FROM t ORDER BY dt, id").await, ["1|x", "2|y", "1|z"]);
        assert!(!buckets(&w).await.is_empty());
    }
    let w = Warehouse::unsynced().await;
    partitioned(&w).await;
    for (call, words) in [
        ("CALL sys.rescale('t', 0)", "a whole number, 1 or more"),
        ("CALL sys.rescale('t', 'x')", "a whole number, 1 or more"),
        ("CALL sys.rescale('t', 4, sink_parallelism => 4)", "leave it out"),
        ("CALL sys.rescale('t', 4, where => 'dt = 1')", "name the partitions"),
        ("CALL sys.rescale(table => 't', partition => 'dt=a', partitions => 'dt=b')", "give one"),
        ("CALL sys.rescale(table => 't', partition => 'id=1')", "id"),
    ] {
        let error = w.fails(call).await.to_string();
        assert!(error.contains(words), "{call}: {error}");
    }
    assert_eq!(
        w.run("CALL sys.rescale(table => 't', partition => 'dt=none')").await,
        ["no rows to rescale|NULL|0|0|2"]
    );
}

#[tokio::test]
async fn a_table_gets_another_bucket_count_as_the_messages_say() {
    let w = Warehouse::unsynced().await;
    partitioned(&w).await;
    w.run("ALTER TABLE t SET ('bucket' = '4')").await;
    let error = w.fails("INSERT INTO t VALUES ('a', 9, 'n')").await.to_string();
    assert!(error.contains("2 buckets") && error.contains("INSERT OVERWRITE"), "{error}");
    // New partitions have the new count.
    w.run("INSERT INTO t VALUES ('c', 1, 'n')").await;
    w.run("INSERT OVERWRITE t PARTITION (dt = 'a') SELECT id, v FROM t WHERE dt = 'a'").await;
    w.run("INSERT INTO t VALUES ('a', 9, 'n')").await;
    assert!(w.fails("INSERT INTO t VALUES ('b', 9, 'n')").await.to_string().contains("2 buckets"));
    w.run("CALL sys.rescale(table => 't', partition => 'dt=b')").await;
    w.run("INSERT INTO t VALUES ('b', 9, 'n')").await;
    let all = ["a|1|x", "a|2|y", "a|9|n", "b|1|z", "b|9|n", "c|1|n"];
    assert_eq!(w.run("SELECT * FROM t ORDER BY dt, id").await, all);
    if let Some(oracle) = require_java("a table with another bucket count") {
        let path = w.dir.path().join("warehouse/default.db/t");
        assert_eq!(oracle.check(&path), Vec::<String>::new());
        assert_eq!(oracle.read(&path).len(), all.len());
    }
    // A count that differs from the table's is said.
    let result = w.session.execute("CALL sys.rescale('t', 3)").await.unwrap();
    drop(result.output);
    let error = w.fails("INSERT INTO t VALUES ('b', 9, 'n')").await.to_string();
    assert!(error.contains("3 buckets"), "{error}");
    assert_eq!(w.run("SELECT * FROM t ORDER BY dt, id").await, all);
}

#[tokio::test]
async fn what_buckets_depend_on_stays_once_there_is_data() {
    let w = Warehouse::unsynced().await;
    partitioned(&w).await;
    for (change, words) in [
        ("SET ('bucket' = '-1')", "cannot be changed to -1"),
        ("SET ('bucket-key' = 'id')", "cannot be changed"),
        ("SET ('merge-engine' = 'aggregation')", "cannot be changed"),
        ("SET ('primary-key' = 'id')", "primary-key"),
        ("SET ('bucket' = '0')", "number of buckets"),
        ("RESET ('bucket')", "cannot be reset"),
        ("DROP PRIMARY KEY", "make a new table"),
    ] {
        let error = w.fails(&format!("ALTER TABLE t {change}")).await.to_string();
        assert!(error.contains(words), "{change}: {error}");
    }
    // As in Java: a table with fixed buckets may postpone those of new partitions.
    w.run("ALTER TABLE t SET ('bucket' = '-2'); INSERT INTO t VALUES ('a', 3, 'w'), ('d', 1, 'w')")
        .await;
    let all = ["a|1|x", "a|2|y", "a|3|w", "b|1|z", "d|1|w"];
    assert_eq!(w.run("SELECT * FROM t ORDER BY dt, id").await, all);
}
