//! Which entry means which file, and how entries of several manifests cancel out.
//!
//! Format: `docs/spec/manifest.md#identity`. Source: Paimon 1.4.2 `FileEntry#mergeEntries`,
//! `FileEntry.Identifier`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{EntryKind, ManifestEntry};
use crate::error::SpecError;
use crate::row::BinaryRow;

/// What makes a data file the same file in two entries.
///
/// The level is part of it: moving a file to another level removes one and adds another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Partition values.
    pub partition: BinaryRow,
    /// Bucket.
    pub bucket: i32,
    /// LSM level.
    pub level: i32,
    /// Bare name.
    pub file_name: String,
    /// Names of the files that belong to it.
    pub extra_files: Vec<String>,
    /// File index kept in the manifest.
    pub embedded_index: Option<Vec<u8>>,
    /// Full path of a file outside of its bucket directory.
    pub external_path: Option<String>,
}

/// A [`FileIdentity`] that borrows from its entry.
#[derive(PartialEq, Eq, Hash)]
struct Identity<'a> {
    partition: &'a BinaryRow,
    bucket: i32,
    level: i32,
    file_name: &'a str,
    extra_files: &'a [String],
    embedded_index: Option<&'a [u8]>,
    external_path: Option<&'a str>,
}

impl<'a> Identity<'a> {
    fn of(entry: &'a ManifestEntry) -> Self {
        Self {
            partition: &entry.partition,
            bucket: entry.bucket,
            level: entry.file.level,
            file_name: &entry.file.file_name,
            extra_files: &entry.file.extra_files,
            embedded_index: entry.file.embedded_index.as_deref(),
            external_path: entry.file.external_path.as_deref(),
        }
    }
}

impl ManifestEntry {
    /// The file that this entry is about.
    #[must_use]
    pub fn identity(&self) -> FileIdentity {
        FileIdentity {
            partition: self.partition.clone(),
            bucket: self.bucket,
            level: self.file.level,
            file_name: self.file.file_name.clone(),
            extra_files: self.file.extra_files.clone(),
            embedded_index: self.file.embedded_index.clone(),
            external_path: self.file.external_path.clone(),
        }
    }
}

/// What remains of entries that are applied in order; the order is kept.
///
/// A DELETE cancels the ADD before it. A DELETE without an ADD stays: its ADD is in an older
/// manifest. A second DELETE of such a file changes nothing.
///
/// # Errors
/// [`SpecError::Corrupt`] if a file is added that is already there, or was deleted before.
pub fn merge_entries(
    entries: impl IntoIterator<Item = ManifestEntry>,
) -> Result<Vec<ManifestEntry>, SpecError> {
    let mut entries: Vec<ManifestEntry> = entries.into_iter().collect();
    let mut kept = vec![true; entries.len()];
    let mut files: HashMap<Identity<'_>, (usize, EntryKind)> =
        HashMap::with_capacity(entries.len());
    for (position, entry) in entries.iter().enumerate() {
        match (entry.kind, files.entry(Identity::of(entry))) {
            (kind, Entry::Vacant(free)) => drop(free.insert((position, kind))),
            (EntryKind::Add, Entry::Occupied(_)) => return Err(added_twice(entry)),
            (EntryKind::Delete, Entry::Occupied(before)) => {
                forget(&mut kept, position);
                let (first, kind) = *before.get();
                if kind == EntryKind::Add {
                    forget(&mut kept, first);
                    before.remove();
                }
            }
        }
    }
    let mut kept = kept.into_iter();
    entries.retain(|_| kept.next().unwrap_or(true));
    Ok(entries)
}

fn forget(kept: &mut [bool], position: usize) {
    if let Some(kept) = kept.get_mut(position) {
        *kept = false;
    }
}

fn added_twice(entry: &ManifestEntry) -> SpecError {
    SpecError::corrupt(
        "manifest",
        format!(
            "file {} of bucket {} and level {} is added again",
            entry.file.file_name, entry.bucket, entry.file.level
        ),
    )
}
