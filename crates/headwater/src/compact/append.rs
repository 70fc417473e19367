//! Which files of a table without a primary key are put together.
//!
//! Rules: `docs/spec/compaction.md#without-a-primary-key`. Source: Paimon 1.4.2
//! `BucketedAppendCompactManager`, `AppendCompactCoordinator`.

use headwater_spec::DataFileMeta;

use super::bucket::small_bytes;
use crate::table::Table;

/// Files that become fewer, in the order of their rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AppendUnit {
    pub(crate) files: Vec<DataFileMeta>,
}

/// Files that a full compaction of a bucket has at least.
const FULL_MIN_FILES: usize = 3;

/// The files of a bucket to put together now, if any.
pub(super) fn pick(table: &Table, mut files: Vec<DataFileMeta>, full: bool) -> Option<AppendUnit> {
    let options = table.options();
    let target = options.file.target_bytes;
    let rules = Rules {
        small: small_bytes(target),
        target,
        open_cost: options.split.open_file_cost,
        min_files: options.compaction.min_files,
    };
    let picked = if options.bucket <= 0 {
        smallest(files, &rules, full)
    } else {
        files.sort_by_key(|file| file.min_sequence_number);
        if full {
            full_bucket(files, rules.small, options.compaction.force_rewrite_all)
        } else {
            neighbours(&files, rules.small, rules.min_files)
        }
    };
    picked.map(|files| AppendUnit { files })
}

struct Rules {
    /// Files of fewer bytes are small.
    small: u64,
    target: u64,
    open_cost: u64,
    min_files: usize,
}

fn bytes(file: &DataFileMeta) -> u64 {
    u64::try_from(file.file_size).unwrap_or(0)
}

/// Everything after the first large files, if most of it is small.
fn full_bucket(files: Vec<DataFileMeta>, small: u64, all: bool) -> Option<Vec<DataFileMeta>> {
    if all {
        return Some(files).filter(|files| !files.is_empty());
    }
    if files.len() < FULL_MIN_FILES {
        return None;
    }
    let rest: Vec<_> = files.into_iter().skip_while(|file| bytes(file) >= small).collect();
    let large = rest.iter().filter(|file| bytes(file) >= small).count();
    (rest.len() >= FULL_MIN_FILES && rest.len() - large > large).then_some(rest)
}

/// Neighbours of like size that are many: from the newest on, each next one that is not larger than
/// those before it together. Large files stay, and part their neighbours.
///
/// Java takes whatever the first neighbours are, and so copies a file that has grown again for every
/// few new ones.
fn neighbours(files: &[DataFileMeta], small: u64, min_files: usize) -> Option<Vec<DataFileMeta>> {
    files
        .split(|file| bytes(file) >= small)
        .rev()
        .filter(|stretch| stretch.len() >= min_files)
        .find_map(|stretch| {
            let first = tier(stretch.iter().rev(), min_files)?;
            stretch.get(stretch.len() - first..).map(<[_]>::to_vec)
        })
}

/// How many of these files, from the first on, are of like size; `None` if they are few.
fn tier<'a>(files: impl Iterator<Item = &'a DataFileMeta>, min_files: usize) -> Option<usize> {
    let (mut count, mut total) = (0, 0_u64);
    for file in files {
        // The first few are never too different: a bucket would keep them for ever.
        if count > 0 && bytes(file) > total.saturating_mul(2) {
            break;
        }
        total = total.saturating_add(bytes(file));
        count += 1;
    }
    (count >= min_files).then_some(count)
}

/// Small files of like size, the smallest first, that are many or make a large one.
fn smallest(mut files: Vec<DataFileMeta>, rules: &Rules, full: bool) -> Option<Vec<DataFileMeta>> {
    files.retain(|file| bytes(file) < rules.small);
    files.sort_by_key(bytes);
    if !full {
        files.truncate(tier(files.iter(), rules.min_files)?);
    }
    let mut total = 0_u64;
    let enough = files.iter().position(|file| {
        total = total.saturating_add(bytes(file)).saturating_add(rules.open_cost);
        total >= rules.target.saturating_mul(2)
    });
    if let Some(last) = enough {
        files.truncate(last.saturating_add(1));
    }
    (files.len() > 1).then_some(files)
}
