//! Columns of texts and bytes that a function makes.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, NullBufferBuilder, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::FunctionError;
use super::target::Target;
use crate::error::LsmError;

/// Texts or bytes to be.
pub(super) struct Bytes {
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Bytes {
    /// Without a value, with room.
    pub(super) fn with_capacity(values: usize) -> Self {
        let mut offsets = Vec::with_capacity(values + 1);
        offsets.push(0);
        Self { bytes: Vec::new(), offsets, nulls: NullBufferBuilder::new(values) }
    }

    /// Adds a value.
    ///
    /// # Errors
    /// When the values have more bytes together than a column can.
    pub(super) fn push(
        &mut self,
        target: &Target,
        value: Option<&[u8]>,
    ) -> Result<(), FunctionError> {
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.offsets.push(i32::try_from(self.bytes.len()).map_err(|_| target.too_large("bytes"))?);
        self.nulls.append(value.is_some());
        Ok(())
    }

    /// The column of texts.
    pub(super) fn into_strings(mut self) -> Result<ArrayRef, LsmError> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let nulls = self.nulls.finish();
        Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(self.bytes), nulls)?))
    }

    /// The column of bytes.
    pub(super) fn into_binaries(mut self) -> Result<ArrayRef, LsmError> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let nulls = self.nulls.finish();
        Ok(Arc::new(BinaryArray::try_new(offsets, Buffer::from_vec(self.bytes), nulls)?))
    }
}
