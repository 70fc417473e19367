//! Which row groups a read would fetch: looks at the footers of its files and at nothing else.

use std::sync::Arc;

use headwater_spec::DataField;

use super::builder::ReadBuilder;
use super::counters::ReadCounters;
use super::file::Wanted;
use super::split::{Split, SplitFiles};
use crate::error::Result;

impl ReadBuilder {
    /// Opens the files of the splits and counts their row groups, those that the filter leaves and
    /// those that it excludes. No row is read.
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub async fn footers(&self, splits: &[Split]) -> Result<ReadCounters> {
        let counters = Arc::new(ReadCounters::default());
        let read = self.clone().counted(Arc::clone(&counters));
        let keys = self.table.schema().trimmed_primary_keys();
        let is_key = |field: &DataField| keys.contains(&field.name);
        for split in splits {
            let single = Wanted::new(&read, split, Vec::new(), |_| true)?;
            match &split.files {
                SplitFiles::Raw(files) => single.look_at(files.iter()).await?,
                SplitFiles::Merge(sections) => {
                    let several = Wanted::new(&read, split, Vec::new(), is_key)?;
                    for runs in sections {
                        let wanted = if runs.len() == 1 { &single } else { &several };
                        wanted.look_at(runs.iter().flatten()).await?;
                    }
                }
            }
        }
        drop(read);
        Ok(Arc::into_inner(counters).unwrap_or_default())
    }
}
