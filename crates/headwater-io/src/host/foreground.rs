//! Work on background threads while the calling thread waits for its end, for Ctrl-C and for ticks.
//!
//! The caller waits on a runtime of its own, so that it hears Ctrl-C also when every worker is busy.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{IoError, Result};
use crate::pools::{PoolError, build_runtime, task_error};

/// How long a cancelled task may take to end before it is left alone.
const GRACE: Duration = Duration::from_secs(2);

/// The threads of an interactive process.
#[derive(Debug)]
pub struct Foreground {
    workers: Handle,
    watch: Runtime,
    /// Ends the workers.
    owner: Option<Runtime>,
}

/// What Ctrl-C does while work runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// It ends the work. From the first such work on the signal no longer ends the process.
    CancelsWork,
    /// What it did before: it ends the process, unless work was cancellable earlier.
    EndsProcess,
}

/// How work ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended<T> {
    /// It is complete.
    Done(T),
    /// Ctrl-C came first. Work that does not stop at once goes on for a moment, unseen.
    Interrupted,
}

impl Foreground {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn new() -> Result<Self> {
        let owner = build_runtime().map_err(no_runtime)?;
        let watch = Builder::new_current_thread().enable_all().build().map_err(no_runtime)?;
        Ok(Self { workers: owner.handle().clone(), watch, owner: Some(owner) })
    }

    /// Runs a future on the calling thread, with the workers at hand.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.workers.block_on(future)
    }

    /// From now on Ctrl-C does not end the process, also while no work runs.
    ///
    /// # Errors
    /// The system does not let the signal be caught.
    pub fn catch_ctrl_c(&self) -> Result<()> {
        let _entered = self.watch.enter();
        // The handler stays when the listener goes.
        signal(SignalKind::interrupt()).map(drop).map_err(|source| IoError::Root {
            root: "the signal of Ctrl-C".to_owned(),
            source: Box::new(source),
        })
    }

    /// Runs `work` on the workers and calls `tick` each time `every` has passed.
    ///
    /// # Errors
    /// The work panicked, or its threads are gone.
    pub fn run<F>(
        &self,
        work: F,
        interrupt: Interrupt,
        every: Duration,
        mut tick: impl FnMut(),
    ) -> Result<Ended<F::Output>, PoolError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.watch.block_on(async {
            let mut signals = match interrupt {
                Interrupt::CancelsWork => signal(SignalKind::interrupt()).ok(),
                Interrupt::EndsProcess => None,
            };
            let ctrl_c = async {
                let heard = match &mut signals {
                    Some(signals) => signals.recv().await.is_some(),
                    None => false,
                };
                if !heard {
                    std::future::pending::<()>().await;
                }
            };
            let mut ctrl_c = std::pin::pin!(ctrl_c);
            let mut work = self.workers.spawn(work);
            let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            ticks.tick().await;
            loop {
                tokio::select! {
                    biased;
                    done = &mut work => return done.map(Ended::Done).map_err(task_error),
                    () = &mut ctrl_c => break,
                    _ = ticks.tick() => tick(),
                }
            }
            work.abort();
            match tokio::time::timeout(GRACE, work).await {
                Ok(Ok(done)) => Ok(Ended::Done(done)),
                Ok(Err(error)) if error.is_panic() => Err(task_error(error)),
                Ok(Err(_)) | Err(_) => Ok(Ended::Interrupted),
            }
        })
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        if let Some(owner) = self.owner.take() {
            owner.shutdown_background();
        }
    }
}

fn no_runtime(source: std::io::Error) -> IoError {
    IoError::Root { root: "async runtime".to_owned(), source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ended, Foreground, Interrupt};

    #[test]
    fn work_that_ends_gives_its_result() {
        let foreground = Foreground::new().unwrap();
        let ended =
            foreground.run(async { 7 }, Interrupt::EndsProcess, Duration::from_secs(60), || {});
        assert_eq!(ended, Ok(Ended::Done(7)));
    }

    #[test]
    fn ticks_come_while_work_waits() {
        let foreground = Foreground::new().unwrap();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let mut sender = Some(sender);
        let tick = || {
            if let Some(sender) = sender.take() {
                sender.send(3).unwrap();
            }
        };
        let ended =
            foreground.run(receiver, Interrupt::EndsProcess, Duration::from_millis(1), tick);
        assert_eq!(ended, Ok(Ended::Done(Ok(3))));
    }

    #[test]
    fn work_that_panics_is_an_error() {
        let foreground = Foreground::new().unwrap();
        let work = async { panic!("oh") };
        let ended: Result<Ended<()>, _> =
            foreground.run(work, Interrupt::EndsProcess, Duration::from_secs(60), || {});
        assert!(ended.unwrap_err().to_string().contains("oh"));
    }
}
