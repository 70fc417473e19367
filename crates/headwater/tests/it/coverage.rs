//! Every read of every golden table: equal to what Java expects, or listed as waiting.

use headwater_testkit::coverage::problems;
use headwater_testkit::{Golden, expected};

use crate::rows::{lines, open, run, without_hash_order};

fn attempt(golden: &Golden, file: &str) -> Result<(), String> {
    let want = expected(&golden.name, file).ok_or("no expected rows")?;
    let want: Vec<&str> = want.lines().collect();
    let found = run(async {
        let table = open(&golden.dir).await.map_err(|e| e.to_string())?;
        match file {
            "latest.jsonl" => lines(&table).await.map_err(|e| e.to_string()),
            "snapshots.jsonl" => {
                let mut ids: Vec<i64> = want
                    .iter()
                    .filter_map(|l| {
                        l.strip_prefix("{\"snapshot\":")?.split(',').next()?.parse().ok()
                    })
                    .collect();
                ids.dedup();
                let mut all = Vec::new();
                for id in ids {
                    let old = table.at_snapshot(id).await.map_err(|e| e.to_string())?;
                    for line in lines(&old).await.map_err(|e| e.to_string())? {
                        all.push(format!("{{\"snapshot\":{id},{}", &line[1..]));
                    }
                }
                Ok(all)
            }
            other => Err(format!("reads of {other} are not done")),
        }
    })?;
    let want: Vec<String> = want.into_iter().map(str::to_owned).collect();
    let name = &golden.name;
    let (found, want) = (without_hash_order(name, &found), without_hash_order(name, &want));
    if found == want {
        return Ok(());
    }
    let first = found.iter().zip(&want).find(|(a, b)| a != b);
    Err(format!("{} rows instead of {}; first difference {first:?}", found.len(), want.len()))
}

#[test]
fn every_golden_read_passes_or_waits_for_a_stated_reason() {
    assert_eq!(problems(attempt), Vec::<String>::new());
}
