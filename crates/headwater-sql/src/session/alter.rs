//! ALTER TABLE: a new schema, or another name.

use std::sync::Arc;

use headwater::{DataType, SchemaChange, TableSchema, alter_table, type_changes};

use super::define::{table_error, watermark_options};
use super::{Scope, SqlSession};
use crate::error::SqlError;
use crate::names::{self, FullName};
use crate::parse::{Alter, AlterAction, AlterStatement, ColumnChange};
use crate::system_table::SystemTable;

/// Options that keep a watermark.
const WATERMARK: [&str; 3] = [
    "schema.watermark.0.rowtime",
    "schema.watermark.0.strategy.expr",
    "schema.watermark.0.strategy.data-type",
];

impl SqlSession {
    /// Runs ALTER TABLE.
    pub(super) async fn alter(&self, alter: Alter, scope: &Arc<Scope>) -> Result<String, SqlError> {
        let name = scope.name(&alter.name)?;
        if let Some(there) = scope.temporary(&name) {
            return Err(SqlError::unsupported(
                format!("ALTER of the temporary {} '{}' is", there.what(), name.id),
                "drop it and make it anew",
            ));
        }
        if SystemTable::parse(&name.id.table)?.is_some() {
            return Err(SqlError::invalid(format!("'{}' is a system table", name.id)));
        }
        let catalog = &scope.entry(&name)?.catalog;
        if alter.if_exists && !catalog.table_exists(&name.id).await.map_err(table_error)? {
            return Ok(format!("table {} does not exist", name.id));
        }
        match alter.statement {
            AlterStatement::RenameTable(to) => self.rename_table(&name, &to, scope).await,
            AlterStatement::DropPartitions { partitions, if_exists } => {
                self.drop_partitions(&name, partitions, if_exists, scope).await
            }
            AlterStatement::Change(actions) => {
                let (_, schema) = catalog.load_table(&name.id).await.map_err(table_error)?;
                let mut changes = Vec::new();
                for action in actions {
                    changes.extend(changes_of(action, &schema)?);
                }
                let new = alter_table(catalog.as_ref(), &name.id, &changes).await?;
                if new.id == schema.id {
                    return Ok(format!("table {} is like that already", name.id));
                }
                // The warnings of the new options, and whether they can be read at all.
                scope.open(&name, Vec::new()).await?;
                Ok(format!("table {} changed: schema {}", name.id, new.id))
            }
        }
    }

    async fn rename_table(
        &self,
        from: &FullName,
        to: &[String],
        scope: &Scope,
    ) -> Result<String, SqlError> {
        // As in Flink, a name alone stays in the table's own database.
        let beside =
            names::Current { catalog: from.catalog.clone(), database: from.id.database.clone() };
        let to = names::table(to, &beside)?;
        if to.catalog != from.catalog {
            return Err(SqlError::unsupported(
                "a rename into another catalog is",
                "make the table there and INSERT INTO it",
            ));
        }
        let catalog = &scope.entry(from)?.catalog;
        catalog.rename_table(&from.id, &to.id).await.map_err(table_error)?;
        Ok(format!("table {} is now {}", from.id, to.id))
    }
}

fn changes_of(action: AlterAction, schema: &TableSchema) -> Result<Vec<SchemaChange>, SqlError> {
    Ok(match action {
        AlterAction::Set(options) => options
            .into_iter()
            .map(|(key, value)| match key.as_str() {
                "comment" => SchemaChange::Comment(Some(value)),
                _ => SchemaChange::SetOption { key, value },
            })
            .collect(),
        AlterAction::Reset(keys) => keys
            .into_iter()
            .map(|key| match key.as_str() {
                "comment" => Ok(SchemaChange::Comment(None)),
                _ if schema.options.get(&key).is_none() => unknown_option(&key),
                _ => Ok(SchemaChange::RemoveOption { key }),
            })
            .collect::<Result<_, _>>()?,
        AlterAction::Add { path, column, position } => vec![SchemaChange::AddColumn {
            path,
            data_type: column.data_type,
            comment: column.comment,
            position,
        }],
        AlterAction::Rename { path, to } => vec![SchemaChange::RenameColumn { path, to }],
        AlterAction::Drop(path) => vec![SchemaChange::DropColumn { path }],
        AlterAction::Change { path, changes } => column_changes(&path, changes, schema)?,
        AlterAction::Watermark(None) => {
            if schema.options.get(WATERMARK[0]).is_none() {
                return Err(SqlError::invalid("the table has no watermark"));
            }
            WATERMARK.map(|key| SchemaChange::RemoveOption { key: key.to_owned() }).to_vec()
        }
        AlterAction::Watermark(Some(watermark)) => {
            let column = schema.field(&watermark.column).ok_or_else(|| {
                SqlError::invalid(format!("there is no column '{}'", watermark.column))
            })?;
            watermark_options(&watermark, Some(&column.data_type))
                .into_iter()
                .map(|(key, value)| SchemaChange::SetOption { key, value })
                .collect()
        }
    })
}

/// Removing an option that is not set changes nothing, unless its name is wrong.
fn unknown_option(key: &str) -> Result<SchemaChange, SqlError> {
    if headwater::options::known(key).is_none() {
        headwater::options::check_ddl(key, "").map_err(headwater::Error::from)?;
    }
    Ok(SchemaChange::RemoveOption { key: key.to_owned() })
}

fn column_changes(
    path: &[String],
    changes: Vec<ColumnChange>,
    schema: &TableSchema,
) -> Result<Vec<SchemaChange>, SqlError> {
    let mut all = Vec::new();
    for change in changes {
        let path = path.to_vec();
        match change {
            ColumnChange::Definition(data_type) => {
                let [name] = path.as_slice() else {
                    return Err(SqlError::invalid("MODIFY changes columns, not fields inside"));
                };
                let field = schema
                    .field(name)
                    .ok_or_else(|| SqlError::invalid(format!("there is no column '{name}'")))?;
                // Key columns stay NOT NULL, whether the statement says so or not.
                let is_key = schema.primary_keys.contains(name);
                let wanted: DataType =
                    if is_key { data_type.with_nullable(false) } else { data_type };
                let changes = type_changes(&path, &field.data_type, &wanted);
                all.extend(changes.map_err(headwater::Error::from)?);
            }
            ColumnChange::Type(data_type) => {
                all.push(SchemaChange::ColumnType { path, data_type, keep_nullability: true });
            }
            ColumnChange::Nullable(nullable) => {
                all.push(SchemaChange::ColumnNullability { path, nullable });
            }
            ColumnChange::Comment(comment) => {
                all.push(SchemaChange::ColumnComment { path, comment: Some(comment) });
            }
            ColumnChange::Default(value) => all.push(SchemaChange::ColumnDefault { path, value }),
            ColumnChange::Position(position) => match <[String; 1]>::try_from(path) {
                Ok([column]) => all.push(SchemaChange::MoveColumn { column, position }),
                Err(path) => {
                    return Err(SqlError::unsupported(
                        format!("moving the nested field '{}' is", path.join(".")),
                        "only columns of the table have a place",
                    ));
                }
            },
        }
    }
    Ok(all)
}
