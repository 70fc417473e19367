//! Long runs and checks around the workspace: `cargo xtask <task>`.

use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask <task>
  check     formatting, lints, layers, documentation
  docs      writes the pages that are made from the code
  nightly   all tests with the long amounts (HEADWATER_LONG=1)
  interop   runs against live engines";

/// One command of a task: extra environment, then the arguments of cargo.
type Step = (&'static [(&'static str, &'static str)], &'static [&'static str]);

const CHECK: &[Step] = &[
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

const DOCS: &[Step] =
    &[(&[("HEADWATER_BLESS", "1")], OPTIONS_PAGE), (&[("HEADWATER_BLESS", "1")], FUNCTIONS_PAGE)];

const NIGHTLY: &[Step] =
    &[(&[("HEADWATER_LONG", "1")], &["test", "--workspace", "--no-fail-fast"])];

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("check") => all(CHECK),
        Some("docs") => all(DOCS),
        Some("nightly") => all(NIGHTLY),
        Some("interop") => {
            println!("no live engine is driven yet; stock Java is, by `cargo test --workspace`");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the steps in order up to the first that fails.
fn all(steps: &[Step]) -> ExitCode {
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
