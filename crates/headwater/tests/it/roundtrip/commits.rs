//! Many commits with merging manifests, and tables that have none.

use headwater_testkit::{amount, require_java};
use serde_json::{Value, json};

use super::subject::{Subject, change, schema};

#[test]
fn sixty_commits_with_merging_manifests_stay_whole() {
    let Some(oracle) = require_java("sixty_commits_with_merging_manifests_stay_whole") else {
        return;
    };
    let fields = [("k", "INT"), ("p", "STRING"), ("v", "INT")];
    for (target, full, commits) in
        [("2 kb", "4 kb", 60), ("8 mb", "16 mb", amount(20, 60)), ("8 mb", "1 b", amount(20, 60))]
    {
        let options = json!({
            "bucket": "1",
            "manifest.merge-min-count": "4",
            "manifest.target-file-size": target,
            "manifest.full-compaction-threshold-size": full,
        });
        let mut subject = Subject::new(oracle, &schema(&fields, &["p", "k"], &["p"], &options));
        let rows = |commit: usize| -> Vec<Value> {
            let row = |n: usize| json!({ "k": (commit + n) % 9, "p": format!("p{}", commit % 4), "v": commit });
            vec![change("+U", &row(0)), change("-D", &row(1)), change("+I", &row(2))]
        };
        for commit in 0..commits {
            // Java comes in between and merges as well, now and then with a compaction.
            if commit % 10 == 9 {
                subject.java_writes(&rows(commit));
            } else {
                subject.we_write(&rows(commit));
            }
            if commit == 13 {
                subject.java_compacts();
            }
            if commit % 20 == 19 {
                subject.agrees();
            }
        }
        subject.java_compacts().agrees();
        subject.we_write(&rows(61)).reopened().agrees();
    }
}

#[test]
fn a_table_without_rows_reads_as_empty() {
    let Some(oracle) = require_java("a_table_without_rows_reads_as_empty") else { return };
    let fields = [("k", "INT"), ("p", "DATE"), ("v", "ARRAY<INT>")];
    for (pk, options) in [
        (vec![], json!({ "bucket": "-1" })),
        (vec!["p", "k"], json!({ "bucket": "2" })),
        (vec![], json!({ "bucket": "-1", "commit.force-create-snapshot": "true" })),
        (vec!["p", "k"], json!({ "bucket": "2", "snapshot.ignore-empty-commit": "false" })),
    ] {
        let mut subject = Subject::new(oracle, &schema(&fields, &pk, &["p"], &options));
        subject.agrees();
        subject.we_write(&[]).agrees();
        subject.java_writes(&[]).agrees();
        let row = json!({ "k": 1, "p": "2024-02-29", "v": [] });
        subject.we_write(std::slice::from_ref(&row)).agrees();
        subject.we_write(&[]).agrees();
        if !pk.is_empty() {
            // All rows gone, by retraction.
            subject.java_writes(&[change("-D", &row)]).agrees();
            subject.we_write(&[change("-D", &row)]).agrees();
            subject.java_compacts().agrees();
        }
    }
}
