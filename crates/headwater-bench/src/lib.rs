//! The standard workloads: the same rows, table and check values as the Java side (`compat/oracle`,
//! class `Bench`) has. `bench/README.md` has the rules.
//!
//! The command `headwater bench` runs them, and so does the example `workload`, which is built in a
//! fraction of the time.

mod compact;
mod error;
mod filling;
mod generate;
mod read;
mod write;

use std::fmt::Write as _;
use std::time::Duration;

use headwater::io::host;

pub use compact::compact;
pub use error::BenchError;
pub use filling::Filling;
pub use generate::Orders;
pub use read::{Columns, orders, scan};
pub use write::{Amount, fill};

/// What a workload took and found.
#[derive(Debug)]
pub struct Measurement {
    /// Name of the workload, as in all engines.
    pub op: &'static str,
    /// The same in words.
    pub what: &'static str,
    /// Whether all bytes of the live files were written or read.
    pub whole: bool,
    /// Rows written or found.
    pub rows: u64,
    /// How long that took.
    pub took: Duration,
    /// Commits of the table.
    pub commits: u64,
    /// Members of this workload alone: name and JSON text.
    pub more: Vec<(&'static str, String)>,
    /// Values on which engines must agree: name and JSON text.
    pub check: Vec<(&'static str, String)>,
    /// Data files of the newest snapshot.
    pub live: Live,
}

/// Data files of the newest snapshot.
#[derive(Debug, Default, Clone, Copy)]
pub struct Live {
    /// How many.
    pub files: usize,
    /// Their bytes.
    pub bytes: i64,
    /// Their rows.
    pub rows: i64,
}

impl Measurement {
    /// One line of JSON. `peak`: most memory the process ever had, in KiB.
    #[must_use]
    pub fn line(&self, peak: Option<u64>) -> String {
        let Self { op, rows, took, commits, more, check, live, .. } = self;
        let seconds = took.as_secs_f64();
        let per_second = self.rows_per_second();
        let peak = number(peak);
        let mut line = format!(
            "{{\"engine\":\"headwater\",\"op\":\"{op}\",\"rows\":{rows},\"seconds\":{seconds:.3},\
             \"rows_per_s\":{per_second},\"peak_rss_kb\":{peak},\"files\":{},\"bytes\":{},\
             \"file_rows\":{},\"commits\":{commits}",
            live.files, live.bytes, live.rows
        );
        for (name, value) in more {
            // Appending to a string does not fail.
            let _ = write!(line, ",\"{name}\":{value}");
        }
        let check: Vec<String> =
            check.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        line + ",\"check\":{" + &check.join(",") + "}}"
    }

    /// Rows in a second, rounded.
    #[must_use]
    pub fn rows_per_second(&self) -> u128 {
        let nanos = self.took.as_nanos();
        (u128::from(self.rows) * 1_000_000_000 + nanos / 2) / nanos.max(1)
    }
}

/// Seconds of processor time since `before` as JSON, -1 if the system does not tell.
fn cpu_seconds(before: Option<Duration>) -> String {
    match (before, host::cpu_time()) {
        (Some(before), Some(now)) => format!("{:.2}", now.saturating_sub(before).as_secs_f64()),
        _ => "-1".to_owned(),
    }
}

/// A figure that the system may not give: -1 then.
fn number(figure: Option<u64>) -> String {
    figure.map_or_else(|| "-1".to_owned(), |figure| figure.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Live, Measurement};

    #[test]
    fn a_measurement_has_the_members_of_the_java_side_in_order() {
        let measurement = Measurement {
            op: "W1",
            what: "write",
            whole: true,
            rows: 1_000,
            took: Duration::from_millis(2_500),
            commits: 10,
            more: vec![("write_peak_rss_kb", "7".to_owned())],
            check: vec![("count", "5".to_owned()), ("sum_amount", "\"1.50\"".to_owned())],
            live: Live { files: 40, bytes: 1_234, rows: 900 },
        };
        assert_eq!(
            measurement.line(None),
            "{\"engine\":\"headwater\",\"op\":\"W1\",\"rows\":1000,\"seconds\":2.500,\
             \"rows_per_s\":400,\"peak_rss_kb\":-1,\"files\":40,\"bytes\":1234,\"file_rows\":900,\
             \"commits\":10,\"write_peak_rss_kb\":7,\
             \"check\":{\"count\":5,\"sum_amount\":\"1.50\"}}"
        );
    }
}
