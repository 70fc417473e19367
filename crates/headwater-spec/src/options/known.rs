//! Every option that Paimon 1.4.2 knows: its type, default, values, fallback names.

use std::sync::OnceLock;

use serde::Deserialize;

use super::engine::{connector_options, is_connector_option};
use super::values::{parse_duration_millis, parse_memory};
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
        .find(|o| o.key == key || o.fallback.iter().any(|f| f == key))
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

/// Options whose keys contain a column, a format's own setting or a number.
const PATTERNS: [(&str, &[&str]); 2] = [
    (
        "fields.",
        &[
            ".aggregate-function",
            ".ignore-retract",
            ".distinct",
            ".list-agg-delimiter",
            ".sequence-group",
            ".nested-key",
            ".count-limit",
            ".stats-mode",
            ".keytime",
            ".sequence-field",
            ".nested-sequence-field",
            ".merge-map-with-keytime.time-field",
        ],
    ),
    (
        "file-index.",
        &[
            ".columns",
            ".items",
            ".fpp",
            ".version",
            ".index-block-size",
            ".chunk-size",
            ".map-keys",
        ],
    ),
];
/// Settings that go to a file format as they are.
const PASSED_TO_FORMATS: [&str; 3] = ["parquet.", "orc.", "avro."];
/// Keys of other places that Paimon's engines store in tables.
const ENGINE_KEYS: [&str; 3] = ["owner", "table-default.", "schema.watermark."];

fn follows_pattern(key: &str) -> bool {
    PATTERNS.iter().any(|(prefix, suffixes)| {
        key.starts_with(prefix) && suffixes.iter().any(|s| key.contains(s))
    }) || PASSED_TO_FORMATS.iter().chain(&ENGINE_KEYS).any(|prefix| key.starts_with(prefix))
}

/// Checks an option that a user gives when creating or changing a table.
///
/// # Errors
/// [`SpecError::Option`] for a key that nobody knows (with the nearest known one) and for a value
/// that the option's type does not allow.
pub fn check_ddl(key: &str, value: &str) -> Result<(), SpecError> {
    let refuse = |reason: String| SpecError::Option { key: key.to_owned(), reason };
    let Some(option) = known(key) else {
        if follows_pattern(key) || is_connector_option(key) {
            return Ok(());
        }
        if key == "dynamic-bucket" {
            return Err(refuse("there is no such option; set 'bucket' = '-1' instead".into()));
        }
        let hint = nearest(key).map(|n| format!("; did you mean '{n}'?")).unwrap_or_default();
        return Err(refuse(format!("there is no such option{hint}")));
    };
    check_value(option, value).map_err(refuse)
}

/// Texts of which only some mean anything.
const NAMED: [(&str, &[&str]); 3] = [
    ("file.format", &["parquet", "orc", "avro", "csv", "json", "text"]),
    ("manifest.format", &["parquet", "orc", "avro"]),
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

pub(super) fn check_value(option: &KnownOption, value: &str) -> Result<(), String> {
    let number = |ok: bool| if ok { Ok(()) } else { Err(format!("{value:?} is not a number")) };
    if let Some(values) = &option.values {
        let lower = value.trim().to_lowercase().replace('_', "-");
        return if values.iter().any(|v| v.to_lowercase().replace('_', "-") == lower) {
            Ok(())
        } else {
            Err(format!("{value:?} is none of {}", values.join(", ")))
        };
    }
    if let Some((_, values)) = NAMED.iter().find(|(key, _)| *key == option.key) {
        let lower = value.trim().to_lowercase();
        return if values.contains(&lower.as_str()) {
            Ok(())
        } else {
            Err(format!("{value:?} is none of {}", values.join(", ")))
        };
    }
    match option.value_type.as_str() {
        "Boolean" => match value.trim().to_lowercase().as_str() {
            "true" | "false" => Ok(()),
            _ => Err(format!("{value:?} is neither true nor false")),
        },
        // Declared as a number by Java, read as a boolean by its Parquet writer.
        "Integer" if option.key == "parquet.enable.dictionary" => Ok(()),
        "Integer" => number(value.trim().parse::<i32>().is_ok()),
        "Long" => number(value.trim().parse::<i64>().is_ok()),
        "Float" | "Double" => number(value.trim().parse::<f64>().is_ok()),
        "MemorySize" => parse_memory(value).map(|_| ()),
        "Duration" => parse_duration_millis(value).map(|_| ()),
        _ => Ok(()),
    }
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
    use super::{all, check_ddl, check_value, distance, known, nearest, nearest_of};

    #[test]
    fn every_line_of_the_list_is_read() {
        assert_eq!(all().len(), include_str!("paimon-1.4.jsonl").lines().count());
        assert_eq!(all().len(), 325);
    }

    #[test]
    fn every_default_is_a_legal_value() {
        for option in all() {
            if let Some(default) = &option.default {
                assert_eq!(check_value(option, default), Ok(()), "{}", option.key);
            }
        }
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
