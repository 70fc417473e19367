//! INSERT INTO, INSERT OVERWRITE, and everything that they refuse.

use headwater::ErrorKind;

use crate::warehouse::Warehouse;

#[tokio::test]
async fn later_rows_of_a_key_replace_earlier_ones() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id INT, v STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '2');
         INSERT INTO t VALUES (1, 'a'), (2, 'b'), (1, 'c');
         INSERT INTO t VALUES (3, 'd'), (2, NULL)",
    )
    .await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|c", "2|NULL", "3|d"]);
    assert_eq!(w.run("SELECT count(*), count(v) FROM t").await, ["3|2"]);
    assert_eq!(w.run("SELECT v FROM t WHERE id = 3").await, ["d"]);
}

#[tokio::test]
async fn a_key_needs_no_bucket_option() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id INT, dt STRING, v STRING, PRIMARY KEY (dt, id) NOT ENFORCED)
            PARTITIONED BY (dt) WITH ('dynamic-bucket.target-row-num' = '3');
         INSERT INTO t SELECT CAST(value AS INT), 'x', 'a' FROM generate_series(1, 10);
         INSERT INTO t VALUES (3, 'x', 'b'), (11, 'x', 'c'), (3, 'y', 'd')",
    )
    .await;
    assert_eq!(w.run("SELECT v FROM t WHERE id = 3 ORDER BY dt").await, ["b", "d"]);
    assert_eq!(w.run("SELECT count(*), count(DISTINCT id) FROM t WHERE dt = 'x'").await, ["11|11"]);
    assert_eq!(w.run("SELECT count(DISTINCT bucket) FROM t$files").await, ["4"]);
    w.run(
        "UPDATE t SET v = 'e' WHERE id > 9;
         DELETE FROM t WHERE id < 3;
         MERGE INTO t USING (VALUES (9, 'm'), (12, 'm')) AS s (id, v) ON t.id = s.id AND t.dt = 'x'
            WHEN MATCHED THEN UPDATE SET v = s.v
            WHEN NOT MATCHED THEN INSERT (id, dt, v) VALUES (s.id, 'x', s.v)",
    )
    .await;
    let rows = w.run("SELECT id, v FROM t WHERE dt = 'x' ORDER BY id").await;
    assert_eq!(rows, ["3|b", "4|a", "5|a", "6|a", "7|a", "8|a", "9|m", "10|e", "11|e", "12|m"]);
    w.run("INSERT OVERWRITE t VALUES (5, 'x', 'o'); INSERT INTO t VALUES (5, 'x', 'p')").await;
    assert_eq!(w.run("SELECT dt, id, v FROM t ORDER BY dt").await, ["x|5|p", "y|3|d"]);
    let error = w.fails("ALTER TABLE t SET ('bucket' = '4')").await;
    assert!(error.to_string().contains("INSERT INTO it"), "{error}");
    let error = w.fails("ALTER TABLE t SET ('dynamic-bucket' = 'true')").await;
    assert!(error.to_string().contains("set 'bucket' = '-1' instead"), "{error}");
    w.run("CREATE TABLE c (id INT, dt STRING, PRIMARY KEY (id) NOT ENFORCED) PARTITIONED BY (dt)")
        .await;
    assert_eq!(w.run("INSERT INTO c VALUES (1, 'x'), (2, 'x'), (1, 'y')").await, ["3 rows"]);
    assert_eq!(w.run("SELECT * FROM c ORDER BY id").await, ["1|y", "2|x"]);
}

#[tokio::test]
async fn append_tables_keep_every_row() {
    let w = Warehouse::new().await;
    w.run("CREATE TABLE t (id INT, v STRING); INSERT INTO t VALUES (1, 'a'), (1, 'a')").await;
    assert_eq!(w.run("INSERT INTO t SELECT id + 1, upper(v) FROM t").await, ["2 rows"]);
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["1|a", "1|a", "2|A", "2|A"]);
    assert_eq!(w.run("INSERT INTO t SELECT * FROM t WHERE false").await, ["0 rows"]);
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_written() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (a BOOLEAN, b TINYINT, c SMALLINT, d INT, e BIGINT, f FLOAT, g DOUBLE,
            h DECIMAL(38, 10), i CHAR(3), j VARCHAR(5), k STRING, l BINARY(2), m BYTES, n DATE,
            o TIME(3), p TIMESTAMP(0), q TIMESTAMP(3), r TIMESTAMP(6), s TIMESTAMP(9),
            t TIMESTAMP_LTZ(3), u ARRAY<INT>, v MAP<STRING, INT>, w ROW<x INT, y STRING>)",
    )
    .await;
    w.run(
        "INSERT INTO t VALUES (true, -128, 32767, -2147483648, 9223372036854775807, 1.5, 1e300,
            1234567890123456789012345678.0123456789, 'abc', '你好🚚', 'it''s', X'00ff', X'',
            DATE '2024-02-29', '12:30:00.123', '2024-01-01 00:00:01.9', '1969-12-31 23:59:59.999',
            '2024-01-01 00:00:00.123456', '2024-01-01 00:00:00.123456789', '2024-01-01 00:00:00',
            [1, NULL], MAP {'k': 1}, named_struct('x', 1, 'y', NULL))",
    )
    .await;
    w.run("INSERT INTO t (a) VALUES (NULL)").await;
    let rows = w.run("SELECT * FROM t ORDER BY a NULLS LAST").await;
    assert_eq!(
        rows[0],
        "true|-128|32767|-2147483648|9223372036854775807|1.5|1e300|\
         1234567890123456789012345678.0123456789|abc|你好🚚|it's|00ff||2024-02-29|12:30:00.123|\
         2024-01-01T00:00:01|1969-12-31T23:59:59.999|2024-01-01T00:00:00.123456|\
         2024-01-01T00:00:00.123456789|2024-01-01T00:00:00Z|[1, NULL]|{k: 1}|{x: 1, y: NULL}"
    );
    assert_eq!(rows[1], ["NULL"; 23].join("|"));
}

#[tokio::test]
async fn columns_can_be_named_and_left_out() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id INT NOT NULL, v STRING DEFAULT 'none', n INT);
         INSERT INTO t (n, id) VALUES (7, 1)",
    )
    .await;
    assert_eq!(w.run("SELECT * FROM t").await, ["1|none|7"]);
    for (sql, reason) in [
        ("INSERT INTO t (n) VALUES (1)", "'id' is NOT NULL"),
        ("INSERT INTO t (x) VALUES (1)", "no column 'x'"),
        ("INSERT INTO t (id, id) VALUES (1, 1)", "named twice"),
        ("INSERT INTO t (id, n) VALUES (1)", "gives 1 columns, but 2"),
        ("INSERT INTO t VALUES (1, 'a')", "id, v, n"),
    ] {
        let error = w.fails(sql).await;
        assert!(error.to_string().contains(reason), "{sql}: {error}");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn values_that_do_not_fit_are_refused_and_nothing_is_written() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id INT, short VARCHAR(3), raw BINARY(2), small TINYINT, must INT NOT NULL,
            price DECIMAL(5, 2), PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1')",
    )
    .await;
    for (values, column) in [
        ("(1, 'abcd', NULL, 1, 1, 1)", "short"),
        ("(1, '你好🚚!', NULL, 1, 1, 1)", "short"),
        ("(1, 'abc', X'010203', 1, 1, 1)", "raw"),
        ("(1, 'abc', NULL, 128, 1, 1)", "small"),
        ("(1, 'abc', NULL, 1, NULL, 1)", "must"),
        ("(NULL, 'abc', NULL, 1, 1, 1)", "id"),
        ("(1, 'abc', NULL, 1, 1, 1234.5)", "price"),
        ("(1, 'abc', NULL, 'x', 1, 1)", "small"),
        ("(1, 'abc', NULL, true, 1, 1)", "small"),
    ] {
        let error = w.fails(&format!("INSERT INTO t VALUES {values}")).await;
        assert!(error.to_string().contains(&format!("'{column}'")), "{values}: {error}");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{values}: {error}");
    }
    assert_eq!(w.run("SELECT count(*) FROM t").await, ["0"]);
    w.run("INSERT INTO t VALUES (1, '你好🚚', X'0102', -128, 1, 999.99)").await;
    assert_eq!(w.run("SELECT short FROM t").await, ["你好🚚"]);
}

#[tokio::test]
async fn overwrite_replaces_the_touched_partitions() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id INT, dt STRING, h INT) PARTITIONED BY (dt, h);
         INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 1);
         INSERT OVERWRITE t VALUES (10, 'a', 1)",
    )
    .await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["2|a|2", "3|b|1", "10|a|1"]);
    w.run("INSERT OVERWRITE t PARTITION (dt = 'b', h = 1) SELECT 30").await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["2|a|2", "10|a|1", "30|b|1"]);
    w.run("INSERT INTO t PARTITION (dt = 'c') VALUES (4, 9)").await;
    assert_eq!(w.run("SELECT * FROM t WHERE dt = 'c'").await, ["4|c|9"]);
    let error = w.fails("INSERT OVERWRITE t PARTITION (id = 1) SELECT 'x', 1").await;
    assert!(error.to_string().contains("'id' is no partition column"), "{error}");
}

#[tokio::test]
async fn static_overwrite_replaces_the_named_partition_or_the_table() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id INT, dt STRING, h INT) PARTITIONED BY (dt, h)
            WITH ('dynamic-partition-overwrite' = 'false');
         INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 1);
         INSERT OVERWRITE t PARTITION (dt = 'a') VALUES (10, 1)",
    )
    .await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["3|b|1", "10|a|1"]);
    w.run("INSERT OVERWRITE t VALUES (7, 'x', 7)").await;
    assert_eq!(w.run("SELECT * FROM t").await, ["7|x|7"]);

    w.run("CREATE TABLE u (id INT); INSERT INTO u VALUES (1), (2); INSERT OVERWRITE u VALUES (3)")
        .await;
    assert_eq!(w.run("SELECT * FROM u").await, ["3"]);
    w.run("INSERT OVERWRITE u SELECT id + 1 FROM u").await;
    assert_eq!(w.run("SELECT * FROM u").await, ["4"]);
}

#[tokio::test]
async fn a_failing_statement_ends_the_script_and_earlier_ones_stay() {
    let w = Warehouse::new().await;
    let error = w
        .fails(
            "CREATE TABLE t (id INT);\nINSERT INTO t VALUES (1);\n\nINSERT INTO t\nVALUES ('x');
             INSERT INTO t VALUES (2)",
        )
        .await;
    assert_eq!((error.statement(), error.line()), (3, 4));
    assert_eq!(w.run("SELECT * FROM t").await, ["1"]);
    // Errors that come with the rows end the script as well.
    let error = w
        .fails("SELECT 1;\nSELECT 1 / id FROM (VALUES (0)) AS v(id);\nINSERT INTO t VALUES (3)")
        .await;
    assert_eq!((error.statement(), error.line()), (2, 2));
    assert_eq!(w.run("SELECT * FROM t").await, ["1"]);
}

#[tokio::test]
async fn an_overwrite_from_the_table_itself_keeps_rows_that_came_in_between() {
    use std::sync::Arc;

    use headwater::ErrorKind;
    use headwater::io::{FileIo, MemoryFileIo};
    use headwater_testkit::Interloper;

    use crate::warehouse::session;

    for (overwrite, conflicts) in [
        ("INSERT OVERWRITE t SELECT id + 10 FROM t", true),
        ("INSERT OVERWRITE t SELECT a.id FROM s JOIN t AS a ON a.id = s.id", true),
        ("INSERT OVERWRITE t SELECT id FROM s", false),
        ("INSERT INTO t SELECT id FROM t", false),
    ] {
        let plain: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
        let first = session(&plain).await;
        let script = "CREATE TABLE t (id INT); CREATE TABLE s (id INT);
                      INSERT INTO t VALUES (1), (2); INSERT INTO s VALUES (1)";
        for statement in script.split(';') {
            first.execute(statement).await.unwrap();
        }
        let io = Interloper::before_publish(&plain, "t/snapshot/snapshot-2", move || async move {
            first.execute("INSERT INTO t VALUES (3)").await.unwrap();
        });
        let done = session(&io).await.execute(overwrite).await;
        match done {
            Ok(_) => assert!(!conflicts, "{overwrite}"),
            Err(error) => {
                assert!(conflicts, "{overwrite}: {error}");
                assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
            }
        }
    }
}
