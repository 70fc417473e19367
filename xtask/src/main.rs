//! Long runs and checks around the workspace: `cargo xtask <task>`.

use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask <task>
  check         formatting, lints, layers, documentation
  docs          writes the pages that are made from the code
  nightly       all tests with the long amounts (HEADWATER_LONG=1)
  differential  random tables beside stock Java: --seeds N (5000), --first SEED (0);
                a run of at least 5000 writes docs/differential.md
  interop       runs against live engines";

/// One command of a task: extra environment, then the arguments of cargo.
type Step<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

const CHECK: &[Step<'_>] = &[
    (&[], &["fmt", "--all", "--check"]),
    (&[], &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    (&[], &["test", "--package", "headwater-testkit", "--test", "layers", "--test", "docs"]),
    (&[], OPTIONS_PAGE),
    (
        &[("RUSTDOCFLAGS", "-D warnings")],
        &["doc", "--workspace", "--no-deps", "--document-private-items"],
    ),
];

/// The page of options is made of what becomes of tables with them.
const OPTIONS_PAGE: &[&str] =
    &["test", "--workspace", "--test", "it", "--", "options::every_option_acts"];

/// The page of functions is made of the table that registers them.
const FUNCTIONS_PAGE: &[&str] = &["test", "--workspace", "--lib", "functions_page"];

const DOCS: &[Step<'_>] =
    &[(&[("HEADWATER_BLESS", "1")], OPTIONS_PAGE), (&[("HEADWATER_BLESS", "1")], FUNCTIONS_PAGE)];

const NIGHTLY: &[Step<'_>] =
    &[(&[("HEADWATER_LONG", "1")], &["test", "--workspace", "--no-fail-fast"])];

/// Random tables beside stock Java.
const DIFFERENTIAL: &[&str] = &[
    "test",
    "--package",
    "headwater",
    "--test",
    "it",
    "--",
    "--nocapture",
    "differential::both_engines_read_the_same_rows_of_random_tables",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = arguments.split_first().map_or((None, &[][..]), |(t, r)| (Some(t), r));
    match (task.map(String::as_str), rest) {
        (Some("differential"), rest) => differential(rest),
        (Some("check"), []) => all(CHECK),
        (Some("docs"), []) => all(DOCS),
        (Some("nightly"), []) => all(NIGHTLY),
        (Some("interop"), []) => {
            println!("no live engine is driven yet; stock Java is, by `cargo test --workspace`");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
    }
}

/// `--seeds N --first SEED`, in any order.
fn differential(arguments: &[String]) -> ExitCode {
    let (mut seeds, mut first) = (5_000_u64, 0_u64);
    for pair in arguments.chunks(2) {
        let number = pair.get(1).and_then(|text| text.parse().ok());
        match (pair[0].as_str(), number) {
            ("--seeds", Some(number)) => seeds = number,
            ("--first", Some(number)) => first = number,
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::FAILURE;
            }
        }
    }
    let (count, first) = (seeds.to_string(), first.to_string());
    let mut environment = vec![
        ("HEADWATER_SEEDS", count.as_str()),
        ("HEADWATER_FIRST_SEED", first.as_str()),
        ("HEADWATER_REQUIRE_JAVA", "1"),
    ];
    if seeds >= 5_000 {
        environment.push(("HEADWATER_BLESS", "1"));
    }
    all(&[(environment.as_slice(), DIFFERENTIAL)])
}

/// Runs the steps in order up to the first that fails.
fn all(steps: &[Step<'_>]) -> ExitCode {
    for (environment, arguments) in steps {
        println!("> cargo {}", arguments.join(" "));
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status =
            Command::new(cargo).args(*arguments).envs(environment.iter().copied()).status();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => {
                eprintln!("cargo {} failed: {status}", arguments.join(" "));
                return ExitCode::FAILURE;
            }
            Err(error) => {
                eprintln!("cargo does not start: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
