//! Regular expressions as in Java: REGEXP, REGEXP_EXTRACT, REGEXP_REPLACE, STR_TO_MAP; SIMILAR TO
//! and the patterns of LIKE.

mod java;

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, MapBuilder, MapFieldNames, StringBuilder};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use fancy_regex::{Regex, RegexBuilder};

use super::call::{Call, Param, Spec, failed, returns};
use super::cast::map_type;

use Param::{Long, Text};

/// Name of SIMILAR TO in a rewritten query: `$similar(text, pattern, escape)`.
pub(crate) const SIMILAR: &str = "$similar";
/// Turns a pattern of LIKE into one where a backslash is the escape character.
pub(crate) const LIKE_PATTERN: &str = "$like_pattern";

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&["regexp"], &[Text, Text], returns::bool, |c| {
        let (texts, patterns) = (c.text(0)?, c.text(1)?);
        let regexes = Regexes::default();
        let rows = c.strict(|row| {
            let pattern = patterns.value(row);
            if pattern.is_empty() {
                return Ok(Some(false));
            }
            regexes.with(pattern, java::translate, |regex| match regex {
                Some(regex) => regex.is_match(texts.value(row)).map(Some).map_err(too_hard),
                None => Ok(Some(false)),
            })
        })?;
        Ok(Arc::new(BooleanArray::from(rows)))
    }),
    Spec::new(&["regexp_extract"], &[Text, Text, Long], returns::text, |c| {
        let (texts, patterns) = (c.text(0)?, c.text(1)?);
        let groups = if c.count() == 3 { Some(c.long(2)?) } else { None };
        let regexes = Regexes::default();
        c.texts(|row| {
            let Ok(group) = usize::try_from(groups.map_or(0, |g| g.value(row))) else {
                return Ok(None);
            };
            regexes.with(patterns.value(row), java::translate, |regex| {
                let Some(regex) = regex else { return Ok(None) };
                let found = regex.captures(texts.value(row)).map_err(too_hard)?;
                Ok(found.and_then(|f| Some(f.get(group)?.as_str().to_owned())))
            })
        })
    })
    .required(2),
    Spec::new(&["regexp_replace"], &[Text, Text, Text], returns::text, |c| {
        let (texts, patterns, new) = (c.text(0)?, c.text(1)?, c.text(2)?);
        let regexes = Regexes::default();
        c.texts(|row| {
            regexes.with(patterns.value(row), java::translate, |regex| {
                let Some(regex) = regex else { return Ok(None) };
                replace(regex, texts.value(row), new.value(row)).map(Some)
            })
        })
    }),
    Spec::new(&["str_to_map"], &[Text, Text, Text], text_map, str_to_map).required(1),
    Spec::new(&[SIMILAR], &[Text, Text, Text], returns::bool, |c| {
        let (texts, patterns) = (c.text(0)?, c.text(1)?);
        let regexes = Regexes::default();
        let rows = c.strict(|row| {
            let escape = if c.count() == 3 { escape_of(c.text(2)?.value(row))? } else { None };
            let pattern = patterns.value(row);
            regexes.with(
                pattern,
                |pattern| similar(pattern, escape),
                |regex| match regex {
                    Some(regex) => regex.is_match(texts.value(row)).map(Some).map_err(too_hard),
                    None => c.fail(format!("'{pattern}' is no pattern")),
                },
            )
        })?;
        Ok(Arc::new(BooleanArray::from(rows)))
    })
    .required(2),
    Spec::new(&[LIKE_PATTERN], &[Text, Text], returns::text, |c| {
        let patterns = c.text(0)?;
        c.texts(|row| {
            let escape = if c.count() == 2 { escape_of(c.text(1)?.value(row))? } else { None };
            like_pattern(patterns.value(row), escape).map(Some)
        })
    })
    .required(1)
    .nulls()
    .total(),
];

/// For DataFusion's own functions patterns of LIKE without ESCAPE stay as they are.
pub(super) const DATAFUSION: &[Spec] =
    &[Spec::new(&[LIKE_PATTERN], &[Text, Text], returns::text, |c| {
        if c.count() < 2 {
            return Ok(Arc::clone(c.arg(0)?));
        }
        let (patterns, escapes) = (c.text(0)?, c.text(1)?);
        c.texts(|row| like_pattern(patterns.value(row), escape_of(escapes.value(row))?).map(Some))
    })
    .required(1)
    .nulls()
    .total()];

fn text_map(_: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    Ok(map_type(Arrow::Utf8, Arrow::Utf8))
}

/// The last pattern of a call, compiled; none when it is no regular expression.
#[derive(Default)]
struct Regexes(RefCell<Option<(String, Option<Regex>)>>);

impl Regexes {
    fn with<T>(
        &self,
        pattern: &str,
        translate: impl Fn(&str) -> std::result::Result<String, String>,
        f: impl FnOnce(Option<&Regex>) -> Result<T>,
    ) -> Result<T> {
        let mut last = self.0.borrow_mut();
        if let Some((known, regex)) = last.as_ref()
            && known == pattern
        {
            return f(regex.as_ref());
        }
        let regex = match translate(pattern) {
            Ok(translated) => compile(pattern, &translated)?,
            Err(_) => None,
        };
        let (_, regex) = last.insert((pattern.to_owned(), regex));
        f(regex.as_ref())
    }
}

/// None for what is no regular expression; an error for what this engine lacks.
fn compile(pattern: &str, translated: &str) -> Result<Option<Regex>> {
    use fancy_regex::{CompileError, Error};
    const BACKTRACKS: usize = 10_000_000;
    match RegexBuilder::new(translated).backtrack_limit(BACKTRACKS).build() {
        Ok(regex) => Ok(Some(regex)),
        Err(Error::CompileError(reason)) if !matches!(*reason, CompileError::InnerError(_)) => {
            exec_err!("the regular expression '{pattern}' is not supported: {reason}")
        }
        Err(_) => Ok(None),
    }
}

/// A regular expression of Java that a whole text must match.
pub(crate) struct Whole(Regex);

impl Whole {
    /// Compiles a pattern, or says what is wrong with it.
    pub(crate) fn parse(pattern: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("'{pattern}' is no regular expression");
        let translated = java::translate(pattern).map_err(|_| wrong())?;
        // By itself first: a parenthesis too many must not end the group around it.
        let compiled = compile(pattern, &translated).map_err(|e| e.to_string())?;
        compiled.ok_or_else(wrong)?;
        let whole = compile(pattern, &format!("\\A(?:{translated})\\z"));
        whole.map_err(|e| e.to_string())?.map(Self).ok_or_else(wrong)
    }

    /// Whether the whole text matches; an error when that takes too long to find out.
    pub(crate) fn matches(&self, text: &str) -> std::result::Result<bool, String> {
        self.0.is_match(text).map_err(|e| too_hard(e).to_string())
    }
}

fn too_hard(error: fancy_regex::Error) -> datafusion::error::DataFusionError {
    failed(format!("a regular expression takes too long: {error}"))
}

/// All matches give way to the new text, as it is written.
fn replace(regex: &Regex, text: &str, new: &str) -> Result<String> {
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for found in regex.find_iter(text) {
        let found = found.map_err(too_hard)?;
        result.push_str(text.get(end..found.start()).unwrap_or(""));
        result.push_str(new);
        end = found.end();
    }
    result.push_str(text.get(end..).unwrap_or(""));
    Ok(result)
}

/// As `String.split`: parts at the end that are empty are left out, an empty match at the start
/// splits nothing off.
fn split<'t>(regex: &Regex, text: &'t str) -> Result<Vec<&'t str>> {
    let mut parts = Vec::new();
    let mut end = 0;
    for found in regex.find_iter(text) {
        let found = found.map_err(too_hard)?;
        if found.end() == 0 {
            continue;
        }
        parts.push(text.get(end..found.start()).unwrap_or(""));
        end = found.end();
    }
    if end == 0 {
        return Ok(vec![text]);
    }
    parts.push(text.get(end..).unwrap_or(""));
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    Ok(parts)
}

/// Pairs of texts; both separators are regular expressions. Of pairs with one key the last counts.
fn str_to_map(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.text(0)?;
    let separators = if call.count() > 1 { Some(call.text(1)?) } else { None };
    let delimiters = if call.count() > 2 { Some(call.text(2)?) } else { None };
    let (between, inside) = (Regexes::default(), Regexes::default());
    let names = MapFieldNames {
        entry: "entries".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    let mut map = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in 0..call.rows {
        if call.any_null(row) {
            map.append(false)?;
            continue;
        }
        let text = texts.value(row);
        let separator = separators.map_or(",", |s| s.value(row));
        let delimiter = delimiters.map_or("=", |d| d.value(row));
        let mut pairs = indexmap::IndexMap::new();
        let parts = between.with(separator, java::translate, |regex| match regex {
            Some(regex) => split(regex, text),
            None => call.fail(format!("'{separator}' is no regular expression")),
        })?;
        for part in parts.into_iter().filter(|_| !text.is_empty()) {
            let (key, value) = inside.with(delimiter, java::translate, |regex| {
                let Some(regex) = regex else {
                    return call.fail(format!("'{delimiter}' is no regular expression"));
                };
                Ok(match regex.find_iter(part).find(|f| f.as_ref().is_ok_and(|f| f.end() > 0)) {
                    Some(found) => {
                        let found = found.map_err(too_hard)?;
                        let (key, value) = (part.get(..found.start()), part.get(found.end()..));
                        (key.unwrap_or(""), value)
                    }
                    None => (part, None),
                })
            })?;
            pairs.insert(key, value);
        }
        for (key, value) in pairs {
            map.keys().append_value(key);
            map.values().append_option(value);
        }
        map.append(true)?;
    }
    Ok(Arc::new(map.finish()))
}

fn escape_of(text: &str) -> Result<Option<char>> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), None) | (None, _) | (Some(_), Some(_)) => {
            exec_err!("ESCAPE '{text}': the escape must be one character, and no backslash")
        }
        (escape, None) => Ok(escape),
    }
}

/// A pattern of SQL as a regular expression for the whole text.
fn similar(pattern: &str, escape: Option<char>) -> std::result::Result<String, String> {
    let mut out = String::from("(?s)\\A(?:");
    let mut chars = pattern.chars().peekable();
    let mut class = false;
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            match chars.next() {
                Some(next) => literal(&mut out, next),
                None => return Err("nothing follows the escape".to_owned()),
            }
            continue;
        }
        match c {
            '[' if class && chars.peek() == Some(&':') => {
                chars.next();
                let name: String = chars.by_ref().take_while(|c| *c != ']').collect();
                let name = name.trim_end_matches(':').to_ascii_lowercase();
                if !["alpha", "upper", "lower", "digit", "alnum", "space", "whitespace"]
                    .contains(&name.as_str())
                {
                    return Err(format!("there is no class {name}"));
                }
                let name = if name == "whitespace" { "space" } else { &name };
                out.push_str("[:");
                out.push_str(name);
                out.push_str(":]");
            }
            '[' => {
                class = true;
                out.push('[');
            }
            ']' => {
                class = false;
                out.push(']');
            }
            c if class => match c {
                '^' | '-' => out.push(c),
                c => literal(&mut out, c),
            },
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '|' | '*' | '+' | '?' | '(' | ')' | '{' | '}' | '.' => out.push(c),
            c => literal(&mut out, c),
        }
    }
    out.push_str(")\\z");
    Ok(out)
}

fn literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && !"<>\"'%,:;=@_`/!".contains(c) {
        out.push('\\');
    }
    out.push(c);
}

/// The same pattern with a backslash as escape.
fn like_pattern(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            match chars.next() {
                Some(next) if ['%', '_'].contains(&next) || Some(next) == escape => {
                    if next != '%' && next != '_' {
                        out.push(next);
                        continue;
                    }
                    out.push('\\');
                    out.push(next);
                }
                _ => {
                    return exec_err!(
                        "LIKE '{pattern}': only %, _ and the escape itself may follow the escape"
                    );
                }
            }
            continue;
        }
        if c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_as_in_java() {
        let parts = |pattern: &str, text| {
            let regex = Regex::new(pattern).unwrap();
            split(&regex, text).unwrap().join("/")
        };
        assert_eq!(parts(",", "a,,b,,"), "a//b");
        assert_eq!(parts("", "abc"), "a/b/c");
        assert_eq!(parts(",", ""), "");
        assert_eq!(parts(",", "abc"), "abc");
    }

    #[test]
    fn patterns_get_another_escape() {
        assert_eq!(like_pattern("a!%b\\_", Some('!')).unwrap(), "a\\%b\\\\_");
        assert_eq!(like_pattern("a!!", Some('!')).unwrap(), "a!");
        assert!(like_pattern("a!b", Some('!')).is_err());
        assert!(escape_of("\\").is_err());
        assert!(escape_of("").is_err());
    }
}
