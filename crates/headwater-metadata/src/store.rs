//! Where a table's files lie: a directory inside one `FileIo`, and the environment to work in.

use std::sync::Arc;

use bytes::Bytes;
use headwater_io::{Env, FileIo, IoError};

use crate::error::{MetadataError, Result};

/// The files of one table.
#[derive(Debug, Clone)]
pub struct TableStore {
    io: Arc<dyn FileIo>,
    dir: String,
    name: String,
    env: Env,
}

impl TableStore {
    /// The table in directory `dir` (empty: the root) of `io`, called `name` in messages.
    pub fn new(
        io: Arc<dyn FileIo>,
        dir: impl Into<String>,
        name: impl Into<String>,
        env: Env,
    ) -> Self {
        Self { io, dir: dir.into(), name: name.into(), env }
    }

    /// File access.
    #[must_use]
    pub fn io(&self) -> &Arc<dyn FileIo> {
        &self.io
    }

    /// Clock, randomness, threads, memory.
    #[must_use]
    pub const fn env(&self) -> &Env {
        &self.env
    }

    /// Name for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Path inside the `FileIo` of a path inside the table.
    #[must_use]
    pub fn path(&self, inside: &str) -> String {
        if self.dir.is_empty() { inside.to_owned() } else { format!("{}/{inside}", self.dir) }
    }

    /// Reads a file that `parent` refers to and compares its size with what is recorded there.
    pub(crate) async fn read_recorded(
        &self,
        inside: &str,
        parent: &str,
        recorded: Option<i64>,
    ) -> Result<Bytes> {
        let path = self.path(inside);
        let bytes = match self.io.read(&path).await {
            Err(IoError::NotFound { .. }) => {
                return Err(MetadataError::Missing { path, parent: parent.to_owned() });
            }
            other => other?,
        };
        let actual = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match recorded.map(u64::try_from) {
            Some(Ok(recorded)) if recorded == actual => Ok(bytes),
            None => Ok(bytes),
            Some(recorded) => {
                Err(MetadataError::Size { path, recorded: recorded.unwrap_or(0), actual })
            }
        }
    }

    /// Writes a new, uniquely named file in one go and returns its size in bytes.
    pub(crate) async fn write_new(&self, inside: &str, data: Vec<u8>) -> Result<u64> {
        let mut writer = self.io.create(&self.path(inside)).await?;
        if let Err(error) = writer.write(data.into()).await {
            // The first error is the one to report; what is left behind is unreferenced.
            let _ = writer.abort().await;
            return Err(error.into());
        }
        Ok(writer.finish().await?)
    }
}
