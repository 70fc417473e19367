//! What a table's options say about row kinds, functions and comparisons.

use std::collections::BTreeSet;

use serde_json::Value;

use super::case::{Case, Compaction};
use super::functions::retracts;

/// The row kinds.
pub(super) const KINDS: [&str; 4] = ["+I", "-U", "+U", "-D"];

/// What becomes of rows of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Taken,
    /// Dropped by the writer.
    Ignored,
    /// We refuse them where Java loses data or fails later: `compat/deviations.md`.
    Refused,
}

/// What follows from the options of a case.
#[derive(Debug)]
pub(super) struct Policy<'a> {
    case: &'a Case,
    pub(super) engine: &'a str,
    /// Sequence fields of the table.
    pub(super) sequence: Vec<&'a str>,
    pub(super) descending: bool,
    /// Sequence groups: sequence fields and columns.
    pub(super) groups: Vec<(Vec<&'a str>, Vec<&'a str>)>,
}

fn listed(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).collect()
}

impl<'a> Policy<'a> {
    pub(super) fn of(case: &'a Case) -> Self {
        let options = case.schema["options"].as_object().into_iter().flatten();
        let groups = options.filter_map(|(key, value)| {
            let fields = key.strip_prefix("fields.")?.strip_suffix(".sequence-group")?;
            Some((listed(fields), listed(value.as_str()?)))
        });
        Self {
            case,
            engine: case.option("merge-engine").unwrap_or("deduplicate"),
            sequence: case.option("sequence.field").map(listed).unwrap_or_default(),
            descending: case.option("sequence.field.sort-order") == Some("descending"),
            groups: groups.collect(),
        }
    }

    fn of_column(&self, column: &str, option: &str) -> Option<&'a str> {
        self.case.option(&format!("fields.{column}.{option}"))
    }

    /// The aggregate function of a column.
    pub(super) fn function(&self, column: &str) -> Option<&'a str> {
        let given = || {
            let own = self.of_column(column, "aggregate-function");
            own.or_else(|| self.case.option("fields.default-aggregate-function"))
        };
        let is_key = self.case.names("pk").contains(&column);
        match self.engine {
            "aggregation" if self.sequence.contains(&column) => Some("last_value"),
            "aggregation" if is_key => Some("primary-key"),
            "aggregation" => given().or(Some("last_non_null_value")),
            "partial-update" if self.groups.iter().any(|g| g.0.contains(&column)) => None,
            "partial-update" if is_key => Some("primary-key"),
            "partial-update" => given(),
            _ => None,
        }
    }

    /// Whether every function takes values back, or has its column left as it is.
    fn all_retract(&self) -> bool {
        self.case.columns().iter().all(|column| {
            self.function(column).is_none_or(retracts)
                || self.of_column(column, "ignore-retract") == Some("true")
        })
    }

    pub(super) fn ignores_deletes(&self) -> bool {
        ["", "first-row.", "deduplicate.", "partial-update."]
            .iter()
            .any(|prefix| self.case.is_true(&format!("{prefix}ignore-delete")))
    }

    /// Whether -D removes the whole row of an engine that otherwise keeps rows.
    pub(super) fn removes(&self) -> bool {
        self.case.is_true("partial-update.remove-record-on-delete")
            || self.case.is_true("aggregation.remove-record-on-delete")
            || self.case.option("partial-update.remove-record-on-sequence-group").is_some()
    }

    /// What becomes of rows of a kind.
    pub(super) fn fate(&self, kind: &str) -> Fate {
        if kind.starts_with('+') {
            return Fate::Taken;
        }
        if self.ignores_deletes() || kind == "-U" && self.case.is_true("ignore-update-before") {
            return Fate::Ignored;
        }
        let taken = match self.engine {
            "deduplicate" => true,
            "partial-update" if self.groups.is_empty() => self.removes(),
            "partial-update" => self.all_retract(),
            "aggregation" => kind == "-D" && self.removes() || self.all_retract(),
            _ => false,
        };
        if taken { Fate::Taken } else { Fate::Refused }
    }

    /// The kind of a row, which may stand in a column.
    pub(super) fn kind(&self, row: &Value) -> &'static str {
        let text = match self.case.option("rowkind.field") {
            Some(column) => &row["row"][column],
            None => &row["kind"],
        };
        let text = text.as_str().unwrap();
        KINDS.into_iter().find(|k| k.eq_ignore_ascii_case(text)).unwrap()
    }

    /// The key of a row.
    pub(super) fn key(&self, row: &Value) -> String {
        self.case.names("pk").iter().map(|k| format!("{};", row["row"][k])).collect()
    }

    /// Columns whose arrays have the order of a hash map in Java.
    pub(super) fn unordered(&self) -> BTreeSet<&'a str> {
        let is_unordered = |column: &&str| match self.function(column) {
            Some("collect") => self.of_column(column, "distinct") == Some("true"),
            Some("nested_update" | "nested_partial_update") => {
                self.of_column(column, "nested-key").is_some()
            }
            _ => false,
        };
        self.case.columns().into_iter().filter(is_unordered).collect()
    }

    /// Whether an array has both `nested-key` and `count-limit`.
    pub(super) fn limits_keyed_arrays(&self) -> bool {
        let has = |column: &&str, option| self.of_column(column, option).is_some();
        let columns = self.case.columns();
        columns.iter().any(|c| has(c, "nested-key") && has(c, "count-limit"))
    }

    /// Whether it matters which files a compaction picks, which depends on their sizes: then both
    /// tables are no longer comparable after one that is not full.
    pub(super) fn depends_on_picks(&self) -> bool {
        let any = |found: fn(&str) -> bool| {
            self.case.columns().iter().any(|c| self.function(c).is_some_and(found))
        };
        let retracted = ["-U", "-D"].iter().any(|k| self.fate(k) == Fate::Taken)
            && self.engine != "deduplicate";
        // Sums of floats depend on the order, functions of groups on which values are older.
        retracted
            || any(|f| matches!(f, "sum" | "product"))
            || !self.groups.is_empty() && any(|f| f != "primary-key")
    }

    /// Commits after which the contents of both tables are the same.
    pub(super) fn comparable(&self) -> Vec<bool> {
        let mut apart = false;
        let depends = self.depends_on_picks();
        let commits = self.case.commits.iter();
        commits
            .map(|commit| {
                apart |= depends && commit.compaction == Compaction::Picked;
                !apart
            })
            .collect()
    }
}
