//! The golden tables that stock Java wrote: unpacked once, found by name.
//!
//! `compat/fixtures.tar.zst` is unpacked into `target/fixtures-<hash of the archive>/`; a file lock
//! and a rename make that safe when several test binaries start at once. What is unpacked is
//! shared by all tests: change only copies of it ([`crate::files::copy_dir`]).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

/// One table of the set.
#[derive(Debug, Clone)]
pub struct Golden {
    /// Its name, for example `append_a`.
    pub name: String,
    /// `meta.json`: family, fields, keys, options, snapshots and the list of reads.
    pub meta: Value,
    /// Its directory as Paimon wrote it.
    pub dir: PathBuf,
}

impl Golden {
    /// The files with expected rows: file name, and what was read to get them.
    pub fn reads(&self) -> Vec<(String, String)> {
        let reads = self.meta["reads"].as_array().map(Vec::as_slice).unwrap_or_default();
        reads.iter().map(|r| (text(&r["file"]), text(&r["read"]))).collect()
    }

    /// A table option, when it is set.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.meta["options"][key].as_str()
    }

    /// What was done to the table, one command of the oracle's `serve` per entry.
    pub fn operations(&self) -> Vec<Value> {
        let lines = expected(&self.name, "ops.jsonl").unwrap_or_default();
        lines.lines().map(|l| serde_json::from_str(l).expect("ops.jsonl holds JSON")).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The directory of the workspace.
pub fn repository_root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the testkit lies two levels below the workspace")
}

/// Where cargo puts what it builds: found from the running test binary.
pub(crate) fn target_dir() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let found = exe.ancestors().skip(1).find(|dir| dir.join("CACHEDIR.TAG").is_file());
    found.map_or_else(|| repository_root().join("target"), Path::to_path_buf)
}

/// Path of a file or directory of the set, for example `warehouse/golden.db/append_a`.
///
/// `""` is the set itself. The path need not exist.
pub fn fixture_path(relative: &str) -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(unpacked).join(relative)
}

/// All tables, ordered by name.
pub fn golden_tables() -> Vec<Golden> {
    let expected = fs::read_dir(fixture_path("expected")).expect("the set holds expected/");
    let mut names: Vec<String> = expected
        .map(|entry| entry.expect("a readable entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names.iter().map(|name| golden(name)).collect()
}

/// One table by its name.
pub fn golden(name: &str) -> Golden {
    let meta = fixture_path(&format!("expected/{name}/meta.json"));
    let meta = fs::read(&meta).unwrap_or_else(|e| panic!("no golden table {name}: {e}"));
    Golden {
        name: name.to_owned(),
        meta: serde_json::from_slice(&meta).expect("meta.json is JSON"),
        dir: fixture_path(&format!("warehouse/golden.db/{name}")),
    }
}

/// The lines of an expected file, for example `expected("append_a", "latest.jsonl")`; `None` when
/// the table has no such file.
pub fn expected(table: &str, file: &str) -> Option<String> {
    fs::read_to_string(fixture_path(&format!("expected/{table}/{file}"))).ok()
}

fn unpacked() -> PathBuf {
    let archive = repository_root().join("compat/fixtures.tar.zst");
    let bytes = fs::read(&archive).unwrap_or_else(|e| panic!("{}: {e}", archive.display()));
    let target = target_dir();
    let done = target.join(format!("fixtures-{:016x}", fnv1a(&bytes)));
    if done.is_dir() {
        return done;
    }
    fs::create_dir_all(&target).expect("a target directory");
    let lock = fs::File::create(target.join("fixtures.lock")).expect("a lock file");
    lock.lock().expect("a lock on fixtures.lock");
    if !done.is_dir() {
        let fresh = tempfile::Builder::new().prefix("fixtures-unpacking-").tempdir_in(&target);
        let fresh = fresh.expect("a directory to unpack into");
        let tar = zstd::Decoder::new(bytes.as_slice()).expect("a zstd archive");
        tar::Archive::new(tar).unpack(fresh.path()).expect("a whole archive");
        fs::rename(fresh.keep(), &done).expect("the unpacked set takes its name");
    }
    done
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_directory_and_every_read_its_file() {
        let tables = golden_tables();
        assert!(tables.len() > 100, "{} tables", tables.len());
        for table in tables {
            assert!(table.dir.join("schema/schema-0").is_file(), "{}", table.name);
            for (file, _) in table.reads() {
                assert!(expected(&table.name, &file).is_some(), "{}/{file}", table.name);
            }
        }
    }

    #[test]
    fn the_operations_of_a_table_begin_with_create() {
        assert_eq!(golden("append_a").operations()[0]["op"], "create");
    }

    #[test]
    fn a_table_that_was_never_written_has_no_expected_file() {
        assert_eq!(expected("append_a", "nothing.jsonl"), None);
    }
}
