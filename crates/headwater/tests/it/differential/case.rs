//! One comparison: a table and what is committed to it. Cases are JSON, so that they can be kept.

use serde_json::{Value, json};

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Java,
    We,
}

/// What is compacted after a commit, in both tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compaction {
    None,
    /// What its strategy picks.
    Picked,
    Full,
}

/// One commit to both tables.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    /// Changes of the schema before it, as the oracle's `alter` takes them.
    pub(super) alter: Vec<Value>,
    /// `{"kind":"+I","row":{...}}`
    pub(super) rows: Vec<Value>,
    /// In how many batches we write the rows.
    pub(super) batches: usize,
    /// Who writes them to our table. To Java's it is always Java.
    pub(super) by: Engine,
    pub(super) compaction: Compaction,
}

/// A table and its commits.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// As the oracle's `create` takes it.
    pub(super) schema: Value,
    /// Who creates Java's table, and who creates ours.
    pub(super) makers: [Engine; 2],
    pub(super) commits: Vec<Commit>,
}

impl Case {
    pub(super) fn option(&self, key: &str) -> Option<&str> {
        self.schema["options"][key].as_str()
    }

    pub(super) fn is_true(&self, key: &str) -> bool {
        self.option(key) == Some("true")
    }

    /// Names in a list of the schema (`pk`, `partition`).
    pub(super) fn names(&self, list: &str) -> Vec<&str> {
        self.schema[list].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether the schema changes between commits.
    pub(super) fn is_altered(&self) -> bool {
        self.commits.iter().any(|c| !c.alter.is_empty())
    }

    /// Names of all columns that the table has from its start.
    pub(super) fn columns(&self) -> Vec<&str> {
        let fields = self.schema["fields"].as_array().into_iter().flatten();
        fields.filter_map(|f| f["name"].as_str()).collect()
    }

    pub(super) fn from_json(json: &Value) -> Self {
        let commits = json["commits"].as_array().unwrap();
        Self {
            schema: json["schema"].clone(),
            makers: [0, 1].map(|i| Engine::of(&json["makers"][i])),
            commits: commits.iter().map(Commit::from_json).collect(),
        }
    }

    /// The JSON with a line for each column, option and row.
    pub(super) fn pretty(&self) -> String {
        let lines = |values: Vec<String>, indent: &str| {
            values.iter().map(|v| format!("\n{indent}{v}")).collect::<Vec<_>>().join(",")
        };
        let list = |value: &Value| {
            value.as_array().into_iter().flatten().map(Value::to_string).collect::<Vec<_>>()
        };
        let options = self.schema["options"].as_object().into_iter().flatten();
        let options = options.map(|(k, v)| format!("{}: {v}", Value::from(k.as_str())));
        let commits = self.commits.iter().map(|commit| {
            let json = commit.to_json();
            let head = format!(
                "\"alter\": {}, \"batches\": {}, \"by\": {}, \"compaction\": {}",
                json["alter"], json["batches"], json["by"], json["compaction"]
            );
            format!("{{{head}, \"rows\": [{}]}}", lines(list(&json["rows"]), "    "))
        });
        format!(
            "{{\"schema\": {{\"pk\": {}, \"partition\": {},\n \"fields\": [{}],\n \"options\": {{{}}}}},\n \
             \"makers\": {},\n \"commits\": [{}]}}\n",
            self.schema["pk"],
            self.schema["partition"],
            lines(list(&self.schema["fields"]), "  "),
            lines(options.collect(), "  "),
            json!(self.makers.map(Engine::text)),
            lines(commits.collect(), "  "),
        )
    }
}

impl Commit {
    fn to_json(&self) -> Value {
        let compaction = match self.compaction {
            Compaction::None => "none",
            Compaction::Picked => "picked",
            Compaction::Full => "full",
        };
        json!({
            "alter": self.alter,
            "batches": self.batches,
            "by": self.by.text(),
            "compaction": compaction,
            "rows": self.rows,
        })
    }

    fn from_json(json: &Value) -> Self {
        Self {
            alter: json["alter"].as_array().cloned().unwrap_or_default(),
            rows: json["rows"].as_array().unwrap().clone(),
            batches: usize::try_from(json["batches"].as_u64().unwrap()).unwrap(),
            by: Engine::of(&json["by"]),
            compaction: match json["compaction"].as_str().unwrap() {
                "none" => Compaction::None,
                "picked" => Compaction::Picked,
                "full" => Compaction::Full,
                other => panic!("compaction {other}"),
            },
        }
    }
}

impl Engine {
    const fn text(self) -> &'static str {
        match self {
            Self::Java => "java",
            Self::We => "we",
        }
    }

    fn of(json: &Value) -> Self {
        match json.as_str().unwrap() {
            "java" => Self::Java,
            "we" => Self::We,
            other => panic!("engine {other}"),
        }
    }
}
