//! Columns with aggregate functions: a type that the function takes, values, options.

use std::sync::OnceLock;

use headwater_testkit::golden;
use serde_json::{Value, json};

use super::rng::Rng;
use super::values::{self, Domain, decimal, double, float};

/// The functions of Java 1.4, and names they also go by.
pub(super) const FUNCTIONS: &[&str] = &[
    "sum",
    "product",
    "max",
    "min",
    "last_value",
    "last_non_null_value",
    "first_value",
    "first_non_null_value",
    "first_not_null_value",
    "bool_and",
    "bool_or",
    "listagg",
    "collect",
    "merge_map",
    "merge_map_with_keytime",
    "nested_update",
    "nested_partial_update",
    "theta_sketch",
    "hll_sketch",
    "rbm32",
    "rbm64",
    "primary-key",
];

/// Whether the function takes values back.
pub(super) fn retracts(function: &str) -> bool {
    matches!(
        function,
        "sum"
            | "product"
            | "last_value"
            | "last_non_null_value"
            | "collect"
            | "merge_map"
            | "nested_update"
            | "primary-key"
    )
}

/// A column with a function.
#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    pub(super) function: &'static str,
    pub(super) domain: Domain,
    /// Options of the column, without `fields.<column>.`.
    pub(super) options: Vec<(&'static str, String)>,
}

/// A column for the function.
pub(super) fn aggregate(rng: &mut Rng, function: &'static str) -> Aggregate {
    let mut options = Vec::new();
    let domain = match function {
        "sum" => sum(rng),
        "product" => product(rng),
        "max" | "min" => values::ordered(rng),
        "bool_and" | "bool_or" => Domain::new("BOOLEAN", vec![json!(true), json!(false)]),
        "listagg" => listagg(rng, &mut options),
        "collect" => collect(rng, &mut options),
        "merge_map" => merge_map(rng),
        "merge_map_with_keytime" => merge_map_with_keytime(rng, &mut options),
        "nested_update" => nested(rng, &mut options, false),
        "nested_partial_update" => nested(rng, &mut options, true),
        "theta_sketch" => sketches(rng, "th"),
        "hll_sketch" => sketches(rng, "hl"),
        "rbm32" => sketches(rng, "r32"),
        "rbm64" => sketches(rng, "r64"),
        _ => values::any(rng),
    };
    Aggregate { function, domain, options }
}

/// Precision and scale of the decimals that are added and multiplied.
const DECIMALS: [(u32, usize); 6] = [(4, 2), (9, 0), (10, 2), (18, 4), (20, 3), (38, 10)];

fn sum(rng: &mut Rng) -> Domain {
    let all: (&str, Vec<Value>) = match rng.below(9) {
        0 => ("TINYINT", [0, 1, -1, 5, 100, -128, 127].map(Value::from).to_vec()),
        1 => ("SMALLINT", [0, 1, -7, 300, 32767, -32768].map(Value::from).to_vec()),
        2 | 3 => ("INT", [0, 1, -7, 300, i32::MAX, i32::MIN].map(Value::from).to_vec()),
        4 => ("BIGINT", [0, 1, -7, 5_000_000_000, i64::MAX, i64::MIN].map(Value::from).to_vec()),
        5 => ("FLOAT", floats(rng).iter().map(|v| float(*v as f32)).collect()),
        6 => ("DOUBLE", floats(rng).iter().map(|v| double(*v)).collect()),
        _ => {
            let (precision, scale) = *rng.pick(&DECIMALS);
            // Small enough that no sum of a table's rows has too many digits.
            let most = 10_i128.pow(precision) / 200;
            let mut values: Vec<i128> = vec![0, 1, -1, most, -most, most / 3, -(most / 7)];
            if precision > 18 {
                values.push(10_i128.pow(precision) - 1);
            }
            let values: Vec<Value> = values.into_iter().map(|v| decimal(v, scale)).collect();
            return Domain::new(&format!("DECIMAL({precision}, {scale})"), rng.some(&values, 3, 5));
        }
    };
    Domain::new(all.0, rng.some(&all.1, 3, 5))
}

/// Values that add without loss, and now and then others.
fn floats(rng: &mut Rng) -> Vec<f64> {
    let mut values = vec![0.0, 1.5, -2.25, 1024.0, 0.5];
    if rng.chance(25) {
        values.extend([0.1, -0.0, f64::NAN, f64::INFINITY, 1e30]);
    }
    values
}

/// No zeros: Java fails when it divides by one.
fn product(rng: &mut Rng) -> Domain {
    let ints = |values: &[i64]| values.iter().map(|v| json!(v)).collect::<Vec<_>>();
    let all: (&str, Vec<Value>) = match rng.below(8) {
        0 => ("TINYINT", ints(&[1, -1, 2, 3, 7, -128])),
        1 => ("SMALLINT", ints(&[1, -1, 2, 3, 300, -32768])),
        2 => ("INT", ints(&[1, -1, 2, 3, 1_000_000, i64::from(i32::MIN)])),
        3 => ("BIGINT", ints(&[1, -1, 2, 3, 5_000_000_000, i64::MIN])),
        4 => ("FLOAT", [0.5, 2.0, -1.0, 4.0, 0.1].map(float).to_vec()),
        5 => ("DOUBLE", [0.5, 2.0, -1.0, 4.0, 0.1].map(double).to_vec()),
        _ => {
            let (precision, scale) = *rng.pick(&DECIMALS);
            // Quarters of numbers whose prime factors are 2 and 5: each quotient ends.
            let quarters: &[i128] =
                if scale >= 2 { &[4, -4, 8, 20, 2, 1, 40] } else { &[4, -4, 8, 20] };
            let of = |q: &i128| decimal(q * 10_i128.pow(scale as u32) / 4, scale);
            let values: Vec<Value> = quarters.iter().map(of).collect();
            return Domain::new(&format!("DECIMAL({precision}, {scale})"), rng.some(&values, 2, 4));
        }
    };
    Domain::new(all.0, rng.some(&all.1, 2, 4))
}

fn listagg(rng: &mut Rng, options: &mut Vec<(&'static str, String)>) -> Domain {
    let delimiter = rng.pick(&[",", ";", "--", "é"]);
    if *delimiter != "," || rng.chance(20) {
        options.push(("list-agg-delimiter", (*delimiter).to_owned()));
    }
    if rng.chance(50) {
        options.push(("distinct", "true".to_owned()));
    }
    let d = delimiter;
    let values = [
        "a".to_owned(),
        "b".to_owned(),
        String::new(),
        format!("a{d}b"),
        format!("c{d}c"),
        format!("{d}a{d}"),
        "éa".to_owned(),
    ];
    Domain::new("STRING", rng.some(&values.map(Value::from), 3, 6))
}

/// Arrays of up to three of the elements.
fn arrays(rng: &mut Rng, elements: &[Value], count: usize) -> Vec<Value> {
    (0..count).map(|_| (0..rng.below(4)).map(|_| rng.pick(elements).clone()).collect()).collect()
}

fn collect(rng: &mut Rng, options: &mut Vec<(&'static str, String)>) -> Domain {
    let distinct = rng.chance(50);
    if distinct {
        options.push(("distinct", "true".to_owned()));
    }
    let plain = [
        ("INT", json!([1, 2, 3, null])),
        ("STRING", json!(["a", "b", "", null])),
        ("BIGINT", json!([1, -1, 5_000_000_000_i64])),
        ("DECIMAL(10, 2)", json!(["1.00", "1.50", "-2.00"])),
        ("DECIMAL(25, 2)", json!(["1.00", "1.50", null])),
        ("DATE", json!(["1970-01-01", "2024-02-29", null])),
        ("TIMESTAMP(3)", json!(["1970-01-01T00:00:00.000000000", "2024-02-29T00:00:00.001000000"])),
        ("DOUBLE", json!(["3ff0000000000000", "0000000000000000", "8000000000000000"])),
        ("BOOLEAN", json!([true, false, null])),
    ];
    // Java fails to compare a row or array with null, and takes arrays and maps with nulls inside
    // for different unless both are in a write buffer (`compat/deviations.md#reading`).
    let constructed = [
        (
            "ROW<a INT, b STRING>",
            json!([{"a": 1, "b": "x"}, {"a": 1, "b": null}, {"a": 2, "b": "x"}]),
        ),
        ("ARRAY<INT>", json!([[1], [1, 2], []])),
        ("MAP<STRING, INT>", json!([[["k", 1]], [["k", 2]], []])),
    ];
    // Without `distinct` Java fails to take rows back from an array that was read from a file.
    let nested = distinct && rng.chance(50);
    let (element, values) = if nested { rng.pick(&constructed) } else { rng.pick(&plain) };
    let arrays = arrays(rng, values.as_array().unwrap(), 5);
    Domain::new(&format!("ARRAY<{element}>"), arrays)
}

/// Maps of up to three of the keys to some of the values.
fn maps(rng: &mut Rng, keys: &Value, of: &Value) -> Vec<Value> {
    (0..5)
        .map(|_| {
            let keys = rng.some(keys.as_array().unwrap(), 0, 3);
            keys.iter().map(|k| json!([k, rng.pick(of.as_array().unwrap())])).collect::<Vec<_>>()
        })
        .map(Value::from)
        .collect()
}

fn merge_map(rng: &mut Rng) -> Domain {
    let keys = [
        ("STRING NOT NULL", json!(["a", "b", "", "é"])),
        ("INT NOT NULL", json!([1, 2, -3])),
        ("BIGINT", json!([1, 2, 5_000_000_000_i64])),
        ("DATE", json!(["1970-01-01", "2024-02-29"])),
        ("DECIMAL(10, 2)", json!(["1.00", "1.50"])),
        ("TIMESTAMP(3)", json!(["1970-01-01T00:00:00.000000000", "2024-02-29T00:00:00.001000000"])),
    ];
    let items = [
        ("INT", json!([1, 2, null])),
        ("STRING", json!(["x", "", null])),
        ("ARRAY<INT>", json!([[1], [], [null], null])),
        ("ROW<a INT, b STRING>", json!([{"a": 1, "b": "x"}, {"a": null, "b": null}, null])),
    ];
    let (key, of) = (rng.pick(&keys).clone(), rng.pick(&items).clone());
    let maps = maps(rng, &key.1, &of.1);
    Domain::new(&format!("MAP<{}, {}>", key.0, of.0), maps)
}

fn merge_map_with_keytime(rng: &mut Rng, options: &mut Vec<(&'static str, String)>) -> Domain {
    let (key, keys) = if rng.chance(60) {
        ("STRING NOT NULL", json!(["a", "b", "c"]))
    } else {
        ("INT", json!([1, 2]))
    };
    let times = json!(["1", "10", "2", "", "é", null]);
    let items: Vec<Value> = (0..6)
        .map(|n| match rng.below(8) {
            0 => Value::Null,
            _ => json!({ "val": n, "ts": rng.pick(times.as_array().unwrap()) }),
        })
        .collect();
    let row = if rng.chance(50) {
        "ROW<val INT, ts STRING>"
    } else {
        options.push(("ts-field", "ts".to_owned()));
        "ROW<ts STRING, val INT>"
    };
    let maps = maps(rng, &keys, &Value::from(items));
    Domain::new(&format!("MAP<{key}, {row}>"), maps)
}

fn nested(rng: &mut Rng, options: &mut Vec<(&'static str, String)>, keyed: bool) -> Domain {
    if keyed || rng.chance(50) {
        let key = rng.pick(&["id", "id", "id,x", "x, id"]);
        options.push(("nested-key", (*key).to_owned()));
    }
    if !keyed && rng.chance(40) {
        options.push(("count-limit", rng.within(1, 4).to_string()));
    }
    let mut rows: Vec<Value> = vec![Value::Null];
    for id in [json!(1), json!(2), json!(3), Value::Null] {
        rows.push(json!({ "id": id, "x": rng.pick(&["a", "b"]), "y": rng.below(3) }));
        rows.push(json!({ "id": id, "x": null, "y": rng.pick(&[json!(7), Value::Null]) }));
    }
    let arrays = arrays(rng, &rows, 6);
    Domain::new("ARRAY<ROW<id INT, x STRING, y INT>>", arrays)
}

/// Sketches and bitmaps that Java made: the values of a golden table.
fn sketches(rng: &mut Rng, column: &str) -> Domain {
    static GOLDEN: OnceLock<Vec<Value>> = OnceLock::new();
    let operations = GOLDEN.get_or_init(|| golden("agg_sketches_a").operations());
    let rows = operations.iter().filter_map(|o| o["rows"].as_array()).flatten();
    let values: Vec<Value> =
        rows.map(|r| r["row"][column].clone()).filter(|v| !v.is_null()).collect();
    let data_type = if rng.chance(50) { "VARBINARY(4000)" } else { "BYTES" };
    Domain::new(data_type, rng.some(&values, 2, 6))
}
