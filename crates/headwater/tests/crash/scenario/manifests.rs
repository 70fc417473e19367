//! Merging manifests on demand.

use std::sync::Arc;

use async_trait::async_trait;
use headwater::io::FileIo;
use headwater::{Env, Error, NewTable, Overwrite};

use super::Scenario;
use crate::run::Left;
use crate::small::{Change, Row, check_reachable, keyed, open, read, rows, write};

/// A table with several manifests, which are merged.
pub(crate) struct Merge;

fn definition() -> NewTable {
    keyed("1").partitioned_by(["dt"]).option("write-only", "true")
}

fn before() -> [Change; 3] {
    [
        Change::insert(rows(&["a", "b"], 0..4, "x")),
        Change::insert(rows(&["a"], 2..6, "y")),
        Change { overwrite: Overwrite::Dynamic, ..Change::insert(rows(&["b"], 0..2, "z")) },
    ]
}

fn all() -> Vec<Row> {
    before().iter().fold(Vec::new(), |old, change| change.apply(&old, true))
}

#[async_trait]
impl Scenario for Merge {
    fn name(&self) -> &'static str {
        "merge manifests"
    }

    async fn prepare(&self, io: &Arc<dyn FileIo>, env: &Env) {
        crate::small::create(io, env, &definition()).await.unwrap();
        let table = open(io, env).await.unwrap();
        for (id, change) in (1..).zip(before()) {
            write(&table, "job", id, &change).await.unwrap();
        }
    }

    async fn job(&self, io: &Arc<dyn FileIo>, env: &Env) -> Result<(), Error> {
        open(io, env).await?.compact_manifests().await?;
        Ok(())
    }

    async fn check(&self, left: &Left<'_>) {
        let context = &left.context;
        let table = open(&left.io, &left.env).await.unwrap();
        assert_eq!(read(&table).await.unwrap(), all(), "{context}");
        check_reachable(&table).await;
        let done = table.store().latest_snapshot_id().await.unwrap() == Some(4);
        assert!(done || !left.acknowledged, "{context}");
        // Again: what the crash left undone is done, and what is done stays.
        let again = table.compact_manifests().await.unwrap();
        assert_eq!(again.snapshot_id, (!done).then_some(4), "{context}");
        assert_eq!(again.manifests, 1, "{context}");
        let more = Change::insert(rows(&["a", "c"], 0..2, "more"));
        write(&table, "job", 9, &more).await.unwrap();
        assert_eq!(read(&table).await.unwrap(), more.apply(&all(), true), "{context}");
        check_reachable(&table).await;
    }
}
