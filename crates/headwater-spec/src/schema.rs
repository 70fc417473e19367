//! The schema document: columns, keys and options of a table.
//!
//! Format: `docs/spec/schema.md`. Source: Paimon 1.4.2 `TableSchema`, `SchemaSerializer`.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::SpecError;
use crate::options::Options;
use crate::types::{DataField, RowType};

mod change;
mod create;
mod engine;
mod features;
mod json_text;
mod nested;
mod rename;
mod validate;

pub use change::{Position, SchemaChange, type_changes};
pub use create::{NewColumn, NewTable};
pub(crate) use json_text::check_document;
pub use validate::validate;

/// Version of the documents that this program writes.
pub const CURRENT_VERSION: i32 = 3;

/// One version of a table's definition.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSchema {
    /// Version of the document; 1 if the document has none.
    pub version: i32,
    /// 0, 1, 2, ...; equals the number in the file name.
    pub id: i64,
    /// Columns.
    pub fields: Vec<DataField>,
    /// Largest field id ever used.
    pub highest_field_id: i32,
    /// Partition columns in order.
    pub partition_keys: Vec<String>,
    /// Primary key columns in order; empty for append tables.
    pub primary_keys: Vec<String>,
    /// Options as stored.
    pub options: Options,
    /// Comment of the table.
    pub comment: Option<String>,
    /// When it was made, milliseconds since 1970 UTC.
    pub time_millis: i64,
    /// Keys that this version does not know, kept when the document is written again.
    pub unknown: Map<String, Value>,
}

const KNOWN_KEYS: [&str; 9] = [
    "version",
    "id",
    "fields",
    "highestFieldId",
    "partitionKeys",
    "primaryKeys",
    "options",
    "comment",
    "timeMillis",
];

impl TableSchema {
    /// Reads a schema document.
    ///
    /// Documents of version 1 without `bucket` have one bucket, documents up to version 2 without
    /// `file.format` have ORC files: [`Self::option`] answers so, the stored options stay.
    ///
    /// # Errors
    /// [`SpecError::Json`] names the missing or wrong key.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SpecError> {
        check_document("schema", bytes)?;
        let document: Value = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
        let object = document.as_object().ok_or_else(|| wrong("not an object"))?;
        let need = |key: &str| object.get(key).ok_or_else(|| wrong(format!("no \"{key}\"")));
        let list =
            |key: &str| need(key)?.as_array().ok_or_else(|| wrong(format!("{key}: no list")));
        let names = |key: &str| {
            list(key)?
                .iter()
                .map(|v| v.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| wrong(format!("{key}: not a list of names")))
        };
        let int = |key: &str| {
            need(key)?.as_i64().ok_or_else(|| wrong(format!("{key}: not a whole number")))
        };
        let small = |key: &str, n: i64| {
            i32::try_from(n).map_err(|_| wrong(format!("{key}: {n} is out of range")))
        };
        let optional =
            |key: &str, default: i64| object.get(key).and_then(Value::as_i64).unwrap_or(default);
        let mut options = Options::default();
        let stored = need("options")?.as_object().ok_or_else(|| wrong("options: no object"))?;
        for (key, value) in stored {
            let text = value.as_str().ok_or_else(|| wrong(format!("option {key}: not a text")))?;
            options.insert(key.clone(), text);
        }
        let schema = Self {
            version: small("version", optional("version", 1))?,
            id: int("id")?,
            fields: list("fields")?.iter().map(DataField::from_json).collect::<Result<_, _>>()?,
            highest_field_id: small("highestFieldId", int("highestFieldId")?)?,
            partition_keys: names("partitionKeys")?,
            primary_keys: names("primaryKeys")?,
            options,
            comment: object.get("comment").and_then(Value::as_str).map(str::to_owned),
            time_millis: optional("timeMillis", 0),
            unknown: object
                .iter()
                .filter(|(k, _)| !KNOWN_KEYS.contains(&k.as_str()))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
        };
        schema.check_columns()?;
        Ok(schema)
    }

    /// The document, byte for byte as Java prints it.
    ///
    /// # Errors
    /// [`SpecError::Json`] if a value cannot be printed.
    pub fn to_json(&self) -> Result<String, SpecError> {
        let texts =
            |list: &[String]| -> Value { list.iter().cloned().map(Value::String).collect() };
        let mut out = Map::new();
        out.insert("version".into(), self.version.into());
        out.insert("id".into(), self.id.into());
        out.insert("fields".into(), self.fields.iter().map(DataField::to_json).collect());
        out.insert("highestFieldId".into(), self.highest_field_id.into());
        out.insert("partitionKeys".into(), texts(&self.partition_keys));
        out.insert("primaryKeys".into(), texts(&self.primary_keys));
        let options: Map<String, Value> =
            self.options.iter().map(|(k, v)| (k.to_owned(), Value::String(v.to_owned()))).collect();
        out.insert("options".into(), Value::Object(options));
        if let Some(comment) = &self.comment {
            out.insert("comment".into(), comment.clone().into());
        }
        out.insert("timeMillis".into(), self.time_millis.into());
        out.extend(self.unknown.clone());
        pretty("schema", &Value::Object(out))
    }

    /// The columns and the options as JSON on one line each, as system tables show them.
    #[must_use]
    pub fn flat_json(&self) -> (String, String) {
        let fields: Value = self.fields.iter().map(DataField::to_json).collect();
        let options: Map<String, Value> =
            self.options.iter().map(|(k, v)| (k.to_owned(), Value::String(v.to_owned()))).collect();
        (fields.to_string(), Value::Object(options).to_string())
    }

    fn check_columns(&self) -> Result<(), SpecError> {
        for key in self.partition_keys.iter().chain(&self.primary_keys) {
            if !self.fields.iter().any(|f| &f.name == key) {
                return Err(wrong(format!("key column {key:?} is not among the fields")));
            }
        }
        Ok(())
    }

    /// A stored option, or what its absence means in this version of the document.
    #[must_use]
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.get(key).or(match key {
            "bucket" if self.version <= 1 => Some("1"),
            "file.format" if self.version <= 2 => Some("orc"),
            _ => None,
        })
    }

    /// The columns.
    #[must_use]
    pub fn row_type(&self) -> RowType {
        RowType::new(self.fields.clone())
    }

    /// The column `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&DataField> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// Primary key without the partition columns, in primary key order: the key inside a bucket.
    #[must_use]
    pub fn trimmed_primary_keys(&self) -> Vec<String> {
        self.primary_keys.iter().filter(|k| !self.partition_keys.contains(k)).cloned().collect()
    }

    /// Whether rows of one primary key may come for different partitions: it lacks a partition
    /// column.
    #[must_use]
    pub fn keys_cross_partitions(&self) -> bool {
        !self.primary_keys.is_empty()
            && self.partition_keys.iter().any(|column| !self.primary_keys.contains(column))
    }

    /// Columns that decide the bucket: `bucket-key`, else the trimmed primary key.
    #[must_use]
    pub fn bucket_keys(&self) -> Vec<String> {
        match self.options.get("bucket-key") {
            Some(keys) if !keys.trim().is_empty() => {
                keys.split(',').map(|k| k.trim().to_owned()).collect()
            }
            _ => self.trimmed_primary_keys(),
        }
    }

    /// The named columns, in the given order.
    ///
    /// # Errors
    /// [`SpecError::Definition`] names a column that is not there.
    pub fn columns(&self, names: &[String]) -> Result<Vec<DataField>, SpecError> {
        names
            .iter()
            .map(|name| {
                self.field(name).cloned().ok_or_else(|| SpecError::Definition {
                    reason: format!("there is no column '{name}'"),
                })
            })
            .collect()
    }
}

fn wrong(reason: impl Into<String>) -> SpecError {
    SpecError::Json { what: "schema", reason: reason.into() }
}

/// Prints a document as Java's Jackson does: two spaces, `"key" : value`, lists on one line.
pub(crate) fn pretty(what: &'static str, value: &impl Serialize) -> Result<String, SpecError> {
    let value =
        serde_json::to_value(value).map_err(|e| SpecError::Json { what, reason: e.to_string() })?;
    let mut out = String::new();
    json_text::print(&value, 0, &mut out);
    Ok(out)
}
