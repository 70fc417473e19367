//! Runs a scenario once without a crash, then once per crash.

use std::sync::Arc;

use headwater::Env;
use headwater::io::{FileIo, LocalFileIo, MemoryFileIo, Pools, SyncMode};
use headwater_testkit::{CrashPoint, CrashingFileIo, Operation, TempDir};

use crate::scenario::Scenario;
use crate::small::{copy_files, env, files_below};

/// Which file system dies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Store {
    Memory,
    Local,
}

impl Store {
    /// An empty warehouse; the directory must outlive it.
    fn open(self) -> (Arc<dyn FileIo>, Option<TempDir>) {
        match self {
            Self::Memory => (Arc::new(MemoryFileIo::new()), None),
            Self::Local => {
                let dir = TempDir::new();
                (Arc::new(LocalFileIo::open(dir.text(), SyncMode::Off).unwrap()), Some(dir))
            }
        }
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    headwater::io::host::block_on(future).unwrap()
}

/// Seeds of names: the same job names the same files in every run, another job never does.
const PREPARE: u64 = 1;
const JOB: u64 = 2;
const AFTERWARDS: u64 = 3;

struct Rehearsal {
    pools: Pools,
    /// The warehouse before the job.
    before: Arc<dyn FileIo>,
    points: Vec<(usize, CrashPoint, String)>,
}

/// Prepares the warehouse and learns every crash from a run without one.
async fn rehearse(scenario: &dyn Scenario, store: Store) -> Rehearsal {
    let pools = Pools::new(1);
    let before: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    scenario.prepare(&before, &env(&pools, PREPARE)).await;
    let (plain, _dir) = store.open();
    copy_files(before.as_ref(), plain.as_ref()).await;
    let dry = Arc::new(CrashingFileIo::new(Arc::clone(&plain)));
    let io: Arc<dyn FileIo> = Arc::clone(&dry) as _;
    scenario.job(&io, &env(&pools, JOB)).await.unwrap();
    let sizes: std::collections::HashMap<_, _> =
        files_below(plain.as_ref(), "").await.into_iter().collect();
    let mut points = Vec::new();
    for (i, (operation, path)) in dry.log().into_iter().enumerate() {
        let size = sizes.get(&path).map_or(0, |s| usize::try_from(*s).unwrap());
        let what = format!("{} {path}", operation.name());
        points.extend(cuts(operation, size).into_iter().map(|p| (i, p, what.clone())));
    }
    Rehearsal { pools, before, points }
}

/// Ways to die at an operation. After one that changes nothing is before the next one.
fn cuts(operation: Operation, size: usize) -> Vec<CrashPoint> {
    let mut points = vec![CrashPoint::Before];
    if operation.changes_files() {
        points.push(CrashPoint::After);
    }
    match operation {
        Operation::Write | Operation::Publish | Operation::Overwrite => {
            let mut lengths = vec![0, 1, size / 2, size.saturating_sub(1)];
            lengths.dedup();
            points.extend(lengths.into_iter().map(CrashPoint::Torn));
        }
        Operation::DeleteDir => points.push(CrashPoint::Torn(0)),
        _ => {}
    }
    points
}

/// Every crash of a scenario: operation, how, and what it is.
pub(crate) async fn crash_points(
    scenario: &dyn Scenario,
    store: Store,
) -> Vec<(usize, CrashPoint, String)> {
    rehearse(scenario, store).await.points
}

/// Dies at every point and checks what is left; returns the number of crashes.
pub(crate) async fn every_crash(scenario: &dyn Scenario, store: Store) -> usize {
    let rehearsal = rehearse(scenario, store).await;
    let mut states = 0;
    for (n, point, what) in &rehearsal.points {
        let (plain, _dir) = store.open();
        copy_files(rehearsal.before.as_ref(), plain.as_ref()).await;
        let crashing = Arc::new(CrashingFileIo::crash_at(Arc::clone(&plain), *n, *point));
        let io: Arc<dyn FileIo> = Arc::clone(&crashing) as _;
        let acknowledged = scenario.job(&io, &env(&rehearsal.pools, JOB)).await.is_ok();
        let context = format!(
            "{}, {store:?}: died {point:?} operation {n} ({what}), acknowledged: {acknowledged}",
            scenario.name()
        );
        assert!(crashing.crashed(), "{context}: the operation was not reached");
        let left = Left {
            before: &rehearsal.before,
            io: plain,
            env: env(&rehearsal.pools, AFTERWARDS),
            acknowledged,
            context,
        };
        scenario.check(&left).await;
        states += 1;
    }
    states
}

/// What a crash left behind.
pub(crate) struct Left<'a> {
    /// The warehouse before the job.
    pub(crate) before: &'a Arc<dyn FileIo>,
    pub(crate) io: Arc<dyn FileIo>,
    pub(crate) env: Env,
    pub(crate) acknowledged: bool,
    pub(crate) context: String,
}
