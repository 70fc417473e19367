//! Directories that tests own, copies of tables, and ways to damage a file.

use std::fs;
use std::path::{Path, PathBuf};

/// A directory of one test, removed when the value is dropped (kept with `HEADWATER_KEEP=1`).
#[derive(Debug)]
pub struct TempDir {
    dir: tempfile::TempDir,
}

impl TempDir {
    /// A new empty directory.
    pub fn new() -> Self {
        let keep = std::env::var_os("HEADWATER_KEEP").is_some();
        let dir = tempfile::Builder::new().prefix("headwater-").disable_cleanup(keep).tempdir();
        Self { dir: dir.expect("a temporary directory") }
    }

    /// A new directory that holds a copy of `from`.
    pub fn copy_of(from: &Path) -> Self {
        let new = Self::new();
        copy_dir(from, new.path());
        new
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A path inside it.
    pub fn join(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.path().join(relative)
    }

    /// The same as text, for command lines and warehouse arguments.
    pub fn text(&self) -> &str {
        self.path().to_str().expect("temporary paths are UTF-8")
    }
}

impl Default for TempDir {
    fn default() -> Self {
        Self::new()
    }
}

/// Copies a directory with all that is in it; `to` is made when it is missing.
pub fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|e| panic!("{}: {e}", to.display()));
    for (source, kind) in entries(from) {
        let name = source.file_name().expect("an entry has a name");
        if kind.is_dir() {
            copy_dir(&source, &to.join(name));
        } else {
            fs::copy(&source, to.join(name))
                .unwrap_or_else(|e| panic!("{}: {e}", source.display()));
        }
    }
}

/// All files below a directory, relative to it with `/` between names, sorted.
pub fn list_files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    collect(dir, "", &mut found);
    found.sort();
    found
}

fn collect(dir: &Path, prefix: &str, found: &mut Vec<String>) {
    for (path, kind) in entries(dir) {
        let name = path.file_name().expect("an entry has a name").to_string_lossy();
        if kind.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), found);
        } else {
            found.push(format!("{prefix}{name}"));
        }
    }
}

fn entries(dir: &Path) -> Vec<(PathBuf, fs::FileType)> {
    let listing = fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    listing
        .map(|entry| {
            let entry = entry.expect("a readable entry");
            (entry.path(), entry.file_type().expect("a file type"))
        })
        .collect()
}

/// The whole content of a file.
pub fn read_file(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Replaces the content of a file, or makes it with the directories above.
pub fn write_file(path: &Path, content: &[u8]) {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).unwrap_or_else(|e| panic!("{}: {e}", parent.display()));
    }
    fs::write(path, content).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// Cuts a file down to its first `keep` bytes.
pub fn cut_file(path: &Path, keep: usize) {
    let mut content = read_file(path);
    content.truncate(keep);
    write_file(path, &content);
}

/// Flips one bit; `bit` counts from the start of the file.
pub fn flip_bit(path: &Path, bit: usize) {
    let mut content = read_file(path);
    content[bit / 8] ^= 1 << (bit % 8);
    write_file(path, &content);
}

/// Overwrites everything from `offset` on with zeros.
pub fn zero_tail(path: &Path, offset: usize) {
    let mut content = read_file(path);
    content[offset..].fill(0);
    write_file(path, &content);
}

/// Removes a file that must be there.
pub fn remove_file(path: &Path) {
    fs::remove_file(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_holds_the_same_files_with_the_same_bytes() {
        let table = crate::golden("append_a").dir;
        let copy = TempDir::copy_of(&table);
        assert_eq!(list_files(&table), list_files(copy.path()));
        for file in list_files(&table) {
            assert_eq!(read_file(&table.join(&file)), read_file(&copy.join(&file)), "{file}");
        }
    }

    #[test]
    fn damage_is_done_where_it_was_asked_for() {
        let dir = TempDir::new();
        let file = dir.join("a/b");
        write_file(&file, &[1, 2, 3, 4]);
        flip_bit(&file, 9);
        assert_eq!(read_file(&file), [1, 0, 3, 4]);
        zero_tail(&file, 3);
        assert_eq!(read_file(&file), [1, 0, 3, 0]);
        cut_file(&file, 1);
        assert_eq!(read_file(&file), [1]);
        remove_file(&file);
        assert!(list_files(dir.path()).is_empty());
    }
}
