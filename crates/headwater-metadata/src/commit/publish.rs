//! The only place where a snapshot becomes visible.

use headwater_io::Publish;
use headwater_spec::{Snapshot, path};

use super::Committer;
use crate::error::Result;

impl Committer<'_> {
    /// Makes `snapshot` visible unless its id is taken; never replaces one.
    ///
    /// # Errors
    /// `OutcomeUnknown` when the snapshot may be visible; any other error means that it is not.
    pub(super) async fn publish(&self, snapshot: &Snapshot) -> Result<Publish> {
        let file = self.store.path(&path::snapshot_file(snapshot.id));
        Ok(self.store.io().publish(&file, snapshot.to_json()?.into()).await?)
    }
}
