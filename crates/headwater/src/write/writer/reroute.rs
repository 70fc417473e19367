//! Another commit gave keys their buckets: the rows that wait for a commit get theirs anew.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use headwater_format::{FileFormat, open};
use headwater_spec::{BinaryRow, DataFileMeta};

use super::TableWrite;
use crate::error::{Error, Result};
use crate::write::commit::CommitMessage;
use crate::write::remove_files;

/// Rows per batch while reading them back.
const READ_ROWS: usize = 8192;

impl TableWrite {
    /// Writes the waiting rows of these partitions once more, by the index that is there now.
    /// `keep`: a commit of their files may have happened.
    ///
    /// Rows of a key lie in files of one bucket, in the order in which they came, so they keep it.
    pub(super) async fn reroute(&mut self, partitions: &[BinaryRow], keep: bool) -> Result<()> {
        // Until all rows have their place again, an error leaves some behind.
        self.broken = true;
        let (again, others): (Vec<_>, Vec<_>) =
            self.pending.drain(..).partition(|message| partitions.contains(&message.partition));
        self.pending = others;
        self.forget(|partition| partitions.contains(partition));
        if let Some(dynamic) = &mut self.dynamic {
            dynamic.forget(partitions, keep).await;
        }
        let taken = self.take_all_back(&again).await;
        if taken.is_err() {
            // For those who give the write up.
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

    async fn take_all_back(&mut self, again: &[CommitMessage]) -> Result<()> {
        for message in again {
            for file in &message.files {
                self.take_back(&message.dir, file).await?;
            }
        }
        self.broken = false;
        self.flush_all().await
    }

    async fn take_back(&mut self, dir: &str, file: &DataFileMeta) -> Result<()> {
        let path = self.table.store().path(&format!("{dir}/{}", file.file_name));
        let size = u64::try_from(file.file_size).unwrap_or(0);
        let format = FileFormat::of_file(&file.file_name)?;
        let io = Arc::clone(self.table.store().io());
        let reader = open(io, &path, size, format).await?;
        let layout = Arc::clone(&self.layout);
        let system = layout.fields.len() - layout.value_columns();
        for unit in 0..reader.units() {
            let mut decoder = reader.fetch(unit, &layout.fields).await?;
            loop {
                let job = move || Ok::<_, Error>((decoder.next(READ_ROWS)?, decoder));
                let (batch, left) = self.table.env().pools.run(job).await??;
                decoder = left;
                let Some(batch) = batch else { break };
                let columns: Vec<ArrayRef> = batch.columns().to_vec();
                let kinds = columns.get(system - 1).map(|kinds| kinds.as_primitive().clone());
                let rows: Vec<ArrayRef> = columns.into_iter().skip(system).collect();
                let rows = RecordBatch::try_new(self.table.arrow_schema(), rows)?;
                self.take((rows, kinds)).await?;
                self.broken = true;
            }
        }
        Ok(())
    }
}
