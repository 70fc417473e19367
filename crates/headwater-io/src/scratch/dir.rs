//! A scratch directory with a name, for libraries that name their own files.
//!
//! A process that is killed leaves its directory behind; the next one that makes one removes it.
//! A lock tells which directories are in use.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::Scratch;
use crate::env::Random;
use crate::error::{IoError, Result};

/// What the names of the directories start with.
const PREFIX: &str = "headwater-scratch-";
/// A directory younger than this may be about to be locked.
const YOUNG: Duration = Duration::from_secs(60);

/// A directory of this process: removed with everything in it when this is dropped, or after a crash
/// when another process makes one beside it.
#[derive(Debug)]
pub struct ScratchDir {
    path: PathBuf,
    _lock: File,
}

impl ScratchDir {
    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(dir = %self.path.display(), %error, "a scratch directory stays behind");
        }
    }
}

impl Scratch {
    /// Makes a directory, in the first place that takes one, and removes those that crashed
    /// processes left there. `random` gives it its name.
    ///
    /// # Errors
    /// No place takes one: the error of the last, naming all.
    pub fn create_dir(&self, random: &dyn Random) -> Result<ScratchDir> {
        let mut failed = None;
        for parent in self.dirs() {
            match locked(parent, &format!("{PREFIX}{}", random.uuid())) {
                Ok(dir) => {
                    sweep(parent, &dir.path);
                    return Ok(dir);
                }
                Err(error) => failed = Some(error),
            }
        }
        let reason = failed.unwrap_or_else(|| std::io::Error::other("no directory"));
        Err(IoError::write(&self.names(), "make scratch directories in", reason))
    }
}

fn locked(parent: &Path, name: &str) -> std::io::Result<ScratchDir> {
    std::fs::create_dir_all(parent)?;
    let path = parent.join(name);
    std::fs::create_dir(&path)?;
    let lock = File::open(&path)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    Ok(ScratchDir { path, _lock: lock })
}

/// Removes the directories of processes that are no more. What cannot be removed is somebody else's.
fn sweep(parent: &Path, own: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path == own || !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let age = entry.metadata().and_then(|data| data.modified()).ok();
        let old = age.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > YOUNG);
        let Ok(lock) = File::open(&path) else { continue };
        if old && flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let removed = std::fs::remove_dir_all(&path);
            tracing::info!(dir = %path.display(), ?removed, "a crashed process left scratch files");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::env::SeededRandom;

    #[test]
    fn what_a_crash_left_is_removed_and_what_is_in_use_stays() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(vec![parent.path().to_owned()]);
        let random = SeededRandom::new(1);
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        let age = |path: &Path| File::open(path).unwrap().set_modified(hour_ago).unwrap();
        let left = parent.path().join(format!("{PREFIX}left"));
        let young = parent.path().join(format!("{PREFIX}young"));
        let other = parent.path().join("other");
        for dir in [&left, &young, &other] {
            std::fs::create_dir(dir).unwrap();
            std::fs::write(dir.join("rows"), b"x").unwrap();
        }
        let used = scratch.create_dir(&random).unwrap();
        std::fs::write(used.path().join("rows"), b"x").unwrap();
        for dir in [&left, &other, used.path()] {
            age(dir);
        }
        let next = scratch.create_dir(&random).unwrap();
        assert!(!left.exists());
        assert!(young.exists() && other.exists() && used.path().join("rows").exists());
        let paths = [used.path().to_owned(), next.path().to_owned()];
        drop((used, next));
        assert!(paths.iter().all(|path| !path.exists()));
    }
}
