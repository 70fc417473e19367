//! The commands: one file or folder each.

mod bench;
mod compact;
mod dump;
mod session;
mod sql;

use crate::error::CliError;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Run SQL statements from the command line, a file or standard input, or a shell for them
    Sql(sql::Arguments),
    /// Merge the files of tables into fewer and larger ones
    Compact(compact::Arguments),
    /// Print every row of a table as lossless JSON lines, in an order that can be compared
    Dump(dump::Arguments),
    /// Run a standard workload and print its measurements
    Bench(bench::Arguments),
}

impl Command {
    /// Runs the command to its end.
    pub(crate) fn run(self, config: Option<&str>) -> Result<(), CliError> {
        match self {
            Self::Sql(arguments) => sql::run(&arguments, config),
            Self::Compact(arguments) => compact::run(&arguments, config),
            Self::Dump(arguments) => dump::run(&arguments, config),
            Self::Bench(arguments) => bench::run(&arguments, config),
        }
    }
}
