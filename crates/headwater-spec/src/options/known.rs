//! Every option that Paimon 1.4.2 knows: its type, default, values, fallback names.

use std::sync::OnceLock;

use serde::Deserialize;

use super::engine::{connector_options, is_connector_option};
use super::patterns;
use super::values::{iso_millis, parse_duration_millis, parse_memory};
use crate::error::SpecError;

/// What Paimon says of one option.
#[derive(Debug, Clone, Deserialize)]
pub struct KnownOption {
    /// The key.
    pub key: String,
    /// Older names that mean the same.
    pub fallback: Vec<String>,
    /// Java type of the value: `Boolean`, `Integer`, `MemorySize`, `Duration`, ...
    #[serde(rename = "type")]
    pub value_type: String,
    /// Value when it is not set.
    pub default: Option<String>,
    /// Allowed values of an enumeration.
    #[serde(default)]
    pub values: Option<Vec<String>>,
    /// Whether it stays as it is once the table has data.
    pub immutable: bool,
    /// Java class that declares it; table options are those of `CoreOptions`.
    #[serde(rename = "in")]
    pub declared_in: String,
}

fn all() -> &'static [KnownOption] {
    static ALL: OnceLock<Vec<KnownOption>> = OnceLock::new();
    ALL.get_or_init(|| {
        // A line that does not parse would vanish here; a test counts them.
        include_str!("paimon-1.4.jsonl")
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    })
}

/// The table option with this key or fallback name.
#[must_use]
pub fn known(key: &str) -> Option<&'static KnownOption> {
    all()
        .iter()
        .filter(|o| o.declared_in == "CoreOptions")
        .find(|o| o.key == key || o.fallback.iter().any(|f| f == key) || o.has_class(key))
}

impl KnownOption {
    /// Whether `key` is this option with the name of a class for its `#`.
    fn has_class(&self, key: &str) -> bool {
        self.key.split_once('#').is_some_and(|(start, end)| {
            let class = key.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            class.is_some_and(|class| !class.is_empty())
        })
    }
}

/// Whether Paimon or one of its connectors reads an option of this name from a table.
#[must_use]
pub fn is_known(key: &str) -> bool {
    known(key).is_some() || is_connector_option(key)
}

/// All table options, by key.
pub fn table_options() -> impl Iterator<Item = &'static KnownOption> {
    all().iter().filter(|o| o.declared_in == "CoreOptions")
}

/// The catalog option with this key or fallback name.
#[must_use]
pub fn catalog_option(key: &str) -> Option<&'static KnownOption> {
    catalog_options().find(|o| o.key == key || o.fallback.iter().any(|f| f == key))
}

/// All options of Paimon's catalogs; two kinds of catalogs may have one of the same key.
pub fn catalog_options() -> impl Iterator<Item = &'static KnownOption> {
    all().iter().filter(|o| o.declared_in != "CoreOptions")
}

/// Checks the value of an option that a user gives when making a catalog.
///
/// # Errors
/// [`SpecError::Option`] for a value that the option's type does not allow.
pub fn check_catalog_option(option: &KnownOption, value: &str) -> Result<(), SpecError> {
    let key = option.key.clone();
    check_value(option, value).map_err(|reason| SpecError::Option { key, reason })
}

/// Checks an option that a user gives when creating or changing a table.
///
/// # Errors
/// [`SpecError::Option`] for a key that nobody knows (with the nearest known one) and for a value
/// that the option's type does not allow.
pub fn check_ddl(key: &str, value: &str) -> Result<(), SpecError> {
    let refuse = |reason: String| SpecError::Option { key: key.to_owned(), reason };
    let Some(option) = known(key) else {
        if patterns::pattern(key).is_some() {
            return patterns::check(key, value).map_err(refuse);
        }
        if is_connector_option(key) {
            return Ok(());
        }
        if key == "dynamic-bucket" {
            return Err(refuse("there is no such option; set 'bucket' = '-1' instead".into()));
        }
        let hint = nearest(key).map(|n| format!("; did you mean '{n}'?")).unwrap_or_default();
        return Err(refuse(format!("there is no such option{hint}")));
    };
    check_value(option, value).and_then(|()| check_range(option, value)).map_err(refuse)
}

/// Numbers that Java accepts and then fails on, or that no writer here can do anything with.
const RANGES: [(&str, i64, i64); 6] = [
    ("dynamic-bucket.max-buckets", -1, 32_767),
    ("dynamic-bucket.target-row-num", 1, i64::MAX),
    ("file.compression.zstd-level", 1, 22),
    ("num-levels", 2, i32::MAX as i64),
    ("num-sorted-run.compaction-trigger", 1, i32::MAX as i64),
    ("read.batch-size", 1, i32::MAX as i64),
];

fn check_range(option: &KnownOption, value: &str) -> Result<(), String> {
    let Some((_, least, most)) = RANGES.iter().find(|(key, ..)| *key == option.key) else {
        return Ok(());
    };
    match value.parse::<i64>() {
        Ok(number) if (*least..=*most).contains(&number) => Ok(()),
        _ if *most == i64::from(i32::MAX) => Err(format!("{value:?} is less than {least}")),
        _ => Err(format!("{value:?} is not between {least} and {most}")),
    }
}

/// Whether a value says what the absence of the option says.
#[must_use]
pub fn is_default(option: &KnownOption, value: &str) -> bool {
    let Some(default) = option.default.as_deref() else { return false };
    if value.eq_ignore_ascii_case(default) {
        return true;
    }
    match option.value_type.as_str() {
        "MemorySize" => parse_memory(value).is_ok_and(|v| parse_memory(default) == Ok(v)),
        "Duration" => parse_duration_millis(value).is_ok_and(|v| iso_millis(default) == Some(v)),
        "Map" => value.is_empty(),
        _ => false,
    }
}

/// Texts of which only some mean anything; also the values of the map with `.per.level`.
const NAMED: [(&str, &[&str]); 4] = [
    ("file.format", &["parquet", "orc", "avro", "csv", "json", "text"]),
    ("manifest.format", &["parquet", "orc", "avro"]),
    ("manifest.compression", &["zstd", "zstandard", "null", "deflate", "snappy", "bzip2", "xz"]),
    (
        "file.compression",
        &[
            "zstd",
            "none",
            "uncompressed",
            "snappy",
            "gzip",
            "lz4",
            "lz4_raw",
            "lzo",
            "zlib",
            "deflate",
        ],
    ),
];

/// Checks a value as Java reads it: words in any case, nothing around them.
pub(super) fn check_value(option: &KnownOption, value: &str) -> Result<(), String> {
    let number = |ok: bool| if ok { Ok(()) } else { Err(format!("{value:?} is not a number")) };
    let word = |word: &str, values: &mut dyn Iterator<Item = &str>| {
        let values: Vec<&str> = values.collect();
        if values.iter().any(|v| v.eq_ignore_ascii_case(word)) {
            return Ok(());
        }
        Err(format!("{word:?} is none of {}", values.join(", ")))
    };
    if let Some(values) = &option.values {
        return word(value, &mut values.iter().map(String::as_str));
    }
    let named = |key: &str| NAMED.iter().find(|(name, _)| *name == key).map(|(_, names)| *names);
    if let Some(names) = named(&option.key) {
        return word(value, &mut names.iter().copied());
    }
    match option.value_type.as_str() {
        "Boolean" => match value.to_lowercase().as_str() {
            "true" | "false" => Ok(()),
            _ => Err(format!("{value:?} is neither true nor false")),
        },
        // Declared as a number by Java, read as a boolean by its Parquet writer.
        "Integer" if option.key == "parquet.enable.dictionary" => {
            match value.trim().to_lowercase().as_str() {
                "true" | "false" => Ok(()),
                _ => Err(format!("{value:?} is neither true nor false")),
            }
        }
        "Integer" => number(value.parse::<i32>().is_ok()),
        "Long" => number(value.parse::<i64>().is_ok()),
        "Float" | "Double" => number(is_java_double(value)),
        "MemorySize" => parse_memory(value).map(|_| ()),
        "Duration" => parse_duration_millis(value).map(|_| ()),
        "Map" if value != "{}" => {
            let names = option.key.strip_suffix(".per.level").and_then(named);
            for part in value.split(',').filter(|part| !part.is_empty()) {
                let Some((level, value)) = part.split_once(':') else {
                    return Err(format!("{part:?} is not of the form level:value"));
                };
                if level.trim().parse::<u32>().is_err() {
                    return Err(format!("{level:?} is not a level"));
                }
                if let Some(names) = names {
                    word(value.trim(), &mut names.iter().copied())?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What `Double.parseDouble` takes, without its hexadecimal form.
fn is_java_double(text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    let plain = digits.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    let named = ["NaN", "Infinity"].contains(&text.trim_start_matches(['+', '-']));
    named || (plain && digits.parse::<f64>().is_ok())
}

/// The known key (or fallback name) that differs least from `key`, if one is near.
#[must_use]
pub fn nearest(key: &str) -> Option<&'static str> {
    let known = all()
        .iter()
        .filter(|o| o.declared_in == "CoreOptions")
        .flat_map(|o| std::iter::once(&o.key).chain(&o.fallback))
        .map(String::as_str);
    nearest_of(key, known.chain(connector_options()))
}

/// The name that differs least from `name`, if one is near.
pub fn nearest_of<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|known| (distance(name, known), known))
        .min()
        .filter(|(d, _)| *d <= name.chars().count().max(6) / 2)
        .map(|(_, known)| known)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let cost = (diagonal + usize::from(x != *y)).min(*cell + 1).min(left + 1);
            diagonal = *cell;
            left = cost;
            *cell = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{
        all, check_ddl, check_value, distance, is_default, iso_millis, known, nearest, nearest_of,
    };

    #[test]
    fn every_line_of_the_list_is_read() {
        assert_eq!(all().len(), include_str!("paimon-1.4.jsonl").lines().count());
        assert_eq!(all().len(), 325);
    }

    #[test]
    fn every_default_is_a_legal_value() {
        for option in all() {
            if let Some(default) = &option.default {
                // The list prints durations as Java's `Duration#toString` does.
                if option.value_type == "Duration" {
                    assert!(iso_millis(default).is_some(), "{}", option.key);
                    continue;
                }
                assert_eq!(check_value(option, default), Ok(()), "{}", option.key);
            }
        }
    }

    #[test]
    fn a_default_is_known_in_other_words() {
        let same = |key: &str, value: &str| is_default(known(key).unwrap(), value);
        assert!(same("snapshot.time-retained", "60 min"));
        assert!(same("page-size", "65536"));
        assert!(same("write-only", "FALSE"));
        assert!(!same("page-size", "64 mb"));
        assert!(!same("branch", "other"));
    }

    #[test]
    fn misspelt_keys_get_the_nearest_name() {
        assert_eq!(nearest("buket"), Some("bucket"));
        assert_eq!(nearest("merge-engin"), Some("merge-engine"));
        assert_eq!(nearest("write.compaction-skipp"), Some("write.compaction-skip"));
        let error = check_ddl("file.compresion", "zstd").unwrap_err().to_string();
        assert!(error.contains("did you mean 'file.compression'"), "{error}");
        assert_eq!(nearest_of("thraeds", ["memory", "threads"]), Some("threads"));
        assert_eq!(nearest_of("colour", ["memory", "threads"]), None);
    }

    #[test]
    fn bad_values_are_refused() {
        assert!(check_ddl("bucket", "four").is_err());
        assert!(check_ddl("write-only", "yes").is_err());
        assert!(check_ddl("merge-engine", "partial").is_err());
        assert!(check_ddl("target-file-size", "128 zz").is_err());
        assert!(check_ddl("snapshot.time-retained", "1 fortnight").is_err());
        assert!(check_ddl("snapshot.time-retained", "PT2H").is_err());
        assert!(check_ddl("merge-engine", "partial_update").is_err());
        assert!(check_ddl("merge-engine", "Partial-UPDATE").is_ok());
        assert!(check_ddl("compaction.delete-ratio-threshold", "inf").is_err());
        assert!(check_ddl("compaction.delete-ratio-threshold", "0.5f").is_ok());
        assert!(check_ddl("file.format.per.level", "0:orc,5:parquett").is_err());
        assert!(check_ddl("num-levels", "1").is_err());
        assert!(check_ddl("merge-engine", "partial-update").is_ok());
        assert!(check_ddl("fields.a.aggregate-function", "sum").is_ok());
        assert!(known("write.compaction-skip").is_some_and(|o| o.key == "write-only"));
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
