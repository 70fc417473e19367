//! Tables whose buckets are postponed: rows wait in files of their own until a compaction gives them
//! buckets, or a batch write gives them their buckets at once.
//!
//! Every partition has its own number of buckets then. Rules: `docs/spec/bucket.md#postponed`. Source:
//! Paimon 1.4.2 `PostponeBucketFileStoreWrite`, `PostponeBatchWriteOperator`, `PostponeUtils`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int8Array, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use headwater_spec::bucket::{BucketFunction, buckets_of};
use headwater_spec::manifest::ManifestEntry;
use headwater_spec::path::POSTPONE_BUCKET;
use headwater_spec::{BinaryRow, DataType};

use super::route::Routed;
use crate::error::{Error, Result};
use crate::table::Table;

/// Sequence number of rows that have none yet.
const UNNUMBERED: i64 = -1;

/// How a write of such a table gives rows their buckets.
pub(super) enum Postpone {
    /// Not at all.
    Waiting,
    /// At once.
    Fixed(FixedBuckets),
}

/// The buckets of each partition.
pub(super) struct FixedBuckets {
    key_at: Vec<usize>,
    key_types: Vec<DataType>,
    function: BucketFunction,
    /// Buckets of a partition that has none.
    default: u32,
    counts: HashMap<BinaryRow, u32>,
}

impl Postpone {
    /// As the table's options say for batch writes; `None` for a table with other buckets.
    pub(super) fn of(table: &Table) -> Result<Option<Self>> {
        if !table.has_postponed_buckets() {
            return Ok(None);
        }
        let options = table.options().postpone;
        if !options.batch_fixed {
            return Ok(Some(Self::Waiting));
        }
        // Java's is the parallelism of its job.
        let threads = u32::try_from(table.env().pools.cpu_threads()).unwrap_or(u32::MAX).max(1);
        Self::fixed(table, threads.min(options.batch_max_buckets)).map(Some)
    }

    /// At once, with so many buckets in partitions that have none.
    pub(super) fn fixed(table: &Table, default: u32) -> Result<Self> {
        let schema = table.schema();
        let names = schema.bucket_keys();
        Ok(Self::Fixed(FixedBuckets {
            key_at: names.iter().filter_map(|name| table.row_type().index_of(name)).collect(),
            key_types: schema.columns(&names)?.into_iter().map(|f| f.data_type).collect(),
            function: table.options().bucket_function,
            default,
            counts: HashMap::new(),
        }))
    }

    pub(super) const fn waits(&self) -> bool {
        matches!(self, Self::Waiting)
    }

    /// Learns the bucket counts of partitions from their live files.
    pub(super) fn learn(
        &mut self,
        table: &Table,
        partitions: &HashSet<BinaryRow>,
        live: &[ManifestEntry],
    ) -> Result<()> {
        let Self::Fixed(fixed) = self else { return Ok(()) };
        let mut found: HashMap<&BinaryRow, u32> = HashMap::new();
        for entry in live {
            let Some(count) = u32::try_from(entry.total_buckets).ok().filter(|n| *n > 0) else {
                continue;
            };
            let known = *found.entry(&entry.partition).or_insert(count);
            if known != count {
                return Err(Error::WriteRefused {
                    table: table.name().to_owned(),
                    reason: format!(
                        "files of a partition were written with {known} and with {count} buckets: \
                         rewrite it with INSERT OVERWRITE"
                    ),
                });
            }
        }
        for partition in partitions {
            let count = found.get(partition).copied().unwrap_or(fixed.default);
            fixed.counts.insert(partition.clone(), count);
        }
        Ok(())
    }

    /// Gives rows that are routed to partitions their buckets.
    pub(super) fn assign(&self, batch: &RecordBatch, routed: Vec<Routed>) -> Result<Vec<Routed>> {
        let fixed = match self {
            Self::Fixed(fixed) => fixed,
            Self::Waiting => {
                let wait = |part| Routed { bucket: POSTPONE_BUCKET, ..part };
                return Ok(routed.into_iter().map(wait).collect());
            }
        };
        let keys: Vec<ArrayRef> =
            fixed.key_at.iter().map(|at| Arc::clone(batch.column(*at))).collect();
        let mut out = Vec::new();
        for part in routed {
            let count = fixed.count(&part.partition);
            if count == 1 {
                out.push(Routed { bucket: 0, ..part });
                continue;
            }
            let all = || UInt32Array::from_iter_values((0_u32..).take(batch.num_rows()));
            let rows = part.rows.unwrap_or_else(all);
            let whole = rows.len() == batch.num_rows();
            let of_rows = |key: &ArrayRef| Ok(take(key, &rows, None)?);
            let keys = keys.iter().map(of_rows).collect::<Result<Vec<_>>>()?;
            let buckets = buckets_of(fixed.function, &keys, &fixed.key_types, count)?;
            let mut by_bucket: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (row, bucket) in rows.values().iter().zip(buckets) {
                by_bucket.entry(bucket).or_default().push(*row);
            }
            let one = whole && by_bucket.len() == 1;
            out.extend(by_bucket.into_iter().map(|(bucket, rows)| Routed {
                partition: part.partition.clone(),
                bucket: bucket.cast_signed(),
                rows: (!one).then(|| rows.into()),
            }));
        }
        Ok(out)
    }

    /// The number of buckets that files of a partition are written with.
    pub(super) fn total_buckets(&self, partition: &BinaryRow) -> i32 {
        match self {
            Self::Waiting => POSTPONE_BUCKET,
            Self::Fixed(fixed) => fixed.count(partition).cast_signed(),
        }
    }
}

impl FixedBuckets {
    fn count(&self, partition: &BinaryRow) -> u32 {
        self.counts.get(partition).copied().unwrap_or(self.default)
    }
}

/// Rows that wait for their buckets: in the order in which they came, with their kinds.
#[derive(Default)]
pub(super) struct WaitingRows {
    batches: Vec<WaitingBatch>,
    bytes: usize,
}

/// Some of them.
pub(super) struct WaitingBatch {
    pub(super) values: RecordBatch,
    pub(super) sequence: ArrayRef,
    pub(super) kinds: ArrayRef,
}

impl WaitingRows {
    pub(super) const fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(super) const fn memory(&self) -> usize {
        self.bytes
    }

    /// `bytes`: size of the rows.
    pub(super) fn add(&mut self, values: RecordBatch, kinds: Option<Int8Array>, bytes: usize) {
        let rows = values.num_rows();
        self.bytes = self.bytes.saturating_add(bytes);
        let kinds = kinds.unwrap_or_else(|| Int8Array::from_value(headwater_lsm::INSERT, rows));
        self.batches.push(WaitingBatch {
            values,
            sequence: Arc::new(Int64Array::from_value(UNNUMBERED, rows)),
            kinds: Arc::new(kinds),
        });
    }

    /// All of them, in pieces of so many rows at most.
    pub(super) fn drain(&mut self, piece_rows: usize) -> Vec<WaitingBatch> {
        self.bytes = 0;
        let batches = std::mem::take(&mut self.batches);
        let pieces = batches.into_iter().flat_map(|batch| {
            let rows = batch.values.num_rows();
            (0..rows).step_by(piece_rows.max(1)).map(move |at| {
                let length = piece_rows.min(rows - at);
                WaitingBatch {
                    values: batch.values.slice(at, length),
                    sequence: batch.sequence.slice(at, length),
                    kinds: batch.kinds.slice(at, length),
                }
            })
        });
        pieces.collect()
    }
}

/// What the names of a writer's files begin with: a compaction reads the files of one writer in the
/// order in which they were made.
///
/// # Errors
/// The commit user has characters that readers of such names stumble over.
pub(super) fn file_prefix(table: &Table, user: &str) -> Result<String> {
    let prefix = format!("{}-u-{user}-s-", table.options().file.prefix);
    let plain = |c: char| c != '/' && c != '\\' && !c.is_control();
    if prefix.matches("-s-").count() != 1 || !user.chars().all(plain) {
        return Err(Error::Request {
            table: table.name().to_owned(),
            reason: format!(
                "files of postponed buckets are named after the commit user, which must not have \
                 '-s-', slashes or control characters in it: {user:?}"
            ),
        });
    }
    let id = (table.env().random.next_u64() >> 33).to_string();
    Ok(format!("{prefix}{id}-w-"))
}
