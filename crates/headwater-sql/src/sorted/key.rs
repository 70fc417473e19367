//! Values of a column as bytes that sort like them, for the curves; a null is as the least value.
//!
//! Source: Paimon 1.4.2 `ZIndexer`, `ZOrderByteUtils`; where these keep no order, this does
//! (`compat/deviations.md`).

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType,
};
use arrow::error::ArrowError;
use datafusion::error::{DataFusionError, Result};

use super::curve::{hilbert, interleave};

/// Bytes of a value that is neither a text nor binary data.
const FIXED: usize = 8;

/// A curve through the values of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    /// With so many bytes of texts and binary data.
    Zorder(usize),
    Hilbert,
}

/// The places of rows on the curve.
pub(super) fn places(curve: Curve, columns: &[ArrayRef]) -> Result<BinaryArray> {
    let text_bytes = match curve {
        Curve::Zorder(bytes) => bytes,
        Curve::Hilbert => FIXED,
    };
    let columns: Vec<Column> =
        columns.iter().map(|column| Column::of(column, text_bytes)).collect::<Result<_>>()?;
    let rows = columns.first().map_or(0, Column::rows);
    let width: usize = columns.iter().map(|column| column.width).sum();
    let mut all = Vec::with_capacity(rows.saturating_mul(width));
    let mut point = Vec::with_capacity(columns.len());
    let mut parts: Vec<&[u8]> = Vec::with_capacity(columns.len());
    for row in 0..rows {
        parts.clear();
        parts.extend(columns.iter().map(|column| column.value(row)));
        match curve {
            Curve::Zorder(_) => interleave(&parts, &mut all),
            Curve::Hilbert => {
                point.clear();
                point.extend(parts.iter().map(|part| number(part)));
                hilbert(&mut point, &mut all);
            }
        }
    }
    Ok(BinaryArray::from_iter_values(all.chunks(width.max(1))))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(FIXED).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// A column, as bytes of the same number for each row.
struct Column {
    width: usize,
    bytes: Vec<u8>,
}

impl Column {
    fn rows(&self) -> usize {
        self.bytes.len() / self.width.max(1)
    }

    fn value(&self, row: usize) -> &[u8] {
        let from = row.saturating_mul(self.width);
        self.bytes.get(from..from.saturating_add(self.width)).unwrap_or_default()
    }

    fn of(column: &ArrayRef, text_bytes: usize) -> Result<Self> {
        let wrong = || {
            DataFusionError::from(ArrowError::SchemaError(format!(
                "rows cannot be put on a curve by {}",
                column.data_type()
            )))
        };
        Ok(match column.data_type() {
            Arrow::Utf8 => {
                let texts = column.as_string_opt::<i32>().ok_or_else(wrong)?;
                Self::texts(texts.iter().map(|text| text.map(str::as_bytes)), text_bytes)
            }
            Arrow::Binary => {
                let values = column.as_binary_opt::<i32>().ok_or_else(wrong)?;
                Self::texts(values.iter(), text_bytes)
            }
            Arrow::Boolean => {
                let values = column.as_boolean_opt().ok_or_else(wrong)?;
                Self::numbers(values.iter().map(|v| v.map(|v| if v { TRUE } else { 0 })))
            }
            Arrow::Float32 | Arrow::Float64 => {
                let values = cast(column, &Arrow::Float64)?;
                let values = values.as_primitive_opt::<Float64Type>().ok_or_else(wrong)?;
                Self::numbers(values.iter().map(|v| v.map(of_float)))
            }
            Arrow::Decimal128(..) => {
                let values = column.as_primitive_opt::<Decimal128Type>().ok_or_else(wrong)?;
                Self::numbers(values.iter().map(|v| v.map(of_unscaled)))
            }
            Arrow::Timestamp(..) => {
                let millis = cast(column, &Arrow::Timestamp(TimeUnit::Millisecond, None))?;
                let millis =
                    millis.as_primitive_opt::<TimestampMillisecondType>().ok_or_else(wrong)?;
                Self::numbers(millis.iter().map(|v| v.map(of_integer)))
            }
            Arrow::Date32 | Arrow::Time32(_) => {
                let days = cast(column, &Arrow::Int32)?;
                return Self::of(&days, text_bytes);
            }
            Arrow::Int8 | Arrow::Int16 | Arrow::Int32 | Arrow::Int64 => {
                let values = cast(column, &Arrow::Int64)?;
                let values = values.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
                Self::numbers(values.iter().map(|v| v.map(of_integer)))
            }
            _ => return Err(wrong()),
        })
    }

    fn numbers(values: impl Iterator<Item = Option<u64>>) -> Self {
        let bytes = values.flat_map(|value| value.unwrap_or(0).to_be_bytes()).collect();
        Self { width: FIXED, bytes }
    }

    /// The first bytes of each, with zeros behind shorter ones.
    fn texts<'a>(values: impl Iterator<Item = Option<&'a [u8]>>, width: usize) -> Self {
        let mut bytes = Vec::new();
        for value in values {
            let end = bytes.len().saturating_add(width);
            let value = value.unwrap_or_default();
            bytes.extend_from_slice(value.get(..width).unwrap_or(value));
            bytes.resize(end, 0);
        }
        Self { width, bytes }
    }
}

const SIGN: u64 = 1 << 63;
const TRUE: u64 = 0x81 << 56;

/// Negative numbers come first.
const fn of_integer(value: i64) -> u64 {
    value.cast_unsigned() ^ SIGN
}

/// In the order of the numbers, NaN last.
fn of_float(value: f64) -> u64 {
    let bits = if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    if bits & SIGN == 0 { bits ^ SIGN } else { !bits }
}

/// Unscaled values beyond what 8 bytes hold count as the largest of those.
fn of_unscaled(value: i128) -> u64 {
    of_integer(i64::try_from(value).unwrap_or(match value.cmp(&0) {
        Ordering::Less => i64::MIN,
        _ => i64::MAX,
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
        Float64Array, Int8Array, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
    };

    use super::{Curve, places};

    /// Each column holds a null and then ever larger values: so are their places.
    #[test]
    fn places_sort_like_the_values_of_one_column() {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BooleanArray::from(vec![None, Some(false), Some(true)])),
            Arc::new(Int8Array::from(vec![None, Some(-128), Some(-1), Some(0), Some(127)])),
            Arc::new(Int32Array::from(vec![None, Some(i32::MIN), Some(-1), Some(0), Some(9)])),
            Arc::new(Int64Array::from(vec![None, Some(i64::MIN), Some(-7), Some(0), Some(1)])),
            Arc::new(Float32Array::from(vec![None, Some(-1.5), Some(-0.5), Some(0.0), Some(2.0)])),
            Arc::new(Float64Array::from(vec![
                None,
                Some(f64::NEG_INFINITY),
                Some(-1.000_000_01),
                Some(-1.0),
                Some(1.0),
                Some(1.000_000_01),
                Some(f64::INFINITY),
                Some(f64::NAN),
            ])),
            Arc::new(
                Decimal128Array::from(vec![None, Some(-(1 << 90)), Some(-256), Some(1), Some(256)])
                    .with_precision_and_scale(38, 2)
                    .unwrap(),
            ),
            Arc::new(Date32Array::from(vec![None, Some(-1), Some(0), Some(20_000)])),
            Arc::new(TimestampMicrosecondArray::from(vec![None, Some(-1000), Some(0), Some(1000)])),
            Arc::new(StringArray::from(vec![None, Some("a"), Some("ab"), Some("b"), Some("é")])),
            Arc::new(BinaryArray::from(vec![None, Some(&[1_u8][..]), Some(&[1, 1]), Some(&[255])])),
        ];
        for column in &columns {
            for curve in [Curve::Zorder(8), Curve::Hilbert] {
                let places = places(curve, std::slice::from_ref(column)).unwrap();
                assert_eq!(places.len(), column.len());
                let places: Vec<&[u8]> = places.iter().map(Option::unwrap).collect();
                // A null is as the least value.
                let sorted = places.windows(2).all(|pair| pair[0] <= pair[1]);
                let distinct = places[1..].windows(2).all(|pair| pair[0] < pair[1]);
                assert!(sorted && distinct, "{curve:?} {}: {places:x?}", column.data_type());
            }
        }
    }

    /// Java's bytes, where Java's keep the order. Source: Paimon 1.4.2 `ZIndexer`.
    #[test]
    fn z_order_takes_the_bits_of_java_in_turns() {
        let ints: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(-1)]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("abc"), Some("x"), None]));
        let both = places(Curve::Zorder(2), &[Arc::clone(&ints), texts]).unwrap();
        assert!(both.iter().all(|place| place.unwrap().len() == 8 + 2));
        assert_eq!(
            both.value(0),
            // 80 00 00 00 00 00 00 01 and 61 62
            [0x94, 0x01, 0x14, 0x04, 0, 0, 0, 0, 0, 1]
        );
        assert_eq!(both.value(1), [0x15, 0x40, 0, 0, 0, 0, 0, 0, 0, 0]);
        let alone = places(Curve::Zorder(2), &[ints]).unwrap();
        assert_eq!(alone.value(2), [0x7f, 255, 255, 255, 255, 255, 255, 255]);
        let wrong: ArrayRef = Arc::new(arrow::array::NullArray::new(1));
        assert!(places(Curve::Hilbert, &[wrong]).is_err());
    }
}
