//! DELETE, UPDATE and MERGE: a query finds the rows and computes the new ones, the library writes
//! them, in one commit.
//!
//! Every statement becomes one query over the table (`statement.rs`), in which each row has a
//! number (`target.rs`), and branches that say what becomes of a row of the query (`run.rs`). In a
//! table with a primary key rows go and change by rows that are newer; in one without, the files
//! that hold them are written anew (`rewrite.rs`).

mod allowed;
mod delete;
mod guard;
mod marks;
mod merge;
mod rewrite;
mod run;
mod sides;
mod statement;
mod target;
mod update;

pub(crate) use self::delete::delete;
pub(crate) use self::merge::merge;
pub(crate) use self::statement::Change;
pub(crate) use self::target::{TARGET_CATALOG, Target};
pub(crate) use self::update::update;
