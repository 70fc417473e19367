//! The choice itself.

use headwater_spec::options::CompactionOptions;

use super::RunSize;

/// What a table's options say about choosing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickerOptions {
    /// Runs from which on a compaction is worth it: `num-sorted-run.compaction-trigger`.
    pub trigger: usize,
    /// Percent of the last run's size that the runs before it may have together:
    /// `compaction.max-size-amplification-percent`.
    pub max_size_amplification_percent: u64,
    /// Percent by which the next run may be larger than those before it together, and still join
    /// them: `compaction.size-ratio`.
    pub size_ratio: u64,
    /// Bytes in all runs below which everything is compacted: `compaction.total-size-threshold`.
    pub total_size_threshold: Option<u64>,
    /// Bytes outside of the last level above which everything is compacted:
    /// `compaction.incremental-size-threshold`.
    pub incremental_size_threshold: Option<u64>,
    /// Milliseconds after which everything is compacted again: `compaction.optimization-interval`.
    pub optimization_interval_millis: Option<u64>,
    /// Runs of level 0 never wait: `compaction.force-up-level-0`, and where changes are looked up.
    pub force_up_level_0: bool,
}

impl Default for PickerOptions {
    fn default() -> Self {
        Self {
            trigger: 5,
            max_size_amplification_percent: 200,
            size_ratio: 1,
            total_size_threshold: None,
            incremental_size_threshold: None,
            optimization_interval_millis: None,
            force_up_level_0: false,
        }
    }
}

impl From<&CompactionOptions> for PickerOptions {
    fn from(options: &CompactionOptions) -> Self {
        Self {
            trigger: options.trigger,
            max_size_amplification_percent: options.max_size_amplification_percent,
            size_ratio: options.size_ratio,
            total_size_threshold: options.total_size_threshold,
            incremental_size_threshold: options.incremental_size_threshold,
            optimization_interval_millis: options
                .optimization_interval
                .map(|interval| u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)),
            force_up_level_0: options.force_up_level_0,
        }
    }
}

/// The newest runs of a bucket, to be merged into one of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// How many runs, from the newest on.
    pub runs: usize,
    /// Level of the result.
    pub output_level: usize,
}

/// Chooses for one bucket; knows when it last chose everything.
#[derive(Debug, Clone)]
pub struct Picker {
    options: PickerOptions,
    last_full_millis: Option<u64>,
}

impl Picker {
    /// A picker that has not chosen yet.
    #[must_use]
    pub const fn new(options: PickerOptions) -> Self {
        Self { options, last_full_millis: None }
    }

    /// What to compact now, if anything: `runs` are all of the bucket, newest first, `levels` the
    /// number of levels.
    ///
    /// `off_peak_ratio`: percent that off-peak hours add to the size ratio now, else 0.
    #[must_use]
    pub fn pick(
        &mut self,
        levels: usize,
        runs: &[RunSize],
        off_peak_ratio: u64,
        now_millis: u64,
    ) -> Option<Pick> {
        let pick = self.choose(levels, runs, off_peak_ratio, now_millis)?;
        let runs = picked(runs, pick.runs);
        let files: usize = runs.iter().map(|run| run.files).sum();
        let level = runs.iter().find(|run| run.files > 0).map(|run| run.level);
        // Nothing, or a file that is where it should be.
        let idle = files == 0 || (files == 1 && level == Some(pick.output_level));
        (!idle).then_some(pick)
    }

    /// [`Self::pick`] before choices that change nothing are left out: what Java's strategies say.
    pub fn choose(
        &mut self,
        levels: usize,
        runs: &[RunSize],
        off_peak_ratio: u64,
        now_millis: u64,
    ) -> Option<Pick> {
        let last_level = levels.saturating_sub(1);
        let pick =
            self.by_universal(last_level, runs, off_peak_ratio, now_millis).or_else(|| {
                let fresh = runs.iter().take_while(|run| run.level == 0).count();
                let forced = self.options.force_up_level_0 && fresh > 0;
                forced.then(|| self.extended(last_level, runs, fresh, off_peak_ratio))
            })?;
        if pick.runs == runs.len() {
            self.last_full_millis = Some(now_millis);
        }
        Some(pick)
    }

    fn by_universal(
        &self,
        last_level: usize,
        runs: &[RunSize],
        off_peak_ratio: u64,
        now_millis: u64,
    ) -> Option<Pick> {
        let options = &self.options;
        let everything = Pick { runs: runs.len(), output_level: last_level };
        if runs.len() != 1 && self.is_early(last_level, runs, now_millis) {
            return Some(everything);
        }
        if runs.len() < options.trigger {
            return None;
        }
        let (last, newer) = runs.split_last()?;
        let amplified = u128::from(bytes_of(newer)) * 100;
        if amplified > u128::from(options.max_size_amplification_percent) * u128::from(last.bytes) {
            return Some(everything);
        }
        let by_ratio = self.extended(last_level, runs, 1, off_peak_ratio);
        if self.count_by_ratio(runs, 1, off_peak_ratio) > 1 {
            return Some(by_ratio);
        }
        if runs.len() > options.trigger {
            let count = runs.len() - options.trigger + 1;
            return Some(self.extended(last_level, runs, count, off_peak_ratio));
        }
        None
    }

    /// Whether everything is compacted for another reason than the number of runs.
    fn is_early(&self, last_level: usize, runs: &[RunSize], now_millis: u64) -> bool {
        let options = &self.options;
        let by_time = options.optimization_interval_millis.is_some_and(|interval| {
            self.last_full_millis.is_none_or(|last| now_millis.saturating_sub(last) > interval)
        });
        let is_small = || options.total_size_threshold.is_some_and(|most| bytes_of(runs) < most);
        let is_behind = || {
            options.incremental_size_threshold.is_some_and(|most| {
                let behind = runs.iter().filter(|run| run.level != last_level);
                behind.map(|run| run.bytes).fold(0, u64::saturating_add) > most
            })
        };
        by_time || is_small() || is_behind()
    }

    /// Runs that are taken if the first `count` are: each next one that is not too large for those
    /// before it.
    fn count_by_ratio(&self, runs: &[RunSize], count: usize, off_peak_ratio: u64) -> usize {
        let percent = 100.0 + as_float(self.options.size_ratio) + as_float(off_peak_ratio);
        let mut bytes = bytes_of(picked(runs, count));
        let mut taken = count;
        for next in runs.iter().skip(count) {
            if as_float(bytes) * percent / 100.0 < as_float(next.bytes) {
                break;
            }
            bytes = bytes.saturating_add(next.bytes);
            taken += 1;
        }
        taken
    }

    /// The first `count` runs, those that join them by their size, and the level for them.
    fn extended(
        &self,
        last_level: usize,
        runs: &[RunSize],
        count: usize,
        off_peak_ratio: u64,
    ) -> Pick {
        let mut taken = self.count_by_ratio(runs, count, off_peak_ratio);
        let mut output_level =
            runs.get(taken).map_or(last_level, |next| next.level.saturating_sub(1));
        if output_level == 0 {
            // Level 0 takes no result: on to the first run above it.
            for next in runs.iter().skip(taken) {
                taken += 1;
                if next.level != 0 {
                    output_level = next.level;
                    break;
                }
            }
        }
        if taken == runs.len() {
            output_level = last_level;
        }
        Pick { runs: taken, output_level }
    }
}

/// Everything, for a full compaction that was asked for; `None` if it is done already. Files of a
/// single run in the last level that must be rewritten nonetheless are the caller's business.
#[must_use]
pub fn pick_full(levels: usize, runs: &[RunSize]) -> Option<Pick> {
    let last_level = levels.saturating_sub(1);
    match runs {
        [] => None,
        [run] if run.level == last_level => None,
        _ => Some(Pick { runs: runs.len(), output_level: last_level }),
    }
}

fn picked(runs: &[RunSize], count: usize) -> &[RunSize] {
    runs.get(..count).unwrap_or(runs)
}

fn bytes_of(runs: &[RunSize]) -> u64 {
    runs.iter().map(|run| run.bytes).fold(0, u64::saturating_add)
}

/// As Java compares sizes with a ratio; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "the same rounding as in Java")]
const fn as_float(value: u64) -> f64 {
    value as f64
}
