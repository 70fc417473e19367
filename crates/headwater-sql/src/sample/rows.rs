//! The rows of `sample_orders`: a pure function of seed and row number.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Int64Builder, StringBuilder, TimestampMillisecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

/// 2024-01-01T00:00:00.
const START_MILLIS: i64 = 1_704_067_200_000;
/// New orders arrive one and a half seconds apart on average.
const MILLIS_PER_ROW: i64 = 1_500;
/// How many orders back an update may reach.
const LATEST_ORDERS: u64 = 20_000;

const PRODUCTS: [&str; 12] = [
    "机械键盘 87键",
    "USB-C cable 2m",
    "龙井茶 🍵 250g",
    "Trail shoes 👟 size 42",
    "无线鼠标",
    "Espresso beans ☕ 1kg",
    "折叠雨伞 ☔",
    "Notebook A5, dotted",
    "蓝牙耳机 🎧 Pro",
    "Müsli \"Früchte\" 750g",
    "儿童积木 🧱 500片",
    "Crème brûlée torch",
];
const CITIES: [&str; 10] =
    ["上海", "北京", "深圳", "成都", "杭州", "Berlin", "São Paulo", "東京", "İstanbul", "New York"];
const NOTES: [&str; 7] = [
    "请放门口 🚪",
    "gift 🎁, wrap it please",
    "急用 ⚡⚡",
    "call before delivery",
    "生日快乐 🎂",
    "leave with neighbour 👩‍👩‍👧",
    "fragile! 易碎",
];
/// The states of an order in the order in which they come.
const STATES: [&str; 5] = ["created", "paid", "packed", "shipped", "delivered"];

/// The columns of the function.
pub(super) fn schema() -> SchemaRef {
    let time = || DataType::Timestamp(TimeUnit::Millisecond, None);
    Arc::new(Schema::new(vec![
        Field::new("order_id", DataType::Int64, false),
        Field::new("user_id", DataType::Int64, true),
        Field::new("product", DataType::Utf8, true),
        Field::new("amount", DataType::Decimal128(12, 2), true),
        Field::new("status", DataType::Utf8, true),
        Field::new("city", DataType::Utf8, true),
        Field::new("note", DataType::Utf8, true),
        Field::new("order_time", time(), true),
        Field::new("update_time", time(), true),
    ]))
}

/// Orders of one seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Orders {
    seed: u64,
}

/// splitmix64: the `n`th number of a stream, without the ones before it.
const fn mix(stream: u64, n: u64) -> u64 {
    let mut z = stream.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// An independent stream of the same source.
const fn stream(source: u64, name: u64) -> u64 {
    mix(source, name ^ 0x5EED_0F0D_E125_0001)
}

fn pick<'a>(from: &[&'a str], bits: u64) -> &'a str {
    let count = u64::try_from(from.len()).unwrap_or(1).max(1);
    usize::try_from(bits % count).ok().and_then(|n| from.get(n).copied()).unwrap_or_default()
}

fn signed(n: u64) -> i64 {
    i64::try_from(n >> 1).unwrap_or(0)
}

impl Orders {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Rows `range` of the function's result.
    pub(super) fn batch(&self, range: Range<u64>) -> Result<RecordBatch, ArrowError> {
        let mut columns = Columns::default();
        for row in range {
            columns.push(&self.event(row));
        }
        columns.finish()
    }

    /// Seven of ten rows are new orders; the others change an older one.
    fn event(&self, row: u64) -> Event {
        let bits = mix(stream(self.seed, 1), row);
        let known = row - row * 3 / 10;
        // Row numbers whose tenth is 3, 6 or 9 bring no new order: see `known`.
        let is_update = row > 0 && known == (row + 1) - (row + 1) * 3 / 10;
        let order = if is_update {
            let back = (bits >> 8) % known.clamp(1, LATEST_ORDERS);
            known - 1 - back
        } else {
            known
        };
        Event { order: self.order(order), row, is_update, bits }
    }

    /// What never changes about an order.
    fn order(&self, number: u64) -> Order {
        let source = stream(self.seed, 2);
        let bits = mix(source, number);
        let cents = 100 + signed(mix(source, number ^ (1 << 62)) % 1_000_000);
        Order {
            number,
            user: 1 + bits % 50_000,
            product: pick(&PRODUCTS, bits >> 16),
            cents,
            city: (!(bits >> 32).is_multiple_of(50)).then(|| pick(&CITIES, bits >> 40)),
            created_row: number * 10 / 7,
        }
    }
}

struct Order {
    number: u64,
    user: u64,
    product: &'static str,
    cents: i64,
    city: Option<&'static str>,
    /// About the row that brought the order.
    created_row: u64,
}

struct Event {
    order: Order,
    row: u64,
    is_update: bool,
    bits: u64,
}

impl Event {
    fn status(&self) -> &'static str {
        if !self.is_update {
            return STATES[0];
        }
        match self.bits % 16 {
            0 => "cancelled",
            1 => "returned 退货",
            other => pick(&STATES[1..], other),
        }
    }

    fn note(&self) -> Option<&'static str> {
        ((self.bits >> 20) % 10 < 3).then(|| pick(&NOTES, self.bits >> 24))
    }

    fn order_millis(&self) -> i64 {
        at(self.order.created_row) + signed(mix(self.order.number, 3) % 2_000)
    }

    /// One update in twelve arrives late: it happened up to six hours before its row.
    fn update_millis(&self) -> i64 {
        let now = at(self.row) + 2_000 + signed(self.bits % 2_000);
        let late = self.is_update && (self.bits >> 36).is_multiple_of(12);
        let delay = if late { signed((self.bits >> 40) % 43_200_000) } else { 0 };
        (now - delay).max(self.order_millis())
    }
}

fn at(row: u64) -> i64 {
    START_MILLIS.saturating_add(i64::try_from(row).unwrap_or(0).saturating_mul(MILLIS_PER_ROW))
}

#[derive(Default)]
struct Columns {
    order_id: Int64Builder,
    user_id: Int64Builder,
    product: StringBuilder,
    amount: Decimal128Builder,
    status: StringBuilder,
    city: StringBuilder,
    note: StringBuilder,
    order_time: TimestampMillisecondBuilder,
    update_time: TimestampMillisecondBuilder,
}

impl Columns {
    fn push(&mut self, event: &Event) {
        let order = &event.order;
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.order_id.append_value(number(order.number.saturating_add(1)));
        self.user_id.append_value(number(order.user));
        self.product.append_value(order.product);
        if event.is_update && event.bits.is_multiple_of(97) {
            self.amount.append_null();
        } else {
            self.amount.append_value(i128::from(order.cents));
        }
        self.status.append_value(event.status());
        self.city.append_option(order.city);
        self.note.append_option(event.note());
        self.order_time.append_value(event.order_millis());
        self.update_time.append_value(event.update_millis());
    }

    fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let amount = self.amount.finish().with_precision_and_scale(12, 2)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.order_id.finish()),
            Arc::new(self.user_id.finish()),
            Arc::new(self.product.finish()),
            Arc::new(amount),
            Arc::new(self.status.finish()),
            Arc::new(self.city.finish()),
            Arc::new(self.note.finish()),
            Arc::new(self.order_time.finish()),
            Arc::new(self.update_time.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_rows_in_any_batches() {
        let whole = Orders::new(7).batch(0..500).unwrap();
        let tail = Orders::new(7).batch(123..500).unwrap();
        assert_eq!(whole.slice(123, 377), tail);
        assert_ne!(whole, Orders::new(8).batch(0..500).unwrap());
    }

    #[test]
    fn orders_are_numbered_without_gaps_and_updated_several_times() {
        let rows = Orders::new(1).batch(0..10_000).unwrap();
        let ids = rows.column(0).as_primitive::<Int64Type>();
        let mut seen: HashMap<i64, usize> = HashMap::new();
        let mut newest = 0;
        for id in ids.values() {
            let count = seen.entry(*id).or_default();
            if *count == 0 {
                assert_eq!(*id, newest + 1, "an update of an order that does not exist");
                newest = *id;
            }
            *count += 1;
        }
        assert_eq!(newest, 7_000);
        assert!(seen.values().any(|count| *count >= 4));
    }

    #[test]
    fn nulls_late_updates_and_all_scripts_occur() {
        let rows = Orders::new(1).batch(0..10_000).unwrap();
        for column in ["amount", "city", "note"] {
            let nulls = rows.column_by_name(column).unwrap().null_count();
            assert!(nulls > 5 && nulls < 8_000, "{column}: {nulls}");
        }
        let products = rows.column_by_name("product").unwrap().as_string::<i32>();
        assert!(products.iter().flatten().any(|p| p.contains('🍵')));
        let updates = rows.column_by_name("update_time").unwrap();
        let updates = updates.as_primitive::<arrow::datatypes::TimestampMillisecondType>().values();
        let late = updates.windows(2).filter(|pair| pair[1] < pair[0] - 600_000).count();
        assert!(late > 50, "{late}");
        let created = rows.column_by_name("order_time").unwrap();
        let created = created.as_primitive::<arrow::datatypes::TimestampMillisecondType>().values();
        assert!(updates.iter().zip(created).all(|(u, c)| u >= c));
    }
}
