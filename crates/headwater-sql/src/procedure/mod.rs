//! Procedures that CALL runs, in the database `sys` of every catalog: names, arguments, results.
//!
//! Names, arguments and their order are those of Paimon's procedures for Flink and for Spark.
//! Source: Paimon 1.4.2 `org.apache.paimon.flink.procedure`, `org.apache.paimon.spark.procedure`.

mod arguments;
mod compact;
mod compact_database;
mod compact_manifest;
mod later;
mod partition_filter;
mod rescale;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use futures::future::BoxFuture;
use headwater::Table;
use headwater::options::nearest_of;

pub(crate) use self::arguments::Arguments;
use self::arguments::{Parameter, bind};
use crate::error::SqlError;
use crate::hint::OptionList;
use crate::names::{self, Current};
use crate::parse::{Call, table_parts};
use crate::session::Scope;

/// The database that procedures are in.
pub(crate) const DATABASE: &str = "sys";

/// A procedure that can be called.
struct Procedure {
    name: &'static str,
    parameters: &'static [Parameter],
    /// Names of the parameters in Flink's order.
    flink: &'static [&'static str],
    /// The same in Spark's order.
    spark: &'static [&'static str],
    run: for<'a> fn(&'a Caller<'a>, &'a Arguments) -> BoxFuture<'a, Result<RecordBatch, SqlError>>,
}

/// All of them, by name.
const PROCEDURES: [&Procedure; 4] = [
    &compact::PROCEDURE,
    &compact_database::PROCEDURE,
    &compact_manifest::PROCEDURE,
    &rescale::PROCEDURE,
];

/// Names of the procedures that can be called, sorted.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PROCEDURES.iter().map(|procedure| procedure.name)
}

/// Refuses a database that has no procedures.
pub(crate) fn check_database(parts: &[String], scope: &Scope) -> Result<(), SqlError> {
    let database = match parts {
        [database] => database,
        [catalog, database] => {
            scope.catalogs.get(catalog)?;
            database
        }
        _ => return Err(SqlError::invalid(format!("'{}' is no database", parts.join(".")))),
    };
    if database.eq_ignore_ascii_case(DATABASE) {
        return Ok(());
    }
    Err(SqlError::invalid(format!(
        "there are no procedures in '{database}': they are in {DATABASE}"
    )))
}

/// Runs a call; the rows of its result.
pub(crate) async fn run(call: Call, scope: &Arc<Scope>) -> Result<RecordBatch, SqlError> {
    let (catalog, name) = place(&call.name, scope)?;
    let procedure = find(name)?;
    let arguments = bind(procedure, &call.arguments)?;
    (procedure.run)(&Caller { scope, catalog }, &arguments).await
}

/// The catalog that a procedure is called in, if the call names one, and the procedure's name.
fn place<'a>(
    parts: &'a [String],
    scope: &Scope,
) -> Result<(Option<&'a String>, &'a str), SqlError> {
    let (catalog, database, name) = match parts {
        [database, name] => (None, database, name),
        [catalog, database, name] => (Some(catalog), database, name),
        [name] => {
            return Err(SqlError::invalid(format!(
                "procedures are in the database {DATABASE}: CALL {DATABASE}.{name}(…)"
            )));
        }
        _ => {
            return Err(SqlError::invalid(format!(
                "'{}' has too many parts: a procedure is named [catalog.]{DATABASE}.procedure",
                parts.join(".")
            )));
        }
    };
    if let Some(catalog) = catalog {
        scope.catalogs.get(catalog)?;
    }
    check_database(std::slice::from_ref(database), scope)?;
    Ok((catalog, name))
}

fn find(name: &str) -> Result<&'static Procedure, SqlError> {
    let lower = name.to_ascii_lowercase();
    if let Some(known) = PROCEDURES.iter().find(|procedure| procedure.name == lower) {
        return Ok(known);
    }
    if let Some(refusal) = later::refusal(&lower) {
        return Err(refusal);
    }
    let hint = match nearest_of(&lower, names().chain(later::names())) {
        Some(near) => format!("; did you mean {DATABASE}.{near}?"),
        None => "; SHOW PROCEDURES lists those that there are".to_owned(),
    };
    Err(SqlError::invalid(format!("there is no procedure {DATABASE}.{name}{hint}")))
}

/// What a procedure works with.
struct Caller<'a> {
    scope: &'a Arc<Scope>,
    /// The catalog that the call names.
    catalog: Option<&'a String>,
}

impl Caller<'_> {
    /// The catalog and the database of names that say nothing else.
    fn current(&self) -> Result<Current, SqlError> {
        Ok(match self.catalog {
            Some(catalog) if *catalog != self.scope.current.catalog => Current {
                catalog: catalog.clone(),
                database: self.scope.catalogs.get(catalog)?.default_database.clone(),
            },
            _ => self.scope.current.clone(),
        })
    }

    /// The table that an argument names, opened with options.
    async fn table(&self, name: &str, options: OptionList) -> Result<Table, SqlError> {
        let parts = table_parts(name)?;
        let full = names::table(&parts, &self.current()?)?;
        if let Some(catalog) = self.catalog
            && *catalog != full.catalog
        {
            return Err(SqlError::invalid(format!(
                "the procedure is called in catalog '{catalog}', but table '{name}' is in \
                 '{}': call it there",
                full.catalog
            )));
        }
        if let Some(there) = self.scope.temporary(&full) {
            return Err(SqlError::invalid(format!(
                "'{}' is a temporary {}: procedures are for tables of a catalog",
                full.id,
                there.what()
            )));
        }
        self.scope.open(&full, options).await
    }
}

/// Keys and values in the text of an argument, `key=value,key=value`; none if it is not given.
fn pairs(argument: &str, text: Option<&str>) -> Result<OptionList, SqlError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    text.split(',')
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok((key.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(SqlError::invalid(format!(
                "argument '{argument}' must be 'key=value,key=value', but '{pair}' is no such pair"
            ))),
        })
        .collect()
}
