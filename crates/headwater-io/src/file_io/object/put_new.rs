//! Makes an object unless its name is taken, and finds out what really happened.
//!
//! A store's reply is a hint: replies get lost, repeated, or are wrong. The object itself says
//! whether it holds our bytes. Why: `docs/adr/0003-publish-without-replace.md`.

use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::{Publish, create_options};
use crate::env::{Clock, Random};
use crate::error::{IoError, Result, Source};
use crate::retry::backoff;

/// Attempts when the object is not there afterwards.
const ATTEMPTS: u32 = 5;
const WAIT_MIN: Duration = Duration::from_millis(50);
const WAIT_MAX: Duration = Duration::from_secs(2);

/// When to look at the object after a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadBack {
    /// Always: for names that writers race for.
    Always,
    /// Only when the store did not say that all is well: for unique names.
    OnDoubt,
}

/// One object to be made.
pub(super) struct PutNew<'a> {
    pub(super) store: &'a dyn ObjectStore,
    pub(super) key: Path,
    pub(super) path: String,
    pub(super) payload: PutPayload,
    pub(super) clock: &'a dyn Clock,
    pub(super) random: &'a dyn Random,
}

/// What the object looks like after a put.
enum Found {
    Ours,
    Foreign,
    Absent,
}

/// What a put's reply says about later surprises.
enum Reply {
    /// The store says it took the object.
    Taken,
    /// The store refused for good: nothing of ours can appear later.
    Refused(Source),
    /// The store refused this time; nothing of ours can appear later.
    NotNow(Source),
    /// No usable reply: the object may still appear.
    Unclear(Source),
}

impl PutNew<'_> {
    /// Puts the object. `Exists` when it is there with other bytes; the same bytes count as ours,
    /// so racing writers must write different ones.
    pub(super) async fn run(&self, read_back: ReadBack) -> Result<Publish> {
        // Once a reply was unclear the object may appear at any time.
        let mut unclear = None;
        let mut last = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                let wait = backoff(attempt - 1, WAIT_MIN, WAIT_MAX, self.random);
                self.clock.sleep(wait).await;
            }
            let reply = self.put().await?;
            if matches!((&reply, read_back), (Reply::Taken, ReadBack::OnDoubt)) {
                return Ok(Publish::Published);
            }
            match self.look().await {
                Ok(Found::Ours) => return Ok(Publish::Published),
                Ok(Found::Foreign) => return Ok(Publish::Exists),
                Ok(Found::Absent) => {}
                Err(error) => return Err(self.unreadable(reply, unclear, error)),
            }
            match reply {
                Reply::Refused(source) => {
                    last = Some(source);
                    break;
                }
                Reply::NotNow(source) => last = Some(source),
                Reply::Unclear(source) => unclear = Some(source),
                Reply::Taken => {
                    unclear = Some("the store says it took the object, but it is not there".into());
                }
            }
        }
        Err(match (unclear, last) {
            (Some(source), _) => IoError::OutcomeUnknown { path: self.path.clone(), source },
            (None, last) => IoError::Write {
                path: self.path.clone(),
                op: "publish",
                source: last.unwrap_or_else(|| "no attempt was made".into()),
            },
        })
    }

    async fn put(&self) -> Result<Reply> {
        use object_store::Error;
        let put = self.store.put_opts(&self.key, self.payload.clone(), create_options()).await;
        Ok(match put {
            Ok(_) => Reply::Taken,
            Err(error @ (Error::NotSupported { .. } | Error::NotImplemented { .. })) => {
                return Err(IoError::Unsupported {
                    uri: self.path.clone(),
                    reason: format!("the store cannot put an object only if it is absent: {error}"),
                });
            }
            Err(error @ (Error::PermissionDenied { .. } | Error::Unauthenticated { .. })) => {
                Reply::Refused(Box::new(error))
            }
            // Another put of the same name won, or was under way and may have failed since.
            Err(error @ (Error::AlreadyExists { .. } | Error::Precondition { .. })) => {
                Reply::NotNow(Box::new(error))
            }
            Err(error) => Reply::Unclear(Box::new(error)),
        })
    }

    /// Compares the object with what was put; a different size is not even downloaded.
    async fn look(&self) -> object_store::Result<Found> {
        let found = match self.store.get(&self.key).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(Found::Absent),
            other => other?,
        };
        if Some(found.meta.size) != u64::try_from(self.payload.content_length()).ok() {
            return Ok(Found::Foreign);
        }
        let theirs = found.bytes().await?;
        let mut rest = theirs.as_ref();
        for ours in &self.payload {
            match rest.strip_prefix(ours.as_ref()) {
                Some(after) => rest = after,
                None => return Ok(Found::Foreign),
            }
        }
        Ok(if rest.is_empty() { Found::Ours } else { Found::Foreign })
    }

    /// The object cannot be looked at after `reply`.
    fn unreadable(
        &self,
        reply: Reply,
        earlier: Option<Source>,
        error: object_store::Error,
    ) -> IoError {
        let path = self.path.clone();
        match (reply, earlier) {
            (Reply::Refused(source), None) => IoError::Write { path, op: "publish", source },
            (Reply::Refused(source) | Reply::NotNow(source) | Reply::Unclear(source), _) => {
                let source = format!("{source}; looking at it: {error}").into();
                IoError::OutcomeUnknown { path, source }
            }
            (Reply::Taken, _) => IoError::OutcomeUnknown { path, source: Box::new(error) },
        }
    }
}
