//! Where the outcome of statements goes: rows to standard output or a file, sentences to standard
//! output when people read it, and to standard error otherwise.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use headwater::io::host::{self, OutputFile};
use headwater_sql::{Output, SqlError, StatementResult};

use crate::error::CliError;
use crate::output::{Format, Limits, ResultWriter, Style, Target};
use crate::progress::ProgressLine;
use crate::timing;

/// Prints the outcomes of statements, one after the other.
pub(crate) struct Printer {
    /// How results look.
    pub(crate) format: Format,
    /// What of a result is shown.
    pub(crate) limits: Limits,
    /// Whether and where the time of each statement is told.
    pub(crate) timing: Timing,
    /// What says how far a statement is.
    pub(crate) progress: Option<Arc<ProgressLine>>,
    output: Sink,
    /// Results that were written.
    results: usize,
}

/// How the time of a statement is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// Not at all.
    Off,
    /// Behind the count of rows, or behind the sentence.
    Beside,
    /// On standard error, with the statement's number.
    Apart,
}

/// Where rows go.
enum Sink {
    Standard,
    /// The file is there from the first result on.
    File {
        path: String,
        file: Option<OutputFile>,
    },
}

impl Printer {
    /// Prints to standard output.
    pub(crate) const fn new(format: Format, limits: Limits, timing: Timing) -> Self {
        let output = Sink::Standard;
        Self { format, limits, timing, progress: None, output, results: 0 }
    }

    /// Writes rows to a file instead.
    pub(crate) fn writing_to(mut self, path: &str) -> Self {
        self.output = Sink::File { path: path.to_owned(), file: None };
        self
    }

    /// A statement starts.
    pub(crate) fn start(&self) {
        if let Some(progress) = &self.progress {
            progress.start();
        }
    }

    /// A statement ended without a result.
    pub(crate) fn stop(&self) {
        if let Some(progress) = &self.progress {
            progress.stop();
        }
    }

    /// Prints one outcome. `number`: of the statement, for the time; `took` says how long it ran.
    pub(crate) async fn print(
        &mut self,
        result: StatementResult,
        number: usize,
        took: impl Fn() -> Duration + Send,
    ) -> Result<(), PrintError> {
        for warning in &result.warnings {
            self.stop();
            note(&format!("warning: {warning}"));
        }
        match result.output {
            Output::Message(text) => self.say(&text, took())?,
            Output::Affected(1) => self.say("1 row written", took())?,
            Output::Affected(rows) => self.say(&format!("{rows} rows written"), took())?,
            Output::Changed(changed) => self.say(&changed.to_string(), took())?,
            Output::Rows(mut rows) => {
                self.check_another()?;
                let style = self.style();
                let beside = self.timing == Timing::Beside;
                let quiet = Quiet { progress: self.progress.clone(), out: self.output.open()? };
                let mut writer = ResultWriter::new(style, &rows.schema(), quiet)?;
                while let Some(batch) = rows.next().await {
                    writer.write(&batch.map_err(PrintError::Statement)?)?;
                }
                writer.finish(beside.then(&took))?;
                self.results += 1;
            }
        }
        self.stop();
        if self.timing == Timing::Apart {
            note(&format!("statement {number}: {}", timing::seconds(took())));
        }
        Ok(())
    }

    /// Gives a file its name.
    pub(crate) fn finish(self) -> Result<(), CliError> {
        match self.output {
            Sink::Standard => Ok(()),
            Sink::File { file: Some(file), .. } => Ok(file.finish()?),
            Sink::File { path, file: None } => {
                Err(CliError::argument(format!("no statement gave rows: {path} was not written")))
            }
        }
    }

    const fn style(&self) -> Style {
        let target = match self.output {
            Sink::Standard => Target::Stream,
            Sink::File { .. } => Target::File,
        };
        Style { format: self.format, limits: self.limits, target }
    }

    fn check_another(&self) -> Result<(), CliError> {
        if self.results == 0 || !self.format.is_binary() {
            return Ok(());
        }
        Err(CliError::argument(format!(
            "--format {} holds one result, and this is the second",
            self.format.name()
        )))
    }

    /// A sentence about a statement that succeeded; it is out before the next statement starts.
    fn say(&self, text: &str, took: Duration) -> Result<(), CliError> {
        self.stop();
        if self.format.is_for_programs() || matches!(self.output, Sink::File { .. }) {
            note(text);
            return Ok(());
        }
        let mut out = io::stdout().lock();
        let written = match self.timing {
            Timing::Beside => writeln!(out, "{text} ({})", timing::seconds(took)),
            Timing::Off | Timing::Apart => writeln!(out, "{text}"),
        };
        written.and_then(|()| out.flush()).map_err(CliError::Output)
    }
}

/// Why an outcome was not printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrintError {
    /// The statement failed while its rows were read.
    #[error(transparent)]
    Statement(SqlError),
    /// The output failed.
    #[error(transparent)]
    Output(#[from] CliError),
}

impl Sink {
    fn open(&mut self) -> Result<Out<'_>, CliError> {
        match self {
            Self::Standard => Ok(Out::Standard(io::stdout())),
            Self::File { path, file } => {
                let opened = match file.take() {
                    Some(opened) => opened,
                    None => OutputFile::create(path)?,
                };
                Ok(Out::File(file.insert(opened)))
            }
        }
    }
}

enum Out<'a> {
    Standard(io::Stdout),
    File(&'a mut OutputFile),
}

/// An output in front of which the line of progress goes away.
struct Quiet<'a> {
    progress: Option<Arc<ProgressLine>>,
    out: Out<'a>,
}

impl Write for Quiet<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match &mut self.out {
            Out::Standard(out) => {
                if let Some(progress) = &self.progress {
                    progress.stop();
                }
                out.write(data)
            }
            Out::File(file) => file.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::Standard(out) => out.flush(),
            Out::File(file) => file.flush(),
        }
    }
}

/// A line on standard error.
pub(crate) fn note(text: &str) {
    host::write_stderr(format!("{text}\n").as_bytes());
}
