//! Damaged files are errors that name the file; nothing panics, nothing eats memory.

use bytes::Bytes;
use futures::executor::block_on;
use headwater_format::{FileFormat, FormatError, WriteOptions, open};
use headwater_io::{FileIo, MemoryFileIo};
use headwater_spec::row::arrow::array_from_datums;
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataField, DataType, Datum, ErrorKind, RowType, TypeKind};
use proptest::prelude::*;
use std::sync::Arc;

use crate::files::{decode, encode, open_bytes};

fn fields() -> Vec<DataField> {
    let list = TypeKind::Array(Box::new(DataType::nullable(TypeKind::STRING)));
    vec![
        DataField::new(0, "a", DataType::nullable(TypeKind::Int)),
        DataField::new(1, "s", DataType::nullable(TypeKind::STRING)),
        DataField::new(2, "t", DataType::nullable(TypeKind::Timestamp(9))),
        DataField::new(3, "l", DataType::nullable(list)),
        DataField::new(4, "d", DataType::nullable(TypeKind::Decimal { precision: 30, scale: 2 })),
    ]
}

fn sample(compression: &str, dictionary: bool) -> Bytes {
    let fields = fields();
    let text = |i: i32| Datum::String(format!("text {}", i % 13));
    let columns: Vec<Vec<Option<Datum>>> = vec![
        (0..200).map(|i| (i % 5 != 0).then_some(Datum::Int(i))).collect(),
        (0..200).map(|i| (i % 7 != 0).then(|| text(i))).collect(),
        (0..200).map(|i| Some(Datum::Timestamp { millis: i64::from(i), nanos: 5 })).collect(),
        (0..200).map(|i| Some(Datum::Array((0..i % 3).map(|j| Some(text(j))).collect()))).collect(),
        (0..200)
            .map(|i| Some(Datum::Decimal { unscaled: i.into(), precision: 30, scale: 2 }))
            .collect(),
    ];
    let arrays = fields.iter().zip(&columns).map(|(f, c)| array_from_datums(c, &f.data_type));
    let arrays = arrays.collect::<Result<Vec<_>, _>>().unwrap();
    let schema = arrow_schema(&RowType::new(fields.clone()));
    let batch = arrow::array::RecordBatch::try_new(schema, arrays).unwrap();
    let compression = compression.to_owned();
    let options = WriteOptions { compression, dictionary, page_rows: 64, ..Default::default() };
    encode(&fields, &[batch], &options).0
}

fn read(bytes: Bytes) -> Result<usize, FormatError> {
    let batches = decode(bytes, &fields(), 50)?;
    Ok(batches.iter().map(arrow::array::RecordBatch::num_rows).sum())
}

#[test]
fn every_cut_is_an_error_that_names_the_file() {
    let whole = sample("zstd", true);
    assert_eq!(read(whole.clone()).unwrap(), 200);
    for end in (0..whole.len()).step_by(64).chain([whole.len() - 1]) {
        let error = read(whole.slice(..end)).unwrap_err();
        assert!(error.to_string().contains("f.parquet"), "{end}: {error}");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{end}: {error}");
    }
}

#[test]
fn a_wrong_size_and_a_missing_file_are_errors() {
    let whole = sample("none", true);
    let size = u64::try_from(whole.len()).unwrap();
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    let _ = block_on(io.publish("f.parquet", whole)).unwrap();
    for wrong in [0, 7, 11, 12, size - 1, size + 1, size + 100_000, u64::MAX] {
        let opened = block_on(open(Arc::clone(&io), "f.parquet", wrong, FileFormat::Parquet));
        let error = opened.unwrap_err();
        assert!(error.to_string().contains("f.parquet"), "{wrong}: {error}");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{wrong}: {error}");
    }
    let opened = block_on(open(Arc::clone(&io), "g.parquet", size, FileFormat::Parquet));
    let error = opened.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.to_string().contains("g.parquet"), "{error}");
}

#[test]
fn a_footer_longer_than_the_file_is_refused() {
    let mut bytes = sample("none", true).to_vec();
    let at = bytes.len() - 8;
    for length in [u32::MAX, 0, u32::try_from(at).unwrap(), 1 << 31] {
        bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        let error = open_bytes(Bytes::from(bytes.clone())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{length}: {error}");
    }
}

#[test]
fn other_formats_are_not_read() {
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    let error = block_on(open(io, "f.orc", 100, FileFormat::Orc)).unwrap_err();
    assert_eq!(error.to_string(), "data files in ORC are not read by this version");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn text_that_is_not_utf8_is_an_error() {
    let mut bytes = sample("none", true).to_vec();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(6).position(|w| w == b"text 1") {
        bytes[at + found + 4] = 0xFF;
        at += found + 5;
    }
    let error = read(Bytes::from(bytes)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[test]
fn a_flipped_bit_in_a_page_never_gives_other_rows() {
    for compression in ["none", "zstd"] {
        let whole = sample(compression, true);
        let rows = decode(whole.clone(), &fields(), 1000).unwrap();
        // The last 8 bytes say how long the footer is; before it lie the pages.
        let end = whole.len() - 8;
        let footer = u32::from_le_bytes(whole[end..end + 4].try_into().unwrap());
        let pages = end - usize::try_from(footer).unwrap();
        let mut errors = 0;
        for at in (4..pages).step_by(3) {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 1 << (at % 8);
            match decode(Bytes::from(bytes), &fields(), 1000) {
                Err(_) => errors += 1,
                // A bit that nobody reads, such as one of a statistic in a page header.
                Ok(found) => assert_eq!(found, rows, "{compression}, byte {at}"),
            }
        }
        assert!(errors * 10 > (pages / 3) * 9, "{errors} errors for {pages} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A changed byte or two: an error, or rows; never a panic.
    #[test]
    fn flipped_bits_never_panic(
        compression in prop_oneof![Just("none"), Just("zstd"), Just("snappy")],
        dictionary in any::<bool>(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..4),
        in_footer in any::<bool>(),
    ) {
        let mut bytes = sample(compression, dictionary).to_vec();
        let length = bytes.len();
        let start = if in_footer { length * 2 / 3 } else { 0 };
        for (index, bit) in flips {
            bytes[start + index.index(length - start)] ^= 1 << bit;
        }
        if let Ok(rows) = read(Bytes::from(bytes)) {
            prop_assert!(rows <= 200);
        }
    }
}
