//! Reads times by a pattern of Java's `DateTimeFormatter`, to the end of the text; fields that the
//! pattern lacks are those of 1970-01-01 00:00.

use chrono::{Datelike, NaiveDate, NaiveDateTime};

use super::super::cast::parse_timestamp;
use super::formatter::{Formatter, Piece};
use super::names;

/// What was read so far.
#[derive(Debug, Clone, Default)]
struct Fields {
    year: Option<i64>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    weekday: Option<u32>,
    hour: Option<u32>,
    half: Option<u32>,
    hour_of_half: Option<u32>,
    minute: Option<u32>,
    second: Option<u32>,
    nanos: Option<u32>,
}

impl Formatter {
    /// The time in the text, or none when the text is not of this pattern.
    ///
    /// A text that is of the common form (`2026-3-1`, `2026-3-1 1:2:3`) is read whatever the
    /// pattern.
    pub(super) fn read(&self, text: &str) -> Option<NaiveDateTime> {
        let found = self.read_strictly(text);
        found.or_else(|| common_form(text.trim()))
    }

    fn read_strictly(&self, text: &str) -> Option<NaiveDateTime> {
        let (fields, rest) = read_pieces(&self.pieces, text, Fields::default())?;
        if !rest.is_empty() {
            return None;
        }
        fields.resolve()
    }
}

/// `2026-3-1`, or with a time `2026-3-1 1:2:3.4`.
fn common_form(text: &str) -> Option<NaiveDateTime> {
    let (date, _) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = date.split('-').skip(1);
    let mut part = || parts.next()?.parse::<u32>().ok();
    let (month, day) = (part()?, part()?);
    let at = parse_timestamp(text)?;
    // A day that the month does not have is not moved here.
    (at.month() == month && at.day() == day).then_some(at)
}

/// Reads optional parts when they fit.
fn read_pieces<'t>(
    pieces: &[Piece],
    text: &'t str,
    mut fields: Fields,
) -> Option<(Fields, &'t str)> {
    let mut text = text;
    let mut at = 0;
    while let Some(piece) = pieces.get(at) {
        match piece {
            Piece::Literal(literal) => text = text.strip_prefix(literal.as_str())?,
            Piece::Pad(_) => text = text.trim_start_matches(' '),
            Piece::Field(letter, count) => {
                let reserved = reserved(pieces.get(at + 1..).unwrap_or_default());
                text = fields.read(*letter, *count, text, reserved)?;
            }
            Piece::Open => {
                let end = closing(pieces, at);
                let inner = pieces.get(at + 1..end).unwrap_or_default();
                if let Some((read, rest)) = read_pieces(inner, text, fields.clone()) {
                    (fields, text) = (read, rest);
                }
                at = end;
            }
            Piece::Close => {}
        }
        at += 1;
    }
    Some((fields, text))
}

/// Position of the `]` that belongs to the `[`, or the end.
fn closing(pieces: &[Piece], open: usize) -> usize {
    let mut depth = 0;
    for (at, piece) in pieces.iter().enumerate().skip(open) {
        match piece {
            Piece::Open => depth += 1,
            Piece::Close => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    pieces.len()
}

/// Digits that the fields of fixed width right behind need.
fn reserved(pieces: &[Piece]) -> usize {
    pieces
        .iter()
        .map_while(|piece| match piece {
            Piece::Field('M' | 'L' | 'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's', 2) => Some(2),
            Piece::Field('y' | 'u', 2) => Some(2),
            Piece::Field('S', count) => Some(*count),
            _ => None,
        })
        .sum()
}

/// Between `least` and `most` digits, leaving `reserved` to what follows.
fn digits(text: &str, least: usize, most: usize, reserved: usize) -> Option<(u64, &str)> {
    let there = text.bytes().take_while(u8::is_ascii_digit).count();
    let length = there.saturating_sub(if least == most { 0 } else { reserved }).min(most);
    if length < least {
        return None;
    }
    let (number, rest) = text.split_at_checked(length)?;
    Some((number.parse().ok()?, rest))
}

impl Fields {
    fn read<'t>(
        &mut self,
        letter: char,
        count: usize,
        text: &'t str,
        reserved: usize,
    ) -> Option<&'t str> {
        let small = |least, most| -> Option<(u32, &'t str)> {
            let (value, rest) = digits(text, least, most, reserved)?;
            Some((u32::try_from(value).ok()?, rest))
        };
        // One letter: any number of digits; two: exactly two.
        let usual = || if count == 1 { small(1, 19) } else { small(2, 2) };
        match letter {
            'y' | 'u' => {
                let (value, rest) = year(text, count, reserved)?;
                return put(&mut self.year, value).map(|()| rest);
            }
            'M' | 'L' if count >= 3 => {
                let (month, rest) = one_of(&names::MONTHS, text, count)?;
                return put(&mut self.month, month + 1).map(|()| rest);
            }
            'E' => {
                let (day, rest) = one_of(&names::DAYS, text, count.max(3))?;
                return put(&mut self.weekday, day).map(|()| rest);
            }
            'a' => {
                let half = match text.get(..2)? {
                    "AM" => 0,
                    "PM" => 1,
                    _ => return None,
                };
                return put(&mut self.half, half).map(|()| text.get(2..).unwrap_or(""));
            }
            'G' => return text.strip_prefix(if count == 4 { "Anno Domini" } else { "AD" }),
            'X' | 'x' | 'Z' => return offset(text, letter == 'X' || count == 5),
            _ => {}
        }
        let (value, rest, slot) = match letter {
            'M' | 'L' => with(usual()?, &mut self.month),
            'd' => with(usual()?, &mut self.day),
            'D' => with(
                if count == 1 { small(1, 19) } else { small(count, 3) }?,
                &mut self.day_of_year,
            ),
            'H' => with(usual()?, &mut self.hour),
            'k' => {
                let (value, rest) = usual()?;
                with((value % 24, rest), &mut self.hour)
            }
            'K' => with(usual()?, &mut self.hour_of_half),
            'h' => {
                let (value, rest) = usual()?;
                if !(1..=12).contains(&value) {
                    return None;
                }
                with((value % 12, rest), &mut self.hour_of_half)
            }
            'm' => with(usual()?, &mut self.minute),
            's' => with(usual()?, &mut self.second),
            'S' => {
                let (value, rest) = small(count, count)?;
                let missing = u32::try_from(9_usize.checked_sub(count)?).ok()?;
                with((value.checked_mul(10_u32.pow(missing))?, rest), &mut self.nanos)
            }
            'n' => with(small(count, 19)?, &mut self.nanos),
            _ => return None,
        };
        put(slot, value).map(|()| rest)
    }

    fn resolve(&self) -> Option<NaiveDateTime> {
        let year = i32::try_from(self.year.unwrap_or(1970)).ok()?;
        let date = match self.day_of_year {
            Some(day) => NaiveDate::from_yo_opt(year, day)?,
            None => {
                let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
                super::super::cast::clamped_date(year, month, day)?
            }
        };
        if self.weekday.is_some_and(|day| date.weekday().num_days_from_monday() != day) {
            return None;
        }
        let hour = match (self.hour, self.half, self.hour_of_half) {
            (Some(hour), ..) => hour,
            (None, Some(half), Some(hour)) if hour < 12 => half * 12 + hour,
            _ => 0,
        };
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        let nanos = self.nanos.unwrap_or(0);
        if (hour, minute, second, nanos) == (24, 0, 0, 0) {
            return date.succ_opt()?.and_hms_opt(0, 0, 0);
        }
        date.and_hms_nano_opt(hour, minute, second, nanos)
    }
}

fn with<'s, 't>(
    (value, rest): (u32, &'t str),
    slot: &'s mut Option<u32>,
) -> (u32, &'t str, &'s mut Option<u32>) {
    (value, rest, slot)
}

/// A field that is given twice must be the same.
fn put<T: PartialEq + Copy>(slot: &mut Option<T>, value: T) -> Option<()> {
    match slot {
        Some(old) if *old != value => None,
        _ => {
            *slot = Some(value);
            Some(())
        }
    }
}

/// Two letters: two digits of this century. Four and more: so many digits, more only with a sign.
fn year(text: &str, count: usize, reserved: usize) -> Option<(i64, &str)> {
    if count == 2 {
        let (value, rest) = digits(text, 2, 2, 0)?;
        return Some((2000 + i64::try_from(value).ok()?, rest));
    }
    let signed = count >= 4 && text.starts_with('+');
    let negative = text.starts_with('-');
    let unsigned = if signed || negative { text.get(1..)? } else { text };
    let (value, rest) = digits(unsigned, count, 19, reserved)?;
    let length = unsigned.len() - rest.len();
    if count >= 4 && length > count && !signed && !negative {
        return None;
    }
    let value = i64::try_from(value).ok()?;
    Some((if negative { -value } else { value }, rest))
}

/// The position of the name that the text starts with.
fn one_of<'t>(all: &[&str], text: &'t str, count: usize) -> Option<(u32, &'t str)> {
    let letters = if count == 3 { Some(3) } else { None };
    if count == 5 {
        return None;
    }
    let at = all.iter().position(|name| text.starts_with(names::cut(name, letters)))?;
    let rest = text.strip_prefix(names::cut(all.get(at)?, letters))?;
    Some((u32::try_from(at).ok()?, rest))
}

/// `Z`, `+02`, `+0200`, `+02:00`: read and of no effect, as there is no zone in the result.
fn offset(text: &str, z: bool) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('Z') {
        return z.then_some(rest);
    }
    let rest = text.strip_prefix(['+', '-'])?;
    let (_, rest) = digits(rest, 2, 2, 0)?;
    let minutes = rest.strip_prefix(':').unwrap_or(rest);
    Some(digits(minutes, 2, 2, 0).map_or(rest, |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_by_the_pattern() {
        for (text, pattern, shown) in [
            ("20260301", "yyyyMMdd", Some("2026-03-01 00:00:00")),
            ("20260301100501123", "yyyyMMddHHmmssSSS", Some("2026-03-01 10:05:01.123")),
            ("01/03/2026 10:05", "dd/MM/yyyy HH:mm", Some("2026-03-01 10:05:00")),
            ("2026-03-01 10:05:01 PM", "yyyy-MM-dd hh:mm:ss a", Some("2026-03-01 22:05:01")),
            ("2026-02-31", "uuuu-MM-dd", Some("2026-02-28 00:00:00")),
            ("2026-3-1", "yyyy-MM-dd", Some("2026-03-01 00:00:00")),
            ("26-03-01", "yy-MM-dd", Some("2026-03-01 00:00:00")),
            ("1 Mar 2026", "d MMM yyyy", Some("2026-03-01 00:00:00")),
            ("2026-060", "yyyy-DDD", Some("2026-03-01 00:00:00")),
            ("10:05", "HH:mm", Some("1970-01-01 10:05:00")),
            ("2026-03-01", "yyyy-MM-dd[ HH:mm]", Some("2026-03-01 00:00:00")),
            ("2026-03-01 10:05", "yyyy-MM-dd[ HH:mm]", Some("2026-03-01 10:05:00")),
            ("Mon, 1 Mar 2026", "EEE, d MMM yyyy", None),
            ("bad", "yyyy", None),
            ("2026-03-01 rest", "yyyy-MM-dd", None),
            ("é", "yyyy", None),
        ] {
            let read = Formatter::new(pattern).unwrap().read(text);
            assert_eq!(read.map(|t| t.to_string()).as_deref(), shown, "{text} {pattern}");
        }
    }
}
