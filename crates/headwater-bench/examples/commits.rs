//! What a commit and a plan cost as a table gets older, and what the key index of dynamic buckets
//! takes. `cargo run --release -p headwater-bench --example commits -- keyed DIR`
//!
//! One writer commits the rows of `orders` in equal parts; every key is new until all are there. The
//! table has the default options, so the writer compacts. Each tenth commit, the table is opened anew
//! and planned. Prints a line for each tenth of the commits: mean and median of the commits and
//! the plans of that tenth.

use std::error::Error;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use headwater::io::{Clock, Env, SyncMode, host};
use headwater::{Catalog, CatalogOptions, DataType, Identifier, NewTable, TypeKind};
use headwater_bench::Orders;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Primary key, 4 buckets.
    Keyed,
    /// Primary key, dynamic buckets.
    Dynamic,
    /// No primary key, no buckets.
    Append,
}

/// Commits again and again.
#[derive(Debug, Parser)]
struct Arguments {
    kind: Kind,
    /// Warehouse
    dir: String,
    #[arg(long, default_value_t = 1000)]
    commits: u64,
    /// Rows of a commit
    #[arg(long, default_value_t = 1000)]
    rows: u64,
    /// Do not sync files
    #[arg(long)]
    no_sync: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    host::tune_allocator();
    host::block_on(run(Arguments::parse()))?
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let env = Env::system(host::cpu_count(), 4 << 30);
    let sync = if arguments.no_sync { SyncMode::Off } else { SyncMode::Durable };
    let options = CatalogOptions { create: true, sync };
    let catalog = headwater::open_catalog_with(&arguments.dir, options, env.clone()).await?;
    let name = Identifier::new("bench", "commits");
    catalog.create_database("bench", true).await?;
    catalog.drop_table(&name, true).await?;
    catalog.create_table(&name, &definition(arguments.kind), false).await?;
    let table = headwater::open_table(&catalog, &name).await?;
    let orders = Orders::new(arguments.commits * arguments.rows);
    let mut writer = table.new_write().build()?;
    let clock = env.clock.as_ref();
    let part = (arguments.commits / 10).max(1);
    let (mut commits, mut plans) = (Vec::new(), Vec::new());
    for commit in 0..arguments.commits {
        let rows = orders.batch(commit * arguments.rows..(commit + 1) * arguments.rows)?;
        let start = clock.monotonic();
        writer.write(&rows).await?;
        let outcome = writer.commit(i64::try_from(commit)?).await?;
        commits.push(since(clock, start));
        if let Some(reason) = outcome.compaction.failed {
            return Err(reason.into());
        }
        if commit % 10 == 9 {
            let table = headwater::open_table(&catalog, &name).await?;
            let start = clock.monotonic();
            let plan = table.new_read().plan().await?;
            plans.push(since(clock, start));
            if (commit + 1) % part == 0 {
                let files: usize = plan.splits.iter().map(|split| split.files().count()).sum();
                let line = format!(
                    "commits {}..{}: {}; plan {}, {files} files; {} MB at most\n",
                    commit + 1 - part,
                    commit + 1,
                    figures(&mut commits),
                    figures(&mut plans),
                    host::peak_rss_kb().unwrap_or(0) / 1024,
                );
                host::write_stdout(line.as_bytes())?;
            }
        }
    }
    Ok(())
}

fn since(clock: &dyn Clock, start: Duration) -> Duration {
    clock.monotonic().saturating_sub(start)
}

/// Mean and median; empties the list.
fn figures(times: &mut Vec<Duration>) -> String {
    times.sort_unstable();
    let sum: Duration = times.iter().sum();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let mean = sum / u32::try_from(times.len()).unwrap_or(u32::MAX).max(1);
    times.clear();
    format!("mean {:.1} ms, median {:.1} ms", millis(mean), millis(median))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn definition(kind: Kind) -> NewTable {
    let long = || DataType::nullable(TypeKind::BigInt);
    let table = NewTable::new()
        .column("order_id", DataType::not_null(TypeKind::BigInt))
        .column("user_id", long())
        .column("product_id", long())
        .column("amount", DataType::nullable(TypeKind::Decimal { precision: 12, scale: 2 }))
        .column("status", DataType::nullable(TypeKind::STRING))
        .column("update_time", DataType::nullable(TypeKind::Timestamp(3)))
        .column("comment", DataType::nullable(TypeKind::STRING));
    match kind {
        Kind::Keyed => table.primary_key(["order_id"]).option("bucket", "4"),
        Kind::Dynamic => table.primary_key(["order_id"]).option("bucket", "-1"),
        Kind::Append => table,
    }
}
