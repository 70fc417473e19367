//! Days to dates in the proleptic ISO calendar, for every year that 64 bits of milliseconds reach.

use std::io::Write;

/// Days in 400 years.
const ERA: i64 = 146_097;
const DAY_MILLIS: i64 = 86_400_000;

/// Year (0 is the year before 1), month and day of a day counted from 1970-01-01.
fn civil(day: i64) -> (i64, i64, i64) {
    // Years that start in March put the leap day last; day 0 becomes 0000-03-01.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(ERA);
    let day_of_era = shifted.rem_euclid(ERA);
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_month)
}

/// Appends a date as Java's `LocalDate` prints it: at least four digits of year, `+` before more
/// than four, `-` before years below 0.
pub(super) fn date(day: i32, out: &mut Vec<u8>) {
    let (year, month, day) = civil(i64::from(day));
    let sign = match year {
        ..0 => "-",
        0..=9999 => "",
        _ => "+",
    };
    let year = year.unsigned_abs();
    append(out, format_args!("{sign}{year:04}-{month:02}-{day:02}"));
}

/// Appends a date and time with 9 digits of fraction; the year as Java's `%04d`, whose width counts
/// the sign. `nanos`: nanoseconds inside the millisecond.
pub(super) fn timestamp(millis: i64, nanos: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(millis.div_euclid(DAY_MILLIS));
    let of_day = millis.rem_euclid(DAY_MILLIS);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
    let fraction = of_day % 1_000 * 1_000_000 + nanos;
    append(
        out,
        format_args!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:09}"
        ),
    );
}

/// Appends a time of day.
pub(super) fn time(millis: i32, out: &mut Vec<u8>) {
    let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
    let (second, fraction) = (millis / 1_000 % 60, millis % 1_000);
    append(out, format_args!("{hour:02}:{minute:02}:{second:02}.{fraction:03}"));
}

/// Appends formatted text; appending to a vector does not fail.
pub(super) fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::{date, time, timestamp};

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn dates_look_as_in_java() {
        // Values of java.time.LocalDate.ofEpochDay(..).toString().
        for (day, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (11_016, "2000-02-29"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "+10000-01-01"),
            (i32::MAX, "+5881580-07-11"),
            (i32::MIN, "-5877641-06-23"),
        ] {
            assert_eq!(text(|out| date(day, out)), expected, "day {day}");
        }
    }

    #[test]
    fn timestamps_have_nine_digits_and_no_plus() {
        for (millis, nanos, expected) in [
            (0, 0, "1970-01-01T00:00:00.000000000"),
            (-1, 999_999, "1969-12-31T23:59:59.999999999"),
            (1_709_209_845_678, 901_234, "2024-02-29T12:30:45.678901234"),
            (253_402_300_800_000, 0, "10000-01-01T00:00:00.000000000"),
            (-62_167_219_200_001, 0, "-001-12-31T23:59:59.999000000"),
            (i64::MAX, 0, "292278994-08-17T07:12:55.807000000"),
            (i64::MIN, 0, "-292275055-05-16T16:47:04.192000000"),
        ] {
            assert_eq!(text(|out| timestamp(millis, nanos, out)), expected, "millis {millis}");
        }
    }

    #[test]
    fn times_have_three_digits() {
        assert_eq!(text(|out| time(0, out)), "00:00:00.000");
        assert_eq!(text(|out| time(86_399_999, out)), "23:59:59.999");
        assert_eq!(text(|out| time(3_723_004, out)), "01:02:03.004");
    }
}
