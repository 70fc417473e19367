//! W1, W1c, W6, W7: one writer writes all rows in several commits; the rows are then read back as a check.

use std::ops::Range;

use futures::StreamExt;
use headwater::io::host;
use headwater::{Catalog, CatalogOptions, Env, FileSystemCatalog, Identifier, SyncMode, Table};

use super::filling::Filling;
use super::generate::Orders;
use crate::error::BenchError;
use crate::{Measurement, read};

/// Database of the workloads.
pub(super) const DATABASE: &str = "bench";
/// Commit user.
const USER: &str = "bench";
/// Rows made at a time.
const BATCH: u64 = 1 << 16;
/// Batches that are made before the one at hand is written.
const AHEAD: usize = 2;

/// How much to write.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Rows in total.
    pub rows: u64,
    /// Commits they are spread over.
    pub commits: u64,
}

/// Writes the table, made anew, and measures it. `threads` are for the check.
///
/// # Errors
/// The table cannot be made, written or read back.
pub async fn fill(
    filling: Filling,
    (warehouse, sync): (&str, SyncMode),
    amount: Amount,
    threads: usize,
    env: &Env,
) -> Result<Measurement, BenchError> {
    let options = CatalogOptions { create: true, sync };
    let catalog = headwater::open_catalog_with(warehouse, options, env.clone()).await?;
    let table = new_table(filling, &catalog).await?;

    let (start, cpu) = (env.clock.monotonic(), host::cpu_time());
    write(filling, &table, amount, env).await?;
    let took = env.clock.monotonic().saturating_sub(start);

    let cpu = crate::cpu_seconds(cpu);
    let peak = host::peak_rss_kb();
    let check = read::values(&table, read::Columns::All, threads, env).await?;
    Ok(Measurement {
        op: filling.op(),
        what: filling.what(),
        // Of what is not compacted, everything that was written is still live.
        whole: !filling.compacts(),
        rows: amount.rows,
        took,
        commits: amount.commits,
        more: vec![("write_peak_rss_kb", crate::number(peak)), ("cpu_seconds", cpu)],
        check: check.members(read::Columns::All),
        live: read::live(&table).await?,
    })
}

/// Drops the table of an earlier run and makes it anew.
async fn new_table(filling: Filling, catalog: &FileSystemCatalog) -> headwater::Result<Table> {
    let name = Identifier::new(DATABASE, filling.table());
    catalog.create_database(DATABASE, true).await?;
    catalog.drop_table(&name, true).await?;
    catalog.create_table(&name, &filling.definition(), false).await?;
    headwater::open_table(catalog, &name).await
}

/// Writes and commits all rows; the next rows are made while the last ones are written.
async fn write(
    filling: Filling,
    table: &Table,
    amount: Amount,
    env: &Env,
) -> Result<(), BenchError> {
    let orders = Orders::new(amount.rows / 2);
    let mut writer = table.new_write().commit_user(USER).build()?;
    let made = pieces(amount).map(|(rows, commit)| {
        let orders = orders.clone();
        let batch = env.pools.run(move || filling.batch(&orders, rows));
        async move { Ok::<_, BenchError>((batch.await??, commit)) }
    });
    let mut made = std::pin::pin!(futures::stream::iter(made).buffered(AHEAD));
    while let Some(piece) = made.next().await {
        let (batch, commit) = piece?;
        writer.write(&batch).await?;
        let Some(identifier) = commit else { continue };
        let outcome = if identifier == amount.commits.cast_signed() {
            writer.commit_waiting(identifier).await?
        } else {
            writer.commit(identifier).await?
        };
        if let Some(reason) = outcome.compaction.failed {
            return Err(BenchError::Compaction { reason });
        }
    }
    Ok(())
}

/// The rows in the order in which they are written, and the commit that ends with them.
fn pieces(amount: Amount) -> impl Iterator<Item = (Range<u64>, Option<i64>)> {
    (0..amount.commits).flat_map(move |commit| {
        let (start, end) = (boundary(amount, commit), boundary(amount, commit + 1));
        let count = (end - start).div_ceil(BATCH).max(1);
        (0..count).map(move |piece| {
            let first = start + piece * BATCH;
            let last = piece + 1 == count;
            let rows = first..if last { end } else { first + BATCH };
            (rows, last.then(|| commit.wrapping_add(1).cast_signed()))
        })
    })
}

/// First row of a commit, and end of the one before.
fn boundary(amount: Amount, commit: u64) -> u64 {
    let rows = u128::from(amount.rows) * u128::from(commit) / u128::from(amount.commits.max(1));
    u64::try_from(rows).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Amount, BATCH, boundary, pieces};

    #[test]
    fn commits_cover_all_rows_without_gap() {
        let amount = Amount { rows: 103, commits: 10 };
        let starts: Vec<u64> = (0..=10).map(|commit| boundary(amount, commit)).collect();
        assert_eq!(starts, [0, 10, 20, 30, 41, 51, 61, 72, 82, 92, 103]);
    }

    #[test]
    fn pieces_are_the_rows_of_each_commit_in_order() {
        let found: Vec<_> = pieces(Amount { rows: BATCH + 11, commits: 1 }).collect();
        assert_eq!(found, [(0..BATCH, None), (BATCH..BATCH + 11, Some(1))]);
        let found: Vec<_> = pieces(Amount { rows: 1, commits: 2 }).collect();
        assert_eq!(found, [(0..0, Some(1)), (0..1, Some(2))]);
    }
}
