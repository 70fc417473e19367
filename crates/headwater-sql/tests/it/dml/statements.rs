//! DELETE and UPDATE: what they change, what they leave alone, what they refuse.

use headwater::ErrorKind;
use headwater_testkit::require_java;

use crate::warehouse::Warehouse;

/// The two sorts of tables, each with the same rows.
const KINDS: [&str; 4] = [
    "PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '2')",
    "PRIMARY KEY (id, dt) NOT ENFORCED) PARTITIONED BY (dt) WITH ('bucket' = '1')",
    "extra INT) WITH ('bucket' = '-1')",
    "extra INT) PARTITIONED BY (dt) WITH ('bucket' = '2', 'bucket-key' = 'id')",
];

async fn filled(kind: &str) -> Warehouse {
    let w = Warehouse::unsynced().await;
    w.run(&format!("CREATE TABLE t (id INT NOT NULL, v INT, s STRING, dt STRING NOT NULL, {kind}"))
        .await;
    for start in [0, 10, 20] {
        let rows: Vec<String> = (start..start + 10)
            .map(|id| {
                let v = if id % 5 == 0 { "NULL".to_owned() } else { (id * 10).to_string() };
                format!("({id}, {v}, 's{}', 'd{}')", id % 3, id % 2)
            })
            .collect();
        w.run(&format!("INSERT INTO t (id, v, s, dt) VALUES {}", rows.join(", "))).await;
    }
    w.run("CREATE TABLE other (id INT, n INT); INSERT INTO other VALUES (1, 5), (2, 6), (40, 7)")
        .await;
    w
}

async fn ids(w: &Warehouse) -> Vec<i32> {
    let lines = w.run("SELECT id FROM t ORDER BY id").await;
    lines.iter().map(|line| line.parse().unwrap()).collect()
}

#[tokio::test]
async fn delete_takes_exactly_the_rows_that_match() {
    type Keeps = fn(i32) -> bool;
    let cases: &[(&str, Keeps)] = &[
        ("WHERE id = 7", |id| id != 7),
        ("WHERE v > 100", |id| id % 5 == 0 || id <= 10),
        ("WHERE NOT (v > 100)", |id| id % 5 == 0 || id > 10),
        ("WHERE v IS NULL OR s = 's1'", |id| id % 5 != 0 && id % 3 != 1),
        ("WHERE id IN (SELECT id FROM other)", |id| id != 1 && id != 2),
        ("WHERE id NOT IN (SELECT id FROM other)", |id| id == 1 || id == 2),
        ("AS x WHERE EXISTS (SELECT 1 FROM other WHERE other.id = x.id)", |id| id != 1 && id != 2),
        ("WHERE NOT EXISTS (SELECT 1 FROM other o WHERE o.id = t.id)", |id| id == 1 || id == 2),
        ("WHERE id > (SELECT avg(id) FROM t)", |id| id <= 14),
        ("x WHERE x.v < (SELECT max(n) * 3 FROM other o WHERE o.id = x.id)", |id| id != 1),
        ("x WHERE x.v > (SELECT sum(n) FROM other) * id / 2", |id| id % 5 == 0),
        ("WHERE id IN (SELECT id FROM t ORDER BY id DESC LIMIT 3)", |id| id < 27),
        ("ORDER BY id DESC LIMIT 4", |id| id < 26),
        ("WHERE dt = 'd1'", |id| id % 2 == 0),
        ("WHERE `default`.t.id < 3 AND paimon.`default`.t.dt = 'd0'", |id| id != 0 && id != 2),
        ("WHERE false", |_| true),
        ("", |_| false),
    ];
    for kind in KINDS {
        for (clause, keeps) in cases {
            let w = filled(kind).await;
            let before = w.run("SELECT * FROM t ORDER BY id").await;
            let said = w.run(&format!("DELETE FROM t {clause}")).await;
            let left: Vec<i32> = (0..30).filter(|id| keeps(*id)).collect();
            assert_eq!(ids(&w).await, left, "{kind}: DELETE FROM t {clause}");
            let gone = 30 - left.len();
            let count = match gone {
                0 => "no row changed".to_owned(),
                1 => "1 row deleted".to_owned(),
                n => format!("{n} rows deleted"),
            };
            assert_eq!(said, [count], "{clause}");
            // The rows that stay are whole.
            let after = w.run("SELECT * FROM t ORDER BY id").await;
            let kept: Vec<String> = before
                .into_iter()
                .filter(|line| keeps(line.split('|').next().unwrap().parse().unwrap()))
                .collect();
            assert_eq!(after, kept, "{clause}");
        }
    }
}

#[tokio::test]
async fn update_sets_columns_from_the_old_row_and_from_elsewhere() {
    for kind in KINDS {
        let w = filled(kind).await;
        let rows = async |ids: &str| {
            w.run(&format!("SELECT id, v, s, dt FROM t WHERE id IN ({ids}) ORDER BY id")).await
        };
        assert_eq!(w.run("UPDATE t SET v = v + 1 WHERE id < 4").await, ["4 rows updated"]);
        assert_eq!(rows("0, 1, 4").await, ["0|NULL|s0|d0", "1|11|s1|d1", "4|40|s1|d0"]);
        w.run("UPDATE t AS x SET s = x.s || '!', x.v = NULL WHERE x.id = 1").await;
        assert_eq!(rows("1, 2").await, ["1|NULL|s1!|d1", "2|21|s2|d0"]);
        // The right sides see the row as it was.
        w.run("UPDATE t SET v = id, s = CAST(v AS STRING) WHERE id = 2").await;
        assert_eq!(rows("2").await, ["2|2|21|d0"]);
        w.run("UPDATE t SET v = (SELECT max(n) FROM other) WHERE id IN (SELECT id FROM other)")
            .await;
        assert_eq!(rows("1, 2, 3").await, ["1|7|s1!|d1", "2|7|21|d0", "3|31|s0|d1"]);
        assert_eq!(
            w.run("UPDATE t SET v = o.n * 100 FROM other o WHERE o.id = t.id").await,
            ["2 rows updated"]
        );
        assert_eq!(rows("1, 2, 3").await, ["1|500|s1!|d1", "2|600|21|d0", "3|31|s0|d1"]);
        assert_eq!(w.run("UPDATE t SET s = 'all'").await, ["30 rows updated"]);
        assert_eq!(w.run("SELECT count(*), count(DISTINCT s), min(s) FROM t").await, ["30|1|all"]);
        assert_eq!(w.run("UPDATE t SET s = 'none' WHERE id > 100").await, ["no row changed"]);
    }
}

#[tokio::test]
async fn rows_without_a_key_are_told_apart_by_their_place() {
    let w = Warehouse::unsynced().await;
    w.run(
        "CREATE TABLE t (id INT, dt STRING) PARTITIONED BY (dt);
         INSERT INTO t VALUES (1, 'a'), (1, 'a'), (1, 'b');
         INSERT INTO t VALUES (1, 'a'), (2, 'b')",
    )
    .await;
    assert_eq!(w.run("DELETE FROM t LIMIT 1").await, ["1 row deleted"]);
    assert_eq!(w.run("SELECT count(*) FROM t").await, ["4"]);
    // A row may move to another partition.
    assert_eq!(
        w.run("UPDATE t SET dt = 'c', id = id + 10 WHERE dt = 'b'").await,
        ["2 rows updated"]
    );
    assert_eq!(w.run("SELECT id FROM t WHERE dt = 'c' ORDER BY id").await, ["11", "12"]);
    assert_eq!(w.run("SELECT count(*) FROM t WHERE dt = 'b'").await, ["0"]);
}

#[tokio::test]
async fn only_files_with_matching_rows_are_written_anew() {
    let w = filled(KINDS[2]).await;
    let files = async || {
        let mut files = w.run("SELECT file_path FROM t$files").await;
        files.sort();
        files
    };
    let before = files().await;
    assert_eq!(before.len(), 3);
    w.run("DELETE FROM t WHERE id = 12").await;
    let after = files().await;
    assert_eq!(after.len(), 3);
    assert_eq!(before.iter().filter(|file| after.contains(file)).count(), 2);
    // Nothing is left of the last file: it is not replaced.
    w.run("DELETE FROM t WHERE id >= 20").await;
    assert_eq!(files().await.len(), 2);
    let snapshots = "SELECT commit_kind, total_record_count, delta_record_count FROM t$snapshots
                     ORDER BY snapshot_id DESC LIMIT 2";
    assert_eq!(w.run(snapshots).await, ["OVERWRITE|19|-10", "OVERWRITE|29|-1"]);
}

#[tokio::test]
async fn nulls_of_changed_rows_stay_where_a_column_has_a_default() {
    for kind in ["PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1')", "x INT)"] {
        let w = Warehouse::unsynced().await;
        w.run(&format!("CREATE TABLE t (id INT NOT NULL, v INT, {kind}; INSERT INTO t (id) VALUES (1), (2), (3)"))
            .await;
        w.run("ALTER TABLE t ADD d STRING; ALTER TABLE t ALTER COLUMN d SET DEFAULT 'new'").await;
        w.run("UPDATE t SET v = 7 WHERE id = 1; DELETE FROM t WHERE id = 3").await;
        assert_eq!(w.run("SELECT id, v, d FROM t ORDER BY id").await, ["1|7|NULL", "2|NULL|NULL"]);
        w.run("UPDATE t SET d = 'x' WHERE id = 1; UPDATE t SET d = NULL WHERE id = 1").await;
        assert_eq!(w.run("SELECT d FROM t WHERE id = 1").await, ["NULL"]);
    }
}

#[tokio::test]
async fn values_of_every_type_survive_a_change_of_another_column() {
    for kind in ["PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1')", "x INT)"] {
        let w = Warehouse::unsynced().await;
        w.run(&format!(
            "CREATE TABLE t (id INT NOT NULL, n INT, a BOOLEAN, b TINYINT, c SMALLINT, d INT, e BIGINT,
                f FLOAT, g DOUBLE, h DECIMAL(38, 10), i CHAR(3), j VARCHAR(5), k STRING, l BINARY(2),
                m BYTES, n2 DATE, o TIME(3), p TIMESTAMP(0), q TIMESTAMP(3), r TIMESTAMP(6),
                s TIMESTAMP(9), t TIMESTAMP_LTZ(3), u ARRAY<INT>, v MAP<STRING, INT>,
                w ROW<x INT, y STRING>, {kind}"
        ))
        .await;
        let columns = "id, n, a, b, c, d, e, f, g, h, i, j, k, l, m, n2, o, p, q, r, s, t, u, v, w";
        w.run(&format!(
            "INSERT INTO t ({columns}) VALUES (1, 0, true, -128, 32767, -2147483648,
                9223372036854775807, 1.5, 1e300, 1234567890123456789012345678.0123456789, 'abc',
                '你好🚚', 'it''s', X'00ff', X'', DATE '2024-02-29', '12:30:00.123',
                '2024-01-01 00:00:01.9', '1969-12-31 23:59:59.999', '2024-01-01 00:00:00.123456',
                '2024-01-01 00:00:00.123456789', '2024-01-01 00:00:00', [1, NULL], MAP {{'k': 1}},
                named_struct('x', 1, 'y', NULL));
             INSERT INTO t (id, n) VALUES (2, 0)"
        ))
        .await;
        let rest = "SELECT a, b, c, d, e, f, g, h, i, j, k, l, m, n2, o, p, q, r, s, t, u, v, w
                    FROM t ORDER BY id";
        let before = w.run(rest).await;
        w.run("UPDATE t SET n = n + 1").await;
        w.run(
            "MERGE INTO t USING (VALUES (1), (2)) AS src(k1) ON t.id = src.k1
             WHEN MATCHED THEN UPDATE SET n = t.n + 1",
        )
        .await;
        assert_eq!(w.run("SELECT n FROM t").await, ["2", "2"]);
        assert_eq!(w.run(rest).await, before);
        assert_eq!(w.run("DELETE FROM t WHERE u[1] = 1 AND w.x = 1").await, ["1 row deleted"]);
        assert_eq!(w.run("SELECT id FROM t").await, ["2"]);
    }
}

#[tokio::test]
async fn values_must_fit_as_those_of_an_insert() {
    let w = filled(KINDS[0]).await;
    for (sql, reason) in [
        ("UPDATE t SET v = 99999999999", "'v'"),
        ("UPDATE t SET v = 'x'", "'v'"),
        ("UPDATE t SET dt = NULL", "'dt'"),
        ("UPDATE t SET x = 1", "no column 'x'"),
        ("UPDATE t SET v = x", "x"),
        (
            "DELETE FROM t WHERE v > (SELECT max(n) FROM other o WHERE o.id < t.id)",
            "join with the table",
        ),
        ("DELETE FROM t WHERE x = 1", "x"),
        ("DELETE FROM t WHERE `$row` = 1 AND x = 1", "x"),
        ("DELETE FROM nowhere", "nowhere"),
        ("UPDATE t SET id = id + 1", "part of the primary key"),
        ("DELETE FROM t$files", "system table"),
        ("DELETE FROM t /*+ OPTIONS('scan.snapshot-id' = '1') */", "newest rows"),
        (
            "UPDATE t SET v = n FROM (VALUES (1, 1), (1, 2)) AS o(id, n) WHERE o.id = t.id",
            "GROUP BY",
        ),
        ("EXPLAIN UPDATE t SET v = 1", "EXPLAIN UPDATE"),
    ] {
        let error = w.fails(sql).await;
        assert!(error.to_string().contains(reason), "{sql}: {error}");
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Invalid | ErrorKind::Unsupported | ErrorKind::NotFound
            ),
            "{sql}: {error}"
        );
    }
    w.run("CREATE TEMPORARY VIEW w AS SELECT * FROM t").await;
    assert!(w.fails("DELETE FROM w").await.to_string().contains("is a view"));
    assert_eq!(w.run("SELECT count(*), sum(v) FROM t").await, ["30|3600"]);
    assert_eq!(w.run("SELECT max(snapshot_id) FROM t$snapshots").await, ["3"]);
}

#[tokio::test]
async fn java_reads_and_checks_changed_tables() {
    let Some(java) = require_java("java_reads_and_checks_changed_tables") else { return };
    for kind in KINDS {
        let w = filled(kind).await;
        w.run(
            "DELETE FROM t WHERE id % 4 = 1;
             UPDATE t SET s = 'u', v = id WHERE id % 3 = 0;
             MERGE INTO t USING other AS s ON t.id = s.id WHEN MATCHED THEN DELETE
               WHEN NOT MATCHED THEN INSERT (id, v, dt) VALUES (s.id, s.n, 'new')
               WHEN NOT MATCHED BY SOURCE AND t.id = 8 THEN UPDATE SET v = -1",
        )
        .await;
        let path = w.dir.path().join("warehouse/default.db/t");
        assert_eq!(java.check(&path), Vec::<String>::new(), "{kind}");
        let mut rows: Vec<String> = java.read(&path).iter().map(|line| row_of(line)).collect();
        rows.sort();
        let mut own = w.run("SELECT id, v, s, dt FROM t").await;
        own.sort();
        assert_eq!(rows, own, "{kind}");
    }
}

/// `id|v|s|dt` of a line of Java's.
fn row_of(line: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let cell = |name: &str| match &value["row"][name] {
        serde_json::Value::Null => "NULL".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    ["id", "v", "s", "dt"].map(cell).join("|")
}
