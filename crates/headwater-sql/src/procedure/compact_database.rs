//! `sys.compact_database`: compacts the tables of databases, one after the other.
//!
//! Source: Paimon 1.4.2 `CompactDatabaseProcedure` of Flink and of Spark.

use arrow::record_batch::RecordBatch;
use headwater::{CompactionOutcome, Identifier};

use super::arguments::{Arguments, Kind, Parameter};
use super::compact::{How, STRATEGIES, result};
use super::{Caller, DATABASE, Procedure, pairs};
use crate::error::SqlError;
use crate::functions::WholePattern;
use crate::hint::OptionList;
use crate::names::FullName;

pub(super) const PROCEDURE: Procedure = Procedure {
    name: "compact_database",
    parameters: &[
        Parameter::optional("including_databases", Kind::Text),
        Parameter::one_of("mode", &["divided", "combined"]),
        Parameter::optional("including_tables", Kind::Text),
        Parameter::optional("excluding_tables", Kind::Text),
        Parameter::optional("table_options", Kind::Pairs),
        Parameter::optional("options", Kind::Pairs),
        Parameter::optional("partition_idle_time", Kind::Duration),
        Parameter::one_of("compact_strategy", STRATEGIES),
    ],
    flink: &[
        "including_databases",
        "mode",
        "including_tables",
        "excluding_tables",
        "table_options",
        "partition_idle_time",
        "compact_strategy",
    ],
    spark: &["including_databases", "including_tables", "excluding_tables", "options"],
    run: |caller, arguments| Box::pin(run(caller, arguments)),
};

async fn run(caller: &Caller<'_>, arguments: &Arguments) -> Result<RecordBatch, SqlError> {
    let lookups = &caller.scope.lookups;
    if arguments.text("mode").is_some() {
        lookups.note(format!(
            "argument 'mode' of {DATABASE}.compact_database has no effect: tables are compacted \
             one after the other"
        ));
    }
    let options = match (arguments.text("table_options"), arguments.text("options")) {
        (Some(_), Some(_)) => {
            return Err(SqlError::invalid(
                "arguments 'table_options' and 'options' are one and the same: give one of them",
            ));
        }
        (Some(text), None) => pairs("table_options", Some(text))?,
        (None, text) => pairs("options", text)?,
    };
    let how = How::of(arguments)?;
    let wanted = Wanted::of(arguments)?;
    let catalog_name = caller.current()?.catalog;
    let catalog = &caller.scope.catalogs.get(&catalog_name)?.catalog;
    let mut names = Vec::new();
    let mut done = Vec::new();
    let mut failed = None;
    for database in catalog.list_databases().await.map_err(headwater::Error::from)? {
        if !wanted.database(&database)? {
            continue;
        }
        for table in catalog.list_tables(&database).await.map_err(headwater::Error::from)? {
            let id = Identifier::new(&database, &table);
            if !wanted.table(&id.to_string())? {
                continue;
            }
            let name = FullName { catalog: catalog_name.clone(), id };
            match one(caller, &name, options.clone(), &how).await {
                Ok(outcome) => {
                    done.push(outcome);
                    names.push(name.id.to_string());
                }
                // The others do not wait for what may never work.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
    }
    match failed {
        Some(error) => Err(error),
        None => result(&done, Some(&names)),
    }
}

/// Compacts a table, or says why this version cannot.
async fn one(
    caller: &Caller<'_>,
    name: &FullName,
    options: OptionList,
    how: &How,
) -> Result<(String, CompactionOutcome), SqlError> {
    let table = caller.scope.open(name, options).await?;
    if let Some(reason) = table.compaction_refusal() {
        return Ok((format!("passed over: {reason}"), CompactionOutcome::default()));
    }
    let outcome = how.compact(caller, &table, Vec::new()).await?;
    Ok(("success".to_owned(), outcome))
}

/// Which tables the patterns of a call want. A pattern is for the whole name; those of tables for
/// `database.table`.
struct Wanted {
    databases: Option<WholePattern>,
    including: Option<WholePattern>,
    excluding: Option<WholePattern>,
}

impl Wanted {
    fn of(arguments: &Arguments) -> Result<Self, SqlError> {
        let pattern = |name: &str| match arguments.text(name) {
            None => Ok(None),
            Some(text) => WholePattern::parse(text)
                .map(Some)
                .map_err(|reason| SqlError::invalid(format!("argument '{name}': {reason}"))),
        };
        Ok(Self {
            databases: pattern("including_databases")?,
            including: pattern("including_tables")?,
            excluding: pattern("excluding_tables")?,
        })
    }

    fn database(&self, name: &str) -> Result<bool, SqlError> {
        matches(self.databases.as_ref(), name, true)
    }

    fn table(&self, name: &str) -> Result<bool, SqlError> {
        Ok(matches(self.including.as_ref(), name, true)?
            && !matches(self.excluding.as_ref(), name, false)?)
    }
}

/// Whether the name matches; `default` without a pattern.
fn matches(pattern: Option<&WholePattern>, name: &str, default: bool) -> Result<bool, SqlError> {
    pattern.map_or(Ok(default), |pattern| pattern.matches(name).map_err(SqlError::invalid))
}
