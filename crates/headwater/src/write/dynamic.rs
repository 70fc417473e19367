//! Dynamic buckets: which bucket a key has, kept in hash index files beside the data.
//!
//! The index of a partition is read when its first row comes, grows with the new keys, and is
//! written with each commit. The commit looks whether another one changed it meanwhile. Rules:
//! `docs/spec/bucket.md#dynamic`. Source: Paimon 1.4.2 `HashBucketAssigner`,
//! `SimpleHashBucketAssigner`, `DynamicBucketIndexMaintainer`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use headwater_io::Reservation;
use headwater_metadata::commit::IndexChanges;
use headwater_metadata::plan::partition_values;
use headwater_spec::hash_index::{HASH_INDEX, LAST_DYNAMIC_BUCKET};
use headwater_spec::manifest::{EntryKind, IndexManifestEntry, ManifestEntry};
use headwater_spec::path::{INDEX_DIR, MetadataFile, metadata_file_name};
use headwater_spec::row::arrow::hash_rows;
use headwater_spec::{BinaryRow, DataType, Snapshot};

use super::commit::CommitMessage;
use super::partition_index::{Assigned, PartitionIndex};
use super::route::Routed;
use crate::error::{Error, Result};
use crate::read::file::bucket_path;
use crate::table::Table;

/// The keys of the partitions that a write has come to.
pub(super) struct DynamicBuckets {
    table: Table,
    key_at: Vec<usize>,
    key_types: Vec<DataType>,
    /// Rows are replaced: what there is does not matter.
    replaces: bool,
    partitions: HashMap<BinaryRow, Known>,
    /// Index files that wait for a commit to succeed.
    pending: Vec<IndexManifestEntry>,
    uuid: String,
    files_named: u64,
    memory: Reservation,
}

/// A partition.
#[derive(Default)]
struct Known {
    /// Also held by a job that collects hashes, if a caller gave up waiting for it.
    index: Arc<PartitionIndex>,
    /// The committed index files by bucket.
    files: BTreeMap<i32, String>,
    /// Rows came since the last commit.
    touched: bool,
}

impl DynamicBuckets {
    /// For a table with dynamic buckets.
    pub(super) fn of(table: &Table, replaces: bool) -> Result<Option<Self>> {
        if !table.has_dynamic_buckets() || table.has_moving_keys() {
            return Ok(None);
        }
        let schema = table.schema();
        let names = schema.trimmed_primary_keys();
        Ok(Some(Self {
            key_at: names.iter().filter_map(|name| table.row_type().index_of(name)).collect(),
            key_types: schema.columns(&names)?.into_iter().map(|f| f.data_type).collect(),
            replaces,
            partitions: HashMap::new(),
            pending: Vec::new(),
            uuid: table.env().random.uuid(),
            files_named: 0,
            memory: table.env().memory.reserve(format!("key index of {}", table.name())),
            table: table.clone(),
        }))
    }

    /// Reads the index of those `partitions` that are not known yet; `live`: their files.
    pub(super) async fn load(
        &mut self,
        partitions: &HashSet<BinaryRow>,
        snapshot: &Snapshot,
        live: &[ManifestEntry],
    ) -> Result<()> {
        let mut new: HashMap<BinaryRow, Known> = partitions
            .iter()
            .filter(|partition| !self.partitions.contains_key(*partition))
            .map(|partition| (partition.clone(), Known::default()))
            .collect();
        if new.is_empty() || self.replaces {
            return Ok(());
        }
        for file in self.table.store().index_manifest(snapshot).await? {
            let Some(known) = new.get_mut(&file.partition) else { continue };
            if file.index_type != HASH_INDEX {
                continue;
            }
            let Some(bucket) =
                u16::try_from(file.bucket).ok().filter(|bucket| *bucket <= LAST_DYNAMIC_BUCKET)
            else {
                return self.refuse(&format!("its hash index has a bucket {}", file.bucket));
            };
            if known.files.insert(file.bucket, file.file_name.clone()).is_some() {
                return self.refuse(&format!("bucket {bucket} has two hash indexes"));
            }
            let dir = self.dir_of(&file.partition, file.bucket)?;
            let hashes = self.table.store().hash_index(&dir, &file).await?;
            let mut index = std::mem::take(&mut known.index);
            let added = self.table.env().pools.run(move || {
                let added = Arc::make_mut(&mut index).add_stored(bucket, &hashes);
                (index, added)
            });
            let (index, added) = added.await?;
            known.index = index;
            if let Err(other) = added {
                return self.refuse(&format!(
                    "a key lies in bucket {other} and in bucket {bucket} of a partition, as after two \
                     writers that did not know of each other"
                ));
            }
        }
        for entry in live {
            if let Some(known) = new.get(&entry.partition)
                && !known.files.contains_key(&entry.bucket)
            {
                return self.refuse(&format!(
                    "bucket {} has rows but no hash index, so the buckets of its keys are not known",
                    entry.bucket
                ));
            }
        }
        self.partitions.extend(new);
        self.count_memory();
        Ok(())
    }

    fn refuse<T>(&self, what: &str) -> Result<T> {
        Err(Error::WriteRefused {
            table: self.table.name().to_owned(),
            reason: format!("{what}: rewrite the partition with INSERT OVERWRITE first"),
        })
    }

    /// The directory of the index files of a bucket, inside the table.
    fn dir_of(&self, partition: &BinaryRow, bucket: i32) -> Result<String> {
        if !self.table.options().dynamic_bucket.index_beside_data {
            return Ok(INDEX_DIR.to_owned());
        }
        let values = partition_values(partition, &self.table.partition_types()?)?;
        bucket_path(&self.table, &values, bucket)
    }

    /// The rows of partitions, by bucket; within a bucket they keep their order.
    pub(super) fn assign(
        &mut self,
        batch: &RecordBatch,
        routed: Vec<Routed>,
    ) -> Result<Vec<Routed>> {
        if routed.is_empty() {
            return Ok(routed);
        }
        let keys: Vec<ArrayRef> =
            self.key_at.iter().map(|at| Arc::clone(batch.column(*at))).collect();
        let hashes = hash_rows(&keys, &self.key_types)?;
        let options = self.table.options().dynamic_bucket;
        let mut out = Vec::with_capacity(routed.len());
        for Routed { partition, rows, .. } in routed {
            let known = self.partitions.entry(partition.clone()).or_default();
            known.touched = true;
            let index = Arc::make_mut(&mut known.index);
            let rows = match rows {
                Some(rows) => rows,
                None => UInt32Array::from_iter_values((0_u32..).zip(&hashes).map(|(row, _)| row)),
            };
            let mut by_bucket: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
            for row in rows.values() {
                let hash = usize::try_from(*row).ok().and_then(|row| hashes.get(row)).copied();
                let Assigned::To(bucket) = index.assign(hash.unwrap_or(0), &options) else {
                    return Err(Error::Request {
                        table: self.table.name().to_owned(),
                        reason: format!(
                            "a partition has {} buckets with {} keys each, more there cannot be: raise \
                             'dynamic-bucket.target-row-num'",
                            u32::from(LAST_DYNAMIC_BUCKET) + 1,
                            options.target_keys
                        ),
                    });
                };
                by_bucket.entry(bucket).or_default().push(*row);
            }
            let whole = by_bucket.len() == 1 && rows.len() == batch.num_rows();
            out.extend(by_bucket.into_iter().map(|(bucket, rows)| Routed {
                partition: partition.clone(),
                bucket: i32::from(bucket),
                rows: (!whole).then(|| rows.into()),
            }));
        }
        self.count_memory();
        Ok(out)
    }

    /// What the indexes hold cannot be given back before a commit, so it is counted, not asked for:
    /// the buffers of rows make room.
    fn count_memory(&mut self) {
        self.memory.resize(self.partitions.values().map(|known| known.index.memory()).sum());
    }

    /// Writes the index files of the next commit; `keep`: those of an earlier try stay.
    pub(super) async fn write_files(&mut self, keep: bool) -> Result<()> {
        let mut partitions: Vec<BinaryRow> = self.partitions.keys().cloned().collect();
        partitions.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        for partition in partitions {
            let Some(known) = self.partitions.get(&partition) else { continue };
            let index = Arc::clone(&known.index);
            for (bucket, hashes) in self.table.env().pools.run(move || index.unwritten()).await? {
                self.write_file(&partition, bucket, &hashes, keep).await?;
            }
        }
        Ok(())
    }

    async fn write_file(
        &mut self,
        partition: &BinaryRow,
        bucket: u16,
        hashes: &[i32],
        keep: bool,
    ) -> Result<()> {
        let file_name = metadata_file_name(MetadataFile::Index, &self.uuid, self.files_named);
        self.files_named += 1;
        let inside = format!("{}/{file_name}", self.dir_of(partition, i32::from(bucket))?);
        let file_size = self.table.store().write_hash_index(&inside, hashes).await?;
        let of_bucket = |file: &IndexManifestEntry| {
            file.bucket == i32::from(bucket) && file.partition == *partition
        };
        self.drop_pending(of_bucket, keep).await;
        self.pending.push(IndexManifestEntry {
            kind: EntryKind::Add,
            partition: partition.clone(),
            bucket: i32::from(bucket),
            index_type: HASH_INDEX.to_owned(),
            file_name,
            file_size,
            row_count: i64::try_from(hashes.len()).unwrap_or(i64::MAX),
            deletion_vectors: None,
            external_path: None,
            global_index: None,
        });
        if let Some(known) = self.partitions.get_mut(partition) {
            Arc::make_mut(&mut known.index).written(bucket);
        }
        Ok(())
    }

    /// What a commit of these messages says about index files.
    pub(super) fn changes(&self, messages: &[CommitMessage]) -> IndexChanges {
        let mut changes = IndexChanges { added: self.pending.clone(), ..IndexChanges::default() };
        if self.replaces {
            return changes;
        }
        for message in messages {
            if let Some(known) = self.partitions.get(&message.partition) {
                let names = || known.files.values().cloned().collect();
                changes.known_hashes.entry(message.partition.clone()).or_insert_with(names);
            }
        }
        changes
    }

    /// The commit succeeded. Lets go, and returns, the partitions without rows since the one before.
    pub(super) fn committed(&mut self) -> HashSet<BinaryRow> {
        for file in self.pending.drain(..) {
            if let Some(known) = self.partitions.get_mut(&file.partition) {
                known.files.insert(file.bucket, file.file_name);
            }
        }
        let mut idle = HashSet::new();
        self.partitions.retain(|partition, known| {
            let stays = std::mem::take(&mut known.touched);
            if !stays {
                idle.insert(partition.clone());
            }
            stays
        });
        self.count_memory();
        idle
    }

    /// Lets partitions go whose index another commit changed; `keep`: a commit of the files may
    /// have happened.
    pub(super) async fn forget(&mut self, partitions: &[BinaryRow], keep: bool) {
        for partition in partitions {
            self.partitions.remove(partition);
        }
        self.drop_pending(|file| partitions.contains(&file.partition), keep).await;
        self.count_memory();
    }

    /// Removes files that no commit will name.
    pub(super) async fn abort(mut self, keep: bool) {
        self.drop_pending(|_| true, keep).await;
    }

    async fn drop_pending(&mut self, which: impl Fn(&IndexManifestEntry) -> bool, keep: bool) {
        let (gone, stay): (Vec<_>, Vec<_>) = self.pending.drain(..).partition(|file| which(file));
        self.pending = stay;
        for file in gone.into_iter().filter(|_| !keep) {
            let Ok(dir) = self.dir_of(&file.partition, file.bucket) else { continue };
            let path = self.table.store().path(&format!("{dir}/{}", file.file_name));
            if let Err(error) = self.table.store().io().delete(&path).await {
                tracing::debug!(%error, "an unreferenced file stays behind");
            }
        }
    }
}
