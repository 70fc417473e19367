//! Where a path really is: resolves its parent directory and refuses one outside the root.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Root, SyncMode};
use crate::error::{IoError, Result};

/// A file or directory to be made, replaced or removed.
#[derive(Debug)]
pub(super) struct Place {
    /// Its parent directory.
    pub(super) parent: RealDir,
    /// Last component.
    pub(super) name: String,
    /// Both together. The last component may itself be a link: no operation here follows it.
    pub(super) target: PathBuf,
}

/// A directory that exists, and the root it is in, both free of symbolic links.
#[derive(Debug, Clone)]
pub(super) struct RealDir {
    pub(super) dir: PathBuf,
    pub(super) root: PathBuf,
}

impl Place {
    /// The place of `path`, whose parent directories are made when they are missing.
    pub(super) fn made(root: &Root, path: &str) -> Result<Self> {
        let (dir, name) = split(path);
        Ok(Self::new(make_dirs(root, dir)?, name))
    }

    /// The place of `path`; `None` when its parent directory does not exist.
    pub(super) fn existing(root: &Root, path: &str) -> Result<Option<Self>> {
        let (dir, name) = split(path);
        Ok(real_dir(root, dir)?.map(|parent| Self::new(parent, name)))
    }

    fn new(parent: RealDir, name: &str) -> Self {
        Self { target: parent.dir.join(name), name: name.to_owned(), parent }
    }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Makes the directory `dir` below the root with its parents, and resolves it.
pub(super) fn make_dirs(root: &Root, dir: &str) -> Result<RealDir> {
    if let Some(real) = real_dir(root, dir)? {
        return Ok(real);
    }
    make_root(root)?;
    let mut real = real_dir(root, "")?
        .ok_or_else(|| IoError::NotFound { path: root.dir.display().to_string() })?;
    // Stepwise, so that nothing is ever made behind a link that leads out of the root.
    let mut done = String::new();
    for component in dir.split('/').filter(|component| !component.is_empty()) {
        if !done.is_empty() {
            done.push('/');
        }
        done.push_str(component);
        let wanted = real.dir.join(component);
        match std::fs::create_dir(&wanted) {
            Ok(()) => root.durable.forget(&wanted),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(IoError::write(&done, "create directory", error)),
        }
        real = real_dir(root, &done)?.ok_or_else(|| IoError::Write {
            path: done.clone(),
            op: "create directory",
            source: "it is a link to nothing, or was removed at the same time".into(),
        })?;
    }
    Ok(real)
}

/// Makes the root directory; the names of what is made are durable at once.
fn make_root(root: &Root) -> Result<()> {
    let mut missing = Vec::new();
    let mut dir = root.dir.as_path();
    while !dir.exists() {
        missing.push(dir);
        let Some(parent) = dir.parent() else { break };
        dir = parent;
    }
    for dir in missing.into_iter().rev() {
        let failed =
            |source| IoError::write(&dir.display().to_string(), "create directory", source);
        match std::fs::create_dir(dir) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            other => other.map_err(failed)?,
        }
        if let (SyncMode::Durable, Some(parent)) = (root.sync, dir.parent()) {
            super::durable::sync_dir(parent).map_err(failed)?;
        }
    }
    Ok(())
}

/// Resolves the directory `dir` below the root; `None` when it does not exist.
fn real_dir(root: &Root, dir: &str) -> Result<Option<RealDir>> {
    let Some(real_root) = resolve(&root.dir, "")? else { return Ok(None) };
    if dir.is_empty() {
        return Ok(Some(RealDir { dir: real_root.clone(), root: real_root }));
    }
    let Some(real) = resolve(&root.dir.join(dir), dir)? else { return Ok(None) };
    if !real.starts_with(&real_root) {
        let reason = "a symbolic link leads out of the root";
        return Err(IoError::Escape { path: dir.to_owned(), reason });
    }
    Ok(Some(RealDir { dir: real, root: real_root }))
}

fn resolve(dir: &Path, path: &str) -> Result<Option<PathBuf>> {
    match std::fs::canonicalize(dir) {
        Ok(real) => Ok(Some(real)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let op = "resolve";
            Err(IoError::Write { path: path.to_owned(), op, source: Box::new(error) })
        }
    }
}
