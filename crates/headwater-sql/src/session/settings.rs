//! SET and RESET.

use std::sync::Arc;

use arrow::array::StringArray;

use super::{Outcome, Scope, SqlSession, lock, rows_of};
use crate::error::SqlError;
use crate::parse::SetStatement;
use crate::result::StatementKind;
use crate::settings::{LABEL, canonical, check};
use crate::show;

impl SqlSession {
    /// Runs SET or RESET.
    pub(super) fn set(
        &self,
        statement: SetStatement,
        scope: &Scope,
    ) -> Result<(StatementKind, Outcome), SqlError> {
        let message = match statement {
            SetStatement::List => {
                let (keys, values): (Vec<_>, Vec<_>) =
                    scope.settings.iter().map(|(k, v)| (k.as_str(), v.as_str())).unzip();
                let batch = show::batch(vec![
                    ("key", false, Arc::new(StringArray::from(keys))),
                    ("value", false, Arc::new(StringArray::from(values))),
                ])?;
                return Ok((StatementKind::Show, Outcome::Rows(rows_of(batch))));
            }
            SetStatement::Get(key) => {
                let name = canonical(&key);
                let value = scope.settings.get(name).map(String::as_str);
                let batch = show::batch(vec![
                    ("key", false, Arc::new(StringArray::from(vec![name]))),
                    ("value", true, Arc::new(StringArray::from(vec![value]))),
                ])?;
                return Ok((StatementKind::Show, Outcome::Rows(rows_of(batch))));
            }
            SetStatement::Set(key, value) => {
                if let Some(warning) = check(&key, &value)? {
                    scope.lookups.warn(warning);
                }
                if canonical(&key) == LABEL {
                    lock(&self.labelled).set(&value);
                }
                let message = format!("{key} = {value}");
                lock(&self.settings).insert(canonical(&key).to_owned(), value);
                message
            }
            SetStatement::Reset(None) => {
                lock(&self.settings).clone_from(&self.first_settings);
                "all settings are as the session began".to_owned()
            }
            SetStatement::Reset(Some(key)) => {
                let name = canonical(&key).to_owned();
                let mut settings = lock(&self.settings);
                match self.first_settings.get(&name) {
                    Some(first) => {
                        settings.insert(name, first.clone());
                    }
                    // A name that was never set and that nobody knows is a mistake.
                    None if settings.remove(&name).is_none() => {
                        check(&name, "")
                            .err()
                            .filter(|error| error.to_string().contains("there is no setting"))
                            .map_or(Ok(()), Err)?;
                    }
                    None => {}
                }
                format!("{key} is reset")
            }
        };
        Ok((StatementKind::Definition, Outcome::Message(message)))
    }
}
