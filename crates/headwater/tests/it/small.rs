//! A small table of three columns, and what tests of crashes, faults and damage ask of it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{AsArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use futures::future::BoxFuture;
use headwater::io::{FileIo, FixedClock, MemoryBudget, Pools, Scratch, SeededRandom};
use headwater::spec::partition::partition_path;
use headwater::spec::path::bucket_dir;
use headwater::{
    Catalog, CommitOutcome, DataType, Env, Error, FileSystemCatalog, Identifier, NewTable,
    Overwrite, Table,
};

/// Partition, key, value.
pub(crate) type Row = (String, i32, String);

/// A fixed clock, so that waiting takes no time, and names that the seed repeats.
pub(crate) fn env(pools: &Pools, seed: u64) -> Env {
    Env {
        clock: Arc::new(FixedClock::new(1_700_000_000_000)),
        random: Arc::new(SeededRandom::new(seed)),
        pools: pools.clone(),
        memory: MemoryBudget::new(256 << 20),
        scratch: Scratch::new(Vec::new()),
    }
}

/// `dt STRING, id INT, v STRING` with primary key `(dt, id)`.
pub(crate) fn keyed(buckets: &str) -> NewTable {
    let not_null = |text: &str| DataType::parse(text).unwrap();
    NewTable::new()
        .column("dt", not_null("STRING NOT NULL"))
        .column("id", not_null("INT NOT NULL"))
        .column("v", DataType::parse("STRING").unwrap())
        .primary_key(["dt", "id"])
        .option("bucket", buckets)
}

/// The same without a primary key.
pub(crate) fn append() -> NewTable {
    NewTable { primary_keys: Vec::new(), ..keyed("-1") }
}

/// Rows of every id in every partition, with values that name the commit.
pub(crate) fn rows(partitions: &[&str], ids: Range<i32>, tag: &str) -> Vec<Row> {
    let of = |p: &&str| {
        let p = (*p).to_owned();
        ids.clone().map(move |id| (p.clone(), id, format!("{tag}-{id}"))).collect::<Vec<_>>()
    };
    partitions.iter().flat_map(of).collect()
}

/// One commit: batches in order, each a write of its own.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) overwrite: Overwrite,
    pub(crate) batches: Vec<Vec<Row>>,
}

impl Change {
    pub(crate) fn insert(rows: Vec<Row>) -> Self {
        Self { overwrite: Overwrite::None, batches: vec![rows] }
    }

    /// The table after this change, sorted.
    pub(crate) fn apply(&self, old: &[Row], is_keyed: bool) -> Vec<Row> {
        let new: Vec<Row> = self.batches.concat();
        let stays = |row: &Row| match &self.overwrite {
            Overwrite::None => true,
            Overwrite::Static(given) => match given.first() {
                None => false,
                Some((_, value)) => *value != Some(headwater::Datum::String(row.0.clone())),
            },
            Overwrite::Dynamic => !new.iter().any(|n| n.0 == row.0),
        };
        let mut all: Vec<Row> = old.iter().filter(|r| stays(r)).cloned().collect();
        all.extend(new.iter().cloned());
        if is_keyed {
            let last: BTreeMap<_, _> = all.into_iter().map(|(p, id, v)| ((p, id), v)).collect();
            all = last.into_iter().map(|((p, id), v)| (p, id, v)).collect();
        }
        all.sort();
        all
    }
}

/// The catalog of the warehouse that `io` is.
pub(crate) fn catalog(io: &Arc<dyn FileIo>, env: &Env) -> FileSystemCatalog {
    FileSystemCatalog::new(Arc::clone(io), env.clone())
}

pub(crate) fn name() -> Identifier {
    Identifier::new("db", "t")
}

pub(crate) async fn create(
    io: &Arc<dyn FileIo>,
    env: &Env,
    definition: &NewTable,
) -> Result<(), Error> {
    let catalog = catalog(io, env);
    catalog.create_database("db", true).await?;
    catalog.create_table(&name(), definition, true).await?;
    Ok(())
}

pub(crate) async fn open(io: &Arc<dyn FileIo>, env: &Env) -> Result<Table, Error> {
    headwater::open_table(&catalog(io, env), &name()).await
}

pub(crate) async fn write(
    table: &Table,
    user: &str,
    identifier: i64,
    change: &Change,
) -> Result<CommitOutcome, Error> {
    let builder = table.new_write().commit_user(user).overwrite(change.overwrite.clone());
    let mut write = builder.build()?;
    for rows in &change.batches {
        write.write(&batch(table, rows)).await?;
    }
    write.commit(identifier).await
}

pub(crate) fn batch(table: &Table, rows: &[Row]) -> RecordBatch {
    let dts: StringArray = rows.iter().map(|r| Some(r.0.as_str())).collect();
    let ids: Int32Array = rows.iter().map(|r| Some(r.1)).collect();
    let values: StringArray = rows.iter().map(|r| Some(r.2.as_str())).collect();
    let columns = vec![Arc::new(dts) as _, Arc::new(ids) as _, Arc::new(values) as _];
    RecordBatch::try_new(table.arrow_schema(), columns).unwrap()
}

/// All rows, sorted.
pub(crate) async fn read(table: &Table) -> Result<Vec<Row>, Error> {
    let mut all = Vec::new();
    for batch in table.new_read().collect().await? {
        let (dts, values) =
            (batch.column(0).as_string::<i32>(), batch.column(2).as_string::<i32>());
        let ids = batch.column(1).as_primitive::<Int32Type>();
        for i in 0..batch.num_rows() {
            all.push((dts.value(i).into(), ids.value(i), values.value(i).into()));
        }
    }
    all.sort();
    Ok(all)
}

/// Types of the partition columns.
pub(crate) fn partition_types(table: &Table) -> Vec<DataType> {
    let fields = table.schema().columns(&table.schema().partition_keys).unwrap();
    fields.into_iter().map(|field| field.data_type).collect()
}

/// Every file that the newest snapshot needs exists and has its recorded size.
pub(crate) async fn check_reachable(table: &Table) {
    let store = table.store();
    let Some(snapshot) = store.latest_snapshot().await.unwrap() else { return };
    let mut files = vec![
        (format!("manifest/{}", snapshot.base_manifest_list), snapshot.base_manifest_list_size),
        (format!("manifest/{}", snapshot.delta_manifest_list), snapshot.delta_manifest_list_size),
    ];
    for meta in store.manifests_of(&snapshot).await.unwrap() {
        files.push((format!("manifest/{}", meta.file_name), Some(meta.file_size)));
    }
    let keys = &table.schema().partition_keys;
    let types = partition_types(table);
    for split in table.new_read().plan().await.unwrap().splits {
        let dir = partition_path(keys, &types, split.partition_values(), "none", true).unwrap();
        for file in split.files() {
            let path = format!("{}/{}", bucket_dir(&dir, split.bucket()), file.file_name);
            files.push((path, Some(file.file_size)));
        }
    }
    for (file, recorded) in files {
        let size = store.io().size(&store.path(&file)).await.unwrap();
        assert_eq!(i64::try_from(size).ok(), recorded, "{file}");
    }
}

/// Every file below `dir`, sorted.
pub(crate) fn files_below<'a>(
    io: &'a dyn FileIo,
    dir: &'a str,
) -> BoxFuture<'a, Vec<(String, u64)>> {
    Box::pin(async move {
        let mut found = Vec::new();
        for child in io.list(dir).await.unwrap() {
            let path = if dir.is_empty() { child.name } else { format!("{dir}/{}", child.name) };
            if child.is_dir {
                found.extend(files_below(io, &path).await);
            } else {
                found.push((path, child.size));
            }
        }
        found.sort();
        found
    })
}

/// Copies every file.
pub(crate) async fn copy_files(from: &dyn FileIo, to: &dyn FileIo) {
    for (path, _) in files_below(from, "").await {
        let _ = to.publish(&path, from.read(&path).await.unwrap()).await.unwrap();
    }
}
