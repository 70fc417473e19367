//! `headwater bench`: the standard workloads. On a terminal a table of what was measured, elsewhere
//! one JSON line per measurement with the member names and check values of the Java side
//! (`compat/oracle`, class `Bench`).

mod generate;
mod read;
mod report;
mod write;

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;

use clap::ValueEnum;
use headwater::io::host;

use crate::config::{Durability, Environment, Resources, Settings, parse_count};
use crate::error::CliError;
use read::Columns;
use write::Amount;

/// Arguments of `headwater bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// W1 writes table bench.orders, W2 scans it
    #[arg(value_name = "WORKLOAD", ignore_case = true)]
    workload: Workload,
    /// Warehouse; W1 makes it when it does not exist
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
    #[value(hide = true, name = "W1c")]
    W1Compacting,
    #[value(hide = true)]
    W3,
    #[value(hide = true)]
    W4,
    #[value(hide = true)]
    W5,
    #[value(hide = true)]
    W6,
    #[value(hide = true)]
    W7,
    #[value(hide = true)]
    W8,
    #[value(hide = true)]
    W9,
}

/// What a workload took and found.
#[derive(Debug)]
struct Measurement {
    op: &'static str,
    /// The same in words.
    what: &'static str,
    /// Whether all bytes of the live files were written or read.
    whole: bool,
    rows: u64,
    took: Duration,
    commits: u64,
    /// Members of this workload alone: name and JSON text.
    more: Vec<(&'static str, String)>,
    /// Values on which engines must agree: name and JSON text.
    check: Vec<(&'static str, String)>,
    live: Live,
}

/// Data files of the newest snapshot.
#[derive(Debug, Default, Clone, Copy)]
struct Live {
    files: usize,
    bytes: i64,
    rows: i64,
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
        Workload::W1 => {
            let amount = Amount { rows: *rows, commits: *commits };
            let place = (warehouse.as_str(), durability.sync_mode());
            let measurement = write::run(place, amount, threads, &env).await?;
            print(&measurement, report::Place::Alone, readable)
        }
        Workload::W2 => {
            let table = read::orders(warehouse, &env).await?;
            let scan = read::run(&table, Columns::Three, threads, *commits, &env).await?;
            print(&scan, report::Place::First, readable)?;
            let scan = read::run(&table, Columns::All, threads, *commits, &env).await?;
            print(&scan, report::Place::Last, readable)
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
        if readable { report::lines(measurement, place, peak) } else { line(measurement, peak) };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(CliError::Output)
}

/// The JSON line. `peak`: most memory the process ever had, in KiB.
fn line(measurement: &Measurement, peak: Option<u64>) -> String {
    let Measurement { op, rows, took, commits, more, check, live, .. } = measurement;
    let seconds = took.as_secs_f64();
    let per_second = rows_per_second(*rows, *took);
    let peak = number(peak);
    let mut line = format!(
        "{{\"engine\":\"headwater\",\"op\":\"{op}\",\"rows\":{rows},\"seconds\":{seconds:.3},\
         \"rows_per_s\":{per_second},\"peak_rss_kb\":{peak},\"files\":{},\"bytes\":{},\
         \"file_rows\":{},\"commits\":{commits}",
        live.files, live.bytes, live.rows
    );
    for (name, value) in more {
        // Appending to a string does not fail.
        let _ = write!(line, ",\"{name}\":{value}");
    }
    let check: Vec<String> =
        check.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    line + ",\"check\":{" + &check.join(",") + "}}"
}

fn rows_per_second(rows: u64, took: Duration) -> u128 {
    (u128::from(rows) * 1_000_000_000 + took.as_nanos() / 2) / took.as_nanos().max(1)
}

/// A figure that the system may not give: -1 then.
fn number(figure: Option<u64>) -> String {
    figure.map_or_else(|| "-1".to_owned(), |figure| figure.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Live, Measurement, line};

    #[test]
    fn a_measurement_has_the_members_of_the_java_side_in_order() {
        let measurement = Measurement {
            op: "W1",
            what: "write",
            whole: true,
            rows: 1_000,
            took: Duration::from_millis(2_500),
            commits: 10,
            more: vec![("write_peak_rss_kb", "7".to_owned())],
            check: vec![("count", "5".to_owned()), ("sum_amount", "\"1.50\"".to_owned())],
            live: Live { files: 40, bytes: 1_234, rows: 900 },
        };
        assert_eq!(
            line(&measurement, None),
            "{\"engine\":\"headwater\",\"op\":\"W1\",\"rows\":1000,\"seconds\":2.500,\
             \"rows_per_s\":400,\"peak_rss_kb\":-1,\"files\":40,\"bytes\":1234,\"file_rows\":900,\
             \"commits\":10,\"write_peak_rss_kb\":7,\
             \"check\":{\"count\":5,\"sum_amount\":\"1.50\"}}"
        );
    }
}
