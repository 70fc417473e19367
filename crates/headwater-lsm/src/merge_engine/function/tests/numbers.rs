//! Sums, products, extremes and truth values.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, Decimal128Array,
    PrimitiveArray, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use headwater_spec::{DataType, ErrorKind, TypeKind};

use super::{ADD, BACK, OLD_BACK, OLDER, PUT, fold};
use crate::merge_engine::function::FunctionError;
use crate::merge_engine::steps::Step;

type Outcome<N> = Result<Option<N>, FunctionError>;

fn one<T: ArrowPrimitiveType>(
    name: &str,
    kind: &TypeKind,
    records: &[(Option<T::Native>, Step)],
) -> Outcome<T::Native> {
    let column: PrimitiveArray<T> = records.iter().map(|(value, _)| *value).collect();
    let steps: Vec<_> = records.iter().map(|(_, step)| *step).collect();
    let folded = fold(name, kind, column, &[&steps])?;
    Ok(folded.as_primitive::<T>().iter().next().flatten())
}

fn int(name: &str, records: &[(Option<i32>, Step)]) -> Outcome<i32> {
    one::<Int32Type>(name, &TypeKind::Int, records)
}

fn double(name: &str, records: &[(Option<f64>, Step)]) -> Outcome<f64> {
    one::<Float64Type>(name, &TypeKind::Double, records)
}

/// Of values without the point.
fn decimal(
    name: &str,
    (precision, scale): (u8, u8),
    records: &[(Option<i128>, Step)],
) -> Outcome<i128> {
    let column: Decimal128Array = records.iter().map(|(value, _)| *value).collect();
    let column = column.with_precision_and_scale(precision, scale.cast_signed()).unwrap();
    let steps: Vec<_> = records.iter().map(|(_, step)| *step).collect();
    let function = super::column_function(
        name,
        &super::field(&TypeKind::Decimal { precision, scale }),
        &super::FunctionOptions::default(),
    );
    let column: ArrayRef = Arc::new(column);
    match function.unwrap().fold(&column, &super::steps(&[&steps])) {
        Ok(folded) => {
            assert_eq!(folded.data_type(), column.data_type());
            Ok(folded.as_primitive::<Decimal128Type>().iter().next().flatten())
        }
        Err(crate::LsmError::Function(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn sum_leaves_nulls_out_and_subtracts_even_from_nothing() {
    let sum = |records: &[_]| int("sum", records).unwrap();
    assert_eq!(sum(&[]), None);
    assert_eq!(sum(&[(None, ADD), (None, BACK)]), None);
    assert_eq!(sum(&[(Some(1), ADD), (None, ADD), (Some(5), OLDER)]), Some(6));
    assert_eq!(sum(&[(Some(1), ADD), (Some(5), BACK), (Some(1), OLD_BACK)]), Some(-5));
    assert_eq!(sum(&[(Some(5), BACK), (Some(3), ADD)]), Some(-2));
    assert_eq!(sum(&[(Some(1), ADD), (None, BACK)]), Some(1));
    // What `aggregation.remove-record-on-delete` makes of 1, delete 100, 5.
    assert_eq!(sum(&[(Some(1), ADD), (Some(100), PUT), (Some(5), ADD)]), Some(105));
    assert_eq!(sum(&[(Some(1), ADD), (None, PUT), (Some(5), ADD)]), Some(5));
}

#[test]
fn integers_wrap_at_their_width() {
    let max = |step| [(Some(i8::MAX), ADD), (Some(1), step)];
    assert_eq!(one::<Int8Type>("sum", &TypeKind::TinyInt, &max(ADD)).unwrap(), Some(i8::MIN));
    let max = [(Some(i16::MAX), ADD), (Some(1), ADD)];
    assert_eq!(one::<Int16Type>("sum", &TypeKind::SmallInt, &max).unwrap(), Some(i16::MIN));
    assert_eq!(int("sum", &[(Some(i32::MAX), ADD), (Some(1), ADD)]).unwrap(), Some(i32::MIN));
    let max = [(Some(i64::MAX), ADD), (Some(1), ADD)];
    assert_eq!(one::<Int64Type>("sum", &TypeKind::BigInt, &max).unwrap(), Some(i64::MIN));
    assert_eq!(int("sum", &[(Some(i32::MIN), BACK)]).unwrap(), Some(i32::MIN));
    assert_eq!(int("sum", &[(Some(i32::MIN), ADD), (Some(1), BACK)]).unwrap(), Some(i32::MAX));
    let times = [(Some(16_i8), ADD), (Some(9), ADD)];
    assert_eq!(one::<Int8Type>("product", &TypeKind::TinyInt, &times).unwrap(), Some(-112));
    let over = [(Some(i8::MIN), ADD), (Some(-1), BACK)];
    assert_eq!(one::<Int8Type>("product", &TypeKind::TinyInt, &over).unwrap(), Some(i8::MIN));
}

#[test]
fn floats_follow_ieee() {
    let tenth = [(Some(0.1), ADD), (Some(0.2), ADD)];
    assert_eq!(double("sum", &tenth).unwrap(), Some(0.1 + 0.2));
    let none = [(Some(f64::INFINITY), ADD), (Some(f64::INFINITY), BACK)];
    assert!(double("sum", &none).unwrap().unwrap().is_nan());
    let by_zero = [(Some(-1.0), ADD), (Some(0.0), BACK)];
    assert_eq!(double("product", &by_zero).unwrap(), Some(f64::NEG_INFINITY));
    let zero = double("sum", &[(Some(0.0), BACK)]).unwrap().unwrap();
    assert!(zero == 0.0 && zero.is_sign_negative());
    let float = [(Some(16_777_216.0_f32), ADD), (Some(1.0), ADD)];
    assert_eq!(one::<Float32Type>("sum", &TypeKind::Float, &float).unwrap(), Some(16_777_216.0));
}

#[test]
fn a_decimal_of_up_to_18_digits_is_not_held_to_its_precision() {
    let sum = |p, records: &[_]| decimal("sum", p, records).unwrap();
    assert_eq!(sum((4, 2), &[(Some(9_900), ADD), (Some(100), ADD)]), Some(10_000));
    assert_eq!(sum((4, 2), &[(Some(-9_900), ADD), (Some(100), BACK)]), Some(-10_000));
    // Taking back from nothing does look at the precision.
    assert_eq!(sum((4, 2), &[(Some(10_000), BACK)]), None);
    assert_eq!(sum((4, 2), &[(Some(9_999), BACK)]), Some(-9_999));
    // What does not fit 64 bits is null, and the next value starts anew.
    let large = Some(i128::from(i64::MAX));
    assert_eq!(sum((18, 0), &[(large, ADD), (Some(1), ADD)]), None);
    assert_eq!(sum((18, 0), &[(large, ADD), (Some(1), ADD), (Some(7), ADD)]), Some(7));
}

#[test]
fn a_larger_decimal_that_overflows_is_null_and_starts_anew() {
    let largest = |p| Some(10_i128.pow(p) - 1);
    for p in [19, 30, 38] {
        let type_ = (u8::try_from(p).unwrap(), 2);
        let sum = |records: &[_]| decimal("sum", type_, records).unwrap();
        assert_eq!(sum(&[(largest(p), ADD), (Some(1), ADD)]), None);
        assert_eq!(sum(&[(largest(p), ADD), (largest(p), ADD), (Some(7), ADD)]), Some(7));
        assert_eq!(sum(&[(largest(p), BACK), (Some(1), BACK)]), None);
        assert_eq!(sum(&[(largest(p), ADD), (largest(p), BACK)]), Some(0));
    }
}

#[test]
fn product_multiplies_and_divides() {
    let product = |records: &[_]| int("product", records);
    assert_eq!(product(&[(None, ADD), (Some(3), ADD), (Some(-4), OLDER)]).unwrap(), Some(-12));
    assert_eq!(product(&[(Some(-7), ADD), (Some(2), BACK)]).unwrap(), Some(-3));
    assert_eq!(product(&[(Some(7), ADD), (None, BACK)]).unwrap(), Some(7));
    assert_eq!(product(&[(Some(2), BACK), (Some(3), ADD)]).unwrap(), Some(3));
    let error = product(&[(Some(7), ADD), (Some(0), OLD_BACK)]).unwrap_err();
    assert!(matches!(error, FunctionError::DivisionByZero { .. }));
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(product(&[(Some(0), BACK)]).unwrap(), None);
}

#[test]
fn a_decimal_product_is_rounded_half_away_from_zero() {
    let product = |p, records: &[_]| decimal("product", p, records).unwrap();
    // 1.05 * 0.10 = 0.105, 1.04 * 0.10 = 0.104
    assert_eq!(product((4, 2), &[(Some(105), ADD), (Some(10), ADD)]), Some(11));
    assert_eq!(product((4, 2), &[(Some(-105), ADD), (Some(10), ADD)]), Some(-11));
    assert_eq!(product((4, 2), &[(Some(104), ADD), (Some(10), ADD)]), Some(10));
    // 99.99 * 1.01 has too many digits.
    assert_eq!(product((4, 2), &[(Some(9_999), ADD), (Some(101), ADD)]), None);
    let large = 10_i128.pow(37);
    assert_eq!(product((38, 37), &[(Some(large), ADD), (Some(-large), ADD)]), Some(-large));
    assert_eq!(product((38, 0), &[(Some(large), ADD), (Some(large), ADD)]), None);
}

#[test]
fn a_decimal_is_divided_only_if_the_quotient_has_an_end() {
    let over = |p, a, b| decimal("product", p, &[(Some(a), ADD), (Some(b), BACK)]);
    // 1.00 / 8.00 = 0.125, 6.00 / 3.00 = 2, 1.00 / 3.00 has no end
    assert_eq!(over((4, 2), 100, 800).unwrap(), Some(13));
    assert_eq!(over((4, 2), -100, 800).unwrap(), Some(-13));
    assert_eq!(over((4, 2), 100, -800).unwrap(), Some(-13));
    assert_eq!(over((4, 2), 600, 300).unwrap(), Some(200));
    assert_eq!(over((4, 2), 0, 300).unwrap(), Some(0));
    assert!(matches!(over((4, 2), 100, 300), Err(FunctionError::EndlessQuotient { .. })));
    assert!(matches!(over((4, 2), 100, 0), Err(FunctionError::DivisionByZero { .. })));
    assert_eq!(over((4, 2), 9_999, 1).unwrap(), None);
    let large = 10_i128.pow(38) - 1;
    assert_eq!(over((38, 37), large, large).unwrap(), Some(10_i128.pow(37)));
}

#[test]
fn extremes_leave_nulls_out() {
    let records = [(None, ADD), (Some(3), ADD), (Some(-4), OLDER), (None, OLDER), (Some(2), ADD)];
    assert_eq!(int("max", &records).unwrap(), Some(3));
    assert_eq!(int("min", &records).unwrap(), Some(-4));
    assert_eq!(int("min", &[(None, ADD)]).unwrap(), None);
    for name in ["max", "min"] {
        let error = int(name, &[(Some(1), ADD), (Some(1), BACK)]).unwrap_err();
        assert!(matches!(error, FunctionError::NoRetraction { .. }));
        assert_eq!(int(name, &[(Some(1), ADD), (Some(0), PUT)]).unwrap(), Some(0));
    }
}

#[test]
fn nan_is_the_largest_and_minus_zero_below_zero() {
    let nan = [(Some(f64::INFINITY), ADD), (Some(-f64::NAN), ADD), (Some(1.0), ADD)];
    assert!(double("max", &nan).unwrap().unwrap().is_nan());
    assert_eq!(double("min", &nan).unwrap(), Some(1.0));
    for zeros in [[-0.0, 0.0], [0.0, -0.0]] {
        let records = zeros.map(|zero| (Some(zero), ADD));
        assert!(double("max", &records).unwrap().unwrap().is_sign_positive());
        assert!(double("min", &records).unwrap().unwrap().is_sign_negative());
    }
    // Of two NaN max keeps the older and min takes the newer, which shows in their bits.
    let other = f64::from_bits(0x7ff8_0000_0000_0001);
    let nans = [(Some(f64::NAN), ADD), (Some(other), ADD)];
    assert_eq!(double("max", &nans).unwrap().unwrap().to_bits(), f64::NAN.to_bits());
    assert_eq!(double("min", &nans).unwrap().unwrap().to_bits(), other.to_bits());
}

#[test]
fn texts_and_bytes_compare_by_unsigned_bytes() {
    let keys: &[&[Step]] = &[&[ADD, ADD, ADD], &[ADD], &[ADD, ADD]];
    let values = [Some("z"), Some("\u{e000}"), Some("\u{1f600}"), None, Some("ab"), Some("a")];
    let extreme = |name, column: ArrayRef, kind: &TypeKind| {
        super::fold_with(name, kind, &super::FunctionOptions::default(), column, keys).unwrap()
    };
    let texts: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
    let max = extreme("max", Arc::clone(&texts), &TypeKind::STRING);
    assert_eq!(max.as_string::<i32>(), &StringArray::from(vec![values[2], None, Some("ab")]));
    let min = extreme("min", texts, &TypeKind::VarChar(5));
    assert_eq!(min.as_string::<i32>(), &StringArray::from(vec![values[0], None, Some("a")]));
    let bytes: BinaryArray = values.iter().map(|value| value.map(str::as_bytes)).collect();
    let max = extreme("max", Arc::new(bytes), &TypeKind::BYTES);
    assert_eq!(max.as_binary::<i32>().value(0), "\u{1f600}".as_bytes());
}

#[test]
fn times_and_decimals_compare_by_value() {
    let column = TimestampMicrosecondArray::from(vec![-5, 7, 3]).with_timezone("UTC");
    let folded = fold("max", &TypeKind::TimestampLtz(6), column, &[&[ADD, ADD, ADD]]).unwrap();
    assert_eq!(folded.as_primitive::<TimestampMicrosecondType>().value(0), 7);
    for kind in [TypeKind::Date, TypeKind::Time(3), TypeKind::Timestamp(9), TypeKind::Int] {
        let column = arrow::array::Int32Array::from(vec![2, 9, 4]);
        let time = arrow::compute::cast(&column, &super::arrow_type(&kind));
        let column = time.unwrap_or_else(|_| {
            let wide = arrow::compute::cast(&column, &arrow::datatypes::DataType::Int64).unwrap();
            arrow::compute::cast(&wide, &super::arrow_type(&kind)).unwrap()
        });
        let options = super::FunctionOptions::default();
        let max =
            super::fold_with("max", &kind, &options, Arc::clone(&column), &[&[ADD, ADD, ADD]])
                .unwrap();
        assert_eq!(max.to_data(), column.slice(1, 1).to_data(), "{kind}");
    }
    assert_eq!(decimal("min", (20, 2), &[(Some(3), ADD), (Some(-2), ADD)]).unwrap(), Some(-2));
}

#[test]
fn types_without_order_are_an_error_once_two_values_meet() {
    let column = || BooleanArray::from(vec![Some(true), None, Some(false)]);
    let alone = fold("max", &TypeKind::Boolean, column(), &[&[ADD, ADD], &[ADD]]).unwrap();
    assert!(alone.as_boolean().value(0));
    let error = fold("max", &TypeKind::Boolean, column(), &[&[ADD, ADD, ADD]]).unwrap_err();
    assert!(matches!(error, FunctionError::Incomparable { .. }));
    assert!(error.to_string().contains("BOOLEAN"), "{error}");
    let lists = arrow::array::ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1)]),
        Some(vec![]),
    ]);
    let kind = TypeKind::Array(Box::new(DataType::nullable(TypeKind::Int)));
    assert!(fold("min", &kind, lists, &[&[ADD, ADD]]).is_err());
}

#[test]
fn bools_leave_nulls_out_and_do_not_retract() {
    let keys: &[&[Step]] = &[&[ADD, ADD, OLDER], &[ADD, ADD], &[ADD], &[ADD, PUT]];
    let values = [Some(true), None, Some(false), Some(true), Some(true), None, Some(false), None];
    let column = || BooleanArray::from(values.to_vec());
    let all = fold("bool_and", &TypeKind::Boolean, column(), keys).unwrap();
    assert_eq!(all.as_boolean(), &BooleanArray::from(vec![Some(false), Some(true), None, None]));
    let some = fold("bool_or", &TypeKind::Boolean, column(), keys).unwrap();
    assert_eq!(some.as_boolean(), &BooleanArray::from(vec![Some(true), Some(true), None, None]));
    for name in ["bool_and", "bool_or"] {
        let column = BooleanArray::from(vec![true]);
        let error = fold(name, &TypeKind::Boolean, column, &[&[BACK]]).unwrap_err();
        assert!(matches!(error, FunctionError::NoRetraction { .. }));
    }
}

#[test]
fn a_slice_of_a_column_is_read_from_its_own_start() {
    let column = PrimitiveArray::<Int32Type>::from(vec![Some(100), None, Some(1), Some(2)]);
    let folded = fold("sum", &TypeKind::Int, column.slice(1, 3), &[&[ADD, ADD, ADD]]).unwrap();
    assert_eq!(folded.as_primitive::<Int32Type>().value(0), 3);
    let column = BooleanArray::from(vec![false, true, true]).slice(1, 2);
    let folded = fold("bool_and", &TypeKind::Boolean, column, &[&[ADD, ADD]]).unwrap();
    assert!(folded.as_boolean().value(0));
}
