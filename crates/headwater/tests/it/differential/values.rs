//! Types of columns and the few values of each that a table uses, in canonical form.
//!
//! A column draws its rows from a small set of values, so that equal ones meet.

use serde_json::{Value, json};

use super::rng::Rng;
use crate::roundtrip::types::{key_types, nested_types, plain_types};

/// A column to be: its type and the values, besides null, that rows have.
#[derive(Debug, Clone)]
pub(super) struct Domain {
    pub(super) data_type: String,
    pub(super) values: Vec<Value>,
}

impl Domain {
    pub(super) fn new(data_type: &str, values: Vec<Value>) -> Self {
        Self { data_type: data_type.to_owned(), values }
    }

    fn of(rng: &mut Rng, data_type: &str, values: &Value) -> Self {
        Self::new(data_type, rng.some(values.as_array().unwrap(), 2, 5))
    }
}

/// Any type that a column can have.
pub(super) fn any(rng: &mut Rng) -> Domain {
    let types = if rng.chance(25) { nested_types() } else { plain_types() };
    let (data_type, values) = rng.pick(&types);
    Domain::of(rng, data_type, values)
}

/// A type of values that have an order.
pub(super) fn ordered(rng: &mut Rng) -> Domain {
    // BOOLEAN has no order in Java's `InternalRowUtils.compare`.
    let types: Vec<_> = plain_types().into_iter().filter(|t| t.0 != "BOOLEAN").collect();
    let (data_type, values) = rng.pick(&types);
    Domain::of(rng, data_type, values)
}

/// A type of primary keys.
pub(super) fn key(rng: &mut Rng) -> Domain {
    const COMMON: [&str; 6] =
        ["INT", "STRING", "DECIMAL(10, 2)", "DECIMAL(38, 18)", "TIMESTAMP(3)", "DATE"];
    if rng.chance(12) {
        return Domain::new("INT", (0..30).map(Value::from).collect());
    }
    let mut types = key_types();
    if rng.chance(75) {
        types.retain(|t| COMMON.contains(&t.0));
    }
    let (data_type, values) = rng.pick(&types);
    Domain::new(data_type, rng.some(values.as_array().unwrap(), 2, 3))
}

/// A type of partition columns.
pub(super) fn partition(rng: &mut Rng) -> Domain {
    let types = [
        ("STRING", json!(["p1", "p2", "a b/c=d"])),
        ("INT", json!([-1, 7, 2024])),
        ("DATE", json!(["2024-02-29", "1969-12-31"])),
        ("BIGINT", json!([1, 1_000_000_000_000_i64])),
    ];
    let (data_type, values) = rng.pick(&types);
    Domain::new(data_type, rng.some(values.as_array().unwrap(), 1, 2))
}

/// A type of sequence fields, with values that sort in more than one way.
pub(super) fn sequence(rng: &mut Rng) -> Domain {
    let types = [
        ("INT", json!([1, 2, 3, 10, -5])),
        ("INT", json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])),
        ("BIGINT", json!([i64::MIN, -1, 0, 1, i64::MAX])),
        ("TINYINT", json!([-128, -1, 0, 5, 127])),
        ("STRING", json!(["", "a", "b", "aa", "é", "longer than eight bytes"])),
        ("DECIMAL(10, 2)", json!(["-1.50", "0.00", "1.49", "12.00"])),
        ("DECIMAL(30, 5)", json!(["-1.50000", "0.00000", "123456789012345678901.00001"])),
        ("DATE", json!(["1969-12-31", "1970-01-01", "2024-02-29"])),
        (
            "TIMESTAMP(3)",
            json!([
                "1969-12-31T23:59:59.999000000",
                "1970-01-01T00:00:00.000000000",
                "2024-02-29T00:00:00.001000000"
            ]),
        ),
        (
            "TIMESTAMP(6) WITH LOCAL TIME ZONE",
            json!(["1970-01-01T00:00:00.000001000Z", "2024-02-29T00:00:00.000000000Z"]),
        ),
        ("DOUBLE", json!(["bff0000000000000", "3ff0000000000000", "4000000000000000"])),
        ("BOOLEAN", json!([false, true])),
    ];
    let (data_type, values) = rng.pick(&types);
    Domain::new(data_type, rng.some(values.as_array().unwrap(), 2, 12))
}

/// A decimal in canonical form.
pub(super) fn decimal(unscaled: i128, scale: usize) -> Value {
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let point = if scale > 0 { "." } else { "" };
    Value::String(format!("{sign}{whole}{point}{fraction}"))
}

/// A FLOAT in canonical form.
pub(super) fn float(value: f32) -> Value {
    Value::String(format!("{:08x}", value.to_bits()))
}

/// A DOUBLE in canonical form.
pub(super) fn double(value: f64) -> Value {
    Value::String(format!("{:016x}", value.to_bits()))
}

/// A row's cell: one of the values, or null in `nulls` percent of all cases.
pub(super) fn cell(rng: &mut Rng, domain: &Domain, nulls: usize) -> Value {
    if rng.chance(nulls) { Value::Null } else { rng.pick(&domain.values).clone() }
}
