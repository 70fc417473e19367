//! The names that completion offers, asked of the session and kept until a statement runs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use futures::StreamExt;
use futures::future::{Either, select};
use headwater::io::Clock;
use headwater::io::host::{Ended, Foreground, Interrupt};
use headwater_sql::{Output, SqlError, SqlSession};

use super::complete::Names;

/// How long a person waits for a list.
const PATIENCE: Duration = Duration::from_secs(2);

/// Names of a session.
pub(super) struct SessionNames {
    foreground: Rc<Foreground>,
    session: Arc<SqlSession>,
    clock: Arc<dyn Clock>,
    known: RefCell<BTreeMap<String, Vec<String>>>,
    /// Warnings about tables that were looked at; the session gives each only once.
    warnings: RefCell<Vec<String>>,
}

impl SessionNames {
    pub(super) fn new(
        foreground: Rc<Foreground>,
        session: Arc<SqlSession>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (known, warnings) = (RefCell::default(), RefCell::default());
        Self { foreground, session, clock, known, warnings }
    }

    /// Forgets the names, because a statement may change them.
    pub(super) fn forget(&self) {
        self.known.borrow_mut().clear();
    }

    /// Warnings that came up meanwhile.
    pub(super) fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// The first column of what the statement shows; nothing when it fails or takes too long.
    fn first_column(&self, statement: String) -> Vec<String> {
        if let Some(known) = self.known.borrow().get(&statement) {
            return known.clone();
        }
        let (session, clock) = (Arc::clone(&self.session), Arc::clone(&self.clock));
        let text = statement.clone();
        let work = async move {
            let shown = std::pin::pin!(texts(&session, &text));
            match select(shown, clock.sleep(PATIENCE)).await {
                Either::Left((shown, _)) => shown.ok(),
                Either::Right(_) => None,
            }
        };
        let found = self.foreground.run(work, Interrupt::CancelsWork, PATIENCE, || {});
        let Ok(Ended::Done(Some((names, warnings)))) = found else { return Vec::new() };
        self.warnings.borrow_mut().extend(warnings);
        self.known.borrow_mut().insert(statement, names.clone());
        names
    }
}

/// The texts of the first column, and warnings.
pub(super) async fn texts(
    session: &SqlSession,
    statement: &str,
) -> Result<(Vec<String>, Vec<String>), SqlError> {
    let result = session.execute(statement).await?;
    let mut texts = Vec::new();
    if let Output::Rows(mut rows) = result.output {
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            let column = batch.columns().first().and_then(|column| column.as_string_opt::<i32>());
            texts.extend(column.into_iter().flatten().flatten().map(str::to_owned));
        }
    }
    Ok((texts, result.warnings))
}

/// A name of several parts as SQL has it.
fn quoted(parts: &[String]) -> String {
    let quote = |part: &String| format!("`{}`", part.replace('`', "``"));
    parts.iter().map(quote).collect::<Vec<_>>().join(".")
}

impl Names for SessionNames {
    fn catalogs(&self) -> Vec<String> {
        self.first_column("SHOW CATALOGS".to_owned())
    }

    fn databases(&self) -> Vec<String> {
        self.first_column("SHOW DATABASES".to_owned())
    }

    fn tables(&self, database: &[String]) -> Vec<String> {
        match database {
            [] => self.first_column("SHOW TABLES".to_owned()),
            parts => self.first_column(format!("SHOW TABLES FROM {}", quoted(parts))),
        }
    }

    fn columns(&self, table: &[String]) -> Vec<String> {
        self.first_column(format!("DESCRIBE {}", quoted(table)))
    }

    fn functions(&self) -> Vec<String> {
        // Without names there is nothing to complete; the next statement says why.
        self.session.function_names().unwrap_or_default()
    }
}
