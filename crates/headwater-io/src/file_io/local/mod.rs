//! Files below a directory of this machine.
//!
//! A symbolic link that leads out of the root is followed for reading, never for writing or
//! deleting. Which names get durable when: `durable.rs`. How a name is made without replacing:
//! `publish.rs`.

use std::fs::File;
use std::io::ErrorKind;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::fs::{Advice, FlockOperation, fadvise, flock};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::blocking::BlockingCalls;
use super::path_check::{check_dir, check_path};
use super::turn::{Turn, TurnGuard};
use super::{FileIo, FileStatus, FileWriter, Publish, ReadInPlace};
use crate::env::{Random, SystemRandom};
use crate::error::{IoError, Result};

mod durable;
mod place;
mod publish;
mod writer;

pub(super) use durable::sync_dir;
use durable::{DurableNames, SyncFailed};
use place::Place;
use writer::LocalWriter;

/// Whether finished files survive a power loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncMode {
    /// Files and their names are on disk before an operation reports success.
    #[default]
    Durable,
    /// The operating system writes when it likes: for tests and scratch data.
    Off,
}

/// Files below a directory of this machine. Clones share one root.
#[derive(Debug, Clone)]
pub struct LocalFileIo {
    root: Arc<Root>,
    calls: BlockingCalls,
}

/// What blocking calls need.
#[derive(Debug)]
struct Root {
    dir: PathBuf,
    name: String,
    sync: SyncMode,
    durable: DurableNames,
    random: SystemRandom,
}

impl LocalFileIo {
    /// Files below `dir`, which need not exist before something is written. A relative `dir` is
    /// relative to the current directory of this moment.
    ///
    /// # Errors
    /// `dir` is empty or not a usable path.
    pub fn open(dir: &str, sync: SyncMode) -> Result<Self> {
        let absolute = std::path::absolute(dir)
            .map_err(|source| IoError::Root { root: dir.to_owned(), source: Box::new(source) })?;
        let root = Root {
            dir: absolute,
            name: dir.to_owned(),
            sync,
            durable: DurableNames::default(),
            random: SystemRandom::new(),
        };
        Ok(Self { root: Arc::new(root), calls: BlockingCalls::new() })
    }

    /// Runs `call` with the root and `path` where blocking is fine.
    async fn blocking<T, F>(&self, op: &'static str, path: &str, call: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Arc<Root>, &str) -> Result<T> + Send + 'static,
    {
        let (root, owned) = (Arc::clone(&self.root), path.to_owned());
        self.calls.run(op, path, move || call(&root, &owned)).await
    }
}

#[async_trait]
impl FileIo for LocalFileIo {
    fn root(&self) -> &str {
        &self.root.name
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        check_path(path)?;
        self.blocking("read", path, |root, path| {
            let bytes = std::fs::read(root.dir.join(path));
            bytes.map(Bytes::from).map_err(|source| IoError::read(path, "read", source))
        })
        .await
    }

    async fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        let mut parts = self.read_ranges(path, &[range]).await?;
        Ok(parts.pop().unwrap_or_default())
    }

    async fn read_ranges(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        check_path(path)?;
        let ranges = ranges.to_vec();
        self.blocking("read", path, move |root, path| {
            let failed = |source| IoError::read(path, "read", source);
            let file = File::open(root.dir.join(path)).map_err(failed)?;
            let size = file.metadata().map_err(failed)?.len();
            ranges.iter().map(|range| read_exactly(&file, path, size, range)).collect()
        })
        .await
    }

    async fn open_in_place(&self, path: &str) -> Result<Option<Arc<dyn ReadInPlace>>> {
        check_path(path)?;
        self.blocking("open", path, |root, path| {
            let failed = |source| IoError::read(path, "open", source);
            let Some(handle) = Handle::take() else { return Ok(None) };
            let file = File::open(root.dir.join(path)).map_err(failed)?;
            let size = file.metadata().map_err(failed)?.len();
            let opened = OpenFile { file, path: path.to_owned(), size, _handle: handle };
            Ok(Some(Arc::new(opened) as Arc<dyn ReadInPlace>))
        })
        .await
    }

    async fn size(&self, path: &str) -> Result<u64> {
        check_path(path)?;
        self.blocking("look up", path, |root, path| {
            let found = std::fs::metadata(root.dir.join(path))
                .map_err(|source| not_a_dir_is_not_found(path, "look up", source))?;
            if found.is_dir() {
                return Err(IoError::NotFound { path: path.to_owned() });
            }
            Ok(found.len())
        })
        .await
    }

    async fn exists(&self, path: &str) -> Result<bool> {
        let path = check_dir(path)?;
        self.blocking("look up", path, |root, path| match std::fs::metadata(root.dir.join(path)) {
            Ok(_) => Ok(true),
            Err(source) => match not_a_dir_is_not_found(path, "look up", source) {
                IoError::NotFound { .. } => Ok(false),
                error => Err(error),
            },
        })
        .await
    }

    async fn list(&self, dir: &str) -> Result<Vec<FileStatus>> {
        let dir = check_dir(dir)?;
        self.blocking("list", dir, list).await
    }

    async fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        check_path(path)?;
        let calls = self.calls.clone();
        let create = |root: &Arc<Root>, path: &str| LocalWriter::create(root, path, calls);
        Ok(Box::new(self.blocking("create", path, create).await?))
    }

    async fn publish(&self, path: &str, data: Bytes) -> Result<Publish> {
        check_path(path)?;
        self.blocking("publish", path, move |root, path| publish::publish(root, path, &data)).await
    }

    async fn make_durable(&self, path: &str) -> Result<()> {
        check_path(path)?;
        self.blocking("sync", path, |root, path| {
            let place = Place::made(root, path)?;
            root.sync_name(&place).map_err(|error| error.at(path))
        })
        .await
    }

    async fn overwrite(&self, path: &str, data: Bytes) -> Result<()> {
        check_path(path)?;
        self.blocking("overwrite", path, move |root, path| publish::overwrite(root, path, &data))
            .await
    }

    async fn delete(&self, path: &str) -> Result<()> {
        check_path(path)?;
        self.blocking("delete", path, |root, path| {
            let Some(place) = Place::existing(root, path)? else { return Ok(()) };
            match std::fs::remove_file(&place.target) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                other => other.map_err(|source| IoError::write(path, "delete", source)),
            }
        })
        .await
    }

    async fn create_dir(&self, path: &str) -> Result<()> {
        let path = check_dir(path)?;
        self.blocking("create directory", path, |root, path| {
            let made = place::make_dirs(root, path)?;
            if root.sync == SyncMode::Off {
                return Ok(());
            }
            root.durable.sync_names_above(&made.dir, &made.root).map_err(|error| error.at(path))
        })
        .await
    }

    async fn move_dir(&self, from: &str, to: &str) -> Result<Publish> {
        check_path(from)?;
        check_path(to)?;
        let to = to.to_owned();
        self.blocking("rename", from, move |root, from| publish::move_dir(root, from, &to)).await
    }

    async fn turn(&self, dir: &str) -> Turn {
        let Ok(dir) = check_dir(dir) else { return Turn::None };
        let asked = self.blocking("lock", dir, |root, dir| {
            // The directory itself is locked: nothing has to be made or removed for it.
            let Ok(file) = File::open(root.dir.join(dir)) else { return Ok(Turn::None) };
            Ok(match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => Turn::Ours(TurnGuard::new(file)),
                Err(Errno::WOULDBLOCK) => Turn::Taken,
                Err(_) => Turn::None,
            })
        });
        asked.await.unwrap_or(Turn::None)
    }

    async fn delete_dir(&self, path: &str) -> Result<()> {
        let path = check_dir(path)?;
        if path.is_empty() {
            let reason = "the root itself is never deleted";
            return Err(IoError::Escape { path: path.to_owned(), reason });
        }
        self.blocking("delete directory", path, |root, path| {
            let Some(place) = Place::existing(root, path)? else { return Ok(()) };
            root.durable.forget(&place.target);
            match std::fs::remove_dir_all(&place.target) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                other => other.map_err(|source| IoError::write(path, "delete directory", source)),
            }
        })
        .await
    }
}

/// A file that is open.
#[derive(Debug)]
struct OpenFile {
    file: File,
    path: String,
    size: u64,
    _handle: Handle,
}

/// Files that are open to be read in place.
static HANDLES: AtomicU64 = AtomicU64::new(0);

/// Most of them, and the part of what the system lets the process open.
const MOST_HANDLES: u64 = 256;
const PART_OF_HANDLES: u64 = 4;

/// One of the files that may be open at a time.
#[derive(Debug)]
struct Handle(());

impl Handle {
    /// `None` when there are enough of them: files are read as a whole then.
    fn take() -> Option<Self> {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let most = MOST_HANDLES.min(limit / PART_OF_HANDLES);
        let taken = Self(());
        let before = HANDLES.fetch_add(1, Ordering::AcqRel);
        (before < most).then_some(taken)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        HANDLES.fetch_sub(1, Ordering::AcqRel);
    }
}

impl ReadInPlace for OpenFile {
    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        read_exactly(&self.file, &self.path, self.size, &range)
    }

    fn will_read(&self, range: Range<u64>) {
        let length = range.end.checked_sub(range.start).and_then(NonZeroU64::new);
        // Advice: a system that does not take it reads no worse than without.
        let _ = fadvise(&self.file, range.start, length, Advice::WillNeed);
    }
}

/// Reads one range. The size is checked first, so that a forged range allocates nothing.
fn read_exactly(file: &File, path: &str, size: u64, range: &Range<u64>) -> Result<Bytes> {
    let expected = range_len(path, range)?;
    let short =
        |actual| IoError::Short { path: path.to_owned(), offset: range.start, expected, actual };
    if range.end > size {
        return Err(short(size.saturating_sub(range.start)));
    }
    let length = usize::try_from(expected).map_err(|_| short(0))?;
    let mut bytes = vec![0; length];
    match file.read_exact_at(&mut bytes, range.start) {
        Ok(()) => Ok(Bytes::from(bytes)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            let now = file.metadata().map_or(range.start, |found| found.len());
            Err(short(now.saturating_sub(range.start)))
        }
        Err(error) => Err(IoError::read(path, "read", error)),
    }
}

/// Length of a range in bytes; one that ends before it starts is an error.
pub(super) fn range_len(path: &str, range: &Range<u64>) -> Result<u64> {
    range.end.checked_sub(range.start).ok_or_else(|| IoError::Read {
        path: path.to_owned(),
        op: "read",
        source: format!("range {}..{} ends before it starts", range.start, range.end).into(),
    })
}

fn list(root: &Arc<Root>, dir: &str) -> Result<Vec<FileStatus>> {
    let failed = |source| IoError::read(dir, "list", source);
    let entries = match std::fs::read_dir(root.dir.join(dir)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let mut children = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        // Nothing of ours has a name that is not text.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let found = match std::fs::metadata(entry.path()) {
            // Deleted since the directory was read, or a link to nothing.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            other => other.map_err(failed)?,
        };
        let is_dir = found.is_dir();
        children.push(FileStatus { name, is_dir, size: if is_dir { 0 } else { found.len() } });
    }
    children.sort_unstable();
    Ok(children)
}

/// A path through something that is no directory names nothing.
fn not_a_dir_is_not_found(path: &str, op: &'static str, source: std::io::Error) -> IoError {
    match source.kind() {
        ErrorKind::NotADirectory => IoError::NotFound { path: path.to_owned() },
        _ => IoError::read(path, op, source),
    }
}

impl Root {
    /// Makes the name of a finished file durable, unless syncing is off.
    fn sync_name(&self, place: &Place) -> Result<(), SyncFailed> {
        match self.sync {
            SyncMode::Durable => self.durable.sync_names_in(&place.parent.dir, &place.parent.root),
            SyncMode::Off => Ok(()),
        }
    }

    /// Makes the content of a file durable, unless syncing is off.
    fn sync_content(&self, file: &File) -> std::io::Result<()> {
        match self.sync {
            SyncMode::Durable => {
                #[cfg(test)]
                self.durable.log("content".into());
                file.sync_all()
            }
            SyncMode::Off => Ok(()),
        }
    }

    /// A hidden sibling's name that nobody else uses: `.<name>.<uuid>.tmp`.
    ///
    /// Format: `docs/spec/layout.md#temporary-files`. Source: Paimon 1.4.2 `Path#createTempPath`.
    fn temp_name(&self, name: &str) -> String {
        format!(".{name}.{}.tmp", self.random.uuid())
    }
}

#[cfg(test)]
mod tests;
