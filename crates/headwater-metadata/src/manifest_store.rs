//! Reads and writes manifest lists, manifests and index manifests of one table.

use headwater_spec::manifest::{
    AvroWriteOptions, Codec, EntryKind, EntryWriter, IndexManifestEntry, ManifestEntry,
    ManifestFileMeta, read_entries, read_index, read_list, write_index, write_list,
};
use headwater_spec::options::{ManifestOptions, TableOptions};
use headwater_spec::path::{self, MetadataFile};
use headwater_spec::stats::ColumnStats;
use headwater_spec::{DataType, Datum, SimpleStats, Snapshot, SpecError};

use crate::error::{MetadataError, Result};
use crate::store::TableStore;

impl TableStore {
    /// Rows of the manifest list `name`; `recorded` is its size if the snapshot knows it.
    ///
    /// # Errors
    /// The list is missing, cut or corrupt.
    pub async fn manifest_list(
        &self,
        name: &str,
        recorded: Option<i64>,
        parent: &str,
    ) -> Result<Vec<ManifestFileMeta>> {
        let inside = self.manifest_path(name, parent)?;
        let bytes = self.read_recorded(&inside, parent, recorded).await?;
        let file = self.path(&inside);
        read_list(&bytes).map_err(|e| MetadataError::corrupt(&file, e))
    }

    /// Entries of one manifest; its recorded counts must be true.
    ///
    /// # Errors
    /// The manifest is missing, cut or corrupt.
    pub async fn manifest(&self, meta: &ManifestFileMeta) -> Result<Vec<ManifestEntry>> {
        let parent = "a manifest list";
        let inside = self.manifest_path(&meta.file_name, parent)?;
        let bytes = self.read_recorded(&inside, parent, Some(meta.file_size)).await?;
        let file = self.path(&inside);
        let counts = (meta.num_added_files, meta.num_deleted_files);
        let decoded = self
            .env()
            .pools
            .run(move || {
                let entries = read_entries(&bytes)?;
                let deleted = entries.iter().filter(|e| e.kind == EntryKind::Delete).count();
                let found = (as_i64(entries.len() - deleted), as_i64(deleted));
                if found == counts {
                    return Ok(entries);
                }
                Err(SpecError::corrupt(
                    "manifest",
                    format!("it holds {found:?} added and deleted files, {counts:?} are recorded"),
                ))
            })
            .await?;
        let entries = decoded.map_err(|e| MetadataError::corrupt(&file, e))?;
        for entry in &entries {
            path::check_file_name(&entry.file.file_name)
                .map_err(|e| MetadataError::corrupt(&file, e))?;
            if entry.file.row_count < 0 || entry.file.file_size < 0 {
                let (rows, bytes) = (entry.file.row_count, entry.file.file_size);
                let reason = format!("{} has {rows} rows and {bytes} bytes", entry.file.file_name);
                let error = SpecError::corrupt("manifest", reason);
                return Err(MetadataError::corrupt(&file, error));
            }
        }
        Ok(entries)
    }

    /// The current index manifest of a snapshot; empty if it has none.
    ///
    /// # Errors
    /// The file is missing or corrupt.
    pub async fn index_manifest(&self, snapshot: &Snapshot) -> Result<Vec<IndexManifestEntry>> {
        let Some(name) = &snapshot.index_manifest else { return Ok(Vec::new()) };
        let parent = path::snapshot_file(snapshot.id);
        let inside = self.manifest_path(name, &parent)?;
        let bytes = self.read_recorded(&inside, &parent, None).await?;
        let file = self.path(&inside);
        read_index(&bytes).map_err(|e| MetadataError::corrupt(&file, e))
    }

    /// Manifests of the base and delta list of a snapshot, in this order.
    ///
    /// # Errors
    /// A list is missing, cut or corrupt.
    pub async fn manifests_of(&self, snapshot: &Snapshot) -> Result<Vec<ManifestFileMeta>> {
        let parent = path::snapshot_file(snapshot.id);
        let (base, delta) = futures::try_join!(
            self.manifest_list(
                &snapshot.base_manifest_list,
                snapshot.base_manifest_list_size,
                &parent
            ),
            self.manifest_list(
                &snapshot.delta_manifest_list,
                snapshot.delta_manifest_list_size,
                &parent
            ),
        )?;
        Ok(base.into_iter().chain(delta).collect())
    }

    fn manifest_path(&self, name: &str, parent: &str) -> Result<String> {
        path::check_file_name(name).map_err(|e| MetadataError::corrupt(&self.path(parent), e))?;
        Ok(path::manifest_file(name))
    }
}

/// Writes manifests of one commit; remembers what it wrote, so that a failed commit can clean up.
pub(crate) struct ManifestWriter<'a> {
    store: &'a TableStore,
    options: &'a ManifestOptions,
    codec: Codec,
    zstd_level: i32,
    partition_types: &'a [DataType],
    uuid: String,
    manifests: u64,
    lists: u64,
    /// Paths inside the table of everything written so far.
    pub(crate) written: Vec<String>,
}

impl<'a> ManifestWriter<'a> {
    pub(crate) fn new(
        store: &'a TableStore,
        options: &'a TableOptions,
        partition_types: &'a [DataType],
    ) -> Result<Self> {
        let codec = Codec::from_option(&options.manifest.compression)?;
        Ok(Self {
            store,
            options: &options.manifest,
            codec,
            zstd_level: options.file.zstd_level,
            partition_types,
            uuid: store.env().random.uuid(),
            manifests: 0,
            lists: 0,
            written: Vec::new(),
        })
    }

    fn avro(&self) -> AvroWriteOptions {
        let mut sync_marker = [0; 16];
        for chunk in sync_marker.chunks_mut(8) {
            chunk.copy_from_slice(&self.store.env().random.next_u64().to_le_bytes());
        }
        AvroWriteOptions { codec: self.codec, zstd_level: self.zstd_level, sync_marker }
    }

    /// Writes entries as one or several manifests near the target size.
    pub(crate) async fn entries(
        &mut self,
        entries: &[ManifestEntry],
        latest_schema: i64,
    ) -> Result<Vec<ManifestFileMeta>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let target = usize::try_from(self.options.target_bytes).unwrap_or(usize::MAX);
        let mut metas = Vec::new();
        let mut start = 0;
        while start < entries.len() {
            let mut writer = EntryWriter::new(&self.avro())?;
            let mut end = start;
            // As Java does, the size is looked at every 1,000 entries.
            for chunk in entries[start..].chunks(1000) {
                for entry in chunk {
                    writer.push(entry)?;
                }
                end += chunk.len();
                if writer.stored_bytes() >= target {
                    break;
                }
            }
            metas.push(self.manifest(&entries[start..end], writer.finish()?, latest_schema).await?);
            start = end;
        }
        Ok(metas)
    }

    async fn manifest(
        &mut self,
        entries: &[ManifestEntry],
        encoded: Vec<u8>,
        latest_schema: i64,
    ) -> Result<ManifestFileMeta> {
        let name = path::metadata_file_name(MetadataFile::Manifest, &self.uuid, self.manifests);
        self.manifests += 1;
        let size = self.write(&name, encoded).await?;
        describe(name, size, entries, self.partition_types, latest_schema)
    }

    /// Writes a manifest list; returns its name and size in bytes.
    pub(crate) async fn list(&mut self, metas: &[ManifestFileMeta]) -> Result<(String, i64)> {
        let name = path::metadata_file_name(MetadataFile::ManifestList, &self.uuid, self.lists);
        self.lists += 1;
        let encoded = write_list(metas, &self.avro())?;
        let size = self.write(&name, encoded).await?;
        Ok((name, size))
    }

    /// Writes an index manifest; returns its name.
    pub(crate) async fn index(&mut self, entries: &[IndexManifestEntry]) -> Result<String> {
        let name = path::metadata_file_name(MetadataFile::IndexManifest, &self.uuid, 0);
        let encoded = write_index(entries, &self.avro())?;
        self.write(&name, encoded).await?;
        Ok(name)
    }

    async fn write(&mut self, name: &str, data: Vec<u8>) -> Result<i64> {
        let inside = path::manifest_file(name);
        self.written.push(inside.clone());
        let size = self.store.write_new(&inside, data).await?;
        Ok(i64::try_from(size).unwrap_or(i64::MAX))
    }
}

/// The manifest list row of a manifest.
fn describe(
    file_name: String,
    file_size: i64,
    entries: &[ManifestEntry],
    partition_types: &[DataType],
    latest_schema: i64,
) -> Result<ManifestFileMeta> {
    let deleted = entries.iter().filter(|e| e.kind == EntryKind::Delete).count();
    let buckets = || entries.iter().map(|e| e.bucket);
    let levels = || entries.iter().map(|e| e.file.level);
    let row_ids: Option<Vec<_>> = entries
        .iter()
        .map(|e| {
            e.file
                .first_row_id
                .map(|first| (first, first.saturating_add(e.file.row_count).saturating_sub(1)))
        })
        .collect();
    let row_ids = row_ids.unwrap_or_default();
    Ok(ManifestFileMeta {
        file_name,
        file_size,
        num_added_files: as_i64(entries.len() - deleted),
        num_deleted_files: as_i64(deleted),
        partition_stats: partition_stats(entries, partition_types)?,
        schema_id: entries.iter().map(|e| e.file.schema_id).max().unwrap_or(latest_schema),
        min_bucket: buckets().min(),
        max_bucket: buckets().max(),
        min_level: levels().min(),
        max_level: levels().max(),
        min_row_id: row_ids.iter().map(|r| r.0).min(),
        max_row_id: row_ids.iter().map(|r| r.1).max(),
    })
}

fn partition_stats(entries: &[ManifestEntry], types: &[DataType]) -> Result<SimpleStats> {
    let mut columns =
        vec![ColumnStats { null_count: Some(0), ..ColumnStats::default() }; types.len()];
    let mut previous = None;
    let mut values = Vec::new();
    for entry in entries {
        if previous != Some(&entry.partition) {
            values = entry.partition.to_values(types)?;
            previous = Some(&entry.partition);
        }
        for (column, value) in columns.iter_mut().zip(&values) {
            match value {
                None => column.null_count = column.null_count.map(|n| n + 1),
                Some(value) => widen(column, value),
            }
        }
    }
    Ok(SimpleStats::encode(&columns, types)?)
}

fn widen(column: &mut ColumnStats, value: &Datum) {
    use std::cmp::Ordering::{Greater, Less};
    if column.min.as_ref().is_none_or(|min| value.compare(min) == Some(Less)) {
        column.min = Some(value.clone());
    }
    if column.max.as_ref().is_none_or(|max| value.compare(max) == Some(Greater)) {
        column.max = Some(value.clone());
    }
}

fn as_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
