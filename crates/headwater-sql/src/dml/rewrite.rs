//! Tables without a primary key: the files that hold rows which go are written anew without them.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use futures::TryStreamExt;
use headwater::{Split, Table, TableWrite};

use super::marks::Marks;
use super::target::first_number;
use crate::error::SqlError;

/// Takes the files with marked rows out of the table and writes their other rows again. Files
/// without such rows are not touched; files without other rows are not read.
pub(super) async fn rewrite(
    table: &Table,
    files: &[Split],
    gone: &Marks,
    write: &mut TableWrite,
) -> Result<(), SqlError> {
    for (at, file) in files.iter().enumerate() {
        let rows: i64 = file.files().map(|f| f.row_count).sum();
        let first = first_number(at);
        let end = first.saturating_add(u64::try_from(rows).unwrap_or(0));
        let marked = gone.count(first, end);
        if marked == 0 {
            continue;
        }
        write.remove_files(file)?;
        if marked == end - first {
            continue;
        }
        let mut next = first;
        let mut batches = table.new_read().read(file)?;
        while let Some(batch) = batches.try_next().await? {
            let rest = unmarked(&batch, next, gone)?;
            next = next.saturating_add(u64::try_from(batch.num_rows()).unwrap_or(0));
            if rest.num_rows() > 0 {
                write.write_stored(&rest, None).await?;
            }
        }
        if next != end {
            return Err(SqlError::invalid(format!(
                "a file of table {} gave {} rows, {} are recorded",
                table.name(),
                next - first,
                end - first
            )));
        }
    }
    Ok(())
}

/// The rows that are not marked; the first one has number `first`.
fn unmarked(batch: &RecordBatch, first: u64, gone: &Marks) -> Result<RecordBatch, SqlError> {
    let keep: BooleanArray =
        (first..).take(batch.num_rows()).map(|number| Some(!gone.contains(number))).collect();
    filter_record_batch(batch, &keep).map_err(|e| SqlError::invalid(e.to_string()))
}
