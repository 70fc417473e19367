//! Overwrites of everything, of given partitions and of those that rows come for, by both engines.

use headwater::Overwrite;
use headwater_testkit::require_java;
use serde_json::{Value, json};

use super::subject::{Subject, schema};

fn rows(commit: usize, partitions: &[(&str, i32)]) -> Vec<Value> {
    partitions
        .iter()
        .flat_map(|(p, q)| (0..3).map(move |n| json!({ "k": n, "p": p, "q": q, "v": commit })))
        .collect()
}

const ALL: [(&str, i32); 5] = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1)];

#[test]
fn overwrites_by_both_engines_replace_the_same_rows() {
    let Some(oracle) = require_java("overwrites_by_both_engines_replace_the_same_rows") else {
        return;
    };
    let fields = [("k", "INT"), ("p", "STRING"), ("q", "INT"), ("v", "INT")];
    for (pk, options) in [
        (vec![], json!({ "bucket": "-1" })),
        (vec![], json!({ "bucket": "2", "bucket-key": "k" })),
        (vec!["p", "q", "k"], json!({ "bucket": "2" })),
        (vec!["p", "q", "k"], json!({ "bucket": "-1", "dynamic-bucket.target-row-num": "2" })),
        (vec!["p", "q", "k"], json!({ "bucket": "2", "overwrite-upgrade": "false" })),
        (vec!["p", "q", "k"], json!({ "bucket": "2", "manifest.delete-file-drop-stats": "true" })),
    ] {
        let mut s = Subject::new(oracle, &schema(&fields, &pk, &["p", "q"], &options));
        s.we_write(&rows(0, &ALL)).java_writes(&rows(1, &ALL[..2])).agrees();
        // One partition; the first column of several; none of the rows there.
        let one = s.partition(&json!({ "p": "a", "q": 1 }));
        s.we_replace(&rows(2, &[("a", 1)]), one, |r| r["p"] == "a" && r["q"] == 1).agrees();
        let first = s.partition(&json!({ "p": "b" }));
        s.we_replace(&rows(3, &[("b", 3)]), first, |r| r["p"] == "b").agrees();
        let absent = s.partition(&json!({ "p": "nowhere" }));
        s.we_replace(&[], absent, |_| false).agrees();
        // By Java, over files of ours.
        let how = json!({ "static_partition": { "p": "a", "q": "2" }, "dynamic": false });
        s.java_replaces(&how, &rows(4, &[("a", 2)]), |r| r["p"] == "a" && r["q"] == 2).agrees();
        // Dynamic, over files of Java's, and the other way round.
        let gone = |r: &Value| r["p"] == "a" && r["q"] == 2 || r["p"] == "d";
        s.we_replace(&rows(5, &[("a", 2), ("d", 1)]), Overwrite::Dynamic, gone).agrees();
        s.we_replace(&[], Overwrite::Dynamic, |_| false).agrees();
        let how = json!({ "static_partition": {}, "dynamic": true });
        s.java_replaces(&how, &rows(6, &[("d", 1), ("e", 1)]), |r| r["p"] == "d").agrees();
        s.we_write(&rows(7, &ALL)).java_compacts().agrees();
        // A partition emptied, then everything replaced.
        let emptied = s.partition(&json!({ "p": "a" }));
        s.we_replace(&[], emptied, |r| r["p"] == "a").agrees();
        s.we_replace(&rows(8, &ALL[..1]), Overwrite::Static(vec![]), |_| true).agrees();
        s.java_writes(&rows(9, &ALL)).agrees();
        s.we_replace(&[], Overwrite::Static(vec![]), |_| true).agrees();
        s.we_write(&rows(10, &ALL)).agrees();
    }
}

#[test]
fn an_overwrite_of_a_table_without_partitions_replaces_everything() {
    let test = "an_overwrite_of_a_table_without_partitions_replaces_everything";
    let Some(oracle) = require_java(test) else { return };
    for (pk, bucket) in [(vec![], "-1"), (vec!["k"], "3"), (vec!["k"], "-1")] {
        let table = schema(&[("k", "INT"), ("v", "INT")], &pk, &[], &json!({ "bucket": bucket }));
        let rows =
            |v: i32| -> Vec<Value> { (v..v + 9).map(|k| json!({ "k": k, "v": v })).collect() };
        let mut s = Subject::new(oracle, &table);
        s.we_replace(&rows(0), Overwrite::Dynamic, |_| true).agrees();
        s.java_writes(&rows(3)).we_write(&rows(6)).agrees();
        s.we_replace(&rows(9), Overwrite::Static(vec![]), |_| true).agrees();
        s.java_replaces(&json!({ "static_partition": {} }), &rows(12), |_| true).agrees();
        s.we_write(&rows(15)).java_compacts().agrees();
        s.we_replace(&[], Overwrite::Static(vec![]), |_| true).agrees();
        s.java_writes(&rows(18)).agrees();
    }
}
