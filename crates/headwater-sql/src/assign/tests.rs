//! What fits, what is refused, and what the error says.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, ListArray, NullArray,
    StringArray, StructArray, TimestampNanosecondArray,
};
use arrow::datatypes::{DataType as Arrow, Field, Int32Type, TimeUnit, TimestampMillisecondType};
use headwater::{DataField, DataType, TypeKind};

use super::convert::{check_assignable, convert};

fn of(text: &str) -> DataType {
    DataType::parse(text).unwrap()
}

fn fit(given: impl Array + 'static, wanted: &str) -> Result<ArrayRef, String> {
    let given: ArrayRef = Arc::new(given);
    let wanted = of(wanted);
    check_assignable(given.data_type(), &wanted.kind, "c")
        .and_then(|()| convert(&given, &wanted, "c"))
        .map_err(|e| e.to_string())
}

#[test]
fn a_number_out_of_range_is_an_error_and_never_null() {
    let error = fit(Int64Array::from(vec![1, 40_000]), "SMALLINT").unwrap_err();
    assert!(error.contains("column 'c'") && error.contains("40000"), "{error}");
    assert!(fit(Float64Array::from(vec![f64::NAN]), "INT").is_err());
    assert!(fit(StringArray::from(vec!["abc"]), "INT").is_err());
    let error = fit(
        Decimal128Array::from(vec![123_456]).with_precision_and_scale(10, 2).unwrap(),
        "DECIMAL(5, 2)",
    )
    .unwrap_err();
    assert!(error.contains("column 'c'"), "{error}");
}

#[test]
fn texts_are_parsed_into_every_plain_type() {
    for (text, wanted) in [
        ("12", "INT"),
        ("-1.25", "DECIMAL(5, 2)"),
        ("true", "BOOLEAN"),
        ("2024-02-29", "DATE"),
        ("12:30:00.5", "TIME(3)"),
        ("2024-02-29 12:30:00.123", "TIMESTAMP(3)"),
        ("2024-02-29 12:30:00.123", "TIMESTAMP_LTZ(3)"),
        ("1e300", "DOUBLE"),
        ("bytes", "BYTES"),
    ] {
        let array = fit(StringArray::from(vec![text]), wanted).unwrap();
        assert_eq!(array.null_count(), 0, "{text} as {wanted}");
    }
}

#[test]
fn numbers_do_not_become_dates_or_booleans_by_themselves() {
    for wanted in ["DATE", "TIMESTAMP(3)", "BOOLEAN", "ARRAY<INT>", "BYTES"] {
        let error = fit(Int64Array::from(vec![1]), wanted).unwrap_err();
        assert!(error.contains("use CAST"), "{wanted}: {error}");
    }
}

#[test]
fn null_fits_every_type() {
    for wanted in ["INT", "STRING", "ARRAY<INT>", "MAP<STRING, INT>", "ROW<a INT>", "DATE"] {
        let array = fit(NullArray::new(2), wanted).unwrap();
        assert_eq!(array.logical_null_count(), 2, "{wanted}");
    }
}

#[test]
fn superfluous_digits_of_a_timestamp_are_cut_towards_the_past() {
    let given = TimestampNanosecondArray::from(vec![1_999_999_999, -1]);
    let millis = fit(given.clone(), "TIMESTAMP(3)").unwrap();
    assert_eq!(millis.as_primitive::<TimestampMillisecondType>().values().as_ref(), [1_999, -1]);
    let seconds = fit(given, "TIMESTAMP(0)").unwrap();
    assert_eq!(
        seconds.as_primitive::<TimestampMillisecondType>().values().as_ref(),
        [1_000, -1_000]
    );
}

#[test]
fn rows_fit_by_name_or_else_by_position() {
    let given = |first: &str, second: &str| {
        StructArray::from(vec![
            (
                Arc::new(Field::new(first, Arrow::Int64, true)),
                Arc::new(Int64Array::from(vec![1])) as ArrayRef,
            ),
            (
                Arc::new(Field::new(second, Arrow::Int64, true)),
                Arc::new(Int64Array::from(vec![2])) as ArrayRef,
            ),
        ])
    };
    for (first, second, expected) in [("a", "b", 1), ("b", "a", 2), ("c0", "c1", 1)] {
        let array = fit(given(first, second), "ROW<a INT, b INT>").unwrap();
        assert_eq!(array.as_struct().column(0).as_primitive::<Int32Type>().value(0), expected);
    }
    assert!(fit(given("a", "b"), "ROW<a INT>").unwrap_err().contains("use CAST"));
}

#[test]
fn lists_take_the_tables_element_type() {
    let list = ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>(vec![
        Some(vec![Some(1), None]),
        None,
    ]);
    let array = fit(list.clone(), "ARRAY<INT>").unwrap();
    let wanted = headwater::spec::types::arrow_type(&of("ARRAY<INT>").kind);
    assert_eq!(*array.data_type(), wanted);
    assert!(fit(list, "VECTOR<BIGINT, 3>").unwrap_err().contains("2 elements"));
}

#[test]
fn zone_and_unit_follow_the_table() {
    let given = TimestampNanosecondArray::from(vec![5_000_000]);
    let array = fit(given, "TIMESTAMP_LTZ(6)").unwrap();
    assert_eq!(*array.data_type(), Arrow::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
}

#[test]
fn a_default_is_parsed_into_the_columns_type() {
    let mut field = DataField::new(0, "c", DataType::nullable(TypeKind::Int));
    assert!(super::constant(Some("12"), &field).is_ok());
    let error = super::constant(Some("x"), &field).unwrap_err();
    assert!(error.to_string().contains("column 'c'"), "{error}");
    field.data_type = of("ARRAY<INT>");
    assert!(super::constant(Some("[1]"), &field).is_err());
    assert!(super::constant(None, &field).is_ok());
}
