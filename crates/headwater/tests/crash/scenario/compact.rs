//! Compactions: as a job, and by a writer after its commit.

use std::sync::Arc;

use async_trait::async_trait;
use headwater::io::FileIo;
use headwater::{Env, Error, NewTable, Table};

use super::Scenario;
use crate::run::Left;
use crate::small::{Change, Row, append, check_reachable, keyed, open, read, rows, write};

/// A table with several runs, which are merged.
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) definition: NewTable,
}

pub(crate) fn keyed_job() -> Job {
    Job {
        name: "compact",
        definition: keyed("1").option("write-only", "true").option("target-file-size", "1 b"),
    }
}

pub(crate) fn append_job() -> Job {
    Job { name: "compact small files", definition: append().option("write-only", "true") }
}

fn before() -> [Change; 3] {
    [
        Change::insert(rows(&["a"], 0..4, "x")),
        Change::insert(rows(&["a"], 2..6, "y")),
        Change::insert(rows(&["b"], 0..2, "z")),
    ]
}

async fn compact(table: &Table) -> Result<Option<i64>, Error> {
    Ok(table.new_compaction().full(true).commit_user("job").run().await?.snapshot_id)
}

impl Job {
    fn all(&self) -> Vec<Row> {
        let is_keyed = !self.definition.primary_keys.is_empty();
        before().iter().fold(Vec::new(), |old, change| change.apply(&old, is_keyed))
    }
}

#[async_trait]
impl Scenario for Job {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn prepare(&self, io: &Arc<dyn FileIo>, env: &Env) {
        crate::small::create(io, env, &self.definition).await.unwrap();
        let table = open(io, env).await.unwrap();
        for (id, change) in (1..).zip(before()) {
            write(&table, "writer", id, &change).await.unwrap();
        }
    }

    async fn job(&self, io: &Arc<dyn FileIo>, env: &Env) -> Result<(), Error> {
        compact(&open(io, env).await?).await?;
        Ok(())
    }

    async fn check(&self, left: &Left<'_>) {
        let context = &left.context;
        let table = open(&left.io, &left.env).await.unwrap();
        assert_eq!(read(&table).await.unwrap(), self.all(), "{context}");
        check_reachable(&table).await;
        let done = table.store().latest_snapshot_id().await.unwrap() == Some(4);
        assert!(done || !left.acknowledged, "{context}");
        // Again: what the crash left undone is done, and what is done stays.
        assert_eq!(compact(&table).await.unwrap(), (!done).then_some(4), "{context}");
        assert_eq!(read(&table).await.unwrap(), self.all(), "{context}");
        assert_eq!(compact(&table).await.unwrap(), None, "{context}");
        let more = Change::insert(rows(&["a", "c"], 0..2, "more"));
        write(&table, "writer", 9, &more).await.unwrap();
        let is_keyed = !self.definition.primary_keys.is_empty();
        assert_eq!(read(&table).await.unwrap(), more.apply(&self.all(), is_keyed), "{context}");
        check_reachable(&table).await;
    }
}

/// A commit whose writer compacts its bucket, and waits for it.
pub(crate) struct AfterCommit;

const FATAL: i64 = 100;

fn first() -> Change {
    Change::insert(rows(&["a"], 0..5, "x"))
}

fn fatal() -> Change {
    Change::insert(rows(&["a", "b"], 3..8, "new"))
}

#[async_trait]
impl Scenario for AfterCommit {
    fn name(&self) -> &'static str {
        "commit and compact"
    }

    async fn prepare(&self, io: &Arc<dyn FileIo>, env: &Env) {
        let definition = keyed("1")
            .option("num-sorted-run.compaction-trigger", "2")
            .option("commit.force-compact", "true");
        crate::small::create(io, env, &definition).await.unwrap();
        let table = open(io, env).await.unwrap();
        write(&table, "job", 1, &first()).await.unwrap();
    }

    async fn job(&self, io: &Arc<dyn FileIo>, env: &Env) -> Result<(), Error> {
        let outcome = write(&open(io, env).await?, "job", FATAL, &fatal()).await?;
        // A crash that the compaction met is one of the job.
        match outcome.compaction.failed {
            None => Ok(()),
            Some(reason) => {
                Err(Error::Request { table: "t".to_owned(), reason: format!("died: {reason}") })
            }
        }
    }

    async fn check(&self, left: &Left<'_>) {
        let context = &left.context;
        let old = first().apply(&[], true);
        let new = fatal().apply(&old, true);
        let table = open(&left.io, &left.env).await.unwrap();
        let found = read(&table).await.unwrap_or_else(|e| panic!("{context}: {e}"));
        let done = found == new;
        assert!(done || (found == old && !left.acknowledged), "{context}: {found:?}");
        check_reachable(&table).await;
        let latest = table.store().latest_snapshot_id().await.unwrap().unwrap();
        assert!(latest <= 3 && (latest == 3 || !left.acknowledged), "{context}: {latest}");
        // The job goes on as after a restart.
        for id in table.filter_committed("job", &[FATAL]).await.unwrap() {
            assert!(!done, "{context}");
            write(&table, "job", id, &fatal()).await.unwrap();
        }
        assert_eq!(read(&table).await.unwrap(), new, "{context}");
        let more = Change::insert(rows(&["a", "z"], 2..4, "more"));
        let outcome = write(&table, "job", FATAL + 1, &more).await.unwrap();
        assert_eq!(outcome.compaction.failed, None, "{context}");
        assert_eq!(read(&table).await.unwrap(), more.apply(&new, true), "{context}");
        check_reachable(&table).await;
    }
}

/// Rows that wait for their buckets, which a compaction gives them.
pub(crate) struct TakeIn;

fn waiting() -> NewTable {
    keyed("-2")
        .option("postpone.batch-write-fixed-bucket", "false")
        .option("postpone.default-bucket-num", "2")
}

#[async_trait]
impl Scenario for TakeIn {
    fn name(&self) -> &'static str {
        "give waiting rows their buckets"
    }

    async fn prepare(&self, io: &Arc<dyn FileIo>, env: &Env) {
        Job { name: self.name(), definition: waiting() }.prepare(io, env).await;
    }

    async fn job(&self, io: &Arc<dyn FileIo>, env: &Env) -> Result<(), Error> {
        compact(&open(io, env).await?).await?;
        Ok(())
    }

    async fn check(&self, left: &Left<'_>) {
        let context = &left.context;
        let all = Job { name: self.name(), definition: waiting() }.all();
        let table = open(&left.io, &left.env).await.unwrap();
        let shown = read(&table).await.unwrap();
        // All partitions come together, or none.
        assert!(shown.is_empty() && !left.acknowledged || shown == all, "{context}");
        check_reachable(&table).await;
        compact(&table).await.unwrap();
        assert_eq!(read(&table).await.unwrap(), all, "{context}");
        assert_eq!(compact(&table).await.unwrap(), None, "{context}");
        let more = Change::insert(rows(&["a", "c"], 0..2, "more"));
        write(&table, "writer", 9, &more).await.unwrap();
        assert_eq!(read(&table).await.unwrap(), all, "{context}");
        compact(&table).await.unwrap();
        assert_eq!(read(&table).await.unwrap(), more.apply(&all, true), "{context}");
        check_reachable(&table).await;
    }
}
