//! Walks Thrift compact structures without decoding them.
//!
//! Footers and page headers claim how many items follow and how large a page becomes. A decoder
//! reserves memory for that, so the claims are checked first: every item takes at least a byte.
//! Source: Apache Thrift `TCompactProtocol`.

/// Deepest nesting that is followed; a footer has less than ten.
const MAX_DEPTH: u32 = 24;

/// What breaks the encoding.
pub(super) type Broken = &'static str;

/// A number field: its field ids from the outermost structure inwards, and its value.
pub(super) type NumberSeen<'a> = &'a mut dyn FnMut(&[i16], i64);

/// Checks the structure that `bytes` begin with and returns its length.
pub(super) fn walk(bytes: &[u8], number: NumberSeen<'_>) -> Result<usize, Broken> {
    let mut walker = Walker { bytes, at: 0, path: Vec::new(), number };
    walker.structure(0)?;
    Ok(walker.at)
}

struct Walker<'a, 'b> {
    bytes: &'a [u8],
    at: usize,
    path: Vec<i16>,
    number: NumberSeen<'b>,
}

impl Walker<'_, '_> {
    fn byte(&mut self) -> Result<u8, Broken> {
        let byte = self.bytes.get(self.at).ok_or("it ends inside a structure")?;
        self.at += 1;
        Ok(*byte)
    }

    fn skip(&mut self, count: u64) -> Result<(), Broken> {
        let count = usize::try_from(count).map_err(|_| "a length is too large")?;
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        self.at = end.ok_or("a length reaches beyond the end")?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number has too many bytes")
    }

    fn zigzag(&mut self) -> Result<i64, Broken> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn structure(&mut self, depth: u32) -> Result<(), Broken> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply");
        }
        let mut id = 0_i16;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Ok(());
            }
            let delta = i16::from(header >> 4);
            id = if delta == 0 {
                i16::try_from(self.zigzag()?).map_err(|_| "a field id is too large")?
            } else {
                id.checked_add(delta).ok_or("a field id is too large")?
            };
            self.path.push(id);
            self.value(header & 0x0F, depth, true)?;
            self.path.pop();
        }
    }

    fn value(&mut self, kind: u8, depth: u32, is_field: bool) -> Result<(), Broken> {
        match kind {
            // A boolean field lies in its header, an element takes a byte.
            1 | 2 => {
                if !is_field {
                    self.byte()?;
                }
                Ok(())
            }
            3 => self.byte().map(|_| ()),
            4..=6 => {
                let value = self.zigzag()?;
                if is_field {
                    (self.number)(&self.path, value);
                }
                Ok(())
            }
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => {
                let header = self.byte()?;
                let count = match header >> 4 {
                    15 => self.varint()?,
                    few => u64::from(few),
                };
                self.items(count, &[header & 0x0F], depth)
            }
            11 => {
                let count = self.varint()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                self.items(count, &[kinds >> 4, kinds & 0x0F], depth)
            }
            12 => self.structure(depth + 1),
            _ => Err("a field has no known type"),
        }
    }

    fn items(&mut self, count: u64, kinds: &[u8], depth: u32) -> Result<(), Broken> {
        let left = u64::try_from(self.bytes.len().saturating_sub(self.at)).unwrap_or(u64::MAX);
        if count > left {
            return Err("a list claims more items than there are bytes");
        }
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply");
        }
        for _ in 0..count {
            for kind in kinds {
                self.value(*kind, depth + 1, false)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::walk;

    #[test]
    fn numbers_are_seen_with_their_path() {
        // {1: i32 3, 5: {1: i32 -1}, 6: list<i32> [1, 2]}
        let bytes = [0x15, 0x06, 0x4C, 0x15, 0x01, 0x00, 0x19, 0x25, 0x02, 0x04, 0x00, 0xFF];
        let mut seen = Vec::new();
        let length = walk(&bytes, &mut |path, v| seen.push((path.to_vec(), v))).unwrap();
        assert_eq!(length, 11);
        assert_eq!(seen, [(vec![1], 3), (vec![5, 1], -1)]);
    }

    #[test]
    fn claims_beyond_the_end_are_refused() {
        // A list of 2^31 structures in two bytes; a string of 100 bytes; nothing at all.
        for bytes in [
            &[0x19, 0xFC, 0x80, 0x80, 0x80, 0x80, 0x08, 0x00][..],
            &[0x18, 0x64, 0x00],
            &[],
            &[0x1C; 80],
        ] {
            assert!(walk(bytes, &mut |_, _| ()).is_err(), "{bytes:?}");
        }
    }
}
