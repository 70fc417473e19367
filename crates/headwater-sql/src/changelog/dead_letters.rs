//! Records that are no changes: the first one stops the statement, or all of them go to a file, as
//! the setting `headwater.dead-letter` says.
//!
//! They wait beside the file and are added to it when the statement has done its work, so that one
//! that fails and is run again does not leave them twice.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use headwater::io::host::OutputFile;

use crate::error::SqlError;
use crate::functions::Json;

/// Where a statement's bad records go.
#[derive(Debug, Default)]
pub(crate) struct DeadLetters {
    path: Option<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<OutputFile>,
    /// Bad records by the file that they are from.
    counts: BTreeMap<String, u64>,
    /// The statement has failed: what its query still finds is not wanted.
    ended: bool,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    /// What is counted from 1: `line`, or `row` where lines and rows are not the same.
    pub(super) unit: &'static str,
    pub(super) number: u64,
}

impl DeadLetters {
    /// `path`: the file of the setting, if it is set.
    pub(crate) fn new(path: Option<String>) -> Self {
        Self { path: path.filter(|path| !path.is_empty()), state: Mutex::default() }
    }

    /// Whether there is a file for bad records.
    pub(super) const fn are_kept(&self) -> bool {
        self.path.is_some()
    }

    /// Takes a record that is bad: an error unless there is a file for it.
    pub(super) fn take(&self, at: Place<'_>, reason: &str, record: &str) -> Result<(), SqlError> {
        let Place { file, unit, number } = at;
        let Some(path) = &self.path else {
            return Err(SqlError::invalid(format!(
                "file '{file}', {unit} {number}: {reason}; SET 'headwater.dead-letter' = 'FILE' \
                 (or --dead-letter FILE) collects such records in a file"
            )));
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { file: out, counts, ended } = &mut *state;
        if *ended {
            return Err(SqlError::invalid("the statement has failed"));
        }
        let out = match out {
            Some(out) => out,
            None => out.insert(OutputFile::append(path).map_err(headwater::Error::from)?),
        };
        let text = |text: &str| Json::Text(text.to_owned());
        let letter = Json::Object(vec![
            ("file".to_owned(), text(file)),
            (unit.to_owned(), Json::Whole(number.to_string())),
            ("reason".to_owned(), text(reason)),
            ("record".to_owned(), text(record)),
        ]);
        writeln!(out, "{letter}").map_err(|error| {
            SqlError::invalid(format!("the file of 'headwater.dead-letter': {path}: {error}"))
        })?;
        let count = counts.entry(file.to_owned()).or_default();
        *count = count.saturating_add(1);
        Ok(())
    }

    /// Adds the records of a statement that has done its work to their file; what to say of them.
    pub(crate) fn finish(&self) -> Result<Vec<String>, SqlError> {
        let state = std::mem::take(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(file) = state.file {
            file.finish().map_err(|error| {
                SqlError::invalid(format!(
                    "the statement has done its work, but its bad records are not in the file of \
                     'headwater.dead-letter': {error}"
                ))
            })?;
        }
        let path = self.path.as_deref().unwrap_or_default();
        let say = |(file, count): (String, u64)| match count {
            1 => format!("1 record of '{file}' was bad and went to '{path}'"),
            _ => format!("{count} records of '{file}' were bad and went to '{path}'"),
        };
        Ok(state.counts.into_iter().map(say).collect())
    }

    /// Forgets the records of a statement that has failed: it will find them again.
    pub(crate) fn discard(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { ended: true, ..State::default() };
    }
}
