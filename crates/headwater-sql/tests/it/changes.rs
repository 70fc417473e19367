//! ALTER, TRUNCATE, AS SELECT, LIKE: what they leave behind, here and for Java.

use std::path::PathBuf;

use headwater_testkit::require_java;
use serde_json::json;

use crate::warehouse::Warehouse;

fn dir(w: &Warehouse, table: &str) -> PathBuf {
    w.dir.path().join("warehouse/default.db").join(table)
}

#[tokio::test]
async fn a_table_is_read_and_written_through_all_its_schemas() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id INT, v INT, r ROW<a INT, b STRING>, PRIMARY KEY (id) NOT ENFORCED)
             WITH ('bucket' = '2');
         INSERT INTO t VALUES (1, 10, ROW(1, 'x')), (2, 20, ROW(2, 'y'));
         ALTER TABLE t ADD (n STRING COMMENT 'new') ;
         INSERT INTO t VALUES (3, 30, ROW(3, 'z'), 'n');
         ALTER TABLE t MODIFY v BIGINT;
         ALTER TABLE t RENAME v TO total;
         ALTER TABLE t ADD COLUMN r.c DOUBLE;
         ALTER TABLE t DROP COLUMN r.a;
         ALTER TABLE t ALTER COLUMN n FIRST;
         INSERT INTO t (id, total, n) VALUES (1, 5000000000, 'one');
         ALTER TABLE t SET ('snapshot.num-retained.max' = '20', 'comment' = 'changed');
         ALTER TABLE t RENAME TO renamed",
    )
    .await;
    let rows = ["one|1|5000000000|NULL", "NULL|2|20|{b: y, c: NULL}", "n|3|30|{b: z, c: NULL}"];
    assert_eq!(w.run("SELECT * FROM renamed ORDER BY id").await, rows);
    let shown = w.run("SHOW CREATE TABLE renamed").await.remove(0);
    for part in ["`n` STRING COMMENT 'new'", "`total` BIGINT", "COMMENT 'changed'", "num-retained"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(w.fails("SELECT * FROM t").await.to_string().contains("'default.t' does not exist"));
    assert_eq!(w.run("SELECT max(schema_id) FROM renamed$schemas").await, ["7"]);

    let test = "a_table_is_read_and_written_through_all_its_schemas";
    let Some(java) = require_java(test) else { return };
    let table = dir(&w, "renamed");
    assert_eq!(java.check(&table), Vec::<String>::new());
    assert_eq!(
        java.read(&table),
        [
            r#"{"kind":"+I","row":{"n":"n","id":3,"total":30,"r":{"b":"z","c":null}}}"#,
            r#"{"kind":"+I","row":{"n":"one","id":1,"total":5000000000,"r":null}}"#,
            r#"{"kind":"+I","row":{"n":null,"id":2,"total":20,"r":{"b":"y","c":null}}}"#,
        ]
    );
    // Java goes on from our schema, and we from Java's.
    java.alter(&table, &json!([{"change": "add", "column": "j", "type": "INT"}]));
    java.commit(&table, &[json!({"n": "four", "id": 4, "total": 4, "r": null, "j": 44})]);
    w.run("ALTER TABLE renamed DROP n").await;
    assert_eq!(w.run("SELECT * FROM renamed WHERE id = 4").await, ["4|4|NULL|44"]);
    assert_eq!(java.check(&table), Vec::<String>::new());
}

#[tokio::test]
async fn java_makes_the_same_schema_of_the_same_change() {
    let test = "java_makes_the_same_schema_of_the_same_change";
    let Some(java) = require_java(test) else { return };
    let w = Warehouse::new().await;
    let create = "(k INT, p STRING, v INT, r ROW<a INT, b ARRAY<ROW<c INT>>>,
        PRIMARY KEY (k, p) NOT ENFORCED) PARTITIONED BY (p)
        WITH ('bucket' = '1', 'bucket-key' = 'k', 'fields.v.list-agg-delimiter' = ';')";
    for (number, (ours, theirs)) in [
        ("SET ('write-only' = 'true')", json!({"change": "set", "key": "write-only", "value": "true"})),
        ("RESET ('fields.v.list-agg-delimiter')", json!({"change": "reset", "key": "fields.v.list-agg-delimiter"})),
        ("SET ('comment' = 'c')", json!({"change": "table_comment", "comment": "c"})),
        ("ADD n ROW<x INT, y ROW<z INT>> AFTER k", json!({"change": "add", "column": "n", "type": "ROW<x INT, y ROW<z INT>>", "after": "k"})),
        ("ADD n INT COMMENT 'c' FIRST", json!({"change": "add", "column": "n", "type": "INT", "comment": "c", "first": true})),
        ("ADD COLUMN r.b.element.d STRING", json!({"change": "add", "column": ["r", "b", "element", "d"], "type": "STRING"})),
        ("RENAME k TO key", json!({"change": "rename", "column": "k", "to": "key"})),
        ("RENAME v TO w", json!({"change": "rename", "column": "v", "to": "w"})),
        ("RENAME COLUMN r.a TO z", json!({"change": "rename", "column": ["r", "a"], "to": "z"})),
        ("DROP r", json!({"change": "drop", "column": "r"})),
        ("DROP COLUMN r.b", json!({"change": "drop", "column": ["r", "b"]})),
        ("MODIFY v DOUBLE", json!({"change": "type", "column": "v", "type": "DOUBLE", "keep_nullability": true})),
        ("ALTER COLUMN r.b.element.c TYPE BIGINT", json!({"change": "type", "column": ["r", "b", "element", "c"], "type": "BIGINT", "keep_nullability": true})),
        ("ALTER COLUMN v COMMENT 'c'", json!({"change": "comment", "column": "v", "comment": "c"})),
        ("ALTER COLUMN v SET DEFAULT 5", json!({"change": "default", "column": "v", "value": "5"})),
        ("ALTER COLUMN v FIRST", json!({"change": "move", "column": "v", "first": true})),
        ("ALTER COLUMN k AFTER v", json!({"change": "move", "column": "k", "after": "v"})),
    ]
    .into_iter()
    .enumerate()
    {
        let (a, b) = (format!("a{number}"), format!("b{number}"));
        w.run(&format!("CREATE TABLE {a} {create}; CREATE TABLE {b} {create}")).await;
        w.run(&format!("ALTER TABLE {a} {ours}")).await;
        java.alter(&dir(&w, &b), &json!([theirs]));
        let sql = "SELECT fields, partition_keys, primary_keys, comment, options FROM";
        let at = "$schemas WHERE schema_id = 1";
        let mut mine = w.run(&format!("{sql} {a}{at}")).await;
        let mut java = w.run(&format!("{sql} {b}{at}")).await;
        // The order of options is that of a Java hash map.
        for rows in [&mut mine, &mut java] {
            let row = rows.remove(0);
            let (columns, options) = row.rsplit_once('|').unwrap();
            let mut options: Vec<&str> = options.trim_matches(['{', '}']).split(',').collect();
            options.sort_unstable();
            rows.extend([columns.to_owned(), options.join(",")]);
        }
        assert_eq!(mine, java, "{ours}");
    }
}

#[tokio::test]
async fn truncate_and_drop_partition_are_overwrites_as_java_makes_them() {
    let w = Warehouse::new().await;
    let create = "(id INT, dt STRING, h INT) PARTITIONED BY (dt, h)";
    let insert = "VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 1), (4, NULL, 1)";
    w.run(&format!(
        "CREATE TABLE t {create}; INSERT INTO t {insert};
         ALTER TABLE t DROP PARTITION (dt = 'a', h = 1), PARTITION (dt = '__DEFAULT_PARTITION__');
         TRUNCATE TABLE t PARTITION (dt = 'a')"
    ))
    .await;
    assert_eq!(w.run("SELECT * FROM t").await, ["3|b|1"]);
    w.run("TRUNCATE TABLE t").await;
    assert!(w.run("SELECT * FROM t").await.is_empty());
    let kinds = "SELECT commit_kind, total_record_count, delta_record_count FROM";
    let ours = w.run(&format!("{kinds} t$snapshots ORDER BY snapshot_id")).await;
    assert_eq!(
        ours,
        ["APPEND|4|4", "OVERWRITE|3|-1", "OVERWRITE|2|-1", "OVERWRITE|1|-1", "OVERWRITE|0|-1"]
    );
    assert!(w.fails("TRUNCATE TABLE t PARTITION (id = 1)").await.to_string().contains("'id'"));

    let test = "truncate_and_drop_partition_are_overwrites_as_java_makes_them";
    let Some(java) = require_java(test) else { return };
    assert_eq!(java.check(&dir(&w, "t")), Vec::<String>::new());
    w.run(&format!("CREATE TABLE j {create}; INSERT INTO j {insert}")).await;
    let j = dir(&w, "j");
    java.done("drop_partition", &j, &json!({"partition": {"dt": "a", "h": "1"}}));
    java.done("drop_partition", &j, &json!({"partition": {"dt": "__DEFAULT_PARTITION__"}}));
    java.done("drop_partition", &j, &json!({"partition": {"dt": "a"}}));
    java.done("truncate", &j, &json!({}));
    assert_eq!(w.run(&format!("{kinds} j$snapshots ORDER BY snapshot_id")).await, ours);
    // A table without rows: as Java does it.
    w.run(&format!("CREATE TABLE e {create}; CREATE TABLE f {create}; TRUNCATE TABLE e")).await;
    java.done("truncate", &dir(&w, "f"), &json!({}));
    assert_eq!(
        w.run(&format!("{kinds} e$snapshots")).await,
        w.run(&format!("{kinds} f$snapshots")).await
    );
}

#[tokio::test]
async fn as_select_keeps_types_and_leaves_nothing_when_it_fails() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE s (id INT NOT NULL, c CHAR(3), v VARCHAR(7), t TIMESTAMP(0), m MAP<STRING, INT>,
             a ARRAY<INT NOT NULL>, r ROW<x INT, y STRING>, l TIMESTAMP_LTZ(9), d DECIMAL(5, 1));
         INSERT INTO s (id, c) VALUES (1, 'abc');
         CREATE TABLE copy WITH ('primary-key' = 'id', 'bucket' = '1') AS
             SELECT * FROM (SELECT * FROM s WHERE id > 0) AS x ORDER BY id;
         CREATE TABLE made AS SELECT id + 1 AS n, 'x' AS s, 1.50 AS d, 1e0 AS f, count(*) AS c,
             TRUE AS b, DATE '2024-01-01' AS t FROM s GROUP BY id",
    )
    .await;
    let types = async |table: &str| -> Vec<String> {
        let rows = w.run(&format!("DESCRIBE {table}")).await;
        rows.iter().map(|r| r.split('|').take(3).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(types("copy").await, types("s").await);
    assert_eq!(
        types("made").await,
        [
            "n INT false",
            "s STRING false",
            "d DECIMAL(3, 2) false",
            "f DOUBLE false",
            "c BIGINT false",
            "b BOOLEAN false",
            "t DATE false"
        ]
    );
    for (sql, reason) in [
        ("CREATE TABLE bad AS SELECT 1 / (id - 1) AS x FROM s", "Divide by zero"),
        ("CREATE TABLE bad AS SELECT NULL AS x", "CAST it"),
        ("CREATE TABLE bad AS SELECT nothing FROM s", "nothing"),
        ("CREATE TABLE bad WITH ('bukcet' = '1') AS SELECT 1 AS x", "'bucket'"),
        ("CREATE TABLE bad (a, b) AS SELECT 1 AS a", "'b' is not given"),
        ("CREATE TABLE bad (a) AS SELECT 1 AS a, 2 AS b", "'b', which the list"),
        ("CREATE TEMPORARY TABLE bad AS SELECT 1", "TEMPORARY VIEW"),
        ("CREATE TABLE bad AS SELECT 1 AS a, 2 AS a", "a"),
    ] {
        let error = w.fails(sql).await.to_string();
        assert!(error.contains(reason), "{sql}: {error}");
    }
    assert_eq!(w.run("SHOW TABLES").await, ["copy", "made", "s"]);
    assert!(!dir(&w, "bad").exists());
}

#[tokio::test]
async fn like_takes_over_what_is_included() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE s (id INT COMMENT 'c', dt STRING DEFAULT 'x', PRIMARY KEY (id, dt) NOT ENFORCED)
             COMMENT 'source' PARTITIONED BY (dt) WITH ('bucket' = '2');
         CREATE TABLE a LIKE s;
         CREATE TABLE b (extra INT) WITH ('bucket' = '3', 'write-only' = 'true') LIKE s;
         CREATE TABLE c LIKE s (EXCLUDING ALL)",
    )
    .await;
    let shown = async |table: &str| w.run(&format!("SHOW CREATE TABLE {table}")).await.remove(0);
    assert_eq!(shown("a").await, shown("s").await.replace("`s`", "`a`"));
    let b = shown("b").await;
    for part in ["`extra` INT", "'bucket' = '3'", "'write-only' = 'true'", "PARTITIONED BY"] {
        assert!(b.contains(part), "{part}: {b}");
    }
    let c = shown("c").await;
    assert!(!c.contains("PRIMARY KEY") && !c.contains("WITH") && !c.contains("PARTITIONED"), "{c}");
    for (sql, reason) in [
        ("CREATE TABLE x (id INT) LIKE s", "column 'id' is in the statement and"),
        ("CREATE TABLE x WITH ('bucket' = '4') LIKE s (INCLUDING OPTIONS)", "OVERWRITING OPTIONS"),
        ("CREATE TABLE x LIKE nowhere", "does not exist"),
    ] {
        let error = w.fails(sql).await.to_string();
        assert!(error.contains(reason), "{sql}: {error}");
    }
}
