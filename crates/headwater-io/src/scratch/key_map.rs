//! A map from byte keys to numbers on local disk, of which a bounded part is in memory.
//!
//! A B-tree (`redb`) in a scratch file. Nothing of it outlives the process, so nothing is synced:
//! everything happens in one write transaction, which changes its own pages in place. Committing now
//! and then bounds what the store remembers of that transaction, and costs a copy of each page that
//! is changed afterwards.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{
    Database, Durability, ReadableTable, StorageBackend, StorageError, TableDefinition,
    WriteTransaction,
};

use super::Scratch;
use crate::error::{IoError, Result};

const TABLE: TableDefinition<'static, &'static [u8], u64> = TableDefinition::new("keys");

/// Changes after which the transaction is committed.
const CHANGES: u64 = 32 << 20;

/// A map from byte keys to numbers. Calls block: make them on a CPU thread.
pub struct KeyMap {
    /// `None` only if a commit failed.
    transaction: Option<WriteTransaction>,
    database: Database,
    changes: u64,
    name: String,
}

impl std::fmt::Debug for KeyMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyMap").field("file", &self.name).finish_non_exhaustive()
    }
}

impl KeyMap {
    /// An empty map; `cache_bytes` of it are kept in memory.
    ///
    /// # Errors
    /// No scratch file can be made, or it takes no bytes.
    pub fn create(scratch: &Scratch, cache_bytes: usize) -> Result<Self> {
        let (file, dir) = scratch.nameless()?;
        let name = format!("a scratch file in {}", dir.display());
        let pages = Pages { file, len: AtomicU64::new(0), space: scratch.clone() };
        let made = Database::builder().set_cache_size(cache_bytes).create_with_backend(pages);
        let database = made.map_err(|error| failed(&name, "make a key map in", error))?;
        let transaction = Some(begin(&database, &name)?);
        Ok(Self { transaction, database, changes: 0, name })
    }

    /// The numbers of some keys; fast if the keys are in ascending order.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn get<'k>(&self, keys: impl IntoIterator<Item = &'k [u8]>) -> Result<Vec<Option<u64>>> {
        let fail = |error: StorageError| failed(&self.name, "read", error);
        let table = self.open()?.open_table(TABLE);
        let table = table.map_err(|error| failed(&self.name, "read", error))?;
        keys.into_iter()
            .map(|key| Ok(table.get(key).map_err(fail)?.map(|found| found.value())))
            .collect()
    }

    /// Sets the numbers of keys, or removes keys; fast in ascending order of the keys. The numbers
    /// that they had before.
    ///
    /// # Errors
    /// The file does not take them: what the map holds is not known any more.
    pub fn put<'k>(
        &mut self,
        changes: impl IntoIterator<Item = (&'k [u8], Option<u64>)>,
    ) -> Result<Vec<Option<u64>>> {
        let fail = |error: StorageError| failed(&self.name, "write", error);
        let mut before = Vec::new();
        {
            let table = self.open()?.open_table(TABLE);
            let mut table = table.map_err(|error| failed(&self.name, "write", error))?;
            for (key, number) in changes {
                let old = match number {
                    Some(number) => table.insert(key, number),
                    None => table.remove(key),
                };
                before.push(old.map_err(fail)?.map(|old| old.value()));
            }
        }
        self.changes = self.changes.saturating_add(u64::try_from(before.len()).unwrap_or(u64::MAX));
        if self.changes >= CHANGES {
            self.commit()?;
        }
        Ok(before)
    }

    fn open(&self) -> Result<&WriteTransaction> {
        self.transaction.as_ref().ok_or_else(|| {
            failed(&self.name, "use", "an earlier change of this key map failed".to_owned())
        })
    }

    fn commit(&mut self) -> Result<()> {
        self.changes = 0;
        if let Some(transaction) = self.transaction.take() {
            transaction.commit().map_err(|error| failed(&self.name, "write", error))?;
        }
        self.transaction = Some(begin(&self.database, &self.name)?);
        Ok(())
    }
}

fn begin(database: &Database, name: &str) -> Result<WriteTransaction> {
    let mut transaction = database.begin_write().map_err(|error| failed(name, "write", error))?;
    // Pages of earlier transactions are only free again after a commit of this kind.
    transaction
        .set_durability(Durability::Immediate)
        .map_err(|error| failed(name, "write", error))?;
    Ok(transaction)
}

fn failed<E>(name: &str, op: &'static str, error: E) -> IoError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    IoError::write(name, op, std::io::Error::other(error))
}

/// The file, as the store wants it.
#[derive(Debug)]
struct Pages {
    file: File,
    len: AtomicU64,
    space: Scratch,
}

impl StorageBackend for Pages {
    fn len(&self) -> std::io::Result<u64> {
        Ok(self.len.load(Ordering::Acquire))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.file.set_len(len)?;
        let old = self.len.swap(len, Ordering::AcqRel);
        let inner = &self.space.inner;
        inner.used.fetch_add(len.saturating_sub(old), Ordering::AcqRel);
        inner.used.fetch_sub(old.saturating_sub(len), Ordering::AcqRel);
        Ok(())
    }

    fn sync_data(&self) -> std::io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.file.write_all_at(data, offset)?;
        let bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.space.inner.written.fetch_add(bytes, Ordering::AcqRel);
        Ok(())
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let len = self.len.load(Ordering::Acquire);
        self.space.inner.used.fetch_sub(len, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::env::{Random, SeededRandom};

    /// Batches of changes and questions agree with a map in memory, whatever the cache.
    fn agrees(cache_bytes: usize, most: u64, commit_at: usize) {
        let dir = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(vec![dir.path().to_owned()]);
        let mut map = KeyMap::create(&scratch, cache_bytes).unwrap();
        let mut model: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        let random = SeededRandom::new(7);
        for batch in 0..40_usize {
            let mut changes: BTreeMap<Vec<u8>, Option<u64>> = BTreeMap::new();
            for _ in 0..1000 {
                let key = random.next_u64() % most;
                let mut bytes = key.to_be_bytes().to_vec();
                // Keys of many lengths, one of them empty, some the start of others.
                bytes.truncate(usize::try_from(key % 9).unwrap_or(0));
                bytes.resize(bytes.len() + usize::try_from(key % 50).unwrap_or(0), 3);
                let number = random.next_u64();
                changes.insert(bytes, (!number.is_multiple_of(4)).then_some(number));
            }
            let asked: Vec<&[u8]> = changes.keys().map(Vec::as_slice).collect();
            let known: Vec<Option<u64>> = asked.iter().map(|k| model.get(*k).copied()).collect();
            assert_eq!(map.get(asked).unwrap(), known);
            let given = changes.iter().map(|(key, number)| (key.as_slice(), *number));
            assert_eq!(map.put(given).unwrap(), known);
            for (key, number) in changes {
                match number {
                    Some(number) => drop(model.insert(key, number)),
                    None => drop(model.remove(&key)),
                }
            }
            if batch == commit_at {
                map.commit().unwrap();
            }
        }
        let all: Vec<Option<u64>> = model.values().copied().map(Some).collect();
        assert_eq!(map.get(model.keys().map(Vec::as_slice)).unwrap(), all);
        assert!(scratch.used() > 0 && std::fs::read_dir(dir.path()).unwrap().count() == 0);
        drop(map);
        assert_eq!(scratch.used(), 0);
    }

    #[test]
    fn a_key_map_is_a_map() {
        agrees(8 << 20, 1 << 40, usize::MAX);
        agrees(8 << 20, 3000, 3);
    }

    #[test]
    fn a_key_map_needs_no_cache() {
        agrees(0, 1 << 40, 5);
        agrees(4096, 5000, usize::MAX);
    }

    #[test]
    fn without_a_place_for_the_file_there_is_no_key_map() {
        let dir = tempfile::tempdir().unwrap();
        let taken = dir.path().join("file");
        std::fs::write(&taken, b"").unwrap();
        let error = KeyMap::create(&Scratch::new(vec![taken.clone()]), 0).unwrap_err().to_string();
        assert!(error.contains(&taken.display().to_string()), "{error}");
    }
}
