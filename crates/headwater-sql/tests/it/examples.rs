//! The scripts of `examples/state-store/` run as they are, twice, in a warehouse of the test.

use futures::StreamExt;
use headwater_testkit::repository_root;

use crate::warehouse::{Warehouse, lines_of, open};

/// Runs a script of the examples in a new session; its lines and its warnings.
async fn run(w: &Warehouse, file: &str) -> (Vec<String>, Vec<String>) {
    let path = repository_root().join("examples/state-store").join(file);
    let script = std::fs::read_to_string(path).unwrap();
    assert!(script.contains("'./state-store'"), "{file}");
    let script = script.replace("'./state-store'", &format!("'{}'", w.path("state-store")));
    let session = open(&w.path("warehouse")).await;
    let (mut lines, mut warnings) = (Vec::new(), Vec::new());
    let mut results = session.run_script(&script);
    while let Some(result) = results.next().await {
        let mut result = result.unwrap_or_else(|e| panic!("{file}, line {}: {e}", e.line()));
        warnings.append(&mut result.warnings);
        lines.extend(lines_of(result).await.unwrap());
    }
    (lines, warnings)
}

#[tokio::test]
async fn a_refund_falls_back_to_the_order_before_it() {
    let w = Warehouse::new().await;
    for _ in 0..2 {
        let (lines, _) = run(&w, "refunds.sql").await;
        for row in ["anna|books|8", "anna|shoes|7", "ben|shoes|9"] {
            assert!(lines.iter().any(|line| line == row), "{row}: {lines:#?}");
        }
        let plan = lines.join("\n");
        assert!(plan.contains("buckets: 1 of 2 (1 pruned)"), "{plan}");
    }
}

#[tokio::test]
async fn daily_totals_are_replaced_by_day_and_what_is_kept_is_named() {
    let w = Warehouse::new().await;
    let (first, _) = run(&w, "daily-totals.sql").await;
    let (second, _) = run(&w, "daily-totals.sql").await;
    assert!(first.len() > 3, "{first:#?}");
    assert_eq!(first, second);
}

#[tokio::test]
async fn partitions_that_would_expire_are_dropped_by_statement() {
    let w = Warehouse::new().await;
    let (lines, warnings) = run(&w, "expiry.sql").await;
    let shown = ["dt=20240101", "dt=20240102", "dt=20240109", "20240102|1", "20240109|1"];
    assert_eq!(lines[1..], shown);
    assert!(warnings.iter().any(|w| w.contains("partition.expiration-time")), "{warnings:#?}");
}
