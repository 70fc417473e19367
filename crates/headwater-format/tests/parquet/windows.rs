//! Large column chunks, of which a window is in memory where a file is read in place.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray};
use bytes::Bytes;
use futures::executor::block_on;
use headwater_format::{FileFormat, FormatError, WriteOptions, open};
use headwater_io::file_io::counted::{CountedFileIo, ReadCount};
use headwater_io::{FileIo, MemoryFileIo};
use headwater_spec::types::{MAX_LENGTH, arrow_schema};
use headwater_spec::{DataField, DataType, RowType, TypeKind};
use headwater_testkit::CountingFileIo;

use crate::files::{decode_unit, encode};

const ROWS: usize = 150_000;

fn fields() -> Vec<DataField> {
    vec![
        DataField::new(0, "n", DataType::nullable(TypeKind::BigInt)),
        DataField::new(1, "s", DataType::nullable(TypeKind::STRING)),
        DataField::new(2, "small", DataType::nullable(TypeKind::BigInt)),
        DataField::new(3, "big", DataType::nullable(TypeKind::VarBinary(MAX_LENGTH))),
    ]
}

/// Numbers that no codec makes smaller, texts, a small column, and one value larger than a window.
fn sample(compression: &str) -> (Bytes, RecordBatch) {
    let mixed = |i: usize| {
        let x = u64::try_from(i).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    let big: Vec<u8> = (0..100_000).flat_map(|i| mixed(i).to_le_bytes()).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter(
            (0..ROWS).map(|i| (i % 11 != 0).then(|| mixed(i).cast_signed())),
        )),
        Arc::new(StringArray::from_iter((0..ROWS).map(|i| Some(format!("{:x}", mixed(i)))))),
        Arc::new(Int64Array::from_iter_values((0..ROWS).map(|i| i64::from(i % 3 == 0)))),
        Arc::new(BinaryArray::from_iter(
            (0..ROWS).map(|i| (i % 50_000 == 7).then_some(big.as_slice())),
        )),
    ];
    let batch = RecordBatch::try_new(arrow_schema(&RowType::new(fields())), columns).unwrap();
    let options = WriteOptions { compression: compression.to_owned(), ..Default::default() };
    (encode(&fields(), std::slice::from_ref(&batch), &options).0, batch)
}

fn read(
    io: Arc<dyn FileIo>,
    bytes: Bytes,
    max_rows: usize,
) -> Result<Vec<RecordBatch>, FormatError> {
    let size = u64::try_from(bytes.len()).unwrap();
    let file = block_on(async {
        let _ = io.publish("f.parquet", bytes).await.unwrap();
        open(io, "f.parquet", size, FileFormat::Parquet).await
    })?;
    let mut batches = Vec::new();
    for unit in 0..file.units() {
        batches.extend(decode_unit(file.as_ref(), unit, &fields(), max_rows)?);
    }
    Ok(batches)
}

fn joined(batches: &[RecordBatch]) -> RecordBatch {
    arrow::compute::concat_batches(batches[0].schema_ref(), batches).unwrap()
}

#[test]
fn a_window_gives_the_rows_of_the_whole() {
    for compression in ["zstd", "none", "lz4"] {
        let (bytes, rows) = sample(compression);
        let count = Arc::new(ReadCount::default());
        let size = u64::try_from(bytes.len()).unwrap();
        for max_rows in [1000, ROWS] {
            let io = CountedFileIo::new(Arc::new(MemoryFileIo::new()), Arc::clone(&count));
            let found = read(Arc::new(io), bytes.clone(), max_rows).unwrap();
            assert_eq!(joined(&found), rows, "{compression}");
        }
        let (calls, read_bytes) = (count.calls() / 2, count.bytes() / 2);
        assert!(calls > size / (1 << 20), "{calls} reads of {size} bytes");
        // The end of a window that is not a whole page is read again.
        assert!(read_bytes < size * 2, "{read_bytes} bytes read of {size}");
        // This one cannot read in place.
        let whole = CountingFileIo::new(Arc::new(MemoryFileIo::new()));
        assert_eq!(joined(&read(Arc::new(whole), bytes, 1000).unwrap()), rows, "{compression}");
    }
}

#[test]
fn a_flipped_bit_is_an_error_or_gives_the_same_rows() {
    let (bytes, rows) = sample("zstd");
    let mut errors = 0;
    for flip in 0..60 {
        let mut damaged = bytes.to_vec();
        // The footer at the end is a thousandth of the file.
        let at = 4 + flip * (damaged.len() * 99 / 100) / 60;
        damaged[at] ^= 1 << (flip % 8);
        match read(Arc::new(MemoryFileIo::new()), damaged.into(), 8192) {
            Ok(found) => assert_eq!(joined(&found), rows, "byte {at}"),
            Err(error) => {
                assert!(error.to_string().contains("f.parquet"), "{error}");
                errors += 1;
            }
        }
    }
    assert!(errors > 50, "{errors}");
}

#[test]
fn a_file_that_lost_its_middle_says_where() {
    let (bytes, _) = sample("none");
    let mut damaged = bytes.to_vec();
    let middle = damaged.len() / 8;
    for byte in &mut damaged[middle..middle + 2_000_000] {
        *byte = 0;
    }
    let error = read(Arc::new(MemoryFileIo::new()), damaged.into(), 8192).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("f.parquet") && text.contains("row group 0"), "{text}");
}
