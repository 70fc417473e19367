//! CREATE TABLE … AS SELECT: the table, then its rows in one commit. A query that fails leaves no
//! table.

use std::sync::Arc;

use arrow::datatypes::{DataType as Arrow, Field, TimeUnit};
use datafusion::logical_expr::LogicalPlan;
use headwater::{DataField, DataType, NewColumn, TypeKind};

use super::define::{bucket_note, table_error};
use super::lineage::column_type;
use super::scope::named;
use super::{Outcome, Scope, SqlSession};
use crate::error::SqlError;
use crate::files::Purpose;
use crate::parse::{CreateTable, Insert};
use crate::result::StatementKind;

impl SqlSession {
    /// Runs CREATE TABLE … AS SELECT.
    pub(super) async fn create_as(
        &self,
        mut create: CreateTable,
        scope: &Arc<Scope>,
    ) -> Result<(StatementKind, Outcome), SqlError> {
        let Some(query) = create.query.take() else {
            return Err(SqlError::invalid("the statement has no query"));
        };
        if create.temporary {
            return Err(SqlError::unsupported(
                "CREATE TEMPORARY TABLE … AS is",
                "use CREATE TEMPORARY VIEW … AS",
            ));
        }
        let name = scope.name(&create.name)?;
        let if_not_exists = create.if_not_exists;
        let exists = scope.entry(&name)?.catalog.table_exists(&name.id).await;
        if exists.map_err(table_error)? {
            if if_not_exists {
                let message = Outcome::Message(format!("table {} exists already", name.id));
                return Ok((StatementKind::Definition, message));
            }
            return Err(SqlError::invalid(format!("table '{}' already exists", name.id)));
        }
        // Planned before anything is made: most mistakes show here.
        let plan = self.plan(query.statement.as_ref().clone(), scope).await?;
        let plan = named(plan, &query.names, &[]).map_err(SqlError::from_datafusion)?;
        let fields = columns_of(&plan)?;
        let order = std::mem::take(&mut create.column_order);
        let declared: Vec<String> = create.columns.iter().map(|c| c.name.clone()).collect();
        let mut definition = self.definition(create, &name, scope).await?;
        let columns = fields.iter().map(|column| column.name.clone()).collect();
        definition.columns.extend(query_columns(fields, &declared, &order)?);
        let note = bucket_note(&definition);
        if !self.make_table(&name, &definition, if_not_exists, scope).await? {
            let message = Outcome::Message(format!("table {} exists already", name.id));
            return Ok((StatementKind::Definition, message));
        }
        if let Some(note) = note {
            scope.lookups.warn(format!("table {}: {note}", name.id));
        }
        let insert = Insert {
            table: vec![name.catalog.clone(), name.id.database.clone(), name.id.table.clone()],
            hint: Vec::new(),
            overwrite: false,
            partition: Vec::new(),
            open_partition: Vec::new(),
            columns,
            query: query.statement,
        };
        // The columns have the query's types: texts of files are read as these.
        match self.insert(insert, scope, Purpose::Result).await {
            Ok(rows) => Ok((StatementKind::Write, Outcome::Affected(rows))),
            Err(error) => {
                // The rows of a commit whose outcome is unknown may be there: keep them.
                let unknown = error.is_outcome_unknown();
                if !unknown {
                    let dropped = scope.entry(&name)?.catalog.drop_table(&name.id, true).await;
                    if let Err(dropped) = dropped {
                        tracing::warn!(%dropped, "the table {} stays behind, empty", name.id);
                    }
                }
                Err(error)
            }
        }
    }
}

/// The columns of a query as columns of a table.
pub(super) fn columns_of(plan: &LogicalPlan) -> Result<Vec<NewColumn>, SqlError> {
    let fields = plan.schema().fields().iter().enumerate();
    let column = |(index, field): (usize, &Arc<Field>)| {
        let nullable = field.is_nullable();
        let data_type = match column_type(plan, index) {
            Some(data_type) => data_type.with_nullable(nullable),
            None => DataType { kind: kind_of(field)?, nullable },
        };
        let name = field.name().clone();
        Ok(NewColumn { name, data_type, comment: None, default_value: None })
    };
    fields.map(column).collect()
}

/// The query's columns without those that the statement declares, in the statement's order.
fn query_columns(
    columns: Vec<NewColumn>,
    declared: &[String],
    order: &[String],
) -> Result<Vec<NewColumn>, SqlError> {
    if order.is_empty() {
        return Ok(columns.into_iter().filter(|c| !declared.contains(&c.name)).collect());
    }
    if let Some(column) =
        columns.iter().find(|c| !order.contains(&c.name) && !declared.contains(&c.name))
    {
        return Err(SqlError::invalid(format!(
            "the query gives column '{}', which the list of columns does not name",
            column.name
        )));
    }
    let find = |name: &String| {
        columns.iter().find(|c| c.name == *name).cloned().ok_or_else(|| {
            SqlError::invalid(format!("column '{name}' is not given by the query, and has no type"))
        })
    };
    order.iter().map(find).collect()
}

/// The column type that holds the values of an Arrow column.
fn kind_of(field: &Field) -> Result<TypeKind, SqlError> {
    kind(field.data_type()).ok_or_else(|| {
        SqlError::invalid(format!(
            "column '{}' of the query has type {}, which no column of a table can have: CAST it",
            field.name(),
            field.data_type()
        ))
    })
}

fn kind(arrow: &Arrow) -> Option<TypeKind> {
    let nested = |field: &Field| -> Option<Box<DataType>> {
        Some(Box::new(DataType { kind: kind(field.data_type())?, nullable: field.is_nullable() }))
    };
    Some(match arrow {
        Arrow::Boolean => TypeKind::Boolean,
        Arrow::Int8 => TypeKind::TinyInt,
        Arrow::Int16 | Arrow::UInt8 => TypeKind::SmallInt,
        Arrow::Int32 | Arrow::UInt16 => TypeKind::Int,
        Arrow::Int64 | Arrow::UInt32 => TypeKind::BigInt,
        Arrow::UInt64 => TypeKind::Decimal { precision: 20, scale: 0 },
        Arrow::Float16 | Arrow::Float32 => TypeKind::Float,
        Arrow::Float64 => TypeKind::Double,
        Arrow::Decimal32(p, s) | Arrow::Decimal64(p, s) | Arrow::Decimal128(p, s) => {
            TypeKind::Decimal { precision: *p, scale: u8::try_from(*s).ok()? }
        }
        Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => TypeKind::STRING,
        Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView => TypeKind::BYTES,
        Arrow::FixedSizeBinary(n) => TypeKind::Binary(u32::try_from(*n).ok().filter(|n| *n > 0)?),
        Arrow::Date32 | Arrow::Date64 => TypeKind::Date,
        Arrow::Time32(TimeUnit::Second) => TypeKind::Time(0),
        Arrow::Time32(_) | Arrow::Time64(_) => TypeKind::Time(3),
        Arrow::Timestamp(unit, zone) => {
            let digits = match unit {
                TimeUnit::Second => 0,
                TimeUnit::Millisecond => 3,
                TimeUnit::Microsecond => 6,
                TimeUnit::Nanosecond => 9,
            };
            match zone {
                Some(_) => TypeKind::TimestampLtz(digits),
                None => TypeKind::Timestamp(digits),
            }
        }
        Arrow::List(item) | Arrow::LargeList(item) | Arrow::FixedSizeList(item, _) => {
            TypeKind::Array(nested(item)?)
        }
        Arrow::Map(entries, _) => {
            let Arrow::Struct(parts) = entries.data_type() else { return None };
            let (key, value) = (parts.first()?, parts.get(1)?);
            let mut key = nested(key)?;
            // Keys are never null, and types do not say so.
            key.nullable = true;
            TypeKind::Map(key, nested(value)?)
        }
        Arrow::Struct(fields) => {
            let fields =
                fields.iter().map(|field| Some(DataField::new(-1, field.name(), *nested(field)?)));
            TypeKind::Row(fields.collect::<Option<_>>()?)
        }
        Arrow::Dictionary(_, values) => kind(values)?,
        _ => return None,
    })
}
