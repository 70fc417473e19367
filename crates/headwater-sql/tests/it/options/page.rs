//! `docs/user/options.md`, made of what became of the tables and catalogs that were tried.

use std::collections::BTreeMap;
use std::fmt::Write;

use headwater::options::{KnownOption, Treatment, catalog_options, treatment};
use headwater_testkit::hold_page;

use super::cases::good;
use super::probe::{Kind, Outcome, Probe};

const HEAD: &str = "\
# Table options

Every option of Paimon 1.4.2, and what this version of headwater does with it. Made from what became of tables with each option
in a SQL session: CREATE TABLE, INSERT, SELECT. `cargo xtask docs` writes this page anew.

| in this version | |
|---|---|
| acts | it does what Paimon says, or what it asks for always holds here |
| kept | stays in the table for other engines, without effect here; each table that sets it gets a warning with the reason given here |
| not made | CREATE TABLE refuses it, as stock Java refuses to open such a table |
| not read | a stored table that sets it is refused for reading and writing |
| not written | a stored table that sets it is read, but refused for writing |

Without named values any value but the default is meant. \"Keyed\" marks what holds only for tables with a primary key, \"append\"
what holds only for those without. \"Fixed\" options cannot change once a table has rows; `bucket`, `deletion-vectors.enabled`,
`ignore-delete` and `ignore-update-before` only in some directions.

Words may be written in any case, but with their dashes. Memory sizes are numbers with a unit (`b`, `kb`, `mb`, `gb`, `tb`; none:
bytes), durations likewise (`ms`, `s`, `min`, `h`, `d`; none: milliseconds). In CREATE TABLE, ALTER TABLE, hints and SET a wrong
value or an unknown option is an error that names what is expected, or the nearest option. If an option and its older name are
both set, the option counts.

Beside these, options with a column or a format's own setting in their name are known: `fields.<column>.stats-mode`,
`file.format.per.level.<n>` and its like, `parquet.compression`, `parquet.block.size` and `parquet.page.size` act; the other
`fields.…`, `file-index.…`, `parquet.…`, `orc.…`, `avro.…`, `metadata.iceberg.…` and the options of Flink's and Spark's connectors
are kept with a warning.

| option | type | default | changes | in this version |
|---|---|---|---|---|
";

const CATALOGS: &str = "
## Catalog options

For `CREATE CATALOG name WITH ('type' = 'paimon', 'warehouse' = '…', …)`.

| option | type | default | in this version |
|---|---|---|---|
";

/// What was found about one option.
pub(super) struct Row {
    option: &'static KnownOption,
    pub(super) found: Vec<(String, Kind, Outcome)>,
}

impl Row {
    pub(super) fn new(option: &'static KnownOption) -> Self {
        Self { option, found: Vec::new() }
    }

    /// One sentence for all values and kinds that it holds for.
    fn effect(&self) -> String {
        let values: Vec<&String> = {
            let mut values: Vec<_> = self.found.iter().map(|(value, ..)| value).collect();
            values.dedup();
            values
        };
        // Which values have which outcome with a key and without.
        let mut sentences: Vec<(String, BTreeMap<&str, Vec<Kind>>)> = Vec::new();
        for (value, kind, outcome) in &self.found {
            let sentence = self.sentence(*kind, outcome);
            let at = sentences.iter().position(|(s, _)| *s == sentence).unwrap_or_else(|| {
                sentences.push((sentence, BTreeMap::new()));
                sentences.len() - 1
            });
            sentences[at].1.entry(value).or_default().push(*kind);
        }
        // An option that lists levels is refused for what it says, not for being there.
        let whole = !self.option.key.ends_with(".per.level");
        let parts = sentences.iter().map(|(sentence, found)| {
            let all = found.len() == values.len() && (whole || sentences.len() == 1);
            let both = found.values().all(|kinds| kinds.len() == 2);
            let keyed = found.values().all(|kinds| *kinds == [Kind::Keyed]);
            let append = found.values().all(|kinds| *kinds == [Kind::Append]);
            let mut text = sentence.clone();
            match (both, keyed, append) {
                (false, true, false) => text.push_str(" (keyed)"),
                (false, false, true) => text.push_str(" (append)"),
                _ => {}
            }
            if !all || (!both && !keyed && !append) {
                let names = found.iter().map(|(value, kinds)| match kinds.as_slice() {
                    [Kind::Keyed] if !keyed => format!("`{value}` (keyed)"),
                    [Kind::Append] if !append => format!("`{value}` (append)"),
                    _ => format!("`{value}`"),
                });
                let _ = write!(text, ", for {}", names.collect::<Vec<_>>().join(" "));
            }
            text
        });
        parts.collect::<Vec<_>>().join("; ")
    }

    fn sentence(&self, kind: Kind, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Acts => "acts".to_owned(),
            Outcome::Kept(said) if said.contains("no primary key") && kind == Kind::Append => {
                "kept: it needs a primary key".to_owned()
            }
            Outcome::Kept(said) => match treatment(&self.option.key) {
                Treatment::Kept(reason) => format!("kept: {reason}"),
                Treatment::Honoured if said.contains("the merge engine is") => {
                    "acts with its merge engine, else kept".to_owned()
                }
                Treatment::Honoured if said.contains("there is no '") => {
                    "acts beside the option that it goes with, else kept".to_owned()
                }
                Treatment::Honoured if said.contains("once a compaction") => {
                    "acts; rows are shown once another engine has compacted them".to_owned()
                }
                class => panic!("{}: kept, but {class:?}", self.option.key),
            },
            Outcome::NotMade(said)
                if treatment(&self.option.key) == Treatment::Honoured
                    && said.contains(&format!("'{}': needs '", self.option.key)) =>
            {
                "acts beside the option that it goes with, else not made".to_owned()
            }
            Outcome::NotMade(_) => "not made".to_owned(),
            Outcome::NotWritten(said) if said.contains("is not a row kind") => "acts".to_owned(),
            Outcome::NotWritten(_) => "not written".to_owned(),
            Outcome::NotRead(_) => "not read".to_owned(),
        }
    }
}

fn name_and_type(option: &KnownOption) -> String {
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
    let default = match option.default.as_deref() {
        None | Some("") => String::new(),
        Some(default) if option.value_type == "Duration" => format!("`{}`", duration(default)),
        Some(default) => format!("`{default}`"),
    };
    format!("| {name} | {kind} | {default} |")
}

/// A duration of the list, such as `PT0.01S`, as an option takes it.
fn duration(iso: &str) -> String {
    let text = iso.strip_prefix("PT").unwrap();
    let (number, unit) = text.split_at(text.len() - 1);
    match (number.parse::<u32>(), unit) {
        (Ok(number), "H") => format!("{number} h"),
        (Ok(number), "M") => format!("{number} min"),
        (Ok(number), "S") => format!("{number} s"),
        (Err(_), "S") => format!("{} ms", number.parse::<f64>().unwrap() * 1000.0),
        _ => panic!("{iso}"),
    }
}

/// The lines about the options of catalogs.
pub(super) async fn catalog_rows(probe: &Probe) -> Vec<String> {
    let mut lines = Vec::new();
    let mut faults = Vec::new();
    for option in catalog_options() {
        let own: &[&str] = match option.key.as_str() {
            "warehouse" => &[""],
            "metastore" => &["hive", "jdbc", "rest"],
            _ => &[],
        };
        let mut values: Vec<String> = own.iter().map(|v| (*v).to_owned()).collect();
        if values.is_empty() {
            values = good(option);
        }
        let mut effects: Vec<String> = Vec::new();
        for value in &values {
            let name = probe.name();
            let place = probe.warehouse.path(&name);
            let secret = format!("= '{value}'");
            let more = match option.key.as_str() {
                "warehouse" => String::new(),
                key => format!(", '{key}' = '{value}'"),
            };
            let sql = format!(
                "CREATE CATALOG {name} WITH ('type' = 'paimon', 'warehouse' = '{place}'{more})"
            );
            let effect = match probe.run(&sql).await {
                Ok((_, said)) => match said.as_slice() {
                    [] => "acts".to_owned(),
                    [said] if said.contains(&option.key) => {
                        let reason = said.split_once("this version: ").unwrap().1;
                        format!("kept: {reason}")
                    }
                    _ => panic!("{}: {said:?}", option.key),
                },
                Err(error) if error.to_string().contains(&option.key) => {
                    let shown = option.value_type == "String" && option.key != "metastore";
                    assert!(!(shown && error.to_string().contains(&secret)), "{error}");
                    "not made".to_owned()
                }
                Err(error) => panic!("{}: {error}", option.key),
            };
            let quiet = ["warehouse", "case-sensitive"].contains(&option.key.as_str());
            if effect == "acts" && !quiet {
                faults.push(format!("catalog option {} = {value} is silent", option.key));
            }
            if !effects.contains(&effect) {
                effects.push(effect);
            }
        }
        lines.push(format!("{} {} |", name_and_type(option), effects.join("; ")));
        if option.value_type == "Boolean" {
            let name = probe.name();
            let place = probe.warehouse.path(&name);
            let bad = format!(
                "CREATE CATALOG {name} WITH ('type' = 'paimon', 'warehouse' = '{place}', '{}' = 'maybe')",
                option.key
            );
            let error = probe.run(&bad).await.unwrap_err().to_string();
            assert!(error.contains(&option.key) && error.contains("true"), "{error}");
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(lines.len(), 42);
    lines
}

/// Compares the page with what was found, or writes it.
pub(super) fn compare(mut rows: Vec<Row>, catalogs: &[String]) {
    rows.sort_by(|a, b| a.option.key.cmp(&b.option.key));
    let mut page = HEAD.to_owned();
    for row in &rows {
        let changes = if row.option.immutable { "fixed" } else { "" };
        writeln!(page, "{} {changes} | {} |", name_and_type(row.option), row.effect()).unwrap();
    }
    page.push_str(CATALOGS);
    for line in catalogs {
        writeln!(page, "{line}").unwrap();
    }
    let page: String = page
        .lines()
        .map(|line| line.replace("|  |", "| |").replace("|  |", "| |") + "\n")
        .collect();
    hold_page("docs/user/options.md", &page);
}
