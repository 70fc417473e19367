//! Measurements as a table that grows line by line, for people.

use headwater_bench::Measurement;

use crate::timing::count;

/// Where a measurement stands in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the only one.
    Alone,
    /// The header comes before it.
    First,
    /// The notes come behind it.
    Last,
}

/// The line of a measurement, with the header and the notes that belong to its place.
/// `peak`: most memory the process ever had, in KiB.
pub(super) fn lines(measurement: &Measurement, place: Place, peak: Option<u64>) -> String {
    let mut text = String::new();
    if place != Place::Last {
        text.push_str(&line(["what", "rows", "seconds", "rows/s", "MB/s", "peak memory"]));
        text.push('\n');
    }
    let Measurement { op, what, whole, rows, took, live, .. } = measurement;
    let op = op.split('-').next().unwrap_or(op);
    let per_second = u64::try_from(measurement.rows_per_second()).unwrap_or(u64::MAX);
    let bytes = u64::try_from(live.bytes).ok().filter(|_| *whole);
    let cells = [
        format!("{op}: {what}"),
        count(*rows),
        format!("{:.3}", took.as_secs_f64()),
        count(per_second),
        bytes.map_or("-".to_owned(), |bytes| megabytes_per_second(bytes, took.as_micros())),
        peak.map_or("-".to_owned(), |kb| format!("{} MiB", count(kb / 1_024))),
    ];
    text.push_str(&line(cells.each_ref().map(String::as_str)));
    if place != Place::First {
        text.push_str(&format!(
            "\n{} files with {} rows and {} bytes are live; MB/s counts these bytes, peak memory \
             is that of the process so far; --json prints the check values",
            count(u64::try_from(live.files).unwrap_or(u64::MAX)),
            count(live.rows.unsigned_abs()),
            count(live.bytes.unsigned_abs()),
        ));
    }
    text
}

fn line([what, rows, seconds, per_second, bytes, peak]: [&str; 6]) -> String {
    format!("{what:<36}{rows:>14}{seconds:>10}{per_second:>14}{bytes:>8}{peak:>13}")
}

/// Millions of bytes in a second, with one digit.
fn megabytes_per_second(bytes: u64, micros: u128) -> String {
    // Bytes in a microsecond are millions of bytes in a second.
    let tenths = u128::from(bytes) * 10 / micros.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Place, lines, megabytes_per_second};
    use headwater_bench::{Live, Measurement};

    fn scan(whole: bool) -> Measurement {
        Measurement {
            op: "W2-all-columns",
            what: "scan",
            whole,
            rows: 1_000_000,
            took: Duration::from_millis(2_500),
            commits: 10,
            more: Vec::new(),
            check: Vec::new(),
            live: Live { files: 40, bytes: 25_000_000, rows: 1_100_000 },
        }
    }

    #[test]
    fn a_table_has_its_header_once_and_its_note_last() {
        let text = lines(&scan(false), Place::First, Some(204_800))
            + "\n"
            + &lines(&scan(true), Place::Last, None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[0].starts_with("what ") && lines[0].ends_with("peak memory"));
        let words: Vec<&str> = lines[1].split_whitespace().collect();
        assert_eq!(words, ["W2:", "scan", "1,000,000", "2.500", "400,000", "-", "200", "MiB"]);
        let words: Vec<&str> = lines[2].split_whitespace().collect();
        assert_eq!(words, ["W2:", "scan", "1,000,000", "2.500", "400,000", "10.0", "-"]);
        assert!(lines[3].starts_with("40 files with 1,100,000 rows and 25,000,000 bytes"));
        assert!(lines[..3].iter().all(|line| line.len() == lines[0].len()));
    }

    #[test]
    fn no_time_is_no_division_by_zero() {
        assert_eq!(megabytes_per_second(7, 0), "7.0");
    }
}
