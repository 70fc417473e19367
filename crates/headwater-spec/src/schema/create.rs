//! A table definition that a user gives, checked and turned into the first schema.
//!
//! Format: `docs/spec/schema.md#creation`. Source: Paimon 1.4.2 `Schema`, `SchemaValidation`.

use std::collections::HashSet;

use super::{CURRENT_VERSION, TableSchema};
use crate::error::SpecError;
use crate::options::{Options, TableOptions, check_ddl};
use crate::types::{DataField, DataType, TypeKind};

/// A column of a new table.
#[derive(Debug, Clone, PartialEq)]
pub struct NewColumn {
    /// Name.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// Comment.
    pub comment: Option<String>,
    /// Value for rows that give none, as text.
    pub default_value: Option<String>,
}

/// A table to be created.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewTable {
    /// Columns in order.
    pub columns: Vec<NewColumn>,
    /// Partition columns in order.
    pub partition_keys: Vec<String>,
    /// Primary key columns in order.
    pub primary_keys: Vec<String>,
    /// Options.
    pub options: Options,
    /// Comment of the table.
    pub comment: Option<String>,
}

const RESERVED: [&str; 5] = ["_SEQUENCE_NUMBER", "_VALUE_KIND", "_LEVEL", "rowkind", "_ROW_ID"];

impl NewTable {
    /// A table without columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>, data_type: DataType) -> Self {
        self.columns.push(NewColumn {
            name: name.into(),
            data_type,
            comment: None,
            default_value: None,
        });
        self
    }

    /// Sets the primary key.
    #[must_use]
    pub fn primary_key<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.primary_keys = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the partition columns.
    #[must_use]
    pub fn partitioned_by<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.partition_keys = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Sets an option.
    #[must_use]
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(key, value);
        self
    }

    /// Checks the definition and makes schema 0 of it: key columns become NOT NULL, columns and
    /// nested fields get their ids.
    ///
    /// # Errors
    /// [`SpecError::Definition`] or [`SpecError::Option`] names the column or option.
    pub fn into_schema(mut self, time_millis: i64) -> Result<TableSchema, SpecError> {
        self.take_keys_from_options()?;
        for (key, value) in self.options.iter() {
            check_ddl(key, value)?;
        }
        self.check_names()?;
        self.check_keys()?;
        let mut next_id = 0;
        let mut fields = Vec::new();
        for column in self.columns {
            let is_key = self.primary_keys.contains(&column.name);
            let id = next_id;
            next_id += 1;
            let mut data_type = assign_ids(column.data_type, &mut next_id);
            data_type.nullable &= !is_key;
            fields.push(DataField {
                id,
                name: column.name,
                data_type,
                description: column.comment,
                default_value: column.default_value,
            });
        }
        let schema = TableSchema {
            version: CURRENT_VERSION,
            id: 0,
            fields,
            highest_field_id: next_id - 1,
            partition_keys: self.partition_keys,
            primary_keys: self.primary_keys,
            options: self.options,
            comment: self.comment,
            time_millis,
            unknown: serde_json::Map::new(),
        };
        check_buckets(&schema)?;
        check_options(&schema)?;
        Ok(schema)
    }

    fn take_keys_from_options(&mut self) -> Result<(), SpecError> {
        for (key, target) in
            [("primary-key", &mut self.primary_keys), ("partition", &mut self.partition_keys)]
        {
            let Some(list) = self.options.remove(key) else { continue };
            if !target.is_empty() {
                return Err(SpecError::Option {
                    key: key.into(),
                    reason: "is also given by the statement: leave one of them out".into(),
                });
            }
            *target = list.split(',').map(|c| c.trim().to_owned()).collect();
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), SpecError> {
        if self.columns.is_empty() {
            return Err(definition("a table needs at least one column"));
        }
        let mut seen = HashSet::new();
        for column in &self.columns {
            let name = &column.name;
            if name.is_empty() {
                return Err(definition("a column has an empty name"));
            }
            if RESERVED.contains(&name.as_str()) || name.starts_with("_KEY_") {
                return Err(definition(format!("column name '{name}' is reserved")));
            }
            if !seen.insert(name) {
                return Err(definition(format!("column '{name}' is defined twice")));
            }
            check_type(name, &column.data_type)?;
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), SpecError> {
        for (what, keys) in
            [("primary key", &self.primary_keys), ("partition", &self.partition_keys)]
        {
            let mut seen = HashSet::new();
            for key in keys {
                let column = self.columns.iter().find(|c| &c.name == key).ok_or_else(|| {
                    definition(format!("{what} column '{key}' is not a column of the table"))
                })?;
                if !column.data_type.kind.can_be_key() {
                    return Err(definition(format!(
                        "{what} column '{key}' has type {}, which cannot be a key",
                        column.data_type
                    )));
                }
                if !seen.insert(key) {
                    return Err(definition(format!("{what} column '{key}' is given twice")));
                }
            }
        }
        if !self.primary_keys.is_empty()
            && self.primary_keys.iter().all(|k| self.partition_keys.contains(k))
        {
            return Err(definition(
                "the primary key has only partition columns: each partition would hold one row; add a column to the key",
            ));
        }
        Ok(())
    }
}

fn definition(reason: impl Into<String>) -> SpecError {
    SpecError::Definition { reason: reason.into() }
}

fn check_type(column: &str, data_type: &DataType) -> Result<(), SpecError> {
    match &data_type.kind {
        TypeKind::Char(0) | TypeKind::VarChar(0) | TypeKind::Binary(0) | TypeKind::VarBinary(0) => {
            Err(definition(format!("column '{column}': length 0 is not allowed")))
        }
        TypeKind::Array(e) | TypeKind::Multiset(e) | TypeKind::Vector(e, _) => {
            check_type(column, e)
        }
        TypeKind::Map(k, v) => {
            check_type(column, k)?;
            check_type(column, v)
        }
        TypeKind::Row(fields) => {
            let mut seen = HashSet::new();
            for field in fields {
                if !seen.insert(&field.name) {
                    return Err(definition(format!(
                        "column '{column}': field '{}' is defined twice",
                        field.name
                    )));
                }
                check_type(column, &field.data_type)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Gives the fields of nested rows the next ids, depth first.
fn assign_ids(data_type: DataType, next: &mut i32) -> DataType {
    let kind = match data_type.kind {
        TypeKind::Array(e) => TypeKind::Array(Box::new(assign_ids(*e, next))),
        TypeKind::Multiset(e) => TypeKind::Multiset(Box::new(assign_ids(*e, next))),
        TypeKind::Vector(e, n) => TypeKind::Vector(Box::new(assign_ids(*e, next)), n),
        TypeKind::Map(k, v) => {
            let key = Box::new(assign_ids(*k, next));
            TypeKind::Map(key, Box::new(assign_ids(*v, next)))
        }
        TypeKind::Row(fields) => TypeKind::Row(
            fields
                .into_iter()
                .map(|f| {
                    let id = *next;
                    *next += 1;
                    DataField { id, data_type: assign_ids(f.data_type, next), ..f }
                })
                .collect(),
        ),
        other => other,
    };
    DataType { kind, nullable: data_type.nullable }
}

fn check_buckets(schema: &TableSchema) -> Result<(), SpecError> {
    let options = TableOptions::parse(schema)?;
    let keyed = !schema.primary_keys.is_empty();
    let refuse = |reason: String| Err(SpecError::Option { key: "bucket".into(), reason });
    match options.bucket {
        -1 | 1.. => {}
        -2 if keyed => {}
        -2 => return refuse("-2 (postpone) needs a primary key".into()),
        n => {
            return refuse(format!("{n} is neither a number of buckets (1 or more) nor -1 nor -2"));
        }
    }
    let refuse = |reason: String| Err(SpecError::Option { key: "bucket-key".into(), reason });
    let Some(keys) = schema.options.get("bucket-key").filter(|k| !k.trim().is_empty()) else {
        if !keyed && options.bucket > 0 {
            return refuse(format!(
                "an append table with 'bucket' = '{}' needs it: name the columns that decide the bucket",
                options.bucket
            ));
        }
        return Ok(());
    };
    if options.bucket == -1 {
        return refuse("is not allowed with 'bucket' = '-1'; set a number of buckets".into());
    }
    let mut seen = HashSet::new();
    for key in keys.split(',').map(str::trim) {
        let Some(field) = schema.field(key) else {
            return refuse(format!("'{key}' is not a column of the table"));
        };
        if !seen.insert(key) {
            return refuse(format!("'{key}' is given twice"));
        }
        if schema.partition_keys.iter().any(|p| p == key) {
            return refuse(format!("'{key}' is a partition column"));
        }
        if keyed && !schema.primary_keys.iter().any(|p| p == key) {
            return refuse(format!("'{key}' is not part of the primary key"));
        }
        if !field.data_type.kind.can_be_key() {
            return refuse(format!("'{key}' has type {}, which cannot be a key", field.data_type));
        }
    }
    Ok(())
}

fn check_options(schema: &TableSchema) -> Result<(), SpecError> {
    let keyed = !schema.primary_keys.is_empty();
    let option = |key: &str| schema.options.get(key).map(|v| v.trim().to_lowercase());
    let refuse = |key: &str, reason: String| Err(SpecError::Option { key: key.into(), reason });
    if let Some(producer) = option("changelog-producer")
        && producer != "none"
        && !keyed
    {
        return refuse("changelog-producer", format!("'{producer}' needs a primary key"));
    }
    if option("partition.expiration-time").is_some() && schema.partition_keys.is_empty() {
        return refuse(
            "partition.expiration-time",
            "the table has no partitions: add PARTITIONED BY (…)".into(),
        );
    }
    for key in ["rowkind.field", "record-level.time-field"] {
        if let Some(column) = schema.options.get(key)
            && schema.field(column).is_none()
        {
            return refuse(key, format!("'{column}' is not a column of the table"));
        }
    }
    if let Some(columns) = schema.options.get("sequence.field") {
        for column in columns.split(',').map(str::trim) {
            if schema.field(column).is_none() {
                return refuse(
                    "sequence.field",
                    format!("'{column}' is not a column of the table"),
                );
            }
        }
    }
    for (key, _) in schema.options.iter() {
        let column = key.strip_prefix("fields.").and_then(|rest| rest.rsplit_once('.'));
        if let Some((columns, _)) = column
            && key != "fields.default-aggregate-function"
        {
            for column in columns.split(',') {
                if schema.field(column).is_none() {
                    return refuse(key, format!("'{column}' is not a column of the table"));
                }
            }
        }
    }
    if option("path").is_some() {
        return refuse("path", "the catalog decides where a table lies; leave it out".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
