//! The bucket of a row, from the values of its bucket columns.
//!
//! Format: `docs/spec/bucket.md`. Source: Paimon 1.4.2 `DefaultBucketFunction`,
//! `ModBucketFunction`, `HiveBucketFunction`, `HiveHasher`.

use arrow::array::types::{Int32Type, Int64Type};
use arrow::array::{Array, ArrayRef, AsArray};

use crate::datum::Datum;
use crate::error::SpecError;
use crate::row::BinaryRow;
use crate::row::arrow::{array_from_datums, datum_at, hash_rows};
use crate::types::{DataType, TypeKind};

/// How a table with a fixed number of buckets distributes its rows: `bucket-function.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BucketFunction {
    /// Murmur hash of the binary row of the bucket columns.
    #[default]
    Default,
    /// The value itself, for one INT or BIGINT column.
    Mod,
    /// Hive's hash.
    Hive,
}

/// Bucket of every row, each in `0..n`.
///
/// `columns`, `types`: the bucket columns, in bucket key order.
///
/// # Errors
/// [`SpecError::Option`] when `n` is 0 or beyond 31 bits, [`SpecError::Unsupported`] when the
/// function does not take these types, and as [`hash_rows`].
pub fn buckets_of(
    f: BucketFunction,
    columns: &[ArrayRef],
    types: &[DataType],
    n: u32,
) -> Result<Vec<u32>, SpecError> {
    let count = bucket_count(n)?;
    match f {
        BucketFunction::Default => {
            let hashes = hash_rows(columns, types)?;
            Ok(hashes.into_iter().map(|h| (h % count).unsigned_abs()).collect())
        }
        BucketFunction::Mod => mod_buckets(columns, types, count),
        BucketFunction::Hive => {
            let rows = columns.first().map_or(0, |c| c.len());
            let mut hashes = vec![0_i32; rows];
            for (column, t) in columns.iter().zip(types) {
                for (row, hash) in hashes.iter_mut().enumerate() {
                    let value = datum_at(column.as_ref(), row, t)?;
                    *hash = hash.wrapping_mul(31).wrapping_add(hive_hash(value.as_ref(), t)?);
                }
            }
            Ok(hashes.into_iter().map(|h| ((h & i32::MAX) % count).unsigned_abs()).collect())
        }
    }
}

/// Bucket of one row, in `0..n`.
///
/// # Errors
/// As [`buckets_of`].
pub fn bucket_of_row(
    f: BucketFunction,
    values: &[Option<Datum>],
    types: &[DataType],
    n: u32,
) -> Result<u32, SpecError> {
    if f == BucketFunction::Default {
        let hash = BinaryRow::from_values(values, types)?.hash_code();
        return Ok((hash % bucket_count(n)?).unsigned_abs());
    }
    let columns = values
        .iter()
        .zip(types)
        .map(|(value, t)| array_from_datums(std::slice::from_ref(value), t))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(buckets_of(f, &columns, types, n)?.first().copied().unwrap_or(0))
}

fn bucket_count(n: u32) -> Result<i32, SpecError> {
    i32::try_from(n).ok().filter(|n| *n > 0).ok_or_else(|| SpecError::Option {
        key: "bucket".into(),
        reason: format!("{n} is not a number of buckets"),
    })
}

/// The remainder of the value itself; null counts as 0, which is what its slot holds.
fn mod_buckets(
    columns: &[ArrayRef],
    types: &[DataType],
    count: i32,
) -> Result<Vec<u32>, SpecError> {
    let wrong = || SpecError::Unsupported {
        what: "bucket function 'mod' for these columns".into(),
        reason: "it takes exactly one INT or BIGINT column".into(),
    };
    let ([column], [t]) = (columns, types) else {
        return Err(wrong());
    };
    let bucket = |value: Option<i64>| {
        let rest = value.unwrap_or(0).rem_euclid(i64::from(count));
        u32::try_from(rest).unwrap_or(0)
    };
    match t.kind {
        TypeKind::Int => {
            let values = column.as_primitive_opt::<Int32Type>().ok_or_else(wrong)?;
            Ok(values.iter().map(|v| bucket(v.map(i64::from))).collect())
        }
        TypeKind::BigInt => {
            let values = column.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
            Ok(values.iter().map(bucket).collect())
        }
        _ => Err(wrong()),
    }
}

fn hive_hash(value: Option<&Datum>, t: &DataType) -> Result<i32, SpecError> {
    let Some(value) = value else {
        return Ok(0);
    };
    Ok(match value {
        Datum::Boolean(v) => i32::from(*v),
        Datum::TinyInt(v) => i32::from(*v),
        Datum::SmallInt(v) => i32::from(*v),
        Datum::Int(v) | Datum::Date(v) | Datum::Time(v) => *v,
        Datum::BigInt(v) => fold(v.cast_unsigned()),
        // Both zeros are 0; every NaN is the canonical one.
        Datum::Float(0.0) => 0,
        Datum::Float(v) if v.is_nan() => f32::NAN.to_bits().cast_signed(),
        Datum::Float(v) => v.to_bits().cast_signed(),
        Datum::Double(0.0) => 0,
        Datum::Double(v) if v.is_nan() => fold(f64::NAN.to_bits()),
        Datum::Double(v) => fold(v.to_bits()),
        Datum::String(v) => hive_bytes(v.as_bytes()),
        Datum::Bytes(v) => hive_bytes(v),
        Datum::Decimal { unscaled, scale, .. } => hive_decimal(*unscaled, *scale),
        _ => {
            return Err(SpecError::Unsupported {
                what: format!("bucket function 'hive' for {t}"),
                reason: "Hive does not bucket by this type".into(),
            });
        }
    })
}

/// `Long.hashCode`.
#[expect(clippy::cast_possible_truncation, reason = "both halves are folded into the lower one")]
const fn fold(v: u64) -> i32 {
    ((v ^ (v >> 32)) as u32).cast_signed()
}

fn hive_bytes(bytes: &[u8]) -> i32 {
    bytes.iter().fold(0_i32, |h, b| h.wrapping_mul(31).wrapping_add(i32::from(b.cast_signed())))
}

/// `BigDecimal.hashCode` without trailing zeros after the point.
fn hive_decimal(mut unscaled: i128, mut scale: u8) -> i32 {
    if unscaled == 0 {
        return 0;
    }
    while scale > 0 && unscaled % 10 == 0 {
        unscaled /= 10;
        scale -= 1;
    }
    // `BigInteger.hashCode`: a polynomial over the 32-bit words of the magnitude.
    let words = unscaled.unsigned_abs().to_be_bytes();
    let hash = words
        .as_chunks::<4>()
        .0
        .iter()
        .fold(0_i32, |h, word| h.wrapping_mul(31).wrapping_add(i32::from_be_bytes(*word)));
    let signed = if unscaled < 0 { hash.wrapping_neg() } else { hash };
    signed.wrapping_mul(31).wrapping_add(i32::from(scale))
}

#[cfg(test)]
mod tests {
    use super::{BucketFunction, bucket_of_row, buckets_of};
    use crate::datum::Datum;
    use crate::row::arrow::array_from_datums;
    use crate::types::DataType;

    fn bucket(f: BucketFunction, value: Option<Datum>, t: &str, n: u32) -> u32 {
        let types = [DataType::parse(t).unwrap()];
        let one = bucket_of_row(f, std::slice::from_ref(&value), &types, n).unwrap();
        let column = array_from_datums(&[value], &types[0]).unwrap();
        assert_eq!(buckets_of(f, &[column], &types, n).unwrap(), [one]);
        one
    }

    fn decimal(unscaled: i128) -> Option<Datum> {
        Some(Datum::Decimal { unscaled, precision: 38, scale: 4 })
    }

    #[test]
    fn default_takes_the_absolute_value_of_the_remainder() {
        // Hashes 1465514398, -821098432 and -1748325344.
        assert_eq!(bucket(BucketFunction::Default, Some(Datum::BigInt(1)), "BIGINT", 7), 5);
        assert_eq!(bucket(BucketFunction::Default, Some(Datum::BigInt(-1)), "BIGINT", 10), 2);
        assert_eq!(bucket(BucketFunction::Default, None, "INT", 10), 4);
    }

    #[test]
    fn mod_of_a_negative_value_is_not_negative() {
        assert_eq!(bucket(BucketFunction::Mod, Some(Datum::Int(-1)), "INT", 4), 3);
        assert_eq!(bucket(BucketFunction::Mod, Some(Datum::BigInt(i64::MIN)), "BIGINT", 7), 6);
        assert_eq!(bucket(BucketFunction::Mod, None, "BIGINT", 7), 0);
    }

    #[test]
    fn mod_refuses_other_types() {
        let types = [DataType::parse("SMALLINT").unwrap()];
        assert!(bucket_of_row(BucketFunction::Mod, &[None], &types, 4).is_err());
    }

    #[test]
    fn hive_hashes_equal_the_ones_of_java() {
        let hive = |value, t| bucket(BucketFunction::Hive, value, t, 0x7fff_ffff);
        assert_eq!(hive(Some(Datum::Int(5)), "INT"), 5);
        assert_eq!(hive(Some(Datum::BigInt((1 << 32) | 6)), "BIGINT"), 7);
        assert_eq!(hive(Some(Datum::Double(-0.0)), "DOUBLE"), 0);
        // "hello".hashCode()
        assert_eq!(hive(Some(Datum::String("hello".into())), "STRING"), 99_162_322);
        // new BigDecimal("1.5").hashCode() and new BigDecimal("100").hashCode()
        assert_eq!(hive(decimal(15_000), "DECIMAL(38, 4)"), 466);
        assert_eq!(hive(decimal(1_000_000), "DECIMAL(38, 4)"), 3100);
        assert_eq!(hive(None, "STRING"), 0);
    }

    #[test]
    fn no_bucket_count_is_refused() {
        let types = [DataType::parse("INT").unwrap()];
        assert!(bucket_of_row(BucketFunction::Default, &[None], &types, 0).is_err());
    }
}
