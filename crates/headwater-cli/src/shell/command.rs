//! The commands of the shell: lines that start with a dot.

use headwater::options::nearest_of;

use crate::config::parse_limit;
use crate::output::Format;

/// What `.help` prints.
pub(super) const HELP: &str = "\
Statements end with a semicolon and may take several lines. Tab completes, Ctrl-C cancels the
statement that runs or clears what is typed, Ctrl-D leaves.

.help              this text
.maxrows [N]       rows of a result that a table shows; 0 is all
.maxwidth [N]      width of a table; 0 is as wide as it takes, auto is that of the terminal
.mode [FORMAT]     how results look: table, csv, json, ndjson, markdown
.quit              leave; also .exit
.read FILE         run the statements and commands of a file
.schema [TABLE]    the CREATE TABLE of a table, or of all tables here
.tables [DATABASE] tables of a database, or of the current one
.timer [on|off]    whether the time of each statement is told
";

/// Names of all commands.
pub(super) const NAMES: [&str; 10] = [
    ".exit",
    ".help",
    ".maxrows",
    ".maxwidth",
    ".mode",
    ".quit",
    ".read",
    ".schema",
    ".tables",
    ".timer",
];

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Quit,
    /// `None` of a setting: print it.
    MaxRows(Option<usize>),
    MaxWidth(Option<Width>),
    Mode(Option<Format>),
    Timer(Option<bool>),
    Read(String),
    Schema(Option<String>),
    Tables(Option<String>),
}

/// Width of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// That of the terminal.
    Terminal,
    /// So many columns; 0 is no limit.
    Columns(usize),
}

/// Reads a line that starts with a dot.
pub(super) fn parse(line: &str) -> Result<Command, String> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let (name, argument) = match line.split_once(char::is_whitespace) {
        Some((name, argument)) => (name, Some(argument.trim())),
        None => (line, None),
    };
    let owned = || argument.map(str::to_owned);
    match name {
        ".help" => none(name, argument, Command::Help),
        ".quit" | ".exit" => none(name, argument, Command::Quit),
        ".maxrows" => parsed(name, argument, parse_limit).map(Command::MaxRows),
        ".maxwidth" => parsed(name, argument, parse_width).map(Command::MaxWidth),
        ".mode" => parsed(name, argument, parse_mode).map(Command::Mode),
        ".timer" => parsed(name, argument, parse_switch).map(Command::Timer),
        ".read" => match argument.map(unquoted) {
            Some(path) if !path.is_empty() => Ok(Command::Read(path)),
            _ => Err(".read needs the name of a file".to_owned()),
        },
        ".schema" => Ok(Command::Schema(owned())),
        ".tables" => Ok(Command::Tables(owned())),
        _ => Err(match nearest_of(name, NAMES) {
            Some(near) => format!("there is no command {name}; did you mean {near}?"),
            None => format!("there is no command {name}; .help lists all"),
        }),
    }
}

fn none(name: &str, argument: Option<&str>, command: Command) -> Result<Command, String> {
    match argument {
        None => Ok(command),
        Some(argument) => Err(format!("{name} takes no argument, but {argument:?} is there")),
    }
}

fn parsed<T>(
    name: &str,
    argument: Option<&str>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    argument.map(parse).transpose().map_err(|reason| format!("{name}: {reason}"))
}

fn parse_width(text: &str) -> Result<Width, String> {
    match text {
        "auto" => Ok(Width::Terminal),
        number => parse_limit(number)
            .map(Width::Columns)
            .map_err(|_| "a whole number is needed, 0 for no limit, or auto".to_owned()),
    }
}

fn parse_mode(text: &str) -> Result<Format, String> {
    match Format::named(text) {
        Some(format) if format.is_binary() => {
            Err(format!("{text} is not for a terminal: use COPY, or -c with --output FILE"))
        }
        Some(format) => Ok(format),
        None => {
            let names = Format::ALL.into_iter().filter(|format| !format.is_binary());
            let names: Vec<&str> = names.map(Format::name).collect();
            Err(format!("'{text}' is none of {}", names.join(", ")))
        }
    }
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off is needed".to_owned()),
    }
}

/// The name of a file, which may stand in quotes.
fn unquoted(text: &str) -> String {
    for quote in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Command, Format, HELP, NAMES, Width, parse};

    #[test]
    fn commands_are_read_with_their_arguments() {
        for (line, command) in [
            (".help", Command::Help),
            (".quit;", Command::Quit),
            (".exit", Command::Quit),
            (".maxrows", Command::MaxRows(None)),
            (".maxrows 0", Command::MaxRows(Some(0))),
            (".maxwidth auto", Command::MaxWidth(Some(Width::Terminal))),
            (".maxwidth 200", Command::MaxWidth(Some(Width::Columns(200)))),
            (".mode  csv", Command::Mode(Some(Format::Csv))),
            (".timer off", Command::Timer(Some(false))),
            (".read 'a b.sql'", Command::Read("a b.sql".into())),
            (".schema shop.orders;", Command::Schema(Some("shop.orders".into()))),
            (".tables", Command::Tables(None)),
        ] {
            assert_eq!(parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, word) in [
            (".tabels", "did you mean .tables?"),
            (".frobnicate", ".help lists all"),
            (".help me", "takes no argument"),
            (".mode xml", "none of table, csv, json, ndjson, markdown"),
            (".mode parquet", "--output"),
            (".timer maybe", "on or off"),
            (".maxrows many", "whole number"),
            (".maxwidth wide", "auto"),
            (".read", "name of a file"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(word), "{line}: {error}");
        }
    }

    #[test]
    fn help_names_every_command() {
        assert!(NAMES.is_sorted());
        assert!(NAMES.iter().all(|name| HELP.contains(name)));
    }
}
