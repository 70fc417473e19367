//! A file system with scripted faults: disks that fail, replies that get lost, stores that lie.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_io::{FileIo, FileStatus, FileWriter, IoError, Publish, Result};

use crate::operation::Operation;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails and does nothing.
    Error,
    /// The operation is done, but its reply is lost (a publish: `OutcomeUnknown`).
    LostReply,
    /// Nothing is done, yet success is reported. A read returns half of its bytes, a listing is
    /// empty, a file does not exist.
    Lie,
}

#[derive(Debug)]
struct Rule {
    operation: Operation,
    path: String,
    fault: Fault,
    skip: usize,
    times: usize,
}

#[derive(Debug, Default)]
struct Script {
    rules: Vec<Rule>,
    fired: usize,
}

/// Follows a script of faults; everything else goes through.
#[derive(Debug)]
pub struct FaultyFileIo {
    inner: Arc<dyn FileIo>,
    script: Arc<Mutex<Script>>,
}

impl FaultyFileIo {
    /// Without any fault so far.
    pub fn new(inner: Arc<dyn FileIo>) -> Self {
        Self { inner, script: Arc::default() }
    }

    /// The next `times` such operations on a path that contains `path` go wrong.
    pub fn inject(&self, operation: Operation, path: &str, fault: Fault, times: usize) {
        self.inject_later(operation, path, fault, (0, times));
    }

    /// As [`Self::inject`] after letting some pass: `(skip, times)`.
    pub fn inject_later(
        &self,
        operation: Operation,
        path: &str,
        fault: Fault,
        (skip, times): (usize, usize),
    ) {
        let rule = Rule { operation, path: path.to_owned(), fault, skip, times };
        self.script.lock().unwrap_or_else(PoisonError::into_inner).rules.push(rule);
    }

    /// How often something went wrong.
    pub fn fired(&self) -> usize {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).fired
    }

    fn fault(&self, operation: Operation, path: &str) -> Option<Fault> {
        fault(&self.script, operation, path)
    }
}

fn fault(script: &Mutex<Script>, operation: Operation, path: &str) -> Option<Fault> {
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    let matching =
        |r: &&mut Rule| r.operation == operation && r.times > 0 && path.contains(r.path.as_str());
    let rule = script.rules.iter_mut().find(matching)?;
    if rule.skip > 0 {
        rule.skip -= 1;
        return None;
    }
    rule.times -= 1;
    let fault = rule.fault;
    script.fired += 1;
    Some(fault)
}

fn broken(operation: Operation, path: &str) -> IoError {
    operation.error(path, "input/output error (simulated)")
}

/// Runs one operation; the last argument is what a liar answers.
macro_rules! scripted {
    ($self:ident, $operation:ident, $path:expr, $call:expr, $lie:expr) => {
        match fault(&$self.script, Operation::$operation, $path) {
            None => $call.await,
            Some(Fault::Error) => Err(broken(Operation::$operation, $path)),
            Some(Fault::LostReply) => {
                let _ = $call.await;
                Err(broken(Operation::$operation, $path))
            }
            Some(Fault::Lie) => $lie,
        }
    };
}

fn half(bytes: &Bytes) -> Bytes {
    bytes.slice(..bytes.len() / 2)
}

#[async_trait]
impl FileIo for FaultyFileIo {
    fn root(&self) -> &str {
        self.inner.root()
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        scripted!(self, Read, path, self.inner.read(path), {
            Ok(half(&self.inner.read(path).await?))
        })
    }

    async fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        scripted!(self, Read, path, self.inner.read_range(path, range.clone()), {
            Ok(half(&self.inner.read_range(path, range).await?))
        })
    }

    async fn read_ranges(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        scripted!(self, Read, path, self.inner.read_ranges(path, ranges), {
            Ok(self.inner.read_ranges(path, ranges).await?.iter().map(half).collect())
        })
    }

    async fn size(&self, path: &str) -> Result<u64> {
        scripted!(self, Size, path, self.inner.size(path), {
            Err(IoError::NotFound { path: path.to_owned() })
        })
    }

    async fn exists(&self, path: &str) -> Result<bool> {
        scripted!(self, Exists, path, self.inner.exists(path), Ok(false))
    }

    async fn list(&self, dir: &str) -> Result<Vec<FileStatus>> {
        scripted!(self, List, dir, self.inner.list(dir), Ok(Vec::new()))
    }

    async fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        let inner = match self.fault(Operation::Create, path) {
            None => self.inner.create(path).await?,
            Some(Fault::Error) => return Err(broken(Operation::Create, path)),
            Some(Fault::LostReply | Fault::Lie) => {
                let _ = self.inner.create(path).await;
                return Err(broken(Operation::Create, path));
            }
        };
        let script = Arc::clone(&self.script);
        Ok(Box::new(FaultyWriter { inner, script, path: path.to_owned(), written: 0 }))
    }

    async fn make_durable(&self, path: &str) -> Result<()> {
        self.inner.make_durable(path).await
    }

    async fn publish(&self, path: &str, data: Bytes) -> Result<Publish> {
        match self.fault(Operation::Publish, path) {
            None => self.inner.publish(path, data).await,
            Some(Fault::Error) => Err(broken(Operation::Publish, path)),
            Some(Fault::LostReply) => {
                let _ = self.inner.publish(path, data).await;
                let source = "connection reset (simulated)".into();
                Err(IoError::OutcomeUnknown { path: path.to_owned(), source })
            }
            Some(Fault::Lie) => Ok(Publish::Published),
        }
    }

    async fn overwrite(&self, path: &str, data: Bytes) -> Result<()> {
        scripted!(self, Overwrite, path, self.inner.overwrite(path, data), Ok(()))
    }

    async fn delete(&self, path: &str) -> Result<()> {
        scripted!(self, Delete, path, self.inner.delete(path), Ok(()))
    }

    async fn create_dir(&self, path: &str) -> Result<()> {
        scripted!(self, CreateDir, path, self.inner.create_dir(path), Ok(()))
    }

    async fn move_dir(&self, from: &str, to: &str) -> Result<Publish> {
        scripted!(self, MoveDir, from, self.inner.move_dir(from, to), Ok(Publish::Published))
    }

    async fn delete_dir(&self, path: &str) -> Result<()> {
        scripted!(self, DeleteDir, path, self.inner.delete_dir(path), Ok(()))
    }
}

struct FaultyWriter {
    inner: Box<dyn FileWriter>,
    script: Arc<Mutex<Script>>,
    path: String,
    written: u64,
}

#[async_trait]
impl FileWriter for FaultyWriter {
    async fn write(&mut self, data: Bytes) -> Result<()> {
        self.written += u64::try_from(data.len()).unwrap_or(u64::MAX);
        scripted!(self, Write, &self.path, self.inner.write(data), Ok(()))
    }

    async fn finish(self: Box<Self>) -> Result<u64> {
        let Self { inner, script, path, written } = *self;
        match fault(&script, Operation::Finish, &path) {
            None => inner.finish().await,
            Some(Fault::Error) => Err(broken(Operation::Finish, &path)),
            Some(Fault::LostReply) => {
                let _ = inner.finish().await;
                Err(broken(Operation::Finish, &path))
            }
            Some(Fault::Lie) => {
                let _ = inner.abort().await;
                Ok(written)
            }
        }
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        let Self { inner, script, path, .. } = *self;
        match fault(&script, Operation::Abort, &path) {
            None => inner.abort().await,
            Some(Fault::Lie) => Ok(()),
            Some(_) => Err(broken(Operation::Abort, &path)),
        }
    }
}
