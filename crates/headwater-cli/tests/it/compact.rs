//! `headwater compact`: tables by name, by directory, by database, and the forms of its result.

use std::time::Duration;

use headwater_testkit::TempDir;

use crate::program::{headwater, sql, start};

/// A warehouse with a table of three commits in each of two databases.
fn warehouse() -> TempDir {
    let dir = TempDir::new();
    let mut statements = String::new();
    for database in ["one", "two"] {
        statements.push_str(&format!(
            "CREATE DATABASE {database}; \
             CREATE TABLE {database}.t (id INT, dt STRING, PRIMARY KEY (id, dt) NOT ENFORCED) \
             PARTITIONED BY (dt) WITH ('bucket' = '1', 'write-only' = 'true');"
        ));
        for id in 0..3 {
            statements
                .push_str(&format!("INSERT INTO {database}.t VALUES ({id}, 'a'), ({id}, 'b');"));
        }
    }
    sql(dir.text(), &statements).ok();
    dir
}

fn files(dir: &TempDir, database: &str) -> String {
    let query = format!(
        "SELECT count(*) FILTER (WHERE partition = '{{a}}') AS a, \
         count(*) FILTER (WHERE partition = '{{b}}') AS b FROM {database}.t$files"
    );
    sql(dir.text(), &query).ok().lines().last().unwrap().to_owned()
}

#[test]
fn tables_are_compacted_by_name_partition_and_directory() {
    let dir = warehouse();
    assert_eq!(files(&dir, "one"), "3,3");
    let compact = |more: &[&str]| {
        let mut arguments = vec!["compact", "-w", dir.text(), "--format", "csv"];
        arguments.extend(more);
        headwater(&arguments).ok()
    };
    let said = compact(&["one.t", "--full", "--partition", "dt=a"]);
    let mut lines = said.lines();
    assert_eq!(
        lines.next(),
        Some("result,snapshot_id,buckets,files_before,files_after,bytes_before,bytes_after")
    );
    assert!(lines.next().unwrap().starts_with("success,4,1,3,1,"), "{said}");
    assert_eq!(files(&dir, "one"), "1,3");
    // Three runs are fewer than the options want to merge.
    let said = compact(&["one.t"]);
    assert!(said.contains("success,,0,0,0,0,0"), "{said}");
    let said = compact(&["one.t", "--full", "--idle", "1 h"]);
    assert!(said.contains("success,,0,0,0,0,0"), "{said}");

    let location = dir.join("two.db/t");
    let location = location.to_str().unwrap();
    let said = headwater(&["compact", location, "--full", "--format", "json"]).ok();
    assert!(said.contains("\"files_before\": 6") || said.contains("\"files_before\":6"), "{said}");
    assert_eq!(files(&dir, "two"), "1,1");
}

#[test]
fn rows_are_sorted_in_the_partitions_that_a_condition_chooses() {
    let dir = TempDir::new();
    sql(
        dir.text(),
        "CREATE DATABASE d; \
         CREATE TABLE d.t (a INT, b INT, dt STRING) PARTITIONED BY (dt) WITH ('write-only' = 'true');\
         INSERT INTO d.t VALUES (3, 1, 'x'), (1, 2, 'x'), (2, 9, 'y'); \
         INSERT INTO d.t VALUES (2, 1, 'x'), (1, 1, 'y')",
    )
    .ok();
    let compact = |more: &[&str]| {
        let mut arguments = vec!["compact", "-w", dir.text(), "--format", "csv", "d.t"];
        arguments.extend(more);
        headwater(&arguments).ok()
    };
    let rows = || {
        let rows = sql(dir.text(), "SELECT a, b FROM d.t WHERE dt = 'x'").ok();
        rows.lines().skip(1).collect::<Vec<_>>().join(" ")
    };
    let said = compact(&["--order-by", "a,b", "--where", "dt < 'y'"]);
    assert!(said.lines().nth(1).unwrap().starts_with("success,3,1,2,1,"), "{said}");
    assert_eq!(rows(), "1,2 2,1 3,1");
    let said = compact(&["--order-by", "b", "--partition", "dt=x", "--full"]);
    assert!(said.lines().nth(1).unwrap().starts_with("success,4,1,1,1,"), "{said}");
    let said = compact(&["--order-by", "a,b", "--order-strategy", "hilbert"]);
    assert!(said.lines().nth(1).unwrap().starts_with("success,5,2,3,2,"), "{said}");
    let said = compact(&["--where", "dt = 'z'", "--full"]);
    assert!(said.contains("success,,0,0,0,0,0"), "{said}");
}

#[test]
fn databases_and_warehouses_are_compacted_table_by_table() {
    let dir = warehouse();
    let compact = |more: &[&str]| {
        let mut arguments = vec!["compact", "-w", dir.text(), "--full", "--format", "csv"];
        arguments.extend(more);
        headwater(&arguments).ok()
    };
    let said = compact(&["--database", "one"]);
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("one.t,success,4,2,6,2,"), "{said}");
    let said = compact(&["--all"]);
    assert!(said.contains("one.t,success,,0") && said.contains("two.t,success,4,2,6,2"), "{said}");
}

#[test]
fn what_cannot_be_compacted_is_said() {
    let dir = warehouse();
    let table = dir.join("one.db/t");
    let table = table.to_str().unwrap();
    for (arguments, code, words) in [
        (&["compact"][..], 2, "--database"),
        (&["compact", "one.t", "--all"], 2, "cannot be used with"),
        (&["compact", "--all", "--partition", "dt=a"], 2, "cannot be used with"),
        (&["compact", "one.t", "--partition", "dt"], 2, "name=value"),
        (&["compact", "one.t", "--partition", "dt=a;dt=b"], 2, "repeat the argument"),
        (&["compact", "one.t", "--idle", "soon"], 2, "whole number"),
        (&["compact", "one.t", "--interval", "1 s"], 2, "--watch"),
        (&["compact", "one.t", "--format", "parquet", "--watch"], 1, "one result"),
        (&["compact", "one.none", "-w", dir.text()], 1, "none"),
        (&["compact", "one.t", "--order-strategy", "zorder"], 2, "--order-by"),
        (&["compact", "one.t", "--order-by", "id", "--order-strategy", "up"], 2, "hilbert"),
        (&["compact", "one.t", "--order-by", " "], 2, "blank"),
        (&["compact", "one.t", "--order-by", "id", "--watch"], 2, "cannot be used with"),
        (&["compact", "one.t", "--order-by", "id", "--idle", "1 h"], 2, "cannot be used with"),
        (&["compact", "--all", "--order-by", "id"], 2, "cannot be used with"),
        (&["compact", "--all", "--where", "dt = 'a'"], 2, "cannot be used with"),
        (&["compact", "one.t", "--where", ""], 2, "blank"),
        (&["compact", "one.t", "--where", "dt = 'a'", "--partition", "dt=a"], 2, "cannot be used"),
        (&["compact", "one.t", "-w", dir.text(), "--where", "id = 1"], 1, "'id' is no partition"),
        (&["compact", "one.t", "-w", dir.text(), "--order-by", "id"], 1, "primary key"),
        (&["compact", "one.t", "-w", dir.text(), "--partition", "x=1"], 1, "'x'"),
        (&["compact", table, "-w", dir.text()], 1, "both say where"),
    ] {
        let said = headwater(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        assert!(said.err.contains(words), "{arguments:?}: {said:?}");
        assert_eq!(said.out, "", "{arguments:?}");
    }
}

#[test]
fn watching_goes_on_until_it_is_ended() {
    let dir = warehouse();
    let arguments =
        ["compact", "--all", "-w", dir.text(), "--full", "--watch", "--interval", "20 ms"];
    let mut child = start(&arguments, "");
    // It works on what is there, and on what comes later.
    let mut rounds = 0;
    while files(&dir, "two") != "1,1" {
        rounds += 1;
        assert!(rounds < 600, "nothing was compacted");
        std::thread::sleep(Duration::from_millis(50));
    }
    sql(dir.text(), "INSERT INTO one.t VALUES (9, 'a')").ok();
    while files(&dir, "one") != "1,1" {
        rounds += 1;
        assert!(rounds < 600, "nothing was compacted");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
}
