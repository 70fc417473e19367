use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    ListArray, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{Field, Int32Type, Schema};
use arrow::record_batch::RecordBatch;

use super::{Format, ResultWriter};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> =
        columns.iter().map(|(name, c)| Field::new(*name, c.data_type().clone(), true)).collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn orders() -> RecordBatch {
    let amounts = Decimal128Array::from(vec![Some(1_250), None, Some(-5)]);
    batch(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("amount", Arc::new(amounts.with_precision_and_scale(12, 2).unwrap())),
        ("note", Arc::new(StringArray::from(vec![Some("订单 ✓"), None, Some("")]))),
    ])
}

fn text(format: Format, batches: &[RecordBatch]) -> String {
    let mut out = Vec::new();
    let mut writer = ResultWriter::new(format, &batches[0].schema(), &mut out);
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    String::from_utf8(out).unwrap()
}

/// The one value of a column as `ndjson` shows it.
fn json(column: impl arrow::array::Array + 'static) -> String {
    let line = text(Format::Ndjson, &[batch(vec![("c", Arc::new(column))])]);
    line.trim_end().strip_prefix("{\"c\":").unwrap().strip_suffix('}').unwrap().to_owned()
}

#[test]
fn a_table_aligns_wide_characters_and_counts_rows() {
    let expected = "\
┌────┬────────┬────────┐
│ id ┆ amount ┆ note   │
├────┼────────┼────────┤
│  1 ┆  12.50 ┆ 订单 ✓ │
│  2 ┆   NULL ┆ NULL   │
│  3 ┆  -0.05 ┆        │
└────┴────────┴────────┘
(3 rows)
";
    assert_eq!(text(Format::Table, &[orders()]), expected.replace('┆', "│"));
}

#[test]
fn a_table_shows_control_characters_instead_of_obeying_them() {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["a\rb\u{1b}[2J\nsecond line"]));
    let shown = text(Format::Table, &[batch(vec![("c", column)])]);
    assert!(shown.contains("│ a\\rb\\u001b[2J │"), "{shown}");
    assert!(shown.contains("│ second line   │"), "{shown}");
    assert!(shown.ends_with("(1 row)\n"));
}

#[test]
fn a_long_table_says_how_many_rows_it_left_out() {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..6_000));
    let batch = batch(vec![("c", column)]);
    let shown = text(Format::Table, &[batch.clone(), batch]);
    assert!(shown.ends_with("(12000 rows, the first 10000 shown; --format csv prints all)\n"));
    assert_eq!(shown.lines().count(), 10_000 + 5);
}

#[test]
fn csv_keeps_null_apart_from_empty_text() {
    assert_eq!(
        text(Format::Csv, &[orders()]),
        "id,amount,note\n1,12.50,订单 ✓\n2,,\n3,-0.05,\"\"\n"
    );
}

#[test]
fn csv_quotes_what_would_break_a_line() {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["a,b", "say \"hi\"", "x\ny", " z"]));
    assert_eq!(
        text(Format::Csv, &[batch(vec![("a \"c\"", column)])]),
        "\"a \"\"c\"\"\"\n\"a,b\"\n\"say \"\"hi\"\"\"\n\"x\ny\"\n\" z\"\n"
    );
}

#[test]
fn json_is_one_array_over_all_batches() {
    let batch = orders();
    assert_eq!(
        text(Format::Json, &[batch.slice(0, 1), batch.slice(1, 1)]),
        "[\n{\"id\":1,\"amount\":12.50,\"note\":\"订单 ✓\"},\n{\"id\":2,\"amount\":null,\"note\":null}\n]\n"
    );
    assert_eq!(text(Format::Json, &[batch.slice(0, 0)]), "[]\n");
}

#[test]
fn ndjson_is_one_object_per_line() {
    assert_eq!(
        text(Format::Ndjson, &[orders().slice(2, 1)]),
        "{\"id\":3,\"amount\":-0.05,\"note\":\"\"}\n"
    );
    assert_eq!(text(Format::Ndjson, &[orders().slice(0, 0)]), "");
}

#[test]
fn json_escapes_texts_and_names() {
    let column: ArrayRef = Arc::new(StringViewArray::from(vec!["\"\\\n\u{1}é"]));
    assert_eq!(
        text(Format::Ndjson, &[batch(vec![("a\"b", column)])]),
        "{\"a\\\"b\":\"\\\"\\\\\\n\\u0001é\"}\n"
    );
}

#[test]
fn json_has_strings_for_what_it_has_no_number_for() {
    assert_eq!(json(Float64Array::from(vec![f64::NAN])), "\"NaN\"");
    assert_eq!(json(Float64Array::from(vec![f64::NEG_INFINITY])), "\"-Infinity\"");
    assert_eq!(json(Float64Array::from(vec![1.5])), "1.5");
    assert_eq!(json(BooleanArray::from(vec![true])), "true");
    assert_eq!(json(BinaryArray::from(vec![&[0xAB_u8, 1][..]])), "\"ab01\"");
}

#[test]
fn times_have_the_digits_of_their_unit() {
    assert_eq!(json(Date32Array::from(vec![19_782])), "\"2024-02-29\"");
    let millis = TimestampMillisecondArray::from(vec![1_700_000_000_120]);
    assert_eq!(json(millis), "\"2023-11-14 22:13:20.120\"");
    let utc = TimestampMicrosecondArray::from(vec![1_700_000_000_120_000]).with_timezone("UTC");
    assert_eq!(json(utc), "\"2023-11-14 22:13:20.120000Z\"");
    let zoned = TimestampMillisecondArray::from(vec![0]).with_timezone("+08:00");
    assert_eq!(json(zoned), "\"1970-01-01 08:00:00.000+08:00\"");
}

#[test]
fn nested_values_are_json_in_every_format() {
    let list: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![
            Some(1),
            None,
        ])]));
    let name: ArrayRef = Arc::new(StringArray::from(vec!["x\"y"]));
    let fields = vec![
        Field::new("l", list.data_type().clone(), true),
        Field::new("n", name.data_type().clone(), true),
    ];
    let row = StructArray::new(fields.into(), vec![list, name], None);
    let batch = batch(vec![("r", Arc::new(row))]);
    let expected = "{\"l\":[1,null],\"n\":\"x\\\"y\"}";
    assert_eq!(
        text(Format::Ndjson, std::slice::from_ref(&batch)),
        format!("{{\"r\":{expected}}}\n")
    );
    let quoted = expected.replace('"', "\"\"");
    assert_eq!(text(Format::Csv, std::slice::from_ref(&batch)), format!("r\n\"{quoted}\"\n"));
    assert!(text(Format::Table, &[batch]).contains(&format!("│ {expected} │")));
}
