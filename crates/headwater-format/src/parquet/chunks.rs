//! The fetched bytes of some column chunks, addressed by their offsets in the file.

use std::ops::Range;

use bytes::{Buf, Bytes};
use headwater_io::FileIo;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};

use super::thrift::walk;
use crate::error::{FormatError, Result};

/// Ranges closer than this are read in one go.
const GAP_BYTES: u64 = 64 * 1024;
/// Pages may become this large whatever the footer says of their chunk.
const PAGE_BYTES: i64 = 64 << 20;

/// Column chunks of one row group.
#[derive(Debug)]
pub(super) struct Chunks {
    file_size: u64,
    /// Start and bytes of each chunk, by start.
    chunks: Vec<(u64, Bytes)>,
}

impl Chunks {
    /// Reads the chunks of these leaf columns and checks their page headers.
    pub(super) async fn fetch(
        io: &dyn FileIo,
        path: &str,
        file_size: u64,
        group: &RowGroupMetaData,
        leaves: &[usize],
    ) -> Result<Self> {
        let mut wanted: Vec<(Range<u64>, &ColumnChunkMetaData)> = Vec::new();
        for leaf in leaves {
            if let Some(chunk) = group.columns().get(*leaf) {
                wanted.push((range(chunk), chunk));
            }
        }
        wanted.sort_by_key(|(range, _)| range.start);
        let mut merged: Vec<Range<u64>> = Vec::new();
        for (range, _) in &wanted {
            match merged.last_mut() {
                Some(last) if range.start <= last.end.saturating_add(GAP_BYTES) => {
                    last.end = last.end.max(range.end);
                }
                _ => merged.push(range.clone()),
            }
        }
        let bytes = io.read_ranges(path, &merged).await?;
        let mut chunks = Vec::with_capacity(wanted.len());
        for (range, chunk) in wanted {
            let found = merged.iter().zip(&bytes).find(|(m, _)| m.end >= range.end);
            let slice = found.and_then(|(m, bytes)| part(bytes, m.start, &range));
            let slice = slice.ok_or_else(|| {
                let reason = format!("column '{}' was not read", chunk.column_path().string());
                FormatError::corrupt(path, reason)
            })?;
            check_pages(&slice, chunk).map_err(|reason| {
                FormatError::column(path, &chunk.column_path().string(), reason)
            })?;
            chunks.push((range.start, slice));
        }
        Ok(Self { file_size, chunks })
    }

    /// Memory of the bytes.
    pub(super) fn memory(&self) -> usize {
        self.chunks.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    fn find(&self, start: u64) -> ParquetResult<Bytes> {
        let after = self.chunks.partition_point(|(at, _)| *at <= start);
        let found =
            after.checked_sub(1).and_then(|i| self.chunks.get(i)).and_then(|(at, bytes)| {
                let skipped = usize::try_from(start - at).ok().filter(|s| *s <= bytes.len())?;
                Some(bytes.slice(skipped..))
            });
        found.ok_or_else(|| ParquetError::EOF(format!("offset {start} was not fetched")))
    }
}

/// Where a chunk lies; the footer's check made sure that it is inside the file.
fn range(chunk: &ColumnChunkMetaData) -> Range<u64> {
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let start = u64::try_from(start).unwrap_or(0);
    start..start.saturating_add(u64::try_from(chunk.compressed_size()).unwrap_or(0))
}

fn part(bytes: &Bytes, bytes_start: u64, range: &Range<u64>) -> Option<Bytes> {
    let start = usize::try_from(range.start.checked_sub(bytes_start)?).ok()?;
    let end = usize::try_from(range.end.checked_sub(bytes_start)?).ok()?;
    (start <= end && end <= bytes.len()).then(|| bytes.slice(start..end))
}

/// Checks that the pages of a chunk follow each other to its end and claim no absurd sizes.
fn check_pages(bytes: &[u8], chunk: &ColumnChunkMetaData) -> Result<(), String> {
    let largest = chunk.uncompressed_size().max(PAGE_BYTES);
    let mut at = 0;
    let mut values = 0_i64;
    while at < bytes.len() && values < chunk.num_values() {
        let page = bytes.get(at..).unwrap_or_default();
        let (mut kind, mut plain, mut packed, mut count) = (-1, -1, -1, 0);
        let header = walk(page, &mut |path, value| match path {
            [1] => kind = value,
            [2] => plain = value,
            [3] => packed = value,
            [5 | 7 | 8, 1] => count = value,
            _ => {}
        })?;
        if plain < 0 || plain > largest {
            return Err(format!("a page claims {plain} bytes after decompression"));
        }
        // Dictionary entries take at least a byte; other values are counted by the chunk.
        let most = if kind == 2 { plain } else { chunk.num_values() };
        if count < 0 || count > most {
            return Err(format!("a page claims {count} values where {most} are possible"));
        }
        if kind == 0 || kind == 3 {
            values = values.saturating_add(count);
        }
        let packed = usize::try_from(packed).map_err(|_| format!("a page has {packed} bytes"))?;
        at = at.saturating_add(header).saturating_add(packed);
        if at > bytes.len() {
            return Err("a page reaches beyond its column".to_owned());
        }
    }
    if values != chunk.num_values() {
        return Err(format!("its pages hold {values} values, not {}", chunk.num_values()));
    }
    Ok(())
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.file_size
    }
}

impl ChunkReader for Chunks {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(self.find(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let bytes = self.find(start)?;
        if length > bytes.len() {
            let there = bytes.len();
            let reason = format!("{length} bytes at offset {start} asked for, {there} fetched");
            return Err(ParquetError::EOF(reason));
        }
        Ok(bytes.slice(..length))
    }
}
