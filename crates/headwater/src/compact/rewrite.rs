//! Writes the rows of some files anew.

use std::sync::Arc;

use arrow::array::ArrayRef;
use bytes::Bytes;
use headwater_lsm::{KeyValueBatch, Sections};
use headwater_metadata::plan::partition_values;
use headwater_spec::DataFileMeta;

use super::bucket::Place;
use super::progress::CompactionProgress;
use crate::error::{Error, Result};
use crate::read::assemble::Assembler;
use crate::read::expiry::Expiry;
use crate::read::file::{Unit, Wanted};
use crate::read::sections::{SectionMerge, SectionRead};
use crate::table::Table;
use crate::write::file::{FileLayout, OpenDataFile};
use crate::write::remove_files;

/// Rows that are merged or copied at once.
const BATCH_ROWS: usize = 8192;

/// New files of a bucket, one after the other, rolling at the table's target size.
pub(super) struct Output<'a> {
    table: &'a Table,
    dir: &'a str,
    layout: Arc<FileLayout>,
    /// Makes whole rows: as everywhere, partition columns come from the manifest, not from files.
    assembler: Arc<Assembler>,
    uuid: String,
    progress: Option<&'a CompactionProgress>,
    named: u64,
    open: Option<OpenDataFile>,
    files: Vec<DataFileMeta>,
    rows_older: u64,
}

/// What was written.
pub(super) struct Written {
    pub(super) files: Vec<DataFileMeta>,
    /// Merged records that came after a newer one of their key.
    pub(super) rows_older: u64,
}

impl<'a> Output<'a> {
    pub(super) fn new(
        table: &'a Table,
        place: &'a Place,
        level: i32,
        progress: Option<&'a CompactionProgress>,
    ) -> Result<Self> {
        let values = partition_values(&place.partition, &table.partition_types()?)?;
        Ok(Self {
            table,
            dir: &place.dir,
            assembler: Arc::new(Assembler::new(&table.new_read(), &values)),
            layout: Arc::new(FileLayout::compacted(table, level)?),
            uuid: table.env().random.uuid(),
            progress,
            named: 0,
            open: None,
            files: Vec::new(),
            rows_older: 0,
        })
    }

    /// Merges sections into files. What was written is removed after an error.
    pub(super) async fn merge(
        mut self,
        sections: Sections,
        seen: &[DataFileMeta],
        drop_deletes: bool,
    ) -> Result<Written> {
        let done = self.merge_sections(sections, seen, drop_deletes).await;
        self.ended(done).await
    }

    /// Copies the rows of files of a table without a primary key, in this order, numbered from the
    /// first row of the first file on. What was written is removed after an error.
    pub(super) async fn copy(mut self, files: &[DataFileMeta]) -> Result<Written> {
        let done = self.copy_files(files).await;
        self.ended(done).await
    }

    async fn ended(self, done: Result<()>) -> Result<Written> {
        match done {
            Ok(()) => Ok(Written { files: self.files, rows_older: self.rows_older }),
            Err(error) => {
                remove_files(self.table, self.dir, &self.files).await;
                Err(error)
            }
        }
    }

    async fn merge_sections(
        &mut self,
        sections: Sections,
        seen: &[DataFileMeta],
        drop_deletes: bool,
    ) -> Result<()> {
        let table = self.table;
        let wanted = Wanted::all(table, self.dir, Vec::new());
        let expiry = Expiry::of(table);
        let read = SectionRead {
            sections,
            fields: expiry.fields_beside(self.assembler.stored_fields()),
            seen: seen.to_vec(),
            numbers: true,
            kinds: true,
            drop_deletes,
            batch_rows: BATCH_ROWS,
        };
        let mut merge = SectionMerge::new(table, (wanted.clone(), wanted), read)?;
        // A row whose time is over may hide an older one whose time is not: only where nothing older
        // can be is it left out.
        let expiry = Arc::new(drop_deletes.then_some(expiry));
        while merge.open()? {
            let (layout, expiry) = (Arc::clone(&self.layout), Arc::clone(&expiry));
            let assembler = Arc::clone(&self.assembler);
            let mut open = self.open.take();
            let mut name = self.next_name();
            let job = move || {
                let mut bytes = Vec::new();
                while let Some(batch) = merge.next_batch()? {
                    let batch = match expiry.as_ref() {
                        Some(expiry) => live(expiry, batch)?,
                        None => batch,
                    };
                    if batch.is_empty() {
                        continue;
                    }
                    let mut file = match open.take() {
                        Some(file) => file,
                        None => layout.start(std::mem::take(&mut name))?,
                    };
                    let KeyValueBatch { sequence, kinds, values, .. } = batch;
                    let values = assembler.assemble(values.columns(), None, values.num_rows())?;
                    let (sequence, kinds): (ArrayRef, ArrayRef) =
                        (Arc::new(sequence), Arc::new(kinds));
                    bytes = file.add_sorted(&layout, &sequence, &kinds, &values)?;
                    let full = file.bytes_written() >= layout.target_bytes();
                    open = Some(file);
                    if full || !bytes.is_empty() {
                        break;
                    }
                }
                Ok::<_, Error>((merge, open, bytes))
            };
            let (left, file, bytes) = table.env().pools.run(job).await??;
            merge = left;
            self.put(file, bytes).await?;
        }
        self.rows_older = merge.older_rows();
        self.close().await
    }

    async fn copy_files(&mut self, files: &[DataFileMeta]) -> Result<()> {
        let table = self.table;
        let mut sequence = files.first().map_or(0, |file| file.min_sequence_number);
        let fields = self.assembler.stored_fields();
        let mut units = Wanted::all(table, self.dir, fields).fetch(files.to_vec());
        while let Some(unit) = units.next().await {
            let mut unit = Some(unit?);
            while let Some(mut current) = unit.take() {
                let (layout, assembler) = (Arc::clone(&self.layout), Arc::clone(&self.assembler));
                let mut open = self.open.take();
                let mut name = self.next_name();
                let job = move || {
                    let mut bytes = Vec::new();
                    let mut ended = true;
                    while let Some(batch) = current.next_batch(BATCH_ROWS)? {
                        let batch = assembler.assemble(batch.columns(), None, batch.num_rows())?;
                        let mut file = match open.take() {
                            Some(file) => file,
                            None => layout.start(std::mem::take(&mut name))?,
                        };
                        bytes = file.add_plain(&layout, sequence, &batch)?;
                        sequence = sequence
                            .saturating_add(i64::try_from(batch.num_rows()).unwrap_or(i64::MAX));
                        let full = file.bytes_written() >= layout.target_bytes();
                        open = Some(file);
                        if full || !bytes.is_empty() {
                            ended = false;
                            break;
                        }
                    }
                    let left: Option<Unit> = (!ended).then_some(current);
                    Ok::<_, Error>((left, open, bytes, sequence))
                };
                let (left, file, bytes, next) = table.env().pools.run(job).await??;
                (unit, sequence) = (left, next);
                self.put(file, bytes).await?;
            }
        }
        self.close().await
    }

    fn next_name(&self) -> String {
        self.layout.file_name(&self.uuid, self.named)
    }

    /// Stores bytes, and ends the file if it is full.
    async fn put(&mut self, file: Option<OpenDataFile>, bytes: Vec<Bytes>) -> Result<()> {
        let Some(mut file) = file else { return Ok(()) };
        if let Some(progress) = self.progress {
            let stored = bytes.iter().map(Bytes::len).sum::<usize>();
            progress.write(u64::try_from(stored).unwrap_or(0));
        }
        file.put(self.table, self.dir, bytes).await?;
        let full = file.bytes_written() >= self.layout.target_bytes();
        self.open = Some(file);
        if full { self.close().await } else { Ok(()) }
    }

    async fn close(&mut self) -> Result<()> {
        if let Some(file) = self.open.take() {
            self.files.push(file.finish(&self.layout, self.dir).await?);
            self.named += 1;
        }
        Ok(())
    }
}

/// The records whose time is not over.
fn live(expiry: &Expiry, batch: KeyValueBatch) -> Result<KeyValueBatch> {
    match expiry.mask(&batch.values)? {
        None => Ok(batch),
        Some(live) => Ok(batch.filtered(&live)?),
    }
}
