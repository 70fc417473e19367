//! The statements of `compat/dialect/`: each runs, or is refused, as it is marked; Java opens every
//! table that they made.
use std::path::{Path, PathBuf};

use headwater_testkit::{repository_root, require_java};

use crate::warehouse::{Warehouse, lines_of};

/// A statement and what is to become of it.
struct Marked {
    line: usize,
    /// Words of the message with which it is refused; `None`: it runs.
    refused: Option<String>,
    text: String,
}

fn corpus(file: &str, warehouse: &str) -> Vec<Marked> {
    let path = repository_root().join("compat/dialect").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut statements: Vec<Marked> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(mark) = line.strip_prefix("--@ ") {
            let refused = match mark.split_once(": ") {
                Some(("refused", words)) => Some(words.to_owned()),
                _ if mark == "ok" => None,
                _ => panic!("{file}, line {}: what is '{mark}'?", number + 1),
            };
            statements.push(Marked { line: number + 1, refused, text: String::new() });
        } else if let Some(last) = statements.last_mut() {
            last.text.push_str(&line.replace("${WAREHOUSE}", warehouse));
            last.text.push('\n');
        }
    }
    statements
}

/// Runs all statements of a file and says which ones did not end as they are marked.
async fn differences(w: &Warehouse, file: &str) -> (usize, Vec<String>) {
    let statements = corpus(file, &w.path("catalogs"));
    let mut wrong = Vec::new();
    for marked in &statements {
        let outcome = match w.session.execute(&marked.text).await {
            Ok(result) => lines_of(result).await.map(|_| ()),
            Err(error) => Err(error),
        };
        let place = format!("{file}, line {}", marked.line);
        match (&marked.refused, outcome) {
            (None, Ok(())) => {}
            (None, Err(error)) => wrong.push(format!("{place}: refused: {error}")),
            (Some(_), Ok(())) => wrong.push(format!("{place}: it runs")),
            (Some(words), Err(error)) if error.to_string().contains(words) => {}
            (Some(words), Err(error)) => {
                wrong.push(format!("{place}: refused without '{words}': {error}"));
            }
        }
    }
    (statements.len(), wrong)
}

/// Directories of all tables below a directory of warehouses.
fn tables(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_path_buf()];
    while let Some(dir) = todo.pop() {
        if dir.join("schema/schema-0").is_file() {
            found.push(dir);
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&dir) else { continue };
        todo.extend(entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir()));
    }
    found.sort();
    found
}

#[tokio::test]
async fn the_corpus_runs_as_marked_and_java_opens_its_tables() {
    let w = Warehouse::new().await;
    let mut count = 0;
    let mut wrong = Vec::new();
    for file in ["flink.sql", "spark.sql", "articles.sql"] {
        // Each file begins with the catalog of the session.
        w.run("USE CATALOG paimon; RESET").await;
        let (statements, differences) = differences(&w, file).await;
        count += statements;
        wrong.extend(differences);
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 300, "{count} statements");

    let test = "the_corpus_runs_as_marked_and_java_opens_its_tables";
    let Some(java) = require_java(test) else { return };
    let tables = tables(w.dir.path());
    assert!(tables.len() > 40, "{} tables", tables.len());
    for table in tables {
        // Java reads ORC, too: nothing was written there.
        let problems = java.check(&table);
        assert!(problems.is_empty(), "{}: {problems:#?}", table.display());
    }
}
