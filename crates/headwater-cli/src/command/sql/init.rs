//! The statements that a user wants run before all others. They print nothing when they succeed.

use futures::StreamExt;
use headwater::io::host;
use headwater_sql::Output;

use super::Arguments;
use super::session::Opened;
use crate::config::Environment;
use crate::error::CliError;
use crate::printer::note;
use crate::script::{Origin, Script, placed};

/// Name among the user's settings.
const FILE: &str = "init.sql";
/// Name among the user's files.
const RC_FILE: &str = ".headwaterrc";

/// The file that is named, or else the first that is there: the variable's, that among the user's
/// settings, that among the user's files.
pub(super) fn script(
    arguments: &Arguments,
    environment: &Environment,
) -> Result<Option<Script>, CliError> {
    if arguments.no_init {
        return Ok(None);
    }
    let of_file = |path: String, text| Script { text, origin: Origin::File(path) };
    if let Some(named) = arguments.init.as_deref().or_else(|| environment.get("HEADWATER_INIT")) {
        return Ok(Some(of_file(named.to_owned(), host::read_text_file(named)?)));
    }
    let rc_file =
        environment.home().map(|home| format!("{}/{RC_FILE}", home.trim_end_matches('/')));
    for path in [environment.config_file(FILE), rc_file].into_iter().flatten() {
        match host::read_text_file(&path) {
            Ok(text) => return Ok(Some(of_file(path, text))),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Runs the statements. Rows are computed and not shown.
pub(super) async fn run(opened: &Opened, script: Option<Script>) -> Result<(), CliError> {
    let Some(script) = script else { return Ok(()) };
    let mut results = opened.session.run_script(&script.text);
    while let Some(result) = results.next().await {
        let result = result.map_err(|error| placed(error, &script))?;
        for warning in &result.warnings {
            note(&format!("warning: {warning}"));
        }
        if let Output::Rows(mut rows) = result.output {
            while let Some(batch) = rows.next().await {
                batch.map_err(|error| placed(error, &script))?;
            }
        }
    }
    Ok(())
}
