//! Counts what is read through a root, for those who want to know what a query cost.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;

use super::turn::Turn;
use super::{FileIo, FileStatus, FileWriter, Publish, ReadInPlace};
use crate::error::Result;

/// Bytes and calls of reads so far.
#[derive(Debug, Default)]
pub struct ReadCount {
    bytes: AtomicU64,
    calls: AtomicU64,
}

impl ReadCount {
    /// Bytes that reads returned.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Reads that were asked for; several ranges of one file count once.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// The same files; what is read is counted.
#[derive(Debug)]
pub struct CountedFileIo {
    inner: Arc<dyn FileIo>,
    count: Arc<ReadCount>,
}

impl CountedFileIo {
    /// Counts reads of `inner` in `count`.
    #[must_use]
    pub fn new(inner: Arc<dyn FileIo>, count: Arc<ReadCount>) -> Self {
        Self { inner, count }
    }
}

#[async_trait]
impl FileIo for CountedFileIo {
    fn root(&self) -> &str {
        self.inner.root()
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        let bytes = self.inner.read(path).await?;
        self.count.add(bytes.len());
        Ok(bytes)
    }

    async fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        let bytes = self.inner.read_range(path, range).await?;
        self.count.add(bytes.len());
        Ok(bytes)
    }

    async fn read_ranges(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let parts = self.inner.read_ranges(path, ranges).await?;
        self.count.add(parts.iter().map(Bytes::len).fold(0, usize::saturating_add));
        Ok(parts)
    }

    async fn open_in_place(&self, path: &str) -> Result<Option<Arc<dyn ReadInPlace>>> {
        let opened = self.inner.open_in_place(path).await?;
        Ok(opened.map(|inner| {
            Arc::new(CountedFile { inner, count: Arc::clone(&self.count) }) as Arc<dyn ReadInPlace>
        }))
    }

    async fn size(&self, path: &str) -> Result<u64> {
        self.inner.size(path).await
    }

    async fn exists(&self, path: &str) -> Result<bool> {
        self.inner.exists(path).await
    }

    async fn list(&self, dir: &str) -> Result<Vec<FileStatus>> {
        self.inner.list(dir).await
    }

    async fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        self.inner.create(path).await
    }

    async fn publish(&self, path: &str, data: Bytes) -> Result<Publish> {
        self.inner.publish(path, data).await
    }

    async fn make_durable(&self, path: &str) -> Result<()> {
        self.inner.make_durable(path).await
    }

    async fn overwrite(&self, path: &str, data: Bytes) -> Result<()> {
        self.inner.overwrite(path, data).await
    }

    async fn delete(&self, path: &str) -> Result<()> {
        self.inner.delete(path).await
    }

    async fn create_dir(&self, path: &str) -> Result<()> {
        self.inner.create_dir(path).await
    }

    async fn move_dir(&self, from: &str, to: &str) -> Result<Publish> {
        self.inner.move_dir(from, to).await
    }

    async fn turn(&self, dir: &str) -> Turn {
        self.inner.turn(dir).await
    }

    async fn delete_dir(&self, path: &str) -> Result<()> {
        self.inner.delete_dir(path).await
    }
}

/// An open file of them.
#[derive(Debug)]
struct CountedFile {
    inner: Arc<dyn ReadInPlace>,
    count: Arc<ReadCount>,
}

impl ReadInPlace for CountedFile {
    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let bytes = self.inner.read(range)?;
        self.count.add(bytes.len());
        Ok(bytes)
    }

    fn will_read(&self, range: Range<u64>) {
        self.inner.will_read(range);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{CountedFileIo, ReadCount};
    use crate::file_io::FileIo;
    use crate::file_io::memory::MemoryFileIo;

    #[tokio::test]
    async fn reads_are_counted_and_nothing_else() {
        let count = Arc::new(ReadCount::default());
        let io = CountedFileIo::new(Arc::new(MemoryFileIo::new()), Arc::clone(&count));
        let mut writer = io.create("d/f").await.unwrap();
        writer.write("0123456789".into()).await.unwrap();
        writer.finish().await.unwrap();
        assert_eq!(io.size("d/f").await.unwrap(), 10);
        assert_eq!((count.bytes(), count.calls()), (0, 0));
        io.read("d/f").await.unwrap();
        io.read_range("d/f", 2..5).await.unwrap();
        io.read_ranges("d/f", &[0..1, 8..10]).await.unwrap();
        assert!(io.read_range("d/f", 5..50).await.is_err());
        assert_eq!((count.bytes(), count.calls()), (16, 3));
    }
}
