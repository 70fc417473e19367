//! Files in an object store, below a key prefix.
//!
//! Keys are the paths as they are; nothing is escaped a second time. Directories do not exist
//! there: one that must be seen while it is empty gets a marker object. How a name is made without
//! replacing: `put_new.rs`.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
};

use super::local::range_len;
use super::path_check::{check_dir, check_path};
use super::{FileIo, FileStatus, FileWriter, Publish};
use crate::env::{Clock, Random, SystemClock, SystemRandom};
use crate::error::{IoError, Result};

mod coalesce;
mod put_new;
mod writer;

use put_new::{PutNew, ReadBack};
use writer::ObjectWriter;

/// Name of the empty object that keeps an empty directory visible; never listed.
const DIRECTORY_MARKER: &str = ".directory";
/// Requests under way at once for one operation.
const REQUESTS_AT_ONCE: usize = 16;

/// Files in an object store below a key prefix. The store must honour put-if-absent. Clones share
/// the store.
#[derive(Debug, Clone)]
pub struct ObjectFileIo {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    name: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl ObjectFileIo {
    /// Files of `store` whose keys start with `prefix` and a `/`; an empty prefix takes all.
    /// `name` is for messages: it must hold no secret.
    ///
    /// # Errors
    /// `prefix` is not a legal path.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str, name: &str) -> Result<Self> {
        let prefix = check_dir(prefix)?;
        Ok(Self { prefix: prefix.to_owned(), ..Self::at_top(store, name) })
    }

    /// All files of `store`.
    pub(super) fn at_top(store: Arc<dyn ObjectStore>, name: &str) -> Self {
        Self {
            store,
            prefix: String::new(),
            name: name.to_owned(),
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom::new()),
        }
    }

    /// Waits between attempts by this clock and this randomness.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        self.clock = clock;
        self.random = random;
        self
    }

    /// The key of a file.
    fn key(&self, path: &str) -> Result<Path> {
        check_path(path)?;
        self.checked_key(path)
    }

    /// The key prefix of a directory; `None` is the whole store.
    fn dir_key(&self, dir: &str) -> Result<Option<Path>> {
        let key = self.checked_key(check_dir(dir)?)?;
        Ok((!key.as_ref().is_empty()).then_some(key))
    }

    fn checked_key(&self, path: &str) -> Result<Path> {
        let key = match (self.prefix.as_str(), path) {
            ("", path) => path.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}/{path}"),
        };
        Path::parse(&key).map_err(|_| IoError::Escape {
            path: path.to_owned(),
            reason: "an object store cannot hold it (control characters?)",
        })
    }

    fn put_new(&self, path: &str, payload: PutPayload) -> Result<PutNew<'_>> {
        Ok(PutNew {
            store: self.store.as_ref(),
            key: self.key(path)?,
            path: path.to_owned(),
            payload,
            clock: self.clock.as_ref(),
            random: self.random.as_ref(),
        })
    }

    /// After a failed or cut read: `Short` when the object is smaller than the range needs.
    async fn short(&self, path: &str, range: &Range<u64>) -> Option<IoError> {
        let size = self.size(path).await.ok()?;
        (range.end > size).then(|| IoError::Short {
            path: path.to_owned(),
            offset: range.start,
            expected: range.end.saturating_sub(range.start),
            actual: size.saturating_sub(range.start),
        })
    }
}

#[async_trait]
impl FileIo for ObjectFileIo {
    fn root(&self) -> &str {
        &self.name
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        let failed = |error| read_error(path, "read", error);
        let found = self.store.get(&self.key(path)?).await.map_err(failed)?;
        let expected = found.meta.size;
        let bytes = found.bytes().await.map_err(failed)?;
        exact(path, &(0..expected), bytes)
    }

    async fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        let key = self.key(path)?;
        if range_len(path, &range)? == 0 {
            return Ok(Bytes::new());
        }
        let bounded = Some(GetRange::Bounded(range.clone()));
        let options = GetOptions { range: bounded, ..GetOptions::default() };
        let outcome = match self.store.get_opts(&key, options).await {
            // A store that ignores ranges answers with another one.
            Ok(found) if found.range.start == range.start => found.bytes().await,
            Ok(_) => {
                return Err(IoError::Read {
                    path: path.to_owned(),
                    op: "read",
                    source: "the store answered with another range".into(),
                });
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(bytes) => exact(path, &range, bytes),
            Err(error @ object_store::Error::NotFound { .. }) => {
                Err(read_error(path, "read", error))
            }
            Err(error) => Err(self
                .short(path, &range)
                .await
                .unwrap_or_else(|| read_error(path, "read", error))),
        }
    }

    async fn read_ranges(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let merged = coalesce::merge(path, ranges)?;
        let reads: Vec<_> = merged.iter().map(|part| self.read_range(path, part.clone())).collect();
        let reads = futures::stream::iter(reads).buffered(REQUESTS_AT_ONCE);
        let parts = reads.try_collect::<Vec<_>>().await?;
        coalesce::cut(path, ranges, &merged, &parts)
    }

    async fn size(&self, path: &str) -> Result<u64> {
        let found = self.store.head(&self.key(path)?).await;
        found.map(|meta| meta.size).map_err(|error| read_error(path, "look up", error))
    }

    async fn exists(&self, path: &str) -> Result<bool> {
        let dir = check_dir(path)?;
        if !dir.is_empty() {
            match self.size(dir).await {
                Err(IoError::NotFound { .. }) => {}
                other => return other.map(|_| true),
            }
        }
        let below = self.store.list(self.dir_key(dir)?.as_ref()).next().await;
        match below {
            None => Ok(dir.is_empty()),
            Some(first) => first.map(|_| true).map_err(|error| read_error(path, "look up", error)),
        }
    }

    async fn list(&self, dir: &str) -> Result<Vec<FileStatus>> {
        let key = self.dir_key(dir)?;
        let below = key.as_ref().map_or(0, |key| key.as_ref().len() + 1);
        let found = self.store.list_with_delimiter(key.as_ref()).await;
        let found = found.map_err(|error| read_error(dir, "list", error))?;
        let child = |key: &Path, is_dir, size| {
            let name = key.as_ref().get(below..).filter(|name| !name.is_empty())?.to_owned();
            Some(FileStatus { name, is_dir, size })
        };
        let dirs = found.common_prefixes.iter().filter_map(|key| child(key, true, 0));
        let files = found.objects.iter().filter_map(|meta| child(&meta.location, false, meta.size));
        let files = files.filter(|file| file.name != DIRECTORY_MARKER);
        let mut children = dirs.chain(files).collect::<Vec<_>>();
        children.sort_unstable();
        Ok(children)
    }

    async fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        self.key(path)?;
        Ok(Box::new(ObjectWriter::new(self.clone(), path)))
    }

    async fn publish(&self, path: &str, data: Bytes) -> Result<Publish> {
        self.put_new(path, PutPayload::from_bytes(data))?.run(ReadBack::Always).await
    }

    async fn overwrite(&self, path: &str, data: Bytes) -> Result<()> {
        let put = self.store.put(&self.key(path)?, PutPayload::from_bytes(data)).await;
        put.map(drop).map_err(|error| write_error(path, "overwrite", error))
    }

    async fn delete(&self, path: &str) -> Result<()> {
        match self.store.delete(&self.key(path)?).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            other => other.map_err(|error| write_error(path, "delete", error)),
        }
    }

    async fn create_dir(&self, path: &str) -> Result<()> {
        let dir = check_dir(path)?;
        if dir.is_empty() {
            return Ok(());
        }
        self.overwrite(&format!("{dir}/{DIRECTORY_MARKER}"), Bytes::new()).await
    }

    async fn delete_dir(&self, path: &str) -> Result<()> {
        let dir = check_dir(path)?;
        if dir.is_empty() {
            let reason = "the root itself is never deleted";
            return Err(IoError::Escape { path: path.to_owned(), reason });
        }
        // Listed to the end first: a listing is not stable while its objects disappear.
        let below = self.store.list(self.dir_key(dir)?.as_ref()).map_ok(|meta| meta.location);
        let keys = below.try_collect::<Vec<_>>().await;
        let keys = keys.map_err(|error| read_error(dir, "list", error))?;
        let gone =
            self.store.delete_stream(futures::stream::iter(keys.into_iter().map(Ok)).boxed());
        gone.try_for_each(|_| async { Ok(()) }).await.or_else(|error| match error {
            object_store::Error::NotFound { .. } => Ok(()),
            error => Err(write_error(dir, "delete directory", error)),
        })
    }
}

/// Put-if-absent.
fn create_options() -> PutOptions {
    PutOptions { mode: PutMode::Create, ..PutOptions::default() }
}

/// `bytes`, when they are as many as asked for.
fn exact(path: &str, range: &Range<u64>, bytes: Bytes) -> Result<Bytes> {
    let expected = range.end.saturating_sub(range.start);
    let actual = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if actual == expected {
        return Ok(bytes);
    }
    Err(IoError::Short { path: path.to_owned(), offset: range.start, expected, actual })
}

fn read_error(path: &str, op: &'static str, error: object_store::Error) -> IoError {
    match error {
        object_store::Error::NotFound { .. } => IoError::NotFound { path: path.to_owned() },
        error => IoError::Read { path: path.to_owned(), op, source: Box::new(error) },
    }
}

fn write_error(path: &str, op: &'static str, error: object_store::Error) -> IoError {
    IoError::Write { path: path.to_owned(), op, source: Box::new(error) }
}

#[cfg(test)]
mod tests;
