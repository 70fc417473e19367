//! Columns written down as JSON.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::Schema;
use arrow::json::writer::LineDelimited;
use arrow::json::{ReaderBuilder, WriterBuilder};
use headwater_spec::DataType;
use headwater_spec::types::arrow_field;

use super::{field, fold_with};
use crate::merge_engine::function::{FunctionError, FunctionOptions};
use crate::merge_engine::steps::Step;

/// A column of the type.
pub(super) fn column(data_type: &str, values: &[&str]) -> ArrayRef {
    let kind = data_type.parse::<DataType>().unwrap().kind;
    let schema = Arc::new(Schema::new(vec![arrow_field(&field(&kind))]));
    let lines: String = values.iter().map(|value| format!("{{\"c\":{value}}}\n")).collect();
    let mut batches = ReaderBuilder::new(schema).build(lines.as_bytes()).unwrap();
    batches.next().map_or_else(|| panic!("no rows"), |batch| Arc::clone(batch.unwrap().column(0)))
}

/// The values of a column.
pub(super) fn values(column: &ArrayRef) -> Vec<String> {
    let batch = RecordBatch::try_from_iter([("c", Arc::clone(column))]).unwrap();
    let mut bytes = Vec::new();
    let mut writer =
        WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut bytes);
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let value = |line: &str| line[r#"{"c":"#.len()..line.len() - 1].to_owned();
    text.lines().map(value).collect()
}

/// What a function makes of the records of a key.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) data_type: &'static str,
    pub(super) options: FunctionOptions,
}

impl Case {
    pub(super) fn new(name: &'static str, data_type: &'static str) -> Self {
        Self { name, data_type, options: FunctionOptions::default() }
    }

    /// The value of a key with these records. The same records are given twice, as two keys of a
    /// column that is a slice, so that nothing may leak from one key to the next.
    pub(super) fn try_fold(&self, records: &[(&str, Step)]) -> Result<String, FunctionError> {
        let mut texts = vec!["null"];
        texts.extend(records.iter().map(|(text, _)| *text));
        texts.extend(records.iter().map(|(text, _)| *text));
        let column = column(self.data_type, &texts);
        let column = column.slice(1, column.len() - 1);
        let kind = self.data_type.parse::<DataType>().unwrap().kind;
        let steps: Vec<_> = records.iter().map(|(_, step)| *step).collect();
        let folded = fold_with(self.name, &kind, &self.options, column, &[&steps, &[], &steps])?;
        let values = values(&folded);
        assert_eq!(values[0], values[2]);
        assert!(folded.is_null(1));
        Ok(values[0].clone())
    }

    pub(super) fn fold(&self, records: &[(&str, Step)]) -> String {
        self.try_fold(records).unwrap()
    }
}
