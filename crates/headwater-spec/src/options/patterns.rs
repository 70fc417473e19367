//! Options whose keys contain a column, a level or a format's own setting, and keys that engines
//! store in tables beside Paimon's options.
//!
//! Source: Paimon 1.4.2 `CoreOptions`, `FileIndexOptions`, `PartialUpdateMergeFunction`,
//! `IcebergOptions`; `OptionsUtils#convertToPropertiesPrefixed`.

use super::known::{KnownOption, check_value, known};

/// What becomes of an option that follows a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// It acts.
    Acts,
    /// It only says something about the table.
    Information,
    /// It has no effect, for this reason.
    Kept(&'static str),
    /// A part of a watermark; the part that names the column speaks for all.
    Watermark,
}

/// What stands behind `fields.<columns>.`, with the type of its value.
const OF_FIELDS: [(&str, &str); 9] = [
    ("aggregate-function", "String"),
    ("count-limit", "Integer"),
    ("distinct", "Boolean"),
    ("ignore-retract", "Boolean"),
    ("list-agg-delimiter", "String"),
    ("nested-key", "String"),
    ("sequence-group", "String"),
    ("stats-mode", "String"),
    ("ts-field", "String"),
];

/// What stands behind `file-index.<kind>.<column>.`.
const OF_INDEXES: [&str; 5] = ["chunk-size", "fpp", "index-block-size", "items", "version"];
const INDEXES: [&str; 4] = ["bitmap", "bloom-filter", "bsi", "range-bitmap"];

/// Settings of the Parquet writer that act.
const OF_PARQUET: [&str; 3] = ["parquet.block.size", "parquet.compression", "parquet.page.size"];

const OF_ICEBERG: [&str; 17] = [
    "compaction.max.file-num",
    "compaction.min.file-num",
    "database",
    "delete-after-commit.enabled",
    "format-version",
    "glue.skip-archive",
    "hadoop-conf-dir",
    "hive-client-class",
    "hive-conf-dir",
    "hive-skip-update-stats",
    "manifest-compression",
    "manifest-legacy-version",
    "previous-versions-max",
    "storage",
    "storage-location",
    "table",
    "uri",
];

/// What becomes of the option `key`, if it follows a pattern.
pub(super) fn pattern(key: &str) -> Option<Pattern> {
    if let Some(rest) = key.strip_prefix("fields.") {
        let (_, end) = rest.rsplit_once('.')?;
        let known = OF_FIELDS.iter().any(|(name, _)| *name == end);
        return known.then_some(Pattern::Acts);
    }
    if let Some(rest) = key.strip_prefix("file-index.") {
        let (kind, rest) = rest.split_once('.')?;
        let end = rest.rsplit_once('.').map(|(_, end)| end);
        let known = INDEXES.contains(&kind)
            && (rest == "columns" || end.is_some_and(|end| OF_INDEXES.contains(&end)));
        return known.then_some(Pattern::Kept("file indexes are neither written nor used"));
    }
    if level_of(key).is_some() {
        return Some(Pattern::Acts);
    }
    if key.starts_with("parquet.") {
        return Some(if OF_PARQUET.contains(&key) {
            Pattern::Acts
        } else {
            Pattern::Kept("the Parquet writer does not use it")
        });
    }
    if key.starts_with("orc.") || key.starts_with("avro.") {
        return Some(Pattern::Kept("data files of this format are not written"));
    }
    if let Some(rest) = key.strip_prefix("metadata.iceberg.") {
        let kept = Pattern::Kept("no metadata of Iceberg is written");
        return OF_ICEBERG.contains(&rest).then_some(kept);
    }
    if key.starts_with("schema.watermark.") {
        return Some(Pattern::Watermark);
    }
    if key.starts_with("table-default.") {
        return Some(Pattern::Kept("it belongs into the options of a catalog"));
    }
    (key == "owner").then_some(Pattern::Information)
}

/// The option and the level of `file.format.per.level.5`: another way to write a map.
fn level_of(key: &str) -> Option<(&'static KnownOption, &str)> {
    let (name, level) = key.rsplit_once('.')?;
    let option = known(name).filter(|option| option.value_type == "Map")?;
    level.parse::<u32>().is_ok().then_some((option, level))
}

/// Checks the value of an option that follows a pattern.
pub(super) fn check(key: &str, value: &str) -> Result<(), String> {
    if let Some((option, level)) = level_of(key) {
        return check_value(option, &format!("{level}:{value}"));
    }
    let of_fields = key
        .strip_prefix("fields.")
        .and_then(|rest| rest.rsplit_once('.'))
        .and_then(|(_, end)| OF_FIELDS.iter().find(|(name, _)| *name == end));
    match of_fields {
        Some((_, "Boolean")) => match value.to_lowercase().as_str() {
            "true" | "false" => Ok(()),
            _ => Err(format!("{value:?} is neither true nor false")),
        },
        Some((_, "Integer")) => {
            value.parse::<i32>().map(|_| ()).map_err(|_| format!("{value:?} is not a number"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, check, pattern};

    #[test]
    fn patterns_are_exact() {
        for key in [
            "fields.a.stats-mode",
            "fields.a,b.sequence-group",
            "fields.a.aggregate-function",
            "file.format.per.level.5",
            "parquet.block.size",
            "parquet.compression",
        ] {
            assert_eq!(pattern(key), Some(Pattern::Acts), "{key}");
        }
        for key in [
            "file-index.bloom-filter.columns",
            "file-index.bloom-filter.a.fpp",
            "orc.stripe.size",
            "parquet.writer.version",
            "metadata.iceberg.storage",
        ] {
            assert!(matches!(pattern(key), Some(Pattern::Kept(_))), "{key}");
        }
        for key in [
            "fields.a.aggregate-functions",
            "fields.aggregate-function",
            "file-index.bloom.columns",
            "file-index.bitmap.a.b",
            "file.format.per.level.x",
            "metadata.iceberg.storag",
            "owners",
        ] {
            assert_eq!(pattern(key), None, "{key}");
        }
        assert!(check("fields.a.distinct", "TRUE").is_ok());
        assert!(check("fields.a.distinct", "yes").is_err());
        assert!(check("fields.a.count-limit", "x").is_err());
        assert!(check("file.format.per.level.5", "orcc").is_err());
    }
}
