//! Files of other writers: other names, widths, units, encodings and codecs.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Decimal128Array, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, Field, Int32Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use bytes::Bytes;
use headwater_format::FormatError;
use headwater_spec::{DataField, DataType, ErrorKind, TypeKind};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::data_type::{Int96, Int96Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::files::decode;

fn written(batch: &RecordBatch, properties: WriterProperties) -> Bytes {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    Bytes::from(bytes)
}

fn foreign(column: impl Array + 'static) -> Bytes {
    let batch = RecordBatch::try_from_iter([("c", Arc::new(column) as ArrayRef)]).unwrap();
    written(&batch, WriterProperties::default())
}

fn read(bytes: Bytes, kind: TypeKind) -> Result<ArrayRef, FormatError> {
    let fields = [DataField::new(0, "c", DataType::nullable(kind))];
    decode(bytes, &fields, 1000).map(|b| Arc::clone(b[0].column(0)))
}

#[test]
fn timestamps_are_read_by_the_unit_of_the_file() {
    let micros = || TimestampMicrosecondArray::from(vec![1_500, -1, 2_000_000]);
    let read_ms = read(foreign(micros()), TypeKind::Timestamp(3)).unwrap();
    let values = read_ms.as_primitive::<TimestampMillisecondType>().values();
    assert_eq!(values, &[1, -1, 2_000]);
    let read_ns = read(foreign(micros()), TypeKind::Timestamp(9)).unwrap();
    let values = read_ns.as_primitive::<TimestampNanosecondType>().values();
    assert_eq!(values, &[1_500_000, -1_000, 2_000_000_000]);
    let nanos = TimestampNanosecondArray::from(vec![1_999]).with_timezone("UTC");
    let read_us = read(foreign(nanos), TypeKind::TimestampLtz(6)).unwrap();
    assert_eq!(read_us.as_primitive::<TimestampMicrosecondType>().values(), &[1]);
    let far = TimestampMillisecondArray::from(vec![i64::MAX / 1000]);
    let error = read(foreign(far), TypeKind::Timestamp(9)).unwrap_err();
    assert!(error.to_string().contains("'c'"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let plain = read(foreign(Int64Array::from(vec![5])), TypeKind::Timestamp(6)).unwrap();
    assert_eq!(plain.as_primitive::<TimestampMicrosecondType>().values(), &[5]);
}

#[test]
fn widths_may_differ_as_long_as_values_fit() {
    let wide = read(foreign(Int64Array::from(vec![7])), TypeKind::Int).unwrap();
    assert_eq!(wide.as_primitive::<Int32Type>().values(), &[7]);
    let error = read(foreign(Int64Array::from(vec![1 << 40])), TypeKind::Int).unwrap_err();
    assert!(error.to_string().contains("column 'c'"), "{error}");
    let tiny = read(foreign(Int32Array::from(vec![-5])), TypeKind::TinyInt).unwrap();
    assert_eq!(tiny.data_type(), &Arrow::Int8);
    assert!(read(foreign(Int32Array::from(vec![300])), TypeKind::TinyInt).is_err());
    assert!(read(foreign(StringArray::from(vec!["1"])), TypeKind::Int).is_err());
    let text = read(foreign(BinaryArray::from(vec![&b"ab"[..]])), TypeKind::STRING).unwrap();
    assert_eq!(text.as_string::<i32>().value(0), "ab");
    let error = read(foreign(BinaryArray::from(vec![&b"\xFFb"[..]])), TypeKind::STRING);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn decimals_are_read_from_every_physical_type() {
    for precision in [9, 18, 38] {
        let values = Decimal128Array::from(vec![Some(-12_345), None]);
        let values = values.with_precision_and_scale(precision, 2).unwrap();
        let kind = TypeKind::Decimal { precision: 38, scale: 2 };
        let read = read(foreign(values), kind).unwrap();
        assert_eq!(read.as_primitive::<Decimal128Type>().value(0), -12_345);
        assert!(read.is_null(1));
    }
}

#[test]
fn lists_with_another_child_name_are_read() {
    for name in ["item", "element", "array"] {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ]);
        let (_, offsets, values, nulls) = list.into_parts();
        let child = Arc::new(Field::new(name, Arrow::Int32, true));
        let list = ListArray::new(child, offsets, values, nulls);
        let element = DataType::nullable(TypeKind::Int);
        let read = read(foreign(list), TypeKind::Array(Box::new(element))).unwrap();
        assert_eq!(read.as_list::<i32>().value_offsets(), &[0, 2, 2, 2], "{name}");
        assert!(read.is_null(1));
    }
}

#[test]
fn two_level_lists_are_read() {
    let schema = "message m { optional group c (LIST) { repeated int32 array; } }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let typed = column.typed::<parquet::data_type::Int32Type>();
    typed.write_batch(&[1, 2, 3], Some(&[2, 2, 0, 2]), Some(&[0, 1, 0, 0])).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    let element = DataType::nullable(TypeKind::Int);
    let read = read(Bytes::from(bytes), TypeKind::Array(Box::new(element))).unwrap();
    assert_eq!(read.as_list::<i32>().value_offsets(), &[0, 2, 2, 3]);
}

#[test]
fn second_version_pages_and_all_codecs_are_read() {
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ];
    for codec in codecs {
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_compression(codec)
            .set_dictionary_enabled(false)
            .set_encoding(Encoding::DELTA_BINARY_PACKED);
        let column = Arc::new(Int64Array::from_iter((0..5_000).map(|i| (i % 9 > 0).then_some(i))));
        let batch = RecordBatch::try_from_iter([("c", column as ArrayRef)]).unwrap();
        let read = read(written(&batch, properties.build()), TypeKind::BigInt).unwrap();
        let there = arrow::compute::concat(&[&read]).unwrap();
        assert_eq!(there.len(), 1000);
        assert_eq!(there.as_ref(), batch.column(0).slice(0, 1000).as_ref(), "{codec:?}");
    }
}

fn int96_file(values: &[(i64, i32)]) -> Bytes {
    let schema = Arc::new(parse_message_type("message m { optional int96 c; }").unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let int96 = |(nanos, day): &(i64, i32)| {
        let nanos = nanos.to_le_bytes();
        let word = |at: usize| u32::from_le_bytes(nanos[at..at + 4].try_into().unwrap());
        let mut value = Int96::new();
        value.set_data(word(0), word(4), day.cast_unsigned());
        value
    };
    let values: Vec<_> = values.iter().map(int96).collect();
    let levels = vec![1; values.len()];
    column.typed::<Int96Type>().write_batch(&values, Some(&levels), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    Bytes::from(bytes)
}

#[test]
fn int96_is_read_in_every_precision() {
    const EPOCH: i32 = 2_440_588;
    // Java counts the nanoseconds of an instant before 1970 downwards from the day after it.
    let file = || int96_file(&[(1_002_003, EPOCH), (-1_000_000, EPOCH)]);
    let nanos = read(file(), TypeKind::Timestamp(9)).unwrap();
    let nanos = nanos.as_primitive::<TimestampNanosecondType>().values().to_vec();
    assert_eq!(nanos, [1_002_003, -1_000_000]);
    let micros = read(file(), TypeKind::TimestampLtz(6)).unwrap();
    let micros = micros.as_primitive::<TimestampMicrosecondType>().values().to_vec();
    assert_eq!(micros, [1_002, -1_000]);
    let far = int96_file(&[(0, EPOCH), (0, 5_373_484)]);
    let millis = read(far.clone(), TypeKind::Timestamp(3)).unwrap();
    let millis = millis.as_primitive::<TimestampMillisecondType>().values().to_vec();
    assert_eq!(millis, [0, 253_402_214_400_000]);
    let error = read(far, TypeKind::Timestamp(9)).unwrap_err();
    assert!(error.to_string().contains("column 'c'"), "{error}");
    assert!(error.to_string().contains("1677 to 2262"), "{error}");
}
