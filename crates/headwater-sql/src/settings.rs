//! The settings of a session: `SET 'key' = 'value'`, and what this version makes of each.
//!
//! Names come from Flink and Spark, so that their scripts run: what has no meaning here is kept
//! with a warning, what would change results in a way that is not possible here is refused.

use std::collections::BTreeMap;

use headwater::options;

use crate::error::SqlError;
use crate::functions::{Flavour, Zone};

/// The zone of TIMESTAMP WITH LOCAL TIME ZONE, in Flink's words.
pub const TIME_ZONE: &str = "table.local-time-zone";
/// Whose functions a session has: `flink` or `datafusion`.
pub const FUNCTIONS: &str = "headwater.functions";
/// How Spark overwrites partitions: `static` or `dynamic`.
pub const PARTITION_OVERWRITE: &str = "spark.sql.sources.partitionOverwriteMode";

/// File that takes the records of changelogs which are no changes; without it, the first one stops
/// the statement.
pub const DEAD_LETTER: &str = "headwater.dead-letter";

/// The name of a script that may run more than once and writes once.
pub const LABEL: &str = "headwater.label";

/// Rows of a result that the command's table shows; 0 for all.
pub const MAX_ROWS: &str = "headwater.sql.max-rows";

/// Names that completion offers.
#[must_use]
pub fn known() -> Vec<&'static str> {
    let own = KNOWN.iter().map(|(name, _)| *name);
    own.chain(ALIASES.iter().map(|(name, _)| *name)).collect()
}

/// Other names of the same setting.
const ALIASES: [(&str, &str); 2] =
    [("headwater.time-zone", TIME_ZONE), ("spark.sql.session.timeZone", TIME_ZONE)];

/// What a setting may be.
enum Allowed {
    /// One of these words; the second list is refused with the advice.
    Words(&'static [&'static str], &'static [&'static str], &'static str),
    /// Flink's functions or DataFusion's.
    Functions,
    /// A time zone.
    Zone,
    /// A number from 0.
    Count,
    /// The name of a file.
    File,
    /// Any name.
    Name,
}

/// Settings that act, or whose value must be what happens anyway.
const KNOWN: &[(&str, Allowed)] = &[
    (TIME_ZONE, Allowed::Zone),
    (FUNCTIONS, Allowed::Functions),
    (MAX_ROWS, Allowed::Count),
    (DEAD_LETTER, Allowed::File),
    (LABEL, Allowed::Name),
    (PARTITION_OVERWRITE, Allowed::Words(&["static", "dynamic"], &[], "")),
    (
        "execution.runtime-mode",
        Allowed::Words(
            &["batch", "automatic"],
            &["streaming"],
            "this version runs every statement to its end, on the newest snapshot",
        ),
    ),
    (
        "table.dml-sync",
        Allowed::Words(&["true"], &["false"], "a statement ends when its rows are committed"),
    ),
    (
        "table.sql-dialect",
        Allowed::Words(&["default"], &["hive"], "Flink's and Spark's words are understood"),
    ),
    (
        "table.exec.sink.not-null-enforcer",
        Allowed::Words(&["error"], &["drop"], "a null in a NOT NULL column fails the statement"),
    ),
    (
        "table.exec.sink.type-length-enforcer",
        Allowed::Words(
            &["error"],
            &["ignore", "trim_pad"],
            "a value that is too long fails the statement",
        ),
    ),
];

/// Settings of Flink and Spark without a meaning here, by the start of their names.
const FOREIGN: &[&str] = &[
    "akka.",
    "classloader.",
    "cluster.",
    "execution.",
    "heartbeat.",
    "jobmanager.",
    "kubernetes.",
    "metrics.",
    "parallelism.",
    "pekko.",
    "pipeline.",
    "rest.",
    "restart-strategy",
    "security.",
    "sql-client.",
    "state.",
    "table.exec.",
    "table.optimizer.",
    "table.plan.",
    "table.display.",
    "taskmanager.",
    "yarn.",
    "spark.app.",
    "spark.driver.",
    "spark.dynamicAllocation.",
    "spark.executor.",
    "spark.hadoop.",
    "spark.master",
    "spark.serializer",
    "spark.shuffle.",
    "spark.sql.",
    "spark.yarn.",
    "hive.",
];

/// The name under which a setting is kept.
#[must_use]
pub fn canonical(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name)
}

/// Checks a setting; returns what the user should hear about it.
///
/// # Errors
/// An unknown name, with the nearest known one; a value that is not possible here.
pub fn check(name: &str, value: &str) -> Result<Option<String>, SqlError> {
    let name = canonical(name);
    if let Some((_, allowed)) = KNOWN.iter().find(|(known, _)| *known == name) {
        allowed.check(name, value)?;
        return Ok(None);
    }
    if let Some(option) = table_option(name) {
        options::check_ddl(option, value).map_err(headwater::Error::from)?;
        return Ok(None);
    }
    if FOREIGN.iter().any(|start| name.starts_with(start)) {
        return Ok(Some(format!("setting '{name}' is kept but has no effect here")));
    }
    Err(unknown(name))
}

/// The table option that a setting gives to all tables, or to those that it names: `option`,
/// `paimon.<catalog>.<database>.<table>.<option>`, `spark.paimon.…`.
fn table_option(name: &str) -> Option<&str> {
    split_option(name).map(|(_, option)| option)
}

/// Which tables a setting is about: catalog, database, table, each a name or `*`.
type Tables<'a> = [&'a str; 3];

/// The tables and the option of a setting that changes table options; no tables: all of them.
fn split_option(name: &str) -> Option<(Option<Tables<'_>>, &str)> {
    let rest = name.strip_prefix("spark.paimon.").or_else(|| name.strip_prefix("paimon."));
    let Some(rest) = rest else {
        return options::is_known(name).then_some((None, name));
    };
    if options::is_known(rest) {
        return Some((None, rest));
    }
    let mut parts = rest.splitn(4, '.');
    let tables = [parts.next()?, parts.next()?, parts.next()?];
    Some((Some(tables), parts.next()?))
}

/// The options that settings give to a table: those for all tables first.
pub(crate) fn options_of<'a>(
    settings: impl Iterator<Item = (&'a String, &'a String)>,
    table: [&str; 3],
) -> Vec<(String, String)> {
    let mut found: Vec<(bool, &str, &str)> = settings
        .filter_map(|(name, value)| {
            let (tables, option) = split_option(name)?;
            let matches = tables.is_none_or(|tables| {
                tables.iter().zip(table).all(|(wanted, name)| *wanted == "*" || *wanted == name)
            });
            matches.then_some((tables.is_some(), option, value.as_str()))
        })
        .collect();
    found.sort_by_key(|(named, ..)| *named);
    let mut options: Vec<(String, String)> = Vec::new();
    for (_, option, value) in found {
        options.retain(|(known, _)| known != option);
        options.push((option.to_owned(), value.to_owned()));
    }
    options
}

impl Allowed {
    fn check(&self, name: &str, value: &str) -> Result<(), SqlError> {
        let given = value.trim().to_ascii_lowercase();
        match self {
            Self::Words(allowed, refused, advice) => {
                if allowed.contains(&given.as_str()) {
                    Ok(())
                } else if refused.contains(&given.as_str()) {
                    Err(SqlError::unsupported(format!("'{name}' = '{given}' is"), *advice))
                } else {
                    Err(SqlError::invalid(format!(
                        "setting '{name}': '{value}' is none of {}",
                        allowed.join(", ")
                    )))
                }
            }
            Self::Functions => value.parse::<Flavour>().map(|_| ()),
            Self::File if given.is_empty() => {
                Err(SqlError::invalid(format!("setting '{name}' is the name of a file")))
            }
            Self::Name if given.is_empty() => {
                Err(SqlError::invalid(format!("setting '{name}' is a name")))
            }
            Self::File | Self::Name => Ok(()),
            Self::Zone => known_zone(name, value).map(|_| ()),
            Self::Count => value.trim().parse::<usize>().map(|_| ()).map_err(|_| {
                SqlError::invalid(format!("setting '{name}': '{value}' is not a count, 0 for all"))
            }),
        }
    }
}

/// A zone that is known here and to Arrow.
fn known_zone(name: &str, value: &str) -> Result<Zone, SqlError> {
    Zone::known(value.trim())
        .filter(|zone| zone.name().parse::<arrow::array::timezone::Tz>().is_ok())
        .ok_or_else(|| {
            SqlError::invalid(format!(
                "setting '{name}': '{value}' is no time zone such as 'UTC', '+08:00' or \
                 'Asia/Shanghai'"
            ))
        })
}

/// The zone of a session: UTC unless set.
pub(crate) fn zone(settings: &BTreeMap<String, String>) -> Result<Zone, SqlError> {
    settings.get(TIME_ZONE).map_or_else(|| Ok(Zone::default()), |name| known_zone(TIME_ZONE, name))
}

/// Whose functions a session has: Flink's unless set.
pub(crate) fn flavour(settings: &BTreeMap<String, String>) -> Result<Flavour, SqlError> {
    settings.get(FUNCTIONS).map_or_else(|| Ok(Flavour::default()), |name| name.parse())
}

fn unknown(name: &str) -> SqlError {
    let known = KNOWN.iter().map(|(name, _)| *name).chain(ALIASES.iter().map(|(name, _)| *name));
    let options = options::table_options().map(|option| option.key.as_str());
    let hint = options::nearest_of(name, known.chain(options))
        .map(|near| format!("; did you mean '{near}'?"))
        .unwrap_or_default();
    SqlError::invalid(format!("there is no setting '{name}'{hint}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{check, options_of};

    #[test]
    fn settings_act_warn_or_are_refused() {
        for (name, value) in [
            ("execution.runtime-mode", "BATCH"),
            ("headwater.time-zone", "Asia/Shanghai"),
            ("table.local-time-zone", "+08:00"),
            ("spark.sql.sources.partitionOverwriteMode", "dynamic"),
            ("scan.snapshot-id", "1"),
            ("paimon.*.default.T.scan.snapshot-id", "1"),
            ("spark.paimon.file.block-size", "512M"),
        ] {
            assert_eq!(check(name, value).unwrap(), None, "{name}");
        }
        for name in ["execution.checkpointing.interval", "spark.sql.shuffle.partitions"] {
            assert!(check(name, "1").unwrap().unwrap().contains("no effect"), "{name}");
        }
        for (name, value, reason) in [
            ("execution.runtime-mode", "streaming", "not supported"),
            ("execution.runtime-mode", "fast", "is none of batch"),
            ("table.local-time-zone", "Mars/One", "is no time zone"),
            ("headwater.time-zon", "UTC", "did you mean 'headwater.time-zone'"),
            ("scan.snapshot-idd", "1", "did you mean 'scan.snapshot-id'"),
            ("paimon.c.d.t.scan.snapshot-idd", "1", "did you mean 'scan.snapshot-id'"),
            ("bucket", "many", "is not a number"),
            ("utterly.unknown", "1", "there is no setting"),
        ] {
            let error = check(name, value).unwrap_err().to_string();
            assert!(error.contains(reason), "{name}: {error}");
        }
    }

    #[test]
    fn settings_of_one_table_beat_those_of_all() {
        let settings: BTreeMap<String, String> = [
            ("scan.snapshot-id", "1"),
            ("paimon.c.d.T.scan.snapshot-id", "2"),
            ("spark.paimon.*.*.T.write-only", "true"),
            ("paimon.c.d.U.scan.snapshot-id", "3"),
            ("execution.runtime-mode", "batch"),
        ]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
        let of = |table| options_of(settings.iter(), ["c", "d", table]);
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(of("T"), [pair("scan.snapshot-id", "2"), pair("write-only", "true")]);
        assert_eq!(of("U"), [pair("scan.snapshot-id", "3")]);
        assert_eq!(of("V"), [pair("scan.snapshot-id", "1")]);
    }
}
