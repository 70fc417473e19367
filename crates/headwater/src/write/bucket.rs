//! The rows of one bucket: buffered, spilled when memory is short, sorted, written as files.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::{ArrayRef, Int8Array, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use headwater_io::ScratchFile;
use headwater_lsm::{
    BatchesRun, Drain, KeyValueBatch, LsmError, RunReader, SortBuffer, batch_overhead,
    record_batch_size,
};
use headwater_spec::types::arrow_field;
use headwater_spec::{BinaryRow, DataFileMeta};

use super::file::FileLayout;
use super::postpone::WaitingRows;
pub(super) use super::rows::Merging;
use super::rows::{BufferRun, Plain, Rows, Sorted, SpilledRun, encode, started};
use crate::error::{Error, Result};
use crate::read::file::{kind_field, sequence_field};
use crate::spill::{Spilled, Spilling, joined};
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

impl Merging {
    fn buffer(&self) -> SortBuffer {
        SortBuffer::new().ordered_by(self.order.clone())
    }
}

/// Rows that came before those in the buffer.
enum Held {
    /// Merged, and few for that reason.
    Memory(Vec<KeyValueBatch>, usize),
    /// On local disk.
    Disk(Spilled),
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
    /// Oldest first.
    held: Vec<Held>,
    buffer: Buffer,
    /// Merging the rows in memory did not make them much fewer.
    merges_little: bool,
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
            held: Vec::new(),
            buffer: match merging {
                _ if bucket < 0 => Buffer::Waiting(WaitingRows::default()),
                Some(merging) => Buffer::Sorted(merging.buffer(), Arc::clone(merging)),
                None => Buffer::Plain(Vec::new(), 0),
            },
            merges_little: false,
            files: Vec::new(),
            rows_older: 0,
        }
    }

    /// Rows that come from now on have larger numbers than `last`.
    pub(super) fn number_above(&mut self, last: i64) {
        self.next_sequence = self.next_sequence.max(last.saturating_add(1));
    }

    /// Bytes of rows in memory.
    pub(super) fn memory(&self) -> usize {
        let held = self.held.iter().map(|held| match held {
            Held::Memory(_, bytes) => *bytes,
            Held::Disk(_) => 0,
        });
        self.buffered() + held.sum::<usize>()
    }

    fn buffered(&self) -> usize {
        match &self.buffer {
            Buffer::Sorted(buffer, _) => buffer.memory_size(),
            Buffer::Plain(_, bytes) => *bytes,
            Buffer::Waiting(rows) => rows.memory(),
        }
    }

    /// Bytes of rows on local disk, as stored.
    pub(super) fn disk(&self) -> usize {
        self.held
            .iter()
            .map(|held| match held {
                Held::Memory(..) => 0,
                Held::Disk(spilled) => spilled.stored_bytes(),
            })
            .sum()
    }

    /// Bytes of rows that wait for a file.
    pub(super) fn gathered(&self) -> usize {
        let disk = self.held.iter().map(|held| match held {
            Held::Memory(..) => 0,
            Held::Disk(spilled) => spilled.plain_bytes(),
        });
        self.memory() + disk.sum::<usize>()
    }

    /// Runs that wait beside the buffer.
    pub(super) const fn runs(&self) -> usize {
        self.held.len()
    }

    /// Whether merging rows in memory may make them fewer.
    pub(super) fn may_merge(&self) -> bool {
        !self.merges_little
            && matches!(&self.buffer, Buffer::Sorted(buffer, _) if !buffer.is_empty())
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
                *bytes += batch_bytes(&batch);
                batches.push(batch);
            }
            Buffer::Waiting(rows) => {
                let bytes = batch_bytes(&batch);
                rows.add(batch, kinds, bytes);
            }
        }
        Ok(())
    }

    /// Takes rows out of memory: merges what is there, and keeps it if few are left of it or if there
    /// is no `file`, else puts them at the end of `file`.
    pub(super) async fn spill(
        &mut self,
        how: &Spilling,
        file: Option<Arc<ScratchFile>>,
    ) -> Result<()> {
        match &mut self.buffer {
            Buffer::Sorted(..) => self.spill_sorted(how, file).await,
            // Files of rows that wait are put together when they get their buckets.
            Buffer::Waiting(_) => self.flush().await,
            Buffer::Plain(batches, bytes) => {
                let Some(file) = file.filter(|_| !batches.is_empty()) else { return Ok(()) };
                let batches = std::mem::take(batches);
                *bytes = 0;
                let (how, schema) = (how.clone(), self.layout.value_schema());
                let job = move || {
                    let mut spilled = Spilled::new(file, &how, schema);
                    for joined in joined(&batches)? {
                        spilled.add(&how, &joined)?;
                    }
                    Ok::<_, Error>(spilled)
                };
                let spilled = self.table.env().pools.run(job).await??;
                self.held.push(Held::Disk(spilled));
                Ok(())
            }
        }
    }

    async fn spill_sorted(&mut self, how: &Spilling, file: Option<Arc<ScratchFile>>) -> Result<()> {
        let before = self.memory();
        let on_disk = self.held.iter().take_while(|held| matches!(held, Held::Disk(_))).count();
        let recent = self.held.split_off(on_disk);
        let Some(source) = self.take_sorted(recent) else { return Ok(()) };
        let (how, schema) = (how.clone(), spilled_schema(&self.layout));
        let job = move || {
            let mut source = source.open()?;
            let mut kept = Vec::new();
            let mut bytes = 0;
            while let Some(batch) = source.next_batch()? {
                bytes += batch.memory_size();
                kept.push(batch);
            }
            let older = source.older_rows();
            drop(source);
            let few = bytes.saturating_mul(2) <= before;
            let held = match file.filter(|_| !few) {
                None => Held::Memory(kept, bytes),
                Some(file) => {
                    let mut spilled = Spilled::new(file, &how, Arc::clone(&schema));
                    for batch in kept {
                        let KeyValueBatch { sequence, kinds, values, .. } = batch;
                        let mut columns: Vec<ArrayRef> = vec![Arc::new(sequence), Arc::new(kinds)];
                        columns.extend_from_slice(values.columns());
                        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
                        spilled.add(&how, &batch)?;
                    }
                    Held::Disk(spilled)
                }
            };
            Ok::<_, Error>((held, older, few))
        };
        let (held, older, few) = self.table.env().pools.run(job).await??;
        self.merges_little = !few;
        self.rows_older = self.rows_older.saturating_add(older);
        self.held.push(held);
        Ok(())
    }

    /// Writes the rows as level-0 files, rolling at the table's target file size.
    pub(super) async fn flush(&mut self) -> Result<()> {
        let Some(mut rows) = self.take_rows().await? else { return Ok(()) };
        let at_once = self.table.options().buffer.encode_rows.unwrap_or(ENCODE_ROWS);
        while !rows.ended() {
            let name = self.layout.file_name(&self.uuid, self.files_named);
            self.files_named += 1;
            let mut file = self.layout.start(name)?;
            loop {
                let layout = Arc::clone(&self.layout);
                let job = move || encode(rows, file, &layout, at_once);
                let (left, open, bytes) = self.table.env().pools.run(job).await??;
                (rows, file) = (left, open);
                file.put(&self.table, &self.dir, bytes).await?;
                if rows.ended() || file.bytes_written() >= self.layout.target_bytes() {
                    break;
                }
            }
            self.files.push(file.finish(&self.layout, &self.dir).await?);
        }
        match rows {
            Rows::Sorted { source, .. } => {
                self.rows_older = self.rows_older.saturating_add(source.older_rows());
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
        self.merges_little = false;
        let held = std::mem::take(&mut self.held);
        match &mut self.buffer {
            Buffer::Sorted(..) => match self.take_sorted(held) {
                None => Ok(None),
                Some(source) => {
                    let job = move || started(source.open()?);
                    Ok(Some(self.table.env().pools.run(job).await??))
                }
            },
            Buffer::Waiting(rows) if rows.is_empty() => Ok(None),
            Buffer::Waiting(rows) => Ok(Some(Rows::Waiting(rows.drain(ENCODE_ROWS).into()))),
            Buffer::Plain(batches, _) if batches.is_empty() && held.is_empty() => Ok(None),
            Buffer::Plain(batches, bytes) => {
                *bytes = 0;
                let batches = std::mem::take(batches).into();
                let spilled = held
                    .into_iter()
                    .filter_map(|held| match held {
                        Held::Disk(spilled) => Some(spilled.read()),
                        Held::Memory(..) => None,
                    })
                    .collect();
                let (mut source, next_sequence) = (Plain { spilled, batches }, self.next_sequence);
                let job = move || {
                    let next = source.next_batch()?;
                    Ok::<_, Error>(Rows::Plain { source, next, next_sequence })
                };
                Ok(Some(self.table.env().pools.run(job).await??))
            }
        }
    }

    /// The rows of the buffer after those held, if there are any.
    fn take_sorted(&mut self, held: Vec<Held>) -> Option<Unopened> {
        let Buffer::Sorted(buffer, merging) = &mut self.buffer else { return None };
        if buffer.is_empty() && held.is_empty() {
            return None;
        }
        let buffer = std::mem::replace(buffer, merging.buffer());
        let (merging, layout) = (Arc::clone(merging), Arc::clone(&self.layout));
        Some(Unopened { held, buffer, merging, layout })
    }
}

/// Rows of a bucket that are to be merged.
struct Unopened {
    held: Vec<Held>,
    buffer: SortBuffer,
    merging: Arc<Merging>,
    layout: Arc<FileLayout>,
}

impl Unopened {
    /// Sorts the buffer. On a CPU thread.
    fn open(self) -> Result<Sorted> {
        let Self { held, mut buffer, merging, layout } = self;
        let drain = (!buffer.is_empty()).then(|| drain(&mut buffer, &merging)).transpose()?;
        let older = Arc::new(AtomicU64::new(0));
        let mut runs: Vec<Box<dyn RunReader>> = Vec::with_capacity(held.len() + 1);
        for held in held {
            runs.push(match held {
                Held::Memory(batches, _) => Box::new(BatchesRun::new(batches)),
                Held::Disk(spilled) => Box::new(SpilledRun {
                    reader: spilled.read(),
                    merging: Arc::clone(&merging),
                    layout: Arc::clone(&layout),
                }),
            });
        }
        match drain {
            Some(drain) if runs.is_empty() => return Ok(Sorted::Buffer(drain)),
            Some(drain) => runs.push(Box::new(BufferRun { drain, older: Arc::clone(&older) })),
            None => {}
        }
        Ok(Sorted::Merged(Box::new(merging.merge(runs, ENCODE_ROWS)), older))
    }
}

fn drain(buffer: &mut SortBuffer, merging: &Merging) -> Result<Box<Drain>, LsmError> {
    let row_bytes = (buffer.memory_size() / buffer.rows().max(1)).max(1);
    let picked = (PICKED_BYTES / row_bytes).clamp(1, PICKED_ROWS);
    Ok(Box::new(buffer.drain(Arc::clone(&merging.function), picked)?))
}

/// Columns of a spilled run.
fn spilled_schema(layout: &FileLayout) -> SchemaRef {
    let values = layout.value_schema();
    let system = [arrow_field(&sequence_field()), arrow_field(&kind_field())].map(Arc::new);
    let fields: Vec<_> = system.into_iter().chain(values.fields().iter().cloned()).collect();
    Arc::new(Schema::new(fields))
}

/// What a batch in memory takes besides its cells: arrays, buffers and schemas have a size of their
/// own, which counts where there are many small ones.
fn batch_bytes(batch: &RecordBatch) -> usize {
    record_batch_size(batch) + batch_overhead(batch)
}
