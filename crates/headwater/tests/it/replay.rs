//! What was done to golden tables is done again, by us and by Java beside us, and rows agree.
//!
//! Compactions, changes of the schema and maintenance of our table are Java's, which so works on
//! files of ours; we go on with what it leaves.

mod alters;
mod ours;

use std::path::{Path, PathBuf};

use headwater_testkit::{Golden, Oracle, TempDir, coverage, expected, golden_tables, require_java};
use serde_json::{Value, json};

use crate::rows::{lines, open, run, without_hash_order};
use alters::changes;
use ours::Ours;

/// Covered tables that are not replayed, and why: a table belongs here only while we refuse to
/// write it (with these words), or its operations say too little.
const LEFT_OUT: &[(&str, &str)] = &[
    ("changelog_input_a", "writes no changelog files"),
    ("changelog_lifecycle_a", "writes no changelog files"),
    ("compression_avro_a", "writes only parquet data files"),
    ("compression_avro_b", "writes only parquet data files"),
    ("dedup_avro_a", "writes only parquet data files"),
    ("dedup_avro_b", "writes only parquet data files"),
    ("format_per_level_a", "\"null\" is none of zstd"),
    ("ignore_update_before_a", "writes no changelog files"),
    ("names_a", "writes no changelog files"),
    ("row_tracking_a", "'row-tracking.enabled' is not supported"),
    ("types_avro_a", "writes only parquet data files"),
    ("types_avro_b", "writes only parquet data files"),
    ("watermark_a", "the operations do not tell the rows"),
];

fn covered(golden: &Golden) -> bool {
    let latest = (golden.name.clone(), "latest.jsonl".to_owned());
    coverage::load().get(&latest) == Some(&coverage::State::Pass)
}

/// One golden table, done again twice.
struct Replay {
    oracle: &'static Oracle,
    golden: Golden,
    ours: Ours,
    java: PathBuf,
}

/// Why a replay ended early.
enum Stop {
    /// The table cannot be replayed.
    LeftOut(String),
    /// Something failed or differs.
    Wrong(String),
}

impl Replay {
    /// Does all operations, comparing on the way.
    fn all(&mut self) -> Result<(), Stop> {
        let operations = self.golden.operations();
        let last = operations.len() - 1;
        for (number, operation) in operations.iter().enumerate() {
            self.step(operation)?;
            // Short replays are compared throughout, long ones at two places and the end. Java
            // expires partitions in commits already, we do not.
            let expires = self.golden.option("partition.expiration-time").is_some();
            let due = last <= 8 || number == last / 3 || number == 2 * last / 3;
            if number == last || due && !expires {
                self.compare().map_err(|difference| {
                    Stop::Wrong(format!("after {number} {}: {difference}", operation["op"]))
                })?;
            }
        }
        let latest = expected(&self.golden.name, "latest.jsonl").unwrap();
        let golden = latest.lines().map(str::to_owned).collect::<Vec<_>>();
        self.same("our rows", &self.our_lines()?, "golden rows", &golden).map_err(Stop::Wrong)
    }

    fn step(&mut self, operation: &Value) -> Result<(), Stop> {
        let by_java = match operation["op"].as_str().unwrap() {
            "create" | "commit" | "overwrite" | "truncate" => {
                match run(self.ours.apply(operation)) {
                    Err(headwater::Error::WriteRefused { reason, .. }) => {
                        return Err(Stop::LeftOut(reason));
                    }
                    Err(error) if error.to_string().contains("is none of zstd") => {
                        return Err(Stop::LeftOut(error.to_string()));
                    }
                    other => other.map_err(|e| Stop::Wrong(format!("{operation:.200}: {e}")))?,
                }
                if self.golden.option("merge-engine") == Some("first-row") {
                    // Rows show once a compaction has looked for their keys; Java's writers do that.
                    self.in_java(&self.ours.dir, &json!({ "op": "compact" }))?;
                    self.ours.table = Some(run(open(&self.ours.dir)).unwrap());
                }
                return self.in_java(&self.java, operation);
            }
            "alter" => {
                json!({ "op": "alter", "changes": changes(operation["what"].as_str().unwrap()) })
            }
            "tags" => {
                for tag in operation["tags"].as_array().unwrap() {
                    self.both(&json!({ "op": "create_tag", "tag": tag }))?;
                }
                return Ok(());
            }
            "branch" => {
                self.both(&json!({ "op": "create_tag", "tag": operation["from_tag"] }))?;
                operation.clone()
            }
            "commit_with_watermark" => {
                return Err(Stop::LeftOut("the operations do not tell the rows".into()));
            }
            _ => operation.clone(),
        };
        self.both(&by_java)
    }

    fn both(&mut self, operation: &Value) -> Result<(), Stop> {
        self.in_java(&self.java, operation)?;
        self.in_java(&self.ours.dir, operation)?;
        // Java may have changed the schema.
        self.ours.table = Some(run(open(&self.ours.dir)).unwrap());
        Ok(())
    }

    fn in_java(&self, table: &Path, operation: &Value) -> Result<(), Stop> {
        let done = self.oracle.apply(table, operation);
        let failed = |e| Stop::Wrong(format!("Java, {}: {e}", operation["op"]));
        done.map(|_| ()).map_err(failed)
    }

    fn our_lines(&self) -> Result<Vec<String>, Stop> {
        run(lines(self.ours.table.as_ref().unwrap())).map_err(|e| Stop::Wrong(e.to_string()))
    }

    fn compare(&self) -> Result<(), String> {
        let java = self.oracle.read(&self.java);
        let ours = run(lines(self.ours.table.as_ref().unwrap())).map_err(|e| e.to_string())?;
        self.same("our table by us", &ours, "Java's by Java", &java)?;
        let problems = self.oracle.check(&self.ours.dir);
        if !problems.is_empty() {
            return Err(format!("Java's check: {problems:#?}"));
        }
        self.same("our table by Java", &self.oracle.read(&self.ours.dir), "Java's by Java", &java)
    }

    fn same(
        &self,
        one: &str,
        rows: &[String],
        other: &str,
        wanted: &[String],
    ) -> Result<(), String> {
        let (rows, wanted) = (self.comparable(rows), self.comparable(wanted));
        if rows == wanted {
            return Ok(());
        }
        let first = rows.iter().zip(&wanted).find(|(a, b)| a != b);
        Err(format!("{one}: {} rows, {other}: {} rows, first {first:?}", rows.len(), wanted.len()))
    }

    /// The lines, with +U as +I where Java's own commits compact (and so settle the kinds) at
    /// moments of their own.
    fn comparable(&self, lines: &[String]) -> Vec<String> {
        let mut lines = without_hash_order(&self.golden.name, lines);
        if self.golden.option("changelog-producer") == Some("lookup") {
            for line in &mut lines {
                *line = line.replacen("\"kind\":\"+U\"", "\"kind\":\"+I\"", 1);
            }
            lines.sort();
        }
        lines
    }
}

#[test]
fn replayed_tables_read_the_same_in_both_engines() {
    let Some(oracle) = require_java("replayed_tables_read_the_same_in_both_engines") else {
        return;
    };
    let (mut left_out, mut wrong) = (Vec::new(), Vec::new());
    for golden in golden_tables().into_iter().filter(covered) {
        let (dir, java) = (TempDir::new(), TempDir::new());
        let name = golden.name.clone();
        let mut replay = Replay {
            oracle,
            ours: Ours::new(dir.path(), &name),
            java: java.join(format!("golden.db/{name}")),
            golden,
        };
        match replay.all() {
            Ok(()) => {}
            Err(Stop::LeftOut(reason)) => left_out.push((name, reason)),
            Err(Stop::Wrong(reason)) => wrong.push(format!("{name}: {reason}")),
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let as_listed = left_out.len() == LEFT_OUT.len()
        && left_out
            .iter()
            .zip(LEFT_OUT)
            .all(|(found, listed)| found.0 == listed.0 && found.1.contains(listed.1));
    assert!(as_listed, "left out: {left_out:#?}");
}
