//! A file system that lets something else happen just before a chosen publish.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use headwater_io::{FileIo, FileStatus, FileWriter, Publish, Result};

type Act = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// See [`before_publish`](Self::before_publish).
pub struct Interloper {
    inner: Arc<dyn FileIo>,
    path: &'static str,
    act: Mutex<Option<Act>>,
}

impl Interloper {
    /// A file system that does `act` once, before the first publish of a path with `path` in it.
    pub fn before_publish<F>(
        inner: &Arc<dyn FileIo>,
        path: &'static str,
        act: impl FnOnce() -> F + Send + 'static,
    ) -> Arc<dyn FileIo>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let act: Act = Box::new(move || Box::pin(act()));
        Arc::new(Self { inner: Arc::clone(inner), path, act: Mutex::new(Some(act)) })
    }
}

impl std::fmt::Debug for Interloper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interloper")
    }
}

#[async_trait]
impl FileIo for Interloper {
    fn root(&self) -> &str {
        self.inner.root()
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        self.inner.read(path).await
    }

    async fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        self.inner.read_range(path, range).await
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
        if path.contains(self.path) {
            let act = self.act.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(act) = act {
                act().await;
            }
        }
        self.inner.publish(path, data).await
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

    async fn delete_dir(&self, path: &str) -> Result<()> {
        self.inner.delete_dir(path).await
    }
}
