//! Makes a failing case smaller, as long as it fails in the same way.

use super::case::{Case, Compaction, Engine};
use super::exclusions;
use super::play::Wrong;

/// The smallest case found, and what is wrong with it; at most `tries` cases are played.
pub(super) fn shrink(
    case: &Case,
    wrong: &Wrong,
    tries: usize,
    mut play: impl FnMut(&Case) -> Result<(), Wrong>,
) -> (Case, Wrong) {
    let (mut best, mut reason) = (case.clone(), wrong.clone());
    let mut left = tries;
    loop {
        let mut smaller = false;
        // From the end, so that positions before a removed part stay what they are.
        for step in steps(&best).into_iter().rev() {
            if left == 0 {
                return (best, reason);
            }
            let mut next = best.clone();
            if !step.take(&mut next) {
                continue;
            }
            exclusions::apply(&mut next);
            left -= 1;
            if let Err(found) = play(&next)
                && found.same_sort(wrong)
            {
                (best, reason, smaller) = (next, found, true);
            }
        }
        if !smaller {
            return (best, reason);
        }
    }
}

/// Something that can be left off.
#[derive(Debug)]
enum Step {
    Row(usize, usize),
    Compaction(usize),
    Batches(usize),
    Turns(usize),
    Alter(usize),
    Column(String),
    Option(String),
    Commit(usize),
    SecondHalf(usize),
    OneBucket,
    Makers,
}

/// The steps, those that help most last.
fn steps(case: &Case) -> Vec<Step> {
    let mut steps = vec![Step::Makers, Step::OneBucket];
    let options = case.schema["options"].as_object().into_iter().flatten();
    steps.extend(options.filter(|(k, _)| may_go(k)).map(|(k, _)| Step::Option(k.clone())));
    for (number, commit) in case.commits.iter().enumerate() {
        steps.extend([Step::Batches(number), Step::Turns(number), Step::Alter(number)]);
        steps.push(Step::Compaction(number));
        steps.extend((0..commit.rows.len()).map(|row| Step::Row(number, row)));
        steps.push(Step::SecondHalf(number));
    }
    steps.extend(case.columns().into_iter().map(|c| Step::Column(c.to_owned())));
    steps.extend((0..case.commits.len()).map(Step::Commit));
    steps
}

/// Options without which the table is still one of its kind.
fn may_go(key: &str) -> bool {
    !matches!(key, "bucket" | "write-only" | "merge-engine") && !key.starts_with("fields.")
        || key.ends_with(".ignore-retract")
        || key.ends_with(".distinct")
        || key.ends_with(".count-limit")
}

impl Step {
    /// Does it; whether there was something to do.
    fn take(&self, case: &mut Case) -> bool {
        match self {
            Self::Commit(number) => {
                let there = *number < case.commits.len() && case.commits.len() > 1;
                if there {
                    let gone = case.commits.remove(*number);
                    if let Some(next) = case.commits.get_mut(*number) {
                        next.alter.splice(0..0, gone.alter);
                    }
                }
                there
            }
            Self::SecondHalf(number) => {
                let Some(commit) = case.commits.get_mut(*number) else { return false };
                let half = commit.rows.len().div_ceil(2);
                let there = half < commit.rows.len();
                commit.rows.truncate(half);
                there
            }
            Self::Row(number, row) => {
                let Some(commit) = case.commits.get_mut(*number) else { return false };
                let there = *row < commit.rows.len();
                if there {
                    commit.rows.remove(*row);
                }
                there
            }
            Self::Compaction(number) => case.commits.get_mut(*number).is_some_and(|commit| {
                std::mem::replace(&mut commit.compaction, Compaction::None) != Compaction::None
            }),
            Self::Batches(number) => case
                .commits
                .get_mut(*number)
                .is_some_and(|commit| std::mem::replace(&mut commit.batches, 1) != 1),
            Self::Turns(number) => case
                .commits
                .get_mut(*number)
                .is_some_and(|commit| std::mem::replace(&mut commit.by, Engine::We) != Engine::We),
            Self::Alter(number) => case
                .commits
                .get_mut(*number)
                .is_some_and(|commit| !std::mem::take(&mut commit.alter).is_empty()),
            Self::Makers => {
                let usual = [Engine::Java, Engine::We];
                std::mem::replace(&mut case.makers, usual) != usual
            }
            Self::OneBucket => {
                let bucket = &mut case.schema["options"]["bucket"];
                std::mem::replace(bucket, "1".into()) != "1"
            }
            Self::Option(key) => {
                let options = case.schema["options"].as_object_mut();
                options.is_some_and(|o| o.shift_remove(key).is_some())
            }
            Self::Column(name) => without_column(case, name),
        }
    }
}

/// Takes a column off, with its options and from its sequence group; not one of the key, nor a
/// column that an option names otherwise.
fn without_column(case: &mut Case, name: &str) -> bool {
    if case.names("pk").contains(&name) || case.columns().len() < 2 {
        return false;
    }
    let mut options = case.schema["options"].as_object().cloned().unwrap_or_default();
    options.retain(|key, _| {
        !key.starts_with(&format!("fields.{name}.")) || key.ends_with(".sequence-group")
    });
    for (key, value) in &mut options {
        let names: Vec<&str> = value.as_str().unwrap_or_default().split(',').collect();
        let names_columns = key.ends_with(".sequence-group") || key.ends_with(".field");
        let is_key_of_group = key.ends_with(".sequence-group")
            && key
                .trim_start_matches("fields.")
                .trim_end_matches(".sequence-group")
                .split(',')
                .any(|f| f == name);
        if is_key_of_group || names.contains(&name) && (!names_columns || names.len() < 2) {
            return false;
        }
        if names_columns {
            let left: Vec<&str> = names.into_iter().filter(|n| *n != name).collect();
            *value = left.join(",").into();
        }
    }
    case.schema["options"] = options.into();
    if let Some(fields) = case.schema["fields"].as_array_mut() {
        fields.retain(|f| f["name"] != name);
    }
    for row in case.commits.iter_mut().flat_map(|c| &mut c.rows) {
        if let Some(row) = row["row"].as_object_mut() {
            row.shift_remove(name);
        }
    }
    true
}
