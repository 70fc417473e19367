//! Gives a page header the checksum that the Parquet library's writer leaves out.
//!
//! Readers that verify checksums then notice a damaged page. Source: Parquet format
//! `PageHeader.crc`.

/// Header of a field that follows the one before and holds a 32-bit number.
const NEXT_I32: u8 = 0x15;
/// One step in the upper half of a field header.
const ONE_FIELD: u8 = 0x10;
/// Most bytes that a checksum adds to a header.
pub(super) const CHECKSUM_BYTES: usize = 6;

/// Copies a page header and puts the CRC-32 of the page's stored bytes, its field 4, behind the
/// first three fields.
pub(super) fn write_header(header: &[u8], payload: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
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
    let checksum = crc32fast::hash(payload).cast_signed();
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
