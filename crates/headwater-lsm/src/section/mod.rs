//! Cuts the files of a bucket into sections that do not share keys, and each into sorted runs.
//!
//! Format: `docs/spec/lsm.md#sections`. Source: Paimon 1.4.2 `IntervalPartition`.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use headwater_spec::Datum;

/// Sections of `files` in key order; each a list of sorted runs; each a list of files.
///
/// `min` and `max` give the first and last key of a file, `compare` orders keys; it must be a
/// total order. No two sections share a key, all keys of a section lie before those of the next,
/// and the files of a run are in key order and do not overlap. Reading the bucket is merging the
/// runs of each section, one section after the other.
///
/// Files of equal key range keep the order of `files`.
pub fn sections<T, K>(
    files: Vec<T>,
    min: impl Fn(&T) -> K,
    max: impl Fn(&T) -> K,
    compare: impl Fn(&K, &K) -> Ordering,
) -> Vec<Vec<Vec<T>>> {
    let mut sections = Vec::new();
    let mut section = Section::default();
    let mut bound = None;
    for (file, min, max) in by_rank(files, min, max, compare) {
        if bound.is_some_and(|bound| min > bound) {
            sections.push(std::mem::take(&mut section).runs);
        }
        bound = bound.max(Some(max));
        section.add(file, min, max);
    }
    if !section.runs.is_empty() {
        sections.push(section.runs);
    }
    sections
}

/// Order of two keys of the same columns, nulls first; `None` when a column has no order.
#[must_use]
pub fn key_order(a: &[Option<Datum>], b: &[Option<Datum>]) -> Option<Ordering> {
    if a.len() != b.len() {
        return None;
    }
    for pair in a.iter().zip(b) {
        let order = match pair {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => a.compare(b)?,
        };
        if order.is_ne() {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

struct Section<T> {
    runs: Vec<Vec<T>>,
    /// End and position of each run, smallest end on top.
    ends: BinaryHeap<Reverse<(usize, usize)>>,
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self { runs: Vec::new(), ends: BinaryHeap::new() }
    }
}

impl<T> Section<T> {
    /// Appends to the run that ends first if the file starts after it, else starts a run.
    fn add(&mut self, file: T, min: usize, max: usize) {
        if let Some(mut top) = self.ends.peek_mut()
            && let Reverse((end, run)) = *top
            && min > end
            && let Some(files) = self.runs.get_mut(run)
        {
            *top = Reverse((max, run));
            files.push(file);
        } else {
            self.ends.push(Reverse((max, self.runs.len())));
            self.runs.push(vec![file]);
        }
    }
}

/// The files by first, then last key; keys replaced by ranks, which are equal where the keys are.
fn by_rank<T, K>(
    files: Vec<T>,
    min: impl Fn(&T) -> K,
    max: impl Fn(&T) -> K,
    compare: impl Fn(&K, &K) -> Ordering,
) -> Vec<(T, usize, usize)> {
    let keys: Vec<K> = files.iter().flat_map(|file| [min(file), max(file)]).collect();
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| compare(&keys[a], &keys[b]));
    let mut ranks = vec![0; keys.len()];
    let mut rank = 0;
    for pair in order.windows(2) {
        rank += usize::from(compare(&keys[pair[0]], &keys[pair[1]]).is_ne());
        ranks[pair[1]] = rank;
    }
    let mut ranked: Vec<_> = files
        .into_iter()
        .zip(ranks.chunks_exact(2))
        .map(|(file, ranks)| (file, ranks[0], ranks[1]))
        .collect();
    ranked.sort_by_key(|&(_, min, max)| (min, max));
    ranked
}

#[cfg(test)]
mod tests;
