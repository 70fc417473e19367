//! Turns key columns into normalised keys, which compare as the columns do.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::SortOptions;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as Arrow, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use arrow_row::{RowConverter, SortField};
use headwater_spec::DataType;
use headwater_spec::types::arrow_type;

use super::Keys;
use crate::error::LsmError;

/// Normalises the key columns of a table.
///
/// Column by column: nulls first, numbers by value, `false` before `true`, strings and bytes by
/// unsigned bytes, timestamps by instant, floats in total order. All encoders of the same types
/// make comparable keys.
///
/// A single NOT NULL column of TINYINT, SMALLINT, INT, BIGINT, DATE, TIME or TIMESTAMP (with or
/// without time zone) becomes [`Keys::I64`], everything else [`Keys::Rows`].
///
/// Format: `docs/spec/binary-row.md#ordering-of-keys`. Deviation: Java's key comparator takes
/// `-0.0` for `0.0`, and NaN for equal to everything.
#[derive(Debug)]
pub struct KeyEncoder {
    arrow_types: Vec<Arrow>,
    encoding: Encoding,
}

#[derive(Debug)]
enum Encoding {
    I64,
    Rows(RowConverter),
}

impl KeyEncoder {
    /// An encoder of keys with columns of these types.
    ///
    /// # Errors
    /// [`LsmError::NoKeyColumn`] without columns, [`LsmError::KeyType`] for a type that has no
    /// order.
    pub fn new(types: &[DataType]) -> Result<Self, LsmError> {
        if let Some(column) = types.iter().position(|t| !t.kind.can_be_key()) {
            let data_type = format!("{:?}", types[column].kind);
            return Err(LsmError::KeyType { column, data_type });
        }
        let arrow_types: Vec<Arrow> = types.iter().map(|t| arrow_type(&t.kind)).collect();
        let encoding = match (types, arrow_types.as_slice()) {
            ([], _) => return Err(LsmError::NoKeyColumn),
            ([one], [arrow]) if !one.nullable && is_integer_like(arrow) => Encoding::I64,
            _ => {
                let order = SortOptions { descending: false, nulls_first: true };
                let field = |t: &Arrow| SortField::new_with_options(t.clone(), order);
                Encoding::Rows(RowConverter::new(arrow_types.iter().map(field).collect())?)
            }
        };
        Ok(Self { arrow_types, encoding })
    }

    /// The keys of some rows. `columns`: the key columns in key order, each of the Arrow type of
    /// its column type.
    ///
    /// # Errors
    /// [`LsmError::KeyColumns`] when number or types of the columns are wrong,
    /// [`LsmError::NullKey`] when a [`Keys::I64`] column holds a null.
    pub fn encode(&self, columns: &[ArrayRef]) -> Result<Keys, LsmError> {
        if !columns.iter().map(|c| c.data_type()).eq(&self.arrow_types) {
            let found: Vec<_> = columns.iter().map(|c| c.data_type()).collect();
            return Err(LsmError::KeyColumns {
                expected: format!("{:?}", self.arrow_types),
                found: format!("{found:?}"),
            });
        }
        match (&self.encoding, columns) {
            (Encoding::I64, [column]) => Ok(Keys::I64(integers(column)?)),
            (Encoding::I64, _) => Err(LsmError::NoKeyColumn),
            (Encoding::Rows(converter), _) => {
                Ok(Keys::Rows(converter.convert_columns(columns)?.try_into_binary()?))
            }
        }
    }

    /// Whether the keys are [`Keys::I64`].
    #[must_use]
    pub const fn is_native(&self) -> bool {
        matches!(self.encoding, Encoding::I64)
    }
}

pub(crate) const fn is_integer_like(arrow: &Arrow) -> bool {
    matches!(
        arrow,
        Arrow::Int8
            | Arrow::Int16
            | Arrow::Int32
            | Arrow::Int64
            | Arrow::Date32
            | Arrow::Time32(TimeUnit::Millisecond)
            | Arrow::Timestamp(
                TimeUnit::Millisecond | TimeUnit::Microsecond | TimeUnit::Nanosecond,
                _
            )
    )
}

fn integers(column: &ArrayRef) -> Result<ScalarBuffer<i64>, LsmError> {
    if column.null_count() > 0 {
        return Err(LsmError::NullKey { nulls: column.null_count(), rows: column.len() });
    }
    integers_of(column)
}

/// The values of a column that is like an integer, anything where it is null.
pub(crate) fn integers_of(column: &ArrayRef) -> Result<ScalarBuffer<i64>, LsmError> {
    Ok(match column.data_type() {
        Arrow::Int8 => widened::<Int8Type>(column),
        Arrow::Int16 => widened::<Int16Type>(column),
        Arrow::Int32 => widened::<Int32Type>(column),
        Arrow::Date32 => widened::<Date32Type>(column),
        Arrow::Time32(_) => widened::<Time32MillisecondType>(column),
        Arrow::Int64 => shared::<Int64Type>(column),
        Arrow::Timestamp(TimeUnit::Millisecond, _) => shared::<TimestampMillisecondType>(column),
        Arrow::Timestamp(TimeUnit::Microsecond, _) => shared::<TimestampMicrosecondType>(column),
        Arrow::Timestamp(TimeUnit::Nanosecond, _) => shared::<TimestampNanosecondType>(column),
        other => {
            return Err(LsmError::KeyType { column: 0, data_type: other.to_string() });
        }
    })
}

fn widened<T: ArrowPrimitiveType<Native: Into<i64>>>(column: &ArrayRef) -> ScalarBuffer<i64> {
    column.as_primitive::<T>().values().iter().map(|&v| v.into()).collect()
}

fn shared<T: ArrowPrimitiveType<Native = i64>>(column: &ArrayRef) -> ScalarBuffer<i64> {
    column.as_primitive::<T>().values().clone()
}
