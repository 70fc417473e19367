use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{double_text, escape, float_text, parse_value, partition_path, unescape, value_text};
use crate::datum::Datum;
use crate::types::DataType;

fn data_type(text: &str) -> DataType {
    DataType::parse(text).unwrap()
}

fn path(t: &str, value: Option<Datum>, legacy: bool) -> String {
    partition_path(&["d".into()], &[data_type(t)], &[value], "__DEFAULT_PARTITION__", legacy)
        .unwrap()
}

#[test]
fn doubles_are_written_as_java_writes_them() {
    for (value, text) in [
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (100.0, "100.0"),
        (1e7, "1.0E7"),
        (9_999_999.0, "9999999.0"),
        (1_234_567.125, "1234567.125"),
        (1e10, "1.0E10"),
        (-1.25e-5, "-1.25E-5"),
        (1e-5, "1.0E-5"),
        (0.001, "0.001"),
        (0.012, "0.012"),
        (0.000_999, "9.99E-4"),
        (0.1, "0.1"),
        (1.0 / 3.0, "0.3333333333333333"),
        (f64::from_bits(1), "4.9E-324"),
        (2e-323, "2.0E-323"),
        (f64::MAX, "1.7976931348623157E308"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        assert_eq!(double_text(value), text);
    }
}

#[test]
fn floats_are_written_as_java_writes_them() {
    for (value, text) in [
        (1.0, "1.0"),
        (0.1, "0.1"),
        (1e10, "1.0E10"),
        (f32::from_bits(1), "1.4E-45"),
        (3.4e38, "3.4E38"),
    ] {
        assert_eq!(float_text(value), text);
    }
}

#[test]
fn text_follows_the_legacy_option() {
    let ts = |millis| Some(Datum::Timestamp { millis, nanos: 0 });
    assert_eq!(path("DATE", Some(Datum::Date(19_000)), true), "d=19000/");
    assert_eq!(path("DATE", Some(Datum::Date(19_000)), false), "d=2022-01-08/");
    assert_eq!(path("TIME(3)", Some(Datum::Time(3_600_000)), true), "d=3600000/");
    assert_eq!(path("TIME(3)", Some(Datum::Time(3_600_000)), false), "d=01%3A00%3A00.0/");
    assert_eq!(path("TIME(3)", Some(Datum::Time(3_600_120)), false), "d=01%3A00%3A00.12/");
    assert_eq!(path("TIME(0)", Some(Datum::Time(3_600_120)), false), "d=01%3A00%3A00/");
    let at = 1_700_000_000_120;
    assert_eq!(path("TIMESTAMP(3)", ts(at), true), "d=2023-11-14T22%3A13%3A20.120/");
    assert_eq!(path("TIMESTAMP(6)", ts(at - 120), true), "d=2023-11-14T22%3A13%3A20/");
    assert_eq!(path("TIMESTAMP(6)", ts(at - 20_120), true), "d=2023-11-14T22%3A13/");
    assert_eq!(path("TIMESTAMP(3)", ts(at), false), "d=2023-11-14 22%3A13%3A20.120/");
    assert_eq!(path("TIMESTAMP(6)", ts(at - 120), false), "d=2023-11-14 22%3A13%3A20.000000/");
    assert_eq!(path("TIMESTAMP(0)", ts(-1000), false), "d=1969-12-31 23%3A59%3A59/");
    let decimal = Datum::Decimal { unscaled: -5, precision: 10, scale: 3 };
    assert_eq!(path("DECIMAL(10, 3)", Some(decimal), true), "d=-0.005/");
}

#[test]
fn null_and_blank_values_share_the_default_directory() {
    for value in [None, Some(Datum::String(String::new())), Some(Datum::String(" \t".into()))] {
        assert_eq!(path("STRING", value, true), "d=__DEFAULT_PARTITION__/");
    }
    let no_break = Some(Datum::String("\u{a0}".into()));
    assert_eq!(path("STRING", no_break, true), "d=\u{a0}/");
}

#[test]
fn only_characters_that_paths_cannot_have_are_escaped() {
    assert_eq!(escape("a b/c=d\u{7f}\n~<é"), "a b%2Fc%3Dd%7F%0A~<é");
    assert_eq!(unescape("a%2fb%zz%4%"), "a/b%zz%4%");
}

#[test]
fn several_columns_nest() {
    let names = ["y".to_owned(), "m".to_owned()];
    let types = [data_type("INT"), data_type("STRING")];
    let values = [Some(Datum::Int(2024)), Some(Datum::String("m1".into()))];
    assert_eq!(partition_path(&names, &types, &values, "x", true).unwrap(), "y=2024/m=m1/");
    assert_eq!(partition_path(&[], &[], &[], "x", true).unwrap(), "");
    assert!(partition_path(&names, &types, &values[..1], "x", true).is_err());
}

#[test]
fn binary_columns_have_no_directory() {
    assert!(value_text(&Datum::Bytes(vec![1]), &data_type("BYTES"), true).is_err());
}

#[test]
fn text_becomes_a_value_of_the_column() {
    let decimal = |unscaled| Datum::Decimal { unscaled, precision: 6, scale: 2 };
    let ts = |millis, nanos| Datum::Timestamp { millis, nanos };
    for (text, t, value) in [
        ("Yes", "BOOLEAN", Datum::Boolean(true)),
        ("-12", "INT", Datum::Int(-12)),
        (" 7 ", "BIGINT", Datum::BigInt(7)),
        ("1.0E10", "DOUBLE", Datum::Double(1e10)),
        ("1.005", "DECIMAL(6, 2)", decimal(101)),
        ("-1.004", "DECIMAL(6, 2)", decimal(-100)),
        ("1.5e2", "DECIMAL(6, 2)", decimal(15_000)),
        ("15e-4", "DECIMAL(6, 2)", decimal(0)),
        ("9e-3", "DECIMAL(6, 2)", decimal(1)),
        (" a ", "STRING", Datum::String(" a ".into())),
        ("2024-02-29", "DATE", Datum::Date(19_782)),
        ("2024-2-29 10:00:00", "DATE", Datum::Date(19_782)),
        ("-1", "DATE", Datum::Date(-1)),
        ("19782", "DATE", Datum::Date(19_782)),
        ("01:02:03.5", "TIME(3)", Datum::Time(3_723_500)),
        ("1700000000", "TIMESTAMP(0)", ts(1_700_000_000_000, 0)),
        ("2023-11-14 22:13:20.1234567", "TIMESTAMP(6)", ts(1_700_000_000_123, 456_000)),
        ("2023-11-14T22:13", "TIMESTAMP(3)", ts(1_699_999_980_000, 0)),
        ("1969-12-31 23:59:59.9", "TIMESTAMP(9)", ts(-100, 0)),
        ("2023-11-14 22:13:20Z", "TIMESTAMP_LTZ(3)", ts(1_700_000_000_000, 0)),
    ] {
        assert_eq!(parse_value(text, &data_type(t)).unwrap(), value, "{text}");
    }
}

#[test]
fn text_without_a_value_is_refused() {
    for (text, t) in [
        ("", "INT"),
        ("x", "INT"),
        ("300", "TINYINT"),
        ("99999", "DECIMAL(6, 2)"),
        ("1e99999", "DECIMAL(6, 2)"),
        (".", "DECIMAL(6, 2)"),
        ("2023-02-29", "DATE"),
        ("24:00", "TIME(0)"),
        ("2023-11-14 22:13:20.1x", "TIMESTAMP(3)"),
        ("abcd", "VARCHAR(3)"),
        ("maybe", "BOOLEAN"),
        ("[1]", "ARRAY<INT>"),
    ] {
        assert!(parse_value(text, &data_type(t)).is_err(), "{text} as {t}");
    }
}

proptest! {
    #[test]
    fn unescape_gives_back_what_was_escaped(text in ".*") {
        prop_assert_eq!(unescape(&escape(&text)), text);
    }

    #[test]
    fn double_text_gives_the_double_back(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        let back: f64 = double_text(value).replace("Infinity", "inf").parse().unwrap();
        prop_assert_eq!(back.is_nan(), value.is_nan());
        if !value.is_nan() {
            prop_assert_eq!(back.to_bits(), value.to_bits());
        }
    }

    #[test]
    fn instants_are_read_back_from_their_text(
        millis in -62_135_596_800_000_i64..253_402_300_799_999,
        nanos in 0..1_000_000_u32,
        legacy in any::<bool>(),
    ) {
        let t = data_type("TIMESTAMP(9)");
        let value = Datum::Timestamp { millis, nanos };
        let text = value_text(&value, &t, legacy).unwrap();
        prop_assert_eq!(parse_value(&text, &t).unwrap(), value);
    }
}
