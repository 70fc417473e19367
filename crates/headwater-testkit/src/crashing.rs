//! A file system under which the process dies at a chosen operation.
//!
//! Operations are counted from 0. At the chosen one the "process" dies: that operation happens
//! not at all, wholly, or in part, and every later one fails without touching anything, so code
//! that tries to clean up changes nothing, as after a real crash. What is left is looked at through
//! the wrapped file system. A test runs once without a crash to learn how many operations there
//! are, then once per operation and point:
//!
//! ```
//! # use std::sync::Arc;
//! # use headwater_io::{FileIo, MemoryFileIo};
//! # use headwater_testkit::crashing::{CrashPoint, CrashingFileIo};
//! # async fn job(_: Arc<CrashingFileIo>) -> Result<(), headwater_io::IoError> { Ok(()) }
//! # async fn example() {
//! let dry = Arc::new(CrashingFileIo::new(Arc::new(MemoryFileIo::new())));
//! job(Arc::clone(&dry)).await.unwrap();
//! for n in 0..dry.operations() {
//!     for point in CrashPoint::ALL {
//!         let stored = Arc::new(MemoryFileIo::new());
//!         let io = Arc::new(CrashingFileIo::crash_at(Arc::clone(&stored) as Arc<dyn FileIo>, n, point));
//!         let acknowledged = job(Arc::clone(&io)).await.is_ok();
//!         // open the table on `stored`: what was acknowledged is there, the rest wholly or not at all
//!     }
//! }
//! # }
//! ```

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_io::{FileIo, FileStatus, FileWriter, IoError, Publish, Result};

use crate::operation::Operation;

/// How much of the fatal operation still happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashPoint {
    /// Nothing.
    Before,
    /// All of it, but its answer is never seen.
    After,
    /// Of the bytes written, the first so many. A publish or overwrite leaves just a temporary
    /// file with them; `delete_dir` removes only one file; anything else acts like `Before`.
    Torn(usize),
}

impl CrashPoint {
    /// Before, after, and torn at the first byte and after 100 bytes.
    pub const ALL: [Self; 4] = [Self::Before, Self::After, Self::Torn(0), Self::Torn(100)];
}

/// Counts operations, and dies at one of them.
#[derive(Debug)]
pub struct CrashingFileIo {
    inner: Arc<dyn FileIo>,
    life: Arc<Mutex<Life>>,
}

#[derive(Debug)]
struct Life {
    crash: Option<(usize, CrashPoint)>,
    dead: bool,
    log: Vec<(Operation, String)>,
}

/// What to do with one operation.
enum Step {
    Live,
    Die(CrashPoint),
}

impl CrashingFileIo {
    /// Only counts.
    pub fn new(inner: Arc<dyn FileIo>) -> Self {
        let life = Life { crash: None, dead: false, log: Vec::new() };
        Self { inner, life: Arc::new(Mutex::new(life)) }
    }

    /// Dies at operation `n`, counted from 0.
    pub fn crash_at(inner: Arc<dyn FileIo>, n: usize, point: CrashPoint) -> Self {
        let new = Self::new(inner);
        lock(&new.life).crash = Some((n, point));
        new
    }

    /// Lets the running count go on and dies `n` operations from now.
    pub fn crash_after(&self, n: usize, point: CrashPoint) {
        let mut life = lock(&self.life);
        life.crash = Some((life.log.len() + n, point));
    }

    /// How many operations were asked for while it lived, the fatal one included.
    pub fn operations(&self) -> usize {
        lock(&self.life).log.len()
    }

    /// What was asked for, in order.
    pub fn log(&self) -> Vec<(Operation, String)> {
        lock(&self.life).log.clone()
    }

    /// Whether the chosen operation was reached.
    pub fn crashed(&self) -> bool {
        lock(&self.life).dead
    }

    fn step(&self, operation: Operation, path: &str) -> Result<Step> {
        step(&self.life, operation, path)
    }
}

fn lock(life: &Mutex<Life>) -> MutexGuard<'_, Life> {
    life.lock().unwrap_or_else(PoisonError::into_inner)
}

fn step(life: &Mutex<Life>, operation: Operation, path: &str) -> Result<Step> {
    let mut life = lock(life);
    if life.dead {
        return Err(died(operation, path));
    }
    let n = life.log.len();
    life.log.push((operation, path.to_owned()));
    match life.crash {
        Some((fatal, point)) if fatal == n => {
            life.dead = true;
            match point {
                CrashPoint::Before => Err(died(operation, path)),
                point => Ok(Step::Die(point)),
            }
        }
        _ => Ok(Step::Live),
    }
}

fn died(operation: Operation, path: &str) -> IoError {
    operation.error(path, "the process died (simulated)")
}

/// Writes the first bytes of a file whose rename or link never came.
async fn leave_temporary(inner: &dyn FileIo, path: &str, data: &Bytes, keep: usize) {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    let torn = format!("{dir}/.{name}.torn.tmp");
    if let Ok(mut writer) = inner.create(torn.trim_start_matches('/')).await {
        let _ = writer.write(data.slice(..keep.min(data.len()))).await;
        let _ = writer.finish().await;
    }
}

/// An operation that can only happen or not.
macro_rules! whole {
    ($self:ident, $operation:ident, $path:expr, $call:expr) => {
        match $self.step(Operation::$operation, $path)? {
            Step::Live => $call.await,
            Step::Die(CrashPoint::After) => {
                let _ = $call.await;
                Err(died(Operation::$operation, $path))
            }
            Step::Die(_) => Err(died(Operation::$operation, $path)),
        }
    };
}

#[async_trait]
impl FileIo for CrashingFileIo {
    fn root(&self) -> &str {
        self.inner.root()
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        whole!(self, Read, path, self.inner.read(path))
    }

    async fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        whole!(self, Read, path, self.inner.read_range(path, range.clone()))
    }

    async fn read_ranges(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        whole!(self, Read, path, self.inner.read_ranges(path, ranges))
    }

    async fn size(&self, path: &str) -> Result<u64> {
        whole!(self, Size, path, self.inner.size(path))
    }

    async fn exists(&self, path: &str) -> Result<bool> {
        whole!(self, Exists, path, self.inner.exists(path))
    }

    async fn list(&self, dir: &str) -> Result<Vec<FileStatus>> {
        whole!(self, List, dir, self.inner.list(dir))
    }

    async fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        let inner = whole!(self, Create, path, self.inner.create(path))?;
        let life = Arc::clone(&self.life);
        Ok(Box::new(CrashingWriter { inner: Some(inner), life, path: path.to_owned() }))
    }

    async fn publish(&self, path: &str, data: Bytes) -> Result<Publish> {
        match self.step(Operation::Publish, path)? {
            Step::Live => self.inner.publish(path, data).await,
            Step::Die(CrashPoint::Torn(keep)) => {
                leave_temporary(self.inner.as_ref(), path, &data, keep).await;
                Err(died(Operation::Publish, path))
            }
            Step::Die(_) => {
                let _ = self.inner.publish(path, data).await;
                let source = "the process died (simulated)".into();
                Err(IoError::OutcomeUnknown { path: path.to_owned(), source })
            }
        }
    }

    async fn overwrite(&self, path: &str, data: Bytes) -> Result<()> {
        match self.step(Operation::Overwrite, path)? {
            Step::Live => self.inner.overwrite(path, data).await,
            Step::Die(CrashPoint::Torn(keep)) => {
                leave_temporary(self.inner.as_ref(), path, &data, keep).await;
                Err(died(Operation::Overwrite, path))
            }
            Step::Die(_) => {
                let _ = self.inner.overwrite(path, data).await;
                Err(died(Operation::Overwrite, path))
            }
        }
    }

    async fn delete(&self, path: &str) -> Result<()> {
        whole!(self, Delete, path, self.inner.delete(path))
    }

    async fn create_dir(&self, path: &str) -> Result<()> {
        whole!(self, CreateDir, path, self.inner.create_dir(path))
    }

    async fn move_dir(&self, from: &str, to: &str) -> Result<Publish> {
        whole!(self, MoveDir, from, self.inner.move_dir(from, to))
    }

    async fn delete_dir(&self, path: &str) -> Result<()> {
        match self.step(Operation::DeleteDir, path)? {
            Step::Live => self.inner.delete_dir(path).await,
            Step::Die(CrashPoint::Torn(_)) => {
                if let Some(file) = self.inner.list(path).await?.iter().find(|f| !f.is_dir) {
                    let _ = self.inner.delete(&format!("{path}/{}", file.name)).await;
                }
                Err(died(Operation::DeleteDir, path))
            }
            Step::Die(_) => {
                let _ = self.inner.delete_dir(path).await;
                Err(died(Operation::DeleteDir, path))
            }
        }
    }
}

struct CrashingWriter {
    /// Taken when the file ends, one way or the other.
    inner: Option<Box<dyn FileWriter>>,
    life: Arc<Mutex<Life>>,
    path: String,
}

impl CrashingWriter {
    /// Counts an operation. When the process is dead, or dies before it, the file stays with the
    /// bytes it was given so far: writers remove what they did not finish, a crash does not.
    async fn step(&mut self, operation: Operation) -> Result<Step> {
        let step = step(&self.life, operation, &self.path);
        if step.is_err() {
            self.leave().await;
        }
        step
    }

    async fn leave(&mut self) {
        if let Some(inner) = self.inner.take() {
            let _ = inner.finish().await;
        }
    }

    fn inner(&mut self, operation: Operation) -> Result<&mut Box<dyn FileWriter>> {
        self.inner.as_mut().ok_or_else(|| died(operation, &self.path))
    }

    fn taken(&mut self, operation: Operation) -> Result<Box<dyn FileWriter>> {
        self.inner.take().ok_or_else(|| died(operation, &self.path))
    }
}

impl Drop for CrashingWriter {
    fn drop(&mut self) {
        if lock(&self.life).dead {
            // A dead process runs no destructors.
            std::mem::forget(self.inner.take());
        }
    }
}

#[async_trait]
impl FileWriter for CrashingWriter {
    async fn write(&mut self, data: Bytes) -> Result<()> {
        let point = match self.step(Operation::Write).await? {
            Step::Live => return self.inner(Operation::Write)?.write(data).await,
            Step::Die(point) => point,
        };
        let keep = match point {
            CrashPoint::Torn(keep) => keep.min(data.len()),
            _ => data.len(),
        };
        let _ = self.inner(Operation::Write)?.write(data.slice(..keep)).await;
        self.leave().await;
        Err(died(Operation::Write, &self.path))
    }

    async fn finish(mut self: Box<Self>) -> Result<u64> {
        match self.step(Operation::Finish).await? {
            Step::Live => self.taken(Operation::Finish)?.finish().await,
            Step::Die(_) => {
                self.leave().await;
                Err(died(Operation::Finish, &self.path))
            }
        }
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        match self.step(Operation::Abort).await? {
            Step::Live => self.taken(Operation::Abort)?.abort().await,
            Step::Die(CrashPoint::After) => {
                let _ = self.taken(Operation::Abort)?.abort().await;
                Err(died(Operation::Abort, &self.path))
            }
            Step::Die(_) => {
                self.leave().await;
                Err(died(Operation::Abort, &self.path))
            }
        }
    }
}
