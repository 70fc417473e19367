//! English names in dates, and weeks that start on Sunday.

use chrono::{Datelike, NaiveDate, NaiveDateTime};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Monday first.
pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A name cut to its first letters: one (narrow), three (short), or all.
pub(super) fn cut(name: &str, letters: Option<usize>) -> &str {
    letters.and_then(|n| name.get(..n)).unwrap_or(name)
}

pub(super) fn month(at: NaiveDateTime) -> &'static str {
    usize::try_from(at.month0()).ok().and_then(|m| MONTHS.get(m)).copied().unwrap_or("")
}

pub(super) fn day(at: NaiveDateTime) -> &'static str {
    let number = at.weekday().num_days_from_monday();
    usize::try_from(number).ok().and_then(|d| DAYS.get(d)).copied().unwrap_or("")
}

/// The year of the week and the week's number: weeks start on Sunday, week 1 has the first of
/// January.
pub(super) fn sunday_week(at: NaiveDateTime) -> (i32, u32) {
    let date = at.date();
    let next = NaiveDate::from_ymd_opt(date.year() + 1, 1, 1);
    if let Some(next) = next {
        let to_next = next.signed_duration_since(date).num_days();
        if to_next <= i64::from(next.weekday().num_days_from_sunday()) {
            return (date.year() + 1, 1);
        }
    }
    (date.year(), week_in(date.ordinal0(), date.year(), 1))
}

/// The week of the month; weeks start on Sunday, week 1 has the first day.
pub(super) fn week_of_month(at: NaiveDateTime) -> u32 {
    week_in(at.day0(), at.year(), at.month())
}

fn week_in(day0: u32, year: i32, month: u32) -> u32 {
    let first = NaiveDate::from_ymd_opt(year, month, 1)
        .map_or(0, |first| first.weekday().num_days_from_sunday());
    (day0 + first) / 7 + 1
}

/// Hour on a clock of twelve hours: 12, 1 to 11.
pub(super) const fn clock_hour(hour: u32) -> u32 {
    if hour.is_multiple_of(12) { 12 } else { hour % 12 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(y: i32, m: u32, d: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(y, m, d).unwrap().and_hms_opt(0, 0, 0).unwrap()
    }

    #[test]
    fn weeks_start_on_sunday_and_the_first_has_the_first_of_january() {
        assert_eq!(sunday_week(at(2026, 3, 1)), (2026, 10));
        assert_eq!(sunday_week(at(2026, 12, 31)), (2027, 1));
        assert_eq!(sunday_week(at(2026, 12, 26)), (2026, 52));
        assert_eq!(week_of_month(at(2023, 11, 14)), 3);
        assert_eq!(week_of_month(at(2026, 3, 1)), 1);
    }
}
