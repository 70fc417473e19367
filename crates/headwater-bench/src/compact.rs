//! W3: a full compaction of every bucket of the table of W1.

use headwater::io::host;
use headwater::{Env, Table};

use crate::error::BenchError;
use crate::{Measurement, read};

/// Compacts the table; the rows that its files hold afterwards are the check. `commits` is only reported.
///
/// # Errors
/// It cannot be compacted or read.
pub async fn compact(table: &Table, commits: u64, env: &Env) -> Result<Measurement, BenchError> {
    let rows = read::live(table).await?.rows;
    let (start, cpu) = (env.clock.monotonic(), host::cpu_time());
    table.new_compaction().full(true).run().await?;
    let took = env.clock.monotonic().saturating_sub(start);
    let cpu = crate::cpu_seconds(cpu);
    let peak = host::peak_rss_kb();
    let live = read::live(table).await?;
    Ok(Measurement {
        op: "W3",
        what: "full compaction",
        whole: true,
        rows: u64::try_from(rows).unwrap_or(0),
        took,
        commits,
        more: vec![("write_peak_rss_kb", crate::number(peak)), ("cpu_seconds", cpu)],
        check: vec![("rows_after", live.rows.to_string())],
        live,
    })
}
