//! Random tables: key shapes, merge engines, options, columns.

use serde_json::{Map, Value, json};

use super::case::{Case, Engine};
use super::functions::{FUNCTIONS, aggregate, retracts};
use super::rng::Rng;
use super::values::{self, Domain};
use super::{changes, exclusions};

/// A column and how its values are drawn.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) domain: Domain,
    /// Percent of nulls; 0 for NOT NULL.
    pub(super) nulls: usize,
    not_null: bool,
}

/// A table that is being made up.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) rng: Rng,
    pub(super) columns: Vec<Column>,
    pk: Vec<String>,
    partition: Vec<String>,
    options: Map<String, Value>,
}

/// From which number on a table is one of `first-row`.
const FIRST_ROW: usize = 18;

/// The case of a seed, and how many rows of its changelog were left out by the exclusions.
pub(super) fn generate(seed: u64) -> (Case, usize) {
    let mut draft = Draft::new(seed);
    let engine = draft.rng.below(20);
    draft.keys(engine >= FIRST_ROW);
    match engine {
        0..4 => draft.deduplicate(),
        4..12 => draft.partial_update(),
        12..FIRST_ROW => draft.aggregation(),
        _ => draft.first_row(),
    }
    draft.row_kinds();
    draft.limits_of_keyed_arrays();
    if draft.rng.chance(60) {
        let Draft { rng, columns, .. } = &mut draft;
        rng.shuffle(columns);
    }
    let makers = *draft.rng.pick(&[
        [Engine::Java, Engine::We],
        [Engine::Java, Engine::We],
        [Engine::Java, Engine::Java],
        [Engine::We, Engine::We],
    ]);
    let mut case = Case { schema: draft.schema(), makers, commits: Vec::new() };
    case.commits = changes::commits(&mut draft, &case);
    let gone = exclusions::apply(&mut case);
    (case, gone)
}

impl Column {
    /// Whether the column can become a BIGINT: an integer of no key, with a sum that is as long.
    pub(super) fn may_widen(&self) -> bool {
        let is_value = !self.not_null && !self.name.starts_with(['s', 't', 'g', 'k', 'l', 'd']);
        is_value && ["TINYINT", "SMALLINT", "INT"].contains(&self.domain.data_type.as_str())
    }
}

impl Draft {
    /// Adds a nullable INT at the end.
    pub(super) fn add_int(&mut self, name: &str) {
        self.column(name, Domain::new("INT", vec![1.into(), 2.into(), 30.into()]), 30);
    }

    fn new(seed: u64) -> Self {
        let mut options = Map::new();
        options.insert("write-only".to_owned(), json!("true"));
        Self {
            rng: Rng::new(seed),
            columns: Vec::new(),
            pk: Vec::new(),
            partition: Vec::new(),
            options,
        }
    }

    fn schema(&self) -> Value {
        let fields: Vec<Value> = self
            .columns
            .iter()
            .map(|c| {
                let not_null = if c.not_null { " NOT NULL" } else { "" };
                json!({ "name": c.name, "type": format!("{}{not_null}", c.domain.data_type) })
            })
            .collect();
        json!({
            "fields": fields,
            "pk": self.pk,
            "partition": self.partition,
            "options": self.options,
        })
    }

    pub(super) fn option(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.options.insert(key.into(), Value::String(value.into()));
    }

    fn column(&mut self, name: &str, domain: Domain, nulls: usize) {
        self.columns.push(Column { name: name.to_owned(), domain, nulls, not_null: false });
    }

    /// The primary key. `looked_up`: Java's compaction looks keys up, in local files named after
    /// the partition; it fails with a `/` in there, and with keys of bytes.
    fn keys(&mut self, looked_up: bool) {
        if self.rng.chance(12) {
            self.option("data-file.thin-mode", "true");
        }
        let partitioned = self.rng.chance(30);
        if partitioned {
            let mut domain = values::partition(&mut self.rng);
            if looked_up {
                domain.values.retain(|v| v.as_str().is_none_or(|text| !text.contains('/')));
                if domain.values.is_empty() {
                    domain.values.push("p3".into());
                }
            }
            self.column("dt", domain, 0);
            self.partition.push("dt".to_owned());
        }
        for name in ["k", "l"].iter().take(if self.rng.chance(30) { 2 } else { 1 }) {
            let mut domain = values::key(&mut self.rng);
            while looked_up && is_bytes(&domain.data_type) {
                domain = values::key(&mut self.rng);
            }
            self.column(name, domain, 0);
        }
        self.pk = self.columns.iter().map(|c| c.name.clone()).collect();
        if self.rng.chance(20) {
            self.pk.reverse();
        }
        for column in &mut self.columns {
            column.not_null = true;
        }
        if self.rng.chance(25) {
            // Records of a key come in several batches.
            let rows = self.rng.within(1, 6);
            self.option("read.batch-size", rows.to_string());
        }
        let buckets = *self.rng.pick(&["1", "1", "1", "2", "3", "4"]);
        self.option("bucket", buckets);
    }

    /// Value columns `v0`, `v1`, ... of any type.
    fn any_values(&mut self, least: usize, most: usize) {
        for i in 0..self.rng.within(least, most) {
            let domain = values::any(&mut self.rng);
            self.column(&format!("v{i}"), domain, 25);
            if self.rng.chance(8) {
                let column = self.columns.last_mut().unwrap();
                (column.not_null, column.nulls) = (true, 0);
            }
        }
    }

    /// Sequence fields of the table, in `percent` of all tables.
    fn sequence_fields(&mut self, percent: usize) {
        if !self.rng.chance(percent) {
            return;
        }
        let names: &[&str] = if self.rng.chance(70) { &["s"] } else { &["s", "t"] };
        for name in names {
            let domain = values::sequence(&mut self.rng);
            self.column(name, domain, 10);
        }
        self.option("sequence.field", names.join(","));
        if self.rng.chance(25) {
            self.option("sequence.field.sort-order", "descending");
        } else if self.rng.chance(20) {
            self.option("sequence.field.sort-order", "ascending");
        }
    }

    fn ignore_deletes(&mut self, names: &[&str]) {
        let name = *self.rng.pick(names);
        self.option(name, "true");
    }

    fn deduplicate(&mut self) {
        if self.rng.chance(50) {
            self.option("merge-engine", "deduplicate");
        }
        self.any_values(1, 5);
        self.sequence_fields(60);
        if self.rng.chance(20) {
            self.ignore_deletes(&["ignore-delete", "deduplicate.ignore-delete"]);
        }
    }

    fn first_row(&mut self) {
        self.option("merge-engine", "first-row");
        self.any_values(1, 4);
        if self.rng.chance(50) {
            self.ignore_deletes(&["ignore-delete", "first-row.ignore-delete"]);
        }
    }

    fn partial_update(&mut self) {
        self.option("merge-engine", "partial-update");
        self.any_values(1, 4);
        if self.rng.chance(30) {
            self.plain_partial_update();
        } else {
            self.sequence_groups();
        }
    }

    fn plain_partial_update(&mut self) {
        self.sequence_fields(30);
        match self.rng.below(4) {
            0 => self.ignore_deletes(&["ignore-delete", "partial-update.ignore-delete"]),
            1 | 2 => self.option("partial-update.remove-record-on-delete", "true"),
            _ => {}
        }
        if self.rng.chance(20) {
            self.option("fields.default-aggregate-function", "last_non_null_value");
        }
    }

    fn sequence_groups(&mut self) {
        let groups = self.rng.within(1, 2);
        let mut sequences = Vec::new();
        let takes_back = self.rng.chance(60);
        for group in 0..groups {
            let fields: Vec<String> =
                (0..self.rng.within(1, 2)).map(|i| format!("g{group}s{i}")).collect();
            for field in &fields {
                let domain = values::sequence(&mut self.rng);
                self.column(field, domain, 15);
            }
            let members: Vec<String> =
                (0..self.rng.within(1, 3)).map(|i| format!("g{group}c{i}")).collect();
            for member in &members {
                self.member(member, takes_back);
            }
            self.option(format!("fields.{}.sequence-group", fields.join(",")), members.join(","));
            sequences.push(fields);
        }
        if self.rng.chance(15) {
            self.option("fields.default-aggregate-function", "last_non_null_value");
        }
        match self.rng.below(5) {
            0 => self.ignore_deletes(&["ignore-delete", "partial-update.ignore-delete"]),
            1 => {
                let fields = self.rng.pick(&sequences).clone();
                let field = self.rng.pick(&fields).clone();
                self.option("partial-update.remove-record-on-sequence-group", field);
            }
            _ => {}
        }
        if self.rng.chance(10) {
            self.sequence_fields(100);
        }
    }

    /// A column of a sequence group, with or without a function.
    fn member(&mut self, name: &str, takes_back: bool) {
        if self.rng.chance(40) {
            let domain = values::any(&mut self.rng);
            self.column(name, domain, 25);
        } else {
            self.aggregated(name, takes_back, true);
        }
    }

    /// A column with a function; `takes_back`: one that lets rows be taken back.
    fn aggregated(&mut self, name: &str, takes_back: bool, may_ignore: bool) {
        let function = *self.rng.pick(FUNCTIONS);
        if takes_back && !retracts(function) {
            if !may_ignore || self.rng.chance(50) {
                return self.aggregated(name, takes_back, may_ignore);
            }
            self.option(format!("fields.{name}.ignore-retract"), "true");
        } else if takes_back && may_ignore && self.rng.chance(10) {
            self.option(format!("fields.{name}.ignore-retract"), "true");
        }
        let aggregate = aggregate(&mut self.rng, function);
        self.column(name, aggregate.domain, 20);
        self.option(format!("fields.{name}.aggregate-function"), aggregate.function);
        for (key, value) in aggregate.options {
            self.option(format!("fields.{name}.{key}"), value);
        }
    }

    fn aggregation(&mut self) {
        self.option("merge-engine", "aggregation");
        let takes_back = self.rng.chance(55);
        let removes = self.rng.chance(20);
        for i in 0..self.rng.within(1, 5) {
            self.aggregated(&format!("a{i}"), takes_back, !removes);
        }
        if self.rng.chance(25) {
            let domain = values::any(&mut self.rng);
            self.column("u", domain, 25);
            let default = *self.rng.pick(&["last_value", "last_non_null_value", "first_value"]);
            if self.rng.chance(50) && (default != "first_value" || !takes_back) {
                self.option("fields.default-aggregate-function", default);
            }
        }
        if removes {
            self.option("aggregation.remove-record-on-delete", "true");
        }
        self.sequence_fields(25);
        if self.rng.chance(8) {
            self.option("ignore-delete", "true");
        }
    }

    /// Which rows `count-limit` lets into an array with `nested-key` depends on the order of Java's
    /// hash map (`compat/deviations.md#reading`), unless each is added as it was written, after
    /// all others: not in groups, nor with a sequence field.
    fn limits_of_keyed_arrays(&mut self) {
        let has = |option: &str| self.options.keys().any(|k| k.ends_with(option));
        if has(".sequence-group") || has("sequence.field") {
            let options = self.options.clone();
            let keyed = |k: &str| {
                let array = k.strip_suffix(".count-limit");
                array.is_some_and(|array| options.contains_key(&format!("{array}.nested-key")))
            };
            self.options.retain(|k, _| !keyed(k));
        }
    }

    /// Options about row kinds that every engine has.
    fn row_kinds(&mut self) {
        if self.rng.chance(12) {
            self.option("ignore-update-before", "true");
        }
        if self.rng.chance(12) {
            let kinds = json!(["+I", "-U", "+U", "-D", "+i", "-d"]);
            let kinds = kinds.as_array().unwrap().clone();
            self.column("kind", Domain::new("STRING", kinds), 0);
            self.option("rowkind.field", "kind");
        }
    }
}

fn is_bytes(data_type: &str) -> bool {
    ["BYTES", "BINARY", "VARBINARY"].iter().any(|t| data_type.starts_with(t))
}
