//! Records that are no changes: the first one stops the statement, or all of them go to a file, as
//! the setting `headwater.dead-letter` says.

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
}

impl DeadLetters {
    /// `path`: the file of the setting, if it is set.
    pub(crate) fn new(path: Option<String>) -> Self {
        Self { path: path.filter(|path| !path.is_empty()), state: Mutex::default() }
    }

    /// Takes a record that is bad: an error unless there is a file for it.
    pub(super) fn take(
        &self,
        file: &str,
        line: u64,
        reason: &str,
        record: &str,
    ) -> Result<(), SqlError> {
        let Some(path) = &self.path else {
            return Err(SqlError::invalid(format!(
                "file '{file}', line {line}: {reason}; SET 'headwater.dead-letter' = 'FILE' (or \
                 --dead-letter FILE) collects such records in a file"
            )));
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { file: out, counts } = &mut *state;
        let out = match out {
            Some(out) => out,
            None => out.insert(OutputFile::append(path).map_err(headwater::Error::from)?),
        };
        let text = |text: &str| Json::Text(text.to_owned());
        let letter = Json::Object(vec![
            ("file".to_owned(), text(file)),
            ("line".to_owned(), Json::Whole(line.to_string())),
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

    /// What to say about the statement's bad records, which are safe in their file then.
    pub(crate) fn finish(&self) -> Result<Vec<String>, SqlError> {
        let state = std::mem::take(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(file) = state.file {
            file.finish().map_err(headwater::Error::from)?;
        }
        let path = self.path.as_deref().unwrap_or_default();
        let say = |(file, count): (String, u64)| match count {
            1 => format!("1 record of '{file}' was bad and went to '{path}'"),
            _ => format!("{count} records of '{file}' were bad and went to '{path}'"),
        };
        Ok(state.counts.into_iter().map(say).collect())
    }
}
