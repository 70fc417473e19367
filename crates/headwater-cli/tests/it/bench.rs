//! `headwater bench`: a small run gives the values that its formulas give.

use headwater_testkit::TempDir;

use crate::program::headwater;

/// The last row of each key, by the formulas: count, sum of keys, sum of cents.
fn expected(rows: u64) -> (u64, u64, u64) {
    let keys = rows / 2;
    let mut newest = std::collections::HashMap::new();
    for i in 0..rows {
        newest.insert(mix(i) % keys, mix(mix(i).wrapping_add(2)) % 1_000_000);
    }
    let count = u64::try_from(newest.len()).unwrap();
    (count, newest.keys().sum(), newest.values().sum())
}

const fn mix(x: u64) -> u64 {
    let z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[test]
fn a_small_run_finds_the_newest_row_of_each_key() {
    let dir = TempDir::new();
    let size = ["--rows", "20_000", "--commits", "3", "--threads", "2"];
    let run = |workload| headwater(&[&["bench", workload, dir.text()][..], &size].concat()).ok();
    let (count, keys, cents) = expected(20_000);
    let check = format!(
        "\"check\":{{\"count\":{count},\"sum_key\":{keys},\"sum_amount\":\"{}.{:02}\",\
         \"max_update_time\":1700000019999",
        cents / 100,
        cents % 100
    );
    let written = run("W1");
    assert!(written.starts_with("{\"engine\":\"headwater\",\"op\":\"W1\",\"rows\":20000,"));
    assert!(written.contains("\"commits\":3,\"write_peak_rss_kb\":"), "{written}");
    assert!(written.contains(&check), "{written}\n{check}");
    let scans = run("W2");
    let scans: Vec<&str> = scans.lines().collect();
    assert_eq!(scans.len(), 2);
    for (scan, op) in scans.iter().zip(["W2-3-columns", "W2-all-columns"]) {
        assert!(scan.contains(&format!("\"op\":\"{op}\",\"rows\":{count},")), "{scan}");
        assert!(scan.contains(",\"threads\":2,"), "{scan}");
        assert!(scan.contains(&check), "{scan}\n{check}");
    }
    assert!(scans[0].ends_with("19999}}"), "{}", scans[0]);
    let of_all = |line: &str| line.split("\"check\":").nth(1).unwrap().trim_end().to_owned();
    assert_eq!(of_all(scans[1]), of_all(&written));
}

#[test]
fn a_second_run_replaces_the_table_of_the_first() {
    let dir = TempDir::new();
    let run = || {
        headwater(&["bench", "W1", dir.text(), "--rows", "1000", "--commits", "2"]).ok();
    };
    run();
    run();
    let found = headwater(&["bench", "W2", dir.text()]).ok();
    assert!(found.contains(&format!("\"count\":{}", expected(1_000).0)), "{found}");
}
