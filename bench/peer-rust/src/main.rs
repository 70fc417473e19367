//! W1, W2 and W4 (of a table that another engine compacted) in the crate `paimon`, with the arguments and the lines of JSON that `headwater bench`
//! has: `peer-rust W1|W2|W4 DIR --rows N --commits C --threads T`. `bench/README.md` has the rules.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type, TimestampMillisecondType};
use arrow_array::{
    Array, ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow_schema::{DataType as Arrow, Field, Schema as ArrowSchema, TimeUnit};
use futures::TryStreamExt;
use paimon::catalog::Identifier;
use paimon::spec::{BigIntType, DataType, DecimalType, Schema, TimestampType, VarCharType};
use paimon::{Catalog, CatalogFactory, CatalogOptions, Options};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Rows made at a time.
const BATCH: u64 = 1 << 16;
const STATUS: [&str; 4] = ["created", "paid", "shipped", "refunded"];

struct Arguments {
    workload: String,
    dir: String,
    rows: u64,
    commits: u64,
    threads: usize,
}

fn arguments() -> Result<Arguments> {
    let usage = "usage: peer-rust W1|W2|W4 DIR [--rows N] [--commits C] [--threads T]";
    let mut words = std::env::args().skip(1);
    let (Some(workload), Some(dir)) = (words.next(), words.next()) else {
        return Err(usage.into());
    };
    let mut found = Arguments { workload, dir, rows: 100_000, commits: 10, threads: 2 };
    while let Some(name) = words.next() {
        let value = words.next().ok_or(usage)?.replace('_', "");
        match name.as_str() {
            "--rows" => found.rows = value.parse()?,
            "--commits" => found.commits = value.parse::<u64>()?.max(1),
            "--threads" => found.threads = value.parse::<usize>()?.max(1),
            _ => return Err(usage.into()),
        }
    }
    Ok(found)
}

fn main() -> Result<()> {
    let arguments = arguments()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match arguments.workload.as_str() {
            "W1" => write(&arguments).await,
            which @ ("W2" | "W4") => {
                let few = ["order_id", "amount", "update_time"];
                scan(&arguments, &format!("{which}-3-columns"), Some(&few)).await?;
                scan(&arguments, &format!("{which}-all-columns"), None).await
            }
            other => Err(format!("workload {other} is not done by this peer").into()),
        }
    })
}

const fn mix(x: u64) -> u64 {
    let z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn batch(rows: std::ops::Range<u64>, keys: u64) -> Result<RecordBatch> {
    let first = rows.start;
    let hashes: Vec<u64> = rows.map(mix).collect();
    let column = |value: &dyn Fn(u64) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(hashes.iter().map(|h| value(*h) as i64)))
    };
    let cents = hashes.iter().map(|h| i128::from(mix(h.wrapping_add(2)) % 1_000_000));
    let amount = Decimal128Array::from_iter_values(cents).with_precision_and_scale(12, 2)?;
    let status = hashes.iter().map(|h| STATUS[(mix(h.wrapping_add(3)) % 4) as usize]);
    let times = (0..).take(hashes.len()).map(|i: u64| (1_700_000_000_000 + first + i) as i64);
    let schema = ArrowSchema::new(vec![
        Field::new("order_id", Arrow::Int64, false),
        Field::new("user_id", Arrow::Int64, true),
        Field::new("product_id", Arrow::Int64, true),
        Field::new("amount", Arrow::Decimal128(12, 2), true),
        Field::new("status", Arrow::Utf8, true),
        Field::new("update_time", Arrow::Timestamp(TimeUnit::Millisecond, None), true),
        Field::new("comment", Arrow::Utf8, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        column(&|h| h % keys),
        column(&|h| mix(h) % 100_000),
        column(&|h| mix(h.wrapping_add(1)) % 10_000),
        Arc::new(amount),
        Arc::new(StringArray::from_iter_values(status)),
        Arc::new(TimestampMillisecondArray::from_iter_values(times)),
        Arc::new(StringArray::from_iter_values(hashes.iter().map(|h| format!("c{h:016x}")))),
    ];
    Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
}

async fn catalog(warehouse: &str) -> Result<Arc<dyn Catalog>> {
    let mut options = Options::new();
    options.set(CatalogOptions::WAREHOUSE, warehouse.to_owned());
    Ok(CatalogFactory::create(options).await?)
}

fn definition() -> Result<Schema> {
    let text = || DataType::VarChar(VarCharType::string_type());
    let long = || DataType::BigInt(BigIntType::new());
    Ok(Schema::builder()
        .column("order_id", DataType::BigInt(BigIntType::with_nullable(false)))
        .column("user_id", long())
        .column("product_id", long())
        .column("amount", DataType::Decimal(DecimalType::new(12, 2)?))
        .column("status", text())
        .column("update_time", DataType::Timestamp(TimestampType::new(3)?))
        .column("comment", text())
        .primary_key(["order_id"])
        .option("bucket", "4")
        .option("file.format", "parquet")
        .option("write-only", "true")
        .build()?)
}

async fn write(arguments: &Arguments) -> Result<()> {
    let Arguments { dir, rows, commits, .. } = arguments;
    let catalog = catalog(dir).await?;
    let name = Identifier::new("bench", "orders");
    catalog.create_database("bench", true, HashMap::new()).await?;
    if catalog.get_table(&name).await.is_ok() {
        catalog.drop_table(&name, false).await?;
    }
    catalog.create_table(&name, definition()?, false).await?;
    let table = catalog.get_table(&name).await?;

    let start = Instant::now();
    let builder = table.new_write_builder();
    let mut writer = builder.new_write()?;
    let committer = builder.new_commit();
    for commit in 0..*commits {
        let boundary = |k: u64| (u128::from(*rows) * u128::from(k) / u128::from(*commits)) as u64;
        let (mut at, end) = (boundary(commit), boundary(commit + 1));
        while at < end {
            let next = (at + BATCH).min(end);
            writer.write_arrow_batch(&batch(at..next, (rows / 2).max(1))?).await?;
            at = next;
        }
        let messages = writer.prepare_commit().await?;
        committer.commit_with_identifier(messages, commit as i64 + 1).await?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let peak = peak_rss_kb();
    let found = values(arguments, None).await?;
    print("W1", *rows, seconds, peak, *commits, &found, true);
    Ok(())
}

async fn scan(arguments: &Arguments, op: &str, columns: Option<&[&str]>) -> Result<()> {
    let start = Instant::now();
    let found = values(arguments, columns).await?;
    let seconds = start.elapsed().as_secs_f64();
    let rows = found.count;
    print(op, rows, seconds, peak_rss_kb(), arguments.commits, &found, columns.is_none());
    Ok(())
}

/// What a scan found.
#[derive(Default)]
struct Values {
    count: u64,
    keys: i64,
    cents: i128,
    max_millis: i64,
    other_bigints: i64,
    string_bytes: i64,
    files: usize,
    bytes: i64,
    file_rows: i64,
}

impl Values {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.count += batch.num_rows() as u64;
        for (position, column) in batch.columns().iter().enumerate() {
            match column.data_type() {
                Arrow::Int64 => {
                    let values = column.as_primitive::<Int64Type>().iter().flatten();
                    let sum = values.fold(0, i64::wrapping_add);
                    let into = if position == 0 { &mut self.keys } else { &mut self.other_bigints };
                    *into = into.wrapping_add(sum);
                }
                Arrow::Decimal128(..) => {
                    self.cents += column.as_primitive::<Decimal128Type>().iter().flatten().sum::<i128>();
                }
                Arrow::Timestamp(TimeUnit::Millisecond, None) => {
                    let values = column.as_primitive::<TimestampMillisecondType>().iter().flatten();
                    self.max_millis = values.fold(self.max_millis, i64::max);
                }
                Arrow::Utf8 => {
                    let texts = column.as_string::<i32>().iter().flatten();
                    self.string_bytes += texts.map(|text| text.len() as i64).sum::<i64>();
                }
                other => return Err(format!("a column of type {other}").into()),
            }
        }
        Ok(())
    }

    fn plus(&mut self, other: &Self) {
        self.count += other.count;
        self.keys = self.keys.wrapping_add(other.keys);
        self.cents += other.cents;
        self.max_millis = self.max_millis.max(other.max_millis);
        self.other_bigints = self.other_bigints.wrapping_add(other.other_bigints);
        self.string_bytes += other.string_bytes;
    }
}

async fn values(arguments: &Arguments, columns: Option<&[&str]>) -> Result<Values> {
    let table = catalog(&arguments.dir).await?.get_table(&Identifier::new("bench", "orders")).await?;
    let mut builder = table.new_read_builder();
    if let Some(columns) = columns {
        builder.with_projection(columns)?;
    }
    let plan = builder.new_scan().plan().await?;
    let mut all = Values::default();
    let mut parts = vec![Vec::new(); arguments.threads];
    for (i, split) in plan.splits().iter().enumerate() {
        for file in split.data_files() {
            all.files += 1;
            all.bytes += file.file_size;
            all.file_rows += file.row_count;
        }
        parts[i % arguments.threads].push(split.clone());
    }
    let mut scans = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        let mut batches = builder.new_read()?.to_arrow(&part)?;
        scans.push(tokio::spawn(async move {
            let mut values = Values::default();
            while let Some(batch) = batches.try_next().await? {
                values.add(&batch)?;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(values)
        }));
    }
    for scan in scans {
        all.plus(&scan.await??);
    }
    Ok(all)
}

fn peak_rss_kb() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(-1)
}

fn print(op: &str, rows: u64, seconds: f64, peak: i64, commits: u64, found: &Values, all: bool) {
    let cents = found.cents.unsigned_abs();
    let sign = if found.cents < 0 { "-" } else { "" };
    let rest = if all {
        format!(
            ",\"sum_other_bigints\":{},\"sum_string_bytes\":{}",
            found.other_bigints, found.string_bytes
        )
    } else {
        String::new()
    };
    println!(
        "{{\"engine\":\"paimon-rust\",\"op\":\"{op}\",\"rows\":{rows},\"seconds\":{seconds:.3},\
         \"rows_per_s\":{:.0},\"peak_rss_kb\":{peak},\"files\":{},\"bytes\":{},\"file_rows\":{},\
         \"commits\":{commits},\"check\":{{\"count\":{},\"sum_key\":{},\"sum_amount\":\"{sign}{}.{:02}\",\
         \"max_update_time\":{}{rest}}}}}",
        rows as f64 / seconds,
        found.files,
        found.bytes,
        found.file_rows,
        found.count,
        found.keys,
        cents / 100,
        cents % 100,
        found.max_millis,
    );
}
