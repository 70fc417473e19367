//! What a run of many seeds tried, as text.

use std::collections::BTreeMap;

use super::case::{Case, Compaction};
use super::play::Played;
use super::policy::{Fate, KINDS, Policy};

/// Sums over cases.
#[derive(Debug, Default)]
pub(super) struct Report {
    cases: usize,
    commits: usize,
    compactions: usize,
    rows_written: usize,
    rows_left_out: usize,
    comparisons: usize,
    refusals: usize,
    empty: usize,
    undivided: usize,
    features: BTreeMap<String, usize>,
    functions: BTreeMap<String, usize>,
}

impl Report {
    /// Notes a case that was made up.
    pub(super) fn add(&mut self, case: &Case, left_out: usize, played: &Played) {
        self.cases += 1;
        self.commits += case.commits.len();
        let compacted = |c: &&super::case::Commit| c.compaction != Compaction::None;
        self.compactions += case.commits.iter().filter(compacted).count();
        self.rows_left_out += left_out;
        self.rows_written += played.rows_written;
        self.comparisons += played.comparisons;
        self.refusals += played.refusals;
        self.empty += usize::from(played.rows_left == 0);
        self.undivided += usize::from(played.undivided);
        for feature in features(case) {
            *self.features.entry(feature).or_default() += 1;
        }
        let policy = Policy::of(case);
        let keys = case.names("pk");
        for column in case.columns().into_iter().filter(|c| !keys.contains(c)) {
            if let Some(function) = policy.function(column) {
                let mut name = function.to_owned();
                if KINDS.iter().any(|k| k.starts_with('-') && policy.fate(k) == Fate::Taken) {
                    name += ", retracted";
                }
                *self.functions.entry(name).or_default() += 1;
            }
        }
    }

    /// How many cases have a feature.
    pub(super) fn cases_with(&self, feature: &str) -> usize {
        self.features.get(feature).copied().unwrap_or_default()
    }

    /// How many columns have a function.
    pub(super) fn columns_with(&self, function: &str) -> usize {
        self.functions
            .iter()
            .filter(|(f, _)| f.split(',').next() == Some(function))
            .map(|f| f.1)
            .sum()
    }

    /// The report as a page's section.
    pub(super) fn text(&self) -> String {
        let table = |counts: &BTreeMap<String, usize>, head: &str| {
            let rows: String = counts.iter().map(|(k, v)| format!("| {k} | {v} |\n")).collect();
            format!("| {head} | |\n|---|---|\n{rows}")
        };
        format!(
            "{} tables, {} commits of {} rows ({} more left out), {} compactions by Java, {} times \
             four reads compared, {} refusals checked. {} tables are empty at the end, {} end early with a \
             quotient that neither engine can make.\n\n{}\n{}",
            self.cases,
            self.commits,
            self.rows_written,
            self.rows_left_out,
            self.compactions,
            self.comparisons,
            self.refusals,
            self.empty,
            self.undivided,
            table(&self.features, "tables with"),
            table(&self.functions, "columns with"),
        )
    }
}

/// What is special about a case.
fn features(case: &Case) -> Vec<String> {
    let policy = Policy::of(case);
    let mut found = vec![format!("merge-engine = {}", policy.engine)];
    let groups = policy.groups.len();
    if groups > 0 {
        found.push(format!("{groups} sequence groups"));
    }
    if policy.groups.iter().any(|g| g.0.len() > 1) {
        found.push("a sequence group of several fields".to_owned());
    }
    if !policy.sequence.is_empty() {
        let order = if policy.descending { ", descending" } else { "" };
        found.push(format!("sequence.field of {}{order}", policy.sequence.len()));
    }
    if policy.ignores_deletes() {
        found.push("ignore-delete".to_owned());
    }
    let options = case.schema["options"].as_object().into_iter().flatten();
    for (key, _) in options {
        if key == "ignore-update-before"
            || key == "rowkind.field"
            || key.contains("remove-record")
            || key == "fields.default-aggregate-function"
        {
            found.push(key.clone());
        } else if let Some((_, option)) =
            key.strip_prefix("fields.").and_then(|k| k.rsplit_once('.'))
            && !matches!(option, "sequence-group" | "aggregate-function")
        {
            found.push(format!("fields.*.{option}"));
        }
    }
    if !case.names("partition").is_empty() {
        found.push("partitions".to_owned());
    }
    if case.names("pk").len() > 1 + case.names("partition").len() {
        found.push("a key of two columns".to_owned());
    }
    found.sort();
    found.dedup();
    found
}
