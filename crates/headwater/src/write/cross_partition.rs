//! Keys that move between partitions: the rows of a batch, with what they take back, by partition and
//! bucket.
//!
//! The index of the table's keys is built before the first row and ends with the write; a commit looks
//! whether another one brought rows meanwhile. Rules: `docs/spec/cross-partition.md`. Source: Paimon
//! 1.4.2 `org.apache.paimon.crosspartition`.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int8Array, RecordBatch, UInt32Array};
use arrow::compute::{take, take_record_batch};
use arrow::datatypes::Int8Type;
use headwater_lsm::{DELETE, INSERT, KeyEncoder, is_retract};
use headwater_metadata::commit::IndexChanges;
use headwater_metadata::plan::partition_values;
use headwater_spec::BinaryRow;
use headwater_spec::hash_index::LAST_DYNAMIC_BUCKET;
use headwater_spec::row::arrow::constant_array;

use super::bootstrap::{Bootstrap, LeftOut, key_of, partition_text};
use super::commit::CommitMessage;
use super::key_index::{KeyIndex, key_bytes};
use super::key_rows::{AllFull, Place, Rule, Written};
use super::overwrite::Target;
use super::route::Routed;
use crate::error::{Error, Result};
use crate::table::Table;

/// Where the keys of a table live, for a write.
pub(super) struct CrossPartition {
    table: Table,
    /// Positions of the primary key's columns.
    key_at: Vec<usize>,
    encoder: Arc<KeyEncoder>,
    rule: Rule,
    index: Option<KeyIndex>,
    /// The snapshot up to which the index knows all keys; `None`: it does not matter.
    known_at: Option<i64>,
    left_out: LeftOut,
    /// Partitions that an overwrite must replace, because keys of theirs came for others; why.
    must_go: BTreeMap<u32, String>,
}

/// Rows of one bucket.
pub(super) struct Part {
    pub(super) partition: BinaryRow,
    pub(super) bucket: i32,
    pub(super) rows: RecordBatch,
    pub(super) kinds: Option<Int8Array>,
}

impl CrossPartition {
    /// For a table whose keys move between partitions.
    pub(super) fn of(table: &Table) -> Result<Option<Self>> {
        if !table.has_moving_keys() {
            return Ok(None);
        }
        let schema = table.schema();
        let names = &schema.primary_keys;
        let types: Vec<_> = schema.columns(names)?.into_iter().map(|f| f.data_type).collect();
        Ok(Some(Self {
            key_at: names.iter().filter_map(|name| table.row_type().index_of(name)).collect(),
            encoder: Arc::new(KeyEncoder::new(&types)?),
            rule: Rule::of(table.options().merge.engine),
            index: None,
            known_at: None,
            left_out: LeftOut::default(),
            must_go: BTreeMap::new(),
            table: table.clone(),
        }))
    }

    /// Builds the index, unless it is there.
    pub(super) async fn prepare(&mut self, target: &Target) -> Result<()> {
        if self.index.is_some() {
            return Ok(());
        }
        let env = self.table.env();
        let (scratch, budget) = (env.scratch.clone(), env.memory.clone());
        let name = format!("key index of {}", self.table.name());
        let options = self.table.options().dynamic_bucket;
        let job = move || KeyIndex::create(&scratch, &budget, name, options);
        let mut index = env.pools.run(job).await??;
        if !matches!(target, Target::Table) {
            let pinned = self.table.pinned().await?;
            let known_at = pinned.snapshot().await?.map_or(0, |snapshot| snapshot.id);
            let bootstrap = Bootstrap {
                table: &pinned,
                key_at: &self.key_at,
                encoder: &self.encoder,
                without: match target {
                    Target::Matching(predicate) => Some(predicate),
                    _ => None,
                },
                replaces: target.replaces(),
            };
            (index, self.left_out) = bootstrap.fill(index).await?;
            self.known_at = Some(known_at);
        }
        self.index = Some(index);
        Ok(())
    }

    /// The rows of partitions with what they take back, by partition and bucket; within a bucket in
    /// the order in which they came. After an error the index is of no use.
    pub(super) async fn assign(
        &mut self,
        batch: &RecordBatch,
        kinds: Option<&Int8Array>,
        routed: Vec<Routed>,
        target: &Target,
    ) -> Result<Vec<Part>> {
        if routed.is_empty() {
            return Ok(Vec::new());
        }
        let Some(mut index) = self.index.take() else {
            return Err(self.request("the index of its keys was lost: start a new write".into()));
        };
        let mut partition_of = vec![0_u32; batch.num_rows()];
        for Routed { partition, rows, .. } in routed {
            let number = index.number_of(&partition)?;
            match rows {
                None => partition_of.fill(number),
                Some(rows) => {
                    for row in rows.values() {
                        let at = usize::try_from(*row).ok().and_then(|at| partition_of.get_mut(at));
                        if let Some(of) = at {
                            *of = number;
                        }
                    }
                }
            }
        }
        let keys: Vec<ArrayRef> =
            self.key_at.iter().map(|at| Arc::clone(batch.column(*at))).collect();
        let (encoder, rule, given) = (Arc::clone(&self.encoder), self.rule, kinds.cloned());
        let job = move || {
            let keys = key_bytes(encoder.encode(&keys)?);
            let placed = index.place(rule, &keys, |row| {
                let kind = given.as_ref().map_or(INSERT, |kinds| kinds.value(row));
                (partition_of.get(row).copied().unwrap_or(0), is_retract(kind))
            })?;
            Ok::<_, Error>((index, placed, partition_of))
        };
        let (index, placed, partition_of) = self.table.env().pools.run(job).await??;
        let placed = match placed {
            Ok(placed) => placed,
            Err(AllFull) => {
                return Err(self.request(format!(
                    "a partition has {} buckets with {} keys each, more there cannot be: raise \
                     'dynamic-bucket.target-row-num'",
                    u32::from(LAST_DYNAMIC_BUCKET) + 1,
                    index.target_keys()
                )));
            }
        };
        for (row, old) in &placed.left {
            let row = usize::try_from(*row).unwrap_or(usize::MAX);
            let new = partition_of.get(row).copied().unwrap_or(0);
            let reason = format!(
                "the key {} lives in partition {} and would come into partition {} besides, because \
                 an overwrite changes only the partitions that it replaces",
                key_of(&self.table, &self.key_at, batch, row),
                partition_text(&self.table, index.partition(*old)),
                partition_text(&self.table, index.partition(new)),
            );
            if matches!(target, Target::Dynamic) {
                self.must_go.entry(*old).or_insert(reason);
            } else {
                return Err(self.leaves(&reason));
            }
        }
        let mut parts = Vec::with_capacity(placed.rows.len());
        for (place, written) in placed.rows {
            parts.push(self.part(batch, kinds, (&index, &partition_of), place, &written)?);
        }
        self.index = Some(index);
        Ok(parts)
    }

    fn part(
        &self,
        batch: &RecordBatch,
        kinds: Option<&Int8Array>,
        (index, partition_of): (&KeyIndex, &[u32]),
        place: Place,
        written: &[Written],
    ) -> Result<Part> {
        let Some(partition) = index.partition(place.partition).cloned() else {
            return Err(self.request("the index of its keys lost a partition".into()));
        };
        let rows: UInt32Array = written.iter().map(|written| written.row).collect();
        let whole = rows.len() == batch.num_rows();
        let mut taken = if whole { batch.clone() } else { take_record_batch(batch, &rows)? };
        let comes_from =
            |row: u32| usize::try_from(row).ok().and_then(|row| partition_of.get(row)).copied();
        if written.iter().any(|written| comes_from(written.row) != Some(place.partition)) {
            taken = self.moved(&taken, &partition)?;
        }
        let deletes = written.iter().any(|written| written.deletes);
        let kinds = match kinds {
            None if !deletes => None,
            None => Some(vec![INSERT; written.len()]),
            Some(kinds) => {
                let taken: ArrayRef = take(kinds, &rows, None)?;
                Some(taken.as_primitive::<Int8Type>().values().to_vec())
            }
        };
        let kinds = kinds.map(|mut kinds: Vec<i8>| {
            for (kind, written) in kinds.iter_mut().zip(written) {
                if written.deletes {
                    *kind = DELETE;
                }
            }
            Int8Array::from(kinds)
        });
        Ok(Part { partition, bucket: i32::from(place.bucket), rows: taken, kinds })
    }

    /// The rows with the values of a partition.
    fn moved(&self, rows: &RecordBatch, partition: &BinaryRow) -> Result<RecordBatch> {
        let types = self.table.partition_types()?;
        let values = partition_values(partition, &types)?;
        let mut columns = rows.columns().to_vec();
        for ((name, value), data_type) in
            self.table.schema().partition_keys.iter().zip(values).zip(&types)
        {
            let at = self.table.row_type().index_of(name);
            if let Some(column) = at.and_then(|at| columns.get_mut(at)) {
                *column = constant_array(value.as_ref(), data_type, rows.num_rows())?;
            }
        }
        Ok(RecordBatch::try_new(rows.schema(), columns)?)
    }

    /// What a commit says about the index.
    ///
    /// # Errors
    /// An overwrite would leave keys in two partitions.
    pub(super) fn changes(
        &self,
        target: &Target,
        messages: &[CommitMessage],
    ) -> Result<IndexChanges> {
        if matches!(target, Target::Dynamic)
            && let Some(index) = &self.index
        {
            let replaced: HashSet<&BinaryRow> = messages.iter().map(|m| &m.partition).collect();
            for (number, reason) in &self.must_go {
                if index.partition(*number).is_none_or(|old| !replaced.contains(old)) {
                    return Err(self.leaves(reason));
                }
            }
        }
        Ok(IndexChanges { keys_known_at: self.known_at, ..IndexChanges::default() })
    }

    /// The commit succeeded with this snapshot: nobody else brought rows before it.
    pub(super) fn committed(&mut self, snapshot: i64) {
        if let Some(known) = &mut self.known_at {
            *known = snapshot;
        }
    }

    /// Whether rows take their keys along to other partitions.
    pub(super) fn moves_keys(&self) -> bool {
        self.rule == Rule::Moves
    }

    /// Lets the index go: other writers changed what it knows.
    pub(super) fn forget(&mut self) {
        self.index = None;
        self.known_at = None;
        self.must_go.clear();
    }

    /// Records that the index leaves out because of their age.
    pub(super) const fn rows_left_out(&self) -> u64 {
        self.left_out.rows
    }

    fn leaves(&self, reason: &str) -> Error {
        self.request(format!(
            "{reason}: overwrite both partitions or the whole table, or DELETE the old row first"
        ))
    }

    fn request(&self, reason: String) -> Error {
        Error::Request { table: self.table.name().to_owned(), reason }
    }
}
