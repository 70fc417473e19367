use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    ListArray, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Int32Type, Schema};
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::record_batch::RecordBatch;
use headwater::io::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use unicode_width::UnicodeWidthStr;

use super::{Format, Limits, More, ResultWriter, Style, Target};

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

const NO_LIMITS: Limits = Limits { rows: 0, width: 0, more: More::Arguments };

fn style(format: Format) -> Style {
    Style { format, limits: NO_LIMITS, target: Target::Stream }
}

fn bytes(style: Style, batches: &[RecordBatch]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ResultWriter::new(style, &batches[0].schema(), &mut out).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish(None).unwrap();
    out
}

fn text(format: Format, batches: &[RecordBatch]) -> String {
    String::from_utf8(bytes(style(format), batches)).unwrap()
}

/// The table with these limits.
fn limited(rows: usize, width: usize, batches: &[RecordBatch]) -> String {
    let limits = Limits { rows, width, more: More::Commands };
    String::from_utf8(bytes(Style { limits, ..style(Format::Table) }, batches)).unwrap()
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
fn a_long_table_shows_its_first_and_last_rows_and_says_so() {
    let column = |range| -> ArrayRef { Arc::new(Int64Array::from_iter_values(range)) };
    let batches: Vec<RecordBatch> =
        [0..3, 3..4, 4..9, 9..12].map(|range| batch(vec![("c", column(range))])).into();
    let expected = "\
┌────┐
│  c │
├────┤
│  0 │
│  1 │
│  2 │
│  … │
│ 10 │
│ 11 │
└────┘
(12 rows, 5 shown; all with .maxrows 0)
";
    assert_eq!(limited(5, 0, &batches), expected);
    for rows in [12, 13, 0] {
        assert!(limited(rows, 0, &batches).ends_with("│ 11 │\n└────┘\n(12 rows)\n"));
    }
    let one = limited(1, 0, &batches);
    assert!(one.contains("│ 0 │\n│ … │\n└───┘\n(12 rows, 1 shown;"), "{one}");
}

#[test]
fn a_wide_table_is_cut_to_its_room() {
    let long: ArrayRef = Arc::new(StringArray::from(vec!["订单订单订单订单订单", "short\nlines"]));
    let shown = limited(0, 30, &[batch(vec![("id", Arc::clone(&long)), ("a_long_name", long)])]);
    assert!(shown.lines().all(|line| line.width() <= 30 || line.starts_with('(')), "{shown}");
    assert!(shown.contains("│ 订单订单订… │ 订单订单订… │"), "{shown}");
    assert!(shown.ends_with("(2 rows; long values cut; all with .maxwidth 0)\n"), "{shown}");
}

#[test]
fn a_thousand_columns_show_the_first_and_the_last() {
    let names: Vec<String> = (0..1_000).map(|n| format!("column_{n}")).collect();
    let one = |name: &String| -> (String, ArrayRef) {
        (name.clone(), Arc::new(Int64Array::from_iter_values(0..100)))
    };
    let columns: Vec<(String, ArrayRef)> = names.iter().map(one).collect();
    let columns = columns.iter().map(|(name, array)| (name.as_str(), Arc::clone(array))).collect();
    let shown = limited(4, 60, &[batch(columns)]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[1], "│ column_0 │ column_1 │ … │ column_998 │ column_999 │");
    assert_eq!(lines[5], "│        … │        … │ … │          … │          … │");
    assert_eq!(lines.len(), 10);
    assert_eq!(
        lines[9],
        "(100 rows, 4 shown; 1000 columns, 4 shown; all with .maxrows 0 and .maxwidth 0)"
    );
}

#[test]
fn the_time_of_a_statement_stands_behind_the_count() {
    let batch = orders();
    let mut out = Vec::new();
    let mut writer = ResultWriter::new(style(Format::Table), &batch.schema(), &mut out).unwrap();
    writer.write(&batch).unwrap();
    writer.finish(Some(Duration::from_millis(12))).unwrap();
    assert!(String::from_utf8(out).unwrap().ends_with("(3 rows, 0.012 s)\n"));
}

#[test]
fn markdown_escapes_what_it_would_take_for_its_own() {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["a|b\n<i>*c*\\"]));
    assert_eq!(
        text(Format::Markdown, &[orders()]),
        "| id | amount | note |\n| ---: | ---: | --- |\n| 1 | 12.50 | 订单 ✓ |\n\
         | 2 | NULL | NULL |\n| 3 | -0.05 |  |\n"
    );
    assert_eq!(
        text(Format::Markdown, &[batch(vec![("c", column)])]),
        "| c |\n| --- |\n| a\\|b<br>\\<i>\\*c\\*\\\\ |\n"
    );
}

#[test]
fn binary_formats_are_read_back_as_they_were() {
    let batches = [orders(), orders().slice(1, 2), orders().slice(0, 0)];
    let rows = concat_batches(&batches[0].schema(), &batches).unwrap();
    let read = |found: Vec<RecordBatch>| concat_batches(&rows.schema(), &found).unwrap();

    let parquet = Bytes::from(bytes(style(Format::Parquet), &batches));
    let reader = ParquetRecordBatchReaderBuilder::try_new(parquet).unwrap().build().unwrap();
    assert_eq!(read(reader.map(Result::unwrap).collect()), rows);

    let stream = Cursor::new(bytes(style(Format::Arrow), &batches));
    let reader = StreamReader::try_new(stream, None).unwrap();
    assert_eq!(read(reader.map(Result::unwrap).collect()), rows);

    let to_file = Style { target: Target::File, ..style(Format::Arrow) };
    let file = Cursor::new(bytes(to_file, &batches));
    let reader = FileReader::try_new(file, None).unwrap();
    assert_eq!(read(reader.map(Result::unwrap).collect()), rows);
}

#[test]
fn a_large_result_leaves_the_parquet_writer_in_parts() {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..3_000_000));
    let batch = batch(vec![("c", column)]);
    let mut out = Vec::new();
    let mut writer = ResultWriter::new(style(Format::Parquet), &batch.schema(), &mut out).unwrap();
    writer.write(&batch).unwrap();
    writer.write(&batch).unwrap();
    writer.finish(None).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(out)).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 6_000_000);
    assert!(reader.metadata().num_row_groups() > 1);
    let read: usize = reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(read, 6_000_000);
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
