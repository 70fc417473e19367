//! Time zones by the names that Java knows, and the time in them.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// A time zone: a region of the tz database, or a fixed distance to UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Zone {
    Region(Tz),
    Fixed(FixedOffset),
}

impl Default for Zone {
    fn default() -> Self {
        Self::Region(Tz::UTC)
    }
}

impl Zone {
    /// A zone by its id, an abbreviation of Java's, or a distance; none when unknown.
    pub(crate) fn known(name: &str) -> Option<Self> {
        if let Some(fixed) = fixed(name) {
            return Some(Self::Fixed(fixed));
        }
        Self::region(name)
    }

    /// As `java.util.TimeZone.getTimeZone`: `GMT+8` but not `+08:00`; what is unknown is UTC.
    pub(crate) fn lenient(name: &str) -> Self {
        if let Some(rest) = name.strip_prefix("GMT")
            && let Some(distance) = distance(rest, true)
        {
            return Self::Fixed(distance);
        }
        Self::region(name).unwrap_or_default()
    }

    fn region(name: &str) -> Option<Self> {
        let full = SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, full)| full);
        match full {
            "EST" => Some(Self::Fixed(FixedOffset::west_opt(5 * 3600)?)),
            "MST" => Some(Self::Fixed(FixedOffset::west_opt(7 * 3600)?)),
            "HST" => Some(Self::Fixed(FixedOffset::west_opt(10 * 3600)?)),
            "Z" => Some(Self::default()),
            full => Tz::from_str(full).ok().map(Self::Region),
        }
    }

    /// Whether clocks in the zone always show UTC.
    pub(crate) fn is_utc(&self) -> bool {
        match self {
            Self::Region(tz) => matches!(*tz, Tz::UTC | Tz::Etc__UTC | Tz::Zulu | Tz::GMT),
            Self::Fixed(offset) => offset.local_minus_utc() == 0,
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Region(tz) => tz.name().to_owned(),
            Self::Fixed(offset) => offset.to_string(),
        }
    }

    /// Seconds that the zone is ahead of UTC at this moment.
    pub(crate) fn seconds_ahead(&self, utc: NaiveDateTime) -> i32 {
        match self {
            Self::Region(tz) => tz.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
            Self::Fixed(offset) => offset.local_minus_utc(),
        }
    }

    /// The short name of the zone at this moment: `UTC`, `CET`, `GMT+08:00`.
    pub(crate) fn abbreviation(&self, utc: NaiveDateTime) -> String {
        match self {
            Self::Region(tz) => tz.from_utc_datetime(&utc).format("%Z").to_string(),
            Self::Fixed(offset) => format!("GMT{offset}"),
        }
    }

    /// What clocks in the zone show.
    pub(crate) fn local(&self, utc: NaiveDateTime) -> NaiveDateTime {
        utc + TimeDelta::seconds(i64::from(self.seconds_ahead(utc)))
    }

    /// The moment at which clocks in the zone show `local`.
    ///
    /// A time that comes twice is the earlier one when `early`, else the later one; a time that is
    /// skipped counts on with the offset from before.
    pub(crate) fn utc(&self, local: NaiveDateTime, early: bool) -> NaiveDateTime {
        let found = match self {
            Self::Fixed(offset) => return local - *offset,
            Self::Region(tz) => tz.from_local_datetime(&local),
        };
        match found {
            LocalResult::Single(at) => at.naive_utc(),
            LocalResult::Ambiguous(first, second) => {
                if early {
                    first.naive_utc()
                } else {
                    second.naive_utc()
                }
            }
            LocalResult::None => {
                // No zone skips more than a day.
                let before = local - TimeDelta::days(1);
                let ahead = self.seconds_ahead(self.utc(before, early));
                local - TimeDelta::seconds(i64::from(ahead))
            }
        }
    }
}

/// Java's abbreviations that the tz database does not have, or has as something else.
const SHORT: &[(&str, &str)] = &[
    ("PST", "America/Los_Angeles"),
    ("CST", "America/Chicago"),
    ("JST", "Asia/Tokyo"),
    ("IST", "Asia/Kolkata"),
    ("BST", "Asia/Dhaka"),
    ("CTT", "Asia/Shanghai"),
    ("ECT", "Europe/Paris"),
    ("ART", "Africa/Cairo"),
    ("EAT", "Africa/Addis_Ababa"),
    ("CAT", "Africa/Harare"),
    ("NET", "Asia/Yerevan"),
    ("PLT", "Asia/Karachi"),
    ("VST", "Asia/Ho_Chi_Minh"),
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("SST", "Pacific/Guadalcanal"),
    ("NST", "Pacific/Auckland"),
    ("MIT", "Pacific/Apia"),
    ("AST", "America/Anchorage"),
    ("PNT", "America/Phoenix"),
    ("IET", "America/Indiana/Indianapolis"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("BET", "America/Sao_Paulo"),
    ("CNT", "America/St_Johns"),
];

fn fixed(name: &str) -> Option<FixedOffset> {
    let rest = ["UTC", "GMT", "UT"].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name);
    distance(rest, true)
}

/// `+8`, `+08`, `+0800`, `+08:00`, `-08:30:15`.
fn distance(text: &str, one_digit: bool) -> Option<FixedOffset> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    let numbers: Vec<&str> = if digits.contains(':') {
        digits.split(':').collect()
    } else {
        match digits.len() {
            1 | 2 => vec![digits],
            3 | 4 => vec![digits.get(..digits.len() - 2)?, digits.get(digits.len() - 2..)?],
            _ => return None,
        }
    };
    let mut seconds = 0;
    for (at, number) in numbers.iter().enumerate() {
        let long = number.len() == 2 || (at == 0 && one_digit && number.len() == 1);
        if !long || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let value: i32 = number.parse().ok()?;
        let (limit, unit) = *[(18, 3600), (59, 60), (59, 1)].get(at)?;
        if value > limit {
            return None;
        }
        seconds += value * unit;
    }
    FixedOffset::east_opt(sign * seconds)
}

/// The moment as a UTC time.
pub(crate) fn at_millis(millis: i64) -> Option<NaiveDateTime> {
    DateTime::<Utc>::from_timestamp_millis(millis).map(|at| at.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    #[test]
    fn times_that_are_skipped_count_on_and_times_that_come_twice_are_chosen() {
        let zone = Zone::known("America/New_York").unwrap();
        assert_eq!(zone.utc(at("2026-03-08 02:30:00"), true), at("2026-03-08 07:30:00"));
        assert_eq!(zone.utc(at("2026-11-01 01:30:00"), true), at("2026-11-01 05:30:00"));
        assert_eq!(zone.utc(at("2026-11-01 01:30:00"), false), at("2026-11-01 06:30:00"));
    }

    #[test]
    fn names_are_those_of_java() {
        assert_eq!(Zone::known("GMT+8"), Zone::known("+08:00"));
        assert_eq!(Zone::lenient("+08:00"), Zone::default());
        assert_eq!(Zone::lenient("nope"), Zone::default());
        assert_eq!(Zone::known("nope"), None);
        assert_eq!(Zone::known("PST"), Zone::known("America/Los_Angeles"));
    }
}
