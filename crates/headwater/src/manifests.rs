//! The manifests of a table, merged on demand.

use headwater_metadata::commit::Committer;

use crate::error::Result;
use crate::table::Table;

/// What [`Table::compact_manifests`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestCompaction {
    /// The snapshot that has the merged manifests; `None` if there was nothing to merge.
    pub snapshot_id: Option<i64>,
    /// Manifests of the newest snapshot now.
    pub manifests: usize,
}

impl Table {
    /// Merges the manifests of the newest snapshot into as few as `manifest.target-file-size`
    /// allows and drops the entries of removed files, in a commit of its own that changes no rows.
    /// Commits do the same now and then; this is for a table of which nothing more is written, or
    /// that another program left with many manifests.
    ///
    /// # Errors
    /// The table has a feature that this version cannot write, its metadata is corrupt, or other
    /// commits won every race.
    pub async fn compact_manifests(&self) -> Result<ManifestCompaction> {
        self.check_writable()?;
        let committer = Committer::new(self.store(), self.schema(), self.options())?;
        let committed = committer.compact_manifests(&self.random_user()).await?;
        let snapshot_id = committed.as_ref().map(|snapshot| snapshot.id);
        let newest = match committed {
            Some(snapshot) => Some(snapshot),
            None => self.store().latest_snapshot().await?,
        };
        let manifests = match newest {
            Some(snapshot) => self.store().manifests_of(&snapshot).await?.len(),
            None => 0,
        };
        Ok(ManifestCompaction { snapshot_id, manifests })
    }
}
