//! Unions of HLL sketches of Apache `DataSketches`, byte by byte as Java makes them.
//!
//! Source: Paimon 1.4.2 `HllSketchUtil#union`; datasketches-java `CouponHashSet`, `AuxHashMap`,
//! `PreambleUtil`.

use std::borrow::Cow;

use datasketches::hll::{HllSketch, HllType, HllUnion};

use super::cursor::Cursor;

/// Bytes of the header that all sketches share.
const HEADER: usize = 8;
/// Positions in the header.
const LG_K: usize = 3;
const LG_TABLE: usize = 4;
const FLAGS: usize = 5;
/// The smallest register, which the others of 4 bits are counted from.
const SMALLEST: usize = 6;
const MODE: usize = 7;
/// Bytes before the registers, and where in them the number of exceptions is.
const ARRAY_HEADER: usize = 40;
const EXCEPTIONS: usize = 36;

const MODE_SET: u8 = 1;
const MODE_ARRAY: u8 = 2;
const COMPACT: u8 = 8;
/// Bits of a register, in the byte of the mode.
const BITS_4: u8 = 0;
const BITS_8: u8 = 2;
/// A register of 4 bits that stands among the exceptions.
const EXCEPTION: u8 = 15;
/// Largest value of a register.
const LARGEST: u8 = 63;

/// Log2 of the first size of a table of coupons.
const LG_FIRST_SET: u8 = 5;
/// Log2 of the first size of the table of exceptions, by log2 of the number of registers.
const LG_FIRST_EXCEPTIONS: [u8; 22] =
    [0, 2, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12, 13];

/// The union as a compact sketch of 4 bits; it has the size of the second sketch at most.
pub(in super::super) fn union(acc: &[u8], input: &[u8]) -> Result<Vec<u8>, String> {
    let (acc, input) = (read(acc)?, read(input)?);
    let mut union = HllUnion::new(input.lg_config_k()).map_err(|error| error.to_string())?;
    union.update(&input);
    union.update(&acc);
    let mut bytes = union.to_sketch(HllType::Hll4).serialize();
    say_size_of_exceptions(&mut bytes);
    Ok(bytes)
}

fn read(bytes: &[u8]) -> Result<HllSketch, String> {
    check_registers(bytes)?;
    HllSketch::deserialize(&with_table(bytes)?).map_err(|error| error.to_string())
}

/// Refuses registers that no hash of 64 bits can set; the reader of sketches takes them.
fn check_registers(bytes: &[u8]) -> Result<(), String> {
    let Some(header) = bytes.first_chunk::<HEADER>() else { return Ok(()) };
    if header[MODE] & 3 != MODE_ARRAY {
        return Ok(());
    }
    let registers = 1_usize.checked_shl(header[LG_K].into()).unwrap_or(usize::MAX);
    let array = bytes.get(ARRAY_HEADER..).unwrap_or_default();
    let largest = match header[MODE] >> 2 & 3 {
        BITS_4 => {
            let nibbles = array.iter().take(registers / 2).flat_map(|byte| [byte & 15, byte >> 4]);
            let largest = nibbles.filter(|&nibble| nibble != EXCEPTION).max().unwrap_or(0);
            header[SMALLEST].saturating_add(largest)
        }
        BITS_8 => array.iter().take(registers).copied().max().unwrap_or(0),
        _ => 0,
    };
    if largest > LARGEST { Err(format!("a register is {largest}")) } else { Ok(()) }
}

/// Java puts the coupons of a compact set into a table that grows from its first size, which
/// decides in which order it writes them again. So the set becomes a table here.
fn with_table(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let mut cursor = Cursor(bytes);
    let header = cursor.take(HEADER)?;
    if header[MODE] & 3 != MODE_SET || header[FLAGS] & COMPACT == 0 {
        return Ok(Cow::Borrowed(bytes));
    }
    let count = cursor.u32()?;
    let mut lg = LG_FIRST_SET;
    let mut table = vec![0_u32; 1 << lg];
    for used in 1..=count {
        let coupon = cursor.u32()?;
        if coupon >> 26 == 0 || !put(&mut table, lg, coupon) {
            return Err("a coupon is empty or there twice".to_owned());
        }
        if u64::from(used) * 4 > 3 << lg {
            lg += 1;
            if lg > header[LG_K].saturating_sub(3) {
                return Err("a set has more coupons than it can".to_owned());
            }
            let smaller = std::mem::replace(&mut table, vec![0; 1 << lg]);
            for coupon in smaller.into_iter().filter(|&coupon| coupon != 0) {
                put(&mut table, lg, coupon);
            }
        }
    }
    let mut bytes = header.to_vec();
    bytes[LG_TABLE] = lg;
    bytes[FLAGS] &= !COMPACT;
    bytes.extend(count.to_le_bytes());
    table.iter().for_each(|coupon| bytes.extend(coupon.to_le_bytes()));
    Ok(Cow::Owned(bytes))
}

/// Puts a coupon into a table that has room; false if it is there.
fn put(table: &mut [u32], lg: u8, coupon: u32) -> bool {
    const KEY: u32 = (1 << 26) - 1;
    let mask = (1_u32 << lg) - 1;
    let mut place = coupon & mask;
    // The stride is odd and so comes to every place.
    for _ in 0..table.len() {
        let Some(slot) = usize::try_from(place).ok().and_then(|place| table.get_mut(place)) else {
            return false;
        };
        if *slot == 0 {
            *slot = coupon;
            return true;
        }
        if *slot == coupon {
            return false;
        }
        place = (place + ((coupon & KEY) >> lg | 1)) & mask;
    }
    false
}

/// Java also writes how large its table of exceptions is.
fn say_size_of_exceptions(bytes: &mut [u8]) {
    let is_array = bytes.get(MODE).is_some_and(|mode| mode & 3 == MODE_ARRAY);
    let exceptions = bytes.get(EXCEPTIONS..ARRAY_HEADER).and_then(|count| count.try_into().ok());
    let Some(count @ 1..) = exceptions.map(u32::from_le_bytes).filter(|_| is_array) else { return };
    let Some(&first) = LG_FIRST_EXCEPTIONS.get(usize::from(bytes[LG_K])) else { return };
    let fits = |lg: &u8| u64::from(count) * 4 <= 3 << lg;
    if let Some(lg) = (first..32).find(fits) {
        bytes[LG_TABLE] = lg;
    }
}
