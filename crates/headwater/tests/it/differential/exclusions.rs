//! What is left out of changelogs: where Java's result depends on when it flushes or compacts, or
//! where Java loses data, and we do something else on purpose. Nothing else is left out.
//!
//! Each rule names its line in `compat/deviations.md`.

use std::collections::HashMap;

use super::case::{Case, Commit, Compaction};
use super::policy::{Fate, Policy};

/// What is known of the records of a key.
#[derive(Debug, Default, Clone)]
struct History {
    /// Records since the last full compaction.
    since_full: usize,
    /// Records in the open commit.
    in_commit: usize,
    /// A -D that removes the row, since the last full compaction.
    removed: bool,
}

/// A rule: whether the next row, of this kind and with this history of its key, is left out.
type Rule = fn(&Policy<'_>, &str, &History) -> bool;

const RULES: &[Rule] = &[descending_in_one_flush, after_a_removal, update_before_comes_first];

/// `sequence.field.sort-order` = descending: in one flush Java keeps the larger value, across
/// files the smaller one.
fn descending_in_one_flush(policy: &Policy<'_>, _: &str, history: &History) -> bool {
    policy.descending && history.in_commit > 0
}

/// After a -D with a `remove-record-on-*` option: Java goes on with the values of the deleted row,
/// until a compaction drops it.
fn after_a_removal(policy: &Policy<'_>, _: &str, history: &History) -> bool {
    policy.removes() && history.removed
}

/// `partial-update.remove-record-on-delete`: a -U is ignored, but values of one that comes first
/// show where later rows have nulls.
fn update_before_comes_first(policy: &Policy<'_>, kind: &str, history: &History) -> bool {
    let plain = policy.engine == "partial-update" && policy.groups.is_empty();
    plain && kind == "-U" && history.in_commit == 0
}

/// The case without what is left out; the number of rows that went.
pub(super) fn apply(case: &mut Case) -> usize {
    let policy = Policy::of(case);
    let mut keys: HashMap<String, History> = HashMap::new();
    let mut kept: Vec<Vec<bool>> = Vec::new();
    for commit in &case.commits {
        kept.push(
            commit
                .rows
                .iter()
                .map(|row| {
                    let kind = policy.kind(row);
                    let history = keys.entry(policy.key(row)).or_default();
                    match policy.fate(kind) {
                        Fate::Ignored => return true,
                        Fate::Refused => return false,
                        Fate::Taken => {}
                    }
                    if RULES.iter().any(|rule| rule(&policy, kind, history)) {
                        return false;
                    }
                    history.since_full += 1;
                    history.in_commit += 1;
                    history.removed |= kind == "-D";
                    true
                })
                .collect(),
        );
        end(&mut keys, commit);
    }
    let mut gone = 0;
    for (commit, kept) in case.commits.iter_mut().zip(&kept) {
        let before = commit.rows.len();
        let mut kept = kept.iter();
        commit.rows.retain(|_| *kept.next().unwrap());
        gone += before - commit.rows.len();
    }
    case.commits.retain(|c| !c.rows.is_empty());
    gone
}

/// Notes the end of a commit.
fn end(keys: &mut HashMap<String, History>, commit: &Commit) {
    for history in keys.values_mut() {
        history.in_commit = 0;
    }
    if commit.compaction == Compaction::Full {
        keys.clear();
    }
}
