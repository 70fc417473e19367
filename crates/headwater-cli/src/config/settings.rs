//! What the file and the environment say together. Arguments win over both, the environment wins
//! over the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use headwater::io::host;

use super::file::{ConfigFile, parse_format, parse_limit};
use super::{Environment, parse_memory, parse_temp_dirs, parse_threads};
use crate::error::CliError;
use crate::output::Format;

/// Name of the file.
/// Name of the configuration file.
pub(crate) const FILE: &str = "headwater.toml";
/// What a session calls the catalog of a warehouse that has no other name.
const UNNAMED_CATALOG: &str = "paimon";

/// Settings before the arguments are looked at.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) memory: Option<u64>,
    pub(crate) threads: Option<usize>,
    pub(crate) temp_dirs: Vec<PathBuf>,
    pub(crate) format: Option<Format>,
    pub(crate) max_rows: Option<usize>,
    pub(crate) max_width: Option<usize>,
    /// Settings of the session, by name.
    pub(crate) conf: BTreeMap<String, String>,
    /// Warehouse of each named catalog.
    pub(crate) catalogs: BTreeMap<String, String>,
    warehouse: Option<String>,
    default_catalog: Option<String>,
    /// The variables themselves, for what belongs to one command.
    pub(crate) environment: Environment,
}

impl Settings {
    /// Reads the file (`named`, else the variable's, else that of this directory, else the user's)
    /// and the environment.
    pub(crate) fn load(named: Option<&str>, environment: Environment) -> Result<Self, CliError> {
        let file = match named.or_else(|| environment.get("HEADWATER_CONFIG")) {
            Some(path) => ConfigFile::parse(path, &host::read_text_file(path)?)?,
            None => first_of([Some(FILE.to_owned()), environment.config_file(FILE)])?,
        };
        Self::merge(file, environment)
    }

    fn merge(file: ConfigFile, environment: Environment) -> Result<Self, CliError> {
        let mut conf = file.conf;
        if let Some(pairs) = environment.get("HEADWATER_CONF") {
            for pair in pairs.split(';').filter(|pair| !pair.trim().is_empty()) {
                let (name, value) = parse_pair(pair).map_err(|reason| CliError::Setting {
                    place: "HEADWATER_CONF".into(),
                    reason,
                })?;
                conf.insert(name, value);
            }
        }
        let warehouse = environment.get("HEADWATER_WAREHOUSE").map(str::to_owned);
        let catalog = environment.get("HEADWATER_CATALOG").map(str::to_owned);
        if warehouse.is_some() && catalog.is_some() {
            return Err(CliError::Setting {
                place: "HEADWATER_WAREHOUSE and HEADWATER_CATALOG".to_owned(),
                reason: "only one of them can name where tables are".to_owned(),
            });
        }
        let from = |name: &str| (name.to_owned(), environment.get(name));
        Ok(Self {
            memory: parsed(from("HEADWATER_MEMORY"), parse_memory)?.or(file.memory),
            threads: parsed(from("HEADWATER_THREADS"), parse_threads)?.or(file.threads),
            temp_dirs: parsed(from("HEADWATER_TEMP_DIR"), parse_temp_dirs)?
                .unwrap_or(file.temp_dirs),
            format: parsed(from("HEADWATER_FORMAT"), parse_format)?.or(file.format),
            max_rows: parsed(from("HEADWATER_MAX_ROWS"), parse_limit)?.or(file.max_rows),
            max_width: parsed(from("HEADWATER_MAX_WIDTH"), parse_limit)?.or(file.max_width),
            conf,
            catalogs: file.catalogs,
            warehouse,
            default_catalog: catalog.or(file.default_catalog),
            environment,
        })
    }

    /// Where the tables of a command are: the warehouse it names, that of the catalog it names, or
    /// the default. `None` when nothing names one.
    pub(crate) fn warehouse(
        &self,
        named: Option<&str>,
        catalog: Option<&str>,
    ) -> Result<Option<String>, CliError> {
        let catalog = catalog.filter(|name| *name != UNNAMED_CATALOG);
        match (named, catalog) {
            (Some(_), Some(name)) => Err(CliError::argument(format!(
                "--warehouse and catalog '{name}' both say where the table is: leave one out"
            ))),
            (Some(named), None) => Ok(Some(named.to_owned())),
            (None, Some(name)) => self.catalog(name).map(Some),
            (None, None) => self.default_warehouse(),
        }
    }

    /// The catalog whose warehouse [`Self::warehouse`] gives; `None` when it is of no catalog.
    pub(crate) fn catalog_in_use<'a>(
        &'a self,
        named: Option<&str>,
        catalog: Option<&'a str>,
    ) -> Option<&'a str> {
        if named.is_some() {
            return None;
        }
        let default = || match (&self.warehouse, &self.default_catalog, self.catalogs.len()) {
            (Some(_), _, _) => None,
            (None, Some(name), _) => Some(name.as_str()),
            (None, None, 1) => self.catalogs.keys().next().map(String::as_str),
            (None, None, _) => None,
        };
        catalog.filter(|name| *name != UNNAMED_CATALOG).or_else(default)
    }

    fn default_warehouse(&self) -> Result<Option<String>, CliError> {
        match (&self.warehouse, &self.default_catalog, self.catalogs.len()) {
            (Some(named), _, _) => Ok(Some(named.clone())),
            (None, Some(name), _) => self.catalog(name).map(Some),
            (None, None, 0 | 1) => Ok(self.catalogs.values().next().cloned()),
            (None, None, _) => Err(CliError::argument(format!(
                "there are several catalogs: name one with --catalog or 'default-catalog' ({})",
                self.catalog_names()
            ))),
        }
    }

    fn catalog(&self, name: &str) -> Result<String, CliError> {
        self.catalogs.get(name).cloned().ok_or_else(|| {
            CliError::argument(if self.catalogs.is_empty() {
                format!("there is no catalog '{name}': no {FILE} defines one")
            } else {
                format!("there is no catalog '{name}'; there are {}", self.catalog_names())
            })
        })
    }

    fn catalog_names(&self) -> String {
        self.catalogs.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// The first of these files that is there.
fn first_of(paths: [Option<String>; 2]) -> Result<ConfigFile, CliError> {
    for path in paths.into_iter().flatten() {
        match host::read_text_file(&path) {
            Ok(text) => return ConfigFile::parse(&path, &text),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ConfigFile::default())
}

fn parsed<T>(
    (name, value): (String, Option<&str>),
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, CliError> {
    value.map(parse).transpose().map_err(|reason| CliError::Setting { place: name, reason })
}

/// `name=value`.
pub(crate) fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("name=value is needed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Environment;
    use super::super::file::ConfigFile;
    use super::Settings;
    use crate::output::Format;

    const FILE: &str = "default-catalog = 'lake'\nthreads = 3\nformat = 'csv'\n\
                        [catalog.lake]\nwarehouse = '/lake'\n[catalog.pond]\nwarehouse = '/pond'\n\
                        [conf]\na = 'file'\nb = 'file'\n";

    fn settings(file: &str, environment: Environment) -> Result<Settings, String> {
        let file = ConfigFile::parse("headwater.toml", file).unwrap();
        Settings::merge(file, environment).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let environment =
            [("HEADWATER_THREADS", "5"), ("HEADWATER_CONF", "b=env; c = x=y ;"), ("HOME", "/")];
        let found = settings(FILE, environment.into()).unwrap();
        assert_eq!((found.threads, found.format), (Some(5), Some(Format::Csv)));
        let conf: Vec<_> = found.conf.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(conf, [("a", "file"), ("b", "env"), ("c", "x=y")]);
    }

    #[test]
    fn a_bad_variable_is_named() {
        for (name, value) in [
            ("HEADWATER_MEMORY", "lots"),
            ("HEADWATER_THREADS", "0"),
            ("HEADWATER_FORMAT", "xml"),
            ("HEADWATER_MAX_ROWS", "-1"),
            ("HEADWATER_CONF", "novalue"),
        ] {
            let error = settings("", [(name, value)].into()).unwrap_err();
            assert!(error.starts_with(&format!("{name}: ")), "{error}");
        }
        let both = [("HEADWATER_WAREHOUSE", "w"), ("HEADWATER_CATALOG", "c")];
        assert!(settings(FILE, both.into()).unwrap_err().contains("only one of them"));
    }

    #[test]
    fn the_warehouse_is_that_of_the_argument_the_environment_or_the_file() {
        let of = |file: &str, variables: &[(&str, &str)], named, catalog| {
            let variables = match variables {
                [] => Environment::default(),
                [one, ..] => [*one].into(),
            };
            let settings = settings(file, variables).unwrap();
            settings.warehouse(named, catalog).map_err(|error| error.to_string())
        };
        let some = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(of("", &[], None, None), Ok(None));
        assert_eq!(of(FILE, &[], None, None), some("/lake"));
        assert_eq!(of(FILE, &[], None, Some("pond")), some("/pond"));
        assert_eq!(of(FILE, &[], None, Some("paimon")), some("/lake"));
        assert_eq!(of(FILE, &[], Some("w"), None), some("w"));
        assert_eq!(of(FILE, &[("HEADWATER_CATALOG", "pond")], None, None), some("/pond"));
        assert_eq!(of(FILE, &[("HEADWATER_WAREHOUSE", "e")], None, None), some("e"));
        assert_eq!(of(FILE, &[("HEADWATER_WAREHOUSE", "e")], Some("w"), None), some("w"));
        let error = of(FILE, &[], None, Some("sea")).unwrap_err();
        assert!(error.contains("there is no catalog 'sea'; there are lake, pond"), "{error}");
        assert!(of(FILE, &[], Some("w"), Some("lake")).unwrap_err().contains("leave one out"));
        let no_default = FILE.replace("default-catalog = 'lake'", "");
        let error = of(&no_default, &[], None, None).unwrap_err();
        assert!(error.contains("several catalogs"), "{error}");
        assert!(of("", &[], None, Some("x")).unwrap_err().contains("no headwater.toml"));
    }
}
