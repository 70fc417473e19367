//! The shell: reads statements from a terminal and runs them, until the user leaves.
//!
//! A statement that fails or is cancelled ends nothing but itself. What the user does between two
//! prompts is in `editor`, what Tab offers in `complete`, lines with a dot in `command`.

mod command;
mod complete;
mod editor;
mod input;
mod names;

use std::io::{IsTerminal, Write};
use std::rc::Rc;
use std::sync::Arc;

use headwater::Env;
use headwater::io::host::{self, Ended, Foreground, Interrupt};
use headwater_sql::SqlSession;

use crate::config::Environment;
use crate::error::{CliError, OUTPUT_CLOSED};
use crate::output::{Format, Limits, More};
use crate::printer::{Printer, Timing, note};
use crate::progress::{EVERY, ProgressLine};
use crate::script::{self, Origin, Script};
use crate::timing;
use command::Command;
pub(crate) use command::Width;
use editor::{LineEditor, Typed};
use input::{Input, Unit};
use names::SessionNames;

/// Width of a terminal that does not tell.
pub(crate) const WIDTH: usize = 80;
/// Files that may read each other.
const READ_DEPTH: usize = 16;
/// First words of statements that change something.
const CHANGES: [&str; 10] =
    ["INSERT", "COPY", "CREATE", "DROP", "ALTER", "DELETE", "UPDATE", "MERGE", "TRUNCATE", "CALL"];

/// What a shell starts with.
pub(crate) struct Start<'a> {
    pub(crate) foreground: Foreground,
    pub(crate) session: Arc<SqlSession>,
    pub(crate) env: Env,
    /// What the session is of, for the greeting.
    pub(crate) about: String,
    pub(crate) look: Look,
    pub(crate) environment: &'a Environment,
}

/// How results look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) format: Format,
    /// Rows of a table; 0 for all.
    pub(crate) rows: usize,
    pub(crate) width: Width,
    /// Whether the time of each statement is told; `None`: when people read the format.
    pub(crate) timer: Option<bool>,
}

/// Runs the shell until the user leaves.
pub(crate) fn run(start: Start<'_>) -> Result<(), CliError> {
    let Start { foreground, session, env, about, look, environment } = start;
    foreground.catch_ctrl_c()?;
    let foreground = Rc::new(foreground);
    let names = Rc::new(SessionNames::new(
        Rc::clone(&foreground),
        Arc::clone(&session),
        Arc::clone(&env.clock),
    ));
    let mut editor = LineEditor::new(Rc::clone(&names), environment)?;
    let line = std::io::stderr()
        .is_terminal()
        .then(|| Arc::new(ProgressLine::new(Arc::clone(&env.clock), session.progress(), true)));
    let mut shell = Shell { foreground, session, env, names, look, line };
    let version = env!("CARGO_PKG_VERSION");
    print(&format!("headwater {version}: {about}\n.help helps, Ctrl-D leaves\n"))?;
    let mut input = Input::default();
    loop {
        let prompt = shell.prompt(input.pending().is_empty());
        match editor.read(&prompt, input.pending())? {
            Typed::Cleared => drop(input.rest()),
            Typed::Left => return Ok(()),
            Typed::Lines(lines) => {
                for line in lines.split('\n') {
                    let Some(unit) = input.add(line) else { continue };
                    editor.remember(match &unit {
                        Unit::Command(text) | Unit::Statements(text) => text,
                    });
                    if shell.run(unit, 0)? == Next::Leave {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Whether the shell goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// With the next line.
    GoOn,
    /// With the next line of the prompt: a file that is being read ends here.
    Stop,
    Leave,
}

struct Shell {
    foreground: Rc<Foreground>,
    session: Arc<SqlSession>,
    env: Env,
    names: Rc<SessionNames>,
    look: Look,
    line: Option<Arc<ProgressLine>>,
}

impl Shell {
    /// The database, or as much space in front of a line that goes on.
    fn prompt(&self, is_first: bool) -> String {
        let first = format!("{}> ", self.session.database());
        if is_first { first } else { format!("{:>1$}", "..> ", first.chars().count()) }
    }

    /// Runs statements or a command. Only an output that is gone is an error.
    fn run(&mut self, unit: Unit, depth: usize) -> Result<Next, CliError> {
        let outcome = match unit {
            Unit::Statements(text) => self.run_script(Script { text, origin: Origin::Prompt }),
            Unit::Command(line) => match command::parse(&line) {
                Ok(command) => self.run_command(command, depth),
                Err(reason) => Err(CliError::argument(reason)),
            },
        };
        outcome.or_else(complain)
    }

    fn run_script(&mut self, script: Script) -> Result<Next, CliError> {
        for warning in self.names.take_warnings() {
            note(&format!("warning: {warning}"));
        }
        self.names.forget();
        let (session, clock) = (Arc::clone(&self.session), Arc::clone(&self.env.clock));
        let mut printer = self.printer();
        let start = clock.monotonic();
        let changes = changes(&script.text);
        let work =
            async move { script::run(&session, &script, &mut printer, &clock).await.map(drop) };
        let line = self.line.clone();
        let tick = || {
            if let Some(line) = &line {
                line.tick();
            }
        };
        match self.foreground.run(work, Interrupt::CancelsWork, EVERY, tick)? {
            Ended::Done(outcome) => outcome.map(|()| Next::GoOn),
            Ended::Interrupted => {
                if let Some(line) = &self.line {
                    line.stop();
                }
                let took = self.env.clock.monotonic().saturating_sub(start);
                let doubt = if changes {
                    ": a change may have taken place, so look before you repeat it"
                } else {
                    ""
                };
                note(&format!("cancelled after {}{doubt}", timing::seconds(took)));
                Ok(Next::Stop)
            }
        }
    }

    fn printer(&self) -> Printer {
        let Look { format, rows, width, timer } = self.look;
        let width = match width {
            Width::Terminal => host::terminal_width().unwrap_or(WIDTH),
            Width::Columns(columns) => columns,
        };
        let timing = match (format.is_for_programs(), timer) {
            (_, Some(false)) | (true, None) => Timing::Off,
            (false, _) => Timing::Beside,
            (true, Some(true)) => Timing::Apart,
        };
        let limits = Limits { rows, width, more: More::Commands };
        let mut printer = Printer::new(format, limits, timing);
        printer.progress.clone_from(&self.line);
        printer
    }

    fn run_command(&mut self, command: Command, depth: usize) -> Result<Next, CliError> {
        let look = &mut self.look;
        match command {
            Command::Help => print(command::HELP)?,
            Command::Quit => return Ok(Next::Leave),
            Command::MaxRows(Some(rows)) => look.rows = rows,
            Command::MaxRows(None) => print(&format!("{}\n", look.rows))?,
            Command::MaxWidth(Some(width)) => look.width = width,
            Command::MaxWidth(None) => match look.width {
                Width::Terminal => print("auto\n")?,
                Width::Columns(columns) => print(&format!("{columns}\n"))?,
            },
            Command::Mode(Some(format)) => look.format = format,
            Command::Mode(None) => print(&format!("{}\n", look.format.name()))?,
            Command::Timer(Some(on)) => look.timer = Some(on),
            Command::Timer(None) => {
                let on = look.timer.unwrap_or(!look.format.is_for_programs());
                print(if on { "on\n" } else { "off\n" })?;
            }
            Command::Read(path) => return self.read(&path, depth + 1),
            Command::Tables(database) => {
                let from = database.map(|name| format!(" FROM {name}")).unwrap_or_default();
                let text = format!("SHOW TABLES{from}");
                return self.run_script(Script { text, origin: Origin::Prompt });
            }
            Command::Schema(table) => self.schema(table)?,
        }
        Ok(Next::GoOn)
    }

    /// Prints the CREATE TABLE of a table, or of all in the current database.
    fn schema(&self, table: Option<String>) -> Result<(), CliError> {
        let session = Arc::clone(&self.session);
        let work = async move {
            let tables = match table {
                Some(table) => vec![table],
                None => {
                    let (tables, _) = names::texts(&session, "SHOW TABLES").await?;
                    tables.iter().map(|name| format!("`{}`", name.replace('`', "``"))).collect()
                }
            };
            let mut text = String::new();
            let mut warnings = Vec::new();
            for table in tables {
                let statement = format!("SHOW CREATE TABLE {table}");
                let (shown, more) = names::texts(&session, &statement).await?;
                text.extend(shown.into_iter().map(|create| create + ";\n"));
                warnings.extend(more);
            }
            Ok::<_, CliError>((text, warnings))
        };
        match self.foreground.run(work, Interrupt::CancelsWork, EVERY, || {})? {
            Ended::Done(found) => {
                let (text, warnings) = found?;
                for warning in warnings {
                    note(&format!("warning: {warning}"));
                }
                print(&text)
            }
            Ended::Interrupted => {
                note("cancelled");
                Ok(())
            }
        }
    }

    /// Runs a file up to the first thing that fails.
    fn read(&mut self, path: &str, depth: usize) -> Result<Next, CliError> {
        if depth > READ_DEPTH {
            return Err(CliError::argument(format!("{path}: files read each other without end")));
        }
        let text = host::read_text_file(path)?;
        for (line, part) in parts(&text) {
            let next = match part {
                Unit::Command(command) => match command::parse(&command) {
                    Ok(command) => self.run_command(command, depth)?,
                    Err(reason) => {
                        return Err(CliError::argument(format!("{path}, line {line}: {reason}")));
                    }
                },
                Unit::Statements(text) => {
                    self.run_script(Script { text, origin: Origin::File(path.to_owned()) })?
                }
            };
            if next != Next::GoOn {
                return Ok(next);
            }
        }
        Ok(Next::GoOn)
    }
}

/// The statements and commands of a file, each with its line. Statements between two commands are
/// one script; as many line feeds stand before it as lines come before it in the file, so that its
/// errors name the file's lines.
fn parts(text: &str) -> Vec<(usize, Unit)> {
    let mut parts = Vec::new();
    let mut statements = String::new();
    let mut input = Input::default();
    let mut first = 0;
    for (number, line) in text.lines().enumerate() {
        match input.add(line) {
            Some(Unit::Command(command)) => {
                if !statements.trim().is_empty() {
                    parts.push((first + 1, Unit::Statements(std::mem::take(&mut statements))));
                }
                parts.push((number + 1, Unit::Command(command)));
                first = number + 1;
                statements = "\n".repeat(first);
            }
            Some(Unit::Statements(text)) => statements.push_str(&text),
            None if input.pending().is_empty() => statements.push('\n'),
            None => {}
        }
    }
    statements.push_str(&input.rest());
    if !statements.trim().is_empty() {
        parts.push((first + 1, Unit::Statements(statements)));
    }
    parts
}

/// Whether a statement changes anything: one of its words says so.
fn changes(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| CHANGES.iter().any(|change| word.eq_ignore_ascii_case(change)))
}

/// Tells what went wrong; an output that is gone ends the shell.
fn complain(error: CliError) -> Result<Next, CliError> {
    if error.exit_code() == OUTPUT_CLOSED {
        return Err(error);
    }
    note(&format!("error: {error}"));
    Ok(Next::Stop)
}

fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(CliError::Output)
}

#[cfg(test)]
mod tests {
    use super::{Unit, changes, parts};

    #[test]
    fn a_file_is_cut_at_its_commands_and_keeps_its_lines() {
        let found = parts("SELECT 1;\n\nSELECT\n .1;\n.mode csv\n-- two\nSELECT 2;\nSELECT 3");
        let statements = |text: &str| Unit::Statements(text.to_owned());
        assert_eq!(
            found,
            [
                (1, statements("SELECT 1;\n\nSELECT\n .1;\n")),
                (5, Unit::Command(".mode csv".into())),
                (6, statements("\n\n\n\n\n-- two\nSELECT 2;\nSELECT 3\n")),
            ]
        );
        assert!(parts("\n\n").is_empty());
    }

    #[test]
    fn statements_that_change_something_are_known() {
        assert!(changes("-- x\ninsert into t values (1)"));
        assert!(!changes("SELECT inserted FROM t"));
    }
}
