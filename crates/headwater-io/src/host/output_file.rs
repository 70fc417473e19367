//! A file that the user wants results in: it has its name, or its new lines, once it is complete.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{IoError, Result};

/// A file being written. Dropped without [`OutputFile::finish`] it leaves what was there before.
///
/// Something that is no regular file, such as a pipe, is written in place.
#[derive(Debug)]
pub struct OutputFile {
    path: String,
    file: File,
    /// Where the bytes are until the file is complete; `None`: where they belong.
    pending: Option<Pending>,
}

/// Bytes that are not where they belong yet.
#[derive(Debug)]
struct Pending {
    part: PathBuf,
    target: PathBuf,
    /// Whether they go behind what the target holds, or replace it.
    append: bool,
}

impl OutputFile {
    /// Starts a file that will replace what is at `path`.
    ///
    /// # Errors
    /// The directory is missing or cannot be written, or `path` is a directory.
    pub fn create(path: &str) -> Result<Self> {
        Self::start(path, false)
    }

    /// Starts lines that will stand behind those of the file at `path`, which may be missing.
    ///
    /// # Errors
    /// As [`OutputFile::create`].
    pub fn append(path: &str) -> Result<Self> {
        Self::start(path, true)
    }

    fn start(path: &str, append: bool) -> Result<Self> {
        let failed = |source| IoError::write(path, "create", source);
        let target = match std::fs::metadata(path) {
            Ok(found) if found.is_file() => std::fs::canonicalize(path).map_err(failed)?,
            Ok(_) => {
                let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
                return Ok(Self { path: path.to_owned(), file, pending: None });
            }
            Err(_) => PathBuf::from(path),
        };
        let part = part_of(&target).ok_or_else(|| {
            failed(io::Error::new(io::ErrorKind::InvalidInput, "this is not the name of a file"))
        })?;
        let file = File::create(&part).map_err(failed)?;
        let pending = Some(Pending { part, target, append });
        Ok(Self { path: path.to_owned(), file, pending })
    }

    /// Gives the file its name, or its lines to the file they stand behind.
    ///
    /// # Errors
    /// The file cannot be renamed; what was there before stays. Or the lines cannot be added; the
    /// error says where they are then.
    pub fn finish(mut self) -> Result<()> {
        let failed = |source| IoError::write(&self.path, "write", source);
        self.file.flush().map_err(failed)?;
        match &self.pending {
            Some(Pending { part, target, append: true }) => {
                if let Err(error) = add(part, target) {
                    let kept = format!("{error}; the new lines are in '{}'", part.display());
                    let error = failed(io::Error::new(error.kind(), kept));
                    self.pending = None;
                    return Err(error);
                }
                // A part that stays is a hidden file and in nobody's way.
                drop(std::fs::remove_file(part));
            }
            Some(Pending { part, target, append: false }) => {
                std::fs::rename(part, target).map_err(failed)?;
            }
            None => {}
        }
        self.pending = None;
        Ok(())
    }
}

/// Adds the bytes of one file to another.
fn add(part: &Path, target: &Path) -> io::Result<()> {
    let mut from = File::open(part)?;
    let mut to = OpenOptions::new().append(true).create(true).open(target)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()
}

/// A name next to `target` for what is not complete yet.
fn part_of(target: &Path) -> Option<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = target.file_name()?.to_string_lossy().into_owned();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Some(target.with_file_name(format!(".{name}.{}-{count}.part", std::process::id())))
}

impl Write for OutputFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(Pending { part, .. }) = &self.pending {
            // What cannot be removed is a hidden file and in nobody's way.
            drop(std::fs::remove_file(part));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_only_when_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.csv");
        let name = path.to_str().unwrap();
        std::fs::write(&path, "old").unwrap();
        let mut abandoned = OutputFile::create(name).unwrap();
        abandoned.write_all(b"half").unwrap();
        drop(abandoned);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let mut file = OutputFile::create(name).unwrap();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn lines_stand_behind_those_of_a_file_only_when_they_are_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        let name = path.to_str().unwrap();
        let start = |line: &str| {
            let mut file = OutputFile::append(name).unwrap();
            file.write_all(line.as_bytes()).unwrap();
            file
        };
        drop(start("never\n"));
        assert!(!path.exists());
        start("a\n").finish().unwrap();
        let (second, third) = (start("b\n"), start("c\n"));
        drop(start("never\n"));
        third.finish().unwrap();
        second.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"a\nc\nb\n");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(OutputFile::append(dir.path().to_str().unwrap()).is_err());
    }

    #[test]
    fn lines_that_cannot_be_added_stay_beside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        let mut file = OutputFile::append(path.to_str().unwrap()).unwrap();
        file.write_all(b"kept").unwrap();
        std::fs::create_dir(&path).unwrap();
        let error = file.finish().unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let said = format!("{error} {source}");
        let beside = said.split('\'').find(|part| part.ends_with(".part")).unwrap();
        assert_eq!(std::fs::read(beside).unwrap(), b"kept", "{said}");
    }

    #[test]
    fn a_directory_or_a_missing_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(OutputFile::create(dir.path().to_str().unwrap()).is_err());
        assert!(OutputFile::create(dir.path().join("no/rows").to_str().unwrap()).is_err());
        assert!(OutputFile::create("..").is_err());
    }

    #[test]
    fn a_device_is_written_in_place() {
        let mut file = OutputFile::create("/dev/null").unwrap();
        file.write_all(b"gone").unwrap();
        file.finish().unwrap();
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }
}
