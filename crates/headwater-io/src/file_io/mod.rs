//! Files below one root: the trait, and what its answers mean.
//!
//! Paths are relative to the root, separated by `/`, e.g. `db.db/t/schema/schema-0`; see
//! [`check_path`](path_check::check_path). The empty path is the root itself and legal only where
//! a directory is asked for. No operation ever leaves the root.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::try_join_all;

use self::turn::Turn;
use crate::error::{IoError, Result};

pub mod counted;
pub mod local;
pub mod memory;
pub mod object;
pub mod open;
pub mod path_check;
pub mod staged;
pub mod turn;

mod blocking;

/// A direct child of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileStatus {
    /// Last component of its path.
    pub name: String,
    /// True for directories; object stores show a common prefix as one.
    pub is_dir: bool,
    /// Size in bytes; 0 for directories.
    pub size: u64,
}

/// How an attempt to publish ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Publish {
    /// The file holds exactly our bytes, and we made it.
    Published,
    /// Another writer made the file first; it was left untouched.
    Exists,
}

/// Files below one root.
#[async_trait]
pub trait FileIo: Send + Sync + Debug {
    /// The root, for messages only.
    fn root(&self) -> &str;

    /// The whole content of a file.
    ///
    /// # Errors
    /// `NotFound`, or the read failed.
    async fn read(&self, path: &str) -> Result<Bytes>;

    /// Exactly the bytes of `range`.
    ///
    /// # Errors
    /// `Short` when the file ends before the range does; `NotFound`, or the read failed.
    async fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes>;

    /// Several ranges of one file, in the order asked for.
    ///
    /// # Errors
    /// As [`FileIo::read_range`], for the first range that fails.
    async fn read_ranges(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        try_join_all(ranges.iter().map(|range| self.read_range(path, range.clone()))).await
    }

    /// Opens a file to be read on the calling thread; `None` where a read waits for a network, or
    /// enough files are open.
    ///
    /// # Errors
    /// `NotFound`, or it cannot be opened.
    async fn open_in_place(&self, _path: &str) -> Result<Option<Arc<dyn ReadInPlace>>> {
        Ok(None)
    }

    /// Size of a file in bytes.
    ///
    /// # Errors
    /// `NotFound`, or the lookup failed. A directory is not found.
    async fn size(&self, path: &str) -> Result<u64>;

    /// True when there is a file at `path`, or (where the store knows directories or has objects
    /// below that prefix) a directory.
    ///
    /// # Errors
    /// The lookup failed; an unreachable store is never "does not exist".
    async fn exists(&self, path: &str) -> Result<bool>;

    /// Direct children of a directory, by name; a missing directory has none. `""` is the root.
    ///
    /// # Errors
    /// The listing failed; a partial listing is never returned.
    async fn list(&self, dir: &str) -> Result<Vec<FileStatus>>;

    /// Starts a new file, making its parent directories. The name must be unique by construction:
    /// the content may be seen before it is finished.
    ///
    /// # Errors
    /// `AlreadyExists` (object stores may report it at `finish`), or the store refused.
    async fn create(&self, path: &str) -> Result<Box<dyn FileWriter>>;

    /// Makes a file with all of `data`, unless the name is taken: atomic against readers and other
    /// writers, and durable when it returns `Published`. Never replaces anything. The only way to
    /// make a schema or snapshot file. Why: `docs/adr/0003-publish-without-replace.md`.
    ///
    /// # Errors
    /// `OutcomeUnknown` when the name may be visible; any other error means that nothing was
    /// published.
    async fn publish(&self, path: &str, data: Bytes) -> Result<Publish>;

    /// Makes the name of a published file durable, after a publish that reported
    /// `OutcomeUnknown` turned out to have happened. Nothing to do where a visible object is a
    /// durable one.
    ///
    /// # Errors
    /// The name may be lost with the machine.
    async fn make_durable(&self, _path: &str) -> Result<()> {
        Ok(())
    }

    /// Replaces or makes a file with all of `data`, atomically against readers. For hints.
    ///
    /// # Errors
    /// The write failed; old content may or may not have been replaced.
    async fn overwrite(&self, path: &str, data: Bytes) -> Result<()>;

    /// Removes a file; a missing one is fine.
    ///
    /// # Errors
    /// The removal failed, or `path` is a directory.
    async fn delete(&self, path: &str) -> Result<()>;

    /// Makes a directory and its parents; no effect where the store has no directories.
    ///
    /// # Errors
    /// It cannot be made.
    async fn create_dir(&self, path: &str) -> Result<()>;

    /// Gives a directory the path `to` unless that is taken: atomic against readers and other
    /// writers, and durable when it returns `Published`.
    ///
    /// # Errors
    /// `NotFound`; `Unsupported` where the store has no directories, which cannot be moved as one.
    async fn move_dir(&self, from: &str, to: &str) -> Result<Publish> {
        let _ = (from, to);
        Err(IoError::Unsupported {
            uri: self.root().to_owned(),
            reason: "it has no directories that could be renamed at once".to_owned(),
        })
    }

    /// Asks for the turn to write below `dir`, without waiting; see [`turn`]. Leaves no file.
    async fn turn(&self, _dir: &str) -> Turn {
        Turn::None
    }

    /// Removes a directory with everything below it; a missing one is fine. Refuses the root.
    ///
    /// # Errors
    /// Something could not be removed; the rest may be gone.
    async fn delete_dir(&self, path: &str) -> Result<()>;
}

/// An open file that is read on the calling thread. It stays readable when its name is removed.
pub trait ReadInPlace: Send + Sync + Debug {
    /// Exactly the bytes of `range`.
    ///
    /// # Errors
    /// `Short` when the file ends before the range does, or the read failed.
    fn read(&self, range: Range<u64>) -> Result<Bytes>;

    /// Says that `range` will be read soon, in order.
    fn will_read(&self, range: Range<u64>);
}

/// A file being written. Dropping it without `finish` leaves, at worst, an unreferenced file.
#[async_trait]
pub trait FileWriter: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// The write failed; only `abort` makes sense afterwards.
    async fn write(&mut self, data: Bytes) -> Result<()>;

    /// Completes the file and returns its size in bytes. The file and its name are durable then,
    /// unless syncing is off.
    ///
    /// # Errors
    /// The file must not be used.
    async fn finish(self: Box<Self>) -> Result<u64>;

    /// Removes what was written.
    ///
    /// # Errors
    /// The removal failed: an unreferenced file stays behind.
    async fn abort(self: Box<Self>) -> Result<()>;
}

#[cfg(test)]
mod tests;
