//! Which names are on disk for good. A file survives a power loss only when its directory, and
//! every directory above it up to the root, was synced after getting the name.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::IoError;

/// Directories remembered at most; more are simply synced again.
const REMEMBERED: usize = 65_536;

/// A directory that cannot be synced.
#[derive(Debug)]
pub(super) struct SyncFailed {
    dir: PathBuf,
    source: std::io::Error,
}

impl SyncFailed {
    /// The error for the operation on `path`.
    pub(super) fn at(self, path: &str) -> IoError {
        IoError::Write { path: path.to_owned(), op: "sync the directory of", source: self.source() }
    }

    /// The directory and the cause.
    pub(super) fn source(self) -> crate::error::Source {
        format!("directory {}: {}", self.dir.display(), self.source).into()
    }
}

/// Directories whose own name is known to be on disk, so that the directories above them are
/// synced once and not for every file.
#[derive(Debug, Default)]
pub(super) struct DurableNames {
    known: Mutex<HashSet<PathBuf>>,
    /// Every sync in order, of directories and (as `content`) of files.
    #[cfg(test)]
    pub(super) synced: Mutex<Vec<PathBuf>>,
}

impl DurableNames {
    /// Makes the names inside `dir` durable, and the names of the directories from `dir` up to
    /// below `root`. Both paths are free of symbolic links.
    pub(super) fn sync_names_in(&self, dir: &Path, root: &Path) -> Result<(), SyncFailed> {
        self.sync(dir)?;
        self.sync_names_above(dir, root)
    }

    /// Makes the names of the directories from `dir` up to below `root` durable.
    pub(super) fn sync_names_above(&self, dir: &Path, root: &Path) -> Result<(), SyncFailed> {
        for named in dir.ancestors().take_while(|named| *named != root) {
            let Some(parent) = named.parent() else { break };
            if !self.lock().contains(named) {
                self.sync(parent)?;
                let mut known = self.lock();
                if known.len() >= REMEMBERED {
                    known.clear();
                }
                known.insert(named.to_owned());
            }
        }
        Ok(())
    }

    /// `dir` was made or removed just now: whatever was known about it and all below is void.
    pub(super) fn forget(&self, dir: &Path) {
        self.lock().retain(|known| !known.starts_with(dir));
    }

    fn sync(&self, dir: &Path) -> Result<(), SyncFailed> {
        #[cfg(test)]
        self.log(dir.to_owned());
        sync_dir(dir).map_err(|source| SyncFailed { dir: dir.to_owned(), source })
    }

    #[cfg(test)]
    pub(super) fn log(&self, synced: PathBuf) {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner).push(synced);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the names inside `dir` to disk.
pub(in crate::file_io) fn sync_dir(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}
