//! Levels of tables whose compactions look keys up: the lowest level above 0 has a key's whole row.
//!
//! Rules: `docs/spec/merge-engines.md#looked-up-levels`. Source: Paimon 1.4.2
//! `LookupMergeFunction`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use headwater_lsm::key_order;
use headwater_spec::{DataFileMeta, DataType, Datum, SpecError};

type Keyed = (Vec<Option<Datum>>, DataFileMeta);

/// The runs of a section anew: one of all levels above 0, the highest first, each in key order;
/// then each file of level 0.
pub(super) fn looked_up(
    runs: Vec<Vec<DataFileMeta>>,
    key_types: &[DataType],
) -> Result<Vec<Vec<Vec<DataFileMeta>>>, SpecError> {
    let mut out = Vec::new();
    let mut levels: BTreeMap<i32, Vec<Keyed>> = BTreeMap::new();
    for file in runs.into_iter().flatten() {
        if file.level > 0 {
            let first = file.min_key.to_values(key_types)?;
            levels.entry(file.level).or_default().push((first, file));
        } else {
            out.push(vec![vec![file]]);
        }
    }
    let in_order = |mut files: Vec<Keyed>| {
        files.sort_by(|a, b| key_order(&a.0, &b.0).unwrap_or(Ordering::Equal));
        files.into_iter().map(|(_, file)| file).collect()
    };
    if !levels.is_empty() {
        out.push(levels.into_values().rev().map(in_order).collect());
    }
    Ok(out)
}

/// Whether the key ranges of two files overlap.
pub(crate) fn share_keys(
    a: &DataFileMeta,
    b: &DataFileMeta,
    key_types: &[DataType],
) -> Result<bool, SpecError> {
    let ends_before = |a: &DataFileMeta, b: &DataFileMeta| {
        let (end, start) = (a.max_key.to_values(key_types)?, b.min_key.to_values(key_types)?);
        Ok::<_, SpecError>(key_order(&end, &start) == Some(Ordering::Less))
    };
    Ok(!ends_before(a, b)? && !ends_before(b, a)?)
}
