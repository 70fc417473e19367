//! Random tables of all merge engines, written by Java and by us: both engines read the same rows
//! of both tables after every commit.
//!
//! A seed makes a table (`tables.rs`) and its commits (`changes.rs`) without what
//! `exclusions.rs` names. `cargo xtask differential --seeds 5000` plays many, `--first 17
//! --seeds 1` one. A failing seed is made smaller, printed, and kept in `regressions.rs`.

mod algebra;
mod case;
mod changes;
mod exclusions;
mod functions;
mod narrow;
mod play;
mod policy;
mod regressions;
mod report;
mod rng;
mod shrink;
mod tables;
mod values;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater_testkit::{Oracle, amount, repository_root, require_java};

use case::Case;
use functions::FUNCTIONS;
use play::{Wrong, play};
use report::Report;
use tables::generate;

/// How many failing seeds are made smaller and shown in full.
const SHOWN: usize = 3;

/// How many cases making one smaller may play.
const TRIES: usize = 150;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// A seed that fails.
struct Failure {
    seed: u64,
    case: Case,
    wrong: Wrong,
}

/// Plays the seeds on two threads: one works while the other waits for Java.
#[expect(clippy::disallowed_methods, reason = "a test with threads of its own")]
fn play_seeds(seeds: std::ops::Range<u64>, oracle: &'static Oracle) -> (Report, Vec<Failure>) {
    let next = AtomicU64::new(seeds.start);
    let results = Mutex::new((Report::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    if seed > seeds.start && seed.is_multiple_of(500) {
                        println!("at seed {seed}");
                    }
                    let (case, left_out) = generate(seed);
                    let outcome = play(&case, oracle);
                    let mut results = results.lock().unwrap();
                    match outcome {
                        Ok(played) => results.0.add(&case, left_out, &played),
                        Err(wrong) => {
                            println!("seed {seed} fails: {:.200}", wrong.text());
                            results.1.push(Failure { seed, case, wrong });
                        }
                    }
                }
            });
        }
    });
    let (report, mut failures) = results.into_inner().unwrap();
    failures.sort_by_key(|f| f.seed);
    (report, failures)
}

/// A failing seed as it is shown.
fn shown(failure: &Failure, oracle: &'static Oracle, smaller: bool) -> String {
    let replay = format!("cargo xtask differential --first {} --seeds 1", failure.seed);
    if !smaller {
        let text = failure.wrong.text();
        let head: Vec<&str> = text.lines().take(2).collect();
        return format!("seed {}: {}\n  {replay}", failure.seed, head.join(" "));
    }
    let again = |case: &Case| play(case, oracle).map(drop);
    let (case, wrong) = shrink::shrink(&failure.case, &failure.wrong, TRIES, again);
    format!(
        "seed {}: {}\n  {replay}\nsmaller (a case for regressions.rs): {}\n{}",
        failure.seed,
        failure.wrong.text(),
        wrong.text(),
        case.pretty()
    )
}

#[test]
fn both_engines_read_the_same_rows_of_random_tables() {
    let Some(oracle) = require_java("both_engines_read_the_same_rows_of_random_tables") else {
        return;
    };
    let first = number("HEADWATER_FIRST_SEED").unwrap_or(0);
    let count = number("HEADWATER_SEEDS").unwrap_or(amount(300, 5_000) as u64);
    let (report, failures) = play_seeds(first..first + count, oracle);
    println!("seeds {first} to {}:\n{}", first + count - 1, report.text());
    let show = |(at, failure)| shown(failure, oracle, at < SHOWN);
    let texts: Vec<String> = failures.iter().enumerate().map(show).collect();
    assert!(texts.is_empty(), "{} seeds fail\n\n{}", texts.len(), texts.join("\n\n"));
    if count >= 300 {
        for function in FUNCTIONS {
            assert!(report.columns_with(function) >= 4, "few columns with {function}");
        }
        for engine in ["deduplicate", "partial-update", "aggregation", "first-row"] {
            let feature = format!("merge-engine = {engine}");
            assert!(report.cases_with(&feature) >= 20, "few tables with {feature}");
        }
    }
    if std::env::var("HEADWATER_BLESS").is_ok_and(|v| v == "1") {
        page(first, count, &report);
    }
}

/// Writes `docs/differential.md`.
#[expect(clippy::disallowed_methods, reason = "the page is a file of the repository")]
fn page(first: u64, count: u64, report: &Report) {
    let text = format!(
        "# Merge engines beside stock Java\n\nThe last run of `cargo xtask differential --first \
         {first} --seeds {count}`, which writes this page: no difference. What is compared, and \
         what is left out: `crates/headwater/tests/it/differential/`.\n\n{}",
        report.text()
    );
    std::fs::write(repository_root().join("docs/differential.md"), text).unwrap();
}
