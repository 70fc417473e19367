//! `docs/user/options.md` says what this version does with every table option: made here, from the
//! list of options and from what opening a table with each value finds.
//!
//! `HEADWATER_BLESS=1` writes the page instead of comparing it.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code that reads and writes a page of the repository"
)]

use std::fmt::Write;

use headwater_spec::options::{KnownOption, Options, Treatment, inspect, table_options, treatment};
use headwater_spec::schema::NewTable;
use headwater_spec::{DataType, TableSchema};
use headwater_testkit::repository_root;

const HEAD: &str = "\
# Table options

Every table option of Paimon 1.4.2, and what this version of headwater does with it. Made from the code; `cargo xtask docs`
writes this page anew.

| in this version | |
|---|---|
| acts | it does what Paimon says, or its effect is part of how this version works |
| no meaning here | it tunes threads, caches or spill files inside Java; rows and files do not depend on it |
| no effect, warning | kept in the table for other engines; opening the table warns once |
| not read | a table that sets it (to the named values) is refused for reading and writing |
| not written | a table that sets it (to the named values) is read, but refused for writing |

Without named values any value but the default is meant. \"Keyed\" marks what holds only for tables with a primary key, \"append\"
what holds only for those without. Beside these, options with a column or a format's own setting in their name are known: `fields.<column>.stats-mode` acts, the other `fields.…`
serve merge engines that this version lacks, `parquet.compression`, `parquet.block.size` and `parquet.page.size` act, other
`parquet.…` settings are kept with a warning. In CREATE TABLE an unknown option is refused.

Memory sizes are numbers with a unit (`b`, `kb`, `mb`, `gb`), durations likewise (`ms`, `s`, `min`, `h`, `d`).

| option | type | default | in this version |
|---|---|---|---|
";

/// A table with the option, if it is to have one.
fn schema(keyed: bool, option: Option<(&str, &str)>) -> TableSchema {
    let table = NewTable::new()
        .column("k", DataType::parse("INT").unwrap())
        .column("v", DataType::parse("STRING").unwrap());
    let table = if keyed { table.primary_key(["k"]).option("bucket", "2") } else { table };
    let mut schema = table.into_schema(0).unwrap();
    if let Some((key, value)) = option {
        let mut options = Options::default();
        for (k, v) in schema.options.iter().filter(|(k, _)| *k != key) {
            options.insert(k, v);
        }
        options.insert(key, value);
        schema.options = options;
    }
    schema
}

/// Values that may make a difference.
fn candidates(option: &KnownOption) -> Vec<String> {
    if option.key == "bucket" {
        return ["-1", "-2", "7"].map(str::to_owned).to_vec();
    }
    if ["file.format", "manifest.format"].contains(&option.key.as_str()) {
        return ["avro", "orc", "parquet"].map(str::to_owned).to_vec();
    }
    if let Some(values) = &option.values {
        return values.clone();
    }
    let texts: &[&str] = match option.value_type.as_str() {
        "Boolean" => &["false", "true"],
        "Integer" | "Long" => &["7"],
        "Float" | "Double" => &["0.5"],
        "MemorySize" => &["7 mb"],
        "Duration" => &["7 min"],
        _ => &["0:orc"],
    };
    texts.iter().map(|t| (*t).to_owned()).collect()
}

/// What opening tables with each value of an option finds.
#[derive(Default)]
struct Found {
    /// Value, for keyed tables, for append tables.
    not_read: Vec<(String, bool, bool)>,
    not_written: Vec<(String, bool, bool)>,
    warns: bool,
    values: usize,
}

fn probe(option: &KnownOption) -> Found {
    let mut found = Found::default();
    let default = option.default.as_deref().unwrap_or_default();
    for value in candidates(option) {
        if value.eq_ignore_ascii_case(default) && option.key != "bucket" {
            continue;
        }
        found.values += 1;
        let [keyed, append] = [true, false].map(|keyed| {
            let schema = schema(keyed, Some((&option.key, &value)));
            inspect(&schema).unwrap_or_else(|e| panic!("{} = {value}: {e}", option.key))
        });
        let found_in = [&keyed, &append];
        let read = found_in.map(|f| f.refuse_read.is_some());
        let written = found_in.map(|f| f.refuse_write.is_some() && f.refuse_read.is_none());
        if read.contains(&true) {
            found.not_read.push((value.clone(), read[0], read[1]));
        }
        if written.contains(&true) {
            found.not_written.push((value, written[0], written[1]));
        }
        found.warns |= found_in
            .iter()
            .any(|f| !f.warnings.is_empty() && f.refuse_read.is_none() && f.refuse_write.is_none());
    }
    found
}

/// `not read (keyed): a, b`; without values when all but the default are meant.
fn refusal(what: &str, values: &[(String, bool, bool)], all: bool) -> Option<String> {
    let (_, keyed, append) = values.first()?;
    let mut text = what.to_owned();
    match (keyed, append) {
        (true, false) => text.push_str(" (keyed)"),
        (false, true) => text.push_str(" (append)"),
        _ => {}
    }
    if !all {
        let names: Vec<_> = values.iter().map(|v| format!("`{}`", v.0)).collect();
        write!(text, ": {}", names.join(", ")).unwrap();
    }
    Some(text)
}

fn effect(option: &KnownOption) -> String {
    let found = probe(option);
    // A list of levels is refused for what it says, not for being there.
    let every = |values: &[_]| values.len() == found.values && !option.key.ends_with(".per.level");
    let acts = match treatment(&option.key) {
        Treatment::Honoured => Some("acts"),
        Treatment::InternalToJava => Some("no meaning here"),
        Treatment::SelectsOtherRows | Treatment::Kept => {
            found.warns.then_some("no effect, warning")
        }
    };
    let refused = every(&found.not_read) || every(&found.not_written);
    let mut parts: Vec<String> = acts.filter(|_| !refused).map(str::to_owned).into_iter().collect();
    parts.extend(refusal("not read", &found.not_read, every(&found.not_read)));
    parts.extend(refusal("not written", &found.not_written, every(&found.not_written)));
    if parts.is_empty() { "no effect, warning".to_owned() } else { parts.join("; ") }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut options: Vec<_> = table_options().collect();
    options.sort_by(|a, b| a.key.cmp(&b.key));
    for option in options {
        let mut name = format!("`{}`", option.key);
        for old in &option.fallback {
            write!(name, ", `{old}`").unwrap();
        }
        let kind = match &option.values {
            Some(values) if !values.is_empty() => {
                values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(" ")
            }
            _ => option.value_type.replace('|', "\\|"),
        };
        let default = option.default.as_ref().map_or(String::new(), |d| format!("`{d}`"));
        writeln!(page, "| {name} | {kind} | {default} | {} |", effect(option)).unwrap();
    }
    page
}

#[test]
fn options_page_is_what_the_code_does() {
    let path = repository_root().join("docs/user/options.md");
    let page = page();
    if std::env::var("HEADWATER_BLESS").is_ok_and(|v| v == "1") {
        std::fs::write(&path, page).unwrap();
        return;
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let first = page.lines().zip(stored.lines()).find(|(new, old)| new != old);
    assert!(
        page == stored,
        "docs/user/options.md is stale, first at {first:?}: run cargo xtask docs"
    );
}

#[test]
fn plain_tables_open_without_a_word() {
    for keyed in [true, false] {
        let found = inspect(&schema(keyed, None)).unwrap();
        assert_eq!(found, headwater_spec::options::Findings::default(), "keyed: {keyed}");
    }
}
