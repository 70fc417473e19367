//! Partition directories: the text of partition values, and values from text.
//!
//! The directory is only a location; the values themselves stand in manifests.
//!
//! Format: `docs/spec/layout.md#partitions`. Source: Paimon 1.4.2 `PartitionPathUtils`,
//! `InternalRowPartitionComputer`.

mod calendar;
mod parse;
mod text;

pub use parse::parse_value;
pub use text::{double_text, float_text, value_text};

use crate::datum::Datum;
use crate::error::SpecError;
use crate::types::DataType;

/// Relative path of a partition, with a '/' at its end: `dt=1/hr=2/`; empty without columns.
///
/// `names`, `types`, `values`: the partition columns in order. `default_name`:
/// `partition.default-name`, which null and blank values share. `legacy`: `partition.legacy-name`,
/// see [`value_text`].
///
/// # Errors
/// [`SpecError::Value`] when the counts differ, a value does not fit its type or a name is empty;
/// [`SpecError::Unsupported`] for a type that cannot be in a path.
pub fn partition_path(
    names: &[String],
    types: &[DataType],
    values: &[Option<Datum>],
    default_name: &str,
    legacy: bool,
) -> Result<String, SpecError> {
    if names.len() != types.len() || names.len() != values.len() {
        return Err(SpecError::Value {
            column: names.join(","),
            reason: format!("{} values and {} types", values.len(), types.len()),
        });
    }
    let mut path = String::new();
    for ((name, t), value) in names.iter().zip(types).zip(values) {
        let text = match value {
            None => String::new(),
            Some(value) => value_text(value, t, legacy)?,
        };
        let text = if text.chars().all(is_java_whitespace) { default_name } else { &text };
        if name.is_empty() || text.is_empty() {
            return Err(SpecError::Value {
                column: name.clone(),
                reason: "a partition directory needs a name and a value".into(),
            });
        }
        path.push_str(&escape(name));
        path.push('=');
        path.push_str(&escape(text));
        path.push('/');
    }
    Ok(path)
}

/// The text with `%XX` for every character that a path component cannot have.
///
/// Source: Paimon 1.4.2 `PartitionPathUtils#escapePathName`.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\0'..='\x1f'
                | '\x7f'
                | '"'
                | '#'
                | '%'
                | '\''
                | '*'
                | '/'
                | ':'
                | '='
                | '?'
                | '\\'
                | '{'
                | '}'
                | '['
                | ']'
                | '^'
        ) {
            out.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// The text that [`escape`] was given; a '%' without two hexadecimal digits stays.
#[must_use]
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let mut ahead = rest.clone();
        let digits = (c == '%').then(|| (hex(ahead.next()), hex(ahead.next())));
        if let Some((Some(high), Some(low))) = digits
            && let Some(code) = char::from_u32(high * 16 + low)
        {
            out.push(code);
            rest = ahead;
        } else {
            out.push(c);
        }
    }
    out
}

fn hex(c: Option<char>) -> Option<u32> {
    c.and_then(|c| c.to_digit(16))
}

/// `Character.isWhitespace`: white space that may break a line, and four separators.
fn is_java_whitespace(c: char) -> bool {
    match c {
        '\x1c'..='\x1f' => true,
        '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}' => false,
        _ => c.is_whitespace(),
    }
}

#[cfg(test)]
mod tests;
