//! Runs a script: its statements one after the other, until one fails. What earlier ones did stays.

use std::sync::Arc;

use futures::StreamExt;
use headwater::io::Clock;
use headwater_sql::{SqlError, SqlSession};

use crate::error::CliError;
use crate::excerpt::excerpt;
use crate::printer::{PrintError, Printer};

/// A text of statements.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// The statements.
    pub(crate) text: String,
    /// Where they come from.
    pub(crate) origin: Origin,
}

/// Where statements come from, for messages.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// The arguments, a file or standard input; so many statements came before.
    Arguments { before: usize },
    /// A file that is run beside what was asked for.
    File(String),
    /// The prompt of the shell.
    Prompt,
}

/// Runs the script and says how many statements it had.
pub(crate) async fn run(
    session: &SqlSession,
    script: &Script,
    printer: &mut Printer,
    clock: &Arc<dyn Clock>,
) -> Result<usize, CliError> {
    let mut count = 0;
    let before = match script.origin {
        Origin::Arguments { before } => before,
        Origin::File(_) | Origin::Prompt => 0,
    };
    let mut results = session.run_script(&script.text);
    loop {
        let start = clock.monotonic();
        printer.start();
        let result = results.next().await;
        let Some(result) = result else {
            printer.stop();
            return Ok(count);
        };
        let outcome = match result {
            Ok(result) => {
                count = result.number;
                let took = || clock.monotonic().saturating_sub(start);
                printer.print(result, before + count, took).await
            }
            Err(error) => Err(PrintError::Statement(error)),
        };
        if let Err(error) = outcome {
            printer.stop();
            return Err(match error {
                PrintError::Statement(error) => placed(error, script),
                PrintError::Output(error) => error,
            });
        }
    }
}

/// The error with its place in all that was asked for, and the line it is about.
pub(crate) fn placed(error: SqlError, script: &Script) -> CliError {
    let place = match (&script.origin, error.statement()) {
        (Origin::File(path), 0) => format!("{path}: "),
        (Origin::File(path), _) => format!("{path}, line {}: ", error.line()),
        (Origin::Arguments { .. }, 0) | (Origin::Prompt, _) => String::new(),
        (Origin::Arguments { before }, number) => {
            format!("statement {}, line {}: ", before + number, error.line())
        }
    };
    let excerpt = match error.word() {
        Some((line, column)) => excerpt(&script.text, line, column),
        None => String::new(),
    };
    CliError::Statement { place, source: Box::new(error), excerpt }
}
