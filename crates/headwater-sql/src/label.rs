//! Scripts with a name: run again, also while the first run still goes on, they write once.
//!
//! The statements that write are numbered. Each commits as the user of that name with its number as
//! identifier, and a table takes a user's identifiers once. Source: Paimon 1.4.2
//! `FileStoreCommit#filterCommitted`.

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

/// The last statement that ended under a name.
#[derive(Debug, Default)]
pub(crate) struct LastLabelled {
    name: String,
    number: i64,
}

impl Label {
    /// The write, under its name.
    pub(crate) fn on(&self, write: WriteBuilder) -> WriteBuilder {
        write.commit_user(&self.name)
    }

    /// The identifier of the commit.
    pub(crate) const fn identifier(&self) -> i64 {
        self.number
    }

    /// Whether the statement was committed before.
    pub(crate) async fn is_committed(&self, table: &Table) -> Result<bool, SqlError> {
        Ok(table.filter_committed(&self.name, &[self.number]).await?.is_empty())
    }
}

impl SqlSession {
    /// What the statement that writes now is called, if the script has a name.
    pub(crate) fn label(&self, scope: &Scope) -> Option<Label> {
        let name = scope.settings.get(LABEL)?;
        let last = self.labelled.lock().unwrap_or_else(PoisonError::into_inner);
        let before = if last.name == *name { last.number } else { 0 };
        Some(Label { name: name.clone(), number: before.saturating_add(1) })
    }

    /// The statement has ended well: the next one has the next number.
    pub(crate) fn label_ended(&self, label: Label) {
        let Label { name, number } = label;
        let mut last = self.labelled.lock().unwrap_or_else(PoisonError::into_inner);
        *last = LastLabelled { name, number };
    }

    /// The same for a statement that another run of the script has committed.
    pub(crate) fn label_found(&self, label: Label, table: &Table, scope: &Scope) {
        scope.lookups.note(format!(
            "table {}: statement {} of '{LABEL}' = '{}' was committed before, nothing is written again",
            table.name(),
            label.number,
            label.name
        ));
        self.label_ended(label);
    }
}
