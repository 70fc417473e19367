use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int32Array, Int64Array, ListArray, MapArray, StringArray, StructArray,
    Time32MillisecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use headwater_spec::{DataField, DataType, TypeKind};

use super::Lines;
use headwater_spec::SpecError;

/// Lines of a batch with one nullable column `c`, in sorted order.
fn lines(kind: TypeKind, array: ArrayRef) -> Vec<String> {
    let batch = batch(vec![array]);
    let fields = [DataField::new(0, "c", DataType::nullable(kind))];
    let mut lines = Lines::default();
    lines.add(&batch, &fields, None).unwrap();
    texts(&lines)
}

fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .enumerate()
        .map(|(i, c)| Field::new(format!("c{i}"), c.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn texts(lines: &Lines) -> Vec<String> {
    lines.sorted().into_iter().map(|l| String::from_utf8(l.to_vec()).unwrap()).collect()
}

/// The text of the only value.
fn value(kind: TypeKind, array: impl Array + 'static) -> String {
    let line = lines(kind, Arc::new(array)).remove(0);
    line.strip_prefix("{\"kind\":\"+I\",\"row\":{\"c\":")
        .and_then(|rest| rest.strip_suffix("}}"))
        .unwrap()
        .to_owned()
}

#[test]
fn kinds_are_those_of_the_stored_numbers() {
    let batch = batch(vec![Arc::new(Int32Array::from(vec![1, 2, 3, 4]))]);
    let fields = [DataField::new(0, "k", DataType::not_null(TypeKind::Int))];
    let mut all = Lines::default();
    all.add(&batch, &fields, Some(&Int8Array::from(vec![0, 1, 2, 3]))).unwrap();
    assert_eq!(
        texts(&all),
        [
            r#"{"kind":"+I","row":{"k":1}}"#,
            r#"{"kind":"+U","row":{"k":3}}"#,
            r#"{"kind":"-D","row":{"k":4}}"#,
            r#"{"kind":"-U","row":{"k":2}}"#,
        ]
    );
}

#[test]
fn an_unknown_kind_is_an_error() {
    let batch = batch(vec![Arc::new(Int32Array::from(vec![1]))]);
    let fields = [DataField::new(0, "k", DataType::not_null(TypeKind::Int))];
    let kinds = Int8Array::from(vec![9]);
    let result = Lines::default().add(&batch, &fields, Some(&kinds));
    assert!(matches!(result, Err(SpecError::Value { .. })));
}

#[test]
fn a_column_of_another_arrow_type_is_an_error_that_names_it() {
    let batch = batch(vec![Arc::new(Int32Array::from(vec![1]))]);
    let fields = [DataField::new(0, "amount", DataType::not_null(TypeKind::BigInt))];
    let error = Lines::default().add(&batch, &fields, None).unwrap_err().to_string();
    assert!(error.contains("'amount'") && error.contains("Int32"), "{error}");
}

#[test]
fn lines_sort_by_unsigned_bytes_and_equal_ones_repeat() {
    let words = StringArray::from(vec!["ü", "z", "Z", "z", "中"]);
    let found = lines(TypeKind::STRING, Arc::new(words));
    let words: Vec<&str> = found.iter().map(|l| l.split('"').nth(9).unwrap()).collect();
    assert_eq!(words, ["Z", "z", "z", "ü", "中"]);
}

#[test]
fn floats_are_their_bits_and_every_nan_is_the_canonical_one() {
    assert_eq!(value(TypeKind::Float, Float32Array::from(vec![1.5])), "\"3fc00000\"");
    assert_eq!(value(TypeKind::Float, Float32Array::from(vec![-0.0])), "\"80000000\"");
    let odd = f32::from_bits(0xffc0_0001);
    assert_eq!(value(TypeKind::Float, Float32Array::from(vec![odd])), "\"7fc00000\"");
    assert_eq!(value(TypeKind::Double, Float64Array::from(vec![1.5])), "\"3ff8000000000000\"");
    let odd = f64::from_bits(0xfff8_0000_0000_0001);
    assert_eq!(value(TypeKind::Double, Float64Array::from(vec![odd])), "\"7ff8000000000000\"");
}

#[test]
fn decimals_are_plain_with_exactly_their_scale() {
    for (unscaled, precision, scale, expected) in [
        (5, 12, 2, "0.05"),
        (-5, 12, 2, "-0.05"),
        (0, 12, 2, "0.00"),
        (-1_234_500, 12, 2, "-12345.00"),
        (42, 10, 0, "42"),
        (1, 38, 38, "0.00000000000000000000000000000000000001"),
    ] {
        let values = Decimal128Array::from(vec![unscaled])
            .with_precision_and_scale(precision, i8::try_from(scale).unwrap())
            .unwrap();
        let kind = TypeKind::Decimal { precision, scale };
        assert_eq!(value(kind, values), format!("\"{expected}\""));
    }
}

#[test]
fn texts_escape_only_quotes_backslashes_and_controls() {
    let text = "a\"b\\c\nd\u{1f}e\u{7f}é😀/";
    let expected = "\"a\\\"b\\\\c\\u000ad\\u001fe\u{7f}é😀/\"";
    assert_eq!(value(TypeKind::STRING, StringArray::from(vec![text])), expected);
    assert_eq!(value(TypeKind::Char(3), StringArray::from(vec!["ab "])), "\"ab \"");
}

#[test]
fn bytes_are_lower_case_hex() {
    let bytes: &[u8] = &[0x00, 0xAB, 0xff];
    assert_eq!(value(TypeKind::BYTES, BinaryArray::from(vec![bytes])), "\"00abff\"");
}

#[test]
fn times_follow_their_precision_and_zone() {
    assert_eq!(value(TypeKind::Date, Date32Array::from(vec![19_782])), "\"2024-02-29\"");
    let time = Time32MillisecondArray::from(vec![3_723_004]);
    assert_eq!(value(TypeKind::Time(3), time), "\"01:02:03.004\"");
    let millis = TimestampMillisecondArray::from(vec![-1]);
    assert_eq!(value(TypeKind::Timestamp(3), millis), "\"1969-12-31T23:59:59.999000000\"");
    let micros = TimestampMicrosecondArray::from(vec![-1]).with_timezone("UTC");
    assert_eq!(value(TypeKind::TimestampLtz(6), micros), "\"1969-12-31T23:59:59.999999000Z\"");
    let nanos = TimestampNanosecondArray::from(vec![1_000_000_001]);
    assert_eq!(value(TypeKind::Timestamp(9), nanos), "\"1970-01-01T00:00:01.000000001\"");
}

#[test]
fn nulls_and_booleans_are_literals() {
    let values = BooleanArray::from(vec![Some(true), None, Some(false)]);
    assert_eq!(
        lines(TypeKind::Boolean, Arc::new(values)),
        [
            r#"{"kind":"+I","row":{"c":false}}"#,
            r#"{"kind":"+I","row":{"c":null}}"#,
            r#"{"kind":"+I","row":{"c":true}}"#,
        ]
    );
}

#[test]
fn lists_keep_their_order_and_their_nulls() {
    let list = ListArray::from_iter_primitive::<arrow::datatypes::Int32Type, _, _>(vec![
        Some(vec![Some(0)]),
        Some(vec![Some(3), None, Some(1)]),
    ]);
    let kind = TypeKind::Array(Box::new(DataType::nullable(TypeKind::Int)));
    assert_eq!(
        lines(kind, Arc::new(list)),
        [r#"{"kind":"+I","row":{"c":[0]}}"#, r#"{"kind":"+I","row":{"c":[3,null,1]}}"#]
    );
}

#[test]
fn pairs_of_maps_sort_by_the_bytes_of_their_text() {
    let keys: ArrayRef = Arc::new(Int64Array::from(vec![9, 10, 2]));
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("y")]));
    let key = Field::new("key", keys.data_type().clone(), false);
    let val = Field::new("value", values.data_type().clone(), true);
    let entries = StructArray::new(vec![key, val].into(), vec![keys, values], None);
    let field = Field::new("key_value", entries.data_type().clone(), false);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0, 3]));
    let map = MapArray::new(Arc::new(field), offsets, entries, None, false);
    let kind = TypeKind::Map(
        Box::new(DataType::not_null(TypeKind::BigInt)),
        Box::new(DataType::nullable(TypeKind::STRING)),
    );
    assert_eq!(value(kind, map), r#"[[10,null],[2,"y"],[9,"x"]]"#);
}

#[test]
fn rows_are_objects_in_field_order() {
    let b: ArrayRef = Arc::new(Int32Array::from(vec![None, Some(1)]));
    let a: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), Some("y")]));
    let fields = vec![
        Field::new("b", b.data_type().clone(), true),
        Field::new("a", a.data_type().clone(), true),
    ];
    let rows = StructArray::new(fields.into(), vec![b, a], Some(vec![true, false].into()));
    let kind = TypeKind::Row(vec![
        DataField::new(1, "b", DataType::nullable(TypeKind::Int)),
        DataField::new(2, "a\"", DataType::nullable(TypeKind::STRING)),
    ]);
    assert_eq!(
        lines(kind, Arc::new(rows)),
        [r#"{"kind":"+I","row":{"c":null}}"#, r#"{"kind":"+I","row":{"c":{"b":null,"a\"":"x"}}}"#,]
    );
}

#[test]
fn variants_are_their_two_parts() {
    let value_part: ArrayRef = Arc::new(BinaryArray::from(vec![&[1_u8, 2][..]]));
    let metadata: ArrayRef = Arc::new(BinaryArray::from(vec![&[3_u8][..]]));
    let fields = vec![
        Field::new("value", value_part.data_type().clone(), false),
        Field::new("metadata", metadata.data_type().clone(), false),
    ];
    let parts = StructArray::new(fields.into(), vec![value_part, metadata], None);
    assert_eq!(value(TypeKind::Variant, parts), r#"{"value":"0102","metadata":"03"}"#);
}
