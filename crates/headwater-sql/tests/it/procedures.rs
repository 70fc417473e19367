//! CALL: procedures with Flink's and Spark's spelling, what they do, and what is refused.

use headwater_sql::{Output, StatementKind};
use headwater_testkit::require_java;

use crate::warehouse::Warehouse;

/// A table of several small commits, which no writer compacts.
async fn with_commits(w: &Warehouse, table: &str, options: &str) {
    w.run(&format!(
        "CREATE TABLE {table} (id INT, v STRING, PRIMARY KEY (id) NOT ENFORCED) \
         WITH ('bucket' = '1', 'write-only' = 'true'{options})"
    ))
    .await;
    for commit in 0..4 {
        w.run(&format!("INSERT INTO {table} VALUES ({commit}, 'a'), (9, 'b{commit}')")).await;
    }
}

async fn manifests(w: &Warehouse, table: &str) -> usize {
    w.run(&format!("SELECT * FROM {table}$manifests")).await.len()
}

#[tokio::test]
async fn compact_manifest_merges_once_in_every_spelling() {
    let w = Warehouse::unsynced().await;
    w.run("CREATE DATABASE shop").await;
    for (n, call) in [
        "CALL sys.compact_manifest('shop.t0')",
        "CALL sys.compact_manifest(`table` => 'shop.t1')",
        "CALL sys.compact_manifest(table => '`shop`.`t2`')",
        "call paimon.SYS.Compact_Manifest(\"table\" => 'paimon.shop.t3', options => NULL)",
        "CALL `paimon`.`sys`.`compact_manifest`('shop.t4', '')",
        "CALL sys.compact_manifest('shop.t5', 'manifest.target-file-size=8 mb')",
    ]
    .iter()
    .enumerate()
    {
        let table = format!("shop.t{n}");
        with_commits(&w, &table, "").await;
        assert_eq!(manifests(&w, &table).await, 4);
        assert_eq!(w.run(call).await, ["success|5|1"], "{call}");
        assert_eq!(manifests(&w, &table).await, 1);
        assert_eq!(w.run(call).await, ["success|NULL|1"], "{call}");
        let kinds = w.run(&format!("SELECT commit_kind FROM {table}$snapshots")).await;
        assert_eq!(kinds, ["APPEND", "APPEND", "APPEND", "APPEND", "COMPACT"]);
        assert_eq!(
            w.run(&format!("SELECT * FROM {table} ORDER BY id")).await,
            ["0|a", "1|a", "2|a", "3|a", "9|b3"]
        );
    }
    // Names without a database are those of the session.
    with_commits(&w, "t", "").await;
    assert_eq!(w.run("CALL sys.compact_manifest('t')").await, ["success|5|1"]);
    w.run("USE shop").await;
    with_commits(&w, "u", "").await;
    assert_eq!(w.run("CALL sys.compact_manifest('u')").await, ["success|5|1"]);
}

#[tokio::test]
async fn a_call_is_one_of_a_script_and_gives_a_table() {
    let w = Warehouse::unsynced().await;
    with_commits(&w, "t", "").await;
    let lines = w
        .run("SELECT count(*) FROM t; CALL sys.compact_manifest('t'); SELECT count(*) FROM t;")
        .await;
    assert_eq!(lines, ["5", "success|5|1", "5"]);
    let result = w.session.execute("CALL sys.compact_manifest('t')").await.unwrap();
    assert_eq!(result.kind, StatementKind::Call);
    let Output::Rows(rows) = result.output else { panic!("rows") };
    let names: Vec<_> = rows.schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(names, ["result", "snapshot_id", "manifests"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_said() {
    let w = Warehouse::unsynced().await;
    with_commits(&w, "t", "").await;
    w.run("CREATE TEMPORARY VIEW v AS SELECT 1").await;
    for (call, words) in [
        ("compact_manifest('t')", "procedures are in the database sys: CALL sys.compact_manifest"),
        ("shop.compact_manifest('t')", "there are no procedures in 'shop'"),
        ("nowhere.sys.compact_manifest('t')", "catalog 'nowhere' does not exist"),
        ("sys.compact_manifests('t')", "did you mean sys.compact_manifest?"),
        ("sys.expire_snapshots('t')", "sys.expire_snapshots is not supported: it is not in this"),
        ("sys.rollback_to('t', 1)", "VERSION AS OF"),
        ("sys.compact_manifest()", "needs the argument 'table'"),
        ("sys.compact_manifest(tabel => 't')", "did you mean 'table'?"),
        ("sys.compact_manifest(1)", "must be a text in single quotes"),
        ("sys.compact_manifest('nothing')", "nothing"),
        ("sys.compact_manifest('a.b.c.d')", "too many parts"),
        ("sys.compact_manifest('t.')", "no table's name"),
        ("sys.compact_manifest('v')", "temporary view"),
        ("sys.compact_manifest('t', 'buket')", "'options' must be 'key=value"),
        ("sys.compact_manifest('t', 'buket=1')", "did you mean 'bucket'?"),
        ("sys.compact_manifest('t', dry_run => true)", "'dry_run' of sys.compact_manifest is not"),
        ("sys.compact('t', '', 'order', 'id')", "it has a primary key"),
        ("sys.compact('t', '', '', 'zorder', 'id,v')", "it has a primary key"),
        ("sys.compact('t', '', 'full', 'x')", "must be 'none' or 'order'"),
        ("sys.compact(table => 't', `where` => 'id > 1')", "'id' is no partition column"),
        ("sys.compact(table => 't', buckets => '1')", "'buckets' of sys.compact is not supported"),
        ("sys.compact(table => 't', compact_strategy => 'all')", "must be 'full' or 'minor'"),
        ("sys.compact(table => 't', partition_idle_time => 'soon')", "'partition_idle_time'"),
        ("sys.compact(table => 't', partitions => 'id=1')", "partition"),
        ("sys.compact('t', '', '', '', 'a=1')", "name them, CALL sys.compact(options => 'a=1'"),
        ("sys.compact_database('(')", "'including_databases': '(' is no regular expression"),
        ("sys.compact_database('a', '', 'b')", "in one order in Flink and in another in Spark"),
        ("sys.compact_database(options => 'a=1', table_options => 'b=1')", "one and the same"),
    ] {
        let message = w.fails(&format!("CALL {call}")).await.to_string();
        assert!(message.contains(words), "{call}: {message}");
    }
    assert_eq!(w.run("SELECT max(snapshot_id) FROM t$snapshots").await, ["4"]);
}

#[tokio::test]
async fn procedures_are_listed() {
    let w = Warehouse::unsynced().await;
    let all = ["compact", "compact_database", "compact_manifest", "rescale"];
    assert_eq!(w.run("SHOW PROCEDURES").await, all);
    assert_eq!(w.run("SHOW PROCEDURES FROM sys").await, all);
    assert_eq!(w.run("SHOW PROCEDURES IN paimon.sys LIKE '%database'").await, ["compact_database"]);
    assert_eq!(w.run("SHOW PROCEDURES NOT LIKE 'compact%'").await, ["rescale"]);
    let message = w.fails("SHOW PROCEDURES FROM shop").await.to_string();
    assert!(message.contains("they are in sys"), "{message}");
}

async fn files(w: &Warehouse, table: &str) -> Vec<String> {
    w.run(&format!("SELECT level, count(*) FROM {table}$files GROUP BY level ORDER BY level")).await
}

#[tokio::test]
async fn compact_merges_the_files_of_a_table() {
    let w = Warehouse::unsynced().await;
    for (n, (call, level)) in [
        ("CALL sys.compact('default.t0')", 5),
        ("CALL sys.compact(`table` => 't1', compact_strategy => 'full')", 5),
        ("CALL sys.compact(table => 't2', order_strategy => 'none', partitions => '')", 5),
        ("CALL sys.compact('t3', '', '', '', '', '', '', 'FULL')", 5),
        ("CALL sys.compact(table => 't4', options => 'num-levels=4')", 3),
    ]
    .iter()
    .enumerate()
    {
        let table = format!("t{n}");
        with_commits(&w, &table, "").await;
        assert_eq!(files(&w, &table).await, ["0|4"]);
        let said = w.run(call).await;
        assert!(said[0].starts_with("success|5|1|4|1|"), "{call}: {said:?}");
        assert_eq!(files(&w, &table).await, [format!("{level}|1")], "{call}");
        assert_eq!(
            w.run(&format!("SELECT * FROM {table} ORDER BY id")).await,
            ["0|a", "1|a", "2|a", "3|a", "9|b3"]
        );
        // Nothing is left to do.
        assert_eq!(w.run(call).await, ["success|NULL|0|0|0|0|0"], "{call}");
    }
}

#[tokio::test]
async fn compact_takes_the_partitions_it_is_told() {
    let w = Warehouse::unsynced().await;
    w.run(
        "CREATE TABLE t (id INT, dt STRING, h INT, PRIMARY KEY (id, dt, h) NOT ENFORCED) \
         PARTITIONED BY (dt, h) WITH ('bucket' = '1', 'write-only' = 'true')",
    )
    .await;
    for commit in 0..3 {
        w.run(&format!(
            "INSERT INTO t VALUES ({commit}, 'a', 1), ({commit}, 'a', 2), ({commit}, 'b', 1), \
             ({commit}, 'c', 1)"
        ))
        .await;
    }
    let counts = "SELECT partition, count(*) FROM t$files GROUP BY partition ORDER BY partition";
    let of = |counts: [usize; 4]| {
        let names = ["{a, 1}", "{a, 2}", "{b, 1}", "{c, 1}"];
        names.iter().zip(counts).map(|(name, n)| format!("{name}|{n}")).collect::<Vec<_>>()
    };
    assert_eq!(w.run(counts).await, of([3, 3, 3, 3]));
    w.run("CALL sys.compact(table => 't', partitions => 'dt=a,h=2;dt=b')").await;
    assert_eq!(w.run(counts).await, of([3, 1, 1, 3]));
    // Nobody waited for an hour.
    let said = w.run("CALL sys.compact(table => 't', partition_idle_time => '1 h')").await;
    assert!(said[0].starts_with("success|NULL|0"), "{said:?}");
    w.run("CALL sys.compact(table => 't', partitions => 'dt=a')").await;
    assert_eq!(w.run(counts).await, of([1, 1, 1, 3]));
}

#[tokio::test]
async fn compact_database_compacts_the_tables_that_match() {
    let w = Warehouse::unsynced().await;
    w.run("CREATE DATABASE one; CREATE DATABASE two").await;
    for table in ["one.a", "one.b", "two.a"] {
        with_commits(&w, table, "").await;
    }
    let names = |lines: &[String]| -> Vec<String> {
        lines.iter().map(|line| line.split('|').take(2).collect::<Vec<_>>().join("|")).collect()
    };
    let said = w.run("CALL sys.compact_database('one', 'combined', 'one\\.[ab]', '.*b')").await;
    assert_eq!(names(&said), ["one.a|success"]);
    assert_eq!(files(&w, "one.a").await, ["5|1"]);
    assert_eq!(files(&w, "one.b").await, ["0|4"]);
    let said = w.run("CALL sys.compact_database(including_tables => 'two.*')").await;
    assert_eq!(names(&said), ["two.a|success"]);
    let said = w.run("CALL sys.compact_database()").await;
    assert_eq!(names(&said), ["one.a|success", "one.b|success", "two.a|success"]);
    assert_eq!(files(&w, "one.b").await, ["5|1"]);
    let said = w.run("CALL sys.compact_database('nothing')").await;
    assert_eq!(said, [""; 0]);
    let mode = w.session.execute("CALL sys.compact_database('one', 'divided', 'x', 'y')").await;
    assert!(mode.unwrap().warnings[0].contains("'mode'"));
}

#[tokio::test]
async fn java_reads_tables_that_calls_compacted() {
    let Some(java) = require_java("java_reads_tables_that_calls_compacted") else { return };
    let w = Warehouse::unsynced().await;
    with_commits(&w, "t", "").await;
    w.run("CALL sys.compact('t')").await;
    w.run("INSERT INTO t VALUES (7, 'z'); CALL sys.compact_manifest('t')").await;
    let dir = w.dir.path().join("warehouse/default.db/t");
    assert_eq!(java.check(&dir), [""; 0]);
    assert_eq!(java.read(&dir).len(), 6);
}
