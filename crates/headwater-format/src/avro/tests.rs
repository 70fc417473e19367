//! Rows of every type there and back, and damaged files.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use headwater_io::{FileIo, MemoryFileIo, Publish};
use headwater_spec::row::arrow::array_from_datums;
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataField, DataType, Datum, RowType};

use crate::{FileEncoder, FileFormat, FormatError, WriteOptions, encoder, open};

fn field(id: i32, name: &str, of: &str) -> DataField {
    DataField::new(id, name, DataType::parse(of).unwrap())
}

fn int(n: i32) -> Option<Datum> {
    Some(Datum::Int(n))
}

fn text(of: &str) -> Option<Datum> {
    Some(Datum::String(of.to_owned()))
}

/// Columns, and values of each.
fn columns() -> Vec<(DataField, Vec<Option<Datum>>)> {
    let decimal = |unscaled| Some(Datum::Decimal { unscaled, precision: 38, scale: 2 });
    vec![
        (field(0, "k", "INT NOT NULL"), vec![int(1), int(i32::MIN), int(i32::MAX)]),
        (
            field(1, "b", "BOOLEAN"),
            vec![Some(Datum::Boolean(true)), None, Some(Datum::Boolean(false))],
        ),
        (
            field(2, "t", "TINYINT"),
            vec![Some(Datum::TinyInt(-128)), None, Some(Datum::TinyInt(127))],
        ),
        (field(3, "s", "SMALLINT"), vec![None, Some(Datum::SmallInt(i16::MIN)), None]),
        (
            field(4, "l", "BIGINT"),
            vec![Some(Datum::BigInt(i64::MIN)), None, Some(Datum::BigInt(0))],
        ),
        (
            field(5, "f", "FLOAT"),
            vec![Some(Datum::Float(f32::MAX)), None, Some(Datum::Float(-0.0))],
        ),
        (field(6, "d", "DOUBLE"), vec![None, Some(Datum::Double(f64::MIN)), None]),
        (
            field(7, "m", "DECIMAL(38, 2)"),
            vec![decimal(10_i128.pow(38) - 1), decimal(-10_i128.pow(38) + 1), decimal(0)],
        ),
        (field(8, "v", "STRING"), vec![text(""), text("ä€😀"), None]),
        (
            field(9, "y", "BYTES"),
            vec![Some(Datum::Bytes(vec![0, 255])), None, Some(Datum::Bytes(vec![]))],
        ),
        (field(10, "da", "DATE"), vec![Some(Datum::Date(-1)), None, Some(Datum::Date(20_000))]),
        (
            field(11, "ti", "TIME(3)"),
            vec![Some(Datum::Time(86_399_999)), None, Some(Datum::Time(0))],
        ),
        (
            field(12, "a", "ARRAY<ARRAY<INT NOT NULL>>"),
            vec![
                Some(Datum::Array(vec![None, Some(Datum::Array(vec![int(1), int(2)]))])),
                None,
                Some(Datum::Array(vec![])),
            ],
        ),
        (
            field(13, "ma", "MAP<STRING, INT>"),
            vec![
                Some(Datum::Map(vec![(text("x"), int(1)), (text("y"), None)])),
                None,
                Some(Datum::Map(vec![])),
            ],
        ),
        (
            field(14, "mi", "MAP<INT NOT NULL, ROW<x STRING, y INT>>"),
            vec![
                Some(Datum::Map(vec![(int(1), Some(Datum::Row(vec![text("z"), None])))])),
                Some(Datum::Map(vec![])),
                None,
            ],
        ),
        (
            field(15, "r", "ROW<x INT, y ROW<z ARRAY<STRING>>>"),
            vec![
                Some(Datum::Row(vec![
                    int(1),
                    Some(Datum::Row(vec![Some(Datum::Array(vec![None, text("q")]))])),
                ])),
                Some(Datum::Row(vec![None, None])),
                None,
            ],
        ),
        (
            field(16, "mu", "MULTISET<STRING>"),
            vec![Some(Datum::Map(vec![(text("x"), int(2))])), None, None],
        ),
    ]
}

fn fields() -> Vec<DataField> {
    columns().into_iter().map(|(field, _)| field).collect()
}

fn batch(rows: u32) -> RecordBatch {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns()
        .into_iter()
        .map(|(field, values)| {
            let array = array_from_datums(&values, &field.data_type).unwrap();
            (field, array)
        })
        .unzip();
    let three = RecordBatch::try_new(arrow_schema(&RowType::new(fields)), arrays).unwrap();
    take_record_batch(&three, &UInt32Array::from_iter_values((0..rows).map(|row| row % 3))).unwrap()
}

fn encoded(batch: &RecordBatch, compression: &str) -> Vec<u8> {
    let options = WriteOptions {
        compression: compression.to_owned(),
        sync_marker: [7; 16],
        ..WriteOptions::default()
    };
    let mut file: Box<dyn FileEncoder> = encoder(FileFormat::Avro, &fields(), &options).unwrap();
    file.write(batch).unwrap();
    let mut bytes: Vec<u8> = file.take().concat();
    let done = file.finish().unwrap();
    bytes.extend(done.tail.concat());
    assert_eq!(done.size, u64::try_from(bytes.len()).unwrap());
    assert_eq!(done.row_count, u64::try_from(batch.num_rows()).unwrap());
    bytes
}

fn decoded(bytes: Vec<u8>, fields: &[DataField]) -> Result<Option<RecordBatch>, FormatError> {
    futures::executor::block_on(async {
        let size = u64::try_from(bytes.len()).unwrap();
        let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
        let published = io.publish("f.avro", bytes.into()).await?;
        assert_eq!(published, Publish::Published);
        let file = open(io, "f.avro", size, FileFormat::Avro).await?;
        let mut batches = Vec::new();
        for unit in 0..file.units() {
            let mut unit = file.fetch(unit, fields).await?;
            while let Some(batch) = unit.next(100)? {
                assert!(batch.num_rows() <= 100);
                batches.push(batch);
            }
        }
        let Some(first) = batches.first() else { return Ok(None) };
        let all = concat_batches(&first.schema(), &batches).unwrap();
        assert_eq!(u64::try_from(all.num_rows()).unwrap(), file.row_count());
        Ok(Some(all))
    })
}

#[test]
fn rows_of_every_type_come_back() {
    for compression in ["zstd", "snappy", "gzip", "none"] {
        for rows in [0, 1, 3, 5000] {
            let written = batch(rows);
            let read = decoded(encoded(&written, compression), &fields()).unwrap();
            match read {
                None => assert_eq!(rows, 0),
                Some(read) => assert_eq!(read, written, "{compression}"),
            }
        }
    }
    assert!(
        encoder(
            FileFormat::Avro,
            &fields(),
            &WriteOptions { compression: "lz4".to_owned(), ..WriteOptions::default() }
        )
        .is_err()
    );
}

#[test]
fn columns_are_found_by_name_and_missing_ones_are_null() {
    let wanted =
        [field(0, "v", "STRING"), field(0, "new", "ARRAY<INT>"), field(0, "k", "INT NOT NULL")];
    let read = decoded(encoded(&batch(3), "zstd"), &wanted).unwrap().unwrap();
    assert_eq!(read.column(0), batch(3).column(8));
    assert_eq!(read.column(1).null_count(), 3);
    assert_eq!(read.column(2), batch(3).column(0));
    let wrong = decoded(encoded(&batch(3), "zstd"), &[field(0, "v", "INT")]).unwrap_err();
    assert!(wrong.to_string().contains("Avro string"), "{wrong}");
}

#[test]
fn cut_and_changed_files_are_errors_and_never_panics() {
    let whole = encoded(&batch(3), "none");
    let blocks_end = decoded(whole.clone(), &fields()).unwrap().is_some();
    assert!(blocks_end);
    for length in 0..whole.len() {
        // Without its block a file has no rows: its recorded length and row count tell.
        let cut = decoded(whole[..length].to_vec(), &fields());
        assert!(matches!(cut, Err(_) | Ok(None)), "cut to {length}");
    }
    for at in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            let _ = decoded(changed, &fields());
        }
    }
}
