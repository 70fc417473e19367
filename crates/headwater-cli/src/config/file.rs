//! `headwater.toml`: its keys and their values. A key that is none is an error, with the nearest one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use headwater::options::nearest_of;
use toml::{Table, Value};

use super::{parse_memory, parse_temp_dirs, parse_threads};
use crate::error::CliError;
use crate::output::Format;

/// Keys at the top.
const KEYS: [&str; 9] = [
    "catalog",
    "conf",
    "default-catalog",
    "format",
    "max-rows",
    "max-width",
    "memory",
    "temp-dir",
    "threads",
];
/// Keys of a catalog.
const CATALOG_KEYS: [&str; 1] = ["warehouse"];

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    pub(crate) default_catalog: Option<String>,
    /// Warehouse of each catalog.
    pub(crate) catalogs: BTreeMap<String, String>,
    pub(crate) memory: Option<u64>,
    pub(crate) threads: Option<usize>,
    pub(crate) temp_dirs: Vec<PathBuf>,
    pub(crate) format: Option<Format>,
    pub(crate) max_rows: Option<usize>,
    pub(crate) max_width: Option<usize>,
    pub(crate) conf: BTreeMap<String, String>,
}

impl ConfigFile {
    /// Reads the text of the file at `path`; relative warehouses are below its directory.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, CliError> {
        let refuse = |reason: String| CliError::Setting { place: path.to_owned(), reason };
        let table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| refuse(error.to_string().trim().to_owned()))?;
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut file = Self::default();
        for (key, value) in &table {
            file.set(key, value, directory).map_err(refuse)?;
        }
        if let Some(name) = &file.default_catalog
            && !file.catalogs.contains_key(name)
        {
            return Err(refuse(format!("default-catalog '{name}' is none of the catalogs here")));
        }
        Ok(file)
    }

    fn set(&mut self, key: &str, value: &Value, directory: &str) -> Result<(), String> {
        match key {
            "default-catalog" => self.default_catalog = Some(text(key, value)?.to_owned()),
            "memory" => self.memory = Some(parsed(key, value, parse_memory)?),
            "threads" => self.threads = Some(parsed(key, value, parse_threads)?),
            "temp-dir" => self.temp_dirs = parsed(key, value, parse_temp_dirs)?,
            "format" => self.format = Some(parsed(key, value, parse_format)?),
            "max-rows" => self.max_rows = Some(parsed(key, value, parse_limit)?),
            "max-width" => self.max_width = Some(parsed(key, value, parse_limit)?),
            "catalog" => {
                for (name, catalog) in table(key, value)? {
                    let key = format!("catalog.{name}");
                    let warehouse = warehouse(&key, table(&key, catalog)?, directory)?;
                    self.catalogs.insert(name.clone(), warehouse);
                }
            }
            "conf" => {
                for (name, value) in table(key, value)? {
                    self.conf.insert(name.clone(), scalar(&format!("conf.{name}"), value)?);
                }
            }
            _ => return Err(unknown(key, "", &KEYS)),
        }
        Ok(())
    }
}

fn warehouse(key: &str, catalog: &Table, directory: &str) -> Result<String, String> {
    if let Some(other) = catalog.keys().find(|name| !CATALOG_KEYS.contains(&name.as_str())) {
        return Err(unknown(other, &format!("{key}."), &CATALOG_KEYS));
    }
    let Some(value) = catalog.get("warehouse") else {
        return Err(format!("'{key}' needs a warehouse"));
    };
    let warehouse = text(&format!("{key}.warehouse"), value)?;
    let stands_alone =
        warehouse.starts_with('/') || warehouse.contains(":/") || directory.is_empty();
    Ok(if stands_alone { warehouse.to_owned() } else { format!("{directory}/{warehouse}") })
}

fn unknown(key: &str, before: &str, keys: &[&str]) -> String {
    let hint = nearest_of(key, keys.iter().copied())
        .map(|near| format!("did you mean '{before}{near}'?"))
        .unwrap_or_else(|| format!("there are {}", keys.join(", ")));
    format!("there is no key '{before}{key}'; {hint}")
}

fn text<'a>(key: &str, value: &'a Value) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("'{key}' must be a text in quotes"))
}

fn table<'a>(key: &str, value: &'a Value) -> Result<&'a Table, String> {
    value.as_table().ok_or_else(|| format!("'{key}' must be a table: [{key}]"))
}

/// A text, or something that has one spelling as a text.
fn scalar(key: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Boolean(truth) => Ok(truth.to_string()),
        _ => Err(format!("'{key}' must be a text, a whole number, true or false")),
    }
}

fn parsed<T>(
    key: &str,
    value: &Value,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, String> {
    parse(&scalar(key, value)?).map_err(|reason| format!("'{key}': {reason}"))
}

/// A format by its name.
pub(super) fn parse_format(text: &str) -> Result<Format, String> {
    Format::named(text).ok_or_else(|| format!("'{text}' is none of {}", Format::names()))
}

/// A number of rows or columns; 0 is no limit.
pub(crate) fn parse_limit(text: &str) -> Result<usize, String> {
    text.replace('_', "").parse().map_err(|_| "a whole number is needed, 0 for no limit".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{ConfigFile, Format};

    #[test]
    fn a_file_gives_catalogs_limits_and_settings() {
        let text = "default-catalog = 'lake'\nmemory = '2GiB'\nthreads = 3\nformat = 'csv'\n\
                    max-rows = 0\n[catalog.lake]\nwarehouse = '/data/lake'\n[catalog.near]\n\
                    warehouse = 'w'\n[catalog.s3]\nwarehouse = 's3://b/w'\n\
                    [conf]\n'headwater.sql.max-rows' = 7\n";
        let file = ConfigFile::parse("/etc/headwater.toml", text).unwrap();
        assert_eq!(file.default_catalog.as_deref(), Some("lake"));
        assert_eq!(file.catalogs["lake"], "/data/lake");
        assert_eq!(file.catalogs["near"], "/etc/w");
        assert_eq!(file.catalogs["s3"], "s3://b/w");
        assert_eq!((file.memory, file.threads), (Some(2 << 30), Some(3)));
        assert_eq!(
            (file.format, file.max_rows, file.max_width),
            (Some(Format::Csv), Some(0), None)
        );
        assert_eq!(file.conf["headwater.sql.max-rows"], "7");
        assert_eq!(ConfigFile::parse("x", "").unwrap(), ConfigFile::default());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_file() {
        for (text, word) in [
            ("memroy = '1GiB'", "no key 'memroy'; did you mean 'memory'?"),
            ("colour = 'red'", "there are catalog, conf"),
            ("[catalog.lake]\nwarehous = 'x'", "did you mean 'catalog.lake.warehouse'?"),
            ("[catalog.lake]", "'catalog.lake' needs a warehouse"),
            ("catalog = 1", "'catalog' must be a table"),
            ("threads = 0", "'threads': a number from 1 to 1024"),
            ("threads = [1]", "'threads' must be a text, a whole number"),
            ("format = 'xml'", "'xml' is none of table, csv"),
            ("max-rows = -1", "'max-rows': a whole number"),
            ("default-catalog = 'x'", "default-catalog 'x' is none"),
            ("default-catalog = 1", "must be a text in quotes"),
            ("[conf]\na = 1.5", "'conf.a' must be"),
            ("memory = ", "line 1"),
        ] {
            let error = ConfigFile::parse("dir/headwater.toml", text).unwrap_err().to_string();
            assert!(error.starts_with("dir/headwater.toml: "), "{error}");
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
