//! How long something took and how much it was, for people.

use std::time::Duration;

/// Such as `0.012 s`.
pub(crate) fn seconds(took: Duration) -> String {
    format!("{:.3} s", took.as_secs_f64())
}

/// A count with its thousands apart, such as `12,345,678`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Such as `1 row` or `12,345 rows`.
pub(crate) fn rows(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{} rows", count(rows)) }
}

/// Such as `12 B` or `3.4 GB`; by thousands.
pub(crate) fn bytes(bytes: u64) -> String {
    let units =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => {
            let tenths = bytes / (unit / 10);
            format!("{}.{} {name}", count(tenths / 10), tenths % 10)
        }
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{bytes, count, rows, seconds};

    #[test]
    fn bytes_have_the_largest_unit_that_fits() {
        let sizes = [0, 999, 1_000, 1_999_999, 5_000_000_000, 1_234_500_000_000_000];
        assert_eq!(sizes.map(bytes), ["0 B", "999 B", "1.0 kB", "1.9 MB", "5.0 GB", "1,234.5 TB"]);
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!([0, 999, 1_000, 12_345_678].map(count), ["0", "999", "1,000", "12,345,678"]);
        assert_eq!([rows(1), rows(2_000)], ["1 row", "2,000 rows"]);
    }

    #[test]
    fn seconds_have_three_digits() {
        assert_eq!(seconds(Duration::from_micros(12_345)), "0.012 s");
    }
}
