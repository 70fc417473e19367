//! File system calls that block, kept off the async threads and bounded in number.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::error::{IoError, Result};
use crate::pools::panic_message;

/// Calls under way at once per root: enough to keep a disk busy.
const CALLS_AT_ONCE: usize = 32;

/// Runs blocking calls for one root.
#[derive(Debug, Clone)]
pub(super) struct BlockingCalls {
    slots: Arc<Semaphore>,
}

impl BlockingCalls {
    pub(super) fn new() -> Self {
        Self { slots: Arc::new(Semaphore::new(CALLS_AT_ONCE)) }
    }

    /// Runs `call`; `op` and `path` are for the error when it dies. Once started a call runs to
    /// its end, also when the future is dropped. Without an async runtime there is nobody to keep
    /// waiting, so the call runs right here.
    pub(super) async fn run<T, F>(&self, op: &'static str, path: &str, call: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let Ok(runtime) = Handle::try_current() else { return call() };
        // The semaphore is never closed.
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        let job = runtime.spawn_blocking(move || {
            let _slot = slot;
            call()
        });
        job.await.unwrap_or_else(|error| {
            let reason = error.try_into_panic().map_or_else(
                |_| "the runtime ended".to_owned(),
                |payload| format!("it panicked: {}", panic_message(payload.as_ref())),
            );
            Err(IoError::JobLost { path: path.to_owned(), op, reason })
        })
    }
}
