//! Unions of 32-bit roaring bitmaps in their portable form.
//!
//! Source: RoaringBitmap 1.2.1 `RoaringArray#serialize`, `#deserialize`; Paimon 1.4.2
//! `RoaringBitmap32`.

use std::collections::BTreeMap;

use super::container::Container;
use super::cursor::Cursor;

const NO_RUNS: u32 = 12346;
const WITH_RUNS: u32 = 12347;
/// From that many containers on, or without runs, there are offsets.
const OFFSETS: usize = 4;
const ARRAY: u32 = 4096;

/// The union, its containers in their smallest form.
pub(in super::super) fn union(acc: &[u8], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut union = read(acc)?;
    for (key, container) in read(input)? {
        let merged = match union.get(&key) {
            Some(older) => older.union(&container),
            None => container,
        };
        union.insert(key, merged);
    }
    write(union.into_iter().map(|(key, container)| (key, container.optimized())).collect())
}

fn read(bytes: &[u8]) -> Result<BTreeMap<u16, Container>, String> {
    let mut cursor = Cursor(bytes);
    let cookie = cursor.u32()?;
    let (count, runs) = match cookie {
        NO_RUNS => (cursor.length()?, None),
        _ if cookie & 0xffff == WITH_RUNS => {
            let count = usize::try_from((cookie >> 16) + 1).map_err(|error| error.to_string())?;
            (count, Some(cursor.take(count.div_ceil(8))?))
        }
        _ => return Err(format!("cookie {cookie} is unknown")),
    };
    if count > 1 << 16 {
        return Err(format!("{count} containers are more than there can be"));
    }
    let mut header = Cursor(cursor.take(4 * count)?);
    if runs.is_none() || count >= OFFSETS {
        cursor.take(4 * count)?;
    }
    let mut containers = BTreeMap::new();
    for position in 0..count {
        let (key, values) = (header.u16()?, u32::from(header.u16()?) + 1);
        let is_run = runs.is_some_and(|runs| runs[position / 8] >> (position % 8) & 1 == 1);
        let container = if is_run {
            Container::read_runs(&mut cursor)?
        } else if values <= ARRAY {
            let values = usize::try_from(values).map_err(|error| error.to_string())?;
            Container::read_array(&mut cursor, values)?
        } else {
            Container::read_bitmap(&mut cursor)?
        };
        if container.len() != values {
            return Err(format!("{values} values expected, {} there", container.len()));
        }
        if containers.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err("the keys of containers do not ascend".to_owned());
        }
        containers.insert(key, container);
    }
    Ok(containers)
}

fn write(containers: Vec<(u16, Container)>) -> Result<Vec<u8>, String> {
    let count = containers.len();
    let count32 = u32::try_from(count).map_err(|error| error.to_string())?;
    let is_run = |container: &Container| matches!(container, Container::Run(_));
    let runs = containers.iter().any(|(_, container)| is_run(container));
    let mut bytes = Vec::new();
    if runs {
        bytes.extend((WITH_RUNS | (count32 - 1) << 16).to_le_bytes());
        for group in containers.chunks(8) {
            let flags = group.iter().enumerate();
            bytes.push(flags.fold(0, |all, (bit, (_, c))| all | u8::from(is_run(c)) << bit));
        }
    } else {
        bytes.extend(NO_RUNS.to_le_bytes());
        bytes.extend(count32.to_le_bytes());
    }
    for (key, container) in &containers {
        bytes.extend(key.to_le_bytes());
        let values = u16::try_from(container.len() - 1).map_err(|error| error.to_string())?;
        bytes.extend(values.to_le_bytes());
    }
    if !runs || count >= OFFSETS {
        let mut offset = bytes.len() + 4 * count;
        for (_, container) in &containers {
            let start = u32::try_from(offset).map_err(|error| error.to_string())?;
            bytes.extend(start.to_le_bytes());
            offset += container.written_bytes();
        }
    }
    for (_, container) in &containers {
        container.write(&mut bytes)?;
    }
    Ok(bytes)
}
