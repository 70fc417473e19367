//! Several catalogs in one session, temporary tables and views, settings.

use headwater_sql::Output;

use crate::warehouse::Warehouse;

#[tokio::test]
async fn a_session_reads_and_writes_tables_of_several_catalogs() {
    let w = Warehouse::new().await;
    let (one, two) = (w.path("one"), w.path("two"));
    w.run(&format!(
        "CREATE CATALOG one WITH ('type' = 'paimon', 'warehouse' = '{one}');
         CREATE CATALOG `two-2` WITH ('type' = 'paimon', 'warehouse' = 'file:{two}',
             'default-database' = 'main', 'table-default.file.compression' = 'snappy');
         CREATE TABLE here (id INT);
         CREATE DATABASE `two-2`.main;
         CREATE TABLE one.`default`.t (id INT, v STRING);
         INSERT INTO one.`default`.t VALUES (1, 'a'), (2, 'b');
         CREATE TABLE `two-2`.main.t AS SELECT * FROM one.`default`.t;
         INSERT INTO `two-2`.main.t SELECT id + 10, v FROM one.`default`.t"
    ))
    .await;
    assert_eq!(w.run("SHOW CATALOGS").await, ["one", "paimon", "two-2"]);
    assert_eq!(w.run("SHOW TABLES").await, ["here"]);
    assert_eq!(
        w.run("USE CATALOG `two-2`; SHOW CURRENT DATABASE; SHOW TABLES").await,
        ["main", "t"]
    );
    assert_eq!(
        w.run("SELECT a.id, b.id FROM t a JOIN one.`default`.t b ON a.id = b.id + 10 ORDER BY 1")
            .await,
        ["11|1", "12|2"]
    );
    assert!(w.run("SHOW CREATE TABLE t").await[0].contains("'file.compression' = 'snappy'"));
    assert_eq!(w.run("USE one.`default`; SHOW CURRENT CATALOG").await, ["one"]);
    assert!(w.fails("DROP CATALOG one").await.to_string().contains("is in use"));
    w.run("USE paimon.`default`; DROP CATALOG one").await;
    assert_eq!(w.run("SHOW TABLES").await, ["here"]);
    assert!(w.fails("SELECT * FROM one.`default`.t").await.to_string().contains("one"));
    // The files stay: the catalog can be made again.
    w.run(&format!("CREATE CATALOG one WITH ('type' = 'paimon', 'warehouse' = '{one}')")).await;
    assert_eq!(w.run("SELECT count(*) FROM one.`default`.t").await, ["2"]);
}

#[tokio::test]
async fn temporary_names_hide_tables_and_end_with_drop() {
    let w = Warehouse::new().await;
    let csv = w.path("rows.csv");
    w.run(&format!(
        "CREATE TABLE t (id INT);
         INSERT INTO t VALUES (1);
         COPY (SELECT * FROM (VALUES (7, 'x;y'), (8, NULL)) AS v(id, v) ORDER BY id)
             TO '{csv}' OPTIONS ('format.has_header' 'false', 'format.delimiter' ';');
         CREATE TEMPORARY TABLE t (id BIGINT, v STRING) WITH (
             'connector' = 'filesystem', 'path' = '{csv}', 'format' = 'csv',
             'csv.field-delimiter' = ';', 'csv.null-literal' = '')"
    ))
    .await;
    assert_eq!(w.run("SELECT * FROM t ORDER BY id").await, ["7|x;y", "8|NULL"]);
    assert_eq!(w.run("SHOW TABLES").await, ["t"]);
    assert!(w.run("SHOW CREATE TABLE t").await[0].starts_with("CREATE TEMPORARY TABLE"));
    for (sql, reason) in [
        ("DROP TABLE t", "DROP TEMPORARY TABLE"),
        ("ALTER TABLE t ADD c INT", "temporary table"),
        ("TRUNCATE TABLE t", "temporary table"),
        ("INSERT INTO t VALUES (1, 'a')", "COPY (query) TO"),
        ("CREATE TEMPORARY VIEW t AS SELECT 1", "already exists"),
        ("DROP TEMPORARY VIEW t", "is a temporary table"),
        ("SELECT * FROM t /*+ OPTIONS('scan.snapshot-id' = '1') */", "hint behind the temporary"),
    ] {
        let error = w.fails(sql).await.to_string();
        assert!(error.contains(reason), "{sql}: {error}");
    }
    w.run("DROP TEMPORARY TABLE t").await;
    assert_eq!(w.run("SELECT * FROM t").await, ["1"]);
}

#[tokio::test]
async fn every_option_of_csv_acts() {
    let w = Warehouse::new().await;
    let file = w.path("rows.txt");
    std::fs::write(&file, "# made by hand\n1;'a;b';007\n2;NA;NA\n3;'two\nlines';x\n").unwrap();
    w.run(&format!(
        "CREATE TEMPORARY TABLE t (id INT, v STRING, code STRING) WITH (
             'connector' = 'filesystem', 'path' = '{file}', 'format' = 'csv',
             'csv.field-delimiter' = ';', 'csv.quote-character' = '''',
             'csv.allow-comments' = 'true', 'csv.null-literal' = 'NA')"
    ))
    .await;
    assert_eq!(
        w.run("SELECT * FROM t ORDER BY id").await,
        ["1|a;b|007", "2|NULL|NULL", "3|two\nlines|x"]
    );
    std::fs::write(&file, "id,v\n1,a\n").unwrap();
    for (columns, options, reason) in [
        ("id INT, w STRING", ", 'csv.header' = 'true'", "column 'w' where the file has 'v'"),
        ("id INT", ", 'csv.header' = 'true'", "has 1 columns, the file 2"),
        ("id INT, v STRING", "", "'id'"),
    ] {
        w.run("DROP TEMPORARY TABLE IF EXISTS u").await;
        w.run(&format!(
            "CREATE TEMPORARY TABLE u ({columns}) WITH (
                 'connector' = 'filesystem', 'path' = '{file}', 'format' = 'csv'{options})"
        ))
        .await;
        let error = w.fails("SELECT * FROM u").await.to_string();
        assert!(error.contains(reason), "{columns} {options}: {error}");
    }
}

#[tokio::test]
async fn files_of_every_format_are_read_with_the_declared_types() {
    let w = Warehouse::new().await;
    for (format, options) in [("json", ""), ("parquet", ""), ("csv", ", 'csv.header' = 'true'")] {
        let file = w.path(&format!("rows.{format}"));
        w.run(&format!(
            "COPY (SELECT CAST(1 AS BIGINT) AS a, '1.50' AS b, TIMESTAMP '2024-01-01 00:00:00' AS c)
                 TO '{file}';
             CREATE TEMPORARY TABLE {format} (a BIGINT, b STRING, c TIMESTAMP(3))
                 WITH ('connector' = 'filesystem', 'path' = '{file}', 'format' = '{format}'{options})"
        ))
        .await;
        assert_eq!(
            w.run(&format!("SELECT a + 1, b, c FROM {format}")).await,
            ["2|1.50|2024-01-01T00:00:00"],
            "{format}"
        );
    }
    let error = w.fails("CREATE TEMPORARY TABLE x (a INT) WITH ('path' = '/x')").await;
    assert!(error.to_string().contains("needs the option 'connector'"), "{error}");
}

#[tokio::test]
async fn sinks_swallow_or_show_rows_that_fit() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TEMPORARY TABLE gone (a TINYINT) WITH ('connector' = 'blackhole');
         CREATE TEMPORARY TABLE shown (a INT, b STRING)
             WITH ('connector' = 'print', 'print-identifier' = 'p')",
    )
    .await;
    assert_eq!(w.run("INSERT INTO gone VALUES (1), (2)").await, ["2 rows"]);
    assert!(w.fails("INSERT INTO gone VALUES (1000)").await.to_string().contains("'a'"));
    assert_eq!(
        w.run("INSERT INTO shown (b, a) VALUES ('x', 1), (NULL, 2)").await,
        ["p> +I[1, x]", "p> +I[2, null]"]
    );
}

#[tokio::test]
async fn views_keep_the_names_they_were_made_with() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE DATABASE d; USE d; CREATE TABLE t (id INT); INSERT INTO t VALUES (1), (2), (3);
         CREATE TEMPORARY VIEW big AS SELECT id FROM t WHERE id > 1;
         CREATE TEMPORARY VIEW twice (a, b) AS SELECT id, id * 2 FROM big;
         USE paimon.`default`",
    )
    .await;
    assert_eq!(w.run("SELECT * FROM d.twice ORDER BY a").await, ["2|4", "3|6"]);
    assert_eq!(w.run("SHOW VIEWS IN d; SHOW VIEWS").await, ["big", "twice"]);
    assert_eq!(w.run("DESCRIBE d.twice").await[1], "b|INT|true|NULL|NULL|NULL|NULL");
    w.run("USE d; CREATE OR REPLACE TEMPORARY VIEW big AS SELECT id FROM t WHERE id > 2").await;
    assert_eq!(w.run("SELECT * FROM twice").await, ["3|6"]);
    for (sql, reason) in [
        ("CREATE TEMPORARY VIEW bad (a) AS SELECT 1, 2", "gives 2 columns, but 1 names"),
        ("CREATE TEMPORARY VIEW bad AS SELECT * FROM nowhere", "'d.nowhere' does not exist"),
        ("CREATE TEMPORARY VIEW big AS SELECT 1", "already exists"),
        ("INSERT INTO big VALUES (1)", "is a view"),
        ("DROP TEMPORARY TABLE big", "is a temporary view"),
    ] {
        let error = w.fails(sql).await.to_string();
        assert!(error.contains(reason), "{sql}: {error}");
    }
    // A view that comes to refer to itself is an error, not an endless search.
    w.run("CREATE OR REPLACE TEMPORARY VIEW big AS SELECT a AS id FROM twice").await;
    assert!(w.fails("SELECT * FROM big").await.to_string().contains("refers to itself"));
}

#[tokio::test]
async fn hints_and_settings_open_tables_as_they_were() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id INT); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2);
         CREATE TABLE u (id INT); INSERT INTO u VALUES (1); INSERT INTO u VALUES (2)",
    )
    .await;
    let hint = "/*+ OPTIONS('scan.snapshot-id' = '1') */";
    for (sql, rows) in [
        (format!("SELECT count(*) FROM t {hint}"), "1"),
        (format!("SELECT count(*) FROM t {hint} AS a, t AS b"), "2"),
        (format!("SELECT sum(`default`.t.id) FROM `default`.t {hint}"), "1"),
        ("SELECT count(*) FROM t VERSION AS OF 1".to_owned(), "1"),
        (format!("SELECT count(*) FROM t$files {hint}"), "1"),
        (
            "SELECT max(id) FROM t /*+ OPTIONS('scan.timestamp-millis'='99999999999999') */".into(),
            "2",
        ),
        ("SELECT max(id) FROM t TIMESTAMP AS OF '2999-01-01'".to_owned(), "2"),
    ] {
        assert_eq!(w.run(&sql).await, [rows], "{sql}");
    }
    w.run("SET 'paimon.*.default.t.scan.snapshot-id' = '1'").await;
    assert_eq!(w.run("SELECT count(*) FROM t; SELECT count(*) FROM u").await, ["1", "2"]);
    assert!(w.fails("INSERT INTO t VALUES (3)").await.to_string().contains("old snapshot"));
    w.run("SET 'scan.snapshot-id' = '2'; RESET 'paimon.*.default.t.scan.snapshot-id'").await;
    assert_eq!(w.run("SELECT count(*) FROM t").await, ["2"]);
    w.run("RESET").await;
    assert!(w.run("SET").await.is_empty());
    let error = w.fails("SELECT * FROM t /*+ OPTIONS('scan.snapshot-id' = '9') */").await;
    assert!(error.to_string().contains("snapshot 9"), "{error}");
}

#[tokio::test]
async fn the_sessions_zone_decides_what_an_instant_looks_like() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (at TIMESTAMP_LTZ(3)); INSERT INTO t VALUES ('2024-01-01 00:00:00Z');
         SET 'table.local-time-zone' = 'Asia/Shanghai'",
    )
    .await;
    assert_eq!(w.run("SELECT * FROM t").await, ["2024-01-01T08:00:00+08:00"]);
    assert_eq!(w.session.setting("headwater.time-zone").as_deref(), Some("Asia/Shanghai"));
    w.run("SET TIME ZONE 'UTC'").await;
    assert_eq!(w.run("SELECT * FROM t").await, ["2024-01-01T00:00:00Z"]);
}

#[tokio::test]
async fn hints_and_settings_without_effect_are_said_once() {
    let w = Warehouse::new().await;
    let warnings = async |sql: &str| w.session.execute(sql).await.unwrap().warnings;
    let hinted = "SELECT /*+ BROADCAST(a) */ 1";
    assert!(warnings(hinted).await[0].contains("BROADCAST has no effect"));
    assert!(warnings(hinted).await.is_empty());
    let set = warnings("SET 'pipeline.name' = 'x'").await;
    assert!(set[0].contains("has no effect here"), "{set:?}");
    let made =
        warnings("CREATE TABLE b (id INT PRIMARY KEY NOT ENFORCED) WITH ('bucket' = '1000')");
    assert!(made.await[0].contains("1000 buckets suit 1000 GB to 1.9 TB"), "{hinted}");
    let result = w.session.execute("EXPLAIN SELECT 1").await.unwrap();
    assert!(matches!(result.output, Output::Rows(_)));
}
