//! Temporary tables with a connector: files that are read, and sinks that swallow or show rows.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;
use headwater::options::nearest_of;
use headwater::{NewTable, TableSchema};

use crate::changelog::{Envelope, Records};
use crate::error::SqlError;
use crate::files::{self, Format, OpenFiles, Request};

/// A temporary table.
#[derive(Debug)]
pub(crate) struct ConnectorTable {
    definition: NewTable,
    /// Its columns, as a table would have them.
    pub(crate) columns: TableSchema,
    pub(crate) kind: Connector,
}

/// Where rows come from or go to.
#[derive(Debug)]
pub(crate) enum Connector {
    /// Files, and how they are read. Boxed: much larger than the others.
    Files(Box<Request>),
    /// Rows vanish; only their number stays.
    Blackhole,
    /// Rows are the result of the INSERT. The text stands before each row.
    Print { identifier: Option<String> },
}

/// Options of each connector that are known and act.
const FILES: [&str; 10] = [
    "connector",
    "path",
    "format",
    "csv.field-delimiter",
    "csv.quote-character",
    "csv.escape-character",
    "csv.allow-comments",
    "csv.null-literal",
    "csv.header",
    "debezium-json.schema-include",
];
const PRINT: [&str; 2] = ["connector", "print-identifier"];
/// Connectors of Flink that are not there.
const REFUSED: [(&str, &str); 7] = [
    ("datagen", "use the table function sample_orders, or generate_series"),
    ("kafka", "planned for a later release"),
    ("upsert-kafka", "planned for a later release"),
    ("jdbc", "export the table to a file and read that"),
    ("hbase-2.2", "export the table to a file and read that"),
    ("elasticsearch-7", "export the rows to a file and read that"),
    ("paimon", "open its warehouse with CREATE CATALOG"),
];

impl ConnectorTable {
    /// The table that the statement defines.
    pub(crate) fn new(definition: NewTable) -> Result<Self, SqlError> {
        let Some(connector) = definition.options.get("connector") else {
            return Err(SqlError::invalid(
                "a temporary table needs the option 'connector', such as 'connector' = \
                 'filesystem' with 'path' and 'format'",
            ));
        };
        let kind = match connector {
            "filesystem" => Connector::Files(Box::new(request(&definition)?)),
            "blackhole" => {
                check_keys(&definition, &PRINT[..1])?;
                Connector::Blackhole
            }
            "print" => {
                check_keys(&definition, &PRINT)?;
                let identifier = definition.options.get("print-identifier").map(str::to_owned);
                Connector::Print { identifier }
            }
            other => {
                let known = REFUSED.iter().find(|(name, _)| *name == other);
                return Err(match known {
                    Some((name, advice)) => {
                        SqlError::unsupported(format!("'connector' = '{name}' is"), *advice)
                    }
                    None => SqlError::invalid(format!(
                        "there is no connector '{other}'; there are: filesystem, print, blackhole"
                    )),
                });
            }
        };
        let mut plain = definition.clone();
        plain.options = headwater::options::Options::default();
        let columns = plain.into_schema(0).map_err(headwater::Error::from)?;
        Ok(Self { definition, columns, kind })
    }

    /// What CREATE TABLE LIKE takes over.
    pub(crate) fn definition(&self) -> NewTable {
        self.definition.clone()
    }

    /// The rows, for a query. `state` knows the formats and the store.
    pub(crate) async fn provider(
        &self,
        state: &SessionState,
        open: &OpenFiles,
    ) -> Result<Arc<dyn TableProvider>, SqlError> {
        let Connector::Files(request) = &self.kind else {
            return Err(SqlError::invalid(
                "a table of connector 'print' or 'blackhole' cannot be read: it keeps no rows",
            ));
        };
        files::open(request, state, open).await
    }
}

/// Flink's settings of files; CSV has no header unless `csv.header` is true.
fn request(definition: &NewTable) -> Result<Request, SqlError> {
    check_keys(definition, &FILES)?;
    let option = |key: &str| definition.options.get(key);
    let need = |key: &str, what: &str| {
        option(key).ok_or_else(|| {
            SqlError::invalid(format!("connector 'filesystem' needs the option '{key}': {what}"))
        })
    };
    let byte = |key: &str| match option(key) {
        None => Ok(None),
        Some("\\t") => Ok(Some(b'\t')),
        Some(text) => match text.as_bytes() {
            [byte] if byte.is_ascii() => Ok(Some(*byte)),
            _ => Err(SqlError::invalid(format!(
                "option '{key}': '{text}' is not one ASCII character"
            ))),
        },
    };
    let flag = |key: &str| match option(key).map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(text) => Err(SqlError::invalid(format!("option '{key}': '{text}' is no boolean"))),
    };
    let path = need("path", "a file or a directory")?.to_owned();
    let named = need("format", "csv, json, parquet, or one of changes such as debezium-json")?;
    let schema = flag("debezium-json.schema-include")?;
    let format = match named {
        "csv" => Format::Csv,
        "json" => Format::Json,
        "parquet" => Format::Parquet,
        "debezium-json" => Format::Changes(Envelope::Debezium { schema }),
        other => match Envelope::named(other) {
            Some(envelope) => Format::Changes(envelope),
            None => {
                return Err(SqlError::unsupported(
                    format!("'format' = '{other}' is"),
                    format!("csv, json, parquet, {} are read", Envelope::NAMES.join(", ")),
                ));
            }
        },
    };
    if schema && named != "debezium-json" {
        return Err(SqlError::invalid(format!(
            "option 'debezium-json.schema-include' is of the format debezium-json, but 'format' = \
             '{named}'"
        )));
    }
    if let (true, Some((key, _))) =
        (format != Format::Csv, definition.options.iter().find(|(key, _)| key.starts_with("csv.")))
    {
        return Err(SqlError::invalid(format!(
            "option '{key}' is of the format csv, but 'format' = '{named}'"
        )));
    }
    let columns = definition.columns.iter().map(|c| (c.name.clone(), c.data_type.clone()));
    let columns: Vec<_> = columns.collect();
    if matches!(format, Format::Changes(_)) {
        Records::check_columns(&columns)?;
    }
    Ok(Request {
        path,
        format: Some(format),
        header: Some(flag("csv.header")?),
        delimiter: byte("csv.field-delimiter")?,
        quote: byte("csv.quote-character")?,
        escape: byte("csv.escape-character")?,
        comment: flag("csv.allow-comments")?.then_some(b'#'),
        null: option("csv.null-literal").map(str::to_owned),
        columns: Some(columns),
        ..Request::default()
    })
}

fn check_keys(definition: &NewTable, known: &[&'static str]) -> Result<(), SqlError> {
    for (key, _) in definition.options.iter() {
        if !known.contains(&key) {
            let hint = nearest_of(key, known.iter().copied());
            let hint = hint.map(|near| format!("; did you mean '{near}'?"));
            return Err(SqlError::invalid(format!(
                "the connector has no option '{key}'{}",
                hint.unwrap_or_else(|| format!("; it has: {}", known.join(", ")))
            )));
        }
    }
    Ok(())
}
