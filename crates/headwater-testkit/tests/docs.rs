//! What texts say about other texts and about the code is there: cited pages and their anchors,
//! links, files, and the names that `ARCHITECTURE.md` leads a reader along.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "test code that reads the workspace"
)]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use headwater_testkit::repository_root;

/// Directories whose pages sources cite by their path in the repository.
const CITED_DIRS: &[&str] = &["docs/", "compat/", "bench/"];

/// The anchors of pages, read once.
#[derive(Default)]
struct Pages(HashMap<PathBuf, Option<BTreeSet<String>>>);

impl Pages {
    /// What is wrong with a citation of `page`, if anything.
    fn fault(&mut self, page: &Path, anchor: Option<&str>) -> Option<&'static str> {
        let anchors = self
            .0
            .entry(page.to_path_buf())
            .or_insert_with(|| fs::read_to_string(page).ok().map(|text| anchors(&text)));
        match (anchors, anchor) {
            (None, _) => Some("no such page"),
            (Some(anchors), Some(anchor)) if !anchors.contains(anchor) => Some("no such heading"),
            _ => None,
        }
    }
}

/// Anchors of the headings of a page, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        let title = line.trim_start_matches('#');
        if !fenced && title.len() < line.len() && title.starts_with(' ') {
            found.insert(slug(title));
        }
    }
    found
}

fn slug(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    title
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Citations like `<dir>/page.md#anchor` in a line: page, anchor.
fn citations(line: &str) -> Vec<(&str, Option<&str>)> {
    let mut found = Vec::new();
    for dir in CITED_DIRS {
        for (at, _) in line.match_indices(dir) {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || "/._-".contains(c)) {
                continue;
            }
            let rest = &line[at..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && !"/._-".contains(c));
            let path = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            if !path.ends_with(".md") {
                continue;
            }
            let anchor = rest[path.len()..].strip_prefix('#').map(|a| {
                let end = a.find(|c: char| !c.is_alphanumeric() && !"_-".contains(c));
                &a[..end.unwrap_or(a.len())]
            });
            found.push((path, anchor));
        }
    }
    found
}

/// Targets of links to pages of the repository: `](page.md#anchor)` and `](#anchor)`.
fn links(line: &str) -> Vec<(&str, Option<&str>)> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://"))
        .map(|target| match target.split_once('#') {
            Some((page, anchor)) => (page, Some(anchor)),
            None => (target, None),
        })
        .filter(|(page, _)| page.is_empty() || page.ends_with(".md"))
        .collect()
}

/// What stands between single backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split("```").step_by(2).flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn cited_pages_and_anchors_exist() {
    let mut pages = Pages::default();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in texts() {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            for (page, anchor) in citations(line) {
                seen += 1;
                if let Some(fault) = pages.fault(&repository_root().join(page), anchor) {
                    wrong.push(format!(
                        "{}:{} {page} {anchor:?}: {fault}",
                        path.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} citations were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages = Pages::default();
    let mut wrong = Vec::new();
    for path in texts().iter().filter(|p| p.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(path).unwrap();
        for (number, line) in text.lines().enumerate() {
            for (page, anchor) in links(line) {
                let target =
                    if page.is_empty() { path.clone() } else { path.parent().unwrap().join(page) };
                if let Some(fault) = pages.fault(&target, anchor) {
                    wrong.push(format!(
                        "{}:{} {page} {anchor:?}: {fault}",
                        path.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn source_files_that_pages_name_exist() {
    let root = repository_root();
    let mut wrong = Vec::new();
    for path in texts().iter().filter(|p| p.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(path).unwrap();
        for name in quoted(&text) {
            let inside = name.strip_prefix("crates/").unwrap_or(name);
            let is_path = inside.starts_with("headwater")
                && ["/src/", "/tests/", "/examples/"].iter().any(|d| inside.contains(d))
                && !inside.contains(' ');
            if is_path && !root.join("crates").join(inside).exists() {
                wrong.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A reader searches for the names that the architecture page gives: they must be found.
#[test]
fn names_in_the_architecture_page_exist() {
    let root = repository_root();
    let sources: String = texts()
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .map(|p| fs::read_to_string(p).unwrap())
        .collect();
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let mut seen = 0;
    let mut wrong = Vec::new();
    for name in quoted(&page) {
        let plain = name.strip_suffix("()").unwrap_or(name);
        if !plain.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let mut parts: Vec<_> = plain.split("::").filter(|p| !p.is_empty()).collect();
        let method = parts.len() > 1 && plain.starts_with(char::is_uppercase);
        if name.ends_with("()") || method {
            let function = parts.pop().unwrap();
            let defined = ["(", "<"].map(|end| format!("fn {function}{end}"));
            seen += 1;
            if !defined.iter().any(|d| sources.contains(d)) {
                wrong.push(name);
            }
        }
        for part in parts {
            let mut chars = part.chars();
            let is_type = chars.next().is_some_and(char::is_uppercase)
                && chars.next().is_some_and(char::is_lowercase);
            let kinds = ["struct", "enum", "trait", "type"];
            seen += usize::from(is_type);
            if is_type && !kinds.iter().any(|kind| defines(&sources, kind, part)) {
                wrong.push(name);
            }
        }
    }
    assert!(seen > 30, "only {seen} names were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn defines(sources: &str, kind: &str, name: &str) -> bool {
    let start = format!("{kind} {name}");
    sources.match_indices(&start).any(|(at, _)| {
        !sources[at + start.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn anchors_are_those_of_github() {
    assert_eq!(slug("Ordering of keys"), "ordering-of-keys");
    assert_eq!(slug("`file_index`, and more!"), "file_index-and-more");
    let text = "# A\n```\n# not a heading\n```\n## B c\n#no\n";
    assert_eq!(anchors(text).into_iter().collect::<Vec<_>>(), ["a", "b-c"]);
    let line = concat!("see `doc", "s/spec/x.md#y-z`, and (doc", "s/adr/1.md).");
    assert_eq!(citations(line).len(), 2);
    assert_eq!(citations(line)[0].1, Some("y-z"));
}

/// All sources and documents of the project.
fn texts() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&repository_root(), &mut found);
    found.sort();
    found
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
    const BUILT: &[&str] = &["target", "warehouse", ".git"];
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !BUILT.contains(&name.as_str()) {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|e| ["rs", "md", "toml"].iter().any(|t| e == *t)) {
            found.push(path);
        }
    }
}
