//! A split: files of one bucket that are read together, by one reader.

use headwater_spec::{DataFileMeta, Datum};

/// Files of one bucket that are read together.
#[derive(Debug, Clone)]
pub struct Split {
    pub(crate) partition_values: Vec<Option<Datum>>,
    pub(crate) bucket: i32,
    pub(crate) total_buckets: i32,
    pub(crate) files: SplitFiles,
    /// Rows are left out when their time is over.
    pub(crate) expires: bool,
}

/// How the files of a split relate.
#[derive(Debug, Clone)]
pub(crate) enum SplitFiles {
    /// Every row of every file is a row of the table.
    Raw(Vec<DataFileMeta>),
    /// Sections in key order; each a list of sorted runs; each a list of files in key order.
    Merge(Vec<Vec<Vec<DataFileMeta>>>),
}

impl Split {
    /// The files, in reading order.
    pub fn files(&self) -> impl Iterator<Item = &DataFileMeta> {
        let (raw, merge) = match &self.files {
            SplitFiles::Raw(files) => (Some(files.iter()), None),
            SplitFiles::Merge(sections) => (None, Some(sections.iter().flatten().flatten())),
        };
        raw.into_iter().flatten().chain(merge.into_iter().flatten())
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files().map(|f| u64::try_from(f.file_size).unwrap_or(0)).fold(0, u64::saturating_add)
    }

    /// Whether rows come straight from the files, without merging.
    #[must_use]
    pub const fn is_raw(&self) -> bool {
        matches!(self.files, SplitFiles::Raw(_))
    }

    /// Bucket.
    #[must_use]
    pub const fn bucket(&self) -> i32 {
        self.bucket
    }

    /// Bucket count when the files were written; -1 without fixed buckets.
    #[must_use]
    pub const fn total_buckets(&self) -> i32 {
        self.total_buckets
    }

    /// Values of the partition columns.
    #[must_use]
    pub fn partition_values(&self) -> &[Option<Datum>] {
        &self.partition_values
    }

    /// Rows of the split, if they can be told without reading: no merging, no retractions.
    ///
    /// `keyed`: whether the table has a primary key; files of other tables hold no retractions.
    #[must_use]
    pub fn exact_rows(&self, keyed: bool) -> Option<u64> {
        let SplitFiles::Raw(files) = &self.files else { return None };
        if self.expires {
            return None;
        }
        files.iter().try_fold(0_u64, |sum, file| {
            let plain = !keyed || file.delete_row_count == Some(0);
            plain.then_some(sum.checked_add(u64::try_from(file.row_count).ok()?)?)
        })
    }
}
