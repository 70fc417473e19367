use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, StringArray, Time32MillisecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use headwater_spec::{DataType, Datum, TypeKind};
use proptest::prelude::{
    BoxedStrategy, Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, proptest,
};

use super::{KeyEncoder, KeyValueBatch, Keys};
use crate::error::LsmError;
use crate::section::key_order;
use crate::test_data::{KeyForm, batch, record, records};

type Cells = Vec<Option<Datum>>;

/// Every type that can be a key.
fn kinds() -> Vec<TypeKind> {
    vec![
        TypeKind::Boolean,
        TypeKind::TinyInt,
        TypeKind::SmallInt,
        TypeKind::Int,
        TypeKind::BigInt,
        TypeKind::Float,
        TypeKind::Double,
        TypeKind::Decimal { precision: 5, scale: 2 },
        TypeKind::Decimal { precision: 38, scale: 10 },
        TypeKind::Char(3),
        TypeKind::STRING,
        TypeKind::Binary(2),
        TypeKind::BYTES,
        TypeKind::Date,
        TypeKind::Time(3),
        TypeKind::Timestamp(3),
        TypeKind::Timestamp(6),
        TypeKind::Timestamp(9),
        TypeKind::TimestampLtz(0),
        TypeKind::TimestampLtz(6),
        TypeKind::TimestampLtz(9),
    ]
}

/// Texts that meet often: of few letters, of unequal length, below and above ASCII, past the
/// blocks of the row encoding.
fn text() -> impl Strategy<Value = String> {
    let letters = prop::sample::select(vec!["", "a", "b", "\0", "\u{7f}", "é", "\u{ffff}", "😀"]);
    (prop::collection::vec(letters, 0..4), prop::sample::select(vec![0_usize, 7, 8, 31, 32, 40]))
        .prop_map(|(letters, pad)| "x".repeat(pad) + &letters.concat())
}

fn timestamp(precision: u8) -> BoxedStrategy<Datum> {
    let step = 10_u32.pow(u32::from(9_u8.saturating_sub(precision.max(3))));
    let nanos = if precision <= 3 { 0..1_u32 } else { 0..1_000_000 / step };
    (prop::sample::select(vec![-1_i64, 0, 1, -9_000_000_000_000, 9_000_000_000_000]), nanos)
        .prop_map(move |(millis, n)| Datum::Timestamp { millis, nanos: n * step })
        .boxed()
}

fn value(kind: &TypeKind) -> BoxedStrategy<Datum> {
    match kind {
        TypeKind::Boolean => any::<bool>().prop_map(Datum::Boolean).boxed(),
        TypeKind::TinyInt => any::<i8>().prop_map(Datum::TinyInt).boxed(),
        TypeKind::SmallInt => any::<i16>().prop_map(Datum::SmallInt).boxed(),
        TypeKind::Int => any::<i32>().prop_map(Datum::Int).boxed(),
        TypeKind::BigInt => any::<i64>().prop_map(Datum::BigInt).boxed(),
        TypeKind::Float => any::<u32>().prop_map(|v| Datum::Float(f32::from_bits(v))).boxed(),
        TypeKind::Double => prop::sample::select(vec![0.0, -0.0, f64::NAN, -1.5, f64::INFINITY])
            .prop_map(Datum::Double)
            .boxed(),
        &TypeKind::Decimal { precision, scale } => (-99_999_i128..=99_999)
            .prop_map(move |n| Datum::Decimal { unscaled: n, precision, scale })
            .boxed(),
        TypeKind::Char(_) | TypeKind::VarChar(_) => text().prop_map(Datum::String).boxed(),
        TypeKind::Binary(_) | TypeKind::VarBinary(_) => {
            let byte = prop::sample::select(vec![0_u8, 1, 127, 128, 255]);
            prop::collection::vec(byte, 0..12).prop_map(Datum::Bytes).boxed()
        }
        TypeKind::Date => any::<i32>().prop_map(Datum::Date).boxed(),
        TypeKind::Time(_) => (0..86_400_000).prop_map(Datum::Time).boxed(),
        TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) => timestamp(*p),
        other => panic!("{other:?} is no key"),
    }
}

/// Arrow column of the cells.
fn column(kind: &TypeKind, cells: &Cells) -> ArrayRef {
    macro_rules! of {
        ($array:ty, $pattern:pat => $value:expr) => {
            cells
                .iter()
                .map(|c| {
                    c.as_ref().map(|c| match c {
                        $pattern => $value,
                        other => panic!("{other:?}"),
                    })
                })
                .collect::<$array>()
        };
    }
    fn zoned(kind: &TypeKind) -> Option<&'static str> {
        matches!(kind, TypeKind::TimestampLtz(_)).then_some("UTC")
    }
    match kind {
        TypeKind::Boolean => Arc::new(of!(BooleanArray, Datum::Boolean(v) => *v)),
        TypeKind::TinyInt => Arc::new(of!(Int8Array, Datum::TinyInt(v) => *v)),
        TypeKind::SmallInt => Arc::new(of!(Int16Array, Datum::SmallInt(v) => *v)),
        TypeKind::Int => Arc::new(of!(Int32Array, Datum::Int(v) => *v)),
        TypeKind::BigInt => Arc::new(of!(Int64Array, Datum::BigInt(v) => *v)),
        TypeKind::Float => Arc::new(of!(Float32Array, Datum::Float(v) => *v)),
        TypeKind::Double => Arc::new(of!(Float64Array, Datum::Double(v) => *v)),
        TypeKind::Decimal { precision, scale } => {
            let array = of!(Decimal128Array, Datum::Decimal { unscaled, .. } => *unscaled);
            Arc::new(array.with_precision_and_scale(*precision, scale.cast_signed()).unwrap())
        }
        TypeKind::Char(_) | TypeKind::VarChar(_) => {
            Arc::new(of!(StringArray, Datum::String(v) => v.clone()))
        }
        TypeKind::Binary(_) | TypeKind::VarBinary(_) => {
            Arc::new(of!(BinaryArray, Datum::Bytes(v) => v.clone()))
        }
        TypeKind::Date => Arc::new(of!(Date32Array, Datum::Date(v) => *v)),
        TypeKind::Time(_) => Arc::new(of!(Time32MillisecondArray, Datum::Time(v) => *v)),
        TypeKind::Timestamp(0..=3) | TypeKind::TimestampLtz(0..=3) => {
            let array = of!(TimestampMillisecondArray, Datum::Timestamp { millis, .. } => *millis);
            Arc::new(array.with_timezone_opt(zoned(kind)))
        }
        TypeKind::Timestamp(4..=6) | TypeKind::TimestampLtz(4..=6) => {
            let array = of!(TimestampMicrosecondArray,
                Datum::Timestamp { millis, nanos } => millis * 1000 + i64::from(nanos / 1000));
            Arc::new(array.with_timezone_opt(zoned(kind)))
        }
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            let array = of!(TimestampNanosecondArray,
                Datum::Timestamp { millis, nanos } => millis * 1_000_000 + i64::from(*nanos));
            Arc::new(array.with_timezone_opt(zoned(kind)))
        }
        other => panic!("{other:?} is no key"),
    }
}

/// One to three columns with some rows; now and then a null, unless NOT NULL.
fn table() -> impl Strategy<Value = (Vec<DataType>, Vec<Cells>)> {
    let data_type = (prop::sample::select(kinds()), any::<bool>())
        .prop_map(|(kind, nullable)| DataType { kind, nullable });
    (prop::collection::vec(data_type, 1..4), 1_usize..12).prop_flat_map(|(types, rows)| {
        let columns: Vec<_> = types
            .iter()
            .map(|t| {
                let nulls = if t.nullable { 0.2 } else { 0.0 };
                let cell = (prop::bool::weighted(nulls), value(&t.kind))
                    .prop_map(|(null, value)| (!null).then_some(value));
                prop::collection::vec(cell, rows)
            })
            .collect();
        (Just(types), columns)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn keys_are_ordered_as_their_columns_are((types, columns) in table()) {
        let arrays: Vec<_> = types.iter().zip(&columns).map(|(t, c)| column(&t.kind, c)).collect();
        // Two encoders, as two files are read with.
        let keys = KeyEncoder::new(&types).unwrap().encode(&arrays).unwrap();
        let other = KeyEncoder::new(&types).unwrap().encode(&arrays).unwrap();
        let row = |i: usize| columns.iter().map(|c| c[i].clone()).collect::<Cells>();
        for a in 0..keys.len() {
            for b in 0..keys.len() {
                prop_assert_eq!(keys.compare(a, &other, b), key_order(&row(a), &row(b)));
            }
        }
    }
}

#[test]
fn every_single_type_is_ordered_and_integers_are_native() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    for kind in kinds() {
        let cells = prop::collection::vec(value(&kind).prop_map(Some), 200);
        let cells = cells.new_tree(&mut runner).unwrap().current();
        let encoder = KeyEncoder::new(&[DataType::not_null(kind.clone())]).unwrap();
        let keys = encoder.encode(&[column(&kind, &cells)]).unwrap();
        let native = !matches!(
            kind,
            TypeKind::Boolean
                | TypeKind::Float
                | TypeKind::Double
                | TypeKind::Decimal { .. }
                | TypeKind::Char(_)
                | TypeKind::VarChar(_)
                | TypeKind::Binary(_)
                | TypeKind::VarBinary(_)
        );
        assert_eq!(matches!(keys, Keys::I64(_)), native, "{kind:?}");
        assert_eq!(encoder.is_native(), native);
        for (a, one) in cells.iter().flatten().enumerate() {
            for (b, two) in cells.iter().flatten().enumerate() {
                assert_eq!(keys.compare(a, &keys, b), one.compare(two), "{one:?} {two:?}");
            }
        }
    }
}

#[test]
fn columns_that_are_no_key_are_refused() {
    let not_null = DataType::not_null;
    assert!(matches!(KeyEncoder::new(&[]), Err(LsmError::NoKeyColumn)));
    let array = TypeKind::Array(Box::new(not_null(TypeKind::Int)));
    let error = KeyEncoder::new(&[not_null(TypeKind::Int), not_null(array)]).unwrap_err();
    assert!(matches!(error, LsmError::KeyType { column: 1, .. }), "{error}");

    let encoder = KeyEncoder::new(&[not_null(TypeKind::Int)]).unwrap();
    let wide: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let ints: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    assert!(matches!(encoder.encode(&[wide]), Err(LsmError::KeyColumns { .. })));
    assert!(matches!(encoder.encode(&[]), Err(LsmError::KeyColumns { .. })));
    let error = encoder.encode(&[ints]).unwrap_err();
    assert!(matches!(error, LsmError::NullKey { nulls: 1, rows: 2 }), "{error}");
}

#[test]
fn keys_of_different_encoding_have_no_order() {
    let one = |form| batch(form, &[record(1, 0, 0)]).keys;
    assert_eq!(one(KeyForm::I64).compare(0, &one(KeyForm::Rows), 0), None);
    assert_eq!(one(KeyForm::I64).compare(0, &one(KeyForm::I64), 0), Some(Ordering::Equal));
}

#[test]
fn a_slice_counts_only_what_it_shows() {
    for form in [KeyForm::I64, KeyForm::Rows] {
        let rows: Vec<_> = (0..1000).map(|k| record(k, 0, 0)).collect();
        let whole = batch(form, &rows);
        let part = whole.slice(100, 10);
        assert_eq!(records(std::slice::from_ref(&part)), rows[100..110]);
        assert!(part.memory_size() * 50 < whole.memory_size());
    }
}

#[test]
fn dropping_retracts_keeps_the_parts_together() {
    for form in [KeyForm::I64, KeyForm::Rows] {
        let rows: Vec<_> =
            [0, 1, 2, 3].into_iter().zip(0..).map(|(kind, k)| record(k, 9, kind)).collect();
        let kept = batch(form, &rows).without_retracts().unwrap();
        assert_eq!(records(&[kept]), [rows[0].clone(), rows[2].clone()]);
    }
}

#[test]
fn gathered_records_are_those_asked_for() {
    for form in [KeyForm::I64, KeyForm::Rows] {
        let sources: Vec<_> = (0..3_i64)
            .map(|s| batch(form, &(0..5).map(|k| record(k, s, 0)).collect::<Vec<_>>()))
            .collect();
        for rows in
            [vec![(1, 2), (1, 3), (1, 4)], vec![(2, 0), (0, 0), (1, 4)], vec![(0, 3), (0, 1)]]
        {
            let gathered = KeyValueBatch::gather(&sources, &rows).unwrap();
            let expected: Vec<_> = rows
                .iter()
                .map(|&(s, k)| record(i64::try_from(k).unwrap(), i64::try_from(s).unwrap(), 0))
                .collect();
            assert_eq!(records(&[gathered]), expected);
        }
    }
}
