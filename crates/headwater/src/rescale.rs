//! Rows of partitions are written anew, in another number of buckets.
//!
//! One overwrite replaces what was read; a commit in between that changed these rows makes it a
//! conflict. The table's option `bucket` stays as it is. Rules: `docs/spec/bucket.md#rescaling`. Source:
//! Paimon 1.4.2 `RescaleAction` of Flink, `RescaleProcedure` of Spark.

use std::collections::HashSet;

use futures::StreamExt;
use headwater_metadata::plan::{EntryFilter, partition_values};
use headwater_spec::options::MergeEngine;

use crate::compact::PartitionSpec;
use crate::error::{Error, Result};
use crate::table::Table;

/// Partitions that get another number of buckets, to be run once.
#[derive(Debug, Clone)]
pub struct Rescale {
    table: Table,
    user: Option<String>,
    buckets: Option<u32>,
    partitions: Vec<PartitionSpec>,
}

/// What a rescale did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RescaleOutcome {
    /// The snapshot that replaced the rows; `None` if the partitions have none.
    pub snapshot_id: Option<i64>,
    /// Partitions that were written anew.
    pub partitions: usize,
    /// Rows that were written.
    pub rows: u64,
    /// The number of buckets that they have now.
    pub buckets: u32,
}

impl Rescale {
    pub(crate) const fn new(table: Table) -> Self {
        Self { table, user: None, buckets: None, partitions: Vec::new() }
    }

    /// Names the job in its snapshot; default: a random name, after `commit.user-prefix`.
    #[must_use]
    pub fn commit_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Into so many buckets each; without it as the option `bucket` of the table says.
    #[must_use]
    pub const fn buckets(mut self, buckets: u32) -> Self {
        self.buckets = Some(buckets);
        self
    }

    /// Only these partitions; without any, the whole table.
    #[must_use]
    pub fn partitions(mut self, partitions: Vec<PartitionSpec>) -> Self {
        self.partitions = partitions;
        self
    }

    /// Writes the rows anew.
    ///
    /// # Errors
    /// The table cannot be written, or has no numbers of buckets that could change; another commit
    /// changed the rows meanwhile (a conflict: nothing was changed, and nothing of the other commit is
    /// lost).
    pub async fn run(self) -> Result<RescaleOutcome> {
        let table = &self.table;
        table.check_writable()?;
        let buckets = self.count()?;
        let mut outcome = RescaleOutcome { buckets, ..RescaleOutcome::default() };
        let compaction = table.new_compaction().partitions(self.partitions.clone());
        let predicate = compaction.predicate()?;
        let Some(snapshot) = table.store().latest_snapshot().await? else { return Ok(outcome) };
        let types = table.partition_types()?;
        let filter = EntryFilter {
            partition: predicate.clone(),
            real_buckets_only: true,
            ..EntryFilter::default()
        };
        let (live, _) = table.store().live_entries(&snapshot, &types, &filter).await?;
        let unread = |level| table.options().merge.engine == MergeEngine::FirstRow && level == 0;
        if table.has_primary_key() && live.iter().any(|entry| unread(entry.file.level)) {
            return self.refuse(
                "rows of 'merge-engine' = 'first-row' that no compaction has taken up are not read \
                 and would be lost: compact it first",
            );
        }
        outcome.partitions =
            live.iter().map(|entry| &entry.partition).collect::<HashSet<_>>().len();
        if outcome.partitions == 0 {
            return Ok(outcome);
        }
        let mut schema = table.schema().clone();
        schema.options.insert("bucket", buckets.to_string());
        let rescaled = table.reopened(schema, None)?;
        let mut write = rescaled.new_write().replacing(predicate.clone());
        if let Some(user) = &self.user {
            write = write.commit_user(user.clone());
        }
        let mut write = write.computed_from(snapshot.id).build()?;
        let source = table.reopened(table.schema().clone(), Some(snapshot))?;
        let read = source.new_read();
        for split in read.plan().await?.splits {
            let values = partition_values(&split.partition, &types)?;
            let inside = predicate.as_ref();
            if inside.is_some_and(|p| !p.matches(&|i| values.get(i).cloned().flatten())) {
                continue;
            }
            let mut rows = read.read(&split)?;
            while let Some(batch) = rows.next().await {
                let written = match batch {
                    Ok(batch) => write.write_stored(&batch, None).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = written {
                    write.abort().await;
                    return Err(error);
                }
            }
        }
        let done = write.commit_batch().await?;
        outcome.snapshot_id = done.snapshot_id;
        outcome.rows = done.rows;
        Ok(outcome)
    }

    /// The number of buckets that there will be.
    fn count(&self) -> Result<u32> {
        let bucket = self.table.options().bucket;
        let own = u32::try_from(bucket).ok().filter(|n| *n > 0);
        if own.is_none() && !self.table.has_postponed_buckets() {
            return self.refuse(
                "only tables with a fixed number of buckets or with postponed ones ('bucket' = '-2') \
                 can be rescaled, it has 'bucket' = '-1'",
            );
        }
        match self.buckets.or(own) {
            Some(n) if i32::try_from(n).is_ok_and(|n| n > 0) => Ok(n),
            Some(n) => self.refuse(&format!("{n} is not a number of buckets: 1 or more")),
            None => self.refuse("its buckets are postponed: say how many buckets there shall be"),
        }
    }

    fn refuse<T>(&self, reason: &str) -> Result<T> {
        Err(Error::Request { table: self.table.name().to_owned(), reason: reason.to_owned() })
    }
}
