//! Unions of 64-bit roaring bitmaps as Java stores them: a radix tree of the upper 48 bits, and
//! a container of lower 16 bits for each.
//!
//! Format: `docs/spec/aggregate-functions.md#bitmaps`. Source: RoaringBitmap 1.2.1 `HighLowContainer`, `Containers`,
//! `Roaring64Bitmap#or`; Paimon 1.4.2 `RoaringBitmap64`.

use super::art::{Key, Node};
use super::container::Container;
use super::cursor::Cursor;

const EMPTY: u8 = 0;
const NOT_EMPTY: u8 = 1;
/// How Java marks a table of containers whose end was not cut off.
const NOT_TRIMMED: u8 = 0xfe;

/// A bitmap with at least one value.
struct Bitmap {
    root: Node,
    /// By place; its length is the room that Java's table had.
    containers: Vec<Option<Container>>,
    /// Place of the container that was added last.
    last: usize,
}

/// The union, its containers in runs where that is smaller.
pub(in super::super) fn union(acc: &[u8], input: &[u8]) -> Result<Vec<u8>, String> {
    let union = match (read(acc)?, read(input)?) {
        (None, None) => return Ok(vec![EMPTY]),
        (None, Some(input)) => rebuilt(&input)?,
        (Some(acc), None) => Some(acc),
        (Some(acc), Some(input)) => Some(acc.or(&input)?),
    };
    union.map_or_else(|| Ok(vec![EMPTY]), |union| union.optimized().write())
}

/// As if the values were added to an empty bitmap.
fn rebuilt(input: &Bitmap) -> Result<Option<Bitmap>, String> {
    let mut bitmap: Option<Bitmap> = None;
    for (key, container) in input.entries()? {
        bitmap = Some(match bitmap {
            Some(mut bitmap) => {
                bitmap.put(key, container.clone());
                bitmap
            }
            None => {
                Bitmap { root: Node::leaf(key), containers: vec![Some(container.clone())], last: 0 }
            }
        });
    }
    Ok(bitmap)
}

fn read(bytes: &[u8]) -> Result<Option<Bitmap>, String> {
    let mut cursor = Cursor(bytes);
    match cursor.u8()? {
        EMPTY => return Ok(None),
        NOT_EMPTY => {}
        tag => return Err(format!("it starts with the byte {tag}")),
    }
    let keys = cursor.u64()?;
    let root = Node::read(&mut cursor, &mut Vec::new())?;
    let tables = cursor.u32()?;
    if tables != 1 {
        return Err(format!("it has {tables} tables of containers"));
    }
    // Marks that the table was not trimmed, which no reader looks at.
    cursor.u8()?;
    let room = cursor.length()?;
    if room > cursor.0.len() {
        return Err(format!("{room} containers expected, {} bytes there", cursor.0.len()));
    }
    let mut containers = Vec::with_capacity(room);
    for _ in 0..room {
        containers.push(match cursor.u8()? {
            0 => None,
            1 => Some(read_container(&mut cursor)?),
            mark => return Err(format!("a container starts with the byte {mark}")),
        });
    }
    let (size, first, last) = (cursor.u64()?, cursor.u32()?, cursor.length()?);
    let bitmap = Bitmap { root, containers, last };
    let entries = bitmap.entries()?.len() as u64;
    let held = bitmap.containers.iter().flatten().count() as u64;
    if keys != entries || size != entries || held != entries || first != 0 || last >= room {
        return Err("its keys, containers and their numbers do not fit".to_owned());
    }
    Ok(Some(bitmap))
}

fn read_container(cursor: &mut Cursor<'_>) -> Result<Container, String> {
    let (kind, values) = (cursor.u8()?, cursor.u32()?);
    let container = match kind {
        0 => Container::read_runs(cursor)?,
        1 => Container::read_bitmap(cursor)?,
        2 => {
            let values = usize::try_from(values).map_err(|error| error.to_string())?;
            if values > 1 << 16 {
                return Err(format!("a container has {values} values"));
            }
            Container::read_array(cursor, values)?
        }
        _ => return Err(format!("container type {kind} is unknown")),
    };
    if container.len() != values {
        return Err(format!("{values} values expected, {} there", container.len()));
    }
    Ok(container)
}

impl Bitmap {
    /// Keys in ascending order, with their containers, each of which belongs to one key.
    fn entries(&self) -> Result<Vec<(Key, &Container)>, String> {
        let mut seen = vec![false; self.containers.len()];
        let leaves = self.root.leaves().into_iter().map(|leaf| {
            let place = usize::try_from(leaf.container).unwrap_or(usize::MAX);
            match (self.containers.get(place), seen.get_mut(place)) {
                (Some(Some(container)), Some(seen)) if !*seen => {
                    *seen = true;
                    Ok((leaf.key, container))
                }
                _ => Err("a key has no container of its own".to_owned()),
            }
        });
        leaves.collect()
    }

    fn or(mut self, input: &Self) -> Result<Self, String> {
        for (key, container) in input.entries()? {
            let place = self.root.find(key).and_then(|place| usize::try_from(place).ok());
            match place.and_then(|place| self.containers.get_mut(place)) {
                Some(Some(older)) => *older = older.union(container),
                _ => self.put(key, container.clone()),
            }
        }
        Ok(self)
    }

    /// Adds a key that is not there. The table grows by half, as Java's does.
    fn put(&mut self, key: Key, container: Container) {
        self.last += 1;
        if self.last >= self.containers.len() {
            let half_more = self.containers.len() + self.containers.len() / 2;
            self.containers.resize(half_more.max(self.last + 1), None);
        }
        self.containers[self.last] = Some(container);
        self.root.put(key, self.last as u64);
    }

    fn optimized(mut self) -> Self {
        for container in self.containers.iter_mut().flatten() {
            if !matches!(container, Container::Run(_)) {
                *container = container.clone().optimized();
            }
        }
        self
    }

    fn write(&self) -> Result<Vec<u8>, String> {
        let count = self.containers.iter().flatten().count() as u64;
        let length = |length: usize| u32::try_from(length).map_err(|error| error.to_string());
        let mut bytes = vec![NOT_EMPTY];
        bytes.extend(count.to_le_bytes());
        self.root.write(&mut bytes)?;
        bytes.extend(1_u32.to_le_bytes());
        bytes.push(NOT_TRIMMED);
        bytes.extend(length(self.containers.len())?.to_le_bytes());
        for container in &self.containers {
            let Some(container) = container else {
                bytes.push(0);
                continue;
            };
            let kind = match container {
                Container::Run(_) => 0,
                Container::Bitmap(_) => 1,
                Container::Array(_) => 2,
            };
            bytes.extend([1, kind]);
            bytes.extend(container.len().to_le_bytes());
            container.write(&mut bytes)?;
        }
        bytes.extend(count.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(length(self.last)?.to_le_bytes());
        Ok(bytes)
    }
}

/// The values of a bitmap, in ascending order.
#[cfg(test)]
pub(super) fn values(bytes: &[u8]) -> Vec<u64> {
    let Some(bitmap) = read(bytes).unwrap() else { return Vec::new() };
    let entries = bitmap.entries().unwrap().into_iter();
    let value = |[a, b, c, d, e, f]: Key, low: u16| {
        u64::from_be_bytes([a, b, c, d, e, f, 0, 0]) | u64::from(low)
    };
    entries.flat_map(|(key, c)| c.values().into_iter().map(move |low| value(key, low))).collect()
}
