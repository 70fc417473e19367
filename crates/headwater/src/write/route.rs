//! Which partition and bucket each row of a batch belongs to.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use headwater_spec::bucket::buckets_of;
use headwater_spec::row::arrow::RowEncoder;
use headwater_spec::{BinaryRow, DataType};

use crate::error::{Error, Result};
use crate::table::Table;

/// Rows of a batch that go to one bucket; `None` means all rows.
pub(super) struct Routed {
    pub(super) partition: BinaryRow,
    pub(super) bucket: i32,
    pub(super) rows: Option<UInt32Array>,
}

/// Routes batches of one table.
pub(super) struct Router {
    partition_at: Vec<usize>,
    partition_encoder: RowEncoder,
    bucket_at: Vec<usize>,
    bucket_types: Vec<DataType>,
    buckets: Option<u32>,
    function: headwater_spec::bucket::BucketFunction,
}

impl Router {
    pub(super) fn new(table: &Table) -> Result<Self> {
        let schema = table.schema();
        let places = |names: &[String]| -> Result<(Vec<usize>, Vec<DataType>)> {
            let fields = schema.columns(names)?;
            let at = names.iter().filter_map(|n| table.row_type().index_of(n)).collect();
            Ok((at, fields.into_iter().map(|f| f.data_type).collect()))
        };
        let (partition_at, partition_types) = places(&schema.partition_keys)?;
        let (bucket_at, bucket_types) = places(&schema.bucket_keys())?;
        // An append table without buckets writes everything to bucket 0.
        let buckets = u32::try_from(table.options().bucket).ok();
        Ok(Self {
            partition_at,
            partition_encoder: RowEncoder::new(&partition_types),
            bucket_at,
            bucket_types,
            buckets,
            function: table.options().bucket_function,
        })
    }

    /// The rows of `batch` by bucket; within a bucket they keep their order.
    pub(super) fn route(&mut self, batch: &RecordBatch) -> Result<Vec<Routed>> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(Vec::new());
        }
        let pick = |at: &[usize]| -> Vec<ArrayRef> {
            at.iter().map(|i| std::sync::Arc::clone(batch.column(*i))).collect()
        };
        let buckets = match self.buckets {
            Some(n) if n > 1 => {
                Some(buckets_of(self.function, &pick(&self.bucket_at), &self.bucket_types, n)?)
            }
            _ => None,
        };
        if self.partition_at.is_empty() {
            let Some(buckets) = buckets else {
                let partition = BinaryRow::empty();
                return Ok(vec![Routed { partition, bucket: 0, rows: None }]);
            };
            return Ok(by_bucket(&buckets, self.buckets.unwrap_or(1)));
        }
        self.by_partition(&pick(&self.partition_at), buckets.as_deref(), rows)
    }

    fn by_partition(
        &mut self,
        columns: &[ArrayRef],
        buckets: Option<&[u32]>,
        rows: usize,
    ) -> Result<Vec<Routed>> {
        let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut groups: HashMap<(usize, u32), usize> = HashMap::new();
        let mut found: Vec<(BinaryRow, i32, Vec<u32>)> = Vec::new();
        let mut partitions: Vec<BinaryRow> = Vec::new();
        for row in 0..rows {
            let bytes = self.partition_encoder.encode(columns, row)?;
            let number = match numbers.get(bytes) {
                Some(number) => *number,
                None => {
                    let number = partitions.len();
                    let bytes = bytes.to_vec();
                    partitions.push(BinaryRow::from_bytes(columns.len(), bytes.clone())?);
                    numbers.insert(bytes, number);
                    number
                }
            };
            let bucket = buckets.and_then(|b| b.get(row)).copied().unwrap_or(0);
            let next = found.len();
            let at = *groups.entry((number, bucket)).or_insert(next);
            if at == next
                && let Some(partition) = partitions.get(number)
            {
                found.push((partition.clone(), bucket.cast_signed(), Vec::new()));
            }
            if let Some(group) = found.get_mut(at) {
                group.2.push(row_number(row)?);
            }
        }
        if let [(partition, bucket, _)] = found.as_slice() {
            return Ok(vec![Routed { partition: partition.clone(), bucket: *bucket, rows: None }]);
        }
        Ok(found
            .into_iter()
            .map(|(partition, bucket, rows)| Routed { partition, bucket, rows: Some(rows.into()) })
            .collect())
    }
}

/// Bucket counts up to which every bucket gets its place in a table before its first row.
const TABLE_BUCKETS: u32 = 1 << 12;

fn by_bucket(buckets: &[u32], count: u32) -> Vec<Routed> {
    let share = buckets.len() / usize::try_from(count.max(1)).unwrap_or(1);
    let few = || Vec::with_capacity(share + share / 8);
    let found: Vec<(u32, Vec<u32>)> = if count <= TABLE_BUCKETS {
        let mut rows: Vec<Vec<u32>> = (0..count).map(|_| Vec::new()).collect();
        for (row, bucket) in (0_u32..).zip(buckets) {
            let at = usize::try_from(*bucket).unwrap_or(usize::MAX);
            if let Some(rows) = rows.get_mut(at) {
                if rows.capacity() == 0 {
                    *rows = few();
                }
                rows.push(row);
            }
        }
        (0..).zip(rows).filter(|(_, rows)| !rows.is_empty()).collect()
    } else {
        let mut rows: HashMap<u32, Vec<u32>> = HashMap::new();
        for (row, bucket) in (0_u32..).zip(buckets) {
            rows.entry(*bucket).or_insert_with(few).push(row);
        }
        let mut found: Vec<_> = rows.into_iter().collect();
        found.sort_unstable_by_key(|(bucket, _)| *bucket);
        found
    };
    found
        .into_iter()
        .map(|(bucket, rows)| Routed {
            partition: BinaryRow::empty(),
            bucket: bucket.cast_signed(),
            rows: Some(rows.into()),
        })
        .collect()
}

fn row_number(row: usize) -> Result<u32> {
    u32::try_from(row).map_err(|_| {
        Error::Arrow(arrow::error::ArrowError::InvalidArgumentError(format!(
            "a batch of more than {} rows: split it",
            u32::MAX
        )))
    })
}
