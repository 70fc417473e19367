//! Tables whose primary key lacks a partition column: statements move rows between partitions.

use crate::warehouse::Warehouse;

#[tokio::test]
async fn statements_move_rows_between_partitions() {
    let w = Warehouse::unsynced().await;
    w.run(
        "CREATE TABLE t (id INT, dt STRING, v STRING, PRIMARY KEY (id) NOT ENFORCED)
            PARTITIONED BY (dt) WITH ('dynamic-bucket.target-row-num' = '3');
         INSERT INTO t SELECT CAST(value AS INT), 'x', 'a' FROM generate_series(1, 10);
         INSERT INTO t VALUES (3, 'y', 'b'), (11, 'x', 'c'), (3, 'z', 'd'), (4, 'y', 'e')",
    )
    .await;
    let rows = w.run("SELECT id, dt, v FROM t WHERE dt <> 'x' ORDER BY id").await;
    assert_eq!(rows, ["3|z|d", "4|y|e"]);
    assert_eq!(w.run("SELECT count(*), count(DISTINCT id) FROM t").await, ["11|11"]);
    w.run(
        "UPDATE t SET dt = 'moved', v = 'f' WHERE id > 9;
         UPDATE t SET v = 'g' WHERE dt = 'y';
         DELETE FROM t WHERE id < 3;
         MERGE INTO t USING (VALUES (8, 'm'), (9, 'x'), (20, 'n')) AS s (id, p) ON t.id = s.id
            WHEN MATCHED AND s.id = 9 THEN DELETE
            WHEN MATCHED THEN UPDATE SET dt = s.p, v = 'h'
            WHEN NOT MATCHED THEN INSERT (id, dt, v) VALUES (s.id, s.p, 'i')",
    )
    .await;
    let rows = w.run("SELECT id, dt, v FROM t ORDER BY id").await;
    assert_eq!(
        rows,
        [
            "3|z|d",
            "4|y|g",
            "5|x|a",
            "6|x|a",
            "7|x|a",
            "8|m|h",
            "10|moved|f",
            "11|moved|f",
            "20|n|i"
        ]
    );
    let error = w.fails("UPDATE t SET id = id + 1").await.to_string();
    assert!(error.contains("primary key"), "{error}");
    let error = w.fails("INSERT OVERWRITE t PARTITION (dt = 'y') VALUES (5, 'j')").await;
    assert!(error.to_string().contains("lives in partition dt=x"), "{error}");
    w.run("INSERT OVERWRITE t PARTITION (dt = 'y') VALUES (4, 'k'), (30, 'k')").await;
    assert_eq!(w.run("SELECT id FROM t WHERE dt = 'y' ORDER BY id").await, ["4", "30"]);
    // A deleted key may come back anywhere.
    w.run("INSERT INTO t VALUES (1, 'back', 'l'); DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 'x', 'n')")
        .await;
    assert_eq!(w.run("SELECT dt, v FROM t WHERE id = 1").await, ["x|n"]);
    w.run("CALL sys.compact('default.t')").await;
    assert_eq!(w.run("SELECT count(*), count(DISTINCT id) FROM t").await, ["11|11"]);
}

#[tokio::test]
async fn rows_of_other_engines_stay_where_their_key_is() {
    let w = Warehouse::unsynced().await;
    w.run(
        "CREATE TABLE t (id INT, dt STRING, v STRING, PRIMARY KEY (id) NOT ENFORCED)
            PARTITIONED BY (dt) WITH ('merge-engine' = 'partial-update',
                'partial-update.remove-record-on-delete' = 'true');
         INSERT INTO t VALUES (1, 'x', 'a'), (2, 'x', 'a');
         INSERT INTO t VALUES (1, 'y', 'b'), (3, 'y', 'b')",
    )
    .await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|x|b", "2|x|a", "3|y|b"]);
    let error = w.fails("UPDATE t SET dt = 'z' WHERE id = 1").await.to_string();
    assert!(error.contains("stays in the partition"), "{error}");
    w.run("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 'z', 'c'); UPDATE t SET v = 'd' WHERE id = 3")
        .await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|z|c", "2|x|a", "3|y|d"]);
    let error = w
        .fails(
            "CREATE TABLE s (id INT, dt STRING, v INT, PRIMARY KEY (id) NOT ENFORCED)
                PARTITIONED BY (dt) WITH ('sequence.field' = 'v')",
        )
        .await;
    assert!(error.to_string().contains("sequence.field"), "{error}");
}
