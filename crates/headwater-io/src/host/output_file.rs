//! A file that the user wants results in: it has its name once it is complete.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{IoError, Result};

/// A file being written. Dropped without [`OutputFile::finish`] it leaves what was there before.
///
/// Something that is no regular file, such as a pipe, is written in place.
#[derive(Debug)]
pub struct OutputFile {
    path: String,
    file: File,
    /// Where the bytes are until the file is complete, and where they go.
    pending: Option<(PathBuf, PathBuf)>,
}

impl OutputFile {
    /// Starts a file that will replace what is at `path`.
    ///
    /// # Errors
    /// The directory is missing or cannot be written, or `path` is a directory.
    pub fn create(path: &str) -> Result<Self> {
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
        Ok(Self { path: path.to_owned(), file, pending: Some((part, target)) })
    }

    /// Goes on with the file at `path`, or starts it. What is written stays, also without
    /// [`OutputFile::finish`].
    ///
    /// # Errors
    /// As [`OutputFile::create`].
    pub fn append(path: &str) -> Result<Self> {
        let opened = OpenOptions::new().append(true).create(true).open(path);
        let file = opened.map_err(|source| IoError::write(path, "open", source))?;
        Ok(Self { path: path.to_owned(), file, pending: None })
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// The file cannot be renamed; what was there before stays.
    pub fn finish(mut self) -> Result<()> {
        let failed = |source| IoError::write(&self.path, "write", source);
        self.file.flush().map_err(failed)?;
        if let Some((part, target)) = &self.pending {
            std::fs::rename(part, target).map_err(failed)?;
            self.pending = None;
        }
        Ok(())
    }
}

/// The name next to `target` that holds it until it is complete.
fn part_of(target: &Path) -> Option<PathBuf> {
    let name = target.file_name()?.to_string_lossy().into_owned();
    Some(target.with_file_name(format!(".{name}.{}.part", std::process::id())))
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
        if let Some((part, _)) = &self.pending {
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
    fn a_file_can_be_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines");
        for line in ["a\n", "b\n"] {
            let mut file = OutputFile::append(path.to_str().unwrap()).unwrap();
            file.write_all(line.as_bytes()).unwrap();
            file.finish().unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"a\nb\n");
        assert!(OutputFile::append(dir.path().to_str().unwrap()).is_err());
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
