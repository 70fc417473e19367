//! The partitions of a table, as the files of a snapshot say.
//!
//! Source: Paimon 1.4.2 `PartitionEntry`, `PartitionsTable`.

use std::collections::HashMap;

use headwater_metadata::plan::{EntryFilter, partition_values};
use headwater_spec::partition::partition_path;
use headwater_spec::{BinaryRow, Datum};

use crate::error::Result;
use crate::read::file::bucket_path;
use crate::table::Table;

/// What is known of a partition without reading its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionInfo {
    /// Values of the partition columns.
    pub values: Vec<Option<Datum>>,
    /// Its name: `dt=2024-01-31/h=3`; empty without partition columns.
    pub name: String,
    /// Rows in its files; with a primary key, older versions of a row count too.
    pub record_count: i64,
    /// Bytes of its files.
    pub file_size_bytes: i64,
    /// Its files.
    pub file_count: i64,
    /// Wall clock of the writer of its newest file, in milliseconds as if it were UTC.
    pub last_update_millis: Option<i64>,
}

impl Table {
    /// The directory of a bucket, relative to the table.
    ///
    /// # Errors
    /// The partition is not one of this table.
    pub fn bucket_directory(&self, partition: &BinaryRow, bucket: i32) -> Result<String> {
        let values = partition_values(partition, &self.partition_types()?)?;
        bucket_path(self, &values, bucket)
    }

    /// The partitions that have files, by name. A table without partition columns has one if it
    /// has files.
    ///
    /// # Errors
    /// The metadata is corrupt, or the store did not answer.
    pub async fn partitions(&self) -> Result<Vec<PartitionInfo>> {
        let Some(snapshot) = self.snapshot().await? else { return Ok(Vec::new()) };
        let types = self.partition_types()?;
        let filter = EntryFilter::default();
        let (entries, _) = self.store().live_entries(&snapshot, &types, &filter).await?;
        let options = &self.options().partition;
        let mut at: HashMap<_, usize> = HashMap::new();
        let mut found: Vec<PartitionInfo> = Vec::new();
        for entry in entries {
            let next = found.len();
            let index = *at.entry(entry.partition.clone()).or_insert(next);
            if index == next {
                let values = partition_values(&entry.partition, &types)?;
                let path = partition_path(
                    &self.schema().partition_keys,
                    &types,
                    &values,
                    &options.default_name,
                    options.legacy_names,
                )?;
                found.push(PartitionInfo {
                    values,
                    name: path.trim_end_matches('/').to_owned(),
                    record_count: 0,
                    file_size_bytes: 0,
                    file_count: 0,
                    last_update_millis: None,
                });
            }
            if let Some(info) = found.get_mut(index) {
                info.record_count = info.record_count.saturating_add(entry.file.row_count);
                info.file_size_bytes = info.file_size_bytes.saturating_add(entry.file.file_size);
                info.file_count = info.file_count.saturating_add(1);
                info.last_update_millis =
                    info.last_update_millis.max(entry.file.creation_time_millis);
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }
}
