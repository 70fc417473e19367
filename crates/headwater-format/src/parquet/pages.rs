//! The pages of a column chunk that is being written, as they will stand in the file.
//!
//! Each page gets its checksum and a buffer of its own size as soon as it is complete: the ones
//! that the Parquet library leaves behind are as large as the page was before compression.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use parquet::arrow::arrow_writer::{PageKey, PageStore, PageStoreArgs, PageStoreFactory};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::schema::types::ColumnDescPtr;

use super::checksum::{CHECKSUM_BYTES, write_header};
use super::thrift::walk;

/// Number of dictionary pages among the page types.
const DICTIONARY_PAGE: i64 = 2;

/// Pages of one column chunk.
#[derive(Debug, Default, Clone)]
pub(super) struct Pages {
    dictionary: Option<Bytes>,
    data: Vec<Bytes>,
    bytes: usize,
    /// Bytes that the checksums added.
    grown: usize,
}

impl Pages {
    fn add(&mut self, header: &[u8], payload: &[u8]) -> Result<(), String> {
        let mut kind = -1;
        walk(header, &mut |path, value| {
            if path == [1] {
                kind = value;
            }
        })?;
        let mut page = Vec::with_capacity(header.len() + CHECKSUM_BYTES + payload.len());
        write_header(header, payload, &mut page)?;
        page.extend_from_slice(payload);
        self.bytes += page.len();
        self.grown += page.len() - header.len() - payload.len();
        let page = Bytes::from(page);
        if kind == DICTIONARY_PAGE {
            self.dictionary = Some(page);
        } else {
            self.data.push(page);
        }
        Ok(())
    }

    /// The pages of a chunk without checksums.
    pub(super) fn of_chunk(stored: &[u8]) -> Result<Self, String> {
        let mut pages = Self::default();
        let mut at = 0;
        while let Some(rest) = stored.get(at..).filter(|rest| !rest.is_empty()) {
            let mut packed = -1;
            let header = walk(rest, &mut |path, value| {
                if path == [3] {
                    packed = value;
                }
            })?;
            let end = header + usize::try_from(packed).map_err(|e| e.to_string())?;
            let payload = rest.get(header..end).ok_or("a page reaches beyond its chunk")?;
            pages.add(rest.get(..header).unwrap_or_default(), payload)?;
            at += end;
        }
        Ok(pages)
    }

    /// What the footer says of column `column` when its pages are these and start at `start`.
    /// `chunk`: what the library's writer said, for its pages without checksums.
    pub(super) fn describe(
        &self,
        chunk: &ColumnChunkMetaData,
        column: &ColumnDescPtr,
        start: u64,
    ) -> Result<ColumnChunkMetaData, String> {
        let size = |n: usize| i64::try_from(n).map_err(|e| e.to_string());
        let start = i64::try_from(start).map_err(|e| e.to_string())?;
        let dictionary = size(self.dictionary.as_ref().map_or(0, Bytes::len))?;
        let grown = size(self.grown)?;
        if size(self.bytes - self.grown)? != chunk.compressed_size() {
            return Err("a chunk has other pages than its writer said".to_owned());
        }
        let mut builder = ColumnChunkMetaData::builder(Arc::clone(column))
            .set_compression_codec(chunk.compression_codec())
            .set_encodings_mask(*chunk.encodings_mask())
            .set_num_values(chunk.num_values())
            .set_total_compressed_size(chunk.compressed_size() + grown)
            .set_total_uncompressed_size(chunk.uncompressed_size() + grown)
            .set_data_page_offset(start + dictionary)
            .set_dictionary_page_offset(self.dictionary.as_ref().map(|_| start))
            .set_unencoded_byte_array_data_bytes(chunk.unencoded_byte_array_data_bytes())
            .set_repetition_level_histogram(chunk.repetition_level_histogram().cloned())
            .set_definition_level_histogram(chunk.definition_level_histogram().cloned());
        if let Some(statistics) = chunk.statistics() {
            builder = builder.set_statistics(statistics.clone());
        }
        if let Some(encodings) = chunk.page_encoding_stats() {
            builder = builder.set_page_encoding_stats(encodings.clone());
        }
        builder.build().map_err(|e| e.to_string())
    }

    /// The pages in file order.
    pub(super) fn into_bytes(self) -> impl Iterator<Item = Bytes> {
        self.dictionary.into_iter().chain(self.data)
    }
}

/// Takes the pages of one chunk from the library's writer: header and content in turn.
#[derive(Debug, Default, Clone)]
pub(super) struct PageTaker(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    pages: Pages,
    header: Option<Bytes>,
    parts: u64,
}

impl PageTaker {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pages so far; none are left.
    pub(super) fn finish(&self) -> Pages {
        std::mem::take(&mut self.lock().pages)
    }
}

impl PageStore for PageTaker {
    fn put(&mut self, value: Bytes) -> ParquetResult<PageKey> {
        let mut taken = self.lock();
        match taken.header.take() {
            None => taken.header = Some(value),
            Some(header) => taken.pages.add(&header, &value).map_err(ParquetError::General)?,
        }
        taken.parts += 1;
        Ok(PageKey::new(taken.parts))
    }

    fn take(&mut self, _: PageKey) -> ParquetResult<Bytes> {
        // The library asks only when it puts a row group together, which we do.
        Err(ParquetError::General("the pages of this chunk are taken otherwise".to_owned()))
    }

    fn memory_size(&self) -> usize {
        self.lock().pages.bytes
    }
}

/// Gives each column chunk its taker.
#[derive(Debug, Default)]
pub(super) struct PageTakers(Mutex<Vec<PageTaker>>);

impl PageTakers {
    /// The takers of the chunks that were started since the last call, in column order.
    pub(super) fn started(&self) -> Vec<PageTaker> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PageStoreFactory for PageTakers {
    fn create(&self, _: &PageStoreArgs<'_>) -> ParquetResult<Box<dyn PageStore>> {
        let taker = PageTaker::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(taker.clone());
        Ok(Box::new(taker))
    }
}
