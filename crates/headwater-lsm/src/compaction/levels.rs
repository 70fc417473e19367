//! The live files of a bucket as sorted runs.
//!
//! Rules: `docs/spec/compaction.md#levels`. Source: Paimon 1.4.2 `Levels`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use headwater_spec::DataFileMeta;

use super::{Pick, RunSize};

/// The files of one bucket by level.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    /// Number of levels that the table's options ask for.
    wanted: usize,
    /// Newest first.
    level0: Vec<DataFileMeta>,
    /// Levels above, each one run.
    upper: BTreeMap<i32, Vec<DataFileMeta>>,
}

/// What is compacted into one run.
#[derive(Debug, Clone, PartialEq)]
pub struct CompactionUnit {
    /// The files.
    pub files: Vec<DataFileMeta>,
    /// Level of the result.
    pub output_level: i32,
    /// The highest level that there is.
    pub last_level: i32,
    /// No older record of a key is outside: retractions need not be kept.
    pub drop_deletes: bool,
    /// Files of the levels above the result.
    pub above: Vec<DataFileMeta>,
}

impl Levels {
    /// Files of a bucket; `wanted` is the option `num-levels`. There are more levels if a file says
    /// so.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = DataFileMeta>, wanted: i32) -> Self {
        let wanted = usize::try_from(wanted).unwrap_or(0).max(2);
        let mut levels = Self { wanted, ..Self::default() };
        for file in files {
            levels.add(file);
        }
        levels
    }

    /// Adds a file.
    pub fn add(&mut self, file: DataFileMeta) {
        if file.level <= 0 {
            let at = self.level0.partition_point(|known| newest_first(known, &file).is_lt());
            self.level0.insert(at, file);
        } else {
            self.upper.entry(file.level).or_default().push(file);
        }
    }

    /// Takes files out, and others in.
    pub fn replace(&mut self, before: &[DataFileMeta], after: &[DataFileMeta]) {
        let gone: HashSet<(&str, i32)> =
            before.iter().map(|file| (file.file_name.as_str(), file.level)).collect();
        let stays = |file: &DataFileMeta| !gone.contains(&(file.file_name.as_str(), file.level));
        self.level0.retain(stays);
        self.upper.retain(|_, files| {
            files.retain(stays);
            !files.is_empty()
        });
        for file in after {
            self.add(file.clone());
        }
    }

    /// Number of levels.
    #[must_use]
    pub fn count(&self) -> usize {
        let highest = self.upper.keys().next_back().copied().unwrap_or(0);
        usize::try_from(highest).unwrap_or(0).saturating_add(1).max(self.wanted)
    }

    /// The sorted runs, newest first.
    #[must_use]
    pub fn runs(&self) -> Vec<RunSize> {
        let size = |level: i32, files: &[DataFileMeta]| RunSize {
            level: usize::try_from(level).unwrap_or(0),
            bytes: files.iter().map(bytes).fold(0, u64::saturating_add),
            files: files.len(),
        };
        let fresh = self.level0.iter().map(|file| size(0, std::slice::from_ref(file)));
        fresh.chain(self.upper.iter().map(|(level, files)| size(*level, files))).collect()
    }

    /// Number of sorted runs.
    #[must_use]
    pub fn run_count(&self) -> usize {
        self.level0.len() + self.upper.len()
    }

    /// All files, newest run first.
    pub fn files(&self) -> impl Iterator<Item = &DataFileMeta> {
        self.level0.iter().chain(self.upper.values().flatten())
    }

    /// The files of a choice, and what its result may leave out.
    ///
    /// Source: Paimon 1.4.2 `MergeTreeCompactManager#triggerCompaction`.
    #[must_use]
    pub fn unit(&self, pick: Pick) -> CompactionUnit {
        let level = |level: usize| i32::try_from(level).unwrap_or(i32::MAX);
        let output_level = level(pick.output_level);
        let highest = self.upper.keys().next_back().copied().unwrap_or(0);
        let fresh = pick.runs.min(self.level0.len());
        let upper = pick.runs - fresh;
        let mut files: Vec<DataFileMeta> = self.level0.iter().take(fresh).cloned().collect();
        files.extend(self.upper.values().take(upper).flatten().cloned());
        CompactionUnit {
            files,
            output_level,
            last_level: level(self.count().saturating_sub(1)),
            drop_deletes: output_level != 0 && output_level >= highest,
            above: self.upper.values().skip(upper).flatten().cloned().collect(),
        }
    }
}

/// Bytes of a file.
pub(super) fn bytes(file: &DataFileMeta) -> u64 {
    u64::try_from(file.file_size).unwrap_or(0)
}

fn newest_first(a: &DataFileMeta, b: &DataFileMeta) -> Ordering {
    let number = |file: &DataFileMeta| {
        (std::cmp::Reverse(file.max_sequence_number), file.min_sequence_number)
    };
    number(a)
        .cmp(&number(b))
        .then_with(|| a.creation_time_millis.cmp(&b.creation_time_millis))
        .then_with(|| a.file_name.cmp(&b.file_name))
}
