//! One line on standard error that says how far a long statement is; gone when the statement ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater::io::{Clock, host};
use headwater_sql::Progress;

use crate::timing;

/// How long a statement runs before it is worth a line.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is written anew.
pub(crate) const EVERY: Duration = Duration::from_millis(200);
/// Goes to the start of the line and empties it.
const ERASE: &str = "\r\x1b[K";

/// The line of the statement that runs.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    clock: Arc<dyn Clock>,
    counts: Arc<Progress>,
    state: Mutex<State>,
    /// Whether Ctrl-C ends the statement alone, which is worth saying.
    cancels: bool,
}

#[derive(Debug, Default)]
struct State {
    /// When the statement started; `None` when the line must not be written.
    since: Option<Duration>,
    shown: bool,
}

impl ProgressLine {
    pub(crate) fn new(clock: Arc<dyn Clock>, counts: Arc<Progress>, cancels: bool) -> Self {
        Self { clock, counts, state: Mutex::default(), cancels }
    }

    /// A statement starts.
    pub(crate) fn start(&self) {
        self.state().since = Some(self.clock.monotonic());
    }

    /// The statement ended, or its rows are about to be written.
    pub(crate) fn stop(&self) {
        let mut state = self.state();
        state.since = None;
        if std::mem::take(&mut state.shown) {
            host::write_stderr(ERASE.as_bytes());
        }
    }

    /// Some time passed.
    pub(crate) fn tick(&self) {
        let mut state = self.state();
        let Some(since) = state.since else { return };
        let took = self.clock.monotonic().saturating_sub(since);
        if took < PATIENCE {
            return;
        }
        state.shown = true;
        let line = text(took, &self.counts, self.cancels);
        host::write_stderr(format!("{ERASE}{line}").as_bytes());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Short enough for any terminal: a line that wraps could not be erased.
fn text(took: Duration, counts: &Progress, cancels: bool) -> String {
    let mut line = format!("{} s", took.as_secs());
    for (rows, what) in [(counts.rows_read(), "read"), (counts.rows_written(), "written")] {
        if rows > 0 {
            line.push_str(&format!(", {} {what}", timing::rows(rows)));
        }
    }
    if let Some(compaction) = counts.compaction() {
        let (done, planned) = (compaction.done_bytes(), compaction.planned_bytes());
        line.push_str(&compacted(took, done, planned));
    }
    if cancels {
        line.push_str("; Ctrl-C cancels");
    }
    line
}

/// Of the bytes to compact, as far as they are chosen: how many, how fast, how long still.
fn compacted(took: Duration, done: u64, planned: u64) -> String {
    let mut text = format!(", {} of {} compacted", timing::bytes(done), timing::bytes(planned));
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let per_second = done.saturating_mul(1000) / millis;
    if let Some(left) = planned.saturating_sub(done).checked_div(per_second) {
        text.push_str(&format!(", {}/s, {left} s left", timing::bytes(per_second)));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use headwater_sql::Progress;

    use super::{compacted, text};

    #[test]
    fn a_compaction_says_how_much_is_left() {
        let took = Duration::from_secs(2);
        assert_eq!(
            compacted(took, 4_000_000, 10_000_000),
            ", 4.0 MB of 10.0 MB compacted, 2.0 MB/s, 3 s left"
        );
        assert_eq!(compacted(took, 0, 999), ", 0 B of 999 B compacted");
        assert_eq!(compacted(Duration::ZERO, 5, 5), ", 5 B of 5 B compacted, 5.0 kB/s, 0 s left");
    }

    #[test]
    fn a_line_without_counts_says_the_time() {
        let counts = Progress::default();
        assert_eq!(text(Duration::from_millis(2_900), &counts, false), "2 s");
        assert_eq!(text(Duration::from_secs(75), &counts, true), "75 s; Ctrl-C cancels");
    }
}
