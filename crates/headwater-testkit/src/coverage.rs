//! `compat/coverage.toml`: which reads of which golden table pass, and what the others wait for.
//!
//! A small part of TOML: a table per golden table, a line `"file" = "pass"` or
//! `"file" = "waiting: reason"` per read. [`problems`] holds a run against it;
//! `cargo run -p headwater-testkit --example coverage` prints the file with new reads added.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use crate::files::list_files;
use crate::fixtures::{Golden, golden_tables, repository_root};

/// What is known of one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The rows are those that Java read.
    Pass,
    /// Not yet, and why.
    Waiting(String),
}

/// Golden table and read file, for example `("append_a", "latest.jsonl")`.
pub type Read = (String, String);

/// The state of every read, in the order of the file.
pub type Coverage = BTreeMap<Read, State>;

/// Where the list is kept.
pub fn path() -> PathBuf {
    repository_root().join("compat/coverage.toml")
}

/// The list as it is kept.
pub fn load() -> Coverage {
    let text = fs::read_to_string(path()).unwrap_or_else(|e| panic!("{}: {e}", path().display()));
    parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path().display()))
}

/// Replaces the list.
pub fn save(coverage: &Coverage) {
    fs::write(path(), render(coverage)).unwrap_or_else(|e| panic!("{}: {e}", path().display()));
}

/// Reads the text of a list.
///
/// # Errors
/// The number of a line that is not understood, or lists a read again.
pub fn parse(text: &str) -> Result<Coverage, String> {
    let mut coverage = Coverage::new();
    let mut table = "";
    for (number, line) in text.lines().enumerate().map(|(i, l)| (i + 1, l.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            table = name;
            continue;
        }
        let bad = || format!("line {number} is not `\"file\" = \"state\"`: {line}");
        let (file, state) = line.split_once('=').ok_or_else(bad)?;
        let file = unquoted(file).ok_or_else(bad)?;
        let state = match unquoted(state).ok_or_else(bad)? {
            "pass" => State::Pass,
            other => match other.strip_prefix("waiting: ") {
                Some(reason) if !reason.is_empty() => State::Waiting(reason.to_owned()),
                _ => return Err(bad()),
            },
        };
        if coverage.insert((table.to_owned(), file.to_owned()), state).is_some() {
            return Err(format!("line {number} lists {table}/{file} again"));
        }
    }
    Ok(coverage)
}

fn unquoted(text: &str) -> Option<&str> {
    text.trim().strip_prefix('"')?.strip_suffix('"')
}

/// The text of a list.
pub fn render(coverage: &Coverage) -> String {
    let mut text = String::from(
        "# Every golden table and every read of it: \"pass\", or \"waiting: reason\".\n\
         # An unlisted read fails the test, and so does a waiting one that passes.\n",
    );
    let mut last = "";
    for ((table, file), state) in coverage {
        if table != last {
            let _ = write!(text, "\n[{table}]\n");
            last = table;
        }
        let _ = match state {
            State::Pass => writeln!(text, "\"{file}\" = \"pass\""),
            State::Waiting(reason) => writeln!(text, "\"{file}\" = \"waiting: {reason}\""),
        };
    }
    text
}

/// All reads that the golden tables have.
pub fn reads() -> Vec<Read> {
    let tables = golden_tables();
    let reads = tables
        .iter()
        .flat_map(|t| t.reads().into_iter().map(move |(file, _)| (t.name.clone(), file)));
    reads.collect()
}

/// Differences between the list and the golden tables: reads without a line, lines without a read.
pub fn unlisted(coverage: &Coverage) -> Vec<String> {
    let reads = reads();
    let missing = reads.iter().filter(|r| !coverage.contains_key(r));
    let stale = coverage.keys().filter(|r| !reads.contains(r));
    let missing = missing.map(|(t, f)| format!("{t}/{f} is not listed"));
    missing
        .chain(stale.map(|(t, f)| format!("{t}/{f} is listed, but there is no such read")))
        .collect()
}

/// Tries every listed read and returns what contradicts the list; empty when all is as listed.
///
/// `attempt` reads the table and compares; its error says how it failed. A read that waits must
/// fail: one that passes belongs to the passing ones.
pub fn problems(attempt: impl Fn(&Golden, &str) -> Result<(), String>) -> Vec<String> {
    let coverage = load();
    let mut problems = unlisted(&coverage);
    for table in golden_tables() {
        for (file, _) in table.reads() {
            let key = (table.name.clone(), file);
            let Some(state) = coverage.get(&key) else { continue };
            match (state, attempt(&table, &key.1)) {
                (State::Pass, Err(reason)) => {
                    problems.push(format!("{}/{} fails: {reason}", key.0, key.1));
                }
                (State::Waiting(reason), Ok(())) => {
                    problems.push(format!("{}/{} passes, but waits for: {reason}", key.0, key.1))
                }
                _ => {}
            }
        }
    }
    problems
}

/// What a read needs besides plain tables in Parquet and Avro; `None` when nothing.
pub fn needs(table: &Golden, file: &str) -> Option<String> {
    let by_read = [
        ("stream", "stream reads"),
        ("incremental", "incremental reads"),
        ("tag-", "reads of tags"),
        ("branch-", "reads of branches"),
        ("audit_log", "system table audit_log"),
        ("row_tracking", "system table row_tracking"),
        ("statistics", "table statistics"),
    ];
    if let Some((_, reason)) = by_read.iter().find(|(prefix, _)| file.starts_with(prefix)) {
        return Some((*reason).to_owned());
    }
    let by_option = [
        ("deletion-vectors.enabled", "deletion vectors"),
        ("data-evolution.enabled", "data evolution"),
    ];
    if let Some((_, reason)) = by_option.iter().find(|(key, _)| table.option(key).is_some()) {
        return Some((*reason).to_owned());
    }
    if let Some(format) = table.option("manifest.format").filter(|f| *f != "avro") {
        return Some(format!("manifests in {format}"));
    }
    if table.meta["fields"].to_string().contains("VARIANT") {
        return Some("type VARIANT".to_owned());
    }
    let files = list_files(&table.dir);
    let orc = files.iter().any(|f| f.contains("bucket-") && f.ends_with(".orc"));
    orc.then(|| "orc data files".to_owned())
}

/// The list with every read: those of `known` as they stand, new ones by [`needs`].
pub fn completed(known: &Coverage) -> Coverage {
    let mut coverage = Coverage::new();
    for table in golden_tables() {
        for (file, _) in table.reads() {
            let key = (table.name.clone(), file);
            let state = known
                .get(&key)
                .cloned()
                .unwrap_or_else(|| needs(&table, &key.1).map_or(State::Pass, State::Waiting));
            coverage.insert(key, state);
        }
    }
    coverage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_every_read_and_nothing_else() {
        assert_eq!(unlisted(&load()), Vec::<String>::new());
    }

    #[test]
    fn a_list_written_out_reads_the_same() {
        let coverage = load();
        assert_eq!(parse(&render(&coverage)), Ok(coverage));
    }

    #[test]
    fn a_state_without_reason_or_a_second_line_is_refused() {
        assert!(parse("[t]\n\"a\" = \"waiting: \"").is_err());
        assert!(parse("[t]\n\"a\" = \"passes\"").is_err());
        assert!(parse("[t]\n\"a\" = \"pass\"\n\"a\" = \"pass\"").is_err());
    }

    #[test]
    fn a_waiting_read_that_passes_is_a_problem_and_so_is_a_failing_one() {
        let all_pass = problems(|_, _| Ok(()));
        let all_fail = problems(|_, _| Err("no".to_owned()));
        assert_eq!(all_pass.len() + all_fail.len(), load().len());
    }
}
