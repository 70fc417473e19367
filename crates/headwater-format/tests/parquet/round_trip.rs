//! Every type and nesting comes back as it was written.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::TimestampNanosecondType;
use headwater_format::WriteOptions;
use headwater_spec::predicate::{Op, Predicate};
use headwater_spec::row::arrow::{array_from_datums, datum_at};
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataField, DataType, Datum, RowType, TypeKind};
use proptest::prelude::*;

use crate::files::{decode, decode_unit, encode, open_bytes};

fn leaf_kind() -> impl Strategy<Value = TypeKind> {
    prop_oneof![
        Just(TypeKind::Boolean),
        Just(TypeKind::TinyInt),
        Just(TypeKind::SmallInt),
        Just(TypeKind::Int),
        Just(TypeKind::BigInt),
        Just(TypeKind::Float),
        Just(TypeKind::Double),
        Just(TypeKind::Decimal { precision: 9, scale: 2 }),
        Just(TypeKind::Decimal { precision: 18, scale: 0 }),
        Just(TypeKind::Decimal { precision: 38, scale: 10 }),
        Just(TypeKind::Char(5)),
        Just(TypeKind::STRING),
        Just(TypeKind::Binary(3)),
        Just(TypeKind::BYTES),
        Just(TypeKind::Date),
        Just(TypeKind::Time(3)),
        (0..=9_u8).prop_map(TypeKind::Timestamp),
        (0..=9_u8).prop_map(TypeKind::TimestampLtz),
        Just(TypeKind::Timestamp(9)),
    ]
}

fn data_type() -> impl Strategy<Value = DataType> {
    let leaf =
        (leaf_kind(), any::<bool>()).prop_map(|(kind, nullable)| DataType { kind, nullable });
    leaf.prop_recursive(3, 12, 3, |inner| {
        let kind = prop_oneof![
            inner.clone().prop_map(|e| TypeKind::Array(Box::new(e))),
            inner.clone().prop_map(|e| TypeKind::Multiset(Box::new(e.with_nullable(false)))),
            (inner.clone(), inner.clone()).prop_map(|(k, v)| {
                TypeKind::Map(Box::new(k.with_nullable(false)), Box::new(v))
            }),
            proptest::collection::vec(inner, 1..4).prop_map(|types| {
                let field =
                    |(i, t)| DataField::new(i32::try_from(i).unwrap() + 100, format!("f{i}"), t);
                TypeKind::Row(types.into_iter().enumerate().map(field).collect())
            }),
        ];
        (kind, any::<bool>()).prop_map(|(kind, nullable)| DataType { kind, nullable })
    })
}

fn timestamp(precision: u8) -> BoxedStrategy<Datum> {
    let whole = -4_000_000_000_000..4_000_000_000_000_i64;
    (whole, 0..1_000_000_u32)
        .prop_map(move |(millis, nanos)| match precision {
            0..=3 => Datum::Timestamp { millis, nanos: 0 },
            4..=6 => Datum::Timestamp { millis, nanos: nanos / 1000 * 1000 },
            _ => Datum::Timestamp { millis, nanos },
        })
        .boxed()
}

fn value(t: &DataType) -> BoxedStrategy<Option<Datum>> {
    let known: BoxedStrategy<Datum> = match &t.kind {
        TypeKind::Boolean => any::<bool>().prop_map(Datum::Boolean).boxed(),
        TypeKind::TinyInt => any::<i8>().prop_map(Datum::TinyInt).boxed(),
        TypeKind::SmallInt => any::<i16>().prop_map(Datum::SmallInt).boxed(),
        TypeKind::Int => any::<i32>().prop_map(Datum::Int).boxed(),
        TypeKind::BigInt => any::<i64>().prop_map(Datum::BigInt).boxed(),
        TypeKind::Float => any::<f32>().prop_map(Datum::Float).boxed(),
        TypeKind::Double => any::<f64>().prop_map(Datum::Double).boxed(),
        TypeKind::Decimal { precision, scale } => {
            let (precision, scale) = (*precision, *scale);
            let limit = 10_i128.pow(u32::from(precision)) - 1;
            (-limit..=limit)
                .prop_map(move |unscaled| Datum::Decimal { unscaled, precision, scale })
                .boxed()
        }
        TypeKind::Char(_) | TypeKind::VarChar(_) => {
            "[a-zé漢𝄞]{0,5}".prop_map(Datum::String).boxed()
        }
        TypeKind::Binary(_) | TypeKind::VarBinary(_) => {
            proptest::collection::vec(any::<u8>(), 3).prop_map(Datum::Bytes).boxed()
        }
        TypeKind::Date => (-100_000..100_000_i32).prop_map(Datum::Date).boxed(),
        TypeKind::Time(_) => (0..86_400_000_i32).prop_map(Datum::Time).boxed(),
        TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) => timestamp(*p),
        TypeKind::Array(e) => {
            proptest::collection::vec(value(e), 0..4).prop_map(Datum::Array).boxed()
        }
        TypeKind::Map(k, v) => {
            proptest::collection::vec((value(k), value(v)), 0..3).prop_map(Datum::Map).boxed()
        }
        TypeKind::Multiset(e) => {
            let count = value(&DataType::not_null(TypeKind::Int));
            proptest::collection::vec((value(e), count), 0..3).prop_map(Datum::Map).boxed()
        }
        TypeKind::Row(fields) => {
            let values: Vec<_> = fields.iter().map(|f| value(&f.data_type)).collect();
            values.prop_map(Datum::Row).boxed()
        }
        other => panic!("no values of {other:?}"),
    };
    if t.nullable {
        prop_oneof![3 => known.prop_map(Some), 1 => Just(None)].boxed()
    } else {
        known.prop_map(Some).boxed()
    }
}

type Table = (Vec<DataField>, Vec<Vec<Option<Datum>>>);

fn table() -> impl Strategy<Value = Table> {
    proptest::collection::vec(data_type(), 1..4).prop_flat_map(|types| {
        let columns: Vec<_> =
            types.iter().map(|t| proptest::collection::vec(value(t), 12)).collect();
        let fields = types
            .into_iter()
            .enumerate()
            .map(|(i, t)| DataField::new(i32::try_from(i).unwrap(), format!("c{i}"), t));
        (Just(fields.collect::<Vec<_>>()), columns)
    })
}

fn batch(fields: &[DataField], columns: &[Vec<Option<Datum>>]) -> RecordBatch {
    let arrays = fields.iter().zip(columns).map(|(f, c)| array_from_datums(c, &f.data_type));
    let arrays: Vec<ArrayRef> = arrays.collect::<Result<_, _>>().unwrap();
    RecordBatch::try_new(arrow_schema(&RowType::new(fields.to_vec())), arrays).unwrap()
}

fn small_groups() -> WriteOptions {
    WriteOptions { row_group_bytes: 1, page_rows: 2, ..WriteOptions::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever the types, nulls and empty collections, the same values come back, in slices too.
    #[test]
    fn any_table_comes_back((fields, columns) in table(), cut in 0..12_usize, max in 1..14_usize) {
        let batch = batch(&fields, &columns);
        let parts = [batch.slice(0, cut), batch.slice(cut, 12 - cut)];
        for options in [WriteOptions::default(), small_groups()] {
            let (bytes, stats) = encode(&fields, &parts, &options);
            prop_assert_eq!(stats.len(), fields.len());
            let back = decode(bytes, &fields, max).unwrap();
            let mut row = 0;
            for b in &back {
                prop_assert!(b.num_rows() <= max);
                for r in 0..b.num_rows() {
                    for ((field, column), values) in fields.iter().zip(b.columns()).zip(&columns) {
                        let got = datum_at(column.as_ref(), r, &field.data_type).unwrap();
                        let same = same(got.as_ref(), values[row].as_ref());
                        prop_assert!(same, "{}: {:?} is not {:?}", field.name, got, values[row]);
                    }
                    row += 1;
                }
            }
            prop_assert_eq!(row, 12);
        }
    }

    /// Bounds enclose every value, and null counts are exact.
    #[test]
    fn statistics_hold((fields, columns) in table()) {
        let (_, stats) = encode(&fields, &[batch(&fields, &columns)], &small_groups());
        for ((field, values), stats) in fields.iter().zip(&columns).zip(&stats) {
            if field.data_type.kind.is_nested() {
                prop_assert_eq!(stats, &Default::default());
                continue;
            }
            let nulls = values.iter().filter(|v| v.is_none()).count();
            prop_assert_eq!(stats.null_count, Some(i64::try_from(nulls).unwrap()));
            if let (Some(min), Some(max)) = (&stats.min, &stats.max) {
                for v in values.iter().flatten().filter(|v| !negative_nan(v)) {
                    prop_assert!(min.compare(v).unwrap().is_le() && max.compare(v).unwrap().is_ge());
                }
                prop_assert!(values.iter().flatten().any(|v| v == min || negative_nan(v)) || is_nan(min));
            }
        }
    }
}

fn is_nan(v: &Datum) -> bool {
    matches!(v, Datum::Float(f) if f.is_nan()) || matches!(v, Datum::Double(f) if f.is_nan())
}

fn negative_nan(v: &Datum) -> bool {
    is_nan(v)
}

/// Equality by bits for floats.
fn same(a: Option<&Datum>, b: Option<&Datum>) -> bool {
    let text = |v: Option<&Datum>| format!("{v:?}");
    a == b || text(a) == text(b)
}

#[test]
fn row_groups_and_their_bytes_come_while_writing() {
    let fields = [DataField::new(0, "s", DataType::not_null(TypeKind::STRING))];
    let options = WriteOptions {
        row_group_bytes: 200_000,
        dictionary: false,
        compression: "none".to_owned(),
        ..WriteOptions::default()
    };
    let mut encoder =
        headwater_format::encoder(headwater_format::FileFormat::Parquet, &fields, &options)
            .unwrap();
    let mut taken = 0;
    for i in 0..40 {
        let text = StringArray::from_iter_values((0..5_000).map(|j| format!("value {i} {j}")));
        let schema = arrow_schema(&RowType::new(fields.to_vec()));
        encoder.write(&RecordBatch::try_new(schema, vec![Arc::new(text)]).unwrap()).unwrap();
        taken += encoder.take().concat().len();
        assert!(encoder.memory() < 2_000_000, "{} after {i}", encoder.memory());
        assert!(encoder.bytes_written() >= u64::try_from(taken).unwrap());
    }
    assert!(taken > 1_000_000, "{taken}");
    let end = encoder.finish().unwrap();
    assert_eq!(end.row_count, 200_000);
    assert_eq!(end.size, u64::try_from(taken + end.tail.concat().len()).unwrap());
}

#[test]
fn a_file_without_rows_has_no_unit() {
    let fields = [DataField::new(0, "a", DataType::nullable(TypeKind::Int))];
    let (bytes, stats) = encode(&fields, &[], &WriteOptions::default());
    assert_eq!(stats[0].null_count, Some(0));
    let file = open_bytes(bytes).unwrap();
    assert_eq!((file.units(), file.row_count()), (0, 0));
}

#[test]
fn unknown_and_no_columns_read_as_nulls() {
    let fields = [DataField::new(0, "a", DataType::not_null(TypeKind::Int))];
    let rows = batch(&fields, &[(0..10).map(|v| Some(Datum::Int(v))).collect()]);
    let (bytes, _) = encode(&fields, &[rows], &WriteOptions::default());
    let file = open_bytes(bytes).unwrap();
    let none = decode_unit(file.as_ref(), 0, &[], 4).unwrap();
    assert_eq!(none.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [4, 4, 2]);
    let other = [DataField::new(0, "b", DataType::nullable(TypeKind::STRING))];
    let nulls = decode_unit(file.as_ref(), 0, &other, 100).unwrap();
    assert_eq!((nulls[0].num_rows(), nulls[0].column(0).null_count()), (10, 10));
    let needed = [DataField::new(0, "b", DataType::not_null(TypeKind::Int))];
    let error = decode_unit(file.as_ref(), 0, &needed, 100).unwrap_err().to_string();
    assert!(error.contains("'b'"), "{error}");
}

#[test]
fn nested_fields_are_found_by_name() {
    let row = |fields: Vec<DataField>| DataType::nullable(TypeKind::Row(fields));
    let int = |id, name: &str| DataField::new(id, name, DataType::nullable(TypeKind::Int));
    let written = [DataField::new(0, "r", row(vec![int(1, "x"), int(2, "y")]))];
    let values = vec![
        Some(Datum::Row(vec![Some(Datum::Int(1)), Some(Datum::Int(2))])),
        None,
        Some(Datum::Row(vec![None, Some(Datum::Int(4))])),
    ];
    let (bytes, _) = encode(&written, &[batch(&written, &[values])], &WriteOptions::default());
    let wanted = [DataField::new(0, "r", row(vec![int(3, "z"), int(2, "y")]))];
    let read = decode(bytes.clone(), &wanted, 10).unwrap();
    let cell = |i, fields: &[DataField]| datum_at(read[0].column(0), i, &fields[0].data_type);
    assert_eq!(cell(0, &wanted).unwrap(), Some(Datum::Row(vec![None, Some(Datum::Int(2))])));
    assert_eq!(cell(1, &wanted).unwrap(), None);
    let gone = [DataField::new(0, "r", row(vec![int(3, "z")]))];
    let read = decode(bytes, &gone, 10).unwrap();
    assert_eq!(read[0].column(0).null_count(), 1);
}

#[test]
fn row_groups_are_pruned_by_statistics() {
    let fields = [
        DataField::new(0, "a", DataType::not_null(TypeKind::Int)),
        DataField::new(1, "f", DataType::not_null(TypeKind::Double)),
    ];
    let parts: Vec<_> = (0..5)
        .map(|g| {
            let ints = (0..10).map(|i| Some(Datum::Int(g * 10 + i))).collect();
            let doubles = (0..10).map(|i| Some(Datum::Double(f64::from(g * 10 + i)))).collect();
            batch(&fields, &[ints, doubles])
        })
        .collect();
    let (bytes, _) = encode(&fields, &parts, &small_groups());
    let file = open_bytes(bytes).unwrap();
    assert_eq!(file.units(), 5);
    let leaf = |column, op, v| Predicate::leaf(column, op, [v]);
    assert_eq!(file.prune(&fields, &leaf(0, Op::Ge, Datum::Int(35))), [3, 4]);
    assert_eq!(file.prune(&fields, &leaf(0, Op::Eq, Datum::Int(12))), [1]);
    assert_eq!(file.prune(&fields, &leaf(1, Op::Gt, Datum::Double(100.0))).len(), 5);
    let swapped = [fields[1].clone(), fields[0].clone()];
    assert_eq!(file.prune(&swapped, &leaf(1, Op::Lt, Datum::Int(5))), [0]);
    let unknown = [DataField::new(7, "b", DataType::nullable(TypeKind::Int))];
    assert_eq!(file.prune(&unknown, &leaf(0, Op::Eq, Datum::Int(1))).len(), 5);
}

#[test]
fn every_compression_comes_back() {
    let fields = [DataField::new(0, "s", DataType::nullable(TypeKind::STRING))];
    let values = (0..2_000).map(|i| Some(Datum::String(format!("v{}", i % 7)))).collect();
    let rows = batch(&fields, &[values]);
    for compression in ["zstd", "snappy", "lz4", "lz4_raw", "gzip", "none", "ZSTD"] {
        for dictionary in [true, false] {
            let compression = compression.to_owned();
            let options = WriteOptions { compression, dictionary, ..WriteOptions::default() };
            let (bytes, _) = encode(&fields, std::slice::from_ref(&rows), &options);
            let back = decode(bytes, &fields, 10_000).unwrap();
            assert_eq!(back[0], rows, "{}", options.compression);
        }
    }
    let options = WriteOptions { compression: "brotli".to_owned(), ..WriteOptions::default() };
    let refused =
        headwater_format::encoder(headwater_format::FileFormat::Parquet, &fields, &options);
    assert!(refused.err().unwrap().to_string().contains("'brotli'"));
}

#[test]
fn bounds_of_floats_put_nan_last_and_keep_the_sign_of_zero() {
    let fields = [DataField::new(0, "f", DataType::nullable(TypeKind::Double))];
    let stats = |values: &[f64]| {
        let values = values.iter().map(|v| Some(Datum::Double(*v))).chain([None]).collect();
        let (_, stats) = encode(&fields, &[batch(&fields, &[values])], &WriteOptions::default());
        let bits = |d: &Option<Datum>| match d {
            Some(Datum::Double(v)) => v.to_bits(),
            other => panic!("{other:?}"),
        };
        (f64::from_bits(bits(&stats[0].min)), f64::from_bits(bits(&stats[0].max)))
    };
    let (min, max) = stats(&[2.0, f64::NAN, -1.0]);
    assert!((min + 1.0).abs() < 1e-9 && max.is_nan());
    let (min, max) = stats(&[2.0, -f64::NAN, -1.0]);
    assert!((min + 1.0).abs() < 1e-9 && max.is_nan() && max.is_sign_positive());
    let (min, max) = stats(&[0.0]);
    assert!(min.is_sign_positive() && max.is_sign_positive());
    let (min, max) = stats(&[-0.0]);
    assert!(min.is_sign_negative() && max.is_sign_negative());
    let (min, max) = stats(&[f64::NAN]);
    assert!(min.is_nan() && max.is_nan());
}

#[test]
fn long_strings_give_bounds() {
    let fields = [DataField::new(0, "s", DataType::nullable(TypeKind::STRING))];
    let long = "é".repeat(5_000);
    let values = vec![Some(Datum::String(long.clone())), None];
    let (bytes, stats) = encode(&fields, &[batch(&fields, &[values])], &WriteOptions::default());
    assert!(bytes.len() < 20_000);
    let (Some(Datum::String(min)), Some(Datum::String(max))) = (&stats[0].min, &stats[0].max)
    else {
        panic!("{stats:?}");
    };
    assert!(*min <= long && *max >= long && long.starts_with(min.as_str()));
}

#[test]
fn batches_of_another_schema_are_refused() {
    let fields = [DataField::new(0, "a", DataType::not_null(TypeKind::BigInt))];
    let mut encoder = headwater_format::encoder(
        headwater_format::FileFormat::Parquet,
        &fields,
        &WriteOptions::default(),
    )
    .unwrap();
    let ints = Arc::new(Int32Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("a", ints as ArrayRef)]).unwrap();
    assert!(encoder.write(&batch).unwrap_err().to_string().contains("'a' is Int32"));
    let longs = Arc::new(Int64Array::from(vec![Some(1), None]));
    let batch = RecordBatch::try_from_iter([("a", longs as ArrayRef)]).unwrap();
    assert!(encoder.write(&batch).unwrap_err().to_string().contains("NOT NULL"));
}

#[test]
fn a_decimal_that_its_bytes_do_not_hold_is_refused() {
    for (precision, most, refused) in [
        (9, i128::from(i32::MAX), true),
        (9, i128::from(i32::MIN), true),
        (4, 10_000, false),
        (18, i128::from(i64::MAX), true),
        (18, i128::from(i64::MIN), true),
    ] {
        let fields =
            [DataField::new(0, "d", DataType::nullable(TypeKind::Decimal { precision, scale: 2 }))];
        let encode = |value: i128| {
            let mut encoder = headwater_format::encoder(
                headwater_format::FileFormat::Parquet,
                &fields,
                &WriteOptions::default(),
            )
            .unwrap();
            let values = Decimal128Array::from(vec![None, Some(value)]);
            let values = values.with_precision_and_scale(precision, 2).unwrap();
            encoder
                .write(&RecordBatch::try_from_iter([("d", Arc::new(values) as ArrayRef)]).unwrap())
        };
        encode(most).unwrap();
        if refused {
            let error = encode(most + most.signum()).unwrap_err().to_string();
            assert!(error.contains("column 'd'") && error.contains("does not fit"), "{error}");
        }
    }
}

#[test]
fn the_ends_of_nanoseconds_come_back() {
    let fields = [DataField::new(0, "t", DataType::nullable(TypeKind::Timestamp(9)))];
    let nanos = vec![i64::MIN, -1, 0, 1, 86_400_000_000_000, i64::MAX];
    let schema = arrow_schema(&RowType::new(fields.to_vec()));
    let column = Arc::new(TimestampNanosecondArray::from(nanos));
    let rows = RecordBatch::try_new(schema, vec![column]).unwrap();
    let (bytes, stats) = encode(&fields, std::slice::from_ref(&rows), &WriteOptions::default());
    assert_eq!((&stats[0].min, stats[0].null_count), (&None, Some(0)));
    let back = decode(bytes, &fields, 10).unwrap();
    let column = back[0].column(0).as_primitive::<TimestampNanosecondType>();
    assert_eq!(column.value(0), i64::MIN);
    assert_eq!(back[0], rows);
}

/// A column that repeats an earlier one shares its pages; it may stop and start to do so.
#[test]
fn a_column_that_repeats_another_comes_back_like_any_other() {
    let long = || DataType::not_null(TypeKind::BigInt);
    let fields = [
        DataField::new(0, "key", long()),
        DataField::new(1, "state", DataType::nullable(TypeKind::STRING)),
        DataField::new(2, "copy", long()),
        DataField::new(3, "nullable", DataType::nullable(TypeKind::BigInt)),
    ];
    let schema = arrow_schema(&RowType::new(fields.to_vec()));
    let longs =
        |from: i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(from..from + 40_000)) };
    let batch = |key: &ArrayRef, copy: &ArrayRef| {
        let state: ArrayRef =
            Arc::new(StringArray::from_iter((0..key.len()).map(|i| (i % 3 > 0).then_some("s"))));
        let columns = vec![Arc::clone(key), state, Arc::clone(copy), Arc::clone(key)];
        RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
    };
    let keys: Vec<ArrayRef> = (0..4).map(|i| longs(i * 1_000_000)).collect();
    let equal: ArrayRef = longs(0);
    let batches = [
        batch(&keys[0], &keys[0]),
        batch(&keys[0], &equal),
        batch(&keys[1], &keys[2]),
        batch(&keys[3], &keys[3]),
    ];
    let options = WriteOptions { dictionary: false, ..WriteOptions::default() };
    let (bytes, stats) = encode(&fields, &batches, &options);
    let bounds = |i: usize| (stats[i].min.clone(), stats[i].max.clone());
    assert_eq!(bounds(0), (Some(Datum::BigInt(0)), Some(Datum::BigInt(3_039_999))));
    assert_eq!(bounds(2), bounds(0));
    assert_eq!(bounds(3), bounds(0));
    let found = decode(bytes, &fields, 10_000).unwrap();
    let expected = concat_batches(&schema, &batches).unwrap();
    assert_eq!(concat_batches(&schema, &found).unwrap(), expected);
    // One that repeats throughout needs a single row group.
    let (bytes, _) = encode(&fields, &[batches[0].clone(), batches[3].clone()], &options);
    assert_eq!(open_bytes(bytes).unwrap().units(), 1);
}

#[test]
fn a_row_in_a_row_that_is_null_comes_back() {
    let row = |fields, nullable: bool| DataType { kind: TypeKind::Row(fields), nullable };
    let inner = row(
        vec![
            DataField::new(1, "t", DataType::nullable(TypeKind::Timestamp(9))),
            DataField::new(2, "n", DataType::not_null(TypeKind::TinyInt)),
        ],
        false,
    );
    let fields = vec![DataField::new(0, "r", row(vec![DataField::new(3, "i", inner)], true))];
    let time = Datum::Timestamp { millis: 7, nanos: 8 };
    let there = Datum::Row(vec![Some(Datum::Row(vec![Some(time), Some(Datum::TinyInt(5))]))]);
    let columns = vec![vec![None, Some(there), None]];
    let (bytes, _) = encode(&fields, &[batch(&fields, &columns)], &WriteOptions::default());
    let back = decode(bytes, &fields, 10).unwrap();
    let found = |row: usize| datum_at(back[0].column(0).as_ref(), row, &fields[0].data_type);
    assert_eq!((0..3).map(|row| found(row).unwrap()).collect::<Vec<_>>(), columns[0]);
}
