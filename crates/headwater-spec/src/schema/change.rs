//! Changes of a table's definition: the next schema, or why it must not be.
//!
//! Format: `docs/spec/schema.md#changes`. Source: Paimon 1.4.2 `SchemaManager#generateTableSchema`,
//! `NestedSchemaUtils`.

use super::create::{assign_ids, take_keys_from_options};
use super::nested::{self, ELEMENT, VALUE};
use super::rename::rename_in_options;
use super::validate::{definition, validate};
use super::{CURRENT_VERSION, TableSchema};
use crate::error::SpecError;
use crate::options::{check_change, check_ddl, check_reset, effective_option};
use crate::types::{DataField, DataType, TypeKind, supports_cast};

/// Where a column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// Before all others.
    First,
    /// Behind all others.
    Last,
    /// Behind that one.
    After(String),
    /// Before that one.
    Before(String),
}

/// One change of a table's definition.
///
/// A path is a column's name, followed by the names of nested fields; `element` stands for the
/// elements of an array, `value` for the values of a map.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemaChange {
    /// Sets an option.
    SetOption {
        /// Its key.
        key: String,
        /// Its new value.
        value: String,
    },
    /// Removes an option.
    RemoveOption {
        /// Its key.
        key: String,
    },
    /// Sets or removes the table's comment.
    Comment(Option<String>),
    /// Adds a column or a nested field.
    AddColumn {
        /// Where it is to be.
        path: Vec<String>,
        /// Its type.
        data_type: DataType,
        /// Its comment.
        comment: Option<String>,
        /// Its place among its siblings; behind them unless given.
        position: Option<Position>,
    },
    /// Gives a column or nested field another name.
    RenameColumn {
        /// Which one.
        path: Vec<String>,
        /// Its new name, without a path.
        to: String,
    },
    /// Removes a column or nested field.
    DropColumn {
        /// Which one.
        path: Vec<String>,
    },
    /// Changes a type.
    ColumnType {
        /// Of which column, field, element or value.
        path: Vec<String>,
        /// The new type.
        data_type: DataType,
        /// Leave the nullability as it is.
        keep_nullability: bool,
    },
    /// Allows or forbids null.
    ColumnNullability {
        /// In which column, field, element or value.
        path: Vec<String>,
        /// Whether null is allowed from now on.
        nullable: bool,
    },
    /// Sets or removes a comment.
    ColumnComment {
        /// Of which column or field.
        path: Vec<String>,
        /// The new comment.
        comment: Option<String>,
    },
    /// Sets or removes a default value.
    ColumnDefault {
        /// Of which column or field.
        path: Vec<String>,
        /// The new value, as text.
        value: Option<String>,
    },
    /// Moves a column of the table.
    MoveColumn {
        /// Which one.
        column: String,
        /// Its new place.
        position: Position,
    },
}

impl TableSchema {
    /// The schema after `changes`, in order, with the next id. `None` when they change nothing.
    ///
    /// `has_data`: whether the table has a snapshot; some options must stay then.
    ///
    /// # Errors
    /// [`SpecError::Definition`] or [`SpecError::Option`] says which change is not possible.
    pub fn changed(
        &self,
        changes: &[SchemaChange],
        has_data: bool,
        time_millis: i64,
    ) -> Result<Option<Self>, SpecError> {
        let mut next = self.clone();
        // What the absence of an option means depends on the version of the document.
        for key in ["bucket", "file.format"] {
            if let Some(value) = self.option(key) {
                next.options.insert(key, value);
            }
        }
        let before = next.clone();
        for change in changes {
            next.apply(change, &before, has_data)?;
        }
        take_keys_from_options(
            &mut next.options,
            &mut next.primary_keys,
            &mut next.partition_keys,
        )?;
        for field in &mut next.fields {
            field.data_type.nullable &= !next.primary_keys.contains(&field.name);
        }
        if next == before {
            return Ok(None);
        }
        next.version = next.version.max(CURRENT_VERSION);
        next.id = self.id.checked_add(1).ok_or_else(|| definition("there are too many schemas"))?;
        next.time_millis = time_millis;
        validate(&next)?;
        Ok(Some(next))
    }

    fn apply(
        &mut self,
        change: &SchemaChange,
        before: &Self,
        has_data: bool,
    ) -> Result<(), SpecError> {
        match change {
            SchemaChange::SetOption { key, value } => {
                check_ddl(key, value)?;
                if has_data {
                    check_change(before, key, value)?;
                }
                self.options.insert(key, value);
            }
            SchemaChange::RemoveOption { key } => {
                if has_data {
                    check_reset(before, key)?;
                }
                self.options.remove(key);
            }
            SchemaChange::Comment(comment) => self.comment.clone_from(comment),
            SchemaChange::AddColumn { path, data_type, comment, position } => {
                self.add_column(path, data_type, comment.as_deref(), position.as_ref())?;
            }
            SchemaChange::RenameColumn { path, to } => self.rename_column(path, to)?,
            SchemaChange::DropColumn { path } => self.drop_column(path)?,
            SchemaChange::ColumnType { path, data_type, keep_nullability } => {
                self.change_type(path, data_type, *keep_nullability)?;
            }
            SchemaChange::ColumnNullability { path, nullable } => {
                if *nullable {
                    self.refuse_key(path, true, "made nullable")?;
                }
                self.check_nullability(path, *nullable)?;
                nested::data_type(&mut self.fields, path)?.nullable = *nullable;
            }
            SchemaChange::ColumnComment { path, comment } => {
                nested::field(&mut self.fields, path)?.description.clone_from(comment);
            }
            SchemaChange::ColumnDefault { path, value } => {
                nested::field(&mut self.fields, path)?.default_value.clone_from(value);
            }
            SchemaChange::MoveColumn { column, position } => {
                move_field(&mut self.fields, column, position)?;
            }
        }
        Ok(())
    }

    fn add_column(
        &mut self,
        path: &[String],
        data_type: &DataType,
        comment: Option<&str>,
        position: Option<&Position>,
    ) -> Result<(), SpecError> {
        let shown = path.join(".");
        if !data_type.nullable {
            return Err(definition(format!(
                "column '{shown}' cannot be added as NOT NULL: rows that are there have no value for it"
            )));
        }
        let Some(name) = path.last() else { return Err(definition("a column needs a name")) };
        let before_partition = effective_option(self, "add-column-before-partition")
            == Some("true")
            && path.len() == 1;
        let first_partition_column = before_partition
            .then(|| self.fields.iter().position(|f| self.partition_keys.contains(&f.name)))
            .flatten();
        let too_many = || definition("the table has used up its field ids");
        let id = self.highest_field_id.checked_add(1).ok_or_else(too_many)?;
        let mut next_id = id.checked_add(1).ok_or_else(too_many)?;
        let data_type = assign_ids(data_type.clone(), &mut next_id);
        self.highest_field_id = next_id - 1;
        let siblings = nested::siblings(&mut self.fields, path)?;
        if siblings.iter().any(|f| f.name == *name) {
            return Err(definition(format!("column '{shown}' exists already")));
        }
        let at = match position {
            None => first_partition_column.unwrap_or(siblings.len()),
            Some(position) => place(siblings, position)?,
        };
        siblings.insert(
            at,
            DataField {
                id,
                name: name.clone(),
                data_type,
                description: comment.map(str::to_owned),
                default_value: None,
            },
        );
        Ok(())
    }

    fn rename_column(&mut self, path: &[String], to: &str) -> Result<(), SpecError> {
        if let [column] = path {
            if self.partition_keys.contains(column) {
                return Err(definition(format!("partition column '{column}' cannot be renamed")));
            }
            if self.field(column).is_some_and(|f| matches!(f.data_type.kind, TypeKind::Blob)) {
                return Err(definition(format!("BLOB column '{column}' cannot be renamed")));
            }
        }
        let siblings = nested::siblings(&mut self.fields, path)?;
        if siblings.iter().any(|f| f.name == to) {
            return Err(definition(format!("column '{to}' exists already")));
        }
        nested::field(&mut self.fields, path)?.name = to.to_owned();
        if let [column] = path {
            for key in &mut self.primary_keys {
                if key == column {
                    *key = to.to_owned();
                }
            }
            self.options = rename_in_options(&self.options, column, to);
        }
        Ok(())
    }

    fn drop_column(&mut self, path: &[String]) -> Result<(), SpecError> {
        self.refuse_key(path, true, "dropped")?;
        self.refuse_key(path, false, "dropped")?;
        nested::field(&mut self.fields, path)?;
        let siblings = nested::siblings(&mut self.fields, path)?;
        if siblings.len() == 1 {
            return Err(definition(format!(
                "column '{}' is the last one and cannot be dropped",
                path.join(".")
            )));
        }
        siblings.retain(|f| Some(&f.name) != path.last());
        Ok(())
    }

    fn change_type(
        &mut self,
        path: &[String],
        data_type: &DataType,
        keep_nullability: bool,
    ) -> Result<(), SpecError> {
        self.refuse_key(path, true, "changed in type")?;
        self.refuse_key(path, false, "changed in type")?;
        if !keep_nullability {
            self.check_nullability(path, data_type.nullable)?;
        }
        let explicit = effective_option(self, "disable-explicit-type-casting") != Some("true");
        let mut next_id = self.highest_field_id.saturating_add(1);
        let current = nested::data_type(&mut self.fields, path)?;
        let refused = |advice: &str| {
            Err(definition(format!(
                "column '{}' cannot become {data_type}: it is {current}{advice}",
                path.join(".")
            )))
        };
        if data_type.kind.is_nested() && current.kind != data_type.kind {
            return refused(": change its nested fields one by one");
        }
        let nullable = if keep_nullability { current.nullable } else { data_type.nullable };
        let safe = current.nullable <= nullable || explicit;
        if !safe || !supports_cast(&current.kind, &data_type.kind, explicit) {
            let only_explicit = supports_cast(&current.kind, &data_type.kind, true);
            return refused(if only_explicit {
                ", and 'disable-explicit-type-casting' is set"
            } else {
                ""
            });
        }
        *current = assign_ids(data_type.clone(), &mut next_id).with_nullable(nullable);
        self.highest_field_id = next_id - 1;
        Ok(())
    }

    /// Null may not be forbidden later unless the table's option allows that.
    fn check_nullability(&mut self, path: &[String], nullable: bool) -> Result<(), SpecError> {
        let disabled =
            effective_option(self, "alter-column-null-to-not-null.disabled") != Some("false");
        let current = nested::data_type(&mut self.fields, path)?;
        if disabled && current.nullable && !nullable {
            return Err(definition(format!(
                "column '{}' cannot become NOT NULL: rows that are there may have nulls; \
                 'alter-column-null-to-not-null.disabled' = 'false' allows it",
                path.join(".")
            )));
        }
        Ok(())
    }

    fn refuse_key(&self, path: &[String], primary: bool, done: &str) -> Result<(), SpecError> {
        let [column] = path else { return Ok(()) };
        let (what, keys) = if primary {
            ("primary key", &self.primary_keys)
        } else {
            ("partition", &self.partition_keys)
        };
        if keys.contains(column) {
            return Err(definition(format!("{what} column '{column}' cannot be {done}")));
        }
        Ok(())
    }
}

/// Index at which a new field is inserted.
fn place(fields: &[DataField], position: &Position) -> Result<usize, SpecError> {
    let of = |name: &str| {
        fields
            .iter()
            .position(|f| f.name == name)
            .ok_or_else(|| definition(format!("there is no column '{name}'")))
    };
    Ok(match position {
        Position::First => 0,
        Position::Last => fields.len(),
        Position::After(name) => of(name)? + 1,
        Position::Before(name) => of(name)?,
    })
}

fn move_field(
    fields: &mut Vec<DataField>,
    column: &str,
    position: &Position,
) -> Result<(), SpecError> {
    if let Position::After(other) | Position::Before(other) = position
        && other == column
    {
        return Err(definition(format!("column '{column}' cannot be moved next to itself")));
    }
    let at = fields.iter().position(|f| f.name == column);
    let at = at.ok_or_else(|| definition(format!("there is no column '{column}'")))?;
    // Looked up before the column is taken out, so that nothing is lost on an error.
    place(fields, position)?;
    let field = fields.remove(at);
    let to = place(fields, position)?;
    fields.insert(to, field);
    Ok(())
}

/// The changes that turn the type at `path` into `new`: nested fields are added, dropped and
/// changed one by one, so that those that stay keep their ids.
///
/// # Errors
/// [`SpecError::Definition`] when the shapes differ or fields changed their order.
pub fn type_changes(
    path: &[String],
    old: &DataType,
    new: &DataType,
) -> Result<Vec<SchemaChange>, SpecError> {
    let mut changes = Vec::new();
    collect(path, old, new, &mut changes)?;
    Ok(changes)
}

fn below(path: &[String], name: &str) -> Vec<String> {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

fn collect(
    path: &[String],
    old: &DataType,
    new: &DataType,
    changes: &mut Vec<SchemaChange>,
) -> Result<(), SpecError> {
    match (&old.kind, &new.kind) {
        (TypeKind::Row(there), TypeKind::Row(wanted)) => rows(path, there, wanted, changes)?,
        (TypeKind::Array(a), TypeKind::Array(b))
        | (TypeKind::Multiset(a), TypeKind::Multiset(b)) => {
            collect(&below(path, ELEMENT), a, b, changes)?;
        }
        (TypeKind::Map(key, a), TypeKind::Map(other_key, b)) => {
            if !same_shape(key, other_key) {
                return Err(definition(format!(
                    "the key type of map '{}' cannot change from {key} to {other_key}",
                    path.join(".")
                )));
            }
            collect(&below(path, VALUE), a, b, changes)?;
        }
        (a, b) if a == b => {}
        (a, _) if a.is_nested() => {
            return Err(definition(format!(
                "column '{}' cannot become {new}: it is {old}",
                path.join(".")
            )));
        }
        _ => changes.push(SchemaChange::ColumnType {
            path: path.to_vec(),
            data_type: new.clone(),
            keep_nullability: true,
        }),
    }
    if old.nullable != new.nullable {
        let nullable = new.nullable;
        changes.push(SchemaChange::ColumnNullability { path: path.to_vec(), nullable });
    }
    Ok(())
}

/// Whether two types differ in nothing but the ids of nested fields.
fn same_shape(a: &DataType, b: &DataType) -> bool {
    a.to_string() == b.to_string()
}

fn rows(
    path: &[String],
    old: &[DataField],
    new: &[DataField],
    changes: &mut Vec<SchemaChange>,
) -> Result<(), SpecError> {
    let places: Vec<_> =
        new.iter().filter_map(|f| old.iter().position(|there| there.name == f.name)).collect();
    if !places.is_sorted() {
        return Err(definition(format!(
            "the fields of '{}' that stay must keep their order",
            path.join(".")
        )));
    }
    for field in old.iter().filter(|f| !new.iter().any(|n| n.name == f.name)) {
        changes.push(SchemaChange::DropColumn { path: below(path, &field.name) });
    }
    let mut previous: Option<&str> = None;
    for field in new {
        let inside = below(path, &field.name);
        match old.iter().find(|there| there.name == field.name) {
            None => changes.push(SchemaChange::AddColumn {
                path: inside,
                data_type: field.data_type.clone(),
                comment: field.description.clone(),
                position: Some(match previous {
                    None => Position::First,
                    Some(name) => Position::After(name.to_owned()),
                }),
            }),
            Some(there) => {
                if there.description != field.description {
                    let comment = field.description.clone();
                    changes.push(SchemaChange::ColumnComment { path: inside.clone(), comment });
                }
                collect(&inside, &there.data_type, &field.data_type, changes)?;
            }
        }
        previous = Some(&field.name);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
