//! One value outside of a batch: partition values, keys, statistics, literals.

use std::cmp::Ordering;

/// A non-null value of a column type. Null is `Option::<Datum>::None`.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// BOOLEAN
    Boolean(bool),
    /// TINYINT
    TinyInt(i8),
    /// SMALLINT
    SmallInt(i16),
    /// INT
    Int(i32),
    /// BIGINT
    BigInt(i64),
    /// FLOAT
    Float(f32),
    /// DOUBLE
    Double(f64),
    /// DECIMAL: `unscaled * 10^-scale`
    Decimal {
        /// The digits as an integer.
        unscaled: i128,
        /// Digits in total, 1 to 38.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// CHAR, VARCHAR, STRING
    String(String),
    /// BINARY, VARBINARY, BYTES
    Bytes(Vec<u8>),
    /// DATE: days since 1970-01-01
    Date(i32),
    /// TIME: milliseconds of the day
    Time(i32),
    /// TIMESTAMP and TIMESTAMP WITH LOCAL TIME ZONE
    Timestamp {
        /// Milliseconds since 1970-01-01T00:00:00, rounded towards minus infinity.
        millis: i64,
        /// Nanoseconds inside the millisecond, 0 to 999,999.
        nanos: u32,
    },
    /// ARRAY
    Array(Vec<Option<Datum>>),
    /// MAP and MULTISET, in stored order
    Map(Vec<(Option<Datum>, Option<Datum>)>),
    /// ROW
    Row(Vec<Option<Datum>>),
    /// VARIANT: value and metadata bytes
    Variant {
        /// Encoded value.
        value: Vec<u8>,
        /// Dictionary of field names.
        metadata: Vec<u8>,
    },
}

impl Datum {
    /// Order of two values of one type, as keys and statistics are ordered; `None` when the types
    /// differ or have no order.
    ///
    /// Numbers compare by value, strings and bytes by unsigned bytes, timestamps by instant.
    /// Floats compare in total order, NaN last.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::TinyInt(a), Self::TinyInt(b)) => a.cmp(b),
            (Self::SmallInt(a), Self::SmallInt(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b))
            | (Self::Date(a), Self::Date(b))
            | (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::BigInt(a), Self::BigInt(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (
                Self::Decimal { unscaled: a, scale: s, .. },
                Self::Decimal { unscaled: b, scale: t, .. },
            ) if s == t => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Timestamp { millis: a, nanos: n }, Self::Timestamp { millis: b, nanos: m }) => {
                (a, n).cmp(&(b, m))
            }
            _ => return None,
        })
    }
}
