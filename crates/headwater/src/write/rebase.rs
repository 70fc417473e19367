//! Numbers the rows of uncommitted files anew, above what another writer has committed.
//!
//! Rules: `docs/adr/0005-sequence-rebase.md`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use headwater_format::{FileFormat, open};
use headwater_spec::DataFileMeta;

use super::commit::CommitMessage;
use super::file::FileLayout;
use crate::error::{Error, Result};
use crate::table::Table;

/// Rows per batch while copying.
const COPY_ROWS: usize = 8192;

/// Rewrites the files of `message` with sequence numbers above `committed`; returns the old ones,
/// which stay where they are.
pub(super) async fn renumber(
    table: &Table,
    message: &mut CommitMessage,
    committed: i64,
) -> Result<Vec<DataFileMeta>> {
    let Some(first) = message.files.iter().map(|f| f.min_sequence_number).min() else {
        return Ok(Vec::new());
    };
    let last = message.files.iter().map(|f| f.max_sequence_number).max().unwrap_or(first);
    let shift = committed.checked_add(1).and_then(|next| next.checked_sub(first));
    let Some(shift) = shift.filter(|shift| last.checked_add(*shift).is_some()) else {
        return Err(Error::Request {
            table: table.name().to_owned(),
            reason: format!("its sequence numbers are used up: {committed} is committed"),
        });
    };
    let layout = Arc::new(FileLayout::new(table)?);
    let uuid = table.env().random.uuid();
    let mut files = Vec::with_capacity(message.files.len());
    for (counter, file) in (0_u64..).zip(&message.files) {
        let name = layout.file_name(&uuid, counter);
        files.push(copy(table, &layout, (&message.dir, name), file, shift).await?);
    }
    Ok(std::mem::replace(&mut message.files, files))
}

async fn copy(
    table: &Table,
    layout: &Arc<FileLayout>,
    (dir, name): (&str, String),
    file: &DataFileMeta,
    shift: i64,
) -> Result<DataFileMeta> {
    let path = table.store().path(&format!("{dir}/{}", file.file_name));
    let size = u64::try_from(file.file_size).unwrap_or(0);
    let format = FileFormat::of_file(&file.file_name)?;
    let reader = open(Arc::clone(table.store().io()), &path, size, format).await?;
    let mut target = layout.start(name)?;
    for unit in 0..reader.units() {
        let mut decoder = reader.fetch(unit, &layout.fields).await?;
        loop {
            let layout = Arc::clone(layout);
            let job = move || {
                let batch = decoder.next(COPY_ROWS)?;
                let Some(batch) = batch else { return Ok::<_, Error>((decoder, target, None)) };
                let system = layout.fields.len() - layout.value_columns();
                let (keys, values) = (system - 2, batch.columns().len() - system);
                let numbers = batch.column(keys).as_primitive::<Int64Type>();
                let shifted: Int64Array = numbers.unary(|n| n.saturating_add(shift));
                let sequence: ArrayRef = Arc::new(shifted);
                let kinds = Arc::clone(batch.column(keys + 1));
                let columns = batch.columns().iter().skip(system).map(Arc::clone).collect();
                debug_assert_eq!(values, layout.value_columns());
                let rows = RecordBatch::try_new(layout.value_schema(), columns)?;
                let bytes = target.add_sorted(&layout, &sequence, &kinds, &rows)?;
                Ok((decoder, target, Some(bytes)))
            };
            let (left, open, bytes) = table.env().pools.run(job).await??;
            (decoder, target) = (left, open);
            match bytes {
                None => break,
                Some(bytes) => target.put(table, dir, bytes).await?,
            }
        }
    }
    let copied = target.finish(layout, dir).await?;
    Ok(DataFileMeta { level: file.level, ..copied })
}
