//! The bytes of some column chunks, addressed by their offsets in the file.
//!
//! Small chunks are fetched together. Of a large chunk only a window is in memory where its file
//! can be read on the spot: a merge has row groups of many files open at a time. Elsewhere, it is
//! fetched as a whole, since each read would wait for a network.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use headwater_io::{FileIo, ReadInPlace};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};

use super::thrift::walk;
use crate::error::{FormatError, Result};

/// Ranges closer than this are read in one go.
const GAP_BYTES: u64 = 64 * 1024;
/// Pages may become this large whatever the footer says of their chunk.
const PAGE_BYTES: i64 = 64 << 20;
/// Larger chunks are read in windows of this size, or of a page if that is larger.
pub(super) const WINDOW_BYTES: u64 = 256 * 1024;

/// Column chunks of one row group.
#[derive(Debug)]
pub(super) struct Chunks {
    file_size: u64,
    /// By their starts.
    chunks: Vec<Chunk>,
}

impl Chunks {
    /// Reads the chunks of these leaf columns, but of large ones nothing yet if the file can be
    /// read `in_place`.
    pub(super) async fn fetch(
        io: &dyn FileIo,
        path: &str,
        file_size: u64,
        in_place: Option<&Arc<dyn ReadInPlace>>,
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
        let windowed =
            |range: &Range<u64>| in_place.filter(|_| range.end - range.start > WINDOW_BYTES);
        let mut merged: Vec<Range<u64>> = Vec::new();
        for (range, _) in &wanted {
            if let Some(file) = windowed(range) {
                file.will_read(range.clone());
                continue;
            }
            match merged.last_mut() {
                Some(last) if range.start <= last.end.saturating_add(GAP_BYTES) => {
                    last.end = last.end.max(range.end);
                }
                _ => merged.push(range.clone()),
            }
        }
        let bytes =
            if merged.is_empty() { Vec::new() } else { io.read_ranges(path, &merged).await? };
        let mut chunks = Vec::with_capacity(wanted.len());
        for (range, chunk) in wanted {
            if let Some(file) = windowed(&range) {
                chunks.push(Chunk::new(range, chunk, Bytes::new(), Some(Arc::clone(file))));
                continue;
            }
            let found = merged.iter().zip(&bytes).find(|(m, _)| m.end >= range.end);
            let slice = found.and_then(|(m, bytes)| part(bytes, m.start, &range));
            let slice = slice.ok_or_else(|| {
                let reason = format!("column '{}' was not read", chunk.column_path().string());
                FormatError::corrupt(path, reason)
            })?;
            chunks.push(Chunk::new(range, chunk, slice, None));
        }
        Ok(Self { file_size, chunks })
    }

    fn find(&self, start: u64) -> ParquetResult<&Chunk> {
        let after = self.chunks.partition_point(|chunk| chunk.range.start <= start);
        let found = after.checked_sub(1).and_then(|i| self.chunks.get(i));
        found
            .filter(|chunk| start <= chunk.range.end)
            .ok_or_else(|| ParquetError::EOF(format!("offset {start} was not fetched")))
    }
}

/// One column chunk.
#[derive(Debug)]
struct Chunk {
    range: Range<u64>,
    column: String,
    values: i64,
    /// Most bytes that a page may have after decompression.
    largest_page: i64,
    /// Where more of it comes from, unless all of it is there.
    file: Option<Arc<dyn ReadInPlace>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The bytes that are there and where they start.
    window: Bytes,
    window_start: u64,
    /// Where the page starts whose header was not checked yet.
    next_page: u64,
    /// Values of the pages before.
    values: i64,
}

/// What a page header says.
#[derive(Debug, Clone, Copy)]
struct PageHeader {
    kind: i64,
    plain: i64,
    packed: i64,
    values: i64,
    bytes: usize,
}

impl Chunk {
    fn new(
        range: Range<u64>,
        chunk: &ColumnChunkMetaData,
        window: Bytes,
        file: Option<Arc<dyn ReadInPlace>>,
    ) -> Self {
        let state = State { window, window_start: range.start, next_page: range.start, values: 0 };
        Self {
            column: chunk.column_path().string(),
            values: chunk.num_values(),
            largest_page: chunk.uncompressed_size().max(PAGE_BYTES),
            range,
            file,
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self, reason: impl std::fmt::Display) -> ParquetError {
        ParquetError::General(format!("column '{}': {reason}", self.column))
    }

    /// What is there from `start` on: at least `length` bytes, unless the chunk ends before.
    fn bytes(&self, state: &mut State, start: u64, length: u64) -> ParquetResult<Bytes> {
        let end = start.saturating_add(length).min(self.range.end);
        let there = state.window_start.saturating_add(size(&state.window));
        if let Some(file) = &self.file
            && (start < state.window_start || end > there)
        {
            let until = start.saturating_add(length.max(WINDOW_BYTES)).min(self.range.end);
            // The old window goes first.
            state.window = Bytes::new();
            state.window = file.read(start..until).map_err(|error| self.broken(error))?;
            state.window_start = start;
        }
        let skipped = start.checked_sub(state.window_start).and_then(|n| usize::try_from(n).ok());
        let skipped = skipped.filter(|skipped| *skipped <= state.window.len());
        let skipped =
            skipped.ok_or_else(|| ParquetError::EOF(format!("offset {start} was not fetched")))?;
        Ok(state.window.slice(skipped..))
    }

    /// What follows `start`, which is a page, or a place in the page that was asked for last.
    fn page(&self, start: u64) -> ParquetResult<Bytes> {
        let mut state = self.lock();
        if start == self.range.start {
            (state.next_page, state.values) = (start, 0);
        }
        if start < state.next_page {
            return self.bytes(&mut state, start, 1);
        }
        if start > state.next_page {
            return Err(self.broken(format!("no page starts at offset {start}")));
        }
        let header = self.header(&mut state, start)?;
        let packed = self.check(&mut state, header)?;
        let length = u64::try_from(header.bytes).unwrap_or(u64::MAX).saturating_add(packed);
        let end = start.saturating_add(length);
        if end > self.range.end {
            return Err(self.broken("a page reaches beyond its column"));
        }
        if end == self.range.end && state.values != self.values {
            let (there, said) = (state.values, self.values);
            return Err(self.broken(format!("its pages hold {there} values, not {said}")));
        }
        state.next_page = end;
        self.bytes(&mut state, start, length)
    }

    /// The header of the page at `start`, however long it is.
    fn header(&self, state: &mut State, start: u64) -> ParquetResult<PageHeader> {
        let mut length = 1;
        loop {
            let bytes = self.bytes(state, start, length)?;
            let mut header = PageHeader { kind: -1, plain: -1, packed: -1, values: 0, bytes: 0 };
            let walked = walk(&bytes, &mut |path, value| match path {
                [1] => header.kind = value,
                [2] => header.plain = value,
                [3] => header.packed = value,
                [5 | 7 | 8, 1] => header.values = value,
                _ => {}
            });
            match walked {
                Ok(bytes) => return Ok(PageHeader { bytes, ..header }),
                Err(_) if start.saturating_add(size(&bytes)) < self.range.end => {
                    length = size(&bytes).saturating_mul(2);
                }
                Err(reason) => return Err(self.broken(reason)),
            }
        }
    }

    /// Refuses a page that claims an absurd size before anything is reserved for it; its bytes
    /// behind the header.
    fn check(&self, state: &mut State, header: PageHeader) -> ParquetResult<u64> {
        let PageHeader { kind, plain, packed, values, .. } = header;
        if plain < 0 || plain > self.largest_page {
            return Err(self.broken(format!("a page claims {plain} bytes after decompression")));
        }
        // Dictionary entries take at least a byte; other values are counted by the chunk.
        let most = if kind == 2 { plain } else { self.values };
        if values < 0 || values > most {
            let reason = format!("a page claims {values} values where {most} are possible");
            return Err(self.broken(reason));
        }
        if kind == 0 || kind == 3 {
            state.values = state.values.saturating_add(values);
        }
        if state.values > self.values {
            let (there, said) = (state.values, self.values);
            return Err(self.broken(format!("its pages hold {there} values, not {said}")));
        }
        u64::try_from(packed).map_err(|_| self.broken(format!("a page has {packed} bytes")))
    }
}

fn size(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
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

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.file_size
    }
}

impl ChunkReader for Chunks {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(self.find(start)?.page(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let chunk = self.find(start)?;
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        let bytes = chunk.bytes(&mut chunk.lock(), start, wanted)?;
        if length > bytes.len() {
            let there = bytes.len();
            let reason = format!("{length} bytes at offset {start} asked for, {there} fetched");
            return Err(ParquetError::EOF(reason));
        }
        Ok(bytes.slice(..length))
    }
}
