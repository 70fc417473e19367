//! Canonical JSON lines of rows: the same rows give the same bytes in every engine.
//!
//! Whole batches are encoded; the Arrow type of each column is what `docs/spec/schema.md#types`
//! says for its declared type. The texts follow `compat/oracle/README.md#canonical-json`, class
//! `oracle.Canon`, which prints dates as Java's `LocalDate` and the other times with `%0Nd`.

mod calendar;
mod column;

use arrow::array::Int8Array;
use arrow::record_batch::RecordBatch;
use headwater_spec::{DataField, SpecError};

use column::Column;

/// The kinds of rows by their stored number.
const KINDS: [&str; 4] = ["+I", "-U", "+U", "-D"];

/// Lines of a result, sorted when they are written.
#[derive(Debug, Default)]
pub struct Lines {
    text: Vec<u8>,
    /// End of each line in `text`, without line feeds.
    ends: Vec<usize>,
}

impl Lines {
    /// Adds one line per row of `batch`; `kinds` holds the rows' stored kinds, all `+I` without.
    ///
    /// # Errors
    /// [`SpecError::Value`] names a column whose array does not have its declared type.
    pub fn add(
        &mut self,
        batch: &RecordBatch,
        fields: &[DataField],
        kinds: Option<&Int8Array>,
    ) -> Result<(), SpecError> {
        if batch.num_columns() != fields.len() {
            return Err(SpecError::Value {
                column: String::new(),
                reason: format!("{} columns read, {} declared", batch.num_columns(), fields.len()),
            });
        }
        let columns = fields
            .iter()
            .zip(batch.columns())
            .map(|(field, array)| Ok((column::name(&field.name), Column::new(field, array)?)))
            .collect::<Result<Vec<_>, SpecError>>()?;
        for row in 0..batch.num_rows() {
            let kind = kinds.map_or(0, |kinds| kinds.value(row));
            let kind =
                usize::try_from(kind).ok().and_then(|kind| KINDS.get(kind)).ok_or_else(|| {
                    SpecError::Value {
                        column: "kind".to_owned(),
                        reason: format!("{kind} is not the kind of a row"),
                    }
                })?;
            self.text.extend_from_slice(b"{\"kind\":\"");
            self.text.extend_from_slice(kind.as_bytes());
            self.text.extend_from_slice(b"\",\"row\":");
            column::row(&columns, row, &mut self.text);
            self.text.push(b'}');
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// The lines in the order of their unsigned bytes; equal lines repeat.
    #[must_use]
    pub fn sorted(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let mut lines: Vec<&[u8]> =
            starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end]).collect();
        lines.sort_unstable();
        lines
    }
}

#[cfg(test)]
mod tests;
