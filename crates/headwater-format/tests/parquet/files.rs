//! Data files in memory.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::{Bytes, BytesMut};
use futures::executor::block_on;
use headwater_format::{
    FileFormat, FileReader, FormatError, UnitDecoder, WriteOptions, encoder, open,
};
use headwater_io::{FileIo, MemoryFileIo};
use headwater_spec::DataField;
use headwater_spec::stats::ColumnStats;

/// The content of a file of the golden set.
#[expect(clippy::disallowed_methods, reason = "fixtures lie on disk")]
pub(crate) fn bytes_of(path: &Path) -> Bytes {
    Bytes::from(std::fs::read(path).unwrap())
}

/// Encodes batches as one Parquet file.
pub(crate) fn encode(
    fields: &[DataField],
    batches: &[RecordBatch],
    options: &WriteOptions,
) -> (Bytes, Vec<ColumnStats>) {
    let mut encoder = encoder(FileFormat::Parquet, fields, options).unwrap();
    let mut bytes = BytesMut::new();
    for batch in batches {
        encoder.write(batch).unwrap();
        bytes.extend(encoder.take().concat());
    }
    let end = encoder.finish().unwrap();
    bytes.extend(end.tail.concat());
    assert_eq!(u64::try_from(bytes.len()).unwrap(), end.size);
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(u64::try_from(rows).unwrap(), end.row_count);
    (bytes.freeze(), end.column_stats)
}

/// Opens bytes as a file of the size that they have.
pub(crate) fn open_bytes(bytes: Bytes) -> Result<Box<dyn FileReader>, FormatError> {
    let size = u64::try_from(bytes.len()).unwrap();
    let io = MemoryFileIo::new();
    block_on(async {
        let _ = io.publish("f.parquet", bytes).await.unwrap();
        open(Arc::new(io), "f.parquet", size, FileFormat::Parquet).await
    })
}

/// Decodes one unit.
pub(crate) fn decode_unit(
    file: &dyn FileReader,
    unit: usize,
    fields: &[DataField],
    max_rows: usize,
) -> Result<Vec<RecordBatch>, FormatError> {
    let mut decoder: Box<dyn UnitDecoder> = block_on(file.fetch(unit, fields))?;
    let mut batches = Vec::new();
    while let Some(batch) = decoder.next(max_rows)? {
        batches.push(batch);
    }
    Ok(batches)
}

/// Decodes all units.
pub(crate) fn decode(
    bytes: Bytes,
    fields: &[DataField],
    max_rows: usize,
) -> Result<Vec<RecordBatch>, FormatError> {
    let file = open_bytes(bytes)?;
    let mut batches = Vec::new();
    for unit in 0..file.units() {
        batches.extend(decode_unit(file.as_ref(), unit, fields, max_rows)?);
    }
    Ok(batches)
}
