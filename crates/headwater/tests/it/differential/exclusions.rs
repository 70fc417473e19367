//! What is left out of changelogs: where Java loses data and we do something else on purpose.
//!
//! Nothing is left out of what depends on flushes and compactions
//! (`compat/deviations.md#merging-what-depends-on-when-records-meet`): both engines flush and
//! compact at the same moments here, and the same files must give the same rows.

use std::collections::HashSet;

use super::case::Case;
use super::policy::{Fate, Policy};

/// What a commit has already.
type Keys = HashSet<String>;

/// A rule: whether a row of this key is left out of a commit that has rows of `keys`.
type Rule = fn(&Policy<'_>, key: &str, keys: &Keys) -> bool;

const RULES: &[Rule] = &[descending_in_one_flush, limited_arrays_merged_in_a_flush];

/// `sequence.field.sort-order` = `descending`: in one flush Java keeps the largest value, across
/// files the smallest; we the smallest everywhere (`compat/deviations.md#writing`).
fn descending_in_one_flush(policy: &Policy<'_>, key: &str, keys: &Keys) -> bool {
    policy.descending && keys.contains(key)
}

/// `nested_update` with `nested-key` and `count-limit`: after a merge Java's array has the order of
/// a hash map, and so it depends on that which of its rows another array takes
/// (`compat/deviations.md#reading`).
fn limited_arrays_merged_in_a_flush(policy: &Policy<'_>, key: &str, keys: &Keys) -> bool {
    policy.limits_keyed_arrays() && keys.contains(key)
}

/// The case without what is left out; the number of rows that went.
pub(super) fn apply(case: &mut Case) -> usize {
    let mut gone = 0;
    let mut commits = std::mem::take(&mut case.commits);
    let policy = Policy::of(case);
    for commit in &mut commits {
        let before = commit.rows.len();
        let mut keys = Keys::new();
        commit.rows.retain(|row| {
            let fate = policy.fate(policy.kind(row));
            let key = policy.key(row);
            let stays = match fate {
                Fate::Taken => !RULES.iter().any(|rule| rule(&policy, &key, &keys)),
                Fate::Ignored => true,
                // Only in cases that were made smaller: their options may be gone.
                Fate::Refused => false,
            };
            if stays && fate == Fate::Taken {
                keys.insert(key);
            }
            stays
        });
        gone += before - commit.rows.len();
    }
    commits.retain(|c| !c.rows.is_empty() || !c.alter.is_empty());
    case.commits = commits;
    gone
}
