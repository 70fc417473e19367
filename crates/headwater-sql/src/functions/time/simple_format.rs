//! Patterns of Java's `SimpleDateFormat`: what FROM_UNIXTIME, UNIX_TIMESTAMP, CONVERT_TZ and
//! DATE_FORMAT of texts go by. Reading is lenient: numbers out of range count on, what stands
//! behind the pattern is passed over. English names, weeks that start on Sunday.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use datafusion::common::exec_err;
use datafusion::error::Result;

use super::super::zone::Zone;
use super::formatter::era;
use super::names;

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Field(char, usize),
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct SimpleFormat {
    pieces: Vec<Piece>,
}

impl SimpleFormat {
    pub(super) fn new(pattern: &str) -> Result<Self> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut quoted = false;
        let mut letters = pattern.chars().peekable();
        while let Some(c) = letters.next() {
            let literal = if c == '\'' {
                if letters.next_if_eq(&'\'').is_none() {
                    quoted = !quoted;
                    continue;
                }
                '\''
            } else if quoted || !c.is_ascii_alphabetic() {
                c
            } else {
                if !"GyYMLwWDdFEuaHkKhmsSzZX".contains(c) {
                    return exec_err!(
                        "the pattern '{pattern}' has the letter {c}, which means nothing"
                    );
                }
                let mut count = 1;
                while letters.next_if_eq(&c).is_some() {
                    count += 1;
                }
                if c == 'X' && count > 3 {
                    return exec_err!("the pattern '{pattern}' has too many letters X");
                }
                pieces.push(Piece::Field(c, count));
                continue;
            };
            match pieces.last_mut() {
                Some(Piece::Literal(text)) => text.push(literal),
                _ => pieces.push(Piece::Literal(literal.to_string())),
            }
        }
        if quoted {
            return exec_err!("the pattern '{pattern}' has a quote without its end");
        }
        Ok(Self { pieces })
    }

    /// The moment as the pattern says, on clocks in the zone.
    pub(super) fn format(&self, utc: NaiveDateTime, zone: &Zone) -> Result<String> {
        let at = zone.local(utc);
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Field(letter, count) => field(&mut text, utc, at, zone, *letter, *count)?,
            }
        }
        Ok(text)
    }

    /// The moment in UTC that the text means in the zone; none when it does not start with what
    /// the pattern asks for.
    pub(super) fn read(&self, text: &str, zone: &Zone) -> Option<NaiveDateTime> {
        let mut fields = Fields::default();
        let mut text = text;
        for (at, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Literal(literal) => {
                    for c in literal.chars() {
                        text = if c == ' ' && !text.starts_with(' ') {
                            return None;
                        } else {
                            text.strip_prefix(c)?
                        };
                    }
                }
                Piece::Field(letter, count) => {
                    let next = self.pieces.get(at + 1);
                    // Right before another number only as many digits as letters are read.
                    let limit = match next {
                        Some(Piece::Field(other, n)) if numeric(*other, *n) => Some(*count),
                        _ => None,
                    };
                    text = fields.read(*letter, *count, limit, text)?;
                }
            }
        }
        fields.resolve(zone)
    }
}

const fn numeric(letter: char, count: usize) -> bool {
    let is_name = matches!(letter, 'M' | 'L') && count > 2;
    !is_name && !matches!(letter, 'G' | 'E' | 'a' | 'z' | 'Z' | 'X')
}

fn field(
    text: &mut String,
    utc: NaiveDateTime,
    at: NaiveDateTime,
    zone: &Zone,
    letter: char,
    count: usize,
) -> Result<()> {
    let short = if count < 4 { Some(3) } else { None };
    let number = match letter {
        'G' => {
            text.push_str(if at.year() > 0 { "AD" } else { "BC" });
            return Ok(());
        }
        'y' | 'Y' => {
            let year = if letter == 'y' { era(at.year()).1 } else { names::sunday_week(at).0 };
            let _ = match count {
                2 => write!(text, "{:02}", year.rem_euclid(100)),
                _ => write!(text, "{year:0count$}"),
            };
            return Ok(());
        }
        'M' | 'L' if count >= 3 => {
            text.push_str(names::cut(names::month(at), short));
            return Ok(());
        }
        'E' => {
            text.push_str(names::cut(names::day(at), short));
            return Ok(());
        }
        'a' => {
            text.push_str(if at.hour() < 12 { "AM" } else { "PM" });
            return Ok(());
        }
        'z' if count >= 4 => match zone.name().as_str() {
            "UTC" => {
                text.push_str("Coordinated Universal Time");
                return Ok(());
            }
            name => return exec_err!("the long name of time zone {name} is not known here; use z"),
        },
        'z' => {
            text.push_str(&zone.abbreviation(utc));
            return Ok(());
        }
        'Z' | 'X' => {
            offset(text, zone.seconds_ahead(utc), letter, count);
            return Ok(());
        }
        'M' | 'L' => at.month(),
        'w' => names::sunday_week(at).1,
        'W' => names::week_of_month(at),
        'D' => at.ordinal(),
        'd' => at.day(),
        'F' => at.day0() / 7 + 1,
        'u' => at.weekday().number_from_monday(),
        'H' => at.hour(),
        'k' if at.hour() == 0 => 24,
        'k' => at.hour(),
        'K' => at.hour() % 12,
        'h' => names::clock_hour(at.hour()),
        'm' => at.minute(),
        's' => at.second(),
        _ => at.nanosecond() % 1_000_000_000 / 1_000_000,
    };
    let _ = write!(text, "{number:0count$}");
    Ok(())
}

/// `+0200` for Z; `Z`, `+02`, `+0200`, `+02:00` for X.
fn offset(text: &mut String, seconds: i32, letter: char, count: usize) {
    if letter == 'X' && seconds == 0 {
        text.push('Z');
        return;
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let _ = match (letter, count) {
        ('X', 1) => write!(text, "{sign}{hours:02}"),
        ('X', 3) => write!(text, "{sign}{hours:02}:{minutes:02}"),
        _ => write!(text, "{sign}{hours:02}{minutes:02}"),
    };
}

/// What was read so far; numbers may be out of their range.
#[derive(Debug, Default)]
struct Fields {
    year: Option<i64>,
    before_christ: bool,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    half: Option<i64>,
    hour_of_half: Option<i64>,
    minute: i64,
    second: i64,
    millis: i64,
    seconds_ahead: Option<i64>,
    zone: Option<Zone>,
}

/// A number at the start of the text, behind spaces; `limit`: digits at most.
fn number(text: &str, limit: Option<usize>) -> Option<(i64, usize, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let negative = limit.is_none() && text.starts_with('-');
    let digits = if negative { text.get(1..)? } else { text };
    let there = digits.bytes().take_while(u8::is_ascii_digit).count();
    let length = limit.map_or(there, |limit| limit.min(there));
    let (value, rest) = digits.split_at_checked(length)?;
    let value: i64 = value.parse().ok()?;
    Some((if negative { -value } else { value }, length, rest))
}

fn one_of<'t>(all: &[&str], text: &'t str) -> Option<(i64, &'t str)> {
    let starts =
        |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    for letters in [None, Some(3)] {
        if let Some(at) = all.iter().position(|name| starts(names::cut(name, letters))) {
            let length = names::cut(all.get(at)?, letters).len();
            return Some((i64::try_from(at).ok()?, text.get(length..)?));
        }
    }
    None
}

impl Fields {
    fn read<'t>(
        &mut self,
        letter: char,
        count: usize,
        limit: Option<usize>,
        text: &'t str,
    ) -> Option<&'t str> {
        let text = text.trim_start_matches([' ', '\t']);
        match letter {
            'G' => {
                let (at, rest) = one_of(&["BC", "AD"], text)?;
                self.before_christ = at == 0;
                return Some(rest);
            }
            'M' | 'L' if count >= 3 => {
                let (month, rest) = one_of(&names::MONTHS, text)?;
                self.month = Some(month + 1);
                return Some(rest);
            }
            'E' => return one_of(&names::DAYS, text).map(|(_, rest)| rest),
            'a' => {
                let (half, rest) = one_of(&["AM", "PM"], text)?;
                self.half = Some(half);
                return Some(rest);
            }
            'z' | 'Z' | 'X' => return self.zone(text),
            _ => {}
        }
        let (value, length, rest) = number(text, limit)?;
        match letter {
            'y' | 'Y' => {
                // Two digits for two letters: between 80 years ago and in 20 years.
                let short = count <= 2 && length == 2 && value >= 0;
                self.year = Some(if short {
                    2000 + value - if value > 45 { 100 } else { 0 }
                } else {
                    value
                });
            }
            'M' | 'L' => self.month = Some(value),
            'd' => self.day = Some(value),
            'D' => self.day_of_year = Some(value),
            'H' => self.hour = Some(value),
            'k' => self.hour = Some(if value == 24 { 0 } else { value }),
            'K' => self.hour_of_half = Some(value),
            'h' => self.hour_of_half = Some(if value == 12 { 0 } else { value }),
            'm' => self.minute = value,
            's' => self.second = value,
            'S' => self.millis = value,
            // Weeks and days of weeks do not matter beside a date.
            _ => {}
        }
        Some(rest)
    }

    /// `Z`, `+02`, `+0200`, `+02:00`, `GMT+2`, `CET`, `Europe/Berlin`.
    fn zone<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let signed = text.strip_prefix("GMT").or_else(|| text.strip_prefix("UTC")).unwrap_or(text);
        if let Some(rest) = signed.strip_prefix(['+', '-']) {
            let (hours, length, rest) = number(rest, Some(2))?;
            let colon = rest.strip_prefix(':').unwrap_or(rest);
            let (minutes, rest) = match number(colon, Some(2)) {
                Some((minutes, 2, rest)) => (minutes, rest),
                _ => (0, rest),
            };
            if length == 0 || hours > 23 || minutes > 59 {
                return None;
            }
            let ahead = hours * 3600 + minutes * 60;
            self.seconds_ahead = Some(if signed.starts_with('-') { -ahead } else { ahead });
            return Some(rest);
        }
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '/' && c != '_')
            .unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        self.zone = Some(Zone::known(name)?);
        Some(rest)
    }

    fn resolve(self, zone: &Zone) -> Option<NaiveDateTime> {
        let year = self.year.unwrap_or(1970);
        let year = if self.before_christ { 1 - year } else { year };
        let months = year.checked_mul(12)?.checked_add(self.month.unwrap_or(1) - 1)?;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        let first = NaiveDate::from_ymd_opt(year.try_into().ok()?, month.try_into().ok()?, 1)?;
        let (start, day) = match self.day_of_year {
            Some(day) if self.month.is_none() => {
                (NaiveDate::from_ymd_opt(year.try_into().ok()?, 1, 1)?, day)
            }
            _ => (first, self.day.unwrap_or(1)),
        };
        let date = start.checked_add_signed(TimeDelta::try_days(day.checked_sub(1)?)?)?;
        let hour = match (self.hour, self.hour_of_half) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour.checked_add(self.half.unwrap_or(0) * 12)?,
            (None, None) => self.half.unwrap_or(0) * 12,
        };
        let seconds = hour
            .checked_mul(3600)?
            .checked_add(self.minute.checked_mul(60)?)?
            .checked_add(self.second)?;
        let local = date
            .and_hms_opt(0, 0, 0)?
            .checked_add_signed(TimeDelta::try_seconds(seconds)?)?
            .checked_add_signed(TimeDelta::try_milliseconds(self.millis)?)?;
        match (self.seconds_ahead, self.zone) {
            (Some(ahead), _) => local.checked_sub_signed(TimeDelta::try_seconds(ahead)?),
            (None, Some(zone)) => Some(zone.utc(local, false)),
            (None, None) => Some(zone.utc(local, false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_lenient() {
        for (text, pattern, shown) in [
            ("2026-02-30", "yyyy-MM-dd", Some("2026-03-02 00:00:00")),
            ("2026-3-1 rest", "yyyy-MM-dd", Some("2026-03-01 00:00:00")),
            ("26-03-01", "yyyy-MM-dd", Some("0026-03-01 00:00:00")),
            ("26-03-01", "yy-MM-dd", Some("2026-03-01 00:00:00")),
            ("2026-03-01 10:05 +0200", "yyyy-MM-dd HH:mm Z", Some("2026-03-01 08:05:00")),
            ("2026-03-01 10:05 PST", "yyyy-MM-dd HH:mm z", Some("2026-03-01 18:05:00")),
            ("Mar 1, 2026", "MMM d, yyyy", Some("2026-03-01 00:00:00")),
            ("20260301100501", "yyyyMMddHHmmss", Some("2026-03-01 10:05:01")),
            ("bad", "yyyy", None),
            ("2026-03-01", "yyyy-MM-dd HH:mm:ss", None),
            ("20260301", "yyyy-MM-dd", None),
        ] {
            let read = SimpleFormat::new(pattern).unwrap().read(text, &Zone::default());
            assert_eq!(read.map(|t| t.to_string()).as_deref(), shown, "{text} {pattern}");
        }
    }

    #[test]
    fn unknown_letters_are_refused() {
        assert!(SimpleFormat::new("bad{").unwrap_err().to_string().contains("letter b"));
        assert!(SimpleFormat::new("'open").is_err());
    }
}
