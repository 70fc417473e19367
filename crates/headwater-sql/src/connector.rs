//! Temporary tables with a connector: files that are read, and sinks that swallow or show rows.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use headwater::options::nearest_of;
use headwater::spec::types::arrow_type;
use headwater::{NewTable, TableSchema};

use crate::error::SqlError;

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
    /// Files with one format.
    Files { path: String, format: Format },
    /// Rows vanish; only their number stays.
    Blackhole,
    /// Rows are the result of the INSERT. The text stands before each row.
    Print { identifier: Option<String> },
}

/// How files are written.
#[derive(Debug)]
pub(crate) enum Format {
    Csv(Csv),
    Json,
    Parquet,
}

/// Flink's settings of CSV; files have no header unless `csv.header` is true.
#[derive(Debug)]
pub(crate) struct Csv {
    delimiter: u8,
    quote: u8,
    escape: Option<u8>,
    comments: bool,
    null: Option<String>,
    header: bool,
}

/// Options of each connector that are known and act.
const FILES: [&str; 9] = [
    "connector",
    "path",
    "format",
    "csv.field-delimiter",
    "csv.quote-character",
    "csv.escape-character",
    "csv.allow-comments",
    "csv.null-literal",
    "csv.header",
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
            "filesystem" => files(&definition)?,
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

    /// The rows, for a query.
    pub(crate) fn provider(&self) -> Result<Arc<dyn TableProvider>, SqlError> {
        let Connector::Files { path, format } = &self.kind else {
            return Err(SqlError::invalid(
                "a table of connector 'print' or 'blackhole' cannot be read: it keeps no rows",
            ));
        };
        let format: Arc<dyn FileFormat> = match format {
            Format::Csv(csv) => Arc::new(csv.format()),
            Format::Json => Arc::new(JsonFormat::default()),
            Format::Parquet => Arc::new(ParquetFormat::default()),
        };
        // One file may be called anything.
        let options = ListingOptions::new(format).with_file_extension("");
        let url = ListingTableUrl::parse(path)?;
        let config =
            ListingTableConfig::new(url).with_listing_options(options).with_schema(self.schema());
        Ok(Arc::new(ListingTable::try_new(config)?))
    }

    /// The columns; files may hold nulls whatever the statement says.
    fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .columns
            .fields
            .iter()
            .map(|f| Field::new(&f.name, arrow_type(&f.data_type.kind), true))
            .collect();
        Arc::new(Schema::new(fields))
    }
}

impl Csv {
    fn format(&self) -> CsvFormat {
        CsvFormat::default()
            .with_has_header(self.header)
            .with_delimiter(self.delimiter)
            .with_quote(self.quote)
            .with_escape(self.escape)
            .with_comment(self.comments.then_some(b'#'))
            .with_null_regex(self.null.as_ref().map(|text| format!("^{}$", literal_regex(text))))
    }
}

/// A pattern that matches only this text.
fn literal_regex(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn files(definition: &NewTable) -> Result<Connector, SqlError> {
    check_keys(definition, &FILES)?;
    let option = |key: &str| definition.options.get(key);
    let need = |key: &str, what: &str| {
        option(key).ok_or_else(|| {
            SqlError::invalid(format!("connector 'filesystem' needs the option '{key}': {what}"))
        })
    };
    let path = need("path", "a file or a directory")?.to_owned();
    let byte = |key: &str, default: u8| match option(key) {
        None => Ok(default),
        Some("\\t") => Ok(b'\t'),
        Some(text) => match text.as_bytes() {
            [byte] => Ok(*byte),
            _ => Err(SqlError::invalid(format!("option '{key}': '{text}' is not one character"))),
        },
    };
    let flag = |key: &str| match option(key).map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(text) => Err(SqlError::invalid(format!("option '{key}': '{text}' is no boolean"))),
    };
    let format = match need("format", "csv, json or parquet")? {
        "csv" => Format::Csv(Csv {
            delimiter: byte("csv.field-delimiter", b',')?,
            quote: byte("csv.quote-character", b'"')?,
            escape: match option("csv.escape-character") {
                Some(_) => Some(byte("csv.escape-character", b'\\')?),
                None => None,
            },
            comments: flag("csv.allow-comments")?,
            null: option("csv.null-literal").map(str::to_owned),
            header: flag("csv.header")?,
        }),
        other => {
            if let Some((key, _)) =
                definition.options.iter().find(|(key, _)| key.starts_with("csv."))
            {
                return Err(SqlError::invalid(format!(
                    "option '{key}' is of the format csv, but 'format' = '{other}'"
                )));
            }
            match other {
                "json" => Format::Json,
                "parquet" => Format::Parquet,
                _ => {
                    return Err(SqlError::unsupported(
                        format!("'format' = '{other}' is"),
                        "csv, json and parquet are read",
                    ));
                }
            }
        }
    };
    Ok(Connector::Files { path, format })
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
