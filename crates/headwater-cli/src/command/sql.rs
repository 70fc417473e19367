//! `headwater sql`: runs statements one after the other; the first that fails ends the script.
//! What earlier statements did stays. Rows go to standard output; with a format for programs
//! everything else goes to standard error. Without statements, on a terminal, it is a shell.

mod init;

use std::io::IsTerminal;
use std::sync::Arc;

use headwater::Env;
use headwater::io::host::{self, Ended, Foreground, Interrupt};
use headwater_sql::{SqlSession, settings};

use super::session::{self, Opened, Source};
use crate::config::{Durability, Environment, Resources, Settings, parse_limit, parse_pair};
use crate::error::CliError;
use crate::output::{Format, Limits, More};
use crate::printer::{Printer, Timing, note};
use crate::progress::{EVERY, ProgressLine};
use crate::script::{self, Origin, Script};
use crate::shell::{self, Look, Width};

/// Rows that a table shows on a terminal.
const ROWS_ON_TERMINAL: usize = 40;
/// Rows that a table shows elsewhere.
const ROWS_ELSEWHERE: usize = 10_000;

/// Arguments of `headwater sql`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Directory or URI of one table, which is then there under its directory's name
    #[arg(value_name = "TABLE", value_parser = parse_location)]
    #[arg(conflicts_with_all = ["warehouse", "catalog"])]
    table: Option<String>,
    /// Statements to run, separated by ';'; may be repeated
    #[arg(short = 'c', long = "command", value_name = "STATEMENT", conflicts_with = "file")]
    #[arg(allow_hyphen_values = true)]
    commands: Vec<String>,
    /// File of statements to run ['-' or neither -c nor -f: standard input, or a shell when that is
    /// a terminal]
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<String>,
    /// Directory or URI that holds the databases; must exist [default: ./warehouse, made by the
    /// first CREATE]
    #[arg(short = 'w', long, value_name = "DIR|URI")]
    warehouse: Option<String>,
    /// Catalog of headwater.toml whose warehouse is used
    #[arg(long, value_name = "NAME", conflicts_with = "warehouse")]
    catalog: Option<String>,
    /// Make the named warehouse when it does not exist
    #[arg(long, requires = "warehouse")]
    create: bool,
    /// How results look [default: table]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write results to this file instead of standard output ['-': standard output]
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<String>,
    /// Rows of a result that a table shows, 0 for all [default: 40 on a terminal, else 10000]
    #[arg(long, value_name = "N", value_parser = parse_limit)]
    max_rows: Option<usize>,
    /// Width of a table, 0 for as wide as it is [default: that of the terminal]
    #[arg(long, value_name = "N", value_parser = parse_limit)]
    max_width: Option<usize>,
    /// Setting of the session; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    conf: Vec<(String, String)>,
    /// File that records of changelogs are added to which are no changes [default: the first one
    /// stops the statement]
    #[arg(long, value_name = "FILE")]
    dead_letter: Option<String>,
    /// Name of the script: run again under it, also while the first run still goes on, each of its
    /// statements is committed once
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// File of statements to run before all others [default: headwater/init.sql in the user's
    /// configuration, or ~/.headwaterrc]
    #[arg(long, value_name = "FILE", conflicts_with = "no_init")]
    init: Option<String>,
    /// Run no such file
    #[arg(long)]
    no_init: bool,
    /// Say on standard error how long each statement took
    #[arg(long)]
    timing: bool,
    #[command(flatten)]
    durability: Durability,
    #[command(flatten)]
    resources: Resources,
}

fn parse_location(text: &str) -> Result<String, String> {
    if text.contains('/') {
        return Ok(text.to_owned());
    }
    Err("a directory or URI with a '/' is needed (such as ./orders); statements go behind -c"
        .into())
}

impl Arguments {
    /// What the session is of.
    fn source(&self) -> Source<'_> {
        let mut conf = self.conf.clone();
        if let Some(file) = &self.dead_letter {
            conf.push((settings::DEAD_LETTER.to_owned(), file.clone()));
        }
        if let Some(label) = &self.label {
            conf.push((settings::LABEL.to_owned(), label.clone()));
        }
        Source {
            table: self.table.as_deref(),
            warehouse: self.warehouse.as_deref(),
            catalog: self.catalog.as_deref(),
            create: self.create,
            conf,
            durability: self.durability,
            resources: &self.resources,
        }
    }

    /// The file for results.
    fn output(&self) -> Option<&str> {
        self.output.as_deref().filter(|path| *path != "-")
    }
}

/// Runs all statements, or the shell.
pub(crate) fn run(arguments: &Arguments, config: Option<&str>) -> Result<(), CliError> {
    let settings = Settings::load(config, Environment::of_process())?;
    let look = look(arguments, &settings);
    let interactive = is_interactive(arguments);
    if interactive {
        check_shell(arguments, look.format)?;
    } else {
        check_output(arguments, look.format)?;
    }
    let foreground = Foreground::new()?;
    let opened = foreground.block_on(session::open(arguments.source(), &settings))?;
    let init = init::script(arguments, &settings.environment)?;
    foreground.block_on(init::run(&opened, init))?;
    if interactive {
        return shell::run(shell::Start {
            foreground,
            session: opened.session,
            env: opened.env,
            about: opened.about,
            look,
            environment: &settings.environment,
        });
    }
    run_scripts(&foreground, &opened, scripts(arguments)?, printer(arguments, look))
}

/// Whether statements come from a person.
fn is_interactive(arguments: &Arguments) -> bool {
    arguments.commands.is_empty()
        && arguments.file.is_none()
        && std::io::stdin().is_terminal()
        && std::io::stdout().is_terminal()
}

fn check_output(arguments: &Arguments, format: Format) -> Result<(), CliError> {
    if format.is_binary() && is_on_terminal(arguments) {
        return Err(CliError::argument(format!(
            "--format {} is not for a terminal: add --output FILE, or send it to a program",
            format.name()
        )));
    }
    let limited = arguments.max_rows.is_some() || arguments.max_width.is_some();
    if limited && format.is_for_programs() {
        return Err(CliError::argument(format!(
            "--max-rows and --max-width are for tables; --format {} has all rows, write LIMIT",
            format.name()
        )));
    }
    Ok(())
}

fn check_shell(arguments: &Arguments, format: Format) -> Result<(), CliError> {
    if arguments.output().is_some() {
        return Err(CliError::argument(
            "--output needs statements: give them with -c, -f or on standard input",
        ));
    }
    if format.is_binary() {
        return Err(CliError::argument(format!(
            "--format {} is not for a shell: give statements with -c, and --output FILE",
            format.name()
        )));
    }
    Ok(())
}

fn look(arguments: &Arguments, settings: &Settings) -> Look {
    let of_session = arguments
        .conf
        .iter()
        .rfind(|(name, _)| name == settings::MAX_ROWS)
        .map(|(_, value)| value)
        .or_else(|| settings.conf.get(settings::MAX_ROWS));
    let of_session = of_session.and_then(|value| parse_limit(value).ok());
    let default = if is_on_terminal(arguments) { ROWS_ON_TERMINAL } else { ROWS_ELSEWHERE };
    Look {
        format: arguments.format.or(settings.format).unwrap_or(Format::Table),
        rows: arguments.max_rows.or(settings.max_rows).or(of_session).unwrap_or(default),
        width: arguments.max_width.or(settings.max_width).map_or(Width::Terminal, Width::Columns),
        timer: arguments.timing.then_some(true),
    }
}

/// Whether a person reads the results.
fn is_on_terminal(arguments: &Arguments) -> bool {
    arguments.output().is_none() && std::io::stdout().is_terminal()
}

fn printer(arguments: &Arguments, look: Look) -> Printer {
    let on_terminal = is_on_terminal(arguments);
    let width = match look.width {
        Width::Columns(columns) => columns,
        Width::Terminal if on_terminal => host::terminal_width().unwrap_or(shell::WIDTH),
        Width::Terminal => 0,
    };
    let limits = Limits { rows: look.rows, width, more: More::Arguments };
    let timing = match (on_terminal && !look.format.is_for_programs(), arguments.timing) {
        (true, _) => Timing::Beside,
        (false, true) => Timing::Apart,
        (false, false) => Timing::Off,
    };
    let printer = Printer::new(look.format, limits, timing);
    match arguments.output() {
        Some(path) => printer.writing_to(path),
        None => printer,
    }
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

fn run_scripts(
    foreground: &Foreground,
    opened: &Opened,
    scripts: Vec<String>,
    mut printer: Printer,
) -> Result<(), CliError> {
    let line = std::io::stderr().is_terminal().then(|| {
        let clock = Arc::clone(&opened.env.clock);
        Arc::new(ProgressLine::new(clock, opened.session.progress(), false))
    });
    printer.progress.clone_from(&line);
    let work = run_all(Arc::clone(&opened.session), opened.env.clone(), scripts, printer);
    let tick = || {
        if let Some(line) = &line {
            line.tick();
        }
    };
    match foreground.run(work, Interrupt::EndsProcess, EVERY, tick)? {
        Ended::Done(outcome) => outcome,
        // Ctrl-C ends the process before it is heard here.
        Ended::Interrupted => Err(headwater::io::PoolError::Cancelled.into()),
    }
}

async fn run_all(
    session: Arc<SqlSession>,
    env: Env,
    scripts: Vec<String>,
    mut printer: Printer,
) -> Result<(), CliError> {
    let mut before = 0;
    for text in scripts {
        let script = Script { text, origin: Origin::Arguments { before } };
        before += script::run(&session, &script, &mut printer, &env.clock).await?;
    }
    printer.finish()
}
