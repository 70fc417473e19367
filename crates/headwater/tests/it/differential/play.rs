//! Plays a case in both engines and compares what each reads of both tables.

use std::path::{Path, PathBuf};

use headwater::{CatalogOptions, Error, Table};
use headwater_testkit::{Oracle, TempDir};
use serde_json::{Value, json};

use super::case::{Case, Commit, Compaction, Engine};
use super::narrow;
use super::policy::{Fate, KINDS, Policy};
use crate::rows::{batch, create_with, definition, lines, open_unsynced, run};

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Java refuses what the generator made: its fault, or an exclusion is missing.
    Java(String),
    /// We refuse or fail.
    We(String),
    /// Two reads differ.
    Rows(String),
    /// Java's check, a narrow read, or a refusal that does not come.
    Other(String),
    /// Nothing: a quotient that has no value ends the table in both engines.
    BothFail(String),
}

impl Wrong {
    /// Whether both are wrong in the same way: for errors, with the same words.
    pub(super) fn same_sort(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Java(one), Self::Java(other)) | (Self::We(one), Self::We(other)) => {
                words(one) == words(other)
            }
            (Self::Rows(_), Self::Rows(_)) => true,
            (Self::Other(one), Self::Other(other)) => {
                one.split(':').next() == other.split(':').next()
            }
            _ => false,
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Java(text) => format!("Java: {text}"),
            Self::We(text) => format!("we: {text}"),
            Self::Rows(text) | Self::Other(text) | Self::BothFail(text) => text.clone(),
        }
    }
}

/// A message without the places, names and numbers in it.
fn words(message: &str) -> Vec<&str> {
    let plain = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase());
    message.split(' ').filter(plain).collect()
}

/// What a case tried, for the report.
#[derive(Debug, Default, Clone)]
pub(super) struct Played {
    pub(super) rows_written: usize,
    /// Rows of the last comparison.
    pub(super) rows_left: usize,
    pub(super) comparisons: usize,
    pub(super) refusals: usize,
    /// The table ended early: both engines failed to divide.
    pub(super) undivided: bool,
}

/// Both tables of a case.
struct Play<'a> {
    case: &'a Case,
    policy: Policy<'a>,
    oracle: &'static Oracle,
    java: PathBuf,
    ours: PathBuf,
    table: Table,
    played: Played,
}

/// Plays a case from its first commit to Java's check of our table.
pub(super) fn play(case: &Case, oracle: &'static Oracle) -> Result<Played, Wrong> {
    let (java, ours) = (TempDir::new(), TempDir::new());
    let mut dirs = Vec::new();
    for (warehouse, maker) in [&java, &ours].into_iter().zip(case.makers) {
        make(case, oracle, warehouse.path(), maker)?;
        dirs.push(warehouse.join("golden.db/t"));
    }
    let table = open_unsynced(&dirs[1]);
    if let Some(reason) = table.write_refusal() {
        return Err(Wrong::We(reason.to_owned()));
    }
    let policy = Policy::of(case);
    let comparable = policy.comparable();
    let mut play = Play {
        case,
        policy,
        oracle,
        ours: dirs.remove(1),
        java: dirs.remove(0),
        table,
        played: Played::default(),
    };
    for (number, (commit, comparable)) in case.commits.iter().zip(comparable).enumerate() {
        match play.turn(number, commit, comparable) {
            Ok(()) => {}
            Err(Wrong::BothFail(_)) => {
                play.played.undivided = true;
                return Ok(play.played);
            }
            Err(wrong) => return Err(wrong.at(&format!("commit {}", number + 1))),
        }
    }
    play.end()
}

/// Whether Java failed to divide: by zero, or decimals whose quotient does not end.
fn is_undivided(message: &str) -> bool {
    message.contains("ArithmeticException")
}

impl Wrong {
    fn at(self, place: &str) -> Self {
        let with = |text: String| format!("{place}: {text}");
        match self {
            Self::Java(text) => Self::Java(with(text)),
            Self::We(text) => Self::We(with(text)),
            Self::Rows(text) => Self::Rows(with(text)),
            Self::Other(text) => Self::Other(with(text)),
            Self::BothFail(text) => Self::BothFail(with(text)),
        }
    }
}

fn make(case: &Case, oracle: &Oracle, warehouse: &Path, maker: Engine) -> Result<(), Wrong> {
    match maker {
        Engine::Java => {
            let mut command = case.schema.clone();
            command["op"] = json!("create");
            let dir = warehouse.join("golden.db/t");
            let done = oracle.apply(&dir, &command);
            done.map(drop).map_err(|e| Wrong::Java(format!("create: {e}")))
        }
        Engine::We => {
            let options = CatalogOptions { create: true, sync: headwater::SyncMode::Off };
            let made = run(create_with(warehouse, "t", &definition(&case.schema), options));
            made.map(drop).map_err(|e| Wrong::We(format!("create: {e}")))
        }
    }
}

impl Play<'_> {
    /// A commit, a compaction perhaps, and what both engines read after each.
    fn turn(&mut self, number: usize, commit: &Commit, comparable: bool) -> Result<(), Wrong> {
        self.commit(number, commit)?;
        self.compare(comparable)?;
        if commit.compaction == Compaction::None {
            return Ok(());
        }
        let at = |wrong: Wrong| wrong.at(&format!("compaction {:?}", commit.compaction));
        self.compact(commit.compaction, commit.by).map_err(at)?;
        self.compare(comparable).map_err(at)
    }

    fn commit(&mut self, number: usize, commit: &Commit) -> Result<(), Wrong> {
        self.played.rows_written += commit.rows.len();
        if !commit.alter.is_empty() {
            let command = json!({ "op": "alter", "changes": commit.alter });
            self.in_java(&self.java, &command)?;
            self.in_java(&self.ours, &command)?;
            self.table = open_unsynced(&self.ours);
        }
        let by_java = json!({ "op": "commit", "rows": commit.rows });
        let id = i64::try_from(number).unwrap();
        let by_us = || run(write(&self.table, id, &commit.rows, commit.batches));
        match (self.in_java(&self.java, &by_java), commit.by) {
            (Err(Wrong::Java(text)), _) if is_undivided(&text) && by_us().is_err() => {
                Err(Wrong::BothFail(text))
            }
            (Err(wrong), _) => Err(wrong),
            (Ok(()), Engine::Java) => self.in_java(&self.ours, &by_java),
            (Ok(()), Engine::We) => by_us().map_err(|e| Wrong::We(format!("write: {e}"))),
        }
    }

    /// Java compacts its table; ours is compacted by whoever wrote to it, if we can.
    fn compact(&self, what: Compaction, by: Engine) -> Result<(), Wrong> {
        let full = what == Compaction::Full;
        let command = json!({ "op": "compact", "full": full });
        let in_java = |table: &Path| {
            self.in_java(table, &command).map_err(|wrong| match wrong {
                Wrong::Java(text) if is_undivided(&text) => Wrong::BothFail(text),
                other => other,
            })
        };
        in_java(&self.java)?;
        if by == Engine::Java || self.table.compaction_refusal().is_some() {
            return in_java(&self.ours);
        }
        let done = run(self.table.new_compaction().full(full).commit_user("we").run());
        done.map(drop).map_err(|e| Wrong::We(format!("compaction: {e}")))
    }

    fn in_java(&self, table: &Path, command: &Value) -> Result<(), Wrong> {
        let done = self.oracle.apply(table, command);
        done.map(drop).map_err(|e| Wrong::Java(format!("{}: {e}", command["op"])))
    }

    fn java_reads(&self, table: &Path) -> Result<Vec<String>, Wrong> {
        let reply = self.oracle.apply(table, &json!({ "op": "read" }));
        let reply = reply.map_err(|e| match run(lines(&open_unsynced(table))) {
            Err(_) if is_undivided(&e) => Wrong::BothFail(e),
            _ => Wrong::Java(format!("read: {e}")),
        })?;
        let rows = reply["rows"].as_array().unwrap();
        Ok(normal(&self.policy, rows.iter().map(|r| r.as_str().unwrap().to_owned()).collect()))
    }

    fn we_read(&self, table: &Table, which: &str) -> Result<Vec<String>, Wrong> {
        let rows = run(lines(table)).map_err(|e| Wrong::We(format!("read of {which}: {e}")))?;
        Ok(normal(&self.policy, rows))
    }

    /// All four reads are equal; when the tables are not comparable, the two of each.
    fn compare(&mut self, comparable: bool) -> Result<(), Wrong> {
        self.played.comparisons += 1;
        let java_java = self.java_reads(&self.java)?;
        let ours_java = self.java_reads(&self.ours)?;
        let ours_ours = self.we_read(&self.table, "our table")?;
        // Java wrote it since we opened it last.
        let java_ours = self.we_read(&open_unsynced(&self.java), "Java's table")?;
        self.played.rows_left = ours_ours.len();
        same("Java's table by Java", &java_java, "Java's table by us", &java_ours)?;
        same("our table by Java", &ours_java, "our table by us", &ours_ours)?;
        if comparable {
            same("Java's table by Java", &java_java, "our table by Java", &ours_java)?;
        }
        Ok(())
    }

    /// Java's check, narrow reads and refusals.
    fn end(mut self) -> Result<Played, Wrong> {
        let check = self.oracle.apply(&self.ours, &json!({ "op": "check" }));
        let check = check.map_err(|e| Wrong::Java(format!("check: {e}")))?;
        if check["problems"].as_array().is_none_or(|p| !p.is_empty()) {
            return Err(Wrong::Other(format!("Java's check: {:#}", check["problems"])));
        }
        run(narrow::check(&self.table, self.played.rows_written)).map_err(Wrong::Other)?;
        self.refusals()?;
        Ok(self.played)
    }

    /// Rows of kinds that we refuse are refused, and leave nothing behind.
    fn refusals(&mut self) -> Result<(), Wrong> {
        if self.case.is_altered() {
            return Ok(());
        }
        let Some(row) = self.case.commits.iter().flat_map(|c| &c.rows).next() else {
            return Ok(());
        };
        for kind in KINDS.into_iter().filter(|k| self.policy.fate(k) == Fate::Refused) {
            let mut row = row.clone();
            match self.case.option("rowkind.field") {
                Some(column) => row["row"][column] = json!(kind),
                None => row["kind"] = json!(kind),
            }
            let before = self.we_read(&self.table, "our table")?;
            if run(write(&self.table, i64::MAX, &[row], 1)).is_ok() {
                return Err(Wrong::Other(format!("{kind} should be refused")));
            }
            same("before", &before, "after", &self.we_read(&self.table, "our table")?)?;
            self.played.refusals += 1;
        }
        Ok(())
    }
}

/// The lines, with arrays whose order is Java's hash map's in an order of their own.
pub(super) fn normal(policy: &Policy<'_>, mut lines: Vec<String>) -> Vec<String> {
    let unordered = policy.unordered();
    if unordered.is_empty() {
        return lines;
    }
    for line in &mut lines {
        let mut row: Value = serde_json::from_str(line).unwrap();
        for column in &unordered {
            if let Value::Array(elements) = &mut row["row"][column] {
                elements.sort_by_key(Value::to_string);
            }
        }
        *line = row.to_string();
    }
    lines.sort();
    lines
}

/// One commit of ours, in batches of about the same size.
pub(super) async fn write(
    table: &Table,
    id: i64,
    rows: &[Value],
    batches: usize,
) -> Result<(), Error> {
    let mut write = table.new_write().commit_user("we").build()?;
    for rows in rows.chunks(rows.len().div_ceil(batches).max(1)) {
        let (batch, kinds) = batch(table, rows);
        write.write_kinds(&batch, Some(&kinds)).await?;
    }
    write.commit(id).await.map(drop)
}

fn same(one: &str, rows: &[String], other: &str, others: &[String]) -> Result<(), Wrong> {
    if rows == others {
        return Ok(());
    }
    let only = |of: &[String], not: &[String]| {
        let lines: Vec<&str> = of.iter().filter(|l| !not.contains(l)).map(String::as_str).collect();
        lines.join("\n      ")
    };
    Err(Wrong::Rows(format!(
        "{} rows of {one}, {} of {other}\n  only {one}:\n      {}\n  only {other}:\n      {}",
        rows.len(),
        others.len(),
        only(rows, others),
        only(others, rows)
    )))
}
