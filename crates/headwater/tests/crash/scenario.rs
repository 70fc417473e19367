//! What is done when the process dies, and what must hold afterwards.

use std::sync::Arc;

use async_trait::async_trait;
use headwater::io::FileIo;
use headwater::spec::path::snapshot_file;
use headwater::{Catalog, Env, Error, NewTable};

use crate::run::Left;
use crate::small::{Change, Row, catalog, check_reachable, keyed, name, open, read, rows, write};

pub(crate) mod compact;
pub(crate) mod manifests;
pub(crate) mod writes;

#[async_trait]
pub(crate) trait Scenario: Sync {
    fn name(&self) -> &'static str;
    /// Makes what is there before the job.
    async fn prepare(&self, io: &Arc<dyn FileIo>, env: &Env);
    /// Dies somewhere in here.
    async fn job(&self, io: &Arc<dyn FileIo>, env: &Env) -> Result<(), Error>;
    async fn check(&self, left: &Left<'_>);
}

/// Makes a database and a table.
pub(crate) struct Create;

pub(crate) const fn create_twice() -> Create {
    Create
}

#[async_trait]
impl Scenario for Create {
    fn name(&self) -> &'static str {
        "create database and table"
    }

    async fn prepare(&self, _: &Arc<dyn FileIo>, _: &Env) {}

    async fn job(&self, io: &Arc<dyn FileIo>, env: &Env) -> Result<(), Error> {
        let catalog = catalog(io, env);
        catalog.create_database("db", false).await?;
        catalog.create_table(&name(), &keyed("2"), false).await?;
        Ok(())
    }

    async fn check(&self, left: &Left<'_>) {
        let (catalog, context) = (catalog(&left.io, &left.env), &left.context);
        let there = catalog.table_exists(&name()).await.unwrap();
        assert!(there || !left.acknowledged, "{context}");
        if there {
            assert_eq!(catalog.list_databases().await.unwrap(), ["db"], "{context}");
            assert_eq!(catalog.list_tables("db").await.unwrap(), ["t"], "{context}");
            open(&left.io, &left.env).await.unwrap();
        }
        // Doing it again finishes the job, and says what was there.
        catalog.create_database("db", true).await.unwrap();
        let new = catalog.create_table(&name(), &keyed("2"), true).await.unwrap();
        assert_eq!(new, !there, "{context}");
        let table = open(&left.io, &left.env).await.unwrap();
        assert_eq!(read(&table).await.unwrap(), [], "{context}");
        let wanted = rows(&["a"], 0..3, "x");
        write(&table, "job", 1, &Change::insert(wanted.clone())).await.unwrap();
        assert_eq!(read(&table).await.unwrap(), wanted, "{context}");
    }
}

/// Drops a table with rows; afterwards the name is free for another one.
pub(crate) struct Drop;

pub(crate) const fn drop_and_create_again() -> Drop {
    Drop
}

fn dropped_definition() -> NewTable {
    keyed("2").partitioned_by(["dt"])
}

fn dropped_changes() -> [Change; 2] {
    [Change::insert(rows(&["a", "b"], 0..4, "x")), Change::insert(rows(&["b", "c"], 2..6, "y"))]
}

#[async_trait]
impl Scenario for Drop {
    fn name(&self) -> &'static str {
        "drop table"
    }

    async fn prepare(&self, io: &Arc<dyn FileIo>, env: &Env) {
        crate::small::create(io, env, &dropped_definition()).await.unwrap();
        let table = open(io, env).await.unwrap();
        for (id, change) in (1..).zip(dropped_changes()) {
            write(&table, "before", id, &change).await.unwrap();
        }
    }

    async fn job(&self, io: &Arc<dyn FileIo>, env: &Env) -> Result<(), Error> {
        catalog(io, env).drop_table(&name(), false).await?;
        Ok(())
    }

    async fn check(&self, left: &Left<'_>) {
        let (catalog, context) = (catalog(&left.io, &left.env), &left.context);
        let there = catalog.table_exists(&name()).await.unwrap();
        assert!(!there || !left.acknowledged, "{context}");
        if there {
            let full = dropped_changes().iter().fold(Vec::new(), |old, c| c.apply(&old, true));
            let table = open(&left.io, &left.env).await.unwrap();
            assert_eq!(read(&table).await.unwrap(), full, "{context}");
            check_reachable(&table).await;
        }
        // A new table of this name never shows rows of the old one: it is empty, or refused.
        catalog.create_database("db", true).await.unwrap();
        let again = catalog.create_table(&name(), &keyed("1"), true).await;
        match &again {
            Ok(new) => assert_eq!(*new, !there, "{context}"),
            Err(error) => assert!(error.to_string().contains("DROP TABLE"), "{context}: {error}"),
        }
        if let Ok(true) = again {
            let table = open(&left.io, &left.env).await.unwrap();
            assert_eq!(read(&table).await.unwrap(), [], "{context}");
        }
        // Dropping it again ends what the crash interrupted.
        catalog.drop_table(&name(), true).await.unwrap();
        catalog.create_database("db", true).await.unwrap();
        assert_eq!(catalog.list_tables("db").await.unwrap(), <[String; 0]>::default(), "{context}");
        assert!(catalog.create_table(&name(), &keyed("1"), false).await.unwrap(), "{context}");
        let table = open(&left.io, &left.env).await.unwrap();
        assert_eq!(read(&table).await.unwrap(), [], "{context}");
    }
}

/// A table with some commits; then one more, during which the process dies.
pub(crate) struct Writes {
    pub(crate) name: &'static str,
    pub(crate) definition: NewTable,
    pub(crate) before: Vec<Change>,
    pub(crate) change: Change,
}

impl Writes {
    fn is_keyed(&self) -> bool {
        !self.definition.primary_keys.is_empty()
    }

    fn old(&self) -> Vec<Row> {
        self.before.iter().fold(Vec::new(), |old, c| c.apply(&old, self.is_keyed()))
    }
}

/// Identifier of the commit that dies.
const FATAL: i64 = 100;

#[async_trait]
impl Scenario for Writes {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn prepare(&self, io: &Arc<dyn FileIo>, env: &Env) {
        crate::small::create(io, env, &self.definition).await.unwrap();
        let table = open(io, env).await.unwrap();
        for (id, change) in (1..).zip(&self.before) {
            write(&table, "job", id, change).await.unwrap();
        }
    }

    async fn job(&self, io: &Arc<dyn FileIo>, env: &Env) -> Result<(), Error> {
        let table = open(io, env).await?;
        write(&table, "job", FATAL, &self.change).await?;
        Ok(())
    }

    async fn check(&self, left: &Left<'_>) {
        let context = &left.context;
        let old = self.old();
        let new = self.change.apply(&old, self.is_keyed());
        let table = open(&left.io, &left.env).await.unwrap();
        let found = read(&table).await.unwrap_or_else(|e| panic!("{context}: {e}"));
        let done = found == new;
        assert!(done || (found == old && !left.acknowledged), "{context}: {found:?}");
        check_reachable(&table).await;

        // Earlier commits are untouched, byte for byte, and still readable.
        let count = i64::try_from(self.before.len()).unwrap();
        let ids = table.store().snapshot_ids().await.unwrap();
        assert_eq!(ids, (1..=count + i64::from(done)).collect::<Vec<_>>(), "{context}");
        for id in 1..=count {
            let file = table.store().path(&snapshot_file(id));
            let bytes = left.before.read(&file).await.unwrap();
            assert_eq!(left.io.read(&file).await.unwrap(), bytes, "{context}");
        }
        if count > 0 {
            let earlier = table.at_snapshot(count).await.unwrap();
            assert_eq!(read(&earlier).await.unwrap(), old, "{context}");
        }

        // The job goes on as after a restart: it asks what is done, and does the rest once.
        let pending = table.filter_committed("job", &[FATAL]).await.unwrap();
        assert_eq!(pending.is_empty(), done, "{context}");
        for id in pending {
            write(&table, "job", id, &self.change).await.unwrap();
        }
        assert_eq!(read(&table).await.unwrap(), new, "{context}");
        assert!(table.filter_committed("job", &[FATAL]).await.unwrap().is_empty(), "{context}");
        let more = Change::insert(rows(&["a", "z"], 2..4, "more"));
        write(&table, "job", FATAL + 1, &more).await.unwrap();
        let all = more.apply(&new, self.is_keyed());
        assert_eq!(read(&table).await.unwrap(), all, "{context}");
        check_reachable(&table).await;
    }
}
