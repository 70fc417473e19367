//! `headwater sql`: runs statements one after the other; the first that fails ends the script.
//! What earlier statements did stays. Rows go to standard output; with a format for programs
//! everything else goes to standard error.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use headwater::io::{host, open_root};
use headwater::{CatalogOptions, Env, FileSystemCatalog};
use headwater_sql::{Output, SessionOptions, SqlError, SqlSession, StatementResult};

use crate::config::{DEFAULT_WAREHOUSE, Durability, Resources};
use crate::error::CliError;
use crate::output::{Format, ResultWriter};

/// Arguments of `headwater sql`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Statements to run, separated by ';'; may be repeated
    #[arg(short = 'c', long = "command", value_name = "STATEMENT", conflicts_with = "file")]
    commands: Vec<String>,
    /// File of statements to run ['-' or neither -c nor -f: standard input]
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<String>,
    /// Directory or URI that holds the databases; must exist [default: ./warehouse, made by the
    /// first CREATE]
    #[arg(short = 'w', long, value_name = "DIR|URI")]
    warehouse: Option<String>,
    /// Make the named warehouse when it does not exist
    #[arg(long, requires = "warehouse")]
    create: bool,
    /// How results look
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Say on standard error how long each statement took
    #[arg(long)]
    timing: bool,
    #[command(flatten)]
    durability: Durability,
    #[command(flatten)]
    resources: Resources,
}

/// Runs all statements.
pub(crate) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let scripts = scripts(arguments)?;
    host::block_on(run_scripts(arguments, &scripts))?
}

/// The texts to run. Each `-c` is a script of its own, so that one cannot end in the middle of
/// another's statement.
fn scripts(arguments: &Arguments) -> Result<Vec<String>, CliError> {
    if !arguments.commands.is_empty() {
        return Ok(arguments.commands.clone());
    }
    match arguments.file.as_deref() {
        Some(file) if file != "-" => Ok(vec![host::read_text_file(file)?]),
        _ => {
            if std::io::stdin().is_terminal() {
                note("reading statements from the terminal; end with Ctrl-D");
            }
            Ok(vec![host::stdin_to_string()?])
        }
    }
}

async fn run_scripts(arguments: &Arguments, scripts: &[String]) -> Result<(), CliError> {
    // Buffers of tables and those of queries share the memory half and half.
    let memory = arguments.resources.memory_bytes() / 2;
    let env = arguments.resources.env(memory);
    let sync = arguments.durability.sync_mode();
    let catalog = match &arguments.warehouse {
        Some(named) => {
            let options = CatalogOptions { create: arguments.create, sync };
            headwater::open_catalog_with(named, options, env.clone()).await?
        }
        // The first file that is written makes the directory.
        None => FileSystemCatalog::new(open_root(DEFAULT_WAREHOUSE, sync)?, env.clone()),
    };
    let options = SessionOptions::new(Arc::new(catalog), env.clone())
        .memory_bytes(memory)
        .threads(arguments.resources.threads());
    let session = SqlSession::new(options).await?;
    let mut before = 0;
    for script in scripts {
        before += run_script(&session, script, before, arguments, &env).await?;
    }
    Ok(())
}

/// Runs one script and says how many statements it had. `before`: statements of earlier scripts.
async fn run_script(
    session: &SqlSession,
    script: &str,
    before: usize,
    arguments: &Arguments,
    env: &Env,
) -> Result<usize, CliError> {
    let mut count = 0;
    let mut results = session.run_script(script);
    loop {
        let start = env.clock.monotonic();
        let Some(result) = results.next().await else { return Ok(count) };
        let result = result.map_err(|error| placed(error, before))?;
        count = result.number;
        print(result, arguments.format, before).await?;
        if arguments.timing {
            let took = env.clock.monotonic().saturating_sub(start);
            note(&timing(before + count, took));
        }
    }
}

async fn print(result: StatementResult, format: Format, before: usize) -> Result<(), CliError> {
    for warning in &result.warnings {
        note(&format!("warning: {warning}"));
    }
    match result.output {
        Output::Message(text) => say(&text, format),
        Output::Affected(1) => say("1 row written", format),
        Output::Affected(rows) => say(&format!("{rows} rows written"), format),
        Output::Rows(mut rows) => {
            let mut writer = ResultWriter::new(format, &rows.schema(), std::io::stdout());
            while let Some(batch) = rows.next().await {
                writer.write(&batch.map_err(|error| placed(error, before))?)?;
            }
            writer.finish()
        }
    }
}

/// The error with its place in all that was asked for.
fn placed(error: SqlError, before: usize) -> CliError {
    match error.statement() {
        0 => CliError::Sql(error),
        number => {
            CliError::Statement { number: before + number, line: error.line(), source: error }
        }
    }
}

/// A sentence about a statement that succeeded; it is out before the next statement starts.
fn say(text: &str, format: Format) -> Result<(), CliError> {
    if format.is_for_programs() {
        note(text);
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(CliError::Output)
}

fn note(text: &str) {
    host::write_stderr(format!("{text}\n").as_bytes());
}

fn timing(number: usize, took: Duration) -> String {
    format!("statement {number}: {:.3} s", took.as_secs_f64())
}
