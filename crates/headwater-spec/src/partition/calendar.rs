//! The proleptic Gregorian calendar: days since 1970-01-01 and civil dates.

/// Milliseconds of a day.
pub(super) const DAY_MILLIS: i64 = 86_400_000;

/// A civil date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    /// Year, 0 is 1 BC.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
}

impl Date {
    /// The date `days` after 1970-01-01.
    pub(super) const fn from_days(days: i64) -> Self {
        // Years start in March, so that the leap day is the last one. An era has 400 years.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
        Self { year, month, day }
    }

    /// Days since 1970-01-01; `None` when there is no such date.
    ///
    /// `year`: within a million of 0.
    pub(super) fn to_days(self) -> Option<i64> {
        let Self { year, month, day } = self;
        if !(-1_000_000..=1_000_000).contains(&year) || !(1..=12).contains(&month) || day < 1 {
            return None;
        }
        let march_year = if month <= 2 { year - 1 } else { year };
        let era = march_year.div_euclid(400);
        let of_era = march_year.rem_euclid(400);
        let march_month = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * march_month + 2) / 5 + day - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        // The 31st of a short month would come back as another date.
        (Self::from_days(days) == self).then_some(days)
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn every_day_of_eight_hundred_years_comes_back() {
        let mut last = Date::from_days(-146_098);
        for days in -146_097..146_097 {
            let date = Date::from_days(days);
            assert_eq!(date.to_days(), Some(days));
            assert!((last.year, last.month, last.day) < (date.year, date.month, date.day));
            last = date;
        }
        assert_eq!(Date::from_days(0), Date { year: 1970, month: 1, day: 1 });
        assert_eq!(Date { year: 2024, month: 2, day: 29 }.to_days(), Some(19_782));
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        assert_eq!(Date { year: 2023, month: 2, day: 29 }.to_days(), None);
        assert_eq!(Date { year: 2023, month: 4, day: 31 }.to_days(), None);
        assert_eq!(Date { year: 2023, month: 13, day: 1 }.to_days(), None);
    }
}
