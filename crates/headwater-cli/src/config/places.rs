//! Variables of the environment, and the directories of the user that follow from them.
//!
//! Directories: the XDG base directory specification; a relative path in its variables is ignored,
//! as it says.

use std::collections::BTreeMap;

/// Variables of the environment that are text.
#[derive(Debug, Default, Clone)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Those of this process.
    pub(crate) fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { variables: std::env::vars_os().filter_map(text).collect() }
    }

    /// A variable, unless it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable is set, also to nothing.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// The user's directory.
    pub(crate) fn home(&self) -> Option<&str> {
        self.get("HOME").filter(|path| path.starts_with('/'))
    }

    /// A file among the user's settings for this program.
    pub(crate) fn config_file(&self, name: &str) -> Option<String> {
        self.below("XDG_CONFIG_HOME", ".config", name)
    }

    /// A file among what this program remembers for the user.
    pub(crate) fn state_file(&self, name: &str) -> Option<String> {
        self.below("XDG_STATE_HOME", ".local/state", name)
    }

    fn below(&self, variable: &str, of_home: &str, name: &str) -> Option<String> {
        let base = match self.get(variable).filter(|path| path.starts_with('/')) {
            Some(base) => base.to_owned(),
            None => format!("{}/{of_home}", self.home()?),
        };
        Some(format!("{}/headwater/{name}", base.trim_end_matches('/')))
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { variables: variables.into_iter().map(owned).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn directories_are_those_of_the_variables_or_below_the_home() {
        let plain = Environment::from([("HOME", "/home/u"), ("XDG_STATE_HOME", "relative")]);
        assert_eq!(plain.config_file("x").as_deref(), Some("/home/u/.config/headwater/x"));
        assert_eq!(plain.state_file("x").as_deref(), Some("/home/u/.local/state/headwater/x"));
        let set = Environment::from([("HOME", "/home/u"), ("XDG_CONFIG_HOME", "/etc/u/")]);
        assert_eq!(set.config_file("x").as_deref(), Some("/etc/u/headwater/x"));
        assert_eq!(Environment::default().state_file("x"), None);
    }

    #[test]
    fn an_empty_variable_counts_as_not_given() {
        let environment = Environment::from([("HEADWATER_HISTORY", "")]);
        assert_eq!(environment.get("HEADWATER_HISTORY"), None);
        assert!(environment.is_set("HEADWATER_HISTORY"));
    }
}
