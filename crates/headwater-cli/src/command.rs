//! The commands: one file or folder each.

mod bench;
mod dump;
mod sql;

use crate::error::CliError;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Run SQL statements from the command line, a file or standard input
    Sql(sql::Arguments),
    /// Print every row of a table as lossless JSON lines, in an order that can be compared
    Dump(dump::Arguments),
    /// Run a standard workload and print its measurements as JSON lines
    Bench(bench::Arguments),
}

impl Command {
    /// Runs the command to its end.
    pub(crate) fn run(self) -> Result<(), CliError> {
        match self {
            Self::Sql(arguments) => sql::run(&arguments),
            Self::Dump(arguments) => dump::run(&arguments),
            Self::Bench(arguments) => bench::run(&arguments),
        }
    }
}
