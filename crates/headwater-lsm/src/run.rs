//! A sorted run as the merge sees it: batches in key order, pulled one at a time.

use std::vec::IntoIter;

use crate::error::LsmError;
use crate::key_value::KeyValueBatch;

/// A sorted run: keys strictly ascending over all batches.
///
/// The merge pulls the next batch when it has used up the one before, so a source that reads ahead
/// bounds its own memory. Failures of the source travel as [`LsmError::source`].
pub trait RunReader: Send {
    /// The next batch, which may be empty; `None` once the run has ended.
    ///
    /// # Errors
    /// Whatever keeps the source from giving the next batch. The merge stops at the first error.
    fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError>;
}

/// A run whose batches are in memory.
#[derive(Debug)]
pub struct BatchesRun(IntoIter<KeyValueBatch>);

impl BatchesRun {
    /// A run of `batches`, in this order.
    #[must_use]
    pub fn new(batches: Vec<KeyValueBatch>) -> Self {
        Self(batches.into_iter())
    }
}

impl RunReader for BatchesRun {
    fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        Ok(self.0.next())
    }
}

impl<R: RunReader + ?Sized> RunReader for Box<R> {
    fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        (**self).next_batch()
    }
}
