//! `headwater dump`: every row of a table as lossless JSON lines, sorted, so that the outputs of
//! two engines can be compared with `diff`.

use std::io::Write;

use arrow::array::AsArray;
use arrow::datatypes::Int8Type;
use futures::StreamExt;
use headwater::canonical::Lines;
use headwater::io::host;
use headwater::{Env, Identifier, Table};

use crate::config::{DEFAULT_WAREHOUSE, Environment, Resources, Settings, TableName};
use crate::error::CliError;

/// Arguments of `headwater dump`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// [catalog.]db.table in the warehouse, or the table's directory or URI when it holds a '/'
    #[arg(value_name = "TABLE", value_parser = TableName::parse)]
    table: TableName,
    /// Directory or URI that holds the databases [default: ./warehouse]
    #[arg(short = 'w', long, value_name = "DIR|URI")]
    warehouse: Option<String>,
    #[command(flatten)]
    position: Position,
    /// Read this branch
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// How --incremental finds changes
    #[arg(long, value_name = "MODE", requires = "incremental")]
    #[arg(value_parser = ["auto", "diff", "delta", "changelog"])]
    mode: Option<String>,
    #[command(flatten)]
    resources: Resources,
}

/// What of the table's history to read; the newest snapshot when nothing is named.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Position {
    /// The rows of this snapshot
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    snapshot: Option<i64>,
    /// The rows of this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// The changes after snapshot or tag A up to B
    #[arg(long, value_name = "A,B")]
    incremental: Option<String>,
    /// The changes of each snapshot from this one on
    #[arg(long, value_name = "ID")]
    stream_from: Option<i64>,
    /// All rows, then the changes of each later snapshot
    #[arg(long)]
    stream: bool,
    /// The rows of a system table, such as audit_log
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
}

impl Arguments {
    /// Names the first argument that this version does not honour.
    fn refuse_unsupported(&self) -> Result<(), CliError> {
        let asked = [
            ("--tag", self.position.tag.is_some()),
            ("--branch", self.branch.is_some()),
            ("--incremental", self.position.incremental.is_some()),
            ("--stream-from", self.position.stream_from.is_some()),
            ("--stream", self.position.stream),
            ("--system", self.position.system.is_some()),
            ("--mode", self.mode.is_some()),
        ];
        match asked.into_iter().find(|(_, asked)| *asked) {
            Some((what, _)) => Err(CliError::Unsupported { what: format!("dump {what}") }),
            None => Ok(()),
        }
    }
}

/// Prints the table.
pub(crate) fn run(arguments: &Arguments, config: Option<&str>) -> Result<(), CliError> {
    arguments.refuse_unsupported()?;
    let settings = Settings::load(config, Environment::of_process())?;
    let lines = host::block_on(read(arguments, &settings))??;
    print(&lines)
}

async fn read(arguments: &Arguments, settings: &Settings) -> Result<Lines, CliError> {
    let resources = arguments.resources.or(settings);
    let env = resources.env(resources.memory_bytes());
    let mut table = open(arguments, settings, env).await?;
    for warning in table.warnings() {
        host::write_stderr(format!("warning: {warning}\n").as_bytes());
    }
    if let Some(snapshot) = arguments.position.snapshot {
        table = table.at_snapshot(snapshot).await?;
    }
    let read = table.new_read().with_row_kind();
    let fields = &table.row_type().fields;
    let columns: Vec<usize> = (0..fields.len()).collect();
    let mut lines = Lines::default();
    for split in &read.plan().await?.splits {
        let mut batches = read.read(split)?;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            let kinds = batch.column(fields.len()).as_primitive_opt::<Int8Type>();
            lines.add(&batch.project(&columns)?, fields, kinds).map_err(headwater::Error::from)?;
        }
    }
    Ok(lines)
}

async fn open(arguments: &Arguments, settings: &Settings, env: Env) -> Result<Table, CliError> {
    match &arguments.table {
        TableName::Location(location) => Ok(Table::open_path(location, env).await?),
        TableName::Named { catalog, database, table } => {
            let warehouse =
                settings.warehouse(arguments.warehouse.as_deref(), catalog.as_deref())?;
            let warehouse = warehouse.as_deref().unwrap_or(DEFAULT_WAREHOUSE);
            let catalog = headwater::open_catalog(warehouse, false, env).await?;
            Ok(headwater::open_table(&catalog, &Identifier::new(database, table)).await?)
        }
    }
}

fn print(lines: &Lines) -> Result<(), CliError> {
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    for line in lines.sorted() {
        out.write_all(line).and_then(|()| out.write_all(b"\n")).map_err(CliError::Output)?;
    }
    out.flush().map_err(CliError::Output)
}
