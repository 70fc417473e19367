//! Two writers on one bucket: the later commit must not carry the smaller sequence numbers.
//!
//! Java lets both number their rows from the same start; which row wins then differs from key to
//! key. Here a commit notices it inside the attempt, so that the winner of the publish has also
//! won the check, and the writer numbers its rows anew (`docs/adr/0005-sequence-rebase.md`).

use std::collections::HashMap;

use headwater_spec::manifest::EntryKind;
use headwater_spec::{BinaryRow, Snapshot};

use super::Committer;
use crate::error::{MetadataError, MovedBucket, Result};
use crate::plan::EntryFilter;

/// The smallest sequence number that a commit brings into a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketFloor {
    /// Partition of the bucket.
    pub partition: BinaryRow,
    /// Bucket.
    pub bucket: i32,
    /// Smallest sequence number of the new rows; `i64::MAX` if numbers do not matter.
    pub min_sequence: i64,
    /// Bucket count that the rows were distributed by.
    pub total_buckets: i32,
}

/// Up to which snapshot a writer knew the sequence numbers of its buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceBase {
    /// Newest snapshot that the writer had seen; 0 for none.
    pub snapshot_id: i64,
    /// Its buckets.
    pub floors: Vec<BucketFloor>,
}

impl Committer<'_> {
    /// Refuses if a snapshot after the base brought equal or larger numbers into one of the
    /// buckets.
    pub(super) async fn check_sequences(
        &self,
        base: &SequenceBase,
        latest: &Snapshot,
        maybe_visible: bool,
    ) -> Result<()> {
        if base.snapshot_id > latest.id {
            return Err(MetadataError::Conflict {
                table: self.store.name().to_owned(),
                competitor: super::describe(latest),
                reason: format!(
                    "the writer knew snapshot {}: the table was rolled back or made anew",
                    base.snapshot_id
                ),
            });
        }
        if base.snapshot_id == latest.id || base.floors.is_empty() {
            return Ok(());
        }
        let floors: HashMap<(&BinaryRow, i32), i64> =
            base.floors.iter().map(|f| ((&f.partition, f.bucket), f.min_sequence)).collect();
        let filter = EntryFilter {
            partitions: Some(base.floors.iter().map(|f| f.partition.clone()).collect()),
            ..EntryFilter::default()
        };
        let mut moved: HashMap<(BinaryRow, i32), i64> = HashMap::new();
        let mut id = latest.id;
        let mut entries = Vec::new();
        while id > base.snapshot_id {
            let Some(snapshot) = self.store.try_snapshot(id).await? else {
                // Expired meanwhile: look at everything that is live instead.
                let live = self.store.live_entries(latest, &self.partition_types, &filter).await?;
                entries.extend(live.0);
                break;
            };
            entries
                .extend(self.store.delta_entries(&snapshot, &self.partition_types, &filter).await?);
            id -= 1;
        }
        let counts: HashMap<&BinaryRow, i32> =
            base.floors.iter().map(|f| (&f.partition, f.total_buckets)).collect();
        for entry in entries {
            if let Some(count) = counts.get(&entry.partition)
                && entry.kind == EntryKind::Add
                && entry.total_buckets > 0
                && entry.total_buckets != *count
            {
                return Err(MetadataError::Conflict {
                    table: self.store.name().to_owned(),
                    competitor: super::describe(latest),
                    reason: format!(
                        "the partition now has {} buckets, these rows were distributed to {count}: \
                         write them again",
                        entry.total_buckets
                    ),
                });
            }
            let Some(floor) = floors.get(&(&entry.partition, entry.bucket)) else { continue };
            let max = entry.file.max_sequence_number;
            if entry.kind == EntryKind::Add && max >= *floor {
                let known = moved.entry((entry.partition, entry.bucket)).or_insert(max);
                *known = max.max(*known);
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        let buckets = moved
            .into_iter()
            .map(|((partition, bucket), max_sequence)| MovedBucket {
                partition,
                bucket,
                max_sequence,
            })
            .collect();
        Err(MetadataError::SequenceMoved { buckets, snapshot_id: latest.id, maybe_visible })
    }
}
