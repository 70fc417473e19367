//! Properties of the merge engines alone: how a changelog is cut into commits and flushes does not
//! matter where the algebra says so, and taking back undoes adding.

use std::sync::Arc;

use headwater::io::{FileIo, MemoryFileIo, Pools};
use headwater::{Env, Table};
use headwater_testkit::amount;
use serde_json::{Value, json};

use super::case::Case;
use super::functions::{Aggregate, aggregate};
use super::play::{normal, write};
use super::policy::{Fate, KINDS, Policy};
use super::rng::Rng;
use super::tables::generate;
use crate::rows::{definition, lines, run};
use crate::small;

/// Whether a function gives the same whatever the order of its values.
fn commutes(function: &str, data_type: &str) -> bool {
    match function {
        // Floats round, long decimals overflow to null and start again.
        "sum" => is_exact(data_type),
        // Decimals round.
        "product" => is_exact(data_type) && !data_type.starts_with("DECIMAL"),
        "max" | "min" | "bool_and" | "bool_or" | "rbm32" | "primary-key" => true,
        _ => false,
    }
}

/// Whether values may be merged in any groups of neighbours, without being taken back.
fn associates(case: &Case, column: &str, function: &str, data_type: &str) -> bool {
    let has = |option: &str| case.option(&format!("fields.{column}.{option}")).is_some();
    match function {
        "sum" | "product" => commutes(function, data_type),
        // Counts what is there when a value comes.
        "nested_update" => !has("count-limit"),
        // A null row removes the key only from what is there when it comes.
        "merge_map_with_keytime" => false,
        // The bytes, not what they mean, depend on the order in which values come.
        "theta_sketch" | "hll_sketch" | "rbm64" => false,
        _ => true,
    }
}

fn is_exact(data_type: &str) -> bool {
    let long = ["DECIMAL(20", "DECIMAL(38"].iter().any(|d| data_type.starts_with(d));
    !long && !["FLOAT", "DOUBLE"].contains(&data_type)
}

/// Whether the rows of a case may be cut into commits and flushes in any way.
fn splits_freely(case: &Case) -> bool {
    let policy = Policy::of(case);
    let retracted = KINDS[1..].iter().any(|k| k.starts_with('-') && policy.fate(k) == Fate::Taken);
    let keys = case.names("pk");
    let fields = case.schema["fields"].as_array().unwrap().iter();
    let values: Vec<(&str, &str)> = fields
        .map(|f| (f["name"].as_str().unwrap(), f["type"].as_str().unwrap()))
        .filter(|f| !keys.contains(&f.0))
        .collect();
    let functions = || {
        let of = |(name, t): &(&'_ str, &'_ str)| {
            Some((policy.function(name)?.to_owned(), (*name).to_owned(), (*t).to_owned()))
        };
        values.iter().filter_map(of).collect::<Vec<_>>()
    };
    match policy.engine {
        "deduplicate" => true,
        // A merged record has one sequence for the newest of several values.
        "partial-update" if !policy.sequence.is_empty() || retracted => false,
        "partial-update" if policy.groups.is_empty() => true,
        "partial-update" => {
            let outside = |c: &str| !policy.groups.iter().any(|g| g.1.contains(&c));
            functions().iter().all(|(f, c, t)| commutes(f, t) || outside(c))
        }
        "aggregation" if retracted => {
            functions().iter().all(|(f, _, t)| f == "sum" && commutes(f, t))
        }
        "aggregation" if !policy.sequence.is_empty() => functions()
            .iter()
            .all(|(f, c, t)| commutes(f, t) || policy.sequence.contains(&c.as_str())),
        "aggregation" => functions().iter().all(|(f, c, t)| associates(case, c, f, t)),
        // What is in level 0 is not read.
        _ => false,
    }
}

fn env() -> Env {
    small::env(&Pools::new(1), 1)
}

async fn table(schema: &Value) -> Table {
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    small::create(&io, &env(), &definition(schema)).await.unwrap();
    small::open(&io, &env()).await.unwrap()
}

/// What is read after commits of so many rows each, in batches of so many that become files, or that
/// are spilled and merged into one.
async fn read_after(
    case: &Case,
    rows: &[Value],
    cuts: &[(usize, usize)],
    spills: bool,
) -> Vec<String> {
    let mut schema = case.schema.clone();
    schema["options"]["write-buffer-size"] = json!("1 b");
    schema["options"]["write-buffer-spillable"] = json!(spills.to_string());
    let table = table(&schema).await;
    let (mut rest, mut id) = (rows, 0);
    for (length, batches) in cuts {
        let (now, then) = rest.split_at(*length);
        write(&table, id, now, *batches).await.unwrap();
        (rest, id) = (then, id + 1);
    }
    write(&table, id, rest, 1).await.unwrap();
    let mut found = normal(&Policy::of(case), lines(&table).await.unwrap());
    for line in &mut found {
        if let Some(rest) = line.strip_prefix("{\"kind\":\"+U\"") {
            *line = format!("{{\"kind\":\"+I\"{rest}");
        }
    }
    found.sort();
    found
}

#[test]
fn the_cut_of_a_changelog_into_commits_and_flushes_does_not_matter() {
    let (mut tried, mut rows_left) = (0, 0);
    for seed in 0..amount(400, 10_000) as u64 {
        let (case, _) = generate(seed);
        let rows = case.commits.iter().flat_map(|c| c.rows.clone());
        let rows: Vec<Value> = rows.take(40).collect();
        if rows.is_empty() || !splits_freely(&case) {
            continue;
        }
        let mut rng = Rng::new(seed);
        let whole = run(read_after(&case, &rows, &[], false));
        for turn in 0..4 {
            let mut cuts = Vec::new();
            let mut left = rows.len();
            while left > 0 {
                let length = rng.within(1, left.min(9));
                cuts.push((length, rng.within(1, length)));
                left -= length;
            }
            let cut = run(read_after(&case, &rows, &cuts, turn % 2 == 1));
            assert_eq!(cut, whole, "seed {seed}, turn {turn}, cut as {cuts:?}:\n{}", case.pretty());
        }
        tried += 1;
        rows_left += whole.len();
    }
    println!("{tried} tables, {rows_left} rows");
    assert!(tried >= 80 && rows_left > 2 * tried, "{tried} tables, {rows_left} rows");
}

/// Whether adding `value` to what `before` gave changes only what taking it back restores.
fn is_undone(aggregate: &Aggregate, before: &[Value], value: &Value) -> bool {
    // From null, what is added and taken back leaves a zero or an empty array; and arrays lose
    // nulls and repeated keys when they are first merged.
    let nulls = before.iter().filter(|v| v.is_null()).count();
    if nulls == before.len() || nulls > 0 && aggregate.function == "nested_update" {
        return false;
    }
    let all = |v: &Value| v.as_array().cloned().unwrap_or_default();
    let here: Vec<Value> = before.iter().flat_map(all).collect();
    let key = |v: &Value| match aggregate.function {
        "merge_map" => v[0].to_string(),
        _ => match aggregate.options.iter().find(|o| o.0 == "nested-key") {
            Some((_, keys)) => keys.split(',').map(|k| format!("{};", v[k.trim()])).collect(),
            None => v.to_string(),
        },
    };
    match aggregate.function {
        "sum" => is_exact(&aggregate.domain.data_type),
        // Small numbers that do not wrap around.
        "product" => value.as_i64().is_some_and(|v| v.unsigned_abs() < 4),
        "collect" => !aggregate.options.iter().any(|o| o.0 == "distinct"),
        _ => !all(value).iter().any(|v| v.is_null() || here.iter().any(|h| key(h) == key(v))),
    }
}

#[test]
fn taking_back_undoes_adding() {
    let mut tried = [0; 5];
    let functions = ["sum", "product", "collect", "merge_map", "nested_update"];
    for seed in 0..amount(600, 20_000) as u64 {
        let mut rng = Rng::new(seed);
        let at = rng.below(functions.len());
        let aggregate = aggregate(&mut rng, functions[at]);
        if aggregate.options.iter().any(|o| o.0 == "count-limit") {
            continue;
        }
        let before: Vec<Value> =
            (0..2).map(|_| rng.pick(&aggregate.domain.values).clone()).collect();
        let small = |v: &Value| v.as_i64().is_none_or(|v| v.unsigned_abs() < 4);
        let value = rng.pick(&aggregate.domain.values).clone();
        let fits = aggregate.function != "product" || before.iter().all(small);
        if !fits || !is_undone(&aggregate, &before, &value) {
            continue;
        }
        let case = Case {
            schema: schema(&aggregate),
            makers: [super::case::Engine::We; 2],
            commits: Vec::new(),
        };
        let row = |kind: &str, v: &Value| json!({ "kind": kind, "row": { "k": 1, "v": v } });
        let mut rows: Vec<Value> = before.iter().map(|v| row("+I", v)).collect();
        let wanted = run(read_after(&case, &rows, &[], false));
        rows.extend([row("+U", &value), row("-U", &value)]);
        for cuts in [vec![], vec![(2, 1)], vec![(3, 1)], vec![(3, 3)]] {
            let found = run(read_after(&case, &rows, &cuts, seed % 2 == 1));
            let sorted = |lines: Vec<String>| lines.iter().map(|l| multiset(l)).collect::<Vec<_>>();
            let (found, wanted) = (sorted(found), sorted(wanted.clone()));
            assert_eq!(found, wanted, "seed {seed}, cut as {cuts:?}: {} {rows:#?}", case.schema);
        }
        tried[at] += 1;
    }
    assert!(tried.iter().all(|t| *t >= 10), "{functions:?} {tried:?}");
}

fn schema(aggregate: &Aggregate) -> Value {
    let mut options = json!({
        "bucket": "1",
        "merge-engine": "aggregation",
        "fields.v.aggregate-function": aggregate.function,
    });
    for (key, value) in &aggregate.options {
        options[format!("fields.v.{key}")] = json!(value);
    }
    json!({
        "fields": [
            { "name": "k", "type": "INT NOT NULL" },
            { "name": "v", "type": aggregate.domain.data_type },
        ],
        "pk": ["k"],
        "partition": [],
        "options": options,
    })
}

/// A line whose value, if an array, is sorted: which of equal elements goes is left open.
fn multiset(line: &str) -> String {
    let mut line: Value = serde_json::from_str(line).unwrap();
    if let Value::Array(elements) = &mut line["row"]["v"] {
        elements.sort_by_key(Value::to_string);
    }
    line.to_string()
}
