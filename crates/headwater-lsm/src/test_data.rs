//! Records for tests: made from tuples, read back as tuples, and the model of a merge.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType as Arrow, Field, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use headwater_spec::{DataType, TypeKind};

use crate::error::LsmError;
use crate::key_value::{KeyEncoder, KeyValueBatch, Keys};
use crate::merge_engine::{Deduplicate, Groups, Keeps, MergeFunction, Merged};

/// A record. Its value is text that no other record has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) key: i64,
    pub(crate) sequence: i64,
    pub(crate) kind: i8,
    pub(crate) value: String,
}

pub(crate) fn record(key: i64, sequence: i64, kind: i8) -> Record {
    Record { key, sequence, kind, value: format!("{key}/{sequence}/{kind}") }
}

/// How keys are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    I64,
    /// As text of fixed width, so that it orders as the number does.
    Rows,
}

pub(crate) fn keys(form: KeyForm, keys: impl Iterator<Item = i64>) -> Keys {
    let (kind, column): (_, ArrayRef) = match form {
        KeyForm::I64 => (TypeKind::BigInt, Arc::new(Int64Array::from_iter_values(keys))),
        KeyForm::Rows => {
            let text = |key: i64| format!("key-{:020}", i128::from(key) - i128::from(i64::MIN));
            (TypeKind::STRING, Arc::new(StringArray::from_iter_values(keys.map(text))))
        }
    };
    KeyEncoder::new(&[DataType::not_null(kind)]).unwrap().encode(&[column]).unwrap()
}

/// The value columns: the key as number, the value.
pub(crate) fn values(records: &[Record]) -> RecordBatch {
    let schema =
        Schema::new(vec![Field::new("k", Arrow::Int64, false), Field::new("v", Arrow::Utf8, true)]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(records.iter().map(|r| r.key))),
        Arc::new(StringArray::from_iter_values(records.iter().map(|r| &r.value))),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

pub(crate) fn batch(form: KeyForm, records: &[Record]) -> KeyValueBatch {
    KeyValueBatch::try_new(
        keys(form, records.iter().map(|r| r.key)),
        records.iter().map(|r| r.sequence).collect::<Vec<_>>().into(),
        records.iter().map(|r| r.kind).collect::<Vec<_>>().into(),
        values(records),
    )
    .unwrap()
}

pub(crate) fn records(batches: &[KeyValueBatch]) -> Vec<Record> {
    let mut records = Vec::new();
    for batch in batches {
        batch.check().unwrap();
        let numbers = batch.values.column(0).as_primitive::<Int64Type>();
        let texts = batch.values.column(1).as_string::<i32>();
        for row in 0..batch.len() {
            let key = numbers.value(row);
            let form =
                if matches!(batch.keys, Keys::I64(_)) { KeyForm::I64 } else { KeyForm::Rows };
            let expected = keys(form, std::iter::once(key));
            assert_eq!(batch.keys.compare(row, &expected, 0), Some(Ordering::Equal));
            records.push(Record {
                key,
                sequence: batch.sequence.value(row),
                kind: batch.kinds.value(row),
                value: texts.value(row).to_owned(),
            });
        }
    }
    records
}

/// What deduplicating the runs must give: by key the record of the largest sequence number, of
/// several the one of the last run.
pub(crate) fn deduplicated(runs: &[Vec<Record>], drop_deletes: bool) -> Vec<Record> {
    let mut last = BTreeMap::<i64, &Record>::new();
    for record in runs.iter().flatten() {
        let old = last.entry(record.key).or_insert(record);
        if record.sequence >= old.sequence {
            *old = record;
        }
    }
    let stays = |r: &&Record| !drop_deletes || r.kind == 0 || r.kind == 2;
    last.into_values().filter(stays).cloned().collect()
}

/// Deduplicates, but has the loop go the way of engines that look at all records; checks the
/// groups that it is given.
#[derive(Debug)]
pub(crate) struct DeduplicateAll;

impl MergeFunction for DeduplicateAll {
    fn name(&self) -> &'static str {
        "deduplicate-all"
    }

    fn keeps(&self) -> Keeps {
        Keeps::All
    }

    fn merge(&self, groups: &Groups) -> Result<Merged, LsmError> {
        let (keys, sequence) = (groups.keys(), groups.sequence());
        let complete = groups.rows().last().is_some_and(|rows| rows.end == keys.len());
        assert!(complete, "records that belong to no group");
        for rows in groups.rows() {
            for row in rows.start + 1..rows.end {
                assert_eq!(keys.compare(row - 1, keys, row), Some(Ordering::Equal));
                assert!(sequence.value(row - 1) <= sequence.value(row), "newer before older");
            }
        }
        Deduplicate.merge(groups)
    }
}

/// Either engine; the outcome must be the same.
pub(crate) fn deduplicate(all: bool) -> Arc<dyn MergeFunction> {
    if all { Arc::new(DeduplicateAll) } else { Arc::new(Deduplicate) }
}
