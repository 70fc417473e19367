//! The line at the prompt: editing, history, completion.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use headwater::io::host;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::config::{BellStyle, CompletionType};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, Helper};

use super::command::NAMES;
use super::complete::{Names, complete};
use super::names::SessionNames;
use crate::config::Environment;
use crate::error::CliError;
use crate::output::Format;
use crate::printer::note;

/// Entries that are kept.
const ENTRIES: usize = 10_000;
/// Candidates that are listed without a question.
const LISTED: usize = 100;

/// What a person did at the prompt.
pub(super) enum Typed {
    /// A line, or several at once.
    Lines(String),
    /// Ctrl-C.
    Cleared,
    /// Ctrl-D, or the terminal is gone.
    Left,
}

/// Reads lines from the terminal.
pub(super) struct LineEditor {
    editor: Editor<Assistant, FileHistory>,
    /// Lines that wait for the one that is being typed.
    pending: Rc<RefCell<String>>,
    history: Option<String>,
}

impl LineEditor {
    /// An editor with the user's history.
    pub(super) fn new(
        names: Rc<SessionNames>,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let config = Config::builder()
            .max_history_size(ENTRIES)?
            .history_ignore_dups(true)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .completion_prompt_limit(LISTED)
            .bell_style(BellStyle::None)
            .build();
        let pending = Rc::new(RefCell::new(String::new()));
        let mut editor = Editor::with_config(config)?;
        let files = FilenameCompleter::new();
        editor.set_helper(Some(Assistant { names, files, pending: Rc::clone(&pending) }));
        let mut editor = Self { editor, pending, history: history_file(environment) };
        editor.load();
        Ok(editor)
    }

    /// Waits for a line. `pending`: the lines before it.
    pub(super) fn read(&mut self, prompt: &str, pending: &str) -> Result<Typed, CliError> {
        pending.clone_into(&mut self.pending.borrow_mut());
        match self.editor.readline(prompt) {
            Ok(lines) => Ok(Typed::Lines(lines)),
            Err(ReadlineError::Interrupted) => Ok(Typed::Cleared),
            Err(ReadlineError::Eof) => Ok(Typed::Left),
            Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                note("error: what was typed is not UTF-8 text");
                Ok(Typed::Cleared)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers what was run.
    pub(super) fn remember(&mut self, entry: &str) {
        let added = self.editor.add_history_entry(entry.trim_end());
        if !matches!(added, Ok(true)) {
            return;
        }
        if let Some(path) = &self.history
            && let Err(error) = self.editor.append_history(path)
        {
            note(&format!("warning: history is not kept: {path}: {error}"));
            self.history = None;
        }
    }

    fn load(&mut self) {
        let Some(path) = &self.history else { return };
        let failed = match self.editor.load_history(path) {
            Ok(()) => return,
            Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                match host::create_parent_dir(path) {
                    Ok(()) => return,
                    Err(error) => error.to_string(),
                }
            }
            Err(error) => format!("{path}: {error}"),
        };
        note(&format!("warning: history is not kept: {failed}"));
        self.history = None;
    }
}

/// Where history is; set to nothing, the variable means nowhere.
fn history_file(environment: &Environment) -> Option<String> {
    const VARIABLE: &str = "HEADWATER_HISTORY";
    if environment.is_set(VARIABLE) {
        return environment.get(VARIABLE).map(str::to_owned);
    }
    environment.state_file("history")
}

/// What helps at the prompt.
struct Assistant {
    names: Rc<SessionNames>,
    files: FilenameCompleter,
    pending: Rc<RefCell<String>>,
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (typed, after) = line.split_at_checked(at).unwrap_or((line, ""));
        let pending = self.pending.borrow();
        if pending.is_empty() && typed.trim_start().starts_with('.') {
            if typed.trim_start().starts_with(".read ") {
                return self.files.complete_path(line, at);
            }
            return Ok(of_command(typed, self.names.as_ref()));
        }
        let before = format!("{pending}{typed}");
        let (start, candidates) = complete(&before, after, self.names.as_ref());
        // A word that started on an earlier line cannot be changed.
        let Some(start) = start.checked_sub(pending.len()) else { return Ok((at, Vec::new())) };
        let pair = |candidate: super::complete::Candidate| Pair {
            display: candidate.shown,
            replacement: candidate.text,
        };
        Ok((start, candidates.into_iter().map(pair).collect()))
    }
}

/// The candidates for a command of the shell or its argument, and where they start.
fn of_command(typed: &str, names: &dyn Names) -> (usize, Vec<Pair>) {
    let trimmed = typed.trim_start();
    let Some((command, argument)) = trimmed.split_once(char::is_whitespace) else {
        let start = typed.len() - trimmed.len();
        return (start, starting_with(trimmed, NAMES.map(str::to_owned).into()));
    };
    let argument = argument.trim_start();
    let found = match command {
        ".mode" => Format::ALL
            .into_iter()
            .filter(|format| !format.is_binary())
            .map(|format| format.name().to_owned())
            .collect(),
        ".timer" => vec!["on".to_owned(), "off".to_owned()],
        ".tables" => names.databases(),
        ".schema" => names.tables(&[]),
        _ => Vec::new(),
    };
    (typed.len() - argument.len(), starting_with(argument, found))
}

fn starting_with(typed: &str, names: Vec<String>) -> Vec<Pair> {
    let fits = |name: &String| name.starts_with(typed);
    let pair = |name: String| Pair { display: name.clone(), replacement: name };
    names.into_iter().filter(fits).map(pair).collect()
}

impl Highlighter for Assistant {
    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        candidate.into()
    }
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Validator for Assistant {}

impl Helper for Assistant {}
