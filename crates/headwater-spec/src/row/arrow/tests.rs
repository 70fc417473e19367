use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, Int64Array, StringArray};
use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{RowEncoder, array_from_datums, constant_array, datum_at, hash_rows};
use crate::datum::Datum;
use crate::row::BinaryRow;
use crate::row::tests::table;
use crate::types::{DataType, TypeKind, arrow_type};

fn columns(types: &[DataType], rows: &[Vec<Option<Datum>>]) -> Vec<ArrayRef> {
    types
        .iter()
        .enumerate()
        .map(|(i, t)| {
            let values: Vec<_> = rows.iter().map(|row| row[i].clone()).collect();
            array_from_datums(&values, t).unwrap()
        })
        .collect()
}

#[test]
fn hashes_of_single_columns_equal_the_ones_of_java() {
    let int = DataType::nullable(TypeKind::Int);
    let ints: ArrayRef = Arc::new(Int32Array::from(vec![Some(0), Some(1), Some(-1), None]));
    assert_eq!(
        hash_rows(&[ints], &[int]).unwrap(),
        [-300_363_099, 1_465_514_398, 1_133_687_267, -1_748_325_344]
    );
    let long = DataType::nullable(TypeKind::BigInt);
    let longs: ArrayRef = Arc::new(Int64Array::from(vec![-1, 123_456_789_012]));
    assert_eq!(hash_rows(&[longs], &[long]).unwrap(), [-821_098_432, -290_760_731]);
    let string = DataType::nullable(TypeKind::STRING);
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["", "a", "abcdefg", "abcdefgh", "héé"]));
    assert_eq!(
        hash_rows(&[texts], &[string]).unwrap(),
        [302_122_119, 943_281_246, -1_431_907_323, -843_760_178, -1_712_211_795]
    );
}

#[test]
fn null_bits_of_a_sliced_column_are_its_own() {
    let int = DataType::nullable(TypeKind::Int);
    let ints = Int32Array::from(vec![None, Some(7), None, Some(1)]).slice(2, 2);
    let hashes = hash_rows(&[Arc::new(ints)], &[int]).unwrap();
    assert_eq!(hashes, [-1_748_325_344, 1_465_514_398]);
}

#[test]
fn columns_of_another_type_are_refused() {
    let types = [DataType::nullable(TypeKind::BigInt)];
    let ints: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    assert!(hash_rows(&[Arc::clone(&ints)], &types).is_err());
    assert!(RowEncoder::new(&types).encode(&[Arc::clone(&ints)], 0).is_err());
    assert!(datum_at(ints.as_ref(), 0, &types[0]).is_err());
    assert!(datum_at(ints.as_ref(), 1, &DataType::nullable(TypeKind::Int)).is_err());
    assert!(hash_rows(&[], &types).is_err());
}

#[test]
fn an_instant_beyond_the_unit_of_its_column_is_refused() {
    let value = Some(Datum::Timestamp { millis: i64::MAX / 1000, nanos: 0 });
    assert!(array_from_datums(&[value], &DataType::nullable(TypeKind::Timestamp(9))).is_err());
}

proptest! {
    #[test]
    fn cells_are_the_values_the_column_was_made_of((types, rows) in table(3, 4)) {
        for (i, column) in columns(&types, &rows).iter().enumerate() {
            prop_assert_eq!(column.data_type(), &arrow_type(&types[i].kind));
            for (r, row) in rows.iter().enumerate() {
                prop_assert_eq!(&datum_at(column.as_ref(), r, &types[i]).unwrap(), &row[i]);
            }
        }
    }

    #[test]
    fn encoded_arrow_rows_equal_encoded_values((types, rows) in table(5, 4)) {
        let columns = columns(&types, &rows);
        let mut encoder = RowEncoder::new(&types);
        let hashes = hash_rows(&columns, &types).unwrap();
        for (r, values) in rows.iter().enumerate() {
            let row = BinaryRow::from_values(values, &types).unwrap();
            prop_assert_eq!(encoder.encode(&columns, r).unwrap(), row.as_bytes());
            prop_assert_eq!(hashes[r], row.hash_code());
        }
    }

    #[test]
    fn a_hash_does_not_depend_on_the_slice(
        (types, rows) in table(2, 8),
        start in any::<proptest::sample::Index>(),
    ) {
        let columns = columns(&types, &rows);
        let all = hash_rows(&columns, &types).unwrap();
        let start = start.index(rows.len() + 1);
        let tail: Vec<_> = columns.iter().map(|c| c.slice(start, rows.len() - start)).collect();
        prop_assert_eq!(hash_rows(&tail, &types).unwrap(), &all[start..]);
    }

    #[test]
    fn a_constant_column_repeats_one_value((types, rows) in table(1, 1), len in 0..5_usize) {
        for value in rows.iter().map(|row| row[0].as_ref()) {
            let column = constant_array(value, &types[0], len).unwrap();
            prop_assert_eq!(column.len(), len);
            prop_assert_eq!(column.data_type(), &arrow_type(&types[0].kind));
            for r in 0..len {
                let cell = datum_at(column.as_ref(), r, &types[0]).unwrap();
                prop_assert_eq!(cell.as_ref(), value);
            }
        }
    }
}
