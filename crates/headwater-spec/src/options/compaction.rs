//! The options that decide when files are compacted, and by whom.
//!
//! Rules: `docs/spec/compaction.md`. Source: Paimon 1.4.2 `CoreOptions`, `OffPeakHours`.

use std::time::Duration;

use super::table::{bool_option, count, duration, int, memory, text, value};
use crate::error::SpecError;
use crate::schema::TableSchema;

/// Everything that decides about compaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionOptions {
    /// `write-only`: writers leave compaction to a job of its own; default false.
    pub write_only: bool,
    /// `num-sorted-run.compaction-trigger`: runs from which on a bucket is compacted; default 5.
    pub trigger: usize,
    /// `num-sorted-run.stop-trigger`: with more runs a writer waits for the compaction; default
    /// three more than the trigger, and never less than it.
    pub stop_trigger: usize,
    /// `compaction.max-size-amplification-percent`; default 200.
    pub max_size_amplification_percent: u64,
    /// `compaction.size-ratio`: percent; default 1.
    pub size_ratio: u64,
    /// `compaction.offpeak.start.hour`, `compaction.offpeak.end.hour`, `compaction.offpeak-ratio`.
    pub off_peak: Option<OffPeak>,
    /// `compaction.optimization-interval`.
    pub optimization_interval: Option<Duration>,
    /// `compaction.total-size-threshold`: bytes.
    pub total_size_threshold: Option<u64>,
    /// `compaction.incremental-size-threshold`: bytes.
    pub incremental_size_threshold: Option<u64>,
    /// `compaction.force-up-level-0`; default false.
    pub force_up_level_0: bool,
    /// `compaction.force-rewrite-all-files`: a full compaction copies no file; default false.
    pub force_rewrite_all: bool,
    /// `full-compaction.delta-commits`: a full compaction after so many commits.
    pub full_every_commits: Option<i64>,
    /// `commit.force-compact`: a commit waits for the compactions of its buckets; default false.
    pub wait: bool,
    /// `compaction.min.file-num`: small files of a table without a primary key that are worth a
    /// compaction; default 5.
    pub min_files: usize,
    /// `zorder.var-length-contribution`: bytes of a text or of binary data that count in a z-order;
    /// default 8.
    pub zorder_bytes: usize,
}

/// Hours in which more is compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffPeak {
    /// First hour of the day.
    pub start_hour: u32,
    /// The hour after the last one.
    pub end_hour: u32,
    /// Percent that are added to the size ratio.
    pub ratio: u64,
}

impl OffPeak {
    /// What is added to the size ratio in this hour of the day.
    #[must_use]
    pub const fn ratio_at(&self, hour: u32) -> u64 {
        let inside = if self.start_hour <= self.end_hour {
            self.start_hour <= hour && hour < self.end_hour
        } else {
            hour < self.end_hour || self.start_hour <= hour
        };
        if inside { self.ratio } else { 0 }
    }
}

impl CompactionOptions {
    pub(super) fn parse(schema: &TableSchema) -> Result<Self, SpecError> {
        let trigger = count(schema, "num-sorted-run.compaction-trigger", 5)?;
        let stop = count(schema, "num-sorted-run.stop-trigger", trigger.saturating_add(3))?;
        let size = |key: &str| match value(schema, key)? {
            None => Ok(None),
            Some(_) => memory(schema, key, 0).map(Some),
        };
        Ok(Self {
            write_only: bool_option(schema, "write-only", false)?,
            trigger,
            stop_trigger: stop.max(trigger),
            max_size_amplification_percent: percent(
                schema,
                "compaction.max-size-amplification-percent",
                200,
            )?,
            size_ratio: percent(schema, "compaction.size-ratio", 1)?,
            off_peak: off_peak(schema)?,
            optimization_interval: match value(schema, "compaction.optimization-interval")? {
                None => None,
                Some(_) => Some(duration(schema, "compaction.optimization-interval", 0)?),
            },
            total_size_threshold: size("compaction.total-size-threshold")?,
            incremental_size_threshold: size("compaction.incremental-size-threshold")?,
            force_up_level_0: bool_option(schema, "compaction.force-up-level-0", false)?,
            force_rewrite_all: bool_option(schema, "compaction.force-rewrite-all-files", false)?,
            full_every_commits: match text(schema, "full-compaction.delta-commits") {
                None => None,
                Some(_) => Some(i64::from(int(schema, "full-compaction.delta-commits", 1)?)),
            },
            wait: bool_option(schema, "commit.force-compact", false)?,
            min_files: count(schema, "compaction.min.file-num", 5)?.max(2),
            zorder_bytes: zorder_bytes(schema)?,
        })
    }
}

/// Most bytes of a value that count: each row's are in memory while rows are sorted.
const MOST_ZORDER_BYTES: usize = 1024;

fn zorder_bytes(schema: &TableSchema) -> Result<usize, SpecError> {
    let key = "zorder.var-length-contribution";
    let bytes = count(schema, key, 8)?;
    if (1..=MOST_ZORDER_BYTES).contains(&bytes) {
        return Ok(bytes);
    }
    Err(SpecError::Option {
        key: key.to_owned(),
        reason: format!("{bytes} is not a number of bytes from 1 to {MOST_ZORDER_BYTES}"),
    })
}

fn percent(schema: &TableSchema, key: &str, default: i32) -> Result<u64, SpecError> {
    let given = int(schema, key, default)?;
    u64::try_from(given).map_err(|_| SpecError::Option {
        key: key.to_owned(),
        reason: format!("{given} is less than 0"),
    })
}

/// No hours unless both ends are given and differ.
fn off_peak(schema: &TableSchema) -> Result<Option<OffPeak>, SpecError> {
    let hour = |key: &str| {
        let given = int(schema, key, -1)?;
        match u32::try_from(given) {
            Ok(hour) if hour < 24 => Ok(Some(hour)),
            _ if given == -1 => Ok(None),
            _ => Err(SpecError::Option {
                key: key.to_owned(),
                reason: format!("{given} is no hour of the day (0 to 23)"),
            }),
        }
    };
    let start = hour("compaction.offpeak.start.hour")?;
    let end = hour("compaction.offpeak.end.hour")?;
    let ratio = percent(schema, "compaction.offpeak-ratio", 0)?;
    Ok(start.zip(end).filter(|(start, end)| start != end).map(|(start_hour, end_hour)| OffPeak {
        start_hour,
        end_hour,
        ratio,
    }))
}

#[cfg(test)]
mod tests {
    use super::OffPeak;

    #[test]
    fn hours_may_go_over_midnight() {
        let night = OffPeak { start_hour: 22, end_hour: 4, ratio: 9 };
        let at = |hour| night.ratio_at(hour);
        assert_eq!([at(21), at(22), at(23), at(0), at(3), at(4)], [0, 9, 9, 9, 9, 0]);
        let day = OffPeak { start_hour: 8, end_hour: 10, ratio: 9 };
        let at = |hour| day.ratio_at(hour);
        assert_eq!([at(7), at(8), at(9), at(10)], [0, 9, 9, 0]);
    }
}
