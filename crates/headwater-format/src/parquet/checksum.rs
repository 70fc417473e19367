//! Gives every page a checksum, which the Parquet library's writer leaves out.
//!
//! Works on a finished row group: page headers grow by the CRC-32 of the page's stored bytes, and
//! the offsets and sizes of the chunks move with them. Readers that verify checksums then notice a
//! damaged page. Source: Parquet format `PageHeader.crc`.

use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::thrift::walk;

/// Header of a field that follows the one before and holds a 32-bit number.
const NEXT_I32: u8 = 0x15;
/// One step in the upper half of a field header.
const ONE_FIELD: u8 = 0x10;

/// Copies `bytes` to `out`, with checksums in the headers of the group's pages.
///
/// `from`: offset of `bytes` in the file without checksums; `to`: offset that `out` ends at now in
/// the file with them. Returns the group with its offsets and sizes in the new file.
pub(super) fn add(
    bytes: &[u8],
    from: u64,
    group: &RowGroupMetaData,
    out: &mut Vec<u8>,
    to: u64,
) -> Result<RowGroupMetaData, String> {
    let out_start = out.len();
    let new_offset = |out: &Vec<u8>| to + as_u64(out.len() - out_start);
    let mut at = 0;
    let mut chunks = Vec::with_capacity(group.num_columns());
    let mut grown = 0_i64;
    for chunk in group.columns() {
        let (start, length) = chunk.byte_range();
        let start = place(start, from)?;
        let end = start.checked_add(as_usize(length)?).ok_or("a chunk is too long")?;
        // What lies between the chunks stays as it is: the magic number of the file.
        out.extend_from_slice(bytes.get(at..start).ok_or("chunks are not in order")?);
        let stored = bytes.get(start..end).ok_or("a chunk reaches beyond its row group")?;
        let chunk_start = new_offset(out);
        let pages = add_to_pages(stored, out)?;
        let more = i64::try_from(new_offset(out) - chunk_start).map_err(|e| e.to_string())?
            - chunk.compressed_size();
        grown += more;
        chunks.push(moved(chunk, chunk_start, &pages, more)?);
        at = end;
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    let first = chunks.first().map_or(0, |c: &ColumnChunkMetaData| c.byte_range().0);
    group
        .clone()
        .into_builder()
        .set_total_byte_size(group.total_byte_size() + grown)
        .set_column_metadata(chunks)
        .set_file_offset(i64::try_from(first).map_err(|e| e.to_string())?)
        .build()
        .map_err(|e| e.to_string())
}

/// Where the pages of a chunk begin, relative to the chunk.
#[derive(Default)]
struct Pages {
    dictionary: Option<u64>,
    data: Option<u64>,
}

fn add_to_pages(stored: &[u8], out: &mut Vec<u8>) -> Result<Pages, String> {
    let mut pages = Pages::default();
    let chunk_start = out.len();
    let mut at = 0;
    while at < stored.len() {
        let rest = stored.get(at..).unwrap_or_default();
        let (mut kind, mut packed) = (-1, -1);
        let header = walk(rest, &mut |path, value| match path {
            [1] => kind = value,
            [3] => packed = value,
            _ => {}
        })?;
        let end = header + usize::try_from(packed).map_err(|e| e.to_string())?;
        let payload = rest.get(header..end).ok_or("a page reaches beyond its chunk")?;
        let place = as_u64(out.len() - chunk_start);
        if kind == 2 {
            pages.dictionary.get_or_insert(place);
        } else {
            pages.data.get_or_insert(place);
        }
        let header = rest.get(..header).unwrap_or_default();
        write_header(header, crc32fast::hash(payload), out)?;
        out.extend_from_slice(payload);
        at += end;
    }
    Ok(pages)
}

/// Copies a page header and puts the checksum, its field 4, behind the first three fields.
fn write_header(header: &[u8], checksum: u32, out: &mut Vec<u8>) -> Result<(), String> {
    let unusual = || "a page header has an unusual form".to_owned();
    let mut at = 0;
    for _ in 0..3 {
        if header.get(at) != Some(&NEXT_I32) {
            return Err(unusual());
        }
        at += 1;
        while header.get(at).ok_or_else(unusual)? & 0x80 != 0 {
            at += 1;
        }
        at += 1;
    }
    let next = *header.get(at).ok_or_else(unusual)?;
    // The next field counts from 4 instead of 3.
    if next < 2 * ONE_FIELD {
        return Err(unusual());
    }
    out.extend_from_slice(header.get(..at).unwrap_or_default());
    out.push(NEXT_I32);
    let checksum = checksum.cast_signed();
    let mut zigzag = ((checksum << 1) ^ (checksum >> 31)).cast_unsigned();
    while zigzag > 0x7F {
        out.push(zigzag.to_le_bytes()[0] | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag.to_le_bytes()[0]);
    out.push(next - ONE_FIELD);
    out.extend_from_slice(header.get(at + 1..).unwrap_or_default());
    Ok(())
}

fn moved(
    chunk: &ColumnChunkMetaData,
    start: u64,
    pages: &Pages,
    more: i64,
) -> Result<ColumnChunkMetaData, String> {
    let offset = |relative: u64| i64::try_from(start + relative).map_err(|e| e.to_string());
    let data = offset(pages.data.ok_or("a chunk has no data page")?)?;
    let dictionary = pages.dictionary.map(offset).transpose()?;
    chunk
        .clone()
        .into_builder()
        .set_data_page_offset(data)
        .set_dictionary_page_offset(dictionary)
        .set_total_compressed_size(chunk.compressed_size() + more)
        .set_total_uncompressed_size(chunk.uncompressed_size() + more)
        .build()
        .map_err(|e| e.to_string())
}

fn place(offset: u64, from: u64) -> Result<usize, String> {
    as_usize(offset.checked_sub(from).ok_or("a chunk lies before its row group")?)
}

fn as_usize(n: u64) -> Result<usize, String> {
    usize::try_from(n).map_err(|e| e.to_string())
}

fn as_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
