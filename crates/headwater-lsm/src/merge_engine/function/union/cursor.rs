//! Reads little-endian numbers from bytes that may end anywhere.

/// The bytes that are left.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next bytes.
    pub(super) fn take(&mut self, bytes: usize) -> Result<&'a [u8], String> {
        let Some((taken, rest)) = self.0.split_at_checked(bytes) else {
            return Err(format!("{bytes} bytes expected, {} there", self.0.len()));
        };
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| "bytes end early".to_owned())
    }

    pub(super) fn u8(&mut self) -> Result<u8, String> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, String> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A 32-bit number as a length or position.
    pub(super) fn length(&mut self) -> Result<usize, String> {
        usize::try_from(self.u32()?).map_err(|error| error.to_string())
    }
}
