//! Scripts with a name: run again, also while the first run still goes on, they write once.
//!
//! The statements that write are numbered as they begin, whatever becomes of them. Each commits as the
//! user of that name with its number as identifier, and a table takes a user's identifiers once.
//! Source: Paimon 1.4.2 `FileStoreCommit#filterCommitted`.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use headwater::{Table, WriteBuilder};

use crate::error::SqlError;
use crate::session::{Scope, SqlSession};
use crate::settings::LABEL;

/// The name of a script and the number of one of its statements, from 1.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    name: String,
    number: i64,
}

/// The script that is running.
#[derive(Debug, Default)]
pub(crate) struct Labelled {
    name: String,
    /// Of the last statement that began.
    number: i64,
    /// Names of scripts before it.
    others: BTreeSet<String>,
}

impl Labelled {
    /// A name is set: if it is that of the running script, this begins anew.
    pub(crate) fn set(&mut self, name: &str) {
        if self.name == name {
            self.number = 0;
        }
    }

    /// A statement that writes begins.
    fn next(&mut self, name: &str) -> Result<Label, SqlError> {
        if self.name != name {
            if self.others.contains(name) {
                return Err(SqlError::invalid(format!(
                    "'{LABEL}' = '{name}' was used before '{}' already: whether the script goes \
                     on or begins again is not clear, so take another name or another session",
                    self.name
                )));
            }
            let before = std::mem::replace(&mut self.name, name.to_owned());
            self.others.insert(before);
            self.number = 0;
        }
        self.number = self.number.saturating_add(1);
        Ok(Label { name: name.to_owned(), number: self.number })
    }
}

impl Label {
    /// The write, under its name.
    pub(crate) fn on(&self, write: WriteBuilder) -> WriteBuilder {
        write.commit_user(&self.name).once()
    }

    /// The identifier of the commit.
    pub(crate) const fn identifier(&self) -> i64 {
        self.number
    }

    /// Whether the statement was committed before; if so, the user is told.
    pub(crate) async fn is_committed(
        &self,
        table: &Table,
        scope: &Scope,
    ) -> Result<bool, SqlError> {
        let open = table.filter_committed(&self.name, &[self.number]).await?;
        if open.is_empty() {
            self.note(table, scope);
        }
        Ok(open.is_empty())
    }

    /// Tells the user that another run of the script has committed the statement.
    pub(crate) fn note(&self, table: &Table, scope: &Scope) {
        scope.lookups.note(format!(
            "table {}: statement {} of '{LABEL}' = '{}' was committed before, nothing is written again",
            table.name(),
            self.number,
            self.name
        ));
    }
}

impl SqlSession {
    /// What the statement that writes now is called, if the script has a name. Once for each
    /// statement.
    pub(crate) fn label(&self, scope: &Scope) -> Result<Option<Label>, SqlError> {
        let Some(name) = scope.settings.get(LABEL) else { return Ok(None) };
        self.labelled.lock().unwrap_or_else(PoisonError::into_inner).next(name).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::Labelled;

    #[test]
    fn statements_are_numbered_under_their_name() {
        let mut labelled = Labelled::default();
        let mut next = |set: bool, name: &str| {
            if set {
                labelled.set(name);
            }
            labelled.next(name).map(|label| label.number)
        };
        assert_eq!(next(true, "a").unwrap(), 1);
        assert_eq!(next(false, "a").unwrap(), 2);
        // The script is run again.
        assert_eq!(next(true, "a").unwrap(), 1);
        assert_eq!(next(true, "b").unwrap(), 1);
        assert_eq!(next(false, "b").unwrap(), 2);
        let error = next(true, "a").unwrap_err().to_string();
        assert!(error.contains("'a' was used before 'b' already"), "{error}");
    }
}
