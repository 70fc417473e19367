//! Reads splits whose files share keys: merges the sorted runs of each section.
//!
//! Rules: `docs/spec/scan.md#merge`. Source: Paimon 1.4.2 `MergeFileSplitRead`.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use futures::StreamExt;
use futures::stream;
use headwater_lsm::Sections;
use headwater_spec::DataField;

use super::assemble::Assembler;
use super::builder::ReadBuilder;
use super::expiry::Expiry;
use super::file::Wanted;
use super::sections::{SectionMerge, SectionRead};
use super::split::Split;
use super::stream::RowStream;
use crate::error::Result;

/// Batches that one visit to a CPU thread makes at most.
const BATCHES_PER_JOB: usize = 4;

pub(super) fn read(read: &ReadBuilder, split: &Split, sections: &Sections) -> Result<RowStream> {
    let assembler = Assembler::new(read, split.partition_values());
    let expiry = Expiry::of(&read.table);
    let keys = read.table.schema().trimmed_primary_keys();
    let is_key = |field: &DataField| keys.contains(&field.name);
    let several = Wanted::new(read, split, Vec::new(), is_key)?;
    let single = Wanted::new(read, split, Vec::new(), |_| true)?;
    let merge = SectionRead {
        sections: sections.clone(),
        fields: expiry.fields_beside(assembler.stored_fields()),
        seen: Vec::new(),
        numbers: false,
        kinds: read.row_kind,
        drop_deletes: true,
        batch_rows: read.batch_rows(),
    };
    let merge = SectionMerge::new(&read.table, (several, single), merge)?;
    let merger = Merger { merge, expiry, assembler };
    let pools = read.table.env().pools.clone();
    let state = (merger, VecDeque::new(), false);
    let batches = stream::try_unfold(state, move |(mut merger, mut ready, mut ended)| {
        let pools = pools.clone();
        async move {
            loop {
                if let Some(batch) = ready.pop_front() {
                    return Ok(Some((batch, (merger, ready, ended))));
                }
                if ended || !merger.merge.open()? {
                    return Ok(None);
                }
                (merger, ready, ended) = pools.run(move || merger.work()).await??;
            }
        }
    });
    Ok(RowStream::new(read.schema(), batches.boxed()))
}

/// Merged records as the rows of a read.
struct Merger {
    merge: SectionMerge,
    expiry: Expiry,
    assembler: Assembler,
}

impl Merger {
    /// Makes the next batches of the open section; says whether everything is read.
    fn work(mut self) -> Result<(Self, VecDeque<RecordBatch>, bool)> {
        let mut ready = VecDeque::new();
        while ready.len() < BATCHES_PER_JOB {
            let Some(batch) = self.merge.next_batch()? else { break };
            let kinds: ArrayRef = Arc::new(batch.kinds);
            let Some((values, kinds)) = self.expiry.live(batch.values, kinds)? else {
                continue;
            };
            let rows = values.num_rows();
            let values = values.columns();
            ready.push_back(self.assembler.assemble(values, Some(kinds), rows)?);
        }
        let ended = self.merge.ended();
        Ok((self, ready, ended))
    }
}
