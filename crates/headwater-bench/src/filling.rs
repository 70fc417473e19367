//! The tables that are written, each with its rows: all of them follow from the rows of `orders`.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use arrow::compute::nullif;
use arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use headwater::{DataType, NewTable, TypeKind};

use crate::generate::{AMOUNT_PRECISION, AMOUNT_SCALE, Orders};

/// A table that a workload writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    /// W1: `orders`, the last row of a key stays.
    Orders,
    /// W1c: `orders_c`, the same, and the writer compacts.
    Compacted,
    /// W6: `orders_agg`, sums and a maximum for each user.
    Sums,
    /// W7: `orders_pu`, two groups of columns that rows write in turn.
    Groups,
}

impl Filling {
    pub(crate) const fn op(self) -> &'static str {
        match self {
            Self::Orders => "W1",
            Self::Compacted => "W1c",
            Self::Sums => "W6",
            Self::Groups => "W7",
        }
    }

    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Orders => "write, sort, commit",
            Self::Compacted => "write, sort, commit, compact",
            Self::Sums => "write sums and maxima, commit",
            Self::Groups => "write two groups of columns in turn, commit",
        }
    }

    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Compacted => "orders_c",
            Self::Sums => "orders_agg",
            Self::Groups => "orders_pu",
        }
    }

    /// Whether writers compact the table, as they do by default.
    pub(crate) const fn compacts(self) -> bool {
        matches!(self, Self::Compacted)
    }

    /// The table.
    pub(crate) fn definition(self) -> NewTable {
        let amount = TypeKind::Decimal { precision: AMOUNT_PRECISION, scale: AMOUNT_SCALE };
        let long = || DataType::nullable(TypeKind::BigInt);
        let time = || DataType::nullable(TypeKind::Timestamp(3));
        let text = || DataType::nullable(TypeKind::STRING);
        let key = DataType::not_null(TypeKind::BigInt);
        let table = match self {
            Self::Orders | Self::Compacted => NewTable::new()
                .column("order_id", key)
                .column("user_id", long())
                .column("product_id", long())
                .column("amount", DataType::nullable(amount))
                .column("status", text())
                .column("update_time", time())
                .column("comment", text())
                .primary_key(["order_id"]),
            Self::Sums => NewTable::new()
                .column("user_id", key)
                .column("amount", DataType::nullable(amount))
                .column("update_time", time())
                .column("cnt", long())
                .primary_key(["user_id"])
                .option("merge-engine", "aggregation")
                .option("fields.amount.aggregate-function", "sum")
                .option("fields.update_time.aggregate-function", "max")
                .option("fields.cnt.aggregate-function", "sum"),
            Self::Groups => NewTable::new()
                .column("order_id", key)
                .column("g1", time())
                .column("amount", DataType::nullable(amount))
                .column("status", text())
                .column("g2", time())
                .column("user_id", long())
                .column("comment", text())
                .primary_key(["order_id"])
                .option("merge-engine", "partial-update")
                .option("fields.g1.sequence-group", "amount,status")
                .option("fields.g2.sequence-group", "user_id,comment"),
        };
        let table = table.option("bucket", "4").option("file.format", "parquet");
        if self.compacts() { table } else { table.option("write-only", "true") }
    }

    /// The rows with these numbers.
    pub(crate) fn batch(
        self,
        orders: &Orders,
        rows: Range<u64>,
    ) -> Result<RecordBatch, ArrowError> {
        let first = rows.start;
        let batch = orders.batch(rows)?;
        let column = |at: usize| Arc::clone(batch.column(at));
        match self {
            Self::Orders | Self::Compacted => Ok(batch),
            Self::Sums => {
                let ones: ArrayRef = Arc::new(Int64Array::from(vec![1; batch.num_rows()]));
                let fields = fields(&batch, &[("user_id", 1), ("amount", 3), ("update_time", 5)]);
                let fields = fields.chain([Field::new("cnt", Arrow::Int64, true)]);
                RecordBatch::try_new(
                    required_first(fields),
                    vec![column(1), column(3), column(5), ones],
                )
            }
            Self::Groups => {
                let is_odd = |row: usize| (first + row as u64) % 2 == 1;
                let odd: BooleanArray =
                    (0..batch.num_rows()).map(|row| Some(is_odd(row))).collect();
                let even = arrow::compute::not(&odd)?;
                let of_even = |at: usize| nullif(batch.column(at).as_ref(), &odd);
                let of_odd = |at: usize| nullif(batch.column(at).as_ref(), &even);
                let named = [
                    ("order_id", 0),
                    ("g1", 5),
                    ("amount", 3),
                    ("status", 4),
                    ("g2", 5),
                    ("user_id", 1),
                    ("comment", 6),
                ];
                let columns = vec![
                    column(0),
                    of_even(5)?,
                    of_even(3)?,
                    of_even(4)?,
                    of_odd(5)?,
                    of_odd(1)?,
                    of_odd(6)?,
                ];
                RecordBatch::try_new(required_first(fields(&batch, &named)), columns)
            }
        }
    }
}

/// Columns of `orders` under other names.
fn fields<'a>(
    batch: &RecordBatch,
    named: &'a [(&'static str, usize)],
) -> impl Iterator<Item = Field> + use<'a> {
    let schema = batch.schema();
    named.iter().map(move |(name, at)| schema.field(*at).clone().with_name(*name))
}

/// A schema whose first column, the key, is never null, and all others may be.
fn required_first(fields: impl Iterator<Item = Field>) -> SchemaRef {
    let fields = fields.enumerate().map(|(at, field)| field.with_nullable(at > 0));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Int64Type, TimestampMillisecondType};

    use super::Filling;
    use crate::generate::Orders;

    #[test]
    fn rows_write_their_group_in_turn() {
        let orders = Orders::new(500);
        let plain = orders.batch(3..9).unwrap();
        let groups = Filling::Groups.batch(&orders, 3..9).unwrap();
        for row in 0..6 {
            // Row 3 is odd.
            let odd = row % 2 == 0;
            for (at, written) in
                [(1, !odd), (2, !odd), (3, !odd), (4, odd), (5, odd), (6, odd), (0, true)]
            {
                assert_eq!(groups.column(at).is_valid(row), written, "{at} {row}");
            }
        }
        let times = groups.column(4).as_primitive::<TimestampMillisecondType>();
        let plain_times = plain.column(5).as_primitive::<TimestampMillisecondType>();
        assert_eq!(times.value(0), plain_times.value(0));
    }

    #[test]
    fn sums_count_each_row_once() {
        let orders = Orders::new(500);
        let sums = Filling::Sums.batch(&orders, 0..10).unwrap();
        let plain = orders.batch(0..10).unwrap();
        assert_eq!(sums.column(0), plain.column(1));
        let counts = sums.column(3).as_primitive::<Int64Type>();
        assert_eq!(arrow::compute::sum(counts), Some(10));
    }
}
