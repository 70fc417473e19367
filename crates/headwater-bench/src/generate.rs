//! The rows of the standard workload, made column by column; `bench/README.md#rows` has the rules.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

/// Precision of `amount`.
pub(super) const AMOUNT_PRECISION: u8 = 12;
/// Scale of `amount`.
pub(super) const AMOUNT_SCALE: u8 = 2;
/// `update_time` of row 0.
const FIRST_MILLIS: u64 = 1_700_000_000_000;
/// Bytes of every comment: `c` and the digits of a 64-bit number.
const COMMENT_BYTES: usize = 17;
const STATUS: [&str; 4] = ["created", "paid", "shipped", "refunded"];
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Scatters the bits of a number (the output function of SplitMix64).
pub(super) const fn mix(x: u64) -> u64 {
    let z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Makes the rows of table `orders`.
#[derive(Debug, Clone)]
pub struct Orders {
    keys: u64,
    schema: SchemaRef,
}

impl Orders {
    /// Rows whose `order_id` is below `keys`; at least one key.
    #[must_use]
    pub fn new(keys: u64) -> Self {
        let amount = DataType::Decimal128(AMOUNT_PRECISION, AMOUNT_SCALE.cast_signed());
        let schema = Schema::new(vec![
            Field::new("order_id", DataType::Int64, false),
            Field::new("user_id", DataType::Int64, true),
            Field::new("product_id", DataType::Int64, true),
            Field::new("amount", amount, true),
            Field::new("status", DataType::Utf8, true),
            Field::new("update_time", DataType::Timestamp(TimeUnit::Millisecond, None), true),
            Field::new("comment", DataType::Utf8, true),
        ]);
        Self { keys: keys.max(1), schema: Arc::new(schema) }
    }

    /// The rows with these numbers.
    ///
    /// # Errors
    /// The texts of so many rows do not fit into one array.
    pub fn batch(&self, rows: Range<u64>) -> Result<RecordBatch, ArrowError> {
        let first = rows.start;
        let hashes: Vec<u64> = rows.map(mix).collect();
        let column = |value: &dyn Fn(u64) -> u64| -> ArrayRef {
            let values: Vec<i64> = hashes.iter().map(|h| value(*h).cast_signed()).collect();
            Arc::new(Int64Array::from(values))
        };
        let keys = self.keys;
        let amount: Decimal128Array = hashes
            .iter()
            .map(|h| i128::from(mix(h.wrapping_add(2)) % 1_000_000))
            .collect::<Vec<_>>()
            .into();
        let amount =
            amount.with_precision_and_scale(AMOUNT_PRECISION, AMOUNT_SCALE.cast_signed())?;
        let times: Vec<i64> =
            (FIRST_MILLIS.wrapping_add(first)..).take(hashes.len()).map(u64::cast_signed).collect();
        let columns: Vec<ArrayRef> = vec![
            column(&|h| h % keys),
            column(&|h| mix(h) % 100_000),
            column(&|h| mix(h.wrapping_add(1)) % 10_000),
            Arc::new(amount),
            Arc::new(status(&hashes)?),
            Arc::new(TimestampMillisecondArray::from(times)),
            Arc::new(comment(&hashes)?),
        ];
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}

fn status(hashes: &[u64]) -> Result<StringArray, ArrowError> {
    let mut text = Vec::with_capacity(hashes.len() * 8);
    let mut lengths = Vec::with_capacity(hashes.len());
    for h in hashes {
        let name = match mix(h.wrapping_add(3)) % 4 {
            0 => STATUS[0],
            1 => STATUS[1],
            2 => STATUS[2],
            _ => STATUS[3],
        };
        text.extend_from_slice(name.as_bytes());
        lengths.push(name.len());
    }
    StringArray::try_new(OffsetBuffer::from_lengths(lengths), Buffer::from_vec(text), None)
}

fn comment(hashes: &[u64]) -> Result<StringArray, ArrowError> {
    let mut text = Vec::with_capacity(hashes.len() * COMMENT_BYTES);
    for h in hashes {
        let mut digits = [b'c'; COMMENT_BYTES];
        for (byte, pair) in h.to_be_bytes().into_iter().zip(digits[1..].chunks_exact_mut(2)) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        text.extend_from_slice(&digits);
    }
    let offsets = OffsetBuffer::from_repeated_length(COMMENT_BYTES, hashes.len());
    StringArray::try_new(offsets, Buffer::from_vec(text), None)
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMillisecondType};

    use super::{FIRST_MILLIS, Orders, STATUS, mix};

    #[test]
    fn mix_gives_the_sequence_of_splitmix64() {
        // The first outputs of the published generator with seed 0, which adds the constant each time.
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(mix(0x9E37_79B9_7F4A_7C15), 0x6E78_9E6A_A1B9_65F4);
        assert_eq!(mix(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(2)), 0x06C4_5D18_8009_454F);
    }

    #[test]
    fn rows_follow_the_formulas_one_by_one() {
        let keys = 500;
        let batch = Orders::new(keys).batch(7..1_000).unwrap();
        assert_eq!(batch.num_rows(), 993);
        for (row, i) in (7..1_000_u64).enumerate() {
            let h = mix(i);
            let long = |column: usize| batch.column(column).as_primitive::<Int64Type>().value(row);
            assert_eq!(long(0), (h % keys).cast_signed());
            assert_eq!(long(1), (mix(h) % 100_000).cast_signed());
            assert_eq!(long(2), (mix(h.wrapping_add(1)) % 10_000).cast_signed());
            let cents = batch.column(3).as_primitive::<Decimal128Type>().value(row);
            assert_eq!(cents, i128::from(mix(h.wrapping_add(2)) % 1_000_000));
            let status = usize::try_from(mix(h.wrapping_add(3)) % 4).unwrap();
            assert_eq!(batch.column(4).as_string::<i32>().value(row), STATUS[status]);
            let time = batch.column(5).as_primitive::<TimestampMillisecondType>().value(row);
            assert_eq!(time, (FIRST_MILLIS + i).cast_signed());
            assert_eq!(batch.column(6).as_string::<i32>().value(row), format!("c{h:016x}"));
        }
    }

    #[test]
    fn rows_do_not_depend_on_how_they_are_cut() {
        let orders = Orders::new(50);
        let whole = orders.batch(0..100).unwrap();
        assert_eq!(whole.slice(40, 60), orders.batch(40..100).unwrap());
    }

    #[test]
    fn no_rows_make_an_empty_batch() {
        assert_eq!(Orders::new(0).batch(3..3).unwrap().num_rows(), 0);
    }
}
