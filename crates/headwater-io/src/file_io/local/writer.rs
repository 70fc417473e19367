//! Writes one new file in place, in blocks.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::place::Place;
use super::{FileWriter, Root};
use crate::error::{IoError, Result};
use crate::file_io::blocking::BlockingCalls;

/// Bytes collected before they go to the file.
const BLOCK_BYTES: usize = 1 << 20;
/// Chunks below this size are copied together, larger ones are written as they are.
const COPY_BYTES: usize = 1 << 16;

/// A file being written. Removed when dropped unfinished.
pub(super) struct LocalWriter {
    open: Arc<Open>,
    calls: BlockingCalls,
    pending: Vec<Bytes>,
    pending_bytes: usize,
    written: u64,
    finished: bool,
}

struct Open {
    root: Arc<Root>,
    place: Place,
    path: String,
    file: File,
}

impl LocalWriter {
    /// Makes the file; fails when the name is taken, by a symbolic link too. `calls` is the root's
    /// bound on blocking calls.
    pub(super) fn create(root: &Arc<Root>, path: &str, calls: BlockingCalls) -> Result<Self> {
        let place = Place::made(root, path)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&place.target)
            .map_err(|source| IoError::write(path, "create", source))?;
        let open = Open { root: Arc::clone(root), place, path: path.to_owned(), file };
        Ok(Self {
            open: Arc::new(open),
            calls,
            pending: Vec::new(),
            pending_bytes: 0,
            written: 0,
            finished: false,
        })
    }

    async fn flush(&mut self) -> Result<()> {
        self.pending_bytes = 0;
        let chunks = std::mem::take(&mut self.pending);
        self.blocking("write", move |open| open.append(&chunks)).await
    }

    async fn blocking<T, F>(&self, op: &'static str, call: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Open) -> Result<T> + Send + 'static,
    {
        let open = Arc::clone(&self.open);
        self.calls.run(op, &self.open.path, move || call(&open)).await
    }
}

impl Open {
    fn append(&self, chunks: &[Bytes]) -> Result<()> {
        let mut out = BufWriter::with_capacity(COPY_BYTES, &self.file);
        let written = chunks.iter().try_for_each(|chunk| out.write_all(chunk));
        written
            .and_then(|()| out.flush())
            .map_err(|source| IoError::write(&self.path, "write", source))
    }

    fn make_durable(&self) -> Result<()> {
        self.root
            .sync_content(&self.file)
            .map_err(|source| IoError::write(&self.path, "sync", source))?;
        self.root.sync_name(&self.place).map_err(|error| error.at(&self.path))
    }

    fn remove(&self) -> Result<()> {
        match std::fs::remove_file(&self.place.target) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(|source| IoError::write(&self.path, "delete", source)),
        }
    }
}

#[async_trait]
impl FileWriter for LocalWriter {
    async fn write(&mut self, data: Bytes) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        self.written += u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.pending_bytes += data.len();
        self.pending.push(data);
        if self.pending_bytes >= BLOCK_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn finish(mut self: Box<Self>) -> Result<u64> {
        let chunks = std::mem::take(&mut self.pending);
        self.blocking("finish", move |open| {
            open.append(&chunks)?;
            open.make_durable()
        })
        .await?;
        self.finished = true;
        Ok(self.written)
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        self.finished = true;
        self.blocking("delete", Open::remove).await
    }
}

impl Drop for LocalWriter {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = self.open.remove()
        {
            tracing::warn!(%error, "an unfinished file stays behind");
        }
    }
}
