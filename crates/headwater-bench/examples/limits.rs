//! What the Parquet library alone takes for the rows of W1, on one thread and in memory: a bound for
//! W1, W2 and W3. `cargo run --release -p headwater-bench --example limits -- 10000000`
//!
//! The rows of each commit are sorted by key and cut into four files, as W1 does; sorting does not
//! count. W3 decodes these files and encodes, for each bucket, the last row of each key. Each file has the columns of W1's: the key twice, sequence number, row kind, the values.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Int8Array, Int64Array, RecordBatch, UInt32Array,
};
use arrow::compute::{concat_batches, filter_record_batch, sort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use bytes::Bytes;
use headwater::io::host;
use headwater_bench::Orders;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

const COMMITS: u64 = 10;
const BUCKETS: i64 = 4;
/// Rows that a reader asks for, and that a writer gets.
const READ_ROWS: usize = 8192;
const WRITE_ROWS: usize = 16_384;

fn main() -> Result<(), Box<dyn Error>> {
    host::tune_allocator();
    let rows: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |rows| rows.parse())?;
    let orders = Orders::new(rows / 2);
    let (mut encode, mut decode_all, mut decode_three) =
        (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut stored, mut bytes) = (0, 0);
    let mut buckets: Vec<Vec<RecordBatch>> = vec![Vec::new(); usize::try_from(BUCKETS)?];
    for commit in 0..COMMITS {
        let range = rows * commit / COMMITS..rows * (commit + 1) / COMMITS;
        for (bucket, file) in buckets.iter_mut().zip(files(&orders.batch(range)?)?) {
            stored += file.num_rows();
            let (took, encoded) = timed(|| write(&file))?;
            encode += took;
            bytes += encoded.len();
            // Without the key's copy and the system columns, as a merge that needs neither.
            decode_all += timed(|| read(&encoded, &[3, 4, 5, 6, 7, 8, 9]))?.0;
            decode_three += timed(|| read(&encoded, &[3, 6, 8]))?.0;
            bucket.push(file);
        }
    }
    let (mut merged, mut encode_merged) = (0, Duration::ZERO);
    for bucket in buckets {
        let rows = last_of_each_key(&bucket)?;
        drop(bucket);
        merged += rows.num_rows();
        encode_merged += timed(|| write(&rows))?.0;
    }
    let report = format!(
        "{stored} rows of {rows} after merging within commits, {bytes} bytes; CPU seconds: encode \
         {:.2}, decode all {:.2}, decode 3 columns {:.2}; {merged} rows of all commits: encode {:.2}, \
         with decode all {:.2}\n",
        encode.as_secs_f64(),
        decode_all.as_secs_f64(),
        decode_three.as_secs_f64(),
        encode_merged.as_secs_f64(),
        (encode_merged + decode_all).as_secs_f64()
    );
    host::write_stdout(report.as_bytes())?;
    Ok(())
}

/// Runs a job. The clock counts hundredths of a second, which evens out over many jobs.
fn timed<T>(
    job: impl FnOnce() -> Result<T, Box<dyn Error>>,
) -> Result<(Duration, T), Box<dyn Error>> {
    let before = host::cpu_time().ok_or("the system does not tell processor time")?;
    let made = job()?;
    let after = host::cpu_time().unwrap_or(before);
    Ok((after.saturating_sub(before), made))
}

/// The rows of a commit as its files hold them: sorted, the last of each key.
fn files(batch: &RecordBatch) -> Result<Vec<RecordBatch>, Box<dyn Error>> {
    let sequence: ArrayRef =
        Arc::new(Int64Array::from_iter_values((0_i64..).take(batch.num_rows())));
    let kinds: ArrayRef = Arc::new(Int8Array::from(vec![0_i8; batch.num_rows()]));
    let mut fields = vec![
        Field::new("_KEY_order_id", DataType::Int64, false),
        Field::new("_SEQUENCE_NUMBER", DataType::Int64, false),
        Field::new("_VALUE_KIND", DataType::Int8, false),
    ];
    fields.extend(batch.schema().fields().iter().map(|f| Field::clone(f)));
    let mut columns = vec![Arc::clone(batch.column(0)), sequence, kinds];
    columns.extend(batch.columns().iter().map(Arc::clone));
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
    let keys = batch.column(0).as_primitive::<Int64Type>();
    let mut files = Vec::new();
    for bucket in 0..BUCKETS {
        let mine: BooleanArray = keys.iter().map(|k| k.map(|k| k % BUCKETS == bucket)).collect();
        let rows = filter_record_batch(&batch, &mine)?;
        let order = sort_to_indices(rows.column(0), None, None)?;
        let sorted = take_record_batch(&rows, &order)?;
        let keys = sorted.column(0).as_primitive::<Int64Type>().values();
        let last: BooleanArray =
            (0..keys.len()).map(|row| Some(keys.get(row + 1) != Some(&keys[row]))).collect();
        files.push(filter_record_batch(&sorted, &last)?);
    }
    Ok(files)
}

/// What a merge of the files of a bucket leaves; a later file has the newer rows.
fn last_of_each_key(files: &[RecordBatch]) -> Result<RecordBatch, Box<dyn Error>> {
    let first = files.first().ok_or("a bucket has no file")?;
    let all = concat_batches(&first.schema(), files)?;
    let keys = all.column(0).as_primitive::<Int64Type>().values();
    let mut order: Vec<(i64, u32)> = keys.iter().copied().zip(0_u32..).collect();
    order.sort_unstable();
    let last = order.iter().zip(order.iter().skip(1).map(Some).chain([None]));
    let kept = last.filter(|(this, next)| next.is_none_or(|next| next.0 != this.0));
    let kept = UInt32Array::from_iter_values(kept.map(|((_, row), _)| *row));
    Ok(take_record_batch(&all, &kept)?)
}

fn write(file: &RecordBatch) -> Result<Bytes, Box<dyn Error>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), file.schema(), Some(properties))?;
    for start in (0..file.num_rows()).step_by(WRITE_ROWS) {
        writer.write(&file.slice(start, WRITE_ROWS.min(file.num_rows() - start)))?;
    }
    Ok(writer.into_inner()?.into())
}

fn read(file: &Bytes, columns: &[usize]) -> Result<usize, Box<dyn Error>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file.clone())?;
    let mask = ProjectionMask::leaves(builder.parquet_schema(), columns.iter().copied());
    let reader = builder.with_projection(mask).with_batch_size(READ_ROWS).build()?;
    let mut rows = 0;
    for batch in reader {
        rows += batch?.num_rows();
    }
    Ok(rows)
}
