//! SHOW and DESCRIBE: what the catalog knows, as rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use headwater::{DataField, TableSchema};

use crate::error::SqlError;
use crate::names::{literal, quote};

/// One column of texts.
pub(crate) fn texts(column: &str, values: Vec<String>) -> Result<RecordBatch, SqlError> {
    batch(vec![(column, false, Arc::new(StringArray::from(values)))])
}

/// The columns of a table that a pattern wants, one per row.
pub(crate) fn describe(
    schema: &TableSchema,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<RecordBatch, SqlError> {
    described(schema, wanted, Vec::new())
}

/// The columns of a table, and below them what else is known of it, as Spark shows it.
pub(crate) fn describe_extended(
    schema: &TableSchema,
    details: Vec<(String, String)>,
) -> Result<RecordBatch, SqlError> {
    described(schema, &|_| true, details)
}

fn described(
    schema: &TableSchema,
    wanted: &dyn Fn(&str) -> bool,
    details: Vec<(String, String)>,
) -> Result<RecordBatch, SqlError> {
    let fields: Vec<&DataField> = schema.fields.iter().filter(|f| wanted(&f.name)).collect();
    let more = details.len();
    let text = |of: &dyn Fn(&DataField) -> Option<String>| -> ArrayRef {
        let nothing = std::iter::repeat_n(None, more);
        Arc::new(fields.iter().map(|f| of(f)).chain(nothing).collect::<StringArray>())
    };
    let with = |of: &dyn Fn(&DataField) -> String, detail: &dyn Fn(&(String, String)) -> String| {
        let all = fields.iter().map(|f| of(f)).chain(details.iter().map(detail));
        Arc::new(all.map(Some).collect::<StringArray>()) as ArrayRef
    };
    let nulls = fields.iter().map(|f| Some(f.data_type.nullable));
    let nulls: BooleanArray = nulls.chain(std::iter::repeat_n(None, more)).collect();
    let key = format!("PRI({})", schema.primary_keys.join(", "));
    batch(vec![
        ("name", false, with(&|f| f.name.clone(), &|(name, _)| name.clone())),
        ("type", false, with(&|f| f.data_type.kind.to_string(), &|(_, text)| text.clone())),
        ("null", more > 0, Arc::new(nulls)),
        ("key", true, text(&|f| schema.primary_keys.contains(&f.name).then(|| key.clone()))),
        (
            "partition",
            true,
            text(&|f| {
                let at = schema.partition_keys.iter().position(|name| *name == f.name)?;
                Some(format!("{} of {}", at + 1, schema.partition_keys.len()))
            }),
        ),
        ("default", true, text(&|f| f.default_value.clone())),
        ("comment", true, text(&|f| f.description.clone())),
    ])
}

/// Keys and values.
pub(crate) fn pairs<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<RecordBatch, SqlError> {
    let (keys, values): (Vec<_>, Vec<_>) = pairs.unzip();
    batch(vec![
        ("key", false, Arc::new(StringArray::from(keys))),
        ("value", false, Arc::new(StringArray::from(values))),
    ])
}

/// A batch of named columns, nullable or not.
pub(crate) fn batch(columns: Vec<(&str, bool, ArrayRef)>) -> Result<RecordBatch, SqlError> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, nullable, array)| Field::new(*name, array.data_type().clone(), *nullable))
        .collect();
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|e| SqlError::invalid(e.to_string()))
}

/// A CREATE TABLE that makes the same table again.
pub(crate) fn create_table(name: &str, schema: &TableSchema) -> String {
    let mut lines: Vec<String> = schema
        .fields
        .iter()
        .map(|field| {
            let mut line = format!("  {} {}", quote(&field.name), field.data_type);
            if let Some(value) = &field.default_value {
                line.push_str(" DEFAULT ");
                line.push_str(&literal(value));
            }
            if let Some(comment) = &field.description {
                line.push_str(" COMMENT ");
                line.push_str(&literal(comment));
            }
            line
        })
        .collect();
    if !schema.primary_keys.is_empty() {
        lines.push(format!("  PRIMARY KEY ({}) NOT ENFORCED", quoted(&schema.primary_keys)));
    }
    let mut text = format!("CREATE TABLE {name} (\n{}\n)", lines.join(",\n"));
    if let Some(comment) = &schema.comment {
        text.push_str(" COMMENT ");
        text.push_str(&literal(comment));
    }
    if !schema.partition_keys.is_empty() {
        text.push_str(&format!("\nPARTITIONED BY ({})", quoted(&schema.partition_keys)));
    }
    let options: Vec<String> = schema
        .options
        .iter()
        .map(|(key, value)| format!("  {} = {}", literal(key), literal(value)))
        .collect();
    if !options.is_empty() {
        text.push_str(&format!("\nWITH (\n{}\n)", options.join(",\n")));
    }
    text
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}
