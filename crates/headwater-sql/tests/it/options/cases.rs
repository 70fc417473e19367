//! Values to try for each option of Paimon: good ones that are not the default, and bad ones.

use headwater::options::{KnownOption, is_default};

/// What else a table must say so that Java takes the option at all: the key and more options.
const WITH: [(&str, &[(&str, &str)]); 7] = [
    (
        "chain-table.enabled",
        &[
            ("sequence.field", "v"),
            ("partition.timestamp-pattern", "$p"),
            ("partition.timestamp-formatter", "yyyy-MM-dd"),
        ],
    ),
    ("data-evolution.enabled", &[("row-tracking.enabled", "true")]),
    (
        "pk-clustering-override",
        &[("clustering.columns", "v"), ("deletion-vectors.enabled", "true")],
    ),
    ("scan.snapshot-id", &[("scan.mode", "from-snapshot")]),
    ("scan.timestamp-millis", &[("scan.mode", "from-timestamp")]),
    ("snapshot.num-retained.max", &[("snapshot.num-retained.min", "1")]),
    ("changelog.num-retained.max", &[("changelog.num-retained.min", "1")]),
];

/// Values of options whose type says too little.
const VALUES: [(&str, &[&str]); 26] = [
    ("blob-field", &["v"]),
    ("bucket", &["-1", "-2", "3"]),
    ("bucket-key", &["k"]),
    ("clustering.columns", &["v"]),
    ("commit.strict-mode.last-safe-snapshot", &["1"]),
    ("compaction.offpeak.start.hour", &["7"]),
    ("fields.default-aggregate-function", &["sum"]),
    ("file.compression", &["snappy", "gzip", "lz4", "none", "lzo", "zlib", "deflate"]),
    ("file.compression.per.level", &["0:snappy"]),
    ("file.format", &["orc", "avro", "csv", "json", "text"]),
    ("file.format.per.level", &["0:orc", "5:orc"]),
    ("manifest.compression", &["null", "snappy", "deflate", "xz"]),
    ("manifest.format", &["orc", "parquet"]),
    ("metadata.stats-keep-first-n-columns", &["1"]),
    ("metadata.stats-mode", &["none", "counts", "full", "truncate(2)"]),
    ("metadata.stats-mode.per.level", &["0:none"]),
    ("manifest.merge-min-count", &["2"]),
    ("num-sorted-run.compaction-trigger", &["7"]),
    ("parquet.enable.dictionary", &["false"]),
    ("partition", &["p"]),
    ("primary-key", &["k,p"]),
    ("record-level.time-field", &["k"]),
    ("rowkind.field", &["v"]),
    ("scan.timestamp", &["2024-01-01 00:00:00"]),
    ("sequence.field", &["v"]),
    ("upsert-key", &["k"]),
];

/// What else the table must say.
pub(super) fn with(key: &str) -> &'static [(&'static str, &'static str)] {
    WITH.iter().find(|(name, _)| *name == key).map_or(&[], |(_, more)| more)
}

/// The key to write for an option: a class instead of `#`.
pub(super) fn written(key: &str) -> String {
    key.replace('#', "org.example.Callback")
}

/// Good values, none of them the default.
pub(super) fn good(option: &KnownOption) -> Vec<String> {
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let values = match VALUES.iter().find(|(key, _)| *key == option.key) {
        Some((_, values)) => owned(values),
        None => match (&option.values, option.value_type.as_str()) {
            (Some(values), _) => values.clone(),
            (None, "Boolean") => owned(&["true", "false"]),
            (None, "Integer" | "Long") => owned(&["11"]),
            (None, "Float" | "Double") => owned(&["0.5"]),
            (None, "MemorySize") => owned(&["7 mb"]),
            (None, "Duration") => owned(&["7 min"]),
            (None, _) => owned(&["text"]),
        },
    };
    values.into_iter().filter(|v| option.key == "bucket" || !is_default(option, v)).collect()
}

/// The same value in another spelling that Java takes as well.
pub(super) fn spelt_otherwise(option: &KnownOption, value: &str) -> Option<String> {
    match (&option.values, option.value_type.as_str()) {
        (Some(_), _) | (None, "Boolean") => Some(value.to_uppercase()),
        (None, "MemorySize") if value == "7 mb" => Some("7340032".to_owned()),
        (None, "Duration") if value == "7 min" => Some("420000".to_owned()),
        _ => None,
    }
}

/// Bad values, each with a part of what the refusal must say.
pub(super) fn bad(option: &KnownOption) -> Vec<(&'static str, String)> {
    if let Some(values) = &option.values {
        let expected = values[0].clone();
        let mut bad = vec![("no_such_word", expected.clone()), ("", expected)];
        if option.key == "merge-engine" {
            // Java knows only the spelling with a dash.
            bad.push(("partial_update", "partial-update".to_owned()));
        }
        return bad;
    }
    let same = |values: &[&'static str], says: &str| {
        values.iter().map(|value| (*value, says.to_owned())).collect::<Vec<_>>()
    };
    match (option.key.as_str(), option.value_type.as_str()) {
        ("bucket", _) => {
            vec![("0", "number".into()), ("-3", "number".into()), ("x", "number".into())]
        }
        ("parquet.enable.dictionary", _) => same(&["7", "yes"], "true"),
        ("file.format", _) => same(&["parkett", ""], "parquet"),
        ("manifest.format", _) => same(&["csv"], "avro"),
        ("file.compression", _) => same(&["zip"], "zstd"),
        ("manifest.compression", _) => same(&["zip"], "zstd"),
        ("metadata.stats-mode", _) => same(&["some", "truncate(0)"], "truncate"),
        ("num-levels", _) => vec![("1", "2".into()), ("x", "number".into())],
        ("read.batch-size", _) => vec![("0", "1".into()), ("x", "number".into())],
        ("file.compression.zstd-level", _) => vec![("0", "22".into()), ("23", "22".into())],
        ("zorder.var-length-contribution", _) => {
            vec![("0", "1 to 1024".into()), ("1025", "1 to 1024".into()), ("x", "number".into())]
        }
        ("snapshot.num-retained.min", _) => vec![("0", "at least 1".into())],
        (_, "Boolean") => same(&["yes", "1", " true", ""], "true nor false"),
        (_, "Integer") => same(&["many", "1.5", "2147483648", " 1"], "number"),
        (_, "Long") => same(&["many", "9223372036854775808"], "number"),
        (_, "Float" | "Double") => same(&["half", "inf"], "number"),
        (_, "MemorySize") => {
            vec![
                ("7 zb", "kb, mb, gb, tb".into()),
                ("many", "number".into()),
                ("7 mib", "kb".into()),
            ]
        }
        (_, "Duration") => {
            vec![
                ("7 weeks", "ms, s, min, h, d".into()),
                ("soon", "number".into()),
                ("PT1H", "number".into()),
            ]
        }
        (_, "Map") => vec![("0", "level:value".into()), ("x:none", "level".into())],
        _ => Vec::new(),
    }
}
