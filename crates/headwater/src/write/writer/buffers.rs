//! Memory of a running write: which rows wait where, and which go first when it runs short.
//!
//! Rules: `docs/spec/lsm.md#writer`.

use std::collections::HashSet;

use arrow::array::{Int8Array, RecordBatch};
use arrow::compute::concat_batches;
use futures::stream::{self, StreamExt, TryStreamExt};
use headwater_lsm::INSERT;
use headwater_spec::BinaryRow;

use super::TableWrite;
use crate::error::Result;
use crate::write::bucket::BucketWriter;

/// A batch whose rows go to so many buckets that fewer than this come to each is put together with
/// the next ones: rows are then handed out once for many batches.
const FEW_ROWS: usize = 64;
/// Runs of a bucket on disk from which on they become a file: all are open while they are merged.
const MOST_RUNS: usize = 64;
/// Batches of a stage; more would be slow to put together.
const MOST_STAGED: usize = 4096;

/// Batches that are handed out to their buckets together.
#[derive(Debug, Default)]
pub(super) struct Staged {
    batches: Vec<(RecordBatch, Option<Int8Array>)>,
    bytes: usize,
    /// The last rows went to many buckets.
    scattered: bool,
}

impl Staged {
    /// Keeps rows for later, or gives them back when they can be handed out at once.
    pub(super) fn take_in(
        &mut self,
        rows: (RecordBatch, Option<Int8Array>),
    ) -> Option<(RecordBatch, Option<Int8Array>)> {
        if !self.scattered {
            return Some(rows);
        }
        self.bytes += rows.0.get_array_memory_size();
        self.batches.push(rows);
        None
    }

    /// Whether it is time to hand the rows out.
    pub(super) const fn is_full(&self, memory: usize) -> bool {
        self.bytes >= memory / 4 || self.batches.len() >= MOST_STAGED
    }

    /// Notes that so many rows went to so many buckets.
    pub(super) const fn learn(&mut self, rows: usize, buckets: usize) {
        self.scattered = buckets > 1 && rows < buckets.saturating_mul(FEW_ROWS);
    }

    const fn bytes(&self) -> usize {
        self.bytes
    }

    /// All rows as one batch, in the order in which they came.
    fn empty(&mut self) -> Result<Option<(RecordBatch, Option<Int8Array>)>> {
        self.bytes = 0;
        let batches = std::mem::take(&mut self.batches);
        let Some((first, _)) = batches.first() else { return Ok(None) };
        let schema = first.schema();
        let kinds = batches.iter().any(|(_, kinds)| kinds.is_some()).then(|| {
            let mut all = Vec::new();
            for (batch, kinds) in &batches {
                match kinds {
                    Some(kinds) => all.extend_from_slice(kinds.values()),
                    None => all.extend(std::iter::repeat_n(INSERT, batch.num_rows())),
                }
            }
            Int8Array::from(all)
        });
        let rows = concat_batches(&schema, batches.iter().map(|(batch, _)| batch))?;
        Ok(Some((rows, kinds)))
    }
}

type Key = (BinaryRow, i32);

impl TableWrite {
    /// Bytes of rows that this write keeps in memory.
    pub(super) fn memory_limit(&self) -> usize {
        let wanted =
            usize::try_from(self.table.options().buffer.memory_bytes).unwrap_or(usize::MAX);
        wanted.min(self.table.env().memory.limit())
    }

    /// Gives the staged rows to their buckets.
    pub(super) async fn distribute_staged(&mut self) -> Result<()> {
        // The rows are nowhere else until they have their place.
        let whole = !self.broken;
        self.broken = true;
        if let Some(rows) = self.staged.empty()? {
            self.distribute(rows).await?;
        }
        self.broken = !whole;
        Ok(())
    }

    /// Takes rows out of memory, of the largest buckets first, while there are too many: more than
    /// the table's options allow, or than the process has memory for.
    pub(super) async fn bound_memory(&mut self) -> Result<()> {
        self.merge_locally().await?;
        loop {
            let used = self.buckets.values().map(BucketWriter::memory).sum::<usize>()
                + self.staged.bytes();
            let own = self.memory.size();
            if used <= self.memory_limit() {
                if used <= own {
                    self.memory.shrink(own - used);
                    return Ok(());
                }
                if self.memory.try_grow(used - own).is_ok() {
                    return Ok(());
                }
            }
            let largest = self.largest(used.div_ceil(2));
            if largest.is_empty() {
                // It is in use, whether there is room for it or not: others make some.
                self.memory.resize(used);
                return Ok(());
            }
            self.make_room(&largest).await?;
        }
    }

    /// Buckets with rows in memory, the largest first, that make up so many bytes.
    fn largest(&self, bytes: usize) -> Vec<Key> {
        let mut sizes: Vec<_> = self
            .buckets
            .iter()
            .map(|(key, bucket)| (bucket.memory(), key))
            .filter(|(bytes, _)| *bytes > 0)
            .collect();
        sizes.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let mut freed = 0;
        sizes
            .into_iter()
            .take_while(|(size, _)| {
                let more = freed < bytes;
                freed += size;
                more
            })
            .map(|(_, key)| key.clone())
            .collect()
    }

    /// Merges the rows of a key in memory where the table wants that.
    async fn merge_locally(&mut self) -> Result<()> {
        let Some(bytes) = self.table.options().buffer.local_merge_bytes else { return Ok(()) };
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let used: usize = self.buckets.values().map(BucketWriter::memory).sum();
        if used <= bytes {
            return Ok(());
        }
        let keys: Vec<Key> = self
            .largest(used)
            .into_iter()
            .filter(|key| self.buckets.get(key).is_some_and(BucketWriter::may_merge))
            .collect();
        let spilling = self.spilling.clone();
        let spilling = &spilling;
        self.at_once(&keys, |bucket| bucket.spill(spilling, None)).await
    }

    /// Writes buckets with many rows as files and spills the others.
    async fn make_room(&mut self, keys: &[Key]) -> Result<()> {
        let options = &self.table.options().buffer;
        // A file of a quarter of the wanted size is worth having; fewer rows wait for more.
        let worth =
            usize::try_from(self.table.options().file.target_bytes / 4).unwrap_or(usize::MAX);
        let mut spills = Vec::new();
        if options.spillable {
            let limit = options.max_disk_bytes.and_then(|bytes| usize::try_from(bytes).ok());
            let mut disk: usize = self.buckets.values().map(BucketWriter::disk).sum();
            for key in keys {
                let Some(bucket) = self.buckets.get(key) else { continue };
                disk = disk.saturating_add(bucket.memory());
                let room = limit.is_none_or(|limit| disk <= limit);
                if room && bucket.gathered() < worth && bucket.runs() < MOST_RUNS {
                    spills.push(key.clone());
                }
            }
        }
        let spilled: HashSet<&Key> = spills.iter().collect();
        let files: Vec<Key> = keys.iter().filter(|key| !spilled.contains(key)).cloned().collect();
        if !spills.is_empty() {
            let spilling = self.spilling.clone();
            let file = spilling.file()?;
            let (spilling, file) = (&spilling, &file);
            self.at_once(&spills, |bucket| {
                bucket.spill(spilling, Some(std::sync::Arc::clone(file)))
            })
            .await?;
        }
        self.flush(&files).await
    }

    /// Writes the rows of some buckets as files.
    pub(super) async fn flush(&mut self, keys: &[Key]) -> Result<()> {
        self.at_once(keys, BucketWriter::flush).await
    }

    /// Does something with some buckets, about as many at once as there are CPU threads.
    async fn at_once<'a, F>(
        &'a mut self,
        keys: &[Key],
        job: impl Fn(&'a mut BucketWriter) -> F,
    ) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        let wanted: HashSet<&Key> = keys.iter().collect();
        // One more than can be encoded at a time: while the disk takes a file, another is made.
        let at_once = self.table.env().pools.cpu_threads().saturating_add(1);
        let pending: Vec<_> = self
            .buckets
            .iter_mut()
            .filter(|(key, _)| wanted.contains(key))
            .map(|(_, bucket)| job(bucket))
            .collect();
        stream::iter(pending).buffer_unordered(at_once).try_collect::<()>().await
    }
}
