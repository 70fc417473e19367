//! The settings of a session: their names and values. What they do stands where they act.

use std::collections::BTreeMap;

use arrow::array::timezone::Tz;
use headwater::options::nearest_of;

use crate::error::SqlError;

/// Which functions a name means first.
pub const FUNCTIONS: &str = "headwater.functions";
/// Time zone of the session.
pub const TIME_ZONE: &str = "headwater.time-zone";
/// Flink's name of [`TIME_ZONE`].
pub const FLINK_TIME_ZONE: &str = "table.local-time-zone";
/// Rows of a result that the command's table shows.
pub const MAX_ROWS: &str = "headwater.sql.max-rows";

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub values: &'static str,
    check: fn(&str) -> bool,
}

const SETTINGS: [Setting; 4] = [
    Setting {
        name: FUNCTIONS,
        values: "flink or datafusion",
        check: |value| matches!(value, "flink" | "datafusion"),
    },
    Setting { name: TIME_ZONE, values: ZONES, check: is_zone },
    Setting { name: FLINK_TIME_ZONE, values: ZONES, check: is_zone },
    Setting {
        name: MAX_ROWS,
        values: "a count, 0 for all",
        check: |value| value.parse::<usize>().is_ok(),
    },
];
const ZONES: &str = "a time zone such as UTC, +01:00 or Europe/Berlin";

fn is_zone(value: &str) -> bool {
    value.parse::<Tz>().is_ok()
}

/// All settings, by name.
#[must_use]
pub const fn known() -> &'static [Setting] {
    &SETTINGS
}

/// Checks settings that a user gives.
///
/// # Errors
/// A name that is none (with the nearest one), or a value that the setting does not take.
pub fn check(settings: &BTreeMap<String, String>) -> Result<(), SqlError> {
    for (name, value) in settings {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            let hint = nearest_of(name, SETTINGS.iter().map(|setting| setting.name))
                .map(|near| format!("; did you mean '{near}'?"));
            return Err(SqlError::invalid(format!(
                "there is no setting '{name}'{}",
                hint.unwrap_or_default()
            )));
        };
        if !(setting.check)(value) {
            return Err(SqlError::invalid(format!(
                "setting '{name}' must be {}, not '{value}'",
                setting.values
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    fn refusal(name: &str, value: &str) -> Option<String> {
        let settings = [(name.to_owned(), value.to_owned())].into();
        check(&settings).err().map(|error| error.to_string())
    }

    #[test]
    fn known_names_with_good_values_pass() {
        for (name, value) in [
            ("headwater.functions", "flink"),
            ("headwater.time-zone", "Europe/Berlin"),
            ("table.local-time-zone", "+08:00"),
            ("headwater.sql.max-rows", "0"),
        ] {
            assert_eq!(refusal(name, value), None);
        }
    }

    #[test]
    fn unknown_names_get_the_nearest_one() {
        let error = refusal("headwater.timezone", "UTC").unwrap();
        assert!(error.contains("did you mean 'headwater.time-zone'?"), "{error}");
        assert!(refusal("x", "1").unwrap().ends_with("there is no setting 'x'"));
    }

    #[test]
    fn bad_values_say_what_is_allowed() {
        for (name, value, word) in [
            ("headwater.functions", "spark", "flink or datafusion"),
            ("headwater.time-zone", "Mars/Base", "Europe/Berlin"),
            ("headwater.sql.max-rows", "many", "count"),
        ] {
            let error = refusal(name, value).unwrap();
            assert!(error.contains(word), "{error}");
        }
    }
}
