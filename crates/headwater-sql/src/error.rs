//! The errors of this crate: what went wrong, in which statement, and what to do about it.

use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use headwater::ErrorKind;

/// Where a statement stands in its script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    /// Number of the statement, from 1; 0 when there is no script.
    pub(crate) number: usize,
    /// Line of the complaint, or else on which the statement starts; from 1.
    pub(crate) line: usize,
}

/// A statement that could not be run, with its place in the script.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct SqlError {
    what: SqlErrorKind,
    position: Position,
    /// Line and column of the word that is wrong, from 1; zeros when unknown.
    word: (u32, u32),
}

/// What is wrong with a statement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlErrorKind {
    /// The text is not a statement.
    #[error("syntax error: {message} (line {line}, column {column})")]
    Syntax {
        /// What was expected, what was found.
        message: String,
        /// Line in the script, from 1.
        line: usize,
        /// Column in the line, from 1.
        column: usize,
    },
    /// The statement is understood but makes no sense.
    #[error("{message}")]
    Invalid {
        /// What is wrong, and with which column, option or name.
        message: String,
    },
    /// The statement is legal, but not something this version does.
    #[error("{what} not supported: {advice}")]
    Unsupported {
        /// The feature, with its verb: "DELETE is".
        what: String,
        /// What to do instead.
        advice: String,
    },
    /// A table or a database could not be read, written or defined.
    #[error(transparent)]
    Table(Box<headwater::Error>),
    /// The query could not be planned or computed.
    #[error("{}", plain_message(.0))]
    Query(#[source] Box<DataFusionError>),
}

impl SqlError {
    pub(crate) fn new(what: SqlErrorKind) -> Self {
        Self { what, position: Position::default(), word: (0, 0) }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(SqlErrorKind::Invalid { message: message.into() })
    }

    pub(crate) fn unsupported(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(SqlErrorKind::Unsupported { what: what.into(), advice: advice.into() })
    }

    /// The same error, at this place unless it already knows its own.
    pub(crate) fn at(mut self, position: Position) -> Self {
        if self.position == Position::default() {
            self.position = position;
        }
        self
    }

    /// Finds the error of a table or of this crate inside of DataFusion's wrappers.
    pub(crate) fn from_datafusion(error: DataFusionError) -> Self {
        let word = word_of(&error);
        let error = Self::new(match unwrap_datafusion(error) {
            Unwrapped::Own(inner) => return *inner,
            Unwrapped::Table(inner) => SqlErrorKind::Table(inner),
            Unwrapped::Other(inner) => SqlErrorKind::Query(Box::new(inner)),
        });
        Self { word, ..error }
    }

    /// This error, at the word of the script where another one is.
    pub(crate) fn at_word_of(mut self, other: &Self) -> Self {
        self.word = other.word;
        self
    }

    /// Number of the statement in its script, from 1; 0 when it stands alone.
    #[must_use]
    pub const fn statement(&self) -> usize {
        self.position.number
    }

    /// Line of the script on which the failing statement starts, from 1; 0 when unknown.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.position.line
    }

    /// Whether rows may have been committed in spite of the error.
    pub(crate) fn is_outcome_unknown(&self) -> bool {
        let SqlErrorKind::Table(error) = &self.what else { return false };
        matches!(error.as_ref(), headwater::Error::Metadata(e) if e.is_outcome_unknown())
    }

    /// Whether the same job has committed the same before.
    pub(crate) fn is_committed_before(&self) -> bool {
        let SqlErrorKind::Table(error) = &self.what else { return false };
        matches!(error.as_ref(), headwater::Error::Metadata(e) if e.is_committed_before())
    }

    /// Line and column, from 1, of the word of the script that is wrong; `None` when unknown.
    #[must_use]
    pub fn word(&self) -> Option<(usize, usize)> {
        let (line, column) = match (&self.what, self.word) {
            (SqlErrorKind::Syntax { line, column, .. }, _) => (*line, *column),
            (_, (line, column)) => (usize::try_from(line).ok()?, usize::try_from(column).ok()?),
        };
        (line > 0 && column > 0).then_some((line, column))
    }

    /// What is wrong.
    #[must_use]
    pub const fn what(&self) -> &SqlErrorKind {
        &self.what
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &self.what {
            SqlErrorKind::Syntax { .. } | SqlErrorKind::Invalid { .. } => ErrorKind::Invalid,
            SqlErrorKind::Unsupported { .. } => ErrorKind::Unsupported,
            SqlErrorKind::Table(inner) => inner.kind(),
            SqlErrorKind::Query(inner) => match inner.find_root() {
                DataFusionError::NotImplemented(_) => ErrorKind::Unsupported,
                DataFusionError::Internal(_) => ErrorKind::Internal,
                DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) => {
                    ErrorKind::Unavailable
                }
                DataFusionError::ResourcesExhausted(_) => ErrorKind::Unavailable,
                _ => ErrorKind::Invalid,
            },
        }
    }
}

impl From<headwater::Error> for SqlError {
    fn from(source: headwater::Error) -> Self {
        Self::new(SqlErrorKind::Table(Box::new(source)))
    }
}

impl From<DataFusionError> for SqlError {
    fn from(source: DataFusionError) -> Self {
        Self::from_datafusion(source)
    }
}

/// Where the planner saw the mistake.
fn word_of(error: &DataFusionError) -> (u32, u32) {
    let Some(span) = error.diagnostic().and_then(|diagnostic| diagnostic.span) else {
        return (0, 0);
    };
    let number = |n: u64| u32::try_from(n).unwrap_or(0);
    (number(span.start.line), number(span.start.column))
}

enum Unwrapped {
    Own(Box<SqlError>),
    Table(Box<headwater::Error>),
    Other(DataFusionError),
}

fn unwrap_datafusion(error: DataFusionError) -> Unwrapped {
    match error {
        DataFusionError::External(boxed) => match boxed.downcast::<SqlError>() {
            Ok(own) => Unwrapped::Own(own),
            Err(boxed) => match boxed.downcast::<headwater::Error>() {
                Ok(table) => Unwrapped::Table(table),
                Err(boxed) => match boxed.downcast::<DataFusionError>() {
                    Ok(inner) => unwrap_datafusion(*inner),
                    Err(boxed) => Unwrapped::Other(DataFusionError::External(boxed)),
                },
            },
        },
        DataFusionError::Context(context, inner) => match unwrap_datafusion(*inner) {
            Unwrapped::Other(inner) => {
                Unwrapped::Other(DataFusionError::Context(context, Box::new(inner)))
            }
            found => found,
        },
        DataFusionError::Diagnostic(_, inner) => unwrap_datafusion(*inner),
        DataFusionError::Shared(inner) => match std::sync::Arc::try_unwrap(inner) {
            Ok(inner) => unwrap_datafusion(inner),
            Err(shared) => Unwrapped::Other(DataFusionError::Shared(shared)),
        },
        DataFusionError::ArrowError(inner, trace) => match *inner {
            arrow::error::ArrowError::ExternalError(boxed) => {
                unwrap_datafusion(DataFusionError::External(boxed))
            }
            other => Unwrapped::Other(DataFusionError::ArrowError(Box::new(other), trace)),
        },
        DataFusionError::NotImplemented(text)
            if text.contains("logical expression ScalarSubquery") =>
        {
            Unwrapped::Own(Box::new(SqlError::unsupported(
                "a subquery for a value that compares with the outer row by anything but '=' is",
                "join with the table and aggregate instead",
            )))
        }
        DataFusionError::NotImplemented(text) if text.contains("OuterReferenceColumn") => {
            Unwrapped::Own(Box::new(SqlError::unsupported(
                "a table that is made of another one's columns (UNNEST(column), LATERAL) is",
                "write SELECT id, unnest(column) FROM t instead",
            )))
        }
        other => Unwrapped::Other(other),
    }
}

/// DataFusion's message without the words that name its parts.
fn plain_message(error: &DataFusionError) -> String {
    match error {
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::NotImplemented(text)
        | DataFusionError::Configuration(text) => text.clone(),
        DataFusionError::Diagnostic(_, inner) => plain_message(inner),
        DataFusionError::Context(context, inner) => format!("{context}: {}", plain_message(inner)),
        DataFusionError::SchemaError(inner, _) => inner.to_string(),
        other => other.strip_backtrace(),
    }
}

impl SqlError {
    /// An error of the query parser, whose message ends with its place.
    pub(crate) fn from_parser(error: DataFusionError) -> Self {
        let text = match find_parser_error(&error) {
            Some(ParserError::ParserError(text) | ParserError::TokenizerError(text)) => {
                text.clone()
            }
            Some(ParserError::RecursionLimitExceeded) => "the statement nests too deep".to_owned(),
            None => plain_message(&error),
        };
        let (message, place) = text.rsplit_once(" at Line: ").unwrap_or((&text, ""));
        let mut numbers = place
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|digits| digits.parse::<usize>().ok());
        let (line, column) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let message = match message.strip_prefix("Expected: ") {
            Some(rest) => {
                let rest = rest.replacen(", found: ", ", found ", 1);
                format!("expected {}", rest.replace("found EOF", "found the end of the statement"))
            }
            None => message.to_owned(),
        };
        if line == 0 {
            return Self::invalid(format!("syntax error: {message}"));
        }
        Self::new(SqlErrorKind::Syntax { message, line, column })
    }
}

fn find_parser_error(error: &DataFusionError) -> Option<&ParserError> {
    match error {
        DataFusionError::SQL(inner, _) => Some(inner),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
            find_parser_error(inner)
        }
        _ => None,
    }
}
