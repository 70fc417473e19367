//! Rows with kinds from files: inserted, updated, deleted, as another system recorded them.
//!
//! `table.rs` is such a file as a table, `column.rs` takes the kinds from a column, `records.rs` reads
//! the formats of change data capture, `envelope.rs` knows what their records mean. `kinds.rs` carries the kinds through a query to the
//! INSERT that writes them: they are a column behind the others that no query can name.

mod column;
mod dead_letters;
mod envelope;
mod kinds;
mod records;
mod table;

pub(crate) use self::dead_letters::DeadLetters;
pub(crate) use self::envelope::Envelope;
pub(crate) use self::kinds::{kinds_of, refuse_changelogs, with_kinds};
pub(crate) use self::records::Records;
pub(crate) use self::table::ChangelogTable;
