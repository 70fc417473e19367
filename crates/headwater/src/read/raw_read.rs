//! Reads splits whose files need no merge: file by file, unit by unit.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int8Array};
use futures::StreamExt;
use futures::stream;
use headwater_lsm::INSERT;
use headwater_spec::DataFileMeta;

use super::assemble::Assembler;
use super::builder::ReadBuilder;
use super::expiry::Expiry;
use super::file::{Unit, Units, Wanted};
use super::split::Split;
use super::stream::RowStream;
use crate::error::Result;

pub(super) fn read(read: &ReadBuilder, split: &Split, files: &[DataFileMeta]) -> Result<RowStream> {
    let assembler = Assembler::new(read, split.partition_values());
    let expiry = Expiry::of(&read.table);
    let fields = expiry.fields_beside(assembler.stored_fields());
    let wanted = Wanted::new(read, split, fields, |_| true)?;
    let state = State {
        units: wanted.fetch(files.to_vec()),
        current: None,
        assembler,
        expiry,
        batch_rows: read.batch_rows(),
    };
    let pools = read.table.env().pools.clone();
    let batches = stream::try_unfold(state, move |mut state| {
        let pools = pools.clone();
        async move {
            loop {
                let unit = match state.current.take() {
                    Some(unit) => unit,
                    None => match state.units.next().await {
                        None => return Ok(None),
                        Some(unit) => unit?,
                    },
                };
                let (next, batch) = pools.run(move || state.decode(unit)).await??;
                state = next;
                if let Some(batch) = batch {
                    return Ok(Some((batch, state)));
                }
            }
        }
    });
    Ok(RowStream::new(read.schema(), batches.boxed()))
}

struct State {
    units: Units,
    current: Option<Unit>,
    assembler: Assembler,
    expiry: Expiry,
    batch_rows: usize,
}

impl State {
    fn decode(mut self, mut unit: Unit) -> Result<(Self, Option<arrow::array::RecordBatch>)> {
        let first = unit.position();
        let Some(batch) = unit.next_batch(self.batch_rows)? else { return Ok((self, None)) };
        self.current = Some(unit);
        // Without a merge every row is an insert: Java does not look at stored kinds here.
        let kinds: ArrayRef = Arc::new(Int8Array::from_value(INSERT, batch.num_rows()));
        let Some((rows, kinds)) = self.expiry.live(batch, kinds)? else {
            return Ok((self, None));
        };
        let count = rows.num_rows();
        let out = self.assembler.assemble_at(rows.columns(), Some(kinds), count, first)?;
        Ok((self, Some(out)))
    }
}
