//! Commits: changes of a writer become the next snapshot, or nothing at all.
//!
//! Order: data files are durable before this starts; then manifests, manifest lists and the
//! snapshot, which [`publish`] makes visible without ever replacing one. A lost race is rebased on
//! the winner and tried again. While the outcome of a publish is unknown nothing is deleted.
//! Rules: `docs/spec/commit.md`. Source: Paimon 1.4.2 `FileStoreCommitImpl`.

mod attempt;
mod compact_manifests;
mod compacted;
mod conflict;
mod index;
mod manifest_merge;
mod publish;
mod sequence;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use headwater_io::{IoError, Turn, TurnGuard};
use headwater_spec::manifest::ManifestEntry;
use headwater_spec::options::TableOptions;
use headwater_spec::path::SNAPSHOT_DIR;
use headwater_spec::predicate::Predicate;
use headwater_spec::snapshot::BATCH_COMMIT_IDENTIFIER;
use headwater_spec::{BinaryRow, CommitKind, DataType, Snapshot, TableSchema};
use indexmap::IndexMap;

use crate::error::{MetadataError, Result};
use crate::store::TableStore;

pub use index::IndexChanges;
pub use sequence::{BucketFloor, SequenceBase};

/// Which live files an overwrite removes.
#[derive(Debug, Clone, PartialEq)]
pub enum OverwriteScope {
    /// All of the table.
    Table,
    /// Partitions that match; column numbers are positions among the partition columns.
    Matching(Predicate),
    /// Exactly these partitions.
    Partitions(HashSet<BinaryRow>),
}

/// The state of the table that new rows were computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputedFrom {
    /// The snapshot that was read; 0 for a table without one.
    pub snapshot_id: i64,
    /// The buckets that must not have been changed since; `None`: the whole table.
    pub buckets: Option<HashSet<(BinaryRow, i32)>>,
}

/// Which state of its buckets a compaction has merged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactedFrom {
    /// The newest snapshot whose files were known; 0 for none.
    pub snapshot_id: i64,
    /// The largest sequence number among the merged records of each bucket.
    pub newest: HashMap<(BinaryRow, i32), i64>,
}

/// One commit.
#[derive(Debug, Clone)]
pub struct CommitRequest {
    /// Stable name of the writing job; with `identifier` it makes a commit unique.
    pub user: String,
    /// Number that grows per user, or [`BATCH_COMMIT_IDENTIFIER`].
    pub identifier: i64,
    /// Refuse if the user has committed this identifier or a later one: the job may run twice.
    pub once: bool,
    /// Event time reached, milliseconds.
    pub watermark: Option<i64>,
    /// Free properties of the snapshot.
    pub properties: IndexMap<String, String>,
    /// Files to add (and, for compactions, to remove), in order.
    pub entries: Vec<ManifestEntry>,
    /// For [`CommitKind::Overwrite`]: what is replaced.
    pub overwrite: Option<OverwriteScope>,
    /// For rows that replace what they were computed from: the snapshot that was read, 0 for an
    /// empty table. Refuses if rows of the scope were added or replaced since.
    pub overwrite_base: Option<i64>,
    /// For rows that change others which were read: refuses if what they depend on was changed
    /// since.
    pub computed_from: Option<ComputedFrom>,
    /// For [`CommitKind::Compact`]: refuses if rows came since that belong among those that were
    /// merged.
    pub compacted_from: Option<CompactedFrom>,
    /// Kind of the snapshot.
    pub kind: CommitKind,
    /// Refuse if another commit changed what this one builds on.
    pub check_conflicts: bool,
    /// Refuse if rows with the same or larger sequence numbers came into the same buckets.
    pub sequence_base: Option<SequenceBase>,
    /// Index files. An overwrite takes those of what it replaces out.
    pub index: IndexChanges,
}

impl CommitRequest {
    /// New files, added in one batch commit.
    #[must_use]
    pub fn append(user: impl Into<String>, entries: Vec<ManifestEntry>) -> Self {
        Self {
            user: user.into(),
            identifier: BATCH_COMMIT_IDENTIFIER,
            once: false,
            watermark: None,
            properties: IndexMap::new(),
            entries,
            overwrite: None,
            overwrite_base: None,
            computed_from: None,
            compacted_from: None,
            kind: CommitKind::Append,
            check_conflicts: false,
            sequence_base: None,
            index: IndexChanges::default(),
        }
    }
}

/// How long a commit waits for other writers of this machine before it tries without its turn.
const LONGEST_TURN: Duration = Duration::from_secs(5);

/// How often a commit asks for its turn.
const TURN_WAIT: Duration = Duration::from_millis(2);

/// What a commit works on.
pub struct Committer<'a> {
    store: &'a TableStore,
    schema: &'a TableSchema,
    options: &'a TableOptions,
    partition_types: Vec<DataType>,
}

/// What is to be done to the newest snapshot.
#[derive(Clone, Copy)]
enum Work<'a> {
    /// Its files change.
    Changes(&'a CommitRequest),
    /// Its manifests are merged, for this user; its files stay.
    Manifests(&'a str),
}

impl Work<'_> {
    fn user(&self) -> &str {
        match self {
            Self::Changes(request) => &request.user,
            Self::Manifests(user) => user,
        }
    }

    const fn identifier(&self) -> i64 {
        match self {
            Self::Changes(request) => request.identifier,
            Self::Manifests(_) => BATCH_COMMIT_IDENTIFIER,
        }
    }
}

/// How an attempt ended.
enum Attempt {
    Done(Box<Snapshot>),
    /// The newest snapshot is as it should be.
    Needless,
    /// Another writer took the id; the files of the attempt are removed.
    Lost(i64),
    /// The publish may have happened; nothing was deleted. The history knows more.
    Unknown,
}

/// What earlier attempts left behind: how to recognise our own snapshot.
#[derive(Default)]
struct History {
    /// Delta lists of attempts whose snapshot may be visible.
    delta_lists: HashSet<String>,
    /// Newest snapshot before the first such attempt.
    base: Option<i64>,
    /// Snapshot of the last such attempt, and what hid its outcome.
    unknown: Option<(i64, Box<IoError>)>,
    /// No snapshot up to this one makes the commit needless.
    new_after: i64,
}

impl<'a> Committer<'a> {
    /// A committer for the table that was opened with this schema.
    ///
    /// # Errors
    /// A partition column is missing.
    pub fn new(
        store: &'a TableStore,
        schema: &'a TableSchema,
        options: &'a TableOptions,
    ) -> Result<Self> {
        let partition_types =
            schema.columns(&schema.partition_keys)?.into_iter().map(|f| f.data_type).collect();
        Ok(Self { store, schema, options, partition_types })
    }

    /// Commits and returns the snapshot that made the changes visible; `None` if there was nothing
    /// to commit and the table ignores empty commits.
    ///
    /// # Errors
    /// [`MetadataError::GaveUp`] names the competing commit after the last retry;
    /// [`MetadataError::AlreadyCommitted`], [`MetadataError::Conflict`], [`MetadataError::IndexMoved`],
    /// [`MetadataError::KeysMoved`] and
    /// [`MetadataError::SequenceMoved`] mean that nothing was committed; after [`MetadataError::OutcomeUnknown`] look for a snapshot of the same user and
    /// identifier before committing again ([`filter_committed`]).
    pub async fn commit(&self, request: &CommitRequest) -> Result<Option<Snapshot>> {
        if request.entries.is_empty()
            && request.overwrite.is_none()
            && self.options.commit.ignore_empty
        {
            return Ok(None);
        }
        self.run(Work::Changes(request)).await
    }

    /// Attempts the work until its outcome is known, or as often as the options allow.
    async fn run(&self, work: Work<'_>) -> Result<Option<Snapshot>> {
        let mut history = History::default();
        let outcome = self.retry(work, &mut history).await;
        let (error, doubt) = match (outcome, history.unknown) {
            (Ok(committed), None) => return Ok(committed),
            (Ok(Some(committed)), _) => return Ok(Some(committed)),
            (Err(error), None) => return Err(error),
            (Ok(None), Some(doubt)) => (None, doubt),
            (Err(error), Some(doubt)) => (Some(error), doubt),
        };
        match error {
            // Known from snapshots after the one in doubt, which was not ours.
            Some(
                error @ (MetadataError::GaveUp { .. }
                | MetadataError::Conflict { .. }
                | MetadataError::AlreadyCommitted { .. }
                | MetadataError::SequenceMoved { .. }
                | MetadataError::IndexMoved { .. }
                | MetadataError::KeysMoved { .. }),
            ) => Err(error),
            // Whatever stopped us: the publish in doubt is what the caller has to know of.
            _ => Err(MetadataError::OutcomeUnknown {
                table: self.store.name().to_owned(),
                id: doubt.0,
                user: work.user().to_owned(),
                identifier: work.identifier(),
                source: doubt.1,
            }),
        }
    }

    /// Attempts until one is known to have succeeded; `None` if nothing had to be done, or the last
    /// one is in doubt.
    async fn retry(&self, work: Work<'_>, history: &mut History) -> Result<Option<Snapshot>> {
        let clock = &self.store.env().clock;
        let started = clock.monotonic();
        let mut retries = 0;
        loop {
            let turn = self.turn().await;
            // Our own snapshot is looked for up to the one that the attempt builds on: if it
            // appears later, the attempt loses against it.
            let latest = self.store.latest_snapshot().await?;
            if let Some(own) = self.find_own(history, latest.as_ref()).await? {
                return Ok(Some(own));
            }
            let outcome = self.attempt(work, history, latest.as_ref()).await?;
            drop(turn);
            let out_of_time = self
                .options
                .commit
                .timeout
                .is_some_and(|limit| clock.monotonic().saturating_sub(started) >= limit);
            let stop = retries >= self.options.commit.max_retries || out_of_time;
            match outcome {
                Attempt::Done(snapshot) => {
                    self.store.write_latest_hint(snapshot.id).await;
                    return Ok(Some(*snapshot));
                }
                Attempt::Needless => {
                    // Whoever did it, the attempt in doubt has lost: on the state it started from
                    // there was something to do.
                    history.unknown = None;
                    return Ok(None);
                }
                Attempt::Lost(id) if stop => {
                    let latest = self.store.latest_snapshot().await?;
                    if let Some(own) = self.find_own(history, latest.as_ref()).await? {
                        return Ok(Some(own));
                    }
                    return Err(self.gave_up(id, retries + 1).await);
                }
                Attempt::Unknown if stop => {
                    // One more look: an unknown publish that is visible is a success.
                    let latest = self.store.latest_snapshot().await?;
                    if let Some(own) = self.find_own(history, latest.as_ref()).await? {
                        return Ok(Some(own));
                    }
                    return Ok(None);
                }
                Attempt::Lost(_) | Attempt::Unknown => {}
            }
            self.wait(retries).await;
            retries += 1;
        }
    }

    /// Waits for our turn among the writers of this machine, but not for ever: an attempt is right
    /// without it, only more likely to lose.
    async fn turn(&self) -> Option<TurnGuard> {
        let env = self.store.env();
        let started = env.clock.monotonic();
        loop {
            match self.store.io().turn(&self.store.path(SNAPSHOT_DIR)).await {
                Turn::Ours(guard) => return Some(guard),
                Turn::None => return None,
                Turn::Taken if env.clock.monotonic().saturating_sub(started) >= LONGEST_TURN => {
                    return None;
                }
                Turn::Taken => {
                    let wait = headwater_io::backoff(0, TURN_WAIT, TURN_WAIT, env.random.as_ref());
                    env.clock.sleep(wait).await;
                }
            }
        }
    }

    async fn wait(&self, retries: u32) {
        let commit = &self.options.commit;
        let env = self.store.env();
        let wait: Duration =
            headwater_io::backoff(retries, commit.min_wait, commit.max_wait, env.random.as_ref());
        env.clock.sleep(wait).await;
    }

    /// Our snapshot, if an earlier attempt whose outcome was unknown did publish it.
    async fn find_own(
        &self,
        history: &History,
        latest: Option<&Snapshot>,
    ) -> Result<Option<Snapshot>> {
        if history.delta_lists.is_empty() {
            return Ok(None);
        }
        let mut id = latest.map_or(0, |s| s.id);
        while id > history.base.unwrap_or(0) {
            let Some(snapshot) = self.store.try_snapshot(id).await? else {
                // Expired meanwhile: it may have been ours.
                return Err(MetadataError::SnapshotNotFound {
                    table: self.store.name().to_owned(),
                    id,
                    range: String::new(),
                });
            };
            if history.delta_lists.contains(&snapshot.delta_manifest_list) {
                // Visible is not yet durable: the reply that was lost may have been a failed sync.
                let file = self.store.path(&headwater_spec::path::snapshot_file(id));
                self.store.io().make_durable(&file).await?;
                return Ok(Some(snapshot));
            }
            id -= 1;
        }
        Ok(None)
    }

    /// Refuses a commit that its user has made already. Up to the newest snapshot: if the other one
    /// comes later, the attempt loses against it and is checked anew.
    async fn check_once(
        &self,
        request: &CommitRequest,
        history: &mut History,
        latest: Option<&Snapshot>,
    ) -> Result<()> {
        let Some(latest) = latest.filter(|_| request.once) else { return Ok(()) };
        let after = history.new_after;
        let newest = self.store.newest_of_user(&request.user, after, latest.id).await?;
        match newest.filter(|found| found.commit_identifier >= request.identifier) {
            Some(found) => Err(MetadataError::AlreadyCommitted {
                table: self.store.name().to_owned(),
                user: request.user.clone(),
                identifier: request.identifier,
                snapshot_id: found.id,
            }),
            None => {
                history.new_after = latest.id;
                Ok(())
            }
        }
    }

    async fn gave_up(&self, id: i64, attempts: u32) -> MetadataError {
        let competitor = match self.store.try_snapshot(id).await {
            Ok(Some(snapshot)) => describe(&snapshot),
            _ => "another writer".to_owned(),
        };
        MetadataError::GaveUp { table: self.store.name().to_owned(), attempts, id, competitor }
    }
}

/// Names a commit for messages.
fn describe(snapshot: &Snapshot) -> String {
    format!(
        "snapshot {} ({:?} by user '{}', identifier {})",
        snapshot.id, snapshot.commit_kind, snapshot.commit_user, snapshot.commit_identifier
    )
}

/// Identifiers of `identifiers` that `user` has not committed yet, as Paimon's recovery filters
/// them: everything up to the identifier of the user's newest snapshot is done.
///
/// # Errors
/// A snapshot is corrupt, or the store did not answer.
pub async fn filter_committed(
    store: &TableStore,
    user: &str,
    identifiers: &[i64],
) -> Result<Vec<i64>> {
    let done = store.latest_snapshot_of_user(user).await?.map(|s| s.commit_identifier);
    Ok(identifiers.iter().copied().filter(|id| done.is_none_or(|done| *id > done)).collect())
}
