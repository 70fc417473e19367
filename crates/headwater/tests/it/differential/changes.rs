//! Random commits of a table: few keys, several rows of each, all kinds that the table takes.

use serde_json::{Map, Value, json};

use super::case::{Case, Commit, Compaction, Engine};
use super::policy::{Fate, KINDS, Policy};
use super::rng::Rng;
use super::tables::Draft;
use super::values::cell;

/// Commits for the table.
pub(super) fn commits(draft: &mut Draft, case: &Case) -> Vec<Commit> {
    let policy = Policy::of(case);
    let kinds = Kinds::of(&mut draft.rng, &policy);
    let alternates = draft.rng.chance(25);
    // In a third of the tables nothing is compacted.
    let compacts = if policy.engine == "first-row" { 60 } else { *draft.rng.pick(&[0, 20, 40]) };
    let most = if draft.columns.iter().any(|c| c.domain.values.len() > 20) { 60 } else { 8 };
    let count = draft.rng.within(2, 7);
    let altered = if draft.rng.chance(20) { draft.rng.below(count) } else { 0 };
    (0..count)
        .map(|number| {
            let alter = if altered > 0 && number == altered {
                alter(draft, policy.removes())
            } else {
                Vec::new()
            };
            let rows = (0..draft.rng.within(1, most)).map(|_| row(draft, &kinds)).collect();
            let rng = &mut draft.rng;
            Commit {
                alter,
                rows,
                batches: rng.within(1, 3),
                by: if alternates && rng.chance(50) { Engine::Java } else { Engine::We },
                compaction: if !rng.chance(compacts) {
                    Compaction::None
                } else if rng.chance(60) {
                    Compaction::Full
                } else {
                    Compaction::Picked
                },
            }
        })
        .collect()
}

/// A change of the schema: older files lack a column or have another type, or hold retractions
/// that are ignored from now on.
fn alter(draft: &mut Draft, removes: bool) -> Vec<Value> {
    let ints = draft.columns.iter_mut().filter(|c| c.may_widen());
    let mut ints: Vec<_> = ints.collect();
    match draft.rng.below(3) {
        // Java refuses both options together.
        0 if !removes => vec![json!({ "change": "set", "key": "ignore-delete", "value": "true" })],
        1 if !ints.is_empty() => {
            let at = draft.rng.below(ints.len());
            ints[at].domain.data_type = "BIGINT".to_owned();
            vec![json!({ "change": "type", "column": ints[at].name, "type": "BIGINT" })]
        }
        _ => {
            draft.add_int("later");
            vec![json!({ "change": "add", "column": "later", "type": "INT" })]
        }
    }
}

/// The kinds that rows have, the first mostly.
struct Kinds {
    usual: Vec<&'static str>,
    percent_usual: usize,
    all: Vec<&'static str>,
}

impl Kinds {
    fn of(rng: &mut Rng, policy: &Policy<'_>) -> Self {
        let all = KINDS.into_iter().filter(|k| policy.fate(k) != Fate::Refused).collect();
        Self { usual: vec!["+I", "+U"], percent_usual: *rng.pick(&[40, 60, 80]), all }
    }

    fn pick(&self, rng: &mut Rng) -> &'static str {
        let of = if rng.chance(self.percent_usual) { &self.usual } else { &self.all };
        rng.pick::<&'static str>(of)
    }
}

fn row(draft: &mut Draft, kinds: &Kinds) -> Value {
    let kind = kinds.pick(&mut draft.rng);
    let mut row = Map::new();
    let mut told = kind;
    for column in &draft.columns {
        let value = if column.name == "kind" {
            // The column decides, in small letters as well.
            told = "+I";
            json!(if draft.rng.chance(80) { kind.to_owned() } else { kind.to_lowercase() })
        } else {
            cell(&mut draft.rng, &column.domain, column.nulls)
        };
        row.insert(column.name.clone(), value);
    }
    json!({ "kind": told, "row": row })
}
