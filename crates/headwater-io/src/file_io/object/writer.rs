//! Writes one new object: a single put when small, parts of equal size when large.

use std::collections::VecDeque;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload, UploadPart};

use super::put_new::ReadBack;
use super::{FileIo, ObjectFileIo, write_error};
use crate::error::{IoError, Result};
use crate::file_io::{FileWriter, Publish};

/// Size of every part but the last: stores want at least 5 MiB, and some want equal sizes.
pub(super) const PART_BYTES: usize = 8 << 20;
/// Parts under way at once.
const PARTS_AT_ONCE: usize = 4;

/// An object being written; it appears when finished.
pub(super) struct ObjectWriter {
    io: ObjectFileIo,
    path: String,
    pending: VecDeque<Bytes>,
    pending_bytes: usize,
    written: u64,
    upload: Option<Upload>,
}

struct Upload {
    target: Box<dyn MultipartUpload>,
    parts: FuturesUnordered<UploadPart>,
}

impl ObjectWriter {
    pub(super) fn new(io: ObjectFileIo, path: &str) -> Self {
        Self {
            io,
            path: path.to_owned(),
            pending: VecDeque::new(),
            pending_bytes: 0,
            written: 0,
            upload: None,
        }
    }

    fn key(&self) -> Result<Path> {
        self.io.key(&self.path)
    }

    /// Up to `limit` of the pending bytes.
    fn take(&mut self, limit: usize) -> PutPayload {
        let mut chunks = Vec::new();
        let mut wanted = limit;
        while wanted > 0 {
            let Some(mut chunk) = self.pending.pop_front() else { break };
            if chunk.len() > wanted {
                self.pending.push_front(chunk.split_off(wanted));
            }
            wanted -= chunk.len();
            self.pending_bytes -= chunk.len();
            chunks.push(chunk);
        }
        chunks.into_iter().collect()
    }

    async fn upload_part(&mut self, limit: usize) -> Result<()> {
        if self.upload.is_none() {
            self.start().await?;
        }
        let payload = self.take(limit);
        let Some(upload) = &mut self.upload else { return Ok(()) };
        let outcome = upload.put(payload, PARTS_AT_ONCE).await;
        outcome.map_err(|error| write_error(&self.path, "write", error))
    }

    async fn start(&mut self) -> Result<()> {
        // Uploads in parts cannot be conditional. The name is unique, so nobody races for it.
        match self.io.size(&self.path).await {
            Ok(_) => return Err(IoError::AlreadyExists { path: self.path.clone() }),
            Err(IoError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        let target = self.io.store.put_multipart(&self.key()?).await;
        let target = target.map_err(|error| write_error(&self.path, "create", error))?;
        self.upload = Some(Upload { target, parts: FuturesUnordered::new() });
        Ok(())
    }

    async fn complete(&mut self, mut upload: Upload) -> Result<()> {
        let completed = match upload.wait_until_under_way(0).await {
            Ok(()) => upload.target.complete().await.map(drop),
            Err(error) => Err(error),
        };
        let Err(error) = completed else { return Ok(()) };
        // Its reply may have been lost; nobody else writes this name.
        if self.io.size(&self.path).await.is_ok_and(|size| size == self.written) {
            return Ok(());
        }
        abort_quietly(upload, &self.path).await;
        Err(write_error(&self.path, "finish", error))
    }
}

impl Upload {
    async fn put(&mut self, payload: PutPayload, at_once: usize) -> object_store::Result<()> {
        self.wait_until_under_way(at_once - 1).await?;
        self.parts.push(self.target.put_part(payload));
        Ok(())
    }

    async fn wait_until_under_way(&mut self, at_most: usize) -> object_store::Result<()> {
        while self.parts.len() > at_most {
            self.parts.next().await.transpose()?;
        }
        Ok(())
    }
}

async fn abort_quietly(mut upload: Upload, path: &str) {
    upload.parts.clear();
    if let Err(error) = upload.target.abort().await {
        tracing::warn!(path, %error, "parts of an unfinished upload stay behind");
    }
}

#[async_trait]
impl FileWriter for ObjectWriter {
    async fn write(&mut self, data: Bytes) -> Result<()> {
        self.written += u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.pending_bytes += data.len();
        self.pending.push_back(data);
        // The last part may have any size but none, so a full one waits for a byte more.
        while self.pending_bytes > PART_BYTES {
            self.upload_part(PART_BYTES).await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<u64> {
        if self.upload.is_some() {
            self.upload_part(PART_BYTES).await?;
        }
        if let Some(upload) = self.upload.take() {
            self.complete(upload).await?;
            return Ok(self.written);
        }
        let payload = self.take(usize::MAX);
        match self.io.put_new(&self.path, payload)?.run(ReadBack::OnDoubt).await? {
            Publish::Published => Ok(self.written),
            Publish::Exists => Err(IoError::AlreadyExists { path: self.path.clone() }),
        }
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        let Some(mut upload) = self.upload.take() else { return Ok(()) };
        upload.parts.clear();
        upload.target.abort().await.map_err(|error| write_error(&self.path, "abort", error))
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        let Some(upload) = self.upload.take() else { return };
        // Stores keep the parts of an upload that nobody ends.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let path = self.path.clone();
            drop(runtime.spawn(async move { abort_quietly(upload, &path).await }));
        }
    }
}
