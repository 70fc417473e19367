//! `headwater bench`: the standard workloads. On a terminal a table of what was measured, elsewhere
//! one JSON line per measurement with the member names and check values of the Java side
//! (`compat/oracle`, class `Bench`). The workloads themselves are in the crate `headwater-bench`.

mod report;

use std::io::{IsTerminal, Write as _};

use clap::ValueEnum;
use headwater::io::host;
use headwater_bench::{Amount, Columns, Filling, Measurement, compact, fill, orders, scan};

use crate::config::{Durability, Environment, Resources, Settings, parse_count};
use crate::error::CliError;

/// Arguments of `headwater bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// W1 writes table bench.orders, W2 scans it, W3 compacts it, W4 scans it again; W1c writes and
    /// compacts; W6 writes sums for each user, W7 columns in two groups
    #[arg(value_name = "WORKLOAD", ignore_case = true)]
    workload: Workload,
    /// Warehouse; writing makes it when it does not exist
    #[arg(value_name = "DIR")]
    warehouse: String,
    /// Rows to write; half as many keys
    #[arg(long, value_name = "N", default_value = "100000", value_parser = parse_count)]
    rows: u64,
    /// Commits to spread the rows over
    #[arg(long, value_name = "C", default_value = "10", value_parser = parse_count)]
    commits: u64,
    /// Print JSON lines also on a terminal
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    durability: Durability,
    #[command(flatten)]
    resources: Resources,
}

/// The standard workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "verbatim")]
enum Workload {
    W1,
    W2,
    #[value(name = "W1c")]
    W1Compacting,
    W3,
    W4,
    #[value(hide = true)]
    W5,
    W6,
    W7,
    #[value(hide = true)]
    W8,
    #[value(hide = true)]
    W9,
}

/// Runs the workload and prints its measurements.
pub(crate) fn run(arguments: &Arguments, config: Option<&str>) -> Result<(), CliError> {
    let settings = Settings::load(config, Environment::of_process())?;
    host::block_on(measure(arguments, &settings))?
}

async fn measure(arguments: &Arguments, settings: &Settings) -> Result<(), CliError> {
    let Arguments { workload, warehouse, rows, commits, durability, json, resources } = arguments;
    let readable = !json && std::io::stdout().is_terminal();
    let resources = resources.or(settings);
    let env = resources.env(resources.memory_bytes());
    let threads = resources.threads();
    match workload {
        Workload::W1 | Workload::W1Compacting | Workload::W6 | Workload::W7 => {
            let filling = match workload {
                Workload::W1Compacting => Filling::Compacted,
                Workload::W6 => Filling::Sums,
                Workload::W7 => Filling::Groups,
                _ => Filling::Orders,
            };
            let amount = Amount { rows: *rows, commits: *commits };
            let place = (warehouse.as_str(), durability.sync_mode());
            let measurement = fill(filling, place, amount, threads, &env).await?;
            print(&measurement, report::Place::Alone, readable)
        }
        Workload::W3 => {
            let table = orders(warehouse, &env).await?;
            let measurement = compact(&table, *commits, &env).await?;
            print(&measurement, report::Place::Alone, readable)
        }
        Workload::W2 | Workload::W4 => {
            let table = orders(warehouse, &env).await?;
            let compacted = matches!(workload, Workload::W4);
            let three = (Columns::Three, compacted);
            let three = scan(&table, three, threads, *commits, &env).await?;
            print(&three, report::Place::First, readable)?;
            let all = scan(&table, (Columns::All, compacted), threads, *commits, &env).await?;
            print(&all, report::Place::Last, readable)
        }
        other => {
            let name = other.to_possible_value().map(|value| value.get_name().to_owned());
            Err(CliError::Unsupported { what: format!("workload {}", name.unwrap_or_default()) })
        }
    }
}

fn print(measurement: &Measurement, place: report::Place, readable: bool) -> Result<(), CliError> {
    let peak = host::peak_rss_kb();
    let line =
        if readable { report::lines(measurement, place, peak) } else { measurement.line(peak) };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(CliError::Output)
}
