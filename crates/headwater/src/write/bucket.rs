//! The rows of one bucket: buffered, sorted, written as files.

use std::iter::Peekable;
use std::sync::Arc;
use std::vec::IntoIter;

use arrow::array::{ArrayRef, Int8Array, RecordBatch};
use bytes::Bytes;
use headwater_lsm::{
    Drain, KeyEncoder, KeyValueBatch, LsmError, MergeFunction, SequenceOrder, SortBuffer,
};
use headwater_spec::{BinaryRow, DataFileMeta};

use super::file::{FileLayout, OpenDataFile};
use super::postpone::{WaitingBatch, WaitingRows};
use crate::error::Result;
use crate::table::Table;

/// Rows that go to the encoder at once; the size of a file is looked at after each time.
const ENCODE_ROWS: usize = 8192;
/// Rows and bytes that are picked from a sorted buffer at once. They come from all over the buffer,
/// column by column: the more at once, the more often one is picked from a part of the column that
/// the processor still has at hand.
const PICKED_ROWS: usize = 131_072;
const PICKED_BYTES: usize = 16 << 20;

/// Rows that wait to be written.
enum Buffer {
    /// With a primary key: sorted and merged when written.
    Sorted(SortBuffer, Arc<Merging>),
    /// Without: in arrival order.
    Plain(Vec<RecordBatch>, usize),
    /// Of a postponed bucket: in arrival order.
    Waiting(WaitingRows),
}

/// How the rows of a bucket with a primary key become one run.
pub(super) struct Merging {
    pub(super) encoder: KeyEncoder,
    pub(super) function: Arc<dyn MergeFunction>,
    pub(super) order: Option<Arc<SequenceOrder>>,
}

impl Merging {
    fn buffer(&self) -> SortBuffer {
        SortBuffer::new().ordered_by(self.order.clone())
    }
}

/// One bucket that is being written.
pub(super) struct BucketWriter {
    table: Table,
    layout: Arc<FileLayout>,
    pub(super) partition: BinaryRow,
    pub(super) bucket: i32,
    /// Directory inside the table.
    pub(super) dir: String,
    uuid: String,
    files_named: u64,
    next_sequence: i64,
    /// Up to this snapshot no other writer's rows have numbers that collide with ours.
    pub(super) known_snapshot: i64,
    buffer: Buffer,
    /// Files written since the last prepared commit.
    pub(super) files: Vec<DataFileMeta>,
    /// Rows in them, or merged away, that arrived after a newer one of their key.
    pub(super) rows_older: u64,
}

impl BucketWriter {
    pub(super) fn new(
        table: &Table,
        layout: &Arc<FileLayout>,
        merging: Option<&Arc<Merging>>,
        place: (BinaryRow, i32, String),
        (next_sequence, known_snapshot): (i64, i64),
    ) -> Self {
        let (partition, bucket, dir) = place;
        Self {
            table: table.clone(),
            layout: Arc::clone(layout),
            partition,
            bucket,
            dir,
            uuid: table.env().random.uuid(),
            files_named: 0,
            next_sequence,
            known_snapshot,
            buffer: match merging {
                _ if bucket < 0 => Buffer::Waiting(WaitingRows::default()),
                Some(merging) => Buffer::Sorted(merging.buffer(), Arc::clone(merging)),
                None => Buffer::Plain(Vec::new(), 0),
            },
            files: Vec::new(),
            rows_older: 0,
        }
    }

    /// Bytes of buffered rows.
    pub(super) fn memory(&self) -> usize {
        match &self.buffer {
            Buffer::Sorted(buffer, _) => buffer.memory_size(),
            Buffer::Plain(_, bytes) => *bytes,
            Buffer::Waiting(rows) => rows.memory(),
        }
    }

    /// Buffers rows.
    pub(super) fn add(&mut self, batch: RecordBatch, kinds: Option<Int8Array>) -> Result<()> {
        let rows = batch.num_rows();
        match &mut self.buffer {
            Buffer::Sorted(buffer, merging) => {
                let keys: Vec<ArrayRef> =
                    self.layout.key_at.iter().map(|at| Arc::clone(batch.column(*at))).collect();
                buffer.add(merging.encoder.encode(&keys)?, self.next_sequence, kinds, batch)?;
                self.next_sequence =
                    self.next_sequence.saturating_add(i64::try_from(rows).unwrap_or(i64::MAX));
            }
            Buffer::Plain(batches, bytes) => {
                *bytes += slice_bytes(&batch);
                batches.push(batch);
            }
            Buffer::Waiting(rows) => {
                let bytes = slice_bytes(&batch);
                rows.add(batch, kinds, bytes);
            }
        }
        Ok(())
    }

    /// Writes the buffered rows as level-0 files, rolling at the table's target file size.
    pub(super) async fn flush(&mut self) -> Result<()> {
        let Some(mut rows) = self.take_rows().await? else { return Ok(()) };
        let target = self.table.options().file.target_bytes;
        while !rows.ended() {
            let name = self.layout.file_name(&self.uuid, self.files_named);
            self.files_named += 1;
            let mut file = self.layout.start(name)?;
            loop {
                let layout = Arc::clone(&self.layout);
                let job = move || encode(rows, file, &layout, target);
                let (left, open, bytes) = self.table.env().pools.run(job).await??;
                (rows, file) = (left, open);
                file.put(&self.table, &self.dir, bytes).await?;
                if rows.ended() || file.bytes_written() >= target {
                    break;
                }
            }
            self.files.push(file.finish(&self.layout, &self.dir).await?);
        }
        match rows {
            Rows::Sorted { drain, .. } => {
                self.rows_older = self.rows_older.saturating_add(drain.older_rows());
            }
            Rows::Plain { next_sequence, .. } => {
                // Files of a table without buckets count from 0 each, as Java's do.
                let counted = self.table.options().bucket > 0;
                self.next_sequence = if counted { next_sequence } else { 0 };
            }
            Rows::Waiting(_) => {}
        }
        Ok(())
    }

    async fn take_rows(&mut self) -> Result<Option<Rows>> {
        Ok(match &mut self.buffer {
            Buffer::Sorted(buffer, _) if buffer.is_empty() => None,
            Buffer::Sorted(buffer, merging) => {
                let mut full = std::mem::replace(buffer, merging.buffer());
                let engine = Arc::clone(&merging.function);
                let job = move || {
                    let row_bytes = (full.memory_size() / full.rows().max(1)).max(1);
                    let picked = (PICKED_BYTES / row_bytes).clamp(1, PICKED_ROWS);
                    let mut drain = full.drain(engine, picked)?;
                    let next = drain.next_batch()?.map(Box::new);
                    Ok::<_, LsmError>(Rows::Sorted { drain: Box::new(drain), next })
                };
                Some(self.table.env().pools.run(job).await??)
            }
            Buffer::Plain(batches, _) if batches.is_empty() => None,
            Buffer::Waiting(rows) if rows.is_empty() => None,
            Buffer::Waiting(rows) => {
                Some(Rows::Waiting(rows.drain(ENCODE_ROWS).into_iter().peekable()))
            }
            Buffer::Plain(batches, bytes) => {
                *bytes = 0;
                // The size of a file is looked at after each piece.
                let pieces = std::mem::take(batches).into_iter().flat_map(|batch| {
                    let starts = (0..batch.num_rows()).step_by(ENCODE_ROWS);
                    let piece = |at| batch.slice(at, ENCODE_ROWS.min(batch.num_rows() - at));
                    starts.map(piece).collect::<Vec<_>>()
                });
                let batches = pieces.collect::<Vec<_>>().into_iter();
                Some(Rows::Plain { batches: batches.peekable(), next_sequence: self.next_sequence })
            }
        })
    }
}

/// Bytes of the rows of a batch, without what else their buffers hold.
fn slice_bytes(batch: &RecordBatch) -> usize {
    batch
        .columns()
        .iter()
        .map(|c| c.to_data().get_slice_memory_size().unwrap_or_else(|_| c.get_array_memory_size()))
        .sum()
}

/// Rows on their way to files.
enum Rows {
    Sorted { drain: Box<Drain>, next: Option<Box<KeyValueBatch>> },
    Plain { batches: Peekable<IntoIter<RecordBatch>>, next_sequence: i64 },
    Waiting(Peekable<IntoIter<WaitingBatch>>),
}

impl Rows {
    fn ended(&mut self) -> bool {
        match self {
            Self::Sorted { next, .. } => next.is_none(),
            Self::Plain { batches, .. } => batches.peek().is_none(),
            Self::Waiting(batches) => batches.peek().is_none(),
        }
    }
}

/// Encodes some batches; stops at the end, at the target size, or when bytes are to be stored.
fn encode(
    mut rows: Rows,
    mut file: OpenDataFile,
    layout: &FileLayout,
    target: u64,
) -> Result<(Rows, OpenDataFile, Vec<Bytes>)> {
    loop {
        let bytes = match &mut rows {
            Rows::Sorted { drain, next } => {
                let Some(batch) = next.take() else { break };
                let now = batch.len().min(ENCODE_ROWS);
                let KeyValueBatch { sequence, kinds, values, .. } = batch.slice(0, now);
                let (sequence, kinds): (ArrayRef, ArrayRef) = (Arc::new(sequence), Arc::new(kinds));
                let bytes = file.add_sorted(layout, &sequence, &kinds, &values)?;
                *next = if now < batch.len() {
                    Some(Box::new(batch.slice(now, batch.len() - now)))
                } else {
                    drop((batch, sequence, kinds, values));
                    drain.next_batch()?.map(Box::new)
                };
                bytes
            }
            Rows::Plain { batches, next_sequence } => {
                let Some(batch) = batches.next() else { break };
                let bytes = file.add_plain(layout, *next_sequence, &batch)?;
                let rows = i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
                *next_sequence = next_sequence.saturating_add(rows);
                bytes
            }
            Rows::Waiting(batches) => {
                let Some(WaitingBatch { values, sequence, kinds }) = batches.next() else { break };
                file.add_sorted(layout, &sequence, &kinds, &values)?
            }
        };
        if !bytes.is_empty() || file.bytes_written() >= target {
            return Ok((rows, file, bytes));
        }
    }
    Ok((rows, file, Vec::new()))
}
