//! SHOW and DESCRIBE: what the catalog knows, as rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use headwater::TableSchema;

use crate::error::SqlError;
use crate::names::{literal, quote};

/// One column of texts.
pub(crate) fn texts(column: &str, values: Vec<String>) -> Result<RecordBatch, SqlError> {
    batch(vec![(column, false, Arc::new(StringArray::from(values)))])
}

/// The columns of a table, one per row.
pub(crate) fn describe(schema: &TableSchema) -> Result<RecordBatch, SqlError> {
    let fields = &schema.fields;
    let text = |of: &dyn Fn(&headwater::DataField) -> Option<String>| -> ArrayRef {
        Arc::new(fields.iter().map(of).collect::<StringArray>())
    };
    let key = format!("PRI({})", schema.primary_keys.join(", "));
    batch(vec![
        ("name", false, text(&|f| Some(f.name.clone()))),
        ("type", false, text(&|f| Some(f.data_type.kind.to_string()))),
        (
            "null",
            false,
            Arc::new(BooleanArray::from_iter(fields.iter().map(|f| Some(f.data_type.nullable)))),
        ),
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

fn batch(columns: Vec<(&str, bool, ArrayRef)>) -> Result<RecordBatch, SqlError> {
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
