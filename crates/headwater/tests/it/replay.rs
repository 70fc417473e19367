//! What was done to golden tables is done again, by us and by Java beside us, and rows agree.
//!
//! Compactions, changes of the schema and maintenance of our table are Java's, which so works on
//! files of ours; we go on with what it leaves.

mod alters;
mod ours;

use std::path::PathBuf;

use headwater_testkit::{Golden, Oracle, TempDir, coverage, expected, golden_tables, require_java};
use serde_json::{Value, json};

use crate::rows::{lines, open, run};
use alters::changes;
use ours::Ours;

/// Covered tables that are not replayed, and why: a table belongs here only while we refuse to
/// write it (with these words), or its operations say too little.
const LEFT_OUT: &[(&str, &str)] = &[
    ("changelog_input_a", "writes no changelog files"),
    ("changelog_lifecycle_a", "writes no changelog files"),
    ("cross_partition_a", "'bucket' = '-1' is not supported"),
    ("dynamic_bucket_a", "'bucket' = '-1' is not supported"),
    ("dynamic_bucket_part_a", "'bucket' = '-1' is not supported"),
    ("ignore_update_before_a", "writes no changelog files"),
    ("names_a", "writes no changelog files"),
    ("postpone_a", "'bucket' = '-2' is not supported"),
    ("row_tracking_a", "'row-tracking.enabled' is not supported"),
    ("rowkind_field_a", "'rowkind.field' is not supported"),
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

impl Replay {
    /// Does all operations; the reason when the table cannot be replayed.
    fn all(&mut self) -> Option<String> {
        let operations = self.golden.operations();
        let last = operations.len() - 1;
        for (number, operation) in operations.iter().enumerate() {
            if let Err(reason) = self.step(operation) {
                return Some(reason);
            }
            // Short replays are compared throughout, long ones at two places and the end.
            if last <= 8 || number == last / 3 || number == 2 * last / 3 || number == last {
                self.compare(&format!("{} after {number} {}", self.golden.name, operation["op"]));
            }
        }
        None
    }

    fn step(&mut self, operation: &Value) -> Result<(), String> {
        let name = &self.golden.name;
        let by_java = match operation["op"].as_str().unwrap() {
            "create" | "commit" | "overwrite" | "truncate" => {
                match run(self.ours.apply(operation)) {
                    Err(headwater::Error::WriteRefused { reason, .. }) => return Err(reason),
                    other => other.unwrap_or_else(|e| panic!("{name}: {operation:.200}: {e}")),
                }
                return self.in_java(&self.java, operation);
            }
            "alter" => json!({ "op": "alter", "changes": changes(operation["what"].as_str().unwrap()) }),
            "tags" => {
                for tag in operation["tags"].as_array().unwrap() {
                    self.both(&json!({ "op": "create_tag", "tag": tag }))?;
                }
                return Ok(());
            }
            "commit_with_watermark" => return Err("the operations do not tell the rows".into()),
            _ => operation.clone(),
        };
        self.both(&by_java)
    }

    fn both(&mut self, operation: &Value) -> Result<(), String> {
        self.in_java(&self.java, operation)?;
        self.in_java(&self.ours.dir, operation)?;
        // Java may have changed the schema.
        self.ours.table = Some(run(open(&self.ours.dir)).unwrap());
        Ok(())
    }

    fn in_java(&self, table: &std::path::Path, operation: &Value) -> Result<(), String> {
        let done = self.oracle.apply(table, operation);
        done.unwrap_or_else(|e| panic!("{} {}: {e}", self.golden.name, operation["op"]));
        Ok(())
    }

    fn compare(&self, place: &str) {
        let java = self.oracle.read(&self.java);
        let ours = run(lines(self.ours.table.as_ref().unwrap()));
        let ours = ours.unwrap_or_else(|e| panic!("{place}: {e}"));
        assert_eq!(ours, java, "{place}: our table by us (left), Java's table by Java (right)");
        let problems = self.oracle.check(&self.ours.dir);
        assert_eq!(problems, Vec::<String>::new(), "{place}");
        let ours_by_java = self.oracle.read(&self.ours.dir);
        assert_eq!(ours_by_java, java, "{place}: our table by Java (left)");
    }
}

#[test]
fn replayed_tables_read_the_same_in_both_engines() {
    let Some(oracle) = require_java("replayed_tables_read_the_same_in_both_engines") else {
        return;
    };
    let mut left_out = Vec::new();
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
            Some(reason) => left_out.push((name, reason)),
            None => {
                let ours = run(lines(replay.ours.table.as_ref().unwrap())).unwrap();
                let latest = expected(&name, "latest.jsonl").unwrap();
                assert_eq!(ours, latest.lines().collect::<Vec<_>>(), "{name}: the golden rows");
            }
        }
    }
    let as_listed = left_out.len() == LEFT_OUT.len()
        && left_out.iter().zip(LEFT_OUT).all(|(found, listed)| {
            found.0 == listed.0 && found.1.contains(listed.1)
        });
    assert!(as_listed, "left out: {left_out:#?}");
}
