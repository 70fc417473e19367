//! The crate graph points strictly downward, the pure crates stay pure, there is one Arrow, and
//! sources speak of the project only.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "test code that reads the workspace"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use headwater_testkit::repository_root;
use serde_json::Value;

/// Lower number = lower layer. A crate may depend only on crates with a smaller number.
const LAYERS: &[(&str, u8)] = &[
    ("headwater-spec", 0),
    ("headwater-io", 1),
    ("headwater-lsm", 1),
    ("headwater-format", 2),
    ("headwater-metadata", 3),
    ("headwater", 4),
    ("headwater-bench", 5),
    ("headwater-sql", 5),
    ("headwater-stream", 6),
    ("headwater-server", 7),
    ("headwater-cli", 8),
    ("headwater-sim", 8),
    ("xtask", 9),
];

/// What the test kit may use: every other crate uses the test kit in its tests.
const TESTKIT: &str = "headwater-testkit";
const BELOW_TESTKIT: &[&str] = &["headwater-spec", "headwater-io"];

/// Crates that must compile without a runtime, a store or a clock.
const PURE: &[&str] = &["headwater-spec", "headwater-lsm"];
const IMPURE_DEPS: &[&str] =
    &["tokio", "futures", "async-trait", "object_store", "rand", "tracing"];

/// Crates whose types cross the borders of ours.
const ONE_VERSION: &[&str] = &["datafusion", "object_store", "parquet", "zstd-sys"];

/// A source longer than this has several jobs.
const LONGEST_FILE: usize = 800;

fn packages() -> Vec<Value> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .output()
        .unwrap();
    let meta: Value = serde_json::from_slice(&out.stdout).unwrap();
    meta["packages"].as_array().unwrap().clone()
}

/// Names of the crates that a package needs outside its tests.
fn dependencies(package: &Value) -> Vec<String> {
    let dependencies = package["dependencies"].as_array().unwrap();
    let normal = dependencies.iter().filter(|d| d["kind"].is_null());
    normal.map(|d| d["name"].as_str().unwrap().to_owned()).collect()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

fn layer(name: &str) -> Option<u8> {
    LAYERS.iter().find(|(n, _)| *n == name).map(|(_, l)| *l)
}

#[test]
fn every_dependency_points_to_a_lower_layer() {
    for package in packages() {
        let name = name(&package);
        if name == TESTKIT {
            continue;
        }
        let own = layer(name).unwrap_or_else(|| panic!("{name} has no layer"));
        for dep in dependencies(&package) {
            if let Some(below) = layer(&dep) {
                assert!(below < own, "{name} (layer {own}) depends on {dep} (layer {below})");
            }
            assert!(dep != TESTKIT || name == "headwater-sim", "{name} ships the testkit");
        }
    }
}

#[test]
fn the_testkit_uses_only_the_lowest_layers() {
    let packages = packages();
    let testkit = packages.iter().find(|p| name(p) == TESTKIT).unwrap();
    for dep in dependencies(testkit) {
        let ours = layer(&dep).is_some();
        assert!(!ours || BELOW_TESTKIT.contains(&dep.as_str()), "the testkit depends on {dep}");
    }
}

#[test]
fn pure_crates_have_no_impure_dependency() {
    for package in packages() {
        let name = name(&package);
        if !PURE.contains(&name) {
            continue;
        }
        for dep in dependencies(&package) {
            assert!(!IMPURE_DEPS.contains(&dep.as_str()), "{name} depends on {dep}");
        }
    }
}

#[test]
fn every_crate_follows_the_lints_of_the_workspace() {
    for package in packages() {
        let manifest = fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{}", name(&package));
    }
}

#[test]
fn there_is_one_version_of_arrow_and_of_what_goes_with_it() {
    let lock = fs::read_to_string(repository_root().join("Cargo.lock")).unwrap();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut package = "";
    for line in lock.lines() {
        if let Some(name) = line.strip_prefix("name = ") {
            package = name.trim_matches('"');
        } else if let Some(version) = line.strip_prefix("version = ")
            && (package == "arrow"
                || package.starts_with("arrow-")
                || package.starts_with("datafusion-")
                || ONE_VERSION.contains(&package))
        {
            versions.entry(package).or_default().push(version.trim_matches('"'));
        }
    }
    assert!(versions.contains_key("arrow"), "no Arrow in Cargo.lock");
    versions.retain(|_, all| all.len() > 1);
    assert!(versions.is_empty(), "several versions: {versions:?}");
}

#[test]
fn no_source_is_longer_than_one_job_needs() {
    let is_rust = |path: &&PathBuf| path.extension().is_some_and(|e| e == "rs");
    for path in texts().iter().filter(is_rust) {
        let lines = fs::read_to_string(path).unwrap().lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", path.display());
    }
}

/// A clone is all there is: no text may lean on a place, a tracker or a plan outside of it.
#[test]
fn texts_speak_of_the_project_only() {
    // Put together here, so that this file does not name them.
    let foreign = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("issue", " #"),
        concat!("issues", " show"),
        concat!("later", " step"),
        concat!("step", " 1"),
        concat!("step", " 2"),
        concat!("step", " 3"),
        concat!("../sha", "red"),
        concat!("this", " session"),
    ];
    let mut found = Vec::new();
    for path in texts() {
        let text = fs::read_to_string(&path).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            if let Some(word) = foreign.iter().find(|w| line.contains(*w)) {
                found.push(format!("{}:{} says {word:?}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// All sources and documents of the project.
fn texts() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&repository_root(), &mut found);
    found
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
    const BUILT: &[&str] = &["target", "warehouse", ".git"];
    const TEXTS: &[&str] = &["rs", "md", "toml", "sql", "sh", "java", "xml", "py"];
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !BUILT.contains(&name.as_str()) {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|e| TEXTS.iter().any(|t| e == *t))
            || path.ends_with(".ci/run")
        {
            found.push(path);
        }
    }
}
