//! Sorted compaction and the choice of partitions by a condition.

use std::path::Path;
use std::sync::Arc;

use headwater::io::{FileIo, MemoryFileIo};
use headwater::{CatalogOptions, Env, ErrorKind, SyncMode};
use headwater_sql::{SessionOptions, SqlSession};
use headwater_testkit::{Interloper, require_java};

use crate::warehouse::{Warehouse, run, session};

/// A table of 256 x 256 points, in an order that has nothing to do with x and y.
async fn points(w: &Warehouse, table: &str, options: &str) {
    w.run(&format!(
        "CREATE TABLE {table} (x INT, y BIGINT, tag STRING) WITH ('target-file-size' = '16 kb'{options})"
    ))
    .await;
    w.run(&format!(
        "INSERT INTO {table} SELECT (n % 65536) / 256, n % 256, CAST(n AS STRING) FROM (
           SELECT value * 40503 AS n FROM generate_series(0, 65535)
         )"
    ))
    .await;
}

/// Files that a query reads, as EXPLAIN says, and those that there are.
async fn files_read(w: &Warehouse, query: &str) -> (usize, usize) {
    let plan = w.run(&format!("EXPLAIN {query}")).await.join("\n");
    let at = plan.find("files: ").unwrap_or_else(|| panic!("{plan}"));
    let mut numbers = plan[at..]
        .split(|c: char| !c.is_ascii_digit())
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

const IN_X: &str = "SELECT tag FROM t WHERE x BETWEEN 40 AND 50";
const IN_Y: &str = "SELECT tag FROM t WHERE y BETWEEN 40 AND 50";

#[tokio::test]
async fn queries_read_fewer_files_of_sorted_tables() {
    for (strategy, columns) in
        [("order", "x"), ("zorder", "x,y"), ("hilbert", " y , x "), ("ORDER", "y, x")]
    {
        let w = Warehouse::unsynced().await;
        points(&w, "t", "").await;
        let rows = w.run("SELECT * FROM t ORDER BY x, y").await;
        assert_eq!(rows.len(), 65536);
        let (x_before, all) = files_read(&w, IN_X).await;
        let (y_before, _) = files_read(&w, IN_Y).await;
        assert!(all >= 8 && x_before == all && y_before == all, "{x_before} {y_before} {all}");
        let call = format!(
            "CALL sys.compact(table => 't', order_strategy => '{strategy}', order_by => '{columns}')"
        );
        let said = w.run(&call).await;
        assert!(said[0].starts_with(&format!("success|2|1|{all}|")), "{said:?}");
        assert_eq!(w.run("SELECT * FROM t ORDER BY x, y").await, rows, "{strategy}");
        let (x, all) = files_read(&w, IN_X).await;
        let (y, _) = files_read(&w, IN_Y).await;
        assert!(all >= 8, "{all} files");
        match strategy {
            "order" => assert!(x <= 2 && y == all, "{strategy}: {x} and {y} of {all}"),
            "ORDER" => assert!(y <= 2 && x == all, "{strategy}: {x} and {y} of {all}"),
            _ => assert!(x <= all / 2 && y <= all / 2, "{strategy}: {x} and {y} of {all}"),
        }
        let kinds = w.run("SELECT commit_kind FROM t$snapshots").await;
        assert_eq!(kinds, ["APPEND", "COMPACT"]);
    }
}

#[tokio::test]
async fn rows_are_sorted_inside_of_partitions_nulls_first() {
    let w = Warehouse::unsynced().await;
    w.run("CREATE TABLE t (a INT, b STRING, m ARRAY<INT>, p STRING) PARTITIONED BY (p)").await;
    for row in [
        "(2, 'b', ARRAY[1], 'x'), (1, 'z', NULL, 'x'), (9, 'q', NULL, 'y')",
        "(CAST(NULL AS INT), 'k', ARRAY[2, 3], 'x'), (2, CAST(NULL AS STRING), NULL, 'x')",
        "(1, 'a', NULL, 'y'), (4, 'o', NULL, NULL)",
    ] {
        w.run(&format!("INSERT INTO t VALUES {row}")).await;
    }
    let said = w
        .run("CALL sys.compact(table => 't', order_strategy => 'order', order_by => 'a,b', partitions => 'p=x')")
        .await;
    assert!(said[0].starts_with("success|4|1|2|1|"), "{said:?}");
    assert_eq!(
        w.run("SELECT a, b, m FROM t WHERE p = 'x'").await,
        ["NULL|k|[2, 3]", "1|z|NULL", "2|NULL|NULL", "2|b|[1]"]
    );
    let files = "SELECT partition, count(*) FROM t$files GROUP BY partition ORDER BY partition";
    assert_eq!(w.run(files).await, ["{null}|1", "{x}|1", "{y}|2"]);
    let said =
        w.run("CALL sys.compact(table => 't', order_strategy => 'zorder', order_by => 'b')").await;
    assert!(said[0].starts_with("success|5|3|4|3|"), "{said:?}");
    assert_eq!(w.run("SELECT b FROM t WHERE p = 'y'").await, ["a", "q"]);
    assert_eq!(w.run("SELECT count(*), count(m) FROM t").await, ["7|2"]);
    // There is nothing to sort.
    w.run("CREATE TABLE e (a INT)").await;
    let said =
        w.run("CALL sys.compact(table => 'e', order_strategy => 'order', order_by => 'a')").await;
    assert_eq!(said, ["success|NULL|0|0|0|0|0"]);
}

#[tokio::test]
async fn the_first_bytes_of_a_text_count_in_a_z_order() {
    let w = Warehouse::unsynced().await;
    w.run("CREATE TABLE t (a STRING)").await;
    w.run("INSERT INTO t VALUES ('same start b'), ('same start c'), ('same start a'), ('other')")
        .await;
    let call = |options: &str| {
        format!(
            "CALL sys.compact(table => 't', order_strategy => 'zorder', order_by => 'a'{options})"
        )
    };
    w.run(&call(", options => 'zorder.var-length-contribution=1'")).await;
    assert_eq!(w.run("SELECT a FROM t LIMIT 1").await, ["other"]);
    w.run(&call(", options => 'zorder.var-length-contribution=12'")).await;
    assert_eq!(
        w.run("SELECT a FROM t").await,
        ["other", "same start a", "same start b", "same start c"]
    );
    let message = w.fails(&call(", options => 'zorder.var-length-contribution=0'")).await;
    assert!(message.to_string().contains("1 to 1024"), "{message}");
}

#[tokio::test]
async fn a_table_that_is_larger_than_the_memory_is_sorted() {
    let w = Warehouse::unsynced().await;
    w.run("CREATE TABLE t (k BIGINT, v STRING) WITH ('target-file-size' = '1 mb')").await;
    // 80 MB of rows as Arrow holds them, in several files.
    for part in 0..4 {
        w.run(&format!(
            "INSERT INTO t SELECT (value * 7919) % 100000, repeat(md5(CAST(value AS STRING)), 25)
             FROM generate_series({}, {})",
            part * 25_000,
            part * 25_000 + 24_999
        ))
        .await;
    }
    let sums = "SELECT count(*), count(DISTINCT k), sum(k), min(v), max(v) FROM t";
    let before = w.run(sums).await;
    assert!(before[0].starts_with("100000|100000|4999950000|"), "{before:?}");
    let by_k = "order_strategy => 'order', order_by => 'k'";
    let by_both = "order_strategy => 'zorder', order_by => 'k,v'";
    for (order, memory) in [(by_both, 16 << 20), (by_k, 40 << 20), (by_k, 8 << 20)] {
        let session = with_memory(&w, memory).await;
        let call = format!("CALL sys.compact(table => 't', {order})");
        let said = run(&session, &call).await;
        assert!(said[0].starts_with("success|"), "{said:?}");
        assert_eq!(w.run(sums).await, before, "{order}");
        let (some, all) = files_read(&w, "SELECT v FROM t WHERE k = 4711").await;
        assert!(all >= 3 && (some == 1 || order == by_both), "{order}: {some} of {all}");
    }
}

/// A session on the same warehouse, with so many bytes for sorting.
async fn with_memory(w: &Warehouse, bytes: usize) -> SqlSession {
    let env = Env::system(2, 64 << 20);
    let warehouse = w.dir.path().join("warehouse");
    let how = CatalogOptions { create: false, sync: SyncMode::Off };
    let catalog =
        headwater::open_catalog_with(warehouse.to_str().unwrap(), how, env.clone()).await.unwrap();
    let options = SessionOptions::new(Arc::new(catalog), env).threads(2).memory_bytes(bytes);
    SqlSession::new(options).await.unwrap()
}

#[tokio::test]
async fn a_condition_chooses_partitions() {
    let w = Warehouse::unsynced().await;
    w.run("CREATE TABLE t (id INT, dt DATE, h INT) PARTITIONED BY (dt, h)").await;
    for commit in 0..2 {
        w.run(&format!(
            "INSERT INTO t VALUES ({commit}, DATE '2024-01-01', 1), ({commit}, DATE '2024-01-01', 2),
             ({commit}, DATE '2024-02-01', 1), ({commit}, NULL, 3)"
        ))
        .await;
    }
    let counts = "SELECT count(*) FROM t$files GROUP BY partition ORDER BY partition";
    let names = w.run("SELECT DISTINCT partition FROM t$files ORDER BY partition").await;
    assert_eq!(names, ["{2024-01-01, 1}", "{2024-01-01, 2}", "{2024-02-01, 1}", "{null, 3}"]);
    for (condition, after) in [
        ("h > 10", ["2", "2", "2", "2"]),
        ("dt = '2024-01-01' AND h < 2", ["1", "2", "2", "2"]),
        ("dt >= DATE '2024-02-01' OR `dt` IS NULL -- and more", ["1", "2", "1", "1"]),
        ("year(dt) = 2024 AND h BETWEEN 1 AND 9", ["1", "1", "1", "1"]),
    ] {
        let call =
            format!("CALL sys.compact(table => 't', where => '{}')", condition.replace('\'', "''"));
        w.run(&call).await;
        assert_eq!(w.run(counts).await, after, "{condition}");
    }
    assert_eq!(w.run("SELECT count(*), sum(id) FROM t").await, ["8|4"]);
    let sorted = w.run("CALL sys.compact('t', '', 'order', 'id', '', 'h = 1', '', '')").await;
    assert!(sorted[0].starts_with("success|6|2|2|2|"), "{sorted:?}");
    for (condition, words) in [
        ("id > 1", "'id' is no partition column, which are: dt, h"),
        ("dt = DATE '2024-01-01' AND id = 1", "'id' is no partition column"),
        ("nothing = 1", "nothing"),
        ("h =", "must be a condition"),
        ("h = 1 ORDER BY h", "something stands behind it"),
        ("h = 1; DROP TABLE t", "more than one statement"),
        ("h = 1 UNION SELECT 1", "must be a condition"),
        ("h IN (SELECT 1)", "neither queries nor functions"),
        ("rand() < 0.5", "neither queries nor functions"),
        ("h = 'x'", "x"),
    ] {
        let call =
            format!("CALL sys.compact(table => 't', where => '{}')", condition.replace('\'', "''"));
        let message = w.fails(&call).await.to_string();
        assert!(message.contains(words), "{condition}: {message}");
    }
    w.run("CREATE TABLE u (id INT)").await;
    let message = w.fails("CALL sys.compact(table => 'u', where => 'id = 1')").await.to_string();
    assert!(message.contains("there are none"), "{message}");
}

#[tokio::test]
async fn what_cannot_be_sorted_is_said() {
    let w = Warehouse::unsynced().await;
    w.run("CREATE TABLE k (id INT, v INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1')")
        .await;
    w.run("CREATE TABLE d (id INT, v INT, PRIMARY KEY (id) NOT ENFORCED)").await;
    w.run("CREATE TABLE b (id INT, v INT) WITH ('bucket' = '2', 'bucket-key' = 'id')").await;
    w.run("CREATE TABLE c (id INT, v INT) WITH ('clustering.incremental' = 'true', 'clustering.columns' = 'v')").await;
    w.run("CREATE TABLE t (id INT, v INT, a ARRAY<INT>, m MAP<INT, INT>, r ROW<x INT>, p INT) PARTITIONED BY (p)").await;
    for table in ["k", "d", "b", "c"] {
        w.run(&format!("INSERT INTO {table} VALUES (1, 1)")).await;
    }
    let sort = "order_strategy => 'order', order_by =>";
    for (arguments, words) in [
        (format!("'k', {sort} 'v'"), "primary key"),
        (format!("'d', {sort} 'v'"), "primary key"),
        (format!("'b', {sort} 'v'"), "'bucket' = '2'"),
        (format!("'c', {sort} 'v'"), "'clustering.incremental'"),
        (format!("'t', {sort} 'nix'"), "no column 'nix' to sort by; the columns are: id, v, a"),
        (format!("'t', {sort} 'id,,v'"), "no column ''"),
        (format!("'t', {sort} 'id, p'"), "'p' is a partition column"),
        (format!("'t', {sort} 'id, v, id'"), "'id' is named twice"),
        (format!("'t', {sort} 'a'"), "column 'a', whose type is ARRAY<INT>"),
        (format!("'t', {sort} 'm'"), "column 'm', whose type is MAP<INT, INT>"),
        (format!("'t', {sort} 'r'"), "column 'r', whose type is ROW<"),
        (
            format!("'t', {sort} 'id', partition_idle_time => '1 h'"),
            "'partition_idle_time' does not go with",
        ),
        (
            format!("'t', {sort} 'id', compact_strategy => 'minor'"),
            "'compact_strategy' does not go with",
        ),
        (format!("'t', {sort} 'id', partitions => 'p=1', where => 'p = 1'"), "give one of them"),
        ("'t', partitions => 'p=1', where => 'p = 1'".to_owned(), "give one of them"),
        ("'t', order_strategy => 'hilbert', order_by => 'id'".to_owned(), "two columns or more"),
        (
            "'t', order_strategy => 'none', order_by => 'id'".to_owned(),
            "'order_strategy' is 'none'",
        ),
        (
            "'t', order_strategy => 'random', order_by => 'id'".to_owned(),
            "must be 'none' or 'order'",
        ),
        ("'t', order_strategy => 'order'".to_owned(), "belong together"),
        ("'t', order_by => 'id'".to_owned(), "belong together"),
        (format!("'t', {sort} 'id', options => 'scan.snapshot-id=1'"), "snapshot"),
    ] {
        let message = w.fails(&format!("CALL sys.compact(table => {arguments})")).await.to_string();
        assert!(message.contains(words), "{arguments}: {message}");
    }
}

#[tokio::test]
async fn rows_that_come_meanwhile_stay_and_changes_win() {
    const SORT: &str =
        "CALL sys.compact(table => 't', order_strategy => 'order', order_by => 'id')";
    for (rival, conflicts, rows) in [
        (
            "INSERT INTO t VALUES (0, 'a'), (0, 'b')",
            false,
            &["0|a", "0|b", "1|b", "3|a", "5|a", "7|b"][..],
        ),
        ("DELETE FROM t WHERE id = 3", true, &["1|b", "5|a", "7|b"]),
        ("INSERT OVERWRITE t VALUES (8, 'a'), (9, 'b')", true, &["8|a", "9|b"]),
    ] {
        let plain: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
        let first = session(&plain).await;
        run(
            &first,
            "CREATE TABLE t (id INT, p STRING) PARTITIONED BY (p) WITH ('write-only' = 'true')",
        )
        .await;
        run(&first, "INSERT INTO t VALUES (5, 'a'), (7, 'b')").await;
        run(&first, "INSERT INTO t VALUES (3, 'a'), (1, 'b')").await;
        let io = Interloper::before_publish(&plain, "t/snapshot/snapshot-3", move || async move {
            first.execute(rival).await.unwrap();
        });
        let sorted = session(&io).await.execute(SORT).await;
        let after = session(&plain).await;
        assert_eq!(run(&after, "SELECT * FROM t ORDER BY id, p").await, rows, "{rival}");
        let files = run(
            &after,
            "SELECT partition, count(*) FROM t$files GROUP BY partition ORDER BY partition",
        )
        .await;
        if conflicts {
            let error = sorted.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
            let message = error.to_string();
            assert!(
                message.contains("changed while they were sorted")
                    && message.contains("run it again"),
                "{message}"
            );
            if rival.starts_with("DELETE") {
                // The other partition is sorted.
                assert!(message.contains("1 of other partitions are sorted"), "{message}");
                assert_eq!(files, ["{a}|1", "{b}|1"]);
            }
        } else {
            sorted.unwrap();
            assert_eq!(files, ["{a}|2", "{b}|2"]);
        }
        if rival.starts_with("DELETE") {
            // Of what was given up nothing is left.
            assert_eq!(plain.list("default.db/t/p=a/bucket-0").await.unwrap().len(), 2);
            assert_eq!(plain.list("default.db/t/p=b/bucket-0").await.unwrap().len(), 3);
        }
    }
}

#[tokio::test]
async fn java_reads_sorted_tables() {
    let Some(java) = require_java("java_reads_sorted_tables") else { return };
    let w = Warehouse::unsynced().await;
    w.run("CREATE TABLE t (id INT, n DECIMAL(20, 3), s STRING, ts TIMESTAMP(6) WITH LOCAL TIME ZONE, d DOUBLE, p STRING) PARTITIONED BY (p) WITH ('target-file-size' = '16 kb')").await;
    for part in 0..3 {
        w.run(&format!(
            "INSERT INTO t SELECT CAST((value * 7919) % 6007 AS INT), CAST(value % 100 AS DECIMAL(20, 3)) / 7,
               CASE WHEN value % 11 = 0 THEN NULL ELSE concat('s', CAST(value % 97 AS STRING)) END,
               TO_TIMESTAMP_LTZ(1700000000 + value * 37 % 100000, 0), value / 3.0e0 - 900,
               CASE WHEN value % 2 = 0 THEN 'a' ELSE 'b' END
             FROM generate_series({}, {})",
            part * 2000,
            part * 2000 + 1999
        ))
        .await;
    }
    let dir = w.dir.path().join("warehouse/default.db/t");
    let read = |dir: &Path| {
        let mut rows: Vec<String> = java.read(dir).iter().map(ToString::to_string).collect();
        rows.sort();
        rows
    };
    let before = read(&dir);
    assert_eq!(before.len(), 6000);
    for (strategy, columns) in [("order", "s,d"), ("zorder", "n,ts,s"), ("hilbert", "d,id,n")] {
        w.run(&format!(
            "CALL sys.compact(table => 't', order_strategy => '{strategy}', order_by => '{columns}')"
        ))
        .await;
        assert_eq!(java.check(&dir), [""; 0], "{strategy}");
        assert_eq!(read(&dir), before, "{strategy}");
    }
    // Java goes on where this ended.
    w.run("INSERT INTO t (id, p) VALUES (1, 'a')").await;
    assert_eq!(java.read(&dir).len(), 6001);
}
