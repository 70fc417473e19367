//! Files for the user, such as the target of a COPY: written beside their name, and given it only
//! when they are complete.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::blocking::BlockingCalls;
use crate::env::Random;
use crate::error::{IoError, Result};

/// A file or directory of this machine that appears under its name only when it is complete; until
/// then what had the name before is untouched.
#[derive(Debug)]
pub struct StagedOutput {
    staged: PathBuf,
    target: PathBuf,
    is_dir: bool,
    calls: BlockingCalls,
}

impl StagedOutput {
    /// Chooses a place beside `target`, in the same directory, with the same extension. A missing
    /// directory above it is made. `random` gives the place its name.
    ///
    /// # Errors
    /// The target is a directory that is not empty (or a directory where a file is to be written,
    /// or the other way round), or the directory above it cannot be made.
    pub async fn begin(target: &str, is_dir: bool, random: &dyn Random) -> Result<Self> {
        let named = target.trim_end_matches('/').to_owned();
        let unique = random.uuid();
        let calls = BlockingCalls::new();
        let (staged, target) = calls
            .run("create", target, move || {
                let target = std::path::absolute(&named)
                    .map_err(|source| IoError::write(&named, "resolve", source))?;
                check_target(&named, &target, is_dir)?;
                let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
                    return Err(refused(&named, "it is no name of a file or directory"));
                };
                std::fs::create_dir_all(parent)
                    .map_err(|source| IoError::write(&named, "create the directory of", source))?;
                let staged = parent.join(format!(".{unique}.{}", name.to_string_lossy()));
                Ok((staged, target))
            })
            .await?;
        Ok(Self { staged, target, is_dir, calls })
    }

    /// Where to write; nothing is there yet. Ends in `/` for a directory.
    #[must_use]
    pub fn path(&self) -> String {
        let slash = if self.is_dir { "/" } else { "" };
        format!("{}{slash}", self.staged.display())
    }

    /// Gives what was written its name, replacing a file that had it.
    ///
    /// # Errors
    /// Syncing or renaming failed; what had the name before is still there.
    pub async fn publish(self) -> Result<()> {
        let Self { staged, target, is_dir, calls } = self;
        let name = target.display().to_string();
        let path = name.clone();
        calls
            .run("rename", &name, move || {
                let failed = |op| {
                    let path = path.clone();
                    move |source| IoError::write(&path, op, source)
                };
                if is_dir {
                    std::fs::create_dir_all(&staged).map_err(failed("create"))?;
                } else {
                    let file = std::fs::File::open(&staged).map_err(failed("write"))?;
                    file.sync_all().map_err(failed("sync"))?;
                }
                std::fs::rename(&staged, &target).map_err(failed("rename"))?;
                match target.parent() {
                    Some(dir) => {
                        super::local::sync_dir(dir).map_err(failed("sync the directory of"))
                    }
                    None => Ok(()),
                }
            })
            .await
    }

    /// Removes what was written so far; what cannot be removed is only waste.
    pub async fn discard(self) {
        let Self { staged, is_dir, calls, .. } = self;
        let name = staged.display().to_string();
        let removed = calls
            .run("delete", &name, move || {
                let removed = if is_dir {
                    std::fs::remove_dir_all(&staged)
                } else {
                    std::fs::remove_file(&staged)
                };
                removed.map_err(|source| {
                    IoError::write(&staged.display().to_string(), "delete", source)
                })
            })
            .await;
        if let Err(error) = removed {
            tracing::debug!(%error, "an unfinished file stays behind");
        }
    }
}

fn check_target(named: &str, target: &Path, is_dir: bool) -> Result<()> {
    let known = match std::fs::metadata(target) {
        Ok(known) => known,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(IoError::write(named, "look up", source)),
    };
    if !is_dir && known.is_dir() {
        return Err(refused(named, "it is a directory; write it with a slash at its end"));
    }
    if is_dir && !known.is_dir() {
        return Err(refused(named, "it is a file"));
    }
    if is_dir {
        let mut inside =
            std::fs::read_dir(target).map_err(|source| IoError::write(named, "list", source))?;
        if inside.next().is_some() {
            return Err(refused(named, "the directory is not empty"));
        }
    }
    Ok(())
}

fn refused(named: &str, reason: &str) -> IoError {
    IoError::Write { path: named.to_owned(), op: "write to", source: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    #[tokio::test]
    async fn a_file_appears_when_it_is_published() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("new/x.csv");
        let name = target.to_str().unwrap();
        for content in ["one", "two"] {
            let staged = StagedOutput::begin(name, false, &SeededRandom::new(1)).await.unwrap();
            assert!(staged.path().ends_with(".x.csv"), "{}", staged.path());
            std::fs::write(staged.path(), content).unwrap();
            assert_eq!(target.exists(), content == "two");
            staged.publish().await.unwrap();
            assert_eq!(std::fs::read_to_string(&target).unwrap(), content);
        }
        let staged = StagedOutput::begin(name, false, &SeededRandom::new(2)).await.unwrap();
        std::fs::write(staged.path(), "half").unwrap();
        staged.discard().await;
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "two");
        assert_eq!(std::fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
        // Nothing written: nothing to publish.
        let staged = StagedOutput::begin(name, false, &SeededRandom::new(3)).await.unwrap();
        assert!(staged.publish().await.unwrap_err().to_string().contains("x.csv"));
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "two");
    }

    #[tokio::test]
    async fn a_directory_with_content_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("parts");
        let name = format!("{}/", target.display());
        let random = SeededRandom::new(1);
        let staged = StagedOutput::begin(&name, true, &random).await.unwrap();
        std::fs::create_dir(staged.path()).unwrap();
        std::fs::write(format!("{}a.csv", staged.path()), "1").unwrap();
        staged.publish().await.unwrap();
        assert!(target.join("a.csv").exists());
        let error = StagedOutput::begin(&name, true, &random).await.unwrap_err();
        assert!(error.to_string().contains("not empty"), "{error}");
        let error = StagedOutput::begin(name.trim_end_matches('/'), false, &random).await;
        assert!(error.unwrap_err().to_string().contains("is a directory"));
    }
}
