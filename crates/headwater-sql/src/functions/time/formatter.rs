//! Patterns of Java's `DateTimeFormatter`: compiled once, then times are written with them.
//! Reading is in `reader.rs`. English names, weeks that start on Sunday.

use std::fmt::Write;

use chrono::{Datelike, NaiveDateTime, Timelike};
use datafusion::common::exec_err;
use datafusion::error::Result;

use super::names;

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    /// A letter and how often it stands there.
    Field(char, usize),
    /// The next field is filled with spaces to this width.
    Pad(usize),
    /// `[`
    Open,
    /// `]`
    Close,
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Formatter {
    pub(super) pieces: Vec<Piece>,
}

/// The most letters that a field may have; none for a letter that is no field.
fn most(letter: char) -> Option<usize> {
    Some(match letter {
        'u' | 'y' | 'Y' | 'g' | 'n' | 'N' | 'A' => 19,
        'G' | 'M' | 'L' | 'E' | 'e' | 'c' | 'Q' | 'q' | 'Z' | 'X' | 'x' | 'B' => 5,
        'z' | 'O' | 'v' => 4,
        'D' => 3,
        'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'w' | 'V' => 2,
        'W' | 'F' | 'a' => 1,
        'S' => 9,
        _ => return None,
    })
}

impl Formatter {
    pub(super) fn new(pattern: &str) -> Result<Self> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut letters = pattern.chars().peekable();
        let mut open = 0_usize;
        let literal = |pieces: &mut Vec<Piece>, c: char| match pieces.last_mut() {
            Some(Piece::Literal(text)) => text.push(c),
            _ => pieces.push(Piece::Literal(c.to_string())),
        };
        while let Some(c) = letters.next() {
            match c {
                '\'' => {
                    if letters.next_if_eq(&'\'').is_some() {
                        literal(&mut pieces, '\'');
                        continue;
                    }
                    loop {
                        match letters.next() {
                            Some('\'') if letters.next_if_eq(&'\'').is_some() => {
                                literal(&mut pieces, '\'');
                            }
                            Some('\'') => break,
                            Some(other) => literal(&mut pieces, other),
                            None => {
                                return exec_err!(
                                    "the pattern '{pattern}' has a quote without its end"
                                );
                            }
                        }
                    }
                }
                '[' => {
                    open += 1;
                    pieces.push(Piece::Open);
                }
                ']' => {
                    let Some(fewer) = open.checked_sub(1) else {
                        return exec_err!("the pattern '{pattern}' has ] without [");
                    };
                    open = fewer;
                    pieces.push(Piece::Close);
                }
                '{' | '}' | '#' => {
                    return exec_err!("the pattern '{pattern}' has the reserved sign {c}");
                }
                c if c.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while letters.next_if_eq(&c).is_some() {
                        count += 1;
                    }
                    if c == 'p' {
                        if !letters.peek().is_some_and(char::is_ascii_alphabetic) {
                            return exec_err!("the pattern '{pattern}' pads nothing");
                        }
                        pieces.push(Piece::Pad(count));
                        continue;
                    }
                    match most(c) {
                        None => {
                            return exec_err!(
                                "the pattern '{pattern}' has the letter {c}, which means nothing"
                            );
                        }
                        Some(most) if count > most => {
                            return exec_err!("the pattern '{pattern}' has too many letters {c}");
                        }
                        Some(_)
                            if (c == 'c' && count == 2)
                                || (c == 'B' && [2, 3].contains(&count))
                                || (c == 'V' && count != 2) =>
                        {
                            return exec_err!(
                                "the pattern '{pattern}' has a wrong number of letters {c}"
                            );
                        }
                        Some(_) => pieces.push(Piece::Field(c, count)),
                    }
                }
                other => literal(&mut pieces, other),
            }
        }
        Ok(Self { pieces })
    }

    /// The time as the pattern says.
    pub(super) fn format(&self, at: NaiveDateTime) -> Result<String> {
        let mut text = String::new();
        let mut width = 0;
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Pad(to) => width = *to,
                Piece::Open | Piece::Close => {}
                Piece::Field(letter, count) => {
                    let start = text.len();
                    field(&mut text, at, *letter, *count)?;
                    if width > 0 {
                        let value = text.split_off(start);
                        let _ = write!(text, "{value:>width$}");
                        width = 0;
                    }
                }
            }
        }
        Ok(text)
    }
}

fn field(text: &mut String, at: NaiveDateTime, letter: char, count: usize) -> Result<()> {
    let number = |text: &mut String, value: u32| {
        let _ = write!(text, "{value:0count$}");
    };
    match letter {
        'y' => year(text, era(at.year()).1, count),
        'u' => year(text, at.year(), count),
        'Y' => year(text, names::sunday_week(at).0, count),
        'G' => text.push_str(match (at.year() > 0, count) {
            (true, 4) => "Anno Domini",
            (false, 4) => "Before Christ",
            (true, 5) => "A",
            (false, 5) => "B",
            (true, _) => "AD",
            (false, _) => "BC",
        }),
        'M' | 'L' => name(text, names::month(at), at.month(), count),
        'E' => text.push_str(names::cut(names::day(at), letters(count.max(3)))),
        'e' | 'c' => name(text, names::day(at), at.weekday().num_days_from_sunday() + 1, count),
        'Q' | 'q' => {
            let quarter = at.month0() / 3 + 1;
            let ordinal = ["1st", "2nd", "3rd", "4th"];
            match count {
                3 => {
                    let _ = write!(text, "Q{quarter}");
                }
                4 => {
                    let at = usize::try_from(quarter - 1).unwrap_or(0);
                    let _ = write!(text, "{} quarter", ordinal.get(at).unwrap_or(&""));
                }
                5 => number(text, quarter),
                _ => number(text, quarter),
            }
        }
        'd' => number(text, at.day()),
        'D' => number(text, at.ordinal()),
        'F' => number(text, at.day0() % 7 + 1),
        'w' => number(text, names::sunday_week(at).1),
        'W' => number(text, names::week_of_month(at)),
        'g' => {
            let days = at.date().to_epoch_days() + 40_587;
            let _ = write!(text, "{days:0count$}");
        }
        'a' => text.push_str(if at.hour() < 12 { "AM" } else { "PM" }),
        'B' => text.push_str(period(at, count)),
        'H' => number(text, at.hour()),
        'k' => number(text, if at.hour() == 0 { 24 } else { at.hour() }),
        'K' => number(text, at.hour() % 12),
        'h' => number(text, names::clock_hour(at.hour())),
        'm' => number(text, at.minute()),
        's' => number(text, at.second()),
        'S' => {
            let nanos = format!("{:09}", at.nanosecond() % 1_000_000_000);
            text.push_str(nanos.get(..count).unwrap_or(&nanos));
        }
        'n' => number(text, at.nanosecond() % 1_000_000_000),
        'N' | 'A' => {
            let nanos = u64::from(at.num_seconds_from_midnight()) * 1_000_000_000
                + u64::from(at.nanosecond() % 1_000_000_000);
            let value = if letter == 'N' { nanos } else { nanos / 1_000_000 };
            let _ = write!(text, "{value:0count$}");
        }
        other => {
            return exec_err!(
                "the letter {other} of the pattern asks for a time zone, which the value does not have"
            );
        }
    }
    Ok(())
}

/// Era (1 from year 1 on) and the year in it.
pub(super) const fn era(year: i32) -> (i32, i32) {
    if year > 0 { (1, year) } else { (0, 1 - year) }
}

/// Two letters: two digits; else at least as many digits as letters, with a sign when there are
/// more than four.
fn year(text: &mut String, year: i32, count: usize) {
    let _ = match count {
        2 => write!(text, "{:02}", year.rem_euclid(100)),
        _ => {
            let digits = format!("{:0count$}", year.unsigned_abs());
            let sign = match year {
                ..0 => "-",
                _ if count >= 4 && digits.len() > count => "+",
                _ => "",
            };
            write!(text, "{sign}{digits}")
        }
    };
}

fn letters(count: usize) -> Option<usize> {
    match count {
        3 => Some(3),
        5 => Some(1),
        _ => None,
    }
}

fn name(text: &mut String, name: &str, number: u32, count: usize) {
    if count < 3 {
        let _ = write!(text, "{number:0count$}");
    } else {
        text.push_str(names::cut(name, letters(count)));
    }
}

/// The part of the day.
fn period(at: NaiveDateTime, count: usize) -> &'static str {
    let exact = at.minute() == 0 && at.second() == 0 && at.nanosecond() == 0;
    match (at.hour(), exact, count) {
        (0, true, 5) => "mi",
        (12, true, 5) => "n",
        (0, true, _) => "midnight",
        (12, true, _) => "noon",
        (6..12, ..) => "in the morning",
        (12..18, ..) => "in the afternoon",
        (18..21, ..) => "in the evening",
        _ => "at night",
    }
}
