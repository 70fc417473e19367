//! Every column type: plain ones with their extremes, nested ones with nulls at each depth.

use headwater_testkit::require_java;
use serde_json::{Value, json};

use super::subject::{Subject, change, schema};

/// A type, and values of it in canonical form; null comes besides.
pub(crate) type Kind = (&'static str, Value);

fn digits(n: usize) -> String {
    "9".repeat(n)
}

/// A time with as many digits after the point as the precision has.
fn times(precision: usize, zone: &str) -> Value {
    let at = |start: &str, fraction: &str| {
        json!(format!("{start}.{:0<9}{zone}", &fraction[..precision]))
    };
    // Arrow counts nanoseconds of a higher precision in 64 bits: 1677 to 2262.
    let (first, last, old) = if precision > 6 {
        ("1677-09-22T00:00:00", "2262-04-11T00:00:00", "1700-02-28T12:00:00")
    } else {
        ("0001-01-01T00:00:00", "9999-12-31T23:59:59", "1582-10-10T12:00:00")
    };
    json!([
        at("1970-01-01T00:00:00", "000000000"),
        at("2024-02-29T23:59:59", "123456789"),
        at("1969-12-31T23:59:59", "999999999"),
        at(first, "000000001"),
        at(last, "999999999"),
        at(old, "500000000"),
    ])
}

/// Types that can be keys, with at least three values each.
pub(crate) fn key_types() -> Vec<Kind> {
    let mut types = vec![
        ("BOOLEAN", json!([true, false])),
        ("TINYINT", json!([-128, 127, 0, -1])),
        ("SMALLINT", json!([-32768, 32767, 0, -1])),
        ("INT", json!([i32::MIN, i32::MAX, 0, -1])),
        ("BIGINT", json!([i64::MIN, i64::MAX, 0, -1])),
        ("FLOAT", json!(["00000000", "ff7fffff", "7f7fffff", "7f800000", "ff800000", "00000001"])),
        (
            "DOUBLE",
            json!([
                "0000000000000000",
                "ffefffffffffffff",
                "7fefffffffffffff",
                "7ff0000000000000",
                "fff0000000000000",
                "0000000000000001"
            ]),
        ),
        ("DECIMAL(1, 0)", json!(["9", "-9", "0"])),
        ("DECIMAL(9, 2)", json!(["9999999.99", "-9999999.99", "0.00", "-0.01"])),
        ("DECIMAL(10, 2)", json!(["99999999.99", "-99999999.99", "0.00", "0.01"])),
        (
            "DECIMAL(18, 18)",
            json!([
                format!("0.{}", digits(18)),
                format!("-0.{}", digits(18)),
                "0.000000000000000000"
            ]),
        ),
        ("DECIMAL(19, 0)", json!([digits(19), format!("-{}", digits(19)), "0"])),
        (
            "DECIMAL(38, 18)",
            json!([
                format!("{}.{}", digits(20), digits(18)),
                format!("-{}.{}", digits(20), digits(18)),
                "0.000000000000000000",
                "-0.000000000000000001",
                "128.000000000000000000"
            ]),
        ),
        ("CHAR(5)", json!(["a", "abcde", "漢字", "ab"])),
        ("VARCHAR(10)", json!(["0123456789", "é", "x😀y"])),
        (
            "STRING",
            json!([
                "short",
                "longer than seven bytes",
                "漢字かな交じり文",
                "😀",
                "\u{1}\"\\\n",
                "z"
            ]),
        ),
        ("BINARY(4)", json!(["00ff80", "7f000000", "80000000"])),
        ("VARBINARY(6)", json!(["ff", "000102030405", "8000"])),
        ("BYTES", json!(["00", "ffffffffffffffffffff", "7f"])),
        ("DATE", json!(["1970-01-01", "0001-01-01", "9999-12-31", "1969-12-31", "2024-02-29"])),
        ("TIME", json!(["00:00:00.000", "23:59:59.000", "12:34:56.000"])),
        ("TIME(3)", json!(["00:00:00.000", "23:59:59.999", "12:34:56.001"])),
    ];
    for (precision, t) in
        ["TIMESTAMP(0)", "TIMESTAMP(3)", "TIMESTAMP(6)", "TIMESTAMP(9)"].into_iter().enumerate()
    {
        types.push((t, times(3 * precision, "")));
    }
    let zoned = [
        "TIMESTAMP(0) WITH LOCAL TIME ZONE",
        "TIMESTAMP(3) WITH LOCAL TIME ZONE",
        "TIMESTAMP(6) WITH LOCAL TIME ZONE",
        "TIMESTAMP(9) WITH LOCAL TIME ZONE",
    ];
    for (precision, t) in zoned.into_iter().enumerate() {
        types.push((t, times(3 * precision, "Z")));
    }
    types
}

pub(crate) fn plain_types() -> Vec<Kind> {
    let mut types = key_types();
    types.extend([
        ("FLOAT", json!(["7fc00000", "80000000", "3f800000"])),
        ("DOUBLE", json!(["7ff8000000000000", "8000000000000000", "3ff0000000000000"])),
        ("STRING", json!(["", " ", "\u{0}"])),
        ("BYTES", json!(["", "00"])),
        ("VARCHAR(3)", json!(["", "漢字か"])),
        ("TIMESTAMP(1)", times(1, "")),
        ("TIMESTAMP(4)", times(4, "")),
        ("TIMESTAMP(5)", times(5, "")),
        ("TIMESTAMP(7)", times(7, "")),
        ("TIMESTAMP(8)", times(8, "")),
        ("TIMESTAMP(4) WITH LOCAL TIME ZONE", times(4, "Z")),
        ("TIMESTAMP(7) WITH LOCAL TIME ZONE", times(7, "Z")),
    ]);
    types
}

pub(crate) fn nested_types() -> Vec<Kind> {
    vec![
        ("ARRAY<INT>", json!([[], [1], [null], [1, null, -3]])),
        ("ARRAY<STRING NOT NULL>", json!([[], ["", "漢"], ["x"]])),
        ("ARRAY<ARRAY<BIGINT>>", json!([[], [null], [[]], [[null], [1, 2]], [[1], null, []]])),
        ("ARRAY<DECIMAL(20, 2)>", json!([["1.00", null, "-123456789012345678.99"]])),
        ("ARRAY<TIMESTAMP(9)>", json!([["2024-02-29T23:59:59.123456789", null]])),
        (
            "ARRAY<TIMESTAMP(3) WITH LOCAL TIME ZONE>",
            json!([["2024-02-29T23:59:59.123000000Z", null]]),
        ),
        ("ARRAY<BYTES>", json!([["00ff", null, ""]])),
        ("ARRAY<BOOLEAN>", json!([[true, null, false]])),
        ("MAP<STRING, INT>", json!([[], [["a", 1]], [["a", null], ["b", 2]]])),
        ("MAP<INT NOT NULL, ARRAY<STRING>>", json!([[], [[1, null]], [[1, []], [2, [null, "x"]]]])),
        (
            "MAP<BIGINT, MAP<STRING, DATE>>",
            json!([[[1, null], [2, []], [3, [["d", "2024-02-29"], ["n", null]]]]]),
        ),
        ("MAP<DECIMAL(10, 2), DOUBLE>", json!([[["-1.50", "3ff0000000000000"], ["2.00", null]]])),
        (
            "MAP<STRING, ROW<a INT, b ARRAY<INT>>>",
            json!([[["k", null], ["l", {"a": null, "b": null}], ["m", {"a": 1, "b": [null]}]]]),
        ),
        ("MULTISET<STRING>", json!([[], [["a", 1], ["b", 3]]])),
        ("MULTISET<INT>", json!([[[-1, 2]]])),
        ("ROW<a INT, b STRING>", json!([{"a": null, "b": null}, {"a": 1, "b": "x"}])),
        (
            "ROW<a INT NOT NULL, b TIMESTAMP(9)>",
            json!([{"a": 1, "b": null}, {"a": 2, "b": "1969-12-31T23:59:59.999999999"}]),
        ),
        (
            "ROW<a ROW<b ROW<c INT, d STRING>, e ARRAY<ROW<f BIGINT>>>>",
            json!([{"a": null}, {"a": {"b": null, "e": null}}, {"a": {"b": {"c": null, "d": "x"}, "e": []}}, {"a": {"b": {"c": 1, "d": null}, "e": [null, {"f": null}, {"f": 2}]}}]),
        ),
        (
            "ARRAY<ROW<a INT, m MAP<STRING, INT>>>",
            json!([[null, {"a": 1, "m": null}, {"a": null, "m": []}, {"a": 2, "m": [["k", null], ["l", 1]]}]]),
        ),
        (
            "ROW<t TIME(3), d DATE, l TIMESTAMP(6) WITH LOCAL TIME ZONE, x DECIMAL(38, 0)>",
            json!([{"t": "12:34:56.789", "d": "0001-01-01", "l": "2024-02-29T00:00:00.000001000Z", "x": "-1"}]),
        ),
    ]
}

/// Column names `c0`, `c1`, ...
fn names(types: &[Kind]) -> Vec<String> {
    (0..types.len()).map(|i| format!("c{i}")).collect()
}

/// As many rows as the longest list of values; the first row and every fourth cell are null.
fn rows(types: &[Kind], commit: usize) -> Vec<Value> {
    (0..7)
        .map(|number| {
            let mut row = json!({ "k": number + 3 * commit });
            for (column, (_, values)) in types.iter().enumerate() {
                let values = values.as_array().unwrap();
                let null = number == 0 || (number + column + commit).is_multiple_of(4);
                let value = &values[(number + commit) % values.len()];
                row[format!("c{column}")] = if null { Value::Null } else { value.clone() };
            }
            row
        })
        .collect()
}

fn takes_turns_with(test: &str, types: &[Kind]) {
    let Some(oracle) = require_java(test) else { return };
    let names = names(types);
    let mut fields = vec![("k", "INT")];
    fields.extend(names.iter().map(String::as_str).zip(types.iter().map(|t| t.0)));
    let append = schema(&fields, &[], &[], &json!({ "bucket": "-1" }));
    Subject::new(oracle, &append).takes_turns(|commit| rows(types, commit));
    let keyed = schema(&fields, &["k"], &[], &json!({ "bucket": "1" }));
    Subject::new(oracle, &keyed).takes_turns(|commit| {
        let mut changes: Vec<Value> =
            rows(types, commit).iter().map(|row| change("+I", row)).collect();
        if commit > 0 {
            changes[1]["kind"] = json!("-D");
            changes[2]["kind"] = json!("+U");
        }
        changes
    });
}

#[test]
pub(crate) fn plain_types_with_extremes_and_nulls_round_trip() {
    takes_turns_with("plain_types_with_extremes_and_nulls_round_trip", &plain_types());
}

#[test]
pub(crate) fn nested_types_with_nulls_at_each_depth_round_trip() {
    takes_turns_with("nested_types_with_nulls_at_each_depth_round_trip", &nested_types());
}

#[test]
fn columns_without_any_value_round_trip() {
    let Some(oracle) = require_java("columns_without_any_value_round_trip") else { return };
    let mut types = plain_types();
    types.extend(nested_types());
    let names = names(&types);
    let mut fields = vec![("k", "INT")];
    fields.extend(names.iter().map(String::as_str).zip(types.iter().map(|t| t.0)));
    let row = |k: i32| {
        let mut row = json!({ "k": k });
        names.iter().for_each(|n| row[n] = Value::Null);
        row
    };
    for (pk, bucket) in [(vec![], "-1"), (vec!["k"], "2")] {
        let table = schema(&fields, &pk, &[], &json!({ "bucket": bucket }));
        let mut subject = Subject::new(oracle, &table);
        subject.we_write(&[row(1), row(2)]).agrees();
        subject.java_writes(&[row(3)]).java_compacts().agrees();
    }
}
