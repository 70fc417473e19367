//! Scratch files: rows that do not fit into memory, on a disk of this machine.
//!
//! A scratch file has no name. The operating system takes its space back when the last handle is
//! closed, also when the process is killed, so there is nothing to tidy up.

mod dir;
mod key_map;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{IoError, Result};
pub use dir::ScratchDir;
pub use key_map::KeyMap;

/// Where scratch files are made. Clones share everything.
#[derive(Debug, Clone)]
pub struct Scratch {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dirs: Vec<PathBuf>,
    used: AtomicU64,
    written: AtomicU64,
}

impl Scratch {
    /// Files go to the first of these directories that takes one; none given means the temporary
    /// directory of the system.
    #[must_use]
    pub fn new(dirs: Vec<PathBuf>) -> Self {
        let dirs = if dirs.is_empty() { vec![std::env::temp_dir()] } else { dirs };
        let (used, written) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { inner: Arc::new(Inner { dirs, used, written }) }
    }

    /// The directories.
    #[must_use]
    pub fn dirs(&self) -> &[PathBuf] {
        &self.inner.dirs
    }

    /// Bytes in scratch files that exist.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.inner.used.load(Ordering::Acquire)
    }

    /// Bytes that were ever written to scratch files.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.inner.written.load(Ordering::Acquire)
    }

    /// Makes an empty file.
    ///
    /// # Errors
    /// No directory takes one: the error of the last, naming all.
    pub fn create(&self) -> Result<ScratchFile> {
        let (file, dir) = self.nameless()?;
        let content = Mutex::new(Content { file, len: 0 });
        Ok(ScratchFile { space: self.clone(), dir, content })
    }

    /// A file without a name, and the directory that took it.
    fn nameless(&self) -> Result<(File, PathBuf)> {
        let mut failed = None;
        for dir in &self.inner.dirs {
            match nameless(dir) {
                Ok(file) => return Ok((file, dir.clone())),
                Err(error) => {
                    tracing::debug!(dir = %dir.display(), %error, "no scratch file can be made");
                    failed = Some(error);
                }
            }
        }
        let reason = failed.unwrap_or_else(|| std::io::Error::other("no directory"));
        Err(IoError::write(&self.names(), "make scratch files in", reason))
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.dirs().iter().map(|dir| dir.display().to_string()).collect();
        names.join(", ")
    }
}

fn nameless(dir: &Path) -> std::io::Result<File> {
    std::fs::create_dir_all(dir)?;
    tempfile::tempfile_in(dir)
}

/// A file that only this process knows. Its space is free again when it is dropped.
///
/// Calls block: make them on a CPU thread.
#[derive(Debug)]
pub struct ScratchFile {
    space: Scratch,
    dir: PathBuf,
    content: Mutex<Content>,
}

#[derive(Debug)]
struct Content {
    file: File,
    len: u64,
}

impl ScratchFile {
    /// Adds bytes at the end; gives their position.
    ///
    /// # Errors
    /// The disk does not take them, for example because it is full.
    pub fn append(&self, bytes: &[u8]) -> Result<u64> {
        let mut content = self.content();
        let start = content.len;
        content
            .file
            .seek(SeekFrom::Start(start))
            .and_then(|_| content.file.write_all(bytes))
            .map_err(|source| IoError::write(&self.name(), "write", source))?;
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        content.len = start.saturating_add(more);
        self.space.inner.used.fetch_add(more, Ordering::AcqRel);
        self.space.inner.written.fetch_add(more, Ordering::AcqRel);
        Ok(start)
    }

    /// The `len` bytes at `start`.
    ///
    /// # Errors
    /// Reading failed, or the file is not as long.
    pub fn read_at(&self, start: u64, len: usize) -> Result<Vec<u8>> {
        let mut content = self.content();
        let mut bytes = vec![0; len];
        content
            .file
            .seek(SeekFrom::Start(start))
            .and_then(|_| content.file.read_exact(&mut bytes))
            .map_err(|source| IoError::read(&self.name(), "read", source))?;
        Ok(bytes)
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> String {
        format!("a scratch file in {}", self.dir.display())
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        let len = self.content().len;
        self.space.inner.used.fetch_sub(len, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back_and_leaves_no_name() {
        let dir = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(vec![dir.path().join("new")]);
        let file = scratch.create().unwrap();
        assert_eq!(file.append(b"abc").unwrap(), 0);
        assert_eq!(file.append(b"defg").unwrap(), 3);
        assert_eq!(file.read_at(2, 3).unwrap(), b"cde");
        assert_eq!(file.append(b"h").unwrap(), 7);
        assert!(file.read_at(6, 3).unwrap_err().to_string().contains("scratch file"));
        assert_eq!(std::fs::read_dir(dir.path().join("new")).unwrap().count(), 0);
        assert_eq!((scratch.used(), scratch.written()), (8, 8));
        drop(file);
        assert_eq!((scratch.used(), scratch.written()), (0, 8));
    }

    #[test]
    fn a_bad_directory_is_passed_over_and_none_left_is_an_error_naming_all() {
        let dir = tempfile::tempdir().unwrap();
        let taken = dir.path().join("file");
        std::fs::write(&taken, b"").unwrap();
        let bad = taken.join("below");
        let scratch = Scratch::new(vec![bad.clone(), dir.path().to_owned()]);
        scratch.create().unwrap().append(b"x").unwrap();
        let error = Scratch::new(vec![bad.clone(), taken]).create().unwrap_err().to_string();
        assert!(error.contains(&bad.display().to_string()), "{error}");
        assert!(error.contains("file, ") || error.contains("below, "), "{error}");
    }
}
