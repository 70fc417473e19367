//! Threads: a fixed set for row work, and tasks on the async runtime that end with their handle.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::IoErrorKind;

/// A job or task that gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The job panicked.
    #[error("a job panicked: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
    /// The task was aborted, or its runtime ended first.
    #[error("a task ended before it was complete")]
    Cancelled,
    /// The operating system gave no thread.
    #[error("cannot start a thread: {reason}")]
    NoThread {
        /// Its answer.
        reason: String,
    },
}

impl PoolError {
    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> IoErrorKind {
        match self {
            Self::Panicked { .. } => IoErrorKind::Internal,
            Self::Cancelled | Self::NoThread { .. } => IoErrorKind::Unavailable,
        }
    }
}

/// The threads of a process. Clones share them; the last one dropped ends them once their queue is
/// empty.
#[derive(Clone)]
pub struct Pools {
    cpu: Arc<CpuThreads>,
    runtime: Option<Handle>,
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools").field("cpu_threads", &self.cpu.limit).finish_non_exhaustive()
    }
}

impl Pools {
    /// `cpu_threads` threads for row work, at least one; they start when first needed.
    #[must_use]
    pub fn new(cpu_threads: usize) -> Self {
        let queue = Queue { jobs: VecDeque::new(), idle: 0, threads: 0, closed: false };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), work: Condvar::new() });
        Self {
            cpu: Arc::new(CpuThreads { shared, limit: cpu_threads.max(1) }),
            runtime: Handle::try_current().ok(),
        }
    }

    /// How many CPU jobs run at the same time.
    #[must_use]
    pub fn cpu_threads(&self) -> usize {
        self.cpu.limit
    }

    /// Runs `job` on a CPU thread. Works on any executor. A job whose future is dropped before it
    /// starts is skipped; one that has started runs to its end. A job must not wait for another
    /// job: with one thread it would wait forever. Inside the job the caller's async runtime is
    /// entered, so that it can [`Pools::spawn`].
    ///
    /// # Errors
    /// The job panicked, or no thread could be started.
    pub async fn run<T, F>(&self, job: F) -> Result<T, PoolError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let runtime = self.handle();
        let (reply, answer) = oneshot::channel();
        self.cpu.submit(Box::new(move || {
            if reply.is_closed() {
                return;
            }
            let _entered = runtime.as_ref().map(Handle::enter);
            let outcome = catch_unwind(AssertUnwindSafe(job)).map_err(|payload| panicked(&payload));
            drop(reply.send(outcome));
        }))?;
        answer.await.unwrap_or(Err(PoolError::Cancelled))
    }

    /// Starts an async task; it is aborted when the returned handle is dropped.
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self.handle().map_or_else(process_runtime, Ok) {
            Ok(handle) => Task { state: TaskState::Running(handle.spawn(future)) },
            Err(error) => Task { state: TaskState::Failed(error) },
        }
    }

    /// Starts an async task that nobody waits for, such as tidying up. It ends with the process.
    pub fn detach<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        match self.handle().map_or_else(process_runtime, Ok) {
            Ok(handle) => drop(handle.spawn(future)),
            Err(error) => tracing::warn!(%error, "a task was not started"),
        }
    }

    /// The runtime that tasks run on: the caller's, else the one these pools were made in.
    fn handle(&self) -> Option<Handle> {
        Handle::try_current().ok().or_else(|| self.runtime.clone())
    }
}

/// A running task. Await it for its result; dropping it aborts the task.
#[derive(Debug)]
pub struct Task<T> {
    state: TaskState<T>,
}

#[derive(Debug)]
enum TaskState<T> {
    Running(JoinHandle<T>),
    Failed(PoolError),
}

impl<T> Task<T> {
    /// Asks the task to end at its next await.
    pub fn abort(&self) {
        if let TaskState::Running(handle) = &self.state {
            handle.abort();
        }
    }

    /// True when a result is there.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match &self.state {
            TaskState::Running(handle) => handle.is_finished(),
            TaskState::Failed(_) => true,
        }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, PoolError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            TaskState::Failed(error) => Poll::Ready(Err(error.clone())),
            TaskState::Running(handle) => Pin::new(handle).poll(cx).map_err(task_error),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.abort();
    }
}

type Job = Box<dyn FnOnce() + Send>;

struct CpuThreads {
    shared: Arc<Shared>,
    limit: usize,
}

struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
}

struct Queue {
    jobs: VecDeque<Job>,
    idle: usize,
    threads: usize,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            queue.idle += 1;
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }
}

impl CpuThreads {
    fn submit(&self, job: Job) -> Result<(), PoolError> {
        let mut queue = self.shared.lock();
        if queue.idle <= queue.jobs.len() && queue.threads < self.limit {
            match self.start_thread(queue.threads) {
                Ok(()) => queue.threads += 1,
                Err(error) if queue.threads == 0 => {
                    return Err(PoolError::NoThread { reason: error.to_string() });
                }
                Err(error) => tracing::debug!(%error, "going on with fewer CPU threads"),
            }
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.shared.work.notify_one();
        Ok(())
    }

    fn start_thread(&self, number: usize) -> std::io::Result<()> {
        let shared = Arc::clone(&self.shared);
        std::thread::Builder::new()
            .name(format!("headwater-cpu-{number}"))
            .spawn(move || shared.work())
            .map(drop)
    }
}

impl Drop for CpuThreads {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
    }
}

/// Why a task of the async runtime gave no result.
pub(crate) fn task_error(error: tokio::task::JoinError) -> PoolError {
    error.try_into_panic().map_or(PoolError::Cancelled, |payload| panicked(&payload))
}

fn panicked(payload: &Box<dyn Any + Send>) -> PoolError {
    PoolError::Panicked { message: panic_message(payload.as_ref()) }
}

/// The text of a panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// A runtime for tasks started where there is none; made once per process.
fn process_runtime() -> Result<Handle, PoolError> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| build_runtime().map_err(|error| error.to_string()));
    match made {
        Ok(runtime) => Ok(runtime.handle().clone()),
        Err(reason) => Err(PoolError::NoThread { reason: reason.clone() }),
    }
}

/// Calls to the local file system that are made at once.
const MOST_FILE_CALLS: usize = 64;

/// The multi-thread runtime that IO runs on.
pub(crate) fn build_runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("headwater-io")
        // Each is a call to the file system and has a stack of its own.
        .max_blocking_threads(MOST_FILE_CALLS)
        .enable_all()
        .build()
}

#[cfg(test)]
mod tests;
