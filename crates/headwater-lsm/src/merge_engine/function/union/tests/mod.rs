//! Unions of sketches and bitmaps, against bytes that Java made.
//!
//! `java.txt`: function, two sets and what Paimon 1.4.2 stores as their union, in hexadecimal
//! digits.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray};
use datasketches::hll::{HllSketch, HllType};
use datasketches::theta::ThetaSketchBuilder;

use headwater_spec::{ErrorKind, TypeKind};
use proptest::prelude::*;

use super::super::tests::{ADD, BACK, OLDER, PUT, fold_with};
use super::super::{FunctionError, FunctionOptions};
use super::{Union, hll, roaring32, roaring64, theta};
use crate::merge_engine::steps::Step;

const FUNCTIONS: [(&str, Union); 4] =
    [("hll_sketch", hll), ("theta_sketch", theta), ("rbm32", roaring32), ("rbm64", roaring64)];

fn function(name: &str) -> Union {
    FUNCTIONS.iter().find(|(known, _)| *known == name).unwrap().1
}

/// Function, two sets, their union.
fn java() -> Vec<(&'static str, [Vec<u8>; 3])> {
    let bytes = |text: &str| -> Vec<u8> {
        let digits = text.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.map(byte).collect()
    };
    let line = |line: &'static str| {
        let parts: Vec<_> = line.split(' ').collect();
        (parts[0], [bytes(parts[1]), bytes(parts[2]), bytes(parts[3])])
    };
    include_str!("java.txt").lines().map(line).collect()
}

/// A 64-bit bitmap of one value.
fn single64(value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let mut bitmap = vec![1];
    bitmap.extend(1_u64.to_le_bytes());
    bitmap.extend([4, 0, 0, 0]);
    bitmap.extend(&bytes[..6]);
    bitmap.extend(0_u64.to_le_bytes());
    bitmap.extend(1_u32.to_le_bytes());
    bitmap.push(0xfe);
    bitmap.extend(1_u32.to_le_bytes());
    bitmap.extend([1, 2]);
    bitmap.extend(1_u32.to_le_bytes());
    bitmap.extend([bytes[7], bytes[6]]);
    bitmap.extend(1_u64.to_le_bytes());
    bitmap.extend([0; 8]);
    bitmap
}

/// A 32-bit bitmap of one value.
fn single32(value: u32) -> Vec<u8> {
    let mut bitmap = Vec::new();
    for number in [12346, 1, value >> 16, 16] {
        bitmap.extend(number.to_le_bytes());
    }
    bitmap.extend(&value.to_le_bytes()[..2]);
    bitmap
}

/// The union of many, pair by pair.
fn all(union: Union, mut sets: Vec<Vec<u8>>) -> Vec<u8> {
    while sets.len() > 1 {
        sets = sets
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => union(a, b).unwrap(),
                _ => pair[0].clone(),
            })
            .collect();
    }
    sets.pop().unwrap()
}

fn bitmap64(values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    all(roaring64, values.into_iter().map(single64).collect())
}

fn bitmap32(values: impl IntoIterator<Item = u32>) -> Vec<u8> {
    all(roaring32, values.into_iter().map(single32).collect())
}

fn hll_sketch(lg_k: u8, kind: HllType, values: std::ops::Range<u64>) -> Vec<u8> {
    let mut sketch = HllSketch::new(lg_k, kind).unwrap();
    values.for_each(|value| sketch.update(value));
    sketch.serialize()
}

fn theta_sketch(values: std::ops::Range<u64>) -> Vec<u8> {
    let mut sketch = ThetaSketchBuilder::default().build().unwrap();
    values.for_each(|value| sketch.update(value));
    sketch.compact(true).serialize()
}

/// A number that stands for bytes (FNV-1a).
fn digest(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Numbers that look random.
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    let next = |n: &u64| Some(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    std::iter::successors(Some(seed), next).map(|number| number >> 20)
}

/// What [`digest`] gives for the bytes that Java makes of [`long_unions`].
const LONG_UNIONS: [u64; 14] = [
    0x8bc8_56c2_2ce2_8e55,
    0x681e_8674_a1f6_7c16,
    0x43cc_7ea3_e76b_5fc8,
    0x7884_17f3_f38f_fd68,
    0x6474_bbd3_ea55_4170,
    0x696d_1906_7222_4577,
    0x3506_81b8_9034_3c4c,
    0x9a43_a96a_e696_29d8,
    0xc4ab_b760_df87_ce55,
    0x0a1d_0634_eedd_1eb5,
    0xa071_727f_1fee_8265,
    0xfb55_4d23_7bc0_08a8,
    0x9a4f_0543_5779_848d,
    0xa05d_ad0d_ecb7_c32c,
];

/// Unions that are too long to be written down.
fn long_unions() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let wide = |seed, count, shift: u32| {
        bitmap64(numbers(seed).take(count).map(|n| (n & 255) << shift | n >> 8 & 3))
    };
    let dense = |from: u64, count: u64, step: u64| {
        bitmap64((0..count).map(|n| (7 << 40) + from + n * step))
    };
    let dense32 = |from: u32, count: u32, step: u32| bitmap32((0..count).map(|n| from + n * step));
    vec![
        ("rbm64", wide(1, 10, 16), wide(2, 30, 16)),
        ("rbm64", wide(3, 40, 40), wide(4, 60, 40)),
        ("rbm64", wide(5, 400, 24), wide(6, 400, 48)),
        ("rbm64", dense(0, 5000, 2), dense(1000, 5000, 3)),
        ("rbm64", dense(0, 3000, 2), dense(1, 3000, 2)),
        ("rbm64", dense(0, 9000, 1), dense(20_000, 9000, 5)),
        ("rbm32", dense32(0, 5000, 2), dense32(1000, 5000, 3)),
        ("rbm32", dense32(0, 3000, 2), dense32(1, 3000, 2)),
        ("rbm32", dense32(60_000, 9000, 1), dense32(0, 9000, 700)),
        (
            "hll_sketch",
            hll_sketch(12, HllType::Hll4, 0..30_000),
            hll_sketch(12, HllType::Hll6, 9..60_000),
        ),
        (
            "hll_sketch",
            hll_sketch(12, HllType::Hll8, 0..90_000),
            hll_sketch(11, HllType::Hll8, 0..50),
        ),
        (
            "hll_sketch",
            hll_sketch(12, HllType::Hll4, 0..300),
            hll_sketch(12, HllType::Hll4, 200..380),
        ),
        ("theta_sketch", theta_sketch(0..3000), theta_sketch(2000..6000)),
        ("theta_sketch", theta_sketch(0..50_000), theta_sketch(40_000..40_100)),
    ]
}

#[test]
fn unions_are_those_of_java() {
    for (name, [a, b, union]) in java() {
        assert_eq!(function(name)(&a, &b).unwrap(), union, "{name} of {a:02x?} and {b:02x?}");
    }
}

#[test]
fn long_unions_are_those_of_java() {
    for ((name, a, b), expected) in long_unions().into_iter().zip(LONG_UNIONS) {
        assert_eq!(digest(&function(name)(&a, &b).unwrap()), expected, "{name}");
    }
}

#[test]
fn truncated_and_foreign_bytes_are_refused() {
    for (name, [a, b, _]) in java() {
        let union = function(name);
        for end in 0..a.len() {
            assert!(union(&a[..end], &b).is_err(), "{name}: {end} bytes of {a:02x?}");
            assert!(union(&b, &a[..end]).is_err(), "{name}: {end} bytes of {a:02x?}");
        }
        for (other, bytes) in
            [("none", b"no set at all, just text".to_vec()), ("rbm32", single32(5))]
        {
            if other != name {
                assert!(union(&bytes, &a).is_err());
            }
        }
    }
}

#[test]
fn an_empty_union_stays_empty() {
    let empty32 = [&12346_u32.to_le_bytes()[..], &[0; 4]].concat();
    assert_eq!(roaring32(&empty32, &empty32).unwrap(), empty32);
    assert_eq!(roaring64(&[0], &[0]).unwrap(), [0]);
    let empty = theta_sketch(0..0);
    assert_eq!(theta(&empty, &empty).unwrap(), empty);
    let empty = hll_sketch(12, HllType::Hll4, 0..0);
    assert_eq!(hll(&empty, &empty).unwrap(), empty);
}

fn fold(
    name: &str,
    ignore_retract: bool,
    records: &[(Option<&[u8]>, Step)],
) -> Result<Option<Vec<u8>>, FunctionError> {
    let column: BinaryArray = records.iter().map(|(set, _)| *set).collect();
    let steps: Vec<_> = records.iter().map(|(_, step)| *step).collect();
    let options = FunctionOptions { ignore_retract, ..FunctionOptions::default() };
    let column: ArrayRef = Arc::new(column);
    let folded = fold_with(name, &TypeKind::BYTES, &options, column, &[&steps])?;
    Ok(folded.as_binary::<i32>().iter().next().flatten().map(<[u8]>::to_vec))
}

#[test]
fn nulls_do_not_count_and_a_lone_value_stays_as_it_is() {
    for (name, [a, b, union]) in java() {
        let fold = |records: &[(Option<&[u8]>, Step)]| fold(name, false, records).unwrap();
        let (one, two) = (Some(a.as_slice()), Some(b.as_slice()));
        assert_eq!(fold(&[(one, ADD), (None, ADD)]), Some(a.clone()));
        assert_eq!(fold(&[(None, ADD), (one, OLDER)]), Some(a.clone()));
        assert_eq!(fold(&[(one, ADD), (None, OLDER), (two, ADD)]), Some(union.clone()));
        assert_eq!(fold(&[(two, ADD), (one, OLDER)]), Some(union.clone()));
        assert_eq!(fold(&[(two, ADD), (one, PUT), (two, ADD)]), Some(union));
        assert_eq!(fold(&[(None, ADD), (None, ADD)]), None);
        assert_eq!(fold(&[(Some(b"text"), ADD)]), Some(b"text".to_vec()));
    }
}

#[test]
fn unions_are_not_taken_back_and_foreign_bytes_are_an_error_by_name() {
    let set = Some([0].as_slice());
    let error = fold("rbm64", false, &[(set, ADD), (set, BACK)]).unwrap_err();
    assert!(matches!(error, FunctionError::NoRetraction { .. }));
    assert_eq!(fold("rbm64", true, &[(set, ADD), (set, BACK)]).unwrap(), Some(vec![0]));
    for (name, _) in FUNCTIONS {
        let text = Some(b"text".as_slice());
        let error = fold(name, false, &[(text, ADD), (text, ADD)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("column 'c' holds bytes that are no"), "{error}");
    }
}

proptest! {
    #[test]
    fn bitmaps_hold_the_values_of_both(
        a in prop::collection::vec(any::<u64>(), 1..40),
        b in prop::collection::vec(any::<u64>(), 1..40),
        shift in 0..60_u32,
    ) {
        let (a, b): (Vec<_>, Vec<_>) =
            (a.iter().map(|n| n >> shift).collect(), b.iter().map(|n| n >> shift).collect());
        let both: BTreeSet<u64> = a.iter().chain(&b).copied().collect();
        let union = roaring64(&bitmap64(a.clone()), &bitmap64(b.clone())).unwrap();
        prop_assert_eq!(roaring64::values(&union), both.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn damaged_bytes_never_panic(
        which in 0..36_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        second in any::<bool>(),
    ) {
        let cases = java();
        let (name, [mut a, mut b, _]) = cases[which % cases.len()].clone();
        let damaged = if second { &mut b } else { &mut a };
        for (place, byte) in damage {
            let place = place.index(damaged.len());
            damaged[place] = byte;
        }
        _ = function(name)(&a, &b);
    }
}
