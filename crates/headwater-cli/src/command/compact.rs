//! `headwater compact`: `CALL sys.compact` and `sys.compact_database` as a command, once or again
//! and again. The result goes to standard output, how far it is to standard error.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::Array;
use arrow::compute::{filter_record_batch, is_not_null};
use arrow::record_batch::RecordBatch;
use futures::StreamExt;
use headwater::ErrorKind;
use headwater::io::host::{self, Ended, Foreground, Interrupt};
use headwater::options::parse_duration_millis;
use headwater_sql::{Output, SqlError, SqlSession};

use super::session::{self, Opened, Source};
use crate::config::{Durability, Environment, Resources, Settings, TableName, parse_pair};
use crate::error::CliError;
use crate::output::{Format, Limits, More, ResultWriter, Style, Target};
use crate::printer::note;
use crate::progress::{EVERY, ProgressLine};
use crate::shell;

/// Time between two rounds of `--watch`.
const INTERVAL: Duration = Duration::from_secs(60);

/// Arguments of `headwater compact`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    what: What,
    /// Directory or URI that holds the databases [default: ./warehouse]
    #[arg(short = 'w', long, value_name = "DIR|URI")]
    warehouse: Option<String>,
    /// Only this partition, or those with these values; may be repeated
    #[arg(long = "partition", value_name = "NAME=VALUE,...", value_parser = parse_partition)]
    #[arg(conflicts_with_all = ["database", "all"])]
    partitions: Vec<String>,
    /// Only partitions for which this is true, such as "dt < '2024-02-01'"
    #[arg(long = "where", value_name = "CONDITION", value_parser = parse_text)]
    #[arg(conflicts_with_all = ["partitions", "database", "all"])]
    condition: Option<String>,
    /// Only partitions that no file was added to for so long, such as 1h or '2 d'
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    idle: Option<Duration>,
    /// Merge all files of a bucket [default: those that the options of the table choose]
    #[arg(long)]
    full: bool,
    /// Sort the rows of each partition by these columns, for a table without primary key and buckets
    #[arg(long, value_name = "COLUMN,...", value_parser = parse_text)]
    #[arg(conflicts_with_all = ["database", "all", "idle", "watch"])]
    order_by: Option<String>,
    /// How they are sorted: by one column after the other, or so that rows that are near in all
    /// columns get near to each other [default: order]
    #[arg(long, value_enum, value_name = "STRATEGY", requires = "order_by")]
    order_strategy: Option<OrderStrategy>,
    /// Go on: look for work again and again, until the process is ended
    #[arg(long)]
    watch: bool,
    /// Time between two rounds [default: 1 min]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, requires = "watch")]
    interval: Option<Duration>,
    /// How the result looks [default: table]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    durability: Durability,
    #[command(flatten)]
    resources: Resources,
}

/// Which tables.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// [catalog.]db.table in the warehouse, or the table's directory or URI when it holds a '/'
    #[arg(value_name = "TABLE", value_parser = TableName::parse)]
    table: Option<TableName>,
    /// All tables of this database
    #[arg(long, value_name = "DB")]
    database: Option<String>,
    /// All tables of the warehouse
    #[arg(long)]
    all: bool,
}

/// How rows are sorted.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OrderStrategy {
    Order,
    Zorder,
    Hilbert,
}

impl OrderStrategy {
    const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Zorder => "zorder",
            Self::Hilbert => "hilbert",
        }
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    parse_duration_millis(text).map(Duration::from_millis)
}

/// A blank argument of a call is none: here it is a mistake.
fn parse_text(text: &str) -> Result<String, String> {
    match text.trim().is_empty() {
        true => Err("it is blank".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn parse_partition(text: &str) -> Result<String, String> {
    if text.contains(';') {
        return Err("one partition is needed; for another one repeat the argument".to_owned());
    }
    for pair in text.split(',') {
        parse_pair(pair)?;
    }
    Ok(text.to_owned())
}

impl Arguments {
    fn source(&self) -> Source<'_> {
        let (table, catalog) = match &self.what.table {
            Some(TableName::Location(location)) => (Some(location.as_str()), None),
            Some(TableName::Named { catalog, .. }) => (None, catalog.as_deref()),
            None => (None, None),
        };
        Source {
            table,
            warehouse: self.warehouse.as_deref(),
            catalog,
            create: false,
            conf: Vec::new(),
            durability: self.durability,
            resources: &self.resources,
        }
    }

    /// The statement that does it.
    fn statement(&self, opened: &Opened) -> String {
        let table = match (&self.what.table, &opened.table) {
            (_, Some(located)) => Some((located.database.as_str(), located.table.as_str())),
            (Some(TableName::Named { database, table, .. }), None) => {
                Some((database.as_str(), table.as_str()))
            }
            _ => None,
        };
        let mut arguments = Vec::new();
        match &self.order_by {
            // All files are written anew anyway.
            Some(columns) => {
                let strategy = self.order_strategy.unwrap_or(OrderStrategy::Order);
                arguments.push(("order_strategy", strategy.name().to_owned()));
                arguments.push(("order_by", columns.clone()));
            }
            None => {
                let strategy = if self.full { "full" } else { "minor" };
                arguments.push(("compact_strategy", strategy.to_owned()));
            }
        }
        if let Some(idle) = self.idle {
            arguments.push(("partition_idle_time", format!("{} ms", idle.as_millis())));
        }
        let procedure = match table {
            Some((database, table)) => {
                arguments.push(("table", format!("{}.{}", quoted(database), quoted(table))));
                if !self.partitions.is_empty() {
                    arguments.push(("partitions", self.partitions.join(";")));
                }
                if let Some(condition) = &self.condition {
                    arguments.push(("where", condition.clone()));
                }
                "compact"
            }
            None => {
                if let Some(database) = &self.what.database {
                    arguments.push(("including_databases", format!("\\Q{database}\\E")));
                }
                "compact_database"
            }
        };
        let arguments: Vec<String> = arguments
            .iter()
            .map(|(name, value)| format!("{name} => '{}'", value.replace('\'', "''")))
            .collect();
        format!("CALL sys.{procedure}({})", arguments.join(", "))
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Compacts.
pub(crate) fn run(arguments: &Arguments, config: Option<&str>) -> Result<(), CliError> {
    let settings = Settings::load(config, Environment::of_process())?;
    let format = arguments.format.or(settings.format).unwrap_or(Format::Table);
    let on_terminal = io::stdout().is_terminal();
    if format.is_binary() && (on_terminal || arguments.watch) {
        return Err(CliError::argument(format!(
            "--format {} holds one result and is not for a terminal",
            format.name()
        )));
    }
    if arguments.what.table.as_ref().is_some_and(|t| matches!(t, TableName::Location(_)))
        && arguments.warehouse.is_some()
    {
        return Err(CliError::argument(
            "--warehouse and the table's directory both say where it is",
        ));
    }
    let foreground = Foreground::new()?;
    let opened = foreground.block_on(session::open(arguments.source(), &settings))?;
    let width = if on_terminal { host::terminal_width().unwrap_or(shell::WIDTH) } else { 0 };
    let limits = Limits { rows: 0, width, more: More::Arguments };
    let clock = Arc::clone(&opened.env.clock);
    let line = io::stderr()
        .is_terminal()
        .then(|| Arc::new(ProgressLine::new(clock, opened.session.progress(), false)));
    let job = Job {
        statement: arguments.statement(&opened),
        style: Style { format, limits, target: Target::Stream },
        line: line.clone(),
        opened,
    };
    let interval = arguments.watch.then(|| arguments.interval.unwrap_or(INTERVAL));
    let tick = || {
        if let Some(line) = &line {
            line.tick();
        }
    };
    match foreground.run(job.run(interval), Interrupt::EndsProcess, EVERY, tick)? {
        Ended::Done(outcome) => outcome,
        // Ctrl-C ends the process before it is heard here.
        Ended::Interrupted => Err(headwater::io::PoolError::Cancelled.into()),
    }
}

/// The statement, to be run once or again and again.
struct Job {
    statement: String,
    style: Style,
    line: Option<Arc<ProgressLine>>,
    opened: Opened,
}

impl Job {
    async fn run(self, interval: Option<Duration>) -> Result<(), CliError> {
        let Some(interval) = interval else {
            let batch = self.round().await?;
            return self.print(&batch);
        };
        loop {
            match self.round().await {
                Ok(batch) => {
                    let batch = with_work(&batch)?;
                    if batch.num_rows() > 0 {
                        self.print(&batch)?;
                    }
                }
                // Others commit, or the store is away: that may be over in the next round.
                Err(error)
                    if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Unavailable) =>
                {
                    note(&format!("warning: {error}; trying again"));
                }
                Err(error) => return Err(error.into()),
            }
            self.opened.env.clock.sleep(interval).await;
        }
    }

    async fn round(&self) -> Result<RecordBatch, SqlError> {
        if let Some(line) = &self.line {
            line.start();
        }
        let done = call(&self.opened.session, &self.statement).await;
        if let Some(line) = &self.line {
            line.stop();
        }
        let (batch, warnings) = done?;
        for warning in warnings {
            note(&format!("warning: {warning}"));
        }
        Ok(batch)
    }

    fn print(&self, batch: &RecordBatch) -> Result<(), CliError> {
        let mut writer = ResultWriter::new(self.style, &batch.schema(), io::stdout())?;
        writer.write(batch)?;
        writer.finish(None)
    }
}

/// Runs a call, whose result is small.
async fn call(
    session: &SqlSession,
    statement: &str,
) -> Result<(RecordBatch, Vec<String>), SqlError> {
    let result = session.execute(statement).await?;
    let mut batches = Vec::new();
    let mut schema = Arc::new(arrow::datatypes::Schema::empty());
    if let Output::Rows(mut rows) = result.output {
        schema = rows.schema();
        while let Some(batch) = rows.next().await {
            batches.push(batch?);
        }
    }
    let batch = match <[RecordBatch; 1]>::try_from(batches) {
        Ok([batch]) => batch,
        Err(_) => RecordBatch::new_empty(schema),
    };
    Ok((batch, result.warnings))
}

/// The rows of tables that were changed.
fn with_work(batch: &RecordBatch) -> Result<RecordBatch, CliError> {
    match batch.column_by_name("snapshot_id") {
        Some(ids) if ids.null_count() > 0 => Ok(filter_record_batch(batch, &is_not_null(ids)?)?),
        _ => Ok(batch.clone()),
    }
}
