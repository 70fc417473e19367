//! The radix tree over the upper 48 bits of values that 64-bit roaring bitmaps are stored with.
//!
//! Nodes keep the sizes and places that they were stored with, and grow as Java's do, so that
//! the bytes of a union are the same. Nothing is ever removed. Source: RoaringBitmap 1.2.1 `Art`,
//! `Node4`, `Node16`, `Node48`, `Node256`, `LeafNode`.

use super::cursor::Cursor;

/// The upper 48 bits of values, most significant byte first.
pub(super) type Key = [u8; 6];

/// A node of the tree.
#[derive(Debug)]
pub(super) enum Node {
    Leaf(Leaf),
    Inner(Inner),
}

/// A key and where its values are.
#[derive(Debug)]
pub(super) struct Leaf {
    /// Left over from a node that shrank; without a meaning.
    prefix: Vec<u8>,
    pub(super) key: Key,
    pub(super) container: u64,
}

/// A node with children by one byte of the key.
#[derive(Debug)]
pub(super) struct Inner {
    size: Size,
    /// Bytes of the key that all children share, before the one that tells them apart.
    prefix: Vec<u8>,
    /// In ascending order of their bytes.
    children: Vec<Child>,
}

#[derive(Debug)]
struct Child {
    byte: u8,
    /// Place in a node of 48.
    place: u8,
    node: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Four,
    Sixteen,
    FortyEight,
    All,
}

const LEAF: u8 = 4;
/// Marks a byte without a child in a node of 48.
const NO_PLACE: u8 = 0xff;

impl Size {
    const fn of(kind: u8) -> Option<Self> {
        Some(match kind {
            0 => Self::Four,
            1 => Self::Sixteen,
            2 => Self::FortyEight,
            3 => Self::All,
            _ => return None,
        })
    }

    const fn kind(self) -> u8 {
        match self {
            Self::Four => 0,
            Self::Sixteen => 1,
            Self::FortyEight => 2,
            Self::All => 3,
        }
    }

    const fn children(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Sixteen => 16,
            Self::FortyEight => 48,
            Self::All => 256,
        }
    }
}

impl Node {
    /// Reads the node at the end of a path, with all below it.
    pub(super) fn read(cursor: &mut Cursor<'_>, path: &mut Vec<u8>) -> Result<Self, String> {
        let (kind, count, prefix) = (cursor.u8()?, cursor.u16()?, cursor.u8()?);
        let prefix = cursor.take(usize::from(prefix))?.to_vec();
        if kind == LEAF {
            let mut key = Key::default();
            key.copy_from_slice(cursor.take(6)?);
            if !key.starts_with(path) {
                return Err("a key does not stand where it belongs".to_owned());
            }
            return Ok(Self::Leaf(Leaf { prefix, key, container: cursor.u64()? }));
        }
        let size = Size::of(kind).ok_or_else(|| format!("node type {kind} is unknown"))?;
        let bytes = read_bytes(cursor, size, usize::from(count))?;
        let depth = path.len();
        path.extend(&prefix);
        if path.len() >= Key::default().len() {
            return Err("keys are longer than 6 bytes".to_owned());
        }
        let mut children = Vec::with_capacity(bytes.len());
        for (byte, place) in bytes {
            path.push(byte);
            children.push(Child { byte, place, node: Self::read(cursor, path)? });
            path.pop();
        }
        path.truncate(depth);
        Ok(Self::Inner(Inner { size, prefix, children }))
    }

    /// Writes the node and all below it.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) -> Result<(), String> {
        let (kind, count, prefix) = match self {
            Self::Leaf(leaf) => (LEAF, 0, &leaf.prefix),
            Self::Inner(inner) => (inner.size.kind(), inner.children.len(), &inner.prefix),
        };
        bytes.push(kind);
        bytes.extend(u16::try_from(count).map_err(|error| error.to_string())?.to_le_bytes());
        bytes.push(u8::try_from(prefix.len()).map_err(|error| error.to_string())?);
        bytes.extend(prefix);
        match self {
            Self::Leaf(leaf) => {
                bytes.extend(leaf.key);
                bytes.extend(leaf.container.to_le_bytes());
            }
            Self::Inner(inner) => {
                inner.write_bytes(bytes);
                for child in &inner.children {
                    child.node.write(bytes)?;
                }
            }
        }
        Ok(())
    }

    /// All leaves in the order of their keys.
    pub(super) fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::Leaf(leaf) => vec![leaf],
            Self::Inner(inner) => {
                inner.children.iter().flat_map(|child| child.node.leaves()).collect()
            }
        }
    }

    /// A tree of one key, whose values are in the first place.
    pub(super) const fn leaf(key: Key) -> Self {
        Self::Leaf(Leaf { prefix: Vec::new(), key, container: 0 })
    }

    /// Where the values of a key are.
    pub(super) fn find(&self, key: Key) -> Option<u64> {
        let (mut node, mut rest) = (self, key.as_slice());
        loop {
            match node {
                Self::Leaf(leaf) => return (leaf.key == key).then_some(leaf.container),
                Self::Inner(inner) => {
                    let (byte, below) =
                        rest.strip_prefix(inner.prefix.as_slice())?.split_first()?;
                    node = &inner.children.iter().find(|child| child.byte == *byte)?.node;
                    rest = below;
                }
            }
        }
    }

    /// Inserts a key that is not there.
    pub(super) fn put(&mut self, key: Key, container: u64) {
        let node = std::mem::replace(self, Self::leaf(Key::default()));
        *self = node.insert(key, container, 0);
    }

    /// Inserts a key that is not there; `depth` bytes of it lead here.
    fn insert(self, key: Key, container: u64, depth: usize) -> Self {
        let fresh = Self::Leaf(Leaf { prefix: Vec::new(), key, container });
        let rest = key.get(depth..).unwrap_or_default();
        let mut inner = match self {
            Self::Leaf(mut leaf) => {
                let old = leaf.key.get(depth..).unwrap_or_default();
                let common = common(old, rest);
                let bytes = (old.get(common).copied(), rest.get(common).copied());
                leaf.prefix.clear();
                return match bytes {
                    (Some(old), Some(new)) => {
                        Self::split(rest, common, (old, Self::Leaf(leaf)), (new, fresh))
                    }
                    _ => Self::Leaf(leaf),
                };
            }
            Self::Inner(inner) => inner,
        };
        let common = common(&inner.prefix, rest);
        let Some(&byte) = rest.get(common) else { return Self::Inner(inner) };
        if let Some(&old) = inner.prefix.get(common) {
            inner.prefix.drain(..=common);
            return Self::split(rest, common, (old, Self::Inner(inner)), (byte, fresh));
        }
        match inner.children.iter_mut().find(|child| child.byte == byte) {
            Some(child) => {
                let node = std::mem::replace(&mut child.node, Self::leaf(Key::default()));
                child.node = node.insert(key, container, depth + common + 1);
            }
            None => inner.add(byte, fresh),
        }
        Self::Inner(inner)
    }

    /// A node of two children below the first bytes of a key.
    fn split(key: &[u8], prefix: usize, one: (u8, Self), other: (u8, Self)) -> Self {
        let prefix = key.get(..prefix).unwrap_or_default().to_vec();
        let mut inner = Inner { size: Size::Four, prefix, children: Vec::with_capacity(2) };
        inner.add(one.0, one.1);
        inner.add(other.0, other.1);
        Self::Inner(inner)
    }
}

fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The bytes of a node's children in ascending order, each with its place.
fn read_bytes(cursor: &mut Cursor<'_>, size: Size, count: usize) -> Result<Vec<(u8, u8)>, String> {
    let bytes: Vec<(u8, u8)> = match size {
        Size::Four => {
            let mut bytes = cursor.take(4)?.to_vec();
            bytes.reverse();
            bytes.into_iter().take(count).map(|byte| (byte, 0)).collect()
        }
        Size::Sixteen => {
            let mut bytes = cursor.take(16)?.to_vec();
            bytes.chunks_mut(8).for_each(<[u8]>::reverse);
            bytes.into_iter().take(count).map(|byte| (byte, 0)).collect()
        }
        Size::FortyEight => {
            let mut places = cursor.take(256)?.to_vec();
            places.chunks_mut(8).for_each(<[u8]>::reverse);
            let places = (0..=u8::MAX).zip(places);
            places.filter(|&(_, place)| place != NO_PLACE).collect()
        }
        Size::All => {
            let mask = cursor.take(32)?;
            let is_set = |byte: &u8| mask[usize::from(byte / 8)] >> (byte % 8) & 1 == 1;
            (0..=u8::MAX).filter(is_set).map(|byte| (byte, 0)).collect()
        }
    };
    if bytes.len() != count || count == 0 || !bytes.is_sorted_by(|a, b| a.0 < b.0) {
        return Err("the children of a node do not ascend".to_owned());
    }
    if size == Size::FortyEight {
        let mut taken = [false; 48];
        for &(_, place) in &bytes {
            match taken.get_mut(usize::from(place)) {
                Some(taken) if !*taken => *taken = true,
                _ => return Err("two children of a node have the same place".to_owned()),
            }
        }
    }
    Ok(bytes)
}

impl Inner {
    /// Adds a child for a byte that has none.
    fn add(&mut self, byte: u8, node: Node) {
        if self.children.len() >= self.size.children() {
            self.grow();
        }
        let taken =
            |place: usize| self.children.iter().any(|child| usize::from(child.place) == place);
        let next = self.children.len();
        let place = match self.size {
            Size::FortyEight if taken(next) => (0..48).find(|&place| !taken(place)),
            Size::FortyEight => Some(next),
            _ => None,
        };
        let place = place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default();
        let position = self.children.partition_point(|child| child.byte < byte);
        self.children.insert(position, Child { byte, place, node });
    }

    fn grow(&mut self) {
        self.size = match self.size {
            Size::Four => Size::Sixteen,
            Size::Sixteen => Size::FortyEight,
            Size::FortyEight | Size::All => Size::All,
        };
        for (place, child) in (0..=u8::MAX).zip(&mut self.children) {
            child.place = place;
        }
    }

    fn write_bytes(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        let own = self.children.iter().map(|child| child.byte);
        match self.size {
            Size::Four | Size::Sixteen => {
                bytes.extend(own);
                bytes.resize(start + self.size.children(), 0);
            }
            Size::FortyEight => {
                bytes.resize(start + 256, NO_PLACE);
                for child in &self.children {
                    bytes[start + usize::from(child.byte)] = child.place;
                }
            }
            Size::All => {
                bytes.resize(start + 32, 0);
                own.for_each(|byte| bytes[start + usize::from(byte / 8)] |= 1 << (byte % 8));
            }
        }
        // Java writes all but the bits as big-endian numbers turned around.
        match self.size {
            Size::Four => bytes[start..].reverse(),
            Size::Sixteen | Size::FortyEight => {
                bytes[start..].chunks_mut(8).for_each(<[u8]>::reverse);
            }
            Size::All => {}
        }
    }
}
