//! What becomes of the files of a compaction: which are merged, and which only change their level.
//!
//! Rules: `docs/spec/compaction.md#rewriting`. Source: Paimon 1.4.2 `MergeTreeCompactTask`.

use headwater_spec::{DataFileMeta, DataType, Datum, SpecError};

use super::CompactionUnit;
use super::levels::bytes;
use crate::section::{key_order, sections};

/// Sections in key order; each a list of sorted runs; each a list of files in key order.
pub type Sections = Vec<Vec<Vec<DataFileMeta>>>;

/// One part of a compaction.
#[derive(Debug, Clone, PartialEq)]
pub enum CompactionStep {
    /// These sections are merged into new files.
    Rewrite(Sections),
    /// The file goes to the unit's level as it is.
    Upgrade(Box<DataFileMeta>),
}

/// When a file cannot just change its level.
#[derive(Clone, Copy)]
pub struct RewriteRules<'a> {
    /// Types of the key columns.
    pub key_types: &'a [DataType],
    /// Files of fewer bytes are merged with their neighbours.
    pub small_bytes: u64,
    /// Whether a file must be rewritten for what is in it.
    pub must: &'a dyn Fn(&DataFileMeta) -> bool,
}

impl CompactionUnit {
    /// The steps, in key order. Files that stay where they are, are in none.
    ///
    /// # Errors
    /// The recorded key range of a file is not one.
    pub fn steps(&self, rules: &RewriteRules<'_>) -> Result<Vec<CompactionStep>, SpecError> {
        let mut keyed = Vec::with_capacity(self.files.len());
        for file in &self.files {
            let range = (
                file.min_key.to_values(rules.key_types)?,
                file.max_key.to_values(rules.key_types)?,
            );
            keyed.push((range, file.clone()));
        }
        type Keyed = ((Vec<Option<Datum>>, Vec<Option<Datum>>), DataFileMeta);
        let cut = sections(
            keyed,
            |(range, _): &Keyed| range.0.clone(),
            |(range, _)| range.1.clone(),
            |a, b| key_order(a, b).unwrap_or(std::cmp::Ordering::Equal),
        );
        let mut steps = Steps { unit: self, rules, steps: Vec::new(), waiting: Vec::new() };
        for section in cut {
            let mut runs: Vec<Vec<DataFileMeta>> = section
                .into_iter()
                .map(|run| run.into_iter().map(|(_, file)| file).collect())
                .collect();
            if runs.len() > 1 {
                steps.waiting.push(runs);
                continue;
            }
            for file in runs.pop().unwrap_or_default() {
                if bytes(&file) < rules.small_bytes {
                    steps.waiting.push(vec![vec![file]]);
                } else {
                    steps.rewrite_waiting();
                    steps.upgrade(file);
                }
            }
        }
        steps.rewrite_waiting();
        Ok(steps.steps)
    }
}

struct Steps<'a> {
    unit: &'a CompactionUnit,
    rules: &'a RewriteRules<'a>,
    steps: Vec<CompactionStep>,
    /// Neighbouring sections to be merged.
    waiting: Sections,
}

impl Steps<'_> {
    fn rewrite_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        if let [section] = waiting.as_mut_slice()
            && let [run] = section.as_mut_slice()
        {
            // A small file without neighbours.
            for file in std::mem::take(run) {
                self.upgrade(file);
            }
        } else if !waiting.is_empty() {
            self.steps.push(CompactionStep::Rewrite(waiting));
        }
    }

    fn upgrade(&mut self, file: DataFileMeta) {
        let unit = self.unit;
        let last = unit.output_level == unit.last_level;
        let retracts = last && file.delete_row_count != Some(0);
        if retracts || (self.rules.must)(&file) {
            self.steps.push(CompactionStep::Rewrite(vec![vec![vec![file]]]));
        } else if file.level != unit.output_level {
            self.steps.push(CompactionStep::Upgrade(Box::new(file)));
        }
    }
}
