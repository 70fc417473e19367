//! A table definition that a user gives, checked and turned into the first schema.
//!
//! Format: `docs/spec/schema.md#creation`. Source: Paimon 1.4.2 `Schema`, `SchemaValidation`.

use super::validate::validate;
use super::{CURRENT_VERSION, TableSchema};
use crate::error::SpecError;
use crate::options::{Options, check_ddl};
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
        take_keys_from_options(
            &mut self.options,
            &mut self.primary_keys,
            &mut self.partition_keys,
        )?;
        for (key, value) in self.options.iter() {
            check_ddl(key, value)?;
        }
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
        validate(&schema)?;
        Ok(schema)
    }
}

/// Moves the options `primary-key` and `partition` to the key lists.
pub(super) fn take_keys_from_options(
    options: &mut Options,
    primary_keys: &mut Vec<String>,
    partition_keys: &mut Vec<String>,
) -> Result<(), SpecError> {
    for (key, target) in [("primary-key", primary_keys), ("partition", partition_keys)] {
        let Some(list) = options.remove(key) else { continue };
        if !target.is_empty() {
            return Err(SpecError::Option {
                key: key.into(),
                reason: "is also given by the statement: leave one of them out".into(),
            });
        }
        let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        *target = names.map(str::to_owned).collect();
    }
    Ok(())
}

/// Gives the fields of nested rows the next ids: what is inside of a field before the field.
///
/// Source: Paimon 1.4.2 `ReassignFieldId`.
pub(super) fn assign_ids(data_type: DataType, next: &mut i32) -> DataType {
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
                    let data_type = assign_ids(f.data_type, next);
                    let id = *next;
                    *next += 1;
                    DataField { id, data_type, ..f }
                })
                .collect(),
        ),
        other => other,
    };
    DataType { kind, nullable: data_type.nullable }
}

#[cfg(test)]
mod tests;
