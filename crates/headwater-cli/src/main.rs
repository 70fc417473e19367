//! The command `headwater`: SQL on tables, lossless dumps and the standard workloads.

mod command;
mod config;
mod error;
mod excerpt;
mod output;
mod printer;
mod progress;
mod script;
mod shell;
mod timing;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

// glibc's allocator needs a third less memory than mimalloc for the same work (docs/performance.md).
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Create, write and read Apache Paimon tables.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    /// File of settings [default: ./headwater.toml, or headwater/headwater.toml in the user's
    /// configuration]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<String>,
    #[command(subcommand)]
    command: command::Command,
}

fn main() -> ExitCode {
    headwater::io::host::tune_allocator();
    let cli = Cli::parse();
    let filter = tracing::level_filters::LevelFilter::WARN;
    tracing_subscriber::fmt()
        .with_max_level(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
    match cli.command.run(cli.config.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            if code != error::OUTPUT_CLOSED {
                // Nobody is left to tell when standard error is gone as well.
                let _ = writeln!(std::io::stderr().lock(), "error: {error}");
            }
            ExitCode::from(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn arguments_are_well_formed() {
        super::Cli::command().debug_assert();
    }
}
