//! A session on a warehouse that goes away with it.

use std::sync::Arc;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::StreamExt;
use headwater::io::FileIo;
use headwater::{CatalogOptions, Env, FileSystemCatalog, SyncMode};
use headwater_sql::{Output, SessionOptions, SqlError, SqlSession, StatementResult};
use tempfile::TempDir;

/// A session on files of any kind.
pub(crate) async fn session(io: &Arc<dyn FileIo>) -> SqlSession {
    let env = Env::system(2, 64 << 20);
    let catalog = FileSystemCatalog::new(Arc::clone(io), env.clone());
    SqlSession::new(SessionOptions::new(Arc::new(catalog), env)).await.unwrap()
}

/// Runs a statement of such a session.
pub(crate) async fn run(session: &SqlSession, sql: &str) -> Vec<String> {
    lines_of(session.execute(sql).await.unwrap()).await.unwrap()
}

pub(crate) struct Warehouse {
    pub(crate) dir: TempDir,
    pub(crate) session: SqlSession,
}

impl Warehouse {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let session = open(dir.path().join("warehouse").to_str().unwrap()).await;
        Self { dir, session }
    }

    /// One whose files need not survive a crash of the machine.
    pub(crate) async fn unsynced() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let how = CatalogOptions { create: true, sync: SyncMode::Off };
        let session = open_with(dir.path().join("warehouse").to_str().unwrap(), how).await;
        Self { dir, session }
    }

    /// A path next to the warehouse, as SQL writes it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs a script and gives the lines of all results: cells with `|` between them.
    pub(crate) async fn try_run(&self, script: &str) -> Result<Vec<String>, SqlError> {
        let mut lines = Vec::new();
        let mut results = self.session.run_script(script);
        while let Some(result) = results.next().await {
            lines.extend(lines_of(result?).await?);
        }
        Ok(lines)
    }

    pub(crate) async fn run(&self, script: &str) -> Vec<String> {
        match self.try_run(script).await {
            Ok(lines) => lines,
            Err(error) => panic!("statement {}: {error}\n{script}", error.statement()),
        }
    }

    pub(crate) async fn fails(&self, script: &str) -> SqlError {
        match self.try_run(script).await {
            Ok(lines) => panic!("no error from {script}: {lines:?}"),
            Err(error) => error,
        }
    }
}

pub(crate) async fn open(warehouse: &str) -> SqlSession {
    open_with(warehouse, CatalogOptions { create: true, sync: SyncMode::default() }).await
}

async fn open_with(warehouse: &str, how: CatalogOptions) -> SqlSession {
    let env = Env::system(2, 256 << 20);
    let catalog = headwater::open_catalog_with(warehouse, how, env.clone()).await.unwrap();
    let options = SessionOptions::new(Arc::new(catalog), env);
    SqlSession::new(options.threads(2).memory_bytes(256 << 20).sync(how.sync)).await.unwrap()
}

pub(crate) async fn lines_of(result: StatementResult) -> Result<Vec<String>, SqlError> {
    let mut rows = match result.output {
        Output::Message(_) => return Ok(Vec::new()),
        Output::Affected(rows) => return Ok(vec![format!("{rows} rows")]),
        Output::Changed(changed) => return Ok(vec![changed.to_string()]),
        Output::Rows(rows) => rows,
    };
    let mut lines = Vec::new();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let options = FormatOptions::new().with_null("NULL");
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns.iter().map(|c| c.value(row).to_string()).collect();
            lines.push(cells.join("|"));
        }
    }
    Ok(lines)
}
