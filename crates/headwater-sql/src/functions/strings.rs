//! Texts: case, parts, positions, padding, joining. Positions count characters (code points)
//! from 1.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int32Array};
use arrow::datatypes::{DataType as Arrow, Int64Type};
use datafusion::error::Result;

use super::call::{Call, Param, Spec, returns};
use super::numbers::java_double;

use Param::{Any, Long, Text};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&["upper", "ucase", "upper_case"], &[Text], returns::text, |c| {
        let s = c.text(0)?;
        c.texts(|row| Ok(Some(s.value(row).to_uppercase())))
    }),
    Spec::new(&["lower", "lcase", "lower_case"], &[Text], returns::text, |c| {
        let s = c.text(0)?;
        c.texts(|row| Ok(Some(s.value(row).to_lowercase())))
    }),
    Spec::new(&["$char_upper"], &[Text], returns::text, |c| {
        let s = c.text(0)?;
        c.texts(|row| Ok(Some(as_long_as(s.value(row), &s.value(row).to_uppercase()))))
    }),
    Spec::new(&["$char_lower"], &[Text], returns::text, |c| {
        let s = c.text(0)?;
        c.texts(|row| Ok(Some(as_long_as(s.value(row), &s.value(row).to_lowercase()))))
    }),
    Spec::new(&["initcap", "init_cap"], &[Text], returns::text, |c| {
        let s = c.text(0)?;
        c.texts(|row| Ok(Some(init_cap(s.value(row)))))
    }),
    Spec::new(&["char_length", "character_length"], &[Text], returns::int, |c| {
        let s = c.text(0)?;
        ints(c, |row| s.value(row).chars().count())
    }),
    Spec::new(&["substring", "substr"], &[Text, Long, Long], returns::text, |c| {
        let (s, from) = (c.text(0)?, c.long(1)?);
        let length = if c.count() == 3 { Some(c.long(2)?) } else { None };
        c.texts(|row| Ok(substring(s.value(row), from.value(row), length.map(|l| l.value(row)))))
    })
    .required(2),
    Spec::new(&["left"], &[Text, Long], returns::text, |c| {
        let (s, n) = (c.text(0)?, c.long(1)?);
        c.texts(|row| Ok(Some(s.value(row).chars().take(at_least_zero(n.value(row))).collect())))
    }),
    Spec::new(&["right"], &[Text, Long], returns::text, |c| {
        let (s, n) = (c.text(0)?, c.long(1)?);
        c.texts(|row| {
            let s = s.value(row);
            let skip = s.chars().count().saturating_sub(at_least_zero(n.value(row)));
            Ok(Some(s.chars().skip(skip).collect()))
        })
    }),
    Spec::new(&["lpad"], &[Text, Long, Text], returns::text, |c| pad(c, Side::Left)),
    Spec::new(&["rpad"], &[Text, Long, Text], returns::text, |c| pad(c, Side::Right)),
    Spec::new(&["trim", "btrim"], &[Text, Text], returns::text, |c| {
        trim(c, |s, set| s.trim_matches(|ch| set.contains(ch)))
    })
    .required(1),
    Spec::new(&["ltrim"], &[Text, Text], returns::text, |c| {
        trim(c, |s, set| s.trim_start_matches(|ch| set.contains(ch)))
    })
    .required(1),
    Spec::new(&["rtrim"], &[Text, Text], returns::text, |c| {
        trim(c, |s, set| s.trim_end_matches(|ch| set.contains(ch)))
    })
    .required(1),
    Spec::new(&["position"], &[Text, Text], returns::int, |c| {
        let (part, s) = (c.text(0)?, c.text(1)?);
        ints(c, |row| locate(part.value(row), s.value(row), 1))
    }),
    Spec::new(&["locate"], &[Text, Text, Long], returns::int, |c| {
        let (part, s) = (c.text(0)?, c.text(1)?);
        let from = if c.count() == 3 { Some(c.long(2)?) } else { None };
        ints(c, |row| locate(part.value(row), s.value(row), from.map_or(1, |f| f.value(row))))
    })
    .required(2),
    Spec::new(&["instr"], &[Text, Text, Long, Long], returns::int, |c| {
        let (s, part) = (c.text(0)?, c.text(1)?);
        let from = if c.count() > 2 { Some(c.long(2)?) } else { None };
        let nth = if c.count() > 3 { Some(c.long(3)?) } else { None };
        let rows = c.strict(|row| {
            let nth = nth.map_or(1, |n| n.value(row));
            if nth < 1 {
                return c.fail(format!("argument 4 must be positive, not {nth}"));
            }
            let from = from.map_or(1, |f| f.value(row));
            Ok(Some(to_int(instr(s.value(row), part.value(row), from, nth))))
        })?;
        Ok(Arc::new(Int32Array::from(rows)))
    })
    .required(2),
    Spec::new(&["overlay"], &[Text, Text, Long, Long], returns::text, |c| {
        let (s, new, from) = (c.text(0)?, c.text(1)?, c.long(2)?);
        let length = if c.count() == 4 { Some(c.long(3)?) } else { None };
        c.texts(|row| {
            let new = new.value(row);
            let count = i64::try_from(new.chars().count()).unwrap_or(i64::MAX);
            let length = length.map_or(count, |l| l.value(row));
            Ok(Some(overlay(s.value(row), new, from.value(row), length)))
        })
    })
    .required(3),
    Spec::new(&["replace"], &[Text, Text, Text], returns::text, |c| {
        let (s, old, new) = (c.text(0)?, c.text(1)?, c.text(2)?);
        c.texts(|row| Ok(Some(s.value(row).replace(old.value(row), new.value(row)))))
    }),
    Spec::new(&["repeat"], &[Text, Long], returns::text, |c| {
        let (s, n) = (c.text(0)?, c.long(1)?);
        c.texts(|row| repeat(c, s.value(row), n.value(row)).map(Some))
    }),
    Spec::new(&["reverse"], &[Text], returns::text, |c| {
        let s = c.text(0)?;
        c.texts(|row| Ok(Some(s.value(row).chars().rev().collect())))
    }),
    Spec::new(&["ascii"], &[Text], returns::int, |c| {
        let s = c.text(0)?;
        let first = |s: &str| s.bytes().next().map_or(0, |b| i32::from(b.cast_signed()));
        Ok(Arc::new(Int32Array::from(c.strict(|row| Ok(Some(first(s.value(row)))))?)))
    }),
    Spec::new(&["chr"], &[Long], returns::text, |c| {
        let n = c.long(0)?;
        c.texts(|row| Ok(Some(chr(n.value(row)))))
    }),
    Spec::new(&["concat"], &[Text], returns::text, concat).variadic(),
    Spec::new(&["concat_ws"], &[Text, Text], returns::text, concat_ws).required(1).variadic(),
    Spec::new(&["is_alpha"], &[Any], returns::bool, |c| {
        let test = |s: &str| !s.is_empty() && s.chars().all(char::is_alphabetic);
        is(c, test, |_| false)
    }),
    Spec::new(&["is_digit"], &[Any], returns::bool, |c| {
        let test = |s: &str| !s.is_empty() && s.chars().all(super::numbers::is_digit);
        is(c, test, Arrow::is_integer)
    }),
    Spec::new(&["is_decimal"], &[Any], returns::bool, |c| {
        let number = |t: &Arrow| t.is_integer() || t.is_floating();
        is(c, |s| java_double(s).is_some(), number)
    }),
];

/// Cut to as many characters as the original has: the result of CHAR(n) is CHAR(n).
fn as_long_as(original: &str, changed: &str) -> String {
    changed.chars().take(original.chars().count()).collect()
}

fn to_int(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn ints(call: &Call<'_>, f: impl Fn(usize) -> usize) -> Result<ArrayRef> {
    Ok(Arc::new(Int32Array::from(call.strict(|row| Ok(Some(to_int(f(row)))))?)))
}

fn at_least_zero(n: i64) -> usize {
    usize::try_from(n.max(0)).unwrap_or(usize::MAX)
}

/// Words are runs of ASCII letters and digits; other letters stay as they are.
fn init_cap(s: &str) -> String {
    let mut inside = false;
    s.chars()
        .map(|c| {
            let changed = if inside { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
            inside = c.is_ascii_alphanumeric();
            changed
        })
        .collect()
}

/// From 1; from the end when negative; a position before the start gives an empty text, a negative
/// length null.
pub(super) fn substring(s: &str, from: i64, length: Option<i64>) -> Option<String> {
    if length.is_some_and(|l| l < 0) {
        return None;
    }
    let start = match from {
        0 => 0,
        1.. => at_least_zero(from - 1),
        _ => {
            let back = usize::try_from(from.unsigned_abs()).unwrap_or(usize::MAX);
            match s.chars().count().checked_sub(back) {
                Some(start) => start,
                None => return Some(String::new()),
            }
        }
    };
    let length = length.map_or(usize::MAX, at_least_zero);
    Some(s.chars().skip(start).take(length).collect())
}

enum Side {
    Left,
    Right,
}

/// Null for a negative length and for an empty padding.
fn pad(call: &Call<'_>, side: Side) -> Result<ArrayRef> {
    let (s, length, padding) = (call.text(0)?, call.long(1)?, call.text(2)?);
    call.texts(|row| {
        let (s, length, padding) = (s.value(row), length.value(row), padding.value(row));
        if length < 0 || padding.is_empty() {
            return Ok(None);
        }
        let length = at_least_zero(length);
        check_size(call, length)?;
        let count = s.chars().count();
        if count >= length {
            return Ok(Some(s.chars().take(length).collect()));
        }
        let filling = padding.chars().cycle().take(length - count);
        Ok(Some(match side {
            Side::Left => filling.chain(s.chars()).collect(),
            Side::Right => s.chars().chain(filling).collect(),
        }))
    })
}

/// No single value may take the memory of the process.
fn check_size(call: &Call<'_>, size: usize) -> Result<()> {
    const MOST: usize = 256 << 20;
    if size > MOST {
        return call.fail(format!("the result would have more than {MOST} characters"));
    }
    Ok(())
}

fn repeat(call: &Call<'_>, s: &str, n: i64) -> Result<String> {
    let n = at_least_zero(n);
    check_size(call, s.len().saturating_mul(n))?;
    Ok(s.repeat(n))
}

/// Removes characters that are in the second argument, a space without one.
fn trim(call: &Call<'_>, f: impl for<'a> Fn(&'a str, &str) -> &'a str) -> Result<ArrayRef> {
    let s = call.text(0)?;
    let set = if call.count() == 2 { Some(call.text(1)?) } else { None };
    call.texts(|row| Ok(Some(f(s.value(row), set.map_or(" ", |t| t.value(row))).to_owned())))
}

/// Position of `part` at or behind `from`, 0 when it is not there; an empty part is at 1.
fn locate(part: &str, s: &str, from: i64) -> usize {
    if part.is_empty() {
        return 1;
    }
    let skip = at_least_zero(from - 1);
    let Some(start) = s.char_indices().nth(skip).map(|(at, _)| at) else { return 0 };
    let rest = s.get(start..).unwrap_or_default();
    rest.find(part).map_or(0, |at| s.get(..start + at).unwrap_or_default().chars().count() + 1)
}

/// Position of the `nth` occurrence, searched from `from`; a negative start searches backwards from
/// the end.
fn instr(s: &str, part: &str, from: i64, nth: i64) -> usize {
    let (text, wanted): (Vec<char>, Vec<char>) = (s.chars().collect(), part.chars().collect());
    let matches = |start: usize| text.get(start..).is_some_and(|rest| rest.starts_with(&wanted));
    let mut left = nth;
    let mut found = |start: &usize| {
        if matches(*start) {
            left -= 1;
        }
        left == 0
    };
    match from {
        0 => 0,
        1.. => (at_least_zero(from - 1)..=text.len()).find(|s| found(s)).map_or(0, |at| at + 1),
        _ => {
            let back = usize::try_from(from.unsigned_abs()).unwrap_or(usize::MAX);
            // The last character of the match may not lie behind the start.
            let Some(end) = (text.len() + 1).checked_sub(back) else { return 0 };
            let Some(last) = end.checked_sub(wanted.len()) else { return 0 };
            (0..=last).rev().find(|s| found(s)).map_or(0, |at| at + 1)
        }
    }
}

/// A start outside of the text changes nothing; a length that is not positive, or reaches behind
/// the end, drops the rest.
fn overlay(s: &str, new: &str, from: i64, length: i64) -> String {
    let count = i64::try_from(s.chars().count()).unwrap_or(i64::MAX);
    if from <= 0 || from > count {
        return s.to_owned();
    }
    let mut result: String = s.chars().take(at_least_zero(from - 1)).collect();
    result.push_str(new);
    if length > 0 && from.saturating_add(length) <= count {
        result.extend(s.chars().skip(at_least_zero(from - 1 + length)));
    }
    result
}

fn chr(n: i64) -> String {
    match u8::try_from(n & 0xff) {
        Ok(code) if n >= 0 => char::from(code).to_string(),
        _ => String::new(),
    }
}

fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = (0..call.count()).map(|at| call.text(at)).collect::<Result<Vec<_>>>()?;
    call.texts(|row| Ok(Some(texts.iter().map(|t| t.value(row)).collect())))
}

/// Nulls are left out; a null separator gives null.
fn concat_ws(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = (0..call.count()).map(|at| call.text(at)).collect::<Result<Vec<_>>>()?;
    let rows = call.each(|row| {
        let mut parts = texts.iter().map(|t| {
            use arrow::array::Array;
            t.is_valid(row).then(|| t.value(row))
        });
        let Some(Some(separator)) = parts.next() else { return Ok(None) };
        Ok(Some(parts.flatten().collect::<Vec<_>>().join(separator)))
    })?;
    Ok(Arc::new(arrow::array::StringArray::from(rows)))
}

/// A test that is false for null.
fn is(
    call: &Call<'_>,
    text: impl Fn(&str) -> bool,
    other: impl Fn(&Arrow) -> bool,
) -> Result<ArrayRef> {
    let array = call.arg(0)?;
    let rows: Vec<Option<bool>> = match array.as_string_opt::<i32>() {
        Some(texts) => texts.iter().map(|t| Some(t.is_some_and(&text))).collect(),
        None => {
            let yes = other(array.data_type());
            (0..call.rows).map(|row| Some(yes && array.is_valid(row))).collect()
        }
    };
    Ok(Arc::new(BooleanArray::from(rows)))
}

/// `SPLIT_INDEX` and `SPLIT`.
pub(super) const SPLITTING: &[Spec] =
    &[Spec::new(&["split_index"], &[Text, Any, Long], returns::text, |c| {
        let (s, index) = (c.text(0)?, c.long(2)?);
        let separator = c.arg(1)?;
        let codes = separator.as_primitive_opt::<Int64Type>();
        let texts = separator.as_string_opt::<i32>();
        c.texts(|row| {
            let separator = match (texts, codes) {
                (Some(texts), _) => texts.value(row).to_owned(),
                (None, Some(codes)) => match u32::try_from(codes.value(row)).map(char::from_u32) {
                    Ok(Some(code)) => code.to_string(),
                    _ => return Ok(None),
                },
                (None, None) => return c.fail("argument 2 must be a text or a character's code"),
            };
            let Ok(index) = usize::try_from(index.value(row)) else { return Ok(None) };
            Ok(part(s.value(row), &separator, index).map(ToOwned::to_owned))
        })
    })
    .unify(|types| {
        let mut types = types.to_vec();
        if let Some(separator) = types.get_mut(1)
            && separator.is_integer()
        {
            *separator = Arrow::Int64;
        }
        Ok(types)
    })];

/// The part at `index`, from 0; an empty separator means white space.
fn part<'a>(s: &'a str, separator: &str, index: usize) -> Option<&'a str> {
    if s.is_empty() {
        return None;
    }
    if separator.is_empty() {
        return s.split(char::is_whitespace).nth(index);
    }
    s.split(separator).nth(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occurrences_are_counted_from_either_end() {
        assert_eq!(instr("corporate floor", "or", 3, 2), 14);
        assert_eq!(instr("corporate floor", "or", -3, 2), 2);
        assert_eq!(instr("corporate floor", "or", 0, 1), 0);
        assert_eq!(instr("corporate floor", "or", -99, 1), 0);
        assert_eq!(instr("abc", "z", 1, 1), 0);
        assert_eq!(instr("", "", 1, 1), 1);
    }

    #[test]
    fn a_length_that_reaches_behind_the_end_drops_the_rest() {
        assert_eq!(overlay("hello", "XX", 2, 0), "hXX");
        assert_eq!(overlay("hello", "XX", 4, 1), "helXXo");
        assert_eq!(overlay("hello", "XX", 2, i64::MAX), "hXX");
        assert_eq!(overlay("hello", "XX", 6, 1), "hello");
    }
}
