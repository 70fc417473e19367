use proptest::collection::vec;
use proptest::prelude::{
    Just, Strategy, TestCaseError, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::{BinaryRow, MAX_DEPTH};
use crate::datum::Datum;
use crate::types::{DataField, DataType, TypeKind};

fn types(texts: &[&str]) -> Vec<DataType> {
    texts.iter().map(|t| DataType::parse(t).unwrap()).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let hex = hex.replace(' ', "");
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn check(texts: &[&str], values: &[Option<Datum>], hex: &str) -> BinaryRow {
    let types = types(texts);
    let row = BinaryRow::from_values(values, &types).unwrap();
    assert_eq!(row.as_bytes(), bytes(hex), "{texts:?}");
    assert_eq!(row.to_values(&types).unwrap(), values);
    assert_eq!(BinaryRow::from_serialized(&row.to_serialized()).unwrap(), row);
    row
}

const MIXED: [&str; 4] = ["DECIMAL(30, 2)", "TIMESTAMP(9)", "STRING", "ARRAY<INT>"];

#[test]
fn nulls_of_wide_decimals_and_timestamps_reserve_their_bytes() {
    let row = check(
        &MIXED,
        &[None, None, None, None],
        "000f000000000000 0000000028000000 0000000038000000 0000000000000000 0000000000000000
         00000000000000000000000000000000 0000000000000000"
            .replace('\n', "")
            .as_str(),
    );
    assert_eq!(row.hash_code(), -2_053_638_002);
}

#[test]
fn values_of_all_lengths_equal_the_bytes_of_java() {
    let row = check(
        &MIXED,
        &[
            Some(Datum::Decimal { unscaled: -150, precision: 30, scale: 2 }),
            Some(Datum::Timestamp { millis: -1, nanos: 5 }),
            Some(Datum::String("x".into())),
            Some(Datum::Array(vec![Some(Datum::Int(1)), None, Some(Datum::Int(3))])),
        ],
        "0000000000000000 0200000028000000 0500000038000000 7800000000000081 1800000040000000
         ff6a0000000000000000000000000000 ffffffffffffffff
         0300000002000000 0100000000000000 0300000000000000"
            .replace('\n', "")
            .as_str(),
    );
    assert_eq!(row.hash_code(), 2_136_652_078);
}

#[test]
fn a_map_is_its_key_array_and_its_value_array() {
    check(
        &["MAP<STRING, SMALLINT>"],
        &[Some(Datum::Map(vec![(Some(Datum::String("k".into())), Some(Datum::SmallInt(7)))]))],
        "0000000000000000 2400000010000000 10000000
         0100000000000000 6b00000000000081 0100000000000000 0700000000000000 00000000"
            .replace('\n', "")
            .as_str(),
    );
}

#[test]
fn a_variant_is_its_value_and_its_metadata_behind_one_length() {
    check(
        &["VARIANT"],
        &[Some(Datum::Variant { value: vec![0x0c, 1], metadata: vec![1, 0, 0] })],
        "0000000000000000 0900000010000000 020000000c010100 0000000000000000",
    );
}

#[test]
fn a_null_in_an_array_reserves_nothing() {
    check(
        &["ARRAY<DECIMAL(30, 2)>"],
        &[Some(Datum::Array(vec![None]))],
        "0000000000000000 1000000010000000 0100000001000000 0000000000000000",
    );
}

#[test]
fn the_empty_row_is_one_word() {
    let row = BinaryRow::empty();
    assert_eq!(row.to_serialized(), [0; 12]);
    assert_eq!(row, BinaryRow::from_values(&[], &[]).unwrap());
    assert_eq!(row.hash_code(), -1_670_924_195);
}

#[test]
fn the_null_bits_grow_at_57_fields() {
    for (arity, size) in [(1, 16), (56, 456), (57, 472), (120, 976), (121, 992)] {
        let row = BinaryRow::from_values(
            &vec![None; arity],
            &vec![DataType::nullable(TypeKind::Int); arity],
        )
        .unwrap();
        assert_eq!(row.as_bytes().len(), size);
    }
}

#[test]
fn nan_is_canonical_in_arrays_but_not_in_rows() {
    let odd = f32::from_bits(0xffc0_1234);
    let row = BinaryRow::from_values(
        &[Some(Datum::Float(odd)), Some(Datum::Array(vec![Some(Datum::Float(odd))]))],
        &types(&["FLOAT", "ARRAY<FLOAT>"]),
    )
    .unwrap();
    assert_eq!(row.as_bytes()[8..12], 0xffc0_1234_u32.to_le_bytes());
    assert_eq!(row.as_bytes()[32..36], 0x7fc0_0000_u32.to_le_bytes());
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let decimal = |unscaled, scale| Some(Datum::Decimal { unscaled, precision: 5, scale });
    for (t, value) in [
        ("INT", Some(Datum::BigInt(1))),
        ("DECIMAL(5, 2)", decimal(100_000, 2)),
        ("DECIMAL(5, 2)", decimal(1, 3)),
        ("TIMESTAMP(6)", Some(Datum::Timestamp { millis: 0, nanos: 1_000_000 })),
        ("ARRAY<INT>", Some(Datum::Array(vec![Some(Datum::Boolean(true))]))),
        ("ROW<`a` INT>", Some(Datum::Row(vec![]))),
    ] {
        assert!(BinaryRow::from_values(&[value], &types(&[t])).is_err(), "{t}");
    }
    assert!(BinaryRow::from_values(&[None], &[]).is_err());
}

#[test]
fn slots_that_point_outside_are_refused() {
    for (t, slot) in [
        ("STRING", 0x0000_0010_0000_0001_u64),
        ("STRING", 0xffff_ffff_0000_0001),
        ("STRING", 0x0000_0000_ffff_ffff),
        ("STRING", 0x8800_0000_0000_0000),
        ("STRING", 0x81ff_ffff_ffff_ffff),
        ("DECIMAL(30, 2)", 0x0000_0008_0000_0001),
        ("TIMESTAMP(6)", 0x0000_0000_000f_4240),
        ("ARRAY<INT>", 0x0000_0008_0000_0008),
        ("MAP<INT, INT>", 0x0000_0008_0000_0008),
        ("ROW<`a` INT>", 0x0000_0000_0000_0008),
        ("VARIANT", 0x0000_0008_0000_0004),
    ] {
        let stored = [0_u64.to_le_bytes(), slot.to_le_bytes()].concat();
        let row = BinaryRow::from_bytes(1, stored).unwrap();
        assert!(row.to_values(&types(&[t])).is_err(), "{t} {slot:x}");
    }
    assert!(BinaryRow::from_serialized(&[0xff; 20]).is_err());
    assert!(BinaryRow::from_serialized(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]).is_err());
}

#[test]
fn overlapping_values_do_not_unfold_without_limit() {
    // Every element of an array points to that same array.
    let count = 1000_u32;
    let size = 4 + 4 * count.div_ceil(32) + 8 * count;
    let mut stored = [0_u64.to_le_bytes(), (u64::from(size) | 16 << 32).to_le_bytes()].concat();
    stored.extend(count.to_le_bytes());
    stored.extend(vec![0; 4 * usize::try_from(count.div_ceil(32)).unwrap()]);
    for _ in 0..count {
        stored.extend(u64::from(size).to_le_bytes());
    }
    stored.resize(stored.len().next_multiple_of(8), 0);
    let row = BinaryRow::from_bytes(1, stored).unwrap();
    let t = (0..20).fold(TypeKind::Int, |t, _| TypeKind::Array(Box::new(DataType::nullable(t))));
    assert!(row.to_values(&[DataType::nullable(t)]).is_err());
}

#[test]
fn types_that_nest_too_deep_are_refused() {
    let nest = |levels: usize| {
        (0..levels).fold((TypeKind::Int, Datum::Int(1)), |(t, v), _| {
            (TypeKind::Array(Box::new(DataType::nullable(t))), Datum::Array(vec![Some(v)]))
        })
    };
    for (levels, fits) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false)] {
        let (t, value) = nest(levels);
        let types = [DataType::nullable(t)];
        assert_eq!(BinaryRow::from_values(&[Some(value)], &types).is_ok(), fits);
    }
}

fn scalar() -> impl Strategy<Value = TypeKind> {
    prop_oneof![
        Just(TypeKind::Boolean),
        Just(TypeKind::TinyInt),
        Just(TypeKind::SmallInt),
        Just(TypeKind::Int),
        Just(TypeKind::BigInt),
        Just(TypeKind::Float),
        Just(TypeKind::Double),
        (1..=38_u8).prop_map(|precision| TypeKind::Decimal { precision, scale: precision / 2 }),
        Just(TypeKind::STRING),
        Just(TypeKind::BYTES),
        Just(TypeKind::Date),
        Just(TypeKind::Time(3)),
        (0..=9_u8).prop_map(TypeKind::Timestamp),
        (0..=9_u8).prop_map(TypeKind::TimestampLtz),
        Just(TypeKind::Variant),
        Just(TypeKind::Vector(Box::new(DataType::not_null(TypeKind::Float)), 3)),
    ]
}

/// Any type, with up to three levels of nesting.
fn any_type() -> impl Strategy<Value = DataType> {
    let nullable = |kind: TypeKind| Box::new(DataType::nullable(kind));
    scalar()
        .prop_recursive(3, 12, 3, move |inner| {
            prop_oneof![
                inner.clone().prop_map(move |t| TypeKind::Array(nullable(t))),
                scalar().prop_map(move |t| TypeKind::Multiset(nullable(t))),
                (scalar(), inner.clone())
                    .prop_map(move |(k, v)| TypeKind::Map(nullable(k), nullable(v))),
                vec(inner, 1..4).prop_map(|parts| {
                    let field =
                        |(id, t)| DataField::new(id, format!("f{id}"), DataType::nullable(t));
                    TypeKind::Row((0..).zip(parts).map(field).collect())
                }),
            ]
        })
        .prop_map(DataType::nullable)
}

/// Instants within the range of 64-bit nanoseconds, cut to the precision.
fn instant(precision: u8) -> impl Strategy<Value = Datum> {
    let step = 10_i64.pow(9 - u32::from(precision));
    any::<i64>().prop_map(move |n| {
        let n = n / 2 / step * step;
        let nanos = u32::try_from(n.rem_euclid(1_000_000)).unwrap();
        Datum::Timestamp { millis: n.div_euclid(1_000_000), nanos }
    })
}

fn datum(kind: &TypeKind) -> prop::strategy::BoxedStrategy<Datum> {
    let values = |t: &DataType, sizes| vec(nullable(&t.kind), sizes);
    let map = |k: &TypeKind, v: &TypeKind| {
        let key = datum(k).prop_map(Some);
        vec((key, nullable(v)), 0..4).prop_map(Datum::Map).boxed()
    };
    match kind {
        TypeKind::Boolean => any::<bool>().prop_map(Datum::Boolean).boxed(),
        TypeKind::TinyInt => any::<i8>().prop_map(Datum::TinyInt).boxed(),
        TypeKind::SmallInt => any::<i16>().prop_map(Datum::SmallInt).boxed(),
        TypeKind::Int => any::<i32>().prop_map(Datum::Int).boxed(),
        TypeKind::BigInt => any::<i64>().prop_map(Datum::BigInt).boxed(),
        TypeKind::Float => any::<f32>().prop_map(Datum::Float).boxed(),
        TypeKind::Double => any::<f64>().prop_map(Datum::Double).boxed(),
        TypeKind::Date => any::<i32>().prop_map(Datum::Date).boxed(),
        TypeKind::Time(_) => (0..86_400_000).prop_map(Datum::Time).boxed(),
        TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) => instant(*p).boxed(),
        TypeKind::Decimal { precision, scale } => {
            let (precision, scale) = (*precision, *scale);
            let limit = 10_i128.pow(u32::from(precision));
            let digits = (any::<i128>(), 0..127_u32).prop_map(|(n, shift)| n >> shift);
            let unscaled = digits.prop_map(move |n| n % limit);
            unscaled.prop_map(move |unscaled| Datum::Decimal { unscaled, precision, scale }).boxed()
        }
        TypeKind::Char(_) | TypeKind::VarChar(_) => ".{0,12}".prop_map(Datum::String).boxed(),
        TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => {
            vec(any::<u8>(), 0..20).prop_map(Datum::Bytes).boxed()
        }
        TypeKind::Array(e) => values(e, 0..40).prop_map(Datum::Array).boxed(),
        TypeKind::Vector(e, n) => {
            let n = usize::try_from(*n).unwrap();
            vec(datum(&e.kind).prop_map(Some), n).prop_map(Datum::Array).boxed()
        }
        TypeKind::Multiset(e) => {
            let count = (1..9).prop_map(Datum::Int).prop_map(Some);
            let key = datum(&e.kind).prop_map(Some);
            vec((key, count), 0..4).prop_map(Datum::Map).boxed()
        }
        TypeKind::Map(k, v) => map(&k.kind, &v.kind),
        TypeKind::Row(fields) => {
            let parts: Vec<_> = fields.iter().map(|f| nullable(&f.data_type.kind)).collect();
            parts.prop_map(Datum::Row).boxed()
        }
        TypeKind::Variant => (vec(any::<u8>(), 0..9), vec(any::<u8>(), 0..9))
            .prop_map(|(value, metadata)| Datum::Variant { value, metadata })
            .boxed(),
    }
}

fn nullable(kind: &TypeKind) -> impl Strategy<Value = Option<Datum>> + use<> {
    prop::option::weighted(0.8, datum(kind))
}

/// Up to `columns` types, and up to `rows` rows of them.
pub(super) fn table(
    columns: usize,
    rows: usize,
) -> impl Strategy<Value = (Vec<DataType>, Vec<Vec<Option<Datum>>>)> {
    vec(any_type(), 1..=columns).prop_flat_map(move |types| {
        let row: Vec<_> = types.iter().map(|t| nullable(&t.kind)).collect();
        (Just(types), vec(row, 0..=rows))
    })
}

fn decodes_and_encodes(row: &BinaryRow, types: &[DataType]) -> Result<(), TestCaseError> {
    let values = row.to_values(types);
    prop_assert!(values.is_ok(), "{:?}", values);
    let again = BinaryRow::from_values(&values.unwrap(), types).unwrap();
    prop_assert_eq!(row, &again);
    Ok(())
}

proptest! {
    #[test]
    fn decoding_gives_back_what_was_encoded((types, rows) in table(5, 3)) {
        for values in rows {
            let row = BinaryRow::from_values(&values, &types).unwrap();
            prop_assert_eq!(row.as_bytes().len() % 8, 0);
            decodes_and_encodes(&row, &types)?;
        }
    }

    #[test]
    fn damaged_rows_do_not_panic(
        (types, rows) in table(4, 2),
        hits in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for values in rows {
            let mut stored = BinaryRow::from_values(&values, &types).unwrap().to_serialized();
            for (at, byte) in &hits {
                let at = at.index(stored.len());
                stored[at] = *byte;
            }
            if let Ok(row) = BinaryRow::from_serialized(&stored) {
                let _ = row.to_values(&types);
            }
        }
    }

    #[test]
    fn truncated_rows_are_refused((types, rows) in table(4, 1), cut in any::<prop::sample::Index>()) {
        for values in rows {
            let stored = BinaryRow::from_values(&values, &types).unwrap().to_serialized();
            let short = &stored[..cut.index(stored.len())];
            let read = BinaryRow::from_serialized(short).and_then(|row| row.to_values(&types));
            prop_assert!(read.is_err());
        }
    }
}
