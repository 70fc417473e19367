//! How a table is written: by whom, adding or replacing.

use headwater_spec::Datum;
use headwater_spec::predicate::Predicate;

use super::postpone::Postpone;
use super::writer::TableWrite;
use crate::error::Result;
use crate::table::Table;

/// What happens to rows that are there already.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Overwrite {
    /// They stay; with a primary key, newer rows win.
    #[default]
    None,
    /// Rows of the given partitions go: partition column and value, all columns or the first few
    /// or none (the whole table). All new rows must lie inside.
    Static(Vec<(String, Option<Datum>)>),
    /// Rows of those partitions go that new rows come for.
    Dynamic,
}

/// A write to be started.
#[derive(Debug, Clone)]
pub struct WriteBuilder {
    table: Table,
    user: Option<String>,
    once: bool,
    overwrite: Overwrite,
    read_snapshot: Option<i64>,
    changes: Option<Changes>,
    streaming: bool,
    replaced: Option<Predicate>,
}

/// What a write that changes rows of the table was computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) snapshot_id: i64,
    pub(super) whole_table: bool,
}

impl WriteBuilder {
    pub(crate) const fn new(table: Table) -> Self {
        Self {
            table,
            user: None,
            once: false,
            overwrite: Overwrite::None,
            read_snapshot: None,
            changes: None,
            streaming: false,
            replaced: None,
        }
    }

    /// Names the writing job. A commit that is repeated with the same user and identifier can be
    /// recognised; default: a random name, after `commit.user-prefix`.
    #[must_use]
    pub fn commit_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// For a job that may run twice, even at a time, under the same [`Self::commit_user`], and is to
    /// write once: a commit is refused with `AlreadyCommitted` if a snapshot of the user has its
    /// identifier or a later one. Known as long as the snapshot is there.
    #[must_use]
    pub const fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Replaces rows instead of adding to them.
    #[must_use]
    pub fn overwrite(mut self, overwrite: Overwrite) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Replaces the rows of partitions that match; columns count among the partition columns. Without a
    /// predicate the whole table.
    pub(crate) fn replacing(mut self, partitions: Option<Predicate>) -> Self {
        self.overwrite = Overwrite::Static(Vec::new());
        self.replaced = partitions;
        self
    }

    /// For an overwrite with rows that were computed from the table itself: the snapshot that was
    /// read, 0 if the table had none. A commit after it that changed rows which the overwrite
    /// replaces makes this commit a conflict; without this such rows are replaced unread.
    #[must_use]
    pub const fn computed_from(mut self, snapshot_id: i64) -> Self {
        self.read_snapshot = Some(snapshot_id);
        self
    }

    /// For rows that change others of the table: the snapshot that these were read from, 0 if the
    /// table had none. If another commit changed rows since, this commit is a conflict:
    /// - rows with the primary key, in the buckets that this write adds rows to: with the larger
    ///   sequence numbers, the rows computed from the older state would win;
    /// - with `whole_table`, because the changes depend on other rows too: any row.
    ///
    /// Not for an overwrite.
    #[must_use]
    pub const fn changing(mut self, snapshot_id: i64, whole_table: bool) -> Self {
        self.changes = Some(Changes { snapshot_id, whole_table });
        self
    }

    /// For a job without end, which commits again and again: rows of a table that postpones its
    /// buckets ('bucket' = '-2') wait for a compaction then, whatever
    /// `postpone.batch-write-fixed-bucket` says.
    #[must_use]
    pub const fn streaming(mut self) -> Self {
        self.streaming = true;
        self
    }

    /// Starts the write.
    ///
    /// # Errors
    /// The table has a feature that this version cannot write without harm, or the overwrite names
    /// something that is not a partition column.
    pub fn build(self) -> Result<TableWrite> {
        self.table.check_writable()?;
        let user = self.user.unwrap_or_else(|| self.table.random_user());
        let postpone = match Postpone::of(&self.table)? {
            Some(_) if self.streaming => Some(Postpone::Waiting),
            postpone => postpone,
        };
        TableWrite::new(self.table, user, self.overwrite, self.read_snapshot, self.changes)?
            .postponing(postpone)
            .map(|write| write.once(self.once).replacing(self.replaced))
    }
}
