//! Reads and checks the footer of a file before anything else believes it.
//!
//! Format: Apache Parquet, `FileMetaData`.

use headwater_io::FileIo;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::guard::guarded;
use super::thrift::walk;
use crate::error::{FormatError, Result};

/// Bytes read at once from the end of a file; most footers fit.
const TAIL_BYTES: u64 = 64 * 1024;
/// Footer length and magic number.
const TRAILER_BYTES: u64 = 8;
const MAGIC: &[u8] = b"PAR1";

/// The checked metadata of the file `path` of `size` bytes.
pub(super) async fn read_footer(io: &dyn FileIo, path: &str, size: u64) -> Result<ParquetMetaData> {
    if size < 12 {
        let reason = format!("{size} bytes are too few for a Parquet file");
        return Err(FormatError::corrupt(path, reason));
    }
    let start = size.saturating_sub(TAIL_BYTES);
    let tail = io.read_range(path, start..size).await?;
    let (rest, trailer) = tail
        .len()
        .checked_sub(8)
        .and_then(|at| tail.split_at_checked(at))
        .ok_or_else(|| FormatError::corrupt(path, "its end could not be read"))?;
    let (length, magic) = trailer.split_at(4);
    if magic == b"PARE" {
        let what = format!("data file {path} is encrypted, which this version does not read");
        return Err(FormatError::Unsupported { what });
    }
    if magic != MAGIC {
        let reason = format!("it does not end like a Parquet file of {size} bytes");
        return Err(FormatError::corrupt(path, reason));
    }
    let length = length.try_into().map(u32::from_le_bytes).map_or(0, u64::from);
    let footer_end = size - TRAILER_BYTES;
    let Some(footer_start) = footer_end.checked_sub(length).filter(|s| *s >= 4 && length > 0)
    else {
        let reason = format!("a footer of {length} bytes does not fit into {size} bytes");
        return Err(FormatError::corrupt(path, reason));
    };
    let metadata = if footer_start >= start {
        let skipped = usize::try_from(footer_start - start).unwrap_or(usize::MAX);
        decode(path, rest.get(skipped..).unwrap_or_default())?
    } else {
        decode(path, &io.read_range(path, footer_start..footer_end).await?)?
    };
    check(path, &metadata, footer_start)?;
    Ok(metadata)
}

fn decode(path: &str, bytes: &[u8]) -> Result<ParquetMetaData> {
    walk(bytes, &mut |_, _| ())
        .map_err(|reason| FormatError::corrupt(path, format!("footer: {reason}")))?;
    guarded(|| ParquetMetaDataReader::decode_metadata(bytes))
        .map_err(|reason| FormatError::corrupt(path, format!("footer: {reason}")))
}

/// Checks that counts agree with each other and that every chunk lies before the footer.
fn check(path: &str, metadata: &ParquetMetaData, footer_start: u64) -> Result<()> {
    let corrupt = |reason: String| FormatError::corrupt(path, reason);
    let rows = metadata.file_metadata().num_rows();
    let columns = metadata.file_metadata().schema_descr().num_columns();
    let mut sum = 0_i64;
    for (g, group) in metadata.row_groups().iter().enumerate() {
        if group.num_rows() < 0 {
            return Err(corrupt(format!("row group {g} has {} rows", group.num_rows())));
        }
        sum = sum.saturating_add(group.num_rows());
        if group.num_columns() != columns {
            let there = group.num_columns();
            return Err(corrupt(format!("row group {g} has {there} columns instead of {columns}")));
        }
        for chunk in group.columns() {
            let name = || chunk.column_path().string();
            let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
            let end = u64::try_from(start)
                .ok()
                .filter(|s| *s >= 4)
                .and_then(|s| s.checked_add(u64::try_from(chunk.compressed_size()).ok()?));
            if end.is_none_or(|end| end > footer_start) {
                let reason = format!("row group {g}: column '{}' lies outside the file", name());
                return Err(corrupt(reason));
            }
            let flat = chunk.column_descr().max_rep_level() == 0;
            if chunk.num_values() < 0 || (flat && chunk.num_values() != group.num_rows()) {
                let (there, rows) = (chunk.num_values(), group.num_rows());
                let reason =
                    format!("row group {g}: column '{}' has {there} values in {rows} rows", name());
                return Err(corrupt(reason));
            }
        }
    }
    if sum != rows {
        return Err(corrupt(format!("its row groups have {sum} rows, its footer says {rows}")));
    }
    Ok(())
}
