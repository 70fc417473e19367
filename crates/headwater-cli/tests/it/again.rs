//! Scripts with a name that run a second time, while the first run still goes on or after it was
//! killed: each statement is committed once.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use headwater_testkit::TempDir;
use headwater_testkit::files::list_files;

use crate::program::{Said, headwater, said, sql, start};

/// What becomes of the first run.
#[derive(Debug, Clone, Copy)]
enum First {
    /// Killed between its files and its commit.
    KilledBefore,
    /// Killed some milliseconds after its commit became possible.
    KilledAround(u64),
    /// It goes on, and both commit when they can.
    GoesOn,
}

/// The turn of writers: whoever holds it commits, and nobody else for five seconds.
#[expect(clippy::disallowed_types, reason = "a directory is locked, nothing is read or written")]
fn turn(snapshots: &Path) -> std::fs::File {
    let lock = std::fs::File::open(snapshots).unwrap();
    lock.lock().unwrap();
    lock
}

fn data_files(table: &Path) -> usize {
    list_files(table).iter().filter(|name| name.contains("bucket-")).count()
}

/// Waits until the table has more data files than that.
fn wait_for_files(table: &Path, before: usize, child: &mut Child) {
    let started = Instant::now();
    while data_files(table) <= before {
        assert!(child.try_wait().unwrap().is_none(), "it ended before its commit");
        assert!(started.elapsed() < Duration::from_secs(60), "no files after a minute");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn insert_again(table: &str, columns: &str, rounds: u64) {
    let dir = TempDir::new();
    sql(dir.text(), table).ok();
    sql(dir.text(), &format!("INSERT INTO t VALUES {columns}").replace("round", "-1")).ok();
    let path = dir.join("default.db/t");
    let snapshots = path.join("snapshot");
    for round in 0..rounds {
        let first = match round % 4 {
            0 => First::KilledBefore,
            1 => First::KilledAround(round % 9),
            2 => First::KilledAround(2 * (round % 9)),
            _ => First::GoesOn,
        };
        let label = format!("round-{round}");
        let script =
            format!("INSERT INTO t VALUES {columns};").replace("round", &round.to_string());
        let arguments = ["sql", "-w", dir.text(), "--threads", "1", "--no-sync", "--label", &label];
        let lock = turn(&snapshots);
        let before = data_files(&path);
        let mut run = start(&arguments, &script);
        wait_for_files(&path, before, &mut run);
        if matches!(first, First::KilledBefore) {
            run.kill().unwrap();
        }
        let between = data_files(&path);
        let mut retry = start(&arguments, &script);
        wait_for_files(&path, between, &mut retry);
        drop(lock);
        if let First::KilledAround(millis) = first {
            std::thread::sleep(Duration::from_millis(millis));
            run.kill().unwrap();
        }
        let run = said(run.wait_with_output().unwrap());
        let retry = said(retry.wait_with_output().unwrap());
        assert_eq!(retry.code, 0, "{round}: {retry:?}");
        let again = |said: &Said| said.err.contains("was committed before");
        match first {
            First::KilledBefore => {
                assert!(retry.out.contains("2 rows written") && !again(&retry), "{retry:?}");
            }
            First::KilledAround(_) => {}
            First::GoesOn => {
                assert_eq!(run.code, 0, "{round}: {run:?}");
                assert!(again(&run) != again(&retry), "{run:?}\n{retry:?}");
            }
        }
    }
    let query = "SELECT n, COUNT(*) AS c, SUM(v) AS v FROM t GROUP BY n ORDER BY n";
    let found = sql(dir.text(), query).ok();
    let wanted: String = std::iter::once("n,c,v\n".to_owned())
        .chain((-1..i64::try_from(rounds).unwrap()).map(|round| format!("{round},2,30\n")))
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn an_insert_that_is_killed_or_not_and_retried_meanwhile_adds_its_rows_once() {
    insert_again("CREATE TABLE t (n INT, v INT)", "(round, 10), (round, 20)", 50);
}

#[test]
fn the_same_for_rows_with_a_key_that_are_added_up() {
    let table = "CREATE TABLE t (n INT, part INT, v INT, PRIMARY KEY (n, part) NOT ENFORCED) \
                 WITH ('merge-engine' = 'aggregation', 'fields.v.aggregate-function' = 'sum', \
                 'bucket' = '1')";
    insert_again(table, "(round, 1, 10), (round, 2, 20)", 50);
}

#[test]
fn a_script_goes_on_where_it_failed() {
    let dir = TempDir::new();
    let run = |last: &str| {
        let script = format!(
            "CREATE TABLE IF NOT EXISTS t (n INT, v INT, PRIMARY KEY (n) NOT ENFORCED) \
             WITH ('bucket' = '1'); \
             INSERT INTO t VALUES (1, 1), (2, 2); UPDATE t SET v = v + 10 WHERE n = 1; \
             DELETE FROM t WHERE n = 2; INSERT INTO t VALUES (3, {last})"
        );
        let arguments =
            ["sql", "-w", dir.text(), "--create", "--format", "csv", "--label", "load", "-c"];
        headwater(&[&arguments[..], &[script.as_str()]].concat())
    };
    let failed = run("1 / 0");
    assert_ne!(failed.code, 0, "{failed:?}");
    assert!(!failed.err.contains("committed before"), "{failed:?}");
    let second = run("30");
    assert_eq!(second.code, 0, "{second:?}");
    assert_eq!(second.err.matches("was committed before").count(), 3, "{second:?}");
    let third = run("30");
    assert_eq!(third.err.matches("was committed before").count(), 4, "{third:?}");
    assert_eq!(sql(dir.text(), "SELECT * FROM t ORDER BY n").ok(), "n,v\n1,11\n3,30\n");
}

#[test]
fn statements_that_remove_rows_are_not_repeated_either() {
    let dir = TempDir::new();
    let run = |more: &str| {
        let script = format!(
            "CREATE TABLE IF NOT EXISTS c AS SELECT 1 AS n; TRUNCATE TABLE c; \
             INSERT INTO c VALUES (7); \
             CREATE TABLE IF NOT EXISTS t (n INT, p STRING) PARTITIONED BY (p); \
             INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'); \
             ALTER TABLE t DROP PARTITION (p = 'a'), PARTITION (p = 'b'); \
             INSERT INTO t VALUES (4, 'a'){more}"
        );
        let arguments = ["sql", "-w", dir.text(), "--create", "--label", "load", "-c"];
        headwater(&[&arguments[..], &[script.as_str()]].concat()).ok();
    };
    let rows = || sql(dir.text(), "SELECT n FROM c; SELECT n FROM t ORDER BY n").ok();
    run("");
    assert_eq!(rows(), "n\n7\nn\n3\n4\n");
    run("");
    assert_eq!(rows(), "n\n7\nn\n3\n4\n");
    run("; INSERT INTO t VALUES (5, 'a')");
    assert_eq!(rows(), "n\n7\nn\n3\n4\n5\n");
}

#[test]
fn a_table_made_by_a_query_is_not_made_again() {
    let dir = TempDir::new();
    let run = || {
        let script = "CREATE TABLE c AS SELECT 1 AS n; INSERT INTO c VALUES (2)";
        headwater(&["sql", "-w", dir.text(), "--create", "--label", "load", "-c", script])
    };
    run().ok();
    let again = run();
    assert_eq!(again.err.matches("was committed before").count(), 2, "{again:?}");
    assert_eq!(sql(dir.text(), "SELECT n FROM c ORDER BY n").ok(), "n\n1\n2\n");
    let other = headwater(&["sql", "-w", dir.text(), "-c", "CREATE TABLE c AS SELECT 1 AS n"]);
    assert!(other.err.contains("already exists"), "{other:?}");
}
