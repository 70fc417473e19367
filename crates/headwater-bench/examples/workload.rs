//! The workloads of `headwater bench` alone, for profiling: without SQL it is built in a fraction of
//! the time. `cargo run --release -p headwater-bench --example workload -- W1 DIR --rows 1000000`

use std::error::Error;

use clap::Parser;
use headwater::io::{Env, SyncMode, host};
use headwater_bench::{Amount, Columns, Filling, Measurement, compact, fill, orders, scan};

/// Runs a workload and prints a line of JSON for each measurement.
#[derive(Debug, Parser)]
struct Arguments {
    /// W1, W1c, W3, W4, W6, W7, W2, or one scan of W2: W2-3-columns, W2-all-columns
    workload: String,
    /// Warehouse
    dir: String,
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    #[arg(long, default_value_t = 10)]
    commits: u64,
    /// Default: all cores
    #[arg(long)]
    threads: Option<usize>,
    /// Bytes for buffers
    #[arg(long, default_value_t = 4 << 30)]
    memory: usize,
    /// Do not sync files
    #[arg(long)]
    no_sync: bool,
    /// How often a scan is repeated
    #[arg(long, default_value_t = 1)]
    times: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    host::tune_allocator();
    host::block_on(run(Arguments::parse()))?
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let threads = arguments.threads.unwrap_or_else(host::cpu_count);
    let env = Env::system(threads, arguments.memory);
    let columns = match arguments.workload.as_str() {
        writes @ ("W1" | "W1c" | "W6" | "W7") => {
            let filling = match writes {
                "W1c" => Filling::Compacted,
                "W6" => Filling::Sums,
                "W7" => Filling::Groups,
                _ => Filling::Orders,
            };
            let sync = if arguments.no_sync { SyncMode::Off } else { SyncMode::Durable };
            let amount = Amount { rows: arguments.rows, commits: arguments.commits };
            let found = fill(filling, (&arguments.dir, sync), amount, threads, &env).await?;
            print(&found)?;
            return Ok(());
        }
        "W3" => {
            let table = orders(&arguments.dir, &env).await?;
            print(&compact(&table, arguments.commits, &env).await?)?;
            return Ok(());
        }
        "W2" | "W4" => vec![Columns::Three, Columns::All],
        "W2-3-columns" => vec![Columns::Three],
        "W2-all-columns" => vec![Columns::All],
        other => {
            return Err(format!(
                "'{other}' is none of W1, W1c, W2, W3, W4, W6, W7, W2-3-columns, W2-all-columns"
            )
            .into());
        }
    };
    for _ in 0..arguments.times {
        for columns in &columns {
            let table = orders(&arguments.dir, &env).await?;
            let what = (*columns, arguments.workload == "W4");
            print(&scan(&table, what, threads, arguments.commits, &env).await?)?;
        }
    }
    Ok(())
}

fn print(found: &Measurement) -> Result<(), headwater::io::IoError> {
    let line = found.line(host::peak_rss_kb()) + "\n";
    host::write_stdout(line.as_bytes()).map(drop)
}
