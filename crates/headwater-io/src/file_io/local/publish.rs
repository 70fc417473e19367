//! Makes a whole file appear under its name at once, never replacing one (`publish`) or replacing
//! (`overwrite`). Why it is done this way: `docs/adr/0003-publish-without-replace.md`.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::io::Errno;

use super::place::Place;
use super::{Publish, Root};
use crate::error::{IoError, Result};

/// Writes `data` to a hidden sibling, syncs it, gives it the name of `path` unless that is taken,
/// and syncs the directory.
pub(super) fn publish(root: &Root, path: &str, data: &[u8]) -> Result<Publish> {
    publish_by(root, path, data, name_without_replacing)
}

/// How a temporary file gets its final name.
type GiveName = fn(&Path, &Path) -> std::io::Result<()>;

pub(super) fn publish_by(root: &Root, path: &str, data: &[u8], name: GiveName) -> Result<Publish> {
    let place = Place::made(root, path)?;
    let mut temp = Temp::write(root, &place, path, data)?;
    root.sync_content(&temp.file).map_err(|source| IoError::write(path, "sync", source))?;
    if let Err(error) = name(&temp.place, &place.target) {
        // The reply can be wrong or lost (network file systems repeat calls): look who has it.
        match temp.owns(&place.target) {
            Ok(Some(true)) => {}
            Ok(Some(false)) => return Ok(Publish::Exists),
            Ok(None) if temp.place.symlink_metadata().is_ok() => {
                return Err(IoError::Write {
                    path: path.to_owned(),
                    op: "publish",
                    source: error.into(),
                });
            }
            Ok(None) => {
                temp.keep();
                return Err(unknown(path, error));
            }
            Err(look) => {
                temp.keep();
                return Err(unknown(path, format!("{error}; looking at it: {look}")));
            }
        }
    }
    // From here on the name is visible.
    root.sync_name(&place).map_err(|error| unknown(path, error.source()))?;
    Ok(Publish::Published)
}

/// Writes `data` to a hidden sibling and moves it over `path`. Never synced: a hint that is lost
/// or stale after a power loss is found to be so by its reader.
pub(super) fn overwrite(root: &Root, path: &str, data: &[u8]) -> Result<()> {
    let place = Place::made(root, path)?;
    let temp = Temp::write(root, &place, path, data)?;
    std::fs::rename(&temp.place, &place.target)
        .map_err(|source| IoError::write(path, "replace", source))
}

/// Gives the directory `from` the name `to` unless that is taken, and syncs both parents.
pub(super) fn move_dir(root: &Root, from: &str, to: &str) -> Result<Publish> {
    let missing = || IoError::NotFound { path: from.to_owned() };
    let source = Place::existing(root, from)?.ok_or_else(missing)?;
    if !source.target.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return Err(missing());
    }
    let target = Place::made(root, to)?;
    let moved = match rename_no_replace(&source.target, &target.target) {
        // Elsewhere a rename replaces nothing but an empty directory.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if target.target.symlink_metadata().is_ok() {
                return Ok(Publish::Exists);
            }
            std::fs::rename(&source.target, &target.target)
        }
        other => other.map_err(std::io::Error::from),
    };
    match moved {
        Ok(()) => {}
        Err(error)
            if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty) =>
        {
            return Ok(Publish::Exists);
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(IoError::write(from, "rename", error)),
    }
    root.durable.forget(&source.target);
    root.durable.forget(&target.target);
    for place in [&target, &source] {
        root.sync_name(place).map_err(|error| unknown(to, error.source()))?;
    }
    Ok(Publish::Published)
}

fn unknown(path: &str, source: impl Into<crate::error::Source>) -> IoError {
    IoError::OutcomeUnknown { path: path.to_owned(), source: source.into() }
}

/// Gives a file its final name; the operating system refuses when the name is taken.
fn name_without_replacing(temp: &Path, target: &Path) -> std::io::Result<()> {
    match rename_no_replace(temp, target) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_no_replace(temp, target),
        other => other.map_err(std::io::Error::from),
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_no_replace(temp: &Path, target: &Path) -> std::result::Result<(), Errno> {
    rustix::fs::renameat_with(CWD, temp, CWD, target, rustix::fs::RenameFlags::NOREPLACE)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_no_replace(_: &Path, _: &Path) -> std::result::Result<(), Errno> {
    Err(Errno::NOSYS)
}

/// For file systems without a rename that refuses to replace. [`Temp`] removes the first name.
pub(super) fn link_no_replace(temp: &Path, target: &Path) -> std::io::Result<()> {
    Ok(rustix::fs::linkat(CWD, temp, CWD, target, rustix::fs::AtFlags::empty())?)
}

/// A complete hidden sibling; its name is removed when dropped.
struct Temp {
    place: PathBuf,
    file: File,
    keep: bool,
}

impl Temp {
    fn write(root: &Root, place: &Place, path: &str, data: &[u8]) -> Result<Self> {
        let hidden = place.parent.dir.join(root.temp_name(&place.name));
        let failed = |source| IoError::Write { path: path.to_owned(), op: "write", source };
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&hidden)
            .map_err(|error| failed(error.into()))?;
        let mut temp = Self { place: hidden, file, keep: false };
        temp.file.write_all(data).map_err(|error| failed(error.into()))?;
        Ok(temp)
    }

    /// True when `target` is this very file; `None` when there is no `target`.
    fn owns(&self, target: &Path) -> std::io::Result<Option<bool>> {
        let found = match target.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let ours = self.file.metadata()?;
        Ok(Some((found.dev(), found.ino()) == (ours.dev(), ours.ino())))
    }

    /// Leaves the name, because nobody knows what became of it.
    fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.keep {
            // Gone after a rename; after a link the second name holds the content.
            drop(std::fs::remove_file(&self.place));
        }
    }
}
