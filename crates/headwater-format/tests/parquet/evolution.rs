//! Files of older schemas, as Java reads them under the newest one.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Date32Type, Decimal128Type, Int8Type, TimestampMillisecondType};
use headwater_format::file_fields;
use headwater_spec::predicate::{Op, Predicate};
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataField, DataType, Datum, ErrorKind, RowType, TableSchema, TypeKind};
use headwater_testkit::{expected, golden};

use crate::canonical::line;
use crate::files::{bytes_of, decode};

#[expect(clippy::disallowed_methods, reason = "fixtures lie on disk")]
fn schema(table: &str, id: i64) -> TableSchema {
    let path = golden(table).dir.join(format!("schema/schema-{id}"));
    TableSchema::from_json(&std::fs::read(path).unwrap()).unwrap()
}

/// Rows of all files, under the newest schema.
fn rows(table: &str, newest: i64) -> Vec<String> {
    let newest = schema(table, newest);
    let mut lines = Vec::new();
    for entry in expected(table, "files.jsonl").unwrap().lines() {
        let entry: serde_json::Value = serde_json::from_str(entry).unwrap();
        if entry["what"] != "entry" {
            continue;
        }
        let file = golden(table).dir.join("bucket-0").join(entry["file"].as_str().unwrap());
        let there = schema(table, entry["schema_id"].as_i64().unwrap());
        let mapping = file_fields(&there.fields, &newest.fields).unwrap();
        for batch in decode(bytes_of(&file), mapping.fields(), 9).unwrap() {
            let batch = mapping.apply(&batch).unwrap();
            assert_eq!(batch.schema(), arrow_schema(&newest.row_type()));
            lines.extend((0..batch.num_rows()).map(|r| line(&newest.fields, &batch, r)));
        }
    }
    lines.sort_unstable();
    lines
}

#[test]
fn widened_columns_read_as_java_reads_them() {
    let expected = expected("evolve_widen_a", "latest.jsonl").unwrap();
    assert_eq!(rows("evolve_widen_a", 1), expected.lines().collect::<Vec<_>>());
}

#[test]
fn rows_of_merged_tables_are_among_those_of_their_files() {
    for (table, newest) in
        [("evolve_nested_a", 1), ("evolve_add_drop_a", 3), ("evolve_rename_reorder_a", 2)]
    {
        let files = rows(table, newest);
        for line in expected(table, "latest.jsonl").unwrap().lines() {
            let line = line.replacen("\"+U\"", "\"+I\"", 1);
            assert!(files.binary_search(&line).is_ok(), "{table}: {line}");
        }
    }
}

fn nullable(kind: TypeKind) -> DataType {
    DataType::nullable(kind)
}

fn cast(column: impl Array + 'static, from: TypeKind, to: TypeKind) -> ArrayRef {
    let file = [DataField::new(4, "old", nullable(from))];
    let wanted = [DataField::new(4, "new", nullable(to))];
    let batch =
        RecordBatch::try_new(arrow_schema(&RowType::new(file.to_vec())), vec![Arc::new(column)])
            .unwrap();
    let mapping = file_fields(&file, &wanted).unwrap();
    Arc::clone(mapping.apply(&batch).unwrap().column(0))
}

#[test]
fn values_are_cast_as_java_casts_them() {
    let narrowed = cast(Int32Array::from(vec![300, -129]), TypeKind::Int, TypeKind::TinyInt);
    assert_eq!(narrowed.as_primitive::<Int8Type>().values(), &[44, 127]);
    let decimal = TypeKind::Decimal { precision: 4, scale: 1 };
    let numbers = Float64Array::from(vec![1.25, 1e9]);
    let decimals = cast(numbers, TypeKind::Double, decimal.clone());
    assert_eq!(decimals.as_primitive::<Decimal128Type>().value(0), 13);
    assert!(decimals.is_null(1));
    let text = cast(decimals.as_primitive::<Decimal128Type>().clone(), decimal, TypeKind::STRING);
    assert_eq!(text.as_string::<i32>().value(0), "1.3");
    let words = || StringArray::from(vec!["漢字漢字", "a"]);
    let cut = cast(words(), TypeKind::STRING, TypeKind::VarChar(2));
    assert_eq!(cut.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["漢字", "a"]);
    let padded = cast(words(), TypeKind::STRING, TypeKind::Char(3));
    assert_eq!(padded.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["漢字漢", "a  "]);
    let micros = TimestampMicrosecondArray::from(vec![1_234_567, -1]);
    let seconds = cast(micros, TypeKind::Timestamp(6), TypeKind::Timestamp(0));
    assert_eq!(seconds.as_primitive::<TimestampMillisecondType>().values(), &[1_000, -1_000]);
    let micros = TimestampMicrosecondArray::from(vec![86_400_000_000, 5]);
    let days = cast(micros, TypeKind::Timestamp(6), TypeKind::Date);
    assert_eq!(days.as_primitive::<Date32Type>().values(), &[1, 0]);
    let dates = cast(Date32Array::from(vec![0, 18_262]), TypeKind::Date, TypeKind::STRING);
    assert_eq!(dates.as_string::<i32>().value(1), "2020-01-01");
}

#[test]
fn a_change_that_cannot_be_read_names_its_column() {
    let row = |kind| nullable(TypeKind::Row(vec![DataField::new(2, "inner", nullable(kind))]));
    let file = [DataField::new(1, "outer", row(TypeKind::STRING))];
    let wanted = [DataField::new(1, "outer", row(TypeKind::Int))];
    let error = file_fields(&file, &wanted).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("'outer.inner'"), "{error}");
}

#[test]
fn filters_reach_a_file_only_when_they_mean_the_same_there() {
    let file = [
        DataField::new(1, "a", nullable(TypeKind::Int)),
        DataField::new(2, "b", nullable(TypeKind::Int)),
    ];
    let wanted = [
        DataField::new(3, "new", nullable(TypeKind::Int)),
        DataField::new(2, "b", nullable(TypeKind::STRING)),
        DataField::new(1, "renamed", nullable(TypeKind::BigInt)),
    ];
    let mapping = file_fields(&file, &wanted).unwrap();
    let leaf = |column, value: Datum| Predicate::leaf(column, Op::Eq, [value]);
    let all = |parts: Vec<_>| mapping.predicate(&Predicate::And(parts));
    let at = mapping.fields().iter().position(|f| f.name == "a").unwrap();
    assert_eq!(
        all(vec![
            leaf(0, Datum::Int(1)),
            leaf(1, Datum::String("1".into())),
            leaf(2, Datum::BigInt(5)),
        ]),
        Some(Predicate::And(vec![leaf(at, Datum::Int(5))]))
    );
    assert_eq!(all(vec![leaf(2, Datum::BigInt(1 << 40))]), None);
    let either = Predicate::Or(vec![leaf(0, Datum::Int(1)), leaf(2, Datum::BigInt(5))]);
    assert_eq!(mapping.predicate(&either), None);
}

#[test]
fn equal_schemas_map_to_themselves() {
    let fields = [
        DataField::new(1, "a", nullable(TypeKind::Int)),
        DataField::new(2, "b", nullable(TypeKind::Array(Box::new(nullable(TypeKind::STRING))))),
    ];
    assert!(file_fields(&fields, &fields).unwrap().is_identity());
    let swapped = [fields[1].clone(), fields[0].clone()];
    assert!(file_fields(&fields, &swapped).unwrap().is_identity());
    let renamed = [DataField { name: "c".to_owned(), ..fields[0].clone() }];
    let mapping = file_fields(&fields, &renamed).unwrap();
    assert!(!mapping.is_identity());
    let batch = RecordBatch::try_from_iter_with_nullable([(
        "a",
        Arc::new(Int32Array::from(vec![1])) as ArrayRef,
        true,
    )])
    .unwrap();
    assert_eq!(mapping.apply(&batch).unwrap().schema().field(0).name(), "c");
}

#[test]
fn a_column_that_the_file_lacks_is_null() {
    let file = [DataField::new(1, "a", nullable(TypeKind::BigInt))];
    let wanted = [
        DataField::new(9, "a", nullable(TypeKind::STRING)),
        DataField::new(1, "b", nullable(TypeKind::BigInt)),
    ];
    let mapping = file_fields(&file, &wanted).unwrap();
    let schema = arrow_schema(&RowType::new(mapping.fields().to_vec()));
    let batch = RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(vec![1, 2]))]).unwrap();
    let read = mapping.apply(&batch).unwrap();
    assert_eq!((read.column(0).null_count(), read.column(1).null_count()), (2, 0));
}
