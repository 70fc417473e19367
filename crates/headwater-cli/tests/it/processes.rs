//! Processes that race for one table, and processes that are killed while they write: what was
//! acknowledged is there, the rest is wholly absent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use headwater_testkit::TempDir;
use headwater_testkit::files::list_files;

use crate::program::{headwater, said, sql, start};

/// What `sql` prints once an INSERT of three rows is committed.
const ACKNOWLEDGED: &str = "3 rows written";
const ROWS: usize = 3;

/// One INSERT per number in `0..count`, three rows each.
fn inserts(writer: usize, count: usize) -> String {
    (0..count).fold(String::new(), |mut script, n| {
        writeln!(
            script,
            "INSERT INTO t VALUES ({writer}, {n}, 0), ({writer}, {n}, 1), ({writer}, {n}, 2);"
        )
        .unwrap();
        script
    })
}

/// How many rows each (writer, n) has.
fn rows(dir: &TempDir) -> BTreeMap<(usize, usize), usize> {
    let statement = "SELECT writer, n, COUNT(DISTINCT part) AS parts, COUNT(*) AS total FROM t \
                     GROUP BY writer, n";
    let found = sql(dir.text(), statement).ok();
    let mut counts = BTreeMap::new();
    for line in found.lines().skip(1) {
        let fields: Vec<usize> = line.split(',').map(|field| field.parse().unwrap()).collect();
        assert_eq!(fields[2], fields[3], "a row is there twice: {line}");
        counts.insert((fields[0], fields[1]), fields[3]);
    }
    counts
}

/// Commits that added rows; writers also compact.
fn appends(dir: &TempDir) -> usize {
    let snapshots = dir.join("default.db/t/snapshot");
    let files = list_files(&snapshots).into_iter().filter(|name| name.starts_with("snapshot-"));
    files
        .filter(|name| {
            let text = std::fs::read_to_string(snapshots.join(name)).unwrap();
            text.contains("\"APPEND\"")
        })
        .count()
}

fn eight_processes_write(table: &str) {
    let dir = TempDir::new();
    sql(dir.text(), table).ok();
    let writers: Vec<_> = (0..8)
        .map(|w| start(&["sql", "-w", dir.text(), "--threads", "1"], &inserts(w, 50)))
        .collect();
    for writer in writers {
        let said = said(writer.wait_with_output().unwrap());
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(said.out.lines().filter(|line| *line == ACKNOWLEDGED).count(), 50);
    }
    let found = rows(&dir);
    assert_eq!(found.len(), 400);
    assert!(found.values().all(|rows| *rows == ROWS));
    assert_eq!(appends(&dir), 400);
}

#[test]
fn eight_processes_append_400_commits_and_none_is_lost() {
    eight_processes_write("CREATE TABLE t (writer INT, n INT, part INT)");
}

#[test]
fn eight_processes_upsert_400_commits_and_none_is_lost() {
    eight_processes_write(
        "CREATE TABLE t (writer INT, n INT, part INT, \
         PRIMARY KEY (writer, n, part) NOT ENFORCED) \
         WITH ('bucket' = '2')",
    );
}

#[test]
fn four_writers_and_two_compactors_of_one_bucket_lose_nothing_and_none_dies() {
    let dir = TempDir::new();
    let table = "CREATE TABLE t (writer INT, n INT, part INT, \
                 PRIMARY KEY (writer, n, part) NOT ENFORCED) \
                 WITH ('bucket' = '1', 'write-only' = 'true')";
    sql(dir.text(), table).ok();
    let compact = ["compact", "default.t", "-w", dir.text(), "--watch", "--interval", "10 ms"];
    let mut compactors: Vec<_> = (0..2).map(|_| start(&compact, "")).collect();
    let writers: Vec<_> = (0..4)
        .map(|w| start(&["sql", "-w", dir.text(), "--threads", "1"], &inserts(w, 25)))
        .collect();
    for writer in writers {
        let said = said(writer.wait_with_output().unwrap());
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(said.out.lines().filter(|line| *line == ACKNOWLEDGED).count(), 25);
    }
    for compactor in &mut compactors {
        assert!(compactor.try_wait().unwrap().is_none(), "a compactor ended");
        compactor.kill().unwrap();
        compactor.wait().unwrap();
    }
    let found = rows(&dir);
    assert_eq!(found.len(), 100);
    assert!(found.values().all(|rows| *rows == ROWS));
    assert_eq!(appends(&dir), 100);
    let all = list_files(&dir.join("default.db/t/snapshot"));
    assert!(all.iter().filter(|name| name.starts_with("snapshot-")).count() > 100, "compacted");
    headwater(&["compact", "default.t", "-w", dir.text(), "--full"]).ok();
    assert_eq!(rows(&dir), found);
}

#[test]
fn a_killed_writer_leaves_what_it_acknowledged_and_nothing_in_part() {
    let dir = TempDir::new();
    let table = "CREATE TABLE t (writer INT, n INT, part INT) WITH ('bucket' = '-1')";
    sql(dir.text(), table).ok();
    let mut random = Random(0x5EED);
    let mut acknowledged = BTreeMap::new();
    for round in 0..50 {
        // First wait for some acknowledgements, then for a moment inside the next commit.
        let wanted = random.below(6);
        let pause = Duration::from_micros(random.below(20_000));
        let mut writer = start(&["sql", "-w", dir.text(), "--threads", "1"], &inserts(round, 200));
        let mut lines = BufReader::new(writer.stdout.take().unwrap());
        let mut seen = 0;
        let mut line = String::new();
        while seen < wanted && lines.read_line(&mut line).unwrap() > 0 {
            seen += u64::from(line.trim_end() == ACKNOWLEDGED);
            line.clear();
        }
        assert_eq!(seen, wanted, "round {round} ended early");
        std::thread::sleep(pause);
        writer.kill().unwrap();
        writer.wait().unwrap();
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        let late = rest.lines().filter(|line| *line == ACKNOWLEDGED).count();
        acknowledged.insert(round, usize::try_from(seen).unwrap() + late);
    }
    let found = rows(&dir);
    assert!(found.values().all(|rows| *rows == ROWS), "in part: {found:?}");
    for (round, count) in acknowledged {
        for n in 0..count {
            assert!(found.contains_key(&(round, n)), "round {round} lost {n} of {count}");
        }
        // A commit whose acknowledgement did not get out may be there; the one after cannot.
        assert!(!found.contains_key(&(round, count + 1)), "round {round}: {count} and then one");
    }
    assert_eq!(found.len(), appends(&dir));
}

/// Numbers that the same seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
