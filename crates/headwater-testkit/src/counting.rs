//! A file system that counts its operations and the bytes that it reads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_io::{FileIo, FileStatus, FileWriter, Publish, Result};

use crate::operation::Operation;

/// What was done since the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations by their names; those of writers are in `create`.
    pub operations: BTreeMap<&'static str, usize>,
    /// Bytes that reads returned.
    pub bytes_read: usize,
    /// Bytes that were written.
    pub bytes_written: usize,
}

impl Counts {
    /// Adds another count.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.operations {
            *self.operations.entry(name).or_insert(0) += count;
        }
        self.bytes_read += other.bytes_read;
        self.bytes_written += other.bytes_written;
    }

    /// All operations.
    pub fn total(&self) -> usize {
        self.operations.values().sum()
    }
}

/// Counts and passes everything on.
#[derive(Debug)]
pub struct CountingFileIo {
    inner: Arc<dyn FileIo>,
    counts: Arc<Mutex<Counts>>,
}

impl CountingFileIo {
    /// With nothing counted so far.
    pub fn new(inner: Arc<dyn FileIo>) -> Self {
        Self { inner, counts: Arc::default() }
    }

    /// What was counted since the last call.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, operation: Operation) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.operations.entry(operation.name()).or_insert(0) += 1;
    }

    fn read_bytes(&self, bytes: usize) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).bytes_read += bytes;
    }

    fn wrote(&self, bytes: usize) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).bytes_written += bytes;
    }
}

#[async_trait]
impl FileIo for CountingFileIo {
    fn root(&self) -> &str {
        self.inner.root()
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        self.count(Operation::Read);
        let bytes = self.inner.read(path).await?;
        self.read_bytes(bytes.len());
        Ok(bytes)
    }

    async fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        self.count(Operation::Read);
        let bytes = self.inner.read_range(path, range).await?;
        self.read_bytes(bytes.len());
        Ok(bytes)
    }

    async fn read_ranges(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.count(Operation::Read);
        let parts = self.inner.read_ranges(path, ranges).await?;
        self.read_bytes(parts.iter().map(Bytes::len).sum());
        Ok(parts)
    }

    async fn size(&self, path: &str) -> Result<u64> {
        self.count(Operation::Size);
        self.inner.size(path).await
    }

    async fn exists(&self, path: &str) -> Result<bool> {
        self.count(Operation::Exists);
        self.inner.exists(path).await
    }

    async fn list(&self, dir: &str) -> Result<Vec<FileStatus>> {
        self.count(Operation::List);
        self.inner.list(dir).await
    }

    async fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        self.count(Operation::Create);
        let inner = self.inner.create(path).await?;
        Ok(Box::new(CountingWriter { inner, counts: Arc::clone(&self.counts) }))
    }

    async fn make_durable(&self, path: &str) -> Result<()> {
        self.inner.make_durable(path).await
    }

    async fn publish(&self, path: &str, data: Bytes) -> Result<Publish> {
        self.count(Operation::Publish);
        self.wrote(data.len());
        self.inner.publish(path, data).await
    }

    async fn overwrite(&self, path: &str, data: Bytes) -> Result<()> {
        self.count(Operation::Overwrite);
        self.wrote(data.len());
        self.inner.overwrite(path, data).await
    }

    async fn delete(&self, path: &str) -> Result<()> {
        self.count(Operation::Delete);
        self.inner.delete(path).await
    }

    async fn create_dir(&self, path: &str) -> Result<()> {
        self.count(Operation::CreateDir);
        self.inner.create_dir(path).await
    }

    async fn move_dir(&self, from: &str, to: &str) -> Result<Publish> {
        self.count(Operation::MoveDir);
        self.inner.move_dir(from, to).await
    }

    async fn delete_dir(&self, path: &str) -> Result<()> {
        self.count(Operation::DeleteDir);
        self.inner.delete_dir(path).await
    }
}

struct CountingWriter {
    inner: Box<dyn FileWriter>,
    counts: Arc<Mutex<Counts>>,
}

#[async_trait]
impl FileWriter for CountingWriter {
    async fn write(&mut self, data: Bytes) -> Result<()> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).bytes_written += data.len();
        self.inner.write(data).await
    }

    async fn finish(self: Box<Self>) -> Result<u64> {
        self.inner.finish().await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.inner.abort().await
    }
}
