//! W1: one writer writes all rows in several commits; the rows are then read back as a check.

use headwater::io::host;
use headwater::{Catalog, DataType, Env, Identifier, NewTable, Table, TypeKind};

use super::generate::{AMOUNT_PRECISION, AMOUNT_SCALE, Orders};
use super::{Measurement, read};
use crate::error::CliError;

/// Database of the workloads.
pub(super) const DATABASE: &str = "bench";
/// Commit user.
const USER: &str = "bench";
/// Rows made at a time.
const BATCH: u64 = 1 << 16;

/// How much to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amount {
    /// Rows in total.
    pub(super) rows: u64,
    /// Commits they are spread over.
    pub(super) commits: u64,
}

/// Writes table `orders`, made anew, and measures it.
pub(super) async fn run(
    warehouse: &str,
    amount: Amount,
    threads: usize,
    env: &Env,
) -> Result<Measurement, CliError> {
    let catalog = headwater::open_catalog(warehouse, true, env.clone()).await?;
    let name = Identifier::new(DATABASE, "orders");
    catalog.create_database(DATABASE, true).await?;
    catalog.drop_table(&name, true).await?;
    catalog.create_table(&name, &definition(), false).await?;
    let table = headwater::open_table(&catalog, &name).await?;

    let start = env.clock.monotonic();
    write(&table, amount, env).await?;
    let took = env.clock.monotonic().saturating_sub(start);

    let peak = host::peak_rss_kb();
    let table = headwater::open_table(&catalog, &name).await?;
    let check = read::values(&table, read::Columns::All, threads, env).await?;
    Ok(Measurement {
        op: "W1",
        rows: amount.rows,
        took,
        commits: amount.commits,
        more: vec![("write_peak_rss_kb", super::number(peak))],
        check: check.members(read::Columns::All),
        live: read::live(&table).await?,
    })
}

fn definition() -> NewTable {
    let amount = TypeKind::Decimal { precision: AMOUNT_PRECISION, scale: AMOUNT_SCALE };
    NewTable::new()
        .column("order_id", DataType::not_null(TypeKind::BigInt))
        .column("user_id", DataType::nullable(TypeKind::BigInt))
        .column("product_id", DataType::nullable(TypeKind::BigInt))
        .column("amount", DataType::nullable(amount))
        .column("status", DataType::nullable(TypeKind::STRING))
        .column("update_time", DataType::nullable(TypeKind::Timestamp(3)))
        .column("comment", DataType::nullable(TypeKind::STRING))
        .primary_key(["order_id"])
        .option("bucket", "4")
        .option("file.format", "parquet")
        .option("write-only", "true")
}

/// Writes and commits all rows; the next batch is made while the last one is written.
async fn write(table: &Table, amount: Amount, env: &Env) -> Result<(), CliError> {
    let orders = Orders::new(amount.rows / 2);
    let builder = table.new_write().commit_user(USER);
    let mut writer = builder.build().await?;
    let committer = builder.commit()?;
    for commit in 0..amount.commits {
        let end = boundary(amount, commit + 1);
        let mut next = boundary(amount, commit);
        let mut ready = None;
        loop {
            let range = next..(next + BATCH).min(end);
            next = range.end;
            let orders = orders.clone();
            let make = async {
                if range.is_empty() {
                    return Ok(None);
                }
                let batch = env.pools.run(move || orders.batch(range)).await?;
                batch.map(Some).map_err(CliError::from)
            };
            let put = async {
                match ready.take() {
                    Some(batch) => writer.write(batch).await.map_err(CliError::from),
                    None => Ok(()),
                }
            };
            let (made, ()) = futures::try_join!(make, put)?;
            let Some(batch) = made else { break };
            ready = Some(batch);
        }
        let messages = writer.prepare_commit().await?;
        let identifier = i64::try_from(commit + 1).unwrap_or(i64::MAX);
        committer.commit(identifier, messages).await?;
    }
    Ok(())
}

/// First row of a commit, and end of the one before.
fn boundary(amount: Amount, commit: u64) -> u64 {
    let rows = u128::from(amount.rows) * u128::from(commit) / u128::from(amount.commits.max(1));
    u64::try_from(rows).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Amount, boundary};

    #[test]
    fn commits_cover_all_rows_without_gap() {
        let amount = Amount { rows: 103, commits: 10 };
        let starts: Vec<u64> = (0..=10).map(|commit| boundary(amount, commit)).collect();
        assert_eq!(starts, [0, 10, 20, 30, 41, 51, 61, 72, 82, 92, 103]);
    }
}
