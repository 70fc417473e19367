//! What becomes of one table with one option: made, filled and read through a SQL session.

use std::path::{Path, PathBuf};

use futures::StreamExt;
use headwater_sql::{SqlError, SqlSession};

use crate::warehouse::{Warehouse, lines_of};

/// A table with or without a primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Keyed,
    Append,
}

/// What became of a table with an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything works and nothing was said.
    Acts,
    /// Everything works; this was said about the option.
    Kept(String),
    /// CREATE TABLE was refused.
    NotMade(String),
    /// Rows cannot be written.
    NotWritten(String),
    /// Rows cannot be read.
    NotRead(String),
}

pub(super) struct Probe {
    pub(super) warehouse: Warehouse,
    next: std::cell::Cell<usize>,
}

pub(super) type Options = Vec<(String, String)>;

impl Probe {
    pub(super) async fn new() -> Self {
        Self { warehouse: Warehouse::unsynced().await, next: std::cell::Cell::new(0) }
    }

    pub(super) fn session(&self) -> &SqlSession {
        &self.warehouse.session
    }

    /// A name that no table has.
    pub(super) fn name(&self) -> String {
        self.next.set(self.next.get() + 1);
        format!("t{}", self.next.get())
    }

    pub(super) fn dir(&self, table: &str) -> PathBuf {
        self.warehouse.dir.path().join("warehouse/default.db").join(table)
    }

    /// Runs a script: the lines of its results and all that was said.
    pub(super) async fn run(&self, script: &str) -> Result<(Vec<String>, Vec<String>), SqlError> {
        let (mut lines, mut said) = (Vec::new(), Vec::new());
        let mut results = self.session().run_script(script);
        while let Some(result) = results.next().await {
            let mut result = result?;
            said.append(&mut result.warnings);
            lines.extend(lines_of(result).await?);
        }
        Ok((lines, said))
    }

    /// Makes, fills and reads a table with the option.
    pub(super) async fn outcome(&self, kind: Kind, key: &str, options: &Options) -> Outcome {
        let table = self.name();
        let mut said = match self.run(&create(&table, kind, options)).await {
            Ok((_, said)) => said,
            Err(error) => return Outcome::NotMade(error.to_string()),
        };
        let insert = format!("INSERT INTO {table} VALUES (1, 'a', DATE '2024-01-01')");
        let mut refused = None;
        match self.run(&insert).await {
            Ok((_, more)) => said.extend(more),
            Err(error) => refused = Some(error.to_string()),
        }
        let rows = match self.run(&format!("SELECT k, v FROM {table}")).await {
            Ok((rows, more)) => {
                said.extend(more);
                rows
            }
            Err(error) => return Outcome::NotRead(error.to_string()),
        };
        if let Some(reason) = refused {
            return Outcome::NotWritten(reason);
        }
        let waits = |(k, v): &(String, String)| {
            k == "postpone.batch-write-fixed-bucket" && v.eq_ignore_ascii_case("false")
        };
        let shown: &[&str] =
            if kind == Kind::Keyed && options.iter().any(waits) { &[] } else { &["1|a"] };
        assert_eq!(rows, shown, "{key}: {options:?}");
        let about: Vec<String> = said.into_iter().filter(|s| s.contains(key)).collect();
        match about.as_slice() {
            [] => Outcome::Acts,
            _ => Outcome::Kept(about.join("\n")),
        }
    }
}

/// A partitioned table: `k`, `v`, `p`. Options may take the place of clauses.
pub(super) fn create(table: &str, kind: Kind, options: &Options) -> String {
    let has = |key: &str| options.iter().any(|(k, _)| k == key);
    let mut all = options.clone();
    let mut sql = format!("CREATE TABLE {table} (k INT, v STRING, p DATE");
    let moving = options.iter().any(|(key, _)| key.starts_with("cross-partition-upsert."));
    if kind == Kind::Keyed && !has("primary-key") {
        let key = if moving { "k" } else { "k, p" };
        sql.push_str(&format!(", PRIMARY KEY ({key}) NOT ENFORCED"));
    }
    sql.push(')');
    if !has("partition") {
        sql.push_str(" PARTITIONED BY (p)");
    }
    let buckets = kind == Kind::Keyed || has("bucket-key") || has("primary-key");
    let dynamic =
        |key: &str| key.starts_with("dynamic-bucket.") || key.starts_with("index-file-in-");
    let dynamic = kind == Kind::Keyed && (moving || options.iter().any(|(key, _)| dynamic(key)));
    let postponed =
        kind == Kind::Keyed && options.iter().any(|(key, _)| key.starts_with("postpone."));
    if buckets && !dynamic && !has("bucket") {
        let count = if postponed { "-2" } else { "2" };
        all.push(("bucket".into(), count.into()));
    }
    let appends = kind == Kind::Append && !has("bucket-key") && !has("primary-key");
    if appends && options.iter().any(|(k, v)| k == "bucket" && !v.starts_with('-')) {
        all.push(("bucket-key".into(), "k".into()));
    }
    let pairs: Vec<String> =
        all.iter().map(|(k, v)| format!("'{k}' = '{}'", v.replace('\'', "''"))).collect();
    if !pairs.is_empty() {
        sql.push_str(&format!(" WITH ({})", pairs.join(", ")));
    }
    sql
}

/// All files below a directory, relative.
pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(dir).unwrap().to_path_buf());
            }
        }
    }
    found.sort();
    found
}
