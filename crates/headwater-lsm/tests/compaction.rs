//! What stock Java picks for compaction, from 3,000 states of a bucket.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads its fixtures, and fails when they are not as described"
)]

use headwater_lsm::{Picker, PickerOptions, RunSize, pick_full};
use headwater_testkit::fixture_path;
use serde_json::Value;

struct Run {
    size: RunSize,
    names: Vec<String>,
}

fn run(json: &Value) -> Run {
    let files = json["files"].as_array().unwrap();
    let size = |file: &Value| file[1].as_u64().unwrap();
    Run {
        size: RunSize {
            level: usize::try_from(json["level"].as_u64().unwrap()).unwrap(),
            bytes: files.iter().map(size).sum(),
            files: files.len(),
        },
        names: files.iter().map(|file| file[0].as_str().unwrap().to_owned()).collect(),
    }
}

/// The level and the files that are chosen, as the vectors have them.
fn picked(state: &Value) -> Option<(u64, Vec<String>)> {
    let runs: Vec<Run> = state["runs"].as_array().unwrap().iter().map(run).collect();
    let sizes: Vec<RunSize> = runs.iter().map(|run| run.size).collect();
    let number = |key: &str| state[key].as_u64();
    let strategy = state["strategy"].as_str().unwrap();
    let levels = usize::try_from(number("num_levels").unwrap()).unwrap();
    let pick = if strategy == "full" {
        pick_full(levels, &sizes)
    } else {
        let options = PickerOptions {
            trigger: usize::try_from(number("trigger").unwrap()).unwrap(),
            max_size_amplification_percent: number("max_size_amplification_percent").unwrap(),
            size_ratio: number("size_ratio").unwrap(),
            total_size_threshold: number("total_size_threshold"),
            incremental_size_threshold: number("incremental_size_threshold"),
            optimization_interval_millis: None,
            force_up_level_0: strategy == "force-up-level0",
        };
        Picker::new(options).choose(levels, &sizes, number("offpeak_ratio").unwrap_or(0), 0)
    };
    let pick = pick?;
    let names = runs[..pick.runs].iter().flat_map(|run| run.names.clone()).collect();
    Some((u64::try_from(pick.output_level).unwrap(), names))
}

#[test]
fn the_same_runs_are_picked_as_by_java() {
    let text = std::fs::read_to_string(fixture_path("vectors/compaction_picks.jsonl")).unwrap();
    let mut states = 0;
    let mut differing = Vec::new();
    for line in text.lines() {
        let state: Value = serde_json::from_str(line).unwrap();
        let names = |files: &Value| {
            let files = files.as_array().unwrap().iter();
            files.map(|name| name.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let wanted = match &state["pick"] {
            Value::Null => None,
            pick => Some((pick["output_level"].as_u64().unwrap(), names(&pick["files"]))),
        };
        let found = picked(&state);
        if found != wanted {
            differing.push(format!("{line}\n  found {found:?}"));
        }
        states += 1;
    }
    assert!(states >= 3_000, "the file is complete");
    let first: Vec<_> = differing.iter().take(3).collect();
    assert!(differing.is_empty(), "{} differ, such as {first:#?}", differing.len());
}
