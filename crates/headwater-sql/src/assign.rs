//! Fits a query's columns to a table's: by position, with the table's types, or an error that
//! names the column. Nothing is cut or turned into null on the way. Nulls and lengths are checked
//! by the library's writer.

mod convert;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray, StringArray};
use arrow::datatypes::{Field, Fields, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::ScalarValue;
use headwater::options::effective_option;
use headwater::spec::row::arrow::datum_at;
use headwater::spec::types::arrow_type;
use headwater::{DataField, Datum, RowType, TableSchema, TypeKind};

use self::convert::check_assignable;
pub(crate) use self::convert::convert;
use crate::error::SqlError;
use crate::functions::Zone;
use crate::zone_rule::{mixed, refusal};

/// Where the values of a table's column come from.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    /// Column of the query, by position.
    Query(usize),
    /// One value for all rows.
    Constant(ScalarValue),
}

/// How rows of a query become rows of a table.
#[derive(Debug)]
pub(crate) struct Assignment {
    schema: SchemaRef,
    targets: Vec<(DataField, Source)>,
    query_columns: usize,
    /// Whether nulls mean "no change".
    partial: bool,
}

impl Assignment {
    /// For each column of the query, whether it goes to a FLOAT or DOUBLE column.
    pub(crate) fn floats(&self) -> Vec<bool> {
        let mut floats = Vec::new();
        for (field, source) in &self.targets {
            if let Source::Query(position) = source {
                if floats.len() <= *position {
                    floats.resize(*position + 1, false);
                }
                if let Some(float) = floats.get_mut(*position) {
                    *float = matches!(field.data_type.kind, TypeKind::Float | TypeKind::Double);
                }
            }
        }
        floats
    }

    /// For `INSERT INTO table [PARTITION (partition)] [(columns)]`.
    ///
    /// Columns that the statement does not name get their default value, or null.
    pub(crate) fn new(
        table: &TableSchema,
        partition: &[(String, Option<String>)],
        columns: &[String],
    ) -> Result<Self, SqlError> {
        let row_type = table.row_type();
        check_partition(table, partition)?;
        check_columns(&row_type, partition, columns)?;
        let partial = !columns.is_empty() && leaves_columns(table);
        let mut query_columns = 0;
        let mut targets = Vec::with_capacity(row_type.fields.len());
        for field in &row_type.fields {
            let fixed = partition.iter().find(|(name, _)| *name == field.name);
            let source = if let Some((_, text)) = fixed {
                Source::Constant(constant(text.as_deref(), field)?)
            } else if columns.is_empty() {
                query_columns += 1;
                Source::Query(query_columns - 1)
            } else if let Some(position) = columns.iter().position(|name| *name == field.name) {
                Source::Query(position)
            } else {
                left_out(field, partial)?
            };
            targets.push((field.clone(), source));
        }
        if !columns.is_empty() {
            query_columns = columns.len();
        }
        Ok(Self { schema: nullable_schema(&row_type), targets, query_columns, partial })
    }

    /// For a query of `query_columns` columns, where `place` says which one a column of the table
    /// gets; without one it gets its default value, or null.
    pub(crate) fn of_places(
        table: &TableSchema,
        query_columns: usize,
        place: impl Fn(&DataField) -> Option<usize>,
    ) -> Result<Self, SqlError> {
        let row_type = table.row_type();
        let mut targets = Vec::with_capacity(row_type.fields.len());
        for field in &row_type.fields {
            let source = match place(field) {
                Some(position) => Source::Query(position),
                None => left_out(field, false)?,
            };
            targets.push((field.clone(), source));
        }
        Ok(Self { schema: nullable_schema(&row_type), targets, query_columns, partial: false })
    }

    /// Whether nulls of the rows mean "no change" and stay nulls.
    pub(crate) const fn is_partial(&self) -> bool {
        self.partial
    }

    /// Refuses a query whose columns are too many, too few, or of types that do not fit.
    ///
    /// `zone`: the session's. What only a zone makes a moment needs a CAST, unless that is UTC.
    pub(crate) fn check(&self, query: &SchemaRef, zone: &Zone) -> Result<(), SqlError> {
        if query.fields().len() != self.query_columns {
            let wanted: Vec<&str> = self
                .targets
                .iter()
                .filter(|(_, source)| matches!(source, Source::Query(_)))
                .map(|(field, _)| field.name.as_str())
                .collect();
            return Err(SqlError::invalid(format!(
                "the query gives {} columns, but {} are to be filled: {}",
                query.fields().len(),
                self.query_columns,
                wanted.join(", ")
            )));
        }
        for (field, source) in &self.targets {
            if let Source::Query(position) = source {
                let given = query.field(*position).data_type();
                check_assignable(given, &field.data_type.kind, &field.name)?;
                let types = [given.clone(), arrow_type(&field.data_type.kind)];
                if !zone.is_utc() && mixed(&types) {
                    let place = format!("column '{}'", field.name);
                    return Err(SqlError::invalid(refusal(&place, &zone.name())));
                }
            }
        }
        Ok(())
    }

    /// The values of columns that are the same for all rows, by name.
    pub(crate) fn fixed(
        &self,
        partition: &[(String, Option<String>)],
    ) -> Result<Vec<(String, Option<Datum>)>, SqlError> {
        let mut values = Vec::with_capacity(partition.len());
        for (field, source) in &self.targets {
            let Source::Constant(value) = source else { continue };
            if partition.iter().any(|(name, _)| *name == field.name) {
                let datum = datum_at(value.to_array()?.as_ref(), 0, &field.data_type)
                    .map_err(headwater::Error::from)?;
                values.push((field.name.clone(), datum));
            }
        }
        Ok(values)
    }

    /// Partition columns with values that a statement gives as texts, in the columns' types. The
    /// table's name for null partitions is null.
    pub(crate) fn partition_values(
        table: &TableSchema,
        partition: &[(String, Option<String>)],
    ) -> Result<Vec<(String, Option<Datum>)>, SqlError> {
        check_partition(table, partition)?;
        let null_name = effective_option(table, "partition.default-name");
        let mut values = Vec::with_capacity(partition.len());
        for (name, text) in partition {
            let text = text.as_deref().filter(|text| Some(*text) != null_name);
            let value = match table.field(name) {
                Some(field) => datum_at(
                    constant(text, field)?.to_array()?.as_ref(),
                    0,
                    &field.data_type.clone().with_nullable(true),
                )
                .map_err(headwater::Error::from)?,
                None => None,
            };
            values.push((name.clone(), value));
        }
        Ok(values)
    }

    /// The table's rows for a batch of the query's.
    pub(crate) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, SqlError> {
        let rows = batch.num_rows();
        let mut columns = Vec::with_capacity(self.targets.len());
        for (field, source) in &self.targets {
            let column: ArrayRef = match source {
                Source::Constant(value) => value.to_array_of_size(rows)?,
                Source::Query(position) => {
                    let Some(given) = batch.columns().get(*position) else {
                        return Err(SqlError::invalid("the query lost a column"));
                    };
                    convert(given, &field.data_type, &field.name)?
                }
            };
            columns.push(column);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|e| SqlError::invalid(e.to_string()))
    }
}

/// Whether the merge engine leaves a stored value as it is when a row has null for it.
fn leaves_columns(table: &TableSchema) -> bool {
    let engine = effective_option(table, "merge-engine").unwrap_or_default();
    !table.primary_keys.is_empty()
        && ["partial-update", "aggregation"].iter().any(|e| engine.eq_ignore_ascii_case(e))
}

/// The value of a column that a statement does not name: its default value, or null. With `partial`
/// it is null, which leaves the stored value alone; Java writes the default value over it.
fn left_out(field: &DataField, partial: bool) -> Result<Source, SqlError> {
    if partial {
        if !field.data_type.nullable {
            return Err(SqlError::invalid(format!(
                "column '{}' is NOT NULL: the statement must give it, a row without it cannot \
                 leave the stored value as it is",
                field.name
            )));
        }
        return Ok(Source::Constant(constant(None, field)?));
    }
    if field.default_value.is_none() && !field.data_type.nullable {
        return Err(SqlError::invalid(format!(
            "column '{}' is NOT NULL and has no default value: the statement must give it",
            field.name
        )));
    }
    Ok(Source::Constant(constant(field.default_value.as_deref(), field)?))
}

/// The table's columns, each nullable: a null is the writer's to refuse, with the column's name.
fn nullable_schema(row_type: &RowType) -> SchemaRef {
    let fields: Fields = row_type
        .fields
        .iter()
        .map(|f| Field::new(&f.name, arrow_type(&f.data_type.kind), true))
        .collect();
    Arc::new(Schema::new(fields))
}

fn check_partition(
    table: &TableSchema,
    partition: &[(String, Option<String>)],
) -> Result<(), SqlError> {
    for (name, _) in partition {
        if !table.partition_keys.contains(name) {
            return Err(SqlError::invalid(if table.partition_keys.is_empty() {
                format!("'{name}' is no partition column: the table has no partitions")
            } else {
                format!(
                    "'{name}' is no partition column; there are: {}",
                    table.partition_keys.join(", ")
                )
            }));
        }
    }
    Ok(())
}

fn check_columns(
    row_type: &RowType,
    partition: &[(String, Option<String>)],
    columns: &[String],
) -> Result<(), SqlError> {
    for (position, name) in columns.iter().enumerate() {
        if row_type.index_of(name).is_none() {
            let known: Vec<&str> = row_type.fields.iter().map(|f| f.name.as_str()).collect();
            return Err(SqlError::invalid(format!(
                "the table has no column '{name}'; it has: {}",
                known.join(", ")
            )));
        }
        if columns.iter().take(position).any(|other| other == name) {
            return Err(SqlError::invalid(format!("column '{name}' is named twice")));
        }
        if partition.iter().any(|(other, _)| other == name) {
            return Err(SqlError::invalid(format!(
                "column '{name}' has its value in PARTITION already"
            )));
        }
    }
    Ok(())
}

/// A value given as text, in the column's type.
fn constant(text: Option<&str>, field: &DataField) -> Result<ScalarValue, SqlError> {
    let given: ArrayRef = match text {
        Some(text) => Arc::new(StringArray::from(vec![text])),
        None => Arc::new(NullArray::new(1)),
    };
    check_assignable(given.data_type(), &field.data_type.kind, &field.name)?;
    let column = convert(&given, &field.data_type, &field.name)?;
    Ok(ScalarValue::try_from_array(&column, 0)?)
}
