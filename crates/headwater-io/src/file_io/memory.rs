//! Files in memory: for tests and `memory://`. Nothing survives the last clone.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::memory::InMemory;

use super::local::range_len;
use super::object::ObjectFileIo;
use super::{FileIo, FileStatus, FileWriter, Publish, ReadInPlace};
use crate::error::{IoError, Result};

/// Files in memory, with the behaviour of an object store. Clones share the files.
#[derive(Debug, Clone)]
pub struct MemoryFileIo {
    objects: Arc<ObjectFileIo>,
}

impl MemoryFileIo {
    /// No files yet.
    #[must_use]
    pub fn new() -> Self {
        let objects = ObjectFileIo::at_top(Arc::new(InMemory::new()), "memory://");
        Self { objects: Arc::new(objects) }
    }
}

impl Default for MemoryFileIo {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl FileIo for MemoryFileIo {
    fn root(&self) -> &str {
        self.objects.root()
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        self.objects.read(path).await
    }

    async fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        self.objects.read_range(path, range).await
    }

    async fn read_ranges(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.objects.read_ranges(path, ranges).await
    }

    async fn open_in_place(&self, path: &str) -> Result<Option<Arc<dyn ReadInPlace>>> {
        let bytes = self.objects.read(path).await?;
        Ok(Some(Arc::new(OpenFile { bytes, path: path.to_owned() })))
    }

    async fn size(&self, path: &str) -> Result<u64> {
        self.objects.size(path).await
    }

    async fn exists(&self, path: &str) -> Result<bool> {
        self.objects.exists(path).await
    }

    async fn list(&self, dir: &str) -> Result<Vec<FileStatus>> {
        self.objects.list(dir).await
    }

    async fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        self.objects.create(path).await
    }

    async fn publish(&self, path: &str, data: Bytes) -> Result<Publish> {
        self.objects.publish(path, data).await
    }

    async fn overwrite(&self, path: &str, data: Bytes) -> Result<()> {
        self.objects.overwrite(path, data).await
    }

    async fn delete(&self, path: &str) -> Result<()> {
        self.objects.delete(path).await
    }

    async fn create_dir(&self, path: &str) -> Result<()> {
        self.objects.create_dir(path).await
    }

    async fn delete_dir(&self, path: &str) -> Result<()> {
        self.objects.delete_dir(path).await
    }
}

/// A file that is open.
#[derive(Debug)]
struct OpenFile {
    bytes: Bytes,
    path: String,
}

impl ReadInPlace for OpenFile {
    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let expected = range_len(&self.path, &range)?;
        let start = usize::try_from(range.start).unwrap_or(usize::MAX);
        let rest = self.bytes.get(start..).unwrap_or_default();
        match usize::try_from(expected).ok().filter(|length| *length <= rest.len()) {
            Some(length) => Ok(self.bytes.slice(start..start.saturating_add(length))),
            None => Err(IoError::Short {
                path: self.path.clone(),
                offset: range.start,
                expected,
                actual: u64::try_from(rest.len()).unwrap_or(u64::MAX),
            }),
        }
    }

    fn will_read(&self, _: Range<u64>) {}
}
