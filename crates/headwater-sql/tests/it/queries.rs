//! Queries: pushdown, statistics, names, and the sample function.

use headwater::ErrorKind;
use headwater_sql::Output;

use crate::warehouse::Warehouse;

async fn partitioned() -> Warehouse {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id BIGINT, dt STRING, v DOUBLE) PARTITIONED BY (dt);
         INSERT INTO t SELECT value, 'd' || CAST(value % 3 AS STRING), value / 2.0 FROM generate_series(1, 300);
         INSERT INTO t SELECT value, 'd' || CAST(value % 3 AS STRING), NULL FROM generate_series(1001, 1300)",
    )
    .await;
    w
}

#[tokio::test]
async fn filters_are_pushed_and_rows_stay_right() {
    let w = partitioned().await;
    for (filter, expected) in [
        ("dt = 'd1'", 200),
        ("dt = 'd1' AND id > 1200", 34),
        ("id BETWEEN 10 AND 19", 10),
        ("NOT (id < 1300 OR dt = 'd0')", 1),
        ("id IN (1, 2, 5000)", 2),
        ("v IS NULL", 300),
        ("v IS NOT NULL AND v < 5", 9),
        ("dt LIKE 'd2%'", 200),
        ("dt LIKE '%2'", 200),
        ("dt IN ('d0', 'dx') OR id = 1", 201),
        ("id % 100 = 0", 6),
        ("dt <> 'd0' AND dt IS NOT NULL", 400),
    ] {
        let rows = w.run(&format!("SELECT count(*) FROM t WHERE {filter}")).await;
        assert_eq!(rows, [expected.to_string()], "{filter}");
    }
}

#[tokio::test]
async fn explain_shows_what_is_read_and_what_is_pruned() {
    let w = partitioned().await;
    let query = "SELECT id FROM t WHERE dt = 'd1' AND id > 1200";
    let plan = w.run(&format!("EXPLAIN {query}")).await.join("\n");
    for part in [
        "Filter: predicate=id > 1200\n└─ Scan default.t, snapshot 2",
        "columns: id\n",
        "predicate: dt = 'd1' AND id > 1200",
        "partitions: 1 of 3 (2 pruned)",
        "files: 1 of 6 (5 pruned)",
        "row groups: 1 of 1",
        "splits: 1 raw",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert!(!plan.contains("read:"), "{plan}");
    let plan = w.run(&format!("EXPLAIN ANALYZE {query}")).await.join("\n");
    for part in ["rows: 34", "read: 100 rows", "1 files, 1 of 1 row groups"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let plan = w.run(&format!("EXPLAIN VERBOSE {query}")).await.join("\n");
    for part in ["logical_plan", "ScanExec: table=default.t, snapshot=2"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let plan = w.run("EXPLAIN INSERT INTO t SELECT * FROM t").await.join("\n");
    assert!(plan.starts_with("Insert into default.t\n└─ "), "{plan}");
}

#[tokio::test]
async fn explain_tells_merged_buckets_and_levels() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE k (id INT, v STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '2');
         INSERT OVERWRITE k SELECT value, 'a' FROM generate_series(1, 100);
         INSERT INTO k SELECT value, 'b' FROM generate_series(50, 150)",
    )
    .await;
    let plan = w.run("EXPLAIN SELECT count(*), v FROM k GROUP BY v").await.join("\n");
    for part in ["buckets: 2 of 2", "levels: 2 on level 0, 2 on level 5", "splits: 2 merged"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let plan = w.run("EXPLAIN ANALYZE SELECT * FROM k WHERE id = 7").await.join("\n");
    for part in ["buckets: 1 of 2 (1 pruned)", "files: 2 of 4 (2 pruned)", "rows: 1,"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
}

#[tokio::test]
async fn counting_reads_no_file() {
    let w = partitioned().await;
    for query in ["SELECT count(*) FROM t", "SELECT count(*) FROM t WHERE dt = 'd1'"] {
        let plan = w.run(&format!("EXPLAIN {query}")).await.join("\n");
        assert!(!plan.contains("ScanExec"), "{plan}");
    }
    assert_eq!(w.run("SELECT count(*) FROM t WHERE id > 0").await, ["600"]);
    assert_eq!(w.run("SELECT count(*) FROM t a JOIN t b ON a.id = b.id").await, ["600"]);
}

#[tokio::test]
async fn joins_aggregates_windows_and_names_of_three_parts_work() {
    let w = partitioned().await;
    assert_eq!(
        w.run("SELECT dt, count(*) AS n FROM paimon.`default`.t GROUP BY dt ORDER BY dt").await,
        ["d0|200", "d1|200", "d2|200"]
    );
    assert_eq!(
        w.run(
            "WITH top AS (SELECT id, row_number() OVER (PARTITION BY dt ORDER BY id DESC) AS r FROM t)
             SELECT sum(id) FROM top WHERE r = 1"
        )
        .await,
        ["3897"]
    );
    assert_eq!(w.run("SELECT id FROM t ORDER BY id DESC LIMIT 2").await, ["1300", "1299"]);
    assert_eq!(w.run("SELECT 1 FROM t LIMIT 3").await.len(), 3);
    assert_eq!(w.run("SELECT round(1.26, 1), abs(-2)").await, ["1.3|2"]);
}

#[tokio::test]
async fn numbers_are_exact_and_types_have_flinks_names() {
    let w = Warehouse::new().await;
    assert_eq!(w.run("SELECT 0.1 + 0.2, 1e0").await, ["0.3|1.0"]);
    assert_eq!(
        w.run(
            "SELECT arrow_typeof(CAST('x' AS BYTES)) AS b, arrow_typeof(CAST('x' AS STRING)) AS s"
        )
        .await,
        ["Binary|Utf8"]
    );
    assert_eq!(
        w.run("SELECT CAST('2024-01-01 10:00:00.123' AS TIMESTAMP(3))").await,
        ["2024-01-01T10:00:00.123"]
    );
    assert_eq!(
        w.run("SELECT CAST('2024-01-01 10:00:00.123' AS TIMESTAMP_LTZ(3)) IS NULL").await,
        ["false"]
    );
}

#[tokio::test]
async fn a_column_can_be_selected_twice_and_cast() {
    let w = partitioned().await;
    assert_eq!(
        w.run("SELECT id, id, CAST(id AS STRING), CAST(id AS INT), 1, 1, NULL, NULL FROM t WHERE id = 7").await,
        ["7|7|7|7|1|1|NULL|NULL"]
    );
    w.run("CREATE TABLE u (a BIGINT, b INT); INSERT INTO u SELECT id, id FROM t WHERE id = 7")
        .await;
    assert_eq!(w.run("SELECT a, b FROM u").await, ["7|7"]);
}

#[tokio::test]
async fn columns_of_a_result_are_called_as_they_are_written() {
    let w = partitioned().await;
    for (sql, names) in [
        ("SELECT 1, id + 1, count(*), max(id) AS top FROM t GROUP BY id", "1,id + 1,count(*),top"),
        ("SELECT t.id, dt FROM t", "id,dt"),
        ("SELECT *, 1, CAST(v AS STRING) FROM t", "id,dt,v,1,CAST(v AS STRING)"),
        ("SELECT * FROM (SELECT id + 1, upper(dt) FROM t)", "id + 1,upper(dt)"),
        ("WITH x AS (SELECT id * 2 FROM t) SELECT * FROM x", "id * 2"),
    ] {
        let Output::Rows(rows) = w.session.execute(sql).await.unwrap().output else { panic!() };
        let schema = rows.schema();
        let found: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(found.join(","), names, "{sql}");
    }
}

#[tokio::test]
async fn a_missing_table_or_column_is_named() {
    let w = partitioned().await;
    let error = w.fails("SELECT * FROM nothing").await;
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.to_string().contains("default.nothing"), "{error}");
    let error = w.fails("SELECT ID FROM t").await;
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert!(error.to_string().contains("ID"), "{error}");
    assert_eq!(w.fails("INSERT INTO nothing VALUES (1)").await.kind(), ErrorKind::NotFound);
    assert!(w.fails("SELECT * FROM nofile('x')").await.to_string().contains("nofile"));
}

#[tokio::test]
async fn sample_orders_takes_named_and_plain_arguments() {
    let w = Warehouse::new().await;
    assert_eq!(
        w.run("SELECT count(*) FROM sample_orders(rows => 20000, seed => 3)").await,
        ["20000"]
    );
    let named = w.run("SELECT * FROM sample_orders(seed => 5, rows => 50)").await;
    assert_eq!(named, w.run("SELECT * FROM SAMPLE_ORDERS(50, 5)").await);
    assert_eq!(w.run("SELECT count(order_id) FROM sample_orders()").await, ["1000"]);
    assert_eq!(w.run("SELECT order_id FROM sample_orders(rows => 3) LIMIT 2").await, ["1", "2"]);
    for (call, reason) in [
        ("sample_orders(row => 3)", "no parameter 'row'; it has: rows, seed"),
        ("sample_orders(rows => -3)", "rows must be a whole number"),
        ("sample_orders(1, 2, 3)", "takes 2 arguments"),
        ("sample_orders(1, rows => 3)", "each once"),
        ("sample_orders(rows => 'x')", "rows must be a whole number"),
    ] {
        let error = w.fails(&format!("SELECT * FROM {call}")).await;
        assert!(error.to_string().contains(reason), "{call}: {error}");
    }
}

#[tokio::test]
async fn the_right_side_of_is_distinct_from_ends_before_and() {
    let w = Warehouse::new().await;
    for (test, expected) in [
        ("TRUE IS NOT DISTINCT FROM TRUE AND FALSE", "false"),
        ("FALSE IS DISTINCT FROM TRUE AND FALSE", "false"),
        ("1 IS DISTINCT FROM 2 OR FALSE", "true"),
        ("1 IS NOT DISTINCT FROM 2 - 1 AND 3 IS DISTINCT FROM 4", "true"),
        ("CAST(NULL AS INT) IS NOT DISTINCT FROM CAST(NULL AS INT) AND 1 = 2", "false"),
        ("NOT 1 IS DISTINCT FROM 1", "true"),
        ("(1 = 1) IS NOT DISTINCT FROM TRUE", "true"),
    ] {
        assert_eq!(w.run(&format!("SELECT {test}")).await, [expected], "{test}");
    }
}
