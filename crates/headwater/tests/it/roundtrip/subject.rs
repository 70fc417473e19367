//! A table that both engines write in turns, beside a model of its rows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use headwater::canonical::Lines;
use headwater::{Overwrite, Table};
use headwater_testkit::{Oracle, TempDir};
use serde_json::{Value, json};

use crate::rows::{batch, create, definition, lines, open_unsynced, partition_spec, run, write};

/// The table and what it should hold.
pub(super) struct Subject {
    _warehouse: TempDir,
    oracle: &'static Oracle,
    /// The table's directory.
    pub(super) dir: PathBuf,
    /// As we opened it.
    pub(super) table: Table,
    keys: Vec<String>,
    /// Rows by key; those without a key by their number.
    model: BTreeMap<String, Value>,
    rows_seen: usize,
    commits: i64,
}

impl Subject {
    /// A new table, made by us; `schema` as the oracle's `create` takes it.
    pub(super) fn new(oracle: &'static Oracle, schema: &Value) -> Self {
        let warehouse = TempDir::new();
        let made = run(create(warehouse.path(), "t", &definition(schema)));
        made.unwrap_or_else(|e| panic!("{schema}: {e}"));
        let table = open_unsynced(&warehouse.join("golden.db/t"));
        Self {
            oracle,
            dir: warehouse.join("golden.db/t"),
            keys: table.schema().primary_keys.clone(),
            model: BTreeMap::new(),
            rows_seen: 0,
            commits: 0,
            table,
            _warehouse: warehouse,
        }
    }

    /// A commit of ours.
    pub(super) fn we_write(&mut self, rows: &[Value]) -> &mut Self {
        self.we_replace(rows, Overwrite::None, |_| false)
    }

    /// A commit of ours that replaces the rows for which `gone` holds.
    pub(super) fn we_replace(
        &mut self,
        rows: &[Value],
        how: Overwrite,
        gone: impl Fn(&Value) -> bool,
    ) -> &mut Self {
        self.commits += 1;
        let done = run(write(&self.table, "we", self.commits, rows, how));
        done.unwrap_or_else(|e| panic!("commit {}: {e}", self.commits));
        self.model.retain(|_, line| !gone(&line["row"]));
        self.note(rows);
        self
    }

    /// A commit of Java's.
    pub(super) fn java_writes(&mut self, rows: &[Value]) -> &mut Self {
        self.oracle.commit(&self.dir, rows);
        self.note(rows);
        self
    }

    /// An overwrite by Java, of the rows for which `gone` holds.
    pub(super) fn java_replaces(
        &mut self,
        how: &Value,
        rows: &[Value],
        gone: impl Fn(&Value) -> bool,
    ) -> &mut Self {
        let mut more = how.clone();
        more["rows"] = json!(rows);
        self.oracle.done("overwrite", &self.dir, &more);
        self.model.retain(|_, line| !gone(&line["row"]));
        self.note(rows);
        self
    }

    /// A full compaction by Java.
    pub(super) fn java_compacts(&mut self) -> &mut Self {
        self.oracle.compact(&self.dir, true);
        self
    }

    /// Java and we find the rows of the model, and Java finds nothing wrong.
    pub(super) fn agrees(&mut self) -> &mut Self {
        let table = &self.table;
        let place = || format!("{:?} after our commit {}", table.schema().options, self.commits);
        let ours = run(lines(table)).unwrap_or_else(|e| panic!("{}: {e}", place()));
        let problems = self.oracle.check(&self.dir);
        assert!(problems.is_empty(), "{}: {problems:#?}", place());
        let java = self.oracle.read(&self.dir);
        assert_eq!(ours, java, "{}: we (left) and Java (right)", place());
        let ours = without_kinds(ours);
        assert_eq!(ours, self.expected(), "{}: we (left) and the model (right)", place());
        self
    }

    /// Three turns of both engines, a compaction, and a turn on top. `rows` gives those of a
    /// commit, numbered from 0.
    pub(super) fn takes_turns(&mut self, rows: impl Fn(usize) -> Vec<Value>) -> &mut Self {
        for turn in 0..3 {
            self.we_write(&rows(2 * turn)).agrees();
            self.java_writes(&rows(2 * turn + 1)).agrees();
        }
        self.java_compacts().agrees();
        self.we_write(&rows(6)).agrees()
    }

    /// Opens the table again, by its path.
    pub(super) fn reopened(&mut self) -> &mut Self {
        self.table = open_unsynced(&self.dir);
        self
    }

    /// All metadata, as Java reads it.
    pub(super) fn metadata(&self) -> Vec<Value> {
        self.oracle.files(&self.dir)
    }

    /// Where the table is.
    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    /// Partition values for an overwrite.
    pub(super) fn partition(&self, spec: &Value) -> Overwrite {
        Overwrite::Static(partition_spec(&self.table, spec.as_object().unwrap()))
    }

    fn note(&mut self, rows: &[Value]) {
        for given in rows {
            let (kind, row) = match given.get("kind") {
                Some(kind) => (kind.as_str().unwrap(), &given["row"]),
                None => ("+I", given),
            };
            let key = if self.keys.is_empty() {
                self.rows_seen += 1;
                format!("{:09}", self.rows_seen)
            } else {
                self.keys.iter().map(|k| format!("{};", row[k])).collect()
            };
            if kind.starts_with('-') {
                self.model.remove(&key);
            } else {
                self.model.insert(key, json!({ "kind": kind, "row": row }));
            }
        }
    }

    fn expected(&self) -> Vec<String> {
        let rows: Vec<Value> = self.model.values().cloned().collect();
        let (batch, kinds) = batch(&self.table, &rows);
        let mut lines = Lines::default();
        lines.add(&batch, &self.table.row_type().fields, Some(&kinds)).unwrap();
        let lines = lines.sorted();
        without_kinds(lines.iter().map(|l| String::from_utf8(l.to_vec()).unwrap()).collect())
    }
}

/// Lines with +U as +I: the model does not know when a compaction settles the kind.
fn without_kinds(mut lines: Vec<String>) -> Vec<String> {
    for line in &mut lines {
        *line = line.replacen("\"+U\"", "\"+I\"", 1);
    }
    lines.sort();
    lines
}

/// Columns `(name, type)` as the oracle's `create` takes them.
pub(super) fn columns(columns: &[(&str, &str)]) -> Value {
    columns.iter().map(|(name, t)| json!({ "name": name, "type": t })).collect()
}

/// A table definition as the oracle's `create` takes it.
pub(super) fn schema(
    fields: &[(&str, &str)],
    pk: &[&str],
    part: &[&str],
    options: &Value,
) -> Value {
    json!({ "fields": columns(fields), "pk": pk, "partition": part, "options": options })
}

/// A change of a row.
pub(super) fn change(kind: &str, row: &Value) -> Value {
    json!({ "kind": kind, "row": row })
}
