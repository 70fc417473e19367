//! Kinds of rows that a column of the table says: the option `rowkind.field`.
//!
//! Source: Paimon 1.4.2 `RowKindGenerator`.

use arrow::array::{Array, AsArray, Int8Array, RecordBatch};
use headwater_spec::TableSchema;

use crate::error::{Error, Result};
use crate::table::Table;

/// The position of the column with the kinds, if there is one.
pub(super) fn kind_column(schema: &TableSchema) -> Option<usize> {
    let name = schema.option("rowkind.field").filter(|name| !name.is_empty())?;
    schema.fields.iter().position(|field| field.name == name)
}

/// The kinds that the column says.
pub(super) fn kinds_of_column(
    table: &Table,
    batch: &RecordBatch,
    column: usize,
) -> Result<Int8Array> {
    let fail = |found: String| Error::Value {
        table: table.name().to_owned(),
        column: batch.schema().field(column).name().clone(),
        reason: format!("{found} is no kind of a row ('rowkind.field'): +I, -U, +U, -D are"),
    };
    let Some(texts) = batch.column(column).as_string_opt::<i32>() else {
        return Err(fail("a value that is no text".to_owned()));
    };
    let mut kinds = Vec::with_capacity(texts.len());
    for text in texts {
        kinds.push(match text {
            Some("+I") => 0_i8,
            Some("-U") => 1,
            Some("+U") => 2,
            Some("-D") => 3,
            Some(other) => return Err(fail(format!("'{other}'"))),
            None => return Err(fail("null".to_owned())),
        });
    }
    Ok(Int8Array::from(kinds))
}
