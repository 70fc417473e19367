//! Another commit brought rows after the keys of the table were looked up: the waiting rows get their
//! partitions and buckets anew.
//!
//! Rules: `docs/spec/cross-partition.md#two-writers-here`.

use std::cmp::Ordering;

use arrow::array::{BooleanArray, Int8Array, RecordBatch};
use arrow::compute::filter_record_batch;
use headwater_lsm::{KeyValueBatch, is_retract, key_order, sections};
use headwater_metadata::plan::partition_values;
use headwater_spec::DataType;

use super::TableWrite;
use crate::error::{Error, Result};
use crate::read::assemble::Assembler;
use crate::read::file::Wanted;
use crate::read::sections::{SectionMerge, SectionRead};
use crate::write::commit::CommitMessage;
use crate::write::remove_files;

/// Rows per batch while reading them back.
const READ_ROWS: usize = 8192;

/// Which of the waiting rows are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    Retractions,
    Others,
}

impl TableWrite {
    /// Whether waiting rows can be placed anew after a commit of another; `replaced`: it took rows
    /// out of the table. A row that went to the partition of its key cannot go back then: what its
    /// own was is not known any more.
    pub(super) fn may_place_anew(&self, replaced: bool) -> bool {
        let moves = self.cross.as_ref().is_some_and(|cross| cross.moves_keys());
        !self.target.replaces() && (moves || !replaced)
    }

    /// Writes the waiting rows once more, by the keys that are in the table now. `keep`: a commit of
    /// their files may have happened.
    ///
    /// Where keys move, a key may have left retractions in several buckets, but rows in one only:
    /// so retractions are taken first, and of each bucket what is left of a key. Where they stay, all
    /// rows of a key lie in files of one bucket, in the order in which they came.
    pub(super) async fn place_anew(&mut self, keep: bool) -> Result<()> {
        // Until all rows have their place again, an error leaves some behind.
        self.broken = true;
        let again = std::mem::take(&mut self.pending);
        self.forget(|_| true);
        let mut passes: &[Which] = &[Which::All];
        if let Some(cross) = &mut self.cross {
            cross.forget();
            if cross.moves_keys() {
                passes = &[Which::Retractions, Which::Others];
            }
        }
        let taken = self.take_all_again(&again, passes).await;
        if taken.is_err() {
            // For those who give the write up.
            self.broken = true;
            self.pending.extend(again);
            return taken;
        }
        if !keep {
            for message in &again {
                remove_files(&self.table, &message.dir, &message.files).await;
            }
        }
        Ok(())
    }

    async fn take_all_again(&mut self, again: &[CommitMessage], passes: &[Which]) -> Result<()> {
        for which in passes {
            for message in again {
                self.take_again(message, *which).await?;
            }
        }
        self.broken = false;
        self.flush_all().await
    }

    async fn take_again(&mut self, message: &CommitMessage, which: Which) -> Result<()> {
        let values = partition_values(&message.partition, &self.table.partition_types()?)?;
        let assembler = Assembler::new(&self.table.new_read(), &values);
        let wanted = Wanted::all(&self.table, &message.dir, Vec::new());
        let read = SectionRead {
            sections: match which {
                Which::All => message.files.iter().map(|file| vec![vec![file.clone()]]).collect(),
                _ => self.cut(message)?,
            },
            fields: assembler.stored_fields(),
            seen: Vec::new(),
            numbers: true,
            kinds: true,
            drop_deletes: false,
            batch_rows: READ_ROWS,
        };
        let mut merge = SectionMerge::new(&self.table, (wanted.clone(), wanted), read)?;
        while merge.open()? {
            let assembler = assembler.clone();
            let job = move || {
                let Some(batch) = merge.next_batch()? else { return Ok((merge, None)) };
                let KeyValueBatch { kinds, values, .. } = batch;
                let rows = assembler.assemble(values.columns(), None, values.num_rows())?;
                Ok::<_, Error>((merge, Some(chosen(which, &rows, &kinds)?)))
            };
            let (left, rows) = self.table.env().pools.run(job).await??;
            merge = left;
            if let Some((rows, kinds)) = rows.filter(|(rows, _)| rows.num_rows() > 0) {
                self.take((rows, Some(kinds))).await?;
                self.broken = true;
            }
        }
        // What waits to be handed out keeps its order with the rows of the next pass.
        Ok(())
    }

    /// The files of a bucket, as they must be merged.
    fn cut(&self, message: &CommitMessage) -> Result<headwater_lsm::Sections> {
        let schema = self.table.schema();
        let keys = schema.columns(&schema.trimmed_primary_keys())?;
        let types: Vec<DataType> = keys.into_iter().map(|field| field.data_type).collect();
        let mut keyed = Vec::with_capacity(message.files.len());
        for file in &message.files {
            let range = (file.min_key.to_values(&types)?, file.max_key.to_values(&types)?);
            keyed.push((range, file.clone()));
        }
        let cut = sections(
            keyed,
            |(range, _)| range.0.clone(),
            |(range, _)| range.1.clone(),
            |a, b| key_order(a, b).unwrap_or(Ordering::Equal),
        );
        let files = |run: Vec<(_, _)>| run.into_iter().map(|(_, file)| file).collect();
        Ok(cut.into_iter().map(|runs| runs.into_iter().map(files).collect()).collect())
    }
}

fn chosen(which: Which, rows: &RecordBatch, kinds: &Int8Array) -> Result<(RecordBatch, Int8Array)> {
    if which == Which::All {
        return Ok((rows.clone(), kinds.clone()));
    }
    let wanted = |kind: &i8| is_retract(*kind) == (which == Which::Retractions);
    let mask: BooleanArray = kinds.values().iter().map(|kind| Some(wanted(kind))).collect();
    let kinds: Vec<i8> = kinds.values().iter().copied().filter(wanted).collect();
    Ok((filter_record_batch(rows, &mask)?, Int8Array::from(kinds)))
}
