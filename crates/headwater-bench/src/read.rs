//! W2 and W4: scans that touch every value of the columns they read.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, TimeUnit, TimestampMillisecondType};
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use headwater::io::host;
use headwater::{Env, Identifier, Split, Table};

use super::generate::AMOUNT_SCALE;
use super::write::DATABASE;
use super::{Live, Measurement};
use crate::error::BenchError;

/// Columns of the narrow scan.
const NARROW: [&str; 3] = ["order_id", "amount", "update_time"];

/// Which check values a scan gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// Key, amount and time.
    Three,
    /// Also the other numbers and the texts.
    All,
}

impl Columns {
    const fn op(self, compacted: bool) -> &'static str {
        match (self, compacted) {
            (Self::Three, false) => "W2-3-columns",
            (Self::All, false) => "W2-all-columns",
            (Self::Three, true) => "W4-3-columns",
            (Self::All, true) => "W4-all-columns",
        }
    }

    const fn what(self, compacted: bool) -> &'static str {
        match (self, compacted) {
            (Self::Three, false) => "merge-on-read scan, 3 columns",
            (Self::All, false) => "merge-on-read scan, all columns",
            (Self::Three, true) => "scan after compaction, 3 columns",
            (Self::All, true) => "scan after compaction, all columns",
        }
    }

    const fn projection(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Three => Some(&NARROW),
            Self::All => None,
        }
    }
}

/// Table `orders` as the last W1 left it.
///
/// # Errors
/// It cannot be opened.
pub async fn orders(warehouse: &str, env: &Env) -> Result<Table, BenchError> {
    let catalog = headwater::open_catalog(warehouse, false, env.clone()).await?;
    Ok(headwater::open_table(&catalog, &Identifier::new(DATABASE, "orders")).await?)
}

/// W2, and W4 of a compacted table: scans the table once, `threads` splits at a time. `commits` is only
/// reported.
///
/// # Errors
/// It cannot be read, or is not the workload's.
pub async fn scan(
    table: &Table,
    (columns, compacted): (Columns, bool),
    threads: usize,
    commits: u64,
    env: &Env,
) -> Result<Measurement, BenchError> {
    let (start, cpu) = (env.clock.monotonic(), host::cpu_time());
    let check = values(table, columns, threads, env).await?;
    let took = env.clock.monotonic().saturating_sub(start);
    let cpu = crate::cpu_seconds(cpu);
    Ok(Measurement {
        op: columns.op(compacted),
        what: columns.what(compacted),
        whole: columns == Columns::All,
        rows: check.count,
        took,
        commits,
        more: vec![("threads", threads.to_string()), ("cpu_seconds", cpu)],
        check: check.members(columns),
        live: live(table).await?,
    })
}

/// Files, bytes and rows in files of the newest snapshot.
pub(super) async fn live(table: &Table) -> Result<Live, BenchError> {
    let plan = table.new_read().plan().await?;
    let mut live = Live::default();
    for file in plan.splits.iter().flat_map(Split::files) {
        live.files += 1;
        live.bytes += file.file_size;
        live.rows += file.row_count;
    }
    Ok(live)
}

/// Reads all rows, `threads` splits at a time, and adds up their values.
pub(super) async fn values(
    table: &Table,
    columns: Columns,
    threads: usize,
    env: &Env,
) -> Result<Values, BenchError> {
    let mut read = table.new_read();
    if let Some(names) = columns.projection() {
        read = read.columns(names)?;
    }
    let plan = read.plan().await?;
    let scans = plan.splits.into_iter().map(|split| {
        let read = read.clone();
        env.pools.spawn(async move {
            let mut values = Values::default();
            let mut batches = read.read(&split)?;
            while let Some(batch) = batches.next().await {
                values.add(&batch?)?;
            }
            Ok::<_, BenchError>(values)
        })
    });
    futures::stream::iter(scans)
        .buffer_unordered(threads)
        .map(|scan| scan.map_err(BenchError::from).flatten())
        .try_fold(Values::default(), |all, one| async move { Ok(all.plus(one)) })
        .await
}

/// Sums over rows that every engine must agree on. Sums wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Values {
    count: u64,
    keys: i64,
    cents: i64,
    max_millis: i64,
    other_bigints: i64,
    string_bytes: i64,
}

impl Default for Values {
    fn default() -> Self {
        let (count, keys, cents, other_bigints, string_bytes) = (0, 0, 0, 0, 0);
        Self { count, keys, cents, max_millis: i64::MIN, other_bigints, string_bytes }
    }
}

impl Values {
    /// Adds the rows of a batch whose first column is the key.
    fn add(&mut self, batch: &RecordBatch) -> Result<(), BenchError> {
        self.count += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        for (position, column) in batch.columns().iter().enumerate() {
            match column.data_type() {
                DataType::Int64 if position == 0 => add_longs(&mut self.keys, column),
                DataType::Int64 => add_longs(&mut self.other_bigints, column),
                DataType::Decimal128(..) => {
                    let values = column.as_primitive::<Decimal128Type>();
                    let sum = values.iter().flatten().fold(0_i128, i128::wrapping_add);
                    self.cents = self.cents.wrapping_add(low_bits(sum));
                }
                DataType::Timestamp(TimeUnit::Millisecond, None) => {
                    let values = column.as_primitive::<TimestampMillisecondType>();
                    let latest = arrow::compute::max(values);
                    self.max_millis = self.max_millis.max(latest.unwrap_or(i64::MIN));
                }
                DataType::Utf8 => {
                    self.string_bytes = self.string_bytes.wrapping_add(string_bytes(column));
                }
                other => {
                    return Err(BenchError::Column {
                        column: batch.schema().field(position).name().clone(),
                        reason: format!("the workload has no column of type {other}"),
                    });
                }
            }
        }
        Ok(())
    }

    fn plus(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            keys: self.keys.wrapping_add(other.keys),
            cents: self.cents.wrapping_add(other.cents),
            max_millis: self.max_millis.max(other.max_millis),
            other_bigints: self.other_bigints.wrapping_add(other.other_bigints),
            string_bytes: self.string_bytes.wrapping_add(other.string_bytes),
        }
    }

    /// Members of the JSON object `check`.
    pub(super) fn members(&self, columns: Columns) -> Vec<(&'static str, String)> {
        let mut members = vec![
            ("count", self.count.to_string()),
            ("sum_key", self.keys.to_string()),
            ("sum_amount", format!("\"{}\"", amount(self.cents))),
            ("max_update_time", self.max_millis.to_string()),
        ];
        if columns == Columns::All {
            members.push(("sum_other_bigints", self.other_bigints.to_string()));
            members.push(("sum_string_bytes", self.string_bytes.to_string()));
        }
        members
    }
}

fn add_longs(sum: &mut i64, column: &ArrayRef) {
    let values = column.as_primitive::<Int64Type>();
    *sum = sum.wrapping_add(arrow::compute::sum(values).unwrap_or(0));
}

/// Bytes of all texts that are not null; each text is looked at.
fn string_bytes(column: &ArrayRef) -> i64 {
    let texts = column.as_string::<i32>();
    let lengths = texts.offsets().windows(2).map(|pair| i64::from(pair[1]) - i64::from(pair[0]));
    match texts.nulls() {
        None => lengths.sum(),
        Some(nulls) => {
            let valid = BooleanArray::from(nulls.inner().clone());
            lengths.zip(valid.values()).filter_map(|(length, valid)| valid.then_some(length)).sum()
        }
    }
}

/// The low 64 bits of a number.
fn low_bits(value: i128) -> i64 {
    let bytes = value.to_le_bytes();
    let mut low = [0; 8];
    low.copy_from_slice(&bytes[..8]);
    i64::from_le_bytes(low)
}

/// Cents as an amount with two digits after the point.
fn amount(cents: i64) -> String {
    let (sign, cents) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
    let unit = 10_u64.pow(u32::from(AMOUNT_SCALE));
    format!("{sign}{}.{:02}", cents / unit, cents % unit)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::generate::{Orders, mix};
    use super::{Columns, Values, amount, low_bits};

    #[test]
    fn values_of_generated_rows_are_those_of_the_formulas() {
        let (rows, keys) = (10_000_u64, 5_000);
        let mut found = Values::default();
        for start in (0..rows).step_by(3_333) {
            let batch = Orders::new(keys).batch(start..(start + 3_333).min(rows)).unwrap();
            let mut part = Values::default();
            part.add(&batch).unwrap();
            found = found.plus(part);
        }
        let status = [7, 4, 7, 8];
        let mut expected = Values { max_millis: 1_700_000_009_999, ..Values::default() };
        for i in 0..rows {
            let h = mix(i);
            expected.count += 1;
            expected.keys += (h % keys).cast_signed();
            expected.cents += (mix(h.wrapping_add(2)) % 1_000_000).cast_signed();
            let ids = mix(h) % 100_000 + mix(h.wrapping_add(1)) % 10_000;
            expected.other_bigints += ids.cast_signed();
            let status = status[usize::try_from(mix(h.wrapping_add(3)) % 4).unwrap()];
            expected.string_bytes += 17 + status;
        }
        assert_eq!(found, expected);
    }

    /// Known result of the workload at 10,000,000 rows, in the small: the last row of a key stays.
    #[test]
    fn newest_rows_per_key_give_the_check_values_of_a_small_run() {
        let keys = 500;
        let mut newest = HashMap::new();
        for i in 0..1_000_u64 {
            newest.insert(mix(i) % keys, i);
        }
        let mut found = Values::default();
        for i in newest.values() {
            found.add(&Orders::new(keys).batch(*i..i + 1).unwrap()).unwrap();
        }
        assert_eq!(found.count, u64::try_from(newest.len()).unwrap());
        assert_eq!(found.keys, newest.keys().sum::<u64>().cast_signed());
        assert_eq!(found.max_millis, 1_700_000_000_999);
        let names: Vec<_> = found.members(Columns::All).into_iter().map(|(name, _)| name).collect();
        let expected = [
            "count",
            "sum_key",
            "sum_amount",
            "max_update_time",
            "sum_other_bigints",
            "sum_string_bytes",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn amounts_have_two_digits() {
        assert_eq!(amount(2_161_739_787_340), "21617397873.40");
        assert_eq!(amount(5), "0.05");
        assert_eq!(amount(-105), "-1.05");
    }

    #[test]
    fn low_bits_wrap_like_a_64_bit_sum() {
        assert_eq!(low_bits(i128::from(i64::MAX) + 1), i64::MIN);
        assert_eq!(low_bits(-1), -1);
    }
}
