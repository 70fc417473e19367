//! A compaction must not put the records it merged before older ones that it did not know of.
//!
//! Merged records count as one record as new as the newest of them. A writer that numbers its rows
//! by itself may add some in between afterwards; a result without them would let the older of two
//! records win, or bring a deleted one back. Java does not look.

use headwater_spec::manifest::EntryKind;
use headwater_spec::{BinaryRow, Snapshot};

use super::{Committer, CompactedFrom};
use crate::error::{MetadataError, Result};
use crate::plan::EntryFilter;

impl Committer<'_> {
    /// Refuses if a snapshot after the base brought records between those that were merged.
    pub(super) async fn check_compacted(
        &self,
        base: &CompactedFrom,
        latest: &Snapshot,
    ) -> Result<()> {
        let conflict = |competitor: String, reason: &str| MetadataError::Conflict {
            table: self.store.name().to_owned(),
            competitor,
            reason: reason.to_owned(),
        };
        if base.snapshot_id > latest.id {
            return Err(conflict(
                super::describe(latest),
                "the table was rolled back or made anew since its files were merged",
            ));
        }
        let filter = EntryFilter {
            partitions: Some(base.newest.keys().map(|(partition, _)| partition.clone()).collect()),
            ..EntryFilter::default()
        };
        for id in base.snapshot_id.saturating_add(1)..=latest.id {
            let Some(snapshot) = self.store.try_snapshot(id).await? else {
                return Err(conflict(
                    format!("snapshot {id}, which has expired"),
                    "what came while files were merged is not known any more",
                ));
            };
            if !self.brings_rows(&snapshot).await? {
                continue;
            }
            let added = self.store.delta_entries(&snapshot, &self.partition_types, &filter).await?;
            let between = |partition: BinaryRow, bucket: i32, min: i64| {
                base.newest.get(&(partition, bucket)).is_some_and(|newest| min <= *newest)
            };
            let found = added.into_iter().any(|entry| {
                entry.kind == EntryKind::Add
                    && between(entry.partition, entry.bucket, entry.file.min_sequence_number)
            });
            if found {
                return Err(conflict(
                    super::describe(&snapshot),
                    "it added rows that are older than some that were merged",
                ));
            }
        }
        Ok(())
    }
}
